"""The parser that all of the command line is read by: a mistake in it is an error, never an exit."""

from __future__ import annotations

import argparse
import os
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.quoting import quoted
from tui.fusion.refusal import Refusal

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

    def known(
        self, arguments: Sequence[str], *, intermixed: bool = False
    ) -> tuple[argparse.Namespace, list[str]]:
        """The options that are known, and the words that are left.

        `intermixed`: whether options may stand between the words that have a place.

        Raises:
            OptionsError: the first mistake.
        """
        read = self.parse_known_intermixed_args if intermixed else self.parse_known_args
        try:
            return read(arguments)
        except argparse.ArgumentError as error:
            raise OptionsError(f"{error.argument_name}: {error.message}") from None

    def refuse_unknown_options(self, rest: Iterable[str], said: str = "there is no such option") -> None:
        """Stop at the first of the words that are left that was meant as an option, before all others.

        The word after a misspelt option was meant as its value; a file may be called so too. `said`: of it.

        Raises:
            OptionsError: there is one; the message says which is near.
        """
        for text in rest:
            if text.startswith("-"):
                name = text.partition("=")[0]
                is_file = _is_there(text)
                near = f"; the file is ./{shown(text)}" if is_file else did_you_mean(name, self.option_names)
                raise OptionsError(f"{shown(name)}: {said}{near}")

    @property
    def option_names(self) -> list[str]:
        """Every option as it is typed."""
        return [name for action in self._actions for name in action.option_strings]


def _is_there(name: str) -> bool:
    try:
        return os.path.lexists(name)
    except ValueError:
        return False


def shown(text: str) -> str:
    """Text from outside: bare where that is safe and short, else in quotes."""
    return text if text.isascii() and text.isprintable() and 0 < len(text) <= 40 else quoted(text)


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
