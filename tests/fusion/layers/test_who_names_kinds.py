"""Which files name a kind of layer or branch: one for each question, and those that are about that kind.

A new kind of layer is a class, and an entry in the files of the questions that it answers in a way of its
own; `tests/analysis/test_own_layer.py` takes one through them all. A file that asks for a kind elsewhere
would have to be found and changed for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import tui

ROOT = Path(tui.__file__).parent

KINDS = {
    "Average",
    "Convolution",
    "Factor",
    "FixedDepthwise",
    "Identity",
    "Norm",
    "OffsetConvolution",
    "OffsetIdentityConv",
    "Sum",
}
"""The classes of layers."""

DEFINITIONS = {
    "fusion/layers/channelwise.py",
    "fusion/layers/convolution.py",
    "fusion/layers/fixed.py",
    "fusion/layers/rescaling.py",
    "fusion/layers/sum.py",
    "fusion/specs/branch_spec.py",
    "fusion/specs/layer_spec.py",
}
"""What the kinds are."""

QUESTIONS = {
    "analysis/alterations/editable.py",
    "analysis/bounds/by_layer.py",
    "analysis/cost.py",
    "analysis/probe/by_layer.py",
    "analysis/speed/sides.py",
    "analysis/steps/by_layer.py",
    "export/code/by_layer.py",
    "fusion/fill.py",
    "fusion/layers/building.py",
}
"""Each answers one question for every kind."""

TEXTS = {
    "analysis/sweep/axes.py",
    "checkpoints/recognition/chain_words.py",
    "fusion/grammar/branch_text.py",
    "fusion/grammar/chain_text.py",
    "fusion/specs/block_spec.py",
    "fusion/specs/branch_chain.py",
    "fusion/specs/part.py",
    "fusion/specs/problems.py",
    "fusion/specs/written_layers.py",
    "screens/dialogs/branch_choices.py",
    "views/shared/branch_words.py",
}
"""What the words of a text mean, and which there are."""

MISTAKES = {"analysis/alterations/conditions.py", "analysis/alterations/wrong_fusion.py"}
"""Each mistake is one with a layer of some kind."""

RECOGNISING = {
    "checkpoints/building.py",
    "checkpoints/folding/plain.py",
    "checkpoints/recognition/shaping.py",
    "modules/fusing.py",
    "modules/linear/lowering.py",
    "modules/linear/strand.py",
}
"""Which layers somebody else's tensors and modules are."""


def test_a_kind_is_named_where_its_question_is_answered_and_nowhere_else() -> None:
    about = DEFINITIONS | QUESTIONS | TEXTS | MISTAKES | RECOGNISING
    naming = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if set(_kinds_in(path))}
    assert naming - {"fusion/__init__.py", "fusion/layers/__init__.py"} == about


def _kinds_in(path: Path) -> Iterator[str]:
    """The kinds that the code of a file names: a class of the layers, a LayerKind or a BranchKind."""
    text = path.read_text(encoding="utf-8")
    if not any(word in text for word in ("fusion.layers", "LayerKind.", "BranchKind.", "(Layer)")):
        return
    tree = ast.parse(text)
    imported = set(_imported(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(ast.Name("LayerKind" | "BranchKind"), kind):
                yield kind
            case ast.Attribute(ast.Name("layers"), kind) if kind in KINDS and "layers" in imported:
                yield kind
            case ast.Name(kind) if kind in imported:
                yield kind
            case ast.ClassDef(kind) if kind in KINDS and path.parent.name == "layers":
                yield kind


def _imported(tree: ast.AST) -> Iterator[str]:
    """What a file calls the classes of layers, and "layers" where it has the room itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tui.fusion"):
            for name in node.names:
                if name.name in KINDS or name.name == "layers":
                    yield name.asname or name.name
