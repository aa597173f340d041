"""The report on what a checkpoint holds, as data for JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.conversion.output import size_of
from tui.checkpoints.found import FoundBlock, Recognition
from tui.checkpoints.inspection.eps_change import EpsChange, worst_change
from tui.checkpoints.reports import SCHEMA
from tui.checkpoints.reports.blocks import block_as_data, entry_as_data, skipped_as_data


def contents_as_data(source: Checkpoint, recognition: Recognition, eps: float | None) -> dict[str, Any]:
    """The blocks, what was skipped, every other tensor, and the totals.

    `eps`: of all batch norms, for the families'. Only the variances of batch norms are read.
    """
    size = size_of(source.entries.values())
    return {
        "schema": SCHEMA,
        "file": str(source.path),
        "format": source.format.value,
        "metadata": dict(source.metadata),
        "other_values": list(source.other_values),
        "blocks": [_block(source, found, eps) for found in recognition.blocks],
        "skipped": skipped_as_data(recognition.left_alone),
        "rest": [entry_as_data(source.entries[name]) for name in recognition.rest],
        "tensors": size.tensors,
        "params": size.params,
        "bytes": size.bytes,
    }


def eps_change_of(source: Checkpoint, found: FoundBlock) -> EpsChange | None:
    """How much the block's worst channel feels one usual eps for the other."""
    return worst_change(found.reads, source.tensor) if found.has_norm else None


def _block(source: Checkpoint, found: FoundBlock, eps: float | None) -> dict[str, Any]:
    used = None if not found.has_norm else found.eps if eps is None else eps
    change = eps_change_of(source, found)
    return {
        **block_as_data(found, used),
        "in_channels": found.in_channels,
        "out_channels": found.out_channels,
        "kernel_size": list(found.kernel_size),
        "groups": found.groups,
        "dtype": found.dtype,
        "eps": used,
        "eps_change": None if change is None else asdict(change),
        "reads": list(found.reads),
        "fused": [entry.name for entry in found.fused],
    }
