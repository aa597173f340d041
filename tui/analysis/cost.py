"""What a block costs, from the shapes alone: parameters and multiply-accumulates of both sides."""

from __future__ import annotations

from dataclasses import dataclass

from tui.fusion.spec import BlockSpec, BranchKind, BranchSpec, Scale


@dataclass(frozen=True, slots=True)
class Sides:
    """One count for the block as it is and one for the convolution that it fuses to."""

    unfused: int
    fused: int


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a block beside that of what it fuses to.

    Attributes:
        params: weights, biases, and gamma and beta of batch norms.
        macs: multiply-accumulates of the convolutions on the whole batch; batch norms and sums not counted.
    """

    params: Sides
    macs: Sides


def cost_of(spec: BlockSpec) -> Cost:
    """Parameters and MACs of this block and of its convolution."""
    post_norm = 2 * spec.out_channels if spec.post_norm else 0
    params = Sides(
        sum(_branch_params(spec, branch) for branch in spec.branches) + post_norm, _fused_params(spec)
    )
    macs = Sides(
        sum(_macs(spec, branch) for branch in spec.branches),
        positions_of(spec) * _fused_weights(spec),
    )
    return Cost(params, macs)


def positions_of(spec: BlockSpec) -> int:
    """Output pixels of the batch."""
    batch, _, height, width = spec.output_nchw
    return batch * height * width


def first_weights(spec: BlockSpec, branch: BranchSpec) -> int:
    """Weights of a sequence's 1 x 1 convolution, 0 for other kinds."""
    if not branch.kind.is_sequence:
        return 0
    return spec.channels_between(branch) * (spec.in_channels // spec.branch_groups(branch))


def _last_weights(spec: BlockSpec, branch: BranchSpec) -> int:
    """Weights of the convolution that gives the branch's output, 0 where pooling or nothing does."""
    if not branch.kind.has_weight or branch.kind is BranchKind.POINTWISE_AVERAGE:
        return 0
    height, width = spec.branch_kernel_size(branch)
    columns = spec.channels_between(branch) if branch.kind.is_sequence else spec.in_channels
    return spec.out_channels * (columns // spec.branch_groups(branch)) * height * width


def _fused_weights(spec: BlockSpec) -> int:
    """Weights of the nn.Conv2d that is given away, the zeros of a larger frame among them."""
    height, width = spec.conv2d_kernel_size
    return spec.out_channels * (spec.in_channels // spec.fused_groups) * height * width


def _branch_params(spec: BlockSpec, branch: BranchSpec) -> int:
    between = spec.channels_between(branch) if branch.kind.is_sequence else 0
    has_last = _last_weights(spec, branch) > 0
    biases = between + has_last * spec.out_channels if branch.bias else 0
    norms = 2 * between * branch.inner_norm + 2 * spec.out_channels * branch.batch_norm
    scale = {Scale.NONE: 0, Scale.ALPHA: 1, Scale.GAMMA: spec.out_channels}[branch.scale]
    return first_weights(spec, branch) + _last_weights(spec, branch) + biases + norms + scale


def _fused_params(spec: BlockSpec) -> int:
    has_bias = spec.post_norm or any(
        branch.bias or branch.batch_norm or branch.inner_norm for branch in spec.branches
    )
    return _fused_weights(spec) + has_bias * spec.out_channels


def _macs(spec: BlockSpec, branch: BranchSpec) -> int:
    inputs = spec.batch_size * spec.input_shape[0] * spec.input_shape[1]
    return inputs * first_weights(spec, branch) + positions_of(spec) * _last_weights(spec, branch)
