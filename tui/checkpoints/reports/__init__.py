"""What was found in checkpoints, fused and compared, as data for JSON; a schema number tells its keys."""

from __future__ import annotations

SCHEMA = 1
"""It grows with each change that takes a key away or gives one another meaning."""
