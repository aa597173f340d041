from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations
from tui.analysis.alterations.gallery import MISTAKES
from tui.command_line.completion import completion_script
from tui.command_line.option_parser import OptionsError
from tui.command_line.options import SHELLS, build_parser, parse
from tui.fusion.grammar.fields import FIELDS, spec_from, texts_of
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import (
    BlockSpec,
    BranchKind,
    BranchSpec,
    Dtype,
    InputFill,
    InvalidSpecError,
    PaddingMode,
    WeightFill,
)

OTHER = BlockSpec(
    in_channels=8,
    out_channels=4,
    kernel_size=(5, 4),
    stride=(2, 1),
    dilation=(1, 2),
    groups=2,
    branches=(BranchSpec(BranchKind.KXK, bias=False, batch_norm=True), BranchSpec(BranchKind.POINTWISE)),
    post_norm=True,
    eps=1e-3,
    padding=(3, 0),
    padding_mode=PaddingMode.REFLECT,
    input_shape=(12, 10),
    batch_size=3,
    weights=WeightFill.INTEGERS,
    input=InputFill.RAMP,
    dtype=Dtype.BFLOAT16,
    seed=2**63 - 1,
)
"""A spec that differs from the default one in every field."""


TITLES = {name: mistake.title for name, mistake in MISTAKES.items()}


def option(field: str) -> str:
    return "--" + field.replace("_", "-")


def words_for(field: str, text: str) -> tuple[str, ...]:
    """The option for a field, and its value where it is no switch."""
    switches = {"yes": (option(field),), "no": (f"--no-{option(field)[2:]}",)}
    return switches.get(text, (option(field), text))


def problem_of(*arguments: str) -> str:
    with pytest.raises(OptionsError) as caught:
        parse(arguments)
    return str(caught.value)


def test_no_option_is_the_default_block() -> None:
    request = parse([])
    assert request.spec == BlockSpec()
    assert not request.check
    assert request.text is None


def test_every_field_has_an_option() -> None:
    assert set(OTHER.changes_from(BlockSpec())) == set(FIELDS)
    arguments = [word for name, text in texts_of(OTHER).items() for word in words_for(name, text)]
    assert parse(arguments).spec == OTHER


@pytest.mark.parametrize("field", FIELDS)
def test_one_option_changes_one_field(field: str) -> None:
    without_identity = ("--branches", "kxk,1x1")  # which would ask for equal channels and stride 1
    spec = parse([*without_identity, *words_for(field, texts_of(OTHER)[field])]).spec
    follows = {"in_channels": ["out_channels"]}  # they were equal
    assert spec.changes_from(parse(without_identity).spec) == [field, *follows.get(field, [])]
    assert getattr(spec, field) == getattr(OTHER, field)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_alone_is_its_block(name: str) -> None:
    assert parse(["--preset", name]).spec == PRESETS[name].spec


@pytest.mark.parametrize(
    "arguments",
    [("--mistake", "mean-ignored", "--batch-norm"), ("--preset", "repvgg", "--mistake", "mean-ignored")],
)
def test_a_mistake_is_judged_on_the_block_as_all_options_make_it(arguments: tuple[str, ...]) -> None:
    assert parse(arguments).alterations == Alterations(mistake="mean-ignored")
    assert parse(arguments[-1:] if len(arguments) == 3 else arguments[:2]).alterations == NOTHING_ALTERED


@pytest.mark.parametrize(
    "arguments", [("--preset", "repvgg", "--groups", "2"), ("--groups", "2", "--preset", "repvgg")]
)
def test_single_options_change_the_preset_in_any_order(arguments: tuple[str, ...]) -> None:
    assert parse(arguments).spec == replace(PRESETS["repvgg"].spec, groups=2)


@pytest.mark.parametrize(
    "arguments", [("--no-bias", "--branches", "kxk+norm,1x1"), ("--branches", "kxk+norm,1x1", "--no-bias")]
)
def test_switches_come_after_the_branches(arguments: tuple[str, ...]) -> None:
    assert parse(arguments).spec.branches == (
        BranchSpec(BranchKind.KXK, bias=False, batch_norm=True),
        BranchSpec(BranchKind.POINTWISE, bias=False),
    )


@pytest.mark.parametrize("wanted", [True, False])
def test_a_switch_is_for_all_branches_that_can_have_it(wanted: bool) -> None:
    spec = parse(["--bias" if wanted else "--no-bias", "--batch-norm" if wanted else "--no-batch-norm"]).spec
    assert [branch.batch_norm for branch in spec.branches] == [wanted] * 3
    assert [branch.bias for branch in spec.branches] == [wanted, wanted, False]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [((), True), (("--no-post-norm",), False), (("--post-norm",), True)],
)
def test_a_post_norm_is_switched_in_any_preset(arguments: tuple[str, ...], wanted: bool) -> None:
    assert parse(["--preset", "repvit", *arguments]).spec.post_norm is wanted


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_keeps_its_structure_with_other_channels(name: str) -> None:
    spec = parse(["--preset", name, "--in-channels", "32"]).spec
    assert spec == PRESETS[name].spec.with_in_channels(32)


def test_what_is_switched_for_all_may_make_no_block() -> None:
    assert problem_of("--branches", "1x1-kxk+zeros-bias", "--bias").startswith(
        "--branches: 1x1-kxk: zeros padded after the 1x1's bias make"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--seed", "3", "--json"),
        ("--seed", "3", "check", "--json"),
        ("--json", "--seed", "3", "check"),
        ("--seed=3", "--json", "--bias", "check"),
    ],
)
def test_check_stands_anywhere(arguments: tuple[str, ...]) -> None:
    request = parse(arguments)
    assert (request.check, request.as_json, request.spec.seed) == (True, True, 3)


@pytest.mark.parametrize(
    "texts",
    [
        {"groups": "3"},
        {"groups": "0"},
        {"in_channels": "two"},
        {"in_channels": ""},
        {"seed": "-1"},
        {"kernel_size": "3x"},
        {"branches": "kxk,fork"},
        {"branches": "1x1-kxk+zeros"},
        {"branches": "avg", "padding_mode": "reflect"},
        {"padding_mode": "mirror"},
        {"branches": ""},
        {"weights": "x", "dtype": "int8"},
        {"stride": "2", "out_channels": "4"},
        {"input": "\x1b[31m\n"},
        {"input_shape": "[red]9[/red]"},
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_the_form(texts: dict[str, str]) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        spec_from(texts, BlockSpec())
    expected = "; ".join(f"{option(problem.field)}: {problem.message}" for problem in caught.value.problems)
    assert problem_of(*(f"{option(name)}={text}" for name, text in texts.items())) == expected
    assert expected.isprintable()


def test_groups_that_do_not_divide() -> None:
    assert problem_of("--groups", "3") == (
        "--groups: groups must divide in and out channels: 3 does not divide in channels 2 or out channels 2"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kernal-size", "5"), ("--kernal-size", "did you mean --kernel-size?")),
        (("--kernal-size=5",), ("--kernal-size", "did you mean --kernel-size?")),
        (("check", "--dtipe", "float16"), ("--dtipe", "did you mean --dtype?")),
        (("-preset", "repvgg"), ("-preset", "did you mean --preset?")),
        (("--in", "3"), ("--in", "no such option")),
        (("chek",), ("chek", "did you mean check?")),
        (("check", "this"), ("this", "no such command")),
        (("check", "check"), ("more than once",)),
        (("",), ("''", "no such command")),
        (("--preset", "repvg"), (*PRESETS, "'repvg'", "did you mean repvgg?")),
        (("--mistake", "flipt"), (*MISTAKES, "'flipt'", "did you mean flipped?")),
        (("--mistake", "mean-ignored"), ("--mistake: mean-ignored", "the block has no batch norm")),
        (("--seed",), ("--seed: ", "one argument")),
        (("--eps", "-1e-5"), ("--eps: eps must be from 0 to 10, not -1e-05",)),
        (("--eps", "-.5e+1"), ("--eps: eps must be from 0 to 10, not -5.0",)),
        (("--eps", "1e400"), ("--eps: eps must be a number such as 1e-3, and '1e400' is too large for one",)),
        (("--bias=no",), ("--bias/--no-bias: ", "'no'")),
        (("--json",), ("--json: ", "check --json")),
        (("--print-completion", "ksh"), (*SHELLS, "'ksh'")),
    ],
)
def test_a_mistake_in_the_options_is_named(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    problem = problem_of(*arguments)
    assert all(word in problem for word in words), problem


@pytest.mark.parametrize(
    "text", ["che\x1b[31mck", "--\x1b]0;title\x07", "--a\nb=1", "\udcff", "--preset=\x00"]
)
def test_control_characters_are_shown_not_sent(text: str) -> None:
    assert problem_of(text).isprintable()


def test_help_fits_80_columns_and_tells_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = parse(["--help"]).text
    assert text is not None
    assert max(map(len, text.splitlines())) <= 80
    assert all(name in text for name in build_parser().option_names)
    assert text.isascii()
    assert all(name in text and title.replace("×", "x") in text for name, title in TITLES.items())
    assert all(preset.name in text and preset.summary in text for preset in PRESETS.values())
    unwrapped = " ".join(text.split())
    for name, default in texts_of(BlockSpec()).items():
        assert name == "post_norm" or f"{FIELDS[name].help} [{default}]" in unwrapped
    assert "--post-norm, --no-post-norm a batch norm after their sum, or none" in unwrapped


@pytest.mark.parametrize("columns", ["50", "80", "150"])
def test_help_follows_the_width_of_the_terminal(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = parse(["--help"]).text
    assert text is not None
    lines = text.splitlines()
    example = "  repfuse-tui fuse model.safetensors fused.safetensors"  # of two words that none may break
    assert max(len(line) for line in lines if line != example) <= int(columns)
    assert max(map(len, lines)) > int(columns) - 8
    assert [line for line in lines if line != line.rstrip()] == []
    assert "\nexit status of check:\n  0  fused and unfused agree" in text
    assert " ".join(text.split()).count("repvgg-downsample") == 1


def test_help_comes_before_mistakes() -> None:
    assert parse(["--nonsense", "--help"]).text == parse(["-h"]).text


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_knows_options_and_values(shell: str) -> None:
    script = completion_script(shell)
    assert parse(["--print-completion", shell]).text == script
    for word in (
        "kernel-size",
        "no-batch-norm",
        "repvgg-depthwise",
        "bfloat16",
        "impulses",
        "flipped",
        "check",
        "inspect",
        "fuse",
        "compare",
        "conv-bn",
        "safetensors",
    ):
        assert word in script


def test_values_for_completion_are_no_validation() -> None:
    completion_script("bash")
    assert problem_of("--dtype", "int8").startswith("--dtype: dtype must be one of float64")


def test_a_presets_name_in_any_case() -> None:
    assert (
        parse(["--preset", "RepVGG", "--dtype", "FP16"]).spec
        == parse(["--preset", "repvgg", "--dtype", "float16"]).spec
    )


@pytest.mark.parametrize("text", ["kxj", "kxk+foo", "identity+norm+bias", "kxk+g2+g4"])
def test_no_message_says_its_option_twice(text: str) -> None:
    with pytest.raises(OptionsError) as caught:
        parse(["--branches", text])
    assert str(caught.value).startswith("--branches: ")
    assert not str(caught.value).startswith("--branches: branches")


def test_config_prints_where_the_settings_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.settings.settings_path", lambda: tmp_path / "settings.json")
    text = parse(["config"]).text
    assert text is not None
    assert str(tmp_path / "settings.json") in text
    assert (parse(["config", "--help"]).text or "").startswith("usage: repfuse-tui config")
    assert "config takes nothing more" in problem_of("config", "theme")
    assert "must come first" in problem_of("--seed", "3", "config")
