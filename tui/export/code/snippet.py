"""A study as one self-contained PyTorch script: the block, its fusion twice, the input, what they give."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

from torch import Tensor, nn

import tui
from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.study import Study
from tui.export.code import pieces
from tui.export.code.branch_code import forward_lines, modules_of, named, parameters_of
from tui.export.code.by_layer import norm_in_words
from tui.export.code.conv2d_text import conv2d_in_words
from tui.export.code.fusion_code import fusion_lines
from tui.export.code.literals import bytes_code, numbers_code
from tui.export.errors import ExportError
from tui.fusion.block import ReparamBlock, conv_of
from tui.fusion.specs.block_spec import Dtype
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.padding import even_border

MOST_LITERALS = 2000
"""Numbers of all tensors together that are written out one by one."""
FEW_LITERALS = 64
"""Numbers of a tensor that are written out in any case."""
MOST_BYTES = 16 * 2**20
"""Bytes of all tensors together that a script holds."""

_PIECES: tuple[Callable[..., object], ...] = (
    pieces.Float16Conv2d,
    pieces.OffsetIdentityConv,
    pieces.FixedDepthwise,
    pieces.value_at_zero,
    pieces.pad_with,
    pieces.average_inside,
    pieces.kernel_of,
    pieces.fixed_kernel,
    pieces.identity,
    pieces.average_pool,
    pieces.add,
    pieces.fold_batch_norm,
    pieces.scale,
    pieces.compose,
    pieces.ungroup,
    pieces.dilate,
    pieces.centred,
    pieces.padded_at,
    pieces.max_abs_difference,
    pieces.numbers,
    pieces.decoded,
)
"""In the order in which they stand in a script; each uses earlier ones only."""


_CODE = re.compile(r"[(,\]]")
"""What stands in no line of base64, and in every line that calls a function or holds numbers."""


def snippet_of(study: Study) -> str:
    """The study as a script that needs torch alone, runs both sides and prints how far they are apart.

    Each number is the study's, to the last bit. `block`, `fused`, `x` are there to go on with.

    Raises:
        ExportError: the numbers are too many for a script.
    """
    tensors = _tensors(study)
    _refuse_too_many(tensors)
    right = _right_conv(study)
    functions = [_block_class(study.fusion.block), _fuse(study.block, right), _as_conv(right)]
    return _assembled(study, [*functions, *_values(tensors), _run(study)])


def _tensors(study: Study) -> dict[str, dict[str, Tensor]]:
    """Every tensor of the script, by the variable and the name in it."""
    parameters: dict[str, Tensor] = {}
    for branch in study.block.branches:
        parameters |= parameters_of(branch)
    if study.block.post_norm is not None:
        parameters |= {
            f"post_norm.{name}": tensor
            for name, tensor in study.block.post_norm.state_dict().items()
            if name != "num_batches_tracked"
        }
    return {"PARAMETERS": parameters, "FUSED": dict(study.conv.state_dict()), "INPUT": {"x": study.x}}


def _refuse_too_many(tensors: dict[str, dict[str, Tensor]]) -> None:
    size = sum(tensor.nbytes for part in tensors.values() for tensor in part.values())
    if size > MOST_BYTES:
        raise ExportError(
            f"a script would hold {size / 2**20:,.0f} MiB of weights and input, and "
            f"{MOST_BYTES // 2**20} MiB is the most: make the block or its input smaller"
        )


def _right_conv(study: Study) -> nn.Conv2d:
    """The convolution that the block as it is comes to."""
    if study.in_effect.alters_fusion:
        return conv_of(study.block.kernel().to(study.block.dtype), study.block.geometry)
    return study.conv


def _values(tensors: dict[str, dict[str, Tensor]]) -> list[str]:
    """The assignments of the parameters, the fused convolution's and the input's numbers."""
    count = sum(tensor.numel() for part in tensors.values() for tensor in part.values())

    def code(tensor: Tensor, indent: int) -> str:
        few = tensor.numel() <= (MOST_LITERALS if count <= MOST_LITERALS else FEW_LITERALS)
        return numbers_code(tensor, indent) if few else bytes_code(tensor)

    blocks = []
    for variable in ("PARAMETERS", "FUSED"):
        lines = [f'    "{name}": {code(tensor, 4)},' for name, tensor in tensors[variable].items()]
        blocks.append("\n".join([f"{variable} = {{", *lines, "}"]) if lines else f"{variable} = {{}}")
    return [*blocks, f"x = {code(tensors['INPUT']['x'], 0)}"]


def _block_class(block: ReparamBlock) -> str:
    made: dict[str, str] = {}
    forward: list[str] = []
    outputs = []
    for branch in block.branches:
        made |= modules_of(branch)
        forward += forward_lines(branch)
        outputs.append(named("y", branch))
    result = " + ".join(outputs)
    if isinstance(block.post_norm, nn.BatchNorm2d):
        made["post_norm"] = norm_in_words(block.post_norm)
        result = f"self.post_norm({result})"
    lines = [
        "class Block(nn.Module):",
        '    """The branches side by side, and their sum."""',
        "",
        "    def __init__(self) -> None:",
        "        super().__init__()",
        *(f"        self.{name} = {expression}" for name, expression in made.items()),
        "",
        "    def forward(self, x: Tensor) -> Tensor:",
        *(f"        {line}" for line in forward),
        f"        return {result}",
    ]
    return "\n".join(lines)


def _fuse(block: ReparamBlock, right: nn.Conv2d) -> str:
    frame, spacing = ((pair[0], pair[1]) for pair in (right.kernel_size, right.dilation))
    border = None if isinstance(right.padding, str) else even_border((right.padding[0], right.padding[1]))
    given = Geometry(dilation=spacing, groups=right.groups, border=border)
    lines = [
        "@torch.no_grad()",
        "def fuse(block: Block) -> Kernel:",
        '    """The weight and bias of the block as one kernel, in float64: the sum of its branches\'."""',
    ]
    for place, branch in enumerate(block.branches):
        lines += [
            f"    # {branch.name}",
            *(f"    {line}" for line in fusion_lines(branch, given, frame)),
        ]
        lines.append("    total = add(total, kernel)" if place else "    total = kernel")
    if block.post_norm is not None:
        lines.append("    total = fold_batch_norm(total, block.post_norm)")
    return "\n".join([*lines, "    return total"])


def _as_conv(right: nn.Conv2d) -> str:
    expression = f"{conv2d_in_words(right, Dtype.FLOAT32)[:-1]}, dtype=dtype)"
    bias = ', "bias": kernel[1]' if right.bias is not None else ""
    return "\n".join(
        [
            "def as_conv(kernel: Kernel, dtype: torch.dtype) -> nn.Conv2d:",
            '    """The fused kernel as a convolution, rounded once."""',
            f"    conv = {expression}",
            f'    conv.load_state_dict({{"weight": kernel[0]{bias}}})',
            "    return conv.eval()",
        ]
    )


def _run(study: Study) -> str:
    fused = conv2d_in_words(study.conv, Dtype.FLOAT32)
    train = ".train()  # the mistake" if study.fusion.block.training else ".eval()"
    return f'''block = Block().to(DTYPE){train}
block.load_state_dict(PARAMETERS)
fused = {fused}.to(DTYPE).eval()
fused.load_state_dict(FUSED)

with torch.no_grad():
    unfused_output, fused_output = block(x), fused(x)
    fused_again = as_conv(fuse(block), DTYPE)
    again = max_abs_difference(fused_again(x), unfused_output)

    block64 = copy.deepcopy(block).double()
    fused64 = as_conv(fuse(block64), torch.float64)
    in_float64 = max_abs_difference(fused64(x.double()), block64(x.double()))

print("max |fused - unfused|:", max_abs_difference(fused_output, unfused_output))
print("  as repfuse-tui found it:", "{study.comparison.max_abs_diff!r}")
print("  with the kernel fused again by fuse():", again)
print("  all of it in float64:", in_float64)'''


def _assembled(study: Study, body: list[str]) -> str:
    """The docstring, the imports, the functions that are called, then the body."""
    text = "\n\n\n".join(body)
    if study.spec.dtype is Dtype.FLOAT16:
        text = text.replace("nn.Conv2d(", "Float16Conv2d(")
    code = "\n".join(line for line in text.splitlines() if _CODE.search(line))  # without megabytes of base64
    used: list[str] = []
    for piece in reversed(_PIECES):
        if re.search(rf"\b{piece.__name__}\(", "\n".join([code, *used])):
            used.insert(0, _source(piece, study.spec.dtype))
    constants = f"DTYPE = torch.{study.spec.dtype}\nKernel = tuple[Tensor, Tensor]"
    head = "\n\n".join([_docstring(study), _imports(code, "\n".join(used)), constants])
    return "\n\n\n".join([head, *used, text]) + "\n"


def _source(piece: Callable[..., object], dtype: Dtype) -> str:
    source = inspect.getsource(piece).rstrip()
    if dtype is Dtype.FLOAT16 and piece is pieces.OffsetIdentityConv:
        return source.replace("(nn.Conv2d)", "(Float16Conv2d)")
    return source


def _imports(text: str, used: str) -> str:
    standard = {"import base64": "base64." in used, "import copy": True}
    standard["from math import inf, nan"] = re.search(r"(?<![\w.])(nan|inf)[,\])]", text) is not None
    standard["from typing import Any"] = "Any" in used
    functional = "functional." in text + used
    return "\n".join(
        [
            *(line for line, wanted in standard.items() if wanted),
            "",
            "import torch",
            "from torch import Tensor, nn",
            *["from torch.nn import functional"] * functional,
        ]
    )


def _docstring(study: Study) -> str:
    lines = [
        f'"""A block of branches and the convolution that it fuses to, from repfuse-tui {tui.__version__}.',
        "",
        "It runs both on the same input and prints how far apart they are. It needs torch alone.",
        "",
        *_altered(study),
        study.verdict.sentence,
        '"""',
    ]
    return "\n".join(lines)


def _altered(study: Study) -> list[str]:
    """What in it is not as the block would have it."""
    lines = []
    if study.in_effect.mistake:
        made = MISTAKES[study.in_effect.mistake].side.made
        lines.append(f"{made} with a mistake, made on purpose: {study.in_effect.mistake}.")
    count = len(study.in_effect.edits)
    if count:
        lines.append(
            "One number in it was set by hand." if count == 1 else f"{count} numbers were set by hand."
        )
    if study.in_effect.alters_fusion:
        lines.append("So `fused` is another convolution than fuse(block).")
    if study.in_effect.alters_run:
        lines.append("So `block` does not run as what fuse(block) makes of it, which is right.")
    return [*lines, ""] if lines else []
