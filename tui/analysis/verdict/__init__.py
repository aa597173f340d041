"""Rounding or a bug: the judgement, and what it looked at."""
