"""`repfuse-tui inspect`: the blocks of a checkpoint, and what else it holds."""
