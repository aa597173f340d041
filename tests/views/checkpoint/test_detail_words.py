"""What is beside the tree of a checkpoint, in words."""

from __future__ import annotations

import pytest

from tui.checkpoints.contents import Entry
from tui.checkpoints.inspection.eps_change import EpsChange
from tui.views.checkpoint.detail_words import _on_eps, _tensor_words


@pytest.mark.parametrize(("shape", "words"), [((), ", 1 number,"), ((1,), ", 1 number,"), ((2,), "2 number")])
def test_a_single_number_is_no_plural(shape: tuple[int, ...], words: str) -> None:
    assert words in _tensor_words(Entry("scale", shape, "float32"))


@pytest.mark.parametrize(("used", "words"), [(1e-5, "1e-3 for 1e-5: "), (1e-3, "1e-5 for 1e-3: ")])
def test_the_other_eps_is_not_the_one_that_is_used(used: float, words: str) -> None:
    """YOLO's families have 1e-3 from the first, and a person may choose it."""
    first, _ = _on_eps(EpsChange("stem.bn.running_var", 2, 1e-4, 3.16), used)
    assert first.plain.startswith(words)
