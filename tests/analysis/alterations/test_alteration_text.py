"""Edits as text: read as they are written, and refused with what there is."""

from __future__ import annotations

import math

import pytest

from tui.analysis.alterations.alteration_text import edits_in, show_edit
from tui.analysis.alterations.alterations import Edit
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.grammar.text_error import TextError
from tui.fusion.specs.block_spec import BlockSpec

SPEC = BlockSpec(branches=parse_branches("kxk,kxk,1x1-kxk"))


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("kxk #2.weight[0,1,2,2]=0.5", Edit("kxk #2.weight", (0, 1, 2, 2), 0.5)),
        (" kxk #1.bias [ 1 ] = -1e-3 ", Edit("kxk #1.bias", (1,), -1e-3)),
        ("1x1-kxk.first.weight[1,0,0,0]=1/4", Edit("1x1-kxk.first.weight", (1, 0, 0, 0), 0.25)),
        ("input[0,0,0,0]=-inf", Edit("input", (0, 0, 0, 0), -math.inf)),
        ("fused.weight[0,0,0,0]=nan", Edit("fused.weight", (0, 0, 0, 0), math.nan)),
    ],
)
def test_what_is_read(text: str, edit: Edit) -> None:
    assert edits_in([text], SPEC) == (edit,)
    assert edits_in([show_edit(edit)], SPEC) == (edit,)


def test_of_one_number_the_last_counts() -> None:
    texts = ["input[0,0,0,0]=1", "fused.bias[0]=2", "input[0,0,0,0]=3"]
    assert edits_in(texts, SPEC) == (Edit("input", (0, 0, 0, 0), 3.0), Edit("fused.bias", (0,), 2.0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "as kxk.weight[0,0,1,1]=0.5, not ''"),
        ("kxk #1.weight=0.5", "must be a place, index and number"),
        ("kxk #1.weight[0,0,1,1]", "must be a place, index and number"),
        ("kxk #1.weight[0,0,-1,1]=1", "must be a place, index and number"),
        ("kxk #1.weight[0,0,1,1]=1=2", "must be a place, index and number"),
        ("kxk #1.weight[0,0,1,1]=half", "'half' in"),
        ("kxk #1.weight[0,0,1,1]=1e999", "is not a number, or too large a one"),
        ("kxk.weight[0,0,1,1]=1", "which has input, kxk #1.weight, kxk #1.bias, kxk #2.weight"),
        ("fused.wieght[0,0,1,1]=1", "did you mean fused.weight?"),
        ("\x1b[0]=1", "'\\x1b' is not a tensor of this block"),
        ("fused.weight[0,0,3,3]=1", "2 x 2 x 3 x 3: its indices go from [0,0,0,0] to [1,1,2,2], and [0,0,3"),
        ("fused.bias[0,0]=1", "fused.bias is 2: its indices go from [0] to [1], and [0,0] is not one"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(TextError) as caught:
        edits_in([text], SPEC)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_variance_and_an_eps_cannot_be_negative() -> None:
    spec = BlockSpec(branches=parse_branches("kxk+norm,1x1-kxk+inner"), post_norm=True)
    for place in ("kxk.norm.var", "1x1-kxk.first.norm.var", "post norm.var", "kxk.norm.eps", "post norm.eps"):
        for value, shown in (("-0.5", "-0.5"), ("-inf", "-inf")):
            with pytest.raises(TextError, match=f"{place} cannot be negative.*, not {shown}"):
                edits_in([f"{place}[0]={value}"], spec)
        assert edits_in([f"{place}[0]=0"], spec)[0].value == 0
        assert edits_in([f"{place}[0]=-0.0"], spec)[0].place == place
    for value in ("nan", "inf"):
        assert edits_in([f"kxk.norm.var[1]={value}"], spec)
        with pytest.raises(TextError, match="must be a finite number"):
            edits_in([f"kxk.norm.eps[0]={value}"], spec)
    assert edits_in(["kxk.norm.gamma[1]=-2"], spec)[0].value == -2
