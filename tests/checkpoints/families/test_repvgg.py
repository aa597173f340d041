"""RepVGG and MobileOne in the names of each code: found under any prefix, and fused to what they do."""

from __future__ import annotations

import pytest

from tests.checkpoints.families.held_against import assert_fuses, image, ready
from tests.checkpoints.families.repvgg_modules import MOBILEONE_NAMES, REPVGG_NAMES, mobileone, repvgg


@pytest.mark.parametrize("family", REPVGG_NAMES)
@pytest.mark.parametrize(
    ("in_channels", "out_channels", "groups"), [(8, 8, 1), (8, 8, 2), (8, 8, 8), (4, 6, 1), (1, 1, 1)]
)
def test_repvgg(family: str, in_channels: int, out_channels: int, groups: int) -> None:
    module = ready(repvgg(family, in_channels, out_channels, groups=groups))
    found = assert_fuses(module, image(in_channels), family, REPVGG_NAMES[family][-1], groups=groups)
    assert found.in_channels == in_channels
    assert found.kernel_size == (3, 3)


@pytest.mark.parametrize("family", REPVGG_NAMES)
def test_repvgg_with_a_stride_has_no_identity(family: str) -> None:
    module = ready(repvgg(family, 8, 8, stride=2))
    found = assert_fuses(module, image(8), family, REPVGG_NAMES[family][-1], stride=2)
    assert [branch.text for branch in found.branches] == ["3x3-bias+norm", "1x1-bias+norm"]
    assert found.assumes("stride")


@pytest.mark.parametrize("family", MOBILEONE_NAMES)
@pytest.mark.parametrize(
    ("in_channels", "out_channels", "kernel_size", "groups", "branches"),
    [(8, 8, 3, 8, 4), (8, 8, 3, 1, 1), (8, 8, 1, 1, 12), (4, 6, 1, 1, 2), (4, 6, 3, 2, 3), (8, 8, 7, 8, 1)],
)
def test_mobileone(
    family: str, in_channels: int, out_channels: int, kernel_size: int, groups: int, branches: int
) -> None:
    module = ready(
        mobileone(family, in_channels, out_channels, kernel_size, groups=groups, branches=branches)
    )
    told = groups if in_channels == out_channels else 1
    fused = MOBILEONE_NAMES[family][-1]
    found = assert_fuses(module, image(in_channels), family, fused, groups=groups, told_groups=told)
    assert found.kernel_size == (kernel_size, kernel_size)
    assert found.assumes("groups") == (in_channels != out_channels)
