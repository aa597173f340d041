"""The probe by key: where it goes, what it writes out, and that the totals are the study's."""

from __future__ import annotations

from dataclasses import replace

import torch

from tests.driver import SMALL, Bench, OpenBench
from tests.held_study import HeldStudy
from tests.specs import EXACT
from tui.analysis.numerics.exact_sum import rounded
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.progress import Doing
from tui.fusion.grammar.fields import spec_from
from tui.fusion.specs.block_spec import BlockSpec, InputFill
from tui.views.probe.view import ProbeView

TWO = replace(EXACT, in_channels=4, out_channels=4, groups=2, batch_size=2, input=InputFill.RAMP)


def totals(bench: Bench) -> dict[str, float]:
    """unfused and fused, as torch computed them."""
    rows = (line.split() for line in bench.text("#probe-totals").splitlines()[1:3])
    return {row[0]: float.fromhex(row[1]) if "x" in row[1] else float(row[1]) for row in rows}


def place(bench: Bench) -> str:
    return bench.text("#probe-place").split("   ")[0]


async def test_keys_go_from_element_to_element(open_bench: OpenBench) -> None:
    async with open_bench(TWO, SMALL) as bench:
        await bench.press("4")
        bench.views.pixel = Pixel(0, 0, 0, 0)
        steps = {
            "right": "out 0 (0,1) of input 0",
            "j": "out 0 (1,1) of input 0",
            "h": "out 0 (1,0) of input 0",
            "right_square_bracket": "out 1 (1,0) of input 0",
            "greater_than_sign": "out 1 (1,0) of input 1",
        }
        for key, words in steps.items():
            await bench.press(key)
            assert place(bench) == words, key
            study, pixel = bench.app.study, bench.views.pixel
            assert study is not None
            assert pixel is not None
            expected = {
                "unfused": float(study.outputs.unfused[pixel]),
                "fused": float(study.outputs.fused[pixel]),
            }
            assert {side: rounded(value, torch.float32) for side, value in totals(bench).items()} == expected
        await bench.press("0")
        assert "0x" in bench.text("#probe-totals")
        assert "0x" in bench.text("#probe-ledger")
        assert totals(bench) == expected
        await bench.press("w")
        assert study is not None
        assert bench.views.pixel == study.comparison.worst


async def test_rows_and_channels_are_written_out_one_after_the_other(open_bench: OpenBench) -> None:
    spec = spec_from({"branches": "kxk+norm,1x1-kxk+x2,identity"}, replace(TWO, input=InputFill.INTEGERS))
    async with open_bench(spec) as bench:
        bench.views.pixel = Pixel(0, 3, 4, 4)
        await bench.press("4", "tab", "tab")
        view = bench.app.bench.query_one(ProbeView)
        titles = {0: "kxk", 1: "1x1-kxk 1/2", 3: "identity", 4: "identity", 2: "1x1-kxk 2/2"}
        assert view.chosen == 2
        for view.chosen, title in titles.items():
            assert bench.text("#probe-branch").startswith(title)
            assert bench.text("#probe-fused").startswith("fused")
        await bench.press("full_stop", "full_stop")
        assert "from the 1×1, ch 6" in bench.text("#probe-branch")
        assert "ch 6" in bench.text("#probe-ledger").splitlines()[2]
        view.chosen = 4
        await bench.press("full_stop", "full_stop", "tab")
        assert "input, in 3" in bench.text("#probe-fused")
        assert not view.has_focus  # the last tab went on to the next thing
        await bench.pilot.click("#probe-ledger", offset=(5, 1))
        await bench.until(lambda: view.chosen == 0)
        assert "input, in 3" in bench.text("#probe-branch")
        view.post_message(view.MistakeChosen("train-mode"))
        await bench.until(lambda: bench.app.study and bench.app.study.alterations.mistake)
        assert "train mode" in bench.text("#probe-ledger")
        assert bench.text("#probe-branch").startswith("fused")


async def test_a_place_in_the_result_leads_to_its_probe(open_bench: OpenBench) -> None:
    async with open_bench(BlockSpec()) as bench:
        study = bench.app.study
        assert study is not None
        assert study.verdict.place is not None
        told = bench.text("#difference")
        worst, place = Pixel(*study.comparison.worst), study.verdict.place
        for pixel in {worst, place}:
            await bench.press("1", "f")
            column = told.rindex(pixel.words(1)) + 2
            await bench.pilot.click("#difference", offset=(column, 0))
            await bench.until(lambda: isinstance(bench.app.bench.view, ProbeView))
            assert bench.views.pixel == pixel
            assert bench.app.bench.view.has_focus


async def test_g_leads_to_the_places_of_the_result(open_bench: OpenBench) -> None:
    async with open_bench(BlockSpec(), SMALL) as bench:
        study = bench.app.study
        assert study is not None
        await bench.press("2", "g")
        await bench.until(lambda: isinstance(bench.app.bench.view, ProbeView))
        assert bench.views.pixel == study.verdict.place
        await bench.press("g")
        assert bench.views.pixel == study.comparison.worst
        await bench.press("g")
        assert bench.views.pixel == study.verdict.place


async def test_before_the_first_result_g_leads_nowhere(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        await bench.press("g")
        assert not isinstance(bench.app.bench.view, ProbeView)


async def test_a_chain_of_three_names_the_step_that_gave_what_it_reads(open_bench: OpenBench) -> None:
    spec = spec_from({"branches": "1x1 > 3x3 > 1x1"}, replace(TWO, input=InputFill.INTEGERS))
    async with open_bench(spec) as bench:
        await bench.press("4")
        view = bench.app.bench.query_one(ProbeView)
        assert "its 3×3: ch 0" in bench.text("#probe-ledger")
        for place, (title, source) in enumerate((("2/3", "from the step before, ch 0"), ("3/3", "ch 0"))):
            view.chosen = place
            assert bench.text("#probe-branch").startswith(f"1x1>3x3>1x1 {title}")
            assert source in bench.text("#probe-branch")
        assert "in 0" not in bench.text("#probe-branch")
