"""The option that says where both sides of a block run, for every command that studies or times one."""

from __future__ import annotations

import argparse
import re

from tui.analysis.numerics.ran_on import CPU
from tui.command_line.option_parser import OptionParser, OptionsError
from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.quoting import quoted

DEVICES = (CPU, "cuda", "mps")

_DEVICE = re.compile(r"cpu|mps|cuda(:\d{1,3})?")


def add_device_option(parser: OptionParser | argparse._ArgumentGroup) -> None:
    """Let the parser take a device for a study."""
    parser.add_argument(
        "--device", metavar="D", help=f"where both sides run: cpu, cuda, cuda:1 or mps [{CPU}]"
    )


def device_of(options: argparse.Namespace) -> str:
    """What --device names, as torch does, the CPU without it; whether it is here is not known yet.

    Raises:
        OptionsError: it is no name of a device.
    """
    if options.device is None:
        return CPU
    name: str = options.device.strip().lower()
    if not _DEVICE.fullmatch(name):
        near = did_you_mean(name, DEVICES)
        raise OptionsError(f"--device: must be cpu, cuda, cuda:1 or mps, not {quoted(options.device)}{near}")
    return name
