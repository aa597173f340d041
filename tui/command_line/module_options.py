"""The command line of what is done with somebody's module: opening it, inspect, fuse, compare and check."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tui.analysis.numerics.ran_on import CPU
from tui.command_line.option_parser import HelpInColumns, OptionParser, OptionsError
from tui.command_line.program import PROGRAM
from tui.command_line.study_options import add_device_option, device_of
from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.quoting import quoted

MOST_NUMBERS = 2**31
"""Of an input that is made here."""
Shape = tuple[int, int, int, int]

_TARGET = re.compile(r"(.+\.py|[^\W\d]\w*(\.[^\W\d]\w*)*):[^\W\d]\w*(\.[^\W\d]\w*)*")
_SHAPE = re.compile(r"[1-9]\d{0,8}(x[1-9]\d{0,8}){3}")


@dataclass(frozen=True, slots=True)
class ModuleSource:
    """Where a module is, and what it is run on.

    Attributes:
        target: "package.module:name" or "blocks.py:name".
        arguments: as in a call, of literals: "channels=64, deploy=False".
        weights: the file of its state_dict; None for the numbers that it begins with.
        input: (batch, channels, H, W) of a random input.
        example: the file of an input; None, and no `input`: one is made from the parameters.
        arguments_option, weights_option: what its arguments and the file of its state_dict are named with.
    """

    target: str
    arguments: str = ""
    weights: Path | None = None
    input: Shape | None = None
    example: Path | None = None
    arguments_option: str = "--with"
    weights_option: str = "--weights"


@dataclass(frozen=True, slots=True)
class OpenModuleRequest:
    """Open a module on the screen, beside what another tool made of it where that is given: a file, or a
    module of which only the tensors count.

    `device`: where both sides of its blocks run.
    """

    source: ModuleSource
    given: Path | ModuleSource | None = None
    device: str = CPU


@dataclass(frozen=True, slots=True)
class InspectModuleRequest:
    """Print what was found in a module."""

    source: ModuleSource
    as_json: bool


class FusedAs(StrEnum):
    """What of a fused module is written."""

    STATE_DICT = "state-dict"
    """Its numbers, as safetensors."""
    EXPORTED_PROGRAM = "exported-program"
    """What torch.export.load reads, without the module's code."""
    TORCHSCRIPT = "torchscript"
    """What torch.jit.load reads, likewise."""


@dataclass(frozen=True, slots=True)
class FuseModuleRequest:
    """Fuse a module, and write what comes out."""

    source: ModuleSource
    target: Path
    force: bool
    as_json: bool
    form: FusedAs = FusedAs.STATE_DICT


@dataclass(frozen=True, slots=True)
class CompareModuleRequest:
    """Judge what another tool made of a module: a file, or a module of which only the tensors count."""

    source: ModuleSource
    given: Path | ModuleSource
    as_json: bool


@dataclass(frozen=True, slots=True)
class CheckModuleRequest:
    """Report on a block of a module.

    Attributes:
        block: its path; None of the module as a whole.
        device: where both sides of it run.
    """

    source: ModuleSource
    block: str | None
    as_json: bool
    device: str = CPU


ModuleRequest = (
    OpenModuleRequest | InspectModuleRequest | FuseModuleRequest | CompareModuleRequest | CheckModuleRequest
)

_OPEN = ""
_WORDS: Mapping[str, str] = {
    _OPEN: "show a module: the block that it is, or the blocks in it, beside what another tool made of it",
    "inspect": "list the blocks of a module, and what is left alone and why",
    "fuse": "fuse every block of a module, and write what comes out",
    "compare": "judge what another tool made of a module",
    "check": "report on a module that is one block, or on a block of it, as check does",
}
OF_MODULES: Mapping[str, str] = {name: words for name, words in _WORDS.items() if name != _OPEN}
"""The commands that take a module in the place of a file or of options of a block, and what each does."""

_FUSED = ("FUSED", "what was made of it: a checkpoint, or a module of the same names")
_POSITIONALS: Mapping[str, tuple[tuple[str, str], ...]] = {
    _OPEN: (_FUSED,),
    "fuse": (("OUT", "what is written of the fused module"),),
    "compare": (_FUSED,),
}
"""What stands after MODULE."""

_EPILOG = """\
MODULE is package.module:name or path/blocks.py:name, where the name is that of
a class, of a function that makes a module, or of a module. This runs the code
in it, as python would; nothing else that {program} does runs code of others.

exit status:
{status}  2  the code, its arguments or a file cannot be used
"""
_STATUS: Mapping[str, str] = {
    _OPEN: "  0  it was shown\n",
    "inspect": "  0  it was listed\n",
    "fuse": """\
  0  every block is right, and written
  1  the fused module gives something else, and nothing is written
""",
    "compare": """\
  0  every block is right, and every other tensor carried over
  1  a block is wrong, a tensor differs or is missing, or a name is left over
""",
    "check": """\
  0  fused and unfused agree: they are the same, or differ by rounding
  1  they do not, or by more than rounding is likely to make
""",
}


def is_module_like(word: str) -> bool:
    """Whether a word is meant as a module: a name in a Python file or in a package.

    >>> is_module_like("blocks.py:Block"), is_module_like("model.safetensors")
    (True, False)
    """
    return _TARGET.fullmatch(word) is not None and not Path(word).exists()


def is_on_module(command: str, arguments: Sequence[str]) -> bool:
    """Whether a command is about a module; compare of a file with a module is about the file.

    >>> is_on_module("compare", ["a.py:A", "b.pt"]), is_on_module("compare", ["b.pt", "a.py:A"])
    (True, False)
    """
    if command not in OF_MODULES or not any(map(is_module_like, arguments)):
        return False
    if command != "compare":
        return True
    options, _ = module_parser(command).known(arguments, intermixed=True)
    return is_module_like(options.MODULE or "")


def parse_module(command: str, arguments: Sequence[str]) -> ModuleRequest | str:
    """The request of one of `OF_MODULES`, or of opening ("") a module, or the help where that is asked for.

    Raises:
        OptionsError: the first mistake in the options.
    """
    parser = module_parser(command)
    options, rest = parser.known(arguments, intermixed=True)
    if options.help:
        return parser.format_help()
    parser.refuse_unknown_options(rest, "there is no such option for a module")
    if rest:
        raise OptionsError(f"{quoted(rest[0])}: there is no place for it")
    return _MADE[command](options)


def _inspect(options: argparse.Namespace) -> InspectModuleRequest:
    return InspectModuleRequest(source_of(options), options.json)


def _fuse(options: argparse.Namespace) -> FuseModuleRequest:
    if not options.OUT:
        raise OptionsError("OUT: the name of a file is missing")
    return FuseModuleRequest(
        source_of(options), Path(options.OUT), options.force, options.json, _form(options.form)
    )


def _form(text: str | None) -> FusedAs:
    if text is None:
        return FusedAs.STATE_DICT
    if text not in tuple(FusedAs):
        near = did_you_mean(text, FusedAs)
        raise OptionsError(f"--as: must be one of {', '.join(FusedAs)}, not {quoted(text)}{near}")
    return FusedAs(text)


def _compare(options: argparse.Namespace) -> CompareModuleRequest:
    given = given_of(options)
    if given is None:
        raise OptionsError("FUSED: the name of a file or a module is missing")
    return CompareModuleRequest(source_of(options), given, options.json)


def _check(options: argparse.Namespace) -> CheckModuleRequest:
    return CheckModuleRequest(source_of(options), options.block, options.json, device_of(options))


_MADE: Mapping[str, Callable[[argparse.Namespace], ModuleRequest]] = {
    _OPEN: lambda options: OpenModuleRequest(source_of(options), given_of(options), device_of(options)),
    "inspect": _inspect,
    "fuse": _fuse,
    "compare": _compare,
    "check": _check,
}


def module_parser(command: str) -> OptionParser:
    """The parser of what is done with a module; it knows which options there are, and of values nothing."""
    after = _POSITIONALS.get(command, ())
    files = "".join(f" {name}" if command else f" [{name}]" for name, _ in after)
    words = f"{PROGRAM} {command}".rstrip()
    parser = OptionParser(
        prog=words,
        usage=f"{words} MODULE{files} [options]",
        description=f"{_WORDS[command].capitalize()}.",
        epilog=_EPILOG.format(program=PROGRAM, status=_STATUS[command]),
        formatter_class=HelpInColumns,
        allow_abbrev=False,
        exit_on_error=False,
        add_help=False,
    )
    parser.add_argument("MODULE", help="package.module:name or blocks.py:name; its code is run")
    for name, help_words in after:
        # Optional for argparse: that one is missing is told in words of our own.
        parser.add_argument(name, nargs="?", help=help_words)
    add_source_options(parser)
    if command in (_OPEN, "compare"):
        add_given_options(parser)
    if command in (_OPEN, "check"):
        add_device_option(parser)
    if command:
        parser.add_argument("--json", action="store_true", help="the report as one JSON object")
    match command:
        case "fuse":
            parser.add_argument("--force", action="store_true", help="replace OUT")
            forms = ", ".join(FusedAs)
            parser.add_argument("--as", dest="form", metavar="FORM", help=f"{forms} [{FusedAs.STATE_DICT}]")
        case "check":
            parser.add_argument("--block", metavar="PATH", help="which block of it, as inspect names it")
    parser.add_argument("-h", "--help", action="store_true", help="show this and exit")
    return parser


def add_source_options(parser: OptionParser) -> None:
    """Let the parser take how a module is made, and what it is run on."""
    parser.add_argument("--with", dest="arguments", metavar="ARGS", help='as "channels=64, deploy=False"')
    parser.add_argument("--weights", metavar="FILE", help="a state_dict to be loaded into it; only tensors")
    parser.add_argument("--input", metavar="SHAPE", help="of what it is run on, as 1x64x32x32 [found out]")
    parser.add_argument("--example", metavar="FILE", help="what it is run on: a .npy file")


def add_given_options(parser: OptionParser) -> None:
    """Let the parser take how a module is made that is compared with what came before it."""
    parser.add_argument("--given-with", metavar="ARGS", help="as --with, of a module FUSED")
    parser.add_argument("--given-weights", metavar="FILE", help="as --weights, of a module FUSED")


def given_of(options: argparse.Namespace) -> Path | ModuleSource | None:
    """What is compared, a file or a module; None where nothing is.

    Raises:
        OptionsError: it is no module, and something is said about one.
    """
    if options.FUSED and is_module_like(options.FUSED):
        weights = None if options.given_weights is None else Path(options.given_weights)
        arguments = options.given_with or ""
        return ModuleSource(
            options.FUSED,
            arguments,
            weights,
            arguments_option="--given-with",
            weights_option="--given-weights",
        )
    for name in ("given_with", "given_weights"):
        if getattr(options, name) is not None:
            option = f"--{name.replace('_', '-')}"
            what = "is a file" if options.FUSED else "is missing"
            raise OptionsError(f"{option}: FUSED {what}; leave it out, or give package.module:name")
    return Path(options.FUSED) if options.FUSED else None


def source_of(options: argparse.Namespace) -> ModuleSource:
    """Where the module is, and what it is run on.

    Raises:
        OptionsError: the input is given twice, or is no shape.
    """
    if options.input is not None and options.example is not None:
        raise OptionsError("--input: --example says what it is run on; leave one of them out")
    weights, example = (None if name is None else Path(name) for name in (options.weights, options.example))
    return ModuleSource(options.MODULE, options.arguments or "", weights, _shape(options.input), example)


def _shape(text: str | None) -> Shape | None:
    if text is None:
        return None
    if not _SHAPE.fullmatch(text):
        raise OptionsError(
            f"--input: must be batch x channels x height x width, as 1x64x32x32, not {quoted(text)}"
        )
    batch, channels, height, width = map(int, text.split("x"))
    if batch * channels * height * width > MOST_NUMBERS:
        raise OptionsError(f"--input: {quoted(text)} are more than {MOST_NUMBERS:,} numbers")
    return batch, channels, height, width
