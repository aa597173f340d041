"""The options by which a block is chosen, for every command that takes one; made from the form's fields."""

from __future__ import annotations

import argparse

from tui.command_line.option_parser import OptionParser, OptionsError
from tui.fusion.grammar.fields import FIELDS, spec_from, texts_of
from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.presets import PRESETS
from tui.fusion.quoting import quoted
from tui.fusion.specs.block_spec import BlockSpec, InvalidSpecError

SWITCHES = {
    "bias": "a bias in every convolution, or in none",
    "batch_norm": "a batch norm on every branch, or on none",
    "post_norm": "a batch norm after their sum, or none",
}
DEFAULT_PRESET = "residual"

_GROUPS: dict[str, tuple[str, ...]] = {
    "block": ("in_channels", "out_channels", "kernel_size", "stride", "dilation", "groups", "padding"),
    "branches": ("branches", "eps"),
    "input": ("input_shape", "batch_size", "input", "padding_mode"),
    "arithmetic": ("weights", "dtype", "seed"),
}


def add_block_options(parser: OptionParser) -> None:
    """Let the parser take a preset, every field of a block, and what is switched for all its branches."""
    default = texts_of(PRESETS[DEFAULT_PRESET].spec)
    for title, names in _GROUPS.items():
        group = parser.add_argument_group(title)
        if title == "block":
            group.add_argument("--preset", metavar="NAME", help="a block by name, below")
        for name in names:
            _add_field(group, name, default[name])
        if title == "branches":
            _add_switches(group)


def spec_of(options: argparse.Namespace) -> BlockSpec:
    """The preset, changed by the single options; then all its branches switched, if so wished.

    Raises:
        OptionsError: with every problem of the block.
    """
    given: dict[str, str | bool | None] = {name: getattr(options, name) for name in FIELDS}
    texts = {name: _text(value) for name, value in given.items() if value is not None}
    try:
        spec = spec_from(texts, _preset_named(DEFAULT_PRESET if options.preset is None else options.preset))
        return spec.with_branches(bias=options.bias, batch_norm=options.batch_norm)
    except InvalidSpecError as error:
        problems = (f"{option_of(problem.field)}: {problem.message}" for problem in error.problems)
        raise OptionsError("; ".join(problems)) from None


def option_of(field: str) -> str:
    """The option for a field of the spec."""
    return "--" + field.replace("_", "-")


def _text(value: str | bool) -> str:
    """An option's value as the text of its field."""
    return value if isinstance(value, str) else ("yes" if value else "no")


def _preset_named(name: str) -> BlockSpec:
    name = name.strip().lower()
    if name not in PRESETS:
        near = did_you_mean(name, list(PRESETS))
        raise OptionsError(f"--preset: must be one of {', '.join(PRESETS)}, not {quoted(name)}{near}")
    return PRESETS[name].spec


def _add_field(group: argparse._ArgumentGroup, name: str, default: str) -> None:
    words = f"{FIELDS[name].help} [{default}]".replace("%", "%%")
    group.add_argument(option_of(name), dest=name, metavar=FIELDS[name].metavar, help=words)


def _add_switches(group: argparse._ArgumentGroup) -> None:
    for name, words in SWITCHES.items():
        group.add_argument(option_of(name), action=argparse.BooleanOptionalAction, help=words)
