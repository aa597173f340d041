"""Settings for every test, and the fixtures with which the program is opened and looked at.

Hypothesis never judges by the clock, and CI draws the same examples each time.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input

from tests.driver import Bench, LooksAsStored, OpenBench, opener
from tests.held_study import HeldStudy
from tests.settle import PATIENCE
from tests.snapshot_report import REPORT, Mismatch, write_report
from tests.svg_snapshot import SVGSnapshot
from tui.fusion.block import ReparamBlock
from tui.fusion.fill import fill_block
from tui.fusion.spec import BlockSpec

settings.register_profile(
    "repfuse", deadline=None, max_examples=40, print_blob=True, derandomize="CI" in os.environ
)
settings.load_profile("repfuse")


@pytest.fixture(scope="session")
def mismatches() -> Iterator[list[Mismatch]]:
    """The pictures that differ; a report of them is written at the end."""
    found: list[Mismatch] = []
    yield found
    write_report(found)


@pytest.fixture
def looks_as_stored(snapshot: SnapshotAssertion, mismatches: list[Mismatch]) -> Iterator[LooksAsStored]:
    """Compares the screen with the picture stored for this test; what differs goes into the report."""
    snapshot = snapshot.use_extension(SVGSnapshot)

    async def compare(bench: Bench) -> None:
        same = await bench.picture() == snapshot
        assert same, f"the screen is not as stored, see {REPORT.name}"

    yield compare
    mismatches += [
        Mismatch(result.snapshot_name, str(result.recalled_data or ""), str(result.asserted_data))
        for result in snapshot.executions.values()
        if not result.success
    ]


@pytest.fixture
def study_threads() -> Iterator[None]:
    """Lets no study run on into the next test."""
    yield
    for thread in threading.enumerate():
        if thread.name == "study":
            thread.join(PATIENCE)


@pytest.fixture
def open_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, study_threads: None) -> OpenBench:
    """Opens the program, with a text cursor that does not blink and a short pause in typing."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _: None)
    monkeypatch.setattr("tui.screens.bench.TYPING_PAUSE", 0.02)
    return opener(tmp_path / "settings.json")


@pytest.fixture
def held(study_threads: None) -> Iterator[HeldStudy]:
    """A study function whose runs stand still until they are let go."""
    study = HeldStudy()
    yield study
    study.let_all_go()


@pytest.fixture
def odd_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of more than 1 x 1 gets a NaN and both infinities into its first kernel."""

    def fill(block: ReparamBlock, spec: BlockSpec) -> ReparamBlock:
        weight = next(iter(fill_block(block, spec).parameters()))
        with torch.no_grad():
            for place, value in enumerate((math.nan, math.inf, -math.inf)):
                weight[0, 0, 0, place] = value
        return block

    monkeypatch.setattr("tui.analysis.study.fill_block", fill)
