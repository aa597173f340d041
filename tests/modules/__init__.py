"""tui.modules."""
