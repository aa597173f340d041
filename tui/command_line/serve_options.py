"""The command line of `serve`: where the page is, and what the program of each tab starts with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.command_line.option_parser import HelpInColumns, OptionParser, OptionsError
from tui.command_line.program import PROGRAM
from tui.fusion.quoting import quoted

SERVE = "serve"
SERVE_SUMMARY = "show the bench in a browser"
HOST = "127.0.0.1"
PORT = 8000
LARGEST_PORT = 65_535

_DESCRIPTION = """\
Show in a browser what the terminal would show. Every tab that opens the page
starts a program of its own, with the options, the file or the module that stand
here. What is copied goes to the browser's clipboard, and what is exported comes
as a download. Files that are opened and fused are those of this machine."""

_EPILOG = """\
who can reach it:
  Whoever can reach the port runs this program as you: they read and write your
  files with it, and a module that is named here runs its code again for each of
  them. There is no password. Without --host only this machine reaches it, and
  so every user of this machine. Pages of other sites are refused. To reach it
  from elsewhere, take a tunnel: ssh -L {port}:{host}:{port} MACHINE
  --host 0.0.0.0 opens it to the whole network.

It needs textual-serve: pip install "repfuse-tui[web]"

examples:
  {program} serve
  {program} serve --port 8080 --preset repvgg
  {program} serve model.safetensors
  {program} serve blocks.py:Block --with "channels=64"

exit status:
  0  Ctrl+C ended it
  2  the options make no block, or nothing can be served there
"""


@dataclass(frozen=True, slots=True)
class ServeRequest:
    """Serve the program to browsers.

    Attributes:
        host: the address to bind to.
        port: of it; 0 for any that is free.
        arguments: what each visitor's program is started with; they make a request that opens a screen.
    """

    host: str
    port: int
    arguments: tuple[str, ...]


def parse_serve(arguments: Sequence[str]) -> ServeRequest | str:
    """The request, whose own arguments nobody has looked at yet, or the help where that is asked for.

    Raises:
        OptionsError: the port or the host cannot be.
    """
    parser = serve_parser()
    options, rest = parser.known(arguments)
    if options.help:
        return parser.format_help()
    host = HOST if options.host is None else options.host.strip()
    if not host:
        raise OptionsError(f"--host: must be a name or an address, as {HOST}, not {quoted(options.host)}")
    return ServeRequest(host, PORT if options.port is None else _port(options.port), tuple(rest))


def serve_parser() -> OptionParser:
    """The parser of `serve` alone; what it does not know is for the program that is served."""
    parser = OptionParser(
        prog=f"{PROGRAM} {SERVE}",
        usage=f"{PROGRAM} {SERVE} [--port N] [--host H] [FILE | MODULE] [options of {PROGRAM}]",
        description=_DESCRIPTION,
        epilog=_EPILOG.format(program=PROGRAM, host=HOST, port=PORT),
        formatter_class=HelpInColumns,
        allow_abbrev=False,
        exit_on_error=False,
        add_help=False,
    )
    parser.add_argument("--port", metavar="N", help=f"0 for any that is free [{PORT}]")
    parser.add_argument("--host", metavar="H", help=f"the address that it is bound to [{HOST}]")
    parser.add_argument("-h", "--help", action="store_true", help="show this and exit")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= LARGEST_PORT):
        raise OptionsError(f"--port: must be a whole number from 0 to {LARGEST_PORT}, not {quoted(text)}")
    return int(text)
