"""Differences, slopes, integrals, interpolation and convolution of sampled functions, under NumPy's names."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Any

import numpy as np

from ..core.dtypes import (
    BOOL,
    DTypeLike,
    canonical,
    default_int,
    is_complex,
    is_float,
    is_inexact,
    is_integer,
    scalar_kind,
)
from ..errors import ArgumentError, AxisError, DTypeError, ShapeError
from ..ops.complex_parts import conj
from ..ops.correlation import correlate as slide
from ..ops.elementwise import ne, sub, where
from ..ops.slicing import concatenate, rev, slice_in_dim
from ..ops.structure import broadcast, canonical_axis, convert, full, reshape
from .conversion import as_operand
from .elementwise import divide, multiply, remainder
from .fast import SIMPLE, quick_call, quick_host
from .indexing import take
from .promotion import is_array, promote_dtypes, to_inexact
from .reductions import cumsum, sum
from .sorting import argsort, searchsorted

__all__ = ["convolve", "correlate", "diff", "ediff1d", "gradient", "interp", "trapezoid", "unwrap"]

_FEW = 10_000  # elements for which one call of NumPy's costs less than several of ours
_BLOCK = 1 << 15


def _part(x: Any, start: int | None, stop: int | None, axis: int) -> Any:
    return slice_in_dim(x, start, stop, 1, axis)


# -- differences -------------------------------------------------------------------------------------------------------


@quick_call(np.diff, SIMPLE)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along an axis, `a[i + 1] - a[i]`; of booleans, whether they are different.

    Args:
        n: how often differences are taken.
        axis: along which axis.
        prepend: what to put in front of `a` along the axis first; a scalar stands for one element everywhere.
        append: what to put behind it.

    Raises:
        ArgumentError: a negative `n`.
        ShapeError: a scalar.
    """
    if n < 0:
        raise ArgumentError(f"diff: n={n}; expected how often to take differences, 0 or more")
    x = as_operand(a)
    if n == 0:
        return x
    if not x.ndim:
        raise ShapeError("diff takes an array of at least one dimension, not a scalar: it has no neighbours")
    axis = canonical_axis(axis, x.ndim)
    rows = [_beside(x, axis, prepend), x, _beside(x, axis, append)]
    rows = list(promote_dtypes(*[row for row in rows if row is not None]))
    x = concatenate(rows, axis) if len(rows) > 1 else rows[0]
    for _ in range(min(n, x.shape[axis])):
        length = x.shape[axis]
        after, before = _part(x, 1, length, axis), _part(x, 0, max(length - 1, 0), axis)
        x = ne(after, before) if x.dtype == BOOL else sub(after, before)
    return x


def _beside(x: Any, axis: int, rows: Any) -> Any:
    """What is put in front of `x` or behind it."""
    if rows is None:
        return None
    rows = as_operand(rows)
    return rows if rows.ndim else broadcast(rows, tuple(1 if i == axis else n for i, n in enumerate(x.shape)))


@quick_call(np.ediff1d, SIMPLE)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours in the flattened array, between what is put in front of them and behind.

    Raises:
        DTypeError: `to_end` or `to_begin` of a kind that the array's dtype does not hold.
    """
    x = as_operand(ary)
    x = reshape(x, (x.size,))
    if x.dtype == BOOL:
        raise DTypeError("ediff1d takes numbers, not booleans: they have no differences; use diff, or x.astype(int)")
    rows = [_flat_beside(x, "to_begin", to_begin), diff(x), _flat_beside(x, "to_end", to_end)]
    rows = [row for row in rows if row is not None]
    return concatenate(rows, 0) if len(rows) > 1 else rows[0]


def _flat_beside(x: Any, name: str, values: Any) -> Any:
    if values is None:
        return None
    values = as_operand(values)
    kinds = (bool, int, float, complex)
    if kinds.index(scalar_kind(values.dtype)) > kinds.index(scalar_kind(x.dtype)):
        raise DTypeError(
            f"ediff1d: {name} of dtype {values.dtype.name} does not fit beside differences of dtype {x.dtype.name}"
        )
    return convert(reshape(values, (values.size,)), x.dtype)


@quick_call(np.gradient, "fdFD")
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """The slopes of a sampled function: second-order differences inside, one-sided ones at both ends.

    Args:
        f: samples on a grid.
        varargs: the spacing: one number for all axes, or for each axis a number or the coordinates along it.
        axis: the axes along which to take slopes; by default all.
        edge_order: 1 or 2, the order of the differences at the ends.

    Returns:
        An array like `f`, or for several axes a tuple of them.

    Raises:
        ShapeError: too few samples along an axis, or coordinates that do not fit it.
        ArgumentError: another `edge_order`.
        DTypeError: not one spacing, nor one for each axis.

    >>> fnp.gradient(fnp.array([1.0, 2.0, 4.0, 7.0]), 0.5)
    Array([2., 3., 5., 6.], dtype=float32)
    """
    x = to_inexact(as_operand(f))
    axes = _distinct_axes(x, axis)
    if len(varargs) not in (0, 1, len(axes)) or (len(varargs) == 1 != len(axes) and as_operand(varargs[0]).ndim):
        raise DTypeError(
            f"gradient: {len(varargs)} spacings for {len(axes)} axes; give one number, or for each axis a number or "
            f"its coordinates"
        )
    if edge_order not in (1, 2):
        raise ArgumentError(f"gradient: edge_order={edge_order}; expected 1 or 2")
    spacings = varargs if len(varargs) == len(axes) else (varargs or (1.0,)) * len(axes)
    slopes = [_slope(x, along, spacing, edge_order) for along, spacing in zip(axes, spacings, strict=True)]
    return slopes[0] if len(axes) == 1 else tuple(slopes)


def _distinct_axes(x: Any, axis: Any) -> list[int]:
    if axis is None:
        return list(range(x.ndim))
    axes = [canonical_axis(i, x.ndim) for i in (axis if isinstance(axis, Sequence) else (axis,))]
    if len(set(axes)) < len(axes):
        raise AxisError(f"gradient: axis={axis} names the same axis twice")
    return axes


def _slope(x: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    length = x.shape[axis]
    if length < edge_order + 1:
        raise ShapeError(
            f"gradient: slopes along axis {axis} need at least {edge_order + 1} samples, but the shape is {x.shape}"
        )
    if is_array(spacing) or not isinstance(spacing, int | float | complex):
        spacing = as_operand(spacing)
        if spacing.ndim:
            return _uneven_slope(x, axis, _steps(spacing, length, axis), edge_order)
    at = lambda i: _part(x, i % length, i % length + 1, axis)  # noqa: E731
    inside = divide(sub(_part(x, 2, length, axis), _part(x, 0, max(length - 2, 0), axis)), 2 * spacing)
    if edge_order == 1:
        ends = [divide(sub(at(1), at(0)), spacing), divide(sub(at(-1), at(-2)), spacing)]
    else:
        ends = [
            divide(at(0) * -1.5 + at(1) * 2.0 + at(2) * -0.5, spacing),
            divide(at(-3) * 0.5 + at(-2) * -2.0 + at(-1) * 1.5, spacing),
        ]
    return concatenate(promote_dtypes(ends[0], inside, ends[1]), axis)


def _steps(places: Any, length: int, axis: int) -> Any:
    if places.ndim != 1 or places.shape[0] != length:
        raise ShapeError(
            f"gradient: coordinates of shape {places.shape} for axis {axis} of length {length}; "
            f"expected a number or shape ({length},)"
        )
    return diff(to_inexact(places))


def _uneven_slope(x: Any, axis: int, steps: Any, edge_order: int) -> Any:
    """The slope of the parabola through three neighbours, at the middle one, and at the ends."""
    count, ndim, length = steps.shape[0], x.ndim, x.shape[axis]
    shape = [1] * ndim

    def step(start: int, stop: int) -> Any:
        shape[axis] = stop - start
        return reshape(_part(steps, start, stop, 0), tuple(shape))

    def at(start: int, stop: int) -> Any:
        return _part(x, start, stop, axis)

    first, second = step(0, max(count - 1, 0)), step(min(1, count), count)
    inside = (
        at(0, length - 2) * (-second / (first * (first + second)))
        + at(1, length - 1) * ((second - first) / (first * second))
        + at(2, length) * (first / (second * (first + second)))
    )
    if edge_order == 1:
        ends = [
            (at(1, 2) - at(0, 1)) / step(0, 1),
            (at(length - 1, length) - at(length - 2, length - 1)) / step(count - 1, count),
        ]
    else:
        near, far = step(0, 1), step(1, 2)
        begin = _end_slope(at(0, 1), at(1, 2), at(2, 3), near, far)
        near, far = step(count - 1, count), step(count - 2, count - 1)
        end = _end_slope(at(length - 1, length), at(length - 2, length - 1), at(length - 3, length - 2), near, far)
        ends = [begin, -end]
    return concatenate(promote_dtypes(ends[0], inside, ends[1]), axis)


def _end_slope(first: Any, second: Any, third: Any, near: Any, far: Any) -> Any:
    """The slope at `first` of the parabola through three samples, `near` and `far` being the steps between them."""
    both = near + far
    return first * (-(near + both) / (near * both)) + second * (both / (near * far)) + third * (-near / (far * both))


# -- integrals and phases ----------------------------------------------------------------------------------------------


@quick_call(np.trapezoid, "fdFD", most=_FEW)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of a sampled function along an axis, by trapezoids.

    Args:
        y: the samples.
        x: where they were taken: a vector, or an array that broadcasts with `y`.
        dx: their distance, if `x` is not given.
        axis: along which axis.
    """
    y = to_inexact(as_operand(y))
    axis = canonical_axis(axis, y.ndim)
    if x is not None:
        x = as_operand(x)
        dx = diff(x) if x.ndim == 1 else diff(x, axis=axis)
        if x.ndim == 1:
            dx = reshape(dx, tuple(dx.shape[0] if i == axis else 1 for i in range(y.ndim)))
    length = y.shape[axis]
    if x is None and length > 1 and (not is_array(dx) or not dx.ndim):
        ends = _part(y, 0, 1, axis) + _part(y, length - 1, length, axis)
        inside = sum(_part(y, 1, length - 1, axis), axis)
        return multiply(dx, inside + divide(reshape(ends, inside.shape), 2.0))
    pairs = _part(y, min(1, length), length, axis) + _part(y, 0, max(length - 1, 0), axis)
    return sum(divide(multiply(dx, pairs), 2.0), axis)


@quick_call(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * pi) -> Any:
    """Angles along an axis without jumps: neighbours are brought within half a period by adding multiples of it.

    Args:
        p: angles.
        discont: the smallest jump that is mended; at least, and by default, half a period.
        axis: along which axis.
        period: of the angles.
    """
    x = as_operand(p)
    axis = canonical_axis(axis, x.ndim)
    steps = diff(x, axis=axis)
    steps, whole = promote_dtypes(steps, period)
    if is_integer(steps.dtype):
        half, odd = whole // 2, whole % 2 != 0
    else:
        half, odd = divide(whole, 2), False
    least = half if discont is None and is_inexact(steps.dtype) else divide(period, 2) if discont is None else discont
    short = remainder(steps + half, whole) - half
    upward = (short == -half) & (steps > 0) & ~as_operand(odd)  # half a period up stays up
    short = where(upward, broadcast(half, short.shape), short)
    jumps = where(abs(steps) < least, full(steps.type, 0), short - steps)
    x = convert(x, steps.dtype)
    length = x.shape[axis]
    mended = _part(x, min(1, length), length, axis) + cumsum(jumps, axis, steps.dtype)
    return concatenate([_part(x, 0, min(1, length), axis), mended], axis)


# -- interpolation -----------------------------------------------------------------------------------------------------


def _scattered(x: Any, xp: Any, *_: Any) -> bool:
    """Whether places are many and in no order: NumPy, which goes from one to the next, takes far longer."""
    if not (type(x) is type(xp) is np.ndarray and x.size >= _FEW and xp.size >= 64):
        return False
    flat = x.reshape(-1)
    return not np.all(flat[1:] >= flat[:-1])


@quick_call(np.interp, unless=_scattered)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The piecewise linear function through the points (xp, fp), at `x`.

    Args:
        x: where to evaluate it, of any shape.
        xp: ascending vector.
        fp: values, real or complex, as many as `xp`.
        left: value to the left of all `xp`, by default `fp[0]`; "extrapolate" continues the first line.
        right: value to the right of all, by default `fp[-1]`; "extrapolate" continues the last line.
        period: of the function; `xp` need not be ascending then, and `left` and `right` have no meaning.

    Returns:
        The shape of `x`; differentiable in `x`, `xp`, `fp`, `left` and `right`.

    Raises:
        ShapeError: `xp` and `fp` are not vectors of one length, or empty.

    >>> fnp.interp(2.5, fnp.array([1.0, 2.0, 3.0]), fnp.array([3.0, 2.0, 0.0]))
    Array(1., dtype=float32)
    """
    x, xp = (to_inexact(z) for z in promote_dtypes(x, xp))
    fp = to_inexact(as_operand(fp))
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ShapeError(
            f"interp takes points as two vectors of one length, at least 1; got xp of shape {xp.shape} and fp of shape "
            f"{fp.shape}"
        )
    if is_complex(x.dtype):
        raise DTypeError("interp interpolates between real places; x and xp must not be complex")
    if is_float(fp.dtype):
        x, xp, fp = promote_dtypes(x, xp, fp)
    if period is not None:
        x, xp, fp = _one_period(x, xp, fp, period)
    if x.size <= _BLOCK or any(quick_host(z) is None for z in (x, xp, fp)):
        return _interpolated(x, xp, fp, left, right)
    flat = x.reshape(-1)  # in blocks, so that all that is computed on the way stays in the processor's cache
    blocks = [flat[start : start + _BLOCK] for start in range(0, x.size, _BLOCK)]
    return concatenate([_interpolated(block, xp, fp, left, right) for block in blocks], 0).reshape(x.shape)


def _one_period(x: Any, xp: Any, fp: Any, period: Any) -> tuple[Any, Any, Any]:
    """Places moved into one period, and points in their order, with one more on either side."""
    if not is_array(period) and period == 0:
        raise ArgumentError("interp: period=0; expected another number")
    period = abs(convert(as_operand(period), x.dtype))
    x, xp = remainder(x, period), remainder(xp, period)
    order = argsort(xp)
    xp, fp = take(xp, order), take(fp, order)
    xp = concatenate([_part(xp, -1, None, 0) - period, xp, _part(xp, 0, 1, 0) + period], 0)
    return x, xp, concatenate([_part(fp, -1, None, 0), fp, _part(fp, 0, 1, 0)], 0)


def _interpolated(x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    count = xp.shape[0]
    first, last = xp[0], xp[count - 1]
    if count == 1:
        found = broadcast(fp[0], x.shape)
    else:
        place = (searchsorted(xp, x, side="right") - 1).clip(0, count - 2)
        x0, x1, f0, f1 = (take(z, i) for z, i in ((xp, place), (xp, place + 1), (fp, place), (fp, place + 1)))
        width = x1 - x0
        slope = (f1 - f0) / where(width == 0, full(width.type, 1), width)
        found = slope * (x - x0) + f0
        found = where((x == last) | (width == 0), f1, found)
    for outside, value, edge in ((x < first, left, fp[0]), (x > last, right, fp[count - 1])):
        if isinstance(value, str):
            _require_extrapolate(value)
            continue
        found, value = promote_dtypes(found, edge if value is None else value)
        found = where(outside, broadcast(value, found.shape), found)
    return found


def _require_extrapolate(value: str) -> None:
    if value != "extrapolate":
        raise ArgumentError(f'interp: {value!r} is not a value outside the points; expected a number or "extrapolate"')


# -- sliding sums of products ------------------------------------------------------------------------------------------


@quick_call(np.convolve, SIMPLE)
def convolve(
    a: Any, v: Any, mode: str = "full", *, precision: Any = None, preferred_element_type: DTypeLike | None = None
) -> Any:
    """The discrete convolution of two vectors: Σ a[j] v[k - j] for every k.

    Args:
        a: first vector.
        v: second vector.
        mode: "full" for every k with at least one product, "same" for the middle ones, as many as the longer vector
            has elements, "valid" for those where the vectors overlap completely.
        precision: accepted for JAX's sake; accelerators do not round anything away here.
        preferred_element_type: dtype of the result and of the sums.

    Raises:
        ShapeError: not vectors, or empty ones.
    """
    a, v = _vectors("convolve", a, v, preferred_element_type)
    if a.shape[0] < v.shape[0]:
        a, v = v, a
    return _slid("convolve", a, rev(v, (0,)), mode, a.dtype)


@quick_call(np.correlate, SIMPLE)
def correlate(
    a: Any, v: Any, mode: str = "valid", *, precision: Any = None, preferred_element_type: DTypeLike | None = None
) -> Any:
    """The cross-correlation of two vectors: Σ a[j + k] conj(v[j]) for every k; arguments as those of `convolve`."""
    a, v = _vectors("correlate", a, v, preferred_element_type)
    v = conj(v) if is_complex(v.dtype) else v
    if a.shape[0] >= v.shape[0]:
        return _slid("correlate", a, v, mode, a.dtype)
    return rev(_slid("correlate", v, a, mode, a.dtype), (0,))


def _vectors(name: str, a: Any, v: Any, preferred: DTypeLike | None) -> tuple[Any, Any]:
    a, v = promote_dtypes(a, v)
    if preferred is not None:
        a, v = convert(a, canonical(preferred)), convert(v, canonical(preferred))
    a, v = (z if z.ndim else reshape(z, (1,)) for z in (a, v))
    if a.ndim > 1 or v.ndim > 1 or not a.size or not v.size:
        raise ShapeError(f"{name} takes two vectors that are not empty, got shapes {a.shape} and {v.shape}")
    return a, v


def _slid(name: str, a: Any, v: Any, mode: str, dtype: np.dtype) -> Any:
    """Sums of products of a vector with every stretch of a longer one; of booleans, whether any product is true."""
    count = v.shape[0]
    zeros = {"full": (count - 1, count - 1), "same": (count // 2, count - 1 - count // 2), "valid": (0, 0)}
    if mode not in zeros:
        raise ArgumentError(f'{name}: mode={mode!r}; expected "full", "same" or "valid"')
    if dtype == BOOL:
        a, v = convert(a, default_int()), convert(v, default_int())
    return convert(slide(a, v, *zeros[mode]), dtype)
