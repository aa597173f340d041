"""What a study holds about single channels and elements of the outputs."""
