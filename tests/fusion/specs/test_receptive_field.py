"""Every answer is compared with what torch's own convolution does to unit impulses."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from tui.fusion.specs.block_spec import BlockSpec, BranchKind, BranchSpec
from tui.fusion.specs.padding import same_padding
from tui.fusion.specs.receptive_field import Area, ReceptiveField

PAIRS = st.tuples(st.integers(1, 5), st.integers(1, 5))
SMALL = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def specs(draw: st.DrawFn) -> BlockSpec:
    """Blocks of one k x k branch, even sizes too."""
    return BlockSpec(
        kernel_size=draw(PAIRS),
        stride=draw(SMALL),
        dilation=draw(SMALL),
        branches=(BranchSpec(BranchKind.KXK),),
        input_shape=draw(st.tuples(st.integers(1, 9), st.integers(1, 9))),
    )


def touched(spec: BlockSpec, tap: tuple[int, int] | None = None) -> Tensor:
    """(outputs, inputs) in row-major order: whether the output reads the input, by any tap or by this one."""
    height, width = spec.input_shape
    kernel = torch.ones(spec.kernel_size) if tap is None else torch.zeros(spec.kernel_size)
    if tap is not None:
        kernel[tap] = 1
    impulses = torch.eye(height * width).reshape(-1, 1, height, width)
    sizes = [same_padding(*axis) for axis in zip(spec.kernel_size, spec.dilation, strict=True)]
    padded = functional.pad(impulses, (*sizes[1], *sizes[0]))
    y = functional.conv2d(padded, kernel[None, None], stride=spec.stride, dilation=spec.dilation)
    return y.flatten(1).T > 0


def mask(patch: Area, shape: tuple[int, int]) -> Tensor:
    """The patch in an image of that shape, flattened."""
    image = torch.zeros(shape, dtype=torch.bool)
    for row in patch.rows:
        for column in patch.columns:
            image[row, column] = True
    return image.flatten()


def places(shape: tuple[int, int]) -> list[tuple[int, int]]:
    return [(row, column) for row in range(shape[0]) for column in range(shape[1])]


@given(specs())
def test_read_and_readers_are_the_two_sides_of_the_convolution(spec: BlockSpec) -> None:
    field, reads = ReceptiveField.of(spec), touched(spec)
    outputs = spec.output_nchw[2:]
    for number, output in enumerate(places(outputs)):
        assert torch.equal(mask(field.read(output), spec.input_shape), reads[number])
    for number, place in enumerate(places(spec.input_shape)):
        assert torch.equal(mask(field.readers(place), outputs), reads[:, number])


@given(specs(), st.data())
def test_one_tap(spec: BlockSpec, data: st.DataObject) -> None:
    tap = data.draw(st.sampled_from(places(spec.kernel_size)))
    field, reads = ReceptiveField.of(spec), touched(spec, tap)
    outputs = spec.output_nchw[2:]
    assert torch.equal(mask(field.read_by_tap(tap), spec.input_shape), reads.any(0))
    for number, output in enumerate(places(outputs)):
        place = field.place(output, tap)
        found = [places(spec.input_shape)[index] for index in reads[number].nonzero()[:, 0].tolist()]
        assert found == ([] if place is None else [place])


def test_in_the_corner_five_of_nine_taps_stand_in_the_padding() -> None:
    field = ReceptiveField.of(BlockSpec())
    assert field.taps - field.read((0, 0)).size == 5
    assert field.read((4, 7)) == Area(range(3, 6), range(6, 9))


def test_the_fused_kernel_counts_not_that_of_a_branch() -> None:
    branches = (BranchSpec(BranchKind.KXK), BranchSpec(BranchKind.SIZED, kernel_size=(5, 1)))
    field = ReceptiveField.of(BlockSpec(branches=branches))
    assert (field.rows.kernel_size, field.columns.kernel_size) == (5, 3)
