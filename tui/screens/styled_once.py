"""StyledOnce: a screen whose widgets are styled once before its first paint, and not twice."""

from __future__ import annotations

from textual.events import ScreenResume


class StyledOnce:
    """For the bases of a screen. Textual styles a screen that comes in sight, be it new or not."""

    _was_in_sight = False

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Style nothing again that was styled when it was mounted, a moment ago."""
        event.refresh_styles &= self._was_in_sight
        self._was_in_sight = True
