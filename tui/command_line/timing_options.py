"""The options that say under what is timed, for every command that times something."""

from __future__ import annotations

import argparse

from tui.analysis.speed.conditions import BUDGET, Conditions, MemoryFormat
from tui.command_line.option_parser import OptionParser, OptionsError
from tui.command_line.study_options import device_of
from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.quoting import quoted

MOST_THREADS = 1024
MOST_ROUNDS = 10_000


def add_timing_options(parser: OptionParser) -> None:
    """Let the parser take a device, threads, a memory format, rounds, and whether to compile."""
    usual = Conditions()
    group = parser.add_argument_group("timing")
    group.add_argument("--device", metavar="D", help=f"cpu, cuda, cuda:1 or mps [{usual.device}]")
    group.add_argument("--threads", metavar="N", help="of one operation on the CPU [as torch has it]")
    group.add_argument(
        "--rounds",
        metavar="N",
        help=f"how often each side is timed at most, as {BUDGET:g} s allow [{usual.rounds}]",
    )
    group.add_argument(
        "--memory-format", metavar="F", help=f"{' or '.join(MemoryFormat)} [{usual.memory_format}]"
    )
    group.add_argument("--compile", action="store_true", help="each side through torch.compile")


def conditions_of(options: argparse.Namespace) -> Conditions:
    """The conditions that were asked for.

    Raises:
        OptionsError: one of them cannot be.
    """
    usual = Conditions()
    return Conditions(
        device_of(options),
        None if options.threads is None else _number("--threads", options.threads, MOST_THREADS),
        usual.memory_format if options.memory_format is None else _memory_format(options.memory_format),
        options.compile,
        usual.rounds if options.rounds is None else _number("--rounds", options.rounds, MOST_ROUNDS),
    )


def _number(option: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most):
        raise OptionsError(f"{option}: must be a whole number from 1 to {most}, not {quoted(text)}")
    return int(text)


def _memory_format(text: str) -> MemoryFormat:
    name = text.strip().lower().replace("-", "_")
    try:
        return MemoryFormat(name)
    except ValueError:
        near = did_you_mean(name, MemoryFormat)
        raise OptionsError(
            f"--memory-format: must be {' or '.join(MemoryFormat)}, not {quoted(text)}{near}"
        ) from None
