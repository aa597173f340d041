"""What `speed` times: the block of the options, those of a checkpoint, those of a module and the whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from tui.analysis.numerics.devices import device_named
from tui.analysis.speed.conditions import CPU
from tui.analysis.speed.several import Candidate, Made, made_of, refuse_spec
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.errors import CheckpointError, named
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.recognising import recognise
from tui.checkpoints.timing import candidates_of as of_file
from tui.command_line.module_options import ModuleSource
from tui.command_line.speed_options import FileSource, SpeedRequest
from tui.commands.module.loading import loaded, refuse_no_block
from tui.fusion.block import build_block
from tui.fusion.fill import fill_block, make_input
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.torch_dtypes import torch_dtype
from tui.modules.looking import look_at
from tui.modules.timing import candidates_of as of_module


@contextmanager
def candidates_of(asked: SpeedRequest) -> Iterator[list[Candidate]]:
    """What is to be timed; a file stays open inside `with`.

    Raises:
        DeviceError: the device is not here.
        Refusal: a file or a module cannot be used, or there is no block in it.
    """
    device_named(asked.conditions.device)
    with ExitStack() as inside:
        match asked.source:
            case BlockSpec():
                make = partial(_of_spec, asked.source, asked.conditions.device)
                yield [Candidate("", make, specs=(asked.source,))]
            case FileSource():
                source = inside.enter_context(open_checkpoint(asked.source.path))
                yield _of_file(source, asked.source, asked.conditions.device)
            case ModuleSource():
                yield _of_module(asked.source)


def _of_spec(spec: BlockSpec, device: str = CPU) -> Made:
    refuse_spec(spec, device)
    return made_of(fill_block(build_block(spec).to(torch_dtype(spec.dtype)), spec), make_input(spec))


def _of_file(source: Checkpoint, asked: FileSource, device: str) -> list[Candidate]:
    reading = asked.reading
    found = recognise(source.entries, family=reading.family, conv_bn=reading.conv_bn)
    if not found.blocks:
        raise CheckpointError(
            f"{named(source.path)}: no re-parameterizable block was found; repfuse-tui inspect lists what it "
            "holds"
        )
    eps_of = {each.prefix: reading.eps for each in found.blocks}
    return of_file(source, found.blocks, asked.run_on, device, eps_of)


def _of_module(asked: ModuleSource) -> list[Candidate]:
    module, example = loaded(asked)
    looked = look_at(module, example, asked.target)
    refuse_no_block(looked)
    return of_module(looked)
