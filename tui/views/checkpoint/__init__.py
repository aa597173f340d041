"""Views of a checkpoint: what it holds, one of its blocks, what became of them."""
