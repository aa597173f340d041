"""The manual page, made from the parsers that read the command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from tui import __version__
from tui.command_line.checkpoint_options import COMMANDS, parser_of
from tui.command_line.module_options import OF_MODULES, module_parser
from tui.command_line.option_parser import OptionParser
from tui.command_line.options import build_parser
from tui.command_line.program import PROGRAM
from tui.command_line.serve_options import SERVE, serve_parser
from tui.command_line.speed_options import SPEED, Kind, speed_parser
from tui.command_line.sweep_options import SWEEP, sweep_parser
from tui.plain_text import in_ascii


def man_page() -> str:
    """The page as roff, for `man -l`; its sections are those of the help."""
    parser = build_parser()
    return "\n".join(
        [
            f'.TH {PROGRAM.upper()} 1 "" "{PROGRAM} {__version__}" "User Commands"',
            ".SH NAME",
            f"{_text(PROGRAM)} \\- see, fuse and compare re\\-parameterizable convolution blocks",
            ".SH SYNOPSIS",
            *_synopses(),
            ".SH DESCRIPTION",
            _text(parser.description or ""),
            *_options(parser),
            *(line for name in COMMANDS for line in _command(name, parser_of(name))),
            *(
                line
                for name in ("", *OF_MODULES)
                for line in _command(f"{name} MODULE".strip(), module_parser(name))
            ),
            *(line for kind in Kind for line in _command(f"{SPEED} {kind}".rstrip(), speed_parser(kind))),
            *_command(SWEEP, sweep_parser()),
            *_command(SERVE, serve_parser()),
            ".SH MORE",
            ".nf",
            *(_text(line) for line in (parser.epilog or "").splitlines()),
            ".fi",
            "",
        ]
    )


def _synopses() -> Iterator[str]:
    of_modules = map(module_parser, ("", *OF_MODULES))
    of_files = map(parser_of, COMMANDS)
    timed = [*map(speed_parser, Kind), sweep_parser()]
    parsers = [build_parser(), *of_files, *of_modules, *timed, serve_parser()]
    for number, parser in enumerate(parsers):
        if number:
            yield ".br"
        yield _text(parser.usage or "")


def _command(name: str, parser: OptionParser) -> Iterator[str]:
    yield f'.SH "{_text(f"{PROGRAM} {name}".upper())}"'
    yield _text(parser.description or "")
    yield from _actions(parser._actions)
    yield from (".PP", ".nf", *(_text(line) for line in (parser.epilog or "").splitlines()), ".fi")


def _options(parser: OptionParser) -> Iterator[str]:
    for group in parser._action_groups:
        if group._group_actions:
            yield f'.SH "{_text((group.title or "").upper())}"'
            yield from _actions(group._group_actions)


def _actions(actions: list[argparse.Action]) -> Iterator[str]:
    for action in actions:
        names = ", ".join(action.option_strings) or str(action.metavar)
        value = f" {action.metavar}" if action.option_strings and action.metavar else ""
        yield from (".TP", f".B {_text(names + value)}", _text((action.help or "").replace("%%", "%")))


def _text(text: str) -> str:
    """Text with nothing in it that roff would read as its own."""
    escaped = in_ascii(text).replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line[:1] in (".", "'") else line for line in escaped.splitlines())
