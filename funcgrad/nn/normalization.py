"""The softmax family, standardization and one-hot encoding: functions that look along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.dtypes import DTypeLike, canonical, default_float, is_integer
from ..errors import AxisError, DTypeError
from ..numpy.conversion import as_operand
from ..numpy.elementwise import absolute, multiply, sign, square, subtract, where
from ..numpy.promotion import promote, to_inexact
from ..numpy.reductions import canonical_axes, mean
from ..numpy.reductions import sum as reduce_sum
from ..numpy.transcendental import exp, log
from ..ops.elementwise import eq, is_finite, stop_gradient
from ..ops.exponential import rsqrt
from ..ops.reduction import reduce_max
from ..ops.structure import broadcast_in_dim, convert, expand_dims, iota, reshape

__all__ = ["log_softmax", "logmeanexp", "logsumexp", "one_hot", "softmax", "standardize"]

Axis = int | Sequence[int] | None


def _largest(x: Any, axis: Axis) -> Any:
    """The largest element along axes, kept with length 1, a constant for differentiation.

    A NaN may be passed over: what is computed from it and the elements is NaN anyway.
    """
    axes = canonical_axes(axis, x.ndim)
    largest = reduce_max(x, axes, keeps_nan=False)
    return stop_gradient(reshape(largest, tuple(1 if i in axes else n for i, n in enumerate(x.shape))))


def softmax(x: Any, axis: Axis = -1, where: Any = None) -> Any:
    """exp(x) / Σ exp(x) along an axis, without overflow.

    Args:
        x: array.
        axis: the axis or axes whose results add up to 1.
        where: booleans that broadcast to the shape of `x`; the others take no part and give 0.
    """
    x = _masked(to_inexact(as_operand(x)), where)
    weights = exp(subtract(x, _largest(x, axis)))
    return weights / reduce_sum(weights, axis, keepdims=True)


def log_softmax(x: Any, axis: Axis = -1, where: Any = None) -> Any:
    """log(softmax(x)) along an axis, without overflow or underflow; see `softmax`. Masked elements give -inf."""
    x = _masked(to_inexact(as_operand(x)), where)
    shifted = subtract(x, _largest(x, axis))
    return shifted - log(reduce_sum(exp(shifted), axis, keepdims=True))


def _masked(x: Any, mask: Any) -> Any:
    return x if mask is None else where(mask, x, -np.inf)


def logsumexp(
    a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False, return_sign: bool = False, where: Any = None
) -> Any:
    """log(Σ b · exp(a)) over axes, without overflow.

    Args:
        a: array.
        axis: the axis or axes to sum over; None sums over all.
        b: factors that broadcast with `a`; by default 1.
        keepdims: keep the summed axes with length 1.
        return_sign: return the logarithm of the sum's absolute value, and its sign.
        where: booleans that broadcast to the shape of `a`; the others take no part.

    Returns:
        The logarithm (-inf for a sum of 0, NaN for a negative sum), or with `return_sign` a pair (logarithm, sign).
    """
    a = to_inexact(as_operand(a))
    if b is not None:
        a, b = promote(a, b)
        a = _masked(a, b != 0)
    a = _masked(a, where)
    top = _finite(_largest(a, axis))
    terms = exp(subtract(a, top))
    total = reduce_sum(terms if b is None else multiply(b, terms), axis, keepdims=True)
    result, direction = _log_size(total) + top, sign(total)
    if b is not None and not return_sign:
        result = _negative_is_nan(result, direction)
    if not keepdims:
        kept = tuple(n for i, n in enumerate(a.shape) if i not in canonical_axes(axis, a.ndim))
        result, direction = reshape(result, kept), reshape(direction, kept)
    return (result, direction) if return_sign else result


def _finite(x: Any) -> Any:
    """x, or 0 where it is infinite or NaN: subtracting an infinite maximum would make NaN of equal infinities."""
    return where(is_finite(x), x, 0.0)


def _log_size(total: Any) -> Any:
    """log|total|, with derivative 0 rather than NaN where the total is 0."""
    nothing = total == 0
    return where(nothing, -np.inf, log(where(nothing, 1.0, absolute(total))))


def _negative_is_nan(result: Any, direction: Any) -> Any:
    return where(direction < 0, np.nan, result)


def logmeanexp(a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False, where: Any = None) -> Any:
    """log(mean(b · exp(a))) over axes, without overflow; see `logsumexp`."""
    a = to_inexact(as_operand(a))
    mask = True if where is None else where
    ones = broadcast_in_dim(as_operand(mask), a.shape, range(a.ndim - as_operand(mask).ndim, a.ndim))
    count = reduce_sum(convert(ones, a.dtype), axis, keepdims=keepdims)
    return logsumexp(a, axis, b, keepdims, where=where) - log(count)


def standardize(
    x: Any,
    axis: Axis = -1,
    mean: Any = None,
    variance: Any = None,
    epsilon: Any = 1e-5,
    where: Any = None,
) -> Any:
    """(x - mean) / √(variance + epsilon) along an axis.

    Args:
        x: array.
        axis: the axis or axes to standardize along.
        mean: the mean to subtract; by default that of `x` along the axis.
        variance: the variance to divide by; by default that of `x` about `mean`.
        epsilon: keeps the division away from zero.
        where: booleans that broadcast to the shape of `x`; the others do not count in mean and variance.
    """
    x = to_inexact(as_operand(x))
    center = _mean(x, axis, where) if mean is None else mean
    spread = _mean(square(subtract(x, center)), axis, where) if variance is None else variance
    return multiply(subtract(x, center), rsqrt(as_operand(spread + epsilon)))


def _mean(x: Any, axis: Axis, mask: Any) -> Any:
    return mean(x, axis, keepdims=True, where=mask)


def one_hot(x: Any, num_classes: int, *, dtype: DTypeLike | None = None, axis: int = -1) -> Any:
    """1 at the class that each integer names, 0 elsewhere; integers out of range give zeros only.

    Args:
        x: integers.
        num_classes: the length of the new axis.
        dtype: of the result; by default the default float.
        axis: where the new axis stands in the result.

    Example:
        >>> one_hot(fnp.array([0, 2]), 3)
        Array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    x = as_operand(x)
    if not is_integer(x.dtype):
        raise DTypeError(f"one_hot takes integers, not {x.dtype.name}; convert them first: x.astype(int)")
    ndim = x.ndim + 1
    if not -ndim <= axis < ndim:
        raise AxisError(f"one_hot: axis {axis} is out of bounds for a result of {ndim} dimensions")
    place = axis % ndim
    shape = (*x.shape[:place], num_classes, *x.shape[place:])
    spread = broadcast_in_dim(expand_dims(x, (place,)), shape, range(ndim))
    classes = iota(x.dtype, shape, place)
    return convert(eq(spread, classes), default_float() if dtype is None else canonical(dtype))
