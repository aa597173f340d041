"""Convolutions whose error is relative in every component, whatever torch takes otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def componentwise() -> Iterator[None]:
    """Inside `with`, float32 convolutions sum products, each of which is rounded to float32.

    NNPACK, which torch takes for batches of 16 where it has no oneDNN, goes by Winograd's and Fourier's
    transforms: what is small beside its neighbours is lost, and may come out negative. oneDNN may be told to
    cut factors to bfloat16 or TF32.
    """
    conv = getattr(torch.backends.mkldnn, "conv", None)  # since torch 2.9
    before = None if conv is None else conv.fp32_precision
    with torch.backends.nnpack.flags(enabled=False):
        try:
            if conv is not None:
                conv.fp32_precision = "ieee"
            yield
        finally:
            if conv is not None:
                conv.fp32_precision = before
