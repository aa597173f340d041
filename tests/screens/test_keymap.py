"""The user's own keys: taken from the settings, told in foot, help and palette, and refused where wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.app.test_help import TOLD_WHERE_THEY_ARE, bound
from tests.driver import OpenBench
from tests.specs import EXACT
from tui.app import RepFuseApp
from tui.screens.binding_ids import binding_ids
from tui.screens.dialogs.help import HelpScreen
from tui.screens.keymap import checked_keymap, is_key
from tui.themes import DARK, LIGHT
from tui.widgets.word_row import WordRow


@pytest.mark.parametrize(
    "key", ["r", "R", "+", "ctrl+r", "f5", "escape", "question_mark", "shift+left", "alt+x", "ctrl+f5", "é"]
)
def test_a_key(key: str) -> None:
    assert is_key(key)


@pytest.mark.parametrize("key", ["", "rr", "control+r", "F5 ", "ctrl+", "no such key", "ctrl+rr"])
def test_not_a_key(key: str) -> None:
    assert not is_key(key)


def test_entries_that_are_wrong_are_told_and_the_others_taken() -> None:
    keymap = {"bench.run": "f5, ctrl+r", "bench.rum": "f6", "app.quit": "quit", "app.theme": "T"}
    taken, faults = checked_keymap(keymap, {"bench.run", "app.quit", "app.theme"})
    assert taken == {"bench.run": "f5,ctrl+r", "app.theme": "T"}
    assert faults == (
        "'bench.rum' is ignored: there is no such binding; did you mean bench.run?",
        "'app.quit' is ignored: 'quit' is not a key, as f5 or ctrl+r is",
    )


def test_every_binding_can_be_named() -> None:
    ids = {binding.id for binding in bound() if binding.id}
    assert ids - TOLD_WHERE_THEY_ARE - {"rounding.page-up", "rounding.page-down"} <= binding_ids() | {
        f"probe.{name}" for name in ("left", "right", "up", "down")
    }


async def test_a_key_of_ones_own_works_and_is_told(
    open_bench: OpenBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(RepFuseApp, "notify", lambda _, message, **__: told.append(message))
    values = {"keymap": {"app.theme": "f5", "no.such": "f6"}, "reduced_motion": True}
    (tmp_path / "settings.json").write_text(json.dumps(values))
    async with open_bench(EXACT) as bench:
        assert told == ["'no.such' is ignored: there is no such binding"]
        assert bench.app.animation_level == "none"
        await bench.press("t")
        assert bench.app.theme == DARK.name
        await bench.press("f5")
        assert bench.app.theme == LIGHT.name
        titles = [command.title for command in bench.app.get_system_commands(bench.app.screen)]
        assert any(title.startswith("Dark or light") and title.endswith("f5") for title in titles)
        await bench.press("question_mark")
        assert isinstance(bench.app.screen, HelpScreen)
        words = [str(row.query_one(".meaning").render()) for row in bench.app.screen.query(WordRow)]
        assert any("your keys: f5 for app.theme" in each for each in words)
    saved = json.loads((tmp_path / "settings.json").read_text())
    assert saved == values | {"theme": LIGHT.name}
