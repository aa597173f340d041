"""inspect(asked): print the blocks of a module, and what is left alone."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Group, RenderableType

from tui.analysis.quantities import count
from tui.command_line.module_options import InspectModuleRequest
from tui.commands.module.loading import looked_at
from tui.commands.plain_console import plain_console
from tui.commands.tables import WIDTH, plain, row, table
from tui.modules.found import FoundBlock, LeftAlone
from tui.modules.looking import LookedAt
from tui.modules.outline import path_of

WHOLE = "(all of it)"
SCHEMA = 1
"""It grows with each change that takes a key away or gives one another meaning."""


def inspect(asked: InspectModuleRequest) -> int:
    """Print the report; returns the exit status, 0.

    Raises:
        Refusal: the module cannot be had, or its forward fails.
        OSError: the report could not be written.
    """
    looked = looked_at(asked.source)
    if asked.as_json:
        print(json.dumps(_as_data(looked), allow_nan=False))
    else:
        plain_console(WIDTH).print(Group(*_parts(looked)))
    return 0


def _parts(looked: LookedAt) -> list[RenderableType]:
    parts: list[RenderableType] = [
        plain(f"{looked.name}: {count(sum(each.numel() for each in looked.module.parameters()))} parameters"),
        "",
    ]
    blocks, skipped = looked.findings.blocks, looked.findings.left_alone
    if blocks:
        made = table("block", "channels, kernel", "branches and their layers")
        for found in blocks:
            row(made, title_of(looked, found), found.shape_text, found.branches_text)
        parts.append(made)
    else:
        parts.append("nothing in it can be fused")
    if looked.whole is None:
        parts += ["", plain(f"as a whole {looked.why_not}")]
    if skipped:
        made = table("left alone", "why", "at")
        for each in skipped:
            row(made, each.path or WHOLE, each.reason, each.place or "-")
        parts += ["", made]
    return parts


def title_of(looked: LookedAt, found: FoundBlock) -> str:
    """What a block is called."""
    return WHOLE if found is looked.whole else path_of(found)


def left_alone_as_data(left_alone: tuple[LeftAlone, ...]) -> list[dict[str, Any]]:
    """What is left alone, for JSON."""
    return [{"path": each.path, "reason": each.reason, "place": each.place} for each in left_alone]


def _as_data(looked: LookedAt) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "module": looked.name,
        "is_one_convolution": looked.whole is not None,
        "why_not": looked.why_not,
        "blocks": [
            {
                "path": "" if found is looked.whole else path_of(found),
                "fused": found.shape_text,
                "branches": found.branches_text,
            }
            for found in looked.findings.blocks
        ],
        "left_alone": left_alone_as_data(looked.findings.left_alone),
    }
