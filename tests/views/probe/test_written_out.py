"""A sum written out: that the numbers on the screen are those of the sum, and fit."""

from __future__ import annotations

import math
import re

import pytest
import torch
from textual.content import Content

from tests.specs import EXACT
from tui.analysis.alterations.alterations import Alterations
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.probe.probe import Totals, probe
from tui.analysis.probe.written import Applied, WrittenStage, WrittenSum, written_sum
from tui.analysis.study import study_of
from tui.fusion.specs.block_spec import Dtype
from tui.views.probe.ledger import rows_of
from tui.views.probe.two_totals import difference_in_words
from tui.views.probe.written_out import Page, cell, page_of, stage_lines

NUMBER = re.compile(r"[+-]?\d*\.?\d+(?:e[+-]?\d+)?|·")


def dyadic(channels: int, height: int, width: int) -> WrittenSum:
    """Eighths under quarters, the first row of taps on the padding."""
    count = channels * height * width
    patch = (torch.arange(count, dtype=torch.float64).view(channels, height, width) - count // 2) / 8
    padding = torch.zeros(height, width, dtype=torch.bool)
    if height > 1:
        padding[0] = True
    weight = (torch.arange(count, dtype=torch.float64).view(channels, height, width) % 7 - 3) / 4
    patch = patch.masked_fill(padding, 0)
    return written_sum(patch, weight, torch.tensor(0.5), padding, first_channel=4, dtype=torch.float32)


def lines_of(stage: WrittenStage, page: Page) -> list[str]:
    return stage_lines("kxk", stage, page, Dtype.FLOAT32).plain.splitlines()


def numbers(text: str) -> list[float]:
    return [0.0 if number == "·" else float(number) for number in NUMBER.findall(text)]


def test_patch_times_kernel_are_the_products_and_they_add_up() -> None:
    terms = dyadic(2, 3, 3)
    shown = lines_of(WrittenStage(terms), Page(5, 90, 20))
    parts = [re.split("[×=]", line) for line in shown[2:5]]
    patch, weight, products = (numbers(" ".join(row[grid] for row in parts)) for grid in range(3))
    assert patch == terms.patch[1].flatten().tolist()
    assert weight == terms.weight[1].flatten().tolist()
    assert products == [one * other for one, other in zip(patch, weight, strict=True)]
    first, chosen = numbers(shown[5].replace("in 4", "").replace("in 5", ""))
    assert chosen == sum(products)
    count, total, bias, value = numbers(shown[6])
    assert (count, bias) == (18, 0.5)
    assert first + chosen == total == value - bias


def test_a_pointwise_kernel_is_a_line_for_each_channel() -> None:
    terms = dyadic(9, 1, 1)
    shown = lines_of(WrittenStage(terms), Page(11, 78, 6))
    rows = [numbers(line.split("in ")[1]) for line in shown[1:-1]]
    assert [row[0] for row in rows] == [8, 9, 10, 11]  # the second page of four
    assert all(patch * weight == product for _, patch, weight, product in rows)
    assert shown[4].startswith("▸ in 11")


def test_what_is_applied_follows_from_the_sum() -> None:
    applied = (Applied("batch norm", 1.5, -0.25, 2.0), Applied("alpha", -0.5, 0.0, -1.0))
    shown = lines_of(WrittenStage(dyadic(1, 1, 1), applied), Page(0, 78, 9))
    assert shown[-2].split() == ["batch", "norm:", "×", "+1.50000000", "-", "0.250000000", "=", "+2.00000000"]
    assert shown[-1].split() == ["alpha:", "×", "-0.500000000", "=", "-1.00000000"]


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 5), (1, 7), (7, 7), (13, 13), (63, 63)], ids=str)
@pytest.mark.parametrize("columns", [76, 86, 89])
def test_every_kernel_fits_in_the_columns(size: tuple[int, int], columns: int) -> None:
    for channels in (1, 64):
        shown = lines_of(WrittenStage(dyadic(channels, *size)), Page(3, columns, 9))
        assert max(map(len, shown)) <= columns + 1
        assert len(shown) <= 3 * 32 + 6


@pytest.mark.parametrize("width", range(4, 13))
def test_a_number_leaves_a_blank_in_its_cell(width: int) -> None:
    for value in (0.0, 0.25, -1.0, 1 / 3, -1234.5678, 1e-20, -1e30, math.nan, math.inf):
        for padding in (False, True):
            assert len(cell(value, width, padding=padding)[0]) <= width - (width > 4), value


def test_a_number_that_fits_is_not_shortened() -> None:
    assert cell(0.25, 9) == ("+0.25", "")
    assert cell(1 / 3, 9) == ("+0.33333", "")


def test_the_padding_is_marked_without_colour() -> None:
    assert cell(0.0, 6, padding=True)[0].strip() == "·"
    text, style = cell(0.5, 6, padding=True)
    assert (text, "underline" in style) == ("+0.5", True)


def test_pages_hold_every_channel_once() -> None:
    assert [page_of(10, chosen, 4) for chosen in (0, 3, 4, 9)] == [
        range(4),
        range(4),
        range(4, 8),
        range(8, 10),
    ]


@pytest.mark.parametrize(
    ("unfused", "fused", "words"),
    [
        (1.0, 1.0 + 2.0**-22, "+2.4e-07 = 2 ulps"),
        (1.0, 1.0 - 2.0**-24, "-6.0e-08 = 0.5 ulps"),
        (1.0, 1.0 + 2.0**-23, "+1.2e-07 = 1 ulp"),
        (0.0, 1.0, "+1"),
        (2.0, 2.0, " 0"),
        (math.nan, 1.0, "+nan"),
    ],
)
def test_a_difference_in_words(unfused: float, fused: float, words: str) -> None:
    assert difference_in_words(Totals(Dtype.FLOAT32, unfused, fused)) == words


def test_lines_are_content() -> None:
    assert isinstance(
        stage_lines("[/]", WrittenStage(dyadic(1, 1, 1)), Page(0, 78, 9), Dtype.FLOAT32), Content
    )


@pytest.mark.parametrize(("mistake", "sign"), [("", "="), ("identity-twice", "≠")])
def test_a_sum_that_is_not_the_fused_kernel_says_so(mistake: str, sign: str) -> None:
    study = study_of(EXACT, Alterations(mistake=mistake))
    assert rows_of(probe(study, Pixel(0, 0, 4, 4)), adds_up=study.adds_up)[-1].title == f"{sign} fused"
