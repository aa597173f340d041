"""The screens, which compose views and handle their messages."""
