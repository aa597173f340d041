"""Kernels as an equation: those that go in, the signs between them, and the one that comes out."""
