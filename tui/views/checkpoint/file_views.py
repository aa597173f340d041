"""The views of a checkpoint or a module, one of them in sight: the tree, and what was found out about it."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from textual.app import ComposeResult
from textual.widgets import ContentSwitcher

from tui.views.checkpoint.items_view import ItemsView
from tui.views.shared.tree_view import TreeView

AnyTree = TypeVar("AnyTree", bound=TreeView[Any, Any])
AnyView = TypeVar("AnyView", bound=ItemsView)
TREE = "outline"
"""The id that the tree has to have."""


class FileViews(ContentSwitcher, Generic[AnyTree]):
    """Begins at the tree; each other view is made when it is first needed."""

    DEFAULT_CSS = """
    FileViews { width: 1fr; height: 1fr; }
    FileViews TreeView { width: 1fr; height: 1fr; }
    """

    def __init__(self, tree_view: AnyTree, *, id: str | None = None) -> None:
        super().__init__(id=id, initial=TREE)
        self.tree_view = tree_view

    def compose(self) -> ComposeResult:
        """The tree."""
        yield self.tree_view

    @property
    def at_the_tree(self) -> bool:
        """Whether that is in sight."""
        return self.current == TREE

    @property
    def in_sight(self) -> AnyTree | ItemsView:
        """The one that is shown."""
        asides = self.query_children(ItemsView)
        return next((view for view in asides if view.id == self.current), self.tree_view)

    def there(self, kind: type[AnyView]) -> AnyView | None:
        """The view of that kind; None where it was not needed yet."""
        found = self.query_children(kind)
        return found.first() if found else None

    async def made(self, kind: type[AnyView]) -> AnyView:
        """The view of that kind, in sight or not."""
        found = self.there(kind)
        if found is None:
            found = kind(id=kind.TITLE)
            found.display = False
            await self.mount(found)
        return found

    def show(self, view: TreeView[Any, Any] | ItemsView) -> None:
        """Have that one in sight, with the focus."""
        self.current = view.id
        view.focus_content()

    def forget(self) -> None:
        """Be at an empty tree, as for another file."""
        self.current = TREE
        for view in self.query_children(ItemsView):
            view.remove()
        self.tree_view.clear()
