from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.analysis.sweep.axes import AXES
from tui.analysis.sweep.ranges import MOST_VALUES, parse_over, parse_range
from tui.fusion.grammar.text_error import TextError

CHANNELS = AXES["in-channels"]


def texts(over: str) -> list[str]:
    return [value.text for value in parse_over(over).values]


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ("in-channels=8:64:x2", ["8", "16", "32", "64"]),
        ("in-channels=8:63:x2", ["8", "16", "32"]),
        ("in_channels = 8 : 32 : +8", ["8", "16", "24", "32"]),
        ("channels=1:3", ["1", "2", "3"]),
        ("channels=4:4:x2", ["4"]),
        ("kernel-size=3,5,7", ["3", "5", "7"]),
        ("kernel=3x5,3x3,3", ["3x5", "3"]),
        ("input-shape=7:28:×2,224", ["7", "14", "28", "224"]),
        ("dtype=fp32,BFloat16,float32", ["float32", "bfloat16"]),
        ("threads=1,2", ["1", "2"]),
        ("--branches=1:3:+1", ["1", "2", "3"]),
        ("groups=0,1", ["0", "1"]),
    ],
)
def test_values(over: str, expected: list[str]) -> None:
    assert texts(over) == expected


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ("in-channels", "an equals sign and its values, such as in-channels=8:512:x2, not 'in-channels'"),
        ("inchannels=8", "not 'inchannels'; did you mean in-channels?"),
        ("stride=1,2", "what varies must be one of channels, in-channels"),
        ("in-channels=", "in channels: give values, such as 8:256:x2"),
        ("in-channels=8:512:y2", "the step must be x and a factor, as in 8:512:x2, or + and a number"),
        ("in-channels=8:512:2", "not '2'"),
        ("in-channels=8:512:x1", "the factor must be at least x2, not 'x1'"),
        ("in-channels=8:512:+0", "the step must be at least +1, not '+0'"),
        ("in-channels=0:512:x2", "a range that multiplies must begin at 1 or more, not '0'"),
        ("in-channels=64:8:x2", "'64:8:x2' ends before it begins: give the smaller one first"),
        ("in-channels=8::x2", "a range goes from one whole number to another, as in 8:256:x2, not '8::x2'"),
        ("in-channels=1:2:3:4", "'1:2:3:4' has too many parts: give first, last and step"),
        ("in-channels=8,,16", "a value is missing beside a comma"),
        ("in-channels=8,a", "in channels must be a whole number such as 8, not 'a'"),
        ("kernel-size=3x5:7:+2", "a range goes from one whole number to another"),
        ("dtype=float32:float64", "is a range, and names lie in no order: list them"),
        ("dtype=float23", "dtype must be one of float64"),
        ("threads=9999", "threads must be a whole number from 1 to 1024, not '9999'"),
        ("threads=0,1", "threads must be a whole number from 1 to 1024, not '0'"),
        ("in-channels=1:1000:+1", f"has more than {MOST_VALUES} values: take larger steps"),
    ],
)
def test_refusals(over: str, words: str) -> None:
    with pytest.raises(TextError) as refused:
        parse_over(over)
    assert words in str(refused.value)


@given(st.integers(1, 40), st.integers(0, 60), st.integers(1, 9))
def test_a_range_that_adds(first: int, length: int, step: int) -> None:
    found = parse_range(CHANNELS, f"{first}:{first + length}:+{step}").numbers
    assert found == tuple(range(first, first + length + 1, step))


@given(st.integers(1, 9), st.integers(2, 5), st.integers(0, 8))
def test_a_range_that_multiplies(first: int, factor: int, count: int) -> None:
    found = parse_range(CHANNELS, f"{first}:{first * factor**count}:x{factor}").numbers
    assert found == tuple(first * factor**power for power in range(count + 1))


@given(st.text(alphabet="0123456789x+:,*× -a.", max_size=20), st.sampled_from(sorted(AXES)))
def test_whatever_is_typed_is_a_range_or_refused(text: str, name: str) -> None:
    try:
        made = parse_range(AXES[name], text)
    except TextError:
        return
    assert 1 <= len(made.values) <= MOST_VALUES
    assert len(set(made.values)) == len(made.values)
    assert parse_over(made.text) == made


def test_a_range_is_only_as_long_as_it_may_be() -> None:
    """The refusal comes before the billion values are made."""
    with pytest.raises(TextError):
        parse_over("in-channels=1:999999999:+1")
