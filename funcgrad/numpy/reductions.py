"""Sums, products, extrema, means, variances, cumulative sums and their kin over any axes, under NumPy's names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod as product
from typing import Any

import numpy as np

from ..backend.array import Array
from ..core import dtypes
from ..core.dtypes import (
    BOOL,
    FLOAT32,
    INT32,
    DTypeLike,
    canonical,
    is_complex,
    is_inexact,
    is_low_precision,
    is_signed,
)
from ..core.trace import Tracer
from ..errors import ArgumentError, AxisError, DTypeError, ShapeError
from ..ops import cumulative, reduction
from ..ops.exponential import sqrt
from ..ops.slicing import concatenate
from ..ops.structure import broadcast, broadcast_in_dim, canonical_axis, convert, full, reduce_sum, reshape
from .conversion import as_operand, asarray, refuse_out
from .elementwise import absolute, add, divide, maximum, minimum, multiply, square, subtract
from .elementwise import where as choose
from .fast import ANY, FLOATING, REAL, quick_host, quick_reduce
from .logic import truth
from .promotion import promote_dtypes, require_real, to_inexact

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "average", "count_nonzero", "cummax", "cummin", "cumprod",
    "cumsum", "cumulative_prod", "cumulative_sum", "max", "mean", "min", "prod", "ptp", "std", "sum", "var",
]  # fmt: skip

Axis = int | Sequence[int] | None


def canonical_axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    """The axes meant by None (all), one int or several, non-negative and in order.

    As in NumPy, a scalar may be reduced along axis 0 or -1, which changes nothing.

    Raises:
        AxisError: an axis that does not exist or is named twice.
    """
    if axis is None or (not ndim and type(axis) is int and axis in (0, -1)):
        return tuple(range(ndim))
    named_axes: Any = axis if isinstance(axis, tuple | list) else (axis,)
    axes = [canonical_axis(a, ndim) for a in named_axes]
    if len(set(axes)) != len(axes):
        raise AxisError(f"axis={tuple(named_axes)} names an axis twice")
    return tuple(sorted(axes))


def _restore(x: Any, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> Any:
    return reshape(x, tuple(1 if i in axes else n for i, n in enumerate(shape))) if keepdims else x


def _masked(x: Any, mask: Any, neutral: Any) -> Any:
    """`x` with `neutral` where the mask is false; the mask broadcasts to the shape of `x`."""
    if mask is None:
        return x
    return choose(broadcast(truth(mask), x.shape), x, convert(as_operand(neutral), x.dtype))


def _length(x: Any, axes: tuple[int, ...]) -> int:
    return product(x.shape[i] for i in axes)


# -- sums and products -----------------------------------------------------------------------------------------------


def accumulation_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype in which integers and booleans are summed: at least the default int, with their sign."""
    if is_inexact(dtype):
        return dtype
    default = dtypes.default_int()
    if dtype is BOOL or dtype.itemsize < default.itemsize:
        return default if dtype is BOOL or is_signed(dtype) else np.dtype(f"u{default.itemsize}")
    return dtype


def _accumulate(
    x: Any,
    axis: Axis,
    dtype: DTypeLike | None,
    keepdims: bool,
    initial: Any,
    mask: Any,
    reduce: Callable[..., Any],
    one: int,
) -> Any:
    x = as_operand(x)
    x = convert(x, accumulation_dtype(x.dtype) if dtype is None else canonical(dtype))
    x = _masked(x, mask, one)
    boolean = x.dtype is BOOL
    x = convert(x, INT32) if boolean else x
    axes = canonical_axes(axis, x.ndim)
    result = _restore(reduce(x, axes), x.shape, axes, keepdims)
    if initial is not None:
        result = (multiply if one else add)(result, asarray(initial, x.dtype))
    return convert(result, BOOL) if boolean else result


def sum(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """The sum of elements over axes.

    Args:
        a: array; integers smaller than the default int, and booleans, are summed in the default int (or its unsigned
            partner).
        axis: one axis, several, or None for all.
        dtype: the dtype to convert to before summing, and of the result.
        keepdims: keep the summed axes with length 1.
        initial: what to start from, by default 0.
        where: a mask that broadcasts with `a`; elements where it is false do not count.

    Returns:
        An array without the summed axes.
    """
    if out is not None:
        refuse_out("sum", out)
    if dtype is None and initial is None and where is None:
        quick = quick_reduce(np.add, FLOATING, a, axis, keepdims)
        if quick is not None:
            return quick
        if isinstance(a, Tracer) and axis is None and not keepdims and is_inexact(a.dtype):
            return reduce_sum(a, range(a.ndim))
    return _accumulate(a, axis, dtype, keepdims, initial, where, reduce_sum, 0)


def prod(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """The product of elements over axes; arguments as those of `sum`."""
    if out is not None:
        refuse_out("prod", out)
    if dtype is None and initial is None and where is None:
        quick = quick_reduce(np.multiply, FLOATING, a, axis, keepdims)
        if quick is not None:
            return quick
    return _accumulate(a, axis, dtype, keepdims, initial, where, reduction.reduce_prod, 1)


def count_nonzero(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many elements are not zero, over axes, in the default int."""
    host = quick_host(a)
    if host is not None and axis is None and not keepdims:
        return Array(np.asarray(np.count_nonzero(host), dtypes.default_int()))
    return sum(truth(a), axis, keepdims=keepdims)


# -- extrema ---------------------------------------------------------------------------------------------------------


def _extremum(
    a: Any, axis: Axis, keepdims: bool, initial: Any, mask: Any, reduce: Callable[..., Any], name: str
) -> Any:
    if initial is None and mask is None:
        quick = quick_reduce(np.maximum if name == "max" else np.minimum, REAL, a, axis, keepdims)
        if quick is not None:
            return quick
    x = as_operand(a)
    require_real(x, name)
    axes = canonical_axes(axis, x.ndim)
    if initial is None:
        if _length(x, axes) == 0:
            raise ShapeError(
                f"zero-size array to reduction {name}, which has no identity: an array of shape {x.shape} has no "
                f"elements{'' if axis is None else f' along axis {axis}'}; pass initial=, the result for no elements"
            )
        if mask is not None and mask is not True:
            raise ArgumentError(f"{name} with where= may find no element; pass initial=, the result for no elements")
    else:
        initial = asarray(initial, x.dtype)
        x = _masked(x, mask, initial)
    result = _restore(reduce(x, axes), x.shape, axes, keepdims)
    return result if initial is None else (maximum if name == "max" else minimum)(result, initial)


def max(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The largest element over axes; NaN if there is one.

    Raises:
        ShapeError: there are no elements and no `initial` value.
    """
    if out is not None:
        refuse_out("max", out)
    return _extremum(a, axis, keepdims, initial, where, reduction.reduce_max, "max")


def min(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The smallest element over axes; NaN if there is one.

    Raises:
        ShapeError: there are no elements and no `initial` value.
    """
    if out is not None:
        refuse_out("min", out)
    return _extremum(a, axis, keepdims, initial, where, reduction.reduce_min, "min")


amax, amin = max, min


def ptp(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False) -> Any:
    """The largest element minus the smallest over axes."""
    refuse_out("ptp", out)
    return subtract(max(a, axis, keepdims=keepdims), min(a, axis, keepdims=keepdims))


def _position(a: Any, axis: int | None, keepdims: bool, find: Callable[..., Any], name: str) -> Any:
    host = quick_host(a, REAL)
    if host is not None and host.ndim and host.size and not keepdims and (axis is None or type(axis) is int):
        try:
            return Array(np.asarray(getattr(host, name)(axis), dtypes.default_int()))
        except ValueError:  # no such axis
            pass
    x = as_operand(a)
    require_real(x, name)
    if axis is None or (not x.ndim and axis in (0, -1)):
        flat = reshape(x, (x.size,))
        _require_elements(flat, 0, name)
        found = find(flat, 0, dtypes.default_int())
        return reshape(found, (1,) * x.ndim) if keepdims else found
    axis = canonical_axis(axis, x.ndim)
    _require_elements(x, axis, name)
    return _restore(find(x, axis, dtypes.default_int()), x.shape, (axis,), keepdims)


def _require_elements(x: Any, axis: int, name: str) -> None:
    if x.shape[axis] == 0:
        raise ShapeError(f"{name} of no elements: an array of shape {x.shape} is empty along axis {axis}")


def argmax(a: Any, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Any:
    """The index of the first largest element (or NaN) along an axis, or in the flattened array."""
    if out is not None:
        refuse_out("argmax", out)
    return _position(a, axis, keepdims, reduction.argmax, "argmax")


def argmin(a: Any, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Any:
    """The index of the first smallest element (or NaN) along an axis, or in the flattened array."""
    if out is not None:
        refuse_out("argmin", out)
    return _position(a, axis, keepdims, reduction.argmin, "argmin")


# -- truth -----------------------------------------------------------------------------------------------------------


def all(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = None) -> Any:
    """Whether all elements over axes are true (not zero); True for no elements."""
    if out is not None:
        refuse_out("all", out)
    if where is None:
        quick = quick_reduce(np.logical_and, ANY, a, axis, keepdims)
        if quick is not None:
            return quick
    x = _masked(truth(a), where, True)
    axes = canonical_axes(axis, x.ndim)
    return _restore(reduction.reduce_and(x, axes), x.shape, axes, keepdims)


def any(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = None) -> Any:
    """Whether some element over axes is true (not zero); False for no elements."""
    if out is not None:
        refuse_out("any", out)
    if where is None:
        quick = quick_reduce(np.logical_or, ANY, a, axis, keepdims)
        if quick is not None:
            return quick
    x = _masked(truth(a), where, False)
    axes = canonical_axes(axis, x.ndim)
    return _restore(reduction.reduce_or(x, axes), x.shape, axes, keepdims)


# -- means and variances ---------------------------------------------------------------------------------------------


def float_or_given(x: Any, dtype: DTypeLike | None) -> Any:
    return to_inexact(x) if dtype is None else convert(x, canonical(dtype))


def _count(x: Any, axes: tuple[int, ...], mask: Any, keepdims: bool) -> Any:
    """How many elements count: a Python int, or if there is a mask an array of the real dtype of `x`."""
    if mask is None:
        return _length(x, axes)
    mask = truth(mask)
    mask = broadcast_in_dim(mask, x.shape, range(x.ndim - mask.ndim, x.ndim))
    return sum(convert(mask, dtypes.real_dtype(x.dtype)), axes, keepdims=keepdims)


def mean(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: Any = None,
) -> Any:
    """The arithmetic mean over axes; NaN for no elements. Integers are averaged in the default float.

    With an integer `dtype` elements are truncated to it, and so is the mean.
    """
    if out is not None:
        refuse_out("mean", out)
    x = float_or_given(as_operand(a), dtype)
    if not is_inexact(x.dtype):
        return convert(mean(to_inexact(x), axis, keepdims=keepdims, where=where), x.dtype)
    if is_low_precision(x.dtype):
        return convert(mean(x, axis, FLOAT32, keepdims=keepdims, where=where), x.dtype)
    if axis is None and where is None:
        return divide(sum(x, keepdims=keepdims), x.size)
    axes = canonical_axes(axis, x.ndim)
    return divide(sum(x, axes, keepdims=keepdims, where=where), _count(x, axes, where, keepdims))


_center = mean  # `var` and `std` have a parameter of that name


def var(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """The mean squared distance from the mean over axes, the divisor being the count minus `ddof` (or `correction`).

    A known `mean`, computed with `keepdims=True`, need not be computed again.
    """
    refuse_out("var", out)
    x = float_or_given(as_operand(a), dtype)
    if not is_inexact(x.dtype):
        raise DTypeError(f"var, std: dtype={x.dtype.name} has no fractions; pass a floating one, or leave it out")
    if is_low_precision(x.dtype):
        wide = var(x, axis, FLOAT32, ddof=ddof, keepdims=keepdims, where=where, mean=mean, correction=correction)
        return convert(wide, x.dtype)
    axes = canonical_axes(axis, x.ndim)
    distance = subtract(x, _center(x, axes, keepdims=True, where=where) if mean is None else mean)
    squares = square(absolute(distance)) if is_complex(x.dtype) else square(distance)
    total = sum(squares, axes, keepdims=keepdims, where=where)
    freedom = subtract(_count(x, axes, where, keepdims), ddof if correction is None else correction)
    return divide(total, convert(maximum(freedom, 0), total.dtype))


def std(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """The square root of the variance; arguments as those of `var`."""
    refuse_out("std", out)
    return sqrt(var(a, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean, correction=correction))


def average(a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """The weighted mean over axes.

    Args:
        weights: of the shape of `a`, or one vector along the single `axis`; None weighs all alike.
        returned: also return the sum of the weights.
    """
    x = to_inexact(as_operand(a))
    axes = canonical_axes(axis, x.ndim)
    if weights is None:
        result = mean(x, axes, keepdims=keepdims)
        total = full(result.type, _length(x, axes))
        return (result, total) if returned else result
    x, w = promote_dtypes(x, weights)
    if w.shape != x.shape:
        lengths = tuple(x.shape[i] for i in axes)
        if axis is None or w.shape != lengths:
            raise ShapeError(f"weights of shape {w.shape} fit neither the shape {x.shape} of a nor its axis {axis}")
        w = broadcast_in_dim(w, x.shape, axes)
    total = sum(w, axes, keepdims=keepdims)
    result = divide(sum(multiply(x, w), axes, keepdims=keepdims), total)
    return (result, total) if returned else result


# -- cumulative ------------------------------------------------------------------------------------------------------


def _cumulative(a: Any, axis: int | None, dtype: DTypeLike | None, scan: Callable[..., Any]) -> Any:
    x = as_operand(a)
    x = convert(x, accumulation_dtype(x.dtype) if dtype is None else canonical(dtype))
    x = reshape(x, (x.size,)) if axis is None or not x.ndim else x
    axis = canonical_axis(0 if axis is None else axis, x.ndim)
    return convert(scan(convert(x, INT32), axis), BOOL) if x.dtype is BOOL else scan(x, axis)


def cumsum(a: Any, axis: int | None = None, dtype: DTypeLike | None = None, out: None = None) -> Any:
    """The sums of all elements up to each one, along an axis or in the flattened array; dtypes as in `sum`."""
    refuse_out("cumsum", out)
    return _cumulative(a, axis, dtype, cumulative.cumsum)


def cumprod(a: Any, axis: int | None = None, dtype: DTypeLike | None = None, out: None = None) -> Any:
    """The products of all elements up to each one, along an axis or in the flattened array; dtypes as in `sum`."""
    refuse_out("cumprod", out)
    return _cumulative(a, axis, dtype, cumulative.cumprod)


def cummax(a: Any, axis: int = 0) -> Any:
    """The largest of all elements up to each one, along an axis."""
    x = as_operand(a)
    return cumulative.cummax(x, canonical_axis(axis, x.ndim))


def cummin(a: Any, axis: int = 0) -> Any:
    """The smallest of all elements up to each one, along an axis."""
    x = as_operand(a)
    return cumulative.cummin(x, canonical_axis(axis, x.ndim))


def _cumulative_standard(
    x: Any, axis: int | None, dtype: Any, include_initial: bool, scan: Callable[..., Any], start: int
) -> Any:
    x = as_operand(x)
    if axis is None:
        if x.ndim != 1:
            raise AxisError(f"an array of {x.ndim} dimensions needs axis=, along which to accumulate")
        axis = 0
    result = scan(x, axis, dtype)
    if not include_initial:
        return result
    first = full(result.type.update(shape=tuple(1 if i == axis % x.ndim else n for i, n in enumerate(x.shape))), start)
    return concatenate([first, result], axis % x.ndim)


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Any:
    """`cumsum` as the Array API has it: with `include_initial` the result starts with a 0."""
    return _cumulative_standard(x, axis, dtype, include_initial, cumsum, 0)


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Any:
    """`cumprod` as the Array API has it: with `include_initial` the result starts with a 1."""
    return _cumulative_standard(x, axis, dtype, include_initial, cumprod, 1)
