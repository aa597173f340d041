"""A study as Python code: each layer, each branch, the whole script."""
