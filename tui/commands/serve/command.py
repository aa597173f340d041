"""`serve` before anything is served: whether it is installed, whether the port can be had, the words."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import tui
from tui.command_line.program import PROGRAM
from tui.command_line.serve_options import ServeRequest
from tui.fusion.quoting import printable, quoted
from tui.fusion.refusal import Refusal


class ServingError(Refusal, RuntimeError):
    """Nothing can be served; the message says why, for the user."""


def serve(asked: ServeRequest) -> int:
    """Serve until Ctrl+C; returns the exit status.

    Raises:
        ServingError: textual-serve is not installed, or the address cannot be bound.
    """
    try:
        from tui.commands.serve.server import BenchServer  # an extra: who has no use for it does without
    except ModuleNotFoundError as error:
        raise ServingError(
            f'the browser needs textual-serve ({error.name} is missing): pip install "{PROGRAM}[web]"'
        ) from None
    with bound(asked.host, asked.port) as listening:
        port = listening.getsockname()[1]
        local = is_local(asked.host)
        if not local:
            print(
                f"{PROGRAM}: whoever can reach {asked.host} port {port} runs this program as you, "
                "without a password",
                file=sys.stderr,
            )
        server = BenchServer(session_command(asked.arguments), asked.host, port, local=local)
        server.serve_on(listening, f"{PROGRAM} is at {url_of(asked.host, port)}; Ctrl+C ends it")
    return 0


def session_command(arguments: Sequence[str]) -> tuple[str, ...]:
    """What is run for each visitor: this package, whatever lies in the current folder."""
    return (sys.executable, "-P", str(Path(tui.__file__).resolve().with_name("launcher.py")), *arguments)


def bound(host: str, port: int) -> socket.socket:
    """A socket that is bound there.

    Raises:
        ServingError: it cannot be; the message names the option.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise ServingError(f"--host: {quoted(host)} is no address of this machine") from None
    made = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # where it would let two servers share a port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)  # so that a port that is taken is told here
    except OSError as error:
        made.close()
        option = "--host" if error.errno == errno.EADDRNOTAVAIL else "--port"
        why = (error.strerror or str(error)).lower()
        raise ServingError(f"{option}: {printable(host)} port {port} cannot be had: {why}") from None
    return made


def is_local(host: str) -> bool:
    """Whether only this machine reaches that address."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host.lower() == "localhost"


def url_of(host: str, port: int) -> str:
    """Where a browser of this machine finds it."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
