"""Numbers in a block's tensors that it should not have: NaN, infinities, variances that are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """What is amiss with one tensor.

    Attributes:
        name: of the tensor, in the file.
        what: "NaN", "infinite", "negative", "zero": the last two of a variance.
        count: of how many numbers that is so.
        first: the index of the first of them.
        unfusable: whether the fused numbers become NaN or infinite by it.
    """

    name: str
    what: str
    count: int
    first: tuple[int, ...]
    unfusable: bool

    @property
    def words(self) -> str:
        """In a line."""
        where = ", ".join(map(str, self.first))
        many = f"{self.count} numbers are" if self.count > 1 else "a number is"
        return f"{self.name}: {many} {self.what}, the first at [{where}]"


def problems_of(tensors: Mapping[str, Tensor]) -> Iterator[ValueProblem]:
    """Those of each of these tensors, by their names in the file."""
    for name, tensor in tensors.items():
        is_variance = name.endswith("running_var")
        if not is_variance and isfinite(float(tensor.sum(dtype=torch.float32))):
            continue  # one pass for a large tensor, which is the rule
        marks = [("NaN", tensor.isnan(), True), ("infinite", tensor.isinf(), True)]
        if is_variance:
            marks += [("negative", tensor < 0, True), ("zero", tensor == 0, False)]
        for what, mask, unfusable in marks:
            count = int(mask.count_nonzero())
            if count:
                first = tuple(map(int, torch.nonzero(mask)[0].tolist()))
                yield ValueProblem(name, what, count, first, unfusable)
