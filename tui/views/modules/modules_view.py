"""The tree of a module's modules: groups to unfold, blocks to open."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui.views.modules.module_rows import Line, row_of
from tui.views.shared.tree_view import TreeView
from tui.widgets.foot_key import FootKey
from tui.widgets.rows.row import Row

if TYPE_CHECKING:  # as there
    from tui.modules.found import FoundBlock  # noqa: F401  # a name in the class's own brackets
    from tui.modules.outline import ModuleNode  # noqa: F401


class ModulesView(TreeView["ModuleNode", "FoundBlock"]):
    """Shows a ModuleOutline."""

    DEFAULT_CSS = """
    ModulesView { width: 1fr; height: 1fr; padding: 0 0 0 1; }
    """
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("open", ("rows.choose",)),
        FootKey("search", ("tree.search",)),
        FootKey("speed", ("tree.speed",)),
        FootKey("blocks only", ("outline.blocks",)),
    )

    def row_of(self, line: Line, *, opened: bool, problem: str) -> Row:
        """A block by its structure, what is left alone by the reason, others by their kind."""
        del problem  # nothing is read here that could have one
        return row_of(line, opened=opened)
