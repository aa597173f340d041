"""Blocks out of an nn.Module or a whole model: what it computes, which parts fuse, and the fused ones."""
