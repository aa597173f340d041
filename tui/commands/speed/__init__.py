"""`repfuse-tui speed`: a block, or those of a file or a module, timed as it is and fused."""
