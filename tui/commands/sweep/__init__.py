"""`repfuse-tui sweep`: a block timed over a range of a parameter, as a table, JSON or CSV."""
