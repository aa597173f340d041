"""Studies that stand still until a test lets them go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from tests.settle import PATIENCE
from tui.analysis.progress import Doing
from tui.analysis.study import Piece, run_study
from tui.analysis.subject import Subject
from tui.fusion.specs.block_spec import BlockSpec


class HeldRun:
    """One run of a study, which waits after its first step, and in the piece of work `stop_before`."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.let_go = threading.Event()
        self.stands_still = threading.Event()
        self.stop_before = ""
        self.go_on = threading.Event()
        self.ended = threading.Event()
        self.steps = 0

    def iterate(self) -> Iterator[Piece]:
        """The steps of the study; counts those that were asked for."""
        try:
            yield Doing("holding still")
            self.stands_still.set()
            assert self.let_go.wait(PATIENCE)
            for step in run_study(self.subject):
                self.steps += 1
                yield step
                if isinstance(step, Doing) and step.words == self.stop_before:
                    assert self.go_on.wait(PATIENCE)
        finally:
            self.ended.set()


class HeldStudy:
    """A study function; `runs` are its runs so far, in order."""

    def __init__(self) -> None:
        self.runs: list[HeldRun] = []

    def __call__(self, subject: Subject) -> Iterator[Piece]:
        run = HeldRun(subject)
        self.runs.append(run)
        return run.iterate()

    def has_run(self, spec: BlockSpec) -> bool:
        """Whether the last run is of this spec."""
        return self.runs[-1].subject.spec == spec

    def let_all_go(self) -> None:
        """End what still stands still."""
        for run in self.runs:
            run.let_go.set()
            run.go_on.set()
