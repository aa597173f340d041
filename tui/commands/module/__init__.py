"""What is done with somebody's module: opening it, inspect and fuse; the only code of others that is run."""
