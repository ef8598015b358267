"""Running sums, products, maxima, minima and logsumexps along an axis, in either direction.

Compiled, each is one `reduce_window`, which XLA turns into a tree of short windows, or for large arrays on hosts a
tree of our own, which runs two to four times as fast. Derivatives of those that are not linear come from a scan over
pairs (value, tangent) with the derivative of the two-operand function: no division, so zeros are harmless, and every
order is right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import ml_dtypes
import numpy as np

from ..core.dtypes import BOOL, FLOAT32, is_integer, is_low_precision
from ..core.primitive import Primitive, not_linear
from ..core.types import ArrayType
from ..errors import AxisError, DTypeError
from .elementwise import add, is_finite, maximum, minimum, mul, sub, where
from .exponential import exp, log
from .families import kind_letter
from .slicing import concatenate, pad, rev, slice_in_dim
from .structure import canonical_axis, zeros_of

__all__ = ["associative_scan", "cumlogsumexp", "cummax", "cummin", "cumprod", "cumsum"]

Pair = tuple[Any, Any]


def lowest(dtype: np.dtype) -> Any:
    """The least value of a dtype, the identity of the maximum."""
    if dtype == BOOL:
        return False
    if is_integer(dtype):
        return np.iinfo(dtype).min
    infinite = np.array(-np.inf, np.float32).astype(dtype)
    return ml_dtypes.finfo(dtype).min if np.isnan(infinite) else infinite


def highest(dtype: np.dtype) -> Any:
    """The greatest value of a dtype, the identity of the minimum."""
    if dtype == BOOL:
        return True
    if is_integer(dtype):
        return np.iinfo(dtype).max
    infinite = np.array(np.inf, np.float32).astype(dtype)
    return ml_dtypes.finfo(dtype).max if np.isnan(infinite) else infinite


class Cumulative(Primitive):
    """Results of combining all elements up to each place, or from it to the end if `reverse`.

    Class attributes to declare:
        ufunc: the two-operand NumPy function.
        accepts: kinds of dtype it takes, letters of "ifc".
    """

    axis: int
    reverse: bool = False

    ufunc: ClassVar[np.ufunc]
    accepts: ClassVar[str] = "if"

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        if not 0 <= self.axis < x.ndim:
            raise AxisError(f"{self.name}: {x} has no axis {self.axis}")
        if kind_letter(x.dtype) not in self.accepts:
            raise DTypeError(f"{self.name} does not take {x.dtype.name}; convert first: x.astype(…)")
        return (x.strong(),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        dtype = x.dtype
        if is_low_precision(dtype):
            x = x.astype(np.float32)
        if self.reverse:
            x = np.flip(x, self.axis)
        if is_integer(dtype):  # which NumPy would widen
            result = self.ufunc.accumulate(x, self.axis, dtype=dtype)
        else:
            result = _accumulate(self.ufunc, x, self.axis, self.identity(x.dtype))
        if self.reverse:
            result = np.flip(result, self.axis)
        return (result.astype(dtype, copy=False),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        type = build.in_types[0]
        if type.size == 0:
            return (x,)
        wide = type.update(dtype=FLOAT32) if is_low_precision(type.dtype) else type.strong()
        x = build.convert(x, type, wide.dtype)
        if build.platform != "cpu" or type.size < _LARGE:
            result = self._window(build, x, wide, self.reverse)
        elif self.reverse:
            around = {"dimensions": build.integers([self.axis])}
            backwards = self._tree(build, build.op("reverse", (x,), wide, around), wide)
            result = build.op("reverse", (backwards,), wide, around)
        else:
            result = self._tree(build, x, wide)
        return (build.convert(result, wide, type.dtype),)

    def _window(self, build: Any, x: Any, type: ArrayType, reverse: bool = False) -> Any:
        scalar, length = ArrayType((), type.dtype), type.shape[self.axis]
        around = [0, length - 1] if reverse else [length - 1, 0]
        padding = [around if i == self.axis else [0, 0] for i in range(type.ndim)]
        (result,) = build.ops(
            "reduce_window",
            (x, build.constant(self.identity(type.dtype), scalar)),
            [type],
            {
                "window_dimensions": build.integers([length if i == self.axis else 1 for i in range(type.ndim)]),
                "padding": build.attribute(f"dense<{padding}> : tensor<{type.ndim}x2xi64>"),
            },
            [((scalar, scalar), lambda a, b: (self.emit(build, a, b, scalar),))],
        )
        return result

    def _tree(self, build: Any, x: Any, type: ArrayType) -> Any:
        """Pairs are combined, their running results are those at odd places, and one more step gives the even ones."""
        axis, length = self.axis, type.shape[self.axis]
        if length <= (_LAST_WINDOW if axis == type.ndim - 1 else _OUTER_WINDOW):
            return self._window(build, x, type)

        def of_length(n: int) -> ArrayType:
            return type.update(shape=(*type.shape[:axis], n, *type.shape[axis + 1 :]))

        def part(x: Any, source: ArrayType, start: int, stop: int, step: int = 1) -> Any:
            return _taken(build, x, source, axis, (start, stop, step))

        half, rest = length // 2, (length + 1) // 2
        evens, odds = part(x, type, 0, length, 2), part(x, type, 1, length, 2)
        pairs = self.emit(build, part(evens, of_length(rest), 0, half), odds, of_length(half))
        at_odd = self._tree(build, pairs, of_length(half))
        before, later = part(at_odd, of_length(half), 0, rest - 1), part(evens, of_length(rest), 1, rest)
        at_even = [part(evens, of_length(rest), 0, 1), self.emit(build, before, later, of_length(rest - 1))]
        dimension = {"dimension": build.integer(axis)}
        if rest > half:  # the last place is an even one
            at_odd = build.op("concatenate", (at_odd, part(evens, of_length(rest), 0, 1)), of_length(rest), dimension)
        columns = build.op("concatenate", at_even, of_length(rest), dimension), at_odd
        return _interleaved(build, columns, of_length(rest), type, axis)

    def identity(self, dtype: np.dtype) -> Any:
        """The value that combining leaves alone."""
        raise NotImplementedError

    def emit(self, build: Any, a: Any, b: Any, scalar: ArrayType) -> Any:
        """The StableHLO that combines two scalars."""
        raise NotImplementedError

    def combine(self, left: Pair, right: Pair) -> Pair:
        """Two values with their tangents, combined."""
        raise NotImplementedError

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        pair = primals[0], tangents[0]
        if self.reverse:
            pair = rev(pair[0], (self.axis,)), rev(pair[1], (self.axis,))
        tangent = associative_scan(self.combine, pair, self.axis)[1]
        return (self(*primals),), (rev(tangent, (self.axis,)) if self.reverse else tangent,)

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (mapped,) = axes
        return (type(self)(self.axis + (self.axis >= mapped), self.reverse)(*operands),), axes  # type: ignore[operator]


class CumSum(Cumulative):
    """Running sums; integers wrap."""

    ufunc, accepts = np.add, "ifc"

    def identity(self, dtype: np.dtype) -> Any:
        return 0

    def emit(self, build: Any, a: Any, b: Any, scalar: ArrayType) -> Any:
        return build.op("add", (a, b), scalar)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(*primals),), (self(*tangents),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (CumSum(self.axis, not self.reverse)(cts[0]),)


class CumProd(Cumulative):
    """Running products; integers wrap."""

    ufunc, accepts = np.multiply, "ifc"

    def identity(self, dtype: np.dtype) -> Any:
        return 1

    def emit(self, build: Any, a: Any, b: Any, scalar: ArrayType) -> Any:
        return build.op("multiply", (a, b), scalar)

    def combine(self, left: Pair, right: Pair) -> Pair:
        (a, da), (b, db) = left, right
        return mul(a, b), add(mul(da, b), mul(a, db))


class CumMax(Cumulative):
    """Running maxima, NaN from the first NaN on; elements that tie share the derivative."""

    ufunc = np.maximum

    def identity(self, dtype: np.dtype) -> Any:
        return lowest(dtype)

    def emit(self, build: Any, a: Any, b: Any, scalar: ArrayType) -> Any:
        return build.op("maximum", (a, b), scalar)

    def combine(self, left: Pair, right: Pair) -> Pair:
        return _combine_by(maximum, left, right)


class CumMin(Cumulative):
    """Running minima, NaN from the first NaN on; elements that tie share the derivative."""

    ufunc = np.minimum

    def identity(self, dtype: np.dtype) -> Any:
        return highest(dtype)

    def emit(self, build: Any, a: Any, b: Any, scalar: ArrayType) -> Any:
        return build.op("minimum", (a, b), scalar)

    def combine(self, left: Pair, right: Pair) -> Pair:
        return _combine_by(minimum, left, right)


class CumLogSumExp(Cumulative):
    """Running log(Σ exp x), without overflow."""

    ufunc, accepts = np.logaddexp, "f"

    def identity(self, dtype: np.dtype) -> Any:
        return -np.inf

    def emit(self, build: Any, a: Any, b: Any, scalar: ArrayType) -> Any:
        larger = build.op("maximum", (a, b), scalar)
        difference = build.op("subtract", (a, b), scalar)
        decay = build.op(
            "exponential", (build.op("negate", (build.op("abs", (difference,), scalar),), scalar),), scalar
        )
        total = build.op("add", (larger, build.op("log_plus_one", (decay,), scalar)), scalar)
        # The difference of equal infinities is NaN, and so is that of anything and NaN; then a + b is the answer.
        undefined = build.compare("NE", difference, difference, scalar)
        return build.op("select", (undefined, build.op("add", (a, b), scalar), total), scalar)

    def combine(self, left: Pair, right: Pair) -> Pair:
        (a, da), (b, db) = left, right
        larger = maximum(a, b)
        shift = where(is_finite(larger), larger, zeros_of(larger.type))
        total = add(shift, log(add(exp(sub(a, shift)), exp(sub(b, shift)))))
        base = where(is_finite(total), total, zeros_of(total.type))
        return total, add(mul(da, exp(sub(a, base))), mul(db, exp(sub(b, base))))


def _taken(build: Any, x: Any, source: ArrayType, axis: int, span: tuple[int, int, int]) -> Any:
    """StableHLO for a slice (start, stop, step) along an axis."""
    start, stop, step = span
    shape = [len(range(*span)) if i == axis else n for i, n in enumerate(source.shape)]
    attributes = {
        "start_indices": build.integers([start if i == axis else 0 for i in range(source.ndim)]),
        "limit_indices": build.integers([stop if i == axis else n for i, n in enumerate(source.shape)]),
        "strides": build.integers([step if i == axis else 1 for i in range(source.ndim)]),
    }
    return build.op("slice", (x,), source.update(shape=tuple(shape)), attributes)


def _interleaved(build: Any, pair: Pair, source: ArrayType, type: ArrayType, axis: int) -> Any:
    """StableHLO for the elements of two arrays in turn along an axis, as many as `type` has."""
    shape, after = source.shape, axis + 1
    thin = source.update(shape=(*shape[:after], 1, *shape[after:]))
    columns = [build.op("reshape", (x,), thin) for x in pair]
    both = build.op(
        "concatenate",
        columns,
        thin.update(shape=(*shape[:after], 2, *shape[after:])),
        {"dimension": build.integer(after)},
    )
    flat = source.update(shape=(*shape[:axis], 2 * shape[axis], *shape[after:]))
    merged = build.op("reshape", (both,), flat)
    return merged if flat.shape == type.shape else _taken(build, merged, flat, axis, (0, type.shape[axis], 1))


# Measured: smaller arrays gain less time than the tree takes to compile; windows shorter than these gain nothing.
_LARGE, _LAST_WINDOW, _OUTER_WINDOW = 1 << 14, 128, 16
_BLOCK = 16


def _accumulate(ufunc: np.ufunc, x: np.ndarray, axis: int, identity: Any) -> np.ndarray:
    """`ufunc.accumulate` in the order in which XLA rounds: within blocks, plus the accumulated totals of those before.

    So running sums of small arrays are the same numbers eager and compiled, and errors grow with the logarithm of the
    length.
    """
    length = x.shape[axis]
    if length <= _BLOCK:
        return ufunc.accumulate(x, axis)
    x = np.moveaxis(x, axis, -1)
    count = -(-length // _BLOCK)
    padded = np.full((*x.shape[:-1], count * _BLOCK), identity, x.dtype)
    padded[..., :length] = x
    blocks = padded.reshape(*x.shape[:-1], count, _BLOCK)
    for place in range(1, _BLOCK):
        ufunc(blocks[..., place - 1], blocks[..., place], out=blocks[..., place])
    before = np.full(blocks.shape[:-1], identity, x.dtype)
    before[..., 1:] = _accumulate(ufunc, blocks[..., -1], x.ndim - 1, identity)[..., :-1]
    ufunc(blocks, before[..., None], out=blocks)
    return np.moveaxis(padded[..., :length], -1, axis)


def _combine_by(op: Any, left: Pair, right: Pair) -> Pair:
    (result,), (tangent,) = op.jvp((left[0], right[0]), (left[1], right[1]))
    return result, tangent


def associative_scan(combine: Callable[[Any, Any], Any], operands: tuple[Any, ...], axis: int) -> tuple[Any, ...]:
    """Running results of an associative function of tuples of arrays, in logarithmic depth and linear work.

    The even-odd recursion of G. E. Blelloch, Prefix Sums and Their Applications (1990).

    Args:
        combine: maps two tuples of arrays, of which the first stands left of the second, to one, element by element.
        operands: arrays of one length along `axis`.
        axis: a non-negative axis.
    """
    length = operands[0].shape[axis]
    if length < 2:
        return operands

    def every_second(start: int, stop: int | None) -> tuple[Any, ...]:
        return tuple(slice_in_dim(x, start, stop, 2, axis) for x in operands)

    odd = associative_scan(combine, combine(every_second(0, length - 1), every_second(1, None)), axis)
    before = tuple(slice_in_dim(x, 0, (length - 1) // 2, 1, axis) for x in odd)
    later = combine(before, every_second(2, None))
    first = tuple(slice_in_dim(x, 0, 1, 1, axis) for x in operands)
    even = [concatenate(parts, axis) for parts in zip(first, later, strict=True)]
    return tuple(_interleave(*parts, axis) for parts in zip(even, odd, strict=True))


def _interleave(even: Any, odd: Any, axis: int) -> Any:
    """Elements 0, 2, … from one array and 1, 3, … from another."""
    length = even.shape[axis] + odd.shape[axis]
    spread = []
    for start, x in ((0, even), (1, odd)):
        end = length - start - (2 * x.shape[axis] - 1)
        config = [(start, end, 1) if i == axis else (0, 0, 0) for i in range(x.ndim)]
        spread.append(pad(x, zeros_of(ArrayType((), x.dtype)), config))
    return add(*spread)


def cumsum(x: Any, axis: int = 0, reverse: bool = False) -> Any:
    """Running sums along an axis."""
    return CumSum(canonical_axis(axis, x.ndim), reverse)(x)


def cumprod(x: Any, axis: int = 0, reverse: bool = False) -> Any:
    """Running products along an axis."""
    return CumProd(canonical_axis(axis, x.ndim), reverse)(x)


def cummax(x: Any, axis: int = 0, reverse: bool = False) -> Any:
    """Running maxima along an axis."""
    return CumMax(canonical_axis(axis, x.ndim), reverse)(x)


def cummin(x: Any, axis: int = 0, reverse: bool = False) -> Any:
    """Running minima along an axis."""
    return CumMin(canonical_axis(axis, x.ndim), reverse)(x)


def cumlogsumexp(x: Any, axis: int = 0, reverse: bool = False) -> Any:
    """Running log(Σ exp x) along an axis."""
    return CumLogSumExp(canonical_axis(axis, x.ndim), reverse)(x)
