"""Order statistics under NumPy's names: quantiles of every definition, and medians.

R. J. Hyndman and Y. Fan, Sample quantiles in statistical packages (The American Statistician 50, 1996), define nine
quantiles by where they stand in the sorted sample: at a position, often between two elements. Here a definition is
just that position, computed in double precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.evaluate import silence
from ..core.dtypes import (
    FLOAT32,
    INT32,
    default_float,
    is_complex,
    is_inexact,
    is_integer,
    is_low_precision,
    promote,
)
from ..core.trace import Tracer
from ..core.types import ArrayType
from ..errors import ArgumentError, DTypeError, OutOfBoundsError, ShapeError
from ..ops.order_statistics import OrderStatistics
from ..ops.sorting import sort, sort_together
from ..ops.structure import broadcast_in_dim, convert, full, reshape
from . import elementwise
from .conversion import SCALARS, as_operand, refuse_out
from .elementwise import clip, where
from .fast import FLOATING, quick_host
from .indexing import take, take_along_axis
from .logic import isnan
from .promotion import to_inexact
from .reductions import Axis, all, any, canonical_axes, cumsum, mean, sum
from .shape import expand_dims, moveaxis

__all__ = ["median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]

FLOAT64 = np.dtype(np.float64)
MOST_PLACES = 16  # more of them are read off the sorted array


# -- where quantiles stand -------------------------------------------------------------------------------------------


def _between(alpha: float, beta: float) -> Callable[..., Any]:
    """The continuous definitions: the k-th of n elements is the quantile (k - alpha) / (n + 1 - alpha - beta)."""
    return lambda xp, q, n: (n + (1 - alpha - beta)) * q + (alpha - 1)


# The module (NumPy, or this library's functions), the fraction and the number of elements → the position from 0.
_CHOOSING: dict[str, Callable[..., Any]] = {
    "inverted_cdf": lambda xp, q, n: xp.ceil(n * q) - 1,
    "closest_observation": lambda xp, q, n: xp.rint(n * q) - 1,
    "lower": lambda xp, q, n: xp.floor((n - 1) * q),
    "higher": lambda xp, q, n: xp.ceil((n - 1) * q),
    "nearest": lambda xp, q, n: xp.rint((n - 1) * q),
}
_POSITIONS = _CHOOSING | {
    "averaged_inverted_cdf": lambda xp, q, n: (xp.ceil(n * q) + xp.floor(n * q) - 1) / 2,
    "interpolated_inverted_cdf": lambda xp, q, n: n * q - 1,
    "hazen": _between(0.5, 0.5),
    "weibull": _between(0.0, 0.0),
    "linear": lambda xp, q, n: (n - 1) * q,
    "median_unbiased": _between(1 / 3, 1 / 3),
    "normal_unbiased": _between(0.375, 0.375),
    "midpoint": lambda xp, q, n: (xp.floor((n - 1) * q) + xp.ceil((n - 1) * q)) / 2,
}


class _Scalar:
    """The functions that positions are made of, for Python numbers."""

    ceil, floor, rint = staticmethod(math.ceil), staticmethod(math.floor), staticmethod(round)

    @staticmethod
    def clip(x: float, low: float, high: float) -> float:
        return min(max(x, low), high)


def _position(xp: Any, q: Any, n: Any, method: str) -> tuple[Any, Any]:
    """The place at or before the quantile, as a float, and how far the quantile is on the way to the next one."""
    position = xp.clip(_POSITIONS[method](xp, q, n), 0.0, n - 1.0)
    place = xp.floor(position)
    return place, position - place


class _Request:
    """What is asked for: the fractions `q`, flat and in double precision, and what becomes of the result.

    Attributes:
        q: a vector, of NumPy if they are known, else traced.
        shape: of the fractions as given.
        dtype: of the result between elements of the dtype of `x`.
        x: the elements, real, those of a sample along the last axis.
    """

    def __init__(self, name: str, a: Any, q: Any, axis: Axis, method: str, whole: float) -> None:
        self.name, self.method = name, method
        x = as_operand(a)
        if is_complex(x.dtype):
            raise DTypeError(f"{name} takes real numbers, not {x.dtype.name}: complex numbers have no order here")
        if method not in _POSITIONS:
            known = ", ".join(sorted(_POSITIONS))
            raise ArgumentError(f"{name}: method={method!r}, expected one of {known}")
        if not is_inexact(x.dtype) and not is_integer(x.dtype):
            x = to_inexact(x)
        self.axes, self.outer = canonical_axes(axis, x.ndim), x.shape
        self.x = _sampled(x, self.axes)
        self.dtype: Any = x.dtype if is_inexact(x.dtype) else default_float()
        self._read(q, whole)
        if method in _CHOOSING:
            self.dtype = x.dtype

    def _read(self, q: Any, whole: float) -> None:
        weak = type(q) in SCALARS or isinstance(q, list | tuple)
        given: Any = q if type(q) in SCALARS else as_operand(q)
        if not isinstance(given, Tracer) and weak:
            fractions = np.asarray(q, np.float64)
        else:
            if is_inexact(given.dtype):
                self.dtype = promote(self.dtype, given.dtype)
            fractions = given.host().astype(np.float64) if isinstance(given, Array) else convert(given, FLOAT64)
        self.shape: tuple[int, ...] = fractions.shape
        flat = fractions.reshape((prod(self.shape),)) / whole
        if isinstance(flat, np.ndarray) and not ((flat >= 0) & (flat <= 1)).all():
            wrong = float(flat[~((flat >= 0) & (flat <= 1))][0] * whole)
            raise ArgumentError(f"{self.name}: q must lie between 0 and {whole:g}, got {wrong}")
        self.q: Any = flat

    def outside(self) -> Any:
        """Whether fractions that are not known are no fractions; the result there is NaN."""
        return False if isinstance(self.q, np.ndarray) else ~((self.q >= 0) & (self.q <= 1))

    def answer(self, low: Any, high: Any, weight: Any, missing: Any, keepdims: bool) -> Any:
        """The quantiles, between their neighbours, in the dtype and shape that are asked for.

        Args:
            low, high: the neighbours, (..., fractions); high is None where only one element matters.
            weight: how far the way from low to high is to be gone.
            missing: where there is no quantile but NaN.
        """
        if high is not None:
            dtype = FLOAT32 if is_low_precision(self.dtype) else self.dtype
            if low.dtype != dtype:
                low, high = convert(low, dtype), convert(high, dtype)
            weight = weight if type(weight) is float else convert(as_operand(weight), dtype)
            low = _interpolated(low, high, weight)
        result = low if low.dtype == self.dtype else convert(low, self.dtype)
        if missing is not False and is_inexact(self.dtype):
            result = where(missing, np.nan, result)
        return _restored(result, self.shape, self.outer, self.axes, keepdims)


def _interpolated(low: Any, high: Any, weight: Any) -> Any:
    """`low` plus a part of the way to `high`; exactly `low`, however far `high` is, where no way is to be gone."""
    moved = low + (high - low) * weight
    return moved if type(weight) is float else where(weight == 0, low, moved)


def _sampled(x: Any, axes: tuple[int, ...]) -> Any:
    """`x` with some axes made one, the last."""
    kept = [i for i in range(x.ndim) if i not in axes]
    if axes != tuple(range(len(kept), x.ndim)):
        x = moveaxis(x, axes, tuple(range(len(kept), x.ndim)))
    size = prod(x.shape[len(kept) :])
    return reshape(x, (*x.shape[: len(kept)], size))


def _restored(x: Any, shape: tuple[int, ...], outer: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> Any:
    """The last axis brought to the front in its shape, and the axes of the samples put back if they are to be kept."""
    kept = tuple(1 if i in axes else n for i, n in enumerate(outer) if keepdims or i not in axes)
    if shape != ():
        x = moveaxis(x, -1, 0)
    return reshape(x, (*shape, *kept))


# -- quantiles -------------------------------------------------------------------------------------------------------


def _quantile(request: _Request, keepdims: bool) -> Any:
    x, n = request.x, request.x.shape[-1]
    if not n:
        raise OutOfBoundsError(
            f"{request.name} of no elements: an array of shape {request.outer} is empty along axis {request.axes}"
        )
    if not isinstance(request.q, np.ndarray):
        place, weight = _position(elementwise, request.q, float(n), request.method)
        ordered = sort(x, -1)
        low, high = (take(ordered, convert(p, INT32), -1, mode="clip") for p in (place, place + 1))
        return request.answer(low, high, weight, request.outside() | _any_nan(x), keepdims)
    if request.q.size == 1:
        place, weight = _position(_Scalar, float(request.q[0]), n, request.method)
        if not weight:
            return request.answer(OrderStatistics((place,))(x), None, None, False, keepdims)
        found = OrderStatistics((place, place + 1))(x)
        return request.answer(found[..., :1], found[..., 1:], weight, False, keepdims)
    place, weight = _position(np, request.q, n, request.method)
    if not weight.any():
        return request.answer(_at(x, place), None, None, False, keepdims)
    found = _at(x, np.concatenate([place, np.minimum(place + 1, n - 1)]))
    return request.answer(found[..., : place.size], found[..., place.size :], weight, False, keepdims)


def _any_nan(x: Any) -> Any:
    return any(isnan(x), -1, keepdims=True) if is_inexact(x.dtype) else False


def _at(x: Any, place: np.ndarray) -> Any:
    """The elements at places of the sorted last axis; NaN if there is one."""
    if not place.size:
        return x[..., :0]
    if place.size <= MOST_PLACES:
        return OrderStatistics(tuple(place.astype(int).tolist()))(x)
    found = take(sort(x, -1), place.astype(np.int32), -1)
    return where(_any_nan(x), np.nan, found) if is_inexact(x.dtype) else found


def _nan_quantile(request: _Request, keepdims: bool) -> Any:
    """Every sample has a number of elements of its own."""
    x = request.x
    if not is_inexact(x.dtype):
        return _quantile(request, keepdims)
    if isinstance(x, Array):
        numbers = x.host() == x.host()
        if x.size and numbers.all():
            return _quantile(request, keepdims)
        if x.ndim == 1 and numbers.any():
            request.x = Array(x.host()[numbers])
            return _quantile(request, keepdims)
    if not x.shape[-1]:
        nothing = full(ArrayType((*x.shape[:-1], prod(request.shape)), request.dtype), np.nan)
        return _restored(nothing, request.shape, request.outer, request.axes, keepdims)
    count = sum(convert(~isnan(x), FLOAT64), -1, keepdims=True)
    place, weight = _position(elementwise, as_operand(request.q), count, request.method)
    ordered = sort(x, -1)
    places = [convert(p, INT32) for p in (place, place + 1)]
    low, high = (take_along_axis(ordered, p, -1, mode="clip") for p in places)
    high = where(weight == 0, low, high)
    return request.answer(low, high, weight, (count == 0) | request.outside(), keepdims)


def _weighted_quantile(request: _Request, weights: Any, skip_nan: bool, keepdims: bool) -> Any:
    """The first element up to which the weights make the fraction of their sum."""
    w = _matching_weights(request, weights)
    x = request.x
    missing: Any = False
    if is_inexact(x.dtype):
        nan = isnan(x)
        w = where(nan, 0, w) if skip_nan else w
        missing = any(nan, -1, keepdims=True) if not skip_nan else all(nan, -1, keepdims=True)
    x, w = sort_together([x, w], -1)
    running = cumsum(w, -1)
    total = running[..., -1:]
    # An element of no weight is never the first, not even for the fraction 0.
    behind = expand_dims(running, -1) < expand_dims(as_operand(request.q) * total, -2)
    behind = behind | expand_dims(running <= 0, -1)
    place = clip(sum(behind, -2), max=x.shape[-1] - 1)
    found = take_along_axis(x, place, -1, mode="clip")
    return request.answer(found, None, None, missing | request.outside(), keepdims)


def _matching_weights(request: _Request, weights: Any) -> Any:
    """The weights in double precision, one for each element of the samples."""
    name, w = request.name, convert(as_operand(weights), FLOAT64)
    if request.method != "inverted_cdf":
        raise ArgumentError(f'{name}: weights need method="inverted_cdf", not {request.method!r}')
    if w.shape == request.outer:
        w = _sampled(w, request.axes)
    elif w.shape == tuple(request.outer[i] for i in request.axes) and len(request.axes) < len(request.outer):
        w = broadcast_in_dim(reshape(w, (w.size,)), request.x.shape, (request.x.ndim - 1,))
    else:
        raise ShapeError(
            f"{name}: weights of shape {w.shape} fit neither the shape {request.outer} of a nor its axes {request.axes}"
        )
    if isinstance(w, Array):
        host = w.host()
        if (host < 0).any():
            raise ArgumentError(f"{name}: weights must not be negative, got {float(host.min())}")
        if not np.isfinite(host).all() or not (host.sum(-1) > 0).all():
            raise ArgumentError(f"{name}: weights must be finite, and not all of them zero")
    return w


def quantile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """The values below which given fractions of the elements lie, over axes; NaN where an element is NaN.

    Args:
        a: real array.
        q: fractions between 0 and 1, of any shape; traced ones outside give NaN.
        axis: one axis, several, or None for all.
        out: not supported; arrays are immutable.
        overwrite_input: accepted for NumPy's sake.
        method: which value it is where no element has exactly that fraction below it. Those of Hyndman and Fan (1996),
            by number: "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
            "hazen", "weibull", "linear", "median_unbiased", "normal_unbiased"; and "lower", "higher", "nearest" and
            "midpoint" of the two elements that "linear" lies between.
        keepdims: keep the reduced axes with length 1.
        weights: how often each element counts, of the shape of `a` or of its axes; for "inverted_cdf".

    Returns:
        An array of the shape of `q`, then that of `a` without the axes. Methods that choose an element keep the dtype
        of `a`; the others give floating point.

    Raises:
        ArgumentError: an unknown method, or a fraction that is none.
        OutOfBoundsError: there are no elements.

    Example:
        >>> fnp.quantile(fnp.array([3.0, 1.0, 2.0]), 0.75)
        Array(2.5, dtype=float32)
    """
    return _quantiles("quantile", a, q, axis, out, method, keepdims, weights, 1.0, skip_nan=False)


def percentile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """`quantile` of percentages between 0 and 100; arguments as those of `quantile`."""
    return _quantiles("percentile", a, q, axis, out, method, keepdims, weights, 100.0, skip_nan=False)


def nanquantile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """`quantile` of the elements that are not NaN; NaN where there are none."""
    return _quantiles("nanquantile", a, q, axis, out, method, keepdims, weights, 1.0, skip_nan=True)


def nanpercentile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """`percentile` of the elements that are not NaN; NaN where there are none."""
    return _quantiles("nanpercentile", a, q, axis, out, method, keepdims, weights, 100.0, skip_nan=True)


def _quantiles(
    name: str,
    a: Any,
    q: Any,
    axis: Axis,
    out: None,
    method: str,
    keepdims: bool,
    weights: Any,
    whole: float,
    skip_nan: bool,
) -> Any:
    refuse_out(name, out)
    if weights is None and not (keepdims or skip_nan):
        quick = _quickly(a, q, axis, method, whole)
        if quick is not None:
            return quick
    request = _Request(name, a, q, axis, method, whole)
    if weights is not None:
        return _weighted_quantile(request, weights, skip_nan, keepdims)
    return (_nan_quantile if skip_nan else _quantile)(request, keepdims)


def _quickly(a: Any, q: Any, axis: Axis, method: str, whole: float) -> Array | None:
    """One quantile of all elements of a host array; None if it takes the general way."""
    host = quick_host(a, FLOATING) if type(q) in (int, float) and method in _POSITIONS and 0 <= q <= whole else None
    if host is None or not host.size or (axis is not None and (host.ndim != 1 or axis not in (0, -1))):
        return None
    place, weight = _position(_Scalar, q / whole, host.size, method)
    places = (place, place + 1) if weight else (place,)
    (found,) = silence.run(OrderStatistics(places).evaluate, host.reshape(-1))
    return Array(silence.run(_interpolated, found[:1], found[1:], weight)[0, ...] if weight else found[0, ...])


def median(a: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The element in the middle of the sorted ones, or the mean of the two there, over axes; NaN if there is a NaN.

    Args:
        a: array; integers give the default float. Complex numbers are ordered by their real parts first.
        axis: one axis, several, or None for all.
        out: not supported; arrays are immutable.
        overwrite_input: accepted for NumPy's sake.
        keepdims: keep the reduced axes with length 1.

    Returns:
        An array without the reduced axes; NaN for no elements.
    """
    refuse_out("median", out)
    x = as_operand(a)
    axes = canonical_axes(axis, x.ndim)
    samples = _sampled(x, axes)
    n = samples.shape[-1]
    if not n:
        result = mean(samples, -1)
    else:
        middle = OrderStatistics((n // 2,) if n % 2 else (n // 2 - 1, n // 2))(samples)
        if is_low_precision(x.dtype):
            result = mean(middle, -1)
        else:
            result = to_inexact(middle[..., 0])
            result = result if n % 2 else (result + to_inexact(middle[..., 1])) / 2
    return _restored(result, (), x.shape, axes, keepdims)


def nanmedian(
    a: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    """`median` of the elements that are not NaN; NaN where there are none."""
    refuse_out("nanmedian", out)
    x = to_inexact(as_operand(a))
    low, high = (_nan_quantile(_Request("nanmedian", x, 0.5, axis, way, 1.0), keepdims) for way in ("lower", "higher"))
    return low * 0.5 + high * 0.5  # of an odd number of elements both are the same one
