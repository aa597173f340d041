"""What became of fusing all blocks: how far it is, then a verdict for each, the worst first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tui.analysis.quantities import short_count, two_digits
from tui.checkpoints.found import LeftAlone
from tui.fusion.grammar.number_text import show_number
from tui.fusion.quoting import printable
from tui.views.checkpoint.items_view import Item, ItemsView
from tui.views.checkpoint.outline_rows import WHOLE, block_words, size_in_words
from tui.views.shared.progress_line import progress_line
from tui.views.shared.styles import MUTED, RULING_STYLES
from tui.views.shared.tree_lines import SKIPPED
from tui.views.shared.verdict_words import SIGNS, TONES, plain, share_in_words, verdict_line, worst_first
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.rows.row import Row, Tone

if TYPE_CHECKING:
    from tui.checkpoints.conversion.fused import FusedBlock, FusedCheckpoint


class FusedView(ItemsView):
    """Shows the progress of fusing, and its outcome."""

    TITLE: ClassVar[str] = "fused"
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine("S", "stop fusing; nothing is written then", ("fused.stop",)),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("open the block", ("rows.choose",)),
        FootKey("stop", ("fused.stop",)),
        FootKey("to the tree", ("tree.back",)),
        FootKey("report", ("tree.report",)),
        FootKey("fuse again", ("checkpoint.fuse",)),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("S", "stop", "Stop fusing", show=False, id="fused.stop", tooltip="Nothing is written then"),
    ]

    class StopWanted(Message):
        """The user does not want to wait for it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.is_fusing = False
        self._blocks: list[FusedBlock] = []
        self.fused: FusedCheckpoint | None = None
        self.written: Path | None = None
        self.eps_of: dict[str, float] = {}
        self._outcome = Content()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what runs can be stopped."""
        return self.is_fusing if action == "stop" else super().check_action(action, parameters)

    def action_stop(self) -> None:
        """Stop it."""
        self.post_message(self.StopWanted())

    def begin(self, eps_of: dict[str, float]) -> None:
        """Nothing of an older run is shown any more; `eps_of`: what was chosen, by the blocks' prefixes."""
        self.eps_of = eps_of
        self._blocks, self.fused, self.written, self.is_fusing = [], None, None, True
        self.show_items(())
        self.refresh_bindings()

    def end(self, words: Content) -> None:
        """It has come to an end; this is the outcome."""
        self.is_fusing = False
        self._outcome = words
        self.say(words)
        self.refresh_bindings()

    def hold_against(self, eps_of: dict[str, float]) -> None:
        """Where it was fused with another eps than is chosen by now, say so over the list."""
        if self.is_fusing or self.fused is None:
            return
        is_old = self.eps_of != eps_of
        self.say(
            Content.assemble((_old(self.fused), "bold $text-warning"), "\n", self._outcome)
            if is_old
            else self._outcome
        )

    def tell(self, words: str, share: float, place: str = "", seconds_left: float | None = None) -> None:
        """Say how far it is."""
        line = progress_line(words, share, seconds_left)
        self.say(Content("\n").join([line, Content.styled(printable(place), MUTED)]))

    def add(self, block: FusedBlock) -> None:
        """One more is done."""
        self._blocks.append(block)
        self.show_items([item_of(each) for each in self._blocks], cursor=len(self._blocks) - 1)

    def show_fused(self, fused: FusedCheckpoint) -> None:
        """All is done: the worst first, and at the end what was left alone."""
        self.fused = replace(fused, plan=())  # a file of torch's has all its tensors, which may be gigabytes
        blocks = sorted(fused.blocks, key=lambda each: worst_first(each.ruling, each.weight_share))
        self.show_items([*map(item_of, blocks), *map(_skipped, fused.left_alone)])


def _old(fused: FusedCheckpoint) -> str:
    used = {show_number(block.eps) for block in fused.blocks if block.eps is not None}
    return f"Of before: eps {used.pop() if len(used) == 1 else 'was another'}. F fuses again."


def item_of(block: FusedBlock) -> Item:
    """A block with its verdict."""
    found = block.found
    if block.agrees and block.weight_share is not None:
        why = f"{share_in_words(block.weight_share)} of one rounding"
    else:
        why = plain(block.sentence)
    words = f"{block.ruling:10}  {why}"
    row = Row(
        printable(found.prefix) or WHOLE,
        words,
        found.family,
        sign=SIGNS[block.ruling],
        sign_tone=TONES[block.ruling],
        middle_tone=Tone.MUTED if block.agrees else TONES[block.ruling],
    )
    return Item(row, partial(_detail, block), found)


def _detail(block: FusedBlock, narrow: bool) -> Content:
    found, gap = block.found, "  " if narrow else "\n"
    head = Content.assemble((printable(found.prefix) or WHOLE, "bold"), gap, block_words(found))
    lines = [head, Content(""), verdict_line(block.ruling, block.sentence, RULING_STYLES[block.ruling])]
    return Content("\n").join([*lines, Content(""), *_facts(block)])


def _facts(block: FusedBlock) -> Iterator[Content]:
    if block.weight_share is not None and isfinite(block.weight_share):
        yield _fact("numbers off by at most", share_in_words(block.weight_share), "of one rounding")
    if block.max_abs_diff_float64 is not None and isfinite(block.max_abs_diff_float64):
        yield _fact(
            "max |fused - unfused|", two_digits(block.max_abs_diff_float64), "in float64, on random inputs"
        )
    if block.eps is not None:
        yield _fact(
            "eps", show_number(block.eps), "" if block.eps != block.found.eps else "as the family has it"
        )
    for problem in block.problems:
        yield Content.styled(f"! {plain(problem.words)}", "$text-warning")
    yield Content.styled("enter opens it on the bench", MUTED)


def _fact(words: str, number: str, rest: str) -> Content:
    return Content.assemble((f"{words} ", MUTED), (number, "bold"), (f" {rest}", MUTED))


def _skipped(left: LeftAlone) -> Item:
    name = printable(left.prefix) or WHOLE
    row = Row(name, f"left alone  {left.reason}", left.family or "", sign=SKIPPED, sign_tone=Tone.WARNING)

    def detail(narrow: bool) -> Content:
        lines = [
            Content.styled(name, "bold"),
            Content("left alone"),
            Content(""),
            Content(printable(left.reason)),
        ]
        return Content("\n").join(lines)

    return Item(row, detail)


def outcome(fused: FusedCheckpoint, where: str) -> Content:
    """What it came to, in two lines; `where`: what was written, or why nothing was."""
    right, all_blocks = len(fused.blocks) - len(fused.wrong), len(fused.blocks)
    style = "bold $text-success" if not fused.wrong else "bold $text-error"
    before, after = fused.before, fused.after
    first = Content.assemble(
        (f"{right} of {all_blocks} blocks fused and verified", style),
        f", {len(fused.left_alone)} left alone. " if fused.left_alone else ". ",
        where,
    )
    sizes = (
        f"parameters {short_count(before.params)} → {short_count(after.params)}   "
        f"{size_in_words(before.bytes)} → {size_in_words(after.bytes)}   "
        f"tensors {before.tensors} → {after.tensors}"
    )
    return Content("\n").join([first, Content.styled(sizes, MUTED)])
