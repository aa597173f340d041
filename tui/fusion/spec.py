"""What the user chose: a block, its input and its arithmetic, validated before any torch call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from enum import StrEnum

Pair = tuple[int, int]

MAX_CHANNELS = 65_536
MAX_KERNEL_SIZE = 127
MAX_STRIDE = 64
MAX_DILATION = 64
MAX_BATCH_SIZE = 65_536
MAX_INPUT_SIZE = 16_384
MAX_SEED = 2**63 - 1


class BranchKind(StrEnum):
    """The branches that a block may have; the value is the branch's name."""

    KXK = "kxk"
    POINTWISE = "1x1"
    IDENTITY = "identity"

    @property
    def has_weight(self) -> bool:
        """Whether the branch is a convolution, with a weight and perhaps a bias of its own."""
        return self is not BranchKind.IDENTITY


class WeightFill(StrEnum):
    """How weights get their values."""

    RANDOM = "random"
    INTEGERS = "integers"
    ONES = "ones"


class InputFill(StrEnum):
    """How the input gets its values."""

    RANDOM = "random"
    INTEGERS = "integers"
    ONES = "ones"
    RAMP = "ramp"
    IMPULSES = "impulses"


class Dtype(StrEnum):
    """The dtype of parameters, input and both runs; the value is torch's name for it."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"

    @property
    def bytes(self) -> int:
        """Bytes that one element takes."""
        return {Dtype.FLOAT64: 8, Dtype.FLOAT32: 4}.get(self, 2)


@dataclass(frozen=True, slots=True)
class BranchSpec:
    """One branch: its kind, whether its convolution has a bias, whether a batch norm follows it."""

    kind: BranchKind
    bias: bool = True
    batch_norm: bool = False

    def __post_init__(self) -> None:
        if not self.kind.has_weight:
            object.__setattr__(self, "bias", False)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the field where it shows, and the words for it."""

    field: str
    message: str


class InvalidSpecError(ValueError):
    """Chosen values that make no block; `problems` says what is wrong at which field."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class BlockSpec:
    """A block of parallel branches, its input and its arithmetic: all that a user edits.

    Pairs are (height, width). The padding is always "same": with stride s an input of height H gives an
    output of height ceil(H / s), whatever the kernel size and the dilation.

    Raises:
        InvalidSpecError: the values make no block that can be built and fused.
    """

    in_channels: int = 2
    out_channels: int = 2
    kernel_size: Pair = (3, 3)
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int = 1
    branches: tuple[BranchSpec, ...] = (
        BranchSpec(BranchKind.KXK),
        BranchSpec(BranchKind.POINTWISE),
        BranchSpec(BranchKind.IDENTITY),
    )
    input_shape: Pair = (9, 9)
    batch_size: int = 1
    weights: WeightFill = WeightFill.RANDOM
    input: InputFill = InputFill.RANDOM
    dtype: Dtype = Dtype.FLOAT32
    seed: int = 0

    def __post_init__(self) -> None:
        problems = tuple(_range_problems(self))
        problems = problems or tuple(_structure_problems(self))
        if problems:
            raise InvalidSpecError(problems)

    def branch(self, kind: BranchKind) -> BranchSpec | None:
        """The branch of that kind, None where the block has none."""
        return next((branch for branch in self.branches if branch.kind is kind), None)

    def branch_kernel_size(self, branch: BranchSpec) -> Pair:
        """(kH, kW) of that branch's own kernel."""
        return self.kernel_size if branch.kind is BranchKind.KXK else (1, 1)

    @property
    def fused_kernel_size(self) -> Pair:
        """(kH, kW) of the fused kernel: the smallest that holds every branch's."""
        sizes = [self.branch_kernel_size(branch) for branch in self.branches]
        return max(size[0] for size in sizes), max(size[1] for size in sizes)

    @property
    def input_nchw(self) -> tuple[int, int, int, int]:
        """(batch, in_channels, height, width) of the input."""
        return self.batch_size, self.in_channels, *self.input_shape

    @property
    def output_nchw(self) -> tuple[int, int, int, int]:
        """(batch, out_channels, height, width) of either side's output."""
        height, width = (
            -(-size // stride) for size, stride in zip(self.input_shape, self.stride, strict=True)
        )
        return self.batch_size, self.out_channels, height, width

    def with_branches(self, *, bias: bool | None = None, batch_norm: bool | None = None) -> BlockSpec:
        """The same block with bias or batch norm switched for all its branches (None: left as it is)."""
        switched = tuple(
            replace(
                branch,
                bias=branch.bias if bias is None else bias,
                batch_norm=branch.batch_norm if batch_norm is None else batch_norm,
            )
            for branch in self.branches
        )
        return replace(self, branches=switched)

    def changes_from(self, other: BlockSpec) -> list[str]:
        """Names of the fields in which the two differ."""
        names = [field.name for field in fields(self)]
        return [name for name in names if getattr(self, name) != getattr(other, name)]


def show_pair(pair: Pair) -> str:
    """A pair as people write it: "3x5"."""
    return f"{pair[0]}x{pair[1]}"


def _range_problems(spec: BlockSpec) -> Iterator[Problem]:
    """What is wrong with each number by itself."""
    limits: tuple[tuple[str, str, int, int], ...] = (
        ("in_channels", "in channels", 1, MAX_CHANNELS),
        ("out_channels", "out channels", 1, MAX_CHANNELS),
        ("kernel_size", "kernel size", 1, MAX_KERNEL_SIZE),
        ("stride", "stride", 1, MAX_STRIDE),
        ("dilation", "dilation", 1, MAX_DILATION),
        ("groups", "groups", 1, MAX_CHANNELS),
        ("input_shape", "input height and width", 1, MAX_INPUT_SIZE),
        ("batch_size", "batch", 1, MAX_BATCH_SIZE),
        ("seed", "seed", 0, MAX_SEED),
    )
    for name, words, low, high in limits:
        value: int | Pair = getattr(spec, name)
        for number in value if isinstance(value, tuple) else (value,):
            if not low <= number <= high:
                yield Problem(name, f"{words} must be from {low} to {high}, not {number}")
                break


def _structure_problems(spec: BlockSpec) -> Iterator[Problem]:
    """What is wrong with numbers that are right by themselves."""
    ends = (("in channels", spec.in_channels), ("out channels", spec.out_channels))
    undivided = [f"{words} {channels}" for words, channels in ends if channels % spec.groups]
    if undivided:
        yield Problem(
            "groups",
            f"groups must divide in and out channels: {spec.groups} does not divide {' or '.join(undivided)}",
        )
    yield from _branch_problems(spec)


def _branch_problems(spec: BlockSpec) -> Iterator[Problem]:
    if not spec.branches:
        yield Problem("branches", "a block needs at least one branch: switch on kxk, 1x1 or identity")
    kinds = [branch.kind for branch in spec.branches]
    for kind in sorted({kind for kind in kinds if kinds.count(kind) > 1}):
        yield Problem("branches", f"the branch {kind} stands more than once: name each branch once")
    if BranchKind.IDENTITY not in kinds:
        return
    if spec.in_channels != spec.out_channels:
        yield Problem(
            "branches",
            "the identity needs in channels = out channels "
            f"({spec.in_channels} is not {spec.out_channels}): make them equal or switch it off",
        )
    if spec.stride != (1, 1):
        yield Problem(
            "branches",
            f"the identity needs stride 1, not {show_pair(spec.stride)}: "
            "it would skip pixels; set stride 1 or switch it off",
        )
