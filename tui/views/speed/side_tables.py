"""The two tables of the sides: how long each takes, and what it has to do for that."""

from __future__ import annotations

from textual.content import Content

from tui.analysis.quantities import short_count
from tui.analysis.speed.report import Side, SpeedReport
from tui.views.shared.styles import MUTED
from tui.views.speed.figures import between, bytes_moved, duration, quartiles, ratio, three_digits
from tui.widgets.bar import bar

MARKS = {Side.UNFUSED: "○", Side.FOLDED: "△", Side.FUSED: "●"}
"""By which a side is known in the plot."""
_NAME, _TIME, _QUARTILES, _GAIN, _SPREAD = 15, 9, 20, 9, 17
_BARS = 6, 60
_FIGURES = ("parameters", "MACs", "read", "written", "FLOP/byte", "GFLOP/s", "GB/s")
_WIDTHS = (10, 8, 9, 9, 10, 8, 8)
WORK = _NAME + sum(_WIDTHS)
"""Columns of the second table."""
_STANDING_NAME, _STANDING = 11, 9
_NOT_YET, _NEVER = "…", "–"


def times_table(report: SpeedReport | None, width: int) -> Content:
    """A line for each side: its time, the quartiles, and how much faster it is, pair by pair."""
    slowest = max((timing.spread.median for timing in report.timings.values()), default=0) if report else 0
    between_times = max([_QUARTILES, *(len(text) + 2 for text in _quartiles(report, slowest))])
    between_gains = max([_SPREAD, *(len(text) + 2 for text in _spreads(report))])
    full = _NAME + _TIME + between_times + _GAIN + between_gains
    slim = width < full
    room = 0 if slim else min(_BARS[1], width - full)
    room = room if room >= _BARS[0] else 0
    titles = f"{'':<{_NAME + room}}{'median':>{_TIME}}"
    titles += (
        f"{'gain':>{_GAIN}}" if slim else f"{'quartiles':>{between_times}}{'gain':>{_GAIN}}  pair by pair"
    )
    lines = [_times_line(report, side, slowest, room, 0 if slim else between_times) for side in Side]
    return Content("\n").join([Content.styled(titles, MUTED), *lines])


def _quartiles(report: SpeedReport | None, slowest: float) -> list[str]:
    """Of the times of all sides that were timed."""
    times = [] if report is None else map(report.time, Side)
    return [quartiles(time, slowest) for time in times if time is not None]


def _spreads(report: SpeedReport | None) -> list[str]:
    """Of the gains of all sides that have one."""
    gains = [] if report is None else [report.gain(side) for side in Side if side is not Side.UNFUSED]
    return [between(gain) for gain in gains if gain is not None]


def _times_line(report: SpeedReport | None, side: Side, slowest: float, room: int, quartile: int) -> Content:
    """`quartile`: the columns of the quartiles; 0 leaves them out, and those of the gain."""
    name = (f"{MARKS[side]} {side:<{_NAME - 2}}", "bold" if side is Side.FUSED else "")
    time = None if report is None else report.time(side)
    if report is None or time is None:
        return Content.assemble(name, (" " * room + _missing(report).rjust(_TIME), MUTED))
    gain = None if side is Side.UNFUSED else report.gain(side)
    style = "$primary" if side is Side.FUSED else "$foreground 50%"
    parts: list[str | tuple[str, str]] = [
        name,
        (bar(time.median / slowest if slowest and room else 0, room), style),
        (f"{duration(time.median, slowest):>{_TIME}}", "bold"),
    ]
    parts += [(f"{quartiles(time, slowest):>{quartile}}", MUTED)] if quartile else []
    parts += [(_NEVER.rjust(_GAIN), MUTED) if gain is None else (f"{ratio(gain.median):>{_GAIN}}", "bold")]
    parts += [(f"  {between(gain)}", MUTED)] if quartile and gain is not None else []
    return Content.assemble(*parts)


def work_table(report: SpeedReport | None, width: int) -> Content:
    """What each side has to do, and how fast it does that: a line for each, or in few columns a column."""
    columns = {side: _work_of(report, side) for side in Side}
    if width >= WORK:
        titles = "".join(f"{title:>{size}}" for title, size in zip(_FIGURES, _WIDTHS, strict=True))
        lines = [Content.styled(" " * _NAME + titles, MUTED)]
        for side, figures in columns.items():
            cells = "".join(f"{figure:>{size}}" for figure, size in zip(figures, _WIDTHS, strict=True))
            lines.append(Content(f"{MARKS[side]} {side:<{_NAME - 2}}{cells}"))
        return Content("\n").join(lines)
    head = " " * _STANDING_NAME + "".join(f"{MARKS[side]:>{_STANDING}}" for side in Side)
    lines = [Content.styled(head, MUTED)]
    for place, title in enumerate(_FIGURES):
        cells = "".join(f"{columns[side][place]:>{_STANDING}}" for side in Side)
        lines.append(Content.assemble((f"{title:<{_STANDING_NAME}}", MUTED), cells))
    return Content("\n").join(lines)


def _work_of(report: SpeedReport | None, side: Side) -> list[str]:
    if report is None:
        return [_NOT_YET] * len(_FIGURES)
    work, flops, moved = report.work[side], report.flops_reached(side), report.bandwidth_reached(side)
    return [
        short_count(work.params),
        short_count(work.macs),
        bytes_moved(work.bytes_read),
        bytes_moved(work.bytes_written),
        three_digits(work.intensity),
        _missing(report) if flops is None else three_digits(flops / 1e9),
        _missing(report) if moved is None else three_digits(moved / 1e9),
    ]


def _missing(report: SpeedReport | None) -> str:
    """What stands for the time of a side that has none: still to come, or never where all others have one."""
    return _NEVER if report is not None and report.timings else _NOT_YET
