"""Spectra: eigenvalues and eigenvectors of Hermitian matrices, singular values and vectors.

Derivatives follow J. R. Magnus, On differentiating eigenvalues and eigenvectors (1985), and J. Townsend,
Differentiating the singular value decomposition (2016). Where eigenvalues or singular values are equal, the vectors
that belong to them are any basis of a subspace, and no derivative of them exists. The terms that couple them are left
out there, so that what depends on the whole subspace, and symmetrically on the equal values (a projector, a sum of
powers), has its exact derivative; a function that tells them apart does not. Equal means closer than rounding
errors are: 16 √n · eps · the largest one.

Signs and phases of vectors are arbitrary: of the tangents that leave their lengths alone we give the shortest.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ..core.dtypes import INT32, is_complex, real_dtype
from ..core.types import ArrayType, Shape
from .complex_parts import real
from .decompositions import (
    Decomposition,
    as_column,
    as_row,
    inverse_beyond,
    real_part,
)
from .elementwise import absolute, add, eq, gt, mul, neg, sub, where
from .factorizations import each_matrix, routine
from .lapack import call, identity, info_type, triangle
from .reduction import reduce_max
from .slicing import concatenate, slice_in_dim
from .structure import broadcast_in_dim, convert, full, iota, reduce_sum
from .triangular import adjoint, conjugate, matrix_product

__all__ = ["Eigh", "Svd", "gaps_inverted", "mirrored", "rounding"]


def rounding(values: Any, order: int, shape: Shape) -> Any:
    """What numbers of the size of `values`, a row of them a matrix, may be off by, spread over all of `shape`."""
    size = absolute(values)
    largest = reduce_max(size, (size.ndim - 1,))
    bound = mul(largest, full(largest.type, 16 * sqrt(order) * float(np.finfo(largest.dtype).eps)))
    return broadcast_in_dim(bound, shape, range(bound.ndim))


def gaps_inverted(values: Any) -> Any:
    """1 / (values_j - values_i) in row i and column j, and 0 where they are equal."""
    n = values.shape[-1]
    gaps = sub(as_row(values, n), as_column(values, n))
    return inverse_beyond(gaps, rounding(values, n, gaps.shape))


# -- Hermitian matrices ------------------------------------------------------------------------------------------------


def mirrored(a: Any, upper: bool) -> Any:
    """The Hermitian matrix that one triangle of `a` and the real part of its diagonal stand for."""
    last = a.ndim - 1
    row, column = (iota(INT32, a.shape, axis) for axis in (last - 1, last))
    inside = gt(column, row) if upper else gt(row, column)
    diagonal = convert(real(a), a.dtype) if is_complex(a.dtype) else a
    return where(eq(row, column), diagonal, where(inside, a, adjoint(a)))


class Eigh(Decomposition):
    """Eigenvalues of Hermitian matrices, ascending, and the matrix of their eigenvectors in columns.

    Fields:
        upper: whether the upper triangle is read, or the lower one; the other one does not matter.
        vectors: whether there are eigenvectors.
    """

    upper: bool = False
    vectors: bool = True

    def results(self, a: ArrayType) -> tuple[ArrayType, ...]:
        values = ArrayType(a.shape[:-1], real_dtype(a.dtype))
        return (values, a.strong()) if self.vectors else (values,)

    def read(self, a: np.ndarray) -> np.ndarray:
        return np.triu(a) if self.upper else np.tril(a)

    def lower_read(self, build: Any, a: Any, type: ArrayType) -> Any:
        return triangle(build, a, type, not self.upper)

    def decompose(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        triangle = "U" if self.upper else "L"
        return tuple(np.linalg.eigh(a, triangle)) if self.vectors else (np.linalg.eigvalsh(a, triangle),)

    def emit(self, build: Any, a: Any, type: ArrayType) -> tuple[Any, ...]:
        values = ArrayType(type.shape[:-1], real_dtype(type.dtype))
        cpu = {"mode": "V" if self.vectors else "N", "uplo": "U" if self.upper else "L"}
        gpu = {"lower": not self.upper, "algorithm": 0}
        v, w, info = call(build, "syevd", (a,), (type,), (type, values, info_type(type)), cpu, gpu)
        return (w, v, info) if self.vectors else (w, info)

    def derivative(self, a: Any, da: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        w, v = Eigh(self.upper)(a)
        moved = matrix_product(mirrored(da, self.upper), v)
        dw = real_part(reduce_sum(mul(conjugate(v), moved), (v.ndim - 2,)))
        if not self.vectors:
            return (w,), (dw,)
        coupling = mul(convert(gaps_inverted(w), v.dtype), matrix_product(adjoint(v), moved))
        return (w, v), (dw, matrix_product(v, coupling))


# -- singular values ---------------------------------------------------------------------------------------------------


class Svd(Decomposition):
    """Singular values, largest first: results (u, s, vh) with a = u · diag(s) · vh, or (s,).

    Fields:
        full_matrices: whether u and vh are square, or have as many columns and rows as there are singular values.
        vectors: whether there are u and vh.
        iterative: whether the slower QR iteration is used (LAPACK's gesvd) rather than divide and conquer (gesdd).
    """

    full_matrices: bool = False
    vectors: bool = True
    iterative: bool = False

    square = False

    def results(self, a: ArrayType) -> tuple[ArrayType, ...]:
        *batch, m, n = a.shape
        k = min(m, n)
        values = ArrayType((*batch, k), real_dtype(a.dtype))
        if not self.vectors:
            return (values,)
        left, right = (m, n) if self.full_matrices else (k, k)
        return a.update(shape=(*batch, m, left)), values, a.update(shape=(*batch, right, n))

    def empty(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        outs = super().empty(a)
        if self.vectors and self.full_matrices:
            u, s, vh = outs
            return u + np.eye(u.shape[-1], dtype=a.dtype), s, vh + np.eye(vh.shape[-1], dtype=a.dtype)
        return outs

    def lower_empty(self, build: Any) -> tuple[Any, ...]:
        outs = super().lower_empty(build)
        if self.vectors and self.full_matrices:
            u, _, vh = build.out_types
            return identity(build, u), outs[1], identity(build, vh)
        return outs

    def decompose(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        if self.iterative:
            return each_matrix(self._iterate, a)
        found: Any = np.linalg.svd(a, self.full_matrices, self.vectors)
        return tuple(found) if self.vectors else (found,)

    def _iterate(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        u, s, vh, info = routine("gesvd", a.dtype)(a, self.vectors, self.full_matrices)
        if info:
            raise np.linalg.LinAlgError("gesvd does not converge")
        return (u, s, vh) if self.vectors else (s,)

    def emit(self, build: Any, a: Any, type: ArrayType) -> tuple[Any, ...]:
        if build.platform == "gpu" and type.shape[-2] < type.shape[-1]:  # cuSOLVER wants tall matrices
            tall = _lower_adjoint(build, a, type)
            *outs, info = self._emit(build, tall[0], tall[1])
            types = Svd(self.full_matrices, self.vectors).results(tall[1])
            pairs = zip(outs, types, strict=True)
            return (*[x if t.ndim < type.ndim else _lower_adjoint(build, x, t)[0] for x, t in pairs][::-1], info)
        return self._emit(build, a, type)

    def _emit(self, build: Any, a: Any, type: ArrayType) -> tuple[Any, ...]:
        letter = "N" if not self.vectors else "A" if self.full_matrices else "S"
        gpu = {"full_matrices": self.full_matrices, "compute_uv": self.vectors, "transposed": False}
        name = "gesvd" if self.iterative or build.platform == "gpu" else "gesdd"
        u, s, vh = Svd(self.full_matrices).results(type)
        types = (type, s, u, vh, info_type(type))
        _, values, left, right, info = call(build, name, (a,), (type,), types, {"mode": letter}, gpu)
        return (left, values, right, info) if self.vectors else (values, info)

    def derivative(self, a: Any, da: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        outs = Svd(self.full_matrices and self.vectors, True, self.iterative)(a)
        u, s, vh = outs
        k, rows, columns = s.shape[-1], u.ndim - 2, u.ndim - 1
        u, rest = slice_in_dim(u, 0, k, 1, columns), slice_in_dim(u, k, None, 1, columns)
        vh, rest_h = slice_in_dim(vh, 0, k, 1, rows), slice_in_dim(vh, k, None, 1, rows)
        moved = matrix_product(da, adjoint(vh))
        ds = real_part(reduce_sum(mul(conjugate(u), moved), (rows,)))
        if not self.vectors:
            return (s,), (ds,)
        du, dvh = _singular_vectors_moved((u, s, vh), da, moved)
        if rest.size:  # the complement of a subspace turns as the subspace does
            du = concatenate((du, neg(matrix_product(u, matrix_product(adjoint(du), rest)))), columns)
        if rest_h.size:
            dvh = concatenate((dvh, neg(matrix_product(matrix_product(rest_h, adjoint(dvh)), vh))), rows)
        return outs, (du, ds, dvh)


def _lower_adjoint(build: Any, x: Any, type: ArrayType) -> tuple[Any, ArrayType]:
    """The conjugate transpose in StableHLO, and its type."""
    *batch, m, n = type.shape
    swapped = type.update(shape=(*batch, n, m))
    order = (*range(len(batch)), len(batch) + 1, len(batch))
    x = build.op("transpose", (x,), swapped, {"permutation": build.integers(order)})
    if is_complex(type.dtype):
        part = swapped.update(dtype=real_dtype(type.dtype))
        parts = [build.op(name, (x,), part) for name in ("real", "imag")]
        x = build.op("complex", (parts[0], build.op("negate", (parts[1],), part)), swapped)
    return x, swapped


def _singular_vectors_moved(thin: tuple[Any, Any, Any], da: Any, moved: Any) -> tuple[Any, Any]:
    """The tangents of u and vh, the thin ones; `moved` is da · v."""
    u, s, vh = thin
    k, dtype = s.shape[-1], u.dtype
    core = matrix_product(adjoint(u), moved)
    half = full(core.type, 0.5)
    even, odd = mul(add(core, adjoint(core)), half), mul(sub(core, adjoint(core)), half)
    order = max(da.shape[-2:])
    sums = add(as_row(s, k), as_column(s, k))
    even = mul(even, convert(gaps_inverted(s), dtype))
    odd = mul(odd, convert(inverse_beyond(sums, rounding(s, order, sums.shape)), dtype))
    du, dvh = matrix_product(u, add(even, odd)), matrix_product(sub(odd, even), vh)
    inverse = inverse_beyond(s, rounding(s, order, s.shape))
    if u.shape[-2] > k:
        outside = sub(moved, matrix_product(u, core))
        du = add(du, mul(outside, convert(as_row(inverse, u.shape[-2]), dtype)))
    if vh.shape[-1] > k:
        outside = sub(matrix_product(adjoint(u), da), matrix_product(core, vh))
        dvh = add(dvh, mul(outside, convert(as_column(inverse, vh.shape[-1]), dtype)))
    return du, dvh
