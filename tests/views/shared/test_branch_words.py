"""Sizes get a times sign, and names that somebody gave stay as they are."""

from __future__ import annotations

import pytest

from tui.views.shared.branch_words import with_times_sign


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("1x1 #2", "1×1 #2"),
        ("3x3d2", "3×3d2"),
        ("1x1-kxk", "1×1-k×k"),
        ("1x1>sobelx", "1×1>sobelx"),
        ("1x1 > (3x3 + identity) > 1x1", "1×1 > (3×3 + identity) > 1×1"),
        ("rbr_1x1", "rbr_1x1"),
        ("dbb_1x1_kxk", "dbb_1x1_kxk"),
        ("conv1x1", "conv1x1"),
        ("1x1_branch", "1x1_branch"),
    ],
)
def test_with_times_sign(name: str, shown: str) -> None:
    assert with_times_sign(name) == shown
