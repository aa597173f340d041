"""A preview of a mistake: what it would do to this block, before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.progress import Doing, Failed
from tui.analysis.quantities import two_digits
from tui.views.mistakes.error_map import map_title
from tui.views.shared.styles import MUTED, RULING_STYLES

if TYPE_CHECKING:
    from tui.analysis.study import Study

LABEL = ("preview  ", "bold $text-accent")


def preview_title(preview: Study, pixel: Pixel) -> Content:
    """preview of 1×1 missing: fused − unfused, out 0 (4,7)."""
    name = preview.alterations.mistake
    title = MISTAKES[name].title if name else "the right fusion"
    return Content.assemble((f"preview of {title}", "bold $text-accent"), ": ") + map_title(preview, pixel)


def preview_words(preview: Study | Doing | Failed) -> Content:
    """preview  wrong  max |d| 2.3 at out 0 (7,4), and that nothing is kept yet."""
    if isinstance(preview, Doing):
        return Content.assemble(LABEL, (f"{preview.words} …", MUTED))
    if isinstance(preview, Failed):
        return Content.assemble(LABEL, (f"none: {preview.words}; enter makes it all the same", MUTED))
    ruling, comparison = preview.verdict.ruling, preview.comparison
    where = f" at {comparison.worst.words(preview.spec.batch_size)}" if comparison.max_abs_diff else ""
    return Content.assemble(
        LABEL,
        (ruling, f"bold {RULING_STYLES[ruling]}"),
        ("  max |d| ", MUTED),
        (two_digits(comparison.max_abs_diff), "bold"),
        (f"{where}\nenter keeps it; till then nothing is changed", MUTED),
    )
