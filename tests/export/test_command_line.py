"""The command line that is taken away opens the block that it was taken from."""

from __future__ import annotations

import math
import shlex
from dataclasses import replace

import pytest
from hypothesis import given

from tests.command_line.test_options import OTHER
from tests.fusion.strategies import specs
from tui.analysis.alterations.alterations import Alterations, Edit, refusal_of, shapes_of
from tui.analysis.alterations.gallery import possible
from tui.analysis.subject import Subject
from tui.command_line.options import parse
from tui.export import command_line
from tui.export.command_line import command_line_of
from tui.export.errors import ExportError
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec


def again(subject: Subject) -> Subject:
    """What a shell and the program make of its line."""
    program, *arguments = shlex.split(command_line_of(subject))
    assert program == "repfuse-tui"
    request = parse(arguments)
    return Subject(request.spec, request.alterations)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset(name: str) -> None:
    spec = PRESETS[name].spec
    assert again(Subject(spec)) == Subject(spec)
    assert len(shlex.split(command_line_of(Subject(spec)))) == (1 if spec == BlockSpec() else 3)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_in_other_channels_and_edited_in_every_place(name: str) -> None:
    spec = replace(PRESETS[name].spec.with_in_channels(32), seed=7)
    numbers = [0.1, -0.0, 1e-320, 1.5e308, math.nan, math.inf, -math.inf]
    edits = []
    for number, (place, shape) in enumerate(shapes_of(spec).items()):
        value = numbers[number % len(numbers)]
        value = value if refusal_of(place, value) is None else 0.25
        edits.append(Edit(place, tuple(size - 1 for size in shape), value))
    for mistake in ["", *(mistake.name for mistake in possible(spec))][:3]:
        subject = Subject(spec, Alterations(tuple(edits), mistake))
        assert again(subject) == subject
        assert [str(edit.value) for edit in again(subject).alterations.edits] == [str(e.value) for e in edits]


@given(specs())
def test_any_block(spec: BlockSpec) -> None:
    assert again(Subject(spec)).spec == spec


def test_every_field() -> None:
    assert again(Subject(OTHER)).spec == OTHER


def test_what_would_follow_and_does_not_is_said() -> None:
    spec = replace(PRESETS["repconv"].spec, in_channels=32)
    assert again(Subject(spec)).spec == spec
    assert command_line_of(Subject(spec)) == (
        "repfuse-tui --preset repconv --in-channels 32 --out-channels 64"
    )


def test_the_line_as_it_is_written() -> None:
    spec = replace(PRESETS["mobileone"].spec, branches=parse_branches("kxk,kxk,1x1"))
    edits = (Edit("kxk #2.weight", (0, 0, 1, 1), 0.5), Edit("input", (0, 0, 2, 2), math.nan))
    assert command_line_of(Subject(spec, Alterations(edits, "flipped"))) == (
        "repfuse-tui --preset repvgg-depthwise --branches kxk,kxk,1x1 --edit 'kxk #2.weight[0,0,1,1]=0.5' "
        "--edit 'input[0,0,2,2]=nan' --mistake flipped"
    )


def test_too_many_edits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "MOST_EDITS", 1)
    edits = tuple(Edit("kxk.bias", (out,), 1.0) for out in range(2))
    with pytest.raises(ExportError, match=r"2 numbers were set, and a command line takes 1: .* --load reads"):
        command_line_of(Subject(BlockSpec(), Alterations(edits)))


def test_a_finished_kernel_is_refused_with_the_ways_that_there_are() -> None:
    edits = (Edit("fused.weight", (0, 0, 1, 1), 0.5),)
    with pytest.raises(ExportError, match="--load reads, or name the kernel's file to check --fused"):
        command_line_of(Subject(BlockSpec(), Alterations(edits, finished=True)))
    assert again(Subject(BlockSpec(), Alterations(edits))) == Subject(BlockSpec(), Alterations(edits))
