"""A study as one JSON document: the report of `check`, what was altered, the verdict, and the numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from torch import Tensor, nn

import tui
from tui.analysis.study import Study
from tui.analysis.subject import Subject
from tui.export.code.by_layer import tensors_of
from tui.export.file_marks import SCHEMA
from tui.export.report import report_of, spec_as_data

MOST_NUMBERS = 1_000_000
"""Numbers of all tensors together; of larger studies only the report is written, and it says so."""


def study_json_of(study: Study, compared: Subject | None = None) -> str:
    """The study as strict JSON, a line for each of its parts.

    `spec`, `alterations` and `compared`, the block that it is compared with, are what
    `tui.importing.saved_study` brings back; the rest is what came of them.
    `tensors` holds `input`, `unfused` and `fused` (the outputs), `parameters` by branch and name, `kernels`
    (each summand's, in float64) and `conv` (the fused convolution's), as nested lists. A number that is not
    finite is the text "nan", "inf" or "-inf", since JSON has none; every other one reads back bit by bit.
    """
    tensors = _tensors(study)
    count = sum(tensor.numel() for tensor in _leaves(tensors))
    document: dict[str, Any] = {"program": "repfuse-tui", "schema": SCHEMA, "version": tui.__version__}
    document |= report_of(study)
    document["alterations"] = _listed(asdict(study.alterations))
    document["compared"] = None if compared is None else _subject(compared)
    document["reason"] = study.verdict.reason.value
    document["sentence"] = study.verdict.sentence
    if count > MOST_NUMBERS:
        document["tensors"] = None
        document["left_out"] = f"the tensors: {count:,} numbers, of which {MOST_NUMBERS:,} is the most"
    else:
        document["tensors"] = _listed(tensors)
    lines = (f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)}" for name, value in document.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _subject(subject: Subject) -> dict[str, Any]:
    return {"spec": spec_as_data(subject.spec), "alterations": _listed(asdict(subject.alterations))}


def _tensors(study: Study) -> dict[str, Any]:
    parameters = {
        branch.name: {
            ".".join(filter(None, (layer, name))): tensor
            for layer, each in branch.all_layers()
            for name, tensor in tensors_of(each).items()
        }
        for branch in study.block.branches
    }
    if study.block.post_norm is not None:
        parameters["post norm"] = _state(study.block.post_norm)
    kernels = {branch.name: branch.kernel for branch in study.summands}
    return {
        "input": study.x,
        "unfused": study.outputs.unfused,
        "fused": study.outputs.fused,
        "parameters": parameters,
        "kernels": {
            name: {"weight": kernel.weight} | ({} if kernel.bias is None else {"bias": kernel.bias})
            for name, kernel in kernels.items()
        },
        "conv": dict(study.conv.state_dict()),
    }


def _state(module: nn.Module) -> dict[str, Tensor]:
    state = module.state_dict().items()
    return {name: tensor for name, tensor in state if not name.endswith("num_batches_tracked")}


def _leaves(part: Any) -> Iterator[Tensor]:
    """The tensors in nested dictionaries."""
    if isinstance(part, Tensor):
        yield part
    else:
        for value in part.values():
            yield from _leaves(value)


def _listed(part: Any) -> Any:
    """The same with lists of numbers for tensors, and texts for numbers that JSON does not know."""
    if isinstance(part, Tensor):
        values = part.detach().double()
        return values.tolist() if bool(values.isfinite().all()) else _listed(values.tolist())
    if isinstance(part, dict):
        return {name: _listed(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_listed(value) for value in part]
    return str(part) if isinstance(part, float) and not math.isfinite(part) else part
