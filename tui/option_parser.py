"""The parser that all of the command line is read by: a mistake in it is an error, never an exit."""

from __future__ import annotations

import argparse
import re
import textwrap
from typing import Any, NoReturn

from tui.fusion.refusal import Refusal

PROGRAM = "repfuse-tui"

_NEGATIVE_NUMBER = re.compile(r"-(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$", re.IGNORECASE)


class OptionsError(Refusal, ValueError):
    """Options that make no request; the message names the option and is meant for the user."""


class OptionParser(argparse.ArgumentParser):
    """A parser that raises where argparse prints its usage and exits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # argparse's own takes -1e-5 for an option, and then says that the value before it is missing.
        self._negative_number_matcher = _NEGATIVE_NUMBER

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found wrong.

        Raises:
            OptionsError: always.
        """
        raise OptionsError(message)

    def format_help(self) -> str:
        """As argparse has it, without blanks at the ends of lines."""
        return "".join(f"{line.rstrip()}\n" for line in super().format_help().splitlines())

    @property
    def option_names(self) -> list[str]:
        """Every option as it is typed."""
        return [name for action in self._actions for name in action.option_strings]


class HelpInColumns(argparse.HelpFormatter):
    """Fills a description to the width at hand, and keeps its lists, a line or more for each name."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs: list[list[str]] = [[]]
        for line in text.splitlines():
            stands_alone = not line or line.startswith(" ") or line.endswith(":")
            if stands_alone:
                paragraphs += [[line], []]
            else:
                paragraphs[-1].append(line)
        whole = width + 2  # argparse leaves two columns free, which no terminal needs
        return "\n".join(_filled(lines, whole, indent) for lines in paragraphs if lines) + "\n"


def _filled(lines: list[str], width: int, indent: str) -> str:
    text = " ".join(lines)
    name = re.match(r" +\S.*?\s\s+(?=\S)| *", text)
    hanging = 0 if name is None else min(name.end(), width // 2)
    filled = textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent + " " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
    )
    return "\n".join(filled)
