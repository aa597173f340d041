"""How each kind of layer is written as code: what makes it, runs it, and makes a kernel of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch

from torch import Tensor, nn

from tui.analysis.alterations.count_inside import InsideAverage
from tui.export.code.conv2d_text import conv2d_in_words, shortest
from tui.export.errors import ExportError
from tui.fusion import layers
from tui.fusion.layers import Layer
from tui.fusion.specs.block_spec import Dtype
from tui.fusion.specs.padding import Border


@singledispatch
def module_code(layer: Layer) -> str | None:
    """The expression that makes its module or parameter, None where it has none. A new kind is registered.

    Raises:
        ExportError: nothing is known of how this kind is written.
    """
    raise ExportError(f"no code is known for {layer.called} ({type(layer).__name__})")


@singledispatch
def tensors_of(layer: Layer) -> dict[str, Tensor]:
    """Its tensors by their names in that module; "" for a parameter that is the layer itself."""
    return {}


@singledispatch
def forward_code(layer: Layer, module: str, x: str, padded: Callable[[str], str], border: Border) -> str:
    """The expression of its output; `module`: its name there; `padded`: puts the border around an image."""
    return f"{module}({padded(x)})"


@singledispatch
def kernel_code(layer: Layer, module: str, groups: int) -> str:
    """The expression of its kernel; of a layer that sees each channel alone, written with these groups.

    Raises:
        ExportError: as `module_code`.
    """
    raise ExportError(f"no code is known for {layer.called} ({type(layer).__name__})")


@singledispatch
def folding_code(layer: Layer, module: str, groups: int) -> str:
    """The expression of `kernel` followed by a layer that rescales it."""
    return f"compose(kernel, {kernel_code(layer, module, groups)}, {groups})"


@singledispatch
def is_padded_with_values(layer: Layer) -> bool:
    """Whether `value_at_zero` of the pieces knows it; else a chain that has it is padded up front."""
    return False


def norm_in_words(norm: nn.BatchNorm2d) -> str:
    """The expression that makes a batch norm like this one."""
    eps = "" if norm.eps == 1e-5 else f", eps={norm.eps!r}"
    momentum = "" if norm.momentum == 0.1 else f", momentum={norm.momentum!r}"
    return f"nn.BatchNorm2d({norm.num_features}{eps}{momentum})"


def _state(module: nn.Module) -> dict[str, Tensor]:
    state = module.state_dict().items()
    return {name: tensor for name, tensor in state if not name.endswith("num_batches_tracked")}


@module_code.register
def _(layer: layers.Convolution) -> str:
    return conv2d_in_words(layer.conv, Dtype.FLOAT32)


@tensors_of.register
def _(layer: layers.Convolution) -> dict[str, Tensor]:
    return _state(layer.conv)


@kernel_code.register
def _(layer: layers.Convolution, module: str, groups: int) -> str:
    return f"kernel_of({module})"


@is_padded_with_values.register
def _(layer: layers.Convolution) -> bool:
    return True


@module_code.register
def _(layer: layers.OffsetConvolution) -> str:
    return conv2d_in_words(layer.conv, Dtype.FLOAT32).replace("nn.Conv2d", "OffsetIdentityConv")


@kernel_code.register
def _(layer: layers.OffsetConvolution, module: str, groups: int) -> str:
    return f"add(kernel_of({module}), identity({layer.out_channels}, {layer.conv.groups}))"


@module_code.register
def _(layer: layers.Norm) -> str | None:
    return norm_in_words(layer.norm) if isinstance(layer.norm, nn.BatchNorm2d) else None


@tensors_of.register
def _(layer: layers.Norm) -> dict[str, Tensor]:
    return _state(layer.norm)


@kernel_code.register
def _(layer: layers.Norm, module: str, groups: int) -> str:
    return f"fold_batch_norm(identity({layer.out_channels}, {groups}), {module})"


@folding_code.register
def _(layer: layers.Norm, module: str, groups: int) -> str:
    return f"fold_batch_norm(kernel, {module})"


@is_padded_with_values.register
def _(layer: layers.Norm) -> bool:
    return True


@module_code.register
def _(layer: layers.Factor) -> str:
    size = str(layer.out_channels) if layer.factor.dim() else "()"
    return f"nn.Parameter(torch.ones({size}))"


@tensors_of.register
def _(layer: layers.Factor) -> dict[str, Tensor]:
    return {"": layer.factor.detach()}


@forward_code.register
def _(layer: layers.Factor, module: str, x: str, padded: Callable[[str], str], border: Border) -> str:
    return f"{padded(x)} * {module}" + (".view(-1, 1, 1)" if layer.factor.dim() else "")


@kernel_code.register
def _(layer: layers.Factor, module: str, groups: int) -> str:
    return f"scale(identity({layer.out_channels}, {groups}), {module})"


@folding_code.register
def _(layer: layers.Factor, module: str, groups: int) -> str:
    return f"scale(kernel, {module})"


@module_code.register
def _(layer: layers.Identity) -> None:
    return None


@forward_code.register
def _(layer: layers.Identity, module: str, x: str, padded: Callable[[str], str], border: Border) -> str:
    return padded(x)


@kernel_code.register
def _(layer: layers.Identity, module: str, groups: int) -> str:
    return f"identity({layer.out_channels}, {groups})"


@module_code.register
def _(layer: layers.Average) -> None:
    return None


@forward_code.register
def _(layer: layers.Average, module: str, x: str, padded: Callable[[str], str], border: Border) -> str:
    size, stride = shortest(layer.kernel_size), shortest(layer.stride)
    if isinstance(layer.pool, InsideAverage):
        return f"average_inside({x}, {border}, {size}, {stride})"
    return f"functional.avg_pool2d({padded(x)}, {size}, {stride})"


@kernel_code.register
def _(layer: layers.Average, module: str, groups: int) -> str:
    height, width = layer.kernel_size
    return f"average_pool({layer.out_channels}, {groups}, {height}, {width})"


@module_code.register
def _(layer: layers.FixedDepthwise) -> str:
    taps = [list(row) for row in layer.taps]
    stride, dilation = shortest(layer.stride), shortest(layer.dilation)
    bias = layer.bias is not None
    return f"FixedDepthwise({layer.out_channels}, {taps}, {stride}, {dilation}, {bias})"


@tensors_of.register
def _(layer: layers.FixedDepthwise) -> dict[str, Tensor]:
    return _state(layer)


@kernel_code.register
def _(layer: layers.FixedDepthwise, module: str, groups: int) -> str:
    return f"ungroup(fixed_kernel({module}), {layer.out_channels}, {groups})"


@module_code.register
def _(layer: layers.Sum) -> None:
    return None
