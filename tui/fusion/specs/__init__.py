"""What a layer, a branch and a block are, in numbers: known before torch is imported."""
