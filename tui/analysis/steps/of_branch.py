"""The steps of one branch: its folds to a kernel, with its layers run beside them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from torch import Tensor, nn

from tui.analysis.steps import arithmetic, code, layers, words
from tui.analysis.steps.arithmetic import Operation
from tui.analysis.steps.branch_names import BranchNames
from tui.analysis.steps.by_layer import Alone, Behind, Told, code_if_untold, rescaling, told_alone
from tui.analysis.steps.check import check_kernel, run64
from tui.analysis.steps.code import Code, Names
from tui.analysis.steps.step import Step, StepKernel, step_kernel
from tui.fusion.block import ReparamBlock
from tui.fusion.composition import Placed
from tui.fusion.kernel import Kernel, pad_to
from tui.fusion.layers import Branch, Chain, Fold, Layer
from tui.fusion.specs.block_spec import Pair
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.padding import centre, offset_in, taps_apart
from tui.fusion.tap import Tap


class BranchSteps:
    """Walks through one branch, a step at a time.

    `branch`: a float64 copy. `suffix`: what the names of its tensors end in. `folds`: those of
    `ReparamBlock.folded`. `frame`: (kH, kW) of the fused kernel. x: (1, in_channels, H, W), float64, a `part`
    of the input.

    At any time `output` is what the layers gave so far, and each step's kernel must give the same.
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
        self._names, self._folds = BranchNames(branch, suffix), deque(folds)
        self._called = self._names.own
        self._geometry = branch.geometry
        self._shown: StepKernel | None = None
        self._untold: list[str] = []

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
                code.as_it_is(self._called, self._names.module_of(self._branch.layers[0]), self._kernel),
                outcome=self._branch.name,
                shown=(layers.OWN,),
            )

    def _all(self) -> Iterator[Step]:
        yield from self._body()
        if not self._is_to_be_widened and self._is_centred:
            yield from self._embedded()
        for layer in self._branch.tail:
            yield self._rescaled(layer)
        yield from self._ungrouped()
        if self._is_to_be_widened:
            yield self._widened()
        if not self._is_centred:
            yield self._placed_by_padding()
        elif self._is_to_be_widened:
            yield from self._embedded()
        yield from self._scaled_by_post_norm()

    def _take(self) -> Fold:
        """Go on to the branch's next fold."""
        fold = self._folds.popleft()
        self._kernel = fold.kernel
        if fold.layer and not fold.alone:
            self._placed = fold.placed
            self._geometry = replace(self._geometry, groups=fold.groups)
        return fold

    def _own_folds(self, layer: Layer) -> Iterator[Fold]:
        """Go on through the folds of the layer's own kernel."""
        alone = self._folds[0].alone
        while self._folds and (self._folds[0].layer, self._folds[0].alone) == (layer.name, alone):
            yield self._take()

    def _run(self, count: int) -> None:
        """Go on to what the branch's first so many layers give."""
        chain = self._branch.up_to(count)
        self._geometry, self._output = chain.geometry, run64(chain, self._x)

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
        if self._untold:
            written = replace(written, text="\n".join([*self._untold, written.text]))
            self._untold = []
        name = self._branch.name
        return Step(name, title, why, before, after, operation, check, diagonal, written, layers=shown)

    def _told(self, told: Told) -> Step:
        """The step in these words."""
        return self._step(
            told.title,
            told.why,
            told.compared,
            told.operation,
            told.written,
            *told.before,
            diagonal=told.diagonal,
            outcome=told.outcome,
            sign=told.sign,
            shown=told.shown,
        )

    def _before(self, title: str, origin: Callable[[Tap], Tap] | None = None) -> StepKernel:
        """The kernel that the last step showed, or that there is without one."""
        frame = self._shown.frame if self._shown else self._kernel.kernel_size
        return step_kernel(title, self._kernel, frame, origin)

    def _body(self) -> Iterator[Step]:
        """The layers up to the last that does more than rescale."""
        branch = self._branch
        for place, layer in enumerate(branch.layers[: branch.main + 1]):
            if place == 0:
                self._run(1)
                yield from self._first(layer)
            elif layer.rescales:
                yield self._rescaled(layer, inner=True)
            else:
                yield from self._composed(place, layer)

    def _first(self, layer: Layer) -> Iterator[Step]:
        """The folds of the first layer by itself."""
        stored, self._called = None, self._names.kernel_of(layer)
        self._weight: tuple[str, ...] = (layers.OWN if self._branch.main == 0 else layers.FIRST,)
        for fold in self._own_folds(layer):
            self._geometry = replace(self._geometry, groups=fold.groups)
            told = self._alone_in_words(layer, fold.placed, stored, self._x, is_branch=self._branch.main == 0)
            stored = fold.kernel
            if told is None:
                continue
            if told.in_frame and self._is_centred:
                self._shown = step_kernel("", self._kernel, self._frame)
                self._geometry = self._in_frame()
            yield self._told(told)

    def _alone_in_words(
        self, layer: Layer, fold: Placed, stored: Kernel | None, x: Tensor, *, is_branch: bool
    ) -> Told | None:
        """A fold of the layer's own kernel."""
        names, module = self._names.kernel_of(layer), self._names.module_of(layer)
        frame = self._frame if self._is_centred else (1, 1)
        alone = Alone(fold.kernel, stored, fold.groups, is_branch, frame, x, names, module)
        told = told_alone(layer, alone)
        if told is None and (untold := code_if_untold(layer, alone)):
            self._untold.append(untold)
        return told

    def _rescaled(self, layer: Layer, *, inner: bool = False) -> Step:
        after, module = self._folds[0].kernel, self._names.module_of(layer)
        told = rescaling(layer, Behind(self._before, after, inner, self._called, module, self._weight))
        self._take()
        self._output = run64(layer, self._output)
        return self._told(told)

    def _composed(self, place: int, layer: Layer) -> Iterator[Step]:
        """A layer behind others: its own kernel, and both as one."""
        chain, first = self._branch.up_to(place + 1), self._placed
        groups, stored = next(fold.groups for fold in self._folds if not fold.alone), None
        for taken in self._own_folds(layer):
            fold = second = taken.placed.in_groups(groups) if layer.groups is None else taken.placed
            told = self._alone_in_words(layer, fold, stored, self._output, is_branch=False)
            stored = fold.kernel
            if told is not None:
                yield self._alone(layer, fold, told)
        self._run(place + 1)
        self._take()
        self._geometry, self._shown = replace(self._geometry, groups=groups), None
        yield self._both(chain, layer, first, second)

    def _alone(self, layer: Layer, fold: Placed, told: Told) -> Step:
        """The layer by itself, on what those before it gave."""
        x, between = self._x, self._output
        chain = Chain([(layer.name, layer)], own_groups=fold.groups)
        self._x, self._geometry, self._shown = between, chain.geometry, None
        self._kernel, self._output = fold.kernel, run64(chain, between)
        step = self._told(told)
        self._x, self._output = x, between
        return step

    def _both(self, chain: Chain, layer: Layer, first: Placed, second: Placed) -> Step:
        """The layer and all before it as one convolution."""
        groups = self._geometry.groups
        between = layer.in_channels // groups
        sizes = words.size(first.kernel_size), words.size(second.kernel_size)
        names = self._called, self._names.kernel_of(layer)
        for each, placed in zip(names, (first, second), strict=True):
            self._untold += _rewritten(each, placed, groups, chain.dilation)
        one, other = (each.in_groups(groups).spaced(chain.dilation).kernel for each in (first, second))
        self._called, self._weight = self._names.own, ()
        every = between <= arithmetic.MOST_TERMS and one.kernel_size == (1, 1)
        return self._step(
            "composed",
            words.composed(chain, between, *sizes),
            "one conv = both, one after the other",
            arithmetic.through_channels(one, other, groups),
            code.composed(self._called, names, one, other, groups),
            *_products(one, other, groups),
            outcome="both as one",
            sign="=" if every else "+ … =",
            shown=(layers.COMPOSED, layer.name),
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
        self._geometry = self._in_frame()
        middle = centre(frame[0]), centre(frame[1])
        why = words.embedded(own, frame, middle)
        if self._branch.own_border is not None and self._block.geometry.border is not None:
            why += words.beside_padding(self._branch.border, self._block.geometry.border)
        yield self._step(
            f"{words.size(own)} to {words.size(frame)}",
            why,
            f"padded conv = {words.size(own)} conv",
            arithmetic.taken_over(before),
            code.padded(self._called, self._kernel, own, frame),
            before,
            outcome=words.size(frame),
            shown=(layers.OWN,),
        )

    def _in_frame(self) -> Geometry:
        """That of the present kernel where it is written in the frame of the fused one."""
        block = self._block.geometry
        return replace(self._geometry, dilation=block.dilation, border=block.border)

    def _placed_by_padding(self) -> Step:
        """The kernel in the frame of the fused one, in which its padding says where it stands."""
        own, frame, first = self._kernel.kernel_size, self._frame, self._block.place_of(self._branch).first
        assert first is not None
        top, left = first

        def origin(tap: Tap) -> Tap:
            return tap._replace(ky=tap.ky - top, kx=tap.kx - left)

        before = self._before(words.size(own), origin)
        self._take()
        self._shown = None
        self._geometry = self._in_frame()
        border = self._branch.border, self._block.frame.border
        return self._step(
            f"{words.size(own)} at ({top},{left})",
            words.placed_by_padding(own, frame, first, *border),
            f"padded conv = {words.size(own)} conv",
            arithmetic.taken_over(before),
            code.padded_at(self._called, self._kernel, own, frame, first),
            before,
            outcome=words.size(frame),
            shown=(layers.OWN,),
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
            code.ungrouped(self._called, self._kernel, groups, fewer, columns),
            before,
            outcome=f"groups {fewer}",
            shown=(layers.OWN,),
        )

    @property
    def _is_centred(self) -> bool:
        """Whether its centre stands on that of the fused kernel."""
        return self._block.place_of(self._branch).first is None

    @property
    def _is_to_be_widened(self) -> bool:
        return self._steps_apart != (1, 1)

    @property
    def _steps_apart(self) -> Pair:
        """How many taps of the block lie from one tap of the branch to its next."""
        return self._block.place_of(self._branch).apart

    def _widened(self) -> Step:
        apart, sizes = self._steps_apart, self._kernel.kernel_size

        def origin(tap: Tap) -> Tap:
            rows, columns = (divmod(own, step) for own, step in zip(tap[2:], apart, strict=True))
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
            code.widened(self._called, self._kernel, sizes, apart),
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
            code.multiplied_by_post_norm(self._called, self._kernel),
            before,
            sign="× scale =",
            shown=(layers.POST_SCALE,),
        )


def _rewritten(names: Names, placed: Placed, groups: int, spacing: Pair) -> Iterator[str]:
    """The lines that write a kernel with fewer groups, and with taps that far apart."""
    if placed.groups != groups:
        columns = int(placed.kernel.weight.shape[1])
        yield code.ungrouped(names, placed.kernel, placed.groups, groups, columns).text
    apart = taps_apart(placed.kernel_size, placed.dilation, spacing)
    if apart != (1, 1):
        wide = placed.in_groups(groups).spaced(spacing).kernel
        yield code.widened(names, wide, placed.kernel_size, apart).text


def _products(first: Kernel, second: Kernel, groups: int) -> Iterator[StepKernel]:
    """1×1 × 3×3 + 1×1 × 3×3: the kernels of the first channels between, as many as are written out."""
    rows, between = len(second.weight) // groups, int(second.weight.shape[1])
    inner = step_kernel(words.size(first.kernel_size), first)
    outer = step_kernel(words.size(second.kernel_size), second, sign="×")
    middle_row, middle_column = map(centre, first.kernel_size)
    for middle in range(min(between, arithmetic.MOST_TERMS)):

        def in_first(tap: Tap, middle: int = middle) -> Tap:
            return Tap(tap.out // rows * between + middle, tap.in_, middle_row, middle_column)

        def in_second(tap: Tap, middle: int = middle) -> Tap:
            return tap._replace(in_=middle, ky=tap.ky - middle_row, kx=tap.kx - middle_column)

        yield replace(inner, origin=in_first, sign="+" if middle else "")
        yield replace(outer, origin=in_second)
