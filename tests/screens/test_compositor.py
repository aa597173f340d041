"""What is drawn is what Textual's own compositor draws, and nothing more is asked for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from textual._compositor import ChopsUpdate, Compositor
from textual.events import Resize
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tests.driver import MEDIUM, SMALL, OpenBench
from tests.settle import settle, until
from tests.specs import EXACT
from tui.screens.compositor import FrugalCompositor
from tui.widgets.form.parameter_form import ParameterForm

pytestmark = pytest.mark.painted

WALK = (
    *("tab", "right", "down", "minus", "plus", "c", "m", "m"),
    *("2", "n", "n", "3", "right_square_bracket", "w", "4", "right", "5", "down", "6", "down", "enter", "7"),
    *("1", "f", "down", "down", "escape", "question_mark", "pagedown", "escape", "ctrl+p", "escape"),
)
"""Keys that change corners, whole views, the form, and what lies above them."""


def drawn_in(update: ChopsUpdate | None) -> dict[tuple[int, int], Strip | None]:
    """The pieces of a paint that are within what changed, by line and column."""
    if update is None:
        return {}
    return {
        (y, x): piece
        for y, start, stop in update.spans
        for (x, piece), end in zip(update.chops[y].items(), update.chop_ends[y], strict=True)
        if x < stop and end > start
    }


@contextmanager
def held_against_textuals(patch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Draws each paint by Textual's own as well; yields how many pieces each of them had."""
    paint = FrugalCompositor.render_partial_update
    compared: list[int] = []

    def both(compositor: FrugalCompositor) -> ChopsUpdate | None:
        theirs = Compositor()
        theirs.__dict__ |= compositor.__dict__ | {"_dirty_regions": set(compositor._dirty_regions)}
        update = paint(compositor)
        pieces = drawn_in(update)
        assert pieces == drawn_in(theirs.render_partial_update())
        compared.append(len(pieces))
        return update

    with patch.context() as patched:
        patched.setattr(FrugalCompositor, "render_partial_update", both)
        yield compared


@pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=["80x24", "120x36"])
async def test_each_paint_is_textuals_own(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with open_bench(EXACT, size) as bench:
        with held_against_textuals(monkeypatch) as compared:
            await bench.press(*WALK)
            await bench.pilot.resize_terminal(size[0] - 7, size[1] - 3)
        assert len(compared) > len(WALK) / 2
        ours = bench.app.screen._compositor
        theirs = Compositor()
        theirs.__dict__ |= ours.__dict__
        assert ours.render_strips() == theirs.render_strips()


async def test_who_changes_nothing_is_not_asked(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[Widget] = Counter()
    render_lines = Widget.render_lines

    def count(widget: Widget, crop: Region) -> list[Strip]:
        asked[widget] += 1
        return render_lines(widget, crop)

    async with open_bench(EXACT) as bench:
        await bench.press("3", "1")
        monkeypatch.setattr(Widget, "render_lines", count)
        await bench.press("3")
        assert asked[bench.app.bench.view] <= 1
        form = bench.app.bench.query_one(ParameterForm)
        assert not [widget for widget in form.walk_children(Widget) if asked[widget]]


async def test_all_is_painted_anew_after_a_size_that_was_gone_at_once(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint = Compositor.render_full_update
    painted: list[Size] = []

    def count(compositor: Compositor, simplify: bool = False) -> object:
        painted.append(compositor.size)
        return paint(compositor, simplify)

    async with open_bench(EXACT) as bench:
        monkeypatch.setattr(Compositor, "render_full_update", count)
        for size in (Size(*SMALL), Size(*MEDIUM)):
            bench.app.post_message(Resize(size, size))
        await until(lambda: painted, "a paint of all")
        await settle(bench.pilot)
        assert painted[-1:] == [Size(*MEDIUM)]
        assert Size(*SMALL) not in painted, "it was there too long for what is tested"
