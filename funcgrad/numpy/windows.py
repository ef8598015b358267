"""Window functions: weights that fade out a finite stretch of a signal, under NumPy's names."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.dtypes import default_float
from ..errors import ArgumentError
from ..ops.elementwise import mul
from ..ops.exponential import exp
from ..special.bessel import i0e
from .conversion import as_operand, asarray
from .elementwise import divide
from .fast import named
from .promotion import broadcast_arrays, is_array, require_real, to_inexact

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]

_DOCUMENTATION = """

    Args:
        M: how many weights.

    Returns:
        A vector of the default float; empty for M < 1.
    """


def _window(name: str, summary: str) -> Any:
    function = getattr(np, name)

    def window(M: int) -> Any:
        return Array(function(_count(name, M)).astype(default_float()))

    return named(window, name, summary + _DOCUMENTATION)


def _count(name: str, M: Any) -> int:
    try:
        return index(M)
    except TypeError:
        raise ArgumentError(f"{name}: M={M!r}; expected the number of weights, an int") from None


bartlett = _window("bartlett", "A triangle: 1 - |2n / (M - 1) - 1| for n = 0 … M - 1.")
blackman = _window("blackman", "0.42 - 0.5 cos(2πn / (M - 1)) + 0.08 cos(4πn / (M - 1)) for n = 0 … M - 1.")
hamming = _window("hamming", "0.54 - 0.46 cos(2πn / (M - 1)) for n = 0 … M - 1.")
hanning = _window("hanning", "0.5 - 0.5 cos(2πn / (M - 1)) for n = 0 … M - 1.")


def kaiser(M: int, beta: Any) -> Any:
    """I₀(β √(1 - (2n / (M - 1) - 1)²)) / I₀(β) for n = 0 … M - 1, nearly the window with most energy in its main lobe.

    Args:
        M: how many weights.
        beta: the shape, a number: 0 is a rectangle, 5 resembles `hamming`, 8.6 `blackman`. Differentiable.

    Returns:
        A vector of the default float, or of the floating dtype of `beta` if it is an array.
    """
    count = _count("kaiser", M)
    if not is_array(beta):
        return Array(np.kaiser(count, beta).astype(default_float()))
    shape = to_inexact(as_operand(beta))
    require_real(shape, "kaiser")
    if shape.ndim:
        raise ArgumentError(f"kaiser: beta has shape {shape.shape}; expected a number")
    places = 2 * np.arange(count) / max(count - 1, 1) - 1
    heights = asarray(np.sqrt(1 - places**2) if count > 1 else np.ones(max(count, 0)), shape.dtype)
    shape = abs(shape)
    heights, shape = broadcast_arrays(heights, shape)
    inside = mul(heights, shape)
    return mul(divide(i0e(inside), i0e(shape)), exp(inside - shape))  # without overflow
