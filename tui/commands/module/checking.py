"""check(asked): the report of `check` on a block of somebody's module, run on what reaches it there."""

from __future__ import annotations

from tui.analysis.numerics.devices import device_named
from tui.analysis.subject import Subject
from tui.command_line.module_options import CheckModuleRequest
from tui.commands.check.command import check_subject
from tui.commands.module.loading import looked_at
from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.quoting import quoted
from tui.modules.found import FoundBlock
from tui.modules.looking import LookedAt
from tui.modules.outline import path_of
from tui.modules.run.loading import LoadingError

MOST_NAMED = 8
"""Blocks that are listed where one is to be chosen."""


def check(asked: CheckModuleRequest) -> int:
    """Print the report; returns the exit status of `check`.

    Raises:
        Refusal: the module cannot be had, is no block or has none of that path; or the study cannot be run.
        OSError: the report could not be written.
    """
    device_named(asked.device)
    looked = looked_at(asked.source)
    origin = looked.on_the_bench(_chosen(looked, asked.block), all_of_it=True)
    subject = Subject(origin.spec, origin=origin)
    return check_subject(subject, as_json=asked.as_json, device=asked.device)


def _chosen(looked: LookedAt, path: str | None) -> FoundBlock:
    """The block that is asked for.

    Raises:
        LoadingError: there is none; the message names those that there are.
    """
    if path is None:
        if looked.whole is not None:
            return looked.whole
        raise LoadingError(f"{looked.name}: {looked.why_not}; {_known(looked)}")
    for found in looked.findings.blocks:
        if path in (found.title, path_of(found)):
            return found
    left = next((each for each in looked.findings.left_alone if each.path == path), None)
    if left is not None:
        raise LoadingError(f"--block: {left.sentence}")
    near = did_you_mean(path, map(path_of, looked.findings.blocks))
    raise LoadingError(f"--block: {looked.name} has no block {quoted(path)}{near}; {_known(looked)}")


def _known(looked: LookedAt) -> str:
    """Which blocks there are, in words."""
    if looked.whole is not None:
        return "it is one block as a whole: leave --block out"
    paths = list(dict.fromkeys(map(path_of, looked.findings.blocks)))
    if not paths:
        return "and nothing in it can be fused"
    more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
    return f"--block takes one of {', '.join(paths[:MOST_NAMED])}{more}"
