"""The command line of what is done with checkpoint files: inspect, fuse, compare, and opening one."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui.analysis.numerics.ran_on import CPU
from tui.checkpoints.choosing.folder import SUFFIXES
from tui.checkpoints.contents import Format
from tui.command_line.module_options import ModuleSource, add_given_options, given_of
from tui.command_line.option_parser import HelpInColumns, OptionParser, OptionsError
from tui.command_line.program import PROGRAM
from tui.command_line.study_options import add_device_option, device_of
from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.quoting import quoted

MOST_JOBS = 64
_NUMBERS = {1: "one file", 2: "two files"}


@dataclass(frozen=True, slots=True)
class Reading:
    """How a checkpoint is to be read.

    Attributes:
        eps: of all batch norms, for the families'; None where each has its family's.
        family: decides where several fit; None where the file has to.
        conv_bn: whether plain pairs of a convolution and a batch norm count as blocks.
    """

    eps: float | None = None
    family: str | None = None
    conv_bn: bool = False


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """Open a checkpoint on the screen, beside what another tool made of it where that is given: a file, or a
    module of which only the tensors count.

    `device`: where both sides of its blocks run.
    """

    source: Path
    given: Path | ModuleSource | None = None
    reading: Reading = Reading()
    device: str = CPU


@dataclass(frozen=True, slots=True)
class InspectRequest:
    """Print what a checkpoint holds."""

    source: Path
    reading: Reading
    as_json: bool


@dataclass(frozen=True, slots=True)
class FuseRequest:
    """Fuse a checkpoint.

    Attributes:
        format: of the output; None where its name decides.
        force: whether an existing file is replaced, and a wrong block written.
        jobs: how many blocks at the same time; None for the usual number.
    """

    source: Path
    target: Path
    reading: Reading
    format: Format | None
    force: bool
    jobs: int | None
    as_json: bool


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """Judge what another tool made of a checkpoint: a file, or a module of which only the tensors count."""

    source: Path
    given: Path | ModuleSource
    reading: Reading
    as_json: bool


CheckpointRequest = OpenRequest | InspectRequest | FuseRequest | CompareRequest


def is_file_like(word: str) -> bool:
    """Whether a first word is meant as a file: it is there, has a folder in it, or ends as checkpoints do."""
    if not word or word.startswith("-"):
        return False
    return word.lower().endswith(SUFFIXES) or "/" in word or "\\" in word or _is_there(word)


def _is_there(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):
        return False


def parse_checkpoint(command: str, arguments: Sequence[str]) -> CheckpointRequest | str:
    """The request of one of `COMMANDS`, or its help where that is asked for.

    Raises:
        OptionsError: the first mistake in the options.
    """
    parser = parser_of(command)
    options, rest = parser.known(arguments, intermixed=True)
    if options.help:
        return parser.format_help()
    _refuse_unknown(command, rest, parser)
    return _MADE[command](options)


def parse_opening(arguments: Sequence[str]) -> OpenRequest | str:
    """The request to open a checkpoint, whose file is the first of these arguments."""
    made = parse_checkpoint(_OPEN, arguments)
    assert isinstance(made, (OpenRequest, str))
    return made


def _refuse_unknown(command: str, rest: Sequence[str], parser: OptionParser) -> None:
    parser.refuse_unknown_options(rest, f"{_said(command)} has no such option")
    if rest:
        most = len(_FILES[command])
        raise OptionsError(f"{quoted(rest[0])}: {_said(command)} takes {_NUMBERS[most]}")


def _said(command: str) -> str:
    return "opening a checkpoint" if command == _OPEN else command


_OPEN = ""
_FILES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "inspect": (("IN", "the checkpoint: safetensors, its index, or what torch.save wrote"),),
    "fuse": (("IN", "the checkpoint; it is never written to"), ("OUT", "the fused one")),
    "compare": (("IN", "the checkpoint"), ("FUSED", "what another tool made of it: a file, or a MODULE")),
    _OPEN: (("IN", "the checkpoint"), ("FUSED", "what another tool made of it: a file, or a MODULE")),
}
"""The files that each command takes."""

COMMANDS: Mapping[str, str] = {
    "inspect": "list the blocks of a checkpoint file, and what else it holds",
    "fuse": "fuse every block of a checkpoint file into another file",
    "compare": "judge what another tool made of a checkpoint file",
}
"""Those without a screen, and what each does."""

_EXIT_STATUS: Mapping[str, str] = {
    "inspect": """\
exit status:
  0  it was listed
  2  it is no checkpoint, or cannot be read
""",
    "fuse": """\
exit status:
  0  every block that was found is fused and verified, and written
  1  a block is wrong or not verified: nothing is written without --force
  2  the input or the output cannot be used; nothing is written
""",
    "compare": """\
exit status:
  0  every block is right, and every other tensor carried over
  1  a block is wrong, a tensor differs or is missing, or a name is left over
  2  a file is no checkpoint, or cannot be read
""",
    _OPEN: "",
}


def parser_of(command: str) -> OptionParser:
    """The parser of one of `COMMANDS`; it knows which options there are, and of their values nothing."""
    files = _FILES[command]
    words = " ".join(name for name, _ in files)
    parser = OptionParser(
        prog=f"{PROGRAM} {command}",
        usage=f"{PROGRAM} {command} {words} [options]",
        description=COMMANDS.get(command, "").capitalize() + ".",
        epilog=_EXIT_STATUS[command],
        formatter_class=HelpInColumns,
        allow_abbrev=False,
        exit_on_error=False,
        add_help=False,
    )
    for name, help_words in files:
        # Optional for argparse, so that help needs none; that one is missing is told in words of our own.
        parser.add_argument(name, nargs="?", metavar=name, help=help_words)
    add_reading_options(parser)
    if command == "fuse":
        _add_fuse_options(parser)
    if command in ("compare", _OPEN):
        add_given_options(parser)
    if command == _OPEN:
        add_device_option(parser)
    else:
        parser.add_argument("--json", action="store_true", help="the report as one JSON object")
    parser.add_argument("-h", "--help", action="store_true", help="show this and exit")
    return parser


def add_reading_options(parser: OptionParser) -> None:
    """Let the parser take how a checkpoint is to be read."""
    parser.add_argument("--eps", metavar="X", help="of all batch norms: no file tells it [the family's]")
    parser.add_argument("--family", metavar="F", help="decides where several families fit")
    parser.add_argument("--conv-bn", action="store_true", help="plain convolution + batch norm pairs too")


def _add_fuse_options(parser: OptionParser) -> None:
    parser.add_argument("--format", metavar="FORMAT", help="safetensors or pt [by the name of OUT]")
    parser.add_argument("--force", action="store_true", help="replace OUT; write wrong blocks too")
    parser.add_argument("--jobs", metavar="N", help="blocks at the same time, each in memory [2]")


def _open(options: argparse.Namespace) -> OpenRequest:
    return OpenRequest(_path(options, "IN"), given_of(options), reading_of(options), device_of(options))


def _inspect(options: argparse.Namespace) -> InspectRequest:
    return InspectRequest(_path(options, "IN"), reading_of(options), options.json)


def _fuse(options: argparse.Namespace) -> FuseRequest:
    return FuseRequest(
        _path(options, "IN"),
        _path(options, "OUT"),
        reading_of(options),
        _format(options.format),
        options.force,
        _jobs(options.jobs),
        options.json,
    )


def _compare(options: argparse.Namespace) -> CompareRequest:
    source, given = _path(options, "IN"), given_of(options)
    if given is None:
        raise OptionsError("FUSED: the name of a file or a module is missing")
    return CompareRequest(source, given, reading_of(options), options.json)


_MADE: Mapping[str, Callable[[argparse.Namespace], CheckpointRequest]] = {
    "inspect": _inspect,
    "fuse": _fuse,
    "compare": _compare,
    _OPEN: _open,
}


def _path(options: argparse.Namespace, name: str) -> Path:
    text = getattr(options, name)
    if not text:
        raise OptionsError(f"{name}: the name of a file is missing")
    return Path(text)


def reading_of(options: argparse.Namespace) -> Reading:
    """How the checkpoint is to be read.

    Raises:
        OptionsError: the eps cannot be.
    """
    return Reading(_eps(options.eps), options.family, options.conv_bn)


def _eps(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        eps = float(text)
    except ValueError:
        eps = math.nan
    if not (math.isfinite(eps) and eps >= 0):
        raise OptionsError(f"--eps: must be a number that is not negative, as 1e-3, not {quoted(text)}")
    return eps


def _jobs(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_JOBS):
        raise OptionsError(f"--jobs: must be a number from 1 to {MOST_JOBS}, not {quoted(text)}")
    return int(text)


FORMATS: Mapping[str, Format] = {"safetensors": Format.SAFETENSORS, "pt": Format.TORCH}
"""What --format takes."""


def _format(text: str | None) -> Format | None:
    if text is None:
        return None
    if text.lower() not in FORMATS:
        near = did_you_mean(text, FORMATS)
        raise OptionsError(f"--format: must be one of {', '.join(FORMATS)}, not {quoted(text)}{near}")
    return FORMATS[text.lower()]
