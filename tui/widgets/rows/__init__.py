"""Rows of text under a cursor: a list or a tree of any length."""
