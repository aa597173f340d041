"""Which mistakes are named, over hundreds of wrong fusions: `python -m tests.bench.likeness_grid`.

Each preset in 8 and in 32 channels, and ten small blocks; every wrong kernel is made here, from the modules,
but for the gallery's own. The table of one run is in likeness_grid.txt.
"""

from __future__ import annotations

import copy
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor, nn

from tests.analysis.mistake_blocks import BLOCKS
from tests.fusion.strategies import filled_block, filled_input, with_wild_norms
from tui.analysis.alterations.gallery import possible
from tui.analysis.alterations.wrong_fusion import wrongly_fused
from tui.analysis.likeness.found import Likeness, Likenesses
from tui.analysis.likeness.likeness import looks_like
from tui.analysis.likeness.search import Search
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.progress import Doing
from tui.fusion.block import ReparamBlock, conv_of
from tui.fusion.kernel import Kernel, add
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec

SEED = 2026
EPS = (0.0, 1e-6, 1e-4, 1e-2, 0.1)
VALUES = (16, 81, 1000, 12544)
"""n of an unbiased variance."""
RANDOM_KERNELS = 12
PAIRS = 6
"""So many of each block."""


def specs() -> Iterator[tuple[str, BlockSpec]]:
    """48 blocks by name."""
    yield from BLOCKS.items()
    for (name, preset), channels in itertools.product(PRESETS.items(), (8, 32)):
        groups = channels if preset.spec.groups == preset.spec.in_channels > 2 else preset.spec.groups
        sized = replace(preset.spec, in_channels=channels, out_channels=channels, groups=groups)
        yield f"{name} {channels}", replace(sized, input_shape=(14, 14))


@dataclass(frozen=True, eq=False)
class Bench:
    """A block, its input and what the block gives for it, in float64."""

    spec: BlockSpec
    block: ReparamBlock
    x: Tensor
    right: Tensor

    @torch.no_grad()
    def found(self, kernel: Kernel) -> tuple[Likenesses, int]:
        """What that kernel in the place of the right one looks like, and how many runs that took."""
        return self.looked(Outputs(self.right, conv_of(kernel, self.block.geometry)(self.x)))

    def looked(self, outputs: Outputs) -> tuple[Likenesses, int]:
        *doing, found = looks_like(self.block, self.x, outputs)
        assert isinstance(found, Likenesses)
        return found, len(doing)

    @torch.no_grad()
    def outputs_with(self, name: str) -> Outputs:
        wrong = wrongly_fused(name, self.block, self.x)
        return Outputs(wrong.block(self.x), conv_of(wrong.kernel, wrong.geometry)(self.x))

    def names(self) -> list[str]:
        return [mistake.name for mistake in possible(self.spec)]


def norms(block: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in block.modules() if isinstance(module, nn.BatchNorm2d)]


@torch.no_grad()
def refolded(block: ReparamBlock, edit: Callable[[nn.BatchNorm2d], object]) -> Kernel:
    other = copy.deepcopy(block)
    for norm in norms(other):
        edit(norm)
    return other.kernel()


def set_eps(value: float) -> Callable[[nn.BatchNorm2d], object]:
    return lambda norm: setattr(norm, "eps", value)


def times_variance(factor: float) -> Callable[[nn.BatchNorm2d], object]:
    def edit(norm: nn.BatchNorm2d) -> None:
        assert norm.running_var is not None
        norm.running_var *= factor

    return edit


Predicate = Callable[[Likeness], bool]


def named(*names: str) -> Predicate:
    return lambda likeness: likeness.names == names


def titled(ending: str) -> Predicate:
    return lambda likeness: likeness.title.endswith(ending)


def benches() -> Iterator[tuple[str, Bench]]:
    """Each block as the program fills it; small ones with batch norms with variances down to 1e-4 too."""
    for name, spec in specs():
        for wild in (False, True):
            block, x = filled_block(spec), filled_input(spec)
            if wild and (not norms(block) or spec.out_channels > 8):
                continue
            if wild:
                with_wild_norms(block, SEED)
            with torch.no_grad():
                yield f"{name}{', wild' * wild}", Bench(spec, block, x, block(x))


@dataclass
class Scores:
    """How much of one mistake another accounts for, where they are not the same thing."""

    pairs: int = 0
    above: Counter[float] = field(default_factory=Counter)

    def count(self, bench: Bench) -> None:
        for name in bench.names():
            outputs = bench.outputs_with(name)
            difference = outputs.fused - outputs.unfused
            tolerance = 1e-6 * float(difference.norm())
            search = Search(bench.block, bench.block.folded(), bench.x, bench.right, difference, tolerance)
            *_, found = _run(search)
            assert isinstance(found, list)
            others = [each for each in found if each.name != name and not each.same]
            self.pairs += len(others)
            for limit in (0.5, 0.9):
                self.above[limit] += sum(each.score > limit for each in others)


def _run(search: Search) -> Iterator[Doing | list[Likeness]]:
    yield (yield from search.each())


@dataclass
class Tally:
    """How one kind of wrong fusion was named."""

    cases: int = 0
    named: int = 0
    others: Counter[str] = field(default_factory=Counter)
    most_runs: int = 0

    def count(self, found: Likenesses, runs: int, right: Predicate) -> None:
        """`right`: whether that is what was done."""
        self.cases += 1
        self.most_runs = max(self.most_runs, runs)
        self.named += any(likeness.same and right(likeness) for likeness in found.found)
        for likeness in found.found:
            if not right(likeness):
                self.others["same" if likeness.same else "alike"] += 1


def count_gallery(tally: Tally, bench: Bench) -> None:
    for name in bench.names():
        found, runs = bench.looked(bench.outputs_with(name))
        tally.count(found, runs, named(name))


def count_eps(tally: Tally, bench: Bench) -> None:
    if norms(bench.block):
        for eps in EPS:
            found, runs = bench.found(refolded(bench.block, set_eps(eps)))
            tally.count(found, runs, titled(f"eps {eps:.3g} for 1e-05"))


def count_variances(tally: Tally, bench: Bench) -> None:
    if norms(bench.block):
        for values in VALUES:
            for factor in (values / (values - 1), (values - 1) / values):
                found, runs = bench.found(refolded(bench.block, times_variance(factor)))
                tally.count(found, runs, titled(f"n = {values:,}"))


def count_first_branch(tally: Tally, bench: Bench) -> None:
    """Only the branches that are neither 1x1 nor identity were deployed, where there are both."""
    if {"1x1-missing", "identity-missing"} <= set(bench.names()):
        deployed = [
            kernel for name, kernel in bench.block.kernels() if not name.startswith(("1x1", "identity"))
        ]
        if not deployed or any(name.startswith("1x1-") for name, _ in bench.block.kernels()):
            return
        found, runs = bench.found(add(deployed))
        tally.count(found, runs, named("1x1-missing", "identity-missing"))


def count_pairs(tally: Tally, bench: Bench, random_: random.Random) -> None:
    """The sum of what two mistakes of the gallery make."""
    pairs = list(itertools.combinations(bench.names(), 2))
    for pair in random_.sample(pairs, min(PAIRS, len(pairs))):
        both = [outputs.fused - outputs.unfused for outputs in map(bench.outputs_with, pair)]
        found, runs = bench.looked(Outputs(bench.right, bench.right + both[0] + both[1]))
        tally.count(found, runs, named(*pair))


def count_random(tally: Tally, bench: Bench, random_: random.Random) -> None:
    """A weight, a bias, or all of them changed: none of them is any mistake."""
    for number in range(RANDOM_KERNELS):
        kernel = bench.block.kernel()
        size = 10 ** random_.uniform(-4, 0)
        generator = torch.Generator().manual_seed(random_.randrange(2**31))
        if number % 3 == 0:
            kernel.weight.flatten()[random_.randrange(kernel.weight.numel())] += size
        elif number % 3 == 1 and kernel.bias is not None:
            kernel.bias[random_.randrange(len(kernel.bias))] += size
        else:
            kernel.weight.mul_(
                1 + size * torch.randn(kernel.weight.shape, generator=generator, dtype=torch.float64)
            )
        found, runs = bench.found(kernel)
        tally.count(found, runs, named())


def main() -> None:
    """Run it all and print the table."""
    torch.set_num_threads(1)
    random_ = random.Random(SEED)
    counts: dict[str, Callable[[Tally, Bench], None]] = {
        "a mistake of the gallery": count_gallery,
        "another eps": count_eps,
        "variance times n / (n - 1) or its inverse": count_variances,
        "only the first branch deployed": count_first_branch,
        "two mistakes of the gallery at once": partial(count_pairs, random_=random_),
        "a kernel changed at random": partial(count_random, random_=random_),
    }
    tallies = {title: Tally() for title in counts}
    scores = {"as filled": Scores(), "variances down to 1e-4": Scores()}
    for name, bench in benches():
        scores["variances down to 1e-4" if name.endswith("wild") else "as filled"].count(bench)
        for title, count in counts.items():
            count(tallies[title], bench)
    print(f"{'wrong fusion':44}{'cases':>7}{'named':>7}{'same':>7}{'alike':>7}{'runs':>6}")
    for title, tally in tallies.items():
        same, alike = tally.others["same"], tally.others["alike"]
        print(f"{title:44}{tally.cases:7}{tally.named:7}{same:7}{alike:7}{tally.most_runs:6}")
    for statistics, score in scores.items():
        above = " and ".join(f"{count} above {limit}" for limit, count in sorted(score.above.items()))
        print(f"Of {score.pairs} pairs of others in the gallery, {statistics}, {above}.")


if __name__ == "__main__":
    main()
