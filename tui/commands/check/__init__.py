"""`repfuse-tui check`: the study of a block without a screen, as a table or as JSON."""
