"""A module beside what another tool made of it, on the screen: a file, or the tensors of another module."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from textual.widgets import OptionList
from torch import Tensor, nn

from tests.app.test_checkpoint_comparing import compared
from tests.app.test_checkpoint_fusing import rows
from tests.checkpoint_files import write
from tests.driver import OpenModule
from tests.modules.small_models import Block, Net, whole_numbers
from tui.analysis.verdict.reason import Ruling
from tui.checkpoints.held_tensors import HeldTensors
from tui.modules.looking import LookedAt, look_at
from tui.screens.dialogs.checkpoint_file import CheckpointFileScreen
from tui.screens.dialogs.output_file import OutputScreen
from tui.views.checkpoint.compared_view import ComparedView
from tui.views.shared.result import remarks_of
from tui.widgets.form.origin_pane import OriginPane
from tui.widgets.notice import Notice

WRONG = "stages.1"
FUSED = {"stem.0": "stem.0", "stages.0": "stages.0.reparam", WRONG: f"{WRONG}.reparam"}
"""Where another tool has the fused convolutions, by the paths of the blocks."""


def net() -> LookedAt:
    return look_at(whole_numbers(Net()), name="theirs.py:Net")


def fused_by_another(looked: LookedAt) -> dict[str, Tensor]:
    """All blocks folded by hand, all else carried over."""
    modules = dict(looked.module.named_modules())
    made = {
        name: tensor.clone()
        for name, tensor in looked.module.state_dict().items()
        if not name.startswith(("stem", "stages"))
    }
    for path, there in FUSED.items():
        conv, norm = (modules[f"{path}.conv"], modules[f"{path}.bn"]) if "stages" in path else _stem(modules)
        weight, bias = _folded(conv, norm)
        if "stages" in path:
            point = modules[f"{path}.point"]
            assert isinstance(point, nn.Conv2d)
            assert point.bias is not None
            weight[:, :, 1, 1] += point.weight[:, :, 0, 0] + torch.eye(2)
            bias += point.bias
        made |= {f"{there}.weight": weight, f"{there}.bias": bias}
    return made


def _stem(modules: dict[str, nn.Module]) -> tuple[nn.Module, nn.Module]:
    return modules["stem.0"], modules["stem.1"]


@torch.no_grad()
def _folded(conv: nn.Module, norm: nn.Module) -> tuple[Tensor, Tensor]:
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    bias = 0.0 if conv.bias is None else conv.bias
    return conv.weight * factor.view(-1, 1, 1, 1), (bias - norm.running_mean) * factor + norm.bias


def wrongly_fused(looked: LookedAt) -> dict[str, Tensor]:
    """One channel off at one tap, a tensor lost, another changed, a name too many."""
    made = fused_by_another(looked)
    made[f"{FUSED[WRONG]}.weight"][1, :, 0, 1] += 8
    del made["gate.fc.bias"]
    made["norm.weight"] += 1
    made["ema.\x1b[2Jdecay"] = torch.ones(1)
    return made


async def test_all_right(open_module: OpenModule, tmp_path: Path) -> None:
    looked = net()
    given = write(tmp_path / "fused.pt", fused_by_another(looked))
    async with open_module(looked, given=given) as bench:
        await compared(bench)
        assert "3 of 3 blocks are right in fused.pt, and all else was carried over" in bench.words("#totals")
        await bench.go_to(WRONG)
        assert "✓ exact" in bench.words("#detail-words")


async def test_a_wrong_block_is_named_and_stands_on_the_bench_beside_the_right_one(
    open_module: OpenModule, tmp_path: Path
) -> None:
    looked = net()
    made = wrongly_fused(looked)
    async with open_module(looked, given=write(tmp_path / "fused.safetensors", made)) as bench:
        await compared(bench)
        assert "2 of 3 blocks are right in fused.safetensors" in bench.words("#totals")
        assert "2 tensors not carried over, 1 name left over" in bench.words("#totals")
        await bench.go_to(WRONG)
        signs = [row.sign for row in map(bench.screen.outline._row_at, range(len(bench.lines)))]
        assert [signs[bench.lines.index(path)][-1] for path in FUSED] == ["✓", "✓", "✗"]
        assert "in out 1, at tap [0,1]" in bench.words("#detail-words")
        await bench.press("c")
        listed = rows(bench, ComparedView)
        assert listed[0].startswith(f"✗ {WRONG} wrong")
        assert any(row.startswith("✗ gate.fc.bias missing") for row in listed)
        assert any(row.startswith("✗ norm.weight changed") for row in listed)
        assert r"+ ema.\x1b[2Jdecay left over in fused.safetensors" in listed
        await bench.press("enter")
        study = await bench.result()
        assert study.verdict.ruling is Ruling.WRONG
        assert torch.equal(study.fused_kernel.kernel.weight, made[f"{FUSED[WRONG]}.weight"])
        assert "2 numbers are from fused.safetensors, in the fused kernel." in remarks_of(study)
        assert "fused kernel as given" in str(bench.app.bench.query_one(OriginPane).render())
        await bench.press("escape")
        assert bench.is_at_the_tree


async def test_the_other_file_is_chosen_and_the_report_saved_on_the_screen(
    open_module: OpenModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    looked = net()
    write(tmp_path / "fused.safetensors", fused_by_another(looked))
    report = tmp_path / "Net-report.json"
    async with open_module(looked) as bench:
        await bench.go_to(WRONG)
        await bench.press("c")
        await bench.until(lambda: isinstance(bench.app.screen, CheckpointFileScreen))
        await bench.until(lambda: bench.app.screen.query_one(OptionList).option_count)
        await bench.press("enter")
        await compared(bench)
        assert bench.here == WRONG
        await bench.press("x")
        await bench.until(lambda: isinstance(bench.app.screen, OutputScreen))
        await bench.press("enter")
        await bench.until(report.exists)
    assert json.loads(report.read_text())["agree"] is True


async def test_a_block_as_a_whole_is_judged_in_its_tree(open_module: OpenModule) -> None:
    looked = look_at(whole_numbers(Block()), name="blocks.py:Block")
    kernel = looked.findings.blocks[0].kernel
    assert kernel.bias is not None
    weight = kernel.weight.float()
    weight[0] += 1
    given = HeldTensors({"weight": weight, "bias": kernel.bias.float()}, "blocks.py:Deployed")
    async with open_module(looked, given=given) as bench:
        await compared(bench)
        assert "0 of 1 blocks are right in blocks.py:Deployed" in bench.words("#totals")
        assert bench.here == ""
        await bench.press("c")
        assert rows(bench, ComparedView)[0].startswith("✗ the whole module wrong")
        await bench.press("escape", "enter")
        study = await bench.result()
        assert torch.equal(study.fused_kernel.kernel.weight, weight)
        await bench.press("escape")
        assert bench.is_at_the_tree


class Twice(nn.Module):
    """One block that runs twice, and two without a name of their own in one forward."""

    def __init__(self) -> None:
        super().__init__()
        self.block = Block()
        self.a, self.b, self.c, self.d = (nn.Parameter(torch.ones(2, 2, size, size)) for size in (3, 1, 3, 1))

    def forward(self, x: Tensor) -> Tensor:
        """One after the other, with something between that is not linear."""
        x = torch.relu(self.block(torch.relu(self.block(x))))
        x = torch.relu(nn.functional.conv2d(x, self.a, padding=1) + nn.functional.conv2d(x, self.b))
        return nn.functional.conv2d(x, self.c, padding=1) + nn.functional.conv2d(x, self.d)


async def test_each_place_of_a_block_tells_the_verdict_of_the_tensors_that_it_reads(
    open_module: OpenModule,
) -> None:
    looked = look_at(whole_numbers(Twice()))
    titles = [found.title for found in looked.findings.blocks]
    assert titles == ["block", "block", "", ""]
    once, _, first, _ = [found.kernel for found in looked.findings.blocks]
    assert once.bias is not None
    made = {
        "block.weight": once.weight.float(),
        "block.bias": once.bias.float(),
        "weight": first.weight.float(),
    }
    async with open_module(looked, given=HeldTensors(made, "theirs.py:Fused")) as bench:
        await compared(bench)
        verdicts = [bench.screen.outline._verdict_on(found) for found in looked.findings.blocks]
        told = [verdict[0] for verdict in verdicts if verdict is not None]
        assert told == [Ruling.EXACT, Ruling.EXACT, Ruling.EXACT, Ruling.WRONG]


async def test_what_can_be_fused_no_more_is_held_against_nothing(
    open_module: OpenModule, tmp_path: Path
) -> None:
    given = write(tmp_path / "model.pt")
    looked = look_at(nn.Sequential(nn.ReLU(), nn.Sigmoid()), torch.ones(1, 2, 4, 4))
    async with open_module(looked, given=given) as bench:
        said = bench.screen.query_one(Notice).text
        assert said.startswith("Not compared: There is no block to be fused")
        assert said.endswith("The module that has the branches comes first.")


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "'fused.pt' is not there"), (b"PK\3\4, and cut", "fused.pt"), (b"text", "fused.pt")],
)
async def test_what_cannot_be_compared_is_told_and_the_tree_stays(
    open_module: OpenModule, tmp_path: Path, content: bytes | None, words: str
) -> None:
    given = tmp_path / "fused.pt"
    if content is not None:
        given.write_bytes(content)
    async with open_module(net(), given=given) as bench:
        await bench.until(lambda: bench.screen.query_one(Notice).text)
        said = bench.screen.query_one(Notice).text
        assert said.startswith("Not compared: ")
        assert words in said
        assert "3 blocks" in bench.words("#totals")
        assert bench.here == "stem.0"


async def test_another_model_is_told_as_such(open_module: OpenModule, tmp_path: Path) -> None:
    given = write(tmp_path / "other.safetensors", {"x.other": torch.ones(7, 3)})
    async with open_module(net(), given=given) as bench:
        await compared(bench)
        assert "0 of 3 blocks are right in other.safetensors: another model?" in bench.words("#totals")
