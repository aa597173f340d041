"""Convolutions whose error is relative in every component, whatever torch takes otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def componentwise() -> Iterator[None]:
    """Inside `with`, float32 convolutions and matrix products sum what is rounded to float32 and no coarser.

    NNPACK, which torch takes for batches of 16 where it has no oneDNN, goes by Winograd's and Fourier's
    transforms: what is small beside its neighbours is lost, and may come out negative. oneDNN may be told to
    cut factors to bfloat16 or TF32.
    """
    mkldnn = torch.backends.mkldnn
    chosen = [each for each in (getattr(mkldnn, name, None) for name in ("conv", "matmul")) if each]
    before = [each.fp32_precision for each in chosen]
    with torch.backends.nnpack.flags(enabled=False):
        try:
            for each in chosen:
                each.fp32_precision = "ieee"
            yield
        finally:
            for each, precision in zip(chosen, before, strict=True):
                each.fp32_precision = precision
