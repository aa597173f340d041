"""What the way to the first result does not import."""

from __future__ import annotations

import subprocess
import sys


def test_a_study_does_without_sympy() -> None:
    """torch imports it for some calls only, in a fifth of the time from the start to the first result."""
    code = (
        "import sys, warnings; warnings.simplefilter('ignore');"
        "from tui.analysis.study import study_of; from tui.fusion.specs.block_spec import BlockSpec;"
        "study_of(BlockSpec()); print('sympy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
