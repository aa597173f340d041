"""Bringing back what was taken away, and kernels from elsewhere: where they were meant to go, in one step."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from textual.events import Paste
from textual.widgets import Input, OptionList, Static, TextArea

from tests.driver import MEDIUM, SMALL, Bench, OpenBench
from tests.held_study import HeldStudy
from tests.specs import EXACT
from tui.analysis.alterations.alterations import FUSED, Alterations, Edit
from tui.analysis.progress import Doing
from tui.analysis.study import study_of
from tui.analysis.subject import Subject
from tui.analysis.verdict.reason import Ruling
from tui.app import RepFuseApp
from tui.export.grid import csv_of, grid_of, npz_of
from tui.export.study_json import study_json_of
from tui.fusion.tap import Tap
from tui.running.run_state import Idle, Withdrawn
from tui.screens.dialogs.importing import ImportScreen

OTHER = Subject(replace(EXACT, seed=3), Alterations((Edit("kxk.weight", (0, 0, 1, 1), 0.5),), "flipped"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the program runs."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def told(bench: Bench) -> str:
    notes = [note.message for note in bench.app._notifications]
    return notes[-1] if notes else ""


def problem(bench: Bench) -> str:
    """What the dialog says of the last request; empty before it has come back."""
    lines = bench.app.screen.query("#import-problem").results(Static)
    return "".join(str(line.content) for line in lines)


async def open_dialog(bench: Bench) -> None:
    await bench.press("i")
    await bench.until(lambda: isinstance(bench.app.screen, ImportScreen), "the dialog")


async def give(bench: Bench, *, file: str = "", text: str = "") -> None:
    """Name a file, or paste a text, in the dialog; it may come back with a problem."""
    if not isinstance(bench.app.screen, ImportScreen):
        await open_dialog(bench)
    dialog = bench.app.screen
    if text:
        dialog.query_one(TextArea).text = text
        await bench.press("ctrl+s")
    else:
        dialog.query_one(Input).value = file
        dialog.query_one(Input).focus()
        await bench.press("enter")
    await bench.until(
        lambda: bench.app.screen is bench.app.bench or (bench.app.screen is not dialog and problem(bench)),
        "an answer",
    )


async def complains(bench: Bench, words: str) -> None:
    """Wait for the dialog to come back with these words."""
    await bench.until(lambda: words in problem(bench), words)


def subject(bench: Bench) -> Subject:
    return bench.app.bench.subject


async def test_a_saved_study_comes_back_in_one_step(open_bench: OpenBench, folder: Path) -> None:
    async with open_bench(OTHER.spec, alterations=OTHER.alterations) as bench:
        await bench.press("x", "5", "f", "enter")
        await bench.until((folder / "study.json").exists)
    async with open_bench(EXACT) as bench:
        before = subject(bench)
        await give(bench, file="study.json")
        await bench.until(lambda: bench.app.study is not None and bench.app.study.subject == OTHER)
        assert told(bench) == "Opened the saved study. u goes back to the block before it."
        assert bench.form.spec == OTHER.spec
        await bench.press("u")
        await bench.until(lambda: bench.app.study is not None and bench.app.study.subject == before)
        await bench.press("U")
        await bench.until(lambda: bench.app.study is not None and bench.app.study.subject == OTHER)
        await give(bench, text=study_json_of(study_of(EXACT)))
        await bench.until(lambda: bench.app.study is not None and bench.app.study.subject == Subject(EXACT))


async def test_a_kernel_goes_into_the_grid_in_focus_in_one_step(open_bench: OpenBench) -> None:
    kernel = grid_of(study_of(OTHER.spec), "kxk")
    Path("kxk.npz").write_bytes(npz_of(kernel))
    async with open_bench(EXACT) as bench:
        before = subject(bench)
        bench.grids[0].focus()
        await give(bench, file="kxk.npz")
        await bench.until(lambda: bench.app.study is not None and bench.app.study.alterations)
        assert bench.app.study is not None
        assert torch.equal(grid_of(bench.app.study, "kxk").weight, kernel.weight)
        assert told(bench).startswith("kxk: ")
        await bench.press("u")
        await bench.until(lambda: subject(bench) == before)


async def test_the_fused_kernel_of_another_tool(open_bench: OpenBench) -> None:
    """Wrong, and recognised; then right to the last bit, and nothing is set."""
    flipped = grid_of(study_of(EXACT, Alterations(mistake="flipped")), FUSED)
    right = grid_of(study_of(EXACT), FUSED)
    async with open_bench(EXACT) as bench:
        await bench.go_to_fused()
        await give(bench, text=csv_of(flipped))
        await bench.until(lambda: bench.app.study is not None and bench.app.study.alterations)
        assert bench.app.study is not None
        assert bench.app.study.verdict.ruling is Ruling.WRONG
        assert "The finished kernel is wrong: " in told(bench)
        assert told(bench).endswith("6 tells which mistake it looks like.")
        await bench.press("6")
        await bench.until(lambda: "looks like  kernel flipped, exactly" in bench.text("#mistake-findings"))
        await give(bench, text=str(right.weight.tolist()))
        await bench.until(lambda: bench.app.study is not None and not bench.app.study.alterations)
        assert told(bench) == "fused.weight: all 36 numbers are those that are here."


async def test_a_pasted_slice_goes_where_the_cursor_is(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        bench.kernels.cursor = Tap(1, 0, 0, 0)
        bench.grids[0].focus()
        await open_dialog(bench)
        bench.app.screen.query_one(Input).post_message(Paste("1 2 3\n4 5 6\n7 8 9\n"))
        await bench.until(lambda: bench.app.screen.query_one(TextArea).text)
        assert bench.app.screen.query_one(TextArea).has_focus
        await bench.press("ctrl+s")
        await bench.until(lambda: bench.app.study is not None and bench.app.study.alterations)
        source = bench.grids[0].source
        assert source is not None
        assert [source.row(1, row, 0, 1)[0] for row in range(3)] == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


async def test_what_is_refused_is_told_where_it_can_be_mended(open_bench: OpenBench, folder: Path) -> None:
    (folder / "study.json").write_text('{"program": "repfuse-tui", "schema": 2}')
    (folder / "a.npy").write_bytes(b"\x93NUMPY\x01\x00\x09\x00[/]")
    async with open_bench(EXACT) as bench:
        await bench.go_to_fused()
        before = subject(bench)
        for file, words in {
            "study.jso": "There is no such file; did you mean study.json?",
            "study.json": "The study has schema 2, and this version reads schema 1",
            "a.npy": "The .npy file is cut short.",
        }.items():
            await give(bench, file=file)
            await complains(bench, words)
            assert bench.app.screen.query_one(Input).value == file
        await give(bench, text="1 2 3")
        await complains(bench, "1×3 numbers were given, and fused.weight expects 2×2×3×3, or 3×3 for [0,0]")
        assert bench.app.screen.query_one(TextArea).has_focus
        await bench.press("4")
        assert problem(bench) == "", "it is about what was there before"
        await bench.press("escape")
        assert bench.app.screen is bench.app.bench
        assert subject(bench) == before
        bench.grids[2].focus()
        await give(bench, text="1 2 3\n1 2 3\n1 2 3")
        await complains(bench, "there is no place for them: The identity has no weights")


async def test_a_kernel_needs_the_result_of_the_block_at_hand(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        await give(bench, text="1 2 3\n1 2 3\n1 2 3")
        await complains(bench, "A kernel is laid beside the result of this block")
        await give(bench, text=study_json_of(study_of(OTHER.spec)))
        await bench.until(lambda: held.has_run(OTHER.spec))
    async with open_bench(EXACT) as bench:
        await bench.enter("groups", "3")
        await bench.reach(Withdrawn)
        await bench.press("escape")
        await give(bench, text="1 2 3\n1 2 3\n1 2 3")
        await complains(bench, "not there yet")
        await give(bench, text=study_json_of(study_of(OTHER.spec)))
        await bench.reach(Idle)
        assert subject(bench) == Subject(OTHER.spec)


async def test_a_block_that_changes_meanwhile_is_left_alone(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.importing import kernel_edits

    let_go, imported = threading.Event(), kernel_edits.imported

    def slowly(*given: object) -> object:
        assert let_go.wait(10)
        return imported(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(kernel_edits, "imported", slowly)
    async with open_bench(EXACT) as bench:
        await open_dialog(bench)
        bench.app.screen.query_one(TextArea).text = "1 2 3\n1 2 3\n1 2 3"
        await bench.press("ctrl+s")
        await bench.until(lambda: bench.app.screen is bench.app.bench)
        bench.app.bench.show_spec(OTHER.spec)
        let_go.set()
        await bench.until(lambda: isinstance(bench.app.screen, ImportScreen) and problem(bench))
        assert "the block has changed while it was read" in problem(bench).lower()
        assert subject(bench) == Subject(OTHER.spec)


async def test_names_of_files_are_offered(open_bench: OpenBench, folder: Path) -> None:
    for name in ("study.json", "Stem.npy", "[red]a\x1b.csv", "notes.md", ".hidden.csv"):
        (folder / name).touch()
    (folder / "models").mkdir()
    (folder / "models" / "w.npz").write_bytes(npz_of(grid_of(study_of(OTHER.spec), FUSED)))
    async with open_bench(EXACT) as bench:
        await bench.go_to_fused()
        await open_dialog(bench)
        options = bench.app.screen.query_one(OptionList)

        def names() -> list[str]:
            return [str(option.prompt) for option in options.options]

        await bench.until(lambda: names() == ["[red]a\\x1b.csv", "Stem.npy", "study.json", "models/"])
        await bench.press("tab")
        area = bench.app.screen.query_one(TextArea)
        assert area.has_focus
        await bench.press("tab", "down")
        assert options.has_focus
        options.post_message(Paste("[1.5]"))
        await bench.until(lambda: area.has_focus and area.text == "[1.5]")
        area.clear()
        await bench.press("shift+tab")
        await bench.press("s", "t")
        await bench.until(lambda: names() == ["Stem.npy", "study.json"])
        await bench.press("ctrl+u", "m", "down")
        await bench.until(lambda: names() == ["models/"])
        await bench.press("down", "enter")
        await bench.until(lambda: names() == ["models/w.npz"])
        await bench.press("down", "enter")
        await bench.until(lambda: bench.app.study is not None and bench.app.study.alterations)
        assert told(bench).startswith("fused: ")


@pytest.mark.parametrize("size", [SMALL, MEDIUM])
async def test_a_notice_does_not_cover_the_verdict(
    study_threads: None, tmp_path: Path, size: tuple[int, int]
) -> None:
    app = RepFuseApp(EXACT, settings_path=tmp_path / "settings.json")
    async with app.run_test(size=size, notifications=True) as pilot:
        bench = Bench(app, pilot)
        await bench.reach(Idle)
        await bench.press("x", "2", "enter")
        await bench.until(lambda: bench.app.bench.query("Toast"), "a notice")
        (toast,) = bench.app.bench.query("Toast")
        assert toast.region.area
        assert not toast.region.overlaps(bench.app.bench.query_one("#result").region)
