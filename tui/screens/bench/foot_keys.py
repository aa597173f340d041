"""The keys that the foot of the bench tells of wherever one is."""

from __future__ import annotations

from tui.widgets.foot_key import FootKey, ShownKey

EVERYWHERE: tuple[FootKey, ...] = (
    FootKey("run", ("bench.run",)),
    FootKey("import", ("bench.import",)),
    FootKey("undo", ("bench.undo",)),
    FootKey("export", ("bench.export",)),
    FootKey("presets", ("app.presets",)),
    FootKey("form", ("bench.form",)),
    FootKey("back to the file", ("bench.back",)),
    FootKey("keys", ("app.help",)),
    FootKey("quit", ("app.quit",)),
)
"""What works in every place, the most useful last."""
BACK = ("bench.back",)
FEW_COLUMNS = 56
"""In fewer, the way back in all its words leaves the keys of the place no room."""
WELCOME: tuple[ShownKey, ...] = (
    ShownKey("walks through it step by step", ("2",), ("2",)),
    ShownKey("breaks it on purpose", ("6",), ("6",)),
    ShownKey("all keys", ("question_mark",), ("?",)),
)
"""What somebody reads who starts the program for the first time."""


def everywhere(way_back: str, columns: int) -> tuple[FootKey, ...]:
    """Those of every place, with these words for going back to where the block was opened.

    In few columns the way back is a word, and stands for the way out: the place's own keys have room then.
    """
    if way_back and columns < FEW_COLUMNS:
        few = (key._replace(words="back") if key.bindings == BACK else key for key in EVERYWHERE)
        return tuple(key for key in few if key.bindings != ("app.quit",))
    return tuple(
        key._replace(words=way_back) if key.bindings == BACK and way_back else key for key in EVERYWHERE
    )
