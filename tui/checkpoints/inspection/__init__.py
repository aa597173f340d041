"""What is amiss in a checkpoint's numbers, and how they are spread."""
