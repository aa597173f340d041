"""A checkpoint on the screen: its tree, what is read of it, a block of it on the bench and back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.checkpoint_files import conv, model, repvgg, write
from tests.driver import CheckpointBench, OpenBench, OpenCheckpoint
from tests.specs import EXACT
from tui.analysis.progress import Failed
from tui.checkpoints import opening
from tui.checkpoints.choosing.to_open import ToOpen
from tui.screens.checkpoint import opening as opening_screen
from tui.screens.dialogs.checkpoint_file import CheckpointFileScreen
from tui.screens.dialogs.output_file import OutputScreen
from tui.screens.dialogs.question import QuestionScreen
from tui.views.checkpoint.file_head import FileHead
from tui.views.checkpoint.fused_view import FusedView
from tui.views.checkpoint.ranges_view import RangesView
from tui.views.checkpoint.search_line import SearchLine
from tui.widgets.foot import Foot
from tui.widgets.form.value_input import ValueInput
from tui.widgets.notice import Notice
from tui.widgets.steady_text import SteadyText

BLOCK = "stages.0.1"


async def read(bench: CheckpointBench) -> None:
    """Wait until what is under the cursor has been read."""
    await bench.until(lambda: "NaN" in bench.words("#detail-words"))


@pytest.mark.parametrize("name", ["model.safetensors", "model.pt"])
async def test_the_tree_marks_blocks_and_what_is_left_alone(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, name: str
) -> None:
    async with open_checkpoint(write(tmp_path / name)) as bench:
        assert "3 blocks: 2 RepVGG, 1 MobileOne (timm)" in bench.words("#totals")
        assert "1 left alone" in bench.words("#totals")
        wrapper = "state_dict." if name.endswith("pt") else ""
        assert bench.here.startswith(f"{wrapper}stages.")
        assert [line for line in bench.lines if line.startswith(f"{wrapper}stages.0.")] == [
            f"{wrapper}stages.0.0",
            f"{wrapper}stages.0.1",
        ]
        await bench.go_to(f"{wrapper}stages.1.1")
        assert "rbr_dense.bn" in bench.words("#detail-words")


async def test_nothing_of_the_file_is_taken_for_markup_or_sent_to_the_terminal(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    async with open_checkpoint(write(tmp_path / "[red]model.safetensors")) as bench:
        assert bench.words("#file-name") == "[red]model.safetensors"
        await bench.press("slash", *"fc", "enter", "n", "escape")
        picture = await bench.picture()
        assert "[bold]fc[/]" in picture.replace("&#160;", " ")
        assert r"\x1b[31mfc\n" in picture
        assert "\x1b" not in picture


async def test_what_is_under_the_cursor_is_read_and_nothing_else(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await read(bench)
        assert bench.screen.listing is not None
        asked: list[str] = []
        tensor = type(bench.screen.listing.checkpoint).tensor

        def noted(self: object, name: str) -> torch.Tensor:
            asked.append(name)
            return tensor(self, name)  # type: ignore[arg-type]

        monkeypatch.setattr(type(bench.screen.listing.checkpoint), "tensor", noted)
        await bench.go_to("stages")
        await bench.go_to("stages.1.0")
        await read(bench)
        assert asked
        assert {name.rpartition(".conv")[0][:10] for name in asked if ".conv" in name} == {"stages.1.0"}
        assert not any("num_batches_tracked" in name for name in asked)


async def test_nan_is_marked_where_it_was_read(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        bench.screen.outline.search("head.\x1b")
        await bench.until(lambda: "a number is NaN" in bench.words("#detail-words"))
        assert bench.screen.outline.problems[bench.here] == "NaN"


async def test_the_worst_channel_of_another_eps_is_told(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    state = repvgg("one") | {"one.rbr_1x1.bn.running_var": torch.tensor([1.0, 1e-4, 4.0, 1.0])}
    async with open_checkpoint(write(tmp_path / "model.safetensors", state)) as bench:
        await read(bench)
        words = bench.words("#detail-words")
        assert "3.16 × off" in words  # sqrt((1e-4 + 1e-3) / (1e-4 + 1e-5))
        assert "channel 1 of one.rbr_1x1.bn" in words


async def test_search_goes_from_match_to_match_and_unfolds(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.press("slash", *"identity")
        first = bench.here
        assert first == "stages.0.1.rbr_identity"
        assert bench.words("#search-count") == "1 of 2"
        await bench.press("enter", "n")
        assert bench.here == "stages.1.0.identity"
        await bench.press("n")
        assert bench.here == first
        await bench.press("N")
        assert bench.here == "stages.1.0.identity"
        await bench.press("slash", *"mobileone", "enter")
        assert bench.here == "stages.1.0"
        await bench.press("slash", *"no such name")
        assert bench.words("#search-count") == "nothing of that name"
        await bench.press("escape")
        assert bench.app.focused is bench.screen.outline.rows


async def test_only_blocks_and_folding(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        assert "step" in bench.lines
        await bench.press("b")
        assert not {"step", "head", "stem.conv"} & set(bench.lines)
        assert "stages.1.1" in bench.lines
        await bench.press("b")
        await bench.go_to("stages.0")
        await bench.press("left")
        assert "stages.0.0" not in bench.lines
        await bench.press("right", "right")
        assert bench.here == "stages.0.0"
        await bench.press("right")
        assert "stages.0.0.rbr_dense" in bench.lines
        await bench.press("left", "left")
        assert bench.here == "stages.0"


async def test_a_block_on_the_bench_and_back_to_its_place(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.go_to(BLOCK)
        await bench.press("enter")
        await bench.result()
        study = bench.app.study
        assert study is not None
        assert study.verdict.ruling.agrees
        assert torch.equal(next(iter(study.block.parameters())), model()[f"{BLOCK}.rbr_dense.conv.weight"])
        assert any("back to the file" in key.words for key in bench.app.bench.query_one(Foot).everywhere)
        await bench.press("escape")
        assert bench.is_at_the_tree
        assert bench.here == BLOCK
        await bench.press("enter")
        assert not bench.is_at_the_tree
        assert bench.app.study is study


async def test_a_block_runs_on_the_device_that_was_named(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors"), device="cuda:99") as bench:
        await bench.go_to(BLOCK)
        await bench.press("enter")
        await bench.reach(Failed)
        said = bench.app.bench.query_one(Notice).text
        assert said == "The run failed: device 'cuda:99' is not here: there is cpu"


async def test_escape_leaves_the_form_and_the_one_grid_first(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.go_to(BLOCK)
        await bench.press("enter")
        await bench.result()
        await bench.press("f", "escape")
        assert not bench.is_at_the_tree
        await bench.press("m", "escape")
        assert not bench.is_at_the_tree
        assert not bench.app.bench.view.is_one_grid
        await bench.press("escape")
        assert bench.is_at_the_tree


async def test_eps_can_be_changed_in_the_form_and_is_folded(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.go_to(BLOCK)
        await bench.press("enter")
        await bench.result()
        assert not bench.app.bench.query_one("#eps", ValueInput).disabled
        assert bench.app.bench.query_one("#kernel_size", ValueInput).disabled
        await bench.enter("eps", "0.75")
        await bench.result()
        assert bench.app.study is not None
        assert {module.eps for module in bench.app.study.block.modules() if hasattr(module, "eps")} == {0.75}


async def test_a_file_that_has_changed_is_told_and_the_tree_stays(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path) as bench:
        await read(bench)
        write(path, model() | {"more": conv(2, 2, 1, 0)})
        await bench.go_to("stages.1.0")
        await bench.until(lambda: "changed" in bench.words("#detail-words"))
        assert "stages.0.1" in bench.lines
        path.unlink()
        await bench.go_to(BLOCK)
        await bench.until(lambda: "no longer there" in bench.words("#detail-words"))
        await bench.press("enter")
        await bench.until(lambda: "no longer there" in bench.app.bench.query_one(Notice).text)
        assert str(bench.app.bench.query_one("#difference", SteadyText).content) == ""  # nothing is run now
        await bench.press("escape")
        assert bench.here == BLOCK


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.pt", None, "is not there"),
        ("cut.safetensors", b"\x40\0\0\0\0\0\0\0{", "cut"),
        ("text.pt", b"not a checkpoint at all, but a text", "'text.pt'"),
    ],
)
async def test_what_cannot_be_opened_is_told(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    async with open_checkpoint(path, found=False) as bench:
        await bench.until(lambda: bench.screen.query_one(Notice).text)
        assert words in bench.screen.query_one(Notice).text
        other = write(tmp_path / "model.safetensors")
        await bench.press("o")
        await bench.until(lambda: isinstance(bench.app.screen, CheckpointFileScreen))
        await bench.burst(*str(other))  # into the list, as nothing else is typed there
        await bench.press("enter")
        await bench.until(lambda: bench.screen.listing and bench.screen.listing.recognition)
        assert bench.screen.query_one(Notice).text == ""
        assert "stages.0.1" in bench.lines


async def test_a_folder_lets_a_file_in_it_be_chosen(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    (folder / "deeper").mkdir(parents=True)
    write(folder / "deeper" / "model.safetensors")
    async with open_checkpoint(folder, found=False) as bench:
        await bench.until(lambda: isinstance(bench.app.screen, CheckpointFileScreen))
        dialog = bench.app.screen
        assert isinstance(dialog, CheckpointFileScreen)
        await bench.until(lambda: dialog._choices)
        assert [choice.name for choice in dialog._choices] == ["..", "deeper"]
        await bench.press("down", "enter")
        await bench.until(
            lambda: len(dialog._choices) == 2 and dialog._choices[1].name == "model.safetensors"
        )
        await bench.press("enter")
        await bench.until(lambda: bench.screen.listing and bench.screen.listing.recognition)
        assert bench.words("#file-name") == "model.safetensors"


async def test_from_the_bench_to_a_file_and_its_block(open_bench: OpenBench, tmp_path: Path) -> None:
    write(tmp_path / "model.safetensors")
    async with open_bench(EXACT) as plain:
        bench = CheckpointBench(plain.app, plain.pilot)
        bench.app.action_open_file(tmp_path)
        await bench.until(lambda: isinstance(bench.app.screen, CheckpointFileScreen))
        dialog = bench.app.screen
        assert isinstance(dialog, CheckpointFileScreen)
        await bench.until(lambda: dialog._choices)
        await bench.press("enter")
        await bench.until(lambda: bench.app._checkpoint and bench.screen.listing)
        await bench.until(lambda: bench.screen.listing and bench.screen.listing.recognition)
        await bench.go_to(BLOCK)
        await bench.press("enter")
        await bench.result()
        assert not bench.is_at_the_tree
        assert bench.app.study is not None
        assert bench.app.study.origin is not None
        await bench.press("escape")
        assert bench.is_at_the_tree
        await bench.press("p", "1")
        await bench.result()
        assert not bench.is_at_the_tree


async def test_a_file_that_cannot_be_opened_leaves_the_one_that_is_open(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    other = tmp_path / "letter.pt"
    other.write_text("Dear all,")
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        before, lines = bench.screen.listing, bench.lines
        bench.screen.open_other(ToOpen(other))
        notice = bench.screen.query_one(Notice)
        await bench.until(lambda: notice.text)
        assert "letter.pt" in notice.text
        assert "model.safetensors stays open" in notice.text
        assert bench.screen.listing is before
        assert bench.lines == lines
        assert "3 blocks" in bench.words("#totals")
        assert bench.screen.query_one(FileHead).file == "model.safetensors"
        bench.screen.open_other(ToOpen(write(tmp_path / "second.safetensors")))
        await bench.until(lambda: bench.screen.query_one(FileHead).file == "second.safetensors")
        assert not notice.text


async def test_many_names_are_kept_from_the_collector_until_another_file_takes_their_place(
    open_checkpoint: OpenCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening_screen, "MANY", 10)
    kept: list[str] = []
    monkeypatch.setattr(opening_screen, "keep", lambda: kept.append("kept"))
    monkeypatch.setattr(opening_screen, "keep_no_more", lambda: kept.append("no more"))
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        assert kept == ["kept"]
        few = write(tmp_path / "few.safetensors", {"a": torch.ones(1)})
        bench.screen.open_other(ToOpen(few))
        await bench.until(lambda: "0 blocks" in bench.words("#totals"))
        await bench.until(lambda: kept == ["kept", "no more"])


async def test_the_search_line_is_only_there_at_the_tree(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        await bench.press("slash", *"stages", "enter")
        line = bench.screen.query_one(SearchLine)
        assert line.display
        await bench.press("w")
        assert not line.display
        await bench.press("escape")
        assert not line.display


async def test_a_list_has_three_rows_at_least(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    sizes = ((40, 12), (60, 20), (80, 24))
    async with open_checkpoint(write(tmp_path / "model.safetensors"), sizes[0]) as bench:
        await bench.press("F")
        await bench.until(lambda: isinstance(bench.app.screen, OutputScreen))
        await bench.burst("ctrl+u", *str(tmp_path / "out.safetensors"))
        await bench.press("enter")
        await bench.until(lambda: isinstance(bench.app.screen, QuestionScreen))
        await bench.press("y")
        await bench.until(lambda: "fused and verified" in bench.head(FusedView))
        fused = bench.screen.query_one(FusedView)
        await bench.press("escape", "w")
        ranges = bench.screen.query_one(RangesView)
        await bench.until(lambda: ranges.is_done)
        for size in sizes:
            await bench.resize(size)
            for key, view in (("w", ranges), ("F", fused)):
                await bench.press("escape", key)
                assert view.rows.size.height >= 3, (size, key)
                assert view.rows.region.bottom <= bench.screen.query_one(Foot).region.y, (size, key)


async def test_the_foot_tells_what_enter_does_here(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    async with open_checkpoint(write(tmp_path / "model.safetensors")) as bench:
        foot = bench.screen.query_one(Foot)
        seen = {}
        for path in bench.lines:
            await bench.go_to(path)
            seen[path] = [key.words for key in foot.here if key.keys == ("enter",)]
        assert seen["stages"] == ["fold"]
        assert seen["stages.0.1"] == ["open"]
        await bench.go_to("stages")
        await bench.press("enter")
        assert [key.words for key in foot.here if key.keys == ("enter",)] == ["unfold"]


async def test_the_head_counts_parameters_as_inspect_does(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    path = write(tmp_path / "model.safetensors")
    with opening.open_checkpoint(path) as checkpoint:
        floats = [entry.numel for entry in checkpoint.entries.values() if "float" in entry.dtype]
    async with open_checkpoint(path) as bench:
        assert f"{sum(floats)} parameters" in bench.words("#file-sizes")


async def test_a_narrow_foot_tells_how_a_mistake_is_made_and_the_way_back(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    sizes = ((40, 12), (60, 20))
    async with open_checkpoint(write(tmp_path / "model.safetensors"), sizes[0]) as bench:
        await bench.go_to(BLOCK)
        await bench.press("enter")
        await bench.result()
        await bench.press("6", "down")
        for size in sizes:
            await bench.resize(size)
            foot = str(bench.app.bench.query_one(Foot).render())
            assert "enter make it" in foot, size
            assert "esc back" in foot, size
            assert "? keys" in foot, size
