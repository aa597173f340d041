"""The program of one tab: textual-serve's, but it ends with its tab, and never without a word to it."""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from textual_serve.app_service import AppService

from tui.command_line.program import PROGRAM

PATIENCE = 1.0
"""Seconds in which a program that was asked to end has to; quitting takes half of one."""

SAID_IT = (0, 2)
"""Exit statuses of a program that told its tab why it ended: it was left, or it refused what it was given."""


class TabProgram(AppService):
    """Runs the program for one tab.

    It may hang or fall where somebody's own module is served. `words`: the program and its arguments, which
    no shell reads.
    """

    def __init__(self, words: Sequence[str], **connections: Any) -> None:
        super().__init__(words[0], **connections)
        self._words = words
        self._is_asked_to_end = False

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        environment = self._build_environment(width=width, height=height)
        process = await create_subprocess_exec(*self._words, stdin=PIPE, stdout=PIPE, env=environment)
        # It tells its stderr to the server's own: textual-serve would gather it in memory until the end.
        process.stderr = asyncio.StreamReader()
        process.stderr.feed_eof()
        self._process, self._stdin = process, process.stdin
        return process

    async def run(self) -> None:
        """Hand on what it shows until it ends; if it fell, say so in the tab.

        That is not closed: textual-serve's page would lay its "Session ended" over the words.
        """
        await super().run()
        if self._process is None or self._is_asked_to_end:
            return
        status = await self._process.wait()
        if status not in SAID_IT:
            with suppress(ConnectionError):
                await self.remote_write_bytes(_last_words(status).encode())

    async def stop(self) -> None:
        """End it: it is asked to, then told to, and then it is ended, however busy it is."""
        process, task = self._process, self._task
        if process is None or task is None:
            return
        self._is_asked_to_end, self._task = True, None
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self.send_meta({"type": "quit"})
                    await process.wait()
            if process.returncode is None:
                process.terminate()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        await process.wait()
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            task.cancel()
            await task


def _last_words(status: int) -> str:
    how = f"with status {status}"
    if status < 0:
        with suppress(ValueError):
            how = f"by {signal.Signals(-status).name}"
    told = f"{PROGRAM} ended by itself, {how}; where it is served may be told why; reload to start again"
    return f"\x1b[?1049l\x1b[2J\x1b[H{told}\r\n"
