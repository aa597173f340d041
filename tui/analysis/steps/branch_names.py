"""What the tensors and the layers of branches are called in the lines of PyTorch of their steps."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tui.analysis.steps.by_layer import in_code
from tui.analysis.steps.code import Names
from tui.fusion.layers import Branch, Layer
from tui.fusion.pair_text import shortest, show_pair


def suffixes_of(branches: Iterable[Branch]) -> dict[str, str]:
    """By the name of each branch what the names of its tensors end in: "3", "1", "i", "1x3", "3d2", "3_2"."""
    found: dict[str, str] = {}
    for branch in branches:
        suffix = _suffix(branch)
        same = sum(each.split("_")[0] == suffix for each in found.values())
        found[branch.name] = f"{suffix}_{same + 1}" if same else suffix
    return found


def _suffix(branch: Branch) -> str:
    if branch.main > 0:
        return "s"
    dilation = branch.dilation
    size = shortest(branch.kernel_size) + ("" if dilation == (1, 1) else f"d{shortest(dilation)}")
    return in_code(branch.layers[0]).alone or size


class BranchNames:
    """What the tensors and the layers of a branch are called, the branch's suffix at the end.

    A layer among several, but for those that only rescale at the end, has a suffix of its own, by its kernel
    size; one that only rescales has that of the layer before it.
    """

    def __init__(self, branch: Branch, suffix: str) -> None:
        self.own = Names(suffix)
        self._kernels: dict[str, Names] = {}
        self._modules: dict[str, str] = {}
        for place, layer in enumerate(branch.layers):
            is_behind = place > branch.main
            if branch.main == 0 or is_behind:
                names = self.own
            elif place == 0 or not layer.rescales:
                names = Names(f"{suffix}_{self._part(layer, suffix)}")
            self._kernels[layer.name] = names
            self._modules[layer.name] = self._unused(f"{in_code(layer).module}{names.suffix}")

    def kernel_of(self, layer: Layer) -> Names:
        """Those of the layer's own kernel; of one that only rescales, of the layer before it."""
        return self._kernels[layer.name]

    def module_of(self, layer: Layer) -> str:
        """The layer itself; of a convolution or a batch norm torch's module, of a scale its tensor."""
        return self._modules[layer.name]

    def _part(self, layer: Layer, suffix: str) -> str:
        """What no layer before it is called."""
        taken = {names.suffix.removeprefix(f"{suffix}_") for names in self._kernels.values()}
        part = in_code(layer).among or show_pair(layer.kernel_size)
        if part not in taken:
            return part
        later = (f"then{f'_{count}' if count > 1 else ''}" for count in range(1, len(taken) + 2))
        return next(each for each in later if each not in taken)

    def _unused(self, name: str) -> str:
        """The name, with a number where another layer has it."""
        same = sum(re.sub(r"__\d+$", "", each) == name for each in self._modules.values())
        return f"{name}__{same + 1}" if same else name
