"""Reductions over axes: product, maximum, minimum, and, or, xor, argmax, argmin. (The sum is in `structure`.)

A reduction of nothing gives the identity; `funcgrad.numpy` raises, as NumPy does, where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..core.dtypes import BOOL, FLOAT32, INT32, is_float, is_integer, is_low_precision
from ..core.graph import Graph
from ..core.primitive import Primitive, not_differentiable, not_linear
from ..core.program import Atom
from ..core.types import ArrayType, Zero
from ..errors import AxisError, DTypeError, ShapeError
from .cumulative import highest, lowest
from .elementwise import add, div, eq, mul, where
from .families import kind_letter
from .reducing import lower_reduce
from .slicing import concatenate, slice_in_dim
from .structure import broadcast_in_dim, canonical_axis, convert, reduce_sum, reshape, without_reduction, zeros_of

__all__ = ["argmax", "argmin", "reduce_and", "reduce_max", "reduce_min", "reduce_or", "reduce_prod", "reduce_xor"]

_EXACT_IN_FLOAT32 = 2**24


class Reduction(Primitive):
    """All elements along some axes combined into one; 16-bit and smaller floats are combined in float32.

    Class attributes to declare:
        ufunc: the two-operand NumPy function.
        stablehlo: the operation that combines two scalars.
        accepts: kinds of dtype it takes, letters of "bifc".
    """

    axes: tuple[int, ...]

    ufunc: ClassVar[np.ufunc]
    stablehlo: ClassVar[str]
    accepts: ClassVar[str] = "bif"

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        if len(set(self.axes)) != len(self.axes) or not all(0 <= axis < x.ndim for axis in self.axes):
            raise AxisError(f"{self.name}: the axes {self.axes} must be different and from 0 to {x.ndim - 1} for {x}")
        if kind_letter(x.dtype) not in self.accepts:
            raise DTypeError(f"{self.name} does not take {x.dtype.name}; convert first: x.astype(…)")
        return (x.update(shape=tuple(n for i, n in enumerate(x.shape) if i not in self.axes)),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        dtype = x.dtype
        if x.size == 0:
            shape = tuple(n for i, n in enumerate(x.shape) if i not in self.axes)
            return (np.full(shape, self.identity(dtype), dtype),)
        if is_low_precision(dtype):
            return (self.ufunc.reduce(x.astype(np.float32), axis=self.axes).astype(dtype),)
        return (self.ufunc.reduce(x, axis=self.axes, dtype=dtype),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        source, result = build.in_types[0], build.out_types[0]
        dtype = self.combining_dtype(source.dtype)
        source, wide, x = source.update(dtype=dtype), result.update(dtype=dtype), build.convert(x, source, dtype)
        return (build.convert(self.emit(build, x, source, wide), wide, result.dtype),)

    def combining_dtype(self, dtype: np.dtype) -> np.dtype:
        """The dtype in which elements are combined."""
        return FLOAT32 if is_low_precision(dtype) else dtype

    def emit(self, build: Any, x: Any, source: ArrayType, result: ArrayType) -> Any:
        """The StableHLO that combines elements of `combining_dtype`."""
        return lower_reduce(build, self.stablehlo, x, source, self.axes, self.identity(source.dtype))

    def identity(self, dtype: np.dtype) -> Any:
        """The value that combining leaves alone."""
        raise NotImplementedError

    jvp = not_differentiable
    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (mapped,) = axes
        reduced = tuple(i + (i >= mapped) for i in self.axes)  # type: ignore[operator]
        op = type(self)(reduced, *self._field_values()[1:])
        return (op(*operands),), (mapped - sum(i < mapped for i in reduced),)  # type: ignore[operator]

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return without_reduction(self, self.axes, graph, inputs)


class ReduceProd(Reduction):
    """The product; integers wrap."""

    ufunc, stablehlo, accepts = np.multiply, "multiply", "ifc"

    def identity(self, dtype: np.dtype) -> Any:
        return 1

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        (x,), (dx,) = primals, tangents
        out = self(x)
        if x.size == 0:
            return (out,), (Zero(out.type),)
        for axis in self.axes:
            x, dx = _multiplied_along(x, dx, axis)
        return (out,), (reshape(dx, out.shape),)


def _multiplied_along(x: Any, dx: Any, axis: int) -> tuple[Any, Any]:
    """The product along an axis, kept with length 1, and its tangent: no division, so zeros are harmless."""
    while (length := x.shape[axis]) > 1:
        half, parts = length // 2, ((x, dx) if length % 2 else ())
        last = tuple(slice_in_dim(part, length - 1, length, 1, axis) for part in parts)
        a, da = (slice_in_dim(part, 0, half, 1, axis) for part in (x, dx))
        b, db = (slice_in_dim(part, half, 2 * half, 1, axis) for part in (x, dx))
        x, dx = mul(a, b), add(mul(da, b), mul(a, db))
        if last:
            x, dx = concatenate((x, last[0]), axis), concatenate((dx, last[1]), axis)
    return x, dx


class Extremum(Reduction):
    """The largest or smallest element; NaN if there is one. Elements that tie share the derivative equally.

    Fields:
        keeps_nan: False says that nobody looks at the result where an element is NaN, which makes compiled code faster.
    """

    keeps_nan: bool = True

    def emit(self, build: Any, x: Any, source: ArrayType, result: ArrayType) -> Any:
        extreme = super().emit(build, x, source, result)
        if not (self.keeps_nan and is_float(source.dtype) and build.platform == "cpu"):
            return extreme
        # XLA's fast CPU code for `maximum` loses NaN. A sum of squares is NaN only for a NaN, and just as fast.
        dtype = super().combining_dtype(source.dtype)
        x, source, wide = build.convert(x, source, dtype), source.update(dtype=dtype), result.update(dtype=dtype)
        total = lower_reduce(build, "add", build.op("multiply", (x, x), source), source, self.axes, 0)
        is_nan = build.compare("NE", total, total, wide)
        return build.op("select", (is_nan, build.convert(total, wide, result.dtype), extreme), result)

    def combining_dtype(self, dtype: np.dtype) -> np.dtype:
        return dtype if dtype.itemsize > 1 else super().combining_dtype(dtype)  # choosing rounds nothing

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        ((x,), (dx,)), out = (primals, tangents), self(*primals)
        if x.type.size == 0:
            return (out,), (Zero(out.type),)
        kept = [i for i in range(x.ndim) if i not in self.axes]
        chosen = eq(x, broadcast_in_dim(out, x.shape, kept))
        count = reduce_sum(convert(chosen, x.dtype), self.axes)
        return (out,), (div(reduce_sum(where(chosen, dx, zeros_of(dx.type)), self.axes), count),)


class ReduceMax(Extremum):
    """The largest element; NaN if there is one."""

    ufunc, stablehlo = np.maximum, "maximum"

    def identity(self, dtype: np.dtype) -> Any:
        return lowest(dtype)


class ReduceMin(Extremum):
    """The smallest element; NaN if there is one."""

    ufunc, stablehlo = np.minimum, "minimum"

    def identity(self, dtype: np.dtype) -> Any:
        return highest(dtype)


class ReduceAnd(Reduction):
    """The bits set in all elements; for booleans whether all hold."""

    ufunc, stablehlo, accepts = np.bitwise_and, "and", "bi"

    def identity(self, dtype: np.dtype) -> Any:
        return True if dtype == BOOL else np.array(-1).astype(dtype)


class ReduceOr(Reduction):
    """The bits set in any element; for booleans whether one holds."""

    ufunc, stablehlo, accepts = np.bitwise_or, "or", "bi"

    def identity(self, dtype: np.dtype) -> Any:
        return 0


class ReduceXor(Reduction):
    """The bits set in an odd number of elements."""

    ufunc, stablehlo, accepts = np.bitwise_xor, "xor", "bi"

    def identity(self, dtype: np.dtype) -> Any:
        return 0


class ArgExtremum(Primitive):
    """The index of the largest or smallest element along an axis: the first NaN, else the first of equals.

    Class attributes to declare:
        direction: the comparison that a better element passes.
        stablehlo: the operation that chooses the better of two elements.
    """

    axis: int
    dtype: np.dtype

    direction: ClassVar[str]
    stablehlo: ClassVar[str]

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        if not 0 <= self.axis < x.ndim:
            raise AxisError(f"{self.name}: {x} has no axis {self.axis}")
        if x.shape[self.axis] == 0:
            raise ShapeError(f"{self.name}: axis {self.axis} of {x} is empty, so it has no largest or smallest element")
        if kind_letter(x.dtype) == "c" or not is_integer(self.dtype):
            raise DTypeError(
                f"{self.name} takes real numbers and gives integers, not {x.dtype.name} and {self.dtype.name}"
            )
        return (x.update(shape=(*x.shape[: self.axis], *x.shape[self.axis + 1 :]), dtype=self.dtype),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        source = build.in_types[0].strong()
        if build.platform == "cpu" and source.shape[self.axis] <= _EXACT_IN_FLOAT32:
            return (self._found_in_two_passes(build, x, source),)
        result = build.out_types[0]
        value, index = ArrayType((), source.dtype), ArrayType((), self.dtype)
        places = build.op("iota", (), source.update(dtype=self.dtype), {"iota_dimension": build.integer(self.axis)})
        starts = build.constant(self.worst(source.dtype), value), build.constant(highest(self.dtype), index)
        _, found = build.ops(
            "reduce",
            (x, places, *starts),
            [result.update(dtype=source.dtype), result],
            {"dimensions": build.integers([self.axis])},
            [((value, index, value, index), lambda *scalars: self._better(build, value, index, *scalars))],
        )
        return (found,)

    def _found_in_two_passes(self, build: Any, x: Any, source: ArrayType) -> Any:
        """The best element, then the first place where it stands: XLA's CPU code for both at once is slow.

        Places are counted in float32, which is reduced faster than integers. Those of NaN, which may be missing from
        the best element, are counted from -length, which puts them before all others.
        """
        length, result = source.shape[self.axis], build.out_types[0]
        if is_low_precision(source.dtype):
            x, source = build.convert(x, source, FLOAT32), source.update(dtype=FLOAT32)
        counts, number = source.update(dtype=FLOAT32), result.update(dtype=FLOAT32)
        best = lower_reduce(build, self.stablehlo, x, source, (self.axis,), self.worst(source.dtype))
        best = build.broadcast(best, source, [i for i in range(source.ndim) if i != self.axis])
        places = build.op("iota", (), counts, {"iota_dimension": build.integer(self.axis)})
        beyond = build.constant(length, counts)
        candidates = build.op("select", (build.compare("EQ", x, best, source), places, beyond), counts)
        if is_float(source.dtype):
            is_nan, before = build.compare("NE", x, x, source), build.op("subtract", (places, beyond), counts)
            candidates = build.op("select", (is_nan, before, candidates), counts)
        found = lower_reduce(build, "minimum", candidates, counts, (self.axis,), length)
        if is_float(source.dtype):
            negative = build.compare("LT", found, build.constant(0, number), number)
            counted = build.op("add", (found, build.constant(length, number)), number)
            found = build.op("select", (negative, counted, found), number)
        whole = result.update(dtype=INT32)
        return build.convert(build.convert(found, number, INT32), whole, result.dtype)

    def worst(self, dtype: np.dtype) -> Any:
        """The value that no other is worse than."""
        raise NotImplementedError

    def _better(
        self, build: Any, value: ArrayType, index: ArrayType, a: Any, i: Any, b: Any, j: Any
    ) -> tuple[Any, ...]:
        boolean = ArrayType((), BOOL)

        def both(first: Any, second: Any) -> Any:
            return build.op("and", (first, second), boolean)

        def either(first: Any, second: Any) -> Any:
            return build.op("or", (first, second), boolean)

        wins, ties = build.compare(self.direction, a, b, value), build.compare("EQ", a, b, value)
        if is_float(value.dtype):
            a_nan, b_nan = build.compare("NE", a, a, value), build.compare("NE", b, b, value)
            b_number = build.compare("EQ", b, b, value)
            wins, ties = either(wins, both(a_nan, b_number)), either(ties, both(a_nan, b_nan))
        wins = either(wins, both(ties, build.compare("LT", i, j, index)))
        return build.op("select", (wins, a, b), value), build.op("select", (wins, i, j), index)

    jvp = not_differentiable
    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (mapped,) = axes
        axis = self.axis + (self.axis >= mapped)  # type: ignore[operator]
        return (type(self)(axis, self.dtype)(*operands),), (mapped - (axis < mapped),)  # type: ignore[operator]


class ArgMax(ArgExtremum):
    """The index of the largest element along an axis."""

    direction, stablehlo = "GT", "maximum"

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (np.argmax(x, axis=self.axis).astype(self.dtype),)

    def worst(self, dtype: np.dtype) -> Any:
        return lowest(dtype)


class ArgMin(ArgExtremum):
    """The index of the smallest element along an axis."""

    direction, stablehlo = "LT", "minimum"

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (np.argmin(x, axis=self.axis).astype(self.dtype),)

    def worst(self, dtype: np.dtype) -> Any:
        return highest(dtype)


def reduce_prod(x: Any, axes: Sequence[int]) -> Any:
    """The product over `axes`; no axes returns `x` itself."""
    return ReduceProd(tuple(sorted(axes)))(x) if axes else x


def reduce_max(x: Any, axes: Sequence[int], keeps_nan: bool = True) -> Any:
    """The largest element over `axes`; NaN if there is one, unless `keeps_nan` is False: then it may be missed."""
    return ReduceMax(tuple(sorted(axes)), keeps_nan)(x) if axes else x


def reduce_min(x: Any, axes: Sequence[int]) -> Any:
    """The smallest element over `axes`; NaN if there is one."""
    return ReduceMin(tuple(sorted(axes)))(x) if axes else x


def reduce_and(x: Any, axes: Sequence[int]) -> Any:
    """Bitwise (for booleans logical) and over `axes`."""
    return ReduceAnd(tuple(sorted(axes)))(x) if axes else x


def reduce_or(x: Any, axes: Sequence[int]) -> Any:
    """Bitwise (for booleans logical) or over `axes`."""
    return ReduceOr(tuple(sorted(axes)))(x) if axes else x


def reduce_xor(x: Any, axes: Sequence[int]) -> Any:
    """Bitwise (for booleans logical) exclusive or over `axes`."""
    return ReduceXor(tuple(sorted(axes)))(x) if axes else x


def argmax(x: Any, axis: int, dtype: np.dtype) -> Any:
    """The index, of an integer dtype, of the largest element along an axis."""
    return ArgMax(canonical_axis(axis, x.ndim), dtype)(x)


def argmin(x: Any, axis: int, dtype: np.dtype) -> Any:
    """The index, of an integer dtype, of the smallest element along an axis."""
    return ArgMin(canonical_axis(axis, x.ndim), dtype)(x)
