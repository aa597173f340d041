"""The view of the well-known mistakes."""
