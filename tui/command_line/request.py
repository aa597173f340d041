"""Request: what a command line asks for, read and checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations
from tui.analysis.numerics.ran_on import CPU
from tui.analysis.subject import Subject
from tui.command_line.checkpoint_options import CheckpointRequest, OpenRequest
from tui.command_line.module_options import ModuleRequest, OpenModuleRequest
from tui.command_line.serve_options import ServeRequest
from tui.command_line.speed_options import SpeedRequest
from tui.command_line.sweep_options import SweepRequest
from tui.fusion.specs.block_spec import BlockSpec


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for.

    Attributes:
        spec: the block.
        alterations: the numbers to be set in it, and the mistake to fuse it with, if any.
        compared: the block that a saved study was compared with, if any.
        check: whether to report on it without a screen.
        as_json: whether that report is JSON.
        device: where both sides of it run.
        fused, fused_bias: files with a finished kernel to judge, and with its bias; None for none.
        checkpoint: what to do with a checkpoint file instead of all that.
        module: what to do with somebody's module instead.
        speed: what to time instead.
        sweep: what to time over a range instead.
        serve: how to show in browsers what the rest says.
        text: what to print instead: the help, the version, a completion script.
        keys: whether to print every key, which the screens know.
    """

    spec: BlockSpec = field(default_factory=BlockSpec)
    alterations: Alterations = NOTHING_ALTERED
    compared: Subject | None = None
    check: bool = False
    as_json: bool = False
    device: str = CPU
    fused: str | None = None
    fused_bias: str | None = None
    checkpoint: CheckpointRequest | None = None
    module: ModuleRequest | None = None
    speed: SpeedRequest | None = None
    sweep: SweepRequest | None = None
    serve: ServeRequest | None = None
    text: str | None = None
    keys: bool = False

    @property
    def on_screen(self) -> bool:
        """Whether it opens the program, in a terminal or, with `serve`, in browsers."""
        asked = self.checkpoint or self.module
        shows = asked is None or isinstance(asked, OpenRequest | OpenModuleRequest)
        timed = self.sweep is not None or self.speed is not None
        return shows and not (self.check or self.text is not None or self.keys or timed)
