"""Factorizations of matrices and triangular systems under JAX's names; what fails is NaN, and nothing raises.

The last two axes are the matrix, all others a batch. `funcgrad.numpy.linalg` raises instead.
"""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError
from ..numpy.conversion import as_operand
from ..ops import factorizations, reflections
from ..ops.complex_parts import real
from ..ops.elementwise import add, mul, where
from ..ops.slicing import concatenate
from ..ops.structure import broadcast_in_dim, expand_dims, full, squeeze
from ..ops.triangular import (
    TriangularSolve,
    check_matrices,
    conjugate,
    diagonal_of,
    lower_triangle,
    matrix_product,
    strictly_lower,
    swap_last,
    upper_triangle,
)
from .operands import bind
from .spectral import (
    SvdAlgorithm,
    eig,
    eigh,
    hessenberg,
    qdwh,
    schur,
    svd,
    tridiagonal,
    tridiagonal_solve,
)

__all__ = [
    "SvdAlgorithm",
    "cholesky",
    "cholesky_update",
    "eig",
    "eigh",
    "hessenberg",
    "householder_product",
    "lu",
    "lu_pivots_to_permutation",
    "ormqr",
    "qdwh",
    "qr",
    "schur",
    "svd",
    "symmetric_product",
    "triangular_solve",
    "tridiagonal",
    "tridiagonal_solve",
]


def cholesky(x: Any, *, symmetrize_input: bool = True) -> Any:
    """The lower triangular L with L Lᴴ = x; NaN throughout for matrices that are not positive definite.

    Args:
        x: shape (…, n, n), Hermitian.
        symmetrize_input: use (x + xᴴ) / 2; else only the lower triangle is read.
    """
    x = as_operand(x)
    check_matrices("cholesky", x.type, square=True)
    return bind(factorizations.Cholesky(), factorizations.hermitian_part(x) if symmetrize_input else x)


def cholesky_update(r_matrix: Any, w_vector: Any) -> Any:
    """The upper triangular factor of Rᴴ R + w wᴴ, by reflections, so that nothing is lost by squaring.

    Args:
        r_matrix: R, upper triangular, shape (…, n, n).
        w_vector: w, shape (…, n).

    Returns:
        Upper triangular, with a diagonal that is not negative.
    """
    r, w = as_operand(r_matrix), as_operand(w_vector)
    check_matrices("cholesky_update", r.type, w.type.update(shape=(*w.shape, 1)), square=True)
    row = conjugate(expand_dims(w, (w.ndim - 1,)))
    _, found = reflections.qr(concatenate([upper_triangle(r), row], r.ndim - 2))
    diagonal = diagonal_of(found)
    ones = full(diagonal.type, 1)
    size = real(diagonal) if diagonal.dtype.kind == "c" else diagonal
    signs = where(size < 0, mul(ones, full(ones.type, -1)), ones)
    return mul(broadcast_in_dim(signs, found.shape, range(signs.ndim)), found)


def householder_product(a: Any, taus: Any) -> Any:
    """The first columns of a product of reflections 1 - tauᵢ vᵢ vᵢᴴ, as `qr` makes them.

    Args:
        a: shape (…, m, n) with m ≥ n; the vectors stand below the diagonal, which counts as ones.
        taus: their factors, shape (…, k) with k ≤ n.

    Returns:
        Shape (…, m, n).
    """
    return bind(reflections.HouseholderProduct(), as_operand(a), as_operand(taus))


def lu(x: Any) -> tuple[Any, Any, Any]:
    """The factorization x[permutation] = L U of matrices of any shape, rows exchanged for the sake of exactness.

    Args:
        x: shape (…, m, n).

    Returns:
        (lu, pivots, permutation): L and U in one matrix, without the ones of L; int32 pivots of shape (…, min(m, n)),
        counted from 0: row i was exchanged with row pivots[i]; and the order of rows that this makes, shape (…, m).
    """
    x = as_operand(x)
    factors, pivots = bind(factorizations.LU(), x)
    return factors, pivots, factorizations.pivots_to_permutation(pivots, x.shape[-2])


def lu_pivots_to_permutation(pivots: Any, permutation_size: int) -> Any:
    """The order of rows that exchanging row i with row pivots[i], for i from 0 on, makes.

    Args:
        pivots: int32, shape (…, k); pivots[i] ≥ i.
        permutation_size: how many rows there are.

    Returns:
        int32, shape (…, permutation_size).
    """
    return bind(factorizations.PivotsToPermutation(int(permutation_size)), as_operand(pivots))


def ormqr(a: Any, taus: Any, c: Any, *, left: bool = True, transpose: bool = False) -> Any:
    """Matrices multiplied by a whole product Q of reflections: Q c or c Q, or these with Qᴴ.

    Args:
        a, taus: the reflections; see `householder_product`.
        c: shape (…, m, n) where `a` has m rows; or (…, n, m), if not `left`.
        left: whether Q stands left of c.
        transpose: whether Qᴴ takes the place of Q.
    """
    a, taus, c = as_operand(a), as_operand(taus), as_operand(c)
    check_matrices("ormqr", a.type, c.type)
    if c.shape[-2 if left else -1] != a.shape[-2]:
        side = "rows" if left else "columns"
        raise ShapeError(f"ormqr: c of shape {c.shape} needs as many {side} as a of shape {a.shape} has rows")
    return reflections.ormqr(a, taus, c, left, transpose)


def qr(x: Any, *, pivoting: bool = False, full_matrices: bool = True, use_magma: bool | None = None) -> Any:
    """The factorization x = Q R, or x[:, p] = Q R: the columns of Q are orthonormal, R is upper triangular.

    Args:
        x: shape (…, m, n).
        pivoting: bring the largest remaining column forward at each step, so that the diagonal of R does not grow.
        full_matrices: whether Q is square; else it has min(m, n) columns.
        use_magma: not used here.

    Returns:
        (q, r), or (q, r, p) if `pivoting`, with int32 numbers of columns p of shape (…, n).
    """
    x = as_operand(x)
    check_matrices("qr", x.type)
    return reflections.pivoted_qr(x, full_matrices) if pivoting else reflections.qr(x, full_matrices)


def symmetric_product(
    a_matrix: Any, c_matrix: Any, *, alpha: float = 1.0, beta: float = 0.0, symmetrize_output: bool = False
) -> Any:
    """alpha · a aᵀ + beta · c.

    Args:
        a_matrix: shape (…, m, n).
        c_matrix: shape (…, m, m), symmetric.
        alpha, beta: numbers.
        symmetrize_output: replace the upper triangle by the lower one, which matters if `c` is not quite symmetric.
    """
    a, c = as_operand(a_matrix), as_operand(c_matrix)
    check_matrices("symmetric_product", a.type, c.type)
    if c.shape[-2:] != (a.shape[-2],) * 2:
        wanted = f"(…, {a.shape[-2]}, {a.shape[-2]})"
        raise ShapeError(f"symmetric_product: a of shape {a.shape} takes c of shape {wanted}, got {c.shape}")
    product = matrix_product(a, swap_last(a))
    result = add(mul(full(product.type, alpha), product), mul(full(c.type, beta), c))
    return add(lower_triangle(result), swap_last(strictly_lower(result))) if symmetrize_output else result


def triangular_solve(
    a: Any,
    b: Any,
    *,
    left_side: bool = False,
    lower: bool = False,
    transpose_a: bool = False,
    conjugate_a: bool = False,
    unit_diagonal: bool = False,
) -> Any:
    """x with op(a) x = b, if `left_side`, else x op(a) = b, where `a` is triangular.

    Args:
        a: shape (…, n, n); the other triangle is not read.
        b: shape (…, n, k), or (…, k, n) if not `left_side`; or vectors, shape (…, n).
        lower: which triangle of `a` is read.
        transpose_a, conjugate_a: what op does.
        unit_diagonal: take the diagonal for ones.

    Returns:
        Shape of `b`.
    """
    a, b = as_operand(a), as_operand(b)
    op = TriangularSolve(left_side, lower, transpose_a, conjugate_a, unit_diagonal)
    if b.ndim == a.ndim - 1:
        place = b.ndim if left_side else b.ndim - 1
        return squeeze(bind(op, a, expand_dims(b, (place,))), (place,))
    return bind(op, a, b)
