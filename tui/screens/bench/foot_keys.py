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
WELCOME: tuple[ShownKey, ...] = (
    ShownKey("walks through it step by step", ("2",), ("2",)),
    ShownKey("breaks it on purpose", ("6",), ("6",)),
    ShownKey("all keys", ("question_mark",), ("?",)),
)
"""What somebody reads who starts the program for the first time."""


def everywhere(way_back: str) -> tuple[FootKey, ...]:
    """Those of every place, with these words for going back to where the block was opened."""
    return tuple(
        key._replace(words=way_back) if key.bindings == ("bench.back",) and way_back else key
        for key in EVERYWHERE
    )
