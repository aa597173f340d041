"""Chains as text: what published blocks need is said, read back, and one convolution; the rest is refused."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fusion.test_block import assert_fused_equals_unfused
from tui.analysis.alterations.alterations import Alterations, Edit, shapes_of
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.probe.probe import probe
from tui.analysis.steps.walkthrough import Walkthrough, walkthrough
from tui.analysis.study import study_of
from tui.export.code.snippet import snippet_of
from tui.export.command_line import command_line_of
from tui.export.study_json import study_json_of
from tui.fusion.block import build_block
from tui.fusion.grammar.branch_text import parse_branches, show_branches
from tui.fusion.grammar.text_error import TextError
from tui.fusion.kernel import pad_to
from tui.fusion.specs.block_spec import BlockSpec, Dtype, PaddingMode
from tui.fusion.specs.problems import InvalidSpecError
from tui.fusion.structure import structure_of
from tui.importing.saved_study import study_in

BLOCKS: dict[str, tuple[str, dict[str, Any]]] = {
    "span": ("1x1+x2 > 3x3+x2 > 1x1,1x1", {}),
    "rrrb": ("1x1+x2 > (3x3 + identity) > 1x1,identity", {}),
    "ecbsr": ("kxk,1x1+x2 > 3x3,1x1 > sobelx,1x1 > sobely,1x1 > laplacian,identity", {}),
    "edbb of 3 to 16 channels": (
        "kxk,1x1,1x1 > 3x3,1x1 > sobelx,1x1 > sobely,1x1 > laplacian",
        {"in_channels": 3, "out_channels": 16},
    ),
    "sesr": ("kxk+c32 > 1x1,identity", {"kernel_size": (5, 5)}),
    "repnext": ("kxk+norm,5x3+norm,3x5+norm,1xk > norm > kx1 > norm", {"kernel_size": (7, 7), "groups": 8}),
    "repnext, small": ("3x3,1x3,3x1,2x2d2", {"groups": 8}),
    "repnext, downsampling": (
        "3x3,1x3-bias > 3x1-bias,2x2d2",
        {"groups": 8, "stride": (2, 2), "out_channels": 16},
    ),
    "rvsr": ("1x1+x2 > 3x3 > 1x1,1x1+x2 > 3x3 > 1x1,3x3,1x1", {}),
    "orepa": ("kxk+dw+x8-bias > 1x1-bias > norm", {}),
    "post norm as a chain": ("(kxk-bias > norm + 1x1 + identity) > norm", {"groups": 8}),
    "repmixer as a chain": (
        "(kxk+norm-bias + 1x1+norm-bias + identity+norm) > gamma,identity > norm > gamma,identity",
        {"groups": 8},
    ),
    "dbb as chains": (
        "kxk-bias > norm,1x1-bias > norm > avg > norm,1x1+idconv-bias > norm > kxk-bias > norm",
        {"groups": 2},
    ),
    "parts of channels": ("1x1+x1/2 > 3x3+x0.25 > 1x1+c6 > norm > 3x3+g2,1x1+x3/2-bias > 1xk+dw > 1x1", {}),
    "every option": (
        "3x3d2+g4+x2-bias+norm+alpha+eps0.1 > avg2x3 > laplacian-bias > gamma > kxkd1x2+dw+c16 > 1x1",
        {},
    ),
    "a norm first, between and last": ("norm > 3x3 > norm > norm > kx1 > norm,identity > norm,norm", {}),
    "a value at zero of many": ("1x1 > norm > 1x1 > norm > 3x3,1x1 > 1x1 > kxk,norm > 1x1-bias > kx1", {}),
    "nextvit": ("norm > 1x1", {"kernel_size": (1, 1)}),
    "repadapter": ("1x1+x1/4 > 1x1+g2 > alpha,identity", {}),
    "spike": ("1x1-bias > norm > 3x3-bias+dw > 1x1-bias > norm", {}),
    "sizes of their own": (
        "avg3x3+norm,1x1-3x3+inner+norm-bias,1x1-avg3x3+idconv,kxk",
        {"kernel_size": (5, 5)},
    ),
    "own zeros": ("1xk-bias > kx1+zeros", {}),
    "given taps": ("1x1 > taps(1 0 -1; 0 0.1 2) > gamma", {}),
    "sums in sums": ("1x1 > (3x3d2 > 2x2 + (1x1 + avg3x3 > norm)) > 1xk", {"stride": (2, 1)}),
    "a mode": ("1x1 > 3x3 > 1x1,norm > 3x3 > alpha", {"padding_mode": PaddingMode.REFLECT}),
    "eps": ("kxk > norm+eps1e-3,1x1+norm+eps0.5", {}),
}


def spec_of(name: str, **more: Any) -> BlockSpec:
    text, values = BLOCKS[name]
    return BlockSpec(**{"in_channels": 8, "out_channels": 8} | values | more, branches=parse_branches(text))


@pytest.mark.parametrize("name", BLOCKS)
def test_a_text_is_read_back_as_the_same_block(name: str) -> None:
    spec = spec_of(name)
    assert parse_branches(show_branches(spec.branches)) == spec.branches
    block = build_block(spec)
    assert structure_of(block, torch.zeros(spec.input_nchw)).chains == spec.chains
    assert [branch.spec() for branch in block.branches] == list(spec.chains)
    assert_fused_equals_unfused(spec, wild=True)


@pytest.mark.parametrize("dtype", [Dtype.FLOAT64, Dtype.FLOAT32, Dtype.BFLOAT16, Dtype.FLOAT16])
@pytest.mark.parametrize("name", BLOCKS)
def test_it_goes_through_every_question(name: str, dtype: Dtype) -> None:
    study = study_of(spec_of(name, dtype=dtype))
    assert study.verdict.ruling.agrees, study.verdict.sentence
    *_, steps = walkthrough(study)
    assert isinstance(steps, Walkthrough)
    assert [step.title for step in steps.steps if not step.check.passed] == []
    slack = 0.1 if dtype in (Dtype.BFLOAT16, Dtype.FLOAT16) else 1e-4 if dtype is Dtype.FLOAT32 else 1e-11
    for place in ((0, 0), (study.outputs.unfused.shape[2] - 1, 2), (1, study.outputs.unfused.shape[3] - 1)):
        pixel = Pixel(0, 1, *place)
        by_hand = probe(study, pixel).by_hand
        assert by_hand is not None
        size = slack * max(1.0, float(study.outputs64.unfused.abs().max()))
        assert by_hand.unfused == pytest.approx(float(study.outputs64.unfused[pixel]), abs=size)
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(snippet_of(study), "snippet", "exec"), names)
    again, frame = names["fuse"](names["block"])[0], study.conv.kernel_size
    right = pad_to(study.fusion64.kernel, (frame[0], frame[1])).weight
    torch.testing.assert_close(again, right)
    assert names["in_float64"] < 1e-10


@pytest.mark.parametrize("name", ["span", "rrrb", "ecbsr", "given taps"])
def test_its_numbers_are_edited_and_come_back_from_a_file_and_a_command_line(name: str) -> None:
    spec = spec_of(name)
    places = [place for place in shapes_of(spec) if not place.startswith(("fused", "input"))]
    edits = tuple(Edit(place, (0,) * len(shapes_of(spec)[place]), 0.25) for place in places)
    study = study_of(spec, Alterations(edits))
    assert study.verdict.ruling.agrees
    for edit in edits:
        assert float(study.number_at(edit.place, edit.index)) == 0.25
    back = study_in(study_json_of(study).encode()).subject
    assert back.spec == spec
    assert back.alterations == study.alterations
    assert show_branches(spec.branches) in command_line_of(back)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1x1 > fork", "'fork' in '1x1 > fork'"),
        ("1x1 > ", "a branch's layer must be one of kxk"),
        ("1x1 > (3x3 + identity", "'1x1 > (3x3 + identity' has a parenthesis that is not closed"),
        ("(3x3 + ) > 1x1", "lacks a chain"),
        ("1x1 > identity-bias", "'-bias' in 'identity-bias' is not an option of that layer"),
        ("1x1+g2+g4 > 3x3", "'+g2' and '+g4' contradict each other"),
        ("1x1+c4+x2 > 3x3", "'+c4' and '+x2' contradict each other"),
        ("1x1+x1/0 > 3x3", "is not an option of that layer"),
        ("3x3+c0 > 1x1", "+x1/4, +c16, +norm, +alpha, +gamma, +eps1e-3, +zeros, +p1; the number of +c is 1"),
        ("(3x3 + identity)+c4", "of that layer; it takes +norm, +alpha, +gamma, +eps1e-3, +zeros, +p1"),
        ("1x1 > taps(1 2; 3)", "rows of equally many numbers"),
        ("1x1+eps1e-3 > 3x3", "is of no batch norm"),
        ("1x1 > norm+eps99", "must be a number from 0 to 10"),
        ("1x1 > (3x3+zeros + identity)", "stands inside of a sum"),
        (" > ".join(["1x1"] * 17), "at most 16 layers here, not 17"),
        ("((((((3x3))))))", "at most 4 deep"),
        ("(3x3|identity)", "'|identity' in '3x3|identity' is not an option"),
        ("(3x3+identity) > 1x1", "a sum has a blank on both sides of its +: (3x3 + identity)"),
        ("kxk+identity", "branches stand apart by commas"),
        ("kxk + identity", "branches stand apart by commas"),
        ("avg0x3 > 1x1", "'avg0x3' in 'avg0x3 > 1x1' must be 1 or more"),
        ("1x1 > 0x3", "the kernel size '0x3' in '1x1 > 0x3' must be 1 or more"),
    ],
)
def test_what_is_no_chain_is_refused_with_what_there_is(text: str, words: str) -> None:
    with pytest.raises(TextError) as caught:
        parse_branches(text)
    assert words in str(caught.value).replace("“", "'").replace("”", "'")


@pytest.mark.parametrize(
    ("text", "values", "words"),
    [
        ("1x1+x1/3 > 3x3", {}, "1/3 of 8 in channels is not a whole number"),
        ("1x1+c6 > 3x3+g4", {}, "groups of conv2 must divide its channels: 4 does not divide 6"),
        ("norm", {"out_channels": 4}, "its layers end with 8 channels, and the block with 4"),
        ("norm", {"stride": (2, 2)}, "no layer of it can skip pixels"),
        ("1x1 > (3x3 + identity)", {"stride": (2, 2)}, "an identity in a sum needs stride 1, not 2x2"),
        ("1x1 > (3x3+c4 + identity) > 1x1", {}, "the chains of sum end with 4 and 8 channels: only equal"),
        ("(3x3+c4 + 1x1+c6) > 1x1", {}, "the chains of sum end with 4 and 6 channels"),
        ("1x1+idconv > norm+gamma", {"stride": (2, 2)}, "no layer of it can skip pixels"),
        ("1x1 > 3x3+zeros", {}, r"the 1x1's bias .* or take bias and inner norm out"),
        ("norm > 3x3+zeros", {}, "after the batch norm make"),
        ("1x3 > 3x1+zeros", {}, r"the 1x3's bias .* or take bias and inner norm out"),
        ("3x3 > 3x3+zeros", {}, r"the 3x3's bias .* or have no layer before it see neighbours"),
        ("3x3-bias > 3x3+zeros", {}, r"make the 32 pixels at the border \(of 81 a channel\) wrong"),
        ("1x1 > 3x200", {}, "kernel size must be from 1 to 127, not 200"),
        ("1x1+c99999 > 3x3", {}, "channels must be from 1 to 65536, not 99999"),
    ],
)
def test_what_does_not_go_together_never_reaches_torch(text: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidSpecError, match=words):
        BlockSpec(**{"in_channels": 8, "out_channels": 8} | values, branches=parse_branches(text))


def test_blanks_may_stand_before_an_option() -> None:
    assert parse_branches("kxk +norm -bias, 1x1 +g2") == parse_branches("kxk+norm-bias,1x1+g2")


def test_the_chains_of_a_sum_say_how_many_channels_come_out() -> None:
    branches = parse_branches("(3x3+x2 + 1x1 > norm) > 1x1,((1x1 + 3x3+c6)) > 3x3+dw+c12 > 1x1")
    spec = BlockSpec(4, 4, branches=branches)
    assert [chain.layers[0].out_channels for chain in spec.chains] == [8, 6]
    assert_fused_equals_unfused(spec)


@pytest.mark.parametrize("text", ["1x1 > 1x1+idconv", "1x1+idconv > 1x1", "3x3 > 1x1+idconv+norm"])
def test_a_1x1_that_is_stored_minus_the_identity_leaves_the_stride_to_others(text: str) -> None:
    assert_fused_equals_unfused(BlockSpec(4, 4, branches=parse_branches(text), stride=(2, 2)))


def test_more_than_sixteen_branches() -> None:
    spec = BlockSpec(branches=parse_branches(",".join(["kxk"] * 20)))
    assert_fused_equals_unfused(spec)


PIXELS = ["1x1", "norm", "identity", "alpha", "gamma"]
SEEING = ["kxk", "3x3d2", "1xk", "2x2", "avg", "avg3x2", "sobelx", "laplacian", "taps(1 0.5; -2 1e-3)"]
OPTIONS = {
    "1x1": [
        "-bias",
        "+norm",
        "+alpha",
        "+gamma",
        "+g2",
        "+dw",
        "+x2",
        "+x1/4",
        "+c16",
        "+idconv",
        "+norm+eps0.1",
    ],
    "kxk": ["-bias", "+norm", "+gamma", "+g4", "+dw", "+x0.5", "+c4"],
    "norm": ["+eps1e-3", "+alpha"],
    "sobelx": ["-bias", "+norm"],
}
OPTIONS |= dict.fromkeys(("3x3d2", "1xk", "2x2"), OPTIONS["kxk"])


@st.composite
def chain_texts(draw: st.DrawFn, depth: int = 1) -> str:
    """A chain as a user may write it, sums in sums down to that depth; contradicting options too."""
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        word = draw(st.sampled_from([*PIXELS, *SEEING, *["("] * depth]))
        if word == "(":
            chains = draw(st.lists(chain_texts(depth - 1), min_size=1, max_size=3))
            word = f"({' + '.join(chains)})"
        options = draw(st.lists(st.sampled_from(OPTIONS.get(word, ["+norm"])), max_size=3, unique=True))
        layers.append(word + "".join(options))
    return draw(st.sampled_from([" > ", ">"])).join(layers)


@given(st.lists(chain_texts(), min_size=1, max_size=3), st.integers(0, 2**20))
@settings(max_examples=60, deadline=None)
def test_any_chain_is_read_back_built_and_fused_or_refused_in_words(texts: list[str], seed: int) -> None:
    try:
        branches = parse_branches(",".join(texts))
    except TextError:
        return
    assert parse_branches(show_branches(branches)) == branches
    try:
        spec = BlockSpec(8, 8, branches=branches, seed=seed)
    except InvalidSpecError:
        return
    assert_fused_equals_unfused(spec)
    assert [branch.spec() for branch in build_block(spec).branches] == list(spec.chains)


@given(st.text("1x3k>()+ .normgavidetys-/c2", max_size=30))
def test_any_text_is_branches_or_an_explained_refusal(text: str) -> None:
    with contextlib.suppress(TextError):
        branches = parse_branches(text)
        assert parse_branches(show_branches(branches)) == branches
