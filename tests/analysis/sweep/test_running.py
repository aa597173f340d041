from __future__ import annotations

from collections.abc import Iterator

import pytest
from torch import Tensor, nn

from tests.analysis.sweep.fake_speed import fake_measure
from tui.analysis.progress import Doing
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.report import Side, SpeedReport
from tui.analysis.sweep.expected import expected_seconds, seconds_left, shares_done
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Numbers, Point, Refused
from tui.analysis.sweep.ranges import parse_over
from tui.analysis.sweep.running import Measure, sweep
from tui.analysis.verdict.reason import Ruling
from tui.fusion.block import ReparamBlock
from tui.fusion.specs.block_spec import BlockSpec


def plan(*over: str) -> Plan:
    return Plan(BlockSpec(), tuple(map(parse_over, over)))


def points(made: Plan, measure: Measure = fake_measure, memory: int | None = None) -> list[Point]:
    return [each for each in sweep(made, measure, lambda: memory) if isinstance(each, Point)]


def test_numbers_of_each_point() -> None:
    found = points(plan("channels=2,4"))
    assert [value.text for point in found for value in point.values] == ["2", "4"]
    gains = [point.numbers.speed_up for point in found if point.numbers]
    assert [gain.median for gain in gains if gain] == pytest.approx([3.0, 2.0])
    first = found[0].numbers
    assert first is not None
    assert first.ruling in (Ruling.EXACT, Ruling.ROUNDING)
    assert 0 <= first.budget_used <= 1
    assert first.macs.fused == 81 * 2 * 2 * 9
    time = first.time(Side.FOLDED)
    assert time is not None
    assert time.median == pytest.approx(0.004)


def test_a_doing_before_each_piece_says_where_it_is() -> None:
    pieces = list(sweep(plan("channels=2,4"), fake_measure))
    doings = [piece for piece in pieces if isinstance(piece, Doing)]
    assert doings[0] == Doing("channels 2", 1, 2)
    assert Doing("channels 4: fusing the branches", 2, 2) in doings
    assert Doing("channels 4: timing", 2, 2) in doings


def test_what_the_block_does_not_allow_is_skipped_and_the_rest_is_run() -> None:
    found = points(plan("groups=1,3,2"))
    assert [point.state for point in found] == ["done", "skipped", "done"]
    assert "3 does not divide in channels 2" in found[1].why


def test_what_does_not_fit_is_refused_before_torch_is_asked() -> None:
    asked: list[object] = []

    def counting(
        block: ReparamBlock, fused: nn.Conv2d, x: Tensor, conditions: Conditions
    ) -> Iterator[Doing | SpeedReport]:
        asked.append(block)
        yield from fake_measure(block, fused, x, conditions)

    found = points(plan("channels=2,4096"), counting, memory=500_000_000)
    assert [point.state for point in found] == ["done", "refused"]
    assert len(asked) == 1
    outcome = found[1].outcome
    assert isinstance(outcome, Refused)
    assert outcome.bytes > 500_000_000
    assert "of memory, and 500.0 MB are free" in found[1].why


@pytest.mark.parametrize("error", [RuntimeError("no kernel\nstack"), KeyError("x"), MemoryError()])
def test_a_failed_point_never_ends_the_sweep(error: Exception) -> None:
    def failing(
        block: ReparamBlock, fused: nn.Conv2d, x: Tensor, conditions: Conditions
    ) -> Iterator[Doing | SpeedReport]:
        if block.in_channels == 2:
            yield Doing("warming up")
            raise error
        yield from fake_measure(block, fused, x, conditions)

    found = points(plan("channels=2,4"), failing)
    assert [point.state for point in found] == ["failed", "done"]
    assert found[0].why
    assert "\n" not in found[0].why


def test_a_timing_without_a_result_is_a_failure() -> None:
    found = points(plan("channels=2"), lambda *_: iter(()))
    assert found[0].why == "the timing ended without a result"


def test_threads_are_a_condition_of_the_timing() -> None:
    found = points(plan("threads=1,2"))
    assert [point.numbers.speed.conditions.threads for point in found if point.numbers] == [1, 2]


def test_values_are_never_taken_from_timed_runs() -> None:
    def meddling(
        block: ReparamBlock, fused: nn.Conv2d, x: Tensor, conditions: Conditions
    ) -> Iterator[Doing | SpeedReport]:
        fused.weight.data.zero_()
        x.zero_()
        yield from fake_measure(block, fused, x, conditions)

    assert _differences(meddling) == _differences(fake_measure)


def _differences(measure: Measure) -> list[float]:
    return [point.numbers.max_abs_diff for point in points(plan("channels=2,4"), measure) if point.numbers]


def test_the_sweep_stops_where_it_is_no_more_asked() -> None:
    pieces = sweep(plan("channels=2,4"), fake_measure)
    for piece in pieces:
        if isinstance(piece, Point):
            assert isinstance(piece.outcome, Numbers)
            break
    pieces.close()  # type: ignore[attr-defined]
    assert list(pieces) == []


def test_the_time_left_is_told_by_what_each_point_costs() -> None:
    made = plan("channels=2,3,256")
    small, _, large = (expected_seconds(cell) for cell in made.cells)
    assert large > small
    shares = shares_done(made)
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)
    assert shares[1] < 1 / 3
    assert seconds_left(2.0, (0.0, 0.25, 1.0), 1) == pytest.approx(6.0)
    assert seconds_left(2.0, (0.0, 0.25, 1.0), 0) is None
    assert shares_done(plan("groups=3,5")) == (0, 0.5, 1)
