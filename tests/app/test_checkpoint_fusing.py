"""Fuse all on the screen: to where, how far, stopped, refused; the verdicts; the report."""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from textual.widgets import Static

from tests.checkpoint_files import model, repvgg, write
from tests.driver import CheckpointBench, OpenCheckpoint, TreeBench
from tests.settle import settle
from tui.checkpoints import opening
from tui.checkpoints.conversion import fused_writing
from tui.checkpoints.recognising import recognise
from tui.screens.dialogs.output_file import OutputScreen
from tui.screens.dialogs.question import QuestionScreen
from tui.screens.dialogs.replace import ReplaceScreen
from tui.views.checkpoint.fused_view import FusedView
from tui.views.checkpoint.items_view import ItemsView


def head(bench: TreeBench, kind: type[ItemsView] = FusedView) -> str:
    """The summary over the list."""
    return str(bench.screen.query_one(kind).query_one(".items-head").render())


def rows(bench: TreeBench, kind: type[ItemsView] = FusedView) -> list[str]:
    """The rows' names and words."""
    return [
        f"{item.row.sign} {item.row.name} {item.row.middle}" for item in bench.screen.query_one(kind)._items
    ]


async def name_the_output(bench: TreeBench, path: Path) -> None:
    await bench.until(lambda: isinstance(bench.app.screen, OutputScreen))
    await bench.burst("ctrl+u", *str(path))
    await bench.press("enter")


async def write_beside_the_damaged(bench: CheckpointBench, answer: str = "y") -> None:
    """Answer the question that is asked because a block of the file has to stay as it is."""
    await bench.until(lambda: isinstance(bench.app.screen, QuestionScreen))
    asked = " ".join(str(each.content) for each in bench.app.screen.query(Static))
    assert "Blocks: 1 damaged and left as they are: see the list." in asked
    await bench.press(answer)
    await bench.until(lambda: "fused and verified" in head(bench))


async def fused(bench: CheckpointBench, path: Path) -> None:
    """Fuse all into that file."""
    await bench.press("F")
    await name_the_output(bench, path)
    await write_beside_the_damaged(bench)


@pytest.mark.parametrize("name", ["out.safetensors", "out.pt"])
async def test_all_is_fused_verified_and_written(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, name: str
) -> None:
    source, target = write(tmp_path / "model.safetensors"), tmp_path / name
    before = source.read_bytes()
    async with open_checkpoint(source) as bench:
        await bench.press("F")
        await bench.until(lambda: isinstance(bench.app.screen, OutputScreen))
        said = " ".join(str(each.content) for each in bench.app.screen.query(Static))
        assert "3 blocks will be fused and verified, all other tensors are carried over." in said
        if name.endswith("pt"):
            await bench.press("tab", "right", "shift+tab")
        await name_the_output(bench, target)
        await write_beside_the_damaged(bench)
        assert "3 of 3 blocks" in head(bench)
        assert "1 left alone" in head(bench)
        assert name in head(bench)
        assert rows(bench)[-1].startswith("△ stages.1.1 left alone")
        assert all(row.startswith("✓") for row in rows(bench)[:-1])
    with opening.open_checkpoint(target) as written:
        names = [entry.own_name for entry in written.entries.values()]
        assert "stages.0.1.rbr_reparam.weight" in names
        assert not any("rbr_1x1" in each for each in names)
        assert not recognise(written.entries).blocks
    assert source.read_bytes() == before


async def test_a_block_of_the_list_opens_on_the_bench_and_escape_comes_back_to_it(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await fused(bench, tmp_path / "out.safetensors")
        await bench.press("down")
        view = bench.screen.query_one(FusedView)
        assert view.item is not None
        assert view.item.block is not None
        await bench.press("enter")
        await bench.result()
        assert bench.app.study is not None
        assert bench.app.study.origin is not None
        assert bench.app.study.origin.title == view.item.block.prefix
        await bench.press("escape")
        assert bench.is_at_the_tree
        assert view.rows.cursor == 1
        await bench.press("escape")
        assert bench.app.focused is bench.screen.outline.rows
        await bench.press("F")  # what was found out is still there
        assert bench.app.focused is view.rows


async def test_nothing_is_replaced_without_a_yes(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    target = tmp_path / "out.safetensors"
    target.write_text("mine")
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.press("F")
        await name_the_output(bench, target)
        await bench.until(lambda: isinstance(bench.app.screen, ReplaceScreen))
        await bench.press("n")
        assert isinstance(bench.app.screen, OutputScreen)
        assert target.read_text() == "mine"
        await bench.press("enter")
        await bench.until(lambda: isinstance(bench.app.screen, ReplaceScreen))
        await bench.press("y")
        await write_beside_the_damaged(bench)
    assert target.read_bytes()[:4] != b"mine"


async def test_beside_a_damaged_block_nothing_is_written_without_a_yes(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    target = tmp_path / "out.safetensors"
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.press("F")
        await name_the_output(bench, target)
        await write_beside_the_damaged(bench, "n")
        assert "Nothing was written" in head(bench)
    assert not target.exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("model.safetensors", "'model.safetensors' is the input itself"),
        ("o.safetensors.index.json", "name it 'o.safetensors'"),
    ],
)
async def test_what_cannot_be_the_output_is_refused_where_it_is_named(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, name: str, words: str
) -> None:
    source = write(tmp_path / "model.safetensors")
    before = source.read_bytes()
    async with open_checkpoint(source) as bench:
        await bench.press("F")
        await name_the_output(bench, tmp_path / name)
        assert isinstance(bench.app.screen, OutputScreen)
        assert words in " ".join(str(bench.app.screen.query_one("#output-hint", Static).content).split())
        await name_the_output(bench, tmp_path / "out.safetensors")
        await write_beside_the_damaged(bench)
    assert source.read_bytes() == before
    assert name == source.name or not (tmp_path / name).exists()


async def test_what_is_folded_is_written_at_once_and_not_held(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: object, **__: object) -> None:
        raise AssertionError("all of it was in memory")

    monkeypatch.setattr(fused_writing, "write_checkpoint", held)
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await fused(bench, tmp_path / "out.safetensors")
        assert "Written: out.safetensors" in head(bench)
    assert (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("answer", ["y", "n"])
async def test_where_a_block_is_not_finite_it_is_asked_first(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, answer: str
) -> None:
    state = model()
    state["stages.0.1.rbr_1x1.conv.weight"][1, 2] = math.nan
    target = tmp_path / "out.safetensors"
    async with open_checkpoint(write(tmp_path / "model.safetensors", state)) as bench:
        await bench.press("F")
        await name_the_output(bench, target)
        await bench.until(lambda: isinstance(bench.app.screen, QuestionScreen))
        await bench.press(answer)
        await bench.until(lambda: "2 of 3 blocks" in head(bench))
        assert rows(bench)[0].startswith("! stages.0.1 suspicious")
        assert "NaN" in bench.words("#detail-words")
        assert "off by at most" not in bench.words("#detail-words")
        assert ("Nothing was written" in head(bench)) == (answer == "n")
    assert target.exists() == (answer == "y")


async def test_stopped_it_writes_nothing(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tui.checkpoints.conversion.fusing as fusing

    held = threading.Event()
    fuse = fusing.fuse

    def slow(*given: Any) -> Iterator[Any]:
        for place, step in enumerate(fuse(*given)):
            if place == 3:
                held.wait(10)
            yield step

    monkeypatch.setattr(fusing, "fuse", slow)
    target = tmp_path / "out.safetensors"
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.press("F")
        await name_the_output(bench, target)
        await bench.until(lambda: "block 2 of 3" in head(bench))
        assert rows(bench)[0].startswith("✓ stages.0.0")
        await bench.press("S")
        held.set()
        await bench.until(lambda: "Stopped" in head(bench))
    assert not target.exists()


@pytest.mark.parametrize("name", ["out.safetensors", "out.pt"])
async def test_stopped_while_the_disk_takes_it_nothing_is_there(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    begun, held, synced = threading.Event(), threading.Event(), threading.Event()

    def slow(_: int) -> None:
        begun.set()
        held.wait(10)
        synced.set()

    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        monkeypatch.setattr(os, "fsync", slow)
        await bench.press("F", *["tab", "right", "shift+tab"] * name.endswith("pt"))
        await name_the_output(bench, tmp_path / name)
        await bench.until(lambda: isinstance(bench.app.screen, QuestionScreen))
        await bench.press("y")
        await bench.until(begun.is_set)
        await bench.press("S")
        await bench.until(lambda: "Stopped: nothing was written" in head(bench))
        held.set()
        await bench.until(synced.is_set)
        await bench.until(lambda: not any(each.name == "study" for each in threading.enumerate()))
    assert not (tmp_path / name).exists()


async def test_the_report_is_that_of_the_command(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.press("x")
        assert len(bench.app.screen_stack) == 1
        await fused(bench, tmp_path / "out.safetensors")
        await bench.press("x")
        await name_the_output(bench, report)
        await bench.until(report.exists)
        await settle(bench.pilot)
    data = json.loads(report.read_text())
    assert [block["verdict"] for block in data["blocks"]] == ["exact"] * 3
    assert data["output"] == str(tmp_path / "out.safetensors")


async def test_eps_of_a_family_is_folded_into_all_its_blocks(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    target = tmp_path / "out.safetensors"
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.go_to("stages.0.0")
        await bench.press("e", "ctrl+u", *"0.75", "enter")
        assert "eps 0.75: chosen here" in bench.words("#detail-words")
        await bench.go_to("stages.1.0")
        assert "chosen here" not in bench.words("#detail-words")
        await bench.press("E", "ctrl+u", *"-1", "enter")
        assert "from 0 to" in bench.words("#prompt-hint")
        await bench.press("ctrl+u", *"3", "enter")
        await fused(bench, target)
        view = bench.screen.query_one(FusedView)
        assert view.fused is not None
        assert [block.eps for block in view.fused.blocks] == [0.75, 0.75, 3.0]
    state = model()
    scales = [
        state[f"stages.0.0.{name}.weight"] / torch.sqrt(state[f"stages.0.0.{name}.running_var"] + 0.75)
        for name in ("rbr_dense.bn", "rbr_1x1.bn")
    ]
    expected = state["stages.0.0.rbr_dense.conv.weight"] * scales[0].view(-1, 1, 1, 1)
    expected[:, :, 1, 1] += (state["stages.0.0.rbr_1x1.conv.weight"] * scales[1].view(-1, 1, 1, 1))[
        :, :, 0, 0
    ]
    with opening.open_checkpoint(target) as written:
        assert torch.allclose(written.tensor("stages.0.0.rbr_reparam.weight"), expected)


async def test_a_report_from_before_another_eps_says_so_and_opens_what_it_is_of(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await fused(bench, tmp_path / "out.safetensors")
        assert "Of before" not in head(bench)
        await bench.press("escape")
        await bench.go_to("stages.0.0")
        for eps, is_old in (("0.75", True), ("1e-5", False), ("0.75", True)):
            await bench.press("e", "ctrl+u", *eps, "enter", "F")
            assert ("Of before: eps 1e-5. F fuses again." in head(bench)) is is_old
            assert "3 of 3 blocks" in head(bench)
            await bench.press("escape")
        await bench.press("F")
        view = bench.screen.query_one(FusedView)
        view.rows.cursor = [item.row.name for item in view._items].index("stages.0.0")
        await bench.press("enter")
        await bench.result()
        assert bench.app.study is not None
        assert bench.app.study.spec.eps == 1e-5
        await bench.press("escape", "F")
        await name_the_output(bench, tmp_path / "again.safetensors")
        await write_beside_the_damaged(bench)
        assert "again.safetensors" in head(bench)
        assert "Of before" not in head(bench)
        view.rows.cursor = [item.row.name for item in view._items].index("stages.0.0")
        await bench.press("enter")
        await bench.until(lambda: bench.app.study is not None and bench.app.study.spec.eps == 0.75)


async def test_a_file_without_blocks_says_so(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    state = {name: tensor for name, tensor in repvgg("a").items() if name.endswith(".bias")}
    async with open_checkpoint(write(tmp_path / "model.safetensors", state)) as bench:
        assert "0 blocks" in bench.words("#totals")
        await bench.press("F")
        assert any("no block to be fused" in each.message for each in bench.app._notifications)
