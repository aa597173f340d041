"""The screen of a checkpoint."""
