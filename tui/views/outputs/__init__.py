"""The view of the input, the outputs and their difference."""
