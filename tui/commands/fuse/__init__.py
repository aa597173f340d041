"""`repfuse-tui fuse`: every block of a checkpoint fused, into another file."""
