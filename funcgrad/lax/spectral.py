"""Spectra and condensed forms under JAX's names: the exact level below `funcgrad.numpy.linalg`.

Failures give NaN here, not errors.
"""

from __future__ import annotations

import enum
from math import sqrt
from typing import Any

import numpy as np

from ..core.dtypes import real_dtype
from ..core.primitive import infer
from ..errors import ArgumentError, ShapeError
from ..numpy.conversion import as_operand
from ..numpy.reductions import all, max, sum
from ..ops import condensed, spectral
from ..ops import tridiagonal as systems
from ..ops.eigen import Eig
from ..ops.elementwise import absolute
from ..ops.factorizations import hermitian_part
from ..ops.reflections import qr
from ..ops.slicing import concatenate, slice_in_dim
from ..ops.structure import expand_dims
from ..ops.triangular import adjoint, identity_like, matrix_product
from .operands import bind

__all__ = [
    "SvdAlgorithm",
    "eig",
    "eigh",
    "hessenberg",
    "qdwh",
    "schur",
    "svd",
    "tridiagonal",
    "tridiagonal_solve",
]


class SvdAlgorithm(enum.Enum):
    """How singular values are computed on the CPU: by LAPACK's gesdd (the default) or its gesvd."""

    DEFAULT = "default"
    QR = "qr"
    DIVIDE_AND_CONQUER = "divide_and_conquer"


def eig(x: Any, *, compute_left_eigenvectors: bool = True, compute_right_eigenvectors: bool = True) -> tuple[Any, ...]:
    """Eigenvalues of general matrices, then left and right eigenvectors as asked for; all complex.

    See `funcgrad.numpy.linalg.eig` for the conventions and the derivative.
    """
    return bind(Eig(compute_left_eigenvectors, compute_right_eigenvectors), as_operand(x))


def eigh(
    x: Any,
    *,
    lower: bool = True,
    symmetrize_input: bool = True,
    sort_eigenvalues: bool = True,
    subset_by_index: tuple[int, int] | None = None,
) -> tuple[Any, Any]:
    """Eigenvectors and eigenvalues (in this order) of Hermitian matrices.

    Args:
        x: shape (…, n, n).
        lower: which triangle is read.
        symmetrize_input: take (x + xᴴ) / 2 in place of `x` first.
        sort_eigenvalues: whether they must ascend; they always do.
        subset_by_index: which of them to return, from the first number up to but without the second.

    Returns:
        (v, w).
    """
    x = as_operand(x)
    op = spectral.Eigh(not lower)
    infer(op, x.type)
    w, v = op(hermitian_part(x) if symmetrize_input else x)
    if subset_by_index is None:
        return v, w
    first, last = subset_by_index
    return slice_in_dim(v, first, last, 1, v.ndim - 1), slice_in_dim(w, first, last, 1, w.ndim - 1)


def svd(
    x: Any,
    *,
    full_matrices: bool = True,
    compute_uv: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    algorithm: SvdAlgorithm | None = None,
) -> Any:
    """The singular value decomposition (u, s, vh), or s alone; see `funcgrad.numpy.linalg.svd`.

    Args:
        subset_by_index: which singular values to return; not with `full_matrices`.
    """
    iterative = algorithm is SvdAlgorithm.QR
    full = full_matrices and compute_uv
    outs = bind(spectral.Svd(full, compute_uv, iterative), as_operand(x))
    if subset_by_index is not None:
        first, last = subset_by_index
        s = outs[1] if compute_uv else outs[0]
        if full and (first, last) != (0, s.shape[-1]):
            raise ArgumentError("svd: subset_by_index needs full_matrices=False")
        if not full:
            axes = (s.ndim, s.ndim - 1, s.ndim - 1) if compute_uv else (s.ndim - 1,)
            outs = tuple(slice_in_dim(out, first, last, 1, axis) for out, axis in zip(outs, axes, strict=True))
    return outs if compute_uv else outs[0]


def schur(x: Any, *, compute_schur_vectors: bool = True) -> tuple[Any, ...]:
    """The Schur form t of x = z t zᴴ, and z if asked for: (t, z) or (t,). It has no derivative."""
    return bind(condensed.Schur(compute_schur_vectors), as_operand(x))


def hessenberg(a: Any) -> tuple[Any, Any]:
    """The Hessenberg form, with the Householder reflectors below it, and their factors. It has no derivative."""
    return bind(condensed.Hessenberg(), as_operand(a))


def tridiagonal(a: Any, *, lower: bool = True) -> tuple[Any, Any, Any, Any]:
    """The tridiagonal form of Hermitian matrices: (reflectors, diagonal, the one beside it, the reflectors' factors).

    It has no derivative.
    """
    return bind(condensed.Tridiagonal(not lower), as_operand(a))


def tridiagonal_solve(dl: Any, d: Any, du: Any, b: Any) -> Any:
    """The x with A x = b, where the tridiagonal A has the diagonals `dl` (below), `d` and `du` (above).

    Args:
        dl, d, du: shape (…, n). dl[…, 0] and du[…, n - 1] are not used.
        b: shape (…, n, m).

    Returns:
        Shape (…, n, m); NaN for a singular matrix.
    """
    return bind(systems.TridiagonalSolve(), *map(as_operand, (dl, d, du, b)))


def qdwh(
    x: Any, *, is_hermitian: bool = False, max_iterations: int | None = None, eps: float | None = None
) -> tuple[Any, Any, int, Any]:
    """The polar decomposition x = u · h by QR-based dynamically weighted Halley iterations.

    Y. Nakatsukasa, Z. Bai and F. Gygi, Optimizing Halley's iteration for computing the matrix polar decomposition
    (2010). The weights are those for a condition number of 1 / eps, so that they, and how many iterations there are, do
    not depend on values.

    Args:
        x: shape (…, m, n), m ≥ n.
        is_hermitian: promise that `x` is Hermitian, so that u is too.
        max_iterations: stop after so many; by default there are as many as the dtype needs, at most 6.
        eps: how exact; by default as the dtype is.

    Returns:
        (u, h, number of iterations, whether they converged): u has orthonormal columns, h of shape (…, n, n) is
        Hermitian without negative eigenvalues.

    Raises:
        ShapeError: more columns than rows.
    """
    x = as_operand(x)
    infer(spectral.Svd(False, False), x.type)
    *_, m, n = x.shape
    if m < n:
        raise ShapeError(f"qdwh takes matrices with at least as many rows as columns, got {x.type}; pass the adjoint")
    precision = float(np.finfo(real_dtype(x.dtype)).eps)
    tolerance = precision if eps is None else eps
    size = absolute(x)
    bound = (max(sum(size, -1), -1, initial=0) * max(sum(size, -2), -1, initial=0)) ** 0.5 if x.size else sum(size)
    bound = bound + (bound == 0)
    u = x / expand_dims(bound, (bound.ndim, bound.ndim + 1))
    one, smallest, count = identity_like(x, n, n), precision, 0
    while abs(1 - smallest) > 4 * tolerance and count < (20 if max_iterations is None else max_iterations):
        a, b, c = _weights(smallest)
        q, _ = qr(concatenate((u * sqrt(c), one), u.ndim - 2), False)
        top, bottom = slice_in_dim(q, 0, m, 1, q.ndim - 2), slice_in_dim(q, m, m + n, 1, q.ndim - 2)
        u = u * (b / c) + matrix_product(top, adjoint(bottom)) * ((a - b / c) / sqrt(c))
        smallest, count = min(smallest * (a + b * smallest**2) / (1 + c * smallest**2), 1.0), count + 1
    if is_hermitian:
        u = hermitian_part(u)
    h = hermitian_part(matrix_product(adjoint(u), x))
    oblique = absolute(matrix_product(adjoint(u), u) - one)
    return u, h, count, all(oblique <= 20 * n * tolerance)


def _weights(smallest: float) -> tuple[float, float, float]:
    """Halley's weights for singular values from `smallest` to 1."""
    d = (4 * (1 - smallest**2) / smallest**4) ** (1 / 3)
    a = sqrt(1 + d) + sqrt(8 - 4 * d + 8 * (2 - smallest**2) / (smallest**2 * sqrt(1 + d))) / 2
    b = (a - 1) ** 2 / 4
    return a, b, a + b - 1
