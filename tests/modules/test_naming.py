"""What branches and layers of a module are called: as their attributes, of which any name can be shown."""

from __future__ import annotations

from tui.fusion.layers import Identity
from tui.modules.linear.naming import branch_names, layer_name


def test_control_characters_in_a_name_are_made_visible() -> None:
    assert branch_names([["dense\x1b[31m.conv"], ["dense\n.conv"]]) == [
        r"dense\x1b[31m.conv",
        r"dense\n.conv",
    ]
    assert layer_name("block.conv\x07", Identity(2)) == r"conv\x07"
