"""write_program(module): a fused module as a file that torch runs without the module's code."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tui.atomic_file import write_whole
from tui.command_line.module_options import FusedAs
from tui.modules.run.loading import LoadingError
from tui.modules.run.running import failure


def write_program(module: nn.Module, x: Tensor, form: FusedAs, target: Path, *, replace: bool) -> None:
    """Write it, whole or not at all, once what is read back gives the same on x.

    It takes images of x's size; others only as far as torch's own tracing knows them.

    Raises:
        LoadingError: torch cannot; the message has its reason.
        OSError: the file cannot be written.
    """
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = _bytes_of(module, x, form)
            same = _same(_read(data, form)(x.clone()), module(x.clone()))
    except Exception as error:  # whatever torch and somebody's code raise
        raise LoadingError(f"--as {form}: torch cannot: {' '.join(failure(error).split())[:400]}") from error
    if not same:
        raise LoadingError(f"--as {form}: what torch makes of it gives something else, and is not written")
    write_whole(target, data, replace=replace)


def _bytes_of(module: nn.Module, x: Tensor, form: FusedAs) -> bytes:
    file = io.BytesIO()
    if form is FusedAs.EXPORTED_PROGRAM:
        torch.export.save(torch.export.export(module, (x,)), file)
    else:
        torch.jit.save(torch.jit.trace(module, (x,)), file)  # type: ignore[no-untyped-call]
    return file.getvalue()


def _read(data: bytes, form: FusedAs) -> Any:
    file = io.BytesIO(data)
    if form is FusedAs.EXPORTED_PROGRAM:
        return torch.export.load(file).module()
    return torch.jit.load(file)  # type: ignore[no-untyped-call]


def _same(one: Any, other: Any) -> bool:
    try:
        torch.testing.assert_close(one, other, equal_nan=True)
    except AssertionError:
        return False
    return True
