"""The tests. Textual reads these variables when it is imported, which happens after this."""

import os

os.environ["TEXTUAL_ANIMATIONS"] = "none"
for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_FILTERS", "TEXTUAL_COLOR_SYSTEM"):
    os.environ.pop(name, None)
