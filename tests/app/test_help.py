"""The help, the palette and the README against the keys that are really bound."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import format_key

import tui.screens
import tui.screens.dialogs
import tui.views
import tui.widgets
from tui.app import RepFuseApp
from tui.screens.bench.foot_keys import EVERYWHERE
from tui.screens.bench.screen import BenchScreen
from tui.screens.bench.views import VIEWS
from tui.screens.checkpoint.screen import CheckpointScreen
from tui.screens.commands import KEYS_APART, commands_of
from tui.screens.module.screen import ModuleScreen
from tui.screens.speed.screen import SpeedScreen
from tui.screens.sweep.screen import SweepScreen
from tui.views.checkpoint.compared_view import ComparedView
from tui.views.checkpoint.fused_view import FusedView
from tui.views.checkpoint.outline_view import OutlineView
from tui.views.checkpoint.ranges_view import RangesView
from tui.views.modules.modules_view import ModulesView
from tui.widgets.form.branch_list import BranchList
from tui.widgets.form.parameter_form import ParameterForm
from tui.widgets.help_line import HelpLine

TOLD_WHERE_THEY_ARE = {"choice.next", "choice.previous", "mistakes.down", "mistakes.up"}
"""Arrows in a field and in a list do what arrows do everywhere."""
NAMED_OTHERWISE = {
    *("outputs.tap-left", "outputs.tap-right", "outputs.tap-up", "outputs.tap-down", "probe.previous-row"),
    *("mistakes.map-before", "mistakes.map-next"),
}
"""By "arrows"; what shift does to tab, and that a map turns its channels like every grid, is known."""
README = Path(__file__).parents[2] / "README.md"


def bound() -> Iterator[Binding]:
    """The bindings with an id of every class of the program; dialogs say their keys themselves."""
    for package in (tui.screens, tui.views, tui.widgets):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            for found in vars(import_module(module.name)).values():
                if isinstance(found, type) and issubclass(found, DOMNode) and found.__module__ == module.name:
                    yield from (each for each in vars(found).get("BINDINGS", ()) if isinstance(each, Binding))
    yield from (each for each in RepFuseApp.BINDINGS if isinstance(each, Binding))


def all_lines() -> list[HelpLine]:
    """What the help says on each screen; what it says on both counts once."""
    screens = (BenchScreen, CheckpointScreen, ModuleScreen, SweepScreen, SpeedScreen)
    sections = [lines for screen in screens for lines in screen.help_sections().values()]
    return list(dict.fromkeys(line for section in sections for line in section))


def test_every_binding_has_its_line_in_the_help() -> None:
    ids = {binding.id for binding in bound() if binding.id} - {
        "app.help",
        "rounding.page-up",
        "rounding.page-down",
    }
    ids -= TOLD_WHERE_THEY_ARE
    told = Counter(name for line in all_lines() for name in line.bindings)
    walks = {f"probe.{name}" for name in ("left", "right", "up", "down")}  # as in a grid
    assert ids - set(told) - walks == set()
    assert set(told) - ids == set(), "the help tells of what is not bound"
    assert [name for name, count in told.items() if count > 1] == []


def test_no_binding_escapes_the_help_for_want_of_an_id() -> None:
    said_where_they_are = {"leave"}  # by the prompt for a number, as dialogs say their keys
    of_dialogs = {
        binding.action
        for module in walk_packages(tui.screens.dialogs.__path__, "tui.screens.dialogs.")
        for found in vars(import_module(module.name)).values()
        if isinstance(found, type)
        for binding in vars(found).get("BINDINGS", ())
        if isinstance(binding, Binding)
    }
    unnamed = {binding.action for binding in bound() if not binding.id}
    assert unnamed - of_dialogs == said_where_they_are


def test_a_line_names_a_key_of_each_of_its_bindings() -> None:
    keys = {binding.id: binding.key.split(",") for binding in bound()}
    for line in all_lines():
        text = f"{line.keys} {line.words}"
        for name in set(line.bindings) - NAMED_OTHERWISE:
            names = [word for key in keys[name] for word in (key, format_key(key))]
            known = any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in names)
            assert known or "arrows" in text or "page" in text, (name, names, text)


def test_every_command_of_the_bench_is_a_binding_or_has_none() -> None:
    for screen in (BenchScreen, CheckpointScreen, ModuleScreen, SweepScreen):
        described = [binding.description for binding in screen.BINDINGS if isinstance(binding, Binding)]
        assert all(described)
        assert len(set(described)) == len(described)


def test_the_keys_of_the_readme_are_bound() -> None:
    table = README.read_text(encoding="utf-8").split("## Keys\n\n")[1].split("\n\n")[0]
    named = re.findall(r"`([^`]+)`", " ".join(row.split("|")[1] for row in table.splitlines()[2:]))
    keys = {format_key(key) for binding in bound() for key in binding.key.split(",")} | {"^p"}
    shown = {"ctrl+p": "^p"}
    assert [key for key in named if shown.get(key, key) not in keys] == []


def test_every_key_of_the_foot_is_bound() -> None:
    ids = {binding.id for binding in bound() if binding.id}
    of_textual = {"tab", "enter", "space", "left", "right", "up", "down"}
    told = [*(view.load().FOOT_KEYS for view in VIEWS), ParameterForm.FOOT_KEYS, BranchList.FOOT_KEYS]
    told += [OutlineView.FOOT_KEYS, FusedView.FOOT_KEYS, ComparedView.FOOT_KEYS, RangesView.FOOT_KEYS]
    told += [ModuleScreen.EVERYWHERE, ModulesView.FOOT_KEYS]
    told += [EVERYWHERE, CheckpointScreen.EVERYWHERE, SweepScreen.EVERYWHERE, SpeedScreen.EVERYWHERE]
    named = [name for keys in told for key in keys for name in key.bindings]
    assert set(named) - ids <= of_textual


def test_the_palette_tells_the_key_of_each_command() -> None:
    app = RepFuseApp()
    titles = [command.title for command in commands_of(app)]
    assert f"Help{KEYS_APART}?" in titles
    assert f"Quit{KEYS_APART}q" in titles
