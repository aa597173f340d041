"""Random keys, bursts, clicks and resizes for the running program, the same for the same seed."""

from __future__ import annotations

import random
import time

from textual.events import MouseDown, MouseMove, MouseUp, Resize
from textual.geometry import Size

from tests.driver import Bench, burst
from tests.settle import settle

KEYS = [
    *"123456", *"hjklnNwcmzfbBsaxprutUS0edqy?[],.<>-+", *"0123456789", "x", "i", "A",
    "left", "right", "up", "down", "pageup", "pagedown", "home", "end", "enter", "escape", "tab", "shift+tab",
    "space", "backspace", "delete", "shift+up", "shift+down", "shift+left", "shift+right", "ctrl+u", "ctrl+y",
]  # fmt: skip
PATIENCE = 60.0
"""Many inputs may wait for their turn."""
NEVER = {"q"}
"""It ends the program, as it should."""
NAMES = {
    "?": "question_mark", "[": "left_square_bracket", "]": "right_square_bracket", ",": "comma",
    ".": "full_stop", "<": "less_than_sign", ">": "greater_than_sign", "-": "minus", "+": "plus",
}  # fmt: skip


async def _stay() -> None:
    """Quit not."""


class RandomInput:
    """Acts on a bench; `acts` holds what was done, so that a failure can be told."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self._bench = bench
        self._random = random.Random(seed)
        self.acts: list[str] = []
        self.longest = 0.0
        # The foot's "q quit" can be clicked too, wherever it stands just then.
        bench.app.action_quit = _stay  # type: ignore[method-assign]

    async def act(self, count: int) -> None:
        """Do so many things."""
        for _ in range(count):
            start = time.perf_counter()
            act = self._random.choices([self._keys, self._click, self._resize], [12, 4, 1])[0]
            act()
            if self._random.random() < 0.5:
                await settle(self._bench.pilot, PATIENCE)
            self.longest = max(self.longest, time.perf_counter() - start)
            assert self._bench.app.is_running, self.acts[-12:]

    def _keys(self) -> None:
        keys = [
            NAMES.get(key, key) for key in self._random.choices(KEYS, k=self._random.choice([1, 1, 2, 5]))
        ]
        keys = [key for key in keys if key not in NEVER]
        self.acts.append(" ".join(keys))
        burst(self._bench.app, *keys)

    def _click(self) -> None:
        app = self._bench.app
        x, y = self._random.randrange(app.size.width), self._random.randrange(app.size.height)
        self.acts.append(f"click {x},{y}")
        for kind in self._random.choice(
            [(MouseMove, MouseDown, MouseUp), (MouseDown, MouseUp) * 2, (MouseMove,)]
        ):
            button = 0 if kind is MouseMove else 1
            app.post_message(kind(None, x, y, 0, 0, button, False, False, False, screen_x=x, screen_y=y))

    def _resize(self) -> None:
        size = Size(self._random.randint(5, 250), self._random.randint(3, 70))
        self.acts.append(f"resize {size.width}x{size.height}")
        self._bench.app.post_message(Resize(size, size))


async def leave_dialogs(bench: Bench) -> None:
    """Go back to the bench, outside of any field."""
    for _ in range(6):
        await bench.burst("escape")
    for _ in range(6):
        if len(bench.app.screen_stack) == 1:
            return
        bench.app.screen.dismiss(None)
        await bench.picture()
    raise AssertionError(f"dialogs that do not close: {bench.app.screen_stack}")
