"""Taking a study away: what is copied, what is saved, and what is asked and told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from textual.widgets import Input, Static

from tests.driver import SMALL, Bench, OpenBench
from tests.held_study import HeldStudy
from tests.specs import EXACT
from tui.analysis.progress import Doing
from tui.export.code.snippet import snippet_of
from tui.export.grid import csv_of, npz_of
from tui.export.items import ITEMS, Item, file_name_of, summary_of
from tui.screens.bench import taking_away
from tui.screens.commands import KEYS_APART
from tui.screens.dialogs.export import ExportScreen
from tui.screens.dialogs.replace import ReplaceScreen


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the program runs."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def told(bench: Bench) -> list[str]:
    """The notices so far."""
    return [note.message for note in bench.app._notifications]


async def until_told(bench: Bench) -> str:
    await bench.until(lambda: told(bench), "a notice")
    return told(bench)[-1]


def hint(bench: Bench) -> str:
    return str(bench.app.screen.query_one("#export-hint", Static).content)


async def until_it_failed(bench: Bench) -> None:
    """Wait for the dialog that comes back."""
    await bench.until(
        lambda: isinstance(bench.app.screen, ExportScreen) and bench.app.screen.query(".-wrong"),
        "a complaint",
    )


def failing(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*_: object) -> NoReturn:
        raise error

    return fail


async def test_enter_copies_what_is_text_and_not_too_long(
    open_bench: OpenBench, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        assert bench.app.study is not None
        await bench.press("x", "4", "enter")
        assert "not text" in hint(bench)
        await bench.press("1", "enter")
        notice = await until_told(bench)
        assert bench.app.clipboard == snippet_of(bench.app.study)
        assert "Copied: PyTorch snippet" in notice
        assert "save to a file" in notice
        monkeypatch.setattr(taking_away, "MOST_COPIED", 40)
        await bench.press("x", "5", "enter")
        await until_it_failed(bench)
        assert "too many" in hint(bench)
        await bench.press("2", "enter")
        await bench.until(lambda: bench.app.clipboard == "nn.Conv2d(2, 2, 3, padding=1)\n")
        assert not list(folder.iterdir())


async def test_f_saves_the_grid_in_focus(open_bench: OpenBench, folder: Path) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        assert bench.app.study is not None
        bench.grids[1].focus()
        await bench.press("x", "3", "f", "enter")
        await bench.until((folder / "1x1.csv").exists)
        size = (folder / "1x1.csv").stat().st_size
        assert await until_told(bench) == f"Saved 1x1.csv in {folder}, {size} bytes."
        kernel = bench.app.study.summands[1].kernel
        biases = 0 if kernel.bias is None else 2
        rows = (folder / "1x1.csv").read_text().splitlines()
        assert len(rows) == 1 + 2 * 2 * 3 * 3 + biases
        assert f"weight,0,1,1,1,{float(kernel.weight[0, 1])!r}" in rows
        await bench.press("3", "x", "4", "f", "enter")
        await bench.until((folder / "fused.npz").exists, "another view means the fused kernel")
        assert (folder / "fused.npz").read_bytes() == npz_of(bench.app.study.fused_kernel.kernel)


async def test_a_file_is_replaced_only_after_a_yes(open_bench: OpenBench, folder: Path) -> None:
    (folder / "fused.csv").write_text("mine")
    async with open_bench(EXACT, SMALL) as bench:
        assert bench.app.study is not None
        await bench.go_to_fused()
        await bench.press("x", "3", "f")
        for key in ("enter", "n", "escape"):
            await bench.press("enter")
            assert isinstance(bench.app.screen, ReplaceScreen)
            await bench.press(key)
            assert isinstance(bench.app.screen, ExportScreen)
            assert (folder / "fused.csv").read_text() == "mine"
        await bench.press("enter", "y")
        await until_told(bench)
        assert (folder / "fused.csv").read_text() == csv_of(bench.app.study.fused_kernel.kernel)
        assert [path.name for path in folder.iterdir()] == ["fused.csv"]
        assert bench.app.screen is bench.app.bench


async def test_what_goes_wrong_is_told_where_it_can_be_mended(
    open_bench: OpenBench, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        await bench.press("x", "f")
        bench.app.screen.query_one(Input).value = "[/] no such/a.py"
        await bench.press("enter")
        assert hint(bench) == "There is no such folder."
        bench.app.screen.query_one(Input).value = "[red]a\x1b.py"
        with monkeypatch.context() as patch:
            patch.setattr("tui.atomic_file.os.fsync", failing(OSError(28, "No space left on device")))
            await bench.press("enter")
            await until_it_failed(bench)
        assert hint(bench) == "No space left on device."
        assert bench.app.screen.query_one(Input).has_focus
        with monkeypatch.context() as patch:
            patch.setattr("tui.export.content.content_of", failing(MemoryError("[/] out of it")))
            await bench.press("enter")
            await bench.until(lambda: hint(bench) == "[/] out of it.")
        await bench.press("enter")
        assert (await until_told(bench)).startswith(f"Saved [red]a\\x1b.py in {folder}, ")
        assert [path.name for path in folder.iterdir()] == ["[red]a\x1b.py"]


async def test_the_palette_offers_each(open_bench: OpenBench, folder: Path) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        commands = {command.title.partition(KEYS_APART)[0]: command for command in bench.app.bench.commands()}
        assert {f"Export: {description.title}" for description in ITEMS.values()} < set(commands)
        commands["Export: Screen as SVG"].callback()
        await bench.until(lambda: isinstance(bench.app.screen, ExportScreen))
        await bench.press("f", "enter")
        await until_told(bench)
        picture = (folder / "screen.svg").read_text(encoding="utf-8")
        assert "identity" in picture
        assert "screen.svg" not in picture, "the dialog is not in it"


async def test_before_the_first_result_there_is_nothing_to_take(
    open_bench: OpenBench, held: HeldStudy
) -> None:
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        await bench.press("x")
        assert await until_told(bench) == "There is no result yet."
        assert bench.app.screen is bench.app.bench


def test_every_item_has_its_words() -> None:
    assert list(ITEMS) == list(Item)
    for texts in (
        [description.title for description in ITEMS.values()],
        [summary_of(item, "1x1") for item in Item],
        [file_name_of(item, "1x1 #2") for item in Item],
    ):
        assert len(set(texts)) == len(Item)
        assert all(texts)
    assert {summary_of(item, "1x1") for item in (Item.CSV, Item.NPZ)} == {
        "1x1: a row for each weight and bias",
        "1x1: weight and bias for numpy.load",
    }
    assert {item: file_name_of(item, "1x1 #2") for item in (Item.SNIPPET, Item.CSV, Item.NPZ)} == {
        Item.SNIPPET: "block.py",
        Item.CSV: "1x1-2.csv",
        Item.NPZ: "1x1-2.npz",
    }
    assert [item for item in Item if not ITEMS[item].is_text] == [Item.NPZ]
