"""The line of keys, made anew only when it would say something else."""

from __future__ import annotations

from textual.screen import Screen
from textual.widgets import Footer


class SteadyFooter(Footer):
    """A Footer that ignores changes of focus which leave the shown keys as they are.

    Textual's own replaces all its widgets at every change of focus, which takes longer than all else that
    follows a tab.
    """

    _shown: object = None

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Take over the keys of the screen, where they differ from those that stand here."""
        shown = [
            (binding.key, binding.description, enabled, tooltip)
            for _, binding, enabled, tooltip in screen.active_bindings.values()
            if binding.show
        ]
        if shown != self._shown:
            self._shown = shown
            super().bindings_changed(screen)
