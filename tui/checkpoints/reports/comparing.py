"""The report on a checkpoint beside what another tool made of it, as data for JSON."""

from __future__ import annotations

from typing import Any

from tui.analysis.likeness.found import Likenesses
from tui.analysis.verdict.stored import StoredNumber, StoredVerdict
from tui.checkpoints.comparison.compared import CarriedAs, ComparedBlock, ComparedCheckpoint
from tui.checkpoints.reports import SCHEMA
from tui.checkpoints.reports.blocks import block_as_data, finite, skipped_as_data


def compared_as_data(compared: ComparedCheckpoint) -> dict[str, Any]:
    """The blocks with their verdicts, what was skipped, and what became of every other tensor.

    Numbers that are not finite are None.
    """
    names: dict[str, list[dict[str, Any]]] = {each.value: [] for each in CarriedAs if each != CarriedAs.SAME}
    for each in compared.carried:
        if each.what is not CarriedAs.SAME:
            names[each.what.value].append({"name": each.name, "how": each.words})
    return {
        "schema": SCHEMA,
        "agree": compared.agrees,
        "blocks": list(map(_block, compared.blocks)),
        "skipped": skipped_as_data(compared.left_alone),
        "renamed": _renamed(compared.renamed),
        "renamed_otherwise": list(map(_renamed, compared.others)),
        "carried": {
            "same": sum(each.what is CarriedAs.SAME for each in compared.carried),
            **{what.replace(" ", "_"): found for what, found in names.items()},
        },
        "left_over": list(compared.left_over),
    }


def _renamed(renamed: tuple[str, str]) -> dict[str, str]:
    return {"before": renamed[0], "after": renamed[1]}


def _block(block: ComparedBlock) -> dict[str, Any]:
    verdict = block.verdict
    return {
        **block_as_data(block.found, block.eps),
        "weight": block.weight_name,
        "bias": block.bias_name,
        "verdict": block.ruling.value,
        "reason": block.sentence,
        "looks_like": _likenesses(block.likenesses),
        **_numbers(verdict),
    }


def _numbers(verdict: StoredVerdict | None) -> dict[str, Any]:
    if verdict is None:
        return dict.fromkeys(("dtype", "weight_share", "max_abs_diff", "wrong"))
    return {
        "dtype": verdict.dtype.value,
        "weight_share": finite(verdict.used),
        "max_abs_diff": finite(verdict.max_difference),
        "wrong": {
            "numbers": verdict.beyond,
            "of": verdict.numbers,
            "channels": list(verdict.channels),
            "biases": list(verdict.biases),
            "taps": [list(tap) for tap in verdict.taps],
            "first": list(map(_number, verdict.first)),
        },
    }


def _number(number: StoredNumber) -> dict[str, Any]:
    return {
        "tensor": number.tensor,
        "index": list(number.index),
        "given": finite(number.given),
        "right": finite(number.right),
        "bound": finite(number.bound),
    }


def _likenesses(known: Likenesses | None) -> dict[str, Any] | None:
    if known is None:
        return None
    return {"words": known.words, "mistakes": [list(each.names) for each in known.found]}
