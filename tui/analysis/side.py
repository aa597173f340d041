"""Which side of a comparison is wrong, and the words for it."""

from __future__ import annotations

from enum import StrEnum


class WrongSide(StrEnum):
    """The side that is not what it should be: what ran as the block, the fused kernel, or both."""

    UNFUSED = "unfused"
    FUSED = "fused"
    BOTH = "both"

    @property
    def sentence(self) -> str:
        """What is wrong, and what is right."""
        match self:
            case WrongSide.UNFUSED:
                return "the unfused run is wrong, the fused kernel is right"
            case WrongSide.FUSED:
                return "the fused kernel is wrong"
        return "the fused kernel is wrong, and so is the unfused run"

    @property
    def before_a_figure(self) -> str:
        """What is said before how far off it is; of the fused kernel nothing, it is what is looked at."""
        match self:
            case WrongSide.UNFUSED:
                return "unfused run, "
            case WrongSide.FUSED:
                return ""
        return "both sides, "

    @property
    def made(self) -> str:
        """How a mistake of this side is made: "Fused"."""
        return "Run" if self is WrongSide.UNFUSED else "Fused"
