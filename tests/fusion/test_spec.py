"""BlockSpec: what it derives, and what it refuses in words before any torch call."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fusion.strategies import pairs, specs
from tui.fusion.spec import (
    MAX_BATCH_SIZE,
    MAX_CHANNELS,
    MAX_DILATION,
    MAX_INPUT_SIZE,
    MAX_KERNEL_SIZE,
    MAX_SEED,
    MAX_STRIDE,
    BlockSpec,
    BranchKind,
    BranchSpec,
    Dtype,
    InvalidSpecError,
    Problem,
)

KXK, POINTWISE, IDENTITY = (BranchSpec(kind) for kind in BranchKind)


def problems_of(**values: Any) -> tuple[Problem, ...]:
    with pytest.raises(InvalidSpecError) as caught:
        BlockSpec(**values)
    return caught.value.problems


def test_default_is_the_block_that_the_project_starts_from() -> None:
    spec = BlockSpec()
    assert spec.input_nchw == (1, 2, 9, 9)
    assert spec.output_nchw == (1, 2, 9, 9)
    assert (spec.kernel_size, spec.stride, spec.groups) == ((3, 3), (1, 1), 1)
    assert [(branch.kind.value, branch.bias, branch.batch_norm) for branch in spec.branches] == [
        ("kxk", True, False),
        ("1x1", True, False),
        ("identity", False, False),
    ]


def test_spec_is_frozen_and_hashable() -> None:
    with pytest.raises(FrozenInstanceError):
        BlockSpec().seed = 1  # type: ignore[misc]
    assert hash(BlockSpec()) == hash(BlockSpec())


@given(pairs(1, 40), pairs(1, 9))
def test_output_has_one_pixel_for_each_that_the_stride_visits(shape: tuple[int, int], stride: Any) -> None:
    spec = BlockSpec(input_shape=shape, stride=stride, branches=(KXK,))
    visited = tuple(len(range(0, size, step)) for size, step in zip(shape, stride, strict=True))
    assert spec.output_nchw == (1, 2, *visited)


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        ("in_channels", 1, MAX_CHANNELS),
        ("out_channels", 1, MAX_CHANNELS),
        ("groups", 1, MAX_CHANNELS),
        ("batch_size", 1, MAX_BATCH_SIZE),
        ("seed", 0, MAX_SEED),
    ],
)
@pytest.mark.parametrize("side", ["below", "above"])
def test_a_number_out_of_range_is_refused_at_its_field(field: str, low: int, high: int, side: str) -> None:
    number = low - 1 if side == "below" else high + 1
    (problem,) = problems_of(**{field: number})
    assert problem.field == field
    assert problem.message.endswith(f"must be from {low} to {high}, not {number}")


@pytest.mark.parametrize(
    ("field", "high"),
    [
        ("kernel_size", MAX_KERNEL_SIZE),
        ("stride", MAX_STRIDE),
        ("dilation", MAX_DILATION),
        ("input_shape", MAX_INPUT_SIZE),
    ],
)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("side", ["below", "above"])
def test_either_axis_of_a_pair_is_checked(field: str, high: int, axis: int, side: str) -> None:
    number = 0 if side == "below" else high + 1
    (problem,) = problems_of(**{field: (number, 1) if axis == 0 else (1, number)})
    assert problem.field == field
    assert problem.message.endswith(f"must be from 1 to {high}, not {number}")


def test_the_limits_themselves_are_allowed() -> None:
    BlockSpec(
        in_channels=MAX_CHANNELS,
        out_channels=MAX_CHANNELS,
        groups=MAX_CHANNELS,
        kernel_size=(MAX_KERNEL_SIZE, 1),
        stride=(MAX_STRIDE, 1),
        dilation=(1, MAX_DILATION),
        input_shape=(MAX_INPUT_SIZE, 1),
        batch_size=MAX_BATCH_SIZE,
        seed=MAX_SEED,
        branches=(KXK,),
    )


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"groups": 3}, "groups", "3 does not divide in channels 2 or out channels 2"),
        (
            {"groups": 2, "out_channels": 3, "branches": (KXK,)},
            "groups",
            "2 does not divide out channels 3",
        ),
        ({"branches": ()}, "branches", "at least one branch"),
        ({"branches": (KXK, KXK)}, "branches", "the branch kxk stands more than once"),
        ({"out_channels": 4}, "branches", "the identity needs in channels = out channels (2 is not 4)"),
        ({"stride": (1, 2)}, "branches", "the identity needs stride 1, not 1x2"),
    ],
)
def test_what_can_not_be_fused_says_why(values: dict[str, Any], field: str, words: str) -> None:
    (problem,) = problems_of(**values)
    assert problem.field == field
    assert words in problem.message


def test_the_identity_alone_minds_stride_and_channels() -> None:
    assert BlockSpec(stride=(2, 2), out_channels=6, branches=(KXK, POINTWISE)).output_nchw == (1, 6, 5, 5)


def test_every_problem_is_told_at_once() -> None:
    assert [problem.field for problem in problems_of(in_channels=0, stride=(0, 1), seed=-1)] == [
        "in_channels",
        "stride",
        "seed",
    ]
    found = problems_of(groups=3, out_channels=4, stride=(2, 2))
    assert [problem.field for problem in found] == ["groups", "branches", "branches"]
    with pytest.raises(
        InvalidSpecError, match=r"groups must divide .*; the identity needs in .*; .* stride 1"
    ):
        BlockSpec(groups=3, out_channels=4, stride=(2, 2))


numbers = st.integers(-3, 12) | st.integers()
anything = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("in_channels", "out_channels", "groups", "batch_size", "seed"), numbers),
        **dict.fromkeys(("kernel_size", "stride", "dilation", "input_shape"), st.tuples(numbers, numbers)),
        "branches": st.lists(st.builds(BranchSpec, st.sampled_from(BranchKind)), max_size=4).map(tuple),
    },
)


@given(anything)
def test_any_numbers_make_a_spec_or_an_explained_refusal(values: dict[str, Any]) -> None:
    spec, problems = spec_or_problems(values)
    if spec is None:
        assert problems
        assert all(problem.message for problem in problems)
        assert {problem.field for problem in problems} <= set(BlockSpec.__dataclass_fields__)
    else:
        assert min(spec.output_nchw) >= 1


def spec_or_problems(values: dict[str, Any]) -> tuple[BlockSpec | None, tuple[Problem, ...]]:
    try:
        return BlockSpec(**values), ()
    except InvalidSpecError as error:
        return None, error.problems


def test_an_identity_has_no_bias_of_its_own() -> None:
    assert BranchSpec(BranchKind.IDENTITY, bias=True) == BranchSpec(BranchKind.IDENTITY, bias=False)
    assert not IDENTITY.bias


def test_fused_kernel_size_is_the_largest_branch() -> None:
    assert BlockSpec(kernel_size=(4, 1)).fused_kernel_size == (4, 1)
    assert BlockSpec(kernel_size=(4, 1), branches=(POINTWISE, IDENTITY)).fused_kernel_size == (1, 1)


def test_with_branches_switches_all_and_only_what_is_named() -> None:
    spec = BlockSpec()
    normed = spec.with_branches(batch_norm=True)
    assert [branch.batch_norm for branch in normed.branches] == [True, True, True]
    assert [branch.bias for branch in normed.branches] == [True, True, False]
    assert [branch.bias for branch in normed.with_branches(bias=False).branches] == [False, False, False]
    assert normed.with_branches(batch_norm=False, bias=True) == spec


@given(specs(), specs())
def test_changes_from_names_the_fields_that_make_one_spec_the_other(one: BlockSpec, other: BlockSpec) -> None:
    changed = other.changes_from(one)
    assert replace(one, **{name: getattr(other, name) for name in changed}) == other
    assert all(getattr(one, name) != getattr(other, name) for name in changed)
    assert one.changes_from(one) == []


def test_branch_finds_a_branch_by_its_kind() -> None:
    spec = BlockSpec(branches=(POINTWISE, KXK))
    assert spec.branch(BranchKind.KXK) is KXK
    assert spec.branch(BranchKind.IDENTITY) is None


@pytest.mark.parametrize(("dtype", "size"), [("float64", 8), ("float32", 4), ("bfloat16", 2), ("float16", 2)])
def test_dtype_knows_its_bytes(dtype: str, size: int) -> None:
    assert Dtype(dtype).bytes == size
