"""Workers say what they are: textual would build the repr of all that they are given, tensors too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import tui

ROOT = Path(tui.__file__).parent
SHORT = {"str", "int", "bool", "float", "Path", "None", "tuple", "EditablePlace"}
"""Types whose repr costs nothing; so it is with events of our own."""


def workers() -> Iterator[tuple[str, ast.AsyncFunctionDef, ast.expr]]:
    """Where each is, its function, and the decorator that makes it one."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.AsyncFunctionDef):
                continue
            for made in node.decorator_list:
                called = made.func if isinstance(made, ast.Call) else made
                if isinstance(called, ast.Name) and called.id == "work":
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node, made


def is_given_something_long(function: ast.AsyncFunctionDef) -> bool:
    """Whether an argument may be of any other type than those."""
    given = [each.annotation for each in function.args.args[1:] if each.arg != "event"]
    names = [node.id for each in given if each for node in ast.walk(each) if isinstance(node, ast.Name)]
    return not set(names) <= SHORT


def test_a_worker_that_is_given_something_long_has_a_description() -> None:
    found = list(workers())
    assert len(found) > 10
    without = [
        where
        for where, function, made in found
        if is_given_something_long(function)
        and not (isinstance(made, ast.Call) and any(each.arg == "description" for each in made.keywords))
    ]
    assert without == []
