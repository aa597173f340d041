"""The report on a fused checkpoint, as data for JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from tui.checkpoints.conversion.fused import FusedBlock, FusedCheckpoint
from tui.checkpoints.reports import SCHEMA
from tui.checkpoints.reports.blocks import block_as_data, finite, skipped_as_data


def fused_as_data(fused: FusedCheckpoint, output: Path | None) -> dict[str, Any]:
    """The blocks with their verdicts, what was skipped, and how much there was before and after.

    `output`: where it was written; None where it was not. Numbers that are not finite are None.
    """
    return {
        "schema": SCHEMA,
        "blocks": list(map(_block, fused.blocks)),
        "skipped": skipped_as_data(fused.left_alone),
        "tensors_in": fused.before.tensors,
        "tensors_out": fused.after.tensors,
        "params": {"before": fused.before.params, "after": fused.after.params},
        "bytes": {"before": fused.before.bytes, "after": fused.after.bytes},
        "beside": [asdict(each) for each in fused.beside],
        "output": None if output is None else str(output),
    }


def _block(block: FusedBlock) -> dict[str, Any]:
    return {
        **block_as_data(block.found, block.eps),
        "verdict": block.ruling.value,
        "reason": block.sentence,
        "problems": [problem.words for problem in block.problems],
        "max_abs_diff_float64": finite(block.max_abs_diff_float64),
        "weight_share": finite(block.weight_share),
        "written_over": list(block.found.placeholders) if block.fused else [],
    }
