"""What can be done on the bench, by name, for the command palette."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from tui.screens.bench.study_views import VIEWS
from tui.screens.bench.taking_away import export_commands

if TYPE_CHECKING:
    from tui.screens.bench.screen import BenchScreen


def bench_commands(bench: BenchScreen) -> Iterator[SystemCommand]:
    """Every action of the bench, and of the view in sight."""
    for place, kind in enumerate(VIEWS):
        yield SystemCommand(f"View {kind.TITLE}", kind.__doc__ or "", partial(bench.action_view, place))
    yield SystemCommand("Run", "Run the block of the form now", bench.action_run)
    yield SystemCommand("Form", "Go to the form", bench.action_form)
    yield SystemCommand("Steps", "How the branch in focus becomes a kernel", bench.action_steps)
    yield SystemCommand("Add a branch", "Another summand of the block", bench.action_add_branch)
    yield SystemCommand("Undo", "The block before the last change", bench.action_undo)
    yield SystemCommand("Redo", "Forth again", bench.action_redo)
    yield SystemCommand("Edit", "Another value for the number under the cursor", bench.action_edit)
    yield SystemCommand("Edit the bias", "Of the output channel under the cursor", bench.action_edit_bias)
    yield SystemCommand("Reset the number", "The block's own value again", bench.action_reset)
    yield SystemCommand("Reset all edits", "Drop all that was changed by hand", bench.action_reset_all)
    yield SystemCommand("Kernel by name", "Sobel, Gaussian, Dirac ...", bench.action_named_kernel)
    yield SystemCommand("Fit", "Zoom to the whole", bench.action_fit)
    yield SystemCommand("Zoom in", "Nearer: digits in the cells", partial(bench.action_zoom, -1))
    yield SystemCommand("Zoom out", "Farther: colours, half blocks, norms", partial(bench.action_zoom, 1))
    yield SystemCommand("One grid", "All the room for one grid, or for all again", bench.action_one_grid)
    yield SystemCommand("Colour scale", "3 rms or maximum, shared or per panel", bench.action_colour_scale)
    yield from export_commands(bench.action_export)
