"""Activation functions, elementwise (but for `glu`); integer inputs become the default float.

Their derivatives are finite everywhere: where a branch is not taken, its argument is replaced before it could overflow.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from ..errors import ShapeError
from ..numpy.conversion import as_operand
from ..numpy.elementwise import absolute, add, multiply, square, where
from ..numpy.elementwise import sqrt as square_root
from ..numpy.logic import greater, less_equal
from ..numpy.promotion import to_inexact
from ..numpy.transcendental import expm1, logaddexp, tanh
from ..ops.exponential import logistic
from ..ops.slicing import slice_in_dim
from ..ops.special import erfc
from ..ops.structure import canonical_axis

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "leaky_relu",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "swish",
    "tanh",
]


def _float(x: Any) -> Any:
    return to_inexact(as_operand(x))


def identity(x: Any) -> Any:
    """x itself."""
    return as_operand(x)


def relu(x: Any) -> Any:
    """max(x, 0); its derivative at 0 is 0, and NaN stays NaN."""
    x = as_operand(x)
    return where(less_equal(x, 0), 0, x)


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6), with derivative 0 at both corners."""
    x = as_operand(x)
    return where(less_equal(x, 0), 0, where(less_equal(6, x), 6, x))


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return logistic(_float(x))


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), without overflow."""
    return logaddexp(_float(x), 0.0)


def sparse_plus(x: Any) -> Any:
    """0 below -1, x above 1, (x + 1)² / 4 between."""
    x = _float(x)
    middle = square(where(absolute(x) < 1, x, 0.0) + 1.0) / 4.0
    return where(less_equal(x, -1), 0.0, where(less_equal(1, x), x, middle))


def sparse_sigmoid(x: Any) -> Any:
    """0 below -1, 1 above 1, (x + 1) / 2 between."""
    x = _float(x)
    return where(less_equal(x, -1), 0.0, where(less_equal(1, x), 1.0, 0.5 * (x + 1.0)))


def soft_sign(x: Any) -> Any:
    """x / (1 + |x|)."""
    x = _float(x)
    return x / (absolute(x) + 1.0)


def silu(x: Any) -> Any:
    """x · sigmoid(x)."""
    x = _float(x)
    return multiply(x, logistic(x))


swish = silu


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)), without underflow."""
    return -softplus(-_float(x))


def leaky_relu(x: Any, negative_slope: Any = 1e-2) -> Any:
    """x where it is not negative, else negative_slope · x."""
    x = _float(x)
    return where(less_equal(0, x), x, multiply(negative_slope, x))


def hard_sigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6."""
    return relu6(_float(x) + 3.0) / 6.0


def hard_silu(x: Any) -> Any:
    """x · hard_sigmoid(x)."""
    x = _float(x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def hard_tanh(x: Any) -> Any:
    """x held between -1 and 1, with derivative 0 outside."""
    x = as_operand(x)
    return where(greater(x, 1), 1, where(greater(-1, x), -1, x))


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """x where it is positive, else alpha · (exp(x) - 1)."""
    x = _float(x)
    positive = greater(x, 0)
    return where(positive, x, alpha * expm1(where(positive, 0.0, x)))


def celu(x: Any, alpha: Any = 1.0) -> Any:
    """x where it is positive, else alpha · (exp(x / alpha) - 1)."""
    x = _float(x)
    positive = greater(x, 0)
    return where(positive, x, alpha * expm1(where(positive, 0.0, x) / alpha))


def selu(x: Any) -> Any:
    """The self-normalizing elu of Klambauer et al. (2017): scale · elu(x, alpha)."""
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


def gelu(x: Any, approximate: bool = True) -> Any:
    """x · Φ(x), Φ being the normal distribution function (Hendrycks and Gimpel, 2016).

    Args:
        x: array.
        approximate: use the formula by tanh, which is a little faster and off by less than 5e-4.
    """
    x = _float(x)
    if approximate:
        return x * (0.5 * (1.0 + tanh(sqrt(2 / pi) * (x + 0.044715 * (x * x * x)))))
    return 0.5 * x * erfc(-x / sqrt(2))


def glu(x: Any, axis: int = -1) -> Any:
    """The first half along an axis times the sigmoid of the second half.

    Raises:
        ShapeError: the axis has odd length.
    """
    x = _float(x)
    axis = canonical_axis(axis, x.ndim)
    length = x.shape[axis]
    if length % 2:
        raise ShapeError(f"glu splits axis {axis} in halves, but its length is {length} (shape {x.shape})")
    half = length // 2
    return multiply(slice_in_dim(x, 0, half, 1, axis), logistic(slice_in_dim(x, half, length, 1, axis)))


def squareplus(x: Any, b: Any = 4) -> Any:
    """(x + √(x² + b)) / 2."""
    x = _float(x)
    return 0.5 * add(x, square_root(square(x) + b))


def mish(x: Any) -> Any:
    """x · tanh(softplus(x))."""
    x = _float(x)
    return x * tanh(softplus(x))
