"""Blocks beside what another tool made of them: what every tree of blocks can do with that."""
