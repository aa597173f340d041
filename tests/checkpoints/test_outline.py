"""The tree of a checkpoint's names."""

from __future__ import annotations

from collections.abc import Sequence

from tests.checkpoint_files import model, repvgg
from tests.checkpoints.families.held_against import entries_of
from tui.checkpoints.contents import Entry
from tui.checkpoints.outline import DEEPEST, Node, Outline
from tui.checkpoints.recognising import recognise


def outline_of(*names: str) -> Outline:
    return Outline({name: Entry(name, (2, 3), "float32") for name in names})


def shown(nodes: Sequence[Node]) -> list[str]:
    return [node.name for node in nodes]


def test_lone_children_are_told_with_their_parent() -> None:
    outline = outline_of("module.backbone.stem.weight", "module.backbone.stem.bias", "module.backbone.head")
    (top,) = outline.top
    assert top.name == "module.backbone"
    assert shown(top.children) == ["stem", "head"]
    assert outline.node("module.backbone.stem.bias") is top.children[0].children[1]
    assert outline.node("module") is top


def test_sums_are_of_all_below() -> None:
    outline = outline_of("a.b.c", "a.b.d", "a.e")
    (top,) = outline.top
    assert (top.tensors, top.parameters, top.bytes) == (3, 18, 72)
    assert outline.root.tensors == 3


def test_a_name_can_be_a_tensor_and_a_group() -> None:
    outline = outline_of("a", "a.b", "", ".", "..c")
    assert sum(node.entry is not None for node in outline.nodes) == 5
    a = outline.node("a")
    assert a is not None
    assert a.entry is not None
    assert shown(a.children) == ["b"]


def test_blocks_stand_at_their_prefix_and_are_counted_above() -> None:
    entries = entries_of(model())
    outline = Outline(entries, recognise(entries))
    stages = outline.node("stages")
    block = outline.node("stages.0.1")
    assert stages is not None
    assert block is not None
    assert (stages.within, stages.skipped) == (3, 1)
    assert [each.family for each in block.blocks] == ["RepVGG"]
    assert outline.matching("mobileone") == [outline.node("stages.1.0")]


def test_a_file_that_is_one_block_is_its_own_node() -> None:
    state = {name.removeprefix("x."): tensor for name, tensor in repvgg("x").items()}
    entries = entries_of(state)
    outline = Outline(entries, recognise(entries))
    assert outline.top == (outline.root,)
    assert len(outline.root.blocks) == 1


def test_a_name_of_very_many_words_does_not_become_as_many_nodes() -> None:
    assert len(outline_of("x" + ".x" * 100_000, "y").nodes) == 2
    outline = outline_of("x" + ".x" * 100_000, "x.y")
    assert len(outline.nodes) <= DEEPEST + 2


def test_a_match_is_the_highest_node_that_holds_the_text() -> None:
    outline = outline_of("stem.conv.weight", "stem.conv.bias", "head.conv.weight", "head.conv.bias")
    assert [node.path for node in outline.matching("CONV")] == ["stem.conv", "head.conv"]
    assert [node.path for node in outline.matching("conv.w")] == ["stem.conv.weight", "head.conv.weight"]
