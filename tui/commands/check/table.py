"""The report of `check` for people: a few small tables and one sentence that answers the question."""

from __future__ import annotations

from itertools import chain

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tui.analysis.alterations.alteration_text import show_edit
from tui.analysis.alterations.alterations import Edit
from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.cost import Sides
from tui.analysis.likeness.likeness import likenesses_within
from tui.analysis.numerics.figures import figures_of
from tui.analysis.progress import Failed
from tui.analysis.study import Study
from tui.analysis.verdict.cautions import cautions_of
from tui.analysis.verdict.in_words import multiple, percent
from tui.analysis.verdict.reason import Ruling
from tui.analysis.verdict.verdict import Verdict
from tui.commands.plain_console import plain_console
from tui.commands.tables import plain
from tui.export.code.conv2d_text import conv2d_in_words
from tui.fusion.grammar.number_text import show_number
from tui.fusion.pair_text import shortest, show_pair
from tui.fusion.presets import preset_named
from tui.fusion.specs.block_spec import SAME, BlockSpec, BranchSpec, Dtype, PaddingMode, WeightFill
from tui.fusion.specs.layer_spec import USUAL_EPS

_HEADING = "bold cyan"
_ASIDE = "dim"
_CAUTION = "yellow"
_RULINGS = {
    Ruling.EXACT: "bold green",
    Ruling.ROUNDING: "bold green",
    Ruling.SUSPICIOUS: "bold yellow",
    Ruling.WRONG: "bold red",
}

_LABEL_WIDTH = 22
_MOST_EDITS = 4
"""Edits that are written out."""


def print_table(study: Study) -> None:
    """Print the report on stdout, in colour where that is a terminal."""
    plain_console().print_report(table_of(study))


def table_of(study: Study) -> RenderableType:
    """The report as something that rich can print; all of it is Text, so that no markup is read."""
    verdict = study.verdict
    cautions = (*cautions_of(study.spec), *study.ran_on.cautions, verdict.scope, verdict.caveat)
    sentences = [Text(caution, _CAUTION) for caution in cautions if caution]
    if verdict.stored is not None:
        sentences.append(Text(verdict.stored.sentence, _RULINGS[verdict.stored.ruling]))
    sentences += _looks_like(study)
    sentences.append(Text(verdict.sentence, _RULINGS[verdict.ruling]))
    tables: list[RenderableType] = [
        _block(study),
        _kernels(study),
        _indented(_conv2d(study)),
        _differences(study),
        _costs(study),
        *map(_indented, sentences),
    ]
    return Group(*chain.from_iterable((table, "") for table in tables[:-1]), tables[-1])


def _looks_like(study: Study) -> list[Text]:
    """Which mistake the difference looks like, where the float64 run finds one."""
    known = likenesses_within(study)
    if isinstance(known, Failed):
        return [Text(f"What it looks like was not found out: {known.words}.", _ASIDE)]
    return [Text(f"It looks like {known.words}.")] if known.words else []


def _indented(text: Text) -> Padding:
    """The text under the tables' first column."""
    return Padding(text, (0, 0, 0, 1), expand=False)


def _block(study: Study) -> Table:
    spec, origin, mistake = study.spec, study.origin, study.alterations.mistake
    table = Table.grid(padding=(0, 1), pad_edge=True)
    table.add_column(style=_HEADING, min_width=_LABEL_WIDTH)
    table.add_column(overflow="fold")
    if origin is not None:
        table.add_row(
            "of", plain(f"{origin.title} in {origin.container}" if origin.container else origin.title)
        )
        for remark in origin.remarks:
            table.add_row("", plain(remark, _ASIDE))
    geometry = f"stride {shortest(spec.stride)}, dilation {shortest(spec.dilation)}, groups {spec.groups}"
    table.add_row("block", f"{spec.in_channels} -> {spec.out_channels} channels, {geometry}")
    padded = "" if spec.padding == SAME else f", padding {shortest(spec.padding)}"
    table.add_row("kernel size", f"{show_pair(spec.kernel_size)}{padded}")
    padding = "" if spec.padding_mode is PaddingMode.ZEROS else f", {spec.padding_mode} outside"
    table.add_row("input", f"{' x '.join(map(str, spec.input_nchw))}, {_values_of_input(study)}{padding}")
    if origin is None:
        table.add_row("weights", str(spec.weights))
    if spec.eps != USUAL_EPS and spec.weights is WeightFill.RANDOM:
        eps = show_number(spec.eps)
        table.add_row(
            "eps of batch norms", eps if _has_norm(spec) else _with_aside(eps, "the block has none")
        )
    table.add_row("dtype, seed", f"{spec.dtype}, {spec.seed}")
    preset = preset_named(spec)
    if preset is not None:
        table.add_row("preset", preset)
    if mistake:
        aside = "in the unfused run" if study.alterations.alters_run else "in the fused kernel"
        table.add_row("mistake on purpose", _with_aside(MISTAKES[mistake].title, aside))
    if study.finished is not None:
        table.add_row("fused kernel", "a finished one, judged by its weights and by its outputs")
    if study.in_effect.edits:
        table.add_row("set by hand", _edits(study.in_effect.edits))
    return table


def _values_of_input(study: Study) -> str:
    """The spec's fill, or where the image comes from that the block brought."""
    words = "" if study.origin is None else study.origin.image_of(study.spec)
    return words or str(study.spec.input)


def _has_norm(spec: BlockSpec) -> bool:
    layers = chain.from_iterable(spec.chain_of(branch).all_layers() for branch in spec.branches)
    return spec.post_norm or any(layer.eps is not None for layer in layers)


def _has_bias(study: Study, branch: BranchSpec) -> bool:
    """Whether a layer of the branch adds learned numbers, but for its batch norms."""
    layers = study.spec.chain_of(branch).all_layers()
    return any(layer.bias and not layer.rescales for layer in layers)


def _edits(edits: tuple[Edit, ...]) -> str:
    shown = ", ".join(map(show_edit, edits[:_MOST_EDITS]))
    return shown if len(edits) <= _MOST_EDITS else f"{shown} and {len(edits) - _MOST_EDITS:,} more"


def _kernels(study: Study) -> Table:
    table = _table("branch", "weight", "bias", "on it")
    specs = (*study.spec.branches, None)  # a post norm stands after the branches and is none of them
    for spec, branch in zip(specs, study.summands, strict=False):
        has_bias = spec is None or _has_bias(study, spec)
        words = "its offset" if spec is None else _options(spec, _norms_read(spec))
        table.add_row(branch.name, _shape(branch.kernel.weight.shape), "yes" if has_bias else "-", words)
    fused = study.fused_kernel.kernel
    bias = "-" if fused.bias is None else "yes"
    table.add_row("fused", _shape(fused.weight.shape), bias, "-", style="bold")
    return table


def _norms_read(branch: BranchSpec) -> int:
    """Batch norms of a branch that was read off a module or a file, which is no kind with options."""
    layers = () if branch.chain is None else branch.chain.all_layers()
    return sum(layer.eps is not None for layer in layers)


def _options(branch: BranchSpec, norms: int) -> str:
    """What is on a branch beside its bias, in the words of the form: "batch norm, alpha", "-" for nothing.

    `norms`: its batch norms, where no option says it.
    """
    options = {
        f"{branch.groups} groups": branch.groups is not None,
        f"{branch.expansion} x channels": branch.expansion != 1,
        "1x1 minus identity": branch.identity_offset,
        "inner norm": branch.inner_norm,
        "zero border": branch.zero_border,
        f"padding {shortest(branch.padding or (0, 0))}": branch.padding is not None,
        "batch norm": branch.batch_norm or norms == 1,
        f"{norms} batch norms": norms > 1,
        str(branch.scale): bool(branch.scale),
    }
    return ", ".join(words for words, on in options.items() if on) or "-"


def _conv2d(study: Study) -> Text:
    # In one line however narrow the screen: what is cut in two cannot be pasted.
    code = Text(conv2d_in_words(study.conv, study.spec.dtype), no_wrap=True, overflow="ignore")
    kernel_size = study.fused_kernel.kernel.kernel_size
    if study.conv.kernel_size == kernel_size:
        return code
    why = f"(the {show_pair(kernel_size)} kernel and zeros: nn.Conv2d pads both sides alike)"
    return code.append(f"\n{why}", _ASIDE)


def _differences(study: Study) -> Table:
    table = _table("outputs", "")
    comparison, dtype = study.comparison, study.spec.dtype
    table.add_row("max |fused - unfused|", f"{comparison.max_abs_diff:.3g}")
    if comparison.max_abs_diff:
        batch, channel, row, column = comparison.worst
        table.add_row("  where", f"batch {batch}, out {channel}, row {row}, column {column}")
        table.add_row("  fused there", f"{comparison.fused:.{dtype.digits}g}")
        table.add_row("  unfused there", f"{comparison.unfused:.{dtype.digits}g}")
    table.add_row("mean |fused - unfused|", f"{comparison.mean_abs_diff:.3g}")
    figures = figures_of(study.outputs)
    table.add_row("relative error", _with_aside(f"{figures.relative_error:.3g}", "of the norms"))
    table.add_row("SQNR, cosine", f"{figures.sqnr_db:.1f} dB, {figures.cosine:.9g}")
    table.add_row("share of the rounding budget", _budget(study.verdict))
    rerun = "the run above" if dtype is Dtype.FLOAT64 else "fusion and both sides run again"
    table.add_row("max in float64", _with_aside(f"{study.float64.max_abs_diff:.3g}", rerun))
    allclose = "yes" if comparison.allclose else "no"
    table.add_row("torch.allclose", _with_aside(allclose, "default tolerances"))
    if comparison.non_finite:
        table.add_row("NaN or infinite", f"{comparison.non_finite:,} elements of either output")
    return table


def _budget(verdict: Verdict) -> str | Text:
    """The share, or how many times over; and the bound, where it is that of the run in the dtype."""
    used = percent(verdict.budget_used) if verdict.budget_used <= 1 else multiple(verdict.budget_used)
    if verdict.ruling is Ruling.WRONG:
        return used
    batch, channel, row, column = verdict.worst.index
    place = f"batch {batch}, out {channel}, row {row}, column {column}"
    return _with_aside(used, f"at {place}, whose budget is {verdict.bound:.3g}")


def _with_aside(value: str, aside: str) -> Text:
    return Text.assemble(value, (f"  ({aside})", _ASIDE))


def _costs(study: Study) -> Table:
    table = _table("cost", "unfused", "fused", "fused / unfused", numbers=True)
    for name, sides in (("parameters", study.cost.params), ("MACs", study.cost.macs)):
        table.add_row(name, f"{sides.unfused:,}", f"{sides.fused:,}", _ratio(sides))
    return table


def _ratio(sides: Sides) -> str:
    return f"{sides.fused / sides.unfused:.3f}" if sides.unfused else "-"


def _table(*headings: str, numbers: bool = False) -> Table:
    """An empty table of the report: no frame, one rule under the headings."""
    table = Table(box=box.SIMPLE_HEAD, header_style=_HEADING, show_edge=False)
    for index, heading in enumerate(headings):
        justify: JustifyMethod = "right" if numbers and index else "left"
        width = _LABEL_WIDTH if index == 0 else None
        table.add_column(heading, justify=justify, min_width=width, overflow="fold")
    return table


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"
