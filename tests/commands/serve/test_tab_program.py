"""The program of a tab that hangs, falls or prints: here some lines of Python, spoken to as by a browser."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web
from textual_serve.download_manager import DownloadManager

import tui
from tests.settle import PATIENCE, until
from tui.commands.serve import tab_program
from tui.commands.serve.command import session_command
from tui.commands.serve.server import BenchServer
from tui.commands.serve.tab_program import TabProgram

SAY = """
import os, signal, sys
def say(words):
    data = words.encode()
    os.write(1, b"D" + len(data).to_bytes(4, "big") + data)
os.write(1, b"__GANGLION__\\n")
say(str(os.getpid()) + "\\n")
"""
"""What textual's web driver writes: that it is one, and what is to be shown."""

HANGS = "while True: signal.pause()"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('deaf')\n" + HANGS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")


class Served:
    """A server whose tabs run such lines, and its tabs."""

    def __init__(self, runner: web.AppRunner, session: ClientSession, url: str) -> None:
        self.runner, self._session, self._url = runner, session, url

    async def open(self) -> ClientWebSocketResponse:
        """A tab."""
        return await self._session.ws_connect(f"{self._url}/ws?width=80&height=24")


@pytest.fixture
async def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """Serves the lines that the test is marked with, and has little patience with them."""
    monkeypatch.setattr(tab_program, "PATIENCE", 0.05)
    lines, *arguments = request.param if isinstance(request.param, tuple) else (request.param,)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = (sys.executable, "-c", SAY + lines, *arguments)
        server = BenchServer(command, "127.0.0.1", 0, local=True)
        runner = web.AppRunner(await server._make_app())
        await runner.setup()
        await web.SockSite(runner, listening).start()
        async with ClientSession() as session:
            yield Served(runner, session, f"http://127.0.0.1:{listening.getsockname()[1]}")
        await runner.cleanup()


def serving(lines: str, *arguments: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("served", [(lines, *arguments)], indirect=True, ids=[""])


async def number_of(tab: ClientWebSocketResponse) -> int:
    """The process that runs in a tab."""
    return int(await tab.receive_bytes(timeout=PATIENCE))


def is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


@serving(HANGS)
async def test_a_program_that_hangs_ends_with_its_tab(served: Served) -> None:
    tab = await served.open()
    number = await number_of(tab)
    assert is_running(number)
    await tab.close()
    await until(lambda: not is_running(number), "the end of the program")


@serving(DEAF)
async def test_the_programs_of_all_tabs_end_with_the_server(served: Served) -> None:
    tabs = [await served.open() for _ in range(2)]
    numbers = [await number_of(tab) for tab in tabs]
    for tab in tabs:
        assert await tab.receive_bytes(timeout=PATIENCE) == b"deaf"
    assert all(map(is_running, numbers))
    gone = asyncio.gather(*(tab.receive() for tab in tabs))
    await served.runner.cleanup()
    assert [message.type for message in await gone] == [WSMsgType.CLOSE] * 2
    assert not any(map(is_running, numbers))


ANSWERS_THE_PAGE = """
import json
while True:
    length = int.from_bytes(sys.stdin.buffer.read(5)[1:], "big")
    if json.loads(sys.stdin.buffer.read(length)) == {"type": "quit"}:
        sys.exit(say("asked"))
"""
ANSWERS_A_SIGNAL = """
signal.signal(signal.SIGTERM, lambda *_: sys.exit(say("told")))
while True: signal.pause()
"""


@pytest.mark.parametrize(
    ("lines", "answer"), [(ANSWERS_THE_PAGE, b"asked"), (ANSWERS_A_SIGNAL, b"told")], ids=["asked", "told"]
)
async def test_a_program_is_asked_to_end_and_then_told_before_it_is_killed(
    lines: str, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tab_program, "PATIENCE", PATIENCE if answer == b"asked" else 0.5)
    shown: list[bytes] = []
    program = program_of(lines, shown)
    await program.start(80, 24)
    await until(lambda: shown, "its first words")
    await program.stop()
    assert shown[1:] == [answer]


@pytest.mark.parametrize("status", [0, 2], ids=["left", "refused"])
async def test_a_program_that_said_why_it_ended_is_not_told_of_again(status: int) -> None:
    shown: list[bytes] = []
    program = program_of(f"say('why')\nsys.exit({status})", shown)
    await program.start(80, 24)
    assert program._task is not None
    await program._task
    assert shown[1:] == [b"why"]


def program_of(lines: str, shown: list[bytes]) -> TabProgram:
    """Such lines as the program of a tab without a page, which only keeps what it would show."""

    async def show(data: bytes) -> None:
        shown.append(data)

    async def do_nothing(*_: object) -> None: ...

    return TabProgram(
        (sys.executable, "-c", SAY + lines),
        write_bytes=show,
        write_str=do_nothing,
        close=do_nothing,
        download_manager=DownloadManager(),
    )


@pytest.mark.parametrize(
    ("served", "told"),
    [
        ("sys.exit(3)", "ended by itself, with status 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "ended by itself, by SIGKILL"),
    ],
    indirect=["served"],
    ids=["status", "signal"],
)
async def test_a_tab_is_told_that_its_program_fell(served: Served, told: str) -> None:
    tab = await served.open()
    await number_of(tab)
    assert told in (await tab.receive_bytes(timeout=PATIENCE)).decode()
    assert not tab.closed, "its page would hide the words"


GIVEN = "a b'\"; touch pwned; $(touch pwned) `touch pwned` & touch pwned\n%PATH%"


@serving("say(sys.argv[1])\n" + HANGS, GIVEN)
async def test_no_shell_reads_what_the_program_is_given(served: Served) -> None:
    tab = await served.open()
    await number_of(tab)
    assert (await tab.receive_bytes(timeout=PATIENCE)).decode() == GIVEN


IN_A_TAB = {**os.environ, "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}

CHATTERS = """
import os, sys
from tui.on_terminal import keep_streams_for_the_page
keep_streams_for_the_page()
print("a module prints", flush=True)
os.write(1, b"its extension prints")
os.system("echo its command prints")
assert sys.stdin.read() == ""
sys.__stdout__.write(sys.__stdin__.read())
sys.__stdout__.flush()
"""


def test_nothing_but_the_screen_reaches_the_page() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHATTERS],
        input="keys",
        cwd=Path(tui.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "keys"
    assert "module prints" in done.stderr
    assert "command prints" in done.stderr


def test_what_is_refused_is_told_in_the_tab() -> None:
    command = session_command(("--preset", "repvg"))
    done = subprocess.run(command, env=IN_A_TAB, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stdout.startswith(b"__GANGLION__\nD")
    assert b"did you mean repvgg?" in done.stdout
    assert done.stderr.count(b"\n") == 1
