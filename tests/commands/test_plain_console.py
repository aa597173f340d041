"""The console of the commands: how wide it is, and that no line ends in blanks."""

from __future__ import annotations

import io

import pytest
from rich.table import Table
from rich.text import Text

from tui.commands.plain_console import PlainConsole, plain_console


def test_no_line_ends_in_blanks() -> None:
    table = Table("name", "words", box=None)
    table.add_row("a", "b")
    table.add_row("a longer one", "")
    table.add_row("", Text("styled   ", "bold red"))
    for colour in (False, True):
        file = io.StringIO()
        console = PlainConsole(
            file=file, width=60, force_terminal=colour, color_system="truecolor" if colour else None
        )
        console.print_report(table)
        shown = Text.from_ansi(file.getvalue()).plain if colour else file.getvalue()
        assert shown.splitlines()[2:] == [" a longer one", "               styled"]
        assert [line for line in shown.splitlines() if line != line.rstrip()] == []
        assert file.getvalue().endswith("\n")


@pytest.mark.parametrize(
    ("columns", "width"), [(None, 140), ("100", 100), ("200", 200), ("20", 80), ("", 140), ("wide", 140)]
)
def test_a_report_is_as_wide_as_columns_says(
    columns: str | None, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    assert plain_console(140).width == width
