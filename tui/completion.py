"""The script by which a shell completes the command: its words, its options, the values that are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import shtab

from tui.analysis.alterations.gallery import MISTAKES
from tui.checkpoint_options import COMMANDS, FORMATS, parser_of
from tui.checkpoints.families import FAMILIES
from tui.fusion.fields import FIELDS
from tui.fusion.presets import PRESETS
from tui.fusion.quoting import quoted
from tui.option_parser import OptionParser, OptionsError
from tui.options import CHECK, SHELLS, SWITCHES, build_parser

_FILES = ("IN", "OUT", "FUSED", "load")


def completion_script(shell: str) -> str:
    """The script for that shell.

    Raises:
        OptionsError: none can be made for it.
    """
    if shell not in SHELLS:
        raise OptionsError(f"--print-completion: must be one of {', '.join(SHELLS)}, not {quoted(shell)}")
    parser = _with_values(build_parser(command=False), _values())
    # An own parser for each word: for the program itself, where options stand before the word, is one enough.
    commands = parser.add_subparsers(dest="command", parser_class=OptionParser)
    check = _with_values(build_parser(command=False), _values())
    commands.add_parser(CHECK, help="report without a screen", parents=[check], add_help=False)
    for name, words in COMMANDS.items():
        own = _with_values(
            parser_of(name), {"format": FORMATS, "family": [family.name for family in FAMILIES]}
        )
        commands.add_parser(name, help=words, parents=[own], add_help=False)
    script: str = shtab.complete(parser, shell=shell)
    return script


def _values() -> dict[str, Iterable[str]]:
    choices: dict[str, Iterable[str]] = {
        name: field.choices for name, field in FIELDS.items() if field.choices and name not in SWITCHES
    }
    return choices | {"preset": PRESETS, "mistake": MISTAKES, "print_completion": SHELLS}


def _with_values(parser: OptionParser, values: Mapping[str, Iterable[str]]) -> OptionParser:
    """The parser with what its options may be, which is no validation: it parses nothing any more."""
    for action in parser._actions:
        # Not where it is built: there they would make argparse check values, in words of its own.
        action.choices = values.get(action.dest, action.choices)
        if action.dest in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    return parser
