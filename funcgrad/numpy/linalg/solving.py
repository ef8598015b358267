"""Linear systems, inverses, determinants, and the factorizations that solve: Cholesky and QR."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ...backend.array import Array
from ...errors import ArgumentError, AxisError, LinAlgError, ShapeError
from ...ops import determinants, factorizations, linear_systems, reflections
from ...ops.elementwise import eq
from ...ops.slicing import slice_array
from ...ops.structure import broadcast, canonical_axis, expand_dims, reshape, squeeze, transpose
from ...ops.triangular import adjoint, check_matrices, identity_like, rows_of, swap_last, upper_triangle
from ..conversion import as_operand
from ..promotion import broadcast_shapes, promote_dtypes, to_inexact
from .matrices import as_matrices, quickly, require

__all__ = ["QRResult", "SlogdetResult", "cholesky", "det", "inv", "qr", "slogdet", "solve", "tensorinv", "tensorsolve"]


class QRResult(NamedTuple):
    """A QR factorization."""

    Q: Any
    R: Any


class SlogdetResult(NamedTuple):
    """A determinant: its sign, and the logarithm of its size."""

    sign: Any
    logabsdet: Any


# -- what the functions here share -------------------------------------------------------------------------------------


def operand(name: str, a: Any, square: bool = True) -> Any:
    """An argument as matrices of a dtype that LAPACK takes."""
    x = as_matrices(name, a, square)
    check_matrices(name, x.type)
    return x


def require_regular(name: str, regular: Any) -> None:
    """Check that no matrix was singular.

    Raises:
        LinAlgError: one was.
    """
    require(
        regular,
        f"{name}: a matrix is singular, so there is no unique solution.\n"
        f"For the best approximate one use fnp.linalg.lstsq(a, b) or fnp.linalg.pinv(a); accept NaN as the result with "
        f"fg.config(check_linalg=False).",
    )


def require_positive_definite(name: str, factor: Any) -> None:
    """Check that Cholesky's factor is not NaN.

    Raises:
        LinAlgError: it is, for one of the matrices.
    """
    if not factor.size:
        return
    corner = slice_array(factor, (0,) * factor.ndim, (*factor.shape[:-2], 1, 1), (1,) * factor.ndim)
    require(
        eq(corner, corner),
        f"{name}: a matrix is not positive definite.\n"
        f"Rounding can make it so: add a little to its diagonal, a + 1e-6 * fnp.eye({factor.shape[-1]}); accept NaN as "
        f"the result with fg.config(check_linalg=False).",
    )


# -- factorizations ----------------------------------------------------------------------------------------------------


def cholesky(a: Any, /, *, upper: bool = False, symmetrize_input: bool = False) -> Any:
    """The triangular factor of positive definite matrices: a = L Lᴴ, or a = Uᴴ U.

    One triangle is read. The gradient is Hermitian, as if both were.

    Args:
        a: shape (…, n, n), real symmetric or complex Hermitian.
        upper: whether the upper triangle is read, and U returned.
        symmetrize_input: use (a + aᴴ) / 2 instead of `a`, so that both triangles count.

    Returns:
        L or U, shape (…, n, n).

    Raises:
        LinAlgError: not positive definite (eagerly at once, compiled when a result is read), or not square.

    Example:
        >>> import funcgrad.numpy as fnp
        >>> fnp.linalg.cholesky(fnp.array([[4.0, 2.0], [2.0, 5.0]]))
        Array([[2., 0.],
               [1., 2.]], dtype=float32)
    """
    if not symmetrize_input:
        found = quickly(partial(np.linalg.cholesky, upper=True) if upper else np.linalg.cholesky, a)
        if found is not None and found.size and not np.isnan(found[..., -1, -1]).any():
            return Array(found)
    factor = cholesky_factor(operand("cholesky", a), upper, symmetrize_input)
    require_positive_definite("cholesky", factor)
    return factor


def cholesky_factor(x: Any, upper: bool, symmetrized: bool = False) -> Any:
    """L or U of Hermitian matrices, NaN for those that are not positive definite."""
    x = factorizations.hermitian_part(x) if symmetrized else factorizations.assume_hermitian(x)
    return adjoint(factorizations.cholesky(adjoint(x))) if upper else factorizations.cholesky(x)


def qr(a: Any, mode: str = "reduced") -> Any:
    """A factorization a = Q R: the columns of Q are orthonormal, R is upper triangular.

    It is differentiable where the first min(m, n) columns of `a` are linearly independent, in every mode.

    Args:
        a: shape (…, m, n).
        mode: "reduced" (Q with min(m, n) columns), "complete" (Q square), "r" (R only) or "raw" (the reflections of
            LAPACK: transposed matrices with R and the vectors of reflections, and their factors).

    Returns:
        (Q, R); R for "r"; (h, tau) for "raw".

    Raises:
        ArgumentError: another mode.
        LinAlgError: fewer than two dimensions.

    Example:
        >>> import funcgrad.numpy as fnp
        >>> q, r = fnp.linalg.qr(fnp.array([[3.0, 1.0], [4.0, 2.0]]))
        >>> fnp.round(q @ r)
        Array([[3., 1.],
               [4., 2.]], dtype=float32)
    """
    if mode not in ("reduced", "complete", "r", "raw"):
        raise ArgumentError(f"qr: mode={mode!r}; expected 'reduced', 'complete', 'r' or 'raw'")
    found = quickly(partial(np.linalg.qr, mode=mode), a)
    if found is not None:
        pair = tuple(map(Array, found)) if isinstance(found, tuple) else Array(found)
    else:
        x = operand("qr", a, square=False)
        if mode in ("reduced", "complete"):
            pair = reflections.qr(x, mode == "complete")
        else:
            packed, taus = reflections.Householder()(x)
            count = min(x.shape[-2:])
            pair = (swap_last(packed), taus) if mode == "raw" else upper_triangle(rows_of(packed, 0, count))
    return QRResult(*pair) if mode in ("reduced", "complete") else pair


# -- systems -----------------------------------------------------------------------------------------------------------


def solve(a: Any, b: Any) -> Any:
    """The solution x of a x = b.

    Args:
        a: square matrices, shape (…, n, n).
        b: one vector, shape (n,), or matrices of shape (…, n, k); leading axes broadcast.

    Returns:
        Shape (…, n) for a vector `b`, else (…, n, k). One factorization serves the solution and its derivatives.

    Raises:
        LinAlgError: a matrix is singular (eagerly at once, compiled when a result is read), or not square.
        ShapeError: `b` does not fit.

    Example:
        >>> import funcgrad.numpy as fnp
        >>> fnp.linalg.solve(fnp.array([[2.0, 0.0], [1.0, 1.0]]), fnp.array([4.0, 5.0]))
        Array([2., 3.], dtype=float32)
    """
    found = quickly(np.linalg.solve, a, b)
    if found is not None:
        return Array(found)
    a, b = promote_dtypes(a, b)
    return solved("solve", operand("solve", a), to_inexact(b))


def solved(name: str, a: Any, b: Any) -> Any:
    """`solve` for arrays of one inexact dtype, its errors under another name."""
    vector = b.ndim == 1
    if not b.ndim or b.shape[-1 if vector else -2] != a.shape[-1]:
        raise ShapeError(
            f"{name}: a x = b with a of shape {a.shape} takes b of shape ({a.shape[-1]},) or (…, {a.shape[-1]}, k), "
            f"got {b.shape}"
        )
    columns = expand_dims(b, (1,)) if vector else b
    if a.ndim == 2 and columns.ndim > 2:  # one matrix: the batch of b becomes more columns
        last = columns.ndim - 2
        wide = transpose(columns, (last, *range(last), last + 1))
        x, regular = linear_systems.solve_and_tell(a, reshape(wide, (wide.shape[0], prod(wide.shape[1:]))))
        x = transpose(reshape(x, wide.shape), (*range(1, last + 1), 0, last + 1))
    else:
        batch = broadcast_shapes(a.shape[:-2], columns.shape[:-2])
        spread = broadcast(a, (*batch, *a.shape[-2:])), broadcast(columns, (*batch, *columns.shape[-2:]))
        x, regular = linear_systems.solve_and_tell(*spread)
    require_regular(name, regular)
    return squeeze(x, (x.ndim - 1,)) if vector else x


def inv(a: Any) -> Any:
    """The inverses of square matrices.

    To solve a x = b, `solve(a, b)` is faster and more exact than `inv(a) @ b`.

    Args:
        a: shape (…, n, n).

    Returns:
        Shape (…, n, n).

    Raises:
        LinAlgError: a matrix is singular (eagerly at once, compiled when a result is read), or not square.
    """
    found = quickly(np.linalg.inv, a)
    if found is not None:
        return Array(found)
    x = operand("inv", a)
    inverse, regular = linear_systems.solve_and_tell(x, identity_like(x))
    require_regular("inv", regular)
    return inverse


def det(a: Any) -> Any:
    """The determinants of square matrices.

    The derivative is exact for singular matrices too: it is made of cofactors. Second derivatives need regular ones.

    Args:
        a: shape (…, n, n).

    Returns:
        Shape (…).
    """
    found = quickly(np.linalg.det, a)
    return Array(found) if found is not None else determinants.det(operand("det", a))


def slogdet(a: Any) -> SlogdetResult:
    """The sign of determinants, and the logarithms of their sizes, which neither overflow nor underflow.

    Args:
        a: shape (…, n, n).

    Returns:
        (sign, logabsdet): -1, 1, or 0 for singular matrices (for complex ones a number of size 1, or 0); and a real
        number, -inf for singular matrices. Both of shape (…).
    """
    found = quickly(np.linalg.slogdet, a)
    if found is not None:
        return SlogdetResult(*[Array(np.asarray(part)) for part in found])
    return SlogdetResult(*determinants.slogdet(operand("slogdet", a)))


def tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Any:
    """The solution x of tensordot(a, x, x.ndim) = b.

    Args:
        a: the product of the lengths of its axes beyond those of `b` equals `b.size`.
        b: an array; its shape is how that of `a` begins.
        axes: axes of `a` to move to the end first.

    Raises:
        LinAlgError: the sizes do not fit, or the system is singular.
    """
    a, b = promote_dtypes(a, b)
    if axes is not None:
        moved = [canonical_axis(axis, a.ndim) for axis in axes]
        a = transpose(a, [*(i for i in range(a.ndim) if i not in moved), *moved])
    rest = a.shape[b.ndim :]
    count = prod(rest)
    if a.size != count**2 or b.size != count:
        raise LinAlgError(
            f"tensorsolve: a of shape {a.shape} and b of shape {b.shape} make no square system: the axes of a beyond "
            f"those of b, {rest}, have {count} elements, and b has {b.size}; these must be equal"
        )
    matrix, vector = operand("tensorsolve", reshape(a, (count, count))), to_inexact(reshape(b, (count,)))
    return reshape(solved("tensorsolve", matrix, vector), rest)


def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of `a` as the map tensordot(a, ·, ind): its first `ind` axes come last.

    Raises:
        LinAlgError: the first axes do not have as many elements as the others, or there is no inverse.
    """
    if ind <= 0:
        raise AxisError(f"tensorinv: ind={ind}; expected a positive number of axes")
    x = as_operand(a)
    first, rest = x.shape[:ind], x.shape[ind:]
    if prod(first) != prod(rest):
        raise LinAlgError(
            f"tensorinv: the first {ind} axes of shape {x.shape} have {prod(first)} elements, the others {prod(rest)}; "
            f"these must be equal"
        )
    return reshape(inv(reshape(x, (prod(first), prod(rest)))), (*rest, *first))
