from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tui.settings import Settings, settings_in_words, settings_path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def test_a_missing_file_is_no_fault(path: Path) -> None:
    assert Settings.load(path) == (Settings(), None)


def test_what_is_saved_is_loaded(path: Path) -> None:
    assert Settings(theme="nord").save(path) is None
    assert Settings.load(path) == (Settings(theme="nord"), None)
    assert Settings(theme=None).save(path) is None
    assert Settings.load(path) == (Settings(), None)


def test_saving_makes_the_folder_and_leaves_nothing_else_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "settings.json"
    assert Settings(theme="nord").save(path) is None
    assert os.listdir(path.parent) == ["settings.json"]  # noqa: PTH208


def test_keys_of_a_later_version_survive(path: Path) -> None:
    path.write_text('{"later": [1, {"x": null}], "theme": "old"}', encoding="utf-8")
    assert Settings(theme="nord").save(path) is None
    assert json.loads(path.read_text(encoding="utf-8")) == {"later": [1, {"x": None}], "theme": "nord"}


def test_a_byte_order_mark_is_read_over(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf{"theme": "nord"}')
    assert Settings.load(path) == (Settings(theme="nord"), None)


BROKEN = {
    "no JSON": b'{"theme": ',
    "empty": b"",
    "not UTF-8": b'{"theme": "\xff"}',
    "nested too deeply": b"[" * 100_000,
    "an object": b"[1, 2]",
    "digits": b'{"theme": ' + b"1" * 5000 + b"}",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_reported_ignored_and_kept(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    settings, message = Settings.load(path)
    assert settings == Settings()
    assert message is not None
    assert message.startswith(f"{path} is ignored: ")
    message = Settings(theme="nord").save(path)
    assert message is not None
    assert message.startswith(f"settings are not saved to {path}: ")
    assert path.read_bytes() == content


@pytest.mark.parametrize("theme", ["3", "true", '["nord"]', "{}"])
def test_a_theme_that_is_no_text_is_reported_and_can_be_replaced(path: Path, theme: str) -> None:
    path.write_text(f'{{"theme": {theme}}}', encoding="utf-8")
    settings, message = Settings.load(path)
    assert settings == Settings()
    assert message is not None
    assert '"theme"' in message
    assert Settings(theme="nord").save(path) is None
    assert Settings.load(path) == (Settings(theme="nord"), None)


def test_a_folder_in_the_place_of_the_file(path: Path) -> None:
    path.mkdir()
    settings, message = Settings.load(path)
    assert settings == Settings()
    assert message is not None
    assert str(path) in message
    assert Settings().save(path) is not None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    assert "ordinary" in (Settings.load(path)[1] or "")


def test_no_permission_to_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("{}", encoding="utf-8")

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    assert Settings.load(path) == (Settings(), f"{path} is ignored: Permission denied")


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    message = Settings(theme="nord").save(tmp_path / "file" / "settings.json")
    assert message is not None
    assert "not saved" in message


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Settings(theme="old").save(path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    assert "No space left" in (Settings(theme="new").save(path) or "")
    assert list(path.parent.iterdir()) == [path]
    assert Settings.load(path)[0].theme == "old"


def test_a_link_to_the_file_stays_a_link(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}", encoding="utf-8")
    path.symlink_to(real)
    assert Settings(theme="nord").save(path) is None
    assert path.is_symlink()
    assert Settings.load(real)[0].theme == "nord"


def test_a_link_in_a_circle_is_reported(path: Path) -> None:
    path.symlink_to(path)
    assert Settings.load(path)[1] is not None
    assert Settings().save(path) is not None


def test_the_users_own_file_is_named_after_the_program() -> None:
    assert settings_path().parts[-2:] == ("repfuse-tui", "settings.json")


def test_keys_and_motion_are_loaded_and_stay_when_the_theme_is_saved(path: Path) -> None:
    path.write_text('{"keymap": {"bench.run": "f5"}, "reduced_motion": true}', encoding="utf-8")
    settings, fault = Settings.load(path)
    assert (settings, fault) == (Settings(None, {"bench.run": "f5"}, True), None)
    assert Settings(theme="nord").save(path) is None
    assert Settings.load(path)[0] == Settings("nord", {"bench.run": "f5"}, True)


@pytest.mark.parametrize(
    ("values", "kept", "word"),
    [
        ({"theme": 5, "reduced_motion": True}, Settings(reduced_motion=True), "theme"),
        ({"theme": "nord", "reduced_motion": "yes"}, Settings("nord"), "reduced_motion"),
        ({"theme": "nord", "keymap": ["f5"]}, Settings("nord"), "keymap"),
        ({"theme": "nord", "keymap": {"bench.run": 5}}, Settings("nord"), "keymap"),
    ],
)
def test_a_wrong_entry_is_reported_and_the_others_are_taken(
    path: Path, values: object, kept: Settings, word: str
) -> None:
    path.write_text(json.dumps(values), encoding="utf-8")
    settings, message = Settings.load(path)
    assert settings == kept
    assert message is not None
    assert f'"{word}" must be' in message


def test_the_settings_in_words(path: Path) -> None:
    assert settings_in_words(path).splitlines()[0] == f"file            {path}  (not there yet)"
    path.write_text('{"theme": "a\\u001b[31m", "keymap": {"bench.run": "f5"}, "reduced_motion": 1}', "utf-8")
    text = settings_in_words(path)
    assert "keymap bench.run  f5\n" in text
    assert "\x1b" not in text
    assert text.endswith('"reduced_motion" must be true or false\n')
