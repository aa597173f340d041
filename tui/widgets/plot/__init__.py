"""Plots with axes and units, by textual-plot; they import numpy, and nothing before the first paint may."""
