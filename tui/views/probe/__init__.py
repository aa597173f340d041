"""The view of one output element, written out."""
