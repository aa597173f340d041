"""The parser that all of the command line is read by: a mistake in it is an error, never an exit."""

from __future__ import annotations

import argparse
from typing import NoReturn

from tui.fusion.refusal import Refusal

PROGRAM = "repfuse-tui"


class OptionsError(Refusal, ValueError):
    """Options that make no request; the message names the option and is meant for the user."""


class OptionParser(argparse.ArgumentParser):
    """A parser that raises where argparse prints its usage and exits."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found wrong.

        Raises:
            OptionsError: always.
        """
        raise OptionsError(message)

    @property
    def option_names(self) -> list[str]:
        """Every option as it is typed."""
        return [name for action in self._actions for name in action.option_strings]
