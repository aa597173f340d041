"""The same block in all four dtypes: how far apart both sides are, and what each dtype can show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tui.analysis.progress import Progress
from tui.analysis.study import Study


@dataclass(frozen=True, eq=False)
class DtypeTable:
    """A row a dtype."""


def dtype_table(study: Study) -> Iterator[Progress | DtypeTable]:
    """Yield a Progress before each run, and the table last."""
    yield DtypeTable()
