"""Numbers to their last bit."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.fusion.specs.block_spec import Dtype
from tui.widgets.digits import against, all_digits


def next_float32(value: float) -> float:
    (bits,) = struct.unpack("<i", struct.pack("<f", value))
    (following,) = struct.unpack("<f", struct.pack("<i", bits + 1))
    return float(following)


@given(st.floats(2.0**-60, 2.0**60, width=32))
def test_neighbours_in_float32_read_differently(value: float) -> None:
    for hexadecimal in (False, True):
        one, other = all_digits((value, next_float32(value)), Dtype.FLOAT32, hexadecimal=hexadecimal)
        assert one != other
        assert len(one) == len(other) or value >= 10 or hexadecimal


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float64_can_be_read_back(value: float) -> None:
    (decimal,) = all_digits([value], Dtype.FLOAT64)
    (hexadecimal,) = all_digits([value], Dtype.FLOAT64, hexadecimal=True)
    assert float(decimal) == float.fromhex(hexadecimal) == value


@pytest.mark.parametrize(
    ("values", "dtype", "texts"),
    [
        ((0.125, 1.0), Dtype.BFLOAT16, ["+0.1250", "+1.0000"]),
        ((2.0**-30, 1.0), Dtype.BFLOAT16, ["+0.0000000", "+1.0000000"]),
        ((-12.5, 0.0), Dtype.FLOAT16, ["-12.500", "+0.000"]),
        ((2.0**-30,), Dtype.FLOAT32, ["+9.31322575e-10"]),
        ((math.nan, -math.inf, 2.0), Dtype.BFLOAT16, ["+nan", "-inf", "+2.000"]),
        ((0.0,), Dtype.BFLOAT16, ["+0.000"]),
    ],
)
def test_as_many_decimals_as_the_values_need(
    values: tuple[float, ...], dtype: Dtype, texts: list[str]
) -> None:
    assert all_digits(values, dtype) == texts


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (0.1015625, Dtype.BFLOAT16, "+0x1.a0p-4"),
        (-1.0, Dtype.FLOAT16, "-0x1.000p+0"),
        (0.0, Dtype.FLOAT32, "+0x0.000000p+0"),
        (1 + 2.0**-23, Dtype.FLOAT32, "+0x1.000002p+0"),
        (math.inf, Dtype.FLOAT32, "+inf"),
    ],
)
def test_hexadecimal_has_all_bits_of_the_dtype(value: float, dtype: Dtype, text: str) -> None:
    assert all_digits([value], dtype, hexadecimal=True) == [text]


def test_what_differs_is_marked_from_the_first_digit_on() -> None:
    marked = against("+1.2345", "+1.2399", "bold")
    assert [(span.start, span.end) for span in marked.spans] == [(5, 7)]
    assert not any(span.end > span.start for span in against("+1.5", "+1.5", "bold").spans)
