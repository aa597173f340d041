"""`serve` without a browser: what it takes, what it refuses, and whom it answers."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from tui.cli import main
from tui.command_line.option_parser import OptionsError
from tui.command_line.options import parse
from tui.command_line.serve_options import HOST, PORT, ServeRequest
from tui.commands.serve.command import ServingError, bound, is_local, session_command, url_of
from tui.commands.serve.server import BenchServer


def test_its_own_options_are_taken_and_all_others_go_to_the_program() -> None:
    given = ["--preset", "repvgg", "--port", "81", "--seed", "7", "--host", "0.0.0.0"]
    assert parse(["serve", *given]).serve == ServeRequest(
        "0.0.0.0", 81, ("--preset", "repvgg", "--seed", "7")
    )
    assert parse(["serve"]).serve == ServeRequest(HOST, PORT, ())
    assert parse(["serve", "model.pt", "--eps", "1e-3"]).serve == ServeRequest(
        HOST, PORT, ("model.pt", "--eps", "1e-3")
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--port", "x"], "--port: must be a whole number from 0 to 65535, not 'x'"),
        (["--port", "65536"], "--port: must be"),
        (["--port", "-1"], "--port: must be"),
        (["--port"], "--port: expected one argument"),
        (["--host", " "], "--host: must be a name or an address"),
        (["--preset", "repvg"], "did you mean repvgg?"),
        (["--prot", "8000"], "--prot: there is no such option"),
        (["check"], "only a screen can be served, and check shows none"),
        (["inspect", "model.pt"], "only a screen can be served"),
        (["--version"], "only a screen can be served"),
        (["serve"], "only a screen can be served"),
    ],
)
def test_what_cannot_be_served_is_refused_before_it_is(given: list[str], words: str) -> None:
    with pytest.raises(OptionsError) as refused:
        parse(["serve", *given])
    assert words in str(refused.value)


def test_a_port_that_is_taken_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with bound(HOST, 0) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"repfuse-tui: --port: {HOST} port {port} cannot be had: ")
    assert said.err.count("\n") == 1


def test_a_host_that_is_not_here_is_told_by_its_option() -> None:
    with pytest.raises(ServingError, match=r"--host: 192\.0\.2\.1 port"):  # of no machine, RFC 5737
        bound("192.0.2.1", 0)


def test_what_is_missing_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "tui.commands.serve.server")
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    assert main(["serve", "--port", "0"]) == 2
    said = capsys.readouterr().err
    assert 'pip install "repfuse-tui[web]"' in said
    assert said.count("\n") == 1


def test_each_tab_runs_this_package_whatever_lies_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "tui").mkdir()
    (tmp_path / "tui" / "__init__.py").write_text("raise RuntimeError('the other one is run')\n")
    command = session_command(("--preset", "a b"))
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("repfuse-tui: --preset: must be one of ")


@pytest.mark.parametrize(
    ("host", "local", "url"),
    [
        ("127.0.0.1", True, "http://127.0.0.1:80"),
        ("::1", True, "http://[::1]:80"),
        ("LocalHost", True, "http://LocalHost:80"),
        ("0.0.0.0", False, "http://0.0.0.0:80"),
        ("192.168.0.7", False, "http://192.168.0.7:80"),
        ("gpu-box", False, "http://gpu-box:80"),
    ],
)
def test_whether_only_this_machine_reaches_it(host: str, local: bool, url: str) -> None:
    assert is_local(host) is local
    assert url_of(host, 80) == url


@pytest.fixture(params=[True, False], ids=["local", "open"])
async def served(request: pytest.FixtureRequest) -> AsyncIterator[tuple[BenchServer, str]]:
    """A server that starts no program, and where it is."""
    with socket.create_server((HOST, 0)) as listening:
        port = listening.getsockname()[1]
        server = BenchServer(("false",), HOST, port, local=request.param)
        runner = web.AppRunner(await server._make_app())
        await runner.setup()
        await web.SockSite(runner, listening).start()
        yield server, f"127.0.0.1:{port}"
        await runner.cleanup()


async def test_a_page_of_another_site_is_not_answered(served: tuple[BenchServer, str]) -> None:
    server, here = served
    origins = {
        f"http://{here}": 101,
        "http://evil.example": 403,
        "null": 403,
        f"http://{here}.evil.example": 403,
    }
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    async with ClientSession() as session:
        for origin, status in origins.items():
            async with session.get(f"http://{here}/ws", headers={**upgrade, "Origin": origin}) as answer:
                assert answer.status == status, origin
        # A name that its owner points to this machine, as its own page's origin.
        headers = {"Host": "evil.example", "Origin": "http://evil.example"}
        async with session.get(f"http://{here}/", headers=headers) as answer:
            assert answer.status == (403 if server._local else 200)


async def test_the_page_asks_for_all_else_where_it_was_found(served: tuple[BenchServer, str]) -> None:
    _, here = served
    async with (
        ClientSession() as session,
        session.get(f"http://{here}/", headers={"Host": "localhost:9000"}) as answer,
    ):
        page = await answer.text()
    assert 'data-session-websocket-url="ws://localhost:9000/ws"' in page
    assert "http://localhost:9000/static/js/textual.js" in page
    assert "style-src 'self' 'unsafe-inline';" in answer.headers["Content-Security-Policy"]


async def test_the_page_gives_the_keys_to_its_terminal(served: tuple[BenchServer, str]) -> None:
    _, here = served
    async with ClientSession() as session:
        async with session.get(f"http://{here}/") as answer:
            page = await answer.text()
        async with session.get(f"http://{here}/static/js/textual.js") as answer:
            script = await answer.text()
    assert page.count("</body>") == page.count("</script>\n</body>") == 1
    for name in ("-first-byte", "xterm-helper-textarea"):  # of textual-serve's own, which ours goes by
        assert name in page
        assert name in script


class NoProgram:
    """Of a tab whose program is gone: nothing comes of its download but the name."""

    async def send_meta(self, asked: object) -> bool:
        return False


@pytest.mark.parametrize("name", ["kxk.npz", "a; b=c.npz", '"a" \\ %41.npz', "naïve 图.npz", "a\r\nX: y.npz"])
async def test_a_download_has_the_name_that_it_was_given(served: tuple[BenchServer, str], name: str) -> None:
    server, here = served
    await server.download_manager.create_download(
        app_service=NoProgram(),  # type: ignore[arg-type]
        delivery_key="key",
        file_name=name,
        open_method="download",
        mime_type="application/octet-stream",
    )
    async with ClientSession() as session, session.get(f"http://{here}/download/key") as answer:
        assert answer.status == 200
        assert answer.content_disposition is not None
        assert (answer.content_disposition.type, answer.content_disposition.filename) == ("attachment", name)
