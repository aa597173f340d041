"""The grid for 4-D weights and maps."""
