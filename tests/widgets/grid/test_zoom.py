from __future__ import annotations

import pytest

from tui.widgets.grid.zoom import Zoom


@pytest.mark.parametrize("zoom", list(Zoom)[:-1])
def test_a_step_out_and_a_step_in_cancel(zoom: Zoom) -> None:
    assert zoom.farther() is not zoom
    assert zoom.farther().nearer() is zoom


def test_the_ladder_ends_at_both_ends() -> None:
    assert Zoom.NUMBER_16.nearer() is Zoom.NUMBER_16
    assert Zoom.NORM.farther() is Zoom.NORM


def test_every_step_out_takes_no_more_room() -> None:
    assert [zoom.columns for zoom in Zoom] == [16, 12, 10, 8, 6, 5, 4, 2, 1, 1]
    assert [zoom.rows for zoom in Zoom] == [5, 3, 2, 1, 1, 1, 1, 1, 1, 1]


def test_a_number_stands_in_the_middle_of_its_cell() -> None:
    assert [zoom.number_row for zoom in Zoom][:4] == [2, 1, 0, 0]


def test_digits_and_words_stand_where_there_is_room() -> None:
    assert [zoom for zoom in Zoom if not zoom.has_numbers] == [Zoom.PAIR, Zoom.HALF, Zoom.NORM]
    assert [zoom for zoom in Zoom if not zoom.has_wide_gutter] == [Zoom.HALF, Zoom.NORM]


def test_every_level_has_a_name_of_its_own() -> None:
    assert len({zoom.label for zoom in Zoom}) == len(Zoom)
