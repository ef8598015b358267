"""Statistics of samples: ranks, the most frequent value, the standard error of the mean"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...core.dtypes import default_float, default_int, is_inexact
from ...errors import ArgumentError
from ...numpy.conversion import as_operand
from ...numpy.creation import arange
from ...numpy.elementwise import sqrt, where
from ...numpy.indexing import take_along_axis
from ...numpy.joining import concatenate
from ...numpy.logic import isnan
from ...numpy.nan_reductions import nanstd
from ...numpy.reductions import any, argmax, cumsum, max, std, sum
from ...numpy.shape import expand_dims, flip, moveaxis
from ...numpy.sorting import argsort, sort
from ...ops.cumulative import cummax
from ...ops.structure import canonical_axis, convert, reshape

__all__ = ["ModeResult", "mode", "rankdata", "sem"]

POLICIES = ("propagate", "omit")


class ModeResult(NamedTuple):
    """The most frequent values, and how often they occur."""

    mode: Any
    count: Any


def _check_policy(name: str, nan_policy: str) -> None:
    if nan_policy not in POLICIES:
        raise ArgumentError(f"{name}: nan_policy={nan_policy!r}, expected one of {', '.join(POLICIES)}")


def _along(a: Any, axis: int | None) -> tuple[Any, int]:
    x = as_operand(a)
    if axis is None:
        return reshape(x, (x.size,)), 0
    return x, canonical_axis(axis, x.ndim)


def _starts(ordered: Any) -> Any:
    """Along the last axis of sorted numbers: whether each is other than the one before."""
    first = ordered[..., :1] == ordered[..., :1]
    return concatenate([first | ~first, ordered[..., 1:] != ordered[..., :-1]], -1)


def rankdata(a: Any, method: str = "average", *, axis: int | None = None, nan_policy: str = "propagate") -> Any:
    """The ranks of elements in ascending order, from 1 on.

    Args:
        a: array.
        method: the rank of equal elements: the "average", "min" or "max" of the ranks they take together; "dense" (as
            "min", but the next rank is one higher) or "ordinal" (each a rank of its own, in order of appearance).
        axis: along which to rank; None ranks the flattened array.
        nan_policy: "propagate" gives NaN to all where one is NaN; "omit" to NaN only.

    Returns:
        An array of the shape of `a`, or a vector for axis=None: of the default float for "average" and for floating
        `a`, else of the default int.
    """
    _check_policy("rankdata", nan_policy)
    if method not in _RANKS:
        raise ArgumentError(f"rankdata: method={method!r}, expected one of {', '.join(_RANKS)}")
    x, axis = _along(a, axis)
    if not x.size:
        return convert(x, default_float())
    x = moveaxis(x, axis, -1)
    order = argsort(x, -1)
    ranks = _RANKS[method](_starts(take_along_axis(x, order, -1)))
    ranks = take_along_axis(ranks, argsort(order, -1), -1)
    if is_inexact(x.dtype):
        spoiled = isnan(x) if nan_policy == "omit" else any(isnan(x), -1, keepdims=True)
        ranks = where(spoiled, np.nan, convert(ranks, default_float()))
    return moveaxis(ranks, -1, axis)


def _positions(starts: Any) -> Any:
    return arange(1, starts.shape[-1] + 1, dtype=default_int())


def _least(starts: Any) -> Any:
    return cummax(where(starts, _positions(starts), 1), starts.ndim - 1)


def _greatest(starts: Any) -> Any:
    count = starts.shape[-1]
    ends = concatenate([starts[..., 1:], starts[..., :1] | True], -1)
    return count + 1 - flip(cummax(where(flip(ends, -1), _positions(ends), 1), ends.ndim - 1), -1)


_RANKS: dict[str, Callable[[Any], Any]] = {
    "average": lambda starts: (_least(starts) + _greatest(starts)) / 2,
    "min": _least,
    "max": _greatest,
    "dense": lambda starts: cumsum(starts, -1),
    "ordinal": lambda starts: cumsum(starts | True, -1),
}


def mode(a: Any, axis: int | None = 0, nan_policy: str = "propagate", keepdims: bool = False) -> ModeResult:
    """The most frequent value along an axis, the smallest of several, and how often it occurs.

    Args:
        a: array.
        axis: the axis, or None for the flattened array.
        nan_policy: "propagate" counts NaN as one more value; "omit" passes over it.
        keepdims: keep the axis with length 1.

    Returns:
        (mode, count), the count in the default int. For no elements NaN and 0.
    """
    _check_policy("mode", nan_policy)
    outer = as_operand(a)
    x, axis = _along(outer, axis if outer.ndim else None)
    x = sort(moveaxis(x, axis, -1), -1)
    if not x.shape[-1]:
        value = sum(convert(x, default_float()), -1) + np.nan
        count = sum(convert(x, default_int()), -1)
    else:
        positions = _least(_starts(x))
        length = _greatest(_starts(x)) - positions + 1
        if is_inexact(x.dtype):
            nan = isnan(x)
            length = where(nan, 0 if nan_policy == "omit" else sum(nan, -1, keepdims=True), length)
        place = argmax(length, -1, keepdims=True)
        value, count = take_along_axis(x, place, -1)[..., 0], max(length, -1)
    if keepdims:
        value, count = (_kept(v, outer, axis) for v in (value, count))
    return ModeResult(value, count)


def _kept(value: Any, outer: Any, axis: int) -> Any:
    return reshape(value, (1,) * outer.ndim) if value.ndim == 0 else expand_dims(value, axis)


def sem(a: Any, axis: int | None = 0, ddof: int = 1, nan_policy: str = "propagate", *, keepdims: bool = False) -> Any:
    """The standard error of the mean along an axis: the standard deviation divided by the root of the count.

    Args:
        a: array.
        axis: the axis, or None for all.
        ddof: what to take off the count in the standard deviation.
        nan_policy: "propagate", or "omit" to pass over NaN.
        keepdims: keep the axis with length 1.
    """
    _check_policy("sem", nan_policy)
    x = as_operand(a)
    count: Any = x.size if axis is None else x.shape[canonical_axis(axis, x.ndim)]
    if nan_policy == "omit" and is_inexact(x.dtype):
        count = sum(~isnan(x), axis, keepdims=keepdims)
        return nanstd(x, axis, ddof=ddof, keepdims=keepdims) / sqrt(convert(count, x.real.dtype))
    return std(x, axis, ddof=ddof, keepdims=keepdims) / count**0.5
