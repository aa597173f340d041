"""Textual's driver for terminals, made to come back from SIGSTOP as it does from Ctrl+Z."""

from __future__ import annotations

import sys
from contextlib import suppress

from textual.driver import Driver


def stoppable(driver: type[Driver]) -> type[Driver]:
    """The driver to take for this one: another only for Textual's own of Linux and macOS."""
    if sys.platform == "win32":
        return driver
    from textual.drivers.linux_driver import LinuxDriver

    class StoppableDriver(LinuxDriver):
        """A driver that leaves the screen before it enters it again.

        Of a SIGSTOP nobody is told, and at the SIGCONT Textual's own reads keys in two threads from then on,
        takes the raw terminal for what it has to put back at the end, and does not end.
        """

        def _sigcont_application(self, *arguments: object) -> None:
            if self._must_signal_resume or not self._auto_restart:
                super()._sigcont_application(*arguments)
            elif self._writer_thread is not None:  # the app has begun
                # Later, for now the main thread may be writing, and would wait for itself.
                with suppress(RuntimeError):  # the app has ended
                    self._loop.call_soon_threadsafe(self._enter_again)

        def _enter_again(self) -> None:
            self.suspend_application_mode()
            self.resume_application_mode()
            self._app.post_message(self.SignalResume())

    return StoppableDriver if driver is LinuxDriver else driver
