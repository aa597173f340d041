"""Which products of a sum round alike: equal ones do, so their errors add up and do not cancel."""

from __future__ import annotations

import torch
from torch import Tensor

_UNIT = 2.0**-24
"""float32's: sums in 16 bit are no finer, and in float64 no likely error is asked for."""

_SAMPLE = 4096
"""Numbers of an input that are looked at."""

_MOST_REPEATED = 0.01
"""Of an input that is varied, the share of numbers that are there twice; 4096 of torch.rand have none."""


def rounded_alike(weight: Tensor) -> Tensor:
    """Of each row's n products with equal inputs: k^2 for each k that are equal, summed up.

    `weight`: (out_channels, ...), float64. The result is (out_channels, 1, 1): between n, where all
    differ, and n^2, where none do. It stands for n in the variance of the sum: adding a number c to a
    sum s rounds off c modulo the spacing of numbers at s, the same for each equal c, whatever else s holds.
    So k equal ones err by k times one error, which has k^2 times its variance and not k. Numbers are
    equal here where they are closer than an eighth of that spacing. Zeros add nothing and are not counted.
    """
    rows = weight.flatten(1)
    largest = torch.maximum(rows.sum(dim=1).abs(), rows.square().sum(dim=1).sqrt())
    step = (largest * (_UNIT / 4)).clamp_min(torch.finfo(torch.float64).tiny).unsqueeze(1)
    sorted_rows = rows.sort(dim=1).values
    cells = (sorted_rows / step).round_()
    place = torch.arange(rows.shape[1], dtype=torch.float64).expand_as(cells)
    opens = torch.ones_like(cells, dtype=torch.bool)
    opens[:, 1:] = cells[:, 1:] != cells[:, :-1]
    first = torch.where(opens, place, 0.0).cummax(dim=1).values
    squares = 2 * (place - first) + 1  # the sum of the first k odd numbers is k^2
    squares.masked_fill_(sorted_rows == 0, 0.0)
    return squares.sum(dim=1).clamp_min_(rows.shape[1]).nan_to_num_(rows.shape[1]).view(-1, 1, 1)


def is_varied(x: Tensor) -> bool:
    """Whether hardly any number of an input is there twice, zeros apart: then no products are equal."""
    numbers = x.flatten()
    numbers = numbers[:: max(1, numbers.numel() // _SAMPLE)]
    numbers = numbers[numbers != 0]
    ordered = numbers.sort().values
    repeated = int((ordered[1:] == ordered[:-1]).sum())
    return repeated <= _MOST_REPEATED * numbers.numel()
