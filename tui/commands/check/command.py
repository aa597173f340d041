"""check(spec): run the study, print its report, and say by the exit status whether both sides agree."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import TYPE_CHECKING

from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations
from tui.analysis.estimate import Estimate, estimate_of, memory_of_this_machine
from tui.analysis.failure import CANNOT, in_words
from tui.analysis.numerics.ran_on import CPU
from tui.analysis.quantities import estimate_in_words, memory_in_words
from tui.analysis.subject import Subject
from tui.analysis.verdict.stored import StoredShapeError
from tui.fusion.refusal import Refusal
from tui.fusion.specs.block_spec import BlockSpec

if TYPE_CHECKING:
    from tui.analysis.study import Study
    from tui.fusion.kernel import Kernel

AGREE = 0
DISAGREE = 1
PATIENCE = 2.0
"""Seconds after which a log is told that a long run goes on."""


class CheckError(Refusal, RuntimeError):
    """A study that cannot be run; the message says why, for the user."""


def check(
    spec: BlockSpec,
    alterations: Alterations = NOTHING_ALTERED,
    *,
    as_json: bool = False,
    fused: str | None = None,
    fused_bias: str | None = None,
    device: str = CPU,
) -> int:
    """Print the report on this block, altered like that; returns the exit status.

    AGREE where the outputs are the same or their difference is rounding, DISAGREE where it is more.

    `device`: where both sides run.
    `fused`, `fused_bias`: files with a finished kernel, which is then judged, by its weights too.

    Raises:
        CheckError: a file cannot be read or is of another shape, the machine is too small for the block, or
            torch could not run it.
        OSError: the report could not be written.
    """
    _refuse_what_does_not_fit(estimate_of(spec))
    finished = None if fused is None else _finished(fused, fused_bias, spec)
    return check_subject(Subject(spec, alterations, finished=finished), as_json=as_json, device=device)


def check_subject(subject: Subject, *, as_json: bool = False, device: str = CPU) -> int:
    """As `check`, of a block wherever it comes from.

    Raises:
        CheckError, OSError: as `check`.
    """
    estimate = estimate_of(subject.spec)
    _refuse_what_does_not_fit(estimate)
    with _announced(estimate):
        study = _studied(subject, device)
    if as_json:
        from tui.export.report import json_of

        print(json_of(study))
    else:
        from tui.commands.check.table import print_table

        print_table(study)
    return AGREE if study.verdict.ruling.agrees else DISAGREE


@contextmanager
def _announced(estimate: Estimate) -> Iterator[None]:
    """Say on stderr what a long run takes: at once in a terminal, elsewhere once it has taken a while."""
    if not estimate.must_be_asked_for or sys.stderr is None:
        yield
        return
    words = f"this takes {estimate_in_words(estimate)}"
    if sys.stderr.isatty():
        _say(words)
        yield
        return
    timer = Timer(PATIENCE, _say, [f"repfuse-tui: {words}"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _say(words: str) -> None:
    with suppress(OSError, ValueError):  # nobody reads it, and the run goes on
        print(words, file=sys.stderr, flush=True)


def _refuse_what_does_not_fit(estimate: Estimate) -> None:
    """Stop before the system starts to swap, or kills something.

    Raises:
        CheckError: the block needs more memory than the machine has.
    """
    memory = memory_of_this_machine()
    if memory is not None and estimate.bytes > memory:
        raise CheckError(
            f"this block needs about {memory_in_words(estimate.bytes)} of memory and this machine has "
            f"{memory_in_words(memory)}: take fewer channels, a smaller input or a smaller batch"
        )


def _finished(fused: str, bias: str | None, spec: BlockSpec) -> Kernel:
    """The kernel in the files.

    Raises:
        CheckError: there is none.
    """
    try:
        from tui.importing.finished import finished_kernel

        return finished_kernel(fused, bias, spec.dtype)
    except CANNOT as error:
        raise CheckError(f"--fused: {in_words(error)}") from error


def _studied(subject: Subject, device: str) -> Study:
    """The finished study.

    Raises:
        CheckError: torch is not there, or could not do it.
    """
    try:
        from tui.analysis.study import study_of

        return study_of(subject, device=device)
    except StoredShapeError as error:
        raise CheckError(f"--fused: {in_words(error)}") from error
    except CANNOT as error:
        raise CheckError(f"this block could not be run: {in_words(error)}") from error
