"""The other end of bench_engine's --against: times studies in the tree that it is started for.

    PYTHONPATH=TREE python study_timer.py

Reads a spec a line, as JSON of what is other than the repvgg preset's; answers each with the seconds of one
study on one thread, on the clock and of the processor. The first of each spec warms up.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from typing import Any

import torch

from tui.analysis.study import study_of
from tui.fusion.presets import PRESETS


def spec_of(asked: dict[str, Any]) -> Any:
    """A preset's spec, repvgg's where none is named, with what else is asked.

    Its class has another module in an older tree, and is not named.
    """
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in asked.items()
    }
    return replace(PRESETS[str(values.pop("preset", "repvgg"))].spec, **values)


def main() -> None:
    """Answer until there is nothing more to read."""
    torch.set_num_threads(1)
    for line in sys.stdin:
        spec = spec_of(json.loads(line))
        clock, processor = time.perf_counter(), time.process_time()
        study_of(spec)
        print(json.dumps([time.perf_counter() - clock, time.process_time() - processor]), flush=True)


if __name__ == "__main__":
    main()
