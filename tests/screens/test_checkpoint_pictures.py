"""The screens of a checkpoint, as they look."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.app.test_checkpoint_comparing import compared, fused_by_another
from tests.app.test_checkpoint_fusing import name_the_output
from tests.checkpoint_files import EXACT_EPS, model, repvgg, write
from tests.driver import LARGE, MEDIUM, SMALL, CheckpointBench, LooksAsStored, OpenCheckpoint
from tui.analysis.subject import Subject
from tui.fusion.specs.block_spec import InputFill
from tui.screens.dialogs.checkpoint_file import CheckpointFileScreen
from tui.screens.dialogs.output_file import OutputScreen
from tui.screens.dialogs.question import QuestionScreen
from tui.terminal.colour_depth import ColourDepth
from tui.views.checkpoint.fused_view import FusedView
from tui.views.checkpoint.ranges_view import RangesView
from tui.widgets.notice import Notice

BLOCK = "stages.0.1"


def named(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


both_sizes = pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=named)
in_both_sizes = pytest.mark.sizes(SMALL, MEDIUM)
in_all_sizes = pytest.mark.sizes(SMALL, MEDIUM, LARGE)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written to the test's folder is told as the user's home, whose name is no one's business."""
    monkeypatch.setenv("HOME", str(tmp_path))


@in_all_sizes
async def test_tree(open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.go_to(BLOCK)
        await bench.read()
        await looks_as_stored(bench)


@in_both_sizes
@pytest.mark.parametrize("path", ["stages.1.1", "head.\x1b[31mfc\n.bias"], ids=["left-alone", "nan"])
async def test_under_the_cursor(
    open_checkpoint: OpenCheckpoint,
    looks_as_stored: LooksAsStored,
    tmp_path: Path,
    path: str,
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.press("slash", *"head", "enter", "right", "escape")
        await bench.go_to(path)
        if path.startswith("head"):
            await bench.read()
        await looks_as_stored(bench)


@in_both_sizes
async def test_search(
    open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.press("slash", *"identity")
        await bench.until(lambda: bench.words("#search-count"))
        await looks_as_stored(bench)


@pytest.mark.parametrize("depth", [ColourDepth.EIGHT_BIT, ColourDepth.STANDARD], ids=["256", "16"])
async def test_few_colours(
    open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path, depth: ColourDepth
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors"), depth=depth) as bench:
        await bench.go_to(BLOCK)
        await bench.read()
        await looks_as_stored(bench)


async def test_light(open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.go_to(BLOCK)
        await bench.read()
        await bench.press("t")
        await looks_as_stored(bench)


@in_both_sizes
async def test_block_on_the_bench(
    open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors"), eps=EXACT_EPS) as bench:
        await bench.go_to(BLOCK)
        await bench.press("enter")
        await bench.result()
        await with_whole_input(bench)
        await looks_as_stored(bench)


async def with_whole_input(bench: CheckpointBench) -> None:
    """Run the block on whole numbers: no digit depends on the order of a sum."""
    subject = bench.app.bench.subject
    spec = replace(subject.spec, input=InputFill.INTEGERS)
    bench.app.bench.show_subject(Subject(spec, subject.alterations, subject.origin))
    await bench.result()


@in_both_sizes
async def test_eps(open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.go_to(BLOCK)
        await bench.read()
        await bench.press("e")
        await looks_as_stored(bench)


@in_both_sizes
async def test_where_to(
    open_checkpoint: OpenCheckpoint,
    looks_as_stored: LooksAsStored,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "model.safetensors")
    async with open_checkpoint(Path("model.safetensors")) as bench:
        await bench.go_to(BLOCK)
        await bench.read()
        await bench.press("F")
        await bench.until(lambda: isinstance(bench.app.screen, OutputScreen))
        await looks_as_stored(bench)


@in_both_sizes
async def test_progress(
    open_checkpoint: OpenCheckpoint,
    looks_as_stored: LooksAsStored,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import tui.checkpoints.conversion.fusing as fusing

    held, fuse, times = threading.Event(), fusing.fuse, iter((0.0,))

    def slow(*given: Any) -> Iterator[Any]:
        for place, step in enumerate(fuse(*given)):
            if place == 5:
                held.wait(10)
            yield step

    monkeypatch.setattr(fusing, "fuse", slow)
    monkeypatch.setattr("tui.screens.checkpoint.fusing_all.monotonic", lambda: next(times, 10.0))
    async with open_checkpoint(write(tmp_path / "model.safetensors"), eps=EXACT_EPS) as bench:
        await bench.press("F")
        await name_the_output(bench, tmp_path / "out.safetensors")
        await bench.until(lambda: "block 3 of 3" in bench.head(FusedView))
        bench.screen.query_one("#detail-words").display = False  # the last digits of a random run
        await looks_as_stored(bench)
        held.set()
        await bench.until(lambda: isinstance(bench.app.screen, QuestionScreen))
        await bench.press("n")


@in_both_sizes
async def test_summary(
    open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path
) -> None:
    state = model()
    state["stages.0.0.rbr_1x1.conv.weight"][1, 2] = float("inf")
    source = write(tmp_path / "model.safetensors", state)
    async with open_checkpoint(source, eps=EXACT_EPS) as bench:
        await bench.press("F")
        await name_the_output(bench, tmp_path / "out.safetensors")
        await bench.until(lambda: isinstance(bench.app.screen, QuestionScreen))
        await bench.press("y")
        await bench.until(lambda: "fused and verified" in bench.head(FusedView))
        await bench.press("end")
        await looks_as_stored(bench)


@in_all_sizes
@pytest.mark.parametrize("key", ["", "c"], ids=["tree", "list"])
async def test_compare(
    open_checkpoint: OpenCheckpoint,
    looks_as_stored: LooksAsStored,
    tmp_path: Path,
    key: str,
) -> None:
    made = wrongly_fused()
    given, source = write(tmp_path / "fused.safetensors", made), write(tmp_path / "model.safetensors")
    async with open_checkpoint(source, given=given, eps=EXACT_EPS) as bench:
        await compared(bench)
        await bench.go_to(BLOCK)
        if key:
            await bench.press(key)
        await looks_as_stored(bench)


def wrongly_fused() -> dict[str, torch.Tensor]:
    """One channel off at one tap, a tensor lost, another changed, a name too many."""
    made = fused_by_another(model(), eps=EXACT_EPS)
    made[f"{BLOCK}.rbr_reparam.weight"][2, :, 0, 1] += 8
    del made["head.[bold]fc[/].weight"]
    made["step"] = made["step"] + 1
    made["ema.\x1b[2Jdecay"] = torch.ones(1)
    return made


@in_both_sizes
async def test_both_on_the_bench(
    open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path
) -> None:
    given = write(tmp_path / "fused.safetensors", wrongly_fused())
    source = write(tmp_path / "model.safetensors")
    async with open_checkpoint(source, given=given, eps=EXACT_EPS) as bench:
        await compared(bench)
        await bench.go_to(BLOCK)
        await bench.press("enter")
        await bench.result()
        await with_whole_input(bench)
        await looks_as_stored(bench)


@in_both_sizes
async def test_ranges(
    open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path
) -> None:
    state = model()
    state["stages.1.0.conv_kxk.0.bn.weight"][2] = 64.0
    source = write(tmp_path / "model.safetensors", state)
    async with open_checkpoint(source, eps=EXACT_EPS) as bench:
        await bench.press("w")
        await bench.until(lambda: "fused kernels have" in bench.head(RangesView))
        await looks_as_stored(bench)


@in_both_sizes
async def test_choose_a_file(
    open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path
) -> None:
    folder = tmp_path / "weights"
    (folder / "older").mkdir(parents=True)
    for name in ("a.safetensors", "b.pt", "[red]c.safetensors"):
        (folder / name).write_bytes(bytes(1500))
    async with open_checkpoint(folder, found=False) as bench:
        await bench.until(lambda: isinstance(bench.app.screen, CheckpointFileScreen))
        dialog = bench.app.screen
        assert isinstance(dialog, CheckpointFileScreen)
        await bench.until(lambda: dialog._choices)
        await looks_as_stored(bench)


@both_sizes
@pytest.mark.parametrize("kind", ["missing", "cut", "foreign", "gone", "changed", "other"])
async def test_error(
    open_checkpoint: OpenCheckpoint,
    looks_as_stored: LooksAsStored,
    tmp_path: Path,
    size: tuple[int, int],
    kind: str,
) -> None:
    path = tmp_path / "model.safetensors"
    if kind in ("missing", "cut", "foreign"):
        content = {"missing": None, "cut": b"\x40\0\0\0\0\0\0\0{", "foreign": b"GIF89a, which is a picture"}[
            kind
        ]
        if content is not None:
            path.write_bytes(content)
        async with open_checkpoint(path, size, found=False) as bench:
            await bench.until(lambda: bench.screen.query_one(Notice).text)
            await looks_as_stored(bench)
        return
    given = tmp_path / "fused.pt" if kind == "other" else None
    async with open_checkpoint(write(path), size, given=given) as bench:
        await bench.read()
        if kind == "other":
            await bench.until(lambda: bench.screen.query_one(Notice).text)
        else:
            path.unlink()
            if kind == "changed":
                write(path, repvgg("another"))
            await bench.go_to("stages.1.0")
            await bench.until(lambda: "!" in bench.words("#detail-words"))
        await looks_as_stored(bench)
