"""The fields as text: what is read, what is refused, and that showing and reading are inverse."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fusion.strategies import any_branches, specs
from tui.fusion.grammar.branch_text import parse_branches, show_branches
from tui.fusion.grammar.fields import FIELDS, spec_from, texts_of
from tui.fusion.grammar.text_error import TextError
from tui.fusion.quoting import quoted
from tui.fusion.specs.block_spec import (
    BlockSpec,
    BranchKind,
    BranchSpec,
    Dtype,
    InputFill,
    InvalidSpecError,
    Problem,
    Scale,
    WeightFill,
)


def problems_of(texts: dict[str, str], base: BlockSpec | None = None) -> tuple[Problem, ...]:
    with pytest.raises(InvalidSpecError) as caught:
        spec_from(texts, base or BlockSpec())
    return caught.value.problems


def test_every_field_of_a_spec_has_its_text() -> None:
    assert set(FIELDS) == {field.name for field in fields(BlockSpec)}
    for name, field in FIELDS.items():
        assert field.name == name
        assert field.label
        assert field.help
        assert field.metavar


@given(specs(dtypes=tuple(Dtype)), specs())
def test_a_spec_shown_and_read_is_the_same_spec(spec: BlockSpec, base: BlockSpec) -> None:
    assert spec_from(texts_of(spec), base) == spec


@given(specs())
def test_no_texts_leave_the_base(spec: BlockSpec) -> None:
    assert spec_from({}, spec) == spec


DEPTHWISE = BlockSpec(8, 8, groups=8, branches=parse_branches("kxk,1x1+g4,5x5+g8"))


@pytest.mark.parametrize(
    ("base", "texts", "expected"),
    [
        (BlockSpec(), {"in_channels": "4"}, BlockSpec(4, 4)),
        (
            BlockSpec(),
            {"in_channels": "4", "branches": "kxk"},
            BlockSpec(4, 4, branches=parse_branches("kxk")),
        ),
        (BlockSpec(2, 4, branches=parse_branches("kxk")), {"in_channels": "3"}, (3, 4, 1)),
        (DEPTHWISE, {"in_channels": "16"}, (16, 16, 16)),
        (DEPTHWISE, {"in_channels": "16", "groups": "8"}, (16, 16, 8)),
        (DEPTHWISE, {"in_channels": "16", "out_channels": "32"}, (16, 32, 16)),
        (DEPTHWISE, {"in_channels": "8", "groups": "4"}, (8, 8, 4)),
        (BlockSpec(1, 1), {"in_channels": "6"}, (6, 6, 1)),
    ],
)
def test_what_was_equal_to_in_channels_follows_it(
    base: BlockSpec, texts: dict[str, str], expected: BlockSpec | tuple[int, int, int]
) -> None:
    spec = spec_from(texts, base)
    if isinstance(expected, BlockSpec):
        assert spec == expected
    else:
        assert (spec.in_channels, spec.out_channels, spec.groups) == expected


def test_a_branchs_own_groups_follow_in_channels_where_they_are_one_a_channel() -> None:
    spec = spec_from({"in_channels": "16"}, DEPTHWISE)
    assert [branch.groups for branch in spec.branches] == [None, 4, 16]
    assert spec == DEPTHWISE.with_in_channels(16)


def test_in_channels_out_of_range_are_told_once() -> None:
    (problem,) = problems_of({"in_channels": "0"})
    assert problem == Problem("in_channels", "in channels must be from 1 to 65536, not 0")


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("in_channels", "16", 16),
        ("in_channels", " 16 ", 16),
        ("seed", "9223372036854775807", 2**63 - 1),
        ("kernel_size", "3", (3, 3)),
        ("kernel_size", "3x5", (3, 5)),
        ("kernel_size", " 3 X 5 ", (3, 5)),
        ("kernel_size", "3×5", (3, 5)),
        ("kernel_size", "3,5", (3, 5)),
        ("dtype", "bfloat16", Dtype.BFLOAT16),
        ("weights", " ones ", WeightFill.ONES),
        ("input", "ramp", InputFill.RAMP),
        ("eps", " 1e-3 ", 0.001),
        ("eps", "0.001", 0.001),
        ("eps", "0", 0.0),
    ],
)
def test_ways_to_write_a_value(field: str, text: str, value: object) -> None:
    assert FIELDS[field].parse(text) == value


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("in_channels", "", "in channels must be a whole number such as 8, not ''"),
        ("in_channels", "2.5", "in channels must be a whole number such as 8, not '2.5'"),
        ("in_channels", "-3", "not '-3'"),
        ("in_channels", "٣", "must be a whole number"),  # a digit elsewhere, not here
        ("in_channels", "²", "must be a whole number"),
        ("in_channels", "1_000", "must be a whole number"),
        ("in_channels", "9" * 20, "in channels has more than 19 digits"),
        ("in_channels", "9" * 10_000, "in channels has more than 19 digits"),
        ("eps", "small", "eps must be a number such as 1e-3, not 'small'"),
        ("kernel_size", "3x", "kernel size must be a number or height x width, such as 3 or 3x5, not '3x'"),
        ("kernel_size", "3x3x3", "not '3x3x3'"),
        ("kernel_size", "9" * 20 + "x1", "kernel size has more than 19 digits"),
        ("input_shape", "big", "input height and width must be a number or height x width"),
        ("dtype", "float8", "dtype must be one of float64, float32, bfloat16, float16, not 'float8'"),
        ("dtype", "floot16", "float16, not 'floot16'; did you mean float16?"),
        ("input", "", "input must be one of random, integers, ones, ramp, impulses, not ''"),
        ("weights", "impulses", "weights must be one of random, integers, ones, not 'impulses'"),
        ("branches", "kxk,fork", "or layers as in 1x1 > 3x3, with options such as +norm"),
        ("branches", "kxk,fork", "not 'fork'"),
        ("branches", "3x", "a branch must be one of kxk, 1x1, identity, 1xk, kx1, avg, 1x1-kxk, 1x1-avg"),
        ("branches", "kxk+norms", "'+norms' in 'kxk+norms' is not an option; there are +norm, -bias, +alpha"),
        ("branches", "kxk+g", "'+g' in 'kxk+g' is not an option"),
        ("branches", "kxk+norm3", "'+norm3' in 'kxk+norm3' is not an option"),
        ("branches", "kxk-gamma", "'-gamma' in 'kxk-gamma' is not an option"),
        ("branches", "identity+bias", "identity has no use for an option in 'identity+bias'; take it out"),
        ("branches", "kxk+inner", "kxk has no use for an option in 'kxk+inner'"),
        ("branches", "1x1-avg+x2", "1x1-avg has no use for an option in '1x1-avg+x2'"),
        ("branches", "", "at least one branch"),
        ("branches", "0x3", "0x3: kernel size must be from 1 to 127, not 0"),
        ("branches", "3x3d65", "3x3d65: dilation must be from 1 to 64, not 65"),
        ("branches", "kxk+g0", "kxk: groups must be from 1 to 65536, not 0"),
        ("branches", "1x1-kxk+x17", "1x1-kxk: expansion must be from 1 to 16, not 17"),
        ("branches", ",".join(["kxk"] * 65), "at most 64 branches here, not 65"),
        ("post_norm", "on", "post norm must be yes or no, not 'on'"),
        ("padding_mode", "mirror", "must be one of zeros, reflect, replicate, circular, not 'mirror'"),
        ("groups", "0", "groups must be from 1 to 65536, not 0"),
    ],
)
def test_what_can_not_be_read_says_what_would_do(field: str, text: str, words: str) -> None:
    (problem,) = problems_of({field: text})
    assert problem.field == field
    assert words in problem.message


any_text = st.text(max_size=60) | st.from_regex(r"[-+0-9x×,. a-z]{0,24}", fullmatch=True)


@pytest.mark.parametrize("field", sorted(FIELDS))
@given(text=any_text)
@example(text="\ud800")
@example(text="\x00\x1b[31m")
@example(text="9" * 5000)
def test_any_text_is_a_value_or_an_explained_refusal(field: str, text: str) -> None:
    problems = refusal_of({field: text})
    if problems is not None:
        assert problems
        for problem in problems:
            assert problem.message.isprintable()
            assert len(problem.message) < 250
            assert problem.field in {field, "branches", "groups"}  # the field, or one that it contradicts
    if not _is_readable(field, text):
        assert problems is not None
        assert [problem.field for problem in problems] == [field]
        assert field.split("_")[0].removesuffix("es") in problems[0].message


def refusal_of(texts: dict[str, str]) -> tuple[Problem, ...] | None:
    """The problems with which these texts are refused, None where they make a spec."""
    try:
        spec_from(texts, BlockSpec())
    except InvalidSpecError as error:
        return error.problems
    return None


def _is_readable(field: str, text: str) -> bool:
    try:
        FIELDS[field].parse(text)
    except ValueError:
        return False
    return True


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), any_text))
def test_any_texts_together_name_each_unreadable_field_once(texts: dict[str, str]) -> None:
    unreadable = [field for field, text in texts.items() if not _is_readable(field, text)]
    problems = refusal_of(texts)
    if problems is None:
        assert not unreadable
    else:
        named = [problem.field for problem in problems]
        assert named[: len(unreadable)] == unreadable
        assert not set(named[len(unreadable) :]) & set(unreadable)


def test_the_value_that_an_unreadable_field_had_before_is_not_told_as_a_problem() -> None:
    (problem,) = problems_of(
        {"branches": "kxk,?", "out_channels": "4"}
    )  # with the identity before it, 2 != 4
    assert problem.message.startswith("a branch must be one of")


def test_unreadable_and_contradicting_fields_are_told_together() -> None:
    found = problems_of({"dtype": "float8", "groups": "3", "seed": "x"})
    assert [problem.field for problem in found] == ["dtype", "seed", "groups"]


@pytest.mark.parametrize(
    ("text", "branches"),
    [
        ("kxk", (BranchSpec(BranchKind.KXK),)),
        ("kxk+bias-norm", (BranchSpec(BranchKind.KXK),)),
        ("5x3", (BranchSpec(BranchKind.SIZED, kernel_size=(5, 3)),)),
        ("3x3d2", (BranchSpec(BranchKind.SIZED, kernel_size=(3, 3), dilation=(2, 2)),)),
        ("3x3d2x1", (BranchSpec(BranchKind.SIZED, kernel_size=(3, 3), dilation=(2, 1)),)),
        ("1x1-kxk+x2+g4", (BranchSpec(BranchKind.POINTWISE_KXK, expansion=2, groups=4),)),
        ("1x1-avg+inner", (BranchSpec(BranchKind.POINTWISE_AVERAGE, inner_norm=True),)),
        ("avg+gamma", (BranchSpec(BranchKind.AVERAGE, scale=Scale.GAMMA),)),
        ("1xk,kx1", (BranchSpec(BranchKind.ROW), BranchSpec(BranchKind.COLUMN))),
        ("1x1-bias+norm", (BranchSpec(BranchKind.POINTWISE, bias=False, batch_norm=True),)),
        ("1x1+norm-bias", (BranchSpec(BranchKind.POINTWISE, bias=False, batch_norm=True),)),
        (
            " identity+norm , kxk ,",
            (BranchSpec(BranchKind.IDENTITY, batch_norm=True), BranchSpec(BranchKind.KXK)),
        ),
        ("identity-bias", (BranchSpec(BranchKind.IDENTITY),)),
    ],
)
def test_ways_to_write_branches(text: str, branches: Any) -> None:
    assert parse_branches(text) == branches


@given(st.lists(any_branches(), max_size=5).map(tuple))
def test_branches_shown_and_read_are_the_same_branches(branches: tuple[BranchSpec, ...]) -> None:
    assert parse_branches(show_branches(branches)) == branches


def test_branches_are_shown_as_they_are_typed() -> None:
    text = (
        "kxk+norm-bias,1x1-bias,identity+norm,3x3d2x1+alpha,avg,1x1-kxk+inner-bias+x2,"
        "1x1-avg+norm+idconv+gamma+g2,1x1-kxk+zeros-bias"
    )
    assert show_branches(parse_branches(text)) == text


def test_quoted_text_is_short_and_printable() -> None:
    assert quoted("a\nb") == r"'a\nb'"
    assert quoted("x" * 40) == "'" + "x" * 40 + "'"
    assert quoted("x" * 41) == "'" + "x" * 39 + "…'"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kxk+gamma+alpha", "'+gamma' and '+alpha' contradict each other in 'kxk+gamma+alpha': keep one"),
        ("kxk+g2+g4", "'+g2' and '+g4' contradict each other"),
        ("1x1-kxk+x2+x3", "'+x2' and '+x3' contradict each other"),
        ("kxk+norm-norm", "'+norm' and '-norm' contradict each other"),
        ("kxk-bias+bias", "'-bias' and '+bias' contradict each other"),
    ],
)
def test_options_that_contradict_each_other_are_refused(text: str, words: str) -> None:
    with pytest.raises(TextError, match=re.escape(words)):
        parse_branches(text)
    assert parse_branches("kxk+norm+norm") == parse_branches("kxk+norm"), "twice the same is none"


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("fp16", "float16"),
        ("half", "float16"),
        ("FP32", "float32"),
        ("float", "float32"),
        ("bf16", "bfloat16"),
        ("double", "float64"),
        ("torch.float16", "float16"),
    ],
)
def test_a_dtype_by_its_other_names(text: str, dtype: str) -> None:
    assert spec_from({"dtype": text}, BlockSpec()).dtype == dtype
