"""The stages of one branch: its steps to a kernel, with its modules run beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from torch import Tensor, nn
from torch.nn import functional

from tui.analysis.steps import arithmetic, words
from tui.analysis.steps.arithmetic import Operation
from tui.analysis.steps.check import check_kernel, run64
from tui.analysis.steps.step import Place, Stage, StagedKernel, staged
from tui.fusion.block import ReparamBlock
from tui.fusion.branches import (
    AverageBranch,
    Branch,
    ConvBranch,
    IdentityBranch,
    OffsetIdentityConv,
    SequenceBranch,
    Step,
)
from tui.fusion.branches.border import border_of
from tui.fusion.geometry import Geometry
from tui.fusion.kernel import Kernel, pad_to
from tui.fusion.padding import centre
from tui.fusion.spec import PaddingMode, Pair


class BranchStages:
    """Walks through one branch, a stage at a time.

    `branch`: a float64 copy that nobody else runs: what follows its map is taken off it, and run apart.
    `steps`: those of `ReparamBlock.steps`. `frame`: (kH, kW) of the fused kernel. x: (1, in_channels, H, W),
    float64, a `part` of the input.

    At any time `output` is what the modules gave so far, and each stage's kernel must give the same.
    """

    def __init__(
        self,
        branch: Branch,
        steps: tuple[Step, ...],
        block: ReparamBlock,
        frame: Pair,
        x: Tensor,
        part: str,
    ) -> None:
        self._branch, self._block, self._frame, self._x, self._part = branch, block, frame, x, part
        self._steps = iter(steps)
        self._norm, self._alpha, self._gamma = branch.norm, branch.alpha, branch.gamma
        branch.norm = branch.alpha = branch.gamma = None
        self._geometry = branch.geometry
        self._shown: StagedKernel | None = None

    def __iter__(self) -> Iterator[Stage]:
        """The stages, at least one."""
        count = 0
        for stage in self._all():
            count += 1
            yield stage
        if not count:
            yield self._stage(
                "as it is", words.AS_IT_IS, "conv = the branch's own run", arithmetic.as_it_is(self._kernel)
            )

    def _all(self) -> Iterator[Stage]:
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
        self._kernel = next(self._steps).kernel
        return self._kernel

    def _stage(
        self,
        title: str,
        why: str,
        compared: str,
        operation: Operation,
        *before: StagedKernel,
        diagonal: str = "",
        outcome: str = "",
    ) -> Stage:
        """The stage to the present kernel, which is checked against the present output."""
        size = self._shown.frame if self._shown else self._kernel.kernel_size
        after = staged(outcome or title, self._kernel, size)
        self._shown = after
        kernel = pad_to(self._kernel, size)
        check = check_kernel(compared, kernel, self._geometry, self._x, self._output, self._part)
        return Stage(self._branch.name, title, why, before, after, operation, check, diagonal)

    def _before(self, title: str, origin: Callable[[Place], Place] | None = None) -> StagedKernel:
        """The kernel that the last stage showed, or that there is without one."""
        frame = self._shown.frame if self._shown else self._kernel.kernel_size
        return staged(title, self._kernel, frame, origin)

    def _mapped(self) -> Iterator[Stage]:
        match self._branch:
            case IdentityBranch():
                yield self._identity(self._branch)
            case AverageBranch():
                self._take()
                yield self._stage(
                    "average as a kernel",
                    words.average(self._kernel.kernel_size),
                    "conv = the average pooling",
                    arithmetic.mean_of_taps(self._kernel),
                    diagonal="mean",
                    outcome=words.size(self._kernel.kernel_size),
                )
            case SequenceBranch():
                yield from self._sequence(self._branch)
            case ConvBranch() | _:
                self._take()

    def _identity(self, branch: IdentityBranch) -> Stage:
        kernel, frame, groups = self._take(), self._frame, branch.geometry.groups
        self._shown = staged("", kernel, frame)
        self._geometry = replace(self._geometry, dilation=self._block.geometry.dilation)
        middle = centre(frame[0]), centre(frame[1])
        return self._stage(
            f"identity to {words.size(frame)}",
            words.identity(middle, groups > 1),
            "conv with them = the input itself",
            arithmetic.ones_where_channels_meet(kernel, frame, middle, self._x, groups),
            diagonal="Dirac",
            outcome=words.size(frame),
        )

    def _sequence(self, branch: SequenceBranch) -> Iterator[Stage]:
        output, geometry, step = self._output, self._geometry, branch.first
        inner, step.norm = step.norm, None
        self._geometry = Geometry(groups=geometry.groups)
        first, self._output = self._take(), run64(step, self._x)
        if isinstance(step.conv, OffsetIdentityConv):
            before = self._before("stored 1×1")
            first = self._take()
            yield self._stage(
                "identity added",
                words.IDENTITY_ADDED,
                "conv = DBB's own 1×1",
                arithmetic.with_identity(before, first),
                before,
            )
        if isinstance(inner, nn.BatchNorm2d):
            before = self._before("1×1")
            first, self._output = self._take(), run64(inner, self._output)
            yield self._stage(
                "inner norm folded",
                words.NORM_FOLDED,
                "folded conv = 1×1, then its batch norm",
                arithmetic.folded_norm(before, inner),
                before,
            )
        step.norm = inner
        second = self._take()
        if isinstance(branch.second, nn.AvgPool2d):
            yield self._pooled(branch, branch.second, geometry)
        self._take()
        self._geometry, self._output, self._shown = geometry, output, None
        yield self._composed(branch, first, second)

    def _pooled(self, branch: SequenceBranch, pool: nn.AvgPool2d, geometry: Geometry) -> Stage:
        """The second step by itself, on what the first gave."""
        x, between = self._x, self._output
        zeros = replace(geometry, padding_mode=PaddingMode.ZEROS)  # here, whatever the sequence pads
        self._x, self._geometry, self._shown = between, zeros, None
        bordered = functional.pad(between, border_of(branch.kernel_size))
        self._output = run64(pool, bordered)
        stage = self._stage(
            "average as a kernel",
            words.average(branch.kernel_size),
            "conv = the average pooling",
            arithmetic.mean_of_taps(self._kernel),
            diagonal="mean",
            outcome=words.size(self._kernel.kernel_size),
        )
        self._x = x
        return stage

    def _composed(self, branch: SequenceBranch, first: Kernel, second: Kernel) -> Stage:
        groups = branch.geometry.groups
        rows, between = len(second.weight) // groups, int(second.weight.shape[1])

        def in_first(place: Place) -> Place:
            return place[0] // rows * between, place[1], 0, 0

        def in_second(place: Place) -> Place:
            return place[0], 0, place[2], place[3]

        return self._stage(
            "composed",
            words.composed(branch, between, words.size(second.kernel_size)),
            "one conv = both, one after the other",
            arithmetic.through_channels(first, second, groups),
            staged("first, 1×1", first, origin=in_first),
            staged(f"then {words.size(second.kernel_size)}", second, origin=in_second),
            outcome="both as one",
        )

    def _embedded(self) -> Iterator[Stage]:
        """The kernel in the frame of the fused one, if it is smaller."""
        own, frame = self._kernel.kernel_size, self._frame
        if own == frame or (self._shown and self._shown.frame == frame):
            return
        top, left = (centre(outer) - centre(inner) for inner, outer in zip(own, frame, strict=True))

        def origin(place: Place) -> Place:
            return place[0], place[1], place[2] - top, place[3] - left

        before = staged(words.size(own), self._kernel, origin=origin)
        self._shown = staged("", self._kernel, frame)
        self._geometry = replace(self._geometry, dilation=self._block.geometry.dilation)
        middle = centre(frame[0]), centre(frame[1])
        yield self._stage(
            f"{words.size(own)} to {words.size(frame)}",
            words.embedded(own, frame, middle),
            f"padded conv = {words.size(own)} conv",
            arithmetic.taken_over(before),
            before,
            outcome=words.size(frame),
        )

    def _normed(self) -> Iterator[Stage]:
        if isinstance(self._norm, nn.BatchNorm2d):
            before = self._before("without its norm")
            self._take()
            self._output = run64(self._norm, self._output)
            operation = arithmetic.folded_norm(before, self._norm)
            compared = "folded conv = conv, then batch norm"
            yield self._stage("batch norm folded", words.NORM_FOLDED, compared, operation, before)

    def _scaled(self) -> Iterator[Stage]:
        for name, factors in (("alpha", self._alpha), ("gamma", self._gamma)):
            if factors is None:
                continue
            before = self._before(f"without {name}")
            self._take()
            detached = factors.detach()
            self._output = self._output * detached.view(-1, *([1, 1] if detached.ndim else []))
            operation = arithmetic.multiplied(before, detached, name)
            compared = f"scaled conv = {name} × conv"
            yield self._stage(f"times {name}", words.SCALED[name], compared, operation, before)

    def _ungrouped(self) -> Iterator[Stage]:
        groups, fewer = self._geometry.groups, self._block.geometry.groups
        if groups == fewer:
            return
        rows, columns = len(self._kernel.weight) // groups, int(self._kernel.weight.shape[1])

        def origin(place: Place) -> Place:
            return place[0], place[1] % columns, place[2], place[3]

        before = self._before(f"groups {groups}", origin)
        self._take()
        self._geometry = replace(self._geometry, groups=fewer)
        yield self._stage(
            f"{groups} groups to {fewer}",
            words.ungrouped(groups, fewer, columns, rows),
            f"conv of groups {fewer} = conv of groups {groups}",
            arithmetic.in_its_group(before, groups, fewer),
            before,
            outcome=f"groups {fewer}",
        )

    @property
    def _is_to_be_widened(self) -> bool:
        return self._steps_apart != (1, 1)

    @property
    def _steps_apart(self) -> Pair:
        """How many taps of the block lie from one tap of the branch to its next."""
        axes = zip(
            self._branch.kernel_size,
            self._branch.geometry.dilation,
            self._block.geometry.dilation,
            strict=True,
        )
        apart = [own // block if size > 1 else 1 for size, own, block in axes]
        return apart[0], apart[1]

    def _widened(self) -> Stage:
        apart, sizes = self._steps_apart, self._kernel.kernel_size
        # An even kernel has its zeros in front, so that its centre tap stays the centre.
        front = tuple(0 if size % 2 else step - 1 for size, step in zip(sizes, apart, strict=True))

        def origin(place: Place) -> Place:
            rows, columns = (
                divmod(tap - zeros, step) for tap, zeros, step in zip(place[2:], front, apart, strict=True)
            )
            between = rows[1] or columns[1]
            return place[0], place[1], -1 if between else rows[0], columns[0]

        before = self._before("taps apart", origin)
        self._take()
        self._shown = None
        self._geometry = replace(self._geometry, dilation=self._block.geometry.dilation)
        wide = words.size(self._kernel.kernel_size)
        return self._stage(
            "dilation widened",
            words.widened(apart, sizes, wide),
            f"{wide} conv = dilated {words.size(sizes)} conv",
            arithmetic.taken_over(before),
            before,
            outcome=wide,
        )

    def _scaled_by_post_norm(self) -> Iterator[Stage]:
        norm = self._block.post_norm
        if not isinstance(norm, nn.BatchNorm2d):
            return
        before = self._before("without the scale")
        self._take()
        offset = run64(norm, self._output.new_zeros(self._output.shape))
        self._output = run64(norm, self._output) - offset
        yield self._stage(
            "post norm's scale",
            words.POST_SCALE,
            "scaled conv = post norm of conv − of 0",
            arithmetic.multiplied_by_norm(before, norm),
            before,
        )
