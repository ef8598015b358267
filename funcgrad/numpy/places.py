"""Places: elements chosen or written by conditions, flat numbers or coordinates, and the indices of diagonals.

Functions that in NumPy write into their first argument return a changed copy here, as JAX's do with `inplace=False`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..backend.array import Array
from ..config import config
from ..core.dtypes import DTypeLike, canonical, default_int, is_integer
from ..core.types import ArrayType, Shape
from ..errors import ArgumentError, DTypeError, FuncgradError, OutOfBoundsError, ShapeError
from ..ops.checks import require_all
from ..ops.structure import broadcast, canonical_axis, convert, full, iota, reshape, zeros_of
from .at import At
from .conversion import as_operand, asarray, refuse_out
from .creation import as_shape, ones
from .elementwise import clip, divmod, maximum, remainder, where
from .indexing import counted, first_true, nonzero, take, take_along_axis
from .joining import stack
from .logic import greater_equal, less, logical_not, truth
from .promotion import broadcast_arrays, promote_dtypes
from .reductions import cumsum, sum

__all__ = [
    "choose", "compress", "diag_indices", "diag_indices_from", "extract", "fill_diagonal", "mask_indices", "piecewise",
    "place", "put", "putmask", "ravel_multi_index", "tril_indices", "tril_indices_from", "triu_indices",
    "triu_indices_from", "unravel_index",
]  # fmt: skip


def _require(holds: Any, message: str, kind: type[FuncgradError] = ArgumentError) -> None:
    """An error, now or when a result of the compiled call is read, unless all of `holds` is true."""
    if config.current.check_bounds and holds.size:
        require_all(holds, message, kind)


def _within(x: Any, length: int) -> Any:
    return greater_equal(x, 0) & less(x, length)


def _integers(name: str, x: Any) -> Any:
    x = as_operand(x)
    if not is_integer(x.dtype):
        raise DTypeError(f"{name} takes integers, not {x.dtype.name}; convert them: i.astype(int)")
    return x


def _refuse_inplace(name: str, inplace: bool) -> None:
    if inplace:
        raise ArgumentError(f"{name}: arrays are immutable; write x = fnp.{name}(x, …, inplace=False)")


# -- choosing ------------------------------------------------------------------------------------------------------


def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    """Elements of several arrays: `result[i] = choices[a[i]][i]`, all of them broadcast against each other.

    Args:
        a: integers (or booleans), the numbers of the choices.
        choices: a sequence of arrays, or an array whose first axis runs over them.
        out: not supported; arrays are immutable.
        mode: "raise" refuses numbers of choices that are not there, "clip" takes the nearest, "wrap" counts on.

    Raises:
        ArgumentError: a number that is not there; in compiled code when a result of the call is read.
    """
    refuse_out("choose", out)
    rows = promote_dtypes(*choices)
    if not rows:
        raise ArgumentError("choose takes at least one choice")
    which = as_operand(a)
    which = _integers("choose", convert(which, default_int()) if which.dtype.kind == "b" else which)
    which, *rows = broadcast_arrays(which, *rows)
    which = _settled("choose", which, len(rows), mode, "an entry of `a` is not the number of a choice")
    return take_along_axis(stack(rows), reshape(which, (1, *which.shape)), 0, mode="promise_in_bounds")[0]


def _settled(name: str, x: Any, length: int, mode: str, message: str) -> Any:
    """Numbers brought between 0 and `length`, or checked."""
    if mode == "clip":
        return clip(x, 0, length - 1)
    if mode == "wrap":
        return remainder(x, full(x.type, length))
    if mode != "raise":
        raise ArgumentError(f'{name}: mode={mode!r}: expected "raise", "clip" or "wrap"')
    _require(_within(x, length), f"{name}: {message}; they are 0 to {length - 1}. Use mode='clip' or mode='wrap'.")
    return x


def compress(
    condition: Any, a: Any, axis: int | None = None, out: None = None, *, size: int | None = None, fill_value: Any = 0
) -> Any:
    """The slices along an axis for which a condition holds.

    Args:
        condition: one boolean a slice; without `size` its value must be known. Slices that it does not reach are left
            out.
        a: array.
        axis: the axis to choose along; None flattens first.
        out: not supported; arrays are immutable.
        size: how many slices to return; required while tracing. Those beyond are dropped.
        fill_value: what missing slices are filled with.

    Raises:
        OutOfBoundsError: the condition holds for a slice that is not there.
    """
    refuse_out("compress", out)
    mask, x = truth(condition), as_operand(a)
    if mask.ndim != 1:
        raise ShapeError(f"compress takes a condition of one dimension, got shape {mask.shape}; extract takes any")
    if axis is None or (not x.ndim and axis in (0, -1)):
        x, axis = reshape(x, (x.size,)), 0
    axis = canonical_axis(axis, x.ndim)
    if size is None:
        return take(x, Array(np.flatnonzero(counted(mask, "compress(condition, x)")).astype(default_int())), axis)
    if mask.size > x.shape[axis]:
        message = f"compress: the condition holds for a slice that axis {axis} of shape {x.shape} does not have"
        _require(logical_not(mask[x.shape[axis] :]), message, OutOfBoundsError)
        mask = mask[: x.shape[axis]]
    shape = (*x.shape[:axis], size, *x.shape[axis + 1 :])
    filling = broadcast(asarray(fill_value, x.dtype), shape)
    if not mask.size:
        return filling
    chosen = take(x, first_true(mask, size, default_int()), axis, mode="promise_in_bounds")
    return where(broadcast(_along(axis, x.ndim, iota(default_int(), (size,)) < sum(mask)), shape), chosen, filling)


def _along(axis: int, ndim: int, x: Any) -> Any:
    return reshape(x, (*[1] * axis, x.size, *[1] * (ndim - axis - 1)))


def extract(condition: Any, arr: Any, *, size: int | None = None, fill_value: Any = 0) -> Any:
    """The elements for which a condition holds, flattened; see `compress`."""
    if size is None:
        counted(as_operand(condition), "extract(condition, x)")
    return compress(truth(condition).reshape(-1), arr, size=size, fill_value=fill_value)


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """A function given by pieces: where `condlist[i]` holds, `funclist[i]` of the elements; the last that holds wins.

    Args:
        x: array.
        condlist: conditions of the shape of `x`, or one condition if `x` is a vector.
        funclist: for each condition a constant or a function of arrays, called with all of `x`; one more is for
            elements without condition, which are 0 otherwise.
        args, kw: passed on to the functions.

    Returns:
        An array of the shape and dtype of `x`.
    """
    x = as_operand(x)
    conditions = _conditions(x, condlist)
    count, pieces = len(conditions), list(funclist)
    if len(pieces) not in (count, count + 1):
        raise ArgumentError(
            f"piecewise takes a function for each of {count} conditions, or one more, got {len(pieces)}"
        )

    def piece(function: Any) -> Any:
        value = as_operand(function(x, *args, **kw) if callable(function) else function)
        return broadcast(convert(value, x.dtype), x.shape)

    result = piece(pieces[count]) if len(pieces) > count else zeros_of(x.type)
    for condition, function in zip(conditions, pieces, strict=False):
        result = where(condition, piece(function), result)
    return result


def _conditions(x: Any, condlist: Any) -> list[Any]:
    if not isinstance(condlist, list | tuple):
        whole = truth(condlist)
        return [whole] if not whole.ndim or (whole.ndim == 1 and x.ndim) else list(whole)
    rows = [truth(c) for c in condlist]
    return [truth(condlist)] if x.ndim and not max((row.ndim for row in rows), default=0) else rows


# -- writing -------------------------------------------------------------------------------------------------------


def _cycled(values: Any, x: Any, places: Any) -> Any:
    """Values in the dtype of `x`, from a flattened array that is repeated as often as it takes."""
    values = asarray(values, x.dtype).reshape(-1)
    return take(values, remainder(places, full(places.type, values.size)), mode="promise_in_bounds")


def _masked(name: str, arr: Any, mask: Any) -> tuple[Any, Any]:
    x, mask = as_operand(arr), truth(mask)
    if mask.size != x.size:
        raise ShapeError(f"{name}: a mask of shape {mask.shape} does not fit the array of shape {x.shape}")
    return x, reshape(mask, x.shape)


def place(arr: Any, mask: Any, vals: Any, *, inplace: bool = False) -> Any:
    """A copy where the n-th element for which a mask is true is the n-th of `vals`, which are repeated as needed.

    Args:
        arr: array.
        mask: booleans, as many as elements.
        vals: values, converted to the dtype of `arr`.
        inplace: must be False, arrays are immutable.
    """
    _refuse_inplace("place", inplace)
    x, mask = _masked("place", arr, mask)
    if not as_operand(vals).size:
        _require(logical_not(mask), "place: there are no values to insert")
        return x
    rank = maximum(cumsum(mask.reshape(-1)) - 1, 0)
    return where(mask, reshape(_cycled(vals, x, rank), x.shape), x)


def putmask(a: Any, /, mask: Any, values: Any, *, inplace: bool = False) -> Any:
    """A copy where a mask is true of the elements of `values` at the same places; these are repeated as needed.

    Args:
        a: array.
        mask: booleans, as many as elements.
        values: values, converted to the dtype of `a`.
        inplace: must be False, arrays are immutable.
    """
    _refuse_inplace("putmask", inplace)
    x, mask = _masked("putmask", a, mask)
    if not as_operand(values).size:
        return x
    return where(mask, reshape(_cycled(values, x, iota(default_int(), (x.size,))), x.shape), x)


def put(a: Any, ind: Any, v: Any, mode: str | None = None, *, inplace: bool = False) -> Any:
    """A copy with `v`, repeated as needed, at places of the flattened array; the last value of a place wins.

    Args:
        a: array.
        ind: integers, numbers of elements in C order.
        v: values, converted to the dtype of `a`.
        mode: None or "raise" refuses places out of bounds; "clip" (negative numbers then mean 0), "wrap" or "drop".
        inplace: must be False, arrays are immutable.
    """
    _refuse_inplace("put", inplace)
    x = as_operand(a)
    ind = as_operand(ind).reshape(-1)
    ind = convert(ind, default_int()) if not ind.size else _integers("put", ind)
    if not as_operand(v).size or not ind.size:
        return x
    values = _cycled(v, x, iota(default_int(), ind.shape))
    ind = maximum(ind, full(ind.type, 0)) if mode == "clip" else ind
    written = At(reshape(x, (x.size,)))[ind].set(values, mode=None if mode == "raise" else mode)
    return reshape(written, x.shape)


def fill_diagonal(a: Any, val: Any, wrap: bool = False, *, inplace: bool = False) -> Any:
    """A copy with `val`, repeated as needed, on the main diagonal.

    Args:
        a: array of at least two dimensions, of equal lengths if there are more.
        val: values, converted to the dtype of `a`.
        wrap: go on with the next diagonal below a tall matrix, after one row.
        inplace: must be False, arrays are immutable.
    """
    _refuse_inplace("fill_diagonal", inplace)
    x = as_operand(a)
    if x.ndim < 2:
        raise ShapeError(f"fill_diagonal takes an array of at least 2 dimensions, got shape {x.shape}")
    if x.ndim > 2 and len(set(x.shape)) > 1:
        raise ShapeError(f"fill_diagonal: the axes of shape {x.shape} must be of equal length")
    columns = x.shape[1]
    step = columns + 1 if x.ndim == 2 else 1 + int(np.cumprod(x.shape[:-1]).sum())
    end = columns * columns if x.ndim == 2 and not wrap else x.size
    count = len(range(0, min(end, x.size), step))
    if not as_operand(val).size or not count:
        return x
    values = _cycled(val, x, iota(default_int(), (count,)))
    return reshape(At(reshape(x, (x.size,)))[:end:step].set(values), x.shape)


# -- flat numbers and coordinates ----------------------------------------------------------------------------------


def _strides(shape: Shape, order: str) -> list[int]:
    if order not in ("C", "F"):
        raise ArgumentError(f'order={order!r}: expected "C" or "F"')
    if order == "F":
        return [prod(shape[:axis]) for axis in range(len(shape))]
    return [prod(shape[axis + 1 :]) for axis in range(len(shape))]


def ravel_multi_index(
    multi_index: Any,
    dims: Sequence[int],
    mode: str | Sequence[str] = "raise",
    order: str = "C",
    *,
    dtype: DTypeLike | None = None,
) -> Any:
    """The numbers that elements at given coordinates have in the flattened array.

    Args:
        multi_index: integers, one array for each axis.
        dims: the shape.
        mode: "raise" refuses coordinates out of bounds, "clip" takes the nearest, "wrap" counts on; or one for each.
        order: "C" (last axis fastest) or "F" (first axis fastest).
        dtype: of the result; by default the default int.

    Raises:
        ArgumentError: coordinates out of bounds; in compiled code when a result of the call is read.
    """
    shape, columns = as_shape(dims), list(multi_index)
    if len(columns) != len(shape):
        raise ArgumentError(
            f"ravel_multi_index: {len(columns)} coordinates do not fit the {len(shape)} axes of shape {shape}"
        )
    modes = [mode] * len(shape) if isinstance(mode, str) else list(mode)
    wanted = default_int() if dtype is None else canonical(dtype)
    result: Any = full(ArrayType((), wanted), 0)
    each = zip(columns, shape, modes, _strides(shape, order), strict=True)
    for axis, (column, length, how, stride) in enumerate(each):
        column = convert(_integers("ravel_multi_index", column), wanted)
        column = _settled("ravel_multi_index", column, length, how, f"a coordinate is out of bounds for axis {axis}")
        result = result + column * stride
    return result


def unravel_index(indices: Any, shape: int | Sequence[int], order: str = "C") -> tuple[Any, ...]:
    """The coordinates of elements by their numbers in the flattened array, one array for each axis.

    Args:
        indices: integers.
        shape: the array's.
        order: "C" (last axis fastest) or "F" (first axis fastest).

    Raises:
        ArgumentError: numbers out of bounds; in compiled code when a result of the call is read.
    """
    lengths = as_shape(shape)
    x = _integers("unravel_index", indices)
    x = convert(x, default_int()) if x.dtype.itemsize < default_int().itemsize else x
    size = prod(lengths)
    _require(_within(x, size), f"unravel_index: an index is out of bounds for shape {lengths} of {size} elements")
    _strides(lengths, order)
    axes = range(len(lengths))
    results: dict[int, Any] = {}
    for axis in axes if order == "F" else reversed(axes):
        x, results[axis] = divmod(x, max(lengths[axis], 1))
    return tuple(convert(results[axis], default_int()) for axis in axes)


# -- diagonals and triangles ---------------------------------------------------------------------------------------


def _fixed(rows: Sequence[np.ndarray]) -> tuple[Any, ...]:
    return tuple(Array(np.asarray(row, default_int())) for row in rows)


def _square(name: str, shape: Shape) -> Shape:
    if len(shape) != 2:
        raise ShapeError(f"{name} takes a matrix, got shape {shape}")
    return shape


def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """The indices of the main diagonal of an array of `ndim` axes of length `n`, one array for each axis."""
    return _fixed([np.arange(n)] * ndim)


def diag_indices_from(arr: Any) -> tuple[Any, ...]:
    """The indices of the main diagonal of an array whose axes are equally long."""
    shape = as_operand(arr).shape
    if len(shape) < 2 or len(set(shape)) > 1:
        raise ShapeError(f"diag_indices_from takes an array of at least 2 equally long axes, got shape {shape}")
    return diag_indices(shape[0], len(shape))


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, Any]:
    """The rows and columns of the elements on and below the diagonal `k` of an n by m (by default n) matrix."""
    return _fixed(np.tril_indices(n, k, m))  # type: ignore[return-value]


def tril_indices_from(arr: Any, k: int = 0) -> tuple[Any, Any]:
    """`tril_indices` for the shape of a matrix."""
    rows, columns = _square("tril_indices_from", as_operand(arr).shape)
    return tril_indices(rows, k, columns)


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, Any]:
    """The rows and columns of the elements on and above the diagonal `k` of an n by m (by default n) matrix."""
    return _fixed(np.triu_indices(n, k, m))  # type: ignore[return-value]


def triu_indices_from(arr: Any, k: int = 0) -> tuple[Any, Any]:
    """`triu_indices` for the shape of a matrix."""
    rows, columns = _square("triu_indices_from", as_operand(arr).shape)
    return triu_indices(rows, k, columns)


def mask_indices(
    n: int, mask_func: Callable[[Any, Any], Any], k: Any = 0, *, size: int | None = None
) -> tuple[Any, ...]:
    """The rows and columns that `mask_func`, such as `triu`, leaves nonzero in an n by n matrix of ones.

    Args:
        n: rows and columns.
        mask_func: called with the matrix and `k`.
        k: passed on.
        size: how many to return, if `k` is traced; see `nonzero`.
    """
    return nonzero(mask_func(ones((n, n)), k), size=size)
