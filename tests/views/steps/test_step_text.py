"""A step in words."""

from __future__ import annotations

import math

import torch

from tui.analysis.steps.step import Check, Step, Written, step_kernel
from tui.fusion.kernel import Kernel, dirac
from tui.fusion.tap import Tap
from tui.views.steps.step_text import check_line, kernel_table, operation_lines, place_line

PASSED = Check("padded conv = 1×1 conv", 8.9e-16, 2.3e-9, True)


def step(kernel: Kernel) -> Step:
    return Step(
        "identity",
        "identity to 3×3",
        "why",
        (),
        step_kernel("3×3", kernel, (3, 3)),
        lambda place: (
            (f"weight[{place[0]}] ", -0.25, " × scale ", 2.0, " = "),
            ("of ", Written("-1.5e-09")),
        ),
        PASSED,
        diagonal="Dirac",
    )


def test_a_check_tells_what_was_found_and_what_is_allowed() -> None:
    assert check_line(PASSED).plain == "✓ holds  padded conv = 1×1 conv: 8.9e-16 apart, allowed 2.3e-09"
    failed = Check("a = b", math.inf, None, False, "on 5×5 of 9×9 pixels")
    assert check_line(failed).plain == "✗ FAILS  a = b on 5×5 of 9×9 pixels: inf apart"


def test_the_numbers_stand_out_from_the_words() -> None:
    content = operation_lines(step(dirac(2)), Tap(1, 0, 0, 0))
    assert content.plain == "weight[1] -0.2500 × scale 2 = \nof -1.5e-09"
    bold = [content.plain[span.start : span.end] for span in content.spans if span.style == "bold"]
    assert bold == ["-0.2500", "2", "-1.5e-09"]


def test_where_it_stands() -> None:
    assert place_line(step(dirac(2)), 3, 6).plain == "3 of 6   identity   identity to 3×3"


def test_a_table_of_all_kernels() -> None:
    table = kernel_table(step(dirac(2)), Tap(0, 0, 1, 1), 40, 9).plain
    assert [line.split() for line in table.splitlines()] == [
        ["in", "0", "in", "1"],
        ["out", "0", "Dirac", "zero"],
        ["out", "1", "zero", "Dirac"],
    ]


def test_a_table_of_many_kernels_follows_the_cursor() -> None:
    table = kernel_table(step(dirac(64, 2)), Tap(50, 18, 1, 1), 30, 4).plain
    lines = table.splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) <= 30
    assert "in 18" in lines[0]
    assert any(line.startswith("out 50") and "Dirac" in line for line in lines)


def test_the_table_says_what_the_kernels_are() -> None:
    kernel = Kernel(torch.zeros(2, 2, 1, 1, dtype=torch.float64), None)
    assert "Dirac" not in kernel_table(step(kernel), Tap(0, 0, 1, 1), 40, 9).plain
