"""sweep_svg(plan, points, quantity): the figure, with its title, axes, units, and what it was timed on."""

from __future__ import annotations

from collections.abc import Sequence

from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Point
from tui.analysis.sweep.quantities import Quantity
from tui.export.sweep_figure.drawing import HEIGHT, INK, QUIET, WIDTH, document, text
from tui.export.sweep_figure.map import map_of
from tui.export.sweep_figure.plot import plot_of
from tui.fusion.grammar.branch_text import show_branches
from tui.fusion.pair_text import show_pair

TITLE_AT, UNDER_TITLE, FOOT = 28, 46, 12
MOST_LETTERS = 110
"""In the line under the title."""


def sweep_svg(plan: Plan, points: Sequence[Point], quantity: Quantity) -> str:
    """The figure as SVG 1.1, on white, in colours that every kind of colour vision tells apart.

    What has no number is left out of a plot, and named in the map.
    """
    is_map = len(plan.ranges) > 1
    explained = quantity.explained_in_a_map if is_map else quantity.explained
    parts = [
        text(20, TITLE_AT, f"{quantity}: {explained}", size=16, colour=INK, bold=True),
        text(20, UNDER_TITLE, _block(plan), colour=QUIET),
        *(map_of if is_map else plot_of)(plan, points, quantity),
        text(20, HEIGHT - FOOT, _machine(plan, points), colour=QUIET, size=11),
    ]
    return document(WIDTH, HEIGHT, parts)


def _block(plan: Plan) -> str:
    """The block that is varied: "in 64, out 64, kernel 3x3, ... kxk+norm,1x1+norm"."""
    spec = plan.base
    groups = f", {spec.groups} groups" if spec.groups > 1 else ""
    channels = f"{spec.in_channels} to {spec.out_channels} channels, kernel {show_pair(spec.kernel_size)}"
    shape = "x".join(map(str, spec.input_nchw))
    words = f"{channels}{groups}, {spec.dtype}, input {shape}: {show_branches(spec.branches)}"
    return words if len(words) <= MOST_LETTERS else f"{words[: MOST_LETTERS - 1]}…"


def _machine(plan: Plan, points: Sequence[Point]) -> str:
    reports = [point.numbers.speed for point in points if point.numbers]
    if not reports:
        return f"{len(points)} of {plan.count} points"
    machine = reports[0].machine
    threads = "/".join(map(str, sorted({report.machine.threads for report in reports})))
    return (
        f"{machine.device}, {threads} threads, torch {machine.torch}, {plan.conditions.memory_format}; "
        f"{len(points)} of {plan.count} points"
    )
