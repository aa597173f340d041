"""`repfuse-tui compare`: what another tool made of a checkpoint, judged."""
