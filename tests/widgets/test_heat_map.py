from __future__ import annotations

from textual import on
from textual.app import App, ComposeResult

from tui.widgets.heat_map import HeatCell, HeatMap, HeatTable

TABLE = HeatTable(
    ("a", "bb"),
    ("1", "2", "3"),
    (
        (HeatCell("0.50", -1.0), HeatCell("1.00", 0.0), HeatCell("2.00", 1.0)),
        (HeatCell("skip"), HeatCell("4.00", 2.0), HeatCell("·")),
    ),
)


class MapApp(App[None]):
    def __init__(self, table: HeatTable = TABLE) -> None:
        super().__init__()
        self.shown = table
        self.heard: list[object] = []

    def compose(self) -> ComposeResult:
        yield HeatMap()

    def on_mount(self) -> None:
        heat = self.query_one(HeatMap)
        heat.table = self.shown
        heat.focus()

    @on(HeatMap.Moved)
    def _moved(self, event: HeatMap.Moved) -> None:
        self.heard.append(event.place)
        self.query_one(HeatMap).cursor = event.place

    @on(HeatMap.Chosen)
    def _chosen(self) -> None:
        self.heard.append("chosen")


def lines(heat: HeatMap) -> list[str]:
    return [heat.render_line(y).text.rstrip() for y in range(heat.size.height)]


async def test_every_number_is_written_in_its_cell() -> None:
    async with MapApp().run_test(size=(60, 9)) as pilot:
        await pilot.pause()
        heat = pilot.app.query_one(HeatMap)
        text = "\n".join(lines(heat))
        for word in ("0.50", "1.00", "2.00", "4.00", "skip", "·", "bb"):
            assert word in text
        below, neutral, above = (heat.render_line(2)._segments[1 + place].style for place in range(3))
        assert below is not None
        assert neutral is not None
        assert above is not None
        assert len({below.bgcolor, neutral.bgcolor, above.bgcolor}) == 3


async def test_keys_ask_for_the_cursor_and_stay_in_the_map() -> None:
    app = MapApp()
    async with app.run_test(size=(60, 9)) as pilot:
        await pilot.press("left", "right", "down", "down", "end", "right", "home", "enter")
    assert app.heard == [(0, 1), (1, 1), (1, 2), (0, 0), "chosen"]


async def test_a_click_goes_to_a_cell_and_a_second_one_chooses_it() -> None:
    app = MapApp()
    async with app.run_test(size=(60, 9)) as pilot:
        await pilot.pause()
        await pilot.click(HeatMap, offset=(4 + 18 + 9, 6), times=2)
        assert app.heard == [(1, 1), "chosen"]
        await pilot.click(HeatMap, offset=(1, 0))
        await pilot.click(HeatMap, offset=(59, 8))
    assert app.heard == [(1, 1), "chosen"]


async def test_what_does_not_fit_is_scrolled_to() -> None:
    wide = HeatTable(
        ("a",) * 40,
        tuple(str(column) for column in range(40)),
        tuple(tuple(HeatCell(f"{row}/{column}", 0.5) for column in range(40)) for row in range(40)),
    )
    app = MapApp(wide)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("end")
        await pilot.pause()
        heat = pilot.app.query_one(HeatMap)
        assert any("39/39" in line for line in lines(heat))
        assert all(len(line) <= 40 for line in lines(heat))
        await pilot.press("home")
        await pilot.pause()
        assert any("0/0" in line for line in lines(heat))


async def test_an_empty_table_is_nothing() -> None:
    app = MapApp(HeatTable())
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.press("end", "right", "down")
        await pilot.pause()
    assert app.heard == []
