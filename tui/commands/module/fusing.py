"""fuse(asked): fuse every block of a module, and write what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Group, RenderableType
from torch import nn

from tui.checkpoints.contents import Entry, Format
from tui.checkpoints.errors import CheckpointError, ExistsError, named
from tui.checkpoints.held_tensors import HeldTensors
from tui.checkpoints.plan import Made
from tui.checkpoints.reports.blocks import finite
from tui.checkpoints.writing import check_target, format_for, write_checkpoint
from tui.command_line.module_options import FusedAs, FuseModuleRequest
from tui.commands.in_thread import ctrl_c_as_exception
from tui.commands.module.inspecting import SCHEMA, WHOLE, left_alone_as_data
from tui.commands.module.loading import loaded, users_code
from tui.commands.module.programs import Axis, write_program
from tui.commands.plain_console import plain_console
from tui.commands.tables import WIDTH, plain, row, ruled, table
from tui.modules.fusing import example_of
from tui.modules.run.loading import LoadingError
from tui.modules.whole.model import fuse_model
from tui.modules.whole.report import ModelReport

FUSED = 0
WRONG = 1


def fuse(asked: FuseModuleRequest) -> int:
    """Fuse, verify, write, and print the report; returns the exit status.

    FUSED where every block that was found is, and all is written; WRONG where one is not right.

    Raises:
        Refusal: the module cannot be had or has no block, or the output cannot be written.
        OSError: the report could not be written.
    """
    try:
        check_target(HeldTensors(), asked.target, replace=asked.force)
    except ExistsError:
        raise CheckpointError(f"{named(asked.target)} is there already; --force replaces it") from None
    format = format_for(asked.target) if asked.form is FusedAs.STATE_DICT else Format.TORCH
    module, example = loaded(asked.source)
    with users_code():
        x = example_of(module) if example is None else example
        fused, report = fuse_model(module, x)
    if not report.fused:
        why = f": {report.left_alone[0].sentence}" if report.left_alone else ""
        raise LoadingError(f"{asked.source.target}: nothing in it can be fused{why}")
    right = all(block.verdict.agrees for block in report.fused)
    free: tuple[Axis, ...] | None = None
    if right:
        if asked.form is FusedAs.STATE_DICT:
            with ctrl_c_as_exception():
                _write(fused, asked.target, format, replace=asked.force)
        else:
            with users_code():
                free = write_program(fused, x, asked.form, asked.target, replace=asked.force)
    output = asked.target if right else None
    if asked.as_json:
        print(json.dumps(_as_data(report, output, asked.form, free), allow_nan=False))
    else:
        plain_console(WIDTH).print(Group(*_parts(report, output)))
        if free is not None:
            plain_console(WIDTH).print(plain(_tried(free, tuple(x.shape))))
    return FUSED if right else WRONG


def _write(module: nn.Module, target: Path, format: Format, *, replace: bool) -> None:
    """Write its state_dict, whole or not at all."""
    plan = []
    for name, tensor in module.state_dict().items():
        entry = Entry(name, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        plan.append(Made(entry, partial(torch.Tensor.contiguous, tensor)))
    metadata = {"format": "pt"}
    write_checkpoint(HeldTensors(), plan, target, format=format, replace=replace, metadata=metadata)


def _parts(report: ModelReport, output: Path | None) -> Iterator[RenderableType]:
    made = table("block", "channels, kernel", "branches and their layers", "stands for", "verdict")
    for block in report.fused:
        title = block.title or WHOLE
        verdict = ruled(block.verdict.ruling)
        row(made, title, block.shape, block.branches, block.replaced, verdict)
    yield made
    if report.left_alone:
        yield ""
        skipped = table("left alone", "why", "at")
        for each in report.left_alone:
            row(skipped, each.path or WHOLE, each.reason, each.place or "-")
        yield skipped
    yield ""
    yield plain(report.difference)
    right = sum(block.verdict.agrees for block in report.fused)
    where = "nothing was written" if output is None else f"written to {output}"
    words = f"{right} of {len(report.fused)} blocks fused and verified, {len(report.left_alone)} left alone"
    yield plain(f"{words}; {where}")


def _tried(free: tuple[Axis, ...], shape: tuple[int, ...]) -> str:
    """With what images the program was seen to work, in words."""
    if len(shape) != 4:
        return f"known to work only with {'x'.join(map(str, shape))}, as in the example"
    fixed = [
        f"{axis} {shape[place]}" for axis, place in zip(Axis, (0, 2, 3), strict=True) if axis not in free
    ]
    told = [f"tried with another {', '.join(free)}"] if free else []
    told += [f"known to work only with {', '.join(fixed)}, as in the example"] if fixed else []
    return "; ".join(told)


def _as_data(
    report: ModelReport, output: Path | None, form: FusedAs, free: tuple[Axis, ...] | None
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "output": None if output is None else str(output),
        "form": form.value,
        "tried_with_another": None if free is None else [axis.value for axis in free],
        "blocks": [
            {
                "path": block.title,
                "fused": block.shape,
                "branches": block.branches,
                "stands_for": block.replaced,
                "ruling": block.verdict.ruling.value,
                "agrees": block.verdict.agrees,
            }
            for block in report.fused
        ],
        "left_alone": left_alone_as_data(report.left_alone),
        "max_abs_diff": finite(report.apart),
        "max_abs": finite(report.largest),
    }
