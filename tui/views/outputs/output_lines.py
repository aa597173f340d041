"""The lines under the maps: an output element and its difference, and what reads it or is read by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tui.analysis.numerics.pixel import Pixel
from tui.analysis.quantities import two_digits
from tui.analysis.verdict.in_words import multiple, percent
from tui.fusion.specs.block_spec import Pair
from tui.fusion.specs.receptive_field import Area, ReceptiveField
from tui.views.shared.breaking import tied
from tui.views.shared.styles import MUTED
from tui.widgets.grid.number_format import precise

if TYPE_CHECKING:
    from tui.analysis.outputs.output_element import OutputElement
    from tui.analysis.study import Study


def element_line(study: Study, element: OutputElement, pixel: Pixel) -> Content:
    """out 1 (4,7): unfused +0.1234, fused +0.1234, difference 2.4e-07 = 2 ulps = 23 % of its budget 1e-06."""
    batch = f" of input {pixel.batch}" if study.spec.batch_size > 1 else ""
    return Content.assemble(
        (tied(f"out {pixel.channel} ({pixel.row},{pixel.column}){batch}:"), MUTED),
        (f" {tied('unfused ')}", MUTED),
        (precise(element.unfused), "bold"),
        (f", {tied('fused ')}", MUTED),
        (precise(element.fused), "bold"),
        *_difference(element),
    )


def _difference(element: OutputElement) -> list[str | tuple[str, str]]:
    if element.difference == 0:
        return [(f", {tied('the same')}", MUTED)]
    if element.difference != element.difference:
        return [(f", {tied('not compared')}", MUTED)]
    parts: list[str | tuple[str, str]] = [
        (f", {tied('difference ')}", MUTED),
        (two_digits(element.difference), "bold"),
    ]
    if element.difference < float("inf"):
        parts += [(f" {tied('= ')}", MUTED), (tied(_ulps(element.ulps)), "bold")]
    if element.budget is None or element.share is None:
        return [*parts, (f", {tied('its channel was not judged')}", MUTED)]
    beyond = element.share > 1
    words = multiple(element.share) if beyond else percent(element.share)
    words = tied(words)
    style = "bold $text-warning" if beyond else "bold"
    of = " " if beyond else " of "
    budget = f"{of}{tied('its budget')} {two_digits(element.budget)}"
    return [*parts, (f" {tied('= ')}", MUTED), (words, style), (budget, MUTED)]


def _ulps(ulps: float) -> str:
    if ulps >= 1000:
        return f"{ulps:.1e} ulps"
    return "1 ulp" if ulps == 1 else f"{ulps:.3g} ulps"


def field_line(field: ReceptiveField, pixel: Pixel, in_channel: int, worst: str) -> Content:
    """reads in 0: rows 3-5, columns 6-8; 4 of 9 taps in the padding · largest difference."""
    patch = field.read((pixel.row, pixel.column))
    outside, taps = field.taps - patch.size, _count(field.taps, "tap")
    return Content.assemble(
        (f"reads in {in_channel}: ", MUTED),
        places(patch),
        (f"; {outside} of {taps} in the padding" if outside else f"; {taps}", MUTED),
        *([(" · ", MUTED), (worst, "bold")] if worst else []),
    )


def tap_line(
    field: ReceptiveField,
    pixel: Pixel,
    in_channel: int,
    tap: Pair,
    factors: tuple[float, float | None] | None,
) -> Content:
    """tap (0,2) +0.1034 x in 0 (3,8) +0.5000; for all outputs: rows 0-7, columns 1-8.

    `factors`: the fused kernel's weight at the tap and the input that it reads, None for that in the padding;
    None where the fused kernel has other taps than it should have.
    """
    place = field.place((pixel.row, pixel.column), tap)
    where = "the padding" if place is None else f"in {in_channel} ({place[0]},{place[1]})"
    parts: list[str | tuple[str, str]] = [(f"tap ({tap[0]},{tap[1]}) ", MUTED)]
    if factors is None:
        parts += [("reads ", MUTED), where]
    else:
        parts += [(precise(factors[0]), "bold"), (" × ", MUTED), where]
        if factors[1] is not None:
            parts += [" ", (precise(factors[1]), "bold")]
    read = field.read_by_tap(tap)
    reads = places(read) if read.size else "nothing but padding"
    return Content.assemble(*parts, ("; for all outputs: ", MUTED), reads)


def reader_line(field: ReceptiveField, place: Pair, in_channel: int, value: float) -> Content:
    """in 0 (4,7) +0.5000 is read by 9 outputs: rows 3-5, columns 6-8."""
    readers = field.readers(place)
    return Content.assemble(
        (f"in {in_channel} ({place[0]},{place[1]}) ", MUTED),
        (precise(value), "bold"),
        (" is read by ", MUTED),
        (_count(readers.size, "output"), "bold"),
        f": {places(readers)}" if readers.size else ", it falls between the taps",
    )


def places(patch: Area) -> str:
    """rows 3-5, columns 0-8 every 2nd: in words what is lit."""
    steps = [places.step if len(places) > 1 else 1 for places in patch]
    rows, columns = _span("row", patch.rows), _span("column", patch.columns)
    if steps[0] == steps[1] > 1:
        return f"{rows}, {columns}, every {_ordinal(steps[0])}"
    every = [f" every {_ordinal(step)}" if step > 1 else "" for step in steps]
    return f"{rows}{every[0]}, {columns}{every[1]}"


def _span(name: str, places: range) -> str:
    if not places:
        return f"no {name}"
    return f"{name} {places[0]}" if len(places) == 1 else f"{name}s {places[0]}–{places[-1]}"


def _ordinal(number: int) -> str:
    teens = 10 <= number % 100 <= 20
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _count(number: int, name: str) -> str:
    return f"{number} {name}" + ("" if number == 1 else "s")
