"""copied(): what copy.deepcopy gives, whatever a module holds and however its class is copied."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from tui.modules.run.copying import copied


class Holding(nn.Module):
    """Tensors that share memory, modules and lists that are held twice, and a cycle."""

    whole: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(4, 4, 3, padding="same", bias=False), nn.BatchNorm2d(4)
        self.tied = nn.Conv2d(4, 4, 3)
        self.tied.weight = self.conv.weight
        self.again = self.conv
        self.register_buffer("whole", torch.arange(8.0))
        self.register_buffer("same", self.whole.view(2, 4), persistent=False)
        self.register_buffer("part", self.whole[2:5])
        self.views = [self.whole.view(4, 2)]
        self.seen: dict[Any, Any] = {"module": self, nn.ReLU: {"list": self.views}, "pair": (1, [2])}
        self.also = self.seen
        self.names = {"one", "two"}
        self.norm.register_forward_hook(lambda _, arguments, output: output)


class ByItself(nn.Module):
    """It says how it is copied."""

    def __init__(self, copies: int = 0) -> None:
        super().__init__()
        self.copies = copies

    def __deepcopy__(self, _: Any) -> ByItself:
        return ByItself(self.copies + 1)


class ByState(nn.Module):
    """It says what of it is copied, and hands out its own dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.lists = [1]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self.told = True


def test_what_is_shared_is_shared_and_nothing_with_the_model() -> None:
    model = Holding().eval()
    twin: Any = copied(model)
    assert [list(vars(each)) for each in twin.modules()] == [list(vars(each)) for each in model.modules()]
    assert twin.again is twin.conv is not model.conv
    assert twin.tied.weight is twin.conv.weight
    assert twin.seen is twin.also is not model.seen
    assert twin.seen["module"] is twin
    assert twin.seen[nn.ReLU]["list"] is twin.views
    assert twin.names == model.names
    assert len(twin.norm._forward_hooks) == 1
    twin.whole += 1
    twin.conv.weight.data += 1
    twin.norm.running_mean += 1
    twin.conv.register_forward_hook(lambda _, arguments, output: output)
    twin.names.add("three")
    for name in ("same", "part"):
        assert getattr(twin, name).flatten()[0] == getattr(model, name).flatten()[0] + 1
    assert torch.equal(twin.views[0], model.views[0] + 1)
    assert model.whole.tolist() == list(range(8))
    assert model.norm.running_mean is not None
    assert not model.norm.running_mean.any()
    assert not torch.equal(twin.conv.weight, model.conv.weight)
    assert not model.conv._forward_hooks
    assert model.names == {"one", "two"}


def test_a_class_that_says_how_it_is_copied() -> None:
    model = nn.Sequential(
        ByItself(), nn.Sequential(ByState(), torch.fx.symbolic_trace(nn.Sequential(nn.ReLU())))
    )
    twin: Any = copied(model)
    assert twin[0].copies == 1
    assert twin[1][0].told
    assert not hasattr(model[1][0], "told")  # type: ignore[index]
    assert twin[1][0].lists is not model[1][0].lists  # type: ignore[index]
    assert twin[1][1](torch.tensor([-1.0, 2.0])).tolist() == [0.0, 2.0]
    assert copy.deepcopy(twin)[0].copies == 2
