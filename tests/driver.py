"""The program under test: what a person does to it, and what it shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partialmethod
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from unittest.mock import patch

from rich.console import Console
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Key, Resize
from textual.geometry import Size
from textual.pilot import Pilot
from textual.widgets import Static

from tests.settle import settle, until
from tests.speed_reports import FINISHED
from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations
from tui.analysis.deferred import deferred_study
from tui.analysis.speed.conditions import CPU, Conditions
from tui.analysis.speed.report import SpeedReport
from tui.analysis.speed.to_time import time_them as timed
from tui.analysis.subject import Subject
from tui.analysis.sweep.running import sweep as points_of
from tui.app import RepFuseApp
from tui.checkpoints.choosing.to_open import ToOpen
from tui.checkpoints.contents import Checkpoint
from tui.fusion.specs.block_spec import BlockSpec
from tui.running.measuring import MeasureFunction
from tui.running.run_state import Idle, RunState
from tui.running.speed_table import TimeThemFunction
from tui.running.studying import StudyFunction
from tui.running.sweep import SweepFunction
from tui.screens.bench.study_views import StudyViews
from tui.screens.checkpoint.screen import CheckpointScreen
from tui.terminal.colour_depth import ColourDepth
from tui.views.checkpoint.items_view import ItemsView
from tui.views.kernels.view import KernelsView
from tui.widgets.form.parameter_form import ParameterForm
from tui.widgets.form.value_input import ValueInput
from tui.widgets.grid.heat_grid import HeatGrid

if TYPE_CHECKING:
    from tui.analysis.study import Study
    from tui.modules.looking import LookedAt
    from tui.screens.comparing.screen import ComparingScreen
    from tui.screens.module.screen import ModuleScreen

CHARACTERS = {"question_mark": "?", "slash": "/", "plus": "+", "minus": "-", "space": " "}
"""Of the keys with a longer name that type something."""

SMALL = (80, 24)
MEDIUM = (120, 36)
LARGE = (200, 50)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, one after the other. (Pilot.press waits for an idle processor, twice a key.)"""
    for key in keys:
        pilot.app.post_message(Key(key, CHARACTERS.get(key, key if len(key) == 1 else None)))
        await settle(pilot)


def burst(app: App[None], *keys: str) -> None:
    """Press keys as fast as nobody can, none of them handled before the last is pressed."""
    for key in keys:
        app.post_message(Key(key, CHARACTERS.get(key, key if len(key) == 1 else None)))


class Bench:
    """A running RepFuseApp."""

    def __init__(self, app: RepFuseApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait for the condition, and for all that follows from it."""
        await until(condition, what)
        await settle(self.pilot)

    async def reach(self, state: type[RunState]) -> None:
        """Wait until the app is in that state; Idle means with the result of the form's spec."""
        await self.until(lambda: self._is(state), f"{state.__name__}, but {self.app.run_state}")

    def _is(self, state: type[RunState]) -> bool:
        if not isinstance(self.app.run_state, state):
            return False
        return state is not Idle or (self.app.study is not None and self.app.study.spec == self.form.spec)

    async def picture(self) -> str:
        """The screen as an SVG, once nothing changes any more."""
        await settle(self.pilot)
        with patch.object(Console, "export_svg", partialmethod(Console.export_svg, unique_id="terminal-0")):
            return self.app.export_screenshot(simplify=True)  # rich takes a seventh of it to find a name

    async def resize(self, size: tuple[int, int]) -> None:
        """Give the terminal another size. (Pilot.resize_terminal waits for an idle processor.)"""
        if size != self.app.size:
            driver = self.app._driver
            assert isinstance(driver, HeadlessDriver)
            driver._size = Size(*size)
            self.app.post_message(Resize(driver._size, driver._size))
            await self.until(lambda: self.app.screen.outer_size == size, f"{size}")

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await press(self.pilot, *keys)

    async def burst(self, *keys: str) -> None:
        """Press keys without any pause between them, and wait for all that follows."""
        burst(self.app, *keys)
        await settle(self.pilot)

    async def go_to_fused(self) -> None:
        """Put the focus on the fused kernel's grid; it starts on the first branch's."""
        self.grids[-1].focus()
        await settle(self.pilot)

    async def enter(self, field: str, text: str) -> None:
        """Go to a field of the form and type over what it holds; no key follows."""
        self.app.bench.action_form()
        self.app.bench.query_one(f"#{field}", ValueInput).focus()
        await settle(self.pilot)
        await self.press("ctrl+u", *text)

    async def quit(self) -> None:
        """Press q, and wait until the app has let its last widget go."""
        self.app.post_message(Key("q", "q"))
        await until(lambda: not self.app.is_running, "quit")

    def text(self, selector: str) -> str:
        """The words of a Static on the bench."""
        return str(self.app.bench.query_one(selector, Static).content)

    @property
    def form(self) -> ParameterForm:
        """The form."""
        return self.app.bench.query_one(ParameterForm)

    @property
    def views(self) -> StudyViews:
        """The views of the study."""
        return self.app.bench.query_one(StudyViews)

    @property
    def kernels(self) -> KernelsView:
        """The view of the kernels."""
        return self.app.bench.query_one(KernelsView)

    @property
    def grids(self) -> list[HeatGrid]:
        """All grids in order, the fused kernel's last."""
        return [panel.grid for panel in self.kernels.panels]


def made_up(_: Study, conditions: Conditions) -> Iterator[SpeedReport]:
    """What tests that do not care for speed measure: the same everywhere, and at once."""
    yield replace(FINISHED, conditions=conditions)


class LooksAsStored(Protocol):
    """Compares the screen with the stored picture, of that name if the test takes several."""

    def __call__(self, bench: Bench, named: str = ...) -> Awaitable[None]: ...


class OpenBench(Protocol):
    """Opens the program on this block, by default at its result."""

    def __call__(
        self,
        spec: BlockSpec,
        size: tuple[int, int] = ...,
        *,
        alterations: Alterations = ...,
        compared: Subject | None = ...,
        study: StudyFunction = ...,
        measure: MeasureFunction = ...,
        sweep: SweepFunction = ...,
        reach: type[RunState] = ...,
        depth: ColourDepth = ...,
        encoding: str = ...,
    ) -> AbstractAsyncContextManager[Bench]: ...


def opener(settings_path: Path) -> OpenBench:
    """Benches that keep their settings in this file, never in the user's own; no start is the first one."""
    if not settings_path.exists():
        settings_path.write_text("{}", encoding="utf-8")

    @asynccontextmanager
    async def opened(
        spec: BlockSpec,
        size: tuple[int, int] = MEDIUM,
        *,
        alterations: Alterations = NOTHING_ALTERED,
        compared: Subject | None = None,
        study: StudyFunction = deferred_study,
        measure: MeasureFunction = made_up,
        sweep: SweepFunction = points_of,
        reach: type[RunState] = Idle,
        depth: ColourDepth = ColourDepth.FULL,
        encoding: str = "utf-8",
    ) -> AsyncIterator[Bench]:
        app = RepFuseApp(
            spec,
            alterations,
            compared=compared,
            study=study,
            measure=measure,
            sweep=sweep,
            settings_path=settings_path,
            depth=depth,
            encoding=encoding,
        )
        async with app.run_test(size=size) as pilot:
            bench = Bench(app, pilot)
            await bench.reach(reach)
            yield bench

    return opened


class TreeBench(Bench):
    """A running RepFuseApp that began on a tree of blocks."""

    @property
    def screen(self) -> ComparingScreen:
        """The tree's screen, in sight or not."""
        raise NotImplementedError

    def head(self, kind: type[ItemsView]) -> str:
        """The summary over the list of that view."""
        return str(self.screen.query_one(kind).query_one(".items-head").render())

    @property
    def lines(self) -> list[str]:
        """The paths of the tree's lines, as far as it is unfolded, from the top."""
        return [line.node.path for line in self.screen.outline._lines]

    @property
    def here(self) -> str:
        """The path under the cursor."""
        line = self.screen.outline.line
        return line.node.path if line else ""

    @property
    def is_at_the_tree(self) -> bool:
        """Whether the tree is in sight, and not the bench."""
        return self.app.screen is self.screen

    def words(self, selector: str) -> str:
        """The words of a Static on the tree's screen."""
        return str(self.screen.query_one(selector, Static).content)

    async def go_to(self, path: str) -> None:
        """Put the cursor to a line that is unfolded."""
        self.screen.outline.rows.cursor = self.lines.index(path)
        await settle(self.pilot)

    async def result(self) -> Study:
        """Wait for the result of the block on the bench."""
        await self.until(
            lambda: (
                self.app._bench is not None
                and self.app.study is not None
                and self.app.study.subject == self.app.bench.subject
            )
        )
        assert self.app.study is not None
        return self.app.study


class CheckpointBench(TreeBench):
    """A running RepFuseApp that began on a checkpoint."""

    @property
    def screen(self) -> CheckpointScreen:
        """The checkpoint's."""
        place = self.app._checkpoint
        assert place is not None
        return place

    async def read(self) -> None:
        """Wait until what is under the cursor has been read."""
        await self.until(lambda: "NaN" in self.words("#detail-words"))


class ModuleBench(TreeBench):
    """A running RepFuseApp that began on a module."""

    @property
    def screen(self) -> ModuleScreen:
        """The module's."""
        place = self.app._module
        assert place is not None
        return place


class OpenModule(Protocol):
    """Opens the program on what was found in a module."""

    def __call__(
        self,
        looked: LookedAt,
        size: tuple[int, int] = ...,
        *,
        given: Path | Checkpoint | None = ...,
        device: str = ...,
        time_them: TimeThemFunction = ...,
    ) -> AbstractAsyncContextManager[ModuleBench]: ...


def module_opener(settings_path: Path) -> OpenModule:
    """As `opener`."""
    settings_path.write_text("{}", encoding="utf-8")

    @asynccontextmanager
    async def opened(
        looked: LookedAt,
        size: tuple[int, int] = MEDIUM,
        *,
        given: Path | Checkpoint | None = None,
        device: str = CPU,
        time_them: TimeThemFunction = timed,
    ) -> AsyncIterator[ModuleBench]:
        app = RepFuseApp(
            module=looked, given=given, device=device, time_them=time_them, settings_path=settings_path
        )
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            yield ModuleBench(app, pilot)

    return opened


class OpenCheckpoint(Protocol):
    """Opens the program on this file, by default when its blocks are found."""

    def __call__(
        self,
        path: Path,
        size: tuple[int, int] = ...,
        *,
        given: Path | Checkpoint | None = ...,
        eps: float | None = ...,
        found: bool = ...,
        depth: ColourDepth = ...,
        device: str = ...,
        time_them: TimeThemFunction = ...,
    ) -> AbstractAsyncContextManager[CheckpointBench]: ...


def checkpoint_opener(settings_path: Path) -> OpenCheckpoint:
    """As `opener`."""
    settings_path.write_text("{}", encoding="utf-8")

    @asynccontextmanager
    async def opened(
        path: Path,
        size: tuple[int, int] = MEDIUM,
        *,
        given: Path | Checkpoint | None = None,
        eps: float | None = None,
        found: bool = True,
        depth: ColourDepth = ColourDepth.FULL,
        device: str = CPU,
        time_them: TimeThemFunction = timed,
    ) -> AsyncIterator[CheckpointBench]:
        app = RepFuseApp(
            to_open=ToOpen(path, given, eps=eps),
            device=device,
            time_them=time_them,
            settings_path=settings_path,
            depth=depth,
        )
        async with app.run_test(size=size) as pilot:
            bench = CheckpointBench(app, pilot)
            if found:
                await bench.until(lambda: bench.screen.listing and bench.screen.listing.recognition)
            yield bench

    return opened
