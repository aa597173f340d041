"""Fixtures for tests of what the numbers mean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(scope="module")
def without_onednn() -> Iterator[None]:
    """torch's own convolutions. oneDNN's are wrong in bfloat16 on CPUs with AMX, for a few shapes.

    Seen in torch 2.13: stride 2 to an output one pixel wide, and 8 channels under a kernel 8 wide.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.backends.mkldnn, "enabled", False)
        yield
