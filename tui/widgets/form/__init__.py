"""The form in which a block is chosen."""
