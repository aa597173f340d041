"""The steps of one branch: its steps to a kernel, with its modules run beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from torch import Tensor, nn
from torch.nn import functional

from tui.analysis.steps import arithmetic, code, layers, words
from tui.analysis.steps.arithmetic import Operation
from tui.analysis.steps.check import check_kernel, run64
from tui.analysis.steps.code import Code, Names
from tui.analysis.steps.step import Step, StepKernel, step_kernel
from tui.fusion.block import ReparamBlock
from tui.fusion.branches import (
    AverageBranch,
    Branch,
    ConvBranch,
    Fold,
    IdentityBranch,
    OffsetIdentityConv,
    SequenceBranch,
)
from tui.fusion.branches.border import border_of
from tui.fusion.geometry import Geometry
from tui.fusion.kernel import Kernel, dirac, pad_to
from tui.fusion.padding import centre, offset_in, taps_apart
from tui.fusion.spec import PaddingMode, Pair
from tui.fusion.tap import Tap


class BranchSteps:
    """Walks through one branch, a step at a time.

    `branch`: a float64 copy that nobody else runs: what follows its map is taken off it, and run apart.
    `suffix`: what the names of its tensors end in. `folds`: those of `ReparamBlock.folds`. `frame`: (kH, kW)
    of the fused kernel. x: (1, in_channels, H, W), float64, a `part` of the input.

    At any time `output` is what the modules gave so far, and each step's kernel must give the same.
    """

    def __init__(
        self,
        branch: Branch,
        suffix: str,
        folds: tuple[Fold, ...],
        block: ReparamBlock,
        frame: Pair,
        x: Tensor,
        part: str,
    ) -> None:
        self._branch, self._block, self._frame, self._x, self._part = branch, block, frame, x, part
        self._names, self._folds = Names(suffix), iter(folds)
        self._norm, self._alpha, self._gamma = branch.norm, branch.alpha, branch.gamma
        branch.norm = branch.alpha = branch.gamma = None
        self._geometry = branch.geometry
        self._shown: StepKernel | None = None

    def __iter__(self) -> Iterator[Step]:
        """The steps, at least one."""
        count = 0
        for step in self._all():
            count += 1
            yield step
        if not count:
            yield self._step(
                "as it is",
                words.AS_IT_IS,
                "conv = the branch's own run",
                arithmetic.as_it_is(self._kernel),
                code.as_it_is(self._names, self._kernel),
                outcome=self._branch.name,
                shown=(layers.OWN,),
            )

    def _all(self) -> Iterator[Step]:
        self._output = run64(self._branch, self._x)
        yield from self._mapped()
        if not self._is_to_be_widened:
            yield from self._embedded()
        yield from self._normed()
        yield from self._scaled()
        yield from self._ungrouped()
        if self._is_to_be_widened:
            yield self._widened()
            yield from self._embedded()
        yield from self._scaled_by_post_norm()

    def _take(self) -> Kernel:
        """Go on to the branch's next step."""
        self._kernel = next(self._folds).kernel
        return self._kernel

    def _step(
        self,
        title: str,
        why: str,
        compared: str,
        operation: Operation,
        written: Code,
        *before: StepKernel,
        diagonal: str = "",
        outcome: str = "",
        sign: str = "→",
        shown: tuple[str, ...] = (),
    ) -> Step:
        """The step to the present kernel, which is checked against the present output."""
        size = self._shown.frame if self._shown else self._kernel.kernel_size
        after = step_kernel(outcome or title, self._kernel, size, sign=sign if before else "")
        self._shown = after
        kernel = pad_to(self._kernel, size)
        check = check_kernel(compared, kernel, self._geometry, self._x, self._output, self._part)
        name = self._branch.name
        return Step(name, title, why, before, after, operation, check, diagonal, written, layers=shown)

    def _before(self, title: str, origin: Callable[[Tap], Tap] | None = None) -> StepKernel:
        """The kernel that the last step showed, or that there is without one."""
        frame = self._shown.frame if self._shown else self._kernel.kernel_size
        return step_kernel(title, self._kernel, frame, origin)

    def _mapped(self) -> Iterator[Step]:
        match self._branch:
            case IdentityBranch():
                yield self._identity(self._branch)
            case AverageBranch():
                self._take()
                yield self._step(
                    "average as a kernel",
                    words.average(self._kernel.kernel_size),
                    "conv = the average pooling",
                    arithmetic.mean_of_taps(self._kernel),
                    code.average(self._names, self._kernel),
                    diagonal="mean",
                    outcome=words.size(self._kernel.kernel_size),
                )
            case SequenceBranch():
                yield from self._sequence(self._branch)
            case ConvBranch() | _:
                self._take()

    def _identity(self, branch: IdentityBranch) -> Step:
        kernel, frame, groups = self._take(), self._frame, branch.geometry.groups
        self._shown = step_kernel("", kernel, frame)
        self._geometry = replace(self._geometry, dilation=self._block.geometry.dilation)
        middle = centre(frame[0]), centre(frame[1])
        return self._step(
            f"identity to {words.size(frame)}",
            words.identity(middle, groups > 1),
            "conv with them = the input itself",
            arithmetic.ones_where_channels_meet(kernel, frame, middle, self._x, groups),
            code.identity(self._names, kernel, frame),
            diagonal="Dirac",
            outcome=words.size(frame),
        )

    def _sequence(self, branch: SequenceBranch) -> Iterator[Step]:
        output, geometry, step = self._output, self._geometry, branch.first
        inner_names, outer_names = names = self._names.steps(code.second_step(branch))
        inner, step.norm = step.norm, None
        self._geometry = Geometry(groups=geometry.groups)
        first, self._output = self._take(), run64(step, self._x)
        if isinstance(step.conv, OffsetIdentityConv):
            before = self._before("stored 1×1")
            first = self._take()
            yield self._step(
                "identity added",
                words.IDENTITY_ADDED,
                "conv = DBB's own 1×1",
                arithmetic.with_identity(before, first),
                code.with_identity(inner_names, first),
                before,
                step_kernel("identity", _identity_of(first), sign="+"),
                outcome="1×1",
                sign="=",
                shown=(layers.FIRST,),
            )
        if isinstance(inner, nn.BatchNorm2d):
            before = self._before("1×1")
            first, self._output = self._take(), run64(inner, self._output)
            yield self._step(
                "inner norm folded",
                words.NORM_FOLDED,
                "folded conv = 1×1, then its batch norm",
                arithmetic.folded_norm(before, inner),
                code.folded_norm(inner_names, before.kernel, first),
                before,
                sign="× scale =",
                shown=(layers.FIRST, layers.INNER_NORM),
            )
        step.norm = inner
        second = self._take()
        if isinstance(branch.second, nn.AvgPool2d):
            yield self._pooled(branch, branch.second, geometry, outer_names)
        self._take()
        self._geometry, self._output, self._shown = geometry, output, None
        yield self._composed(branch, first, second, names)

    def _pooled(self, branch: SequenceBranch, pool: nn.AvgPool2d, geometry: Geometry, names: Names) -> Step:
        """The second step by itself, on what the first gave."""
        x, between = self._x, self._output
        zeros = replace(geometry, padding_mode=PaddingMode.ZEROS)  # here, whatever the sequence pads
        self._x, self._geometry, self._shown = between, zeros, None
        bordered = functional.pad(between, border_of(branch.kernel_size))
        self._output = run64(pool, bordered)
        step = self._step(
            "average as a kernel",
            words.average(branch.kernel_size),
            "conv = the average pooling",
            arithmetic.mean_of_taps(self._kernel),
            code.average(names, self._kernel),
            diagonal="mean",
            outcome=words.size(self._kernel.kernel_size),
        )
        self._x = x
        return step

    def _composed(
        self, branch: SequenceBranch, first: Kernel, second: Kernel, names: tuple[Names, Names]
    ) -> Step:
        groups = branch.geometry.groups
        between = int(second.weight.shape[1])
        return self._step(
            "composed",
            words.composed(branch, between, words.size(second.kernel_size)),
            "one conv = both, one after the other",
            arithmetic.through_channels(first, second, groups),
            code.composed(self._names, names, first, second, groups),
            *_products(first, second, groups),
            outcome="both as one",
            sign="=" if between <= arithmetic.MOST_TERMS else "+ … =",
            shown=(layers.BOTH,),
        )

    def _embedded(self) -> Iterator[Step]:
        """The kernel in the frame of the fused one, if it is smaller."""
        own, frame = self._kernel.kernel_size, self._frame
        if own == frame or (self._shown and self._shown.frame == frame):
            return
        top, left = offset_in(own, frame)

        def origin(tap: Tap) -> Tap:
            return tap._replace(ky=tap.ky - top, kx=tap.kx - left)

        before = step_kernel(words.size(own), self._kernel, origin=origin)
        self._shown = step_kernel("", self._kernel, frame)
        self._geometry = replace(self._geometry, dilation=self._block.geometry.dilation)
        middle = centre(frame[0]), centre(frame[1])
        yield self._step(
            f"{words.size(own)} to {words.size(frame)}",
            words.embedded(own, frame, middle),
            f"padded conv = {words.size(own)} conv",
            arithmetic.taken_over(before),
            code.padded(self._names, self._kernel, own, frame),
            before,
            outcome=words.size(frame),
            shown=(layers.OWN,),
        )

    def _normed(self) -> Iterator[Step]:
        if isinstance(self._norm, nn.BatchNorm2d):
            before = self._before("without its norm")
            self._take()
            self._output = run64(self._norm, self._output)
            operation = arithmetic.folded_norm(before, self._norm)
            compared = "folded conv = conv, then batch norm"
            written = code.folded_norm(self._names, before.kernel, self._kernel)
            yield self._step(
                "batch norm folded",
                words.NORM_FOLDED,
                compared,
                operation,
                written,
                before,
                sign="× scale =",
                shown=(layers.OWN, layers.NORM),
            )

    def _scaled(self) -> Iterator[Step]:
        for name, factors in (("alpha", self._alpha), ("gamma", self._gamma)):
            if factors is None:
                continue
            before = self._before(f"without {name}")
            self._take()
            detached = factors.detach()
            self._output = self._output * detached.view(-1, *([1, 1] if detached.ndim else []))
            operation = arithmetic.multiplied(before, detached, name)
            factor = f"{name}{self._names.suffix}"
            written = code.multiplied(self._names, self._kernel, factor, one=not detached.ndim)
            compared, sign = f"scaled conv = {name} × conv", f"× {name} ="
            yield self._step(
                f"times {name}",
                words.SCALED[name],
                compared,
                operation,
                written,
                before,
                sign=sign,
                shown=(name,),
            )

    def _ungrouped(self) -> Iterator[Step]:
        groups, fewer = self._geometry.groups, self._block.geometry.groups
        if groups == fewer:
            return
        rows, columns = len(self._kernel.weight) // groups, int(self._kernel.weight.shape[1])

        def origin(tap: Tap) -> Tap:
            met = tap.in_ // columns == tap.out // rows % (groups // fewer)
            return tap._replace(in_=tap.in_ % columns if met else -1)

        before = self._before(f"groups {groups}", origin)
        self._take()
        self._geometry = replace(self._geometry, groups=fewer)
        yield self._step(
            f"{groups} groups to {fewer}",
            words.ungrouped(groups, fewer, columns, rows),
            f"conv of groups {fewer} = conv of groups {groups}",
            arithmetic.in_its_group(before, groups, fewer),
            code.ungrouped(self._names, self._kernel, groups, fewer, columns),
            before,
            outcome=f"groups {fewer}",
            shown=(layers.OWN,),
        )

    @property
    def _is_to_be_widened(self) -> bool:
        return self._steps_apart != (1, 1)

    @property
    def _steps_apart(self) -> Pair:
        """How many taps of the block lie from one tap of the branch to its next."""
        geometry = self._branch.geometry
        return taps_apart(self._branch.kernel_size, geometry.dilation, self._block.geometry.dilation)

    def _widened(self) -> Step:
        apart, sizes = self._steps_apart, self._kernel.kernel_size
        # An even kernel has its zeros in front, so that its centre tap stays the centre.
        front = tuple(0 if size % 2 else step - 1 for size, step in zip(sizes, apart, strict=True))

        def origin(tap: Tap) -> Tap:
            rows, columns = (
                divmod(own - zeros, step) for own, zeros, step in zip(tap[2:], front, apart, strict=True)
            )
            between = rows[1] or columns[1]
            return tap._replace(ky=-1 if between else rows[0], kx=columns[0])

        before = self._before("taps apart", origin)
        self._take()
        self._shown = None
        self._geometry = replace(self._geometry, dilation=self._block.geometry.dilation)
        wide = words.size(self._kernel.kernel_size)
        return self._step(
            "dilation widened",
            words.widened(apart, sizes, wide),
            f"{wide} conv = dilated {words.size(sizes)} conv",
            arithmetic.taken_over(before),
            code.widened(self._names, self._kernel, sizes, apart),
            before,
            outcome=wide,
            shown=(layers.OWN,),
        )

    def _scaled_by_post_norm(self) -> Iterator[Step]:
        norm = self._block.post_norm
        if not isinstance(norm, nn.BatchNorm2d):
            return
        before = self._before("without the scale")
        self._take()
        offset = run64(norm, self._output.new_zeros(self._output.shape))
        self._output = run64(norm, self._output) - offset
        yield self._step(
            "post norm's scale",
            words.POST_SCALE,
            "scaled conv = post norm of conv − of 0",
            arithmetic.multiplied_by_norm(before, norm),
            code.multiplied_by_post_norm(self._names, self._kernel),
            before,
            sign="× scale =",
            shown=(layers.POST_SCALE,),
        )


def _identity_of(kernel: Kernel) -> Kernel:
    channels, columns = kernel.weight.shape[:2]
    return dirac(channels, channels // columns, device=kernel.weight.device)


def _products(first: Kernel, second: Kernel, groups: int) -> Iterator[StepKernel]:
    """1×1 × 3×3 + 1×1 × 3×3: the kernels of the first channels between, as many as are written out."""
    rows, between = len(second.weight) // groups, int(second.weight.shape[1])
    inner = step_kernel("1×1", first)
    outer = step_kernel(words.size(second.kernel_size), second, sign="×")
    for middle in range(min(between, arithmetic.MOST_TERMS)):

        def in_first(tap: Tap, middle: int = middle) -> Tap:
            return Tap(tap.out // rows * between + middle, tap.in_, 0, 0)

        def in_second(tap: Tap, middle: int = middle) -> Tap:
            return tap._replace(in_=middle)

        yield replace(inner, origin=in_first, sign="+" if middle else "")
        yield replace(outer, origin=in_second)
