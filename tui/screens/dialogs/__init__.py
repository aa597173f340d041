"""The dialogs that open over the bench."""
