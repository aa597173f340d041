from __future__ import annotations

import csv
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from io import StringIO

import pytest

from tests.analysis.sweep.fake_speed import fake_measure, numbers
from tests.commands.on_files import ran
from tests.commands.test_json_schemas import assert_valid
from tui.analysis.progress import Doing
from tui.analysis.speed.remarks import remarks_after
from tui.analysis.speed.timing import Timing
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Point
from tui.analysis.sweep.running import sweep
from tui.cli import main
from tui.commands.in_thread import InThread
from tui.commands.sweep import command

Capsys = pytest.CaptureFixture[str]
OVER = ("sweep", "--over", "channels=2,4,3", "--over", "groups=1,2")


@pytest.fixture(autouse=True)
def timings_that_nobody_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "points_of", partial(sweep, measure=fake_measure))


def test_the_table(capsys: Capsys) -> None:
    done = ran(capsys, *OVER)
    assert done.status == 0
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert lines[0].startswith("channels groups speed-up quartiles as it is norms folded fused max |d|")
    assert lines[2].startswith("2 1 3.00 × 3.00 to 3.00 6.00 ms 4.00 ms 2.00 ms")
    assert lines[7] == "3 2 skipped"
    assert "skipped: 3/2: groups must divide in and out channels: 2 does not divide" in done.words
    assert (
        "on a processor of the tests, 2 threads, torch 2.9.0, contiguous; medians of 3 rounds" in done.words
    )


@pytest.mark.parametrize("columns", ["80", "40"])
def test_on_a_narrow_terminal_no_digit_is_lost(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    wide = ran(capsys, *OVER).out
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["sweep", *OVER[1:]]) == 0
    narrow = capsys.readouterr().out
    assert max(map(len, narrow.splitlines())) <= 80
    assert "\N{HORIZONTAL ELLIPSIS}" not in narrow
    assert set(wide.split()) - set(narrow.split()) <= {word for word in wide.split() if set(word) == {"─"}}


def test_the_json(capsys: Capsys) -> None:
    data = ran(capsys, *OVER, "--json", "--threads", "2", "--dtype", "float64").data
    assert_valid(data, "sweep")
    assert data["machine"] == {"device": "a processor of the tests", "torch": "2.9.0"}
    assert data["conditions"]["threads"] == 2
    assert data["spec"]["dtype"] == "float64"
    assert data["axes"][0] == {"name": "channels", "values": ["2", "4", "3"]}
    assert data["complete"] is True
    first, last = data["points"][0], data["points"][-1]
    assert first["speed_up"]["median"] == pytest.approx(3)
    assert first["seconds"]["unfused"]["median"] == pytest.approx(0.006)
    assert "repetitions" not in first
    assert (last["state"], last["values"]) == ("skipped", {"channels": "3", "groups": "2"})


def test_noise_is_told_in_its_line(monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    def noisy(plan: Plan) -> Iterator[Point]:
        found = numbers(2.0, spread=0.5)
        yield from (Point(cell.values, cell.spec, None, found) for cell in plan.cells)

    monkeypatch.setattr(command, "points_of", noisy)
    done = ran(capsys, "sweep", "--over", "channels=64", "--over", "dtype=bfloat16", "--preset", "repvgg")
    assert "2.00 × noisy 1.50 to 2.50" in done.words
    assert "noisy: the quartiles of a side lie more than 20 % of its median apart" in done.out


def test_a_remark_that_differs_by_a_number_is_told_once_with_its_points(
    monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    def disturbed(plan: Plan) -> Iterator[Point]:
        for cell, busy, rounds in zip(plan.cells, (0.5, 0.3, 1.0), (1, 3, 2), strict=True):
            found = numbers(2.0)
            timings = {side: Timing(each.seconds[:rounds]) for side, each in found.speed.timings.items()}
            speed = replace(found.speed, timings=timings)
            remarks = remarks_after(speed, busy)
            yield Point(cell.values, cell.spec, None, replace(found, speed=replace(speed, remarks=remarks)))

    monkeypatch.setattr(command, "points_of", disturbed)
    words = ran(capsys, "sweep", "--over", "channels=2,4,8").words
    assert "medians of 1 to 3 rounds" in words
    assert words.count("other programs") == 1
    assert "other programs had the processor for about 50 to 70 % of the time" in words
    assert "can take hundreds of times as long: one thread alone is disturbed least (2, 4)" in words


def test_a_gain_around_1_is_no_difference(monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    def like(plan: Plan) -> Iterator[Point]:
        yield from (Point(cell.values, cell.spec, None, numbers(1.0)) for cell in plan.cells)

    monkeypatch.setattr(command, "points_of", like)
    assert "1.00 × no difference 0.94 to 1.06" in ran(capsys, "sweep", "--over", "channels=2").words


def test_every_repetition_on_wish(capsys: Capsys) -> None:
    data = ran(capsys, *OVER, "--json", "--repetitions").data
    assert_valid(data, "sweep")
    assert len(data["points"][0]["repetitions"]["fused"]) == 3


def test_the_csv(capsys: Capsys) -> None:
    rows = list(csv.DictReader(StringIO(ran(capsys, *OVER, "--csv").out)))
    assert [(row["channels"], row["groups"], row["state"]) for row in rows] == [
        *(("2", "1", "done"), ("2", "2", "done"), ("4", "1", "done")),
        *(("4", "2", "done"), ("3", "1", "done"), ("3", "2", "skipped")),
    ]
    assert float(rows[0]["speed_up_median"]) == pytest.approx(3)
    assert rows[-1]["fused_seconds_median"] == ""
    assert "does not divide" in rows[-1]["why"]


def test_ctrl_c_reports_what_is_there(monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    def interrupted(plan: Plan) -> Iterator[Doing | Point]:
        for piece in sweep(plan, fake_measure):
            if isinstance(piece, Point) and piece.values[0].text == "4":
                os.kill(os.getpid(), signal.SIGINT)
                return
            yield piece

    monkeypatch.setattr(command, "points_of", interrupted)
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # as the program has it
    try:
        done = ran(capsys, "sweep", "--over", "channels=2,4,8", "--csv")
        after = signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert after is signal.SIG_DFL
    assert done.status == 130
    assert [row["channels"] for row in csv.DictReader(StringIO(done.out))] == ["2"]
    assert "stopped by Ctrl+C: 1 of 3 points are there, and reported" in done.err


def test_ctrl_c_before_the_first_point_prints_no_table(
    monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    def at_once(_: Plan) -> Iterator[Doing | Point]:
        os.kill(os.getpid(), signal.SIGINT)
        yield Doing("x")

    monkeypatch.setattr(command, "points_of", at_once)
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        done = ran(capsys, *OVER)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (done.status, done.out) == (130, "")
    assert done.err.endswith("stopped by Ctrl+C before the first point: there is nothing to report\n")


def test_a_sweep_that_cannot_begin_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    def refusing(plan: Plan) -> Iterator[Doing | Point]:
        yield Doing("loading torch")
        raise RuntimeError("no such device")

    monkeypatch.setattr(command, "points_of", refusing)
    done = ran(capsys, *OVER)
    assert (done.status, done.out) == (2, "")
    assert done.err.endswith("repfuse-tui: no such device\n")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--over: what varies is missing; give it, such as --over in-channels=8:512:x2"),
        (("--over", "in-channels=8:512:y2"), "--over: in channels: the step must be x and a factor"),
        (("--over", "groups=1", "--over", "groups=2"), "--over: groups is given twice"),
        (("--over", "groups=1", "--json", "--csv"), "--csv: --json says how it is reported"),
        (("--over", "groups=1", "--repetitions"), "--repetitions: only JSON has room for them"),
        (
            ("--over", "groups=1", "--threads", "0"),
            "--threads: must be a whole number from 1 to 1024",
        ),
        (
            ("--over", "groups=1", "--rounds", "x"),
            "--rounds: must be a whole number from 1 to 10000",
        ),
        (("--over", "groups=1", "--device", "gpu"), "--device: must be cpu, cuda, cuda:1 or mps, not 'gpu'"),
        (
            ("--over", "groups=1", "--memory-format", "nhwc"),
            "--memory-format: must be contiguous or channels_last, not 'nhwc'",
        ),
        (
            ("--over", "batch-size=1", "--groups", "3"),
            "--groups: groups must divide in and out channels",
        ),
        (("--over", "threads=1", "--threads", "2"), "--threads: --over threads says over what it varies"),
        (
            ("--over", "in-channels=8", "--in-channels", "16"),
            "--in-channels: --over in-channels says over what it varies; leave one of them out",
        ),
        (
            ("--over", "channels=8", "--out-channels", "16"),
            "--out-channels: --over channels says over what it varies",
        ),
        (("--over", "threads=0"), "--over: threads must be a whole number from 1 to 1024, not '0'"),
        (("--over", "groups=1", "--ove"), "--ove: sweep has no such option; did you mean --over?"),
        (("channels=1",), "'channels=1': there is no place for it; what varies stands behind --over"),
    ],
)
def test_bad_input(options: tuple[str, ...], words: str, capsys: Capsys) -> None:
    done = ran(capsys, "sweep", *options)
    assert (done.status, done.out) == (2, "")
    assert words in done.words


def test_the_help_tells_what_can_vary(capsys: Capsys) -> None:
    done = ran(capsys, "sweep", "--help")
    assert done.status == 0
    for words in ("kernel-size   kernel size, as 3:9:+2", "--over NAME=VALUES", "--device D", "130  Ctrl+C"):
        assert words in done.out


def test_what_a_thread_raises_is_raised_by_the_one_who_reads() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise KeyError("x")

    found: list[int] = []
    with pytest.raises(KeyError):
        found += InThread(failing)
    assert list(InThread(lambda: iter(range(3)))) == [0, 1, 2]
