"""Factorizations to solve with under SciPy's names: Cholesky, LU and QR.

`overwrite_*` and `lwork` are accepted and ignored, as arrays are immutable, and so is `check_finite`: NaN goes through
to the results.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ...core.dtypes import is_complex, real_dtype
from ...errors import ArgumentError, ShapeError
from ...numpy import linalg
from ...numpy.conversion import as_operand
from ...numpy.linalg.solving import operand
from ...numpy.promotion import broadcast_shapes, promote_dtypes, to_inexact
from ...ops import factorizations, reflections
from ...ops.complex_parts import conj
from ...ops.elementwise import add, eq
from ...ops.sorting import argsort
from ...ops.structure import (
    broadcast,
    broadcast_in_dim,
    convert,
    expand_dims,
    iota,
    squeeze,
)
from ...ops.triangular import (
    columns_of,
    identity_like,
    matrix_product,
    rows_of,
    strictly_lower,
    upper_triangle,
)
from ...ops.triangular import (
    solve_triangular as solve_by_substitution,
)

__all__ = [
    "cho_factor",
    "cho_solve",
    "cholesky",
    "lu",
    "lu_factor",
    "lu_solve",
    "qr",
    "qr_multiply",
    "with_columns",
]


def with_columns(name: str, a: Any, b: Any, solve_columns: Callable[[Any, Any], Any]) -> Any:
    """A function of matrices and columns, for `b` that may be one vector, and batches that broadcast."""
    a, b = promote_dtypes(a, b)
    a, b = operand(name, a), to_inexact(b)
    vector = b.ndim == 1
    if not b.ndim or b.shape[-1 if vector else -2] != a.shape[-1]:
        raise ShapeError(
            f"{name}: a matrix of shape {a.shape} takes b of shape ({a.shape[-1]},) or (…, {a.shape[-1]}, k), "
            f"got {b.shape}"
        )
    columns = expand_dims(b, (1,)) if vector else b
    batch = broadcast_shapes(a.shape[:-2], columns.shape[:-2])
    x = solve_columns(broadcast(a, (*batch, *a.shape[-2:])), broadcast(columns, (*batch, *columns.shape[-2:])))
    return squeeze(x, (x.ndim - 1,)) if vector else x


# -- Cholesky ----------------------------------------------------------------------------------------------------------


def cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The triangular factor of positive definite matrices: a = Uᴴ U, or a = L Lᴴ if `lower`.

    Args:
        a: shape (…, n, n), Hermitian; the triangle that is returned is read.
        lower: which triangle.
        overwrite_a, check_finite: ignored.

    Raises:
        LinAlgError: not positive definite, or not square.
    """
    return linalg.cholesky(a, upper=not lower)


def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, bool]:
    """What `cho_solve` needs: the factor of `cholesky`, zeros in its other triangle, and `lower`."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """The solution x of a x = b, where `c_and_lower` is what `cho_factor(a)` gave.

    Args:
        b: shape (n,) or (…, n, k).
        overwrite_b, check_finite: ignored.
    """
    factor, lower = c_and_lower
    return with_columns("cho_solve", factor, b, partial(_substituted_twice, lower=lower))


def _substituted_twice(factor: Any, b: Any, lower: bool) -> Any:
    half = solve_by_substitution(factor, b, lower, not lower, not lower)
    return solve_by_substitution(factor, half, lower, lower, lower)


# -- LU ----------------------------------------------------------------------------------------------------------------


def lu(
    a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True, p_indices: bool = False
) -> tuple[Any, ...]:
    """The factorization a = P L U of matrices of any shape.

    Args:
        a: shape (…, m, n).
        permute_l: return P L as one matrix.
        overwrite_a, check_finite: ignored.
        p_indices: return int32 indices p instead of P: a = L[p] U.

    Returns:
        (P, L, U), or (P L, U): permutation matrices, unit lower and upper triangular ones, min(m, n) in between.
    """
    x = operand("lu", a, square=False)
    packed, pivots = factorizations.lu(x)
    rows, columns = x.shape[-2:]
    count = min(rows, columns)
    order = factorizations.pivots_to_permutation(pivots, rows)
    low = columns_of(strictly_lower(packed), 0, count)
    low, up = add(low, identity_like(low)), rows_of(upper_triangle(packed), 0, count)
    if permute_l:
        return factorizations.take_rows(low, argsort(order)), up
    if p_indices:
        return argsort(order), low, up
    shape = (*order.shape, rows)
    row = iota(order.dtype, shape, order.ndim - 1)
    ones = eq(row, broadcast_in_dim(order, shape, (*range(order.ndim - 1), order.ndim)))
    return convert(ones, real_dtype(x.dtype) if is_complex(x.dtype) else x.dtype), low, up


def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, Any]:
    """What `lu_solve` needs: L and U in one matrix, without the ones of L, and int32 pivots, counted from 0."""
    x = operand("lu_factor", a, square=False)
    return factorizations.lu(x)


def lu_solve(
    lu_and_piv: tuple[Any, Any], b: Any, trans: int = 0, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """The solution x of a x = b, where `lu_and_piv` is what `lu_factor(a)` gave.

    Args:
        b: shape (n,) or (…, n, k).
        trans: 0 for a, 1 for aᵀ, 2 for aᴴ in place of a.
        overwrite_b, check_finite: ignored.

    Raises:
        ArgumentError: another `trans`.
    """
    if trans not in (0, 1, 2):
        raise ArgumentError(f"lu_solve: trans={trans!r}; expected 0, 1 (transposed) or 2 (transposed and conjugated)")
    factors, pivots = map(as_operand, lu_and_piv)

    def substituted(packed: Any, columns: Any) -> Any:
        order = factorizations.pivots_to_permutation(pivots, packed.shape[-1])
        order = broadcast(order, (*packed.shape[:-2], packed.shape[-1]))
        if not trans:
            half = solve_by_substitution(packed, factorizations.take_rows(columns, order), True, unit=True)
            return solve_by_substitution(packed, half, False)
        half = solve_by_substitution(packed, columns, False, True, trans == 2)
        whole = solve_by_substitution(packed, half, True, True, trans == 2, unit=True)
        return factorizations.take_rows(whole, argsort(order))

    return with_columns("lu_solve", factors, b, substituted)


# -- QR ----------------------------------------------------------------------------------------------------------------


def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> tuple[Any, ...]:
    """A factorization a = Q R, or a[:, P] = Q R: the columns of Q are orthonormal, R is upper triangular.

    Args:
        a: shape (…, m, n).
        overwrite_a, lwork, check_finite: ignored.
        mode: "full" (Q square), "economic" (Q with min(m, n) columns), "r" (no Q), or "raw" (for Q a pair: R and the
            vectors of reflections in one matrix, and their factors).
        pivoting: bring the largest remaining column forward at each step.

    Returns:
        (Q, R), or (Q, R, P) with int32 numbers of columns if `pivoting`; without Q for "r".

    Raises:
        ArgumentError: another mode.
    """
    if mode not in ("full", "economic", "r", "raw"):
        raise ArgumentError(f"qr: mode={mode!r}; expected 'full', 'economic', 'r' or 'raw'")
    x = operand("qr", a, square=False)
    if mode in ("full", "economic"):
        return reflections.pivoted_qr(x, mode == "full") if pivoting else reflections.qr(x, mode == "full")
    packed, taus, *order = reflections.Householder(pivoting)(x)
    if mode == "r":
        return upper_triangle(packed), *order
    return (packed, taus), upper_triangle(rows_of(packed, 0, min(x.shape[-2:]))), *order


def qr_multiply(
    a: Any,
    c: Any,
    mode: str = "right",
    pivoting: bool = False,
    conjugate: bool = False,
    overwrite_a: bool = False,
    overwrite_c: bool = False,
) -> tuple[Any, ...]:
    """c Q, or Q c, where a = Q R, and R; Q has min(m, n) columns.

    Args:
        a: shape (…, m, n).
        c: vectors or matrices; for "right" with rows of length m, for "left" with columns of length min(m, n).
        mode: "right" for c Q, "left" for Q c.
        pivoting: see `qr`.
        conjugate: whether Q is conjugated (not transposed).
        overwrite_a, overwrite_c: ignored.

    Returns:
        (product, R), or (product, R, P).

    Raises:
        ArgumentError: another mode.
        ShapeError: `c` does not fit.
    """
    if mode not in ("left", "right"):
        raise ArgumentError(f"qr_multiply: mode={mode!r}; expected 'left' or 'right'")
    a, c = promote_dtypes(a, c)
    q, *rest = qr(a, mode="economic", pivoting=pivoting)
    c = to_inexact(c)
    q = conj(q) if conjugate and is_complex(q.dtype) else q
    vector = c.ndim == 1
    if c.shape[-1 if vector or mode == "right" else -2] != q.shape[-1 if mode == "left" else -2]:
        raise ShapeError(f"qr_multiply: c of shape {c.shape} does not fit Q of shape {q.shape} in mode={mode!r}")
    place = (1,) if mode == "left" else (0,)
    matrix = expand_dims(c, place) if vector else c
    product = matrix_product(q, matrix) if mode == "left" else matrix_product(matrix, q)
    return squeeze(product, place) if vector else product, *rest
