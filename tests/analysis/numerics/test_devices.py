"""Where both sides of a study run, and what is said of it; on a real second device where there is one."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from tui.analysis.numerics.devices import (
    DeviceError,
    device_named,
    devices_here,
    name_of,
    ran_on,
    refuse_dtype,
)
from tui.analysis.numerics.ran_on import ON_THE_CPU, RanOn
from tui.analysis.study import study_of
from tui.analysis.verdict.runs import run
from tui.commands.check.table import table_of
from tui.fusion.specs.block_spec import BlockSpec, Dtype

SPEC = BlockSpec(4, 4)


class Noting(nn.Module):
    """Says which module ran, and where its input lay."""

    def __init__(self, log: list[tuple[int, str]]) -> None:
        super().__init__()
        self.log = log

    def __deepcopy__(self, _: object) -> Noting:
        return Noting(self.log)

    def forward(self, x: Tensor) -> Tensor:
        self.log.append((id(self), x.device.type))
        return x + 1


@pytest.fixture
def second_cpu(monkeypatch: pytest.MonkeyPatch) -> str:
    """A device by another name, whose numbers are the CPU's."""
    monkeypatch.setattr("tui.analysis.numerics.devices.devices_here", lambda: ("cpu", "cpu:0"))
    return "cpu:0"


def test_the_devices_that_are_here() -> None:
    assert devices_here()[0] == "cpu"
    assert device_named(" CPU ") == torch.device("cpu")
    assert name_of(torch.device("cpu"))
    refuse_dtype(torch.float64, torch.device("cpu"))
    refuse_dtype(torch.float32, torch.device("mps"))
    with pytest.raises(DeviceError, match="'mps' has no float64: take float32"):
        refuse_dtype(torch.float64, torch.device("mps"))
    with pytest.raises(DeviceError, match="device 'cuda:77' is not here: there is cpu"):
        device_named("cuda:77")


def test_a_copy_runs_there_and_the_output_comes_back(second_cpu: str) -> None:
    log: list[tuple[int, str]] = []
    module, x = Noting(log), torch.zeros(1)
    assert run(module, x, second_cpu) == 1
    assert run(module, x) == 1
    (there, _), (here, _) = log
    assert here == id(module) != there


def test_a_study_on_another_device_is_the_same_study(second_cpu: str) -> None:
    here, there = study_of(SPEC), study_of(SPEC, device=second_cpu)
    assert torch.equal(here.outputs.fused, there.outputs.fused)
    assert torch.equal(here.outputs.unfused, there.outputs.unfused)
    assert here.verdict == there.verdict
    assert next(there.block.parameters()).device.type == "cpu"


def test_a_device_that_is_not_here_is_refused_before_anything_runs() -> None:
    for subject in (SPEC, study_of(SPEC).subject):
        with pytest.raises(DeviceError, match="device 'mps:9' is not here"):
            study_of(subject, device="mps:9")


def test_what_is_said_of_it() -> None:
    assert list(ON_THE_CPU.cautions) == []
    assert ran_on(torch.device("cpu"), torch.float32) is ON_THE_CPU
    where, tf32 = RanOn("cuda:1", "a GPU", tf32=True).cautions
    assert where == "Both sides ran on cuda:1 (a GPU), the float64 reference on the CPU."
    assert tf32.startswith("TF32 is on there")
    page = io.StringIO()
    study = replace(study_of(SPEC), ran_on=RanOn("cuda:1", "a GPU", tf32=True))
    Console(file=page, width=200).print(table_of(study))
    assert where in page.getvalue()
    assert tf32 in page.getvalue()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")
@pytest.mark.parametrize("dtype", Dtype)
def test_a_study_on_a_gpu(dtype: Dtype) -> None:
    study = study_of(replace(SPEC, dtype=dtype), device="cuda")
    assert study.outputs.fused.device.type == "cpu"
    assert study.ran_on.device == "cuda"
    assert study.verdict.ruling.agrees or study.ran_on.tf32
