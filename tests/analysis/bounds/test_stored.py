"""A fused kernel from elsewhere lies within its bound where it is right, and beyond it where it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tui.analysis.alterations.alterations import Alterations
from tui.analysis.bounds.stored import stored_bounds
from tui.analysis.numerics.precision import PRECISIONS
from tui.analysis.study import study_of
from tui.fusion.presets import PRESETS
from tui.fusion.spec import Dtype
from tui.fusion.torch_dtypes import torch_dtype


@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize("name", ["repvgg", "dbb", "repmixer", "qarepvgg", "unireplknet"])
def test_a_kernel_cast_to_its_dtype_fits_and_a_mistake_does_not(name: str, dtype: Dtype) -> None:
    spec = replace(PRESETS[name].spec.with_in_channels(8), input_shape=(9, 9))
    study = study_of(spec)
    right, bound = study.block64.folded().kernel, stored_bounds(study.block64, PRECISIONS[dtype])
    assert right.bias is not None
    assert bound.bias is not None
    cast = right.to(torch_dtype(dtype)).to(torch.float64)
    assert bool(((cast.weight - right.weight).abs() <= bound.weight).all())
    assert bool(((cast.bias - right.bias).abs() <= bound.bias).all())  # type: ignore[operator]
    if dtype in (Dtype.FLOAT16, Dtype.BFLOAT16):  # there a wrong eps may look like rounding
        return
    wrong = study_of(spec, Alterations(mistake="eps-1e-3")).fused_kernel.kernel.weight.double()
    assert bool(((wrong - right.weight).abs() > bound.weight).any())
