"""A nesting that is built up again has its own shape, with what is new in the right dict and order."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tui.checkpoints.formats.nesting import built_up, laid_flat


def numbers(value: Any) -> Any:
    """The nesting with each tensor as its only number, and dicts as lists of their items, in order."""
    if isinstance(value, Tensor):
        return value.item()
    if isinstance(value, dict):
        return [(key, numbers(inner)) for key, inner in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value)(map(numbers, value))
    return value


def one(number: float) -> Tensor:
    return torch.tensor(number)


@pytest.mark.parametrize(
    "root",
    [
        {"a": one(1), "b": one(2)},
        {"epoch": 3, "state_dict": {"a": one(1), "b": one(2)}, "arch": "x"},
        {"model": {"x.y": one(1)}, "ema": [one(2), "text", (one(3), None)], "empty": {}, 3: {4: one(5)}},
        [one(1), {"a": one(2)}],
        {"a": {"b": one(1)}, "a.b": one(2)},
        one(7),
    ],
)
def test_its_own_tensors_make_it_again(root: Any) -> None:
    laid = laid_flat(root)
    again = built_up(root, laid, {name: leaf.tensor for name, leaf in laid.leaves.items()})
    assert numbers(again) == numbers(root)
    assert again is root or isinstance(root, (dict, list))


def test_new_ones_stand_where_the_plan_has_them() -> None:
    root: dict[str, Any] = {
        "epoch": 3,
        "state_dict": {"s.a": one(1), "s.b": one(2), "version": "x", "s.c": one(3), "t": one(4)},
        "state": {"t": one(5)},
    }
    laid = laid_flat(root)
    kept = {name: leaf.tensor for name, leaf in laid.leaves.items()}
    plan = {
        "state_dict.new first": one(10),
        "state_dict.s.b": kept["state_dict.s.b"],
        "state_dict.s.fused.weight": one(11),
        "state_dict.s.fused.bias": one(12),
        "state_dict.t": kept["state_dict.t"],
        "state_dict.last": one(13),
        "outermost": one(14),
        "state.t": kept["state.t"],
    }
    assert numbers(built_up(root, laid, plan)) == [
        ("epoch", 3),
        (
            "state_dict",
            [
                ("new first", 10),
                ("s.b", 2),
                ("version", "x"),
                ("s.fused.weight", 11),
                ("s.fused.bias", 12),
                ("t", 4),
                ("last", 13),
            ],
        ),
        ("state", [("t", 5)]),
        ("outermost", 14),
    ]
    assert list(root["state_dict"]) == ["s.a", "s.b", "version", "s.c", "t"], "the input is as it was"


def test_order_of_the_plan_goes_before_the_order_of_the_input() -> None:
    root = {"a": one(1), "b": one(2), "c": one(3)}
    laid = laid_flat(root)
    plan = {name: root[name] for name in ("c", "a")}
    assert numbers(built_up(root, laid, plan)) == [("c", 3), ("a", 1)]


def test_types_and_attributes_stay() -> None:
    state = nn.Sequential(nn.BatchNorm2d(1)).state_dict()
    laid = laid_flat({"m": state})
    again = built_up({"m": state}, laid, {name: leaf.tensor for name, leaf in laid.leaves.items()})["m"]
    assert type(again) is OrderedDict
    assert again is not state
    assert again._metadata == state._metadata  # type: ignore[attr-defined]
    nn.Sequential(nn.BatchNorm2d(1)).load_state_dict(again)
