"""A kernel that was read, as edits of a study: only the numbers that differ from those that are there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tui.analysis.alterations.alterations import FUSED, Alterations, Edit
from tui.analysis.alterations.applying import parameters_of
from tui.analysis.quantities import count
from tui.analysis.study import Study
from tui.analysis.verdict.stored import StoredReason, StoredVerdict
from tui.analysis.verdict.stored_judging import judge_stored
from tui.fusion.kernel import Kernel, pad_to
from tui.fusion.specs.block_spec import Dtype
from tui.fusion.torch_dtypes import torch_dtype
from tui.importing.errors import ImportingError
from tui.importing.given_numbers import GivenKernel, GivenNumbers
from tui.importing.target import Target, show_shape

MOST_EDITS = 100_000
"""Numbers that are set at once."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a kernel that was read.

    Attributes:
        alterations: those of the study with the kernel in its place.
        words: what was set and what was not, for the user.
    """

    alterations: Alterations
    words: str


@dataclass(frozen=True, eq=False, slots=True)
class _Part:
    """One tensor of the kernel at its place.

    Attributes:
        name: its place, as `shapes_of` has it.
        pair: (out, column) where it is one slice of the weight, else empty.
        given: its numbers, float64.
        present: those that are there, or should be: float64.
    """

    name: str
    pair: tuple[int, ...]
    given: Tensor
    present: Tensor


@dataclass(frozen=True, eq=False, slots=True)
class _Differences:
    """How a part differs from what is there.

    Attributes:
        edits: its numbers that are others in the study's dtype.
        numbers: how many it has.
    """

    edits: tuple[Edit, ...]
    numbers: int


def imported(study: Study, target: Target, given: GivenKernel) -> Imported:
    """The alterations that put the given kernel into the study, at the target.

    A number is set if it is another one in the study's dtype. A fused kernel is one that came finished: it is
    judged by its weights, and what storing it rounded is then no fault of the run. Older edits of the fused
    numbers that are given go, and so does a mistake: the given kernel takes the place of what it made.

    Raises:
        ImportingError: the shape does not fit, or too many numbers differ.
        FusionError: the block cannot be folded.
    """
    alterations, stored = study.alterations, None
    if target.is_fused:
        parts = _fused_parts(study, target, given)
        alterations = replace(_without(alterations, parts), finished=True)
        stored = judge_stored(study.block64, _whole(study, parts))
    else:
        parts = _parts(study, target, given)
    found = [_differences(part, study.spec.dtype) for part in parts]
    edits = tuple(edit for each in found for edit in each.edits)
    if len(edits) > MOST_EDITS:
        too_many = (
            f"{count(len(edits))} numbers differ, and {count(MOST_EDITS)} is the most that is set at once"
        )
        judged = "" if stored is None else f". {stored.sentence} check --fused FILE judges its outputs too"
        raise ImportingError(too_many + judged)
    altered = alterations.edited(*edits)
    if not altered.brings_finished:
        altered = replace(altered, finished=False)
    return Imported(altered, _words(target, found, len(edits), study.alterations.mistake, stored))


def _parts(study: Study, target: Target, given: GivenKernel) -> list[_Part]:
    parameters = {name: tensor.detach().double() for name, tensor in parameters_of(study.block).items()}
    parts = [_weight_part(target, given.weight, parameters[target.name])]
    if given.bias is not None:
        name = f"{target.name.removesuffix('weight')}bias"
        bias = _tensor(given.bias)
        if name in parameters:
            parts.append(_bias_part(target, name, bias, parameters[name]))
        elif bias.count_nonzero():
            raise ImportingError(
                f"it has a bias, and {target.summand} has none of its own: switch it on in the form (f), or "
                "bring the weight alone"
            )
    return parts


def _fused_parts(study: Study, target: Target, given: GivenKernel) -> list[_Part]:
    right = pad_to(study.block64.folded().kernel, study.frame)
    parts = [_weight_part(target, given.weight, right.weight)]
    if given.bias is not None:
        parts.append(_bias_part(target, f"{FUSED}.bias", _tensor(given.bias), _bias_of(right)))
    return parts


def _whole(study: Study, parts: list[_Part]) -> Kernel:
    """The kernel that is run then, in the study's dtype: the given numbers, beside them the right ones."""
    right = pad_to(study.block64.folded().kernel, study.frame)
    weight, bias = right.weight.clone(), _bias_of(right).clone()
    numbers = {f"{FUSED}.weight": weight, f"{FUSED}.bias": bias}
    for part in parts:
        numbers[part.name][part.pair or ...] = part.given
    return Kernel(weight, bias).to(torch_dtype(study.spec.dtype))


def _bias_of(kernel: Kernel) -> Tensor:
    return kernel.weight.new_zeros(len(kernel.weight)) if kernel.bias is None else kernel.bias


def _weight_part(target: Target, given: GivenNumbers, present: Tensor) -> _Part:
    """The weight, or the slice under the cursor, out of numbers in its own shape or in the frame's."""
    shape = given.shape
    if shape == target.shape:
        return _Part(target.name, (), _tensor(given), present)
    if shape == target.frame:
        return _Part(target.name, (), _out_of_frame(target, _tensor(given)), present)
    if target.pair is not None and shape == target.shape[2:]:
        return _Part(target.name, target.pair, _tensor(given), present[target.pair])
    raise ImportingError(
        f"{show_shape(shape)} numbers were given, and {target.name} expects {target.expected}"
    )


def _out_of_frame(target: Target, given: Tensor) -> Tensor:
    """The weight's own numbers in a kernel that is padded, dilated and ungrouped to the fused frame."""
    standing = target.standing
    first = torch.tensor([standing.first_column(channel) for channel in range(target.shape[0])])
    rows, columns = torch.tensor(standing.rows), torch.tensor(standing.columns)
    own = first.view(-1, 1) + torch.arange(target.shape[1])
    out = torch.arange(target.shape[0]).view(-1, 1, 1, 1)
    weight = given[out, own[:, :, None, None], rows.view(-1, 1), columns]
    if weight.count_nonzero() != given.count_nonzero():
        raise ImportingError(
            f"it has numbers other than 0 where the grid pads {target.name}: give {show_shape(target.shape)}"
        )
    return weight


def _bias_part(target: Target, name: str, bias: Tensor, present: Tensor) -> _Part:
    if bias.shape != present.shape:
        shape = show_shape(tuple(bias.shape))
        raise ImportingError(
            f"the bias has {shape} numbers, and {show_shape(tuple(present.shape))} are expected for {name}"
        )
    return _Part(name, (), bias, present)


def _tensor(given: GivenNumbers) -> Tensor:
    return torch.tensor(given.values, dtype=torch.float64).view(given.shape)


def _differences(part: _Part, dtype: Dtype) -> _Differences:
    kind = torch_dtype(dtype)
    one, other = part.given.to(kind), part.present.to(kind)
    same = (one == other) | (one.isnan() & other.isnan())
    edits = tuple(
        Edit(part.name, (*part.pair, *place), value)
        for place, value in zip((~same).nonzero().tolist(), part.given[~same].tolist(), strict=True)
    )
    return _Differences(edits, one.numel())


def _without(alterations: Alterations, parts: list[_Part]) -> Alterations:
    """Without the mistake, and without edits of the fused numbers that are given."""
    taken = [(part.name, part.pair) for part in parts]
    kept = tuple(
        edit
        for edit in alterations.edits
        if not any(edit.place == name and edit.index[: len(pair)] == pair for name, pair in taken)
    )
    return replace(alterations, edits=kept, mistake="")


def _words(
    target: Target, found: list[_Differences], edits: int, mistake: str, stored: StoredVerdict | None
) -> str:
    numbers = sum(each.numbers for each in found)
    place = f"{target.summand}: " if len(found) > 1 else f"{target.name}: "
    remark = f", {target.remark}" if target.remark else ""
    if not edits:
        sentences = [f"{place}all {count(numbers)} numbers are those that are here"]
    else:
        sentences = [f"{place}{count(edits)} of {count(numbers)} numbers set{remark}"]
    if mistake and target.is_fused:
        sentences.append(f"The mistake ({mistake}) is gone: this kernel takes its place")
    if stored is not None and edits:
        sentences.append(stored.sentence.removesuffix("."))
        if not stored.agrees and stored.reason is not StoredReason.MISTAKE:
            sentences.append("6 tells which mistake it looks like")
    return ". ".join(sentences) + "."
