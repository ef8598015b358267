"""The quick way for small eager arrays: a host array's NumPy function is called at once, all else goes the general way.

Each factory takes `general`, the function for every other operand, and returns it with the shortcut in front. A
shortcut is only for operations whose `evaluate` is exactly that NumPy function for the dtypes named in `chars`.
NumPy's own refusals fall through to `general`, so that our error appears.
"""

# Hot: every eager operation passes here, hence the plain nesting (benchmark: eager).

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.evaluate import evaluation, quiet
from ..core.trace import state

__all__ = ["ANY", "BITS", "FLOATING", "REAL", "SIMPLE", "named", "quick_binary", "quick_unary"]

FLOATING = "fd"
SIMPLE = "fdilFD"
REAL = "fdil"
BITS = "?bBhHiIlL"
ANY = "?bBhHiIlLefdFD"

_ndarray = np.ndarray
_asarray = np.asarray


def named(function: Callable[..., Any], name: str, doc: str) -> Any:
    """`function` with its public name and docstring."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    function.__module__ = "funcgrad.numpy"
    return function


def quick_binary(
    ufunc: Callable[..., Any], chars: str, general: Callable[..., Any], scalars: str | None = None
) -> Callable[[Any, Any], Any]:
    """`general` of two operands, in front of it the shortcut for host arrays of one dtype out of `chars`.

    Args:
        scalars: dtypes out of `chars` for which a Python float or int of the same kind may be the second operand.
    """
    float_scalars = "".join(c for c in "fdFD" if c in (chars if scalars is None else scalars))
    int_scalars = "".join(c for c in "ilfdFD" if c in (chars if scalars is None else scalars))

    def binary(x1: Any, x2: Any, /) -> Any:
        if type(x1) is Array and state.trace is evaluation and evaluation.host_only:
            a = x1._host
            if a is not None and x1._device is None:
                char = a.dtype.char
                if type(x2) is Array:
                    b = x2._host
                    if b is None or x2._device is not None or b.dtype is not a.dtype or char not in chars:
                        return general(x1, x2)
                elif type(x2) is float and char in float_scalars or type(x2) is int and char in int_scalars:
                    b = x2
                else:
                    return general(x1, x2)
                try:
                    result = quiet(ufunc, a, b)
                except (ValueError, OverflowError):
                    return general(x1, x2)
                return Array(result if type(result) is _ndarray else _asarray(result))
        return general(x1, x2)

    return binary


def quick_unary(ufunc: Callable[..., Any], chars: str, general: Callable[..., Any]) -> Callable[[Any], Any]:
    """`general` of one operand, in front of it the shortcut for host arrays of a dtype out of `chars`."""

    def unary(x: Any, /) -> Any:
        if type(x) is Array and state.trace is evaluation and evaluation.host_only:
            a = x._host
            if a is not None and x._device is None and a.dtype.char in chars:
                result = quiet(ufunc, a)
                return Array(result if type(result) is _ndarray else _asarray(result))
        return general(x)

    return unary
