from __future__ import annotations

import io
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest

from tui import __version__
from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations, Edit
from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.numerics.ran_on import CPU
from tui.analysis.subject import Subject
from tui.checkpoints.choosing.to_open import ToOpen
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.held_tensors import HeldTensors
from tui.cli import main
from tui.fusion.specs.block_spec import BlockSpec, Dtype
from tui.modules.looking import LookedAt
from tui.plain_text import print_readably
from tui.terminal.colour_depth import ColourDepth

DEFAULT = BlockSpec()


class FakeApp:
    """Stands for the bench, and keeps what it was opened on."""

    opened: ClassVar[list[BlockSpec]] = []
    altered: ClassVar[list[Alterations]] = []
    return_code: int | None = None

    depth: ClassVar[ColourDepth | None] = None
    compared: ClassVar[Subject | None] = None
    to_open: ClassVar[ToOpen | None] = None
    module: ClassVar[LookedAt | None] = None
    given: ClassVar[Path | Checkpoint | None] = None
    device: ClassVar[str] = ""

    def __init__(
        self,
        spec: BlockSpec = DEFAULT,
        alterations: Alterations = NOTHING_ALTERED,
        *,
        compared: Subject | None = None,
        to_open: ToOpen | None = None,
        module: LookedAt | None = None,
        given: Path | Checkpoint | None = None,
        device: str = CPU,
        depth: ColourDepth,
        encoding: str,
    ) -> None:
        type(self).module = module
        type(self).given = given
        type(self).to_open = to_open
        type(self).depth = depth
        type(self).compared = compared
        type(self).device = device
        self.spec = spec
        self.alterations = alterations

    def run(self) -> None:
        self.opened.append(self.spec)
        self.altered.append(self.alterations)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> type[FakeApp]:
    module = ModuleType("tui.app")
    module.RepFuseApp = FakeApp  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tui.app", module)
    monkeypatch.setattr("tui.on_terminal._in_a_terminal", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(FakeApp, "opened", [])
    monkeypatch.setattr(FakeApp, "altered", [])
    return FakeApp


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own."""
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | environment,
        timeout=60,
        check=False,
    )


# The bench


def test_without_a_command_the_bench_opens(bench: type[FakeApp]) -> None:
    assert main([]) == 0
    assert main(["--preset", "repvgg", "--dtype", "float16"]) == 0
    assert bench.opened[0] == BlockSpec()
    assert bench.opened[1].dtype is Dtype.FLOAT16
    assert bench.altered == [NOTHING_ALTERED] * 2


def test_a_checkpoint_is_opened_as_it_is_to_be_read(bench: type[FakeApp]) -> None:
    assert main(["a.pt", "b.safetensors", "--eps", "1e-3", "--family", "RepVGG"]) == 0
    assert bench.to_open == ToOpen(Path("a.pt"), Path("b.safetensors"), "RepVGG", 1e-3)


def test_a_checkpoint_is_opened_beside_the_module_that_was_made_of_it(
    bench: type[FakeApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["a.pt", "torch.nn:Conv2d", "--given-with", "2, 2, 1", "--eps", "1e-3"]) == 0
    assert bench.to_open is not None
    assert (bench.to_open.path, bench.to_open.eps) == (Path("a.pt"), 1e-3)
    assert isinstance(bench.to_open.given, HeldTensors)
    assert set(bench.to_open.given.entries) == {"weight", "bias"}
    assert main(["a.pt", "torch.nn:ReLU", "--given-weights", "none.pt"]) == 2
    assert "none.pt" in capsys.readouterr().err
    assert main(["a.pt", "torch.nn:Conv2d"]) == 2
    assert "such as --given-with 'channels=64'" in capsys.readouterr().err
    assert main(["a.pt", "--given-with", "2, 2, 1"]) == 2
    assert "--given-with: FUSED is missing; leave it out" in capsys.readouterr().err
    assert main(["a.pt", "b.pt", "--given-with", "2, 2, 1"]) == 2
    assert "--given-with: FUSED is a file; leave it out" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["fused.pt", "torch.nn:Conv2d"])
def test_a_module_is_opened_beside_what_was_made_of_it(
    given: str, bench: type[FakeApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = [] if given == "fused.pt" else ["--given-with", "2, 2, 3"]
    assert main(["torch.nn:Conv2d", given, "--with", "2, 2, 1", *options]) == 0
    assert bench.module is not None
    assert bench.module.whole is not None
    assert bench.module.whole.kernel.kernel_size == (1, 1)
    if given == "fused.pt":
        assert bench.given == Path("fused.pt")
    else:
        assert isinstance(bench.given, HeldTensors)
        assert bench.given.entries["weight"].shape == (2, 2, 3, 3)


def test_what_was_made_of_a_module_and_cannot_be_had_is_told_in_a_line(
    bench: type[FakeApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fused.py").write_text("def raises():\n    raise KeyError('deploy')\n")
    module = ["torch.nn:Conv2d", "--with", "2, 2, 1"]
    for asked, words in (
        (["fused.py:raises"], "fused.py:2"),
        (["fused.py:rises"], "did you mean raises?"),
        (["none.py:Fused"], "none.py"),
        (["torch.nn:Conv2d"], "such as --given-with 'channels=64'"),
        (["torch.nn:ReLU", "--given-weights", "none.pt"], "none.pt"),
    ):
        assert main([*module, *asked]) == 2
        printed = capsys.readouterr()
        assert words in printed.err
        assert (printed.out, printed.err.count("\n")) == ("", 1)


def test_the_bench_runs_on_the_device_that_was_named(bench: type[FakeApp]) -> None:
    assert main([]) == 0
    assert bench.device == "cpu"
    assert main(["--device", "CUDA:1"]) == 0
    assert bench.device == "cuda:1"
    assert main(["a.pt", "--device", "cuda:2"]) == 0
    assert (bench.to_open, bench.device) == (ToOpen(Path("a.pt")), "cuda:2")


def test_a_module_is_run_on_the_device_that_was_named(
    bench: type[FakeApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.analysis.numerics.devices.devices_here", lambda: ("cpu", "cuda:1"))
    assert main(["torch.nn:Conv2d", "--with", "2, 2, 1", "--device", "cuda:1"]) == 0
    assert bench.module is not None
    assert bench.device == "cuda:1"


@pytest.mark.parametrize("command", [(), ("check",)])
def test_no_code_is_run_for_a_device_that_is_not_here(
    command: tuple[str, ...],
    bench: type[FakeApp],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "net.py").write_text("print('it runs')")
    monkeypatch.chdir(tmp_path)
    assert main([*command, "net.py:Net", "--device", "cuda:99"]) == 2
    assert capsys.readouterr().err == "repfuse-tui: device 'cuda:99' is not here: there is cpu\n"


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ("gpu", "--device: must be cpu, cuda, cuda:1 or mps, not 'gpu'"),
        ("cuda:99", "device 'cuda:99' is not here: there is cpu"),
    ],
)
def test_check_refuses_a_device(device: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--device", device]) == 2
    assert words in capsys.readouterr().err


def test_the_bench_opens_with_a_mistake(bench: type[FakeApp]) -> None:
    assert main(["--mistake", "flipped"]) == 0
    assert bench.altered == [Alterations(mistake="flipped")]


def test_the_exit_status_of_the_bench_is_passed_on(
    bench: type[FakeApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "return_code", 4)
    assert main([]) == 4


def test_a_bad_block_never_opens_the_bench(bench: type[FakeApp], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--groups", "3"]) == 2
    assert bench.opened == []
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "repfuse-tui: --groups: groups must divide in and out channels: "
        "3 does not divide in channels 2 or out channels 2\n"
    )


def test_without_a_terminal_check_is_recommended(
    bench: type[FakeApp], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    monkeypatch.setattr("tui.on_terminal._in_a_terminal", lambda: False)
    assert main([]) == 2
    assert bench.opened == []
    assert "repfuse-tui check" in capsys.readouterr().err
    monkeypatch.setenv("TEXTUAL_DRIVER", "some.web:Driver")
    assert main([]) == 0
    assert bench.opened == [BlockSpec()]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows terminals set no TERM")
@pytest.mark.parametrize(
    ("term", "words"),
    [("dumb", "TERM is dumb"), ("unknown", "TERM is unknown"), ("", "not set"), (None, "not set")],
)
def test_a_terminal_that_cannot_place_text_is_refused_in_one_line(
    bench: type[FakeApp],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    term: str | None,
    words: str,
) -> None:
    if term is None:
        monkeypatch.delenv("TERM")
    else:
        monkeypatch.setenv("TERM", term)
    assert main([]) == 2
    assert bench.opened == []
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err[:-1].isprintable()
    assert words in printed.err
    assert "repfuse-tui check" in printed.err
    assert main(["check"]) == 0
    monkeypatch.setattr(sys, "platform", "win32")
    assert main([]) == 0


@pytest.mark.parametrize(
    ("variables", "depth"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, ColourDepth.FULL),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit"}, ColourDepth.FULL),
        ({"TERM": "xterm-256color"}, ColourDepth.EIGHT_BIT),
        ({"TERM": "screen-256color"}, ColourDepth.EIGHT_BIT),
        ({"TERM": "xterm-kitty"}, ColourDepth.EIGHT_BIT),
        ({"TERM": "xterm"}, ColourDepth.STANDARD),
        ({"TERM": "linux"}, ColourDepth.STANDARD),
        (
            {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TERM_PROGRAM": "Apple_Terminal"},
            ColourDepth.EIGHT_BIT,
        ),
        ({"TERM": "xterm", "TERM_PROGRAM": "Apple_Terminal"}, ColourDepth.STANDARD),
        ({"TERM": "xterm", "TEXTUAL_COLOR_SYSTEM": "truecolor"}, ColourDepth.FULL),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "TEXTUAL_COLOR_SYSTEM": "256"}, ColourDepth.EIGHT_BIT),
    ],
)
def test_the_bench_takes_the_colours_that_the_terminal_has(
    bench: type[FakeApp], monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], depth: ColourDepth
) -> None:
    for name in ("TERM", "COLORTERM", "TERM_PROGRAM", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main([]) == 0
    assert bench.depth is depth


# check


def test_the_bench_opens_with_edits(bench: type[FakeApp]) -> None:
    assert main(["--edit", "input[0,0,0,0]=nan", "--edit", "kxk.bias[1]=1/2", "--mistake", "flipped"]) == 0
    edits = (Edit("input", (0, 0, 0, 0), math.nan), Edit("kxk.bias", (1,), 0.5))
    assert bench.altered[-1] == Alterations(edits, "flipped")


def test_check_takes_edits(capsys: pytest.CaptureFixture[str]) -> None:
    edits = [word for out in range(2) for word in ("--edit", f"fused.bias[{out}]=9")]
    edits += [word for out in range(2) for word in ("--edit", f"fused.weight[{out},0,1,1]=9")]
    assert main(["check", *edits, "--edit", "kxk.weight[0,0,0,0]=0.5"]) == 1
    assert "set by hand" in (printed := " ".join(capsys.readouterr().out.split()))
    assert "fused.bias[0]=9.0, fused.bias[1]=9.0, fused.weight[0,0,1,1]=9.0" in printed
    assert "and 1 more" in printed
    assert main(["check", "--json", *edits]) == 1
    assert json.loads(capsys.readouterr().out)["edits"] == 4
    assert main(["check", "--edit", "fused.weight[0,0,3,3]=1"]) == 2
    assert "--edit: fused.weight is 2 x 2 x 3 x 3" in capsys.readouterr().err


def test_a_saved_study_is_loaded(
    bench: type[FakeApp], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tui.analysis.study import study_of
    from tui.export.study_json import study_json_of

    spec, other = BlockSpec(seed=4), Subject(BlockSpec(seed=5))
    altered = Alterations((Edit("kxk.bias", (0,), 2.0),), "flipped")
    file = tmp_path / "study.json"
    file.write_text(study_json_of(study_of(spec, altered), other), encoding="utf-8")
    assert main(["--load", str(file)]) == 0
    assert (bench.opened[-1], bench.altered[-1], bench.compared) == (spec, altered, other)
    assert main(["check", "--load", str(file), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["spec"]["seed"], report["mistake"], report["edits"]) == (4, "flipped", 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such file"),
        (b"", "it is empty"),
        (b'{"program": "repfuse-tui", "schema": 0}', "schema 0, and this version reads schema 1"),
        (b'{"spec": {}}', "not a study that was saved here"),
        (b'{"program": "repfuse-tui", "sche', "cut short"),
    ],
)
@pytest.mark.parametrize("command", [[], ["check"]], ids=["bench", "check"])
def test_what_cannot_be_loaded_is_one_line_and_2(
    bench: type[FakeApp],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    content: bytes | None,
    words: str,
) -> None:
    opened = list(bench.opened)
    if content is not None:
        (tmp_path / "x.json").write_bytes(content)
    assert main([*command, "--load", str(tmp_path / "x.json")]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.startswith(f"repfuse-tui: --load: {tmp_path / 'x.json'}: ")
    assert error.count("\n") == 1
    assert bench.opened == opened


@pytest.mark.parametrize("option", ["--seed=3", "--preset=repvgg", "--bias", "--edit=x", "--mistake=flipped"])
def test_nothing_of_a_block_goes_with_a_file(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--load", "x.json", option]) == 2
    name = option.partition("=")[0]
    assert f"--load: the file says all of the block; leave {name} out" in capsys.readouterr().err


def test_check_takes_the_same_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "7", "check", "--preset", "pointwise", "--json", "--batch-norm"]) == 0
    spec = json.loads(capsys.readouterr().out)["spec"]
    assert (spec["seed"], spec["kernel_size"]) == (7, [1, 1])
    assert all(branch["batch_norm"] for branch in spec["branches"])


def test_check_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert "They agree" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--out-channels", "3"),
        ("check", "--kernel-size", "[bold]3[/bold]", "--seed", "\x1b[2J\n"),
        ("check", "--kernel", "3"),
        ("check", "--preset", "resnet"),
        ("check", "--in-channels", "65536", "--out-channels", "65536", "--kernel-size", "127"),
        ("chekc",),
        ("--print-completion", "sh"),
    ],
)
def test_bad_input_is_one_line_and_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("repfuse-tui: ")
    assert printed.err.endswith("\n")
    assert printed.err[:-1].isprintable()


def test_check_that_fails_is_one_line_and_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of memory\nframe #0")

    monkeypatch.setattr("tui.analysis.study.run_study", fail)
    assert main(["check"]) == 2
    assert capsys.readouterr().err == "repfuse-tui: this block could not be run: out of memory\n"


def test_ctrl_c_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tui.command_line.options.parse", interrupt)
    assert main(["check"]) == 130
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_does_not_wait_for_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: list[object] = []

    def note_handler(*_: object, as_json: bool, **__: object) -> int:
        handlers.append(signal.getsignal(signal.SIGINT))
        return 0

    monkeypatch.setattr("tui.commands.check.command.check", note_handler)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        assert main(["check"]) == 0
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert handlers == [signal.SIG_DFL]


def test_ctrl_c_stays_ignored_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def note_handler(*_: object, as_json: bool, **__: object) -> int:
        return int(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)

    monkeypatch.setattr("tui.commands.check.command.check", note_handler)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert main(["check"]) == 1
    finally:
        signal.signal(signal.SIGINT, before)


# In a process of its own


@pytest.mark.parametrize(
    ("argument", "expected"), [("--help", "usage: repfuse-tui"), ("--version", f"repfuse-tui {__version__}")]
)
def test_help_and_version_import_neither_torch_nor_a_screen(argument: str, expected: str) -> None:
    program = (
        "import sys; from tui.cli import main; status = main([sys.argv[1]]); "
        "print(*{'torch', 'textual', 'rich', 'shtab', 'platformdirs'} & set(sys.modules), file=sys.stderr); "
        "sys.exit(status)"
    )
    done = python("-c", program, argument)
    assert done.stdout.startswith(expected)
    assert (done.returncode, done.stderr) == (0, "\n")


def test_a_bad_block_is_found_without_torch_or_a_screen() -> None:
    program = (
        "import sys; from tui.cli import main; main(['--groups', '3']); main(['check', '--groups', '3']); "
        "print(*{'torch', 'textual', 'rich'} & set(sys.modules))"
    )
    assert python("-c", program).stdout == "\n"


def test_check_prints_in_ascii_and_torch_warns_of_nothing() -> None:
    """Several in one process, for each would first import torch."""
    wrong = "--preset repvgg --in-channels 4 --mistake 1x1-off-centre"
    program = (
        "import sys; from tui.cli import main;"
        "print(*[main(['check', *words.split()]) for words in sys.argv[1:]], file=sys.stderr)"
    )
    asked = "--json --kernel-size 4", "", wrong, f"{wrong} --json"
    done = python("-c", program, *asked, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, "0 0 1 1\n")
    assert done.stdout.isascii()
    assert json.JSONDecoder().raw_decode(done.stdout)[0]["fused"]["conv2d"]["padding"] == "same"
    assert "They agree" in done.stdout
    assert "1x1 one tap off centre" in done.stdout
    assert json.loads(done.stdout[done.stdout.rindex("\n{") :])["mistake"] == "1x1-off-centre"


@pytest.mark.parametrize("arguments", [("--help",), ("check",), ("check", "--json")], ids=" ".join)
def test_a_reader_that_has_gone_away_is_no_mistake(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "tui", *arguments]
    buffered = os.environ | {"PYTHONUNBUFFERED": ""}  # so that the interpreter has something left to flush
    done = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False, env=buffered
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_mistake_that_nobody_reads_is_still_one() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "tui", "--groups", "3"]
    done = subprocess.run(command, stdout=writer, stderr=writer, timeout=60, check=False)
    os.close(writer)
    assert done.returncode == 2


def test_a_mistake_of_ours_is_70_and_a_traceback() -> None:
    program = "import tui.cli; tui.cli._done = lambda _: 1 / 0; tui.cli.run()"
    done = python("-c", program, "check")
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_every_mistake_can_be_told_in_every_encoding(encoding: str) -> None:
    """What `check` prints of each mistake, on a stream of that encoding; nothing becomes a question mark."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding)
    print_readably(stream)
    for mistake in MISTAKES.values():
        print(mistake.title, mistake.story, mistake.shows, mistake.hidden_by, file=stream)
    print("repvgg-downsample 3×3 → … − ≤ ≠ ± é", file=stream)
    stream.flush()
    text = written.getvalue().decode(encoding)
    assert "?" not in text
    if encoding == "ascii":
        assert "1x1 not padded" in text
        assert text.endswith("repvgg-downsample 3x3 -> ... - <= != +/- e\n")
