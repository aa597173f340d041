"""Checkpoint files: what they hold, the blocks in them, and their fused likenesses written anew."""
