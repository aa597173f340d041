"""The weight ranges of all blocks, for people who will quantise: the worst first, channel by channel."""

from __future__ import annotations

from functools import partial
from math import isfinite, log2
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.content import Content

from tui.analysis.quantities import two_digits
from tui.fusion.quoting import printable
from tui.views.checkpoint.items_view import Item, ItemsView
from tui.views.checkpoint.outline_rows import WHOLE, block_words
from tui.views.shared.progress_line import progress_line
from tui.views.shared.styles import MUTED
from tui.widgets.bar import bar
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.rows.row import Row, Tone, cut

if TYPE_CHECKING:
    from tui.analysis.ranges import ChannelRange, KernelRange
    from tui.checkpoints.inspection.block_ranges import BlockRanges

BAR, SHORT_BAR = 14, 7
"""Columns of a bar in the list, and in the pane."""
MOST_CHANNELS = 200
"""Channels that the pane lists."""
BITS = 8
"""Of the quantisation that the words are about."""
OUTLIER_SIGN = "!"
COLUMNS = f"  {'out':<{5 + SHORT_BAR}}{'least':>8} … {'largest':<7} {'dev.':>6}"
"""Over the channels."""


class RangesView(ItemsView):
    """Lists blocks by how much wider their widest output channel is than the median one."""

    TITLE: ClassVar[str] = "ranges"
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "w",
            "weight ranges by output channel, for quantising: the widest channels first, outliers marked !",
            ("checkpoint.ranges",),
        ),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("open the block", ("rows.choose",)),
        FootKey("to the channels", ("tab",)),
        FootKey("to the tree", ("tree.back",)),
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._blocks: list[BlockRanges] = []
        self.is_done = False
        self.eps_of: dict[str, float] = {}

    def begin(self) -> None:
        """Nothing of an older run is shown any more."""
        self._blocks, self.is_done = [], False
        self.show_items(())
        self.tell("reading the blocks", 0, "")

    def tell(self, words: str, share: float, place: str) -> None:
        """Say how far it is."""
        line = progress_line(words, share)
        self.say(Content("\n").join([line, Content.styled(printable(place), MUTED)]))

    def add(self, ranges: BlockRanges) -> None:
        """One more block is read: it takes its place in the order."""
        here = self.item.block if self.item else None
        self._blocks.append(ranges)
        self._blocks.sort(key=lambda each: -_finite(each.fused.ratio))
        places = [place for place, each in enumerate(self._blocks) if each.found is here]
        at_top = self.rows.cursor == 0
        widest = _finite(self._blocks[0].fused.ratio)
        items = [_item(each, widest) for each in self._blocks]
        self.show_items(items, cursor=0 if at_top or not places else places[0])

    def end(self) -> None:
        """All blocks are read."""
        self.is_done = True
        if not self._blocks:
            self.say(Content("There is no block whose weights could be looked at."))
            return
        number = sum(bool(each.fused.outliers) for each in self._blocks)
        words = f"{number} of {len(self._blocks)} fused kernels have outlier channels"
        why = "widest ÷ median channel: one scale for all leaves the median fewer bits"
        style = "bold $text-warning" if number else "bold $text-success"
        self.say(Content("\n").join([Content.styled(words, style), Content.styled(why, MUTED)]))


def _finite(ratio: float) -> float:
    """What sorts the worst to the top, what is not finite before all."""
    return ratio if isfinite(ratio) else float("inf")


def _item(ranges: BlockRanges, widest: float) -> Item:
    fused = ranges.fused
    share = fused.ratio / widest if isfinite(widest) and widest else 1.0
    number = len(fused.outliers)
    words = f"{bar(share, BAR)} {_times(fused.ratio):>8}"
    right = f"{number} outlier{'s' if number != 1 else ''}" if number else ""
    row = Row(
        printable(ranges.found.prefix) or WHOLE,
        words,
        right,
        sign=OUTLIER_SIGN if number else " ",
        sign_tone=Tone.WARNING,
        middle_tone=Tone.PLAIN,
        right_tone=Tone.WARNING,
    )
    return Item(row, partial(_detail, ranges), ranges.found)


def _times(ratio: float) -> str:
    if not isfinite(ratio):
        return "∞ ×"
    return f"{ratio:.1f} ×" if ratio < 1000 else f"{two_digits(ratio)} ×"


def _detail(ranges: BlockRanges, narrow: bool) -> Content:
    gap = "  " if narrow else "\n"
    head = Content.assemble((printable(ranges.found.prefix) or WHOLE, "bold"), gap, block_words(ranges.found))
    kernels = (*ranges.branches, ranges.fused)
    width = max(cell_len(printable(kernel.name)) for kernel in kernels)
    lines = [head, _heading("KERNEL, WIDEST ÷ MEDIAN")]
    lines += [_kernel_line(kernel, width) for kernel in kernels]
    lines += [_heading("FUSED, BY OUTPUT CHANNEL"), Content.styled(COLUMNS, MUTED)]
    lines += _channel_lines(ranges.fused)
    return Content("\n").join(lines)


def _heading(text: str) -> Content:
    return Content.styled(f"\n{text}", f"bold {MUTED}")


def _kernel_line(kernel: KernelRange, width: int) -> Content:
    bits = BITS - log2(kernel.ratio) if isfinite(kernel.ratio) else 0.0
    style = "$text-warning" if kernel.outliers else ""
    name = cut(printable(kernel.name), width)
    return Content.assemble(
        (f"{name:<{width}} ", MUTED),
        (f"{_times(kernel.ratio):>8}", style),
        (f"  {max(bits, 0):.1f} of {BITS} bits", MUTED),
    )


def _channel_lines(kernel: KernelRange) -> list[Content]:
    shown = kernel.worst_first[:MOST_CHANNELS]
    lines = [_channel_line(kernel, channel) for channel in shown]
    more = len(kernel.channels) - len(shown)
    return [*lines, Content.styled(f"and {more} more", MUTED)] if more else lines


def _channel_line(kernel: KernelRange, channel: ChannelRange) -> Content:
    """ "! 12   ━━━━━━━━    -4.2 … 3.1        0.8"."""
    is_outlier = kernel.is_outlier(channel)
    share = channel.extent / kernel.extent if kernel.extent and isfinite(kernel.extent) else 1.0
    return Content.assemble(
        (f"{OUTLIER_SIGN if is_outlier else ' '} ", "bold $text-warning"),
        (f"{channel.channel:<5}", "bold" if is_outlier else ""),
        (bar(share, SHORT_BAR), "$text-warning" if is_outlier else "$primary"),
        f"{channel.least:>8.3g} … {channel.largest:<7.3g}",
        (f" {channel.deviation:>6.3g}", MUTED),
    )
