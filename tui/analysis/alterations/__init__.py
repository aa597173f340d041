"""What is changed by hand: numbers, and mistakes that are made on purpose."""
