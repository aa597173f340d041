"""The line of keys, made anew only when it would say something else."""

from __future__ import annotations

from textual.screen import Screen
from textual.widgets import Footer


class SteadyFooter(Footer):
    """A Footer that ignores changes of focus which leave the shown keys as they are.

    Textual's own replaces all its widgets at every change of focus, which takes longer than all else that
    follows a tab. And it draws nothing while the terminal is not in focus: a program that starts so, as in
    every browser, has to show its keys all the same.
    """

    _shown: object = None

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Take over the keys of the screen, where they differ from those that are shown here."""
        shown = [
            (binding.key, binding.description, enabled, tooltip)
            for _, binding, enabled, tooltip in screen.active_bindings.values()
            if binding.show
        ]
        in_focus = screen.app.app_focus
        stays = self._shown is not None and not in_focus  # till the focus is back where it was
        if shown == self._shown or stays or not self.is_attached or screen is not self.screen:
            return
        self._shown = shown
        # Footer would hold on to every key that it ever showed, as a watcher of `compact`: a change of that
        # is when Textual drops the watchers that are gone.
        self.mutate_reactive(Footer.compact)
        super().bindings_changed(screen)
        if not in_focus:
            self.call_after_refresh(self.recompose)
