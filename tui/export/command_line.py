"""A block as the command line that opens it: the preset that is nearest, and options for what differs."""

from __future__ import annotations

import shlex

from tui.analysis.alterations.alteration_text import show_edit
from tui.analysis.subject import Subject
from tui.export.errors import ExportError
from tui.fusion.grammar.fields import FIELDS
from tui.fusion.presets import PRESETS
from tui.fusion.quoting import printable
from tui.fusion.specs.block_spec import BlockSpec

PROGRAM = "repfuse-tui"
MOST_EDITS = 500
"""Edits in a command line; systems allow some hundred thousand bytes, and nobody reads that."""

_SWITCHES = ("post_norm",)
"""Fields whose options take no value."""


def command_line_of(subject: Subject) -> str:
    """The line, quoted for a shell, that starts the program on this block with its edits and its mistake.

    Raises:
        ExportError: there are too many edits, or they are a kernel that came finished, or the block comes
            from a file or a module.
    """
    if subject.origin is not None:
        title = printable(subject.origin.title)
        raise ExportError(f"{title} is not made by options: take the study as JSON, or the snippet")
    edits = subject.alterations.edits
    if subject.alterations.brings_finished:
        raise ExportError(
            f"a finished kernel stands in it, which no option says: take the study as JSON, which {PROGRAM} "
            "--load reads, or name the kernel's file to check --fused"
        )
    if len(edits) > MOST_EDITS:
        raise ExportError(
            f"{len(edits):,} numbers were set, and a command line takes {MOST_EDITS}: "
            f"take the study as JSON, which {PROGRAM} --load reads"
        )
    words = [PROGRAM, *min((_words_from(name, subject.spec) for name in PRESETS), key=len)]
    for edit in edits:
        words += ["--edit", show_edit(edit)]
    if subject.alterations.mistake:
        words += ["--mistake", subject.alterations.mistake]
    return shlex.join(words)


def _words_from(name: str, spec: BlockSpec) -> list[str]:
    """The options that make the spec out of that preset: the first preset needs no name."""
    preset = PRESETS[name].spec
    words = [] if preset == BlockSpec() else ["--preset", name]
    same_channels = preset.in_channels == spec.in_channels
    follows = {} if same_channels else preset.following(spec.in_channels)
    for field in FIELDS:
        value = getattr(spec, field)
        if value != follows.get(field, getattr(preset, field)):
            words += _option(field, value)
    return words


def _option(field: str, value: object) -> list[str]:
    name = field.replace("_", "-")
    if field in _SWITCHES:
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", FIELDS[field].show(value)]
