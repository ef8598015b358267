"""Sorting and searching under NumPy's names. Sorts are stable; NaN comes last."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import INT32, default_int
from ..errors import ArgumentError, ShapeError
from ..ops import sorting
from ..ops.structure import broadcast_in_dim, canonical_axis, convert, expand_dims, iota, reshape
from .conversion import as_operand
from .logic import less, less_equal
from .promotion import promote_dtypes
from .reductions import sum
from .shape import flip

__all__ = ["argsort", "lexsort", "searchsorted", "sort", "sort_complex"]


def _along(a: Any, axis: int | None) -> tuple[Any, int]:
    x = as_operand(a)
    return (reshape(x, (x.size,)), 0) if axis is None else (x, canonical_axis(axis, x.ndim))


def sort(
    a: Any,
    axis: int | None = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: bool = True,
    descending: bool = False,
) -> Any:
    """Elements in ascending order along an axis, or in the flattened array; NaN last.

    Args:
        kind: accepted for NumPy's sake; every sort here is stable.
        stable: keep the order of equal elements.
        descending: largest first (and then NaN first).
    """
    _refuse_fields(order)
    x, axis = _along(a, axis)
    result = sorting.sort(x, axis, stable)
    return flip(result, axis) if descending else result


def argsort(
    a: Any,
    axis: int | None = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: bool = True,
    descending: bool = False,
) -> Any:
    """The indices that put elements into ascending order along an axis; arguments as those of `sort`."""
    _refuse_fields(order)
    x, axis = _along(a, axis)
    if not descending:
        return sorting.argsort(x, axis, stable, default_int())
    # Sorting the reversed array and reversing the result keeps the order of equal elements.
    found = sorting.argsort(flip(x, axis), axis, stable, default_int())
    return x.shape[axis] - 1 - flip(found, axis)


def _refuse_fields(order: Any) -> None:
    if order is not None:
        raise ArgumentError(f"order={order!r}: arrays here have no named fields; leave it out")


def sort_complex(a: Any) -> Any:
    """Elements as complex numbers, ordered by their real and then their imaginary parts."""
    x = as_operand(a)
    return sorting.sort(x if x.dtype.kind == "c" else x.astype(complex), -1)


def lexsort(keys: Any, axis: int = -1) -> Any:
    """The indices that sort by several keys, the last one first in importance.

    Args:
        keys: a sequence of arrays of one shape, or an array whose first axis runs over the keys.
    """
    rows = [as_operand(key) for key in keys]
    if not rows:
        raise ArgumentError("lexsort takes at least one key")
    if any(row.shape != rows[0].shape for row in rows):
        raise ShapeError(f"lexsort takes keys of one shape, got {', '.join(str(row.shape) for row in rows)}")
    axis = canonical_axis(axis, rows[0].ndim)
    positions = iota(default_int(), rows[0].shape, axis)
    return sorting.sort_together([*reversed(rows), positions], axis, len(rows))[-1]


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """Where to insert `v` into the ascending vector `a` so that it stays ascending.

    Args:
        side: "left" of equal elements or "right" of them.
        sorter: indices that sort `a`, if it is not sorted.

    Returns:
        Indices of the shape of `v`, in the default int.
    """
    if side not in ("left", "right"):
        raise ArgumentError(f'side={side!r}: expected "left" or "right"')
    x = as_operand(a)
    if x.ndim != 1:
        raise ShapeError(f"searchsorted takes a vector to search in, got shape {x.shape}")
    if sorter is not None:
        x = x[as_operand(sorter)]
    x, wanted = promote_dtypes(x, v)
    shape = (*wanted.shape, x.shape[0])
    table = broadcast_in_dim(x, shape, (len(shape) - 1,))
    probes = broadcast_in_dim(expand_dims(wanted, (wanted.ndim,)), shape, range(len(shape)))
    # A NaN counts as larger than every number, as in `sort`.
    before = less(table, probes) if side == "left" else less_equal(table, probes)
    before = before | ((probes != probes) & ((table == table) if side == "left" else True))
    return convert(sum(convert(before, INT32), -1), default_int())
