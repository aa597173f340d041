from __future__ import annotations

import pytest

from tui.widgets.grid.zoom import Zoom


@pytest.mark.parametrize("zoom", list(Zoom)[:-1])
def test_a_step_out_and_a_step_in_cancel(zoom: Zoom) -> None:
    assert zoom.farther() is not zoom
    assert zoom.farther().nearer() is zoom


def test_the_ladder_ends_at_both_ends() -> None:
    assert Zoom.NUMBER_8.nearer() is Zoom.NUMBER_8
    assert Zoom.NORM.farther() is Zoom.NORM


def test_every_step_out_takes_no_more_columns() -> None:
    assert [zoom.columns for zoom in Zoom] == [8, 6, 4, 2, 1, 1]


def test_digits_and_words_stand_where_there_is_room() -> None:
    assert [zoom.has_numbers for zoom in Zoom] == [True, True, True, False, False, False]
    assert [zoom.has_wide_gutter for zoom in Zoom] == [True, True, True, True, False, False]


def test_every_level_has_a_name_of_its_own() -> None:
    assert len({zoom.label for zoom in Zoom}) == len(Zoom)
