"""Reductions over axes: product, maximum, minimum, and, or, xor, argmax, argmin. (The sum is in `structure`.)

A reduction of nothing gives the identity; `funcgrad.numpy` raises, as NumPy does, where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np

from ..core.dtypes import BOOL, FLOAT32, is_float, is_integer, is_low_precision
from ..core.graph import Graph
from ..core.primitive import Primitive, not_differentiable, not_linear
from ..core.program import Atom
from ..core.types import ArrayType, Zero
from ..errors import AxisError, DTypeError, ShapeError
from .cumulative import cumprod, highest, lowest
from .elementwise import div, eq, mul, where
from .families import kind_letter
from .slicing import concatenate, slice_in_dim
from .structure import (
    broadcast_in_dim,
    canonical_axis,
    convert,
    full,
    reduce_sum,
    reshape,
    transpose,
    without_reduction,
    zeros_of,
)

__all__ = ["argmax", "argmin", "reduce_and", "reduce_max", "reduce_min", "reduce_or", "reduce_prod", "reduce_xor"]


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
        dtype = FLOAT32 if is_low_precision(source.dtype) else source.dtype
        scalar = ArrayType((), dtype)
        (total,) = build.ops(
            "reduce",
            (build.convert(x, source, dtype), build.constant(self.identity(source.dtype), scalar)),
            [result.update(dtype=dtype)],
            {"dimensions": build.integers(self.axes)},
            [((scalar, scalar), lambda a, b: (self.emit(build, a, b, scalar),))],
        )
        return (build.convert(total, result.update(dtype=dtype), result.dtype),)

    def identity(self, dtype: np.dtype) -> Any:
        """The value that combining leaves alone."""
        raise NotImplementedError

    def emit(self, build: Any, a: Any, b: Any, scalar: ArrayType) -> Any:
        """The StableHLO that combines two scalars."""
        return build.op(self.stablehlo, (a, b), scalar)

    jvp = not_differentiable
    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (mapped,) = axes
        reduced = tuple(i + (i >= mapped) for i in self.axes)  # type: ignore[operator]
        return (type(self)(reduced)(*operands),), (mapped - sum(i < mapped for i in reduced),)  # type: ignore[operator]

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return without_reduction(self, self.axes, graph, inputs)


class ReduceProd(Reduction):
    """The product; integers wrap."""

    ufunc, stablehlo, accepts = np.multiply, "multiply", "ifc"

    def identity(self, dtype: np.dtype) -> Any:
        return 1

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        out = self(*primals)
        x, dx = (_reduced_last(value, self.axes) for value in (*primals, *tangents))
        axis = x.ndim - 1
        if x.shape[axis] == 0:
            return (out,), (Zero(out.type),)
        # The product of all others is what stands before times what stands after: no division, so zeros are harmless.
        one = full(x.type.update(shape=(*x.shape[:-1], 1)), 1)
        before = concatenate((one, slice_in_dim(cumprod(x, axis), 0, -1, 1, axis)), axis)
        after = concatenate((slice_in_dim(cumprod(x, axis, True), 1, None, 1, axis), one), axis)
        return (out,), (reduce_sum(mul(dx, mul(before, after)), (axis,)),)


def _reduced_last(x: Any, axes: tuple[int, ...]) -> Any:
    """`x` with the given axes merged into one last axis."""
    kept = [i for i in range(x.ndim) if i not in axes]
    shape = (*(x.shape[i] for i in kept), prod(x.shape[i] for i in axes))
    return reshape(transpose(x, (*kept, *axes)), shape)


class Extremum(Reduction):
    """The largest or smallest element; NaN if there is one. Elements that tie share the derivative equally."""

    direction: ClassVar[str]

    def emit(self, build: Any, a: Any, b: Any, scalar: ArrayType) -> Any:
        if not is_float(scalar.dtype) or build.platform != "cpu":
            return build.op(self.stablehlo, (a, b), scalar)
        # XLA's CPU code for a reduction by `maximum` over thousands of elements loses NaN; this one keeps it.
        boolean = ArrayType((), BOOL)
        is_nan = build.compare("NE", a, a, scalar)
        wins = build.op("or", (build.compare(self.direction, a, b, scalar), is_nan), boolean)
        return build.op("select", (wins, a, b), scalar)

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

    ufunc, stablehlo, direction = np.maximum, "maximum", "GE"

    def identity(self, dtype: np.dtype) -> Any:
        return lowest(dtype)


class ReduceMin(Extremum):
    """The smallest element; NaN if there is one."""

    ufunc, stablehlo, direction = np.minimum, "minimum", "LE"

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
    """

    axis: int
    dtype: np.dtype

    direction: ClassVar[str]

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
        source, result = build.in_types[0].strong(), build.out_types[0]
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

    direction = "GT"

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (np.argmax(x, axis=self.axis).astype(self.dtype),)

    def worst(self, dtype: np.dtype) -> Any:
        return lowest(dtype)


class ArgMin(ArgExtremum):
    """The index of the smallest element along an axis."""

    direction = "LT"

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (np.argmin(x, axis=self.axis).astype(self.dtype),)

    def worst(self, dtype: np.dtype) -> Any:
        return highest(dtype)


def reduce_prod(x: Any, axes: Sequence[int]) -> Any:
    """The product over `axes`; no axes returns `x` itself."""
    return ReduceProd(tuple(sorted(axes)))(x) if axes else x


def reduce_max(x: Any, axes: Sequence[int]) -> Any:
    """The largest element over `axes`; NaN if there is one."""
    return ReduceMax(tuple(sorted(axes)))(x) if axes else x


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
