"""Tests of the equation."""
