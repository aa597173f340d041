"""A whole model fused: where convolutions are put, what is tried of it, what became of it."""
