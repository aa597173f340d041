"""The screen of the speed of all blocks."""
