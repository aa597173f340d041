"""Textual's driver for terminals, made to come back from SIGSTOP as it does from Ctrl+Z."""

from __future__ import annotations

import sys

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
            if self._writer_thread is None:  # the app has not begun
                return
            if self._auto_restart and not self._must_signal_resume:
                self.suspend_application_mode()
            super()._sigcont_application(*arguments)

    return StoppableDriver if driver is LinuxDriver else driver
