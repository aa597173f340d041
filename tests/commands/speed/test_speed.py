from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from operator import mul
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.analysis.speed.made_up import MILLISECOND, made_up_measure
from tests.checkpoints.small_nets import BLOCKS, saved, trained
from tests.commands.on_files import Ran, ran
from tests.commands.test_json_schemas import assert_valid
from tui.analysis.progress import Doing
from tui.analysis.speed import memory, several
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.outcomes import Item, Timed
from tui.analysis.speed.report import Side
from tui.analysis.speed.several import Candidate, time_all
from tui.analysis.speed.timing import Timing
from tui.cli import main
from tui.command_line.speed_options import FileSource, Kind, SpeedRequest, parse_speed
from tui.commands.speed import candidates
from tui.modules import timing

Capsys = pytest.CaptureFixture[str]
MODELS = """
import torch
from torch import nn
from tests.checkpoints.small_nets import trained
from tests.modules.small_models import Block, whole_numbers


def net():
    return trained().eval()


def block():
    return whole_numbers(Block())


class Loud(nn.Module):
    def __init__(self):
        super().__init__()
        self.block, self.other = block(), block()

    def forward(self, x):
        print("[red]it prints")
        return torch.relu(self.other(torch.relu(self.block(x))))


def nothing():
    return nn.Linear(2, 2).eval()
"""


@pytest.fixture(autouse=True)
def timings_that_nobody_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several, "time_all", partial(time_all, measure=made_up_measure))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "models_to_time.py").write_text(MODELS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "models_to_time.py"


def lines_of(out: str) -> list[str]:
    return [" ".join(line.split()) for line in out.splitlines()]


def test_the_table_of_a_block(capsys: Capsys) -> None:
    done = ran(capsys, "speed", "--preset", "repvgg", "--in-channels", "32")
    assert done.status == 0
    lines = lines_of(done.out)
    assert lines[0] == "time IQR gain quartiles FLOP/s bytes/s"
    assert lines[2].startswith("as it is 3.91 ms 12 % 1.00 × 1.00 to 1.00 537 MFLOP/s")
    assert lines[3].startswith("norms folded 2.93 ms 12 % 1.33 ×")
    assert lines[4].startswith("fused 1.95 ms 12 % 2.00 × 2.00 to 2.00 1.07 GFLOP/s")
    assert "Fused it is 2.00 times as fast." in done.words
    assert (
        "on a processor of the tests, 2 threads, torch 2.9.0, contiguous; medians of 3 rounds, the sides"
        in done.words
    )
    assert "it reaches 137 GFLOP/s in a large matrix product and 17.2 GB/s in a large copy" in done.words
    assert "made up" in lines


def cut_to(rounds: int, **factors: float) -> Any:
    """As time_all, with so many rounds, and the fused side as long as the block times these factors."""

    def made(candidates: list[Candidate], conditions: Conditions) -> Iterator[Item]:
        for item in time_all(candidates, conditions, measure=made_up_measure):
            if isinstance(item, Timed) and item.report.is_done:
                around = item.report.timings[Side.UNFUSED].seconds[:rounds]
                fused = tuple(map(mul, around, factors.values())) or around
                timings = {Side.UNFUSED: Timing(around), Side.FUSED: Timing(fused)}
                yield replace(item, report=replace(item.report, timings=timings))

    return made


def test_one_round_has_no_quartiles(monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    monkeypatch.setattr(several, "time_all", cut_to(1, first=0.5))
    done = ran(capsys, "speed")
    assert any(line.startswith("fused 1.71 ms - 2.00 × - ") for line in lines_of(done.out))
    assert "Fused it is 2.00 times as fast." in done.words
    assert "medians of 1 round," in done.words


def test_a_gain_around_1_is_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setattr(several, "time_all", cut_to(3, first=0.8, second=1.25, third=1.25))
    words = ran(capsys, "speed").words
    assert "No difference shows: fused it is 0.80 to 1.02 times as fast." in words
    assert "batch norms and sums are not counted" in words
    path = saved(tmp_path, trained().state_dict(), ".pt")
    assert "no difference" in ran(capsys, "speed", path).words
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["speed", str(path)]) == 0
    out = capsys.readouterr().out
    assert "=: no difference shows, the quartiles of the gain lie on both sides of 1" in out
    assert "\N{HORIZONTAL ELLIPSIS}" not in out


def test_the_json_of_a_block(capsys: Capsys) -> None:
    data = ran(capsys, "speed", "--json", "--preset", "repvgg", "--threads", "2", "--batch-size", "3").data
    assert_valid(data, "speed")
    assert (data["complete"], data["left_out"], data["whole"]) == (True, [], None)
    assert data["machine"] == {"device": "a processor of the tests", "threads": 2, "torch": "2.9.0"}
    assert data["conditions"]["threads"] == 2
    (block,) = data["blocks"]
    assert (block["dtype"], block["input"]) == ("float32", [3, 64, 56, 56])
    assert block["gain"] == {"low": 1.0, "median": 1.0, "high": 1.0}
    assert block["sides"]["unfused"]["seconds"]["median"] == 4 * MILLISECOND
    assert "repetitions" not in block
    assert data["totals"]["blocks"] == 1


def test_every_repetition_on_wish(capsys: Capsys) -> None:
    data = ran(capsys, "speed", "--json", "--repetitions").data
    assert_valid(data, "speed")
    assert len(data["blocks"][0]["repetitions"]["fused"]) == 3


def test_the_blocks_of_a_file_with_the_worst_first(tmp_path: Path, capsys: Capsys) -> None:
    path = saved(tmp_path, trained().state_dict(), ".pt")
    data = ran(capsys, "speed", path, "--json", "--input-shape", "12x10", "--batch-size", "2").data
    assert_valid(data, "speed")
    gains = [block["gain"]["median"] for block in data["blocks"]]
    assert gains == sorted(gains)
    assert {block["name"] for block in data["blocks"]} == set(BLOCKS)
    assert {tuple(block["input"][2:]) for block in data["blocks"]} == {(12, 10)}
    assert data["totals"]["seconds"]["unfused"] == 4 * 4 * MILLISECOND
    assert data["totals"]["gain"] == pytest.approx(16 / (3 * 8 / 16 + 3 / 16))
    assert data["peaks"] is not None


def test_the_table_of_a_file(tmp_path: Path, capsys: Capsys) -> None:
    path = saved(tmp_path, trained().state_dict(), ".pt")
    lines = lines_of(ran(capsys, "speed", path, "--dtype", "float64").out)
    assert lines[0] == "block input as it is folded fused gain quartiles MACs bytes"
    assert lines[2].startswith("body.0 1×8×56×56 3.91 ms 2.93 ms 488 µs 8.00 × 8.00 to 8.00 1.00 ×")
    assert lines[5].startswith("stem 1×3×56×56")
    assert any(line.startswith("all 4 blocks 15.6 ms 11.7 ms") for line in lines)


def test_on_a_narrow_terminal_no_digit_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["speed", "--preset", "repvgg"]) == 0
    assert main(["speed", str(saved(tmp_path, trained().state_dict(), ".pt"))]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    lines = lines_of(out)
    assert any(
        line.startswith("fused 3.91 ms 12 % 1.00 × 1.00 to 1.00 537 MFLOP/s 4.19 MB/s") for line in lines
    )
    assert "norms folded 100 1.05 M 12.3 kB 4.1 kB 2 128 137 GFLOP/s" in lines
    assert "body.0 1×8×56×56 3.91 ms 2.93 ms 488 µs 8.00 × 1.00 × 1.00 ×" in lines


def test_the_blocks_of_a_module_and_the_whole(
    models: str, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setattr(timing, "fuse_model", lambda module, x: (module, None))  # which takes seconds
    data = ran(capsys, "speed", f"{models}:net", "--json", "--input", "2x3x20x18").data
    assert_valid(data, "speed")
    by_name = {block["name"]: block for block in data["blocks"]}
    assert by_name["stem"]["input"] == [2, 3, 20, 18]
    assert by_name["body.0"]["input"] == [2, 8, 10, 9]  # what the stem, of stride 2, hands on
    assert data["whole"]["name"] == "the whole model"
    assert set(data["whole"]["sides"]) == {"unfused", "folded", "fused"}
    assert data["totals"]["blocks"] == len(data["blocks"])


def test_a_module_that_is_one_block_is_timed_once(models: str, capsys: Capsys) -> None:
    data = ran(capsys, "speed", f"{models}:block", "--json").data
    assert len(data["blocks"]) == 1
    assert data["whole"] is None


def test_what_a_module_prints_is_no_part_of_the_report(models: str, capsys: Capsys) -> None:
    done = ran(capsys, "speed", f"{models}:Loud", "--json")
    assert_valid(done.data, "speed")
    assert "[red]it prints" in done.err


def interrupting(after: int) -> Any:
    """As time_all, until Ctrl+C comes in the midst of the candidate of that number."""

    def made(candidates: list[Candidate], conditions: Conditions) -> Iterator[Item]:
        for item in time_all(candidates, conditions, measure=made_up_measure):
            yield item
            if isinstance(item, Timed) and item.place == after and item.report.rounds == 2:
                os.kill(os.getpid(), signal.SIGINT)
                return

    return made


@pytest.mark.parametrize("way", ["--json", "table"])
def test_ctrl_c_reports_what_is_there(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    path = saved(tmp_path, trained().state_dict(), ".pt")
    monkeypatch.setattr(several, "time_all", interrupting(after=2))
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # as the program has it
    try:
        done = ran(capsys, "speed", path, *([way] if way.startswith("-") else []))
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.status == 130
    assert "stopped by Ctrl+C: this report is partial, 1 of 4 blocks timed to the end" in done.err
    if way == "table":
        assert any(line.endswith("after 2 rounds") for line in done.out.splitlines())
        return
    assert_valid(done.data, "speed")
    assert done.data["complete"] is False
    assert sorted(block["complete"] for block in done.data["blocks"]) == [False, True]


def test_ctrl_c_before_anything_is_there(monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    def at_once(*_: Any) -> Iterator[Doing]:
        os.kill(os.getpid(), signal.SIGINT)
        yield Doing("x")

    monkeypatch.setattr(several, "time_all", at_once)
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        done = ran(capsys, "speed", "--json")
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.status == 130
    assert_valid(done.data, "speed")
    assert (done.data["machine"], done.data["blocks"]) == (None, [])


def stopped(capsys: Capsys, *arguments: object) -> Ran:
    """As the program has it, Ctrl+C ends the process where nobody listens for it."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return ran(capsys, "speed", *arguments)
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_before_the_first_round_prints_no_table(
    monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    def at_once(candidates: list[Candidate], conditions: Conditions) -> Iterator[Item]:
        for item in time_all(candidates, conditions, measure=made_up_measure):
            yield item
            if isinstance(item, Timed):  # of no round yet
                os.kill(os.getpid(), signal.SIGINT)
                return

    monkeypatch.setattr(several, "time_all", at_once)
    done = stopped(capsys)
    assert (done.status, done.out) == (130, "")
    assert done.err.endswith("stopped by Ctrl+C before the first round: there is nothing to report\n")


def test_ctrl_c_tells_the_whole_from_the_blocks(
    models: str, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setattr(timing, "fuse_model", lambda module, x: (module, None))
    monkeypatch.setattr(several, "time_all", interrupting(after=2))
    done = stopped(capsys, f"{models}:Loud", "--input", "1x2x8x8")
    assert "1 of 2 blocks and not the whole model timed to the end" in done.err


def test_a_block_that_cannot_be_timed_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    def failing(sides: Any, x: Any, conditions: Any, *, with_peaks: bool) -> Iterator[Any]:
        if x.shape[1] == 3:
            raise RuntimeError("no room\x1b[31m")
        yield from made_up_measure(sides, x, conditions, with_peaks=with_peaks)

    monkeypatch.setattr(several, "time_all", partial(time_all, measure=failing))
    path = saved(tmp_path, trained().state_dict(), ".pt")
    done = ran(capsys, "speed", path)
    assert done.status == 0
    assert "left out: stem: no room\\x1b[31m" in done.out
    data = ran(capsys, "speed", path, "--json").data
    assert_valid(data, "speed")
    assert (data["complete"], data["left_out"]) == (True, [{"name": "stem", "why": "no room\\x1b[31m"}])
    assert data["peaks"] is not None


def refused(capsys: Capsys, *arguments: object) -> str:
    """The one line in which that is refused."""
    done = ran(capsys, "speed", *arguments)
    assert (done.status, done.out) == (2, "")
    return done.err.splitlines()[-1]


def test_a_block_that_does_not_fit_is_refused_with_its_memory(
    monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setattr(memory, "memory_free", lambda _: 100_000_000)
    words = refused(capsys, "--preset", "repvgg", "--batch-size", "1000", "--input-shape", "1000x1000")
    assert "timing this block needs about 1.5 TB of memory" in words
    assert "and 100.0 MB are free: take fewer channels" in words


def test_a_block_of_a_file_that_does_not_fit_is_refused_before_its_input_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setattr(memory, "memory_free", lambda _: 100_000_000)
    monkeypatch.setattr(candidates, "make_input", lambda _: pytest.fail("it was made"))
    path = saved(tmp_path, trained().state_dict(), ".pt")
    words = refused(capsys, path, "--batch-size", "65536", "--input-shape", "16384x16384")
    assert "timing this block needs about" in words
    assert "and 100.0 MB are free: take fewer channels" in words


def test_a_device_that_is_not_here_is_refused(capsys: Capsys) -> None:
    assert "device 'cuda:99' is not here: there is cpu" in refused(capsys, "--device", "cuda:99")


def test_files_and_modules_that_cannot_be_used(tmp_path: Path, models: str, capsys: Capsys) -> None:
    assert "is not there" in refused(capsys, tmp_path / "none.pt")
    empty = saved(tmp_path, {"weight": torch.ones(2)}, ".pt", "empty")
    assert "no re-parameterizable block was found" in refused(capsys, empty)
    assert "has no nope" in refused(capsys, f"{models}:nope")
    assert refused(capsys, f"{models}:nothing")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--groups", "3"), "--groups: groups must divide in and out channels"),
        (("--threads", "many"), "--threads: must be a whole number from 1 to 1024, not 'many'"),
        (("--repetitions",), "--repetitions: only JSON has room for them; write --json too"),
        (("--jso",), "--jso: speed has no such option; did you mean --json?"),
        (("--json", "model.pt"), "'model.pt': there is no place for it; a file or a module stands first"),
        (("model.pt", "--preset", "repvgg"), "--preset: speed FILE has no such option"),
        (("model.pt", "--batch-size", "0"), "--batch-size: "),
        (("model.pt", "--eps", "-1"), "--eps: must be a number that is not negative"),
        (("models.py:net", "--batch-size", "2"), "--batch-size: speed MODULE has no such option"),
        (("models.py:net", "--input", "3x3"), "--input: must be batch x channels x height x width"),
    ],
)
def test_bad_options(options: tuple[str, ...], words: str, capsys: Capsys) -> None:
    assert words in refused(capsys, *options)


def test_each_kind_tells_its_own_options(capsys: Capsys) -> None:
    for kind, told, untold in (
        ("", "--preset", "--family"),
        ("FILE", "--family", "--preset"),
        ("MODULE", "--weights FILE", "--preset"),
    ):
        done = ran(capsys, "speed", *filter(None, [kind]), "--help")
        assert done.status == 0
        assert told in done.out
        assert untold not in done.out
        assert "--threads N" in done.out


def test_what_a_file_does_not_say_is_chosen() -> None:
    asked = parse_speed(["model.pt", "--dtype", "bfloat16", "--conv-bn"])
    assert isinstance(asked, SpeedRequest)
    assert isinstance(asked.source, FileSource)
    assert (asked.source.run_on.input_shape, asked.source.run_on.batch_size) == ((56, 56), 1)
    assert asked.source.run_on.dtype == "bfloat16"
    assert asked.source.reading.conv_bn


def test_nothing_is_read_for_a_device_that_is_not_here(
    monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setattr(candidates, "open_checkpoint", lambda _: pytest.fail("it was opened"))
    assert "is not here" in refused(capsys, "model.pt", "--device", "cuda:99")


def test_every_kind_has_an_example_that_can_be_parsed() -> None:
    for kind in Kind:
        text = parse_speed([*filter(None, [kind]), "--help"])
        assert isinstance(text, str)
        examples = [line.split()[2:] for line in text.splitlines() if line.startswith("  repfuse-tui speed ")]
        assert examples
        for example in examples:
            assert isinstance(parse_speed(example), SpeedRequest)
