"""A model whose batch norms alone are folded: what it gives, what stays, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.modules.small_models import Net, whole_numbers
from tui.fusion.kernel import FusionError
from tui.modules.folding import fold_norms

X = torch.arange(3.0 * 8 * 10).view(1, 3, 8, 10) % 5


def norms_of(model: nn.Module) -> list[str]:
    return [name for name, each in model.named_modules() if isinstance(each, nn.BatchNorm2d)]


def test_what_stands_alone_behind_a_convolution_is_folded_and_the_model_stays_as_it_is() -> None:
    model = whole_numbers(Net())
    nn.init.uniform_(model.get_parameter("stages.1.bn.weight"), 0.5, 1.5)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    folded = fold_norms(model, X)
    assert norms_of(folded) == ["after"]
    assert torch.allclose(folded(X), model(X), rtol=1e-5, atol=1e-6)
    conv = "stages.1.conv.weight"
    assert not torch.equal(folded.get_parameter(conv), model.get_parameter(conv))
    assert norms_of(model) == ["stem.1", "stages.0.bn", "stages.1.bn", "after"]
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


class Shared(nn.Module):
    """One norm behind two convolutions, and a convolution that two read."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = (nn.Conv2d(3, 3, 1) for _ in range(3))
        self.bn, self.own = nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        """Their sum."""
        read_twice = self.three(x)
        y: Tensor = self.bn(self.one(x)) + self.bn(self.two(x)) + self.own(read_twice) + read_twice
        return y


def test_what_others_read_or_share_stays() -> None:
    model = whole_numbers(Shared())
    folded = fold_norms(model, X)
    assert norms_of(folded) == ["bn", "own"]
    assert torch.equal(folded(X), model(X))


class Looking(nn.Module):
    """A forward that asks its norm for a number."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        """As it is written in some models."""
        y: Tensor = self.bn(self.conv(x))
        return y if self.bn.eps > 0 else x


def test_a_model_that_looks_at_its_norms_is_refused() -> None:
    with pytest.raises(FusionError, match="does not run without its norms"):
        fold_norms(whole_numbers(Looking()), X)
