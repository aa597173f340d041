"""timm as an oracle: its parameters in our blocks, our fused kernel against its own. Skipped without timm."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.fusion.layer_parts import conv_in, factor_in, norm_in
from tests.fusion.strategies import with_wild_norms
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.layers import Branch
from tui.fusion.specs.block_spec import BlockSpec

CHANNELS = 8
NAMES = ("byobnet", "fastvit", "repvit", "repghost")


@pytest.fixture(scope="module")
def timm() -> dict[str, Any]:
    """timm's modules with re-parameterizable blocks, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)
        declare_missing_operators()
        pytest.importorskip("timm", exc_type=ImportError)
        return {name: pytest.importorskip(f"timm.models.{name}") for name in NAMES}


def declare_missing_operators() -> None:
    """Let timm import torchvision's Python beside a torch that its binary part was not built for."""
    try:
        importlib.import_module("torchvision")
    except ImportError:
        return
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            schema = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            library.define(schema)  # type: ignore[no-untyped-call]
        _KEPT.append(library)


_KEPT: list[torch.library.Library] = []
"""A library takes its operators with it when it goes."""


def ready(module: nn.Module) -> Any:
    """The module with random statistics, in eval mode and float64."""
    return with_wild_norms(module.double().eval())


def block_of(text: str, **values: Any) -> ReparamBlock:
    spec = BlockSpec(
        **{"in_channels": CHANNELS, "out_channels": CHANNELS} | values, branches=parse_branches(text)
    )
    return build_block(spec).double()


@torch.no_grad()
def load(
    branch: nn.Module, conv: nn.Conv2d | None, norm: nn.BatchNorm2d | None, gamma: Tensor | None = None
) -> None:
    """Give our branch what timm's has."""
    assert isinstance(branch, Branch)
    if conv is not None:
        conv_in(branch).load_state_dict(conv.state_dict())
    if norm is not None:
        load_norm(norm_in(branch), norm)
    if gamma is not None:
        factor_in(branch, "gamma").copy_(gamma.flatten())


def load_norm(ours: nn.Module | None, norm: nn.BatchNorm2d) -> None:
    assert isinstance(ours, nn.BatchNorm2d)
    ours.load_state_dict({name: value for name, value in norm.state_dict().items() if "." not in name})
    ours.eps = norm.eps


@torch.no_grad()
def assert_same(
    block: ReparamBlock, expected: Tensor, conv: nn.Conv2d, x: Tensor, *, tolerance: float = 1e-11
) -> None:
    """Our forward is timm's output, and our fused weight and bias are those of its convolution."""
    size = max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(block(x), expected, rtol=0, atol=1e-11 * size)
    kernel = block.kernel()
    assert kernel.bias is not None
    assert conv.bias is not None
    for ours, theirs in ((kernel.weight, conv.weight), (kernel.bias, conv.bias)):
        theirs = theirs.detach().double()
        torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance * max(1.0, float(theirs.abs().max())))
    fused = block.fuse()
    assert (fused.kernel_size, fused.stride, fused.groups) == (conv.kernel_size, conv.stride, conv.groups)
    torch.testing.assert_close(fused(x), expected, rtol=0, atol=1e-11 * size)


def image(channels: int = CHANNELS) -> Tensor:
    return torch.randn(2, channels, 14, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("group_size", [None, 1, 2])
@pytest.mark.parametrize("stride", [1, 2])
@torch.no_grad()
def test_repvgg(timm: dict[str, Any], stride: int, group_size: int | None) -> None:
    theirs = ready(timm["byobnet"].RepVggBlock(CHANNELS, CHANNELS, 3, stride, group_size=group_size))
    groups = CHANNELS // group_size if group_size else 1
    text = "kxk+norm-bias,1x1+norm-bias" + ",identity+norm" * (stride == 1)
    block = block_of(text, stride=(stride, stride), groups=groups)
    load(block.branches[0], theirs.conv_kxk.conv, theirs.conv_kxk.bn)
    load(block.branches[1], theirs.conv_1x1.conv, theirs.conv_1x1.bn)
    if stride == 1:
        load(block.branches[2], None, theirs.identity)
    theirs.act = nn.Identity()
    expected = theirs(image())
    theirs.reparameterize()
    assert_same(block, expected, theirs.reparam_conv, image())


@pytest.mark.parametrize("branches", [1, 4])
@pytest.mark.parametrize("group_size", [None, 1])
@torch.no_grad()
def test_mobileone(timm: dict[str, Any], group_size: int | None, branches: int) -> None:
    theirs = ready(
        timm["byobnet"].MobileOneBlock(CHANNELS, CHANNELS, group_size=group_size, num_conv_branches=branches)
    )
    text = ",".join(["kxk+norm-bias"] * branches + ["1x1+norm-bias", "identity+norm"])
    block = block_of(text, groups=CHANNELS if group_size else 1)
    for ours, part in zip(block.branches, [*theirs.conv_kxk, theirs.conv_scale], strict=False):
        load(ours, part.conv, part.bn)
    load(block.branches[-1], None, theirs.identity)
    theirs.act = nn.Identity()
    expected = theirs(image())
    theirs.reparameterize()
    assert_same(block, expected, theirs.reparam_conv, image())


@torch.no_grad()
def test_repmixer(timm: dict[str, Any]) -> None:
    theirs = ready(timm["fastvit"].RepMixer(CHANNELS))
    theirs.layer_scale.gamma.copy_(image()[0, :, 0, 0].view(-1, 1, 1))
    gamma, mixer = theirs.layer_scale.gamma.detach(), theirs.mixer
    block = block_of(
        "kxk+norm-bias+gamma,1x1+norm-bias+gamma,identity+norm+gamma,identity+norm+gamma,identity",
        groups=CHANNELS,
    )
    load(block.branches[0], mixer.conv_kxk[0].conv, mixer.conv_kxk[0].bn, gamma)
    load(block.branches[1], mixer.conv_scale.conv, mixer.conv_scale.bn, gamma)
    load(block.branches[2], None, mixer.identity, gamma)
    load(block.branches[3], None, theirs.norm.identity, -gamma)
    expected = theirs(image())
    theirs.reparameterize()
    assert_same(block, expected, theirs.reparam_conv, image())


@pytest.mark.parametrize(("large", "small"), [(7, 3), (13, 5)])
@pytest.mark.parametrize("stride", [1, 2])
@torch.no_grad()
def test_large_kernel(timm: dict[str, Any], stride: int, large: int, small: int) -> None:
    theirs = ready(
        timm["fastvit"].ReparamLargeKernelConv(
            CHANNELS, 2 * CHANNELS, large, stride, group_size=1, small_kernel=small
        )
    )
    block = block_of(
        f"kxk+norm-bias,{small}x{small}+norm-bias",
        out_channels=2 * CHANNELS,
        groups=CHANNELS,
        kernel_size=(large, large),
        stride=(stride, stride),
    )
    load(block.branches[0], theirs.large_conv.conv, theirs.large_conv.bn)
    load(block.branches[1], theirs.small_conv.conv, theirs.small_conv.bn)
    expected = theirs(image())
    theirs.reparameterize()
    assert_same(block, expected, theirs.reparam_conv, image())


@torch.no_grad()
def test_repvit(timm: dict[str, Any]) -> None:
    theirs = ready(timm["repvit"].RepVggDw(CHANNELS, 3))
    block = block_of("kxk+norm-bias,1x1,identity", groups=CHANNELS, post_norm=True)
    load(block.branches[0], theirs.conv.c, theirs.conv.bn)
    load(block.branches[1], theirs.conv1, None)
    load_norm(block.post_norm, theirs.bn)
    expected = theirs(image())
    # One of the faults: timm's fused conv of a float64 model is float32.
    assert_same(block, expected, theirs.fuse(), image(), tolerance=1e-6)


@torch.no_grad()
def test_repghost(timm: dict[str, Any]) -> None:
    theirs = ready(timm["repghost"].RepGhostModule(CHANNELS, CHANNELS))
    block = block_of("kxk+norm-bias,identity+norm", groups=CHANNELS)
    load(block.branches[0], *theirs.cheap_operation[:2])
    load(block.branches[1], None, theirs.fusion_bn[0])
    x = theirs.primary_conv(image())
    expected = theirs.cheap_operation(x) + theirs.fusion_bn[0](x)
    theirs.reparameterize()
    assert_same(block, expected, theirs.cheap_operation, x)
