"""The line of keys of a program whose terminal, or browser, is not in focus when it starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import AppBlur, AppFocus

from tests.held_study import HeldStudy
from tests.settle import settle
from tui.app import RepFuseApp
from tui.screens.bench.screen import BenchScreen
from tui.widgets.foot import Foot


@pytest.mark.parametrize("told", ["before the bench is there", "while the bench is mounted"])
async def test_the_keys_are_shown_when_the_program_starts_without_focus(
    held: HeldStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    (tmp_path / "settings.json").write_text("{}", encoding="utf-8")
    app = RepFuseApp(study=held, settings_path=tmp_path / "settings.json")
    if told == "before the bench is there":
        app.set_reactive(RepFuseApp.app_focus, False)
    else:
        begin = BenchScreen.on_mount

        def blurred(screen: BenchScreen) -> None:
            begin(screen)
            app.post_message(AppBlur())

        monkeypatch.setattr(BenchScreen, "on_mount", blurred)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert not app.app_focus
        for _ in range(2):
            shown = [key.words for key in app.bench.query_one(Foot).everywhere]
            assert {"keys", "quit"} <= set(shown)
            app.post_message(AppFocus())
            await settle(pilot)
