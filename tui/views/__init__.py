"""One pane for each question about a Study."""
