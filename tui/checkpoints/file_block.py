"""FileBlock: a block in a checkpoint as what the bench looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.analysis.origin import HOW_IT_IS_RUN, Origin
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.found import FoundBlock
from tui.fusion.grammar.number_text import show_number
from tui.fusion.pair_text import show_pair
from tui.fusion.specs.block_spec import BlockSpec, Dtype
from tui.fusion.specs.branch_spec import BranchSpec

if TYPE_CHECKING:
    from tui.fusion.block import ReparamBlock

SMALLEST_INPUT = 9
"""Rows and columns that a block is run on at first, where its kernel is not larger."""


class FileBlock(Origin):
    """A block that was found in an open checkpoint; its tensors are read when it is built.

    Attributes:
        found: where it stands.

    Raises:
        InvalidSpecError: it is larger than what can be looked at.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        found: FoundBlock,
        eps: float | None = None,
        remarks: tuple[str, ...] = (),
    ) -> None:
        """`eps`: of its batch norms, for the family's. `remarks`: what else is known of it."""
        self._checkpoint = checkpoint
        self.found = found
        self.title = found.prefix or checkpoint.path.stem
        self.container = checkpoint.path.name
        self.remarks = (*remarks_on(found, eps), *remarks)
        self.free = HOW_IT_IS_RUN | {"eps"} if found.has_norm else HOW_IT_IS_RUN
        self.spec = BlockSpec(
            in_channels=found.in_channels,
            out_channels=found.out_channels,
            kernel_size=found.kernel_size,
            groups=found.groups,
            branches=tuple(BranchSpec.of_chain(branch.chain, branch.name) for branch in found.branches),
            post_norm=found.post_norm is not None,
            eps=found.eps if eps is None else eps,
            input_shape=(
                max(SMALLEST_INPUT, found.kernel_size[0]),
                max(SMALLEST_INPUT, found.kernel_size[1]),
            ),
            dtype=_dtype_for(checkpoint, found),
        )

    def block(self, spec: BlockSpec) -> ReparamBlock:
        """The block with the numbers that the file has now.

        Raises:
            CheckpointError: the file has changed or is gone.
            FusionError: a fixed kernel differs from channel to channel.
        """
        from tui.checkpoints.building import block_of  # what it needs is loaded when a block is read
        from tui.fusion.torch_dtypes import torch_dtype

        return block_of(self.found, self._checkpoint.tensor, eps=spec.eps, dtype=torch_dtype(spec.dtype))


def remarks_on(found: FoundBlock, eps: float | None = None) -> tuple[str, ...]:
    """What was read of a block, and what no file says, a line each; `eps`: that which was chosen."""
    groups = f", {found.groups} groups" if found.groups > 1 else ""
    size = show_pair(found.kernel_size, "×")
    told = [each for each in found.assumed if eps is None or each.what != "eps"]
    assumed = ", ".join(f"{each.what} {each.value}" for each in told)
    chosen = () if eps is None else (f"eps {show_number(eps)}: chosen",)
    return (
        f"{found.family}: {found.in_channels} → {found.out_channels}, {size}{groups}, {found.dtype}",
        f"assumed: {assumed}",
        *chosen,
    )


def _dtype_for(checkpoint: Checkpoint, found: FoundBlock) -> Dtype:
    """The narrowest dtype of the bench that holds each of the block's numbers."""
    dtypes = {checkpoint.entries[name].dtype for name in found.reads if not name.endswith("batches_tracked")}
    if "float64" in dtypes:
        return Dtype.FLOAT64
    if len(dtypes) == 1 and (only := dtypes.pop()) in tuple(Dtype):
        return Dtype(only)
    return Dtype.FLOAT32
