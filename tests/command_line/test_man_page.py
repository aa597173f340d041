from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tui.command_line.checkpoint_options import COMMANDS, parser_of
from tui.command_line.options import build_parser, parse
from tui.command_line.speed_options import Kind, speed_parser
from tui.command_line.sweep_options import sweep_parser

GROFF = shutil.which("groff")


def test_the_page_tells_every_option_of_every_command() -> None:
    text = parse(["--man"]).text
    assert text is not None
    assert text.isascii()
    for parser in (build_parser(), *map(parser_of, COMMANDS), *map(speed_parser, Kind), sweep_parser()):
        for name in parser.option_names:
            assert name.replace("-", "\\-") in text, name
    assert "%%" not in text


def test_what_roff_would_read_is_escaped() -> None:
    lines = (parse(["--man"]).text or "").splitlines()
    requests = {line.split()[0] for line in lines if line.startswith((".", "'"))}
    assert requests == {".TH", ".SH", ".TP", ".B", ".PP", ".br", ".nf", ".fi"}


@pytest.mark.skipif(GROFF is None, reason="there is no groff")
def test_groff_has_nothing_to_warn_of() -> None:
    done = subprocess.run(
        [GROFF or "", "-man", "-Tascii", "-ww", "-rLL=100n"],
        input=parse(["--man"]).text,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert "--print-completion SHELL" in re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)
