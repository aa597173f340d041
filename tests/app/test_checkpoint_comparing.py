"""A checkpoint beside what another tool made of it, on the screen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.app.test_checkpoint_fusing import head, name_the_output, rows, write_beside_the_damaged
from tests.checkpoint_files import model, write
from tests.checkpoints.families.held_against import entries_of
from tests.driver import OpenCheckpoint, TreeBench
from tests.settle import settle
from tui.analysis.verdict.reason import Ruling
from tui.checkpoints.building import block_of, fused_tensors
from tui.checkpoints.held_tensors import HeldTensors
from tui.checkpoints.recognising import recognise
from tui.screens.dialogs.checkpoint_file import CheckpointFileScreen
from tui.screens.dialogs.replace import ReplaceScreen
from tui.views.checkpoint.compared_view import ComparedView
from tui.views.shared.result import remarks_of
from tui.widgets.form.origin_pane import OriginPane
from tui.widgets.notice import Notice

WRONG = "stages.0.1"


def fused_by_another(state: dict[str, Tensor], eps: float | None = None) -> dict[str, Tensor]:
    """All blocks fused rightly, all else carried over."""
    found = recognise(entries_of(state))
    made = {name: state[name] for name in found.rest}
    for block in found.blocks:
        made |= fused_tensors(block, block_of(block, state.__getitem__, eps=eps))
    return made


async def compared(bench: TreeBench) -> None:
    """Wait for the verdicts."""
    await bench.until(lambda: "blocks are right" in bench.words("#totals"))


async def test_all_right(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    given = write(tmp_path / "fused.pt", fused_by_another(model()))
    async with open_checkpoint(write(tmp_path / "model.safetensors"), given=given) as bench:
        await compared(bench)
        assert "3 of 3 blocks are right in fused.pt, and all else was carried over" in bench.words("#totals")
        verdicts = bench.screen.outline._verdicts.values()
        assert {ruling for ruling, _ in verdicts} <= {Ruling.EXACT, Ruling.ROUNDING}


async def test_a_module_that_was_made_of_it(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    state = model()
    made = fused_by_another(state)
    made[f"{WRONG}.rbr_reparam.weight"][2, :, 0, 1] += 8
    given = HeldTensors(made, "theirs.py:Fused")
    async with open_checkpoint(write(tmp_path / "model.safetensors"), given=given) as bench:
        await compared(bench)
        assert "2 of 3 blocks are right in theirs.py:Fused" in bench.words("#totals")
        await bench.go_to(WRONG)
        await bench.press("enter")
        await bench.result()
        study = bench.app.study
        assert study is not None
        fused = study.fused_kernel.kernel.weight[2, 0, 0, 1].item()
        assert fused == made[f"{WRONG}.rbr_reparam.weight"][2, 0, 0, 1].item()
        await bench.press("escape", "e", *"0.5", "enter")
        await compared(bench)
        assert "1 of 3 blocks are right in theirs.py:Fused" in bench.words("#totals")


async def test_a_wrong_block_is_named_and_stands_on_the_bench_beside_the_right_one(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    state = model()
    made = fused_by_another(state)
    weight = made[f"{WRONG}.rbr_reparam.weight"]
    weight[2, :, 0, 1] += 8
    del made["head.[bold]fc[/].weight"]
    made["ema.\x1b[2Jdecay"] = torch.ones(1)
    made["step"] = made["step"] + 1
    given = write(tmp_path / "fused.safetensors", made)
    async with open_checkpoint(write(tmp_path / "model.safetensors"), given=given) as bench:
        await compared(bench)
        assert "2 of 3 blocks are right" in bench.words("#totals")
        assert "2 tensors not carried over, 1 name left over" in bench.words("#totals")
        await bench.go_to(WRONG)
        words = bench.words("#detail-words")
        assert "in out 2, at tap [0,1]" in words
        await bench.press("c")
        assert "2 of 3 blocks are right" in head(bench, ComparedView)
        listed = rows(bench, ComparedView)
        assert listed[0].startswith(f"✗ {WRONG} wrong")
        assert r"+ ema.\x1b[2Jdecay left over in fused.safetensors" in listed
        assert any(row.startswith("✗ head.[bold]fc[/].weight missing") for row in listed)
        assert any(row.startswith("✗ step changed") for row in listed)
        await bench.press("enter")
        await bench.result()
        study = bench.app.study
        assert study is not None
        assert study.verdict.ruling is Ruling.WRONG
        assert torch.equal(study.fused_kernel.kernel.weight, weight)
        assert "4 numbers are from fused.safetensors, in the fused kernel." in remarks_of(study)
        assert not any("set by hand" in words for words in remarks_of(study))
        assert "4 from the other file" in " ".join(bench.kernels.panels[-1]._notes)
        assert "fused kernel as given" in str(bench.app.bench.query_one(OriginPane).render())
        await bench.press("escape")
        assert bench.is_at_the_tree
        await bench.press("escape")
        await bench.go_to("stages.0.0")
        await bench.press("enter")
        await bench.result()
        assert bench.app.study is not None
        assert not bench.app.study.alterations
        assert bench.app.study.verdict.ruling.agrees


async def test_another_eps_makes_right_what_was_folded_with_it(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    state = model()
    (block,) = (each for each in recognise(entries_of(state)).blocks if each.prefix == WRONG)
    made = fused_by_another(state) | fused_tensors(block, block_of(block, state.__getitem__, eps=0.75))
    given = write(tmp_path / "fused.safetensors", made)
    async with open_checkpoint(write(tmp_path / "model.safetensors"), given=given) as bench:
        await compared(bench)
        assert "2 of 3" in bench.words("#totals")
        await bench.go_to(WRONG)
        await bench.press("E", "ctrl+u", *"0.75", "enter")
        await bench.until(lambda: "3 of 3 blocks are right" in bench.words("#totals"))


async def test_the_other_file_can_be_chosen_on_the_screen(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    given = write(tmp_path / "fused.safetensors", fused_by_another(model()))
    report = tmp_path / "report.json"
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.press("c")
        await bench.until(lambda: isinstance(bench.app.screen, CheckpointFileScreen))
        await bench.burst("tab", "ctrl+u", *str(given))
        await bench.press("enter")
        await compared(bench)
        await bench.press("x")
        await name_the_output(bench, report)
        await bench.until(report.exists)
    assert json.loads(report.read_text())["agree"] is True


async def test_a_file_that_is_fused_over_is_compared_no_more(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    state = model()
    made = fused_by_another(state)
    made[f"{WRONG}.rbr_reparam.weight"][2, :, 0, 1] += 8
    given = write(tmp_path / "fused.safetensors", made)
    async with open_checkpoint(write(tmp_path / "model.safetensors", state), given=given) as bench:
        await compared(bench)
        await bench.press("F")
        await name_the_output(bench, given)
        await bench.until(lambda: isinstance(bench.app.screen, ReplaceScreen))
        await bench.press("y")
        await write_beside_the_damaged(bench)
        assert "3 of 3 blocks fused" in head(bench)
        await bench.press("escape")
        assert not bench.screen.outline._verdicts
        assert "blocks are right" not in bench.words("#totals")
        assert any("fused.safetensors has changed" in each.message for each in bench.app._notifications)
        await bench.go_to(WRONG)
        await bench.press("enter")
        await bench.result()
        assert bench.app.study is not None
        assert not bench.app.study.alterations
        await bench.press("escape", "c")
        await bench.until(lambda: isinstance(bench.app.screen, CheckpointFileScreen))


async def test_a_compared_file_that_has_changed_is_compared_no_more(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    given = write(tmp_path / "fused.pt", fused_by_another(model()))
    async with open_checkpoint(write(tmp_path / "model.safetensors"), given=given) as bench:
        await compared(bench)
        await bench.press("c")
        given.write_bytes(b"something else")
        await bench.press("escape")
        assert not bench.screen.outline._verdicts
        assert "3 blocks" in bench.words("#totals")


@pytest.mark.parametrize("name", ["layer.0.weight", "stem.conv.weight", "weight"])
async def test_blocks_are_counted_where_the_other_file_is_of_another_model(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, name: str
) -> None:
    given = write(tmp_path / "other.safetensors", {name: torch.ones(7, 3)})
    async with open_checkpoint(write(tmp_path / "model.safetensors"), given=given) as bench:
        await compared(bench)
        assert "0 of 3 blocks are right in other.safetensors: another model?" in bench.words("#totals")


async def test_what_comparing_came_to_is_read_to_its_end_in_100_columns(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    made = {f"model.{name}": tensor for name, tensor in fused_by_another(model()).items()}
    del made["model.head.[bold]fc[/].weight"]
    given = write(tmp_path / "fused-by-another-tool.safetensors", made | {"model.ema": torch.ones(1)})
    source = write(tmp_path / "model.safetensors")
    async with open_checkpoint(source, (100, 30), given=given) as bench:
        await compared(bench)
        await settle(bench.pilot)
        totals = bench.screen.query_one("#totals")
        await bench.press("c")
        over_the_list = bench.screen.query_one(ComparedView).query_one(".items-head")
        for shown in (over_the_list, totals):
            lines = [strip.text for strip in shown.render_lines(shown.outer_size.region)]
            words = " ".join(" ".join(lines).split())
            assert "1 tensor not carried over, 1 name left over" in words
            assert any(line.strip() == "names: nothing here, model. there" for line in lines)
            await bench.press("escape")


async def test_a_file_that_is_fused_itself_is_held_against_none(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    source = write(tmp_path / "fused.safetensors", fused_by_another(model()))
    async with open_checkpoint(source, given=write(tmp_path / "model.safetensors")) as bench:
        notice = bench.screen.query_one(Notice)
        assert notice.text == "Not compared: All of it was fused already."
        assert "0 blocks" in bench.words("#totals")


@pytest.mark.parametrize(("content", "words"), [(None, "is not there"), (b"text", "fused.pt")])
async def test_what_cannot_be_compared_is_told_and_the_tree_stays(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, content: bytes | None, words: str
) -> None:
    given = tmp_path / "fused.pt"
    if content is not None:
        given.write_bytes(content)
    async with open_checkpoint(write(tmp_path / "model.safetensors"), given=given) as bench:
        await bench.until(lambda: bench.screen.query_one(Notice).text)
        assert words in bench.screen.query_one(Notice).text
        assert "3 blocks" in bench.words("#totals")
        assert WRONG in bench.lines
