"""A module on the screen: the tree of its modules, a block of it on the bench and back."""

from __future__ import annotations

import torch
from torch import nn

from tests.driver import SMALL, ModuleBench, OpenModule
from tests.modules.small_models import Block, Net, whole_numbers
from tui.analysis.progress import Failed
from tui.modules.looking import LookedAt, look_at
from tui.widgets.foot import Foot
from tui.widgets.form.choice import Choice
from tui.widgets.form.value_input import ValueInput
from tui.widgets.notice import Notice


def net() -> LookedAt:
    return look_at(whole_numbers(Net()))


def foot(bench: ModuleBench) -> list[str]:
    """What the bench's foot tells of everywhere."""
    return [key.words for key in bench.app.bench.query_one(Foot).everywhere]


async def test_the_tree_marks_blocks_and_tells_what_is_left_alone_at_its_place(
    open_module: OpenModule,
) -> None:
    async with open_module(net()) as bench:
        assert "3 blocks" in bench.words("#totals")
        assert "2 left alone" in bench.words("#totals")
        assert bench.lines == [
            *("", "stem", "stem.0", "stem.1", "stem.2"),
            *("stages", "stages.0", "stages.1", "act", "gate", "norm", "after"),
        ]
        assert bench.here == "stem.0"
        await bench.go_to("norm")
        assert "group norm is no batch norm" in bench.words("#detail-words")
        await bench.go_to("stages.0")
        words = bench.words("#detail-words")
        assert "2 → 2  3×3  3 branches" in words
        assert "conv  conv, bn" in words


async def test_a_block_on_the_bench_has_the_modules_numbers_and_escape_goes_back(
    open_module: OpenModule,
) -> None:
    looked = net()
    async with open_module(looked) as bench:
        await bench.go_to("stages.1")
        await bench.press("enter")
        study = await bench.result()
        assert not bench.is_at_the_tree
        agrees = study.verdict.ruling.agrees
        assert agrees
        stage = looked.module.get_submodule("stages.1")
        same = torch.equal(next(iter(study.block.parameters())), stage.get_parameter("conv.weight"))
        assert same
        assert "back to the module" in foot(bench)
        await bench.press("escape")
        assert bench.is_at_the_tree
        assert bench.here == "stages.1"
        await bench.press("enter")
        assert not bench.is_at_the_tree
        still_there = bench.app.study is study
        assert still_there


async def test_with_an_example_a_block_runs_on_what_reached_it(open_module: OpenModule) -> None:
    model = whole_numbers(Net())
    x = torch.arange(3.0 * 8 * 10).view(1, 3, 8, 10) % 5
    reached: list[torch.Tensor] = []
    hook = model.get_submodule("stages.1").register_forward_pre_hook(
        lambda _, given: reached.append(given[0])
    )
    model(x)
    hook.remove()
    looked = look_at(model, x)
    async with open_module(looked) as bench:
        await bench.go_to("stages.1")
        await bench.press("enter")
        study = await bench.result()
        assert study.spec.input_shape == (4, 5)
        assert torch.equal(study.x, reached[0])


async def test_a_module_that_is_a_block_opens_on_the_bench(open_module: OpenModule) -> None:
    x = torch.ones(1, 2, 5, 6)
    looked = look_at(whole_numbers(Block()), x)
    async with open_module(looked) as bench:
        study = await bench.result()
        assert torch.equal(study.x, x)
        assert bench.app._module is None
        assert "back to the module" not in foot(bench)
        title = study.origin.title if study.origin else ""
        assert title == "Block"


async def test_a_module_runs_on_the_device_that_was_named(open_module: OpenModule) -> None:
    looked = look_at(whole_numbers(Block()), torch.ones(1, 2, 5, 6))
    async with open_module(looked, device="cuda:99") as bench:
        await bench.reach(Failed)
        said = bench.app.bench.query_one(Notice).text
        assert said == "The run failed: device 'cuda:99' is not here: there is cpu"


async def test_search_and_only_blocks(open_module: OpenModule) -> None:
    async with open_module(net(), SMALL) as bench:
        await bench.press("slash", *"gate")
        assert bench.here == "gate"
        await bench.press("escape")
        assert bench.app.focused is bench.screen.outline.rows
        await bench.press("b")
        assert bench.lines == ["", "stem", "stem.0", "stages", "stages.0", "stages.1", "norm", "after"]


async def test_train_mode_is_told_with_the_modules(open_module: OpenModule) -> None:
    async with open_module(look_at(Net().train(), torch.ones(2, 3, 8, 8))) as bench:
        assert "in train mode: stem.1" in bench.screen.query_one(Notice).text


async def test_nothing_of_the_users_is_taken_for_markup(open_module: OpenModule) -> None:
    class Said(nn.Module):
        def extra_repr(self) -> str:
            return "[/red] \x1b[31m"

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x)

    model = nn.Sequential(nn.Conv2d(2, 2, 1), Said())
    async with open_module(look_at(model, name="[bold]a")) as bench:
        picture = (await bench.picture()).replace("&#160;", " ")
        assert "[bold]a" in picture
        assert "[/red]" in picture
        assert "\x1b" not in picture


async def test_a_file_and_a_module_are_gone_back_to_where_each_block_came_from(
    open_module: OpenModule,
) -> None:
    async with open_module(net()) as bench:
        await bench.press("enter")
        await bench.result()
        bench.app.action_preset("repvgg")
        await bench.result()
        await bench.press("escape")
        assert bench.is_at_the_tree
        await bench.press("question_mark")
        assert bench.app.screen is not bench.screen
        await bench.press("escape")
        assert bench.is_at_the_tree


async def test_the_form_says_that_the_image_is_the_users_own(open_module: OpenModule) -> None:
    x = torch.ones(1, 2, 5, 6)
    async with open_module(look_at(whole_numbers(Block()), x, "blocks.py:Block"), SMALL) as bench:
        await bench.result()
        values = bench.app.bench.query_one("#input", Choice)
        assert str(values.render()) == "the example"
        bench.app.bench.query_one("#seed", ValueInput).value = "5"
        await bench.pilot.pause()
        assert str(values.render()) == "random"


async def test_the_palette_offers_what_every_tree_can_do(open_module: OpenModule) -> None:
    async with open_module(net()) as bench:
        titles = [command.title for command in bench.screen.commands()]
        for title in ("Search  ·  /", "Speed of all blocks  ·  s", "Blocks only  ·  b"):
            assert titles.count(title) == 1, titles
