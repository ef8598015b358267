"""The quick way for small eager arrays: a host array's NumPy function is called at once, all else goes the general way.

Each factory takes `general`, the function for every other operand, and returns it with the shortcut in front. A
shortcut is only for operations whose `evaluate` is exactly that NumPy function for the dtypes named in `chars`.
NumPy's own refusals fall through to `general`, so that our error appears.
"""

# Hot: every eager operation passes here, hence the plain nesting (benchmark: eager).

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
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
    "quick_call",
    "quick_host",
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


def quick_host(x: Any, chars: str = ANY) -> np.ndarray | None:
    """The memory of a host array of a dtype out of `chars` that NumPy may compute with at once; None for all else."""
    if type(x) is Array and state.trace is evaluation and evaluation.host_only and x._device is None:
        host = x._host
        if host is None:
            host = x.host()
        if host.dtype.char in chars:
            return host
    return None


_PLAIN = frozenset((int, float, str, bool, type(None)))


def quick_call(
    reference: Callable[..., Any],
    chars: str = FLOATING,
    most: int | None = None,
    unless: Callable[..., bool] | None = None,
) -> Callable[[Any], Any]:
    """A decorator: NumPy's function in front of `general`, for host arrays of one dtype and plain options.

    Args:
        reference: NumPy's function, which takes what `general` takes. Its results of another precision than the arrays
            are rounded to theirs.
        chars: the dtypes for which it gives the same.
        most: more elements than that take the general way.
        unless: is given what `reference` would get by position, and says whether the general way is the better one.
    """

    def decorate(general: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(general)
        def function(*args: Any, **options: Any) -> Any:
            if state.trace is not evaluation or not evaluation.host_only:
                return general(*args, **options)
            hosts: list[Any] = []
            dtype = None
            for x in args:
                if type(x) is Array:
                    host = x._host
                    if host is None or x._device is not None or (host.dtype is not dtype and dtype is not None):
                        return general(*args, **options)
                    if dtype is None:
                        dtype = host.dtype
                    if most is not None and host.size > most:
                        return general(*args, **options)
                    hosts.append(host)
                elif type(x) in _PLAIN:
                    hosts.append(x)
                else:
                    return general(*args, **options)
            if dtype is None or dtype.char not in chars or any(type(x) not in _PLAIN for x in options.values()):
                return general(*args, **options)
            if unless is not None and unless(*hosts):
                return general(*args, **options)
            try:
                result = silence.run(reference, *hosts, **options)
            except (TypeError, ValueError, IndexError):
                return general(*args, **options)
            return tuple([_rounded(r, dtype) for r in result]) if type(result) is tuple else _rounded(result, dtype)

        return function

    return decorate


def _rounded(result: Any, dtype: np.dtype) -> Array:
    host = result if type(result) is _ndarray else _asarray(result)
    if host.dtype is not dtype and host.dtype.kind == dtype.kind:
        host = silence.run(host.astype, dtype)
    return Array(host)
