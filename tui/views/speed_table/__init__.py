"""The speed of all blocks of a file or of a module: what is shown of it."""
