"""`python -m tui` and the command `repfuse-tui`."""

import signal


def run() -> None:
    """The process, in which Ctrl+C ends what can be ended at once: loading this program, and `check`."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tui.collecting import put_off_collecting
    from tui.idle_threads import let_idle_threads_sleep

    put_off_collecting()
    let_idle_threads_sleep()
    from tui.cli import run as run_command  # not before: a tenth of a second in which Ctrl+C can come

    run_command()


if __name__ == "__main__":
    run()
