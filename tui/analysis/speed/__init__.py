"""What fusing buys: both sides timed in interleaved pairs, beside what arithmetic says."""
