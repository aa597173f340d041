"""Family: how the blocks of one published design lie in a state_dict, and what is assumed of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.checkpoints.families.patterns import BranchPattern

USUAL_EPS = 1e-5
"""nn.BatchNorm2d's default."""

AFTER_THE_SUM = (
    "se",
    "post_se",
    "attn",
    "act",
    "activation",
    "nonlinearity",
    "nonlinear",
    "relu",
    "drop_path",
)
"""What blocks have after the sum, where it does not matter to the fusion."""

ANYTHING = ("*",)
"""Of a family beside whose branches anything may stand."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Family:
    """One kind of re-parameterizable block, as data.

    Attributes:
        name: as its users say it.
        source: the paper, and whose code has these names.
        branches: the summands.
        fused: the module that holds the fused convolution, under the prefix; "" for the prefix itself.
        eps: of its batch norms: in no file.
        post_norm: the batch norm after the sum.
        fused_tells: whether no module but a fused one has that name, so that it tells that it was fused.
        plain: whether ordinary modules have these names too: what does not fit is then no block of it.
        beside: modules that may stand under the same prefix and are no branch, as what comes after the sum;
            ANYTHING where the names of the branches say all. Another name may be a branch that is not
            known here, and the block is then left alone.
        one_of: names of branches of which exactly one must be there.
        unused: names that a block holds and does not run.
        evidence: pieces of names of which one must be somewhere in the file for it to be this family.
        found_by: the names by which a block is found; else those of its convolutions.
        in_order: whether a layer must be told from the one in front of it by the order in the file, where
            channels do not tell.
        not_under: a module inside of which blocks of other code have these names.
        on_wish: whether it is looked for only when asked for.
        note: what a user should know of it.
    """

    name: str
    source: str
    branches: tuple[BranchPattern, ...]
    fused: str
    eps: float = USUAL_EPS
    post_norm: str = ""
    fused_tells: bool = False
    plain: bool = False
    beside: tuple[str, ...] = AFTER_THE_SUM
    one_of: tuple[tuple[str, ...], ...] = ()
    unused: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    found_by: tuple[str, ...] = ()
    in_order: bool = False
    not_under: str = ""
    on_wish: bool = False
    note: str = ""

    @property
    def option(self) -> str:
        """The option that asks for it, as a shell takes it: --family qarepvgg."""
        name = self.name.lower()
        return f"--family {name}" if re.fullmatch(r"[\w.-]+", name) else f'--family "{name}"'

    @property
    def fused_names(self) -> tuple[str, str]:
        """The names of the fused weight and bias, under the prefix."""
        dot = "." if self.fused else ""
        return f"{self.fused}{dot}weight", f"{self.fused}{dot}bias"

    @property
    def branch_weights(self) -> tuple[str, ...]:
        """The names of the weights of its convolutions."""
        convs = (layer for each in self.branches for layer in each.convs)
        return tuple(dict.fromkeys(each.weight for each in convs))

    @property
    def triggers(self) -> tuple[str, ...]:
        """The names by which a block is found, and one that was fused."""
        found_by = self.found_by or self.branch_weights
        return (*found_by, self.fused_names[0]) if self.fused_tells else found_by
