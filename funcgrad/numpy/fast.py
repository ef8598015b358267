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
from ..compiler.evaluate import evaluation, silence
from ..core.trace import state

__all__ = [
    "ANY",
    "BITS",
    "FLOATING",
    "REAL",
    "SIMPLE",
    "named",
    "quick_binary",
    "quick_reduce",
    "quick_unary",
    "quick_view",
]

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
        scalars: dtypes out of `chars` for which a Python float or int of the same kind may be the other operand.
    """
    float_scalars = "".join(c for c in "fdFD" if c in (chars if scalars is None else scalars))
    int_scalars = "".join(c for c in "ilfdFD" if c in (chars if scalars is None else scalars))

    def binary(x1: Any, x2: Any, /) -> Any:
        first = type(x1) is Array
        x = x1 if first else x2
        if type(x) is Array and state.trace is evaluation and evaluation.host_only:
            host = x._host
            if host is not None and x._device is None:
                char = host.dtype.char
                other = x2 if first else x1
                if type(other) is Array:
                    number = other._host
                    if (
                        number is None
                        or other._device is not None
                        or number.dtype is not host.dtype
                        or char not in chars
                    ):
                        return general(x1, x2)
                elif (type(other) is float and char in float_scalars) or (type(other) is int and char in int_scalars):
                    number = other
                else:
                    return general(x1, x2)
                try:
                    result = silence.run(ufunc, host, number) if first else silence.run(ufunc, number, host)
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
                result = silence.run(ufunc, a)
                return Array(result if type(result) is _ndarray else _asarray(result))
        return general(x)

    return unary


def quick_reduce(ufunc: np.ufunc, chars: str, x: Any, axis: Any, keepdims: bool) -> Array | None:
    """The reduction of a host array of a dtype out of `chars`; None if it takes the general way."""
    if type(x) is Array and state.trace is evaluation and evaluation.host_only:
        host = x._host
        if host is not None and x._device is None and host.dtype.char in chars:
            try:
                result = silence.run(ufunc.reduce, host, axis, None, None, keepdims)  # type: ignore[call-arg]
            except (TypeError, ValueError):  # no such axis, or no elements
                return None
            return Array(result if type(result) is _ndarray else _asarray(result))
    return None


def quick_view(method: Callable[..., Any], x: Any, *args: Any) -> Array | None:
    """A NumPy method that makes a view of a host array; None if it takes the general way."""
    if type(x) is Array and state.trace is evaluation and evaluation.host_only:
        host = x._host
        if host is not None and x._device is None:
            try:
                return Array(method(host, *args))
            except (TypeError, ValueError):
                return None
    return None
