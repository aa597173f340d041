"""Every block of a checkpoint fused and judged, and the file that is written of them."""
