"""The command line as a spec: its options are made from the same table of fields as the form."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tui import __version__
from tui.analysis.alterations.alteration_text import checked_mistake, edits_in
from tui.analysis.alterations.alterations import Alterations
from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.subject import Subject
from tui.command_line.block_options import DEFAULT_PRESET, SWITCHES, add_block_options, option_of, spec_of
from tui.command_line.checkpoint_options import (
    COMMANDS,
    CheckpointRequest,
    is_file_like,
    parse_checkpoint,
    parse_opening,
)
from tui.command_line.module_options import (
    ModuleRequest,
    is_module_like,
    is_on_module,
    parse_module,
)
from tui.command_line.option_parser import HelpInColumns, OptionParser, OptionsError, shown
from tui.command_line.program import PROGRAM
from tui.command_line.request import Request
from tui.command_line.serve_options import SERVE, SERVE_SUMMARY, parse_serve
from tui.command_line.speed_options import SPEED, SPEED_SUMMARY, parse_speed
from tui.command_line.study_options import add_device_option, device_of
from tui.command_line.sweep_options import SWEEP, SWEEP_SUMMARY, parse_sweep
from tui.fusion.grammar.fields import FIELDS
from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.grammar.text_error import TextError
from tui.fusion.presets import PRESETS
from tui.fusion.quoting import printable, quoted
from tui.fusion.refusal import Refusal
from tui.fusion.specs.block_spec import BlockSpec
from tui.help_topics import KEYS, TOPICS, plain, topic_in_markdown
from tui.plain_text import in_ascii

SHELLS = ("bash", "zsh", "fish", "tcsh")

CHECK = "check"
CONFIG = "config"
HELP = "help"

_DESCRIPTION = """\
A bench for blocks of parallel convolutions that are one convolution in
disguise: it shows each branch's kernel and the fused one, runs both sides, and
says whether they are equal. `check` says it without a screen. Given a
checkpoint file, it shows the blocks in it; inspect, fuse and compare do their
work on files without a screen. Given a module of yours, package.module:name or
blocks.py:name, it runs your code, once, and shows the block that it is or the
blocks in it; nothing else here runs code of others."""

_EPILOG = """\
In brackets: the value without the option, that of --preset {default}. A preset
is taken first and single options change it, in whatever order they stand.

commands (each has a --help of its own; the options here are of the first two):
{commands}

presets:
{presets}

mistakes:
{mistakes}

examples:
  {program}
  {program} --preset repvgg --kernel-size 5x3
  {program} --out-channels 4 --branches kxk+norm,1x1-bias
  {program} check --preset repvgg-grouped --dtype bfloat16
  {program} check --in-channels 8 --out-channels 8 --groups 2 --json
  {program} check --preset repvgg --mistake eps-1e-3
  {program} check --edit "fused.weight[0,0,1,1]=0.5"
  {program} check --load study.json --fused fused.npz
  {program} --load study.json
  {program} model.safetensors
  {program} fuse model.safetensors fused.safetensors
  {program} blocks.py:Block --with "channels=64" --example x.npy
  {program} fuse package.models:net fused.safetensors --weights net.pt
  {program} speed --preset repvgg --batch-size 8
  {program} sweep --preset repvgg --over in-channels=8:128:x2
  {program} serve --preset repvgg

exit status of check:
  0  fused and unfused agree: they are the same, or differ by rounding
  1  they do not, or by more than rounding is likely to make
  2  the options make no block, or the block could not be run
"""


def parse(arguments: Sequence[str]) -> Request:
    """The request that these arguments make.

    Values stay text until `spec_from` reads them, so that a mistake is told in the words of the form.

    Raises:
        OptionsError: with every problem of the block, or the first mistake in the options themselves.
    """
    first = next(iter(arguments), "")
    if first in _WORDS:
        return _WORDS[first](arguments[1:])
    brought = _brought(first, arguments)
    if brought is not None:
        return brought
    parser = build_parser()
    options, rest = parser.known(arguments)
    if options.help:
        return Request(text=parser.format_help())
    if options.version:
        return Request(text=f"{PROGRAM} {__version__}\n")
    if options.man:
        from tui.command_line.man_page import man_page  # asked for by who packages it

        return Request(text=man_page())
    parser.refuse_unknown_options(rest)
    _refuse_unknown_words(rest, options.command)
    if options.print_completion is not None:
        from tui.command_line.completion import (
            completion_script,  # asked for once in a lifetime, and slow to import
        )

        return Request(text=completion_script(options.print_completion))
    if options.json and not options.command:
        raise OptionsError(f"--json: only check reports; write {PROGRAM} check --json")
    spec, alterations, compared = _loaded(options) if options.load is not None else _made(options)
    _refuse_no_kernel_to_judge(options, alterations)
    return Request(
        spec,
        alterations,
        compared,
        check=options.command is not None,
        as_json=options.json,
        device=device_of(options),
        fused=options.fused,
        fused_bias=options.fused_bias,
    )


def _help(rest: Sequence[str]) -> Request:
    topics = _in_columns(TOPICS)
    if not rest or rest[0] in ("-h", "--help"):
        return Request(
            text=f"usage: {PROGRAM} {HELP} TOPIC\n\ntopics:\n{topics}\n\noptions: {PROGRAM} --help\n"
        )
    if len(rest) > 1:
        raise OptionsError(f"{shown(rest[1])}: {HELP} takes one topic")
    (topic,) = rest
    if topic not in TOPICS:
        near = did_you_mean(topic, TOPICS)
        raise OptionsError(f"{HELP}: the topic must be one of {', '.join(TOPICS)}, not {quoted(topic)}{near}")
    return Request(keys=True) if topic == KEYS else Request(text=plain(topic_in_markdown(topic)))


def _config(rest: Sequence[str]) -> Request:
    if rest and rest[0] in ("-h", "--help"):
        return Request(
            text=f"usage: {PROGRAM} {CONFIG}\n\nPrint where the settings are, and what they say.\n"
        )
    if rest:
        raise OptionsError(f"{shown(rest[0])}: {CONFIG} takes nothing more")
    from tui.settings import settings_in_words

    return Request(text=settings_in_words())


def _speed(rest: Sequence[str]) -> Request:
    made = parse_speed(rest)
    return Request(text=made) if isinstance(made, str) else Request(speed=made)


def _sweep(rest: Sequence[str]) -> Request:
    made = parse_sweep(rest)
    return Request(text=made) if isinstance(made, str) else Request(sweep=made)


def _serve(rest: Sequence[str]) -> Request:
    """What is to be served is read here too: a mistake in it is told in the shell, not in each tab."""
    made = parse_serve(rest)
    if isinstance(made, str):
        return Request(text=made)
    request = parse(made.arguments)
    if request.serve is not None or not request.on_screen:
        first = made.arguments[0]
        raise OptionsError(f"{SERVE}: only a screen can be served, and {shown(first)} shows none")
    return replace(request, serve=made)


_WORDS: Mapping[str, Callable[[Sequence[str]], Request]] = {
    HELP: _help,
    CONFIG: _config,
    SPEED: _speed,
    SWEEP: _sweep,
    SERVE: _serve,
}
"""What is done when it is asked for by a first word, and may need no file."""


def _refuse_no_kernel_to_judge(options: argparse.Namespace, alterations: Alterations) -> None:
    """--fused is for check, for a block that is not fused wrongly besides, and goes before --fused-bias."""
    if options.fused is None:
        if options.fused_bias is not None:
            raise OptionsError("--fused-bias: the weight goes with it; give --fused too")
        return
    if not options.command:
        raise OptionsError(f"--fused: only check judges it; write {PROGRAM} check --fused FILE, or press i")
    if alterations.alters_fusion:
        raise OptionsError(
            "--fused: the block is fused wrongly on purpose, by a mistake or by edits of fused numbers; "
            "leave these out, or --fused"
        )


def _brought(first: str, arguments: Sequence[str]) -> Request | None:
    """The request that is about a module or a checkpoint; None where the block is chosen by options."""
    if is_module_like(first):
        return _of_module(parse_module("", arguments))
    if is_on_module(first, arguments[1:]):
        return _of_module(parse_module(first, arguments[1:]))
    if first in COMMANDS:
        return _of_checkpoint(parse_checkpoint(first, arguments[1:]))
    if first != CHECK and is_file_like(first):
        return _of_checkpoint(parse_opening(arguments))
    return None


def _of_module(made: ModuleRequest | str) -> Request:
    return Request(text=made) if isinstance(made, str) else Request(module=made)


def _of_checkpoint(made: CheckpointRequest | str) -> Request:
    return Request(text=made) if isinstance(made, str) else Request(checkpoint=made)


def _made(options: argparse.Namespace) -> tuple[BlockSpec, Alterations, None]:
    spec = spec_of(options)
    return spec, _alterations_of(options, spec), None


def _loaded(options: argparse.Namespace) -> tuple[BlockSpec, Alterations, Subject | None]:
    """The block of a saved study, which says all of it: no option of the block goes with it."""
    for name in ("preset", *FIELDS, *SWITCHES, "edit", "mistake"):
        if getattr(options, name) is not None:
            raise OptionsError(f"--load: the file says all of the block; leave {option_of(name)} out")
    from tui.importing.saved_study import load_study  # only a file needs it

    try:
        saved = load_study(options.load)
    except Refusal as error:
        raise OptionsError(f"--load: {printable(options.load)}: {error}") from None
    return saved.subject.spec, saved.subject.alterations, saved.compared


def _refuse_unknown_words(rest: Sequence[str], command: str | None) -> None:
    for word in rest if command is None else (command, *rest):
        is_named = is_module_like(word) or is_file_like(word)
        if word in (*_WORDS, *COMMANDS) or (word != CHECK and is_named):
            name = shown(word)
            quietly = f", or without a screen {PROGRAM} inspect {name}" if is_named else ""
            raise OptionsError(f"{name}: must come first: {PROGRAM} {name} ...{quietly}")
        if word != CHECK:
            near = did_you_mean(word, [CHECK, *_WORDS, *COMMANDS])
            raise OptionsError(f"{shown(word)}: there is no such command{near}")
    if rest:
        raise OptionsError(f"{CHECK}: stands more than once")


def _alterations_of(options: argparse.Namespace, spec: BlockSpec) -> Alterations:
    try:
        edits = edits_in(options.edit or (), spec)
    except TextError as error:
        raise OptionsError(f"--edit: {error}") from None
    try:
        mistake = "" if options.mistake is None else checked_mistake(options.mistake, spec)
    except TextError as error:
        raise OptionsError(f"--mistake: {error}") from None
    return Alterations(edits, mistake)


def build_parser(*, command: bool = True) -> OptionParser:
    """The parser of the bench and of check; it knows which options there are, and of their values nothing.

    `command`: whether it takes the word `check` too.
    """
    parser = OptionParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [check [--json]] [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG.format(
            program=PROGRAM,
            default=DEFAULT_PRESET,
            commands=_in_columns(_commands()),
            presets=_in_columns({preset.name: preset.summary for preset in PRESETS.values()}),
            mistakes=_in_columns({name: in_ascii(mistake.title) for name, mistake in MISTAKES.items()}),
        ),
        formatter_class=HelpInColumns,
        allow_abbrev=False,  # a script that writes --input must not change its meaning with a new option
        exit_on_error=False,
        add_help=False,
    )
    _add_program_options(parser, command=command)
    add_block_options(parser)
    return parser


def _commands() -> dict[str, str]:
    """What can be asked for, as it is typed, and what it does."""
    return {
        "": "the bench",
        "check": "report on the block without a screen",
        "FILE [FUSED]": "show a checkpoint, beside what another tool made of it: a file or a module",
        "MODULE [FUSED]": "show your own block or model, likewise: MODULE --help tells the options",
        **COMMANDS,
        SPEED: SPEED_SUMMARY,
        SWEEP: SWEEP_SUMMARY,
        SERVE: SERVE_SUMMARY,
        CONFIG: "print where the settings are, and what they say",
        "help TOPIC": f"print a long text: {', '.join(TOPICS)}",
    }


def _add_program_options(parser: OptionParser, *, command: bool) -> None:
    group = parser.add_argument_group("commands and general options")
    if command:
        group.add_argument("command", nargs="?", metavar=CHECK, help="report without a screen, then exit")
    group.add_argument("--json", action="store_true", help="check: the report as one JSON object")
    add_device_option(group)
    group.add_argument(
        "--fused",
        metavar="FILE",
        help="check: judge this finished fused kernel (.npy, .npz with weight and bias, .csv) of the block",
    )
    group.add_argument(
        "--fused-bias", metavar="FILE", help="check: the bias of --fused, where it stands apart"
    )
    group.add_argument(
        "--edit",
        metavar="NUMBER",
        action="append",
        help="set a number, as kxk.weight[0,0,1,1]=0.5 or kxk.norm.var[1]=2; repeatable",
    )
    group.add_argument("--mistake", metavar="NAME", help="fuse the block, or run it, wrongly in a way below")
    group.add_argument("--load", metavar="FILE", help="a study that was saved as JSON, in place of a block")
    group.add_argument("-h", "--help", action="store_true", help="show this and exit")
    group.add_argument("--version", action="store_true", help="show it and exit")
    group.add_argument("--man", action="store_true", help="print the manual page, for man -l -, and exit")
    group.add_argument(
        "--print-completion", metavar="SHELL", help=f"completion script for a shell: {', '.join(SHELLS)}"
    )


def _in_columns(words: Mapping[str, str]) -> str:
    """A line for each name, and what goes with it."""
    width = max(map(len, words))
    return "\n".join(f"  {name:{width}}  {text}" for name, text in words.items())
