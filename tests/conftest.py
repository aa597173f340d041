"""Settings for every test, and the fixtures with which the program is opened and looked at.

Hypothesis never judges by the clock, and CI draws the same examples each time. Torch is imported where it
is needed: the process that only hands the tests out to others starts sooner without.
"""

from __future__ import annotations

import gc
import math
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from syrupy.assertion import SnapshotAssertion
from textual._compositor import Compositor
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.widgets import Input

from tests.driver import (
    Bench,
    LooksAsStored,
    OpenBench,
    OpenCheckpoint,
    OpenModule,
    checkpoint_opener,
    module_opener,
    opener,
)
from tests.settle import PATIENCE
from tests.snapshot_report import REPORT, Mismatch, SnapshotReport
from tests.svg_snapshot import SVGSnapshot
from tui.fusion.specs.block_spec import BlockSpec
from tui.idle_threads import let_idle_threads_sleep

if TYPE_CHECKING:
    from tests.held_study import HeldStudy
    from tui.fusion.block import ReparamBlock

settings.register_profile(
    "repfuse", deadline=None, max_examples=40, print_blob=True, derandomize="CI" in os.environ
)
settings.load_profile("repfuse")

# Of what collecting the tests makes, nearly all stays: to look for what does not was a fifth of its time.
gc.set_threshold(1_000_000)

MOST_WORKERS = 4
"""Where there are more cores, importing torch once more costs about what it saves."""
SNAPSHOT_REPORT = pytest.StashKey[SnapshotReport]()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many processes share the tests: none for single files, for each would first import torch."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    shared = cores > 1 and any(Path(argument).is_dir() for argument in config.args)
    return min(cores, MOST_WORKERS) if shared else 0


def pytest_configure(config: pytest.Config) -> None:
    """Share the cores out among the worker processes, where there are any; take all signals.

    A shell starts what it runs in the background with some ignored, and every program that a test starts
    would inherit that.
    """
    for name in ("SIGINT", "SIGQUIT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)
    config.stash[SNAPSHOT_REPORT] = SnapshotReport()
    config.pluginmanager.register(config.stash[SNAPSHOT_REPORT])
    if "PYTEST_XDIST_WORKER" in os.environ:
        import torch

        torch.set_num_threads(1)
        let_idle_threads_sleep()  # of the programs that the tests start


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives to the end, and some rounds: they took a quarter of the time."""
    gc.freeze()
    gc.set_threshold(100_000)


@pytest.fixture(autouse=True, scope="session")
def styles_parsed_once() -> Iterator[None]:
    """Each app parses the same style sheets, which was a tenth of the time to open one."""
    parse_rules = Stylesheet._parse_rules
    parsed: dict[tuple[object, ...], list[RuleSet]] = {}
    numbers: dict[tuple[object, ...], int] = {}
    last: tuple[dict[str, str], int] = {}, -1

    def number_of(variables: dict[str, str]) -> int:
        """The same for the same colours: hundreds of sheets are read with those of the sheet before."""
        nonlocal last
        if variables is not last[0]:
            last = variables, numbers.setdefault(tuple(variables.items()), len(numbers))
        return last[1]

    def rules_of(sheet: Stylesheet, css: str, *given: Any, **named: Any) -> list[RuleSet]:
        key = css, given, *sorted(named.items()), number_of(sheet._variables)
        if key not in parsed:
            parsed[key] = parse_rules(sheet, css, *given, **named)
        return parsed[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Stylesheet, "_parse_rules", rules_of)
        yield


@pytest.fixture(autouse=True, scope="session")
def rules_are_told_apart_fast() -> Iterator[None]:
    """Textual asks every rule's hash for each widget that it styles, in Python: a twentieth of an opening.

    Python's own hash is of the identity too.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(RuleSet, "__hash__", object.__hash__)
        yield


@pytest.fixture(autouse=True, scope="session")
def studies_run_at_once() -> Iterator[None]:
    """The threads of one test process do not stand back behind the other's."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tui.running.background.NICENESS", 0)
        yield


@pytest.fixture
def looks_as_stored(
    snapshot: SnapshotAssertion, request: pytest.FixtureRequest, pytestconfig: pytest.Config
) -> Iterator[LooksAsStored]:
    """Compares the screen with the picture stored for this test; what differs goes into the report.

    Where the test is marked with sizes, the terminal takes each of them in turn, first the one that it has.
    A test that takes pictures of several things names each.
    """
    snapshot = snapshot.use_extension(SVGSnapshot)
    marked = request.node.get_closest_marker("sizes")
    taken = 0

    async def compare(bench: Bench, named: str = "") -> None:
        nonlocal taken
        for size in sorted(marked.args, key=bench.app.size.__ne__) if marked else [bench.app.size]:
            await bench.resize(size)
            name = f"{size[0]}x{size[1]}" + (f".{taken}" if taken else "") if marked else named
            same = await bench.picture() == (snapshot(name=name) if name else snapshot)
            assert same, f"the screen is not as stored, see {REPORT.name}"
        taken += 1

    yield compare
    pytestconfig.stash[SNAPSHOT_REPORT].add(
        Mismatch(result.snapshot_name, str(result.recalled_data or ""), str(result.asserted_data))
        for result in snapshot.executions.values()
        if not result.success
    )


@pytest.fixture
def study_threads() -> Iterator[None]:
    """Lets no study run on into the next test."""
    yield
    for thread in threading.enumerate():
        if thread.name == "study":
            thread.join(PATIENCE)


@pytest.fixture
def unpainted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lays everything out and paints nothing but pictures, which was a fifth of the time of these tests.

    Those whose matter is what is painted, and when, are marked `painted`.
    """
    if request.node.get_closest_marker("painted"):
        return
    render_update = Compositor.render_update

    def render(compositor: Compositor, full: bool = False, **options: Any) -> object:
        if full:
            return render_update(compositor, full, **options)
        compositor._dirty_regions.clear()
        return None

    monkeypatch.setattr(Compositor, "render_update", render)


@pytest.fixture
def open_bench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, study_threads: None, unpainted: None
) -> OpenBench:
    """Opens the program, with a text cursor that does not blink and a short pause in typing."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _: None)
    monkeypatch.setattr("tui.screens.bench.screen.TYPING_PAUSE", 0.02)
    return opener(tmp_path / "settings.json")


@pytest.fixture
def open_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, study_threads: None, unpainted: None
) -> OpenCheckpoint:
    """Opens the program on a file, with cursors as in `open_bench` and no pause before a tensor is read."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _: None)
    monkeypatch.setattr("tui.screens.bench.screen.TYPING_PAUSE", 0.02)
    monkeypatch.setattr("tui.screens.checkpoint.screen.REST", 0.0)
    return checkpoint_opener(tmp_path / "settings.json")


@pytest.fixture
def open_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, study_threads: None, unpainted: None
) -> OpenModule:
    """Opens the program on a module, with cursors as in `open_bench`."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _: None)
    monkeypatch.setattr("tui.screens.bench.screen.TYPING_PAUSE", 0.02)
    return module_opener(tmp_path / "settings.json")


@pytest.fixture
def held(study_threads: None) -> Iterator[HeldStudy]:
    """A study function whose runs stand still until they are let go."""
    from tests.held_study import HeldStudy

    study = HeldStudy()
    yield study
    study.let_all_go()


@pytest.fixture
def odd_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of more than 1 x 1 gets a NaN and both infinities into its first kernel."""
    import torch

    from tui.fusion.fill import fill_block

    def fill(block: ReparamBlock, spec: BlockSpec) -> ReparamBlock:
        weight = next(iter(fill_block(block, spec).parameters()))
        with torch.no_grad():
            for place, value in enumerate((math.nan, math.inf, -math.inf)):
                weight[0, 0, 0, place] = value
        return block

    monkeypatch.setattr("tui.analysis.study.fill_block", fill)


@pytest.fixture(scope="module")
def without_onednn() -> Iterator[None]:
    """torch's own convolutions. oneDNN's are wrong in bfloat16 on CPUs with AMX, for a few shapes.

    Seen in torch 2.13: stride 2 to an output one pixel wide, 8 channels under a kernel 8 wide, narrow images.
    """
    import torch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.backends.mkldnn, "enabled", False)
        yield
