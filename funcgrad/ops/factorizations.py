"""Factorizations by elimination: Cholesky and LU, and the permutation that LU's pivots make."""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

import numpy as np

from ..compiler.lower import lower_by
from ..core.dtypes import INT32, is_complex
from ..core.primitive import Primitive, not_differentiable, not_linear
from ..core.types import ArrayType, Zero
from ..errors import ShapeError
from . import lapack
from .bits import and_
from .elementwise import add, eq, lt, maximum, mul, sub, where
from .gather import lead_axis, take_along_axis
from .reduction import reduce_max
from .scipy_modules import scipy_module
from .slicing import concatenate, slice_in_dim
from .structure import broadcast_in_dim, full, iota, zeros_of
from .triangular import (
    adjoint,
    check_matrices,
    columns_of,
    diagonal_part,
    divided,
    identity_like,
    lower_triangle,
    matrix_product,
    rows_of,
    solve_triangular,
    strictly_lower,
    upper_triangle,
)

__all__ = [
    "LU",
    "AssumeHermitian",
    "Cholesky",
    "PivotsToPermutation",
    "assume_hermitian",
    "cholesky",
    "each_matrix",
    "hermitian_part",
    "lead",
    "lu",
    "pivots_to_permutation",
    "routine",
    "take_rows",
    "tried",
]


@cache
def routine(name: str, dtype: np.dtype) -> Any:
    """SciPy's function for a LAPACK routine, which is named as for real numbers."""
    return getattr(scipy_module("linalg.lapack"), lapack.full_name(name, dtype))


def each_matrix(function: Any, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
    """`function(*matrices) -> tuple`, for each matrix of equal batches, none of them empty."""
    batch = operands[0].shape[:-2]
    if not batch:
        return function(*operands)
    places = list(np.ndindex(*batch))
    rows = [function(*[x[place] for x in operands]) for place in places]
    return tuple(np.stack(column).reshape(batch + column[0].shape) for column in zip(*rows, strict=True))


def is_empty(*arrays: np.ndarray) -> bool:
    return not all(x.size for x in arrays)


def lead(op: Primitive, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
    """The batch rule of operations that take any number of leading axes: the mapped one goes in front."""
    results = op(*[lead_axis(size, x, axis) for x, axis in zip(operands, axes, strict=True)])
    return (results, (0,) * len(results)) if op.multiple else ((results,), (0,))


# -- Hermitian matrices ------------------------------------------------------------------------------------------------


def hermitian_part(x: Any) -> Any:
    """(x + xᴴ) / 2."""
    return mul(full(x.type, 0.5), add(x, adjoint(x)))


class AssumeHermitian(Primitive):
    """The operand as it is, which is taken for Hermitian: tangents and cotangents are made Hermitian too.

    What reads one triangle of a Hermitian matrix has a derivative along Hermitian directions only. With this in front
    of it, a gradient is the Hermitian one, as if both triangles had been read.
    """

    def infer(self, a: ArrayType) -> tuple[ArrayType, ...]:
        check_matrices("a Hermitian matrix", a, square=True)
        return (a.strong(),)

    def evaluate(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        return (a,)

    def lower(self, build: Any, a: Any) -> tuple[Any, ...]:
        return (a,)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(primals[0]),), (hermitian_part(tangents[0]),)

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return lead(self, size, operands, axes)


def assume_hermitian(a: Any) -> Any:
    """`a`, taken for Hermitian; see `AssumeHermitian`."""
    return AssumeHermitian()(a)


# -- Cholesky ----------------------------------------------------------------------------------------------------------


class Cholesky(Primitive):
    """The lower triangular L with L Lᴴ = a; NaN throughout for each matrix that is not positive definite.

    Only the lower triangle of `a` is read, and of its diagonal the real parts. The derivative is that of I. Murray,
    Differentiation of the Cholesky decomposition (2016), arXiv:1602.07527.
    """

    def work(self, in_types: Any, out_types: Any) -> float:
        return in_types[0].size * in_types[0].shape[-1] / 36

    def infer(self, a: ArrayType) -> tuple[ArrayType, ...]:
        check_matrices("cholesky", a, square=True)
        return (a.strong(),)

    def evaluate(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        factor = tried(np.linalg.cholesky, a)
        if factor.size and np.isnan(factor[..., -1, -1]).any():  # where NaN arrives, but not all of it may be NaN
            factor = np.where(np.isnan(factor[..., -1:, -1:]), np.nan, factor).astype(a.dtype)
        return (factor,)

    def lower(self, build: Any, a: Any) -> tuple[Any, ...]:
        (type,) = build.out_types
        if build.platform not in ("cpu", "gpu"):
            result = build.op("cholesky", (a,), type, {"lower": build.boolean(True)})
            return (lapack.triangle(build, result, type, True),)
        types = (type, lapack.info_type(type))
        result, info = lapack.call(build, "potrf", (a,), build.in_types, types, {"uplo": "L"}, {"lower": True})
        return (lapack.nan_where_failed(build, lapack.triangle(build, result, type, True), type, info),)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        factor, moved = self(primals[0]), tangents[0]
        lower, diagonal = strictly_lower(moved), diagonal_part(moved)
        if is_complex(moved.dtype):
            diagonal = hermitian_part(diagonal)
        moved = add(add(lower, diagonal), adjoint(lower))
        inner = solve_triangular(factor, adjoint(solve_triangular(factor, moved, True)), True)
        halved = sub(lower_triangle(inner), mul(full(inner.type, 0.5), diagonal_part(inner)))
        return (factor,), (matrix_product(factor, halved),)

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return lead(self, size, operands, axes)


def tried(function: Any, *operands: np.ndarray) -> np.ndarray:
    """A function of `numpy.linalg`, with NaN for each matrix for which it raises, not for all of them."""
    try:
        return function(*operands)
    except np.linalg.LinAlgError:
        if operands[0].ndim > 2:
            rows = [tried(function, *[x[i] for x in operands]) for i in range(operands[0].shape[0])]
            return np.stack(rows)
        return np.full_like(operands[-1], np.nan)


def cholesky(a: Any) -> Any:
    """The lower triangular L with L Lᴴ = a, of which only the lower triangle is read; NaN where there is none."""
    return Cholesky()(a)


# -- LU ----------------------------------------------------------------------------------------------------------------


class LU(Primitive):
    """L and U in one matrix (the ones of L left out), and the pivots: row i was swapped with row pivots[i] ≥ i.

    Matrices may be of any shape. Results: that matrix, and int32 pivots, counted from 0.
    """

    multiple = True

    def work(self, in_types: Any, out_types: Any) -> float:
        return in_types[0].size * min(in_types[0].shape[-2:]) / 12

    def infer(self, a: ArrayType) -> tuple[ArrayType, ...]:
        check_matrices("lu", a)
        return a.strong(), ArrayType((*a.shape[:-2], min(a.shape[-2:])), INT32)

    def evaluate(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        if is_empty(a):
            return np.array(a), np.zeros((*a.shape[:-2], min(a.shape[-2:])), np.int32)
        factor = routine("getrf", a.dtype)
        return each_matrix(lambda x: tuple(np.ascontiguousarray(y) for y in factor(x)[:2]), a)

    def lower(self, build: Any, a: Any) -> tuple[Any, ...]:
        factors, pivots = build.out_types
        types = (factors, pivots, lapack.info_type(factors))
        result, places, _ = lapack.call(build, "getrf", (a,), build.in_types, types, {}, {})
        if factors.size:
            places = build.op("subtract", (places, build.constant(1, pivots)), pivots)
        return result, places

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        factors, pivots = self(*primals)
        rows, columns = factors.shape[-2:]
        k = min(rows, columns)
        moved = take_rows(tangents[0], pivots_to_permutation(pivots, rows))
        low, up = rows_of(columns_of(factors, 0, k), 0, k), rows_of(columns_of(factors, 0, k), 0, k)
        inner = solve_triangular(low, rows_of(columns_of(moved, 0, k), 0, k), True, unit=True)
        inner = divided(inner, up)
        unit = add(strictly_lower(low), identity_like(low))
        d_low, d_up = (
            matrix_product(unit, strictly_lower(inner)),
            matrix_product(upper_triangle(inner), upper_triangle(up)),
        )
        result = add(d_low, d_up)
        if rows > k:
            rest = sub(rows_of(moved, k, rows), matrix_product(rows_of(factors, k, rows), d_up))
            result = concatenate([result, divided(rest, up)], result.ndim - 2)
        if columns > k:
            rest = sub(columns_of(moved, k, columns), matrix_product(d_low, columns_of(factors, k, columns)))
            result = concatenate([result, solve_triangular(low, rest, True, unit=True)], result.ndim - 1)
        return (factors, pivots), (result, Zero(pivots.type))

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return lead(self, size, operands, axes)


def take_rows(x: Any, permutation: Any) -> Any:
    """The rows of matrices in another order, an int32 vector for each matrix."""
    shape = (*permutation.shape, x.shape[-1])
    return take_along_axis(x, broadcast_in_dim(permutation, shape, range(permutation.ndim)), x.ndim - 2)


def lu(a: Any) -> tuple[Any, Any]:
    """L and U in one matrix, and the pivots; see `LU`."""
    return LU()(a)


class PivotsToPermutation(Primitive):
    """The order in which swapping row i with row pivots[i], for i from 0 on, leaves `size` rows.

    In a program it is found without swapping one after the other. The row that arrives at place i was before that at
    place pivots[i]; it had come there in the last step j < i that swapped with that place, if there was one, and then
    it was at place j before, and so on: chains, which are followed with steps that double.
    """

    size: int

    def infer(self, pivots: ArrayType) -> tuple[ArrayType, ...]:
        if pivots.dtype != INT32 or not pivots.ndim or pivots.shape[-1] > self.size:
            raise ShapeError(
                f"pivots must be an int32 vector of at most {self.size} elements for each matrix; got {pivots}"
            )
        return (pivots.update(shape=(*pivots.shape[:-1], self.size)),)

    def evaluate(self, pivots: np.ndarray) -> tuple[np.ndarray, ...]:
        order = np.array(np.broadcast_to(np.arange(self.size, dtype=np.int32), (*pivots.shape[:-1], self.size)))
        count = prod(pivots.shape[:-1])
        rows, swaps = order.reshape(count, self.size), pivots.reshape(count, pivots.shape[-1])
        every = np.arange(len(rows))
        for i in range(swaps.shape[1]):
            places = swaps[:, i]
            rows[every, places], rows[:, i] = rows[:, i].copy(), rows[every, places]
        return (rows.reshape(order.shape),)

    def composed(self, pivots: Any) -> Any:
        """The same, written with operations."""
        *batch, count = pivots.shape
        own = iota(INT32, (*batch, self.size), len(batch))
        if not count:
            return own
        came = self._latest(pivots, own, own)
        origin = where(came < 0, own, came)
        for _ in range((count - 1).bit_length()):
            origin = take_along_axis(origin, origin, len(batch))
        came = self._latest(pivots, pivots, iota(INT32, pivots.shape, len(batch)))
        arrived = where(came < 0, pivots, take_along_axis(origin, maximum(came, zeros_of(came.type)), len(batch)))
        return concatenate([arrived, slice_in_dim(origin, count, self.size, 1, len(batch))], len(batch))

    def _latest(self, pivots: Any, place: Any, time: Any) -> Any:
        """The last step before `time` that swapped with `place`, elementwise; -1 if there is none."""
        batch, last = range(pivots.ndim - 1), pivots.ndim
        shape = (*place.shape, pivots.shape[-1])
        step = iota(INT32, shape, last)
        there = eq(broadcast_in_dim(pivots, shape, (*batch, last)), broadcast_in_dim(place, shape, range(last)))
        hit = and_(there, lt(step, broadcast_in_dim(time, shape, range(last))))
        return reduce_max(where(hit, step, full(step.type, -1)), (last,))

    lower = lower_by(lambda self, pivots: self.composed(pivots))

    jvp = not_differentiable
    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return lead(self, size, operands, axes)


def pivots_to_permutation(pivots: Any, size: int) -> Any:
    """The order in which LU's pivots leave `size` rows: a[permutation] = L U."""
    return PivotsToPermutation(size)(pivots)
