"""What people ask to have in a branch and no fusion can keep: activations and the like, and why."""

from __future__ import annotations

import re

NOT_LINEAR = (
    *("relu", "relu6", "leakyrelu", "prelu", "elu", "gelu", "silu", "swish", "mish", "hardswish"),
    *("sigmoid", "hardsigmoid", "tanh", "softmax", "softplus", "maxpool", "max"),
)
"""Names, in small letters and without blanks."""

WHY = (
    "is not linear: f(a) + f(b) is not f(a + b), so a sum of branches with it is no convolution. "
    "Put it after the block, where the sum has been taken"
)


def not_linear_in(text: str) -> str | None:
    """The name of something that is not linear in the text of a branch, None where there is none.

    >>> not_linear_in("3x3+norm+ReLU")
    'ReLU'
    """
    words = re.findall(r"[A-Za-z][A-Za-z_]*6?", text)
    return next((word for word in words if word.replace("_", "").lower() in NOT_LINEAR), None)
