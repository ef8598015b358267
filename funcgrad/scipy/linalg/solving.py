"""Linear systems under SciPy's names: by the structure of the matrix, triangular, banded; inverses and determinants.

`overwrite_*` are accepted and ignored, as arrays are immutable, and so is `check_finite`: NaN goes through to the
results. What cannot be solved raises `LinAlgError`, eagerly at once and compiled when a result is read.
"""

from __future__ import annotations

import importlib
from functools import cache, partial
from typing import Any

import numpy as np

from ...backend.array import Array
from ...core.dtypes import finfo
from ...errors import ArgumentError, ShapeError
from ...numpy import linalg
from ...numpy.conversion import asarray
from ...numpy.linalg.matrices import quickly, require
from ...numpy.linalg.solving import cholesky_factor, operand, require_positive_definite, require_regular, solved
from ...numpy.promotion import promote_dtypes, to_inexact
from ...numpy.shape import roll
from ...ops.elementwise import add, div, eq, ne, where
from ...ops.structure import (
    broadcast,
    broadcast_in_dim,
    expand_dims,
    full,
    reshape,
    squeeze,
)
from ...ops.triangular import (
    TriangularSolve,
    adjoint,
    diagonal_of,
    diagonal_part,
    identity_like,
    strictly_lower,
    swap_last,
)
from ...ops.tridiagonal import TridiagonalSolve
from .factorizations import cho_solve, with_columns

__all__ = [
    "det",
    "inv",
    "lstsq",
    "solve",
    "solve_banded",
    "solve_triangular",
    "solveh_banded",
]


_STRUCTURES = {
    "general": ("gen", "general", "banded", "tridiagonal"),
    "symmetric": ("sym", "symmetric"),
    "hermitian": ("her", "hermitian"),
    "positive": ("pos", "positive definite"),
    "diagonal": ("diagonal",),
    "lower": ("lower triangular",),
    "upper": ("upper triangular",),
}
_STRUCTURE = {name: kind for kind, names in _STRUCTURES.items() for name in names} | {None: "general"}


def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: str | None = None,
    transposed: bool = False,
) -> Any:
    """The solution x of a x = b, or of aᵀ x = b.

    Args:
        a: shape (…, n, n).
        b: shape (n,) or (…, n, k).
        lower: which triangle of symmetric, Hermitian or positive definite matrices is read.
        overwrite_a, overwrite_b, check_finite: ignored.
        assume_a: what is known of `a`: "general" (or None: nothing is found out, so that traced and eager calls do the
            same), "symmetric", "hermitian", "positive definite", "diagonal", "tridiagonal", "banded",
            "upper triangular", "lower triangular", or SciPy's short names.
        transposed: whether aᵀ takes the place of `a`.

    Raises:
        LinAlgError: singular; not positive definite, where that was assumed; not square.
        ArgumentError: another `assume_a`.
    """
    if assume_a not in _STRUCTURE:
        names = ", ".join(repr(name) for name in _STRUCTURE if name)
        raise ArgumentError(f"solve: assume_a={assume_a!r}; expected None or one of {names}")
    kind = _STRUCTURE[assume_a]
    if kind == "general":
        return linalg.solve(linalg.matrix_transpose(a) if transposed else a, b)
    a, b = promote_dtypes(a, b)
    x, b = operand("solve", a), to_inexact(b)
    if transposed:
        x, lower = swap_last(x), not lower
        kind = {"lower": "upper", "upper": "lower"}.get(kind, kind)
    if kind in ("lower", "upper"):
        return solve_triangular(x, b, lower=kind == "lower")
    if kind == "diagonal":
        return with_columns("solve", x, b, _divided_by_diagonal)
    if kind == "positive":
        factor = cholesky_factor(x, not lower)
        require_positive_definite("solve", factor)
        return cho_solve((factor, lower), b)
    return solved("solve", _mirrored(x, lower, kind == "hermitian"), b)


def _divided_by_diagonal(a: Any, b: Any) -> Any:
    diagonal = diagonal_of(a)
    require_regular("solve", ne(diagonal, full(diagonal.type, 0)))
    return div(b, broadcast_in_dim(diagonal, b.shape, range(diagonal.ndim)))


def _mirrored(x: Any, lower: bool, hermitian: bool) -> Any:
    """The whole matrix, of which one triangle is known."""
    half = x if lower else swap_last(x) if not hermitian else adjoint(x)
    below = strictly_lower(half)
    return add(add(below, diagonal_part(half)), adjoint(below) if hermitian else swap_last(below))


def solve_triangular(
    a: Any,
    b: Any,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """The solution x of a x = b for triangular `a`.

    Args:
        a: shape (…, n, n); the other triangle is not read.
        b: shape (n,) or (…, n, k).
        trans: 0 or "N" for a, 1 or "T" for aᵀ, 2 or "C" for aᴴ.
        lower: which triangle is read.
        unit_diagonal: take the diagonal for ones.
        overwrite_b, check_finite: ignored.

    Raises:
        LinAlgError: a zero on the diagonal.
        ArgumentError: another `trans`.
    """
    how = {0: 0, 1: 1, 2: 2, "N": 0, "T": 1, "C": 2}.get(trans)
    if how is None:
        raise ArgumentError(f"solve_triangular: trans={trans!r}; expected 0 or 'N', 1 or 'T', 2 or 'C'")

    def substituted(matrix: Any, columns: Any) -> Any:
        if not unit_diagonal:
            diagonal = diagonal_of(matrix)
            require_regular("solve_triangular", ne(diagonal, full(diagonal.type, 0)))
        return TriangularSolve(True, bool(lower), how > 0, how == 2, bool(unit_diagonal))(matrix, columns)

    return with_columns("solve_triangular", a, b, substituted)


def _dense(diagonals: Any, above: int) -> Any:
    """The matrices whose diagonals, from the one number `above` downward, are the rows of SciPy's band matrices."""
    rows, columns = np.indices((diagonals.shape[-1],) * 2)
    place = above + rows - columns
    inside = (place >= 0) & (place < diagonals.shape[-2])
    found = diagonals[..., np.clip(place, 0, diagonals.shape[-2] - 1), columns]
    return where(broadcast(asarray(inside), found.shape), found, full(found.type, 0))


def solve_banded(
    l_and_u: tuple[int, int],
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """The solution x of a x = b for a band matrix `a`.

    Eagerly it is LAPACK's, in time proportional to n. Tridiagonal systems are solved so in compiled programs and by
    derivatives too; wider bands are written out as n × n matrices there.

    Args:
        l_and_u: how many diagonals there are below the main one, and above it.
        ab: shape (l + u + 1, n): ab[u + i - j, j] is a[i, j].
        b: shape (n,) or (n, k).
        overwrite_ab, overwrite_b, check_finite: ignored.

    Raises:
        LinAlgError: singular.
        ShapeError: `ab` does not have l + u + 1 rows.
    """
    below, above = l_and_u
    ab, b = promote_dtypes(ab, b)
    ab, b = to_inexact(ab), to_inexact(b)
    if ab.ndim != 2 or ab.shape[0] != below + above + 1:
        raise ShapeError(
            f"solve_banded: {below} diagonals below the main one and {above} above it take ab of shape "
            f"({below + above + 1}, n), got {ab.shape}"
        )
    found = quickly(partial(_scipy().solve_banded, l_and_u, check_finite=False), ab, b)
    if found is not None:
        return Array(found)
    if below != 1 or above != 1:
        return solved("solve_banded", _dense(ab, above), b)
    columns = expand_dims(b, (1,)) if b.ndim == 1 else b
    if columns.shape[-2] != ab.shape[-1]:
        raise ShapeError(f"solve_banded: a has {ab.shape[-1]} rows, b of shape {b.shape} has {columns.shape[-2]}")
    x = TridiagonalSolve()(roll(ab[2], 1), ab[1], roll(ab[0], -1), columns)
    require(
        eq(x, x),
        "solve_banded: the matrix is singular, or there is a NaN in it.\n"
        "Accept NaN as the result with fg.config(check_linalg=False).",
    )
    return squeeze(x, (1,)) if b.ndim == 1 else x


def solveh_banded(
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    lower: bool = False,
    check_finite: bool = True,
) -> Any:
    """The solution x of a x = b for a positive definite band matrix `a`.

    Eagerly it is LAPACK's, in time proportional to n; compiled programs and derivatives write `a` out as an n × n
    matrix.

    Args:
        ab: the diagonals of one triangle, shape (u + 1, n): ab[u + i - j, j] is a[i, j]; if `lower`, ab[i - j, j] is.
        b: shape (n,) or (n, k).
        overwrite_ab, overwrite_b, check_finite: ignored.
        lower: which triangle.

    Raises:
        LinAlgError: not positive definite.
    """
    ab, b = promote_dtypes(ab, b)
    ab, b = to_inexact(ab), to_inexact(b)
    found = quickly(partial(_scipy().solveh_banded, lower=lower, check_finite=False), ab, b)
    if found is not None:
        return Array(found)
    if ab.ndim != 2:
        raise ShapeError(f"solveh_banded takes the diagonals of one matrix as the rows of ab, got shape {ab.shape}")
    factor = cholesky_factor(_dense(ab, 0 if lower else ab.shape[0] - 1), not lower)
    require_positive_definite("solveh_banded", factor)
    return cho_solve((factor, lower), b)


@cache
def _scipy() -> Any:
    """`scipy.linalg`, at its first use: importing it takes longer than importing this whole library."""
    return importlib.import_module("scipy.linalg")


def inv(
    a: Any, overwrite_a: bool = False, check_finite: bool = True, *, assume_a: str | None = None, lower: bool = False
) -> Any:
    """The inverses of square matrices.

    Args:
        a: shape (…, n, n).
        overwrite_a, check_finite: ignored.
        assume_a, lower: see `solve`.

    Raises:
        LinAlgError: singular, or not square.
    """
    if assume_a is None:
        return linalg.inv(a)
    x = operand("inv", a)
    return solve(x, identity_like(x), lower, assume_a=assume_a)


def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The determinants of square matrices; see `funcgrad.numpy.linalg.det`."""
    return linalg.det(a)


def lstsq(
    a: Any,
    b: Any,
    cond: float | None = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    lapack_driver: str | None = None,
) -> tuple[Any, Any, Any, Any]:
    """The x for which a x comes nearest to b; of several such x the smallest. By singular values, whatever the driver.

    Args:
        a: shape (m, n).
        b: shape (m,) or (m, k).
        cond: singular values up to cond · the largest one count as 0; by default the rounding error of the dtype.
        overwrite_a, overwrite_b, check_finite, lapack_driver: ignored.

    Returns:
        (x, residues, rank, s); see `funcgrad.numpy.linalg.lstsq`.
    """
    a, b = promote_dtypes(a, b)
    a, b = to_inexact(a), to_inexact(b)
    x, residues, rank, s = linalg.lstsq(a, b, float(finfo(a.dtype).eps) if cond is None else cond)
    single = b.ndim == 1 and residues.shape == (1,)
    return x, reshape(residues, ()) if single else residues, rank, s
