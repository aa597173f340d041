"""The dialog that imports, and a block beside A, as they look."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList, TextArea

from tests.driver import MEDIUM, SMALL, Bench, LooksAsStored, OpenBench
from tests.specs import EXACT
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.subject import Subject
from tui.screens.dialogs.importing import ImportScreen

in_both_sizes = pytest.mark.sizes(SMALL, MEDIUM)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with some files in which the program runs."""
    (tmp_path / "here" / "models").mkdir(parents=True)
    for name in ("study.json", "fused.npy", "fused.csv"):
        (tmp_path / "here" / name).touch()
    monkeypatch.chdir(tmp_path / "here")


async def open_dialog(bench: Bench) -> None:
    await bench.press("i")
    await bench.until(
        lambda: (
            isinstance(bench.app.screen, ImportScreen) and bench.app.screen.query_one(OptionList).option_count
        ),
        "the dialog, with names",
    )


@in_both_sizes
async def test_dialog(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT) as bench:
        bench.grids[1].focus()
        await open_dialog(bench)
        await looks_as_stored(bench)


@pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_refused(open_bench: OpenBench, looks_as_stored: LooksAsStored, size: tuple[int, int]) -> None:
    async with open_bench(EXACT, size) as bench:
        await bench.go_to_fused()
        await open_dialog(bench)
        bench.app.screen.query_one(TextArea).text = "0.5 0.25\n0.5 0.25"
        await bench.press("ctrl+s")
        await open_again(bench)
        await looks_as_stored(bench)


async def open_again(bench: Bench) -> None:
    await bench.until(
        lambda: (
            isinstance(bench.app.screen, ImportScreen)
            and bench.app.screen.query("#import-problem")
            and bench.app.screen.query_one(OptionList).option_count
        ),
        "the dialog, with what was wrong",
    )


async def test_names(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        await bench.go_to_fused()
        await open_dialog(bench)
        bench.app.screen.query_one(Input).value = "f"
        await bench.until(lambda: bench.app.screen.query_one(OptionList).option_count == 2)
        await bench.press("down")
        await looks_as_stored(bench)


@in_both_sizes
@pytest.mark.parametrize("kernel_size", [(3, 3), (5, 5)], ids=["same shape", "another shape"])
async def test_beside_a(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, kernel_size: tuple[int, int]
) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("A")
        edits = Alterations((Edit("kxk.weight", (1, 0, 2, 2), 7.5),))
        subject = Subject(replace(EXACT, kernel_size=kernel_size), edits)
        bench.app.bench.show_subject(subject)
        await bench.until(lambda: bench.app.study is not None and bench.app.study.subject == subject)
        await bench.until(lambda: "comparing" not in bench.text("#beside-a"))
        await bench.until(lambda: " apart" in bench.text("#beside-a") or "shapes" in bench.text("#beside-a"))
        await looks_as_stored(bench)


@in_both_sizes
async def test_a_itself(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("A")
        await bench.until(lambda: "exact" in bench.text("#beside-a"))
        await looks_as_stored(bench)
