"""A study's report as data: what a script asks of it, in JSON's own types."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from tui.analysis.likeness.found import Likeness, Likenesses
from tui.analysis.likeness.likeness import likenesses_within
from tui.analysis.numerics.figures import figures_of
from tui.analysis.origin import Origin
from tui.analysis.progress import Failed
from tui.analysis.study import Study
from tui.analysis.verdict.error_split import ErrorSplit
from tui.analysis.verdict.reason import Reason
from tui.analysis.verdict.stored import StoredNumber, StoredVerdict
from tui.analysis.verdict.verdict import Worst
from tui.export.code.conv2d_text import conv2d_arguments
from tui.fusion.grammar.branch_text import show_branch
from tui.fusion.specs.block_spec import BlockSpec, BranchSpec

REPORT_SCHEMA = 1
"""It grows with each change that takes a key away or gives one another meaning."""


def report_of(study: Study) -> dict[str, Any]:
    """The study as an object for JSON; numbers that are not finite, which JSON does not know, are None.

    `edits`: how many numbers were set. `branches` are the summands of the fused kernel, with its groups and
    spacing of taps; where a batch norm stands after the sum, its offset is the last of them. `worst` is the
    element that decided the verdict, `bound` its rounding budget; both are of the float64 run where that
    found the fusion wrong. `wrong_side` is "fused", "unfused" or "both" where float64 found the two to be
    different maps, else None.
    `error_split` says where the difference comes from; it is None in float64, where nothing finer tells.
    `stored` is the verdict by its weights on a fused kernel that came finished, else None: `used` is the
    largest share of a number's bound, `beyond` counts the numbers further off, which are in `channels`, at
    `taps` and among `biases`; `first` are some of them.
    `figures` are those that other tools print, over all elements (`tui.analysis.numerics.figures`).
    `looks_like` says which mistakes make the difference, or why that was not found out; it is None where the
    float64 run finds nothing wrong.
    """
    return {
        "spec": spec_as_data(study.spec),
        "origin": _origin(study.origin),
        "ran_on": asdict(study.ran_on),
        "mistake": study.alterations.mistake or None,
        "edits": len(study.in_effect.edits),
        "branches": [
            {"name": branch.name, "weight_shape": list(branch.kernel.weight.shape)}
            for branch in study.summands
        ],
        "fused": {
            "weight_shape": list(study.fused_kernel.kernel.weight.shape),
            "bias": study.fused_kernel.kernel.bias is not None,
            "conv2d": conv2d_arguments(study.conv),
        },
        "max_abs_diff": _finite(study.comparison.max_abs_diff),
        "mean_abs_diff": _finite(study.comparison.mean_abs_diff),
        "max_abs_diff_float64": _finite(study.float64.max_abs_diff),
        "figures": {name: _finite(value) for name, value in asdict(figures_of(study.outputs)).items()},
        "allclose": study.comparison.allclose,
        "verdict": study.verdict.ruling,
        "agree": study.verdict.ruling.agrees,
        "wrong_side": study.verdict.side if study.verdict.reason is Reason.ALGEBRA else None,
        "budget_used": _finite(study.verdict.budget_used),
        "bound": _finite(study.verdict.bound),
        "worst": _worst(study.verdict.worst),
        "error_split": _split(study.split),
        "stored": _stored(study.verdict.stored),
        "looks_like": _likenesses(likenesses_within(study)),
        "params": asdict(study.cost.params),
        "macs": asdict(study.cost.macs),
    }


def _worst(worst: Worst) -> dict[str, Any]:
    numbers = {name: _finite(value) for name, value in asdict(worst).items() if name != "index"}
    return {"index": list(worst.index)} | numbers


def _stored(stored: StoredVerdict | None) -> dict[str, Any] | None:
    if stored is None:
        return None
    return {
        "verdict": stored.ruling,
        "agree": stored.agrees,
        "reason": stored.reason,
        "sentence": stored.sentence,
        "dtype": stored.dtype,
        "folded_in": stored.arithmetic,
        "used": _finite(stored.used),
        "max_abs_diff": _finite(stored.max_difference),
        "numbers": stored.numbers,
        "beyond": stored.beyond,
        "channels": list(stored.channels),
        "taps": [list(tap) for tap in stored.taps],
        "biases": list(stored.biases),
        "worst": _number(stored.worst),
        "first": [_number(number) for number in stored.first],
        "mistake": None if stored.mistake is None else asdict(stored.mistake),
    }


def _number(number: StoredNumber) -> dict[str, Any]:
    values = {name: _finite(getattr(number, name)) for name in ("given", "right", "bound")}
    return {"tensor": number.tensor, "index": list(number.index)} | values


def _split(split: ErrorSplit | None) -> dict[str, Any] | None:
    """The three shares of the difference, and on how many elements each side is nearer to float64."""
    if split is None:
        return None
    shares = {"weights": split.weights, "fused": split.fused, "unfused": split.unfused}
    finite = {
        share: {name: _finite(value) for name, value in asdict(numbers).items()}
        for share, numbers in shares.items()
    }
    return finite | {"nearer": asdict(split.nearer)}


def _likenesses(known: Likenesses | Failed) -> dict[str, Any] | None:
    """In words, and each of those found: which mistakes together, how often, and how much of it they make."""
    if isinstance(known, Failed):
        return {"words": f"not found out: {known.words}", "found": [], "nearest": None}
    if not known.words:
        return None
    nearest = None if known.nearest is None else _likeness(known.nearest)
    return {"words": known.words, "found": [_likeness(each) for each in known.found], "nearest": nearest}


def _likeness(likeness: Likeness) -> dict[str, Any]:
    return {
        "title": likeness.title,
        "mistakes": [
            {"name": each.name, "multiple": each.multiple, "number": each.number}
            for each in (likeness, *likeness.beside)
        ],
        "score": likeness.score,
        "channels": list(likeness.channels),
    }


def _origin(origin: Origin | None) -> dict[str, Any] | None:
    """Where the block comes from, None for one that the spec made."""
    if origin is None:
        return None
    return {"title": origin.title, "container": origin.container, "remarks": list(origin.remarks)}


def spec_as_data(spec: BlockSpec) -> dict[str, Any]:
    """Every field of the spec by its name."""
    return asdict(spec) | {"branches": [_branch_spec(branch) for branch in spec.branches]}


def _branch_spec(branch: BranchSpec) -> dict[str, Any]:
    """Its kind, bias and batch norm, and every other option that is not the default one."""
    default, always = BranchSpec(branch.kind), ("kind", "bias", "batch_norm")
    if branch.parts:
        return {name: getattr(branch, name) for name in always} | {"text": show_branch(branch)}
    return {
        name: value
        for name, value in asdict(branch).items()
        if name in always or value != getattr(default, name)
    }


def json_of(study: Study) -> str:
    """The report as one line of strict JSON, with the number by which its keys are known."""
    return json.dumps({"schema": REPORT_SCHEMA} | report_of(study), allow_nan=False)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
