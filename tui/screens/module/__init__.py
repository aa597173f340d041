"""The screen of a module, and what belongs to it alone."""
