"""What runs beside the keys: the lane, its threads, and how far a study, a timing or a sweep is."""
