"""From a found block to its fused weight and bias, and how far they may be trusted."""
