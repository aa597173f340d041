"""Help: the keys of the place and all others, what colours and marks mean, the words of the field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.screens.dialogs.dialog import Dialog
from tui.widgets.help_line import HelpLine
from tui.widgets.word_row import WordRow

READING: tuple[HelpLine, ...] = (
    HelpLine(
        "blue, orange",
        "positive and negative weights; grey is zero, the deepest colour is the scale or beyond",
    ),
    HelpLine("underline, ▴ ▾", "a weight beyond the scale"),
    HelpLine("nan, ×, ∞", "a weight that is not a number, or infinite"),
    HelpLine("*", "a number that was set by hand; in the fused kernel, one that is not the sum"),
    HelpLine("0", "exactly zero; a small weight reads +0.00"),
    HelpLine("the number under “out 0”", "the bias of that output channel"),
)
WORDS: tuple[HelpLine, ...] = (
    HelpLine(
        "identity as a kernel",
        "A convolution that returns its input: in row i, the kernel of input channel i has a 1 at its centre "
        "and every other weight is 0 (a Dirac kernel). Steps (2) shows it with this block's numbers.",
    ),
    HelpLine(
        "1×1 as a k×k kernel",
        "A 1×1 convolution sees one pixel: as k×k it has its weight at the centre and zeros around.",
    ),
    HelpLine(
        "fused",
        "Convolution is linear: the sum of the branches' outputs is the output of the sum of their kernels. "
        "One convolution, once each batch norm is folded into its branch's weights and bias.",
    ),
    HelpLine(
        "unfused, as it is",
        "The block as it was trained: every branch is run by itself, and their outputs are added up.",
    ),
    HelpLine("tap", "One of the kH·kW places of a kernel: tap (1,1) of a 3×3 kernel is its centre."),
    HelpLine(
        "padding",
        "“same” as torch has it, or the numbers of the nn.Conv2d that comes out. The centre of a smaller "
        "branch stands on the fused kernel's, so it is padded by less, or cropped; +p1 gives it a padding of "
        "its own.",
    ),
    HelpLine(
        "MACs",
        "Multiply-accumulates of one run: outputs times the products that each of them sums, batch norms "
        "and additions not counted.",
    ),
    HelpLine(
        "ulp",
        "Unit in the last place: the distance to the next number that the dtype has. 2 ulps apart: one "
        "other number lies between them.",
    ),
    HelpLine(
        "budget, allowed",
        "How far rounding alone may take the two sides apart in that output element, from the sizes of its "
        "products and the dtype. Below 100 % it is rounding; what is above it is suspicious, or wrong where "
        "no order of adding explains it. In Steps: what the check may be off by.",
    ),
    HelpLine(
        "suspicious",
        "The algebra is right in float64, but not the run: coarser than its dtype explains (TF32, a "
        "convolution by a transform), overflowed, or of data that are NaN or infinite.",
    ),
    HelpLine(
        "how sure",
        "Of 11 520 right fusions, of data of twelve kinds, none was called wrong, and none suspicious for "
        "another reason. Of 4 282 wrong ones with an effect none passed. One weight off is found from 1e-14 "
        "of the largest output on in half of all blocks, and from 1e-11 in the worst that was seen.",
    ),
    HelpLine(
        "allclose",
        "torch.allclose(fused, unfused): |d| ≤ 1e-08 + 1e-05 |unfused| in every element. It knows neither "
        "dtype nor products, and so is not the verdict.",
    ),
    HelpLine(
        "as others say",
        "In Rounding, over all elements: the norm of fused - unfused by that of unfused; what half of all "
        "|d| and 99.9 % of them do not exceed; SQNR, that ratio in dB; the cosine between both. None knows "
        "the dtype.",
    ),
    HelpLine("rms", "Root of the mean of w²: the colours are deepest at 3 rms, or at the maximum."),
    HelpLine(
        "why not exactly 0",
        "Both sides add the same numbers in another order, and each addition rounds. In float64 the rounding "
        "almost vanishes; a mistake in the fusion would not. That is what the float64 figure is for. "
        "The last of the Steps (2) shows both sums where they differ most.",
    ),
    HelpLine(
        "by hand",
        "In Probe: each sum of products is computed exactly and rounded once to the dtype, and so is "
        "each step after it. torch rounds inside its sums too, in an order of its own.",
    ),
)


class Page(VerticalScroll):
    """What is read; it looks no different where the focus is, and neither do the lines in it."""

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Style itself alone: Textual styles all that is in it."""
        self.app.stylesheet.update_nodes([self])


class HelpScreen(Dialog[None]):
    """One page of text; any of escape, ? and q closes it."""

    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        & > Page {
            width: 110; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 0 2;
            border-title-color: $foreground; border-subtitle-color: $text-muted;
            scrollbar-size-vertical: 1;
        }
        & .heading { color: $text-muted; text-style: bold; margin: 1 0 0 0; }
        & .heading.-here { color: $text-accent; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", show=False),
        Binding("b", "topic('blocks')", "Blocks", show=False),
        Binding("v", "topic('verdict')", "Verdict", show=False),
        Binding("s", "topic('speed')", "Speed", show=False),
        Binding("f", "topic('families')", "Families", show=False),
    ]

    def __init__(self, keys: Mapping[str, Iterable[HelpLine]], here: str = "") -> None:
        """`keys`: lines by heading, in the order of the page; those of the heading `here` come first."""
        super().__init__()
        self._keys = {here: keys[here], **keys} if here else keys
        self._here = here

    def compose(self) -> ComposeResult:
        """The keys of the place first, then those of all others; reading, words."""
        with Page() as page:
            page.border_title = "Help"
            page.border_subtitle = "v the verdict   b blocks   s speed   f families   escape closes"
            sections = (*self._keys.items(), ("READING A GRID", READING), ("WORDS", WORDS))
            for heading, lines in sections:
                yield Static(heading, classes="heading -here" if heading == self._here else "heading")
                yield from (WordRow(line.keys, line.words) for line in lines)

    def action_topic(self, name: str) -> None:
        """Show a long text over this one."""
        from tui.screens.dialogs.topic import TopicScreen  # which loads a parser of Markdown

        self.app.push_screen(TopicScreen(name))
