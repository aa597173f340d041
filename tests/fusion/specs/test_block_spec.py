"""BlockSpec: what it derives, and what it refuses in words before any torch call."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fusion.strategies import any_branches, pairs, specs
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import (
    BlockSpec,
    BranchKind,
    BranchSpec,
    Dtype,
    InvalidSpecError,
    PaddingMode,
    Problem,
    Scale,
)
from tui.fusion.specs.branch_spec import names_of
from tui.fusion.specs.problems import (
    MAX_BATCH_SIZE,
    MAX_CHANNELS,
    MAX_DILATION,
    MAX_INPUT_SIZE,
    MAX_KERNEL_SIZE,
    MAX_SEED,
    MAX_STRIDE,
)

KXK, POINTWISE, IDENTITY = map(BranchSpec, (BranchKind.KXK, BranchKind.POINTWISE, BranchKind.IDENTITY))


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


@pytest.mark.parametrize("eps", [-1e-9, 10.5, math.inf, math.nan])
def test_an_eps_that_no_batch_norm_has_is_refused(eps: float) -> None:
    (problem,) = problems_of(eps=eps)
    assert (problem.field, problem.message) == ("eps", f"eps must be from 0 to 10, not {eps!r}")


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
        ({"branches": (KXK,) * 65}, "branches", "a block has at most 64 branches here, not 65"),
        (
            {"branches": parse_branches("5x300")},
            "branches",
            "5x300: kernel size must be from 1 to 127, not 300",
        ),
        ({"branches": parse_branches("3x3d70")}, "branches", "3x3d70: dilation must be from 1 to 64, not 70"),
        ({"branches": parse_branches("kxk+g0")}, "branches", "kxk: groups must be from 1 to 65536, not 0"),
        (
            {"branches": parse_branches("1x1-kxk+x99")},
            "branches",
            "1x1-kxk: expansion must be from 1 to 16, not 99",
        ),
        (
            {"branches": parse_branches("kxk+g3")},
            "branches",
            "kxk: its groups must divide in and out channels: 3 does not divide in channels 2 or out",
        ),
        (
            {"branches": parse_branches("kxk,kxk+g2"), "out_channels": 3},
            "branches",
            "kxk #2: its groups must divide in and out channels: 2 does not divide out channels 3",
        ),
        (
            {"branches": parse_branches("avg"), "out_channels": 4},
            "branches",
            "average pooling needs in channels = out channels (2 is not 4)",
        ),
        (
            {"branches": parse_branches("1x1-kxk+idconv+x2")},
            "branches",
            "1x1-kxk: idconv adds the identity, which needs expansion 1, not 2",
        ),
        (
            {"branches": parse_branches("1x1-avg+idconv"), "out_channels": 4},
            "branches",
            "1x1-avg: idconv adds the identity, which needs in channels = out channels (2 is not 4)",
        ),
        (
            {"branches": parse_branches("1x1-kxk+zeros")},
            "branches",
            "1x1-kxk: zeros padded after the 1x1's bias make the 32 pixels at the border (of 81 a channel) "
            "wrong in any fused kernel; pad before it (take +zeros out), or take bias and inner norm out",
        ),
        (
            {"branches": parse_branches("1x1-avg+zeros+inner-bias")},
            "branches",
            "1x1-avg: zeros padded after the 1x1's batch norm make the 32 pixels",
        ),
        (
            {"branches": parse_branches("avg,kxk"), "padding_mode": PaddingMode.REFLECT},
            "padding_mode",
            "average pooling pads with zeros, the convolutions with reflect",
        ),
        (
            {"branches": parse_branches("1x1-kxk+zeros-bias"), "padding_mode": PaddingMode.CIRCULAR},
            "padding_mode",
            "1x1-kxk: zeros between its steps and circular padding elsewhere make no single convolution",
        ),
        (
            {"kernel_size": (7, 3), "input_shape": (3, 9), "padding_mode": PaddingMode.REFLECT},
            "padding_mode",
            "reflect padding of 3 pixels needs an input height of at least 4, not 3",
        ),
        (
            {"kernel_size": (3, 9), "input_shape": (9, 3), "padding_mode": PaddingMode.CIRCULAR},
            "padding_mode",
            "circular padding of 4 pixels needs an input width of at least 4, not 3",
        ),
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
        "branches": st.lists(any_branches(), max_size=4).map(tuple),
        "padding_mode": st.sampled_from(PaddingMode),
        "post_norm": st.booleans(),
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


def border_pixels_of(spec: BlockSpec) -> int:
    """The pixels a channel at which a kernel reaches beyond the image, each looked at by itself."""
    (height, width), (rows, columns) = spec.input_shape, spec.stride
    reaches = [
        range(-((taps - 1) * step // 2), (taps - 1) * step - (taps - 1) * step // 2 + 1)
        for taps, step in zip(spec.kernel_size, spec.dilation, strict=True)
    ]
    return sum(
        not (y + reaches[0].start >= 0 and y + reaches[0].stop <= height)
        or not (x + reaches[1].start >= 0 and x + reaches[1].stop <= width)
        for y in range(0, height, rows)
        for x in range(0, width, columns)
    )


@given(pairs(1, 12), pairs(1, 3), pairs(1, 6), pairs(1, 3))
def test_the_pixels_that_a_zero_border_spoils_are_counted(
    shape: Any, stride: Any, kernel_size: Any, dilation: Any
) -> None:
    branches = parse_branches("1x1-kxk-bias+zeros")
    spec = BlockSpec(
        input_shape=shape, stride=stride, kernel_size=kernel_size, dilation=dilation, branches=branches
    )
    pixels = border_pixels_of(spec)
    if kernel_size == (1, 1):
        assert pixels == 0
        assert replace(spec, branches=parse_branches("1x1-kxk+zeros"))
        return
    with pytest.raises(InvalidSpecError, match=rf"make the {pixels} pixels at the border \(of "):
        replace(spec, branches=parse_branches("1x1-kxk+zeros"))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("kxk,1x1,identity", ["kxk", "1x1", "identity"]),
        ("kxk,1x1,kxk", ["kxk #1", "1x1", "kxk #2"]),
        ("5x5,3x3d2,3x3d2x1,3x3", ["5x5", "3x3d2", "3x3d2x1", "3x3"]),
        ("1x1-kxk,1x1-avg,avg,1xk,kx1", ["1x1-kxk", "1x1-avg", "avg", "1xk", "kx1"]),
    ],
)
def test_branches_are_named_by_their_kinds(text: str, names: list[str]) -> None:
    assert names_of(parse_branches(text)) == names


def test_a_branch_forgets_what_its_kind_has_no_use_for() -> None:
    everything: dict[str, Any] = {
        "kernel_size": (5, 5),
        "dilation": (2, 2),
        "groups": 2,
        "inner_norm": True,
        "identity_offset": True,
        "expansion": 2,
        "zero_border": True,
        "scale": Scale.ALPHA,
    }
    assert BranchSpec(BranchKind.IDENTITY, **everything) == BranchSpec(BranchKind.IDENTITY, scale=Scale.ALPHA)
    assert BranchSpec(BranchKind.KXK, **everything) == BranchSpec(BranchKind.KXK, groups=2, scale=Scale.ALPHA)
    average = BranchSpec(BranchKind.POINTWISE_AVERAGE, **everything)
    assert (average.expansion, average.kernel_size, average.inner_norm) == (1, None, True)
    assert BranchSpec(BranchKind.SIZED, kernel_size=(1, 1)) == BranchSpec(BranchKind.POINTWISE)
    assert BranchSpec(BranchKind.SIZED).kernel_size == (3, 3)


@pytest.mark.parametrize(
    ("text", "values", "size", "dilation", "groups"),
    [
        ("kxk", {"kernel_size": (5, 4), "dilation": (2, 3)}, (5, 4), (2, 3), 8),
        ("1x1,identity", {"kernel_size": (5, 5), "dilation": (2, 2)}, (1, 1), (1, 1), 8),
        ("kxk,1x1+g4,5x5+g2", {}, (5, 5), (1, 1), 2),
        ("kxk,1x1-kxk+g6", {"groups": 4, "in_channels": 12, "out_channels": 12}, (3, 3), (1, 1), 2),
        ("kxk,3x3d4", {"dilation": (2, 2)}, (5, 5), (2, 2), 8),
        ("kxk,3x3d3", {"dilation": (2, 2)}, (7, 7), (1, 1), 8),
        ("kxk,avg", {"dilation": (2, 2)}, (5, 5), (1, 1), 8),
        ("4x4d2,3x3", {}, (7, 7), (1, 1), 8),
        ("1xk,kx1", {"kernel_size": (5, 7), "dilation": (2, 3)}, (5, 7), (2, 3), 8),
        ("kxk,5x1d2", {"kernel_size": (3, 3), "dilation": (2, 3)}, (5, 3), (2, 3), 8),
    ],
)
def test_the_fused_kernel_holds_every_branch(
    text: str, values: dict[str, Any], size: Any, dilation: Any, groups: int
) -> None:
    usual: dict[str, Any] = {"in_channels": 8, "out_channels": 8, "groups": 8}
    spec = BlockSpec(branches=parse_branches(text), **usual | values)
    assert (spec.fused_kernel_size, spec.fused_dilation, spec.fused_groups) == (size, dilation, groups)
