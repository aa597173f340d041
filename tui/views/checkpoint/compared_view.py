"""What another tool made of a checkpoint: a verdict for each block, the worst first, then all the rest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tui.checkpoints.found import LeftAlone
from tui.fusion.grammar.number_text import show_number
from tui.fusion.quoting import printable
from tui.views.checkpoint.items_view import Item, ItemsView
from tui.views.checkpoint.outline_rows import block_words
from tui.views.shared.styles import MUTED, RULING_STYLES
from tui.views.shared.tree_lines import SKIPPED
from tui.views.shared.verdict_words import SIGNS, TONES, plain, verdict_line, worst_first
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.rows.row import Row, Tone

if TYPE_CHECKING:
    from tui.checkpoints.comparison.compared import Carried, ComparedBlock, ComparedCheckpoint

MISSING = "✗"
MOST_WORST = 5
"""Numbers of a wrong kernel that the pane lists."""


class ComparedView(ItemsView):
    """Lists the verdicts, the tensors that were not carried over, the names that are left over."""

    TITLE: ClassVar[str] = "compared"
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "c",
            "what another tool made of it: choose the file; then the list of all that is not right",
            ("tree.compare",),
        ),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("both on the bench", ("rows.choose",)),
        FootKey("to the tree", ("tree.back",)),
        FootKey("report", ("tree.report",)),
        FootKey("with another", ("tree.compare",)),
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.compared: ComparedCheckpoint | None = None

    def show_compared(self, compared: ComparedCheckpoint, other: str, what: str) -> None:
        """Show it; `other`: the name of the other file; `what`: "file" or "module", that it was made of."""
        self.compared = compared
        blocks = sorted(compared.blocks, key=_order)
        items = [_block_item(block, what) for block in blocks]
        items += [_carried_item(each, other) for each in compared.not_carried]
        items += [_left_over_item(name, other, what) for name in compared.left_over]
        items += [_skipped_item(each, what) for each in compared.left_alone]
        self.say(outcome(compared, other))
        self.show_items(items)

    def forget(self) -> None:
        """Show nothing: the other file is another one by now."""
        self.compared = None
        self.say(Content("Nothing is compared: the other file has changed. c compares again."))
        self.show_items(())


def outcome(compared: ComparedCheckpoint, other: str) -> Content:
    """What it came to, in a line or two; `other`: the name of the other file."""
    style = "bold $text-success" if compared.fits and not compared.wrong else "bold $text-error"
    rest = []
    if compared.not_carried:
        rest.append(f"{_number(len(compared.not_carried), 'tensor')} not carried over")
    if compared.left_over:
        rest.append(f"{_number(len(compared.left_over), 'name')} left over")
    before, after = compared.renamed
    renamed = (
        f"\nnames: {printable(before) or 'nothing'} here, {printable(after) or 'nothing'} there"
        if before or after
        else ""
    )
    parts: list[Content | tuple[str, str] | str] = [(compared.number_right, style)]
    parts.append(f" in {other}" + ("" if compared.fits else ": another model?"))
    parts.append(
        (f", {', '.join(rest)}", "bold $text-error")
        if rest
        else ", and all else was carried over"
        if compared.fits
        else ""
    )
    choice = f"\n{printable(compared.choice)}" if compared.choice else ""
    return Content.assemble(*parts, (renamed, MUTED), choice)


def _number(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' if number != 1 else ''}"


def verdict_words(block: ComparedBlock) -> str:
    """What the tree says of it, after the sign."""
    if block.agrees:
        return block.ruling.value
    looks = "" if block.likenesses is None else block.likenesses.words
    if looks:
        return f"{block.ruling}: looks like {looks}"
    return f"{block.ruling}: {block.verdict.summary if block.verdict else block.sentence}"


def _order(block: ComparedBlock) -> tuple[int, float]:
    return worst_first(block.ruling, None if block.verdict is None else block.verdict.used)


def _whole(what: str) -> str:
    return f"the whole {what}"


def _block_item(block: ComparedBlock, what: str) -> Item:
    tone = TONES[block.ruling]
    row = Row(
        printable(block.found.prefix) or _whole(what),
        plain(verdict_words(block)),
        block.found.family,
        sign=SIGNS[block.ruling],
        sign_tone=tone,
        middle_tone=Tone.MUTED if block.agrees else tone,
    )
    return Item(row, partial(detail_of, block, what=what), block.found)


def detail_of(block: ComparedBlock, narrow: bool, what: str) -> Content:
    """All that was found out about a block's fused kernel; `what`: as of a ComparedView."""
    found, gap = block.found, "  " if narrow else "\n"
    head = Content.assemble((printable(found.prefix) or _whole(what), "bold"), gap, block_words(found))
    verdict = verdict_line(block.ruling, block.sentence, RULING_STYLES[block.ruling])
    return Content("\n").join([head, Content(""), verdict, *_evidence(block)])


def _evidence(block: ComparedBlock) -> Iterator[Content]:
    looks = "" if block.likenesses is None else block.likenesses.words
    if looks:
        yield Content.assemble(("\nlooks like  ", MUTED), (plain(looks), "bold"))
    verdict = block.verdict
    if verdict is not None and not block.agrees:
        yield Content.styled("\nTHE WORST NUMBERS", f"bold {MUTED}")
        for number in verdict.first[:MOST_WORST]:
            yield Content.assemble(
                f"{number.place}  ", (f"{number.given:.5g}", "bold"), (f" for {number.right:.5g}", MUTED)
            )
    if block.weight_name is not None:
        yield Content.assemble(("\nread from  ", MUTED), printable(block.weight_name))
    if block.eps is not None:
        yield Content.assemble(("eps  ", MUTED), show_number(block.eps))
    yield Content.styled("enter opens both on the bench", MUTED)


def _carried_item(carried: Carried, other: str) -> Item:
    row = Row(
        printable(carried.name), f"{carried.what}: {plain(carried.words)}", sign=MISSING, sign_tone=Tone.BAD,
        middle_tone=Tone.BAD,
    )  # fmt: skip
    words = f"of {other}: {plain(carried.words)}"
    return Item(row, partial(_words, printable(carried.name), f"not carried over as it should be\n\n{words}"))


def _left_over_item(name: str, other: str, what: str) -> Item:
    shown = printable(name)
    row = Row(shown, f"left over in {other}", sign="+", sign_tone=Tone.WARNING, middle_tone=Tone.WARNING)
    return Item(row, partial(_words, shown, f"only in {other}: nothing in the {what} stands for it"))


def _skipped_item(left: LeftAlone, what: str) -> Item:
    name = printable(left.prefix) or _whole(what)
    row = Row(name, f"left alone: {printable(left.reason)}", sign=SKIPPED, sign_tone=Tone.WARNING)
    return Item(row, partial(_words, name, f"left alone\n\n{printable(left.reason)}"))


def _words(name: str, words: str, narrow: bool) -> Content:
    del narrow  # the same in both
    return Content.assemble((name, "bold"), "\n", words)
