"""What cannot be done, told from a fault of this program."""

from __future__ import annotations

import pytest

from tui.analysis.alterations.places import NotEditableError
from tui.analysis.failure import in_words
from tui.command_line.option_parser import OptionsError
from tui.commands.check.command import CheckError
from tui.export.errors import ExportError
from tui.export.saving import SavingError, TakenError
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import FusionError
from tui.fusion.refusal import Refusal
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.problems import InvalidSpecError


@pytest.mark.parametrize(
    "kind",
    [
        NotEditableError,
        CheckError,
        ExportError,
        SavingError,
        TakenError,
        FusionError,
        InvalidSpecError,
        OptionsError,
    ],
)
def test_every_refusal_is_one(kind: type[Exception]) -> None:
    assert issubclass(kind, Refusal)


@pytest.mark.parametrize("ask", [lambda: parse_branches("kxj"), lambda: BlockSpec(groups=3)])
def test_what_is_asked_for_wrongly_is_refused(ask: object) -> None:
    assert callable(ask)
    with pytest.raises(Refusal):
        ask()


@pytest.mark.parametrize(
    "error", [FusionError("no\nmore"), RuntimeError("no"), MemoryError("no"), OSError("no")]
)
def test_what_cannot_be_done_is_told_in_its_first_line(error: Exception) -> None:
    assert in_words(error) == "no"


@pytest.mark.parametrize("error", [ValueError("too\nbad"), IndexError("too"), TypeError("too")])
def test_a_fault_of_ours_is_told_as_one(error: Exception) -> None:
    assert in_words(error) == f"a fault of this program, please report it: {type(error).__name__}: too"


def test_control_characters_are_visible() -> None:
    assert in_words(RuntimeError("a\x1b[31mb")) == r"a\x1b[31mb"
    assert in_words(RuntimeError()) == "RuntimeError"
