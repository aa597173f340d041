"""The lines of a tree: which are shown, how deep, and where a path is among them."""

from __future__ import annotations

from tests.checkpoint_files import model
from tests.checkpoints.families.held_against import entries_of
from tui.checkpoints.contents import Entry
from tui.checkpoints.outline import Outline
from tui.checkpoints.recognising import recognise
from tui.views.shared.visible_lines import visible_lines

NAMES = ("a.b.c", "a.b.d", "a.e", "f.g", "f.hijkl")


def outline() -> Outline:
    return Outline({name: Entry(name, (2,), "float32") for name in NAMES})


def test_what_is_unfolded_is_shown_with_what_is_unfolded_in_it() -> None:
    visible = visible_lines(outline(), {"a", "a.b"}, only_blocks=False)
    assert [(line.depth, line.node.path) for line in visible.lines] == [
        (0, "a"), (1, "a.b"), (2, "a.b.c"), (2, "a.b.d"), (1, "a.e"), (0, "f"),
    ]  # fmt: skip
    assert visible.widest == 5
    assert visible_lines(outline(), {"f", "a.b"}, only_blocks=False).widest == 7


def test_the_nearest_to_a_path_is_it_or_what_is_above_it() -> None:
    visible = visible_lines(outline(), {"a"}, only_blocks=False)
    assert [visible.nearest(path) for path in ("a", "a.b", "a.b.d", "f.g", "nowhere", "")] == [
        0, 1, 1, 3, 0, 0,
    ]  # fmt: skip


def test_only_what_was_found_is_shown_on_wish() -> None:
    entries = entries_of(model())
    tree = Outline(entries, recognise(entries))
    everything = {node.path for node in tree.nodes} | {""}
    lines = visible_lines(tree, everything, only_blocks=True).lines
    assert all(line.node.within or line.node.skipped for line in lines)
    assert [line.node.path for line in lines if line.node.marked] == [
        node.path for node in tree.nodes if node.marked
    ]
    assert len(lines) < len(visible_lines(tree, everything, only_blocks=False).lines)
