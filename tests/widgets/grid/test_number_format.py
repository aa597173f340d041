from __future__ import annotations

from math import inf, isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.grid.number_format import cell_text, precise

WIDTHS = st.integers(4, 12)


@pytest.mark.parametrize(
    ("value", "narrow", "middle", "wide"),
    [
        (0.0, " 0  ", "  0   ", "   0    "),
        (-0.0, " 0  ", "  0   ", "   0    "),
        (0.1034, "+.10", "+0.10 ", "+0.1034 "),
        (-0.57, "-.57", "-0.57 ", "-0.5700 "),
        (1e-9, "+.00", "+0.00 ", "+0.0000 "),
        (-1e-9, "-.00", "-0.00 ", "-0.0000 "),
        (0.999, "+1.0", "+1.00 ", "+0.9990 "),
        (1.36, "+1.4", "+1.36 ", "+1.3600 "),
        (12.3, "+12 ", "+12.3 ", "+12.300 "),
        (-123.4, "-123", "-123  ", "-123.40 "),
        (12345.0, "+1e4", "+1e4  ", "+12345  "),
        (9.6e9, "+###", "+1e10 ", "+9.60e9 "),
        (-3e38, "-###", "-3e38 ", "-3.0e38 "),
        (1e300, "+###", "+#### ", "+1e300  "),
        (nan, "nan ", " nan  ", "  nan   "),
        (inf, "+inf", "+inf  ", "+inf    "),
        (-inf, "-inf", "-inf  ", "-inf    "),
    ],
)
def test_a_value_in_cells_of_4_6_and_8_columns(value: float, narrow: str, middle: str, wide: str) -> None:
    assert (cell_text(value, 4), cell_text(value, 6), cell_text(value, 8)) == (narrow, middle, wide)


@given(st.floats(), WIDTHS)
def test_a_text_is_exactly_as_wide_as_its_cell(value: float, width: int) -> None:
    text = cell_text(value, width)
    assert len(text) == width
    assert width == 4 or text.endswith(" ")


@given(st.floats(), WIDTHS)
def test_only_exact_zero_reads_as_zero_and_all_else_has_its_sign(value: float, width: int) -> None:
    text = cell_text(value, width).strip()
    assert (text == "0") == (value == 0)
    if value != 0 and not isnan(value):
        assert text[0] == ("+" if value > 0 else "-")


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9), WIDTHS)
def test_a_text_is_near_its_value(value: float, width: int) -> None:
    assert float(cell_text(value, width)) == pytest.approx(value, rel=0.5, abs=0.0051)


@given(st.floats(-999, 999), WIDTHS)
def test_a_wider_cell_is_never_less_exact(value: float, width: int) -> None:
    near, nearer = float(cell_text(value, width)), float(cell_text(value, width + 1))
    if width != 4:  # five columns lose one to the gap
        assert abs(nearer - value) <= abs(near - value) + 1e-12


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.1034, "+0.1034"),
        (-0.08771, "-0.0877"),
        (1.36, "+1.3600"),
        (-12.345678, "-12.346"),
        (1234.5, "+1234.5"),
        (9999.49, "+9999.5"),
        (9999.96, "+1.00e+04"),
        (1.03e-5, "+1.03e-05"),
        (-3.4e38, "-3.40e+38"),
        (0.99999, "+1.0000"),
        (1.0, "+1"),
        (-2.0, "-2"),
        (9999.0, "+9999"),
        (nan, "nan"),
        (inf, "+inf"),
        (-inf, "-inf"),
    ],
)
def test_a_value_in_a_line_of_text(value: float, text: str) -> None:
    assert precise(value) == text


@given(st.floats(-1e308, 1e308))
def test_a_precise_text_is_right_to_the_last_digit_it_shows(value: float) -> None:
    text = precise(value)
    assert (text == "0") == (value == 0)
    assert len(text) <= 10
    fixed = 0.001 <= abs(value) < 1
    assert float(text) == pytest.approx(value, rel=0.0051, abs=0.00005001 if fixed else 1e-310)
