"""Who has a torch already takes the same versions, without torch."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def pins(name: str) -> list[str]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_the_two_files_differ_by_torch_alone() -> None:
    every = pins("constraints.txt")
    torch = [line for line in every if line.startswith("torch==")]
    assert len(torch) == 1
    assert [line for line in every if line not in torch] == pins("constraints-without-torch.txt")
