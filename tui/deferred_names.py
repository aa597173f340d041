"""Names that a package offers, whose modules, and torch with them, are imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from sys import modules


def deferred_names(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """The `__getattr__` of a package that offers each name of `homes` from the module that it names."""

    def getattribute(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return getattribute


def listed_names(package: str, homes: Mapping[str, str]) -> Callable[[], list[str]]:
    """The `__dir__` of such a package: also what was not used yet, for who completes a name in a prompt."""

    def names() -> list[str]:
        return sorted({*vars(modules[package]), *homes})

    return names
