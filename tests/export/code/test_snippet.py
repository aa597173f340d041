"""Snippets are run: each must come to the study's own outputs and differences, whatever the block."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from tests.fusion.strategies import EVERYTHING, specs
from tui.analysis.alterations.alterations import FUSED, INPUT, NOTHING_ALTERED, Alterations, Edit
from tui.analysis.alterations.gallery import obstacle
from tui.analysis.study import Study, study_of
from tui.export.code import snippet
from tui.export.code.literals import shortest_numbers
from tui.export.code.snippet import snippet_of
from tui.export.errors import ExportError
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, Dtype, InputFill, PaddingMode, WeightFill

EVERY_KIND = BlockSpec(
    in_channels=8,
    out_channels=8,
    groups=2,
    dilation=(2, 1),
    branches=parse_branches(f"{EVERYTHING},avg+norm"),
    post_norm=True,
    batch_size=2,
)


RUN_WRONGLY = ("train-mode", "zero-border", "average-uncounted")
"""Mistakes of what is run; the fused convolution is right."""
FUSED_WRONGLY = ("1x1-unpadded", "bias-lost", "dilation-dropped", "channels-transposed")


def ran(text: str) -> dict[str, Any]:
    """The names that a script leaves behind, and as "printed" what it printed."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(text, "snippet", "exec"), names)
    return names | {"printed": printed.getvalue()}


def assert_comes_to(names: dict[str, Any], expected: Study, slack: float = 0) -> None:
    """Both outputs, the difference, and a second fusion that is right.

    slack: by how many roundings of the largest output they may be off.
    """
    assert torch.equal(names["x"], expected.x)
    allowed = slack * torch.finfo(expected.x.dtype).eps * expected.comparison.max_abs
    for found, known in (
        ("unfused_output", expected.outputs.unfused),
        ("fused_output", expected.outputs.fused),
    ):
        assert names[found].dtype == known.dtype
        torch.testing.assert_close(names[found], known, rtol=0, atol=allowed, equal_nan=True)
    first = names["printed"].splitlines()[0]
    assert float(first.split()[-1]) == pytest.approx(expected.comparison.max_abs_diff, rel=0, abs=2 * allowed)
    weight, bias = names["fuse"](names["block"])
    right = expected.block.fuse()
    dtype = right.weight.dtype
    pairs: list[tuple[Tensor, Tensor | None]] = [(weight, right.weight), (bias, right.bias)]
    for again, reference in pairs:
        if reference is not None:
            torch.testing.assert_close(
                again.to(dtype), reference.detach(), rtol=4 * torch.finfo(dtype).eps, atol=1e-12
            )


def studied(spec: BlockSpec, alterations: Alterations = NOTHING_ALTERED) -> Study:
    return study_of(spec, alterations)


@given(spec=specs(tuple(Dtype)))
@settings(max_examples=10)
@pytest.mark.usefixtures("without_onednn")
def test_any_block(spec: BlockSpec) -> None:
    result = studied(spec)
    # The same numbers at other strides in memory may be summed in another order.
    assert_comes_to(ran(snippet_of(result)), result, slack=4)


@pytest.mark.parametrize("dtype", Dtype)
def test_every_kind_and_option(dtype: Dtype) -> None:
    result = studied(replace(EVERY_KIND, dtype=dtype))
    names = ran(snippet_of(result))
    assert_comes_to(names, result)
    assert names["in_float64"] < 1e-12


def test_even_and_dilated_kernels() -> None:
    branches = parse_branches("kxk,2x2d4,1x1-kxk,3x1")
    result = studied(BlockSpec(kernel_size=(4, 6), dilation=(2, 3), branches=branches))
    assert_comes_to(ran(snippet_of(result)), result)


@pytest.mark.parametrize("mode", PaddingMode)
def test_padding_modes(mode: PaddingMode) -> None:
    branches = parse_branches("kxk+norm,1x1-kxk+inner,1x1-avg")
    result = studied(BlockSpec(kernel_size=(4, 3), branches=branches, padding_mode=mode))
    assert_comes_to(ran(snippet_of(result)), result)


def test_a_script_runs_by_itself(tmp_path: Path) -> None:
    result = studied(PRESETS["mobileone"].spec.with_in_channels(16))
    script = tmp_path / "block.py"
    script.write_text(snippet_of(result), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", str(script)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        timeout=120,
    )
    assert "decoded(" in script.read_text(encoding="utf-8"), "its numbers are few"
    first, as_found, *_ = done.stdout.splitlines()
    assert first == f"max |fused - unfused|: {result.comparison.max_abs_diff!r}"
    assert as_found.split()[-1] == repr(result.comparison.max_abs_diff)


def test_edits_by_hand_are_carried() -> None:
    edits = (
        Edit("kxk.weight", (0, 1, 2, 0), 7.25),
        Edit("1x1.bias", (1,), float("nan")),
        Edit(INPUT, (0, 1, 4, 4), -0.0),
        Edit(INPUT, (0, 0, 0, 0), float("-inf")),
        Edit(f"{FUSED}.weight", (1, 1, 0, 0), 3.0),
    )
    result = studied(BlockSpec(), Alterations(edits))
    text = snippet_of(result)
    names = ran(text)
    assert_outputs_alike(names, result)
    assert "5 numbers were set by hand." in text
    assert names["fused"].weight[1, 1, 0, 0].item() == 3.0
    assert names["block"].conv_kxk.weight[0, 1, 2, 0].item() == 7.25
    assert str(float(names["x"][0, 1, 4, 4])) == "-0.0"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_one_number_that_is_not_finite(value: float) -> None:
    result = studied(BlockSpec(), Alterations((Edit("kxk.weight", (0, 0, 1, 1), value),)))
    assert_outputs_alike(ran(snippet_of(result)), result)


def assert_outputs_alike(names: dict[str, Any], expected: Study) -> None:
    torch.testing.assert_close(
        names["unfused_output"], expected.outputs.unfused, rtol=0, atol=0, equal_nan=True
    )
    torch.testing.assert_close(names["fused_output"], expected.outputs.fused, rtol=0, atol=0, equal_nan=True)
    first = names["printed"].splitlines()[0]
    assert float(first.split()[-1]) == expected.comparison.max_abs_diff


@pytest.mark.parametrize("mistake", [*RUN_WRONGLY, *FUSED_WRONGLY])
def test_a_mistake_is_carried(mistake: str) -> None:
    branches = "kxk+norm,1x1+norm,identity+norm,1x1-kxk+inner+idconv,1x1-avg+inner,avg,1x1-bias+alpha"
    spec = BlockSpec(in_channels=4, out_channels=4, branches=parse_branches(branches), post_norm=True)
    if obstacle(mistake, spec) is not None:
        spec = replace(spec, groups=2, dilation=(2, 2), branches=parse_branches("kxk+norm,1x1,identity"))
    assert obstacle(mistake, spec) is None
    result = studied(spec, Alterations(mistake=mistake))
    text = snippet_of(result)
    names = ran(text)
    is_run_wrongly = mistake in RUN_WRONGLY
    assert f"{'Run' if is_run_wrongly else 'Fused'} with a mistake, made on purpose: {mistake}." in text
    assert ("`block` does not run as" in text) is is_run_wrongly
    assert ("`fused` is another convolution" in text) is not is_run_wrongly
    assert ("the unfused run is wrong" in text) is is_run_wrongly
    assert_comes_to(names, result)
    assert (
        names["again"] == result.comparison.max_abs_diff if mistake in RUN_WRONGLY else names["again"] < 1e-4
    )


def test_numbers_are_written_out_while_they_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    result = studied(replace(EVERY_KIND, weights=WeightFill.INTEGERS, input=InputFill.INTEGERS))
    assert "decoded(" in snippet_of(result)
    monkeypatch.setattr(snippet, "MOST_LITERALS", 10**9)
    text = snippet_of(result)
    assert "decoded(" not in text
    assert "base64" not in text
    assert_comes_to(ran(text), result)


def test_numbers_are_written_with_few_digits() -> None:
    assert shortest_numbers(torch.tensor([0.1, 1 / 3, -0.0, 2.0])) == ["0.1", "0.33333334", "-0.0", "2.0"]
    assert shortest_numbers(torch.tensor([0.1]).bfloat16()) == ["0.1"]


def test_too_many_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    result = studied(BlockSpec())
    monkeypatch.setattr(snippet, "MOST_BYTES", 900)
    with pytest.raises(ExportError, match="MiB is the most: make the block or its input smaller"):
        snippet_of(result)


def test_only_what_is_used_is_in_it() -> None:
    text = snippet_of(studied(BlockSpec(branches=parse_branches("kxk"))))
    for absent in ("compose", "fold_batch_norm", "identity(", "Float16", "functional", "base64", "math"):
        assert absent not in text


def test_norms_set_by_hand_are_in_it() -> None:
    numbers = {"gamma": -2.5, "beta": 0.75, "mean": 3.0, "var": 0.0, "eps": 0.5}
    starts = ("kxk.norm", "1x1-kxk.first.norm", "post norm")
    edits = [Edit(f"{start}.{part}", (0,), number) for start in starts for part, number in numbers.items()]
    spec = BlockSpec(branches=parse_branches("kxk+norm,1x1-kxk+inner,identity"), post_norm=True)
    expected = studied(spec, Alterations(tuple(edits)))
    assert expected.in_effect.edits == tuple(edits)
    assert_comes_to(ran(snippet_of(expected)), expected)
