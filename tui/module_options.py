"""The command line of what is done with somebody's module: opening it, inspect and fuse."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui.fusion.nearest_name import did_you_mean
from tui.fusion.quoting import printable, quoted
from tui.option_parser import PROGRAM, HelpInColumns, OptionParser, OptionsError

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
    """

    target: str
    arguments: str = ""
    weights: Path | None = None
    input: Shape | None = None
    example: Path | None = None


@dataclass(frozen=True, slots=True)
class OpenModuleRequest:
    """Open a module on the screen."""

    source: ModuleSource


@dataclass(frozen=True, slots=True)
class InspectModuleRequest:
    """Print what was found in a module."""

    source: ModuleSource
    as_json: bool


@dataclass(frozen=True, slots=True)
class FuseModuleRequest:
    """Fuse a module, and write the state_dict of what comes out."""

    source: ModuleSource
    target: Path
    force: bool
    as_json: bool


ModuleRequest = OpenModuleRequest | InspectModuleRequest | FuseModuleRequest

_OPEN = ""
_WORDS: Mapping[str, str] = {
    _OPEN: "show a module: the block that it is, or the blocks in it",
    "inspect": "list the blocks of a module, and what is left alone and why",
    "fuse": "fuse every block of a module, and write the state_dict of what comes out",
}
OF_MODULES: frozenset[str] = frozenset(("inspect", "fuse"))
"""The commands that take a module in the place of a file."""

_EPILOG = """\
MODULE is package.module:name or path/blocks.py:name, where the name is that of
a class, of a function that makes a module, or of a module. This runs the code
in it, as python would; nothing else that {program} does runs code of others.

exit status:
  0  it was done; of fuse: every block is right, and written
  1  fuse: the fused module gives something else, and nothing is written
  2  the code, its arguments or a file cannot be used
"""


def is_module_like(word: str) -> bool:
    """Whether a word is meant as a module: a name in a Python file or in a package.

    >>> is_module_like("blocks.py:Block"), is_module_like("model.safetensors")
    (True, False)
    """
    return _TARGET.fullmatch(word) is not None and not Path(word).exists()


def parse_module(command: str, arguments: Sequence[str]) -> ModuleRequest | str:
    """The request of "inspect" or "fuse", or of opening ("") a module, or the help where that is asked for.

    Raises:
        OptionsError: the first mistake in the options.
    """
    parser = module_parser(command)
    try:
        options, rest = parser.parse_known_intermixed_args(arguments)
    except argparse.ArgumentError as error:
        raise OptionsError(f"{error.argument_name}: {error.message}") from None
    if options.help:
        return parser.format_help()
    for text in rest:
        if text.startswith("-"):
            name = text.partition("=")[0]
            near = did_you_mean(name, parser.option_names)
            raise OptionsError(f"{printable(name)}: there is no such option for a module{near}")
        raise OptionsError(f"{quoted(text)}: there is no place for it")
    source = source_of(options)
    if command == "inspect":
        return InspectModuleRequest(source, options.json)
    if command == "fuse":
        if not options.OUT:
            raise OptionsError("OUT: the name of a file is missing")
        return FuseModuleRequest(source, Path(options.OUT), options.force, options.json)
    return OpenModuleRequest(source)


def module_parser(command: str) -> OptionParser:
    """The parser of what is done with a module; it knows which options there are, and of values nothing."""
    files = " OUT" if command == "fuse" else ""
    words = f"{PROGRAM} {command}".rstrip()
    parser = OptionParser(
        prog=words,
        usage=f"{words} MODULE{files} [options]",
        description=f"{_WORDS[command].capitalize()}.",
        epilog=_EPILOG.format(program=PROGRAM),
        formatter_class=HelpInColumns,
        allow_abbrev=False,
        exit_on_error=False,
        add_help=False,
    )
    parser.add_argument("MODULE", help="package.module:name or blocks.py:name; its code is run")
    if command == "fuse":
        parser.add_argument("OUT", nargs="?", help="the state_dict of the fused module, as safetensors")
    add_source_options(parser)
    if command:
        parser.add_argument("--json", action="store_true", help="the report as one JSON object")
    if command == "fuse":
        parser.add_argument("--force", action="store_true", help="replace OUT")
    parser.add_argument("-h", "--help", action="store_true", help="show this and exit")
    return parser


def add_source_options(parser: OptionParser) -> None:
    """Let the parser take how a module is made, and what it is run on."""
    parser.add_argument("--with", dest="arguments", metavar="ARGS", help='as "channels=64, deploy=False"')
    parser.add_argument("--weights", metavar="FILE", help="a state_dict to be loaded into it; only tensors")
    parser.add_argument("--input", metavar="SHAPE", help="of what it is run on, as 1x64x32x32 [found out]")
    parser.add_argument("--example", metavar="FILE", help="what it is run on: a .npy file")


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
