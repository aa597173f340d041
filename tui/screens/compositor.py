"""FrugalCompositor: draws of the screen what changed, and of what lies behind something else nothing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

from textual._compositor import ChopsUpdate, Compositor, ReflowResult
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

Span = tuple[int, int, int]
"""A line of the screen, and from which column to which; the last is not in it."""


class FrugalCompositor(Compositor):
    """Paints what Textual's own does, cell by cell, and asks fewer widgets for it.

    Textual's draws every widget within the rectangle around all that changed, from front to back: with the
    tabs at the top and the keys at the foot that is the whole form and each container, for every key. Here a
    widget is asked for the lines in which it is the foremost of something that changed.
    """

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        """Lay it all out; once, where Textual's does not take its own map for whole, and makes another."""
        result = super().reflow(parent, size)
        self._full_map_invalidated = False
        return result

    def render_partial_update(self) -> ChopsUpdate | None:
        """What changed since the last time, or None where nothing did."""
        screen = self.size.region
        changed = [region.intersection(screen) for region in self._dirty_regions]
        self._dirty_regions.clear()
        spans = list(self._regions_to_spans(filter(None, changed)))
        if not spans:
            return None
        return ChopsUpdate(self._drawn(spans), spans, [cuts[1:] for cuts in self.cuts])

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        inside = crop.intersection(self.size.region)
        return self._drawn((y, inside.x, inside.right) for y in inside.line_range if is_rendered_line(y))

    def _drawn(self, spans: Iterable[Span]) -> Sequence[Mapping[int, Strip]]:
        """Each line of the screen in pieces by the column at which they start; drawn are those within a span.

        A piece goes from one border of any widget to the next (`cuts`).
        """
        cuts = self.cuts
        drawn: list[dict[int, Strip | None]] = [dict.fromkeys(starts[:-1]) for starts in cuts]
        missing: dict[int, set[int]] = {}
        for y, start, stop in spans:
            first, end = bisect_right(cuts[y], start) - 1, bisect_left(cuts[y], stop)
            missing.setdefault(y, set()).update(cuts[y][first:end])
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            inside = range(shown.x, shown.right)
            foremost = [y for y in shown.line_range if any(x in inside for x in missing.get(y, ()))]
            if not foremost:
                continue
            top, height = foremost[0], foremost[-1] - foremost[0] + 1
            lines = widget.render_lines(Region(shown.x - region.x, top - region.y, shown.width, height))
            for y, line in zip(range(top, top + height), lines, strict=False):
                lacking = missing.get(y, set())
                if lacking:
                    borders = cuts[y][bisect_left(cuts[y], shown.x) : bisect_right(cuts[y], shown.right)]
                    pieces = line.divide([border - shown.x for border in borders[1:]])
                    drawn[y].update(
                        (x, piece) for x, piece in zip(borders, pieces, strict=False) if x in lacking
                    )
                    lacking.difference_update(borders[:-1])
        return cast("Sequence[Mapping[int, Strip]]", drawn)
