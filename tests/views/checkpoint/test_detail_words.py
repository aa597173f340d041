"""What is beside the tree of a checkpoint, in words."""

from __future__ import annotations

import pytest

from tui.checkpoints.contents import Entry
from tui.views.checkpoint.detail_words import _tensor_words


@pytest.mark.parametrize(("shape", "words"), [((), ", 1 number,"), ((1,), ", 1 number,"), ((2,), "2 number")])
def test_a_single_number_is_no_plural(shape: tuple[int, ...], words: str) -> None:
    assert words in _tensor_words(Entry("scale", shape, "float32"))
