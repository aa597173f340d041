"""What the first paint needs never loads torch: looked up in a process that has imported nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT_TORCH = [
    "tui.fusion.specs.block_spec",
    "tui.fusion.grammar.fields",
    "tui.fusion.specs.padding",
    "tui.fusion.presets",
    "tui.analysis.cost",
    "tui.analysis.estimate",
    "tui.analysis.progress",
    "tui.analysis.verdict.verdict",
    "tui.analysis.sweep.running",
    "tui.analysis.sweep.expected",
]

REFUSE = """
from tui.fusion.grammar.fields import FIELDS, spec_from
from tui.fusion.specs.block_spec import BlockSpec, InvalidSpecError
for name in FIELDS:
    for text in ("", "x", "0", "3", "99999", "identity,identity"):
        try:
            spec_from({name: text}, BlockSpec())
        except InvalidSpecError as error:
            assert error.problems
"""


def modules_after(code: str) -> set[str]:
    """The modules loaded when the code has run in a new interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code", [f"import {', '.join(WITHOUT_TORCH)}", REFUSE], ids=["import", "refuse a spec"]
)
def test_no_torch(code: str) -> None:
    loaded = modules_after(code)
    assert "tui.fusion.specs.block_spec" in loaded
    assert not loaded & {"torch", "textual", "rich"}
