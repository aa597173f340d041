"""Axis: a parameter that a sweep can run over, and what one value of it makes of a block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tui.fusion.grammar.fields import FIELDS, spec_from
from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.grammar.text_error import TextError
from tui.fusion.quoting import quoted
from tui.fusion.specs.block_spec import BlockSpec, BranchSpec, Dtype
from tui.fusion.specs.branch_spec import BranchKind

MOST_THREADS = 1024


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an axis.

    Attributes:
        text: as it is typed: "64", "3x5", "bfloat16".
        number: its place on an axis of numbers; None where it has none, as a name or an oblong kernel.
    """

    text: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter that can be varied.

    Attributes:
        name: as it is typed: "in-channels".
        label: as screens and tables call it: "in channels".
        fields: of the BlockSpec that each value sets; none where it sets something else.
        example: a range of it that makes sense.
    """

    name: str
    label: str
    fields: tuple[str, ...]
    example: str

    @property
    def has_names(self) -> bool:
        """Whether its values are names, which lie in no order."""
        return self.name == DTYPE

    def value(self, text: str) -> Value:
        """The value that a text stands for.

        Raises:
            TextError: it is none; in the words of the form.
        """
        if not self.fields:
            least = 1 if self.name == THREADS else 0  # of branches there may be none
            return Value(str(number := _whole(self.label, text, least)), number)
        field = FIELDS[self.fields[0]]
        parsed = field.parse(text)
        return Value(field.show(parsed) if self.has_names else _shown(parsed), _number(parsed))

    def applied(self, value: Value, texts: dict[str, str]) -> None:
        """Set the fields of the block that it stands for in `texts`."""
        texts.update(dict.fromkeys(self.fields, value.text))


THREADS, BRANCHES, DTYPE = "threads", "branches", "dtype"

AXES: Mapping[str, Axis] = {
    axis.name: axis
    for axis in (
        Axis("channels", "channels", ("in_channels", "out_channels"), "8:256:x2"),
        Axis("in-channels", "in channels", ("in_channels",), "8:256:x2"),
        Axis("out-channels", "out channels", ("out_channels",), "8:256:x2"),
        Axis("kernel-size", "kernel size", ("kernel_size",), "3:9:+2"),
        Axis("input-size", "input size", ("input_shape",), "14:112:x2"),
        Axis("batch-size", "batch", ("batch_size",), "1:16:x2"),
        Axis("groups", "groups", ("groups",), "1:64:x2"),
        Axis(DTYPE, "dtype", ("dtype",), "float32,bfloat16"),
        Axis(THREADS, "threads", (), "1:4:x2"),
        Axis(BRANCHES, "kxk branches", (), "1:6:+1"),
    )
}
"""By name, in the order in which they are offered."""

_OTHER_NAMES = {
    "input-shape": "input-size",
    "size": "input-size",
    "batch": "batch-size",
    "kernel": "kernel-size",
}
"""What the form and the options call some of them."""


def axis_named(name: str) -> Axis:
    """The axis of that name, or of the name that the form or the options have for it.

    Raises:
        TextError: there is none.
    """
    plain = name.strip().lower().removeprefix("--").replace("_", "-")
    plain = _OTHER_NAMES.get(plain, plain)
    if plain not in AXES:
        raise TextError(
            f"what varies must be one of {', '.join(AXES)}, not {quoted(name)}{did_you_mean(plain, AXES)}"
        )
    return AXES[plain]


def spec_at(base: BlockSpec, chosen: Mapping[str, Value]) -> BlockSpec:
    """The block with these values, by the axes' names; what follows in the form follows here too.

    Raises:
        InvalidSpecError: that is no block.
    """
    texts: dict[str, str] = {}
    for name, value in chosen.items():
        AXES[name].applied(value, texts)
    branches = chosen.get(BRANCHES)
    if branches is not None and branches.number is not None:
        base = replace(base, branches=_with_branches(base.branches, branches.number))
    return spec_from(texts, base)


def has_kxk(spec: BlockSpec) -> bool:
    """Whether there is a branch of which there could be more."""
    return spec.branch(BranchKind.KXK) is not None


def _with_branches(branches: tuple[BranchSpec, ...], number: int) -> tuple[BranchSpec, ...]:
    """So many of the first k x k branch, where it stood, and the other kinds as they are."""
    place = next((place for place, each in enumerate(branches) if each.kind is BranchKind.KXK), 0)
    before = branches[:place]
    after = tuple(each for each in branches[place:] if each.kind is not BranchKind.KXK)
    return (*before, *branches[place : place + 1] * number, *after)


def _whole(label: str, text: str, least: int) -> int:
    number = FIELDS["batch_size"].parse(text) if _is_whole(text) else None
    if number is None or number > MOST_THREADS or number < least:
        raise TextError(f"{label} must be a whole number from {least} to {MOST_THREADS}, not {quoted(text)}")
    return int(number)


def _is_whole(text: str) -> bool:
    stripped = text.strip()
    return stripped.isascii() and stripped.isdigit() and len(stripped) <= len(str(MOST_THREADS))


def _shown(parsed: Any) -> str:
    """A number, and a pair in one number where both are the same."""
    if isinstance(parsed, tuple) and parsed[0] != parsed[1]:
        return f"{parsed[0]}x{parsed[1]}"
    return str(parsed[0] if isinstance(parsed, tuple) else parsed)


def _number(parsed: Any) -> int | None:
    if isinstance(parsed, Dtype):
        return None
    if isinstance(parsed, tuple):
        return parsed[0] if parsed[0] == parsed[1] else None
    return int(parsed)
