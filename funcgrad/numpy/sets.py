"""Sets: distinct elements, and what two arrays have in common, under NumPy's and the Array API's names.

How many elements a set has depends on values. Where these are not known, under `jit` or `vmap`, `size=` says how many
to return. Everything is then read off one stable sort: equal elements stand side by side in *groups*, ascending.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..backend.array import Array
from ..core.dtypes import BOOL, default_int, is_inexact, is_low_precision
from ..core.trace import Tracer
from ..core.types import ArrayType
from ..errors import ArgumentError
from ..ops import bits, sorting
from ..ops.cumulative import cumsum
from ..ops.elementwise import where
from ..ops.gather import ScatterDims, scatter
from ..ops.slicing import concatenate, slice_array
from ..ops.structure import broadcast, canonical_axis, convert, full, iota, reshape, zeros_of
from .conversion import as_operand, asarray
from .fast import quick_host
from .indexing import counted, first_true, take
from .logic import equal, logical_not, not_equal
from .promotion import promote_dtypes
from .reductions import any as any_
from .reductions import sum as sum_
from .shape import moveaxis
from .sorting import argsort, searchsorted, sort

__all__ = [
    "intersect1d", "isin", "setdiff1d", "setxor1d", "union1d", "unique", "unique_all", "unique_counts",
    "unique_inverse", "unique_values",
]  # fmt: skip


class UniqueAllResult(NamedTuple):
    """Distinct values, where each occurs first, which of them each element is, and how often each occurs."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCountsResult(NamedTuple):
    """Distinct values and how often each occurs."""

    values: Any
    counts: Any


class UniqueInverseResult(NamedTuple):
    """Distinct values and which of them each element is."""

    values: Any
    inverse_indices: Any


# -- distinct elements ---------------------------------------------------------------------------------------------


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    size: int | None = None,
    fill_value: Any = None,
    sorted: bool = True,
) -> Any:
    """The distinct elements of an array, or its distinct slices along an axis, in ascending order.

    Args:
        ar: array; without `size` its value must be known.
        return_index: also where each occurs first.
        return_inverse: also which of them each element is, in the shape of `ar` (along an axis: of that length).
        return_counts: also how often each occurs.
        axis: compare slices along this axis; None compares elements.
        equal_nan: count every NaN as the same element; slices with NaN always differ.
        size: how many to return; required while tracing. Those beyond are dropped.
        fill_value: what missing elements are; by default the smallest one. Their indices are that of the smallest
            element, their counts 0.
        sorted: accepted for NumPy's sake; the result is always sorted.

    Returns:
        The distinct elements, or a tuple of them and what else was asked for, in this order.

    Raises:
        ConcretizationError: a traced array without `size`.

    Example:
        >>> fnp.unique(fnp.array([3, 1, 3, 2]), return_counts=True)
        (Array([1, 2, 3], dtype=int32), Array([1, 1, 2], dtype=int32))
    """
    x = as_operand(ar)
    if axis is not None:
        axis = canonical_axis(axis, x.ndim)
    asked = (bool(return_index), bool(return_inverse), bool(return_counts))
    if size is None:
        results = _unique_now(x, asked, axis, equal_nan)
    else:
        results = _unique_of_size(x, asked, axis, equal_nan, int(size), fill_value)
    chosen = (results[0], *[r for r, wanted in zip(results[1:], asked, strict=True) if wanted])
    return chosen if len(chosen) > 1 else chosen[0]


def _unique_now(x: Any, asked: tuple[bool, bool, bool], axis: int | None, equal_nan: bool) -> tuple[Any, ...]:
    """The results for a known value, by NumPy; those not asked for are None."""
    host = counted(x, "unique(x)")
    keys = host.astype(np.float32) if is_low_precision(host.dtype) else host
    moving = isinstance(x, Tracer)  # a tracer's elements are taken from it, so that derivatives follow
    if not any((*asked, moving)):
        return Array(np.unique(keys, axis=axis, equal_nan=equal_nan).astype(host.dtype, copy=False)), None, None, None
    index, inverse, counts = asked
    found = list(np.unique(keys, index or moving, inverse, counts, axis=axis, equal_nan=equal_nan))
    values = found.pop(0).astype(host.dtype, copy=False)
    numbers = [Array(found.pop(0).astype(default_int())) if f else None for f in (index or moving, inverse, counts)]
    return (take(x, numbers[0], axis) if moving else Array(values), *numbers)


class _Groups(NamedTuple):
    """The rows of an array, sorted: each row's place in the order, which begin a group, and each one's group."""

    order: Any
    begins: Any
    group: Any


def _groups(rows: Any, same_nan: Any) -> _Groups:
    """The groups of equal rows of a matrix; `same_nan(order)` says which neighbours in order are the same NaN."""
    length, columns = rows.shape
    numbers = iota(default_int(), (length,))
    if not columns:
        order, ordered = numbers, rows
    else:
        keys = [reshape(slice_array(rows, (0, i), (length, i + 1)), (length,)) for i in range(columns)]
        order = sorting.sort_together([*keys, numbers], 0, columns)[-1]
        ordered = take(rows, order, 0, mode="promise_in_bounds")
    before, after = slice_array(ordered, (0, 0), (length - 1, columns)), slice_array(ordered, (1, 0), ordered.shape)
    differs = any_(not_equal(before, after), 1)
    if same_nan is not None and is_inexact(rows.dtype):
        both = any_(not_equal(before, before), 1) & any_(not_equal(after, after), 1)
        differs = differs & logical_not(both & same_nan(order))
    begins = concatenate([full(ArrayType((1,), BOOL), True), differs], 0)
    group = cumsum(convert(begins, default_int()), 0) - 1
    return _Groups(order, begins, group)


def _unique_of_size(
    x: Any, asked: tuple[bool, bool, bool], axis: int | None, equal_nan: bool, size: int, fill_value: Any
) -> tuple[Any, ...]:
    table = reshape(x, (x.size,)) if axis is None else moveaxis(x, axis, 0)
    length, dtype = table.shape[0], default_int()
    if not length:
        values = _filled(table, zeros_of(ArrayType((size,), dtype)), zeros_of(ArrayType((), dtype)), fill_value)
        none = zeros_of(ArrayType((size,), dtype))
        inverse = zeros_of(ArrayType(x.shape if axis is None else (0,), dtype))
        return values if axis is None else moveaxis(values, 0, axis), none, inverse, none
    rows = reshape(table, (length, prod(table.shape[1:])))
    groups = _groups(rows, (lambda order: True) if equal_nan and axis is None else None)
    found = sum_(convert(groups.begins, dtype))
    exists = iota(dtype, (size,)) < found
    starts = where(exists, first_true(groups.begins, size, dtype), zeros_of(ArrayType((size,), dtype)))
    index = take(groups.order, starts, mode="promise_in_bounds")
    values = _filled(table, index, found, fill_value)
    inverse = _scattered(length, groups.order, groups.group, unique=True)
    bounds = first_true(groups.begins, size + 1, dtype)
    bounds = where(iota(dtype, (size + 1,)) < found, bounds, full(bounds.type, length))
    counts = slice_array(bounds, (1,), (size + 1,)) - slice_array(bounds, (0,), (size,))
    inverse = reshape(inverse, x.shape) if axis is None else inverse
    return values if axis is None else moveaxis(values, 0, axis), index, inverse, counts


def _filled(table: Any, index: Any, found: Any, fill_value: Any) -> Any:
    """The rows of a table at indices; from number `found` on the fill value, if there is one."""
    shape = (*index.shape, *table.shape[1:])
    if not table.shape[0]:
        values = zeros_of(ArrayType(shape, table.dtype))
    else:
        values = take(table, index, 0, mode="promise_in_bounds")
    if fill_value is None:
        return values
    missing = broadcast(
        reshape(iota(found.dtype, index.shape) >= found, (*index.shape, *[1] * (table.ndim - 1))), shape
    )
    return where(missing, broadcast(asarray(fill_value, table.dtype), shape), values)


def _scattered(length: int, places: Any, values: Any, unique: bool = False) -> Any:
    """A vector with the values at places; of several values for one place the last."""
    zeros = zeros_of(ArrayType((length,), values.dtype))
    dims = ScatterDims((), (0,), (0,))
    return scatter(zeros, reshape(places, (*places.shape, 1)), values, dims, unique_indices=unique, mode="drop")


def unique_all(x: Any, *, size: int | None = None, fill_value: Any = None) -> UniqueAllResult:
    """The distinct elements, where each occurs first, which of them each element is, and how often each occurs.

    Every NaN counts as an element of its own; for the arguments see `unique`.
    """
    return UniqueAllResult(*unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value))


def unique_counts(x: Any, *, size: int | None = None, fill_value: Any = None) -> UniqueCountsResult:
    """The distinct elements and how often each occurs.

    Every NaN counts as an element of its own; for the arguments see `unique`.
    """
    return UniqueCountsResult(*unique(x, return_counts=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_inverse(x: Any, *, size: int | None = None, fill_value: Any = None) -> UniqueInverseResult:
    """The distinct elements and which of them each element is.

    Every NaN counts as an element of its own; for the arguments see `unique`.
    """
    return UniqueInverseResult(*unique(x, return_inverse=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_values(x: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements, every NaN an element of its own; for the arguments see `unique`."""
    return unique(x, equal_nan=False, size=size, fill_value=fill_value)


# -- two sets ------------------------------------------------------------------------------------------------------


def _two(ar1: Any, ar2: Any) -> tuple[Any, Any]:
    """The two arrays as vectors of one dtype."""
    one, two = promote_dtypes(ar1, ar2)
    return reshape(one, (one.size,)), reshape(two, (two.size,))


class _Joined(NamedTuple):
    """The groups of two vectors taken together: the elements, and for each group where it begins and who has it."""

    elements: Any
    groups: _Groups
    starts: Any
    in_first: Any
    in_second: Any


def _joined(one: Any, two: Any) -> _Joined:
    """The distinct elements of two vectors; a NaN of one is another element than a NaN of the other."""
    elements, split = concatenate([one, two], 0), one.shape[0]
    length, dtype = elements.shape[0], default_int()

    def same_owner(order: Any) -> Any:
        owner = order < split
        return equal(slice_array(owner, (0,), (length - 1,)), slice_array(owner, (1,), (length,)))

    groups = _groups(reshape(elements, (length, 1)), same_owner)
    starts = first_true(groups.begins, length, dtype)
    owners = [groups.order < split, groups.order >= split]
    # The group's number where its owner has an element, else none: writing "true" to all of those.
    has = [_scattered(length, where(o, groups.group, full(groups.group.type, length)), o) for o in owners]
    return _Joined(elements, groups, starts, *has)


def _chosen(joined: _Joined, keep: Any, size: int, fill_value: Any) -> tuple[Any, Any]:
    """The elements of the first `size` groups to keep, and the numbers of those groups."""
    found = sum_(convert(keep, default_int()))
    which = first_true(keep, size, default_int())
    exists = iota(found.dtype, (size,)) < found
    which = where(exists, which, broadcast(slice_array(which, (0,), (min(1, size),)), (size,)))
    places = take(joined.groups.order, take(joined.starts, which), mode="promise_in_bounds")
    return _filled(joined.elements, places, found, fill_value), which


def union1d(ar1: Any, ar2: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements that occur in either array, flattened, in ascending order.

    Args:
        ar1, ar2: arrays of any shapes.
        size, fill_value: as in `unique`.
    """
    if size is None:
        for x in (ar1, ar2):
            counted(as_operand(x), "union1d(x, y)")
    return unique(concatenate(_two(ar1, ar2), 0), size=size, fill_value=fill_value)


def _host_operands(name: str, ar1: Any, ar2: Any) -> tuple[np.ndarray, np.ndarray, np.dtype]:
    """The known values of two arrays as NumPy compares them, and their common dtype."""
    one, two = (counted(as_operand(x), f"{name}(x, y)") for x in (ar1, ar2))
    if one.dtype is not two.dtype or is_low_precision(one.dtype):
        promoted = [x.host() for x in promote_dtypes(Array(one), Array(two))]
        dtype = promoted[0].dtype
        one, two = [x.astype(np.float32) for x in promoted] if is_low_precision(dtype) else promoted
        return one, two, dtype
    return one, two, one.dtype


def intersect1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    return_indices: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements that occur in both arrays, flattened, in ascending order. NaN never does.

    Args:
        ar1, ar2: arrays of any shapes.
        assume_unique: a promise that no element occurs twice in one array.
        return_indices: also where each occurs first in `ar1` and in `ar2`.
        size, fill_value: as in `unique`; missing indices are the numbers of elements of `ar1` and `ar2`.
    """
    if size is None:
        one, two, dtype = _host_operands("intersect1d", ar1, ar2)
        if not return_indices:
            return Array(np.intersect1d(one, two, assume_unique).astype(dtype, copy=False))
        values, *indices = np.intersect1d(one, two, assume_unique, True)
        return Array(values.astype(dtype, copy=False)), *[Array(i.astype(default_int())) for i in indices]
    one, two = _two(ar1, ar2)
    if not one.size or not two.size:
        nothing = _filled(one[:0], zeros_of(ArrayType((size,), default_int())), as_operand(0), fill_value)
        places = [full(ArrayType((size,), default_int()), x.size) for x in (one, two)]
        return (nothing, *places) if return_indices else nothing
    joined = _joined(one, two)
    keep = bits.and_(joined.in_first, joined.in_second)
    values, which = _chosen(joined, keep, size, fill_value)
    if not return_indices:
        return values
    exists = iota(default_int(), (size,)) < sum_(convert(keep, default_int()))
    order = argsort(two)
    first = take(joined.groups.order, take(joined.starts, which), mode="promise_in_bounds")
    second = take(order, searchsorted(two, values, sorter=order), mode="clip")
    ends = (full(ArrayType((size,), default_int()), x.size) for x in (one, two))
    return values, *[where(exists, place, end) for place, end in zip((first, second), ends, strict=True)]


def setdiff1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, *, size: int | None = None, fill_value: Any = None
) -> Any:
    """The distinct elements of `ar1` that do not occur in `ar2`, flattened, in ascending order.

    Args:
        ar1, ar2: arrays of any shapes.
        assume_unique: a promise that no element occurs twice in one array; the order is then that of `ar1`.
        size: as in `unique`.
        fill_value: what missing elements are; 0 by default.
    """
    if size is None:
        one, two, dtype = _host_operands("setdiff1d", ar1, ar2)
        return Array(np.setdiff1d(one, two, assume_unique).astype(as_operand(ar1).dtype, copy=False))
    dtype = as_operand(ar1).dtype
    fill_value = 0 if fill_value is None else fill_value
    one, two = _two(ar1, ar2)
    if not one.size:
        found = _filled(one, zeros_of(ArrayType((size,), default_int())), as_operand(0), fill_value)
    elif assume_unique:
        keep = isin(one, two, invert=True)
        count = sum_(convert(keep, default_int()))
        found = _filled(one, first_true(keep, size, default_int()), count, fill_value)
    else:
        joined = _joined(one, two)
        found = _chosen(joined, joined.in_first & logical_not(joined.in_second), size, fill_value)[0]
    return convert(found, dtype)


def setxor1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, *, size: int | None = None, fill_value: Any = None
) -> Any:
    """The distinct elements that occur in one of two arrays only, flattened, in ascending order.

    Args:
        ar1, ar2: arrays of any shapes.
        assume_unique: a promise that no element occurs twice in one array.
        size, fill_value: as in `unique`.
    """
    if size is None:
        one, two, dtype = _host_operands("setxor1d", ar1, ar2)
        return Array(np.setxor1d(one, two, assume_unique).astype(dtype, copy=False))
    one, two = _two(ar1, ar2)
    if not one.size + two.size:
        return _filled(one, zeros_of(ArrayType((size,), default_int())), as_operand(0), fill_value)
    joined = _joined(one, two)
    return _chosen(joined, not_equal(joined.in_first, joined.in_second), size, fill_value)[0]


def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: str | None = None,
    method: str = "auto",
) -> Any:
    """Which elements occur in another array; NaN never does.

    Args:
        element: array.
        test_elements: the elements to look for, an array of any shape.
        assume_unique: a promise that no element occurs twice in one array.
        invert: ask which do not occur.
        kind: None, "sort" or "table", one of NumPy's algorithms, used outside transformations.
        method: one of JAX's names of algorithms, without effect.

    Returns:
        Booleans of the shape of `element`.
    """
    if kind not in (None, "sort", "table"):
        raise ArgumentError(f"kind={kind!r}: expected None, 'sort' or 'table'")
    if method not in ("auto", "compare_all", "binary_search", "sort"):
        raise ArgumentError(f"method={method!r}: expected 'auto', 'compare_all', 'binary_search' or 'sort'")
    one = quick_host(element)
    two = None if one is None else quick_host(as_operand(test_elements))
    if one is not None and two is not None and one.dtype is two.dtype:
        try:
            return Array(np.asarray(np.isin(one, two, assume_unique=assume_unique, invert=invert, kind=kind)))
        except ValueError as error:  # a table of floats
            raise ArgumentError(f"isin: {error}") from None
    x, tests = promote_dtypes(as_operand(element), as_operand(test_elements))
    if kind == "table" and x.dtype.kind not in "biu":
        raise ArgumentError(f"kind='table': isin makes tables of booleans and integers only, not of {x.dtype.name}")
    if not tests.size:
        return full(ArrayType(x.shape, BOOL), invert)
    tests = sort(tests, None)
    place = take(tests, searchsorted(tests, x), mode="clip")
    return not_equal(place, x) if invert else equal(place, x)
