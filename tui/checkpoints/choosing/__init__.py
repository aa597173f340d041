"""Which checkpoint is wanted: what lies in a folder, and what was asked for."""
