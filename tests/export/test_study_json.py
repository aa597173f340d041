"""A study as JSON is strict, exact, and holds what a script asks of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, NoReturn

import pytest
import torch
from torch import Tensor

from tests.export.code.test_snippet import EVERY_KIND
from tui.analysis.alterations.alterations import INPUT, Alterations, Edit
from tui.analysis.study import study_of
from tui.export import study_json
from tui.export.report import report_of
from tui.export.study_json import study_json_of
from tui.fusion.specs.block_spec import BlockSpec, Dtype


def read(text: str) -> dict[str, Any]:
    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    document: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return document


def tensor_of(listed: Any, dtype: torch.dtype) -> Tensor:
    """Nested lists as a tensor; "nan" and "inf" are texts in them."""

    def number(item: Any) -> Any:
        return list(map(number, item)) if isinstance(item, list) else float(item)

    return torch.tensor(number(listed), dtype=dtype)


@pytest.mark.parametrize("dtype", Dtype)
def test_every_number_reads_back(dtype: Dtype) -> None:
    result = study_of(replace(EVERY_KIND, dtype=dtype))
    document = read(study_json_of(result))
    report = read(json.dumps(report_of(result)))
    assert {name: document[name] for name in report} == report
    tensors, kind = document["tensors"], getattr(torch, dtype)
    for name, known in (
        ("input", result.x),
        ("unfused", result.outputs.unfused),
        ("fused", result.outputs.fused),
    ):
        assert torch.equal(tensor_of(tensors[name], kind), known)
    assert torch.equal(tensor_of(tensors["conv"]["weight"], kind), result.conv.weight.detach())
    for branch in result.summands:
        assert torch.equal(
            tensor_of(tensors["kernels"][branch.name]["weight"], torch.float64), branch.kernel.weight
        )
    count = sum(parameter.numel() for parameter in result.block.parameters())
    values = [
        tensor_of(listed, kind)
        for part in tensors["parameters"].values()
        for name, listed in part.items()
        if "running" not in name
    ]
    assert sum(value.numel() for value in values) == count
    assert sum(map(float, (value.double().sum() for value in values))) == pytest.approx(
        sum(parameter.detach().double().sum().item() for parameter in result.block.parameters())
    )


def test_numbers_that_are_not_finite_are_texts() -> None:
    edits = (Edit(INPUT, (0, 0, 4, 4), float("nan")), Edit("kxk.bias", (1,), float("-inf")))
    result = study_of(BlockSpec(), Alterations(edits))
    document = read(study_json_of(result))
    assert document["tensors"]["input"][0][0][4][4] == "nan"
    assert document["tensors"]["parameters"]["kxk"]["conv.bias"][1] == "-inf"
    assert document["alterations"]["edits"][1] == {"place": "kxk.bias", "index": [1], "value": "-inf"}


def test_of_a_large_study_the_numbers_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    result = study_of(BlockSpec())
    monkeypatch.setattr(study_json, "MOST_NUMBERS", 100)
    document = read(study_json_of(result))
    assert document["tensors"] is None
    assert "of which 100 is the most" in document["left_out"]
    assert document["agree"] is True
