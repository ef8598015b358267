"""Determinants, their logarithms, and the cofactors that are their derivative, of singular matrices too."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compiler.lower import lower_by
from ..core.dtypes import BOOL, INT32, is_complex, real_dtype
from ..core.primitive import Primitive, not_linear
from ..core.types import ArrayType, Zero
from .bits import not_
from .complex_parts import complex_, imag, real
from .elementwise import absolute, eq, mul, ne, neg, sign, sub, where
from .exponential import log
from .factorizations import lead, lu
from .linear_systems import FactoredSolve, permutation_and_regular, solve
from .reduction import reduce_or, reduce_prod
from .spectral import Svd
from .structure import broadcast_in_dim, convert, full, iota, reduce_sum, zeros_of
from .triangular import check_matrices, conjugate, diagonal_of, identity_like, matrix_product, swap_last

__all__ = ["cofactors", "det", "slogdet"]


def _trace_of_product(x: Any, y: Any) -> Any:
    """Σ xᵢⱼ yᵢⱼ of each pair of matrices."""
    return reduce_sum(mul(x, y), (x.ndim - 2, x.ndim - 1))


def _spread(numbers: Any, shape: tuple[int, ...]) -> Any:
    return broadcast_in_dim(numbers, shape, range(numbers.ndim))


def _pivots_and_sign(factors: Any, swaps: Any) -> tuple[Any, Any]:
    """The diagonal of U, and the determinant of the permutation."""
    last = swaps.ndim - 1
    swapped = ne(swaps, iota(INT32, swaps.shape, last))
    ones = full(ArrayType(swaps.shape, factors.dtype), 1)
    return diagonal_of(factors), reduce_prod(where(swapped, neg(ones), ones), (last,))


def _determinant(factors: Any, swaps: Any) -> Any:
    pivots, swapping = _pivots_and_sign(factors, swaps)
    return mul(swapping, reduce_prod(pivots, (pivots.ndim - 1,)))


class _OfMatrix(Primitive):
    """A family: one square matrix is the operand."""

    def work(self, in_types: Any, out_types: Any) -> float:
        return in_types[0].size * in_types[0].shape[-1] / 18

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return lead(self, size, operands, axes)


class Det(_OfMatrix):
    """The determinant. Its derivative along da is Σ Cᵢⱼ daᵢⱼ, with the matrix of cofactors C."""

    def infer(self, a: ArrayType) -> tuple[ArrayType, ...]:
        check_matrices("det", a, square=True)
        return (a.update(shape=a.shape[:-2]),)

    def evaluate(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        return (np.linalg.det(a),)

    def composed(self, a: Any) -> Any:
        """The same, written with operations."""
        return _determinant(*lu(a))

    lower = lower_by(lambda self, a: self.composed(a))

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(*primals),), (_trace_of_product(cofactors(primals[0]), tangents[0]),)


class SlogDet(_OfMatrix):
    """The determinant as its sign (a complex number of size 1, or 0) and the logarithm of its size."""

    multiple = True

    def infer(self, a: ArrayType) -> tuple[ArrayType, ...]:
        check_matrices("slogdet", a, square=True)
        sign = a.update(shape=a.shape[:-2])
        return sign, sign.update(dtype=real_dtype(a.dtype)) if is_complex(a.dtype) else sign

    def evaluate(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        sign, logarithm = np.linalg.slogdet(a)
        return sign, logarithm

    def composed(self, a: Any) -> tuple[Any, Any]:
        """The same, written with operations."""
        pivots, swapping = _pivots_and_sign(*lu(a))
        last = (pivots.ndim - 1,)
        return mul(swapping, reduce_prod(sign(pivots), last)), reduce_sum(log(absolute(pivots)), last)

    lower = lower_by(lambda self, a: self.composed(a))

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        (a,), (da,) = primals, tangents
        phase, logarithm = self(a)
        growth = _trace_of_product(swap_last(solve(a, identity_like(a))), da)
        if not is_complex(a.dtype):
            return (phase, logarithm), (Zero(phase.type), growth)
        turning = complex_(zeros_of(logarithm.type), imag(growth))
        return (phase, logarithm), (mul(phase, turning), real(growth))


class Cofactors(_OfMatrix):
    """The matrix of cofactors: det(a) a⁻ᵀ for regular matrices, and its limit for singular ones.

    The limit is found from a = W S Vᴴ as det(W Vᴴ) conj(W S' Vᴴ), where each diagonal element of S' is the product of
    the other singular values. The derivative is that of det(a) a⁻ᵀ, which only regular matrices have here.
    """

    def infer(self, a: ArrayType) -> tuple[ArrayType, ...]:
        check_matrices("cofactors", a, square=True)
        return (a.strong(),)

    def evaluate(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        try:
            return (np.linalg.det(a)[..., None, None] * np.linalg.inv(a).swapaxes(-1, -2),)
        except np.linalg.LinAlgError:
            if a.ndim > 2:
                return (np.stack([self.evaluate(x)[0] for x in a]),)
        try:
            w, s, vh = np.linalg.svd(a)
        except np.linalg.LinAlgError:
            return (np.full_like(a, np.nan),)
        others = np.where(np.eye(len(s), dtype=bool), 1, s).prod(-1)
        return (((np.linalg.det(w) * np.linalg.det(vh)) * ((w * others) @ vh).conj()).astype(a.dtype),)

    def lower(self, build: Any, a: Any) -> tuple[Any, ...]:
        (type,) = build.out_types
        singular = ArrayType(type.shape[:-2], BOOL)
        some_singular, found, limit_wanted = _lower_regular(self, build, a)

        def with_limits() -> tuple[Any, ...]:
            spread = build.broadcast(limit_wanted, type.update(dtype=BOOL), range(singular.ndim))
            return (build.op("select", (spread, *_lower_limit(self, build, a), found), type),)

        return build.ops("if", (some_singular,), (type,), {}, [((), with_limits), ((), lambda: (found,))])

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        (a,), (da,) = primals, tangents
        c = self(a)
        inverse = solve(swap_last(a), identity_like(a))
        along = mul(_spread(_trace_of_product(c, da), c.shape), inverse)
        return (c,), (sub(along, matrix_product(inverse, matrix_product(swap_last(da), c))),)


def _regular_cofactors(self: Cofactors, a: Any) -> tuple[Any, Any, Any]:
    """Whether any matrix is singular; det(a) a⁻ᵀ from one factorization; and which matrices are singular."""
    factors, swaps = lu(a)
    permutation, regular = permutation_and_regular(factors, swaps)
    inverse = FactoredSolve(True)(a, factors, permutation, identity_like(a))
    singular = not_(regular)
    found = mul(_spread(_determinant(factors, swaps), a.shape), inverse)
    return reduce_or(singular, tuple(range(singular.ndim))), found, singular


def _limit_of_cofactors(self: Cofactors, a: Any) -> Any:
    w, s, vh = Svd(full_matrices=True)(a)
    square = a.type.update(dtype=s.dtype)
    own = eq(iota(INT32, square.shape, a.ndim - 2), iota(INT32, square.shape, a.ndim - 1))
    every = broadcast_in_dim(s, square.shape, (*range(a.ndim - 2), a.ndim - 1))
    others = convert(reduce_prod(where(own, full(square, 1), every), (a.ndim - 1,)), a.dtype)
    columns = broadcast_in_dim(others, a.shape, (*range(a.ndim - 2), a.ndim - 1))
    phase = mul(det(w), det(vh))
    return mul(_spread(phase, a.shape), conjugate(matrix_product(mul(w, columns), vh)))


_lower_regular = lower_by(_regular_cofactors)
_lower_limit = lower_by(_limit_of_cofactors)


def det(a: Any) -> Any:
    """The determinants of square matrices."""
    return Det()(a)


def slogdet(a: Any) -> tuple[Any, Any]:
    """The signs of determinants, and the logarithms of their sizes."""
    return SlogDet()(a)


def cofactors(a: Any) -> Any:
    """The matrices of cofactors; see `Cofactors`."""
    return Cofactors()(a)
