"""Help: the keys, what the colours and marks mean, and the words of the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.widgets.word_row import WordRow

KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "VIEWS": (
        ("1 Kernels", "what kernel each branch is, and how they add up; any number can be edited"),
        ("2 Steps", "why the identity is a k×k kernel, how a batch norm is folded: each step, checked"),
        ("3 Outputs", "what goes in, what comes out, and where the two sides differ"),
        ("4 Probe", "one output element by hand: product by product, bit by bit"),
        ("5 Rounding", "why the difference is not 0, and what the four dtypes make of it"),
        ("6 Mistakes", "what a wrong fusion looks like, and which mistake a wrong one looks like"),
    ),
    "KEYS": (
        ("arrows, h j k l", "move the cursor, in all grids at once; page up and down by an output channel"),
        ("tab", "from grid to grid; mouse: hover reads a number, a click puts the cursor there"),
        ("f, escape", "to the form and back; tab or up and down walk through its fields"),
        ("a", "add a branch; in their list e edits one, d removes it, shift+up and shift+down move it"),
        ("p, r", "presets: published blocks to start from; run now, also when it is costly"),
        ("u, U", "undo a change, redo it: of the block, of a number, of a mistake"),
        ("x", "take it away: a PyTorch snippet, a grid, the study or the screen, to the clipboard or a file"),
        ("z, + -, m", "fit the whole grid, zoom in and out; one grid on the whole screen, and back"),
        ("c", "another scale of colours; in Outputs the difference as a share of the rounding budget"),
        ("t, ctrl+p, q", "dark or light, remembered; everything by name; quit"),
        ("ctrl+z", "back to the shell for a while, until its fg"),
    ),
    "IN KERNELS": (
        ("enter, B", "another number for the weight under the cursor, for the bias of its output channel"),
        ("delete", "the block's own number again"),
        ("n", "a kernel by name: Sobel, Gaussian, Laplacian, Dirac"),
        ("s", "the steps by which the branch in focus becomes a kernel"),
        ("b", "add up the biases instead of the weights, where there is room for one line only"),
    ),
    "IN STEPS": (("n, N", "the next step and the one before; tab goes from the list to the kernel"),),
    "IN OUTPUTS AND PROBE": (
        ("w", "to the worst element; once more: to the one that uses most of its budget"),
        ("[ ]", "another output channel"),
        (", . < >", "another input channel, another input of the batch"),
        ("space, shift+arrows", "in Outputs: one tap of the kernel and all that it reads; another tap"),
        (
            "tab",
            "in Outputs: on the input, the outputs that read an element are lit; on an output, what it reads",
        ),
        ("enter", "in Outputs: another number for the element of the input under the cursor"),
        ("tab", "in Probe: write out the next branch; shift+up and shift+down scroll a large one"),
        ("0", "in Probe: every sum bit by bit, as hex floats, and as decimals again"),
    ),
    "IN ROUNDING AND MISTAKES": (
        ("up, down", "in Rounding: take the difference in another dtype apart"),
        ("enter", "in Mistakes: fuse with the one that is highlighted; undo or the first line takes it back"),
        ("← →", "in Mistakes: the error map of another output channel"),
    ),
}
READING = (
    (
        "blue, orange",
        "positive and negative weights; grey is zero, the deepest colour is the scale or beyond",
    ),
    ("underline, ▴ ▾", "a weight beyond the scale"),
    ("nan, ×, ∞", "a weight that is no number, or infinite"),
    ("0", "exactly zero; a small weight reads +0.00"),
    ("the number under “out 0”", "the bias of that output channel"),
)
WORDS = (
    (
        "identity as a kernel",
        "A convolution that returns its input: in row i, the kernel of input channel i has a 1 at its centre "
        "and every other weight is 0 (a Dirac kernel). Steps (2) shows it with this block's numbers.",
    ),
    (
        "1×1 as a k×k kernel",
        "A 1×1 convolution sees one pixel: as k×k it has its weight at the centre and zeros around.",
    ),
    (
        "fused",
        "Convolution is linear: the sum of the branches' outputs is the output of the sum of their kernels. "
        "One convolution, once each batch norm is folded into its branch's weights and bias.",
    ),
    (
        "why not exactly 0",
        "Both sides add the same numbers in another order, and each addition rounds. In float64 the rounding "
        "almost vanishes; a mistake in the fusion would not. That is what the float64 figure is for. "
        "The last of the Steps (2) shows both sums where they differ most.",
    ),
    (
        "by hand",
        "In Probe: each sum of products is computed exactly and rounded once to the dtype, and so is "
        "each step behind it. torch rounds inside its sums too, in an order of its own.",
    ),
)


class HelpScreen(ModalScreen[None]):
    """One page of text; any of escape, ? and q closes it."""

    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        & > VerticalScroll {
            width: 110; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 0 2;
            border-title-color: $foreground; border-subtitle-color: $text-muted;
            scrollbar-size-vertical: 1;
        }
        & .heading { color: $text-muted; text-style: bold; margin: 1 0 0 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Keys, reading, words."""
        with VerticalScroll() as page:
            page.border_title = "Help"
            page.border_subtitle = "escape closes"
            for heading, rows in (*KEYS.items(), ("READING A GRID", READING), ("WORDS", WORDS)):
                yield Static(heading, classes="heading")
                yield from (WordRow(left, right) for left, right in rows)
