"""write_program(module): a fused module as a file that torch runs without the module's code."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tui.atomic_file import write_whole
from tui.command_line.module_options import FusedAs
from tui.commands.in_thread import ctrl_c_as_exception
from tui.modules.run.loading import LoadingError
from tui.modules.run.running import failure


class Axis(StrEnum):
    """What of an image may be another than the example's, in the order of its dimensions."""

    BATCH = "batch"
    HEIGHT = "height"
    WIDTH = "width"


_DIMENSIONS = {Axis.BATCH: 0, Axis.HEIGHT: 2, Axis.WIDTH: 3}


def write_program(
    module: nn.Module, x: Tensor, form: FusedAs, target: Path, *, replace: bool
) -> tuple[Axis, ...]:
    """Write it, whole or not at all, once what is read back gives the same on x.

    Batch, height and width are left open where torch can. Returns those of them in which it was tried with
    another size than x's, and gave what the module gives.

    Raises:
        LoadingError: torch cannot; the message has its reason.
        OSError: the file cannot be written.
    """
    reason = "what torch makes of it gives something else, and is not written"
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for example, open_axes in _attempts(x, form):
            try:
                data = _bytes_of(module, example, form, open_axes)
                program = _read(data, form)
                same = _gives_the_same(program, module, x)
            except Exception as error:  # whatever torch and somebody's code raise
                reason = f"torch cannot: {' '.join(failure(error).split())[:400]}"
                continue
            if same:
                free = tuple(axis for axis in Axis if _is_free(program, module, x, axis))
                with ctrl_c_as_exception():
                    write_whole(target, data, replace=replace)
                return free
    raise LoadingError(f"--as {form}: {reason}")


def _attempts(x: Tensor, form: FusedAs) -> Iterator[tuple[Tensor, tuple[Axis, ...]]]:
    """Images to export with, and what to leave open; what is 1 in an example torch takes to be 1 always."""
    if form is FusedAs.EXPORTED_PROGRAM and x.dim() == 4:
        yield (x if len(x) > 1 else torch.cat([x, x])), tuple(Axis)
        yield x, (Axis.HEIGHT, Axis.WIDTH)
    yield x, ()


def _bytes_of(module: nn.Module, x: Tensor, form: FusedAs, open_axes: tuple[Axis, ...]) -> bytes:
    file = io.BytesIO()
    if form is FusedAs.EXPORTED_PROGRAM:
        # AUTO leaves a dimension open unless the module fixes it; without, one that is fixed is an error.
        dims = {_DIMENSIONS[axis]: torch.export.Dim.AUTO for axis in open_axes}
        torch.export.save(torch.export.export(module, (x,), dynamic_shapes=(dims,) if dims else None), file)
    else:
        torch.jit.save(torch.jit.trace(module, (x,)), file)  # type: ignore[no-untyped-call]
    return file.getvalue()


def _read(data: bytes, form: FusedAs) -> Any:
    file = io.BytesIO(data)
    if form is FusedAs.EXPORTED_PROGRAM:
        return torch.export.load(file).module()
    return torch.jit.load(file)  # type: ignore[no-untyped-call]


def _is_free(program: Any, module: nn.Module, x: Tensor, axis: Axis) -> bool:
    """Whether both give the same of other sizes: of one and of three images, of one twice as high or wide."""
    dimension = _DIMENSIONS[axis]
    if x.dim() != 4:
        return False
    counts = {1, 3} if axis is Axis.BATCH else {2 * x.shape[dimension]}
    try:
        return all(_gives_the_same(program, module, _of_size(x, dimension, count)) for count in counts)
    except Exception:  # one of them takes the example's size only, whatever it says
        return False


def _of_size(x: Tensor, dimension: int, count: int) -> Tensor:
    """As many of it, side by side, where it is not one already."""
    times = -(-count // x.shape[dimension])
    return torch.cat([x] * times, dim=dimension).narrow(dimension, 0, count)


def _gives_the_same(program: Any, module: nn.Module, x: Tensor) -> bool:
    try:
        torch.testing.assert_close(program(x.clone()), module(x.clone()), equal_nan=True)
    except AssertionError:
        return False
    return True
