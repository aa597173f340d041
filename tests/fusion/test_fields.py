"""The fields as text: what is read, what is refused, and that showing and reading are inverse."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fusion.strategies import specs
from tui.fusion.fields import FIELDS, parse_branches, quoted, show_branches, spec_from, texts_of
from tui.fusion.spec import (
    BlockSpec,
    BranchKind,
    BranchSpec,
    Dtype,
    InputFill,
    InvalidSpecError,
    Problem,
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
        ("kernel_size", "3x", "kernel size must be a number or height x width, such as 3 or 3x5, not '3x'"),
        ("kernel_size", "3x3x3", "not '3x3x3'"),
        ("kernel_size", "9" * 20 + "x1", "kernel size has more than 19 digits"),
        ("input_shape", "big", "input height and width must be a number or height x width"),
        ("dtype", "float8", "dtype must be one of float64, float32, bfloat16, float16, not 'float8'"),
        ("input", "", "input must be one of random, integers, ones, ramp, impulses, not ''"),
        ("weights", "impulses", "weights must be one of random, integers, ones, not 'impulses'"),
        ("branches", "kxk,3x3", "branches must be among kxk, 1x1, identity"),
        ("branches", "kxk+norms", "each with +norm or -bias if wanted, not 'kxk+norms'"),
        ("branches", "identity+bias", "the identity has no bias of its own"),
        ("branches", "", "at least one branch"),
        ("branches", "kxk,kxk", "the branch kxk stands more than once"),
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
        assert field.split("_")[0] in problems[0].message


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
    assert problem.message.startswith("branches must be among")


def test_unreadable_and_contradicting_fields_are_told_together() -> None:
    found = problems_of({"dtype": "half", "groups": "3", "seed": "x"})
    assert [problem.field for problem in found] == ["dtype", "seed", "groups"]


@pytest.mark.parametrize(
    ("text", "branches"),
    [
        ("kxk", (BranchSpec(BranchKind.KXK),)),
        ("kxk+bias-norm", (BranchSpec(BranchKind.KXK),)),
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


def test_branches_are_shown_as_they_are_typed() -> None:
    text = "kxk+norm-bias,1x1-bias,identity+norm"
    assert show_branches(parse_branches(text)) == text


def test_quoted_text_is_short_and_printable() -> None:
    assert quoted("a\nb") == r"'a\nb'"
    assert quoted("x" * 40) == "'" + "x" * 40 + "'"
    assert quoted("x" * 41) == "'" + "x" * 39 + "…'"
