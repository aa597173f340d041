"""A module beside what another tool made of it: stands on modules and on checkpoints, which do not meet."""
