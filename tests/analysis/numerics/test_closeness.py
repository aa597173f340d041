"""torch.allclose taken apart: the same answer, and the numbers behind it."""

from __future__ import annotations

import math

import pytest
import torch

from tui.analysis.numerics.closeness import closeness_of
from tui.analysis.numerics.outputs import Outputs


def flat(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).view(1, 1, 1, -1)


def test_the_figures_by_hand() -> None:
    unfused = flat(100.0, 0.0, 1.0, 1000.0)
    fused = flat(100.0005, 3e-7, 1.0 + 5e-5, 1000.02)
    found = closeness_of(Outputs(unfused, fused))
    # allowed: 1.00001e-3, 1e-8, 1.001e-5, 1.000001e-2; beyond rtol |unfused|: < 0, 3e-7, 4e-5, 1e-2
    assert (found.failing, found.elements, found.passes) == (3, 4, False)
    assert found.farthest == (0, 0, 0, 3)
    assert found.least_atol == pytest.approx(0.01)
    assert torch.allclose(fused, unfused, rtol=found.rtol, atol=found.least_atol * (1 + 1e-9))
    assert not torch.allclose(fused, unfused, rtol=found.rtol, atol=found.least_atol * (1 - 1e-6))


def test_what_passes_has_no_farthest() -> None:
    found = closeness_of(Outputs(flat(1.0, 2.0), flat(1.0, 2.0)))
    assert (found.failing, found.farthest, found.least_atol, found.passes) == (0, None, 0.0, True)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_it_answers_as_torch_does(seed: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(seed)
    unfused = torch.rand(1, 2, 3, 4, generator=generator).to(dtype)
    noise = torch.rand(unfused.shape, generator=generator) * 10.0 ** -(4 + seed % 4)
    fused = (unfused.float() + noise).to(dtype)
    assert closeness_of(Outputs(unfused, fused)).passes is torch.allclose(fused, unfused)


def test_nan_on_both_sides_is_not_close_and_no_atol_mends_it() -> None:
    found = closeness_of(Outputs(flat(1.0, math.inf), flat(1.0, 1.0)))
    assert (found.failing, found.least_atol) == (1, math.inf)
    alike = closeness_of(Outputs(flat(math.nan), flat(math.nan)))
    assert alike.failing == 1, "as torch has it: NaN is not close to NaN"
