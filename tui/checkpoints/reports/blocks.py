"""What the reports say alike of a block, of what was left alone, of numbers that JSON has not."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from tui.checkpoints.contents import Entry
from tui.checkpoints.found import Assumption, FoundBlock, LeftAlone


def block_as_data(found: FoundBlock, eps: float | None) -> dict[str, Any]:
    """Its name, family, branches, and what was assumed; `eps`: that which was used, None without a norm."""
    return {
        "name": found.prefix,
        "family": found.family,
        "branches": [{"name": branch.name, "layers": branch.text} for branch in found.branches],
        "assumed": [
            {"what": each.what, "value": each.value, "why": each.why} for each in assumed_of(found, eps)
        ],
    }


def assumed_of(found: FoundBlock, eps: float | None) -> list[Assumption]:
    """As found, but for an eps that was asked for, which is none of the family's; `eps`: as above."""
    if not found.has_norm or eps == found.eps:
        return [*found.assumed]
    asked = Assumption("eps", f"{eps:g}", "as asked for")
    return [asked if each.what == "eps" else each for each in found.assumed]


def skipped_as_data(left_alone: Iterable[LeftAlone]) -> list[dict[str, Any]]:
    """Name and reason of each, and whether it is damaged."""
    return [{"name": each.prefix, "reason": each.reason, "damaged": each.damaged} for each in left_alone]


def entry_as_data(entry: Entry) -> dict[str, Any]:
    """Name, shape, dtype and size of a tensor."""
    return {
        "name": entry.name,
        "shape": list(entry.shape),
        "dtype": entry.dtype,
        "params": entry.numel,
        "bytes": entry.bytes,
    }


def finite(value: float | None) -> float | None:
    """The number, None where JSON has none such."""
    return value if value is not None and math.isfinite(value) else None
