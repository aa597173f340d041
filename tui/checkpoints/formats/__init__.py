"""The formats of checkpoint files: safetensors, in one file or in shards, and what torch.save writes."""
