"""How often the verdict errs, over thousands of fusions: `python -m tests.bench.verdict_grid`.

Right fusions must be exact or rounding, unless the dtype overflows; of data that are not plain, with oneDNN
and without it, unless it overflows, is not finite, or was run by a transform. Wrong ones must be wrong
wherever they have an effect; the gallery of mistakes is taken where it is there. A right fusion whose run is
far off in the dtype only is run again without oneDNN: where that is right, it was oneDNN that computed
something else, and the verdict was right to say so. The table of one run is in verdict_grid.txt; with the
argument "finished", only that of kernels that come finished.
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import pytest
import torch

from tests.analysis.verdict.kinds_of_data import KINDS
from tests.analysis.verdict.stepwise_fold import folded_step_by_step
from tests.analysis.verdict.verdict_cases import FAULTS, Case, Run, cases, hard_cases, run_of
from tui.analysis.alterations.wrong_fusion import wrongly_fused
from tui.analysis.bounds.budget import budgets_of
from tui.analysis.bounds.fold_sizes import fold_sizes
from tui.analysis.bounds.stored import numbers_of
from tui.analysis.likeness.found import Likenesses
from tui.analysis.likeness.of_weights import looks_like_stored
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.study import study_of
from tui.analysis.verdict.judging import judge
from tui.analysis.verdict.reason import Reason, Ruling
from tui.analysis.verdict.rivals import kernels_of_mistakes
from tui.analysis.verdict.runs import run
from tui.analysis.verdict.sampling import channels_to_judge
from tui.analysis.verdict.stored import StoredReason
from tui.analysis.verdict.stored_judging import judge_stored
from tui.analysis.verdict.verdict import Verdict
from tui.fusion.block import ReparamBlock, conv_of
from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import Dtype
from tui.fusion.torch_dtypes import torch_dtype

HARD = 8640
"""How many right fusions of data of every kind; every second one without oneDNN."""

EVERY_HARD = 9
"""Of so many of those one is made wrong."""

TOLD = (Reason.OVERFLOW, Reason.DATA, Reason.NOTHING, Reason.TRANSFORMED)
"""What may be told of a right fusion beside that it is right."""

SIZES: tuple[tuple[int, tuple[int, ...]], ...] = (
    (2400, (2, 4, 8)),
    (400, (16, 32, 64)),
    (80, (128, 256)),
)
"""How many right fusions of which channels."""

EVERY_FINISHED = 40
"""Of so many right fusions the kernel of one comes finished."""

LARGEST_FINISHED = 32
"""Channels up to which."""

EVERY = 12
"""Of so many right fusions one is made wrong in each way."""

SEED = 2026
NO_EFFECT = 1e-9
"""A mistake that changes less than this share of the largest output is hidden by its input."""


@dataclass
class Tally:
    """What was found in one dtype."""

    rulings: Counter[str] = field(default_factory=Counter)
    oneDNN: int = 0  # noqa: N815
    budget_used: float = 0.0
    algebra_used: float = 0.0


@dataclass
class Wrongs:
    """What was found of one mistake."""

    caught: int = 0
    missed: int = 0
    hidden: int = 0
    least: float = float("inf")


@dataclass(frozen=True, eq=False)
class Mistaken:
    """Both sides of a wrong fusion: what runs unfused, and the fused kernel as a convolution, in float64."""

    block64: ReparamBlock
    conv64: torch.nn.Conv2d


Maker = Callable[[Case, Run], Mistaken | None]


def right_cases() -> Iterator[Case]:
    for number, (count, channels) in enumerate(SIZES):
        yield from cases(SEED + number, count, channels)


def makers() -> dict[str, Maker]:
    """Each way to be wrong: a few of our own, and the gallery's."""
    own = {name: _by_kernel(fault) for name, fault in FAULTS.items()}
    if importlib.util.find_spec("tui.analysis.alterations.wrong_fusion") is None:
        return own
    mistakes: Any = importlib.import_module("tui.analysis.alterations.gallery")
    return own | {name: _from_gallery(name) for name in mistakes.MISTAKES}


def _by_kernel(fault: Callable[[ReparamBlock], Kernel]) -> Maker:
    def make(_: Case, run: Run) -> Mistaken:
        return Mistaken(run.block64, conv_of(fault(run.block64), run.block.geometry))

    return make


def _from_gallery(name: str) -> Maker:
    def make(_: Case, run: Run) -> Mistaken | None:
        try:
            wrong = wrongly_fused(name, run.block64, run.x64)
        except FusionError:
            return None
        return Mistaken(wrong.block, conv_of(wrong.kernel, wrong.geometry))

    return make


def judged_wrong(run_: Run, wrong: Mistaken) -> tuple[Verdict, float]:
    """The verdict on a wrong fusion, and its effect relative to the largest output."""
    dtype = torch_dtype(run_.dtype)
    narrow = copy.deepcopy(wrong.block64).to(dtype), copy.deepcopy(wrong.conv64).to(dtype)
    unfused, fused = (run(module, run_.x) for module in narrow)
    unfused64, fused64 = run(wrong.block64, run_.x64), run(wrong.conv64, run_.x64)
    effect = float((fused64 - unfused64).abs().max() / unfused64.abs().max().clamp(min=1e-300))
    return run_.judged_by(Outputs(unfused, fused), Outputs(unfused64, fused64)), effect


def measure() -> tuple[dict[Dtype, Tally], dict[str, Wrongs]]:
    tallies: dict[Dtype, Tally] = defaultdict(Tally)
    wrongs: dict[str, Wrongs] = defaultdict(Wrongs)
    ways = makers()
    for number, case in enumerate(right_cases()):
        run_ = run_of(case)
        _count_right(tallies[case.spec.dtype], case, run_)
        if number % EVERY == 0:
            for name, make in ways.items():
                wrong = make(case, run_)
                if wrong is not None:
                    _count_wrong(wrongs[name], *judged_wrong(run_, wrong), name, case)
    return tallies, wrongs


def measure_hard() -> tuple[dict[str, Counter[str]], dict[str, Wrongs]]:
    """What was ruled on right fusions of each kind of data, and on wrong ones."""
    rulings: dict[str, Counter[str]] = defaultdict(Counter)
    wrongs: dict[str, Wrongs] = defaultdict(Wrongs)
    for number, case in enumerate(hard_cases(SEED, HARD, (1, 2, 4, 8, 16))):
        with pytest.MonkeyPatch.context() as patch:
            once_around = number // (len(KINDS) * len(Dtype))
            patch.setattr(torch.backends.mkldnn, "enabled", once_around % 2 == 0)
            run_ = run_of(case)
            verdict = run_.judged()
            told = verdict.reason in TOLD
            rulings[case.data][verdict.reason if told else verdict.ruling] += 1
            if not told and not verdict.ruling.agrees:
                print(f"false alarm: {verdict} on {case}", flush=True)
            if number % EVERY_HARD == 0 and case.data != "not finite":
                wrong = _by_kernel(FAULTS["one weight off by 1e-4"])(case, run_)
                assert wrong is not None
                verdict, effect = judged_wrong(run_, wrong)
                if verdict.reason is not Reason.DATA:
                    _count_wrong(wrongs[case.data], verdict, effect, "one weight off by 1e-4", case)
    return rulings, wrongs


def _count_right(tally: Tally, case: Case, run_: Run) -> None:
    verdict = run_.judged()
    if verdict.reason is Reason.ARITHMETIC:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.backends.mkldnn, "enabled", False)
            again = run_of(case).judged()
        if again.ruling is Ruling.ROUNDING:
            print(f"oneDNN is wrong in {verdict.dtype}: {case}", flush=True)
            tally.oneDNN += 1
            verdict = again
    overflow = verdict.reason is Reason.OVERFLOW
    tally.rulings["overflow" if overflow else verdict.ruling] += 1
    tally.algebra_used = max(tally.algebra_used, verdict.algebra_used)
    if not overflow:
        tally.budget_used = max(tally.budget_used, verdict.budget_used)
        if verdict.ruling in (Ruling.SUSPICIOUS, Ruling.WRONG):
            print(f"false alarm: {verdict} on {case}", flush=True)


def _count_wrong(found: Wrongs, verdict: Verdict, effect: float, name: str, case: Case) -> None:
    if effect < NO_EFFECT:
        found.hidden += 1
    elif verdict.ruling is Ruling.WRONG:
        found.caught += 1
        found.least = min(found.least, verdict.algebra_used)
    else:
        found.missed += 1
        print(f"missed: {name}, effect {effect:.1e}: {verdict} on {case}", flush=True)


def cost(name: str, channels: int, dtype: Dtype) -> str:
    """The time of the budgets relative to that of both sides' runs in the dtype and in float64."""
    spec = replace(PRESETS[name].spec.with_in_channels(channels), dtype=dtype)
    runs, budgets = [], []
    for _ in range(6):
        start = time.perf_counter()
        run_ = run_of(Case(spec))
        kernel = run_.block64.kernel()
        outputs = Outputs(run_.unfused, run(run_.block.fuse(), run_.x))
        outputs64 = Outputs(run_.unfused64, run(run_.block64.fuse(), run_.x64))
        middle = time.perf_counter()
        sizes = fold_sizes(run_.block64)
        channels_judged = channels_to_judge(run_.block64, run_.x64, sizes, outputs, outputs64)
        both = budgets_of(run_.block64, run_.x64, [dtype, Dtype.FLOAT64], channels_judged, kernel, sizes)
        judge(dtype, outputs, outputs64, both[0], both[1])
        runs.append(middle - start)
        budgets.append(time.perf_counter() - middle)
    spent, judging = statistics.median(runs[1:]), statistics.median(budgets[1:])
    return (
        f"{name:<18} C {channels:<4} {dtype:<9} runs {spent * 1e3:7.1f} ms, judging {judging * 1e3:7.1f} ms, "
        f"{judging / spent:5.2f} x, {len(channels_judged)} channels"
    )


@dataclass
class Finished:
    """What was found of kernels that are stored in one dtype: right ones, and the gallery's."""

    right: Counter[str] = field(default_factory=Counter)
    outputs: Counter[str] = field(default_factory=Counter)
    used: float = 0.0
    steps: Counter[str] = field(default_factory=Counter)
    caught: int = 0
    beyond: int = 0
    by_steps: int = 0
    missed: int = 0
    least: float = float("inf")
    told: int = 0
    overflow: int = 0


def measure_finished() -> dict[Dtype, Finished]:
    """Kernels of some blocks, small and middle, in all four dtypes."""
    found = {dtype: Finished() for dtype in Dtype}
    for case in islice(right_cases(), 0, None, EVERY_FINISHED):
        if case.spec.in_channels > LARGEST_FINISHED:
            break
        run_ = run_of(case)
        for dtype, tally in found.items():
            _count_finished(tally, case, run_, dtype)
    return found


def _count_finished(tally: Finished, case: Case, run_: Run, dtype: Dtype) -> None:
    block = run_.block
    kind, right = torch_dtype(dtype), block.kernel()
    verdict = judge_stored(block, right.to(kind))
    tally.right[verdict.ruling] += 1
    tally.used = max(tally.used, verdict.used)
    study = study_of(block, run_.x, finished=right.to(kind))
    tally.outputs[study.verdict.reason if study.verdict.reason in TOLD else study.verdict.ruling] += 1
    if not study.verdict.ruling.agrees and study.verdict.reason not in TOLD:
        print(f"false alarm in {dtype}: {study.verdict} on {case}", flush=True)
    if all(size % 2 for branch in block.branches for size in branch.kernel_size):
        own = copy.deepcopy(block).to(kind)
        steps = judge_stored(own, folded_step_by_step(own))
        tally.steps[steps.ruling] += 1
        if not steps.agrees and steps.reason is not StoredReason.OVERFLOW:
            print(f"false alarm in {dtype}, step by step: {steps.sentence} {case}", flush=True)
    for name, wrong in kernels_of_mistakes(block):
        if wrong.weight.shape == right.weight.shape and _changes(wrong, right):
            _count_mistaken(tally, name, wrong.to(kind), block)


def _count_mistaken(tally: Finished, name: str, given: Kernel, block: ReparamBlock) -> None:
    verdict = judge_stored(block, given)
    if verdict.reason is StoredReason.OVERFLOW:
        tally.overflow += 1
    elif verdict.ruling is Ruling.WRONG:
        tally.caught += 1
        tally.least = min(tally.least, verdict.used)
        *_, likenesses = looks_like_stored(block, given, verdict)
        assert isinstance(likenesses, Likenesses)
        tally.told += any(likeness.same for likeness in likenesses.found)
    elif verdict.reason in (StoredReason.SAME, StoredReason.WITHIN):
        tally.beyond += 1
    elif verdict.reason is StoredReason.STEP_BY_STEP:  # no wider than that, and how many numbers are is told
        tally.by_steps += 1
    else:
        tally.missed += 1
        print(f"missed: {name}: {verdict.sentence}", flush=True)


def _changes(wrong: Kernel, right: Kernel) -> bool:
    """Whether it is another map, in some number by more than 1e-9 of the largest."""
    one, other = numbers_of(wrong), numbers_of(right)
    return float((one - other).abs().max()) > NO_EFFECT * float(other.abs().max())


def report_finished() -> None:
    found = measure_finished()
    columns = (*Ruling, Reason.OVERFLOW)
    print("\nFinished kernels, by their weights: right ones rounded once, and of these the outputs")
    print("dtype      " + " ".join(f"{column:>10}" for column in Ruling) + "  bound | outputs: ", end="")
    print(" ".join(f"{column:>10}" for column in columns))
    for dtype, tally in found.items():
        rulings = " ".join(f"{tally.right[ruling]:10}" for ruling in Ruling)
        outputs = " ".join(f"{tally.outputs[column]:10}" for column in columns)
        print(f"{dtype:<10} {rulings} {tally.used:6.3f} |          {outputs}")
    print("folded step by step in that dtype")
    for dtype, tally in found.items():
        print(f"{dtype:<10} " + " ".join(f"{tally.steps[ruling]:10}" for ruling in Ruling))
    print("mistakes   caught, told exactly, in one rounding, in a fold, missed, overflow, least x the bound")
    for dtype, tally in found.items():
        figures = f"{tally.caught:6} {tally.told:13} {tally.beyond:16} {tally.by_steps:10}"
        figures += f" {tally.missed:7} {tally.overflow:9}"
        print(f"{dtype:<10} {figures} {tally.least:12.1f}")


def report_hard() -> None:
    rulings, wrongs = measure_hard()
    columns = (*Ruling, *TOLD)
    print("\nData that are not plain, half of it without oneDNN")
    print(f"{'right fusions':<16} cases " + " ".join(f"{column:>11}" for column in columns))
    for kind, found in rulings.items():
        counts = " ".join(f"{found[column]:>11}" for column in columns)
        print(f"{kind:<16} {sum(found.values()):5} {counts}")
    print("one weight off by 1e-4  caught missed hidden  least x the float64 bound")
    for kind, wrong in wrongs.items():
        print(f"{kind:<23} {wrong.caught:6} {wrong.missed:6} {wrong.hidden:6}  {wrong.least:.1e}")


def report() -> None:
    tallies, wrongs = measure()
    print("\nRight fusions")
    print("dtype       cases  exact rounding overflow suspicious wrong oneDNN  budget  algebra")
    for dtype, tally in tallies.items():
        counts = [tally.rulings[name] for name in ("exact", "rounding", "overflow", "suspicious", "wrong")]
        print(
            f"{dtype:<10} {sum(counts):6} {counts[0]:6} {counts[1]:8} {counts[2]:8} {counts[3]:10} "
            f"{counts[4]:5} {tally.oneDNN:6} {tally.budget_used:7.3f} {tally.algebra_used:8.3f}"
        )
    print("\nWrong fusions\nmistake                       caught missed hidden  least x the float64 bound")
    for name, found in wrongs.items():
        print(f"{name:<29} {found.caught:6} {found.missed:6} {found.hidden:6}  {found.least:.1e}")
    report_hard()
    report_finished()
    print("\nCost of the verdict")
    for name, channels in (("residual", 2), ("repvgg", 64), ("repvgg", 256), ("dbb", 64), ("replknet", 64)):
        for dtype in (Dtype.FLOAT32, Dtype.FLOAT64):
            print(cost(name, channels, dtype), flush=True)


if __name__ == "__main__":
    report_finished() if "finished" in sys.argv else report()
