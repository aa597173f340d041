"""The server of `serve`: textual-serve's, closed to pages of other sites."""

from __future__ import annotations

import asyncio
import copy
import socket
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote, urlsplit

from aiohttp import WSCloseCode, web
from textual_serve.server import Server, to_int

from tui.command_line.program import PROGRAM
from tui.commands.serve.tab_program import PATIENCE, TabProgram

_LOCAL = ("localhost", "127.0.0.1", "::1")

_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
)
"""textual-serve's page asks another site for a font that it has itself: that would tell of every visit."""

_KEYS_AT_ONCE = """<script>
  new MutationObserver((_, watch) => {
    if (document.body.classList.contains("-first-byte")) {
      watch.disconnect();
      document.querySelector(".xterm-helper-textarea").focus();
    }
  }).observe(document.body, { attributeFilter: ["class"] });
</script>
</body>"""
"""textual-serve's page takes no key before its terminal was clicked."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BenchServer(Server):
    """Serves a program for each visitor, to pages of its own alone.

    A browser lets any page open a WebSocket to any address, this machine's too: without a look at where it
    comes from, every site that its user visits could drive the program. `local`: only names of this machine
    are answered too, since any other name may be pointed here by its owner.
    """

    def __init__(self, command: Sequence[str], host: str, port: int, *, local: bool) -> None:
        super().__init__(command[0], host, port, title=PROGRAM)
        self._session_command, self._local, self._words = command, local, ""
        self._tabs: set[web.WebSocketResponse] = set()

    def serve_on(self, listening: socket.socket, words: str) -> None:
        """Serve there until SIGINT or SIGTERM; `words` are printed as soon as it answers."""
        self._words = words
        web.run_app(
            self._make_app(),
            sock=listening,
            shutdown_timeout=4 * PATIENCE,  # in which each program is asked, told, and ended
            access_log=None,
            print=None,
        )

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._refuse_others)
        app.on_response_prepare.extend((_add_policy, _quote_name))
        app.on_shutdown.append(self._close_tabs)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say where it is."""
        print(self._words, flush=True)

    async def handle_index(self, request: web.Request) -> web.Response:
        """The page, which asks for all else where it was found itself, perhaps through a tunnel."""
        there = copy.copy(self)
        there.public_url = f"{request.scheme}://{request.host}"
        page: web.Response = await Server.handle_index(there, request)  # type: ignore[assignment]
        page.text = (page.text or "").replace("</body>", _KEYS_AT_ONCE)
        return page

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A tab: its program begins and ends with it."""
        websocket = web.WebSocketResponse(heartbeat=15)
        await websocket.prepare(request)
        program = TabProgram(
            self._session_command,
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=websocket.close,
            download_manager=self.download_manager,
        )
        self._tabs.add(websocket)
        try:
            await program.start(
                to_int(request.query.get("width", "80"), 80), to_int(request.query.get("height", "24"), 24)
            )
            await self._process_messages(websocket, program)
        finally:
            self._tabs.discard(websocket)
            await program.stop()
        return websocket

    async def _close_tabs(self, app: web.Application) -> None:
        """Let all go at once, so that their programs end beside each other."""
        going = [websocket.close(code=WSCloseCode.GOING_AWAY) for websocket in self._tabs]
        await asyncio.gather(*going, return_exceptions=True)

    @web.middleware
    async def _refuse_others(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        asked, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        if self._local and urlsplit(f"//{asked}").hostname not in _LOCAL:
            raise web.HTTPForbidden(text=f"{PROGRAM} answers at localhost alone; --host opens it\n")
        if origin is not None and urlsplit(origin).netloc.lower() != asked.lower():
            raise web.HTTPForbidden(text=f"{PROGRAM} answers no pages of other sites\n")
        return await handler(request)


async def _add_policy(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"


async def _quote_name(request: web.Request, response: web.StreamResponse) -> None:
    """Name a download as RFC 6266 asks: textual-serve does so unquoted, and a `;` or a line end ends it."""
    how, names, name = response.headers.get("Content-Disposition", "").partition("; filename=")
    if names:
        response.headers["Content-Disposition"] = f"{how}; filename*=UTF-8''{quote(name, safe='')}"
