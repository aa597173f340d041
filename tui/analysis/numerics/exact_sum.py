"""Sums of products without rounding on the way: what a person gets who has the patience."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_SPLITTER = 2.0**27 + 1
"""Cuts a float64 into two halves of 26 bits, whose products are exact (Veltkamp)."""


def exact_dot(left: Tensor, right: Tensor, offset: float = 0.0) -> float:
    """offset + the sum of left * right, two float64 tensors of one shape, rounded once.

    Each product is taken with its rounding error (Dekker, 1971), and all are added exactly (Shewchuk, 1997,
    as math.fsum does). NaN and infinity come out as in a plain sum. Products below 1e-290 lose their last
    bits.
    """
    products = left * right
    if not bool(torch.isfinite(products).all()) or not math.isfinite(offset):
        return float(products.sum()) + offset
    errors = _errors_of(left, right, products)
    errors = errors[(errors != 0) & torch.isfinite(errors)]
    try:
        return math.fsum([*products.flatten().tolist(), *errors.tolist(), offset])
    except OverflowError:
        return float(products.sum()) + offset


def _errors_of(left: Tensor, right: Tensor, products: Tensor) -> Tensor:
    left_high, left_low = _halves(left)
    right_high, right_low = _halves(right)
    rest = left_high * right_high - products
    return rest + left_high * right_low + left_low * right_high + left_low * right_low


def _halves(values: Tensor) -> tuple[Tensor, Tensor]:
    scaled = values * _SPLITTER
    high = scaled - (scaled - values)
    return high, values - high


def rounded(value: float, dtype: torch.dtype) -> float:
    """The nearest number that the dtype holds."""
    return float(torch.tensor(value, dtype=torch.float64).to(dtype))
