"""From the names and shapes in a checkpoint to its blocks, in steps; `recognise` puts them together."""
