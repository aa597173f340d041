"""study(spec) for callers that must not import torch before it runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.analysis.progress import Progress
from tui.fusion.spec import BlockSpec

if TYPE_CHECKING:
    from tui.analysis.study import Study


def load_torch() -> None:
    """Import what a study needs, for a caller who expects to be asked for one."""
    import tui.analysis.study  # noqa: F401


def deferred_study(spec: BlockSpec) -> Iterator[Progress | Study]:
    """As `tui.analysis.study.study`, which it imports, and torch with it, at the first step."""
    if "torch" not in sys.modules:
        yield Progress("loading torch")
    from tui.analysis.study import study

    yield from study(spec)
