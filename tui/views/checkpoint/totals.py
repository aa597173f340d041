"""What a checkpoint holds in one line: its blocks by family, what is left alone, all that is in it."""

from __future__ import annotations

from textual.content import Content

from tui.analysis.quantities import short_count
from tui.checkpoints.listing import Listing
from tui.views.checkpoint.outline_rows import size_in_words
from tui.views.shared.styles import MUTED
from tui.views.shared.tree_lines import BLOCK, SKIPPED


def totals_of(listing: Listing) -> Content:
    """Blocks and what is left alone; no more while they are looked for."""
    recognition = listing.recognition
    if recognition is None:
        return Content.styled("looking for blocks …", "$text-accent")
    number = len(recognition.blocks)
    families = ", ".join(f"{count} {name}" for name, count in listing.families)
    words = f"{number} block{'s' if number != 1 else ''}" + (f": {families}" if number else "")
    parts: list[Content | tuple[str, str]] = [(f"{BLOCK} ", "bold $text-primary"), (words, "bold")]
    if recognition.left_alone:
        parts.append((f"   {SKIPPED} {len(recognition.left_alone)} left alone", "$text-warning"))
    return Content.assemble(*parts)


def sizes_of(listing: Listing) -> Content:
    """Tensors, parameters, bytes."""
    root = listing.outline.root
    words = f"{short_count(root.tensors)} tensors  {short_count(root.parameters)} parameters"
    return Content.styled(f"{words}  {size_in_words(root.bytes)}", MUTED)
