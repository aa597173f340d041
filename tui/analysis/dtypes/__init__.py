"""The same block in all four dtypes."""
