"""The lines of PyTorch that make each kind of step, written for the block at hand: they run as they stand.

What they begin with, in float64, where s is the suffix of a branch: `w{s}` and `b{s}`, weight and bias of
its `conv{s}`; `bn{s}`, `alpha{s}` and `gamma{s}`; of several layers one after the other `w{s}_1x1` and
`b{s}_1x1` of the first, with `bn{s}_1x1` behind it, and `w{s}_3x3` and `b{s}_3x3` of the second; of another
kind of layer the layer itself, by its name and s; `post`, the batch norm after the sum; the input x and the
block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui.fusion.kernel import Kernel
from tui.fusion.layers.border import pad_function_mode
from tui.fusion.specs.block_spec import Dtype, PaddingMode, Pair
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.padding import even_padding, offset_in

CASTS = {
    Dtype.FLOAT64: "",
    Dtype.FLOAT32: ".float()",
    Dtype.BFLOAT16: ".bfloat16()",
    Dtype.FLOAT16: ".half()",
}


@dataclass(frozen=True, slots=True)
class Code:
    """Lines of PyTorch.

    Attributes:
        text: the lines.
        weight, bias: the names that the step's kernel has after them; "" for what it has not.
    """

    text: str
    weight: str = ""
    bias: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What the weight and the bias of a branch are called, or those of one of its layers.

    >>> Names("3").weight
    'w3'
    """

    suffix: str

    @property
    def weight(self) -> str:
        """Its weight, as far as it has come."""
        return f"w{self.suffix}"

    @property
    def bias(self) -> str:
        """Its bias, as far as it has come."""
        return f"b{self.suffix}"

    def code(self, kernel: Kernel, *lines: str) -> Code:
        """The lines, after which its names hold that kernel."""
        return Code("\n".join(lines), self.weight, "" if kernel.bias is None else self.bias)


def as_it_is(names: Names, conv: str, kernel: Kernel) -> Code:
    """The convolution's own tensors."""
    if kernel.bias is None:
        return names.code(kernel, f"{names.weight} = {conv}.weight")
    return names.code(kernel, f"{names.weight}, {names.bias} = {conv}.weight, {conv}.bias")


def _dirac(channels: int, columns: int, kernel_size: Pair) -> str:
    groups = channels // columns
    size = ", ".join(map(str, (channels, columns, *kernel_size)))
    return f"nn.init.dirac_(torch.empty({size}){f', {groups}' if groups > 1 else ''})"


def identity(names: Names, kernel: Kernel, frame: Pair) -> Code:
    """dirac_ puts its 1 at k // 2, which in an even kernel is not the centre: there it is padded."""
    channels, columns = kernel.weight.shape[:2]
    if all(size % 2 for size in frame):
        return names.code(kernel, f"{names.weight} = {_dirac(channels, columns, frame)}")
    made = _dirac(channels, columns, (1, 1))
    return names.code(kernel, f"{names.weight} = F.pad({made}, {_pads((1, 1), frame)})")


def average(names: Names, kernel: Kernel) -> Code:
    """One over the number of pixels, where the channels meet."""
    channels, columns = kernel.weight.shape[:2]
    height, width = kernel.kernel_size
    one = _dirac(channels, columns, (1, 1))
    return names.code(kernel, f"{names.weight} = {one}.expand(-1, -1, {height}, {width}) / {height * width}")


def kernel_of(names: Names, layer: str, kernel: Kernel, *, spread: bool) -> Code:
    """What any layer says that its kernel is; `spread`: where that has fewer input channels than this."""
    made = f"{layer}.kernel().weight"
    if spread:
        made = f"{_dirac(len(kernel.weight), kernel.weight.shape[1], (1, 1))} * {made}"
    lines = [f"{names.weight} = {made}"]
    if kernel.bias is not None:
        lines.append(f"{names.bias} = {layer}.kernel().bias")
    return names.code(kernel, *lines)


def depthwise(names: Names, layer: str, taps: Sequence[Sequence[float]], kernel: Kernel) -> Code:
    """The fixed taps times the factor of each channel, where the channels meet."""
    rows = torch_text(taps)
    made = f"{layer}.factor.view(-1, 1, 1, 1) * {rows}"
    if kernel.weight.shape[1] > 1:
        made = f"{_dirac(len(kernel.weight), kernel.weight.shape[1], (1, 1))} * {made}"
    lines = [f"{names.weight} = {made}"]
    if kernel.bias is not None:
        lines.append(f"{names.bias} = {layer}.bias")
    return names.code(kernel, *lines)


def torch_text(taps: Sequence[Sequence[float]]) -> str:
    """The taps as a tensor."""
    return f"torch.tensor({[list(map(float, row)) for row in taps]})"


def padded(names: Names, kernel: Kernel, own: Pair, frame: Pair) -> Code:
    """Zeros left, right, above and below."""
    return names.code(kernel, f"{names.weight} = F.pad({names.weight}, {_pads(own, frame)})")


def padded_at(names: Names, kernel: Kernel, own: Pair, frame: Pair, first: Pair) -> Code:
    """As `padded`, the first tap at that place of the frame."""
    return names.code(kernel, f"{names.weight} = F.pad({names.weight}, {_pads(own, frame, first)})")


def _pads(own: Pair, frame: Pair, first: Pair | None = None) -> str:
    top, left = first or offset_in(own, frame)
    bottom, right = frame[0] - own[0] - top, frame[1] - own[1] - left
    return str([left, right, top, bottom])


def _scale_of(norm: str) -> str:
    return f"scale = {norm}.weight / ({norm}.running_var + {norm}.eps).sqrt()"


def folded_norm(names: Names, norm: str, before: Kernel, after: Kernel) -> Code:
    """The weight times the scale, the rest into the bias."""
    weight, bias = names.weight, names.bias
    mean, beta = f"{norm}.running_mean", f"{norm}.bias"
    shifted = f"{beta} - {mean} * scale" if before.bias is None else f"({bias} - {mean}) * scale + {beta}"
    return names.code(
        after, _scale_of(norm), f"{weight} = {weight} * scale.view(-1, 1, 1, 1)", f"{bias} = {shifted}"
    )


def multiplied(names: Names, kernel: Kernel, factor: str, *, one: bool) -> Code:
    """The weight and the bias times one factor, or times the output channel's."""
    view = "" if one else ".view(-1, 1, 1, 1)"
    lines = [f"{names.weight} = {names.weight} * {factor}{view}"]
    if kernel.bias is not None:
        lines.append(f"{names.bias} = {names.bias} * {factor}")
    return names.code(kernel, *lines)


def rescaled(names: Names, layer: str, before: Kernel, after: Kernel, *, adds: bool) -> Code:
    """The weight and the bias times what any layer says that it multiplies by, and with what it adds."""
    weight, bias = names.weight, names.bias
    lines = [f"by = {layer}.kernel()", f"{weight} = {weight} * by.weight"]
    if after.bias is not None:
        times = "" if before.bias is None else f"{bias} * by.weight.flatten()"
        added = "by.bias" if adds else ""
        lines.append(f"{bias} = {' + '.join(filter(None, (times, added)))}")
    return names.code(after, *lines)


def multiplied_by_post_norm(names: Names, kernel: Kernel) -> Code:
    """As `multiplied`, by the scale of the batch norm after the sum."""
    times = multiplied(names, kernel, "scale", one=False)
    return names.code(kernel, _scale_of("post"), times.text)


def offset_of_post_norm() -> Code:
    """What the batch norm after the sum adds."""
    return Code(f"{_scale_of('post')}\nb_post = post.bias - post.running_mean * scale", "", "b_post")


def with_identity(names: Names, kernel: Kernel) -> Code:
    """The stored 1 x 1 and the identity."""
    channels, columns = kernel.weight.shape[:2]
    made = _dirac(channels, columns, (1, 1))
    return names.code(kernel, f"{names.weight} = {names.weight} + {made}")


def composed(names: Names, steps: tuple[Names, Names], first: Kernel, second: Kernel, groups: int) -> Code:
    """The sum over the channels between; of one group as DBB writes it."""
    inner, outer = steps
    split = f".unflatten(0, ({groups}, -1))"
    kernel = Kernel(second.weight, second.bias if first.bias is None else first.bias)
    if groups == 1:
        lines = [f"{names.weight} = {_through(outer.weight, inner.weight, first.kernel_size)}"]
        bias = f"{outer.weight}.sum((2, 3)) @ {inner.bias}"
    elif first.kernel_size != (1, 1):
        pairs = f"zip({outer.weight}.chunk({groups}), {inner.weight}.chunk({groups}))"
        product = _through("two", "one", first.kernel_size)
        lines = [f"sums = {outer.weight}.sum((2, 3)){split}"] if first.bias is not None else []
        lines.append(f"{names.weight} = torch.cat([{product} for two, one in {pairs}])")
        bias = f'torch.einsum("gom,gm->go", sums, {inner.bias}{split}).flatten()'
    else:
        product = f'torch.einsum("gomyx,gmi->goiyx", {outer.weight}{split}, inner)'
        lines = [
            f"inner = {inner.weight}.flatten(1){split}",
            f"{names.weight} = {product}.flatten(0, 1)",
        ]
        sums = f"{outer.weight}.sum((2, 3)){split}"
        bias = f'torch.einsum("gom,gm->go", {sums}, {inner.bias}{split}).flatten()'
    if first.bias is None:
        lines += [] if second.bias is None else [f"{names.bias} = {outer.bias}"]
    else:
        lines.append(f"{names.bias} = {bias}" + ("" if second.bias is None else f" + {outer.bias}"))
    return names.code(kernel, *lines)


def _through(second: str, first: str, first_size: Pair) -> str:
    """The full convolution of two weights of one group."""
    if first_size == (1, 1):
        return f"F.conv2d({second}, {first}.permute(1, 0, 2, 3))"
    height, width = first_size
    return f"F.conv2d({second}, {first}.permute(1, 0, 2, 3).flip(2, 3), padding={(height - 1, width - 1)})"


def ungrouped(names: Names, kernel: Kernel, groups: int, fewer: int, columns: int) -> Code:
    """Each group's part of the weight, with zero kernels before and after it."""
    ratio = groups // fewer
    place = "i" if fewer == 1 else f"(i % {ratio})"
    before = place if columns == 1 else f"{columns} * {place}"
    return names.code(
        kernel,
        f"parts = enumerate({names.weight}.chunk({groups}))",
        f"pads = lambda i: [0, 0, 0, 0, {before}, {columns * (ratio - 1)} - {before}]",
        f"{names.weight} = torch.cat([F.pad(part, pads(i)) for i, part in parts])",
    )


def widened(names: Names, kernel: Kernel, own: Pair, apart: Pair) -> Code:
    """Zeros between the taps."""
    rows, columns = (f"::{step}" if size > 1 else ":" for size, step in zip(own, apart, strict=True))
    shape = ", ".join(map(str, kernel.weight.shape))
    weight = names.weight
    return names.code(
        kernel,
        f"wide = torch.zeros({shape})",
        f"wide[:, :, {rows}, {columns}] = {weight}",
        f"{weight} = wide",
    )


def added(summands: Sequence[str], name: str, *, right: bool) -> Code:
    """The sum of tensors; `right`: whether that is what the fused kernel holds."""
    text = f"{name} = {' + '.join(summands)}" + ("" if right else "  # as it should be")
    return Code(text, name if name == "w" else "", name if name == "b" else "")


def both_run(
    kernel: Mapping[str, str],
    frame: Pair,
    geometry: Geometry,
    dtype: Dtype,
    rtol: float,
    atol: float,
    says: bool,
) -> str:
    """Both sides and torch.allclose. `kernel`: the names of "weight" and "bias", "" for none.

    `frame`: (kH, kW) of the fused kernel, whose padding is written into it, or before it where it is uneven.
    """
    tensors = [f"{name}{CASTS[dtype]}" for name in kernel.values() if name]
    options: list[str] = []
    border = geometry.border_of(frame)
    x, padding = "x", even_padding(border)
    if padding is None or geometry.padding_mode is not PaddingMode.ZEROS:
        mode = pad_function_mode(geometry.padding_mode)
        x = (
            f"F.pad(x, {list(border)}" + ("" if mode == "constant" else f', mode="{mode}"') + ")"
            if any(border)
            else x
        )
        padding = (0, 0)
    for name, value, default in (
        ("stride", geometry.stride, 1),
        ("padding", padding, 0),
        ("dilation", geometry.dilation, 1),
    ):
        if value != (default, default):
            options.append(f"{name}={value[0] if value[0] == value[1] else value}")
    if geometry.groups > 1:
        options.append(f"groups={geometry.groups}")
    arguments = ", ".join([x, *tensors, *options])
    return (
        f"fused = F.conv2d({arguments})\n"
        f"torch.allclose(fused, block(x), rtol={rtol!r}, atol={atol!r})  # {says}"
    )
