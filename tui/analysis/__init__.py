"""What the numbers of a block mean: its study, its cost."""
