"""The bench: the form, the views of a study, and what the keys do."""
