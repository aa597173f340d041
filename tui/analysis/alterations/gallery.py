"""The well-known ways to fuse, or to compare, wrongly, as words: what was done, what shows or hides it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tui.analysis.alterations import conditions
from tui.analysis.alterations.conditions import Condition
from tui.analysis.side import WrongSide
from tui.fusion.specs.block_spec import BlockSpec


class Extent(StrEnum):
    """Where the error map of a mistake is not zero."""

    BORDER = "at the border only"
    CONSTANT = "one number for each output channel"
    CHANNELS = "in some output channels only"
    EVERYWHERE = "everywhere"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One way to fuse wrongly, or to run the block wrongly beside a right fusion.

    Attributes:
        name: what the command line and the settings call it.
        title: what the screen calls it.
        story: what was done and why; where it was seen, if that is on record.
        shows: what its error map, fused - unfused, looks like.
        hidden_by: which inputs or settings would have hidden it.
        condition: why it cannot be made on a block, where it cannot.
        extent: where the error map is not zero, for a random input and random parameters.
        side: which side is wrong.
    """

    name: str
    title: str
    story: str
    shows: str
    hidden_by: str
    condition: Condition
    extent: Extent = Extent.EVERYWHERE
    side: WrongSide = WrongSide.FUSED

    @property
    def on_purpose(self) -> str:
        """What was done: "Fused wrongly on purpose: 1x1 missing."."""
        return f"{self.side.made} wrongly on purpose: {self.title}."


_ALL = (
    Mistake(
        "1x1-unpadded",
        "1×1 not padded",
        "The 1×1 weight was added to the k×k one as it is. Shapes (out, in, 1, 1) and (out, in, k, k) "
        "broadcast without a word, so each tap got the 1×1's weight, not the centre alone.",
        "Everywhere, large: each pixel also sees its neighbours through the 1×1.",
        "An input of a single pixel: all other taps fall on the zeros outside.",
        conditions.pointwise_misplaced,
    ),
    Mistake(
        "1x1-off-centre",
        "1×1 one tap off centre",
        "The 1×1 was padded to the k×k frame one tap too far down and to the right, as k // 2 does for an "
        "even kernel, whose centre is (k - 1) // 2, and [2, 0, 2, 0] for [1, 1, 1, 1] does for a 3×3.",
        "Everywhere: the 1×1's share of the image minus itself, shifted by a pixel; edges stand out.",
        "A constant input shows it at the border only; with replicate or circular padding it hides it.",
        conditions.pointwise_misplaced,
    ),
    Mistake(
        "1x1-missing",
        "1×1 missing",
        "Only the main branch was carried over to the fused layer and the 1×1 left behind, as in "
        "YeongHyeon/RepVGG-TF2, issue 1.",
        "Everywhere: minus the output of the 1×1.",
        "An input of zeros, if the 1×1 adds neither a bias nor a batch norm's offset.",
        conditions.needs_pointwise,
    ),
    Mistake(
        "1x1-bias-lost",
        "bias of the 1×1 lost",
        "The weights of all branches were summed, but of the biases not the 1×1's: its bias, or its folded "
        "batch norm's offset, is missing.",
        "One number for each output channel, the same at every pixel.",
        "A bias of zero; beside a batch norm, statistics as they start: mean 0 and beta 0.",
        conditions.pointwise_bias,
        Extent.CONSTANT,
    ),
    Mistake(
        "identity-off-centre",
        "identity one tap off centre",
        "The identity's ones were put one tap too far down and to the right of the centre.",
        "Everywhere: the image minus itself, shifted by a pixel; edges stand out.",
        "A constant input shows it at the border only; with replicate or circular padding it hides it.",
        conditions.identity_misplaced,
    ),
    Mistake(
        "identity-missing",
        "identity missing",
        "The branch without a weight of its own was overlooked: only what has a convolution was fused.",
        "Everywhere: minus the input itself.",
        "An input of zeros, if the identity has no batch norm.",
        conditions.needs_identity,
    ),
    Mistake(
        "identity-twice",
        "identity added twice",
        "The identity was fused into the kernel and still added in forward, as a residual connection is.",
        "Everywhere: the input itself.",
        "An input of zeros, if the identity has no batch norm.",
        conditions.needs_identity,
    ),
    Mistake(
        "identity-column",
        "identity at column i, groups forgotten",
        "Row i of the identity has its 1 at column i mod (C / groups). With column i instead, as "
        "nn.init.dirac_ does without its groups argument, a grouped weight has no such column beyond the "
        "first group: those rows stay empty.",
        "In all output channels but the first group's: there the input is missing.",
        "groups = 1, where column i is right; an input of zeros in the channels after the first group.",
        conditions.identity_column,
        Extent.CHANNELS,
    ),
    Mistake(
        "identity-norm-lost",
        "identity without its batch norm",
        "A plain 1 was put at the identity's place: the batch norm that RepVGG has there was not folded.",
        "Everywhere: a multiple of the input, another one in each channel, and a constant.",
        "Batch norms with the statistics they start with, but for eps: they leave the input as it is.",
        conditions.identity_norm,
    ),
    Mistake(
        "channels-transposed",
        "kernel transposed in / out",
        "The first two axes of the weight were exchanged, (in, out) for (out, in), as on the way between "
        "frameworks or through a transposed convolution. Equal channels let it pass.",
        "Everywhere, without any structure.",
        "Weights that are all alike, without batch norm; one channel; the identity alone.",
        conditions.channels_transposed,
    ),
    Mistake(
        "taps-transposed",
        "kernel transposed height / width",
        "The last two axes of the weight were exchanged, (kW, kH) for (kH, kW). Square kernels let it pass.",
        "Everywhere, without any structure.",
        "Weights that are all alike; a constant input shows it at the border only.",
        conditions.taps_transposed,
    ),
    Mistake(
        "flipped",
        "kernel flipped",
        "The kernel was turned by 180 degrees, as between a convolution as mathematics has it and the "
        "cross-correlation that nn.Conv2d computes.",
        "Everywhere, without any structure.",
        "Weights that are all alike; a constant input shows it at the border only.",
        conditions.flipped,
    ),
    Mistake(
        "bias-unscaled",
        "conv bias not scaled by gamma/sigma",
        "A convolution's bias was added after the batch norm, b + offset, not in front of it, "
        "b gamma/sigma + offset: ultralytics/yolov3, issue 807; vlfeat/matconvnet, issue 772.",
        "One number for each output channel, the same at every pixel.",
        "Biases of zero; batch norms with the statistics they start with, but for eps.",
        conditions.bias_unscaled,
        Extent.CONSTANT,
    ),
    Mistake(
        "conv-bias-dropped",
        "conv biases dropped",
        "The fuser took for granted that convolutions have no bias of their own, as is usual beside a batch "
        "norm, and looked only at their weights.",
        "One number for each output channel, the same at every pixel.",
        "Convolutions without a bias, or with biases of zero.",
        conditions.needs_conv_bias,
        Extent.CONSTANT,
    ),
    Mistake(
        "bias-lost",
        "the whole bias lost",
        "The fused layer was built with bias=False, as the layers it replaces were, and the fused bias found "
        "no place: open-mmlab/mmdetection, issue 2924; jiazhihao/TASO, pull request 47.",
        "One number for each output channel, the same at every pixel.",
        "Biases of zero and batch norms with the statistics they start with: mean 0 and beta 0.",
        conditions.needs_bias,
        Extent.CONSTANT,
    ),
    Mistake(
        "mean-ignored",
        "running_mean ignored",
        "The batch norms were folded as gamma/sigma and beta; the running mean was not subtracted.",
        "One number for each output channel, the same at every pixel.",
        "Batch norms with the statistics they start with, whose running mean is 0.",
        conditions.needs_norm,
        Extent.CONSTANT,
    ),
    Mistake(
        "var-not-rooted",
        "running_var taken for sigma",
        "gamma was divided by running_var + eps, not by its square root.",
        "Everywhere: another factor in each output channel.",
        "Batch norms with the statistics they start with, but for eps: 1 is its own root.",
        conditions.needs_norm,
    ),
    Mistake(
        "eps-1e-3",
        "eps 1e-3 for 1e-5",
        "Batch norms were folded with another eps than they ran with: 1e-3, as YOLO models have it, for "
        "torch's 1e-5 (or the other way, wang-xinyu/tensorrtx, pull request 1444). No checkpoint holds eps.",
        "Everywhere: another factor in each output channel, the larger the smaller the variance.",
        "Variances near 1, where it is 1 part in 2000: 16-bit rounding looks the same. At 1e-4 it is 3.16.",
        conditions.needs_norm,
    ),
    Mistake(
        "var-unbiased",
        "running_var × n / (n - 1)",
        "The variance was unbiased again: torch's running_var already is (pytorch/pytorch, issue 77427), "
        "other frameworks' need not be. n = batch × height × width, here of what is on the bench: no "
        "checkpoint holds that of training.",
        "Everywhere: the same factor in each output channel, for variances far above eps.",
        "A large n: with 10,000 values a channel it is 1 part in 20,000. Variances below eps.",
        conditions.variance_unbiased,
    ),
    Mistake(
        "train-mode",
        "unfused side in train mode",
        "eval() was forgotten before the comparison: the block's batch norms followed the input, the fused "
        "kernel their running statistics (DingXiaoH/RepVGG, issue 9; apple/ml-mobileone, issue 8).",
        "Everywhere, another factor and constant in each channel, and others for the next input.",
        "An input whose own mean and variance are the running ones.",
        conditions.train_mode,
        side=WrongSide.UNFUSED,
    ),
    Mistake(
        "zero-border",
        "zeros padded after the bias of a 1×1",
        "The unfused block pads zeros between a 1×1 and what follows it. The fused convolution has the 1×1's "
        "value at zero there: its bias, or its batch norm's offset (DingXiaoH/DiverseBranchBlock, issue 9).",
        "At the border only, as wide as the kernel reaches.",
        "A 1×1 that leaves 0 at 0: no bias, and batch norms with the statistics they start with.",
        conditions.zero_border,
        Extent.BORDER,
        WrongSide.UNFUSED,
    ),
    Mistake(
        "dilation-dropped",
        "dilation dropped",
        "The fused convolution was built from kernel size, stride and padding; dilation was forgotten "
        "(fuse_conv_and_bn in Shanghua-Gao/RBN, issue 4, has none). With the padding made to fit, it runs.",
        "Everywhere, without any structure.",
        "A constant input shows it at the border only.",
        conditions.needs_dilation,
    ),
    Mistake(
        "average-uncounted",
        "average without the pixels outside",
        "The unfused average pooling divides by the pixels inside the image (count_include_pad=False, the "
        "default of ONNX); a convolution always divides by all of its taps.",
        "At the border only, as wide as the window reaches.",
        "An input that is zero within reach of the border.",
        conditions.needs_average,
        Extent.BORDER,
        WrongSide.UNFUSED,
    ),
    Mistake(
        "idconv-raw",
        "idconv's 1×1 without its identity",
        "DBB's 1×1 stores its weight minus the identity and adds the identity when it runs; the fuser took "
        "the stored weight.",
        "Everywhere: minus what the second step makes of the input.",
        "An input of zeros.",
        conditions.needs_identity_offset,
    ),
    Mistake(
        "scale-forgotten",
        "alpha / gamma forgotten",
        "The learned scale after a branch, QARepVGG's alpha or a layer scale, was not multiplied in.",
        "Everywhere: a multiple of that branch's output.",
        "Scales of 1, as alpha starts.",
        conditions.needs_scale,
    ),
    Mistake(
        "post-norm-forgotten",
        "batch norm after the sum forgotten",
        "The branches were fused and the batch norm that follows their sum (QARepVGG, RepViT) left out.",
        "Everywhere: another factor and constant in each output channel.",
        "A batch norm with the statistics it starts with, but for eps.",
        conditions.needs_post_norm,
    ),
)

MISTAKES: Mapping[str, Mistake] = {mistake.name: mistake for mistake in _ALL}


def obstacle(name: str, spec: BlockSpec) -> str | None:
    """Why the mistake of that name cannot be made on this block; None where it can.

    Raises:
        KeyError: no mistake has that name.
    """
    return next(MISTAKES[name].condition(spec), None)


def possible(spec: BlockSpec) -> Iterator[Mistake]:
    """The mistakes that can be made on this block, in the gallery's order."""
    return (mistake for mistake in MISTAKES.values() if obstacle(mistake.name, spec) is None)
