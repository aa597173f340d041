"""The threads of a convolution sleep soon when they wait, unless the user asks for something else."""

from __future__ import annotations

import os

import pytest

import tui.__main__
import tui.cli
from tui.idle_threads import SPINS, let_idle_threads_sleep


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, {"GOMP_SPINCOUNT": SPINS}),
        ({"GOMP_SPINCOUNT": "7"}, {"GOMP_SPINCOUNT": "7"}),
        ({"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": "active"}),
    ],
    ids=["nothing", "turns", "policy"],
)
def test_what_the_user_asks_of_openmp_holds(given: dict[str, str], asked: dict[str, str]) -> None:
    environment = dict(given)
    let_idle_threads_sleep(environment)
    assert environment == asked


def test_the_command_asks_it_before_torch_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "")  # so that it is taken back after the test
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setattr("signal.signal", lambda *_: None)  # Ctrl+C stays pytest's
    monkeypatch.setattr("tui.collecting.put_off_collecting", lambda: None)
    found: list[str | None] = []
    monkeypatch.setattr(tui.cli, "run", lambda: found.append(os.environ.get("GOMP_SPINCOUNT")))
    tui.__main__.run()
    assert found == [SPINS]
