"""RanOn: where both sides of a study ran, and what of that must be known beside its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

CPU = "cpu"


@dataclass(frozen=True, slots=True)
class RanOn:
    """A device.

    Attributes:
        device: as torch names it.
        name: what the processor is called; "" for the CPU.
        tf32: whether its convolutions of float32 take 10 bits of each factor.
    """

    device: str = CPU
    name: str = ""
    tf32: bool = False

    @property
    def cautions(self) -> Iterator[str]:
        """What a reader of the result must keep in mind, in plain sentences."""
        if self.device == CPU:
            return
        yield f"Both sides ran on {self.device} ({self.name}), the float64 reference on the CPU."
        if self.tf32:
            yield (
                "TF32 is on there: products of float32 are taken of 10 bits of each factor. Without it: "
                "torch.backends.cudnn.allow_tf32 = False."
            )


ON_THE_CPU = RanOn()
