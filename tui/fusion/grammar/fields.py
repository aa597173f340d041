"""The fields of a BlockSpec as text: one table from which the form and the command line are both made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from tui.fusion.grammar.branch_text import parse_branches, show_branches
from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.grammar.number_text import number_in, show_number
from tui.fusion.grammar.text_error import TextError
from tui.fusion.pair_text import shortest, show_pair
from tui.fusion.quoting import quoted
from tui.fusion.specs.block_spec import (
    BlockSpec,
    BranchSpec,
    Dtype,
    InputFill,
    InvalidSpecError,
    PaddingMode,
    Pair,
    Problem,
    WeightFill,
)
from tui.fusion.specs.padding import SAME
from tui.fusion.specs.problems import MAX_CHANNELS

_LONGEST_NUMBER = 19  # digits of the largest seed, 2^63 - 1
_PAIR = re.compile(r"\s*(\d+)\s*(?:[x×,]\s*(\d+)\s*)?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a BlockSpec: its name there, its label on the screen, and how text becomes its value.

    `parse` raises ValueError with words for the user. `choices` is empty where any text may be typed.
    """

    name: str
    label: str
    help: str
    metavar: str
    parse: Callable[[str], Any]
    show: Callable[[Any], str] = str
    choices: tuple[str, ...] = ()


def _digits(text: str, words: str, example: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise TextError(f"{words} must be a whole number such as {example}, not {quoted(text)}")
    if len(text) > _LONGEST_NUMBER:
        raise TextError(f"{words} has more than {_LONGEST_NUMBER} digits")
    return int(text)


def _integer(words: str, example: str) -> Callable[[str], int]:
    return lambda text: _digits(text.strip(), words, example)


def _pair(words: str, example: str) -> Callable[[str], Pair]:
    def parse(text: str) -> Pair:
        match = _PAIR.fullmatch(text)
        if match is None:
            raise TextError(
                f"{words} must be a number or height x width, such as {example}, not {quoted(text)}"
            )
        height = _digits(match[1], words, example)
        return height, height if match[2] is None else _digits(match[2], words, example)

    return parse


def _padding(text: str) -> Pair | Literal["same"]:
    if text.strip().lower() == SAME:
        return SAME
    try:
        return _pair("padding", "0 or 1x2")(text)
    except TextError:
        raise TextError(
            f"padding must be same, a number or height x width, such as 0 or 1x2, not {quoted(text)}"
        ) from None


def _switch(words: str) -> Callable[[str], bool]:
    def parse(text: str) -> bool:
        if text.strip() not in ("yes", "no"):
            raise TextError(f"{words} must be yes or no, not {quoted(text)}")
        return text.strip() == "yes"

    return parse


def _no_number(text: str) -> str:
    try:
        float(text)
    except ValueError:
        return f"not {quoted(text)}"
    return f"and {quoted(text)} is too large for one"


def _small_number(words: str, example: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        number = number_in(text.strip())
        if number is None:
            raise TextError(f"{words} must be a number such as {example}, {_no_number(text)}")
        return number

    return parse


_DTYPES_BY_OTHER_NAMES = {
    "double": Dtype.FLOAT64,
    "fp64": Dtype.FLOAT64,
    "float": Dtype.FLOAT32,
    "single": Dtype.FLOAT32,
    "fp32": Dtype.FLOAT32,
    "bf16": Dtype.BFLOAT16,
    "half": Dtype.FLOAT16,
    "fp16": Dtype.FLOAT16,
}


def _choice(
    words: str, choices: type[StrEnum], others: Mapping[str, StrEnum] | None = None
) -> Callable[[str], StrEnum]:
    """Reads one of the choices in upper or lower case, or by one of its other names."""

    def parse(text: str) -> StrEnum:
        name = text.strip().lower().removeprefix("torch.")
        try:
            return (others or {}).get(name) or choices(name)
        except ValueError:
            near = did_you_mean(name, choices)
            raise TextError(
                f"{words} must be one of {', '.join(choices)}, not {quoted(text)}{near}"
            ) from None

    return parse


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("in_channels", "in", "channels of the input", "N", _integer("in channels", "8")),
        Field("out_channels", "out", "channels of the output", "N", _integer("out channels", "8")),
        Field(
            "kernel_size", "kernel", "kernel size, 3 or 3x5", "K", _pair("kernel size", "3 or 3x5"), show_pair
        ),
        Field("stride", "stride", "stride, 2 or 2x1", "S", _pair("stride", "2 or 2x1"), shortest),
        Field("dilation", "dilation", "dilation, 2 or 2x1", "D", _pair("dilation", "2 or 2x1"), shortest),
        Field(
            "groups", "groups", "groups of channels; in channels for depthwise", "N", _integer("groups", "4")
        ),
        Field(
            "branches",
            "branches",
            "the branches, as in kxk+norm,1x1-bias,identity",
            "LIST",
            parse_branches,
            show_branches,
        ),
        Field(
            "post_norm",
            "post norm",
            "a batch norm after the sum: yes, no",
            "yes|no",
            _switch("post norm"),
            lambda on: "yes" if on else "no",
            choices=("no", "yes"),
        ),
        Field(
            "eps",
            "eps",
            "eps of the batch norms; whole weights have their own",
            "EPS",
            _small_number("eps", "1e-3"),
            show_number,
        ),
        Field(
            "padding",
            "padding",
            "pixels around the image, as nn.Conv2d has them: same, 0 or 1x2",
            "P",
            _padding,
            lambda padding: padding if padding == SAME else shortest(padding),
        ),
        Field(
            "padding_mode",
            "outside",
            "what stands outside the image: " + ", ".join(PaddingMode),
            "MODE",
            _choice("padding mode", PaddingMode),
            choices=tuple(PaddingMode),
        ),
        Field(
            "input_shape",
            "size",
            "input height x width, 56 or 32x48",
            "HxW",
            _pair("input height and width", "56 or 32x48"),
            show_pair,
        ),
        Field("batch_size", "batch", "inputs in the batch", "N", _integer("batch", "1")),
        Field(
            "input",
            "values",
            "values of the input: " + ", ".join(InputFill),
            "FILL",
            _choice("input", InputFill),
            choices=tuple(InputFill),
        ),
        Field(
            "weights",
            "weights",
            "values of the weights: " + ", ".join(WeightFill),
            "FILL",
            _choice("weights", WeightFill),
            choices=tuple(WeightFill),
        ),
        Field(
            "dtype",
            "dtype",
            "dtype of weights and input: " + ", ".join(Dtype),
            "DTYPE",
            _choice("dtype", Dtype, _DTYPES_BY_OTHER_NAMES),
            choices=tuple(Dtype),
        ),
        Field("seed", "seed", "seed of all random values", "N", _integer("seed", "0")),
    )
}


def texts_of(spec: BlockSpec) -> dict[str, str]:
    """Every field of the spec as the text that stands for it."""
    return {name: field.show(getattr(spec, name)) for name, field in FIELDS.items()}


def spec_from(
    texts: Mapping[str, str], base: BlockSpec, *, branches: tuple[BranchSpec, ...] | None = None
) -> BlockSpec:
    """The spec that `base` becomes with these texts in its fields, and with these branches if any are given.

    Where in_channels is given, out_channels and groups that were equal to it follow, unless given as well.

    Raises:
        InvalidSpecError: with every problem found, those of unreadable text and those between fields that
            could be read.
    """
    values: dict[str, Any] = {} if branches is None else {"branches": branches}
    problems: list[Problem] = []
    for name, text in texts.items():
        try:
            values[name] = FIELDS[name].parse(text)
        except TextError as error:
            problems.append(Problem(name, str(error)))
    in_channels = values.get("in_channels", base.in_channels)
    if in_channels != base.in_channels and 1 <= in_channels <= MAX_CHANNELS:
        values = base.following(in_channels) | values
    try:
        spec = replace(base, **values)
    except InvalidSpecError as error:
        unreadable = {problem.field for problem in problems}
        problems += [problem for problem in error.problems if problem.field not in unreadable]
        raise InvalidSpecError(tuple(problems)) from None
    if problems:
        raise InvalidSpecError(tuple(problems))
    return spec
