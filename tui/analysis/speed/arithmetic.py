"""What arithmetic says of a side: its operations, the bytes that it moves, and what the peaks allow."""

from __future__ import annotations

from dataclasses import dataclass

FLOPS_PER_MAC = 2


@dataclass(frozen=True, slots=True)
class Work:
    """What one run of a side has to do.

    Attributes:
        params: weights, biases, and gamma and beta of batch norms.
        macs: multiply-accumulates of its convolutions, on the whole batch.
        bytes_read, bytes_written: by all its operations, each of which reads its inputs and weights once and
            writes its output once: what no cache saves.
        operations: how many there are: convolutions, batch norms, sums, paddings.
    """

    params: int
    macs: int
    bytes_read: int
    bytes_written: int
    operations: int

    @property
    def bytes(self) -> int:
        """Read and written."""
        return self.bytes_read + self.bytes_written

    @property
    def flops(self) -> int:
        """Floating-point operations: a multiply-accumulate is two."""
        return FLOPS_PER_MAC * self.macs

    @property
    def intensity(self) -> float:
        """FLOP for each byte that is moved (Williams et al., 2009: the roofline's x)."""
        return self.flops / self.bytes


@dataclass(frozen=True, slots=True)
class Peaks:
    """What this machine reaches at best, measured under the same conditions.

    Attributes:
        flops: FLOP/s of a large matrix product in the block's dtype.
        bandwidth: bytes/s of a large copy, read and written.
    """

    flops: float
    bandwidth: float

    @property
    def ridge(self) -> float:
        """FLOP a byte from which on arithmetic is the limit, and no more the memory."""
        return self.flops / self.bandwidth

    def roof(self, intensity: float) -> float:
        """FLOP/s that a kernel of this intensity can reach (Williams et al., 2009)."""
        return min(self.flops, intensity * self.bandwidth)
