"""The first minute of who learns it, key by key; run by itself, it joins its screens into one moving picture.

`tests/screens/test_learners_walk.py` presses these keys and holds each screen as a stored picture. Of those
pictures `python -m tests.first_minute` makes the one in the README.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.moving_picture import Frame, moving_picture

SCREENS = Path(__file__).parent / "screens" / "__snapshots__" / "test_learners_walk"
PICTURE = Path(__file__).parent / "screens" / "first_minute.svg"


@dataclass(frozen=True)
class Moment:
    """What is pressed, and the screen that follows.

    Attributes:
        keys: as textual names them.
        seconds: for which the screen stands in the moving picture.
        words: what is done, below the screen.
        read: words that must be read on the screen.
    """

    keys: tuple[str, ...]
    seconds: float
    words: str
    read: tuple[str, ...]


MINUTE = (
    Moment(
        (),
        5.0,
        "three kernels and their sum: one block, written two ways",
        ("k×k conv", "+ 1×1 conv, as 3×3", "+ identity, as 3×3", "= fused 3×3 conv"),
    ),
    Moment(
        ("right",),
        3.0,
        "one cursor in all grids: the line below adds up the weights under it",
        ("tap (1,2): kxk +2 + 1x1 0 + identity 0 = fused +2",),
    ),
    Moment(("tab",), 2.5, "to the next kernel, the 1×1", ()),
    Moment(
        ("2",),
        4.0,
        "step by step: the k×k kernel is taken as it is",
        ("as it is", "has the fused kernel's size already", "w3, b3 = conv3.weight, conv3.bias", "✓ holds"),
    ),
    Moment(
        ("n",),
        5.0,
        "the next step: the 1×1 becomes a 3×3 kernel",
        (
            "1×1 to 3×3",
            "the weight goes there, and the 8 neighbours get 0",
            "F.pad(w1, [1, 1, 1, 1])",
            "✓ holds",
        ),
    ),
    Moment(
        ("n",),
        5.0,
        "so does the identity",
        (
            "identity to 3×3",
            "a single 1, at its centre (1,1): a Dirac kernel",
            "wi = nn.init.dirac_(",
            "✓ holds",
        ),
    ),
    Moment(
        ("n",),
        5.5,
        "the kernels are added",
        ("Convolution is linear", "kxk 1 + 1x1 -2 + identity 1 = 0", "w = w3 + w1 + wi", "✓ holds"),
    ),
    Moment(
        ("n",),
        3.5,
        "and the biases",
        ("So they are one bias: their sum", "bias[0]: kxk 0 + 1x1 1 = 1", "b = b3 + b1", "✓ holds"),
    ),
    Moment(
        ("n",),
        5.0,
        "both sides run, and agree",
        ("unfused", "fused − unfused in float32 = 0", "torch.allclose(fused, block(x)", "# True", "✓ holds"),
    ),
    Moment(
        ("3",),
        4.0,
        "the input, both outputs, and their difference",
        ("unfused out 0", "no difference", "5 of 9 taps in the padding"),
    ),
    Moment(
        ("6",),
        3.5,
        "the well-known ways to fuse it wrongly",
        ("fused rightly ● now", "nowhere beyond rounding"),
    ),
    Moment(
        ("down",),
        5.0,
        "one of them, in a preview",
        ("each tap got the 1×1's weight, not the centre alone", "preview wrong max |d| 52"),
    ),
    Moment(
        ("enter",),
        5.5,
        "fused like that, the verdict turns",
        ("1×1 not padded ● made", "wrong 4.5e+14 times its bound", "looks like 1×1 not padded, exactly"),
    ),
    Moment(("u",), 3.5, "undone: they agree again", ("fused rightly ● now", "exact no element differs")),
)


def pictures() -> Iterator[str]:
    """The stored screens, in the order in which syrupy numbers them."""
    for number in range(len(MINUTE)):
        name = f"test_the_walk.{number}.svg" if number else "test_the_walk.svg"
        yield (SCREENS / name).read_text(encoding="utf-8")


def first_minute() -> str:
    """The moving picture, as SVG."""
    frames = [
        Frame(picture, moment.seconds, moment.keys, moment.words)
        for picture, moment in zip(pictures(), MINUTE, strict=True)
    ]
    return moving_picture(frames, "The first minute: from three kernels to one, and a mistake that is found")


if __name__ == "__main__":
    PICTURE.write_text(first_minute(), encoding="utf-8")
