"""What the calls of a run do where they are linear, and the layers that they become."""
