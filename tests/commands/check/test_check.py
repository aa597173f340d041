from __future__ import annotations

import json
from dataclasses import asdict, replace
from threading import Event
from typing import Any, NoReturn

import pytest
import torch
from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text
from torch import Tensor, nn

from tests.fusion.strategies import EVERYTHING
from tests.specs import only_first_branch
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.cost import Sides
from tui.analysis.estimate import Estimate
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.progress import Failed
from tui.analysis.study import Study, study_of
from tui.analysis.verdict.cautions import cautions_of
from tui.analysis.verdict.reason import Reason
from tui.analysis.verdict.verdict import Worst
from tui.cli import main
from tui.commands.check.command import CheckError, check
from tui.commands.check.table import table_of
from tui.export.code.conv2d_text import conv2d_in_words
from tui.export.report import json_of, report_of
from tui.fusion.block import build_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, BranchSpec, Dtype, InputFill, PaddingMode, WeightFill
from tui.fusion.specs.branch_spec import names_of

NO_IDENTITY = parse_branches("kxk,1x1")

SPECS = {
    "default": BlockSpec(),
    "batch norm, no bias": replace(PRESETS["repvgg"].spec, in_channels=6, out_channels=6, input_shape=(7, 8)),
    "grouped, strided": BlockSpec(
        in_channels=4, out_channels=6, groups=2, stride=(2, 1), kernel_size=(5, 3), branches=NO_IDENTITY
    ),
    "even, dilated": BlockSpec(kernel_size=(4, 3), dilation=(1, 2)),
    "even, strided": BlockSpec(kernel_size=(4, 6), stride=(2, 2), branches=NO_IDENTITY),
    "identity alone": BlockSpec(branches=parse_branches("identity"), dtype=Dtype.FLOAT64),
    "every kind": BlockSpec(
        in_channels=8,
        out_channels=8,
        groups=2,
        branches=parse_branches(f"{EVERYTHING},avg+norm"),
        post_norm=True,
    ),
    "reflecting": BlockSpec(padding_mode=PaddingMode.REFLECT, kernel_size=(5, 4), post_norm=True),
    "dilated and grouped apart": BlockSpec(
        in_channels=4, out_channels=4, dilation=(2, 2), groups=4, branches=parse_branches("kxk,3x3d4+g2")
    ),
    "pointwise, no bias": BlockSpec(branches=parse_branches("1x1-bias"), dtype=Dtype.BFLOAT16),
}


@pytest.fixture(scope="module", params=SPECS.values(), ids=list(SPECS))
def result(request: pytest.FixtureRequest) -> Study:
    """One study for all tests that read it."""
    spec: BlockSpec = request.param
    return study_of(spec)


@pytest.fixture
def wrong_fusion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fusion that forgets every branch but the first."""

    def first(kernels: list[Kernel], *, overwrite: bool = False) -> Kernel:
        return kernels[0]

    monkeypatch.setattr("tui.fusion.block.add", first)


def printed(result: Study, width: int = 80) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(table_of(result))
    return capture.get()


def line_with(words: str, text: str) -> str:
    (line,) = (line for line in text.splitlines() if words in line)
    return line


def row_of(name: str, text: str) -> str:
    """The line of the table whose first cell is this."""
    (line,) = (line for line in text.splitlines() if line.startswith(f" {name}  "))
    return line


def elements(output: Tensor) -> list[float]:
    values: list[float] = output.double().flatten().tolist()
    return values


# The report


def test_report_has_these_keys(result: Study) -> None:
    report = report_of(result)
    assert list(report) == [
        *("spec", "origin", "ran_on", "mistake", "edits", "branches", "fused"),
        *("max_abs_diff", "mean_abs_diff", "max_abs_diff_float64", "figures"),
        *("allclose", "verdict", "agree", "wrong_side", "budget_used", "bound", "worst", "error_split"),
        *("stored", "looks_like", "params", "macs"),
    ]
    assert list(report["worst"]) == ["index", "fused", "unfused", "difference", "ulps"]
    assert list(report["fused"]) == ["weight_shape", "bias", "conv2d"]


def test_report_survives_json(result: Study) -> None:
    text = json_of(result)
    assert "\n" not in text
    loaded = json.loads(text)
    assert loaded["spec"]["kernel_size"] == list(result.spec.kernel_size)
    assert loaded["spec"]["dtype"] == result.spec.dtype
    names = names_of(result.spec.branches)
    sizes = [result.spec.embedded_kernel_size(branch) for branch in result.spec.branches]
    if result.spec.post_norm:
        names, sizes = [*names, "post norm"], [*sizes, (1, 1)]
    assert loaded["branches"] == [
        {"name": name, "weight_shape": shape_of(result.spec, *size)}
        for name, size in zip(names, sizes, strict=True)
    ]


def shape_of(spec: BlockSpec, height: int, width: int) -> list[int]:
    return [spec.out_channels, spec.in_channels // spec.fused_groups, height, width]


def test_the_report_has_every_option_that_is_not_the_default(result: Study) -> None:
    loaded = json.loads(json_of(result))["spec"]["branches"]
    assert loaded == [
        {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(branch).items()
            if name in ("kind", "bias", "batch_norm") or value != getattr(BranchSpec(branch.kind), name)
        }
        for branch in result.spec.branches
    ]


def test_a_branch_of_the_report() -> None:
    spec = BlockSpec(4, 4, branches=parse_branches("kxk+norm,1x1-kxk+inner-bias+x2+g2,3x3d2,5x5+alpha"))
    assert json.loads(json_of(study_of(spec)))["spec"]["branches"] == [
        {"kind": "kxk", "bias": True, "batch_norm": True},
        {
            "kind": "1x1-kxk",
            "bias": False,
            "batch_norm": False,
            "groups": 2,
            "inner_norm": True,
            "expansion": 2,
        },
        {"kind": "conv", "bias": True, "batch_norm": False, "dilation": [2, 2]},
        {"kind": "conv", "bias": True, "batch_norm": False, "kernel_size": [5, 5], "scale": "alpha"},
    ]


def test_differences_are_those_of_the_outputs(result: Study) -> None:
    report = report_of(result)
    pairs = list(zip(elements(result.outputs.fused), elements(result.outputs.unfused), strict=True))
    differences = [abs(fused - unfused) for fused, unfused in pairs]
    assert report["max_abs_diff"] == max(differences)
    assert report["mean_abs_diff"] == pytest.approx(sum(differences) / len(differences))
    worst = report["worst"]
    place = tuple(worst["index"])
    assert worst["fused"] == float(result.outputs.fused[place])
    assert worst["unfused"] == float(result.outputs.unfused[place])
    assert worst["difference"] == worst["fused"] - worst["unfused"]
    assert abs(worst["difference"]) == pytest.approx(report["budget_used"] * report["bound"])
    assert report["verdict"] in ("exact", "rounding")
    assert report["agree"]
    assert report["max_abs_diff_float64"] < 1e-12


def test_parameters_and_macs_are_those_that_run(result: Study) -> None:
    report = report_of(result)
    block = build_block(result.spec)
    assert report["params"] == {"unfused": parameters(block), "fused": parameters(result.conv)}
    assert report["macs"] == {"unfused": macs(block, result), "fused": macs(result.conv, result)}


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def macs(module: nn.Module, result: Study) -> int:
    """Multiply-accumulates, counted while the module runs."""
    counts: list[int] = []

    def count(conv: nn.Module, _: Any, y: Tensor) -> None:
        assert isinstance(conv, nn.Conv2d)
        counts.append(y.numel() * conv.weight[0].numel())

    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            part.register_forward_hook(count)
    x = result.x.to(next(module.parameters(), torch.empty(0)).dtype)
    with torch.no_grad():
        module(x)
    return sum(counts)


def test_fused_convolution_can_be_taken_away(result: Study) -> None:
    report = report_of(result)["fused"]
    assert report["weight_shape"] == shape_of(result.spec, *result.spec.fused_kernel_size)
    arguments = json.loads(json.dumps(report["conv2d"]))
    conv = nn.Conv2d(**arguments, bias=report["bias"]).to(result.x.dtype)
    conv.load_state_dict(result.conv.state_dict())
    with torch.no_grad():
        assert torch.equal(conv(result.x), result.outputs.fused)


def test_the_line_of_python_makes_that_convolution(result: Study) -> None:
    line = conv2d_in_words(result.conv, result.spec.dtype)
    assert line in printed(result, width=200)
    conv = eval(line, {"nn": nn, "torch": torch})
    conv.load_state_dict(result.conv.state_dict())
    assert repr(conv) == repr(result.conv)
    with torch.no_grad():
        assert torch.equal(conv(result.x), result.outputs.fused)


def test_the_line_of_python_leaves_defaults_out() -> None:
    assert conv2d_in_words(study_of(BlockSpec()).conv, Dtype.FLOAT32) == "nn.Conv2d(2, 2, 3, padding=1)"


def test_numbers_that_are_not_finite_become_null() -> None:
    done = study_of(BlockSpec())
    inf = float("inf")
    done = replace(done, comparison=replace(done.comparison, max_abs_diff=inf, mean_abs_diff=float("nan")))

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    report = json.loads(json_of(done), parse_constant=refuse)
    assert report["max_abs_diff"] is None
    assert report["mean_abs_diff"] is None
    assert report["max_abs_diff_float64"] is not None
    nowhere = Worst(Pixel(0, 0, 0, 0), float("nan"), 1.0, inf, -inf)
    report = report_of(replace(done, verdict=replace(done.verdict, budget_used=inf, worst=nowhere)))
    assert report["budget_used"] is None
    assert report["worst"] == {
        "index": [0, 0, 0, 0],
        "fused": None,
        "unfused": 1.0,
        "difference": None,
        "ulps": None,
    }


# The table


@pytest.mark.parametrize("width", [80, 120])
def test_table_fits_and_tells_what_the_report_tells(result: Study, width: int) -> None:
    text = printed(result, width)
    report = report_of(result)
    assert max(map(len, text.splitlines())) <= width
    for branch in report["branches"]:
        assert str(tuple(branch["weight_shape"])) in row_of(branch["name"], text)
    assert str(tuple(report["fused"]["weight_shape"])) in line_with(" fused     ", text)
    for name, counts in (("parameters", report["params"]), ("MACs", report["macs"])):
        line = line_with(name, text)
        assert f"{counts['unfused']:,}" in line
        assert f"{counts['fused']:,}" in line
    assert f"{report['max_abs_diff']:.3g}" in line_with("max |fused - unfused|", text)
    assert f"{report['mean_abs_diff']:.3g}" in line_with("mean |fused - unfused|", text)
    assert f"{report['max_abs_diff_float64']:.3g}" in line_with("max in float64", text)
    assert ("yes" if report["allclose"] else "no") in line_with("(default tolerances)", text)
    assert "They agree" in text


def test_the_table_tells_what_is_on_a_branch() -> None:
    branches = "kxk+norm+alpha,1x1-kxk+inner+norm-bias+idconv+g2,1x1-kxk+x2,1x1-avg+zeros-bias,identity"
    spec = BlockSpec(4, 4, groups=2, branches=parse_branches(branches), post_norm=True)
    text = printed(study_of(spec), width=120)
    for name, words in (
        ("kxk", "batch norm, alpha"),
        ("1x1-kxk #1", "2 groups, 1x1 minus identity, inner norm, batch norm"),
        ("1x1-kxk #2", "2 x channels"),
        ("1x1-avg", "zero border"),
        ("identity", "-"),
        ("post norm", "its offset"),
    ):
        assert row_of(name, text).rstrip().endswith(f"  {words}")
    assert [row_of(name, text).split(")")[1].split()[0] for name in ("kxk", "identity")] == [
        "yes",
        "-",
    ]


def test_the_biases_of_a_chain_and_another_eps_are_told() -> None:
    chains = ["1x1 > (3x3 + identity)", "1x1-bias > 3x3-bias > norm"]
    text = printed(study_of(BlockSpec(4, 4, branches=parse_branches(",".join(chains)), eps=1e-3)), width=120)
    named = [chain.replace(" ", "").replace("-bias", "") for chain in chains]
    assert [row_of(name, text).split("3)")[1].split()[0] for name in named] == ["yes", "-"]
    assert line_with("eps of batch norms", text).split()[-1] == "0.001"
    assert "eps of" not in printed(study_of(BlockSpec()))
    unnormed = BlockSpec(eps=1e-3).with_branches(batch_norm=False)
    assert (
        line_with("eps of batch norms", printed(study_of(unnormed))).rstrip().endswith("(the block has none)")
    )
    post = line_with("eps of batch norms", printed(study_of(replace(unnormed, post_norm=True))))
    assert post.split()[-1] == "0.001"
    assert "eps of" not in printed(study_of(BlockSpec(eps=1e-3, weights=WeightFill.INTEGERS)))


def test_a_padding_mode_is_told() -> None:
    spec = BlockSpec(padding_mode=PaddingMode.CIRCULAR)
    text = printed(study_of(spec))
    assert "circular outside" in line_with("input", text)
    assert 'nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular")' in text
    assert "outside" not in printed(study_of(BlockSpec()))


def test_table_tells_where_and_what() -> None:
    done = study_of(BlockSpec())
    comparison = replace(
        done.comparison, max_abs_diff=0.5, worst=Pixel(3, 1, 4, 15), fused=9.25, unfused=8.75
    )
    text = printed(replace(done, comparison=comparison))
    assert "batch 3, out 1, row 4, column 15" in line_with("where", text)
    assert "9.25" in line_with("  fused there", text)
    assert "8.75" in line_with("unfused there", text)


def test_table_of_an_exact_block_names_no_place() -> None:
    text = printed(study_of(BlockSpec(weights=WeightFill.INTEGERS, input=InputFill.INTEGERS)))
    assert "where" not in text
    assert "the same values" in text


@pytest.mark.parametrize(
    ("ruling", "reason", "colour", "words"),
    [
        ("exact", Reason.SAME, "green", "the same values"),
        ("rounding", Reason.WITHIN, "green", "41 % of the rounding budget"),
        ("suspicious", Reason.COARSE, "yellow", "The algebra is right, but float32"),
        ("wrong", Reason.ALGEBRA, "red", "They do NOT agree"),
    ],
)
def test_the_verdict_stands_last_in_its_colour(ruling: str, reason: Reason, colour: str, words: str) -> None:
    done = study_of(BlockSpec())
    done = replace(done, verdict=replace(done.verdict, reason=reason, budget_used=0.41))
    table = table_of(done)
    assert isinstance(table, Group)
    last = table.renderables[-1]
    assert isinstance(last, Padding)
    assert isinstance(last.renderable, Text)
    assert words in last.renderable.plain
    assert last.renderable.style == f"bold {colour}"
    assert report_of(done)["verdict"] == ruling
    assert "41 %" in line_with("share of the rounding budget", printed(done))


def test_what_was_not_judged_stands_in_the_table() -> None:
    done = study_of(BlockSpec(dtype=Dtype.BFLOAT16))
    done = replace(done, verdict=replace(done.verdict, channels=1, budget_used=3.5))
    text = " ".join(printed(done).split())
    assert "1 of 2 output channels were judged" in text
    assert "a scale that is off by 1 %" in text
    assert "3.5 times" in line_with("share of the rounding budget", printed(done))


def test_ratio_of_cost_and_none_without_a_cost() -> None:
    done = study_of(BlockSpec())
    cost = replace(done.cost, params=Sides(200, 150), macs=Sides(0, 7))
    text = printed(replace(done, cost=cost))
    assert line_with("parameters", text).split()[-1] == "0.750"
    assert line_with("MACs", text).split()[-1] == "-"


def test_an_even_kernel_with_stride_tells_why_its_convolution_is_larger() -> None:
    text = printed(study_of(SPECS["even, strided"]))
    assert "nn.Conv2d(2, 2, (5, 7), stride=2, padding=(2, 3))" in text
    assert "4x6 kernel and zeros" in text


def test_only_a_preset_is_called_one() -> None:
    assert "residual" in line_with("preset", printed(study_of(BlockSpec())))
    assert "residual" in line_with("preset", printed(study_of(BlockSpec(seed=1, dtype=Dtype.BFLOAT16))))
    assert "preset" not in printed(study_of(BlockSpec(kernel_size=(5, 5))))


# The sentences


def test_cautions() -> None:
    assert list(cautions_of(BlockSpec())) == []
    (weights,) = cautions_of(BlockSpec(weights=WeightFill.ONES))
    assert "Constant weights can hide mistakes" in weights
    (both,) = cautions_of(BlockSpec(weights=WeightFill.ONES, input=InputFill.ONES))
    assert "Constant weights and input can hide mistakes" in both
    (float16,) = cautions_of(BlockSpec(dtype=Dtype.FLOAT16))
    assert "float32 and rounded once" in float16


def test_cautions_stand_in_the_table() -> None:
    spec = BlockSpec(input=InputFill.ONES, dtype=Dtype.FLOAT16)
    text = " ".join(printed(study_of(spec)).split())
    assert [caution in text for caution in cautions_of(spec)] == [True, True]


# The command


@pytest.mark.parametrize("as_json", [True, False])
def test_exit_status_0_when_both_agree(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(BlockSpec(), as_json=as_json) == 0
    printed_on = capsys.readouterr()
    assert printed_on.out
    assert not printed_on.err


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_agrees(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--preset", name, "--json", "--input-shape", "16"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["agree"] is True
    assert 0 < report["max_abs_diff_float64"] < 1e-12
    assert report["max_abs_diff"] < 1e-3
    assert report["spec"]["in_channels"] == PRESETS[name].spec.in_channels


@pytest.mark.usefixtures("wrong_fusion")
@pytest.mark.parametrize("as_json", [True, False])
def test_exit_status_1_when_they_do_not(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(BlockSpec(), as_json=as_json) == 1
    out = capsys.readouterr().out
    if as_json:
        assert json.loads(out)["agree"] is False
    else:
        assert "They do NOT agree" in out


@pytest.mark.parametrize("as_json", [True, False])
def test_a_mistake_on_purpose_is_found_and_named(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--mistake", "identity-twice", *["--json"] * as_json]) == 1
    out = capsys.readouterr().out
    if as_json:
        report = json.loads(out)
        assert (report["mistake"], report["verdict"]) == ("identity-twice", "wrong")
        assert report["wrong_side"] == "fused"
    else:
        assert "identity added twice" in line_with("mistake on purpose", out)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_mistake_of_the_unfused_run_is_not_blamed_on_the_kernel(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    normed = ("--branches", "kxk+norm-bias,1x1+norm-bias,identity+norm")
    assert main(["check", *normed, "--mistake", "train-mode", *["--json"] * as_json]) == 1
    out = capsys.readouterr().out
    if as_json:
        assert json.loads(out)["wrong_side"] == "unfused"
    else:
        assert line_with("mistake on purpose", out).rstrip().endswith("(in the unfused run)")
        assert "the unfused run is wrong, the fused kernel is right." in " ".join(out.split())


def test_two_mistakes_at_once_are_told() -> None:
    done = study_of(BlockSpec(), only_first_branch(BlockSpec()))
    assert "It looks like 1×1 missing and identity missing, exactly." in printed(done)
    assert json.loads(json_of(done))["looks_like"] == {
        "words": "1×1 missing and identity missing, exactly",
        "found": [
            {
                "title": "1×1 missing and identity missing",
                "mistakes": [
                    {"name": "1x1-missing", "multiple": 1, "number": None},
                    {"name": "identity-missing", "multiple": 1, "number": None},
                ],
                "score": 1,
                "channels": [],
            }
        ],
        "nearest": None,
    }


def test_of_a_right_fusion_nothing_is_said(result: Study) -> None:
    assert "looks like" not in printed(result)
    assert json.loads(json_of(result))["looks_like"] is None


def test_what_is_like_no_mistake_comes_with_the_nearest() -> None:
    done = study_of(BlockSpec(), Alterations((Edit("fused.weight", (0, 0, 0, 0), 3.0),)))
    known = json.loads(json_of(done))["looks_like"]
    assert known["words"].startswith("none of the gallery")
    assert known["found"] == []
    assert f"It looks like {known['words']}." in " ".join(printed(done).split())


def test_why_it_was_not_found_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    done = study_of(BlockSpec(), Alterations(mistake="flipped"))
    for module in ("tui.commands.check.table", "tui.export.report"):
        monkeypatch.setattr(f"{module}.likenesses_within", lambda _: Failed("no [/] memory"))
    assert "What it looks like was not found out: no [/] memory." in printed(done)
    assert json.loads(json_of(done))["looks_like"]["words"] == "not found out: no [/] memory"


@pytest.mark.parametrize(
    ("reason", "status"), [(Reason.SAME, 0), (Reason.WITHIN, 0), (Reason.COARSE, 1), (Reason.SHAPE, 1)]
)
def test_the_exit_status_follows_from_the_ruling(
    reason: Reason, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = study_of(BlockSpec())
    done = replace(done, verdict=replace(done.verdict, reason=reason))
    monkeypatch.setattr("tui.commands.check.command._studied", lambda *_: done)
    assert check(BlockSpec(), as_json=True) == status


def test_what_does_not_fit_is_refused_before_torch_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.commands.check.command.memory_of_this_machine", lambda: 1)
    monkeypatch.setattr("tui.commands.check.command._studied", lambda *_: pytest.fail("it was run"))
    with pytest.raises(CheckError, match=r"needs about .* MB of memory and this machine has 0\.0 MB"):
        check(BlockSpec())


def test_a_large_depthwise_kernel_fits_into_16_gigabytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was refused for the 32.6 GB of an input unfolded for all groups at once, and takes 0.55 GB."""
    spec = replace(PRESETS["replknet"].spec.with_in_channels(256), input_shape=(128, 128))
    monkeypatch.setattr("tui.commands.check.command.memory_of_this_machine", lambda: 16 * 1024**3)

    def studied(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("it was studied")

    monkeypatch.setattr("tui.analysis.study.study_of", studied)
    with pytest.raises(CheckError, match="it was studied"):
        check(spec)


def test_an_unknown_memory_refuses_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tui.commands.check.command.memory_of_this_machine", lambda: None)
    assert check(BlockSpec(), as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["agree"] is True


@pytest.mark.parametrize(
    "error",
    [RuntimeError("no memory\nframe #0: c10"), FusionError("no memory"), MemoryError("no memory")],
)
def test_what_torch_can_not_do_is_told_in_its_first_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr("tui.analysis.study.run_study", fail)
    with pytest.raises(CheckError) as caught:
        check(BlockSpec())
    assert str(caught.value) == "this block could not be run: no memory"


def test_a_fault_of_this_program_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ValueError of ours must not read as a block that cannot be run: it goes on, to status 70."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise ValueError("not enough values to unpack")

    monkeypatch.setattr("tui.analysis.study.run_study", fail)
    with pytest.raises(ValueError, match="unpack"):
        check(BlockSpec())


@pytest.mark.parametrize(("terminal", "costly"), [(True, True), (True, False), (False, True)])
def test_a_costly_run_is_announced_where_somebody_waits(
    terminal: bool, costly: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    estimate = Estimate(bytes=3 * 1024**3, seconds=12.3) if costly else Estimate(bytes=1, seconds=0.1)
    monkeypatch.setattr("tui.commands.check.command.estimate_of", lambda _: estimate)
    monkeypatch.setattr("tui.commands.check.command.memory_of_this_machine", lambda: None)
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    check(BlockSpec(), as_json=True)
    announced = "this takes about 12 s and 3.2 GB of memory\n"
    assert capsys.readouterr().err == (announced if terminal and costly else "")


@pytest.mark.parametrize("costly", [True, False])
def test_a_log_is_told_of_a_costly_run_that_goes_on(
    costly: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Event()
    estimate = Estimate(bytes=3 * 1024**3, seconds=12.3) if costly else Estimate(bytes=1, seconds=0.1)
    monkeypatch.setattr("tui.commands.check.command.estimate_of", lambda _: estimate)
    monkeypatch.setattr("tui.commands.check.command.memory_of_this_machine", lambda: None)
    monkeypatch.setattr("tui.commands.check.command.PATIENCE", 0.0)

    def say(words: str) -> None:
        print(words)
        told.set()

    def wait(*_: object, **__: object) -> Study:
        assert told.wait(60 if costly else 0) == costly
        return study_of(BlockSpec())

    monkeypatch.setattr("tui.commands.check.command._say", say)
    monkeypatch.setattr("tui.commands.check.command._studied", wait)
    check(BlockSpec(), as_json=True)
    words = "repfuse-tui: this takes about 12 s and 3.2 GB of memory\n"
    assert capsys.readouterr().out.startswith(words) == costly


@pytest.mark.parametrize("dtype", Dtype)
def test_the_shares_of_the_report_add_up_to_the_difference(dtype: Dtype) -> None:
    done = study_of(replace(PRESETS["repvgg"].spec, dtype=dtype, input_shape=(9, 9)))
    split = json.loads(json_of(done))["error_split"]
    if dtype is Dtype.FLOAT64:
        assert split is None
        return
    at_worst = [split[share]["at_worst"] for share in ("weights", "fused", "unfused")]
    comparison = done.comparison
    difference = comparison.fused - comparison.unfused
    assert at_worst[0] + at_worst[1] - at_worst[2] == pytest.approx(difference, rel=1e-9)
    assert sum(split["nearer"].values()) == done.outputs.unfused.numel()
