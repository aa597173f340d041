"""A bench in the terminal for structural re-parameterization of convolution blocks."""

__version__ = "0.1.0"
