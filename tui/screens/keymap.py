"""The user's own keys: which of them can be taken, and what is wrong with the others."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping

from textual.keys import Keys

from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.quoting import quoted
from tui.widgets.help_line import HelpLine

_MODIFIERS = {"ctrl", "shift", "alt", "super", "hyper", "meta"}
_NAMED = {key.value for key in Keys}


def checked_keymap(
    keymap: Mapping[str, str], known: Collection[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The entries, id of a binding by keys apart by commas, that can be taken; a message for each other."""
    taken: dict[str, str] = {}
    faults: list[str] = []
    for name, keys in keymap.items():
        wrong = [key for key in keys.split(",") if not is_key(key.strip())]
        if name not in known:
            near = did_you_mean(name, sorted(known))
            faults.append(f"{quoted(name)} is ignored: there is no such binding{near}")
        elif wrong:
            faults.append(f"{quoted(name)} is ignored: {quoted(wrong[0])} is not a key, as f5 or ctrl+r is")
        else:
            taken[name] = ",".join(key.strip() for key in keys.split(","))
    return taken, tuple(faults)


def is_key(text: str) -> bool:
    """Whether that is a key as Textual names it: "r", "R", "ctrl+r", "f5", "question_mark"."""
    *modifiers, key = text.split("+") if text != "+" else [text]
    if not set(modifiers) <= _MODIFIERS:
        return False
    return len(key) == 1 or text in _NAMED or key in _NAMED or _is_named_character(key)


def _is_named_character(name: str) -> bool:
    try:
        unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return False
    return bool(name)


def with_own_keys(lines: Iterable[HelpLine], keymap: Mapping[str, str]) -> tuple[HelpLine, ...]:
    """The lines of the help, which also tell the keys that the user has put in the places of those."""
    return tuple(_with_own(line, keymap) for line in lines)


def _with_own(line: HelpLine, keymap: Mapping[str, str]) -> HelpLine:
    own = [f"{keymap[name]} for {name}" for name in line.bindings if name in keymap]
    return line._replace(words=f"{line.words} (your keys: {'; '.join(own)})") if own else line
