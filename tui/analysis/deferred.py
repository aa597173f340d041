"""run_study for callers that must not import torch before it runs."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.analysis.numerics.ran_on import CPU
from tui.analysis.progress import Doing
from tui.analysis.subject import Subject

if TYPE_CHECKING:
    from tui.analysis.study import Piece

SELDOM = 100
"""Collections of the younger objects, of which a change of view takes one or two, between two of all."""


def load_torch() -> None:
    """Import what a study needs, torch above all.

    The objects of these modules live as long as the process: they are taken out of the garbage collector's
    rounds, each of which would otherwise go through all of them and hold a key press up for 75 ms and more.
    What is made later, widgets above all, takes 20 to 50 ms a round: there are fewer of them.
    """
    import tui.analysis.study  # noqa: F401

    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], SELDOM)


def deferred_study(subject: Subject, device: str = CPU) -> Iterator[Piece]:
    """As `tui.analysis.study.run_study`, which it imports, and torch with it, at the first step."""
    if "torch" not in sys.modules:
        yield Doing("loading torch")
        load_torch()
    from tui.analysis.study import run_study

    yield from run_study(subject, device)
