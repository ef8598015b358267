"""Extremes: the smallest and the largest elements at once, and the k smallest or largest along an axis."""

from __future__ import annotations

from typing import Any

from ..core import dtypes
from ..errors import ArgumentError, ShapeError
from ..ops import sorting as ops
from ..ops.slicing import slice_in_dim
from ..ops.structure import canonical_axis, convert, move_axis
from .conversion import as_operand
from .indexing import take_along_axis
from .reductions import Axis, max, min
from .sorting import argsort

__all__ = ["minmax", "top_k"]


def minmax(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> tuple[Any, Any]:
    """The smallest and the largest elements over axes; NaN if there is one.

    Args:
        a: the array.
        axis: one axis, several, or None for all.
        out: not supported: arrays are immutable.
        keepdims: keep the axes with length 1.
        initial: what bounds both, or a pair: what the smallest is at most, and what the largest is at least.
        where: a mask; elements where it is false do not count, and `initial` is needed.

    Example:
        >>> [int(x) for x in fnp.minmax(fnp.array([3, 1, 2]))]
        [1, 3]
    """
    if out is not None:
        raise ArgumentError("minmax(…, out=x): arrays are immutable; bind the results to names instead")
    low, high = initial if isinstance(initial, tuple) else (initial, initial)
    options = {"axis": axis, "keepdims": keepdims, "where": where}
    return min(a, initial=low, **options), max(a, initial=high, **options)


def top_k(a: Any, k: int, /, *, axis: int = -1, mode: str = "largest", sorted: bool = True) -> tuple[Any, Any]:
    """The `k` largest or smallest elements along an axis, and their indices.

    Args:
        a: the array.
        k: how many.
        axis: along which axis.
        mode: "largest" or "smallest"; NaN counts as larger than every number.
        sorted: accepted for JAX's sake: the results always begin with the largest (or the smallest) element.

    Returns:
        The elements and their indices, of length `k` along `axis`; of equal elements the first ones come first.

    Raises:
        ShapeError: fewer than `k` elements.

    Example:
        >>> values, indices = fnp.top_k(fnp.array([3, 9, 5]), 2)
        >>> values.tolist(), indices.tolist()
        ([9, 5], [1, 2])
    """
    x = as_operand(a)
    axis = canonical_axis(axis, x.ndim)
    if not 0 <= k <= x.shape[axis]:
        raise ShapeError(f"top_k: k={k} of {x.shape[axis]} elements along axis {axis} of shape {x.shape}")
    if mode == "largest":
        values, indices = ops.top_k(move_axis(x, axis, x.ndim - 1), k)
        indices = convert(indices, dtypes.default_int())
        return move_axis(values, x.ndim - 1, axis), move_axis(indices, x.ndim - 1, axis)
    if mode != "smallest":
        raise ArgumentError(f"top_k: mode={mode!r}: expected 'largest' or 'smallest'")
    first = slice_in_dim(argsort(x, axis, stable=True), 0, k, 1, axis)
    return take_along_axis(x, first, axis), first
