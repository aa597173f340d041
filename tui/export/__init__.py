"""A study to take away: as a PyTorch script, as CSV, .npz or JSON, and written so that no file is lost."""
