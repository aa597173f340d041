"""One branch as lines of a snippet: its modules, their numbers, and how it runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torch import nn

from tui.analysis.alterations.count_inside import InsideAverage
from tui.export.conv2d_text import conv2d_in_words, shortest
from tui.fusion.branches import (
    AverageBranch,
    Branch,
    ConvBranch,
    IdentityBranch,
    OffsetIdentityConv,
    SequenceBranch,
)
from tui.fusion.branches.border import Border, border_of, pad_function_mode
from tui.fusion.padding import symmetric_padding
from tui.fusion.spec import Dtype, PaddingMode

if TYPE_CHECKING:
    from torch import Tensor


def named(part: str, branch: Branch) -> str:
    """What a snippet calls a part of the branch: "conv_1x1_2" is the conv of "1x1 #2"."""
    return f"{part}_{re.sub(r'[^0-9a-zA-Z]+', '_', branch.name)}"


def modules_of(branch: Branch) -> dict[str, str]:
    """The names of its modules and parameters, and the expression that makes each."""
    made = dict[str, str]()
    if isinstance(branch, ConvBranch):
        made[named("conv", branch)] = _conv(branch.conv)
    if isinstance(branch, SequenceBranch):
        made[named("first", branch)] = _conv(branch.first.conv)
        if isinstance(branch.first.norm, nn.BatchNorm2d):
            made[named("inner_norm", branch)] = norm_in_words(branch.first.norm)
        if isinstance(branch.second, nn.Conv2d):
            made[named("second", branch)] = _conv(branch.second)
    if isinstance(branch.norm, nn.BatchNorm2d):
        made[named("norm", branch)] = norm_in_words(branch.norm)
    if branch.alpha is not None:
        made[named("alpha", branch)] = "nn.Parameter(torch.ones(()))"
    if branch.gamma is not None:
        made[named("gamma", branch)] = f"nn.Parameter(torch.ones({branch.out_channels}))"
    return made


def parameters_of(branch: Branch) -> dict[str, Tensor]:
    """Every tensor of the branch that its run depends on, by its name in the snippet's state_dict."""
    parts = {"conv": "conv", "first.conv": "first", "first.norm": "inner_norm", "second": "second"}
    parts |= {"norm": "norm", "alpha": "alpha", "gamma": "gamma"}
    found: dict[str, Tensor] = {}
    for key, tensor in branch.state_dict().items():
        for own, part in parts.items():
            if (key == own or key.startswith(f"{own}.")) and not key.endswith("num_batches_tracked"):
                found[named(part, branch) + key[len(own) :]] = tensor
    return found


def norm_in_words(norm: nn.BatchNorm2d) -> str:
    """The expression that makes a batch norm like this one."""
    eps = "" if norm.eps == 1e-5 else f", eps={norm.eps!r}"
    momentum = "" if norm.momentum == 0.1 else f", momentum={norm.momentum!r}"
    return f"nn.BatchNorm2d({norm.num_features}{eps}{momentum})"


def _conv(conv: nn.Conv2d) -> str:
    if isinstance(conv, OffsetIdentityConv):
        return conv2d_in_words(conv, Dtype.FLOAT32).replace("nn.Conv2d", "OffsetIdentityConv")
    return conv2d_in_words(conv, Dtype.FLOAT32)


def forward_lines(branch: Branch) -> list[str]:
    """The statements that leave the branch's output for x in the variable `named("y", branch)`."""
    y = named("y", branch)
    lines, expression = _mapped_lines(branch)
    lines.append(f"{y} = {expression}")
    if branch.norm is not None:
        lines.append(f"{y} = self.{named('norm', branch)}({y})")
    if branch.alpha is not None:
        lines.append(f"{y} = {y} * self.{named('alpha', branch)}")
    if branch.gamma is not None:
        lines.append(f"{y} = {y} * self.{named('gamma', branch)}.view(-1, 1, 1)")
    return lines


def _mapped_lines(branch: Branch) -> tuple[list[str], str]:
    """Statements, and the expression after them that is the output before batch norm and scale."""
    match branch:
        case ConvBranch():
            geometry = branch.geometry
            even = symmetric_padding(branch.kernel_size, geometry.dilation) is not None
            border = None if even else border_of(branch.kernel_size, geometry.dilation)
            return [], f"self.{named('conv', branch)}({_padded('x', border, geometry.padding_mode)})"
        case AverageBranch():
            border = border_of(branch.kernel_size)
            if isinstance(branch.pool, InsideAverage):
                return [], _inside("x", border, branch)
            return [], _averaged(_padded("x", border, PaddingMode.ZEROS), branch)
        case SequenceBranch():
            return _sequence_lines(branch)
        case IdentityBranch():
            return [], "x"
    raise TypeError(f"no code is known for a {type(branch).__name__}")


def _sequence_lines(branch: SequenceBranch) -> tuple[list[str], str]:
    y, conv, norm = (
        named("y", branch),
        f"self.{named('first', branch)}",
        f"self.{named('inner_norm', branch)}",
    )
    has_norm = branch.first.norm is not None
    lines = [f"{y} = {norm}({conv}(x))" if has_norm else f"{y} = {conv}(x)"]
    border, mode = border_of(branch.kernel_size, branch.geometry.dilation), branch.geometry.padding_mode
    if isinstance(branch.second, InsideAverage):
        return lines, _inside(y, border, branch)
    if branch.zero_border:
        lines.append(f"{y} = {_padded(y, border, PaddingMode.ZEROS)}")
    elif mode is not PaddingMode.ZEROS:
        lines.append(f"{y} = {_padded(y, border, mode)}")
    elif any(border):
        values = f"value_at_zero({conv}, {norm})" if has_norm else f"value_at_zero({conv})"
        lines.append(f"{y} = pad_with({values}, {y}, {', '.join(map(str, border))})")
    if isinstance(branch.second, nn.Conv2d):
        return lines, f"self.{named('second', branch)}({y})"
    return lines, _averaged(y, branch)


def _padded(x: str, border: Border | None, mode: PaddingMode) -> str:
    if border is None or not any(border):
        return x
    other = "" if mode is PaddingMode.ZEROS else f', mode="{pad_function_mode(mode)}"'
    return f"functional.pad({x}, {border}{other})"


def _averaged(x: str, branch: Branch) -> str:
    return f"functional.avg_pool2d({x}, {shortest(branch.kernel_size)}, {shortest(branch.geometry.stride)})"


def _inside(x: str, border: Border, branch: Branch) -> str:
    size, stride = shortest(branch.kernel_size), shortest(branch.geometry.stride)
    return f"average_inside({x}, {border}, {size}, {stride})"
