"""`serve`: the program in a browser."""
