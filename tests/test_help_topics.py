"""The long texts of the help: their examples are real, and both ways show them."""

from __future__ import annotations

import re

import pytest

from tests.driver import OpenBench
from tests.specs import EXACT
from tui.checkpoints.families import FAMILIES
from tui.cli import main
from tui.command_line.option_parser import OptionsError
from tui.command_line.options import parse
from tui.fusion.grammar.branch_text import parse_branches, show_branches
from tui.help_topics import KEYS, TOPICS, plain, topic_in_markdown
from tui.screens.binding_ids import binding_ids
from tui.screens.dialogs.help import HelpScreen
from tui.screens.dialogs.topic import TopicScreen

IN_FILES = [name for name in TOPICS if name != KEYS]


@pytest.mark.parametrize("name", IN_FILES)
def test_a_topic_is_printed_plain(name: str) -> None:
    text = parse(["help", name]).text
    assert text == plain(topic_in_markdown(name))
    assert not re.search(r"^#|\*\*|`", text, re.MULTILINE)
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_every_branch_that_is_told_of_can_be_parsed() -> None:
    text = topic_in_markdown("blocks")
    examples = re.findall(r"(?m)^    (.+)$", plain(text))
    assert len(examples) == 2
    for example in examples:
        assert show_branches(parse_branches(example))
    named = [word for line in re.findall(r"(?m)^- (.+?):", text) for word in re.findall(r"`([^`]+)`", line)]
    kinds = [word for word in named if not word.startswith(("+", "-"))]
    assert {"kxk", "1x1-avg", "3x3d2", "taps(1 0 -1)"} <= set(kinds)
    for kind in kinds:
        parse_branches(kind)
    layer_options = {"+dw", "+c16", "+x2", "+x1/4", "+eps1e-3", "+zeros"}
    for option in (word for word in named if word.startswith(("+", "-"))):
        carrier = "1x1{} > 3x3" if option in layer_options else "1x1-kxk{}"
        if option in ("+eps1e-3",):
            carrier = "1x1 > norm{}"
        if option in ("+p1", "+p1x0"):
            carrier = "3x3{}"
        parse_branches(carrier.format(option))


def test_every_family_is_told_with_its_eps() -> None:
    lines = topic_in_markdown("families").splitlines()
    for family in FAMILIES:
        assert any(line.startswith(f"- `{family.name}`: eps {family.eps:g}") for line in lines)


def test_the_keys_are_told_with_their_ids(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "keys"]) == 0
    text = capsys.readouterr().out
    assert {name for name in binding_ids() if name not in text} <= {"app.help", "app.presets"}


def test_topics_are_listed_and_a_wrong_one_is_told() -> None:
    for arguments in (["help"], ["help", "--help"]):
        text = parse(arguments).text
        assert text is not None
        assert all(name in text for name in TOPICS)
    with pytest.raises(OptionsError, match=r"help: the topic must be one of blocks, .*did you mean verdict"):
        parse(["help", "verdikt"])
    with pytest.raises(OptionsError, match="takes one topic"):
        parse(["help", "verdict", "keys"])


async def test_a_topic_is_shown_over_the_help(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        for key in ("v", "b", "s", "f"):
            await bench.press("question_mark")
            await bench.until(lambda: isinstance(bench.app.screen, HelpScreen), "the help")
            await bench.press(key)
            await bench.until(lambda: isinstance(bench.app.screen, TopicScreen), "the topic")
            await bench.press("escape")
            await bench.until(lambda: isinstance(bench.app.screen, HelpScreen), "the help again")
            await bench.press("escape")
            await bench.until(lambda: bench.app.screen is bench.app.bench, "the bench")
