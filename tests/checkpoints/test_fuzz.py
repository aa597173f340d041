"""Damage at random makes a clear message or a checkpoint, and never more; the input stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.checkpoints.damage import damaged, damaged_pickles, outcome, valid_files

COUNT = 60
CASES: list[tuple[str, Callable[[bytes, int, int], Iterator[bytes]]]] = [
    ("safetensors", damaged),
    ("pt", damaged),
    ("legacy", damaged),
    ("pt", damaged_pickles),
]


@pytest.mark.parametrize(("kind", "damage"), CASES)
def test_damage_is_told_in_one_line(
    tmp_path: Path, kind: str, damage: Callable[[bytes, int, int], Iterator[bytes]]
) -> None:
    (tmp_path / "valid").mkdir()
    (tmp_path / "work").mkdir()
    data = valid_files(tmp_path / "valid")[kind]
    assert outcome(data, tmp_path / "work") == "read"
    found = [outcome(bad, tmp_path / "work") for bad in damage(data, COUNT, 11)]
    assert len(set(found)) > 3
    for message in found:
        assert message == "read" or message.startswith("'damaged' ")
        assert message.isprintable()
        assert len(message) < 400
