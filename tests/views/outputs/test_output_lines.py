from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.specs import ROUNDED
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.outputs.output_element import OutputElement
from tui.analysis.study import Study, study_of
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.receptive_field import Area, ReceptiveField
from tui.views.outputs.output_lines import element_line, field_line, places, reader_line, tap_line
from tui.views.shared.breaking import broken

PIXEL = Pixel(0, 1, 4, 7)
ELEMENT = OutputElement(0.1234, 0.12340024, 2.4e-7, 2.0, 1.04e-6)
FIELD = ReceptiveField.of(BlockSpec())


@pytest.fixture(scope="module")
def found() -> Study:
    return study_of(ROUNDED)


def test_an_element_and_its_difference(found: Study) -> None:
    assert str(broken(element_line(found, ELEMENT, PIXEL), 200)) == (
        "out 1 (4,7): unfused +0.1234, fused +0.1234, difference 2.4e-07 = 2 ulps "
        "= 23 % of its budget 1.0e-06"
    )


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"difference": 0.0}, "fused +0.1234, the same"),
        ({"difference": math.nan}, "fused +0.1234, not compared"),
        ({"difference": math.inf}, "difference inf = any number of times its budget 1.0e-06"),
        ({"budget": None}, "= 2 ulps, its channel was not judged"),
        ({"budget": 1e-7}, "= 2.4 times its budget 1.0e-07"),
        ({"ulps": 1.0, "budget": None}, "= 1 ulp, its channel was not judged"),
        ({"ulps": 123456.0, "budget": None}, "= 1.2e+05 ulps, its channel was not judged"),
    ],
)
def test_other_differences(found: Study, changes: dict[str, float | None], end: str) -> None:
    element = replace(ELEMENT, **changes)  # type: ignore[arg-type]
    assert str(broken(element_line(found, element, PIXEL), 200)).endswith(end)


def test_what_an_element_reads() -> None:
    assert str(field_line(FIELD, PIXEL, 0, "")) == "reads in 0: rows 3–5, columns 6–8; 9 taps"
    assert str(field_line(FIELD, Pixel(0, 0, 0, 8), 1, "largest difference")) == (
        "reads in 1: rows 0–1, columns 7–8; 5 of 9 taps in the padding · largest difference"
    )


def test_what_a_tap_reads() -> None:
    assert str(tap_line(FIELD, PIXEL, 0, (0, 2), (0.5, -2.0))) == (
        "tap (0,2) +0.5000 × in 0 (3,8) -2; for all outputs: rows 0–7, columns 1–8"
    )
    assert str(tap_line(FIELD, Pixel(0, 0, 0, 0), 0, (0, 0), (0.5, None))) == (
        "tap (0,0) +0.5000 × the padding; for all outputs: rows 0–7, columns 0–7"
    )
    assert str(tap_line(FIELD, PIXEL, 0, (1, 1), None)).startswith("tap (1,1) reads in 0 (4,7);")
    pixel = ReceptiveField.of(BlockSpec(input_shape=(1, 1)))
    assert str(tap_line(pixel, Pixel(0, 0, 0, 0), 0, (0, 0), None)).endswith(
        "for all outputs: nothing but padding"
    )


def test_what_reads_an_input() -> None:
    assert str(reader_line(FIELD, (8, 8), 0, 0.25)) == (
        "in 0 (8,8) +0.2500 is read by 4 outputs: rows 7–8, columns 7–8"
    )
    apart = ReceptiveField.of(replace(BlockSpec(), stride=(2, 2), branches=BlockSpec().branches[1:2]))
    assert str(reader_line(apart, (1, 1), 0, 0.25)).endswith(
        "is read by 0 outputs, it falls between the taps"
    )


def test_places_say_every_how_many() -> None:
    assert places(Area(range(0, 9, 2), range(1, 8, 2))) == "rows 0–8, columns 1–7, every 2nd"
    assert places(Area(range(9), range(1, 8, 3))) == "rows 0–8, columns 1–7 every 3rd"
    assert places(Area(range(2, 3), range(4, 5, 2))) == "row 2, column 4"
    assert places(Area(range(0, 44, 11), range(0, 63, 21))) == "rows 0–33 every 11th, columns 0–42 every 21st"
