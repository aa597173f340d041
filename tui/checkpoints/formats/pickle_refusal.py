"""Why torch's safe reader refused a pickle, in words: found by reading the pickle, never by running it."""

from __future__ import annotations

import pickletools
import re
import struct
from typing import IO

from tui.fusion.quoting import printable, quoted

_NAMED = re.compile(r"GLOBAL ([^\s,]+)")
_PROTOCOL = re.compile(r"Unsupported operand \d+")
_MODULES = "torch.nn.modules."
_DAMAGED = "is cut short or damaged: get the file anew"
_DAMAGE = (
    EOFError,
    struct.error,
    UnicodeError,
    IndexError,
    KeyError,
    AttributeError,
    TypeError,
    AssertionError,
)
"""What torch's reader stumbles over in a damaged pickle; its words are about its own code."""
_DAMAGE_SAID = (
    "PytorchStreamReader failed",
    "inline_container.cc",
    "unexpected EOF",
    "storage has wrong byte size",
)
_UNKNOWN = "is damaged, or nothing that torch's safe reader knows"
_MOST = 120
_CAUSE = "WeightsUnpickler error:"
_SAVE_ANEW = (
    "If you trust it, load it in the program that made it and save the tensors alone: "
    "torch.save(model.state_dict(), ...)"
)


def why_refused(error: Exception, names: list[str]) -> str:
    """What follows the file's name in the message.

    Args:
        error: what torch.load(..., weights_only=True) raised.
        names: what the pickle names, by `names_in`.
    """
    said = str(error)
    named = _NAMED.search(said)
    if named:
        name = quoted(named[1])
        if any(each.startswith(_MODULES) for each in names):
            return f"holds a whole pickled model, which runs code as it is loaded ({name}). {_SAVE_ANEW}"
        return f"wants to run code as it is loaded ({name}), which is never done. {_SAVE_ANEW}"
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    if _PROTOCOL.search(said):
        return f"{_UNKNOWN} (torch.save writes pickle protocol 2)"
    lines = [line.strip() for line in said.rpartition(_CAUSE)[2].splitlines() if line.strip()]
    if isinstance(error, _DAMAGE) or not lines or any(words in said for words in _DAMAGE_SAID):
        return _DAMAGED
    return f"{_UNKNOWN}: {printable(lines[0])[:_MOST]}"


def names_in(stream: IO[bytes], pickles: int) -> list[str]:
    """The classes and functions that so many pickles, one after another, name; as far as readable."""
    names: list[str] = []
    try:
        for _ in range(pickles):
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name == "GLOBAL":
                    names.append(str(argument).replace(" ", "."))
    except Exception:  # damage: what was found so far is told
        return names
    return names
