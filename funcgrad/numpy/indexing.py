"""Reading elements by index: NumPy's indexing in full, take, nonzero and their kin."""

from __future__ import annotations

from types import EllipsisType, NoneType
from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.evaluate import evaluation
from ..core.dtypes import BOOL, default_int, is_integer
from ..core.trace import Tracer, state
from ..core.types import ArrayType
from ..errors import ArgumentError, ConcretizationError, DTypeError, ShapeError
from ..ops.cumulative import cumsum
from ..ops.elementwise import div, lt, maximum, ne, rem, sub, where
from ..ops.gather import GatherDims, ScatterDims, gather, scatter
from ..ops.slicing import concatenate, dynamic_slice, dynamic_update_slice, rev, slice_array
from ..ops.structure import (
    broadcast,
    broadcast_in_dim,
    canonical_axis,
    convert,
    expand_dims,
    full,
    iota,
    reduce_sum,
    reshape,
    zeros_of,
)
from .conversion import as_operand, asarray, refuse_out
from .fast import quick_host
from .index_plan import Plan, cuts_nothing, parse
from .promotion import broadcast_shapes

__all__ = [
    "argwhere",
    "flatnonzero",
    "getitem",
    "ix_",
    "nonzero",
    "put_along_axis",
    "take",
    "take_along_axis",
]

_INTEGERS = "bBhHiIlL"
BASIC = frozenset((int, slice, NoneType, EllipsisType))
_ndarray = np.ndarray


def getitem(x: Any, index: Any) -> Any:
    """`x[index]`, as NumPy defines it.

    Args:
        x: array or tracer.
        index: integers, slices, `...`, `None`, integer or boolean arrays (or lists), or a tuple of those. Integer
            arrays may be traced; a boolean mask must be known, since it decides the result's shape.

    Returns:
        The elements. `x.at[index].get(mode=…)` says what indices out of bounds are to give instead of an error.

    Raises:
        OutOfBoundsError: an index that the array does not have; in compiled code, when a result of the call is read.
        ConcretizationError: a traced boolean mask; the message shows what to write instead.
    """
    # Hot: plain on purpose (benchmark: eager indexing).
    if type(x) is Array and state.trace is evaluation and evaluation.host_only and x._device is None:
        host = x._host
        if host is None:
            host = x.host()
        kind = type(index)
        if kind is int:
            plain = (index, ...)  # with an ellipsis NumPy makes an array, which costs less than one of its scalars
        elif kind is slice:
            plain = index
        elif kind is tuple and len(index) == 2 and type(index[0]) is type(index[1]) is int:
            plain = (index[0], index[1], ...)
        elif kind is tuple and BASIC.issuperset(map(type, index)):
            plain = index if Ellipsis in index else (*index, ...)
        else:
            plain = host_index(index)
        if plain is not None:
            try:
                result = _chosen(host, plain) if type(plain) is _ndarray else host[plain]
            except (IndexError, TypeError, ValueError):
                return read(x, parse(x.shape, index))  # raises our error
            return Array(result if type(result) is _ndarray else np.asarray(result))
    return read(x, parse(x.shape, index))


_MANY = 1 << 12


def _chosen(host: np.ndarray, places: np.ndarray, axis: int = 0) -> Any:
    """`host[places]` along an axis: many numbers are looked at first, and then taken without looking at each."""
    many = places.dtype.kind in "iu" and places.size > _MANY and host.ndim
    if many and places.view(f"u{places.itemsize}").max() < host.shape[axis]:  # negative ones are huge when unsigned
        return host.take(places, axis, mode="clip")
    return host.take(places, axis) if axis else host[places]


def host_index(index: Any) -> Any:
    """An index with our arrays replaced by their host values; None if it contains anything but plain eager values."""
    if type(index) is tuple:
        entries = tuple([host_entry(entry) for entry in index])
        return None if any(entry is NotImplemented for entry in entries) else entries
    entry = host_entry(index)
    return None if entry is NotImplemented or entry is None else entry


def host_entry(entry: Any) -> Any:
    """One entry of an index for NumPy; NotImplemented where the general way must decide."""
    kind = type(entry)
    if kind in BASIC:
        return entry
    if kind is Array and entry._device is None:
        host = entry.host()
        # A 0-d integer array is an integer: as an array it would copy and, in a tuple, gather.
        return int(host) if host.ndim == 0 and host.dtype.kind in "iu" else host
    if kind is _ndarray or (kind is list and {int}.issuperset(map(type, entry))) or issubclass(kind, np.integer):
        return entry
    return NotImplemented


def filling(mode: str | None, fill_value: Any) -> str | None:
    """The mode that is meant: a fill value without a mode asks for filling."""
    return "fill" if mode is None and fill_value is not None else mode


# -- following a plan ---------------------------------------------------------------------------------------------


def read(x: Any, plan: Plan, fill_value: Any = None, indices_are_sorted: bool = False, unique: bool = False) -> Any:
    """The elements of `x` that a plan chooses."""
    result = cut(x, plan)
    if plan.indices is not None:
        result = _gather(result, plan, fill_value, indices_are_sorted, unique)
    return reshape(result, plan.result)


def cut(x: Any, plan: Plan) -> Any:
    """The box of `x` that a plan's windows cut out, without the axes that integers remove."""
    x = reshape(x, plan.operand)
    if not cuts_nothing(plan):
        low, high, steps = zip(*(_box(w) for w in plan.windows), strict=True)
        x = slice_array(x, low, high, steps)
        x = rev(x, [axis for axis, window in enumerate(plan.windows) if window.step < 0])
    return reshape(x, plan.cut)


def _box(window: Any) -> tuple[int, int, int]:
    """The lowest element of a window, one past the highest, and the distance between neighbours."""
    start, length, step = window
    if not length:
        return 0, 0, 1
    last = start + (length - 1) * step
    return min(start, last), max(start, last) + 1, abs(step)


def _gather(x: Any, plan: Plan, fill_value: Any, indices_are_sorted: bool, unique: bool) -> Any:
    if 0 in x.shape:
        return _gather_from_nothing(x, plan, fill_value)
    if plan.mode != "fill" and plan.indices.ndim == 1:
        starts = [zeros_of(ArrayType((), plan.indices.dtype))] * x.ndim
        for component, axis in enumerate(plan.dims.start_index_map):
            starts[axis] = reshape(slice_array(plan.indices, (component,), (component + 1,)), ())
        return reshape(dynamic_slice(x, starts, plan.slice_sizes), plan.gathered)
    return gather(
        x,
        plan.indices,
        plan.dims,
        plan.slice_sizes,
        unique_indices=unique,
        indices_are_sorted=indices_are_sorted,
        mode=plan.mode,
        fill_value=fill_value,
    )


def _gather_from_nothing(x: Any, plan: Plan, fill_value: Any) -> Any:
    """Gathering out of an array without elements: every index there may be is out of bounds."""
    shape = tuple(n + (axis in plan.dims.start_index_map and n == 0) for axis, n in enumerate(x.shape))
    lone = full(ArrayType(shape, x.dtype), 0)
    outside = full(plan.indices.type, -1)
    return gather(lone, outside, plan.dims, plan.slice_sizes, mode="fill", fill_value=fill_value)


def write(x: Any, plan: Plan, new: Any) -> Any:
    """`x` with the box that `cut` reads replaced by `new`."""
    if cuts_nothing(plan):
        return reshape(new, x.shape)
    boxed = reshape(x, plan.operand)
    new = reshape(new, tuple(window.length for window in plan.windows))
    if 0 in new.shape:
        return x
    new = rev(new, [axis for axis, window in enumerate(plan.windows) if window.step < 0])
    low, high, steps = zip(*(_box(w) for w in plan.windows), strict=True)
    if any(step > 1 for step in steps):
        new = _write_strided(slice_array(boxed, low, high), new, steps)
    return reshape(dynamic_update_slice(boxed, new, low), x.shape)


def _write_strided(x: Any, new: Any, steps: tuple[int, ...]) -> Any:
    """`x` with `new` written at every step-th element, from the first to the last, along each axis."""
    strided = tuple(axis for axis, step in enumerate(steps) if step > 1)
    grid = np.indices([new.shape[axis] for axis in strided], np.int32)
    vectors = np.stack([row * steps[axis] for axis, row in zip(strided, grid, strict=True)], axis=-1)
    windows = tuple(axis for axis in range(x.ndim) if axis not in strided)
    dims = ScatterDims(windows, strided, strided)
    mode = "promise_in_bounds"
    return scatter(x, Array(vectors), new, dims, indices_are_sorted=True, unique_indices=True, mode=mode)


# -- functions ----------------------------------------------------------------------------------------------------


def take(
    a: Any,
    indices: Any,
    axis: int | None = None,
    out: None = None,
    mode: str | None = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    fill_value: Any = None,
) -> Any:
    """Elements of `a` along an axis, chosen by integers: `a[:, …, indices]`.

    Args:
        a: array.
        indices: integers of any shape; it takes the place of `axis` in the result's shape.
        axis: the axis to choose along; None chooses from the flattened array.
        out: not supported; arrays are immutable.
        mode: None (or "raise") refuses indices out of bounds, or, with a `fill_value`, fills; "fill", "clip" (negative
            numbers then mean 0) or "wrap".
        unique_indices, indices_are_sorted: promises that may make compiled code faster.
        fill_value: what mode "fill" gives; by default NaN, the lowest signed or highest unsigned integer, or True.
    """
    refuse_out("take", out)
    host, places = quick_host(a), quick_host(indices, _INTEGERS)
    if host is not None and places is not None and mode is fill_value is None and type(axis) in (int, NoneType):
        try:
            flat = host.reshape(-1) if axis is None else host
            return Array(np.asarray(_chosen(flat, places, axis or 0)))
        except (IndexError, ValueError):
            pass  # the general way says what is wrong
    a, indices = as_operand(a), as_operand(indices)
    if not is_integer(indices.dtype):
        if indices.shape != (0,):
            raise DTypeError(f"take: indices must be integers, not {indices.dtype.name}; convert them: i.astype(int)")
        indices = convert(indices, default_int())
    if axis is None:
        a, axis = reshape(a, (a.size,)), 0
    axis = canonical_axis(axis, a.ndim)
    if mode == "clip" and indices.dtype.kind == "i":
        indices = maximum(indices, zeros_of(indices.type))
    index = (*(slice(None),) * axis, indices)
    mode = None if mode == "raise" else filling(mode, fill_value)
    if mode is None and fill_value is None and not unique_indices:
        return getitem(a, index)
    return read(a, parse(a.shape, index, mode), fill_value, indices_are_sorted, unique_indices)


def take_along_axis(
    arr: Any, indices: Any, axis: int | None = -1, mode: str | None = None, fill_value: Any = None
) -> Any:
    """`result[i, j, k] = arr[i, indices[i, j, k], k]`, for instance what `argsort` is for.

    Args:
        arr: array.
        indices: integers; apart from `axis` its shape broadcasts with that of `arr`.
        axis: the axis to choose along; None uses both arrays flattened.
        mode: as in `take`, except that negative numbers always count from the end.
        fill_value: what mode "fill" gives.

    Raises:
        ShapeError: different numbers of dimensions, or shapes that do not broadcast.
        OutOfBoundsError: a known index out of bounds.
    """
    mode = filling(mode, fill_value)
    if mode is None and _plain(arr) and _plain(indices):
        try:
            return Array(np.take_along_axis(arr.host(), indices.host(), axis))
        except (IndexError, ValueError):
            pass  # ours is raised below
    x, indices, axis = _along_axis("take_along_axis", arr, indices, axis)
    vectors, how = _vectors_along(x, indices, axis, mode)
    if 0 in vectors.shape:
        return zeros_of(ArrayType(vectors.shape[:-1], x.dtype))
    others = tuple(i for i in range(x.ndim) if i != axis)
    dims = GatherDims((), (axis,), (axis,), others, others)
    return gather(x, vectors, dims, (1,) * x.ndim, mode=how, fill_value=fill_value)


def _plain(x: Any) -> bool:
    """Whether `x` is an array on the host that is computed with at once."""
    return type(x) is Array and x._device is None and state.trace is evaluation and bool(evaluation.host_only)


def put_along_axis(
    arr: Any, indices: Any, values: Any, axis: int | None, inplace: bool = False, *, mode: str | None = None
) -> Any:
    """A copy of `arr` where `arr[i, indices[i, j, k], k] = values[i, j, k]`; the last value of a place wins.

    Args:
        arr: array.
        indices: integers; apart from `axis` of the shape of `arr`.
        values: broadcast to the shape of `indices`.
        axis: the axis to write along; None flattens.
        inplace: must be False, arrays are immutable.
        mode: None refuses indices out of bounds; "drop", "clip" or "wrap".
    """
    if inplace:
        raise ArgumentError("put_along_axis: arrays are immutable; write x = fnp.put_along_axis(x, …, inplace=False)")
    shape = as_operand(arr).shape
    x, indices, axis = _along_axis("put_along_axis", arr, indices, axis)
    vectors, how = _vectors_along(x, indices, axis, mode)
    updates = broadcast(asarray(values, x.dtype), vectors.shape[:-1])
    if 0 in vectors.shape:
        return reshape(x, shape)
    others = tuple(i for i in range(x.ndim) if i != axis)
    return reshape(scatter(x, vectors, updates, ScatterDims((), (axis,), (axis,), others, others), mode=how), shape)


def _along_axis(name: str, x: Any, indices: Any, axis: int | None) -> tuple[Any, Any, int]:
    """Array and indices with equal shapes apart from a non-negative axis."""
    x, indices = as_operand(x), as_operand(indices)
    if not is_integer(indices.dtype):
        raise DTypeError(f"{name}: indices must be integers, not {indices.dtype.name}; convert them: i.astype(int)")
    if axis is None:
        x, axis = reshape(x, (x.size,)), 0
        indices = reshape(indices, (indices.size,))
    if x.ndim != indices.ndim:
        raise ShapeError(
            f"{name}: array of shape {x.shape} and indices of shape {indices.shape} must have equally many dimensions"
        )
    axis = canonical_axis(axis, x.ndim)
    others = (*x.shape[:axis], 1, *x.shape[axis + 1 :]), (*indices.shape[:axis], 1, *indices.shape[axis + 1 :])
    common = broadcast_shapes(*others)
    x = broadcast(x, (*common[:axis], x.shape[axis], *common[axis + 1 :]))
    indices = broadcast(indices, (*common[:axis], indices.shape[axis], *common[axis + 1 :]))
    return x, indices, axis


def _vectors_along(x: Any, indices: Any, axis: int, mode: str | None) -> tuple[Any, str]:
    """Settled indices with a last axis of length 1, and the mode that is left for the operation."""
    length = x.shape[axis]
    plan = parse((length,), indices if indices.ndim else reshape(indices, (1,)), None if mode == "raise" else mode)
    return reshape(plan.indices, (*indices.shape, 1)), plan.mode


def nonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> tuple[Any, ...]:
    """Where an array is nonzero: one integer array per axis, in C order.

    Args:
        a: array; without `size` its value must be known.
        size: how many positions to return; required while tracing. Positions beyond are dropped.
        fill_value: what missing positions hold (one number, or one per axis); 0 by default.

    Example:
        >>> nonzero(fnp.array([0, 3, 0, 5]))
        (Array([1, 3], dtype=int32),)
    """
    host = quick_host(a) if size is None else None
    if host is not None and host.ndim:
        wanted = default_int()
        return tuple([Array(rows.astype(wanted)) for rows in host.nonzero()])
    a = as_operand(a)
    if not a.ndim:
        raise ArgumentError("nonzero: a 0-dimensional array has no axes; use fnp.atleast_1d(x) first")
    if size is None:
        found = np.nonzero(counted(a, "nonzero(x)"))
        return tuple(Array(rows.astype(default_int())) for rows in found)
    dtype = default_int()
    mask = a if a.dtype == BOOL else ne(a, zeros_of(a.type))
    mask = reshape(mask, (mask.size,))
    fills = fill_value if isinstance(fill_value, tuple | list) else (fill_value or 0,) * a.ndim
    if not mask.size:
        return tuple(full(ArrayType((size,), dtype), value) for value in fills)
    count = broadcast(reduce_sum(convert(mask, dtype), (0,)), (size,))
    flat = first_true(mask, size, dtype)
    missing = sub(iota(dtype, (size,)), count)
    found = lt(missing, zeros_of(missing.type))
    results = []
    for axis, value in enumerate(fills):
        stride, length = int(np.prod(a.shape[axis + 1 :])), a.shape[axis]
        position = rem(div(flat, full(flat.type, stride)), full(flat.type, length))
        results.append(where(found, position, broadcast(asarray(value, dtype), (size,))))
    return tuple(results)


def counted(x: Any, call: str) -> np.ndarray:
    """The value of an array that decides how many elements a function returns.

    Args:
        x: array or tracer.
        call: the call without `size=`, for the message.

    Raises:
        ConcretizationError: the value is not known while tracing; the message shows the call with `size=`.
    """
    while isinstance(x, Tracer):
        value = x.concrete()
        if value is None:
            raise ConcretizationError(
                f"fnp.{call}: how many elements this returns depends on the values of an array of type {x.type}, but "
                f"{x.unknown_reason()}.\nA shape must be known while tracing. Say how many elements to return; those "
                f"beyond are dropped, missing ones filled: fnp.{call[:-1]}, size=n, fill_value=0)"
            )
        x = value
    return x.host()


def first_true(mask: Any, size: int, dtype: np.dtype) -> Any:
    """Positions of the first `size` true elements; what follows the last one is arbitrary but in bounds."""
    if not size or not mask.size:
        return zeros_of(ArrayType((size,), dtype))
    rank = sub(cumsum(convert(mask, dtype), 0), full(ArrayType(mask.shape, dtype), 1))
    place = where(mask, rank, full(rank.type, size))
    start = zeros_of(ArrayType((size,), dtype))
    return scatter(start, reshape(place, (*place.shape, 1)), iota(dtype, mask.shape), ScatterDims((), (0,), (0,)))


def flatnonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """Where the flattened array is nonzero; see `nonzero`."""
    a = as_operand(a)
    return nonzero(reshape(a, (a.size,)), size=size, fill_value=fill_value)[0]


def argwhere(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """Where an array is nonzero, one row per position: shape (positions, dimensions); see `nonzero`."""
    a = as_operand(a)
    if not a.ndim:
        positions = argwhere(reshape(a, (1,)), size=size, fill_value=fill_value)
        return reshape(positions, (positions.shape[0], 0))
    columns = nonzero(a, size=size, fill_value=fill_value)
    return concatenate([expand_dims(column, (1,)) for column in columns], 1)


def ix_(*args: Any) -> tuple[Any, ...]:
    """Index arrays for the cross product of one-dimensional sequences: `x[ix_(rows, columns)]`.

    Boolean sequences mean the places where they are true.
    """
    results = []
    for axis, arg in enumerate(args):
        arg = as_operand(arg)
        if arg.ndim != 1:
            raise ShapeError(f"ix_: argument {axis} must have one dimension, got shape {arg.shape}")
        arg = nonzero(arg)[0] if arg.dtype == BOOL else convert(arg, default_int()) if not arg.size else arg
        results.append(broadcast_in_dim(arg, tuple(arg.size if i == axis else 1 for i in range(len(args))), (axis,)))
    return tuple(results)
