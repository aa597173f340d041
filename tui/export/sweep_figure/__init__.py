"""A sweep as a figure of its own, an SVG that needs no terminal: a plot of one axis, a map of two."""
