"""Reusable widgets that know no screen: they take attributes and post messages."""
