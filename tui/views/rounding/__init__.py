"""The view of what rounding does in each dtype."""
