"""Help: the keys, what the colours and marks mean, and the words of the field."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.widgets.word_row import WordRow

KEYS = (
    ("arrows, h j k l", "move the cursor, in all grids at once; page up and down by an output channel"),
    ("mouse", "hover reads a weight, a click puts the cursor there"),
    ("f, escape", "to the form and back; tab or up and down walk through its fields"),
    ("a", "add a branch; in the list of branches e edits one, d removes it, shift+up and shift+down move it"),
    ("tab, s", "from grid to grid; to the steps by which the branch in focus becomes a kernel"),
    ("n, N", "in Steps (2): the next step and the one before; tab goes from the list to the kernel"),
    ("u, U", "undo a change of the block, redo it"),
    ("p", "presets: published blocks to start from"),
    ("r", "run now; a costly run waits for this key"),
    ("z, + -", "the whole kernel (fit), or zoom in and out"),
    ("c", "colour scale: 3 rms or the maximum, shared by all grids or per panel"),
    ("b", "add up the biases instead of the weights, where there is room for one line only"),
    ("m", "one grid on the whole screen, and back"),
    (
        "Outputs: [ ], , .",
        "another output channel, another input channel; < > another input of the batch, w the worst element",
    ),
    ("Outputs: c", "the difference, or its share of the rounding budget"),
    ("Outputs: tab", "in the input, the outputs that read an element are lit; in an output, what it reads"),
    (
        "Outputs: space",
        "one tap of the kernel and all that it reads, or all taps; shift+arrows: another tap",
    ),
    ("up, down in Rounding", "take the difference in another dtype apart"),
    (
        "enter, ← →",
        "in Mistakes: fuse with the one that is highlighted; the error map of another output channel",
    ),
    ("x", "take it away: a PyTorch snippet, the grid, the study or the screen, to the clipboard or a file"),
    (
        "Probe: arrows, w, [ ]",
        "another output element, the worst one, another output channel; page up and down: of the batch",
    ),
    ("Probe: tab, , .", "write out the next branch, the products of another input channel"),
    ("Probe: 0", "every sum bit by bit, as hex floats, and as decimals again"),
    ("t", "dark or light; remembered"),
    ("ctrl+p", "the command palette: everything by name"),
    ("q", "quit"),
)
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
            for heading, rows in (("KEYS", KEYS), ("READING A GRID", READING), ("WORDS", WORDS)):
                yield Static(heading, classes="heading")
                yield from (WordRow(left, right) for left, right in rows)
