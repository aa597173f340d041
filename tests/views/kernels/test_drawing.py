from __future__ import annotations

import pytest

from tui.analysis.study import study_of
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec
from tui.views.kernels.drawing import drawing_of


def test_the_steps_of_a_sequence_are_all_there() -> None:
    drawing = drawing_of(PRESETS["dbb"].spec)
    assert drawing.branches[2:] == (
        ("1×1 conv", "norm", "average pool", "norm"),
        ("1×1 conv", "norm", "k×k conv", "norm"),
    )


def test_a_post_norm_follows_the_sum_and_a_scale_its_norm() -> None:
    assert drawing_of(PRESETS["qarepvgg"].spec).after == ("norm",)
    assert drawing_of(PRESETS["repmixer"].spec).branches[0] == ("k×k conv", "norm", "× gamma")


def test_only_sizes_have_a_times_sign() -> None:
    drawing = drawing_of(PRESETS["edbb"].spec)
    assert drawing.branches[2:4] == (("1×1>3×3",), ("1×1>sobelx",))
    assert drawing.names[2:4] == ("1×1>3×3", "1×1>sobelx")
    assert drawing_of(PRESETS["repnext"].spec).branches[3:] == (("1×k>k×1",), ("1×5>5×1",))


def test_costs_are_those_of_both_sides() -> None:
    first, second = (cost.replace("\N{NO-BREAK SPACE}", " ") for cost in drawing_of(BlockSpec()).costs)
    assert first == "44 parameters, 3 240 MACs"
    assert second == "38 parameters, 2 916 MACs"


def test_shares_are_norms_as_parts_of_their_sum() -> None:
    study = study_of(BlockSpec())
    norms = [float(each.kernel.weight.norm()) for each in study.summands]
    assert study.shares == pytest.approx([norm / sum(norms) for norm in norms])


def test_a_post_norm_has_no_share() -> None:
    study = study_of(PRESETS["qarepvgg"].spec.with_in_channels(8))
    assert len(study.shares) == len(study.spec.branches) < len(study.summands)
    assert sum(study.shares) == pytest.approx(1.0)
