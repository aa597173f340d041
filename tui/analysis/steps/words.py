"""Why each kind of step is right, in a sentence or three for somebody who has not seen it before."""

from __future__ import annotations

from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.side import WrongSide
from tui.analysis.verdict.reason import Reason
from tui.analysis.verdict.verdict import Verdict
from tui.fusion.layers import Chain
from tui.fusion.pair_text import shortest, show_pair
from tui.fusion.specs.block_spec import Dtype, PaddingMode, Pair
from tui.fusion.specs.padding import Border, grown_and_cropped, negated, show_padding


def size(kernel_size: Pair) -> str:
    """A kernel size as the screen writes it: "3×3"."""
    return show_pair(kernel_size, "×")


AS_IT_IS = (
    "This convolution has the fused kernel's size already, and nothing follows it: its weight and its bias "
    "go into the sum as they are."
)
NORM_FOLDED = (
    "In eval mode a batch norm multiplies each channel by one number, scale = gamma / sqrt(var + eps), and "
    "adds another. A convolution can do both: scale its weights, and put the rest into its bias."
)
SCALED = {
    "alpha": "One learned number multiplies all that the branch gives; its weights and biases can do that.",
    "gamma": "One learned number a channel multiplies what the branch gives; its weights and biases can.",
}
IDENTITY_ADDED = (
    "DBB stores this 1×1 as its difference from the identity. What it runs is the stored weight plus 1 "
    "where in = out."
)
POST_SCALE = (
    "A batch norm follows the sum of the branches. What it multiplies the sum by, it multiplies each summand "
    "by: (a + b) × scale = a × scale + b × scale."
)
POST_OFFSET = (
    "What the batch norm after the sum adds comes once, not once a branch: a summand of its own, which has "
    "a bias and no weight."
)


def average(kernel_size: Pair) -> str:
    """Why an average pooling is a kernel."""
    height, width = kernel_size
    return (
        f"The mean of {size(kernel_size)} pixels takes 1/{height * width} of each pixel of the same channel, "
        "and nothing of the others. Zeros outside the image count as pixels."
    )


def identity(middle: Pair, grouped: bool) -> str:
    """Why the identity is a kernel of that size, whose centre is `middle`."""
    group = " (counted inside their group)" if grouped else ""
    return (
        "To give its input back, output channel i must take 1 × the pixel itself, of input channel i, and "
        f"0 × all else. So the kernel of in = out{group} has a single 1, at its centre "
        f"({middle[0]},{middle[1]}): a Dirac kernel. Every other kernel is zero."
    )


def embedded(own: Pair, frame: Pair, middle: Pair) -> str:
    """Why a smaller kernel is one of the frame's size."""
    zeros = frame[0] * frame[1] - own[0] * own[1]
    if own == (1, 1):
        return (
            f"A 1×1 convolution sees only the pixel itself. In a {size(frame)} kernel that is the centre tap "
            f"({middle[0]},{middle[1]}): the weight goes there, and the {zeros} neighbours get 0. Zeros add "
            "nothing, so the output stays."
        )
    return (
        f"A {size(own)} convolution is a {size(frame)} one that does not look at its other {zeros} taps: "
        f"they get 0. Both centres stand on the pixel, at ({middle[0]},{middle[1]})."
    )


def placed_by_padding(own: Pair, frame: Pair, first: Pair, border: Border, whole: Border) -> str:
    """Why a smaller kernel is one of the frame's size, and where it stands there."""
    zeros = frame[0] * frame[1] - own[0] * own[1]
    ours, all_of_it = (shortest((each[2], each[0])) for each in (border, whole))
    return (
        f"A {size(own)} convolution is a {size(frame)} one that does not look at its other {zeros} taps: "
        f"they get 0. Above and at the left it is padded by {ours}, and the fused kernel by {all_of_it}: so "
        f"its first tap stands at ({first[0]},{first[1]})."
    )


def beside_padding(border: Border, whole: Border) -> str:
    """What stands around the image for a branch of a block that pads by a number, as a further sentence."""
    does = (
        f"cropped by {show_padding(negated(border))}"
        if max(border) < 0
        else f"padded by {show_padding(border)}"
    )
    return (
        f" As the block pads by {show_padding(whole)}, this branch reads the image {does}: the same pixels."
    )


def ungrouped(groups: int, fewer: int, columns: int, rows: int) -> str:
    """Why a grouped kernel is one of fewer groups."""
    return (
        f"With {groups} groups, each {rows} output channels read {columns} input channels of their own. The "
        f"fused kernel has groups {fewer}: it reads more, and what a group did not read gets zero kernels."
    )


def widened(apart: Pair, sizes: Pair, wide: str) -> str:
    """Why a dilated kernel is a larger one."""
    distance = apart[0] if apart[0] == apart[1] else size(apart)
    return (
        f"The taps of this {size(sizes)} kernel stand {distance} apart and skip what lies between. A {wide} "
        "kernel with neighbouring taps does the same if the taps between are 0."
    )


def composed(chain: Chain, between: int, first: str, second: str) -> str:
    """Why two steps are one kernel, and what the border behind the first needs; `chain`: up to the second."""
    why = (
        f"The {second} reads what the {first} wrote. Through each channel between the two, the weights "
        f"multiply; over all {between} of them they add up."
    )
    last = chain.layers[-1]
    if last.kernel_size == (1, 1) or not any(grown_and_cropped(chain.border)[0]):
        return why
    if chain.zeros_between:
        return f"{why} Zeros are padded between them: exact, as the {first} makes 0 of 0."
    if chain.padding_mode is not PaddingMode.ZEROS:
        return f"{why} Padding ({chain.padding_mode}) repeats its output, so the border is exact."
    if first != "1×1":
        return f"{why} Exact at the border too, as all padding stands in front of the first of them."
    return f"{why} Exact at the border too, as the branch pads there what the 1×1 makes of 0 (as DBB does)."


def as_a_kernel(called: str) -> str:
    """Why any layer is a kernel."""
    return f"What {called} gives is the same sum of its input's pixels everywhere: a convolution."


def rescaled(called: str) -> str:
    """Why a layer that rescales can be folded."""
    return (
        f"{called[:1].upper()}{called[1:]} multiplies each channel by one number and may add another. A "
        "convolution can do both: scale its weights, and put the rest into its bias."
    )


def kernels_added(branches: int) -> str:
    """Why kernels can be added."""
    return (
        f"All {branches} branches convolve the same input, and their outputs are added. Convolution is "
        "linear: the sum of the outputs is what the sum of the kernels gives, tap by tap."
    )


BIASES_ADDED = (
    "A bias is added to every pixel of its output channel, whatever the input is. So they are one bias: "
    "their sum."
)


_WHERE_IT_CAME_IN = {
    WrongSide.FUSED: "The failed check before this step tells where it came in.",
    WrongSide.UNFUSED: "All checks before this step hold: the kernel is right. What ran as the unfused side "
    "is not the block that was fused.",
    WrongSide.BOTH: "The failed check before this step tells where the kernel went wrong; and what ran as "
    "the unfused side is not the block that was fused.",
}


def on_purpose(name: str, side: WrongSide) -> str:
    """What the mistake of that name did on that side, and a blank; "" where it did nothing there."""
    mistake = MISTAKES.get(name)
    return f"{mistake.on_purpose} " if mistake is not None and mistake.side is side else ""


def both_run(verdict: Verdict, branches: int, products: int) -> str:
    """Why the two sides do not give exactly the same."""
    if verdict.reason is Reason.ALGEBRA:
        return (
            "These are two different maps. Rounding is not an excuse: in float64, where it almost vanishes, "
            f"the difference stays. {_WHERE_IT_CAME_IN[verdict.side]}"
        )
    if verdict.reason is Reason.STORED:
        return f"Their outputs are near each other. {verdict.sentence}"
    if verdict.reason in (Reason.WEIGHTS, Reason.DATA, Reason.NOTHING, Reason.OVERFLOW):
        return f"NaN and infinite values hide what lies behind them. {verdict.sentence}"
    rounded = "each output and each sum" if branches > 1 else "their output"
    order = (
        f"the branches round {rounded}, the fused convolution adds {products} products at once, with rounded "
        "weights."
    )
    if verdict.reason is Reason.SAME:
        return f"The same to the last bit: round numbers need no rounding. With others it shows that {order}"
    if verdict.dtype is Dtype.FLOAT64:
        return f"One map, yet not exactly 0: {order} In float64 this is all that is left of it."
    return (
        f"One map, yet not exactly 0: {order} In float64, which rounds far finer, the difference almost "
        "vanishes; a mistake would not."
    )
