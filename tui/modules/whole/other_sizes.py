"""A forward is seen with one size of the image, and may go by that: what is fused is tried with others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map_only

from tui.fusion.kernel import FusionError
from tui.modules.run.graph import ModuleCall, Node
from tui.modules.run.near import near
from tui.modules.run.running import failure, same_random_numbers
from tui.modules.run.undisturbed import given_back, undisturbed

_SMALL_SIDE = 15
"""Pixels of the images on which a fused module is tried, beside those that it was seen on."""

_LONG_SIDE = 256
"""Pixels of a strip of an image, the fewest: more than most forwards that choose by the size ask for."""

_MOST_PIXELS = 1 << 14
"""Of such a strip: a whole model is run on it."""


_LARGE = 1 << 12
"""Pixels of an example from which on a whole model is tried on fewer of them."""

Outputs = dict[int, list[Any]]
"""What modules gave, run by run, by their ids."""

Keeping = Callable[[], AbstractContextManager[None]]
"""Gives what a run writes over back, so that the next one begins as this one did."""


@torch.no_grad()
def refuse_other_results(run: ModuleCall, module: nn.Module, keeping: Keeping) -> None:
    """What a forward does is seen with one size of the image only, and it may compute with that.

    Raises:
        FusionError: on images of another size the fused module gives something else, or it cannot be called.
    """
    other = tree_map_only(Node, _resized, (run.args, run.kwargs))
    try:
        with same_random_numbers(), keeping():
            right = _cloned(run.module(*_cloned(other[0]), **_cloned(other[1])))
    except Exception:  # it takes that size only, whatever it says
        return
    try:
        with same_random_numbers(), keeping():
            given = _cloned(module(*_cloned(other[0]), **_cloned(other[1])))
        alike = all(map(near, tree_leaves(given), tree_leaves(right)))
    except RuntimeError:
        alike = False
    except Exception as error:
        raise FusionError(f"a convolution cannot run in its place: {failure(error)}") from error
    if not alike:
        raise FusionError(
            "its forward computes with the size of the image, which a fused one would have fixed, as padding "
            "that follows it; where that is beside the block, move the block into a module of its own"
        )


def _cloned(tree: Any) -> Any:
    return tree_map_only(Tensor, torch.clone, tree)


def _resized(node: Node) -> Tensor:
    value = node.value
    if not node.is_image or min(value.shape[2:]) < 2:
        return value
    height, width = (min(size, _SMALL_SIDE) for size in value.shape[2:])
    height, width = (height - 2, width - 2) if (height, width) == tuple(value.shape[2:]) else (height, width)
    generator = torch.Generator().manual_seed(2)
    shape = (value.shape[0] + 1, value.shape[1], max(height, 1), max(width, 1))
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(value)


@dataclass(frozen=True, eq=False)
class Tried:
    """What a model gave on arguments of one other size.

    Attributes:
        arguments: those that it was given.
        outputs: its own.
        parts: those of modules in it.
    """

    arguments: tuple[Any, ...]
    outputs: list[Tensor]
    parts: Outputs


def tried_on_other_sizes(
    model: nn.Module, places: Iterable[nn.Module], arguments: tuple[Any, ...], numbers: Mapping[str, Tensor]
) -> list[Tried]:
    """What a model, and these modules in it, give on other sizes and numbers of images; none if that fails.

    Args:
        numbers: copies of the model's parameters and buffers, by their names; what it writes over is given
            back from these.
    """
    places = list(places)
    first = next(
        filter(None, (_outputs_at(model, places, each, numbers) for each in _other_images(arguments))), None
    )
    if first is None:
        return []
    strips = (_outputs_at(model, places, each, numbers) for each in _strips(arguments))
    return [first, *filter(None, strips)]


@torch.no_grad()
def agrees_on_other_sizes(
    fused: nn.Module, instead: Mapping[nn.Module, nn.Module], tried: Sequence[Tried], keeping: Keeping
) -> bool:
    """Whether a fused model gives the same: at the end, and wherever something was put.

    So each part is tried within two runs of the whole, on what reaches it. False also where that cannot be
    known: where nothing was tried, or where a run does not come by each of the parts.

    Args:
        instead: what stands in the fused model in the place of a module, by that module.
    """
    return bool(tried) and all(_gives(fused, instead, each, keeping) for each in tried)


def _other_images(arguments: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """One image more, of another size; of these, what is least to compute first."""
    large = any(_is_image(leaf) and leaf.shape[2] * leaf.shape[3] > _LARGE for leaf in tree_leaves(arguments))
    changes: list[Callable[[int, int], tuple[int, int]]] = [_CHANGES[0]]
    if large:
        changes = [*map(_flat, (8, 4)), *changes]
    for change in changes:
        yield tree_map_only(Tensor, partial(_of_size, change, more=1), arguments)
    yield tree_map_only(Tensor, partial(_of_size, _CHANGES[0]), arguments)


def _flat(part: int) -> Callable[[int, int], tuple[int, int]]:
    """A part of the height, and a little more than the width."""
    return lambda height, width: (height // part + 1, width + 2)


def _strips(arguments: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for change in _CHANGES[1:]:
        other = tree_map_only(Tensor, partial(_of_size, change), arguments)
        if _differ(other, arguments):
            yield other


def _differ(other: tuple[Any, ...], arguments: tuple[Any, ...]) -> bool:
    return any(
        one is not usual for one, usual in zip(tree_leaves(other), tree_leaves(arguments), strict=True)
    )


def _outputs_at(
    model: nn.Module, places: Sequence[nn.Module], arguments: tuple[Any, ...], numbers: Mapping[str, Tensor]
) -> Tried | None:
    """What it gives on these arguments; None if it does not take them."""
    try:
        with same_random_numbers(), given_back(model, numbers), _kept_at(places) as kept:
            return Tried(arguments, _tensors(_cloned(model(*_cloned(arguments)))), kept)
    except Exception:  # it takes that size only, whatever it says
        return None


def _gives(fused: nn.Module, instead: Mapping[nn.Module, nn.Module], tried: Tried, keeping: Keeping) -> bool:
    """Whether the fused model gives that, and each of its parts what it stands for."""
    try:
        with same_random_numbers(), keeping(), _kept_at(instead.values()) as kept:
            given = _tensors(_cloned(fused(*_cloned(tried.arguments))))
    except Exception:  # whatever their forward ends in that asks for what is gone
        return False
    pairs = [(tried.parts[id(old)], kept[id(new)]) for old, new in instead.items()]
    return all(
        bool(one) and len(one) == len(other) and all(map(near, other, one))
        for one, other in (
            *((_tensors(one), _tensors(other)) for one, other in pairs),
            (tried.outputs, given),
        )
    )


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


@contextmanager
def _kept_at(modules: Iterable[nn.Module]) -> Iterator[Outputs]:
    """What these modules give, copied before anything writes over it."""
    every = {id(module): module for module in modules}
    kept: Outputs = {name: [] for name in every}

    def keep(module: nn.Module, _arguments: Any, output: Any) -> None:
        kept[id(module)].append(output.clone() if isinstance(output, Tensor) else _cloned(output))

    with ExitStack() as stack:
        for module in every.values():
            stack.callback(module.register_forward_hook(keep).remove)
        yield kept


@torch.no_grad()
def refuse_other_model(
    model: nn.Module, fused: nn.Module, arguments: tuple[Any, ...], keeping: Keeping
) -> None:
    """That both still agree on images of another size, by which the forward may choose its way.

    Raises:
        FusionError: they do not.
    """
    for change in _CHANGES:
        other = tree_map_only(Tensor, partial(_of_size, change), arguments)
        if _differ(other, arguments):
            _refuse_other_outputs(model, fused, other, keeping)


def _refuse_other_outputs(
    model: nn.Module, fused: nn.Module, other: tuple[Any, ...], keeping: Keeping
) -> None:
    try:
        with same_random_numbers(), undisturbed(model):
            right = _tensors(_cloned(model(*_cloned(other))))
    except Exception:  # it takes that size only, whatever it says
        return
    does = "gives something else"
    try:
        with same_random_numbers(), keeping():
            given = _tensors(_cloned(fused(*_cloned(other))))
    except Exception as error:  # whatever their forward ends in that asks for what is gone
        does, given = f"fails ({failure(error)})", []
    if len(right) != len(given) or not all(map(near, given, right)):
        raise FusionError(
            f"on images of another size the fused model {does}: the model chooses its way by the size; fuse "
            "its parts, each with an example of its own"
        )


def _is_image(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dim() == 4 and value.is_floating_point()


def _of_size(change: Callable[[int, int], tuple[int, int]], value: Tensor, *, more: int = 0) -> Tensor:
    """That many more images, of that size where it is not much larger; anything else as it is."""
    if not _is_image(value):
        return value
    batch, channels, height, width = value.shape
    height, width = change(height, width)
    if height * width > max(_MOST_PIXELS, 2 * value.shape[2] * value.shape[3]):
        return value
    generator = torch.Generator().manual_seed(6)
    shape = (batch + more, channels, height, width)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(value)


_CHANGES: tuple[Callable[[int, int], tuple[int, int]], ...] = (
    lambda height, width: (height + 1, width + 2),
    lambda height, width: (height, max(3 * width, _LONG_SIDE)),
    lambda height, width: (max(3 * height, _LONG_SIDE), width),
)
