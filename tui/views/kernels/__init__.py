"""The view of the kernels."""
