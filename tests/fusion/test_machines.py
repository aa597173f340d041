"""A part of this suite again as other machines would run it: without vector instructions, on one thread."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]
PART = [
    "tests/fusion/test_machines.py::test_the_machine_is_the_one_asked_for",
    "tests/fusion/test_fill.py",
    "tests/fusion/test_block.py::test_the_block_of_the_projects_origin",
    "tests/fusion/test_block.py::test_fused_equals_unfused",
    "tests/fusion/test_block.py::test_unit_impulses_give_the_fused_kernel",
    "tests/analysis/numerics/test_float16.py",
]
PLAIN = {"ATEN_CPU_CAPABILITY": "default", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def test_the_machine_is_the_one_asked_for() -> None:
    if os.environ.get("ATEN_CPU_CAPABILITY") == "default":
        assert torch.backends.cpu.get_cpu_capability() in {"DEFAULT", "NO AVX"}
    if os.environ.get("OMP_NUM_THREADS") == "1":
        assert torch.get_num_threads() == 1


def test_the_engine_on_a_plain_machine() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *PART],
        cwd=ROOT,
        env=os.environ | PLAIN,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
