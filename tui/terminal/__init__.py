"""The terminal that the program runs in: what it can show, how it is driven, how it is given back."""
