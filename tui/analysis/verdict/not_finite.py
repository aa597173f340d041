"""NotFinite: what is NaN or infinite in a study, and what is known all the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NotFinite:
    """What is NaN or infinite in a study.

    Attributes:
        cause: the input or the parameter that is, "input" or "kxk.weight", or a batch norm's scale, which is
            where its var + eps is not positive; "" where all of them are finite.
        unfused, fused: how many elements of each output are.
        channels: the output channels that are nowhere finite, on both sides alike: no output tells of them.
        wrong: those of them whose fused weights are other ones than the branches come to.
    """

    cause: str = ""
    unfused: int = 0
    fused: int = 0
    channels: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()

    @property
    def data(self) -> str:
        """The cause as the subject of a sentence."""
        return f"the {self.cause}" if self.cause == "input" else self.cause


ALL_FINITE = NotFinite()
