"""What the command is called."""

PROGRAM = "repfuse-tui"
