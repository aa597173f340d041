"""Which well-known mistake a difference looks like."""
