"""The command line of `speed`: a block by options, the blocks of a file, or those of a module."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.to_time import USUAL_INPUT, RunOn
from tui.command_line.block_options import DEFAULT_PRESET, add_block_options, option_of, spec_of
from tui.command_line.checkpoint_options import Reading, add_reading_options, is_file_like, reading_of
from tui.command_line.module_options import ModuleSource, add_source_options, is_module_like, source_of
from tui.command_line.option_parser import HelpInColumns, OptionParser, OptionsError
from tui.command_line.program import PROGRAM
from tui.command_line.timing_options import add_timing_options, conditions_of
from tui.fusion.grammar.fields import FIELDS, spec_from
from tui.fusion.presets import PRESETS
from tui.fusion.quoting import quoted
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.problems import InvalidSpecError

SPEED = "speed"
SPEED_SUMMARY = "time a block, or each block of a file or module, as it is and fused"


class Kind(StrEnum):
    """What is timed; the value is what stands for it in the usage."""

    BLOCK = ""
    FILE = "FILE"
    MODULE = "MODULE"


@dataclass(frozen=True, slots=True)
class FileSource:
    """The blocks of a checkpoint, and what they are run on."""

    path: Path
    reading: Reading = field(default_factory=Reading)
    run_on: RunOn = field(default_factory=RunOn)


@dataclass(frozen=True, slots=True)
class SpeedRequest:
    """Time something.

    Attributes:
        as_json: whether it is reported as JSON; as a table otherwise.
        repetitions: whether the JSON has every timing.
    """

    source: BlockSpec | FileSource | ModuleSource
    conditions: Conditions
    as_json: bool = False
    repetitions: bool = False


_DESCRIPTION = {
    Kind.BLOCK: """\
Time a block as its modules run, with its batch norms folded, and as the one
convolution that it fuses to: round by round, the sides taking turns. Beside it
stands what arithmetic says, and what this machine reaches at best; MACs and
FLOP are of convolutions, not of batch norms and sums. Given a
checkpoint FILE or a MODULE, it times each of its blocks; {program} speed FILE
--help and {program} speed MODULE --help tell the options. Ctrl+C ends it, and
what is there by then is printed.""",
    Kind.FILE: """\
Time each block of a checkpoint as its modules run, with its batch norms folded,
and fused; the one that gains least stands first. Ctrl+C ends it, and what is
there by then is printed.""",
    Kind.MODULE: """\
Time each block of a module on what reaches it, as its modules run, with its
batch norms folded, and fused; then the whole, on the same sides. This runs
the code in it. The block that gains least stands first. Ctrl+C ends it, and
what is there by then is printed.""",
}

_EPILOG = """\
examples:
{examples}

exit status:
  0    it was timed, also where a block had to be left out
  2    the options make no block, a file or a module cannot be used, or nothing
       could be timed
  130  Ctrl+C ended it; what was there is printed
"""

_BLOCK_EPILOG = f"""\
In brackets: the value without the option, that of --preset {DEFAULT_PRESET}.

presets, of which {PROGRAM} --help tells more:
  {", ".join(PRESETS)}

"""

_EXAMPLES = {
    Kind.BLOCK: (
        "--preset repvgg --batch-size 8",
        "--preset mobileone --threads 1 --memory-format channels_last",
        "--preset dbb --json --repetitions",
    ),
    Kind.FILE: ("model.safetensors --input-shape 28x28 --batch-size 8",),
    Kind.MODULE: ("package.models:net --weights net.pt --input 8x3x224x224",),
}


def kind_of(arguments: Sequence[str]) -> Kind:
    """What these arguments are about, by the first that is no option."""
    first = next(iter(arguments), "")
    if first == Kind.MODULE or is_module_like(first):
        return Kind.MODULE
    return Kind.FILE if first == Kind.FILE or is_file_like(first) else Kind.BLOCK


def parse_speed(arguments: Sequence[str]) -> SpeedRequest | str:
    """The request that these arguments make, or the help where that is asked for.

    Raises:
        OptionsError: the first mistake in the options, or every problem of the block.
    """
    kind = kind_of(arguments)
    parser = speed_parser(kind)
    options, rest = parser.known(arguments)
    if options.help:
        return parser.format_help()
    _refuse_unknown(kind, rest, parser)
    if options.repetitions and not options.json:
        raise OptionsError("--repetitions: only JSON has room for them; write --json too")
    return SpeedRequest(_source(kind, options), conditions_of(options), options.json, options.repetitions)


def _source(kind: Kind, options: argparse.Namespace) -> BlockSpec | FileSource | ModuleSource:
    match kind:
        case Kind.BLOCK:
            return spec_of(options)
        case Kind.MODULE:
            return source_of(options)
    run = _how_it_is_run(options)
    dtype = None if options.dtype is None else run.dtype
    run_on = RunOn(run.input_shape, run.batch_size, dtype)
    return FileSource(Path(options.FILE), reading_of(options), run_on)


def _how_it_is_run(options: argparse.Namespace) -> BlockSpec:
    """A block that is run as the options say, by which they are judged."""
    given = {name: getattr(options, name) for name in _OF_FILES}
    texts = {name: text for name, text in given.items() if text is not None}
    try:
        return spec_from(texts, BlockSpec(in_channels=1, out_channels=1, input_shape=USUAL_INPUT))
    except InvalidSpecError as error:
        problems = (f"{option_of(problem.field)}: {problem.message}" for problem in error.problems)
        raise OptionsError("; ".join(problems)) from None


def _refuse_unknown(kind: Kind, rest: Sequence[str], parser: OptionParser) -> None:
    parser.refuse_unknown_options(rest, f"{SPEED} {kind}".rstrip() + " has no such option")
    if rest:
        first = f"; a file or a module stands first: {PROGRAM} {SPEED} FILE ..."
        where = first if kind is Kind.BLOCK else ""
        raise OptionsError(f"{quoted(rest[0])}: there is no place for it{where}")


_OF_FILES = ("input_shape", "batch_size", "dtype")


def speed_parser(kind: Kind = Kind.BLOCK) -> OptionParser:
    """The parser of `speed`; it knows which options there are, and of their values nothing."""
    words = f"{PROGRAM} {SPEED}"
    examples = "\n".join(f"  {words} {example}" for example in _EXAMPLES[kind])
    parser = OptionParser(
        prog=words,
        usage=f"{words} {kind} [options]".replace("  ", " "),
        description=_DESCRIPTION[kind].format(program=PROGRAM),
        epilog=(_BLOCK_EPILOG if kind is Kind.BLOCK else "") + _EPILOG.format(examples=examples),
        formatter_class=HelpInColumns,
        allow_abbrev=False,
        exit_on_error=False,
        add_help=False,
    )
    if kind is Kind.FILE:
        parser.add_argument("FILE", nargs="?", help="the checkpoint: safetensors, its index, or torch.save's")
    elif kind is Kind.MODULE:
        parser.add_argument(
            "MODULE", nargs="?", help="package.module:name or blocks.py:name; its code is run"
        )
    parser.add_argument("--json", action="store_true", help="the report as one JSON object")
    parser.add_argument("--repetitions", action="store_true", help="in the JSON, every timing too")
    parser.add_argument("-h", "--help", action="store_true", help="show this and exit")
    add_timing_options(parser)
    match kind:
        case Kind.BLOCK:
            add_block_options(parser)
        case Kind.MODULE:
            add_source_options(parser)
        case Kind.FILE:
            add_reading_options(parser)
            for name in _OF_FILES:
                usual = {"input_shape": "x".join(map(str, USUAL_INPUT)), "batch_size": "1"}.get(
                    name, "its own"
                )
                metavar, words = FIELDS[name].metavar, f"{FIELDS[name].help} [{usual}]"
                parser.add_argument(option_of(name), dest=name, metavar=metavar, help=words)
    return parser
