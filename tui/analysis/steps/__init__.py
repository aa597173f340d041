"""The way from the branches to one kernel, step by step, each checked."""
