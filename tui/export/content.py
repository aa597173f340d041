"""From the name of a thing to take away to what stands in its file."""

from __future__ import annotations

from tui.analysis.study import Study
from tui.analysis.subject import Subject
from tui.export.code.conv2d_text import conv2d_in_words
from tui.export.code.snippet import snippet_of
from tui.export.command_line import command_line_of
from tui.export.grid import csv_of, grid_of, npz_of
from tui.export.items import Item
from tui.export.study_json import study_json_of


def content_of(item: Item, study: Study, grid: str, compared: Subject | None = None) -> str | bytes:
    """The item of this study.

    `grid`: the name of the kernel that is meant, "fused" for the fused one. `compared`: the block that the
    study is compared with, if any.

    Raises:
        ExportError: it would be too large.
        KeyError: the study has no kernel of that name, or does not hold the item: the screen's picture.
    """
    match item:
        case Item.SNIPPET:
            return snippet_of(study)
        case Item.CONV:
            return conv2d_in_words(study.conv, study.spec.dtype) + "\n"
        case Item.CSV:
            return csv_of(grid_of(study, grid))
        case Item.NPZ:
            return npz_of(grid_of(study, grid))
        case Item.JSON:
            return study_json_of(study, compared)
        case Item.COMMAND_LINE:
            return command_line_of(study.subject) + "\n"
    raise KeyError(item)
