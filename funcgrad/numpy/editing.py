"""Editing: arrays with elements repeated, inserted, deleted, appended or trimmed, under NumPy's names."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.dtypes import BOOL, default_int, is_integer
from ..core.trace import Tracer
from ..core.types import ArrayType
from ..errors import ArgumentError, ConcretizationError, DTypeError, OutOfBoundsError, ShapeError
from ..ops import slicing
from ..ops.structure import broadcast, broadcast_in_dim, canonical_axis, convert, iota, reshape, zeros_of
from .conversion import as_operand, asarray, known
from .elementwise import clip, where
from .fast import ANY, quick_call, quick_host
from .indexing import getitem, take
from .joining import concatenate
from .logic import equal, less
from .reductions import cumsum
from .shape import moveaxis, tile
from .sorting import argsort, searchsorted, sort

__all__ = ["append", "delete", "insert", "repeat", "resize", "trim_zeros"]


def _along(a: Any, axis: int | None) -> tuple[Any, int]:
    x = as_operand(a)
    return (reshape(x, (x.size,)), 0) if axis is None else (x, canonical_axis(axis, x.ndim))


def repeat(a: Any, repeats: Any, axis: int | None = None, *, total_repeat_length: int | None = None) -> Any:
    """Each element repeated along an axis, or in the flattened array.

    Args:
        a: array.
        repeats: how often, one number for all or one for each; traced ones need `total_repeat_length`.
        axis: along which to repeat; None flattens first.
        total_repeat_length: the length of the result: what is beyond it is dropped, what is missing are copies of the
            last element.

    Raises:
        ShapeError: `repeats` does not fit the axis.
        ConcretizationError: traced `repeats` without `total_repeat_length`.

    Example:
        >>> fnp.repeat(fnp.array([1, 2]), fnp.array([2, 1]))
        Array([1, 1, 2], dtype=int32)
    """
    host = quick_host(a)
    if host is not None and type(repeats) is int and repeats >= 0 and total_repeat_length is None:
        try:
            return Array(host.repeat(repeats, axis))
        except ValueError:
            pass  # ours is raised below
    x, axis = _along(a, axis)
    length, counts = x.shape[axis], as_operand(repeats)
    if counts.size and not (is_integer(counts.dtype) or counts.dtype == BOOL):
        raise DTypeError(f"repeat: repeats must be integers, not {counts.dtype.name}")
    if counts.size not in (1, length) or counts.ndim > 1:
        raise ShapeError(f"repeat: {counts.size} repeats do not fit axis {axis} of length {length}")
    if total_repeat_length is not None:
        return _repeated_to(x, axis, counts, total_repeat_length)
    return _repeated(x, axis, _known_counts(counts))


def _value(x: Any) -> np.ndarray | None:
    """The value of an array or tracer; None if it is not known."""
    while isinstance(x, Tracer):
        x = x.concrete()
    return None if x is None else x.host()


def _known_counts(counts: Any) -> np.ndarray:
    value = _value(counts)
    if value is None:
        raise ConcretizationError(
            f"fnp.repeat(x, repeats): the sum of the repeats decides the result's shape, but "
            f"{counts.unknown_reason()}.\nA shape must be known while tracing. Say how long the result is: "
            f"fnp.repeat(x, repeats, total_repeat_length=n)"
        )
    if (value < 0).any():
        raise ArgumentError(f"repeat: repeats must not be negative, got {value.min()}")
    return value


def _repeated(x: Any, axis: int, counts: np.ndarray) -> Any:
    length = x.shape[axis]
    if counts.size != 1:
        return take(x, Array(np.repeat(np.arange(length, dtype=default_int()), counts)), axis)
    times = int(counts.reshape(()))
    spread = (*x.shape[: axis + 1], times, *x.shape[axis + 1 :])
    wide = broadcast_in_dim(x, spread, [i for i in range(x.ndim + 1) if i != axis + 1])
    return reshape(wide, (*x.shape[:axis], length * times, *x.shape[axis + 1 :]))


def _repeated_to(x: Any, axis: int, counts: Any, total: int) -> Any:
    length = x.shape[axis]
    if not length:
        if total:
            raise ShapeError(f"repeat: axis {axis} of shape {x.shape} has no element to make {total} of")
        return x
    ends = cumsum(broadcast(reshape(convert(counts, default_int()), (counts.size,)), (length,)))
    source = searchsorted(ends, iota(default_int(), (total,)), "right")
    return take(x, clip(source, 0, length - 1), axis, mode="promise_in_bounds")


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """`values` after the elements of `arr`, along an axis or both flattened.

    Raises:
        ShapeError: the shapes differ in another axis.
    """
    return concatenate([as_operand(arr), as_operand(values)], axis)


def resize(a: Any, new_shape: int | Sequence[int]) -> Any:
    """The elements of `a`, repeated as often as it takes, in a new shape; zeros if there are none.

    Raises:
        ShapeError: a negative length.
    """
    x = as_operand(a)
    shape = (new_shape,) if isinstance(new_shape, int | np.integer) else tuple(new_shape)
    if any(n < 0 for n in shape):
        raise ShapeError(f"resize: lengths must not be negative, got {shape}")
    size = prod(shape)
    if not x.size or not size:
        return zeros_of(ArrayType(shape, x.dtype))
    flat = tile(reshape(x, (x.size,)), -(-size // x.size))
    return reshape(slicing.slice_in_dim(flat, 0, size), shape)


def trim_zeros(filt: Any, trim: str = "fb", axis: int | Sequence[int] | None = None) -> Any:
    """An array without the zeros around its nonzero elements; its value must be known.

    Args:
        filt: array.
        trim: "f" for those in front, "b" for those behind, "fb" for both.
        axis: along which to trim, one axis or several; None: all.
    """
    x = as_operand(filt)
    sides = trim.lower()
    if not sides or sides not in ("f", "b", "fb", "bf"):
        raise ArgumentError(f'trim_zeros: trim={trim!r}: expected "f", "b" or "fb"')
    if axis is None:
        axes = range(x.ndim)
    else:
        axes = [canonical_axis(i, x.ndim) for i in ((axis,) if isinstance(axis, int) else axis)]
    index: list[Any] = [slice(None)] * x.ndim
    found = np.nonzero(known(x, "fnp.trim_zeros(x)"))
    for one in axes:
        places = found[one]
        low, high = (int(places.min()), int(places.max()) + 1) if places.size else (0, 0)
        keeps_front, keeps_back = "f" not in sides and places.size, "b" not in sides and places.size
        index[one] = slice(0 if keeps_front else low, x.shape[one] if keeps_back else high)
    return getitem(x, tuple(index))


# -- inserting and deleting ----------------------------------------------------------------------------------------


def _positions(name: str, obj: Any, length: int, axis: int) -> Any:
    """What an `obj` means: integers, known or traced, checked where they are known; masks and slices are known."""
    if isinstance(obj, slice):
        return Array(np.arange(length, dtype=default_int())[obj])
    places = as_operand(obj)
    if places.dtype == BOOL:
        mask = known(places, f"fnp.{name}(x, mask)")
        if mask.ndim > 1 or (name == "delete" and mask.shape != (length,)):
            raise ShapeError(f"{name}: a mask of shape {mask.shape} does not fit axis {axis} of length {length}")
        return Array(np.flatnonzero(mask).astype(default_int()))
    if not is_integer(places.dtype):
        if places.size:
            raise OutOfBoundsError(f"{name}: places must be integers, booleans or a slice, not {places.dtype.name}")
        places = convert(places, default_int())
    if places.ndim > 1:
        raise ShapeError(f"{name}: places must be one integer or a sequence of them, got shape {places.shape}")
    value = _value(places)
    if value is None:
        signed = convert(places, default_int())
        return where(less(signed, 0), signed + length, signed)
    outside = value[(value < -length) | (value > (length if name == "insert" else length - 1))]
    if outside.size:
        raise OutOfBoundsError(f"{name}: index {outside.flat[0]} is out of bounds for axis {axis} of length {length}")
    return Array(np.where(value < 0, value + length, value).astype(default_int()))


def _numpy_insert(arr: np.ndarray, obj: Any, values: Any, axis: int | None = None) -> np.ndarray:
    if type(obj) is not int or not isinstance(values, int | float | np.ndarray):
        raise TypeError("a mask, or what NumPy would read as a number")
    return np.insert(arr, obj, values, axis)


@quick_call(_numpy_insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """An array with `values` inserted before given places of an axis.

    Args:
        arr: array.
        obj: where: an integer, a sequence of integers, a slice or a mask. Places are those of `arr`, whatever is
            inserted before them; traced integers out of bounds give arbitrary elements.
        values: what to insert, converted to the dtype of `arr`, broadcast to the slices at the places. At one place any
            number of slices is inserted, at several one each.
        axis: the axis to insert along; None flattens first.

    Raises:
        OutOfBoundsError: a known place that the axis does not have.

    Example:
        >>> fnp.insert(fnp.array([1, 2, 3]), 1, 9)
        Array([1, 9, 2, 3], dtype=int32)
    """
    x, axis = _along(arr, axis)
    length = x.shape[axis]
    places = _positions("insert", obj, length, axis)
    new = asarray(values, x.dtype)
    if places.size == 1:
        new = reshape(new, (*[1] * (x.ndim - new.ndim), *new.shape))
        if places.ndim == 0:
            new = moveaxis(new, 0, axis)
        count = new.shape[axis]
        places = broadcast(reshape(places, (1,)), (count,))
    count = places.size
    new = broadcast(new, (*x.shape[:axis], count, *x.shape[axis + 1 :]))
    if not count:
        return x
    if isinstance(places, Array):
        host = places.host()
        if (host == host[0]).all():
            cut = int(host[0])
            parts = slicing.slice_in_dim(x, 0, cut, 1, axis), new, slicing.slice_in_dim(x, cut, length, 1, axis)
            return slicing.concatenate(parts, axis)
        source = Array(np.insert(np.arange(length, dtype=default_int()), host, np.arange(length, length + count)))
    else:
        source = _source(places, length)
    return take(slicing.concatenate([x, new], axis), source, axis, mode="clip")


def _source(places: Any, length: int) -> Any:
    """Which elements of old and new ones, one after the other, make the result of inserting at traced places."""
    count = places.size
    order = argsort(places)
    stands = take(places, order) + iota(default_int(), (count,))  # where the new elements stand in the result
    result = iota(default_int(), (length + count,))
    before = searchsorted(stands, result)  # how many new elements stand before each one
    nearest = clip(before, 0, count - 1)
    is_new = equal(take(stands, nearest, mode="promise_in_bounds"), result)
    return where(is_new, take(order, nearest, mode="promise_in_bounds") + length, result - before)


def _numpy_delete(arr: np.ndarray, obj: Any, axis: int | None = None) -> np.ndarray:
    if type(obj) is not int:
        raise TypeError("not one place")
    return np.delete(arr, obj, axis)


@quick_call(_numpy_delete, ANY)
def delete(arr: Any, obj: Any, axis: int | None = None, *, assume_unique_indices: bool = False) -> Any:
    """An array without given slices along an axis.

    Args:
        arr: array.
        obj: which: an integer, a sequence of integers, a slice or a mask. A single integer may be traced.
        axis: the axis to delete along; None flattens first.
        assume_unique_indices: a promise that no place is named twice, which lets a sequence be traced.

    Raises:
        OutOfBoundsError: a known place that the axis does not have.
        ConcretizationError: traced places without the promise.

    Example:
        >>> fnp.delete(fnp.array([1, 2, 3]), 1)
        Array([1, 3], dtype=int32)
    """
    x, axis = _along(arr, axis)
    length = x.shape[axis]
    places = _positions("delete", obj, length, axis)
    if isinstance(places, Array):
        kept = np.delete(np.arange(length, dtype=default_int()), places.host())
        if places.size == 1:
            cut = int(places.host().reshape(()))
            parts = slicing.slice_in_dim(x, 0, cut, 1, axis), slicing.slice_in_dim(x, cut + 1, length, 1, axis)
            return slicing.concatenate(parts, axis)
        return take(x, Array(kept), axis)
    if places.size != 1 and not assume_unique_indices:
        raise ConcretizationError(
            f"fnp.delete(x, i): how many distinct places there are decides the result's shape, but "
            f"{places.unknown_reason()}.\nA shape must be known while tracing. If no place is named twice, say so: "
            f"fnp.delete(x, i, assume_unique_indices=True)"
        )
    places = reshape(places, (places.size,))
    left = iota(default_int(), (length - places.size,))
    # The n-th element that stays is behind as many deleted ones as are not more than n + their own number.
    ranks = sort(places) - iota(default_int(), places.shape)
    return take(x, left + searchsorted(ranks, left, "right"), axis, mode="clip")
