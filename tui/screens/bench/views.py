"""The views of the bench, in the order of their tabs; the code of each is imported when it is first shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from tui.views.shared.study_view import StudyView


@dataclass(frozen=True)
class BenchView:
    """A view as its tab, its key and the help tell of it; its class is `tui.views.TITLE.view.TitleView`.

    Attributes:
        title: what the tab says.
        summary: the question that the view answers, for the help and the palette.
    """

    title: str
    summary: str

    @property
    def id(self) -> str:
        """The id of its pane."""
        return self.title.lower()

    def load(self) -> type[StudyView]:
        """Its class. All of them together take as long to import as half of the first paint."""
        return cast("type[StudyView]", getattr(import_module(self._home), f"{self.title}View"))

    @property
    def _home(self) -> str:
        return f"tui.views.{self.id}.view"


KERNELS = BenchView("Kernels", "what kernel each branch is, and how they add up; any number can be edited")
STEPS = BenchView("Steps", "why the identity is a k×k kernel, how a batch norm is folded: each step, checked")
OUTPUTS = BenchView("Outputs", "what goes in, what comes out, and where the two sides differ")
PROBE = BenchView("Probe", "one output element by hand: product by product, bit by bit")
ROUNDING = BenchView("Rounding", "why the difference is not 0, and what the four dtypes make of it")
MISTAKES = BenchView("Mistakes", "what a wrong fusion looks like, and which mistake a wrong one looks like")
SPEED = BenchView("Speed", "how much faster the fused block runs, and what limits it")

VIEWS = (KERNELS, STEPS, OUTPUTS, PROBE, ROUNDING, MISTAKES, SPEED)
"""In the order of their tabs."""


def load_views() -> Iterator[type[StudyView]]:
    """Import one after the other, so that the first look at one needs not wait for it."""
    return (view.load() for view in VIEWS)
