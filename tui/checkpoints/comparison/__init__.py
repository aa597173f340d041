"""A checkpoint beside what another tool made of it."""
