"""What the way to the first result does not import."""

from __future__ import annotations

import subprocess
import sys


def test_a_study_does_without_sympy_and_its_speed_without_torchs_compiler() -> None:
    """torch imports sympy for some calls only, in a fifth of the time from the start to the first result.

    Its compiler comes with the first operator that is seen, for 1 to 3 s, unless torch is told not to.
    """
    code = (
        "import sys, warnings; warnings.simplefilter('ignore');"
        "from tui.analysis.study import study_of; from tui.fusion.specs.block_spec import BlockSpec;"
        "study_of(BlockSpec()); print('sympy' in sys.modules);"
        "import torch; from torch import nn; from tui.analysis.speed.work import work_of;"
        "conv, x = nn.Conv2d(2, 2, 3), torch.ones(1, 2, 5, 5);"
        "work = work_of(conv, x); print(work.macs, 'torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False", "324 False"]
