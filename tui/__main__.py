"""`python -m tui`: the same as the command `repfuse-tui`."""

from tui.cli import run

if __name__ == "__main__":
    run()
