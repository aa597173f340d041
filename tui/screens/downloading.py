"""A file that goes to the browser in which the program is shown, as a download."""

from __future__ import annotations

from io import BytesIO

from textual.app import App

from tui.fusion.quoting import printable


def download(app: App[object], name: str, data: bytes) -> str:
    """Hand it to the browser; returns what to tell the user, for whom nothing is written on this machine."""
    app.deliver_binary(BytesIO(data), save_filename=name)
    return (
        f"{printable(name)} goes to your browser. If no download comes, it has blocked a window: "
        "allow windows of this page."
    )
