"""The words beside the gallery: what can be made, where the difference is, what it looks like."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.specs import EXACT
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.inquiry import Answers
from tui.analysis.likeness.found import Likeness, Likenesses
from tui.analysis.likeness.likeness import likenesses
from tui.analysis.likeness.pattern import Pattern, pattern_of
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.progress import Doing, Failed
from tui.analysis.study import Study, study_of
from tui.analysis.verdict.reason import Reason
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import BlockSpec, WeightFill
from tui.views.mistakes.error_map import difference_of, map_title, pixel_line, scale_of
from tui.views.mistakes.mistake_words import findings, heading, signs, story

SOMEWHERE = Pattern((1,), 2, None, False, 0.5)


@pytest.fixture(scope="module")
def right() -> Study:
    return study_of(EXACT)


@pytest.fixture(scope="module")
def wrong() -> Study:
    return study_of(EXACT, Alterations(mistake="identity-twice"))


def said(study: Study, *found: Likeness) -> str:
    return str(findings(study, Answers(likeness=Likenesses(found, SOMEWHERE))))


def test_what_can_be_made_and_what_can_not(right: Study) -> None:
    assert str(heading("flipped", right)) == "kernel flipped  enter makes it"
    assert str(heading("mean-ignored", right)).endswith("not on this block: the block has no batch norm")
    assert str(heading("", right)) == "fused rightly  ● now"


def test_what_is_made(wrong: Study) -> None:
    assert str(heading("identity-twice", wrong)) == "identity added twice  ●\N{NO-BREAK SPACE}made"
    assert str(heading("", wrong)).endswith("enter takes the mistake out")


def test_numbers_set_by_hand_are_told() -> None:
    edited = study_of(EXACT, Alterations((Edit("fused.weight", (0, 0, 0, 0), 9.0),)))
    assert "set by hand" in str(heading("", edited))
    assert "set by hand" not in str(heading("flipped", edited))


@pytest.mark.parametrize("name", MISTAKES)
def test_the_words_are_those_of_the_gallery(name: str) -> None:
    mistake = MISTAKES[name]
    assert str(story(name)) == mistake.story
    assert mistake.shows.removesuffix(".") in str(signs(name))
    assert mistake.hidden_by in str(signs(name))


def test_the_mistake_that_was_made_is_found(wrong: Study) -> None:
    *_, found = likenesses(wrong)
    assert isinstance(found, Likenesses)
    text = str(findings(wrong, Answers(likeness=found)))
    assert text == "where  everywhere, 89 %\nlooks like  identity added twice, exactly"


def test_a_right_fusion_is_like_nothing_and_is_not_searched(right: Study) -> None:
    (found,) = likenesses(right)
    assert isinstance(found, Likenesses)
    assert (found.found, found.pattern) == ((), None)
    assert str(findings(right, Answers())) == "where  nowhere beyond rounding"


def test_a_difference_that_no_mistake_explains(wrong: Study) -> None:
    assert said(wrong) == "where  only in out 1, 50 %\nlooks like  none of the gallery"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([Likeness("flipped", 1.0), Likeness("bias-lost", 1.0)], ": each exactly"),
        ([Likeness("flipped", 0.93)], "kernel flipped (93 % of it)"),
        ([Likeness("flipped", 0.93, multiple=0.5)], "kernel flipped × 0.5 (93 % of it)"),
        ([Likeness("flipped", 0.99, channels=(1, 3))], "kernel flipped in out 1, 3"),
        ([Likeness("eps", 1.0, told="eps 1e-06 for 1e-05")], "looks like  eps 1e-06 for 1e-05, exactly"),
        ([Likeness("identity-twice", 1.0, 2)], "identity added three times, exactly"),
        ([Likeness("identity-missing", 1.0, 2)], "identity missing × 2, exactly"),
        (
            [Likeness("1x1-missing", 1.0, beside=(Likeness("identity-missing", 1.0),))],
            "1×1 missing and identity missing, exactly",
        ),
    ],
)
def test_how_well_a_mistake_fits(wrong: Study, found: list[Likeness], words: str) -> None:
    assert said(wrong, *found).endswith(words)


def test_it_is_told_in_the_same_words_without_a_screen(wrong: Study) -> None:
    flipped, lost = Likeness("flipped", 0.93, multiple=0.5), Likeness("bias-lost", 1.0)
    for found in (
        Likenesses((lost,), SOMEWHERE),
        Likenesses((lost, replace(lost, name="flipped")), SOMEWHERE),
        Likenesses((flipped,), SOMEWHERE),
        Likenesses((), SOMEWHERE, flipped),
        Likenesses((), SOMEWHERE),
    ):
        text = str(findings(wrong, Answers(likeness=found)))
        assert text.splitlines()[1] == f"looks like  {found.words}"


def test_before_there_is_an_answer(wrong: Study) -> None:
    assert str(findings(wrong, Answers())) == ""
    assert "trying: x …" in str(findings(wrong, Answers(likeness=Doing("trying: x"))))
    assert str(findings(wrong, Answers(likeness=Failed("no [/] memory")))).endswith("no [/] memory")


def test_a_mistake_that_the_numbers_hide_is_told() -> None:
    hidden = study_of(replace(EXACT, weights=WeightFill.ONES), Alterations(mistake="flipped"))
    assert "hidden" in str(findings(hidden, Answers()))


def test_a_mistake_of_the_run_is_told_as_such() -> None:
    of_run = {name for name in MISTAKES if "; the unfused run is wrong.\n" in str(signs(name))}
    assert of_run == {"train-mode", "zero-border", "average-uncounted"}


def test_a_mistake_of_the_run_that_the_numbers_hide_is_told_too() -> None:
    no_bias = tuple(Edit("1x1-kxk.first.bias", (channel,), 0.0) for channel in range(2))
    spec = replace(EXACT, branches=parse_branches("kxk,1x1-kxk"))
    hidden = study_of(spec, Alterations(no_bias, "zero-border"))
    assert not hidden.in_effect.alters_fusion
    assert "hidden" in str(findings(hidden, Answers()))


def test_a_run_that_went_wrong_is_no_mistake_of_the_gallery(wrong: Study) -> None:
    broken = replace(wrong, verdict=replace(wrong.verdict, reason=Reason.ARITHMETIC))
    (found,) = likenesses(broken)
    assert isinstance(found, Likenesses)
    assert "the float64 run is right" in str(findings(broken, Answers(likeness=found)))


def test_the_difference_of_one_pixel_adds_up(wrong: Study) -> None:
    pixel = Pixel(*wrong.comparison.worst)
    assert str(map_title(wrong, pixel)).startswith(f"fused − unfused in float64, out {pixel.channel} (")
    difference, fused, unfused = (
        float(word) for word in str(pixel_line(wrong, pixel)).split() if word[-1].isdigit()
    )
    assert difference == fused - unfused
    assert abs(difference) == scale_of(wrong)


def test_what_is_rounding_in_float64_is_no_part_of_a_mistake() -> None:
    spec = BlockSpec(branches=parse_branches("kxk,1x1-kxk"))
    result = study_of(spec, Alterations(mistake="zero-border"))
    raw = result.outputs64.fused[0, 0, 1:-1, 1:-1] - result.outputs64.unfused[0, 0, 1:-1, 1:-1]
    assert raw.any()
    shown = difference_of(result, Pixel(0, 0, 4, 4))
    assert shown.shape == (1, 1, 9, 9)
    assert not shown[0, 0, 1:-1, 1:-1].any()
    assert shown[0, 0, 0].all()


def test_in_a_right_fusion_every_rounding_is_shown() -> None:
    result = study_of(BlockSpec())
    shown = difference_of(result, Pixel(0, 1, 0, 0))[0, 0]
    assert shown.equal(result.outputs.fused[0, 1].double() - result.outputs.unfused[0, 1].double())
    assert shown.any()


def test_a_right_fusion_is_shown_in_its_dtype(right: Study) -> None:
    assert "float64" not in str(map_title(right, Pixel(0, 0, 0, 0)))
    assert scale_of(right) == 1.0


def test_what_is_none_of_the_gallery_comes_with_the_nearest() -> None:
    nearest = Likeness("identity-twice", 0.43, 1.2)
    found = Likenesses((), pattern_of(torch.ones(1, 2, 3, 3)), nearest)
    wrong = study_of(EXACT, Alterations(mistake="identity-twice"))
    words = str(findings(wrong, Answers(likeness=found)))
    assert "looks like  none of the gallery; nearest: identity added twice × 1.2 (43 % of it)" in words


def test_a_map_of_small_differences_has_its_unit() -> None:
    study = study_of(BlockSpec())
    pixel = study.comparison.worst
    assert str(map_title(study, pixel)).endswith(", in 1e-07")
    assert "in 1e" not in str(map_title(study_of(EXACT, Alterations(mistake="identity-twice")), pixel))


def test_where_a_finished_kernel_is_wrong_is_told_by_its_weights(right: Study) -> None:
    given = right.block64.kernel()
    given.weight[1, 0, 2, 2] += 1
    study = study_of(EXACT, finished=given)
    found = [step for step in likenesses(study) if isinstance(step, Likenesses)]
    assert str(findings(study, Answers(likeness=found[0]))).splitlines()[0] == (
        "where  in out 1, at tap [2,2], by its weights"
    )


def test_a_right_finished_kernel_hides_nothing(right: Study) -> None:
    study = study_of(EXACT, finished=right.block64.kernel())
    assert str(findings(study, Answers())) == "where  nowhere beyond rounding"
    assert str(heading("", study)).endswith("not now: a finished kernel stands here")
