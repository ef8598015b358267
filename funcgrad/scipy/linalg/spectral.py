"""Eigenvalues, singular values and condensed forms under SciPy's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.dtypes import complex_dtype, is_complex
from ...errors import ArgumentError, ConcretizationError, LinAlgError, ShapeError
from ...numpy import linalg
from ...numpy.creation import diag
from ...numpy.elementwise import where
from ...numpy.linalg.matrices import as_matrices, require_converged, value_if_known
from ...numpy.linalg.solving import solve
from ...numpy.promotion import promote_dtypes, to_inexact
from ...numpy.reductions import count_nonzero, max
from ...ops.condensed import Hessenberg, Schur
from ...ops.eigen import Eig
from ...ops.elementwise import mul
from ...ops.factorizations import Cholesky
from ...ops.reflections import householder_product
from ...ops.spectral import Svd
from ...ops.structure import convert, expand_dims
from ...ops.triangular import Triangle, adjoint, identity_like, matrix_product, solve_triangular

__all__ = [
    "eig",
    "eigh",
    "eigh_tridiagonal",
    "eigvals",
    "eigvalsh",
    "hessenberg",
    "null_space",
    "orth",
    "pinv",
    "polar",
    "rsf2csf",
    "schur",
    "svd",
    "svdvals",
]


# -- eigenvalues -------------------------------------------------------------------------------------------------------


def _standard(a: Any, b: Any, type: int) -> tuple[Any, Any]:
    """The Hermitian matrix with the eigenvalues of a generalised problem, and the factor of `b`."""
    factor = Cholesky()(b)
    require_converged("eigh", factor, "b is not positive definite")
    if type == 1:
        half = solve_triangular(factor, a, True)
        return adjoint(solve_triangular(factor, adjoint(half), True)), factor
    return matrix_product(adjoint(factor), matrix_product(a, factor)), factor


def eigh(
    a: Any,
    b: Any = None,
    *,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: None = None,
    driver: str | None = None,
) -> Any:
    """Eigenvalues and eigenvectors of Hermitian matrices, or of a generalised problem.

    Args:
        a: shape (…, n, n), Hermitian.
        b: shape (…, n, n), Hermitian and positive definite; by default the identity.
        lower: which triangle of both is read.
        eigvals_only: whether to return the eigenvalues alone.
        type: 1 for a · v = w · b · v, 2 for a · b · v = w · v, 3 for b · a · v = w · v.
        subset_by_index: (first, last), of the eigenvalues in ascending order; by default all.
        subset_by_value: not here, since the number of results would depend on values.
        overwrite_a, overwrite_b, check_finite, driver: accepted for SciPy's sake.

    Returns:
        (eigenvalues, eigenvectors), or the eigenvalues, ascending. For types 1 and 2 vᴴ · b · v = 1, for type 3
        vᴴ · b⁻¹ · v = 1.

    Raises:
        LinAlgError: not square; `b` not positive definite; NaN or infinities.
    """
    if type not in (1, 2, 3):
        raise ArgumentError(f"eigh: type={type!r}; expected 1, 2 or 3")
    if subset_by_value is not None:
        raise ArgumentError(
            "eigh: subset_by_value is not here: the number of results would depend on values. Use a mask"
        )
    x = as_matrices("eigh", a)
    triangle = "L" if lower else "U"
    if b is None:
        w, v = (linalg.eigvalsh(x, triangle), None) if eigvals_only else linalg.eigh(x, triangle)
    else:
        x, y = promote_dtypes(x, as_matrices("eigh", b))
        if x.shape != y.shape:
            raise ShapeError(f"eigh: a and b must have one shape, got {x.shape} and {y.shape}")
        reduced, factor = _standard(_both_triangles(x, lower), _both_triangles(y, lower), type)
        w, v = (linalg.eigvalsh(reduced), None) if eigvals_only else linalg.eigh(reduced)
        if v is not None:
            v = matrix_product(factor, v) if type == 3 else solve_triangular(factor, v, True, True, True)
    if subset_by_index is not None:
        first, last = (int(i) for i in subset_by_index)
        if not 0 <= first <= last < w.shape[-1]:
            raise ArgumentError(
                f"eigh: subset_by_index=({first}, {last}) does not lie in order between 0 and {w.shape[-1] - 1}"
            )
        w, v = w[..., first : last + 1], None if v is None else v[..., first : last + 1]
    return w if v is None else (w, v)


def _both_triangles(x: Any, lower: bool) -> Any:
    """The Hermitian matrix that one triangle stands for."""
    outside = Triangle(lower, -1 if lower else 1)(x)
    diagonal = mul(x, identity_like(x))
    if is_complex(x.dtype):
        diagonal = convert(diagonal.real, x.dtype)
    return outside + adjoint(outside) + diagonal


def eigvalsh(a: Any, b: Any = None, *, lower: bool = True, **options: Any) -> Any:
    """Eigenvalues of Hermitian matrices, or of a generalised problem; arguments as those of `eigh`."""
    return eigh(a, b, lower=lower, eigvals_only=True, **options)


def eig(
    a: Any,
    b: Any = None,
    left: bool = False,
    right: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """Eigenvalues and eigenvectors of general matrices; compiled on the CPU only.

    Args:
        a: shape (…, n, n).
        b: shape (…, n, n), not singular: the problem is a · v = w · b · v.
        left: whether to return left eigenvectors, vₗᴴ · a = w · vₗᴴ; not with `b`.
        right: whether to return right eigenvectors.
        overwrite_a, overwrite_b, check_finite: accepted for SciPy's sake.

    Returns:
        w, or (w, vₗ), (w, vᵣ), (w, vₗ, vᵣ); all complex.

    Raises:
        LinAlgError: not square; `b` singular; NaN or infinities.
    """
    x = as_matrices("eig", a)
    if b is not None:
        if left:
            raise ArgumentError("eig: left eigenvectors of a generalised problem are not here; those of b⁻¹ a differ")
        x = solve(b, x)
    outs = Eig(bool(left), bool(right))(x)
    require_converged("eig", outs[0])
    return outs if len(outs) > 1 else outs[0]


def eigvals(
    a: Any,
    b: Any = None,
    overwrite_a: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    """Eigenvalues of general matrices, or of a · v = w · b · v with `b` not singular; complex.

    Args:
        overwrite_a, check_finite: accepted for SciPy's sake.
        homogeneous_eigvals: must be False.
    """
    if homogeneous_eigvals:
        raise ArgumentError("eigvals: homogeneous_eigvals=True is not here; eigenvalues are quotients")
    return linalg.eigvals(a) if b is None else linalg.eigvals(solve(b, as_matrices("eigvals", a)))


def eigh_tridiagonal(
    d: Any,
    e: Any,
    eigvals_only: bool = False,
    select: str = "a",
    select_range: Any = None,
    check_finite: bool = True,
    tol: float | None = None,
    lapack_driver: str = "auto",
) -> Any:
    """Eigenvalues and eigenvectors of symmetric tridiagonal matrices.

    Args:
        d: the diagonal, shape (n,).
        e: the diagonal next to it, shape (n - 1,); complex numbers stand below, their conjugates above.
        eigvals_only: whether to return the eigenvalues alone.
        select: "a" for all, "i" for those with numbers select_range[0] to select_range[1], "v" for those in the
            interval (select_range[0], select_range[1]], which cannot be known inside a compiled program.
        check_finite, tol, lapack_driver: accepted for SciPy's sake.

    Returns:
        (eigenvalues, eigenvectors), or the eigenvalues, ascending.

    Raises:
        ShapeError: lengths that do not fit.
        ConcretizationError: select="v" under `jit`.
    """
    diagonal, beside = promote_dtypes(d, e)
    diagonal, beside = to_inexact(diagonal), to_inexact(beside)
    n = diagonal.size
    if diagonal.ndim != 1 or beside.shape != (np.max([n - 1, 0]),):
        raise ShapeError(
            f"eigh_tridiagonal: d must have shape (n,) and e (n - 1,), got {diagonal.shape} and {beside.shape}"
        )
    if select not in ("a", "i", "v") or (select != "a" and select_range is None):
        raise ArgumentError(
            f'eigh_tridiagonal: select={select!r} with select_range={select_range!r}; expected "a", or "i" or "v" and '
            f"a pair of numbers"
        )
    a = diag(diagonal) + diag(beside, -1)
    w, v = (linalg.eigvalsh(a), None) if eigvals_only else linalg.eigh(a)
    if select == "i":
        first, last = (int(i) for i in select_range)
    elif select == "v":
        low, high = select_range
        values = value_if_known(w)
        if values is None:
            raise ConcretizationError(
                'eigh_tridiagonal: select="v" makes the number of results depend on values, which are not known while '
                'a function is traced. Select by number: select="i", select_range=(first, last)'
            )
        first, last = int(np.sum(values <= low)), int(np.sum(values <= high)) - 1
    else:
        first, last = 0, n - 1
    w = w[first : last + 1]
    return w if v is None else (w, v[:, first : last + 1])


# -- singular values ---------------------------------------------------------------------------------------------------


def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """The singular value decomposition; see `funcgrad.numpy.linalg.svd`.

    Args:
        lapack_driver: "gesdd" (divide and conquer) or "gesvd" (QR iteration: slower, a little more exact).
        overwrite_a, check_finite: accepted for SciPy's sake.
    """
    if lapack_driver == "gesdd":
        return linalg.svd(a, full_matrices, compute_uv)
    if lapack_driver != "gesvd":
        raise ArgumentError(f'svd: lapack_driver={lapack_driver!r}; expected "gesdd" or "gesvd"')
    outs = Svd(bool(full_matrices) and bool(compute_uv), bool(compute_uv), True)(as_matrices("svd", a, False))
    require_converged("svd", outs[1] if compute_uv else outs[0])
    return linalg.SVDResult(*outs) if compute_uv else outs[0]


def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Singular values, largest first; the options are accepted for SciPy's sake."""
    return linalg.svdvals(a)


def pinv(a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False, check_finite: bool = True) -> Any:
    """The pseudo-inverse; see `funcgrad.numpy.linalg.pinv`.

    Args:
        a: shape (…, m, n).
        atol, rtol: singular values up to atol + rtol · the largest one count as 0; by default `atol` is 0, and `rtol`
            is max(m, n) · eps, or 0 if `atol` is given.
        return_rank: whether to return the rank as well.
        check_finite: accepted for SciPy's sake.
    """
    x = as_matrices("pinv", a, False)
    if atol is None and not return_rank:
        return linalg.pinv(x, rtol=rtol)
    s = linalg.svdvals(x)
    largest = max(s, -1, initial=0)
    relative = rtol if rtol is not None else np.max(x.shape[-2:]) * float(np.finfo(s.dtype).eps) * (atol is None)
    bound = relative + (0 if atol is None else atol) / where(largest == 0, 1, largest)
    inverse = linalg.pinv(x, rtol=bound)
    if not return_rank:
        return inverse
    return inverse, count_nonzero(s > expand_dims(bound * largest, (s.ndim - 1,)), -1)


def polar(a: Any, side: str = "right") -> tuple[Any, Any]:
    """The polar decomposition of matrices: a = u · p or a = p · u, u with orthonormal columns (or rows).

    Args:
        a: shape (…, m, n).
        side: "right" for a = u · p, "left" for a = p · u.

    Returns:
        (u, p): u of shape (…, m, n); p Hermitian, without negative eigenvalues, (…, n, n) or (…, m, m). The derivative
        is exact where `a` has full rank.
    """
    if side not in ("left", "right"):
        raise ArgumentError(f'polar: side={side!r}; expected "left" or "right"')
    x = as_matrices("polar", a, False)
    w, _, vh = linalg.svd(x, False)
    u = matrix_product(w, vh)
    p = matrix_product(adjoint(u), x) if side == "right" else matrix_product(x, adjoint(u))
    return u, (p + adjoint(p)) / 2


def _rank(name: str, s: Any, rcond: float | None, order: int, size: int | None) -> int:
    if size is not None:
        return size
    bound = max(s, initial=0) * (order * float(np.finfo(s.dtype).eps) if rcond is None else rcond)
    found = value_if_known(count_nonzero(s > bound))
    if found is None:
        raise ConcretizationError(
            f"{name}: how many vectors there are depends on the values of the matrix, which are not known while a "
            f"function is traced. Say how many to return: {name}(a, size=2)"
        )
    return int(found)


def orth(A: Any, rcond: float | None = None, *, size: int | None = None) -> Any:
    """An orthonormal basis of the range of a matrix, in columns.

    Args:
        A: shape (m, n).
        rcond: singular values up to rcond · the largest one count as 0; by default max(m, n) · eps.
        size: how many columns to return, rather than as many as the rank, which is not known inside a compiled program.

    Returns:
        Shape (m, rank) or (m, size).

    Raises:
        ConcretizationError: no `size` under `jit`.
    """
    x = _one_matrix("orth", A)
    u, s, _ = linalg.svd(x, False)
    return u[:, : _rank("orth", s, rcond, np.max(x.shape).item(), size)]


def null_space(A: Any, rcond: float | None = None, *, size: int | None = None, **options: Any) -> Any:
    """An orthonormal basis of the null space of a matrix, in columns.

    Args:
        A: shape (m, n).
        rcond: as that of `orth`.
        size: how many columns to return, rather than n - rank, which is not known inside a compiled program.
        **options: SciPy's `overwrite_a`, `check_finite` and `lapack_driver`, accepted for its sake.

    Returns:
        Shape (n, n - rank) or (n, size).

    Raises:
        ConcretizationError: no `size` under `jit`.
    """
    x = _one_matrix("null_space", A)
    _, s, vh = linalg.svd(x)
    n = x.shape[1]
    rank = n - size if size is not None else _rank("null_space", s, rcond, np.max(x.shape).item(), None)
    return adjoint(vh)[:, rank:]


def _one_matrix(name: str, a: Any) -> Any:
    x = as_matrices(name, a, False)
    if x.ndim != 2:
        raise LinAlgError(f"{name} takes one matrix; got shape {x.shape}")
    return x


# -- condensed forms ---------------------------------------------------------------------------------------------------


def schur(a: Any, output: str = "real", overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, Any]:
    """The Schur decomposition a = z · t · zᴴ; compiled on the CPU only, and not differentiable.

    Args:
        a: shape (…, n, n).
        output: "real": t of a real matrix is real, with 2 x 2 blocks on the diagonal for pairs of complex eigenvalues;
            "complex": t is complex and triangular.
        overwrite_a, check_finite: accepted for SciPy's sake.

    Returns:
        (t, z).
    """
    if output not in ("real", "r", "complex", "c"):
        raise ArgumentError(f'schur: output={output!r}; expected "real" or "complex"')
    x = as_matrices("schur", a)
    t, z = Schur()(x if output.startswith("r") else convert(x, complex_dtype(x.dtype)))
    require_converged("schur", t)
    return t, z


def rsf2csf(T: Any, Z: Any, check_finite: bool = True) -> tuple[Any, Any]:
    """A real Schur decomposition as a complex one: t triangular, and z · t · zᴴ as before.

    Args:
        T, Z: shape (…, n, n), as `schur` returns them.
        check_finite: accepted for SciPy's sake.
    """
    t, z = promote_dtypes(as_matrices("rsf2csf", T), as_matrices("rsf2csf", Z))
    if t.shape != z.shape:
        raise ShapeError(f"rsf2csf: T and Z must have one shape, got {t.shape} and {z.shape}")
    t, turned = schur(t, "complex")
    return t, matrix_product(convert(z, turned.dtype), turned)


def hessenberg(a: Any, calc_q: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The Hessenberg form of matrices, a = q · h · qᴴ with zeros below the first subdiagonal of h; not differentiable.

    Args:
        a: shape (…, n, n).
        calc_q: whether to return q as well.
        overwrite_a, check_finite: accepted for SciPy's sake.

    Returns:
        h, or (h, q). Compiled on the CPU only.
    """
    x = as_matrices("hessenberg", a)
    packed, taus = Hessenberg()(x)
    require_converged("hessenberg", packed)
    h = Triangle(False, -1)(packed)
    if not calc_q:
        return h
    q = identity_like(x)
    if x.shape[-1] > 1:
        rest = householder_product(packed[..., 1:, :-1], taus)
        q = q.at[..., 1:, 1:].set(rest)
    return h, q
