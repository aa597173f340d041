"""What fusing buys: the clock beside what arithmetic says, and the roofline with both sides on it."""
