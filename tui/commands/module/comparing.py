"""compare(asked): judge what another tool made of a module, as `compare` of files does."""

from __future__ import annotations

from pathlib import Path

from tui.checkpoints.comparison.comparing import compare_unfused
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.held_tensors import HeldTensors
from tui.checkpoints.opening import open_checkpoint
from tui.command_line.checkpoint_options import CompareRequest
from tui.command_line.module_options import CompareModuleRequest, ModuleSource
from tui.commands.compare.command import compare as compare_file
from tui.commands.compare.command import report, with_progress
from tui.commands.module.loading import loaded, looked_at, refuse_no_block
from tui.comparing.unfused_module import unfused_in
from tui.modules.reading import tensors_of


def compare(asked: CompareModuleRequest) -> int:
    """Print the report; returns the exit status of `compare` of files.

    Raises:
        Refusal: a module or a file cannot be used, or the first has no block.
        OSError: the report could not be written.
    """
    looked = looked_at(asked.source)
    refuse_no_block(looked)
    with opened(asked.given) as given:
        compared = with_progress(compare_unfused(unfused_in(looked).unfused, given))
    return report(compared, as_json=asked.as_json)


def compare_with_module(asked: CompareRequest) -> int:
    """As `compare` of two files, of which the second is a module; only its tensors count.

    Raises:
        Refusal, OSError: as there, and where the module cannot be had.
    """
    return compare_file(asked, lambda: opened(asked.given))


def opened(given: Path | ModuleSource) -> Checkpoint:
    """What was made of something, a file or the tensors of a module.

    Raises:
        Refusal: it cannot be had.
    """
    if isinstance(given, ModuleSource):
        return HeldTensors(tensors_of(loaded(given).module), given.target)
    return open_checkpoint(given)
