"""The header of a safetensors file: which tensors it has, and where. Read and written without torch.

Source: the format's own description (huggingface/safetensors, README, "Format"): eight bytes, the length of
the header, little-endian; the header, JSON in UTF-8; then the tensors' bytes, one after another, no gaps.
Every rule that the safetensors library checks is checked here, so that no file is read that it refuses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from tui.checkpoints.contents import Entry
from tui.checkpoints.dtypes import PACKED, bits_of, safetensors_code, torch_name
from tui.collecting import without_collecting
from tui.fusion.quoting import quoted

BEFORE = 8
"""Bytes before the header: its length."""
MOST_HEADER = 100_000_000
"""Bytes of a header, as the safetensors library has it."""
METADATA = "__metadata__"
_MOST_SIZE = 2**63
"""Of a tensor's size and of all of them multiplied: beyond it no number of bytes can be counted."""
MOST_AXES = 64
"""Sizes of a tensor, as torch has it: a header could name millions, and their product would take hours."""
_ALIGNMENT = 8
_KEYS = {"dtype", "shape", "data_offsets"}
_INTEGERS = {int}


class HeaderError(ValueError):
    """The header cannot be; the message says why, as what follows the file's name."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor's bytes lie in its file: from `start`, and how many."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says, in its order."""

    entries: dict[str, Entry]
    places: dict[str, Place]
    metadata: dict[str, str]


def length_of(head: bytes, file_size: int) -> int:
    """The header's bytes, by the first eight of the file.

    Raises:
        HeaderError: the file cannot have such a header.
    """
    if file_size < BEFORE:
        raise HeaderError(f"is cut short: it has {file_size} bytes, too few for a checkpoint")
    length = int.from_bytes(head[:BEFORE], "little")
    if length > MOST_HEADER:
        raise HeaderError(
            f"says that its header has {length:,} bytes, and {MOST_HEADER:,} is the most: "
            "it is damaged, or no checkpoint"
        )
    if length > file_size - BEFORE:
        raise HeaderError(f"is cut short: its header has {length:,} bytes, and the file {file_size:,}")
    return length


@without_collecting()
def parsed(data: bytes, file_size: int) -> Header:
    """The header from its JSON.

    Raises:
        HeaderError: it breaks a rule of the format, or does not fit the file's size.
    """
    try:
        told = json.loads(data.decode("utf-8"), object_pairs_hook=_without_doubles, parse_constant=_no_number)
    except HeaderError:
        raise
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise HeaderError("has a header that is no JSON: it is damaged, or no safetensors file") from None
    if not isinstance(told, dict):
        raise HeaderError("has a header that is no JSON object: it is no safetensors file")
    metadata = _metadata(told.pop(METADATA, None))
    begin = BEFORE + len(data)
    entries: dict[str, Entry] = {}
    places: dict[str, Place] = {}
    for name, fields in told.items():
        entries[name], places[name] = _tensor(name, fields, begin)
    _check_places(places, begin, file_size)
    return Header(entries, places, metadata)


def _without_doubles(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        double = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise HeaderError(f"names {quoted(double)} twice in its header: it is damaged")
    return found


def _no_number(text: str) -> None:
    raise HeaderError(f"has {text} in its header, which is no number of JSON: it is damaged")


def _metadata(told: object) -> dict[str, str]:
    if told is None:
        return {}
    if isinstance(told, dict) and all(isinstance(value, str) for value in told.values()):
        return told
    raise HeaderError("has metadata that is not text by name: it is damaged")


def _tensor(name: str, fields: object, begin: int) -> tuple[Entry, Place]:
    if not isinstance(fields, dict) or fields.keys() != _KEYS:
        raise HeaderError(f"does not say dtype, shape and place of {quoted(name)}: it is damaged")
    code, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    dtype = torch_name(code) if isinstance(code, str) else None
    if dtype is None:
        raise HeaderError(f"has {quoted(name)} in a dtype that is not known, {quoted(str(code))}")
    if not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise HeaderError(f"has no shape or place that can be for {quoted(name)}: it is damaged")
    if len(shape) > MOST_AXES:
        raise HeaderError(f"has {len(shape):,} sizes for {quoted(name)}, and {MOST_AXES} is the most")
    count = prod(shape)
    bits = count * (4 if dtype == PACKED else bits_of(dtype))
    if count >= _MOST_SIZE or bits % 8 or offsets[1] - offsets[0] != bits // 8:
        raise HeaderError(
            f"has {offsets[1] - offsets[0]:,} bytes for {quoted(name)}, which is {_shape_text(shape)} in "
            f"{dtype}: it is damaged"
        )
    if dtype == PACKED:
        if not shape or shape[-1] % 2:
            raise HeaderError(
                f"has an odd last size for {quoted(name)}, whose dtype packs two numbers in one"
            )
        shape = [*shape[:-1], shape[-1] // 2]
    return Entry(name, tuple(shape), dtype), Place(begin + offsets[0], bits // 8)


def _sizes(told: object) -> bool:
    if not isinstance(told, list):
        return False
    return not told or ({*map(type, told)} == _INTEGERS and min(told) >= 0 and max(told) < _MOST_SIZE)


def _shape_text(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape)) or "a single number"


def _check_places(places: Mapping[str, Place], begin: int, file_size: int) -> None:
    """One tensor follows the other, to the end of the file."""
    end = begin
    for name, place in sorted(places.items(), key=lambda each: (each[1].start, each[1].length)):
        if place.start != end:
            kind = "a gap before" if place.start > end else "two tensors in one place, one of them"
            raise HeaderError(f"has {kind} {quoted(name)}: it is damaged")
        end += place.length
    if end > file_size:
        raise HeaderError(f"is cut short: its tensors end at byte {end:,}, and it has {file_size:,}")
    if end < file_size:
        raise HeaderError(f"has {file_size - end:,} bytes after its last tensor: it is damaged")


def written(entries: Sequence[Entry], metadata: Mapping[str, str]) -> tuple[bytes, list[Entry]]:
    """Length and header of a file with these entries, and the entries in the order of their bytes.

    The header names them in the order given. The bytes of wide dtypes come first, as the library has it: so
    every number lies at a multiple of its own size.

    Raises:
        HeaderError: safetensors cannot hold that; the message says what, and follows the file's name.
    """
    placed = sorted(
        entries, key=lambda entry: -bits_of(entry.dtype)
    )  # stable: the given order within a width
    starts: dict[str, int] = {}
    end = 0
    for entry in placed:
        starts[entry.name] = end
        end += entry.bytes
    told: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    for entry in entries:
        told[entry.name] = {
            "dtype": _code(entry),
            "shape": _shape_told(entry),
            "data_offsets": [starts[entry.name], starts[entry.name] + entry.bytes],
        }
    try:
        data = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError:
        raise HeaderError(
            "cannot hold a name that is no valid Unicode: choose the format of torch, .pt"
        ) from None
    data += b" " * (-len(data) % _ALIGNMENT)
    if len(data) > MOST_HEADER:
        raise HeaderError(f"would have a header of {len(data):,} bytes, and {MOST_HEADER:,} is the most")
    return len(data).to_bytes(BEFORE, "little") + data, placed


def _code(entry: Entry) -> str:
    code = safetensors_code(entry.dtype)
    if code is None:
        raise HeaderError(
            f"cannot hold {quoted(entry.name)}, whose dtype {entry.dtype} safetensors does not have: "
            "choose the format of torch, .pt"
        )
    if entry.name == METADATA:
        raise HeaderError(f"cannot hold a tensor of the name {METADATA}: choose the format of torch, .pt")
    return code


def _shape_told(entry: Entry) -> list[int]:
    if entry.dtype != PACKED:
        return list(entry.shape)
    if not entry.shape:
        raise HeaderError(f"cannot hold {quoted(entry.name)}: a packed dtype needs a last size")
    return [*entry.shape[:-1], entry.shape[-1] * 2]
