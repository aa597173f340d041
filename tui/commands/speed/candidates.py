"""What `speed` times: the block of the options, those of a checkpoint, those of a module and the whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial

from torch import Tensor, nn

from tui.analysis.numerics.devices import device_named
from tui.analysis.speed.conditions import CPU
from tui.analysis.speed.memory import bytes_for, refuse_too_large
from tui.analysis.speed.report import Side
from tui.analysis.speed.several import Candidate, Made
from tui.analysis.speed.sides import sides_of
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.errors import CheckpointError, named
from tui.checkpoints.file_block import FileBlock
from tui.checkpoints.found import FoundBlock as InFile
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.recognising import recognise
from tui.command_line.module_options import ModuleSource
from tui.command_line.speed_options import FileSource, SpeedRequest
from tui.commands.module.inspecting import title_of
from tui.commands.module.loading import loaded, refuse_no_block
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.fill import fill_block, make_input
from tui.fusion.spec import BlockSpec
from tui.fusion.torch_dtypes import torch_dtype
from tui.modules.found import FoundBlock as InModule
from tui.modules.fusing import example_of
from tui.modules.looking import LookedAt, look_at
from tui.modules.model import fuse_model

WHOLE = "the whole model"


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
                yield [Candidate("", partial(_of_spec, asked.source, asked.conditions.device))]
            case FileSource():
                source = inside.enter_context(open_checkpoint(asked.source.path))
                yield _of_file(source, asked.source, asked.conditions.device)
            case ModuleSource():
                yield _of_module(asked.source)


def _of_spec(spec: BlockSpec, device: str = CPU) -> Made:
    _refuse_too_large(spec, device)
    return _made(fill_block(build_block(spec).to(torch_dtype(spec.dtype)), spec), make_input(spec))


def _refuse_too_large(spec: BlockSpec, device: str) -> None:
    """Before its input is made, which alone may be more than there is."""
    refuse_too_large(bytes_for(spec, device), device_named(device))


def _made(block: ReparamBlock, x: Tensor) -> Made:
    return Made(sides_of(block, block.fuse()), x)


def _of_file(source: Checkpoint, asked: FileSource, device: str) -> list[Candidate]:
    reading = asked.reading
    found = recognise(source.entries, family=reading.family, conv_bn=reading.conv_bn)
    if not found.blocks:
        raise CheckpointError(
            f"{named(source.path)}: no re-parameterizable block was found; repfuse-tui inspect lists what it "
            "holds"
        )
    name = source.path.stem
    return [
        Candidate(each.prefix or name, partial(_read, source, each, asked, device)) for each in found.blocks
    ]


def _read(source: Checkpoint, found: InFile, asked: FileSource, device: str) -> Made:
    origin = FileBlock(source, found, asked.reading.eps)
    spec = replace(
        origin.spec,
        input_shape=asked.input_shape,
        batch_size=asked.batch_size,
        dtype=asked.dtype or origin.spec.dtype,
    )
    _refuse_too_large(spec, device)
    return _made(origin.block(spec), make_input(spec))


def _of_module(asked: ModuleSource) -> list[Candidate]:
    module, example = loaded(asked)
    looked = look_at(module, example, asked.target)
    refuse_no_block(looked)
    made = [
        Candidate(title_of(looked, found), partial(_in_module, looked, found))
        for found in looked.findings.blocks
    ]
    if looked.whole is None:
        image = example_of(module) if example is None else example
        made.append(Candidate(WHOLE, partial(_whole, module, image), is_whole=True))
    return made


def _in_module(looked: LookedAt, found: InModule) -> Made:
    origin = looked.on_the_bench(found)
    x = found.region.source.value.detach().to("cpu", torch_dtype(origin.spec.dtype))
    return _made(origin.block(origin.spec), x)


def _whole(module: nn.Module, example: Tensor) -> Made:
    fused, _ = fuse_model(module, example)
    return Made({Side.UNFUSED: module, Side.FUSED: fused}, example)
