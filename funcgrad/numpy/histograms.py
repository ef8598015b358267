"""Counts under NumPy's names: how often numbers occur, or how many of them fall into each of some bins.

A bin contains its left edge; the last one contains both. A histogram is the number of a bin for each element, counted.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.evaluate import quiet
from ..core.dtypes import BOOL, INT32, default_float, default_int, is_complex, is_inexact, is_integer
from ..core.trace import Tracer
from ..core.types import ArrayType
from ..errors import ArgumentError, ConcretizationError, DTypeError, ShapeError
from ..ops.checks import require_all
from ..ops.gather import ScatterDims, scatter_add
from ..ops.structure import convert, full, reshape, zeros_of
from . import reductions
from .calculus import diff
from .conversion import as_operand, asarray, known
from .creation import linspace
from .elementwise import clip, where
from .fast import FLOATING, REAL, quick_host
from .indexing import take
from .logic import isfinite
from .promotion import promote_dtypes, to_inexact
from .shape import flip
from .sorting import searchsorted

__all__ = ["bincount", "digitize", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd"]


# -- counting --------------------------------------------------------------------------------------------------------


def bincount(x: Any, /, weights: Any = None, minlength: int = 0, length: int | None = None) -> Any:
    """How often each of the numbers 0, 1, 2, … occurs, or the sum of the weights where it does.

    Args:
        x: a vector of integers, none of them negative.
        weights: one for each element of `x`; integers become the default float.
        minlength: the least length of the result.
        length: the length of the result; needed while tracing, where it cannot depend on values. Numbers that do not
            fit are not counted.

    Returns:
        A vector of the default int, or of the weights' dtype, which can be differentiated by the weights.

    Raises:
        ArgumentError: a negative number; in compiled code, when a result is read.
        ConcretizationError: traced numbers without `length`.

    Example:
        >>> fnp.bincount(fnp.array([0, 2, 2]))
        Array([1, 0, 2], dtype=int32)
    """
    host = quick_host(x, "bBhHiIl")
    if host is not None and length is None and (weights is None or quick_host(weights, FLOATING) is not None):
        try:
            return _counted(host, weights, minlength)
        except (ValueError, TypeError):
            pass  # ours is raised below
    numbers = as_operand(x)
    if numbers.ndim != 1:
        raise ShapeError(f"bincount takes a vector, got shape {numbers.shape}; write fnp.bincount(x.ravel())")
    if numbers.dtype is not BOOL and not is_integer(numbers.dtype):
        if numbers.size or isinstance(x, Array | Tracer | np.ndarray):
            raise DTypeError(f"bincount counts integers, not {numbers.dtype.name}; convert them: x.astype(int)")
        numbers = convert(numbers, INT32)
    if operator.index(minlength) < 0:
        raise ArgumentError(f"bincount: minlength={minlength} must not be negative")
    if weights is not None:
        weights = to_inexact(as_operand(weights))
        if weights.shape != numbers.shape:
            raise ShapeError(f"bincount: {numbers.shape[0]} numbers, but weights of shape {weights.shape}")
    if numbers.dtype.itemsize < INT32.itemsize:
        numbers = convert(numbers, INT32)
    if numbers.dtype.kind == "i" and numbers.size:
        require_all(numbers >= 0, "bincount: there is a negative number; it counts numbers from 0 on", ArgumentError)
    if length is None:
        length = _largest(numbers) + 1
    length = max(operator.index(length), minlength)
    return _count(where(numbers < length, numbers, length) if length else numbers, weights, length)


def _largest(numbers: Any) -> int:
    try:
        return int(known(numbers, "bincount").max(initial=-1))
    except ConcretizationError:
        raise ConcretizationError(
            "bincount: the length of the result is the largest number in x plus 1, but x is traced, so its values are "
            "not known. Say how long the result shall be: fnp.bincount(x, length=…)"
        ) from None


def _counted(numbers: np.ndarray, weights: Any, minlength: int) -> Array:
    """NumPy's count of host numbers, which sums weights in double precision, in our dtype."""
    counts = np.bincount(numbers, None if weights is None else weights.host(), minlength)
    return Array(quiet(counts.astype, default_int() if weights is None else weights.dtype))


def _count(numbers: Any, weights: Any, length: int) -> Any:
    """How often the numbers below `length` occur, or the sums of their weights. None is above it."""
    host = quick_host(numbers)
    if host is not None and host.dtype.itemsize <= 8 and (weights is None or quick_host(weights, FLOATING) is not None):
        index = host.astype(np.int64) if host.dtype.kind == "u" else host
        return _counted(index, weights, length + 1)[:length]
    dtype = default_int() if weights is None else weights.dtype
    ones = full(ArrayType(numbers.shape, dtype), 1) if weights is None else weights
    start = zeros_of(ArrayType((length,), dtype))
    if not numbers.size or not length:
        return start
    places = reshape(convert(numbers, INT32), (numbers.size, 1))
    return scatter_add(start, places, ones, ScatterDims((), (0,), (0,)), mode="fill")


# -- bins ------------------------------------------------------------------------------------------------------------


def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """The number of the bin that each element of `x` falls into: 0 below all edges, `len(bins)` above.

    Args:
        x: real array.
        bins: a vector of edges, ascending or descending.
        right: bins contain their right edges rather than their left ones.

    Raises:
        ArgumentError: edges that are known and not in order.
    """
    host, limits = quick_host(x, REAL), quick_host(bins, REAL)
    if host is not None and limits is not None:
        try:
            return Array(np.asarray(np.digitize(host, limits, right), default_int()))
        except ValueError:
            pass  # ours is raised below
    values, edges = promote_dtypes(x, bins)
    if is_complex(values.dtype):
        raise DTypeError(f"digitize takes real numbers, not {values.dtype.name}: complex numbers have no order here")
    if edges.ndim != 1:
        raise ShapeError(f"digitize takes a vector of bin edges, got shape {edges.shape}")
    side = "left" if right else "right"
    if isinstance(edges, Array):
        steps = np.diff(edges.host())
        if (steps >= 0).all():
            return searchsorted(edges, values, side)
        if not (steps <= 0).all():
            raise ArgumentError("digitize: bins must ascend or descend; sort them: fnp.sort(bins)")
        return edges.size - searchsorted(flip(edges), values, side)
    ascending = edges[0] <= edges[-1]
    down = edges.size - searchsorted(flip(edges), values, side)
    return where(ascending, searchsorted(edges, values, side), down)


class _Bins:
    """Edges, and whether they are evenly spaced.

    Attributes:
        edges: a vector of them, ascending.
        even: how many evenly spaced bins there are; 0 if the edges were given.
    """

    def __init__(self, a: Any, bins: Any, range: Any, weights: Any, name: str) -> None:
        self.even = 0
        if isinstance(bins, str):
            bins = self._estimated(a, bins, range, weights, name)
        elif not isinstance(bins, int | np.integer):
            edges = as_operand(bins)
            if edges.ndim > 1:
                raise ShapeError(
                    f"{name}: bins has shape {edges.shape}; expected a number of bins or a vector of edges"
                )
            if edges.ndim:
                self._take(edges, name)
                return
            if not is_integer(edges.dtype):
                raise DTypeError(
                    f"{name}: bins={bins!r}; expected a number of bins, a vector of edges or a rule's name"
                )
        self.even = operator.index(bins)
        if self.even < 1:
            raise ArgumentError(f"{name}: bins={self.even}; there must be at least one bin")
        low, high = _outer_edges(a, range, name)
        self.edges = linspace(low, high, self.even + 1)

    def _take(self, edges: Any, name: str) -> None:
        if isinstance(edges, Array) and (np.diff(edges.host()) < 0).any():
            raise ArgumentError(f"{name}: the edges in bins must ascend; sort them: fnp.sort(bins)")
        self.edges = edges

    @staticmethod
    def _estimated(a: Any, rule: str, range: Any, weights: Any, name: str) -> int:
        """How many bins one of NumPy's rules finds fit for the data."""
        if weights is not None:
            raise DTypeError(
                f"{name}: bins={rule!r} finds a number of bins for data without weights only; pass a number"
            )
        try:
            host = known(a, name)
        except ConcretizationError:
            raise ConcretizationError(
                f"{name}: bins={rule!r} finds the number of bins from the values of a, but a is traced: they are not "
                f"known. Pass the number of bins: bins=10"
            ) from None
        try:
            return quiet(np.histogram_bin_edges, host.astype(np.float64), rule, range).size - 1
        except ValueError as error:
            raise ArgumentError(f"{name}: {error}") from None

    def number_of(self, x: Any) -> Any:
        """The number of each element's bin; that of bins for what lies outside."""
        if not self.even:
            edges, x = promote_dtypes(self.edges, x)
            count = edges.size - 1
            number = searchsorted(edges, x, "right") - 1
            inside = (x >= edges[0]) & (x <= edges[-1])
        else:
            edges, count = self.edges, self.even
            x = convert(x, edges.dtype)
            low, high = edges[0], edges[-1]
            # A guess by division, which rounding may have put on the wrong side of an edge.
            guess = clip((x - low) * (count / (high - low)), 0, count - 1)
            number = convert(guess, INT32)
            number = number - (x < take(edges, number, mode="clip"))
            number = number + (x >= take(edges, number + 1, mode="clip"))
            inside = (x >= low) & (x <= high)
        return where(inside, clip(number, 0, count - 1), count)


def _outer_edges(a: Any, range: Any, name: str) -> tuple[Any, Any]:
    """The lowest and the highest edge, at a distance from each other."""
    if range is not None:
        low, high = promote_dtypes(*(convert(to_inexact(as_operand(x)), _edge_dtype(a)) for x in range))
        found = "the given range"
    elif not a.size:
        low, high, found = (*promote_dtypes(zeros_of(ArrayType((), _edge_dtype(a))), 1.0), "")
    else:
        x = convert(a, _edge_dtype(a))
        low, high, found = reductions.min(x), reductions.max(x), "the range of the data"
    finite = "is not finite; pass a finite one: range=(low, high)"
    require_all(isfinite(low) & isfinite(high), f"{name}: {found} {finite}", ArgumentError)
    require_all(low <= high, f"{name}: range=(low, high) must have low <= high", ArgumentError)
    apart = convert(low == high, low.dtype) / 2
    return low - apart, high + apart


def _edge_dtype(a: Any) -> np.dtype:
    return a.dtype if is_inexact(a.dtype) else default_float()


def _sample(name: str, a: Any, weights: Any) -> tuple[Any, Any]:
    """Data and weights as vectors of equal lengths."""
    x = as_operand(a)
    if is_complex(x.dtype):
        raise DTypeError(f"{name} takes real numbers, not {x.dtype.name}: complex numbers have no order here")
    if weights is None:
        return reshape(x, (x.size,)), None
    w = as_operand(weights)
    if w.shape != x.shape:
        raise ShapeError(f"{name}: weights have shape {w.shape}, but the data have shape {x.shape}; they must be equal")
    return reshape(x, (x.size,)), convert(reshape(w, (w.size,)), default_int() if w.dtype is BOOL else w.dtype)


# -- histograms ------------------------------------------------------------------------------------------------------


def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges of the bins that `histogram` would count in; arguments as those of `histogram`."""
    x, weights = _sample("histogram_bin_edges", a, weights)
    return _Bins(x, bins, range, weights, "histogram_bin_edges").edges


def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, Any]:
    """How many elements fall into each bin, and the edges of the bins.

    Args:
        a: real array, used flat.
        bins: how many bins of equal width; or a vector of their ascending edges; or the name of one of NumPy's rules
            for finding a number of bins ("auto", "fd", "doane", "scott", "stone", "rice", "sturges", "sqrt"), for
            which the data must be known.
        range: the outermost edges (low, high), by default the smallest and largest element. What lies outside is not
            counted.
        density: divide by the sum of counts and the widths of the bins, so that the integral is 1.
        weights: how much each element counts, of the shape of `a`.

    Returns:
        The counts, in the default int or the weights' dtype, or densities; and the edges, one more.

    Raises:
        ArgumentError: edges or a range out of order or not finite; if traced, when a result of the call is read.
        ConcretizationError: the name of a rule for traced data.

    Example:
        >>> fnp.histogram(fnp.array([1.0, 2.0, 2.0, 4.0]), bins=3)
        (Array([1, 2, 1], dtype=int32), Array([1., 2., 3., 4.], dtype=float32))
    """
    counts, edges = _quick_histogram(a, bins, range, weights) or _general_histogram(a, bins, range, weights)
    if density:
        counts = to_inexact(counts) / diff(to_inexact(edges)) / reductions.sum(counts)
    return counts, edges


def _general_histogram(a: Any, bins: Any, range: Any, weights: Any) -> tuple[Any, Any]:
    x, w = _sample("histogram", a, weights)
    found = _Bins(x, bins, range, w, "histogram")
    length = found.edges.size - 1
    if length < 1:
        return zeros_of(ArrayType((0,), default_int() if w is None else w.dtype)), found.edges
    return _count(found.number_of(x), w, length), found.edges


def _quick_histogram(a: Any, bins: Any, range: Any, weights: Any) -> tuple[Any, Any] | None:
    """NumPy's own loop over blocks that stay in the cache, for host arrays; None if it takes the general way."""
    host, w = quick_host(a, REAL), None if weights is None else quick_host(weights, FLOATING)
    if host is None or isinstance(bins, str) or (weights is not None and w is None):
        return None
    if range is not None and not all(type(x) in (int, float) for x in range):
        return None
    given = None if isinstance(bins, int) else quick_host(as_operand(bins), REAL)
    if given is None and not isinstance(bins, int):
        return None
    try:
        counts, edges = quiet(np.histogram, host, bins if given is None else given, range, None, w)
    except (ValueError, TypeError):
        return None
    kept = given if given is not None else edges if host.dtype.kind == "f" else edges.astype(default_float())
    return Array(counts.astype(default_int() if w is None else w.dtype)), Array(kept)


def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, list[Any]]:
    """How many points fall into each cell of a grid, and the edges of the grid along each dimension.

    Args:
        sample: a matrix with a row for each point, or a sequence of one vector for each dimension.
        bins: for all dimensions the number of bins, or for each its number, edges or rule, as those of `histogram`.
        range: for each dimension (low, high) or None.
        density: divide by the sum of counts and the volumes of the cells.
        weights: how much each point counts.

    Returns:
        The counts in floating point, one axis for each dimension; and a list of the edges along each.
    """
    columns = _columns(sample)
    dimensions = len(columns)
    each = bins if isinstance(bins, Sequence) and not isinstance(bins, str) else [bins] * dimensions
    ranges = [None] * dimensions if range is None else list(range)
    if len(each) != dimensions or len(ranges) != dimensions:
        raise ShapeError(
            f"histogramdd: the points have {dimensions} dimensions, but there are bins for {len(each)} and ranges for "
            f"{len(ranges)}"
        )
    found = [_Bins(x, b, r, weights, "histogramdd") for x, b, r in zip(columns, each, ranges, strict=True)]
    shape = tuple(one.edges.size - 1 for one in found)
    cell, inside = zeros_of(ArrayType(columns[0].shape, INT32)), None
    for x, one, length in zip(columns, found, shape, strict=True):
        number = one.number_of(x)
        within = number < length
        inside = within if inside is None else inside & within
        cell = cell * length + number
    total = math.prod(shape)
    w = None if weights is None else to_inexact(as_operand(weights))
    counts = to_inexact(reshape(_count(where(inside, cell, total), w, total), shape))
    if density:
        counts = counts / reductions.sum(counts)
        for axis, one in enumerate(found):
            width = diff(to_inexact(one.edges))
            counts = counts / reshape(width, (width.size, *(1,) * (dimensions - axis - 1)))
    return counts, [one.edges for one in found]


def _columns(sample: Any) -> list[Any]:
    """For each dimension a vector of coordinates."""
    if isinstance(sample, list | tuple):
        vectors = [as_operand(x) for x in sample]
        vectors = list(promote_dtypes(*vectors)) if len(vectors) > 1 else vectors
    else:
        points = as_operand(sample)
        points = reshape(points, (points.size, 1)) if points.ndim == 1 else points
        if points.ndim != 2:
            raise ShapeError(f"histogramdd takes a matrix with a row for each point, got shape {points.shape}")
        vectors = [points[:, i] for i in builtins.range(points.shape[1])]
    if any(x.ndim != 1 or x.shape != vectors[0].shape for x in vectors):
        raise ShapeError(
            f"histogramdd takes vectors of equal lengths, got shapes {', '.join(str(x.shape) for x in vectors)}"
        )
    return vectors


def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, Any, Any]:
    """How many points (x, y) fall into each cell of a grid, and the edges along both axes.

    Args:
        x, y: vectors of coordinates.
        bins: a number for both axes, one vector of edges for both, or a pair of either.
        range: ((low, high), (low, high)).
        density, weights: as those of `histogram`.

    Returns:
        The counts in floating point, shape (bins of x, bins of y); the edges along x; the edges along y.
    """
    columns = [as_operand(x), as_operand(y)]
    if columns[0].shape != columns[1].shape:
        raise ShapeError(f"histogram2d: x has shape {columns[0].shape} and y has shape {columns[1].shape}; not equal")
    pair = isinstance(bins, Sequence) and not isinstance(bins, str) and len(bins) == 2
    both = list(bins) if pair else [bins, bins] if isinstance(bins, int | np.integer) else [asarray(bins)] * 2
    counts, edges = histogramdd(columns, both, range, density, weights)
    return counts, edges[0], edges[1]
