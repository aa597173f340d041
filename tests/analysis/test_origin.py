"""A block that comes from elsewhere is studied with its own numbers, in the dtype and on the input wished."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.given_block import GivenBlock
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.study import study_of
from tui.analysis.subject import Subject
from tui.export.command_line import command_line_of
from tui.export.errors import ExportError
from tui.export.report import report_of
from tui.fusion.specs.block_spec import Dtype, InputFill


def test_the_numbers_are_those_of_the_origin() -> None:
    given = GivenBlock()
    study = study_of(Subject(given.spec, origin=given))
    # gamma / sqrt(var + eps) is 2 for both channels: 2 w, and 2 on the identity's diagonal
    expected = 2 * (torch.arange(36.0).view(2, 2, 3, 3) - 18)
    expected[0, 0, 1, 1] += 2
    expected[1, 1, 1, 1] += 2
    assert torch.equal(study.fused_kernel.kernel.weight, expected)
    # beta - 2 mean, of both batch norms: 1 + 2 - 2 * 4, and 1 + 2 + 2 * 8
    assert study.fused_kernel.kernel.bias is not None
    assert study.fused_kernel.kernel.bias.tolist() == [-5, 19]
    assert study.verdict.ruling.agrees
    assert [branch.name for branch in study.block.branches] == ["rbr_dense", "rbr_identity"]
    assert study.subject == Subject(given.spec, origin=given)


def test_the_spec_says_how_it_is_run() -> None:
    given = GivenBlock()
    spec = replace(given.spec, dtype=Dtype.BFLOAT16, input=InputFill.ONES, input_shape=(4, 6), batch_size=2)
    study = study_of(Subject(spec, origin=given))
    assert study.x.dtype is torch.bfloat16
    assert torch.equal(study.x, torch.ones(2, 2, 4, 6, dtype=torch.bfloat16))
    assert study.block.dtype is torch.bfloat16
    assert given.module.dtype is torch.float32


def test_what_really_reached_the_block_goes_before_what_the_spec_would_fill_in() -> None:
    given = GivenBlock()
    given.reached = torch.arange(50.0).view(1, 2, 5, 5)
    assert torch.equal(study_of(Subject(given.spec, origin=given)).x, given.reached)


def test_edits_by_hand_go_on_top() -> None:
    given = GivenBlock()
    altered = Alterations((Edit("rbr_dense.weight", (0, 1, 2, 2), 100.0),))
    study = study_of(Subject(given.spec, altered, given))
    assert study.fused_kernel.kernel.weight[0, 1, 2, 2] == 200


def test_the_report_says_where_it_comes_from_and_no_command_line_claims_to_make_it() -> None:
    given = GivenBlock()
    study = study_of(Subject(given.spec, origin=given))
    assert report_of(study)["origin"] == {
        "title": "stage1.0",
        "container": "model.safetensors",
        "remarks": ["RepVGG", "eps 1e-5 assumed"],
    }
    with pytest.raises(ExportError, match=r"stage1\.0 is not made by options"):
        command_line_of(study.subject)
