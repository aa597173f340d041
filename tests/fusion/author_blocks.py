"""Blocks of the presets told again, each as its authors write it: plain torch, and nothing of tui in it.

`parts` of each lists, branch by branch, the modules and parameters that hold its numbers, in the order in
which the data meets them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

Part = nn.Module | Tensor | tuple[Tensor, Tensor]
"""A convolution, a batch norm, a factor, or the factor and the bias of a fixed kernel."""


class AuthorBlock(nn.Module):
    """A block of so many input channels, in eval mode."""

    def parts(self) -> list[list[Part]]:
        """Its numbers, a list for each branch."""
        raise NotImplementedError


def padded_by(y: Tensor, bias: Tensor) -> Tensor:
    """With the bias one pixel around, as ECBSR and FMEN pad behind a 1 x 1."""
    y = functional.pad(y, (1, 1, 1, 1))
    edge = bias.view(1, -1, 1, 1)
    y[:, :, 0:1, :] = edge
    y[:, :, -1:, :] = edge
    y[:, :, :, 0:1] = edge
    y[:, :, :, -1:] = edge
    return y


def bias_of(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias


class RepConv(AuthorBlock):
    """YOLOv7's, without its identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.rbr_dense = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels, eps=0.001)
        )
        self.rbr_1x1 = nn.Sequential(
            nn.Conv2d(channels, channels, 1, 1, 0, bias=False), nn.BatchNorm2d(channels, eps=0.001)
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.rbr_dense(x) + self.rbr_1x1(x)
        return y

    def parts(self) -> list[list[Part]]:
        return [list(self.rbr_dense), list(self.rbr_1x1)]


class RepVGGDW(AuthorBlock):
    """YOLOv10's, without its residual sum, which is no part of the convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 7, 1, 3, groups=channels, bias=False)
        self.bn = nn.BatchNorm2d(channels, eps=0.001)
        self.conv1 = nn.Conv2d(channels, channels, 3, 1, 1, groups=channels, bias=False)
        self.bn1 = nn.BatchNorm2d(channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.bn(self.conv(x)) + self.bn1(self.conv1(x))
        return y

    def parts(self) -> list[list[Part]]:
        return [[self.conv, self.bn], [self.conv1, self.bn1]]


class Conv3XC(AuthorBlock):
    """SPAN's, with a gain of 2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.sk = nn.Conv2d(channels, channels, 1)
        self.conv = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 1),
            nn.Conv2d(2 * channels, 2 * channels, 3),
            nn.Conv2d(2 * channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(functional.pad(x, (1, 1, 1, 1))) + self.sk(x)
        return y

    def parts(self) -> list[list[Part]]:
        return [list(self.conv), [self.sk]]


class SeqConv3x3(nn.Module):
    """ECBSR's 1 x 1 and then a fixed kernel of nine taps, row by row."""

    def __init__(self, channels: int, taps: list[float]) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(channels, channels, 1)
        self.scale = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        mask = torch.tensor(taps).view(1, 1, 3, 3).repeat(channels, 1, 1, 1)
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        y = padded_by(self.conv0(x), bias_of(self.conv0))
        weight = self.scale.view(-1, 1, 1, 1) * self.get_buffer("mask")
        return functional.conv2d(y, weight, self.bias, groups=len(weight))

    def parts(self) -> list[Part]:
        return [self.conv0, (self.scale, self.bias)]


class ECB(AuthorBlock):
    """ECBSR's, with a depth multiplier of 2 and without its optional identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv3x3 = nn.Conv2d(channels, channels, 3, padding=1)
        self.k0 = nn.Conv2d(channels, 2 * channels, 1)
        self.k1 = nn.Conv2d(2 * channels, channels, 3)
        self.sbx = SeqConv3x3(channels, [1, 0, -1, 2, 0, -2, 1, 0, -1])
        self.sby = SeqConv3x3(channels, [1, 2, 1, 0, 0, 0, -1, -2, -1])
        self.lpl = SeqConv3x3(channels, [0, 1, 0, 1, -4, 1, 0, 1, 0])

    def forward(self, x: Tensor) -> Tensor:
        expanded = self.k1(padded_by(self.k0(x), bias_of(self.k0)))
        y: Tensor = self.conv3x3(x) + expanded + self.sbx(x) + self.sby(x) + self.lpl(x)
        return y

    def parts(self) -> list[list[Part]]:
        edges = [each.parts() for each in (self.sbx, self.sby, self.lpl)]
        return [[self.conv3x3], [self.k0, self.k1], *edges]


class EDBB(ECB):
    """EFDN's: ECBSR's block, a 1 x 1 and the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.conv1x1 = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = super().forward(x) + self.conv1x1(x) + x
        return y

    def parts(self) -> list[list[Part]]:
        first, *others = super().parts()
        return [first, [self.conv1x1], *others, []]


class CollapsibleLinearBlock(AuthorBlock):
    """SESR's, with its short residual: 256 channels between."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(channels, 256, 3, padding=1), nn.Conv2d(256, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.block(x) + x
        return y

    def parts(self) -> list[list[Part]]:
        return [list(self.block), []]


class RRRB(AuthorBlock):
    """FMEN's residual in residual block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.expand_conv = nn.Conv2d(channels, 2 * channels, 1, 1, 0)
        self.fea_conv = nn.Conv2d(2 * channels, 2 * channels, 3, 1, 0)
        self.reduce_conv = nn.Conv2d(2 * channels, channels, 1, 1, 0)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.expand_conv(x)
        out = self.fea_conv(padded_by(out, bias_of(self.expand_conv))) + out
        y: Tensor = self.reduce_conv(out) + x
        return y

    def parts(self) -> list[list[Part]]:
        return [[self.expand_conv, self.fea_conv, self.reduce_conv], []]


class RepDWConvM(AuthorBlock):
    """RepNeXt's medium one; each convolution pads zeros of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()

        def conv(height: int, width: int, *, bias: bool) -> nn.Conv2d:
            padding = (height // 2, width // 2)
            return nn.Conv2d(channels, channels, (height, width), padding=padding, groups=channels, bias=bias)

        self.conv_7_7, self.conv_5_3, self.conv_3_5 = (
            conv(*size, bias=True) for size in ((7, 7), (5, 3), (3, 5))
        )
        self.conv_7_w, self.conv_7_h, self.conv_5_w, self.conv_5_h = (
            conv(*size, bias=False) for size in ((1, 7), (7, 1), (1, 5), (5, 1))
        )

    def forward(self, x: Tensor) -> Tensor:
        rows = self.conv_7_h(self.conv_7_w(x)) + self.conv_5_h(self.conv_5_w(x))
        y: Tensor = self.conv_7_7(x) + self.conv_5_3(x) + self.conv_3_5(x) + rows
        return y

    def parts(self) -> list[list[Part]]:
        single: list[list[Part]] = [[self.conv_7_7], [self.conv_5_3], [self.conv_3_5]]
        return [*single, [self.conv_7_w, self.conv_7_h], [self.conv_5_w, self.conv_5_h]]


class RepDWConvS(AuthorBlock):
    """RepNeXt's small one: 2 x 2 taps dilated by 2 stand at -1 and +1."""

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        beside = stride == 1
        self.conv_3_3 = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels)
        self.conv_3_w = nn.Conv2d(
            channels, channels, (1, 3), (1, stride), (0, 1), groups=channels, bias=beside
        )
        self.conv_3_h = nn.Conv2d(
            channels, channels, (3, 1), (stride, 1), (1, 0), groups=channels, bias=beside
        )
        self.conv_2_2 = nn.Conv2d(channels, channels, 2, stride, 1, dilation=2, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv_3_3(x) + self.conv_2_2(x)
        if self.stride == 1:
            y = y + self.conv_3_h(x) + self.conv_3_w(x)
        else:
            y = y + self.conv_3_h(self.conv_3_w(x))
        return y

    def parts(self) -> list[list[Part]]:
        rows: list[list[Part]] = [[self.conv_3_w], [self.conv_3_h]]
        between = rows if self.stride == 1 else [[self.conv_3_w, self.conv_3_h]]
        return [[self.conv_3_3], *between, [self.conv_2_2]]


class RVSRRepConv(AuthorBlock):
    """RVSR's: two chains as FMEN's without the sum inside, a 3 x 3, a 1 x 1 and the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.one, self.other = (
            nn.Sequential(
                nn.Conv2d(channels, 2 * channels, 1),
                nn.Conv2d(2 * channels, 2 * channels, 3),
                nn.Conv2d(2 * channels, channels, 1),
            )
            for _ in range(2)
        )
        self.res_conv3x3 = nn.Conv2d(channels, channels, 3, padding=1)
        self.res_conv1x1 = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.res_conv3x3(x) + self.res_conv1x1(x) + x
        for expand, features, reduce in (self.one, self.other):
            assert isinstance(expand, nn.Conv2d)
            y = y + reduce(features(padded_by(expand(x), bias_of(expand))))
        return y

    def parts(self) -> list[list[Part]]:
        return [list(self.one), list(self.other), [self.res_conv3x3], [self.res_conv1x1], []]


class MBRConv5(AuthorBlock):
    """MobileIE's: five convolutions and the norm of each side by side, and a 1 x 1 of all their channels."""

    SIZES = ((5, 5), (1, 1), (3, 3), (3, 1), (1, 3))

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.wide = 4 * channels
        self.convs = nn.ModuleList(
            nn.Conv2d(channels, self.wide, size, padding=(size[0] // 2, size[1] // 2)) for size in self.SIZES
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(self.wide) for _ in self.SIZES)
        self.conv_out = nn.Conv2d(2 * len(self.SIZES) * self.wide, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        outputs = [conv(x) for conv in self.convs]
        normed = [norm(y) for norm, y in zip(self.norms, outputs, strict=True)]
        y: Tensor = self.conv_out(torch.cat([*outputs, *normed], dim=1))
        return y

    def parts(self) -> list[list[Part]]:
        """The last convolution as one for each that it reads; its bias is the first one's."""
        mixing = [
            self._reading(place, bias=bias_of(self.conv_out) if place == 0 else None)
            for place in range(2 * len(self.SIZES))
        ]
        every = zip(self.convs, mixing, self.norms, mixing[len(self.SIZES) :], strict=False)
        return [list(parts) for parts in every]

    def _reading(self, place: int, bias: Tensor | None) -> nn.Conv2d:
        columns = self.conv_out.weight[:, place * self.wide : (place + 1) * self.wide]
        conv = nn.Conv2d(self.wide, len(columns), 1, bias=bias is not None)
        conv.weight = nn.Parameter(columns)
        if bias is not None:
            conv.bias = nn.Parameter(bias)
        return conv


class OREPA(AuthorBlock):
    """OREPA's, without its frequency prior: one weight, added up online; `vector`: each branch's scale."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.origin = nn.Conv2d(channels, channels, 3, bias=False)
        self.avg_conv = nn.Conv2d(channels, channels, 1, bias=False)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.idconv1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, bias=False)
        self.gconv_dw = nn.Conv2d(channels, 8 * channels, 3, groups=channels, bias=False)
        self.gconv_pw = nn.Conv2d(8 * channels, channels, 1, bias=False)
        self.vector = nn.ParameterList(torch.ones(channels) for _ in range(5))
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        average = torch.full((3, 3), 1.0 / 3 / 3, dtype=x.dtype)
        pointwise = functional.pad(self.pointwise.weight, (1, 1, 1, 1))
        identity = torch.eye(len(pointwise), dtype=x.dtype)
        depthwise = self.gconv_dw.weight.view(x.shape[1], 8, 3, 3)
        outer = self.gconv_pw.weight.view(len(pointwise), x.shape[1], 8)
        weights = [
            self.origin.weight,
            torch.einsum("oi,hw->oihw", self.avg_conv.weight.flatten(1), average),
            pointwise,
            torch.einsum("ti,othw->oihw", self.idconv1.weight.flatten(1) + identity, self.conv2.weight),
            torch.einsum("gthw,ogt->oghw", depthwise, outer),
        ]
        scaled = (
            torch.einsum("oihw,o->oihw", weight, each)
            for weight, each in zip(weights, self.vector, strict=True)
        )
        y: Tensor = self.bn(functional.conv2d(x, sum(scaled, torch.zeros(())), padding=1))
        return y

    def parts(self) -> list[list[Part]]:
        layers: list[list[Part]] = [
            [self.origin],
            [self.avg_conv],
            [self.pointwise],
            [self.idconv1, self.conv2],
            [self.gconv_dw, self.gconv_pw],
        ]
        scaled = [[*each, scale] for each, scale in zip(layers, self.vector, strict=True)]
        return [*scaled, [self.bn]]


class LinearAddBlock(AuthorBlock):
    """RepOptimizers' CSLA block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.scale_conv = nn.Parameter(torch.ones(channels))
        self.conv_1x1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.scale_1x1 = nn.Parameter(torch.ones(channels))
        self.scale_identity = nn.Parameter(torch.ones(channels))
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        square = self.conv(x) * self.scale_conv.view(1, -1, 1, 1)
        pixel = self.conv_1x1(x) * self.scale_1x1.view(1, -1, 1, 1)
        y: Tensor = self.bn(square + pixel + x * self.scale_identity.view(1, -1, 1, 1))
        return y

    def parts(self) -> list[list[Part]]:
        convs: list[list[Part]] = [[self.conv, self.scale_conv], [self.conv_1x1, self.scale_1x1]]
        return [*convs, [self.scale_identity], [self.bn]]


class NextViTMlp(AuthorBlock):
    """The norm of Next-ViT's block and the first convolution behind it, to 288 channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=1e-5)
        self.conv1 = nn.Conv2d(channels, 288, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv1(self.norm(x))
        return y

    def parts(self) -> list[list[Part]]:
        return [[self.norm, self.conv1]]


class RepAdapter2D(AuthorBlock):
    """RepAdapter's, without dropout."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_A = nn.Conv2d(channels, 8, 1, groups=1, bias=True)
        self.conv_B = nn.Conv2d(8, channels, 1, groups=2, bias=True)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv_B(self.conv_A(x)) * self.scale + x
        return y

    def parts(self) -> list[list[Part]]:
        return [[self.conv_A, self.conv_B, self.scale], []]


class SpikeRepConv(AuthorBlock):
    """Spike-Driven-Transformer's; behind the norm its value at zero is padded."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1x1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.conv3x3 = nn.Sequential(
            nn.Conv2d(channels, channels, 3, groups=channels, bias=False),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        bn = self.bn
        assert bn.running_mean is not None
        assert bn.running_var is not None
        at_zero = bn.bias - bn.running_mean * bn.weight / torch.sqrt(bn.running_var + bn.eps)
        y: Tensor = self.conv3x3(padded_by(bn(self.conv1x1(x)), at_zero))
        return y

    def parts(self) -> list[list[Part]]:
        return [[self.conv1x1, self.bn, *self.conv3x3]]


AUTHOR_BLOCKS: dict[str, type[AuthorBlock]] = {
    "repconv": RepConv,
    "repvggdw": RepVGGDW,
    "span": Conv3XC,
    "ecbsr": ECB,
    "edbb": EDBB,
    "sesr": CollapsibleLinearBlock,
    "rrrb": RRRB,
    "repnext": RepDWConvM,
    "orepa": OREPA,
    "csla": LinearAddBlock,
    "nextvit": NextViTMlp,
    "repadapter": RepAdapter2D,
    "spike": SpikeRepConv,
}
"""By the name of their preset."""
