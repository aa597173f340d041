"""A saved study brought back: the block, what was altered in it, and the block it was compared with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Any, NoReturn

from tui.analysis.alterations.alteration_text import checked_edit, checked_mistake
from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations, Edit, shapes_of
from tui.analysis.subject import Subject
from tui.export.file_marks import SCHEMA
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.grammar.fields import FIELDS
from tui.fusion.grammar.text_error import TextError
from tui.fusion.quoting import printable, quoted
from tui.fusion.specs.block_spec import BlockSpec, Dtype, InputFill, PaddingMode, WeightFill
from tui.fusion.specs.branch_spec import BranchKind, BranchSpec, Scale
from tui.fusion.specs.padding import SAME
from tui.fusion.specs.problems import MAX_BRANCHES, InvalidSpecError
from tui.importing.errors import ImportingError
from tui.importing.files import bytes_of

_TENSORS = b'"tensors": {'
"""The line of the export that holds most of its bytes, and nothing that is needed to come back."""
_ADDED = ("eps", "padding")
"""Fields that studies saved by older versions lack: their blocks had the default."""
_NOT_FINITE = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


@dataclass(frozen=True, slots=True)
class SavedStudy:
    """What a saved study is of.

    Attributes:
        subject: the block and what was altered in it.
        compared: the block that it was compared with, None where there was none.
    """

    subject: Subject
    compared: Subject | None = None


def load_study(name: str) -> SavedStudy:
    """The saved study in the file of that name.

    Raises:
        ImportingError: it cannot be read, or is no saved study; the message says why, for the user.
    """
    return study_in(bytes_of(name, (".json",)))


def study_in(data: bytes) -> SavedStudy:
    """The saved study in these bytes, as `tui.export.study_json` writes it.

    Raises:
        ImportingError: it is none, of another schema, cut short, or says a block that cannot be.
    """
    document = _parsed(_without_tensors(data))
    if not isinstance(document, dict) or document.get("program") != "repfuse-tui":
        raise ImportingError(
            "this is not a study that was saved here: take one away with x, as “Study as JSON”"
        )
    _refuse_other_schema(document)
    subject = _subject(document, "")
    compared = document.get("compared")
    return SavedStudy(
        subject, None if compared is None else _subject(_object(compared, "compared"), "compared.")
    )


def _refuse_other_schema(document: Mapping[str, Any]) -> None:
    schema, version = document.get("schema"), document.get("version")
    if type(schema) is int and schema == SCHEMA:
        return
    given = f"schema {printable(str(schema)[:40])}" if type(schema) is int else "no schema number"
    by = f" (version {printable(version[:40])} wrote it)" if isinstance(version, str) else ""
    raise ImportingError(
        f"the study has {given}{by}, and this version reads schema {SCHEMA}: save it again with a version "
        "that fits"
    )


def _without_tensors(data: bytes) -> bytes:
    """The same without the numbers of all tensors, where they are in a line of their own.

    To parse a million numbers would hold the screen up for half a second, and they follow from the rest.
    """
    start = data.find(b"\n" + _TENSORS)
    end = data.find(b"\n", start + 1)
    if start < 0 or end < 0:
        return data
    comma = b"," if data[end - 1 : end] == b"," else b""
    return data[: start + 1] + b'"tensors": null' + comma + data[end:]


def _parsed(data: bytes) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(data.decode("utf-8"), parse_constant=refuse)
    except UnicodeDecodeError:
        raise ImportingError("this is not a saved study: it is not text") from None
    except RecursionError:
        raise ImportingError("this is not a saved study: it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ImportingError(
            f"this is not a saved study, or it is cut short: {error.msg.lower()} in line {error.lineno}"
        ) from None
    except ValueError as error:
        raise ImportingError(f"this is not a saved study: {str(error)[:80]}") from None


def _subject(data: Mapping[str, Any], where: str) -> Subject:
    spec = _spec(_object(data.get("spec"), f"{where}spec"), f"{where}spec")
    altered = _object(data.get("alterations"), f"{where}alterations")
    return Subject(spec, _alterations(altered, spec, f"{where}alterations"))


def _spec(data: Mapping[str, Any], where: str) -> BlockSpec:
    _refuse_unknown(data, FIELDS, where)
    values: dict[str, Any] = {}
    for name in FIELDS:
        if name in _ADDED and name not in data:
            continue
        if name not in data:
            raise ImportingError(f"{where}.{name} is missing in the saved study")
        values[name] = _READERS[name](data[name], f"{where}.{name}")
    try:
        return BlockSpec(**values)
    except InvalidSpecError as error:
        raise ImportingError(f"the saved study says a block that cannot be: {error}") from None


def _alterations(data: Mapping[str, Any], spec: BlockSpec, where: str) -> Alterations:
    _refuse_unknown(data, ("edits", "mistake", "finished"), where)
    listed = data.get("edits")
    if not isinstance(listed, list):
        raise _unexpected(f"{where}.edits", listed, "a list")
    shapes = shapes_of(spec)
    mistake = _text(data.get("mistake"), f"{where}.mistake")
    try:
        edits = [_edit(each, shapes, f"{where}.edits[{place}]") for place, each in enumerate(listed)]
        mistake = checked_mistake(mistake, spec) if mistake else ""
    except TextError as error:
        raise ImportingError(f"the saved study does not fit its own block: {error}") from None
    finished = _switch(data.get("finished", False), f"{where}.finished")
    return Alterations(NOTHING_ALTERED.edited(*edits).edits, mistake, finished)


def _edit(data: Any, shapes: Mapping[str, tuple[int, ...]], where: str) -> Edit:
    edit = _object(data, where)
    _refuse_unknown(edit, ("place", "index", "value"), where)
    index = edit.get("index")
    if not isinstance(index, list) or not all(type(number) is int for number in index):
        raise _unexpected(f"{where}.index", index, "a list of whole numbers")
    place, value = _text(edit.get("place"), f"{where}.place"), _number(edit.get("value"), f"{where}.value")
    return checked_edit(place, tuple(index), value, shapes)


def _branches(data: Any, where: str) -> tuple[BranchSpec, ...]:
    if not isinstance(data, list) or len(data) > MAX_BRANCHES:
        raise _unexpected(where, data, f"a list of at most {MAX_BRANCHES} branches")
    return tuple(
        _branch(_object(each, f"{where}[{place}]"), f"{where}[{place}]") for place, each in enumerate(data)
    )


def _branch(data: Mapping[str, Any], where: str) -> BranchSpec:
    if "text" in data:
        return _written(_text(data["text"], f"{where}.text"), f"{where}.text")
    known = {field.name: field for field in fields(BranchSpec)}
    _refuse_unknown(data, known, where)
    for name, field in known.items():
        if name not in data and field.default is MISSING:
            raise ImportingError(f"{where}.{name} is missing in the saved study")
    return BranchSpec(
        **{name: _BRANCH_READERS[name](value, f"{where}.{name}") for name, value in data.items()}
    )


def _written(text: str, where: str) -> BranchSpec:
    try:
        branches = parse_branches(text)
    except TextError as error:
        raise ImportingError(f"{where} in the saved study cannot be read: {error}") from None
    if len(branches) != 1:
        raise _unexpected(where, text, "one branch")
    return branches[0]


def _unexpected(where: str, given: Any, expected: str) -> ImportingError:
    return ImportingError(f"{where} in the saved study must be {expected}, not {quoted(json.dumps(given))}")


def _refuse_unknown(data: Mapping[str, Any], known: Mapping[str, Any] | tuple[str, ...], where: str) -> None:
    for name in data:
        if name not in known:
            raise ImportingError(f"{where} in the saved study has {quoted(name)}, which is not known here")


def _object(data: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise _unexpected(where, data, "an object")
    return data


def _text(data: Any, where: str) -> str:
    if not isinstance(data, str):
        raise _unexpected(where, data, "a text")
    return data


def _whole(data: Any, where: str) -> int:
    if type(data) is not int:
        raise _unexpected(where, data, "a whole number")
    return data


def _switch(data: Any, where: str) -> bool:
    if not isinstance(data, bool):
        raise _unexpected(where, data, "true or false")
    return data


def _number(data: Any, where: str) -> float:
    """A number; those that JSON does not know are texts."""
    if isinstance(data, str) and data in _NOT_FINITE:
        return _NOT_FINITE[data]
    if type(data) not in (int, float):
        raise _unexpected(where, data, "a number")
    try:
        return float(data)
    except OverflowError:
        raise _unexpected(where, data, "a number that float64 can hold") from None


def _pair(data: Any, where: str) -> tuple[int, int]:
    if not isinstance(data, list) or len(data) != 2:
        raise _unexpected(where, data, "two whole numbers")
    return _whole(data[0], where), _whole(data[1], where)


def _padding(data: Any, where: str) -> Any:
    return SAME if data == SAME else _pair(data, where)


def _optional(read: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    return lambda data, where: None if data is None else read(data, where)


def _one_of(choices: type[StrEnum]) -> Callable[[Any, str], StrEnum]:
    def read(data: Any, where: str) -> StrEnum:
        if not isinstance(data, str) or data not in set(choices):
            raise _unexpected(where, data, f"one of {', '.join(filter(None, choices))}")
        return choices(data)

    return read


def _chain(data: Any, where: str) -> NoReturn:
    raise ImportingError(
        f"{where}: the saved study is of a module's own layers, which no form holds: study the module again"
    )


_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(("in_channels", "out_channels", "groups", "batch_size", "seed"), _whole),
    **dict.fromkeys(("kernel_size", "stride", "dilation", "input_shape"), _pair),
    "branches": _branches,
    "post_norm": _switch,
    "eps": _number,
    "padding": _padding,
    "padding_mode": _one_of(PaddingMode),
    "weights": _one_of(WeightFill),
    "input": _one_of(InputFill),
    "dtype": _one_of(Dtype),
}
_BRANCH_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "kind": _one_of(BranchKind),
    "chain": _chain,
    "parts": _chain,
    "label": _text,
    "scale": _one_of(Scale),
    **dict.fromkeys(("kernel_size", "dilation", "padding"), _optional(_pair)),
    "groups": _optional(_whole),
    "expansion": _whole,
    **dict.fromkeys(("bias", "batch_norm", "inner_norm", "identity_offset", "zero_border"), _switch),
}
