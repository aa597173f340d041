"""All blocks of a file or a module timed in one table: the worst first, to the bench and back, files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from textual.widgets import Static

from tests.checkpoint_files import write
from tests.driver import OpenCheckpoint, OpenModule, TreeBench
from tests.modules.small_models import Net, whole_numbers
from tests.speeds_of_all import NO_ROOM, MadeUp
from tui.analysis.numerics.devices import DeviceError
from tui.analysis.speed.conditions import Conditions, MemoryFormat
from tui.analysis.speed.to_time import RunOn
from tui.app import RepFuseApp
from tui.modules.looking import look_at
from tui.running.speed_table_state import TimingStage
from tui.screens.dialogs.output_file import OutputScreen
from tui.screens.speed.screen import SpeedScreen
from tui.views.speed_table.table import SpeedTable
from tui.widgets.form.choice import Choice
from tui.widgets.form.value_input import ValueInput
from tui.widgets.notice import Notice


def screen_of(bench: TreeBench) -> SpeedScreen:
    screen = bench.app._speed_screen
    assert screen is not None
    return screen


def rows(bench: TreeBench) -> list[str]:
    """Each row's sign, name, and numbers."""
    table = screen_of(bench).query_one(SpeedTable)
    made = (table.rows._row_at(place) for place in range(table.rows.count))
    return [f"{row.sign} {row.name} {' '.join(row.middle.split())}" for row in made]


def said(bench: TreeBench, selector: str) -> str:
    return str(screen_of(bench).query_one(selector, Static).content)


async def timed(bench: TreeBench) -> None:
    """Ask for the table, and wait for its end."""
    await bench.press("s")
    await bench.until(
        lambda: bench.app.speed_table is not None and not bench.app.speed_table.is_running, "all timed"
    )


async def test_the_worst_comes_first_and_totals_stand_below(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    made = MadeUp()
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, time_them=made) as bench:
        await timed(bench)
        gains = [row.split(" ×")[0].split()[-1] for row in rows(bench)]
        assert gains == ["0.75", "1.50", "2.00"]
        assert rows(bench)[1].startswith("~ ")
        assert said(bench, "#speed-progress") == "3 of 3 timed"
        total = said(bench, "#speed-table-totals").split()
        assert total[:3] == ["all", "3", "blocks"]
        assert total[3] == f"{4.25 / 3:.2f}"
        assert made.asked[0][1:] == (RunOn(), Conditions())
        await bench.press("escape")
        assert bench.is_at_the_tree
        await bench.press("s")
        assert len(made.asked) == 1, "what is there is not timed again"


async def test_they_are_timed_on_the_device_of_their_studies(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    made = MadeUp()
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, device="cuda:1", time_them=made) as bench:
        await timed(bench)
        assert made.asked[0][2] == Conditions("cuda:1")


async def test_the_block_under_the_cursor_goes_to_the_bench_and_escape_comes_back(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, time_them=MadeUp()) as bench:
        await timed(bench)
        await bench.press("down")
        entry = screen_of(bench).table.entry
        assert entry is not None
        await bench.press("enter")
        await bench.result()
        origin = bench.app.bench.origin
        assert origin is not None
        assert origin.title == entry.title
        await bench.press("escape")
        assert bench.app.screen is screen_of(bench)
        assert screen_of(bench).table.entry is entry
        await bench.press("escape")
        assert bench.is_at_the_tree


async def test_what_cannot_be_timed_is_named_with_the_reason(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, time_them=MadeUp(left_out=(2,))) as bench:
        await timed(bench)
        assert rows(bench)[-1].startswith("△ ")
        assert f"left out: {NO_ROOM}" in rows(bench)[-1]
        assert said(bench, "#speed-progress").split("   ") == ["2 of 3 timed", "1 left out"]
        assert said(bench, "#speed-table-totals").strip().startswith("2 of 3 blocks")
        await bench.press("end")
        assert NO_ROOM in said(bench, "#detail-words")


async def test_stopping_keeps_what_is_there(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    made = MadeUp(holds_after=1)
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, time_them=made) as bench:
        await bench.press("s")
        await bench.until(lambda: "round 7" in said(bench, "#speed-progress"), "the second block")
        assert [row[0] for row in rows(bench)] == [" ", "…", " "]
        assert rows(bench)[2].endswith("to come")
        await bench.press("S")
        state = bench.app.speed_table
        assert state is not None
        assert state.stage is TimingStage.STOPPED
        assert said(bench, "#speed-progress") == "stopped: 1 of 3 timed"
        assert rows(bench)[2].endswith("not timed")
        made.let_go.set()
        await bench.until(lambda: made.ended == 1)
        assert bench.app.speed_table is state, "nothing more comes of what was stopped"


async def test_another_start_ends_what_is_timed(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    made = MadeUp(holds_after=1)
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, time_them=made) as bench:
        await bench.press("s")
        await bench.until(lambda: "round 7" in said(bench, "#speed-progress"), "the second block")
        await bench.press("r")
        made.let_go.set()
        await bench.until(lambda: made.ended == 2, "both are at their end")
        assert bench.app.speed_table is not None
        assert bench.app.speed_table.stage is TimingStage.DONE


async def test_the_fields_say_what_is_timed(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    made = MadeUp()
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, time_them=made) as bench:
        await timed(bench)
        await bench.press("f")
        screen = screen_of(bench)
        assert screen.query_one("#speed-input-shape", ValueInput).has_focus
        await bench.press("ctrl+u", "0")
        assert "input: " in said(bench, "#speed-problem")
        await bench.press("enter")
        assert len(made.asked) == 1, "what is no input is not timed"
        await bench.press("ctrl+u", *"28x14", "tab", "ctrl+u", "8", "tab", "tab", "right")
        assert screen.query_one("#speed-memory-format", Choice).value == MemoryFormat.CHANNELS_LAST
        assert "otherwise than the fields say" in screen.query_one(Notice).text
        await bench.press("enter")
        await bench.until(lambda: len(made.asked) == 2)
        await bench.until(lambda: bench.app.speed_table and not bench.app.speed_table.is_running)
        assert made.asked[1][1] == RunOn((28, 14), 8)
        assert made.asked[1][2].memory_format is MemoryFormat.CHANNELS_LAST
        assert not screen.query_one(Notice).text


async def test_with_another_eps_they_are_other_blocks(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    made = MadeUp()
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, time_them=made) as bench:
        await timed(bench)
        await bench.press("escape", "e", "ctrl+u", *"0.25", "enter")
        before = screen_of(bench)
        await bench.press("s")
        await bench.until(lambda: len(made.asked) == 2)
        assert screen_of(bench) is not before
        await bench.until(lambda: not before.is_running, "the screen of before is gone")


async def test_a_module_has_its_inputs_and_the_whole(open_module: OpenModule) -> None:
    made = MadeUp()
    async with open_module(look_at(whole_numbers(Net())), time_them=made) as bench:
        await timed(bench)
        assert not screen_of(bench).query(ValueInput)
        assert len(rows(bench)) == 3
        totals = said(bench, "#speed-table-totals").splitlines()
        assert totals[1].split()[:4] == ["the", "whole", "model", "1.50"]
        to_time, run_on, _ = made.asked[0]
        titles = [candidate.title for candidate in to_time.candidates(run_on, "cpu")]
        assert titles == [*to_time.titles, "the whole model"]


async def test_what_cannot_be_timed_at_all_is_told(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    made = MadeUp(raises=DeviceError("cuda is not here"))
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, time_them=made) as bench:
        await timed(bench)
        assert "They were not timed: cuda is not here" in screen_of(bench).query_one(Notice).text


async def test_in_a_browser_the_export_is_a_download(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered: list[tuple[str, str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(RepFuseApp, "is_web", True)
    monkeypatch.setattr(
        RepFuseApp,
        "deliver_binary",
        lambda _, data, save_filename: delivered.append((save_filename, data.read().decode())),
    )
    async with open_checkpoint(write(tmp_path / "model.safetensors"), time_them=MadeUp()) as bench:
        await timed(bench)
        before = sorted(tmp_path.iterdir())
        await bench.press("x", "enter")
        await bench.until(lambda: delivered)
        assert sorted(tmp_path.iterdir()) == before
    [(name, content)] = delivered
    assert name == "speed.csv"
    assert len(content.splitlines()) == 4


async def test_export(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, time_them=MadeUp(left_out=(2,))) as bench:
        await timed(bench)
        for name in ("speeds.csv", "speeds.json"):
            await bench.press("x")
            dialog = bench.app.screen
            assert isinstance(dialog, OutputScreen)
            await bench.burst("ctrl+u", *str(tmp_path / name))
            if name.endswith("json"):
                await bench.press("tab", "right", "shift+tab")
            await bench.press("enter")
            await bench.until(lambda name=name: (tmp_path / name).exists())  # type: ignore[misc]  # bound here
            await bench.until(lambda: bench.app.screen is screen_of(bench))
    lines = list(csv.DictReader((tmp_path / "speeds.csv").read_text().splitlines()))
    assert [line["state"] for line in lines] == ["timed", "timed", "left out"]
    assert [float(line["gain_median"]) for line in lines[:2]] == sorted([2.0, 1.5])
    assert lines[2]["why"] == NO_ROOM
    data = json.loads((tmp_path / "speeds.json").read_text())
    assert data["complete"]
    assert data["left_out"][0]["why"] == NO_ROOM
    assert len(data["blocks"]) == 2


async def test_the_numbers_of_a_file_are_timed_with_the_eps_that_was_chosen(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    """The true candidates: what is made of each is a block with its numbers, on the input of the fields."""
    made = MadeUp()
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, eps=0.5, time_them=made) as bench:
        await timed(bench)
        to_time, *_ = made.asked[0]
        first = to_time.candidates(RunOn((5, 7), 2), "cpu")[0].make()
        assert tuple(first.x.shape) == (2, first.x.shape[1], 5, 7)
        norms = [each.eps for side in first.sides.values() for each in side.modules() if hasattr(each, "eps")]
        assert set(norms) == {0.5}
