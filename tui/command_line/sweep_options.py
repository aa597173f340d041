"""The command line of `sweep`: a block, what of it varies, and how it is reported."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from tui.analysis.sweep.axes import AXES, THREADS
from tui.analysis.sweep.plan import Plan, PlanError
from tui.analysis.sweep.ranges import Range, parse_over
from tui.command_line.block_options import DEFAULT_PRESET, add_block_options, option_of, spec_of
from tui.command_line.option_parser import HelpInColumns, OptionParser, OptionsError
from tui.command_line.program import PROGRAM
from tui.command_line.timing_options import add_timing_options, conditions_of
from tui.fusion.grammar.text_error import TextError
from tui.fusion.presets import PRESETS
from tui.fusion.quoting import quoted

SWEEP = "sweep"
SWEEP_SUMMARY = "time a block over a range of one of its parameters, or of two"

_DESCRIPTION = """\
Time a block and the convolution that it fuses to over a range of one of its
parameters, or of two. Each point is studied first: how far both sides lie apart
is of a run that is not timed. What the block does not allow is skipped and
named; Ctrl+C ends it, and what is there by then is printed."""

_EPILOG = """\
In brackets: the value without the option, that of --preset {default}.

what varies:
{axes}

presets, of which {program} --help tells more:
{presets}

  8:512:x2 multiplies, 8:64:+8 adds, and values stand alone apart by commas.

examples:
  {program} sweep --over in-channels=8:128:x2
  {program} sweep --preset repvgg --over kernel-size=3,5,7 --over batch-size=1,8
  {program} sweep --preset mobileone --over branches=1:4:+1 --threads 1 --csv

exit status:
  0    the sweep was run, whatever became of its points
  2    the options make no block or no sweep
  130  Ctrl+C ended it; what was there is printed
"""

_SET_BY = {THREADS: ("threads",)}
"""The options that set what varies, where they are not those of the axis' fields."""


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """Run a sweep.

    Attributes:
        as_json, as_csv: how it is reported; as a table where neither.
        repetitions: whether the JSON has every timing.
    """

    plan: Plan
    as_json: bool = False
    as_csv: bool = False
    repetitions: bool = False


def parse_sweep(arguments: Sequence[str]) -> SweepRequest | str:
    """The request that these arguments make, or the help where that is asked for.

    Raises:
        OptionsError: the first mistake in the options, or every problem of the block.
    """
    parser = sweep_parser()
    options, rest = parser.known(arguments)
    if options.help:
        return parser.format_help()
    parser.refuse_unknown_options(rest, f"{SWEEP} has no such option")
    if rest:
        raise OptionsError(f"{quoted(rest[0])}: there is no place for it; what varies stands behind --over")
    if options.json and options.csv:
        raise OptionsError("--csv: --json says how it is reported; leave one of them out")
    if options.repetitions and not options.json:
        raise OptionsError("--repetitions: only JSON has room for them; write --json too")
    ranges = tuple(map(_range, options.over or ()))
    if not ranges:
        raise OptionsError("--over: what varies is missing; give it, such as --over in-channels=8:512:x2")
    _refuse_given_twice(ranges, options)
    try:
        plan = Plan(spec_of(options), ranges, conditions_of(options))
    except PlanError as error:
        raise OptionsError(f"--over: {error}") from None
    return SweepRequest(plan, options.json, options.csv, options.repetitions)


def _refuse_given_twice(ranges: Sequence[Range], options: argparse.Namespace) -> None:
    """An option that sets what varies would say nothing.

    Raises:
        OptionsError: there is one.
    """
    for each in ranges:
        for name in _SET_BY.get(each.axis.name, each.axis.fields):
            if getattr(options, name) is not None:
                raise OptionsError(
                    f"{option_of(name)}: --over {each.axis.name} says over what it varies; leave one of "
                    "them out"
                )


def sweep_parser() -> OptionParser:
    """The parser of `sweep`; it knows which options there are, and of their values nothing."""
    width = max(map(len, AXES))
    axes = "\n".join(f"  {name:{width}}  {axis.label}, as {axis.example}" for name, axis in AXES.items())
    parser = OptionParser(
        prog=f"{PROGRAM} {SWEEP}",
        usage=f"{PROGRAM} {SWEEP} --over NAME=VALUES [--over NAME=VALUES] [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG.format(
            program=PROGRAM, default=DEFAULT_PRESET, axes=axes, presets=f"  {', '.join(PRESETS)}"
        ),
        formatter_class=HelpInColumns,
        allow_abbrev=False,
        exit_on_error=False,
        add_help=False,
    )
    group = parser.add_argument_group("the sweep")
    group.add_argument(
        "--over", metavar="NAME=VALUES", action="append", help="what varies, below; once more for a second"
    )
    group.add_argument("--json", action="store_true", help="the report as one JSON object")
    group.add_argument("--csv", action="store_true", help="the report as CSV, a line for each point")
    group.add_argument("--repetitions", action="store_true", help="in the JSON, every timing too")
    group.add_argument("-h", "--help", action="store_true", help="show this and exit")
    add_timing_options(parser)
    add_block_options(parser)
    return parser


def _range(text: str) -> Range:
    try:
        return parse_over(text)
    except TextError as error:
        raise OptionsError(f"--over: {error}") from None
