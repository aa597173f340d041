"""The script by which a shell completes the command: its words, its options, the values that are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import shtab

from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.speed.conditions import MemoryFormat
from tui.checkpoints.families import FAMILIES
from tui.command_line.block_options import SWITCHES
from tui.command_line.checkpoint_options import COMMANDS, FORMATS, parser_of
from tui.command_line.module_options import FusedAs, module_parser
from tui.command_line.option_parser import OptionParser, OptionsError
from tui.command_line.options import CHECK, CONFIG, HELP, SHELLS, build_parser
from tui.command_line.serve_options import SERVE, SERVE_SUMMARY, serve_parser
from tui.command_line.speed_options import SPEED, SPEED_SUMMARY, Kind, speed_parser
from tui.command_line.study_options import DEVICES
from tui.command_line.sweep_options import SWEEP, SWEEP_SUMMARY, sweep_parser
from tui.fusion.grammar.fields import FIELDS
from tui.fusion.presets import PRESETS
from tui.fusion.quoting import quoted
from tui.help_topics import TOPICS

_FILES = ("IN", "OUT", "FUSED", "load", "fused", "fused_bias", "weights", "example", "given_weights")

_BASH_START = "complete -o bashdefault -F _shtab_repfuse_tui repfuse-tui"
_BASH_WITH_EQUALS = """\
# bash breaks --preset=rep into three words at the sign that stands in COMP_WORDBREAKS: it is left out here.
_repfuse_tui_words() {
  local index word words=() current=$COMP_CWORD
  for index in "${!COMP_WORDS[@]}"; do
    word=${COMP_WORDS[index]}
    if [[ $word != "=" ]]; then
      words+=("$word")
    elif (( index == COMP_CWORD )); then
      words+=("")
    elif (( index < COMP_CWORD )); then
      current=$((current - 1))
    fi
  done
  COMP_WORDS=("${words[@]}")
  COMP_CWORD=$current
  _shtab_repfuse_tui
}

complete -o bashdefault -F _repfuse_tui_words repfuse-tui"""


def completion_script(shell: str) -> str:
    """The script for that shell.

    Raises:
        OptionsError: none can be made for it.
    """
    if shell not in SHELLS:
        raise OptionsError(f"--print-completion: must be one of {', '.join(SHELLS)}, not {quoted(shell)}")
    parser = _with_values(_with_options_of_modules(build_parser(command=False), ""), _values())
    # An own parser for each word: for the program itself, where options stand before the word, is one enough.
    commands = parser.add_subparsers(dest="command", parser_class=OptionParser)
    check = _with_values(_with_options_of_modules(build_parser(command=False), CHECK), _values())
    commands.add_parser(CHECK, help="report without a screen", parents=[check], add_help=False)
    for name, words in COMMANDS.items():
        known = {"format": FORMATS, "form": list(FusedAs), "family": [family.name for family in FAMILIES]}
        own = _with_values(_with_options_of_modules(parser_of(name), name), known)
        commands.add_parser(name, help=words, parents=[own], add_help=False)
    timing = _values() | {"memory_format": list(MemoryFormat)}
    speed = _with_values(_every_speed_option(), timing | {"family": [family.name for family in FAMILIES]})
    commands.add_parser(SPEED, help=SPEED_SUMMARY, parents=[speed], add_help=False)
    sweep = _with_values(sweep_parser(), timing)
    commands.add_parser(SWEEP, help=SWEEP_SUMMARY, parents=[sweep], add_help=False)
    served = _with_values(_with_options_of_modules(build_parser(command=False), ""), _values())
    _add_others(served, serve_parser())
    served.add_argument("IN", nargs="?", help="a checkpoint, or a module")
    commands.add_parser(SERVE, help=SERVE_SUMMARY, parents=[_with_values(served, _values())], add_help=False)
    commands.add_parser(CONFIG, help="print where the settings are, and what they say", add_help=False)
    topic = commands.add_parser(HELP, help="print a long text", add_help=False)
    topic.add_argument("TOPIC", choices=list(TOPICS), help="what it is about")
    script: str = shtab.complete(parser, shell=shell)
    return _WITH_EQUALS.get(shell, str)(script)


def _bash_with_equals(script: str) -> str:
    return script.replace(_BASH_START, _BASH_WITH_EQUALS)


def _zsh_with_equals(script: str) -> str:
    """Options that take a value may have it after a sign: what zsh's _arguments writes as `--preset=[`."""
    return re.sub(r'^(  "--[a-z-]+)(\[[^"]*\]:)', r"\1=\2", script, flags=re.MULTILINE)


_WITH_EQUALS: Mapping[str, Callable[[str], str]] = {"bash": _bash_with_equals, "zsh": _zsh_with_equals}
"""For the shells whose scripts know `--preset repvgg` alone; fish splits at the sign itself, tcsh cannot."""


def _with_options_of_modules(parser: OptionParser, command: str) -> OptionParser:
    """A parser of both: a shell does not know whether a file, a block or a module is meant."""
    _add_others(parser, module_parser(command))
    return parser


def _add_others(parser: OptionParser, other: OptionParser) -> None:
    """The options of the other that the parser has not."""
    for action in other._actions:
        if action.option_strings and not set(action.option_strings) & set(parser.option_names):
            parser._add_action(action)


def _every_speed_option() -> OptionParser:
    """A parser of the options of all three kinds of `speed`: a shell does not know what stands first."""
    parser = speed_parser()
    parser.add_argument("IN", nargs="?", help="a checkpoint, or a module")
    for kind in (Kind.FILE, Kind.MODULE):
        _add_others(parser, speed_parser(kind))
    return parser


def _values() -> dict[str, Iterable[str]]:
    choices: dict[str, Iterable[str]] = {
        name: field.choices for name, field in FIELDS.items() if field.choices and name not in SWITCHES
    }
    known = {"preset": PRESETS, "mistake": MISTAKES, "device": DEVICES, "print_completion": SHELLS}
    return choices | known


def _with_values(parser: OptionParser, values: Mapping[str, Iterable[str]]) -> OptionParser:
    """The parser with what its options may be, which is no validation: it parses nothing any more."""
    for action in parser._actions:
        # Not where it is built: there they would make argparse check values, in words of its own.
        action.choices = values.get(action.dest, action.choices)
        if action.dest in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    return parser
