"""Where numbers come from that are not a block's own: out of another tool's file, or set by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.analysis.alterations.alterations import FUSED, same_number

if TYPE_CHECKING:
    from tui.analysis.study import FusedKernels


def brought_in(study: FusedKernels, name: str = "") -> int:
    """How many numbers in effect came with the block out of another tool's file; `name`: of that branch."""
    origin = study.subject.origin
    places = [(edit.place, edit.index) for edit in study.in_effect.edits if not name or edit.is_of(name)]
    if origin is None or not origin.brought or not places:
        return 0
    brought = {(edit.place, edit.index): edit.value for edit in origin.brought.edits}
    altered = {(edit.place, edit.index): edit.value for edit in study.alterations.edits}
    return sum(
        place in brought and place in altered and same_number(brought[place], altered[place])
        for place in places
    )


def edits_told(study: FusedKernels) -> tuple[str, ...]:
    """A sentence on the numbers of each source; none where there are none."""
    brought = brought_in(study)
    by_hand = len(study.in_effect.edits) - brought
    told = []
    if brought:
        assert study.subject.origin is not None
        numbers = "One number is" if brought == 1 else f"{brought} numbers are"
        told.append(f"{numbers} from {study.subject.origin.brought_from}, in the {FUSED} kernel.")
    if by_hand:
        told.append("One number was set by hand." if by_hand == 1 else f"{by_hand} numbers were set by hand.")
    return tuple(told)
