"""The keys of the bench, and what the help says of them."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui.screens.bench.views import VIEWS
from tui.screens.help_everywhere import HELP_EVERYWHERE
from tui.widgets.help_line import HelpLine

FORM_LINES: tuple[HelpLine, ...] = (
    HelpLine(
        "f, escape",
        "to the form and back; tab or up and down walk through its fields",
        ("bench.form", "bench.grids", "form.next", "form.previous"),
    ),
    HelpLine(
        "a",
        "add a branch; in their list e edits one, d removes it, shift+up and shift+down move it",
        (
            *("bench.add-branch", "branches.add", "branches.edit", "branches.remove"),
            *("branches.up", "branches.down"),
        ),
    ),
)
"""What the help says of the form."""
HELP_LINES: tuple[HelpLine, ...] = (
    HelpLine(
        "p, r, S",
        "presets: published blocks to start from; run now, also when it is costly; stop the run",
        ("app.presets", "bench.run", "bench.stop"),
    ),
    HelpLine(
        "u, U",
        "undo a change, redo it: of the block, of a number, of a mistake",
        ("bench.undo", "bench.redo"),
    ),
    HelpLine(
        "x",
        "take it away: a PyTorch snippet, a grid, the study or the screen, to the clipboard or a file",
        ("bench.export",),
    ),
    HelpLine(
        "i",
        "import: a saved study, or a kernel for the grid in focus (.npy, .npz, CSV or numbers pasted)",
        ("bench.import",),
    ),
    HelpLine(
        "A",
        "keep this block as A: what comes next is compared with it; A again lets it go",
        ("bench.keep-a",),
    ),
    HelpLine(
        "g",
        "to the probe of the element that the result names (a click on it does too); again: of the other",
        ("bench.probe",),
    ),
    HelpLine(
        "z, + -, m",
        "fit the whole grid, zoom in and out; one grid on the whole screen, and back",
        (
            *("bench.fit", "bench.one-grid", "kernels.zoom-in", "kernels.zoom-out"),
            *("steps.zoom-in", "steps.zoom-out", "outputs.zoom-in", "outputs.zoom-out"),
        ),
    ),
    HelpLine(
        "c",
        "another scale of colours; in Outputs the difference as a share of the rounding budget",
        ("bench.scale",),
    ),
    HelpLine(
        "v",
        "vary a parameter of the block, or two: what fusing buys, as a plot, a heat map or a table",
        ("bench.sweep",),
    ),
    HelpLine("escape", "of a block from a file or a module: back to its place there", ("bench.back",)),
    *HELP_EVERYWHERE,
)

"""What works outside of the form."""

BINDINGS: list[BindingType] = [
    *(
        Binding(
            str(number),
            f"view({number - 1})",
            f"View {view.title}",
            show=False,
            id=f"bench.view-{number}",
            tooltip=view.summary,
        )
        for number, view in enumerate(VIEWS, start=1)
    ),
    Binding("r", "run", "Run", id="bench.run", tooltip="Run now, also when it takes long"),
    Binding("S", "stop", "Stop", show=False, id="bench.stop", tooltip="Stop the run"),
    Binding("f", "form", "Form", id="bench.form", tooltip="Go to the form"),
    Binding("escape", "leave_form", "Grids", show=False, id="bench.grids", tooltip="Back to the grids"),
    Binding(
        "escape",
        "back",
        "Back to the checkpoint",
        show=False,
        id="bench.back",
        tooltip="To the block's place in the file that it comes from",
    ),
    Binding("z", "fit", "Fit", show=False, id="bench.fit", tooltip="Zoom to the whole kernel"),
    Binding("c", "colour_scale", "Scale", id="bench.scale", tooltip="Another scale of colours"),
    Binding("x", "export", "Export", id="bench.export", tooltip="Take it away: clipboard or file"),
    Binding(
        "i",
        "bring_back",
        "Import",
        show=False,
        id="bench.import",
        tooltip="Open a saved study, or put a kernel into the grid in focus",
    ),
    Binding(
        "A",
        "keep_a",
        "Keep as A",
        show=False,
        id="bench.keep-a",
        tooltip="Compare the next blocks with this one; again lets it go",
    ),
    Binding("m", "one_grid", "One grid", show=False, id="bench.one-grid", tooltip="One grid, large"),
    Binding("s", "steps", "Steps", show=False, id="bench.steps", tooltip="From branch to kernel"),
    Binding(
        "a",
        "add_branch",
        "Add a branch",
        show=False,
        id="bench.add-branch",
        tooltip="Another summand of the block",
    ),
    Binding("u", "undo", "Undo", show=False, id="bench.undo", tooltip="The block before the last change"),
    Binding("U,ctrl+y", "redo", "Redo", show=False, id="bench.redo", tooltip="The change that was undone"),
    Binding(
        "enter",
        "edit",
        "Edit",
        show=False,
        id="bench.edit",
        tooltip="Another value for the number under the cursor",
    ),
    Binding(
        "B",
        "edit_bias",
        "Edit the bias",
        show=False,
        id="bench.edit-bias",
        tooltip="Of the output channel under the cursor",
    ),
    Binding(
        "delete,backspace",
        "reset",
        "Reset the number",
        show=False,
        id="bench.reset",
        tooltip="The block's own value again",
    ),
    Binding(
        "n",
        "named_kernel",
        "Kernel by name",
        show=False,
        id="bench.named-kernel",
        tooltip="Sobel, Gaussian, Dirac ...",
    ),
    Binding(
        "g",
        "probe_worst",
        "Probe of the result",
        show=False,
        id="bench.probe",
        tooltip="To the probe of the element that the result names; again for the other one",
    ),
    Binding(
        "v",
        "sweep",
        "Sweep",
        show=False,
        id="bench.sweep",
        tooltip="Vary a parameter of this block, or two: how speed and rounding change",
    ),
    Binding("b", "bias", "Biases", show=False, id="bench.bias", tooltip="Add up weights or biases"),
]
