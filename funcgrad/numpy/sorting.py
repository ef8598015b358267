"""Sorting and searching under NumPy's names. Sorts are stable; NaN comes last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.dtypes import DTypeLike, canonical, default_complex, default_int, is_inexact, is_integer
from ..errors import ArgumentError, DTypeError, ShapeError
from ..ops import sorting
from ..ops.bits import not_
from ..ops.elementwise import neg
from ..ops.searching import SearchSorted, places
from ..ops.structure import canonical_axis, convert, iota, reshape
from .conversion import as_operand, known
from .fast import quick_host
from .indexing import take
from .promotion import promote_dtypes

__all__ = ["argpartition", "argsort", "lexsort", "partition", "searchsorted", "sort", "sort_complex"]

METHODS = ("default", "scan", "scan_unrolled", "sort", "compare_all")


def _along(a: Any, axis: int | None) -> tuple[Any, int]:
    x = as_operand(a)
    return (reshape(x, (x.size,)), 0) if axis is None else (x, canonical_axis(axis, x.ndim))


def _opposite(x: Any) -> Any:
    """Numbers in the opposite order, but NaN last again; the opposite of the opposite is `x`."""
    return neg(x) if is_inexact(x.dtype) else not_(x)


def sort(
    a: Any,
    axis: int | None = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: bool | None = None,
    descending: bool = False,
) -> Any:
    """Elements in ascending order along an axis, or in the flattened array; NaN last.

    Complex numbers are ordered by their real and then their imaginary parts.

    Args:
        a: array.
        axis: along which to sort; None flattens first.
        kind: one of NumPy's names of algorithms, without effect.
        order: not supported; arrays have no fields.
        stable: without effect: equal elements keep their order.
        descending: largest first; NaN still last.

    Example:
        >>> fnp.sort(fnp.array([3, 1, 2]), descending=True)
        Array([3, 2, 1], dtype=int32)
    """
    _check_options(kind, order, stable)
    host = None if descending else quick_host(a)
    if host is not None and (host.ndim or axis is None):
        copy = host.flatten() if axis is None else host.copy()
        try:
            copy.sort(-1 if axis is None else axis, "stable" if host.dtype.char in "?bBhH" else None)  # radix
            return Array(copy)
        except (TypeError, ValueError):
            pass  # ours is raised below
    x, axis = _along(a, axis)
    return _opposite(sorting.sort(_opposite(x), axis)) if descending else sorting.sort(x, axis)


def argsort(
    a: Any,
    axis: int | None = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: bool | None = None,
    descending: bool = False,
    dtype: DTypeLike | None = None,
) -> Any:
    """The indices that put elements into ascending order along an axis; arguments as those of `sort`.

    Args:
        dtype: of the indices; by default the default int.
    """
    _check_options(kind, order, stable)
    wanted = default_int() if dtype is None else canonical(dtype)
    host = None if descending else quick_host(a)
    if host is not None and host.ndim and axis is not None and -host.ndim <= axis < host.ndim:
        return Array(sorting.stable_order(host, axis).astype(wanted))
    x, axis = _along(a, axis)
    return sorting.argsort(_opposite(x) if descending else x, axis, True, wanted)


def _check_options(kind: str | None, order: Any, stable: bool | None) -> None:
    if order is not None:
        raise ArgumentError(f"order={order!r}: arrays here have no named fields; leave it out")
    if kind is not None and kind not in ("quicksort", "mergesort", "heapsort", "stable"):
        raise ArgumentError(f"kind={kind!r}: expected 'quicksort', 'mergesort', 'heapsort' or 'stable'")
    if kind is not None and stable is not None:
        raise ArgumentError(f"kind={kind!r} and stable={stable} say the same thing; leave out one of them")


def sort_complex(a: Any) -> Any:
    """Elements as complex numbers, ordered by their real and then their imaginary parts."""
    x = as_operand(a)
    if x.dtype.kind != "c":
        x = convert(x, np.dtype(np.complex128) if x.dtype == np.float64 else default_complex())
    return sort(x)


def lexsort(keys: Any, axis: int = -1) -> Any:
    """The indices that sort by several keys, the last one first in importance.

    Args:
        keys: a sequence of arrays of one shape, or an array whose first axis runs over the keys.
        axis: along which to sort.
    """
    rows = [as_operand(key) for key in keys]
    if not rows:
        raise ArgumentError("lexsort takes at least one key")
    if any(row.shape != rows[0].shape for row in rows):
        raise ShapeError(f"lexsort takes keys of one shape, got {', '.join(str(row.shape) for row in rows)}")
    if not rows[0].ndim and axis in (0, -1):
        return convert(iota(default_int(), (1,)), default_int())[0]
    axis = canonical_axis(axis, rows[0].ndim)
    positions = iota(default_int(), rows[0].shape, axis)
    return sorting.sort_together([*reversed(rows), positions], axis, len(rows))[-1]


# -- partial order -------------------------------------------------------------------------------------------------


def partition(
    a: Any, kth: int | Sequence[int], axis: int | None = -1, kind: str = "introselect", order: None = None
) -> Any:
    """Elements rearranged so that those at the places `kth` are where sorting puts them, with smaller ones before.

    Args:
        a: array.
        kth: one place or several; negative ones count from the end.
        axis: along which to rearrange; None flattens first.
        kind: accepted for NumPy's sake.
        order: not supported; arrays have no fields.

    Returns:
        An array like `a`. In what order the elements between the places come is not said.

    Raises:
        ArgumentError: a place that the axis does not have.
    """
    x, axis, places = _places("partition", a, kth, axis, kind, order)
    host = quick_host(x)
    return sorting.sort(x, axis) if host is None else Array(np.partition(host, places, axis))


def argpartition(
    a: Any, kth: int | Sequence[int], axis: int | None = -1, kind: str = "introselect", order: None = None
) -> Any:
    """The indices that `partition` an array; arguments as there.

    Returns:
        Indices in the default int.
    """
    x, axis, places = _places("argpartition", a, kth, axis, kind, order)
    host = quick_host(x)
    if host is None:
        return sorting.argsort(x, axis, True, default_int())
    return Array(np.argpartition(host, places, axis).astype(default_int()))


def _places(name: str, a: Any, kth: Any, axis: int | None, kind: str, order: Any) -> tuple[Any, int, Any]:
    if order is not None:
        raise ArgumentError(f"order={order!r}: arrays here have no named fields; leave it out")
    if kind != "introselect":
        raise ArgumentError(f"kind={kind!r}: expected 'introselect'")
    x, axis = _along(a, axis)
    if type(kth) is int:
        places, values = kth, (kth,)
    else:
        places = known(kth, f"fnp.{name}(kth=…)")
        if places.dtype.kind == "b":
            raise ArgumentError(f"{name}: kth must be integers, not booleans")
        if not is_integer(places.dtype):
            raise DTypeError(f"{name}: kth must be integers, not {places.dtype.name}")
        if places.ndim > 1:
            raise ShapeError(f"{name}: kth must be one integer or a sequence of them, got shape {places.shape}")
        values = places.ravel().tolist()
    length = x.shape[axis]
    for place in values:
        if x.size and not -length <= place < length:
            raise ArgumentError(f"{name}: kth={place} is out of bounds for axis {axis} of length {length}")
    return x, axis, places if x.size else 0


# -- searching -----------------------------------------------------------------------------------------------------


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None, *, method: str = "default") -> Any:
    """Where to insert `v` into the ascending vector `a` so that it stays ascending.

    Args:
        a: the vector, ordered as by `sort`.
        v: what to search for, of any shape.
        side: "left" of equal elements or "right" of them.
        sorter: indices that sort `a`, if it is not sorted.
        method: one of JAX's names of algorithms, without effect: it is always bisection.

    Returns:
        Indices of the shape of `v`, in the default int.

    Example:
        >>> fnp.searchsorted(fnp.array([1, 2, 2, 5]), fnp.array([2, 7]))
        Array([1, 4], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ArgumentError(f'side={side!r}: expected "left" or "right"')
    if method not in METHODS:
        raise ArgumentError(f"method={method!r}: expected one of {', '.join(METHODS)}")
    if sorter is None:
        table, probes = quick_host(a), quick_host(v)
        if table is not None and probes is not None and table.dtype is probes.dtype and table.ndim == 1:
            return Array(np.asarray(places(table, probes, side == "right"), default_int()))
    x = as_operand(a)
    if x.ndim != 1:
        raise ShapeError(f"searchsorted takes a vector to search in, got shape {x.shape}")
    if sorter is not None:
        x = take(x, _sorter(sorter, x.shape))
    x, wanted = promote_dtypes(x, as_operand(v))
    return SearchSorted(side == "right", default_int())(x, wanted)


def _sorter(sorter: Any, shape: tuple[int, ...]) -> Any:
    sorter = as_operand(sorter)
    if not is_integer(sorter.dtype):
        raise DTypeError(f"searchsorted: sorter must be integers, not {sorter.dtype.name}")
    if sorter.shape != shape:
        raise ShapeError(f"searchsorted: sorter of shape {sorter.shape} does not fit the vector of shape {shape}")
    return sorter
