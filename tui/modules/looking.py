"""look_at(module): a module as it is looked at, the one block that it is or the tree of its modules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import nn

from tui.fusion.kernel import FusionError
from tui.modules.finding import blocks_of
from tui.modules.found import Findings, FoundBlock
from tui.modules.fusing import block_of, example_of
from tui.modules.origin import ModuleBlock
from tui.modules.outline import ModuleOutline, path_of
from tui.modules.run.given import refuse_no_module
from tui.modules.run.training import refuse_train_mode


@dataclass(frozen=True, eq=False)
class LookedAt:
    """A module, and what was found by one run of it.

    Attributes:
        name: what it is called: the name of its class, or that by which it was asked for.
        module: it.
        example: what it was run on: an image, or a tuple of its arguments.
        given: whether the user said what it runs on.
        whole: the block that it is as a whole; None where it is none.
        why_not: why, in words; "" where it is one.
        findings: the blocks in it, and what is left alone; of a block, that alone.
    """

    name: str
    module: nn.Module
    example: Any
    given: bool
    whole: FoundBlock | None
    why_not: str
    findings: Findings

    @cached_property
    def outline(self) -> ModuleOutline:
        """It as a tree."""
        return ModuleOutline(self.module, self.findings, self.whole)

    @cached_property
    def in_train_mode(self) -> str:
        """What follows each input, in words; "" where nothing does."""
        try:
            refuse_train_mode(self.module)
        except FusionError as error:
            return str(error)
        return ""

    def on_the_bench(self, found: FoundBlock, *, all_of_it: bool = False) -> ModuleBlock:
        """One of its blocks as what the bench looks at.

        `all_of_it`: whether it runs on all that reached it, however large.

        Raises:
            FusionError, InvalidSpecError: as ModuleBlock.
        """
        title = "" if found is self.whole else path_of(found)
        return ModuleBlock(found, self.name, title=title, given=self.given, all_of_it=all_of_it)


def look_at(module: nn.Module, example: Any = None, name: str = "") -> LookedAt:
    """Run a module once, and tell what is found.

    `example`: an image (batch, channels, H, W) or a tuple of its arguments; where None, an image is made from
    its parameters. The module and the example stay as they are.

    Raises:
        FusionError: it is no module.
        RunError: its forward fails; the message says at which line of the user's code.
    """
    refuse_no_module(module)
    name = name or type(module).__name__
    given = example is not None
    example = example if given else example_of(module)
    try:
        whole = block_of(module, example)
    except FusionError as error:
        return LookedAt(name, module, example, given, None, str(error), blocks_of(module, example))
    return LookedAt(name, module, example, given, whole, "", Findings((whole,), ()))
