"""Eigenvalues, singular values, and what is made of them: ranks, pseudo-inverses, least squares."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...backend.array import Array
from ...core.dtypes import complex_dtype, default_int
from ...core.primitive import infer
from ...core.types import ArrayType
from ...errors import ArgumentError, LinAlgError
from ...ops.decompositions import as_row, real_part
from ...ops.eigen import Eig
from ...ops.elementwise import absolute, mul, sign, stop_gradient
from ...ops.factorizations import AssumeHermitian, hermitian_part
from ...ops.gather import take_along_axis
from ...ops.pseudo_inverse import PseudoInverse
from ...ops.slicing import rev
from ...ops.sorting import argsort
from ...ops.spectral import Eigh, Svd
from ...ops.structure import broadcast, convert, expand_dims, full, reduce_sum, squeeze, zeros_of
from ...ops.triangular import adjoint, conjugate, matrix_product
from ..conversion import as_operand
from ..promotion import promote_dtypes, to_inexact
from ..reductions import any, count_nonzero, max
from .matrices import as_matrices, quickly_if_finite, require_converged, value_if_known

__all__ = [
    "EigResult",
    "EighResult",
    "SVDResult",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "lstsq",
    "matrix_rank",
    "pinv",
    "svd",
    "svdvals",
]

_assume_hermitian = AssumeHermitian()
_numpy: Any = np.linalg  # its stubs do not know that options may be passed on


class EigResult(NamedTuple):
    """Eigenvalues and eigenvectors of a general matrix."""

    eigenvalues: Any
    eigenvectors: Any


class EighResult(NamedTuple):
    """Eigenvalues and eigenvectors of a Hermitian matrix."""

    eigenvalues: Any
    eigenvectors: Any


class SVDResult(NamedTuple):
    """A singular value decomposition."""

    U: Any
    S: Any
    Vh: Any


def _checked(name: str, op: Any, x: Any) -> tuple[Any, ...]:
    """The results of a decomposition, the operand's dtype checked before and the results after it."""
    infer(op, x.type)
    outs = op(x)
    require_converged(name, outs[1] if isinstance(op, Svd) and op.vectors else outs[0])
    return outs


# -- eigenvalues -------------------------------------------------------------------------------------------------------


def _hermitian(name: str, a: Any, UPLO: str, vectors: bool, symmetrized: bool = False) -> tuple[Any, ...]:
    side = UPLO.upper() if isinstance(UPLO, str) else UPLO
    if side not in ("L", "U"):
        raise ArgumentError(f'{name}: UPLO={UPLO!r}; expected "L" for the lower triangle or "U" for the upper one')
    x = as_matrices(name, a)
    if symmetrized:
        x = hermitian_part(x)
    elif type(x) is not Array:
        x = _assume_hermitian(x)
    return _checked(name, Eigh(side == "U", vectors), x)


def eigh(a: Any, UPLO: str = "L", symmetrize_input: bool = False) -> EighResult:
    """Eigenvalues and eigenvectors of Hermitian matrices: a = v · diag(w) · vᴴ.

    Gradients are Hermitian, as if both triangles were read. Where eigenvalues are equal (up to rounding), only
    functions that do not tell them apart have a derivative, such as the sum of the eigenvalues or the projector on
    their eigenvectors, and theirs is exact; terms that couple equal eigenvalues are left out. The phases of
    eigenvectors are arbitrary: their tangents are orthogonal to them.

    Args:
        a: shape (…, n, n), real or complex.
        UPLO: which triangle is read, "L" (lower) or "U" (upper). The other one does not matter.
        symmetrize_input: use (a + aᴴ) / 2 instead of `a`, so that both triangles count.

    Returns:
        (eigenvalues, eigenvectors): w of shape (…, n), real, ascending; v of shape (…, n, n), in columns.

    Raises:
        LinAlgError: not square, or NaN or infinities in `a`; eagerly at once, compiled when a result is read.

    >>> w, v = fnp.linalg.eigh(fnp.array([[2.0, 1.0], [1.0, 2.0]]))
    >>> fnp.round(w)
    Array([1., 3.], dtype=float32)
    """
    found = None if symmetrize_input else quickly_if_finite(partial(_numpy.eigh, UPLO=UPLO), a)
    if found is not None:
        return EighResult(Array(found[0]), Array(found[1]))
    return EighResult(*_hermitian("eigh", a, UPLO, True, symmetrize_input))


def eigvalsh(a: Any, UPLO: str = "L", *, symmetrize_input: bool = False) -> Any:
    """Eigenvalues of Hermitian matrices, ascending: shape (…, n), real. Arguments as those of `eigh`."""
    found = None if symmetrize_input else quickly_if_finite(partial(_numpy.eigvalsh, UPLO=UPLO), a)
    if found is not None:
        return Array(found)
    return _hermitian("eigvalsh", a, UPLO, False, symmetrize_input)[0]


def eig(a: Any) -> EigResult:
    """Eigenvalues and right eigenvectors of general matrices: a · v = v · diag(w).

    Eigenvectors have length 1 and a real element of largest magnitude, which fixes their derivative. Equal eigenvalues
    are treated as `eigh` says; a matrix without n independent eigenvectors has no derivative (infinities or NaN).
    Compiled on the CPU only.

    Args:
        a: shape (…, n, n).

    Returns:
        (eigenvalues, eigenvectors): w of shape (…, n) in no particular order, v of shape (…, n, n), in columns; always
        complex, since a dtype cannot depend on values.

    Raises:
        LinAlgError: not square, or NaN or infinities in `a`.
    """
    found = quickly_if_finite(_numpy.eig, a)
    if found is not None:
        return EigResult(*[Array(_as_complex(x)) for x in found])
    return EigResult(*_checked("eig", Eig(), as_matrices("eig", a)))


def eigvals(a: Any) -> Any:
    """Eigenvalues of general matrices (…, n, n): shape (…, n), complex, in no particular order; see `eig`."""
    found = quickly_if_finite(_numpy.eigvals, a)
    if found is not None:
        return Array(_as_complex(found))
    return _checked("eigvals", Eig(False, False), as_matrices("eigvals", a))[0]


def _as_complex(x: np.ndarray) -> np.ndarray:
    return x.astype(complex_dtype(x.dtype), copy=False)


# -- singular values ---------------------------------------------------------------------------------------------------


def _by_size(w: Any, *vectors: Any) -> tuple[Any, ...]:
    """Eigenvalues of Hermitian matrices, and columns that belong to them, by falling magnitude."""
    last = w.ndim - 1
    order = rev(argsort(absolute(w), last), (last,))
    columns = [take_along_axis(v, broadcast(expand_dims(order, (last,)), v.shape), last + 1) for v in vectors]
    return take_along_axis(w, order, last), *columns


def _hermitian_svd(x: Any) -> tuple[Any, Any, Any]:
    w, v = _by_size(*_hermitian("svd", x, "L", True))
    signs = convert(as_row(sign(w), w.shape[-1]), v.dtype)
    return v, absolute(w), adjoint(mul(v, signs))


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """The singular value decomposition a = u · diag(s) · vh.

    Terms of the derivative that would divide by zero are left out: those that couple equal singular values, and those
    that belong to singular values 0. Functions that depend on neither (such as sums over the singular values, or a
    matrix of full rank made of u and vh alone) have their exact derivative.

    Args:
        a: shape (…, m, n).
        full_matrices: u of shape (…, m, m) and vh (…, n, n), or only their first k = min(m, n) columns and rows.
        compute_uv: whether to compute u and vh at all.
        hermitian: `a` is Hermitian (its lower triangle is read), which allows for a faster method.

    Returns:
        (U, S, Vh), or S alone: shape (…, k), largest first.

    Raises:
        LinAlgError: NaN or infinities in `a`; eagerly at once, compiled when a result is read.
    """
    found = quickly_if_finite(
        partial(_numpy.svd, full_matrices=full_matrices, compute_uv=compute_uv, hermitian=hermitian), a
    )
    if found is not None:
        return SVDResult(*map(Array, found)) if compute_uv else Array(found)
    x = as_matrices("svd", a, square=hermitian)
    if not hermitian:
        outs = _checked("svd", Svd(bool(full_matrices) and bool(compute_uv), bool(compute_uv)), x)
        return SVDResult(*outs) if compute_uv else outs[0]
    if compute_uv:
        return SVDResult(*_hermitian_svd(x))
    return absolute(_by_size(eigvalsh(x))[0])


def svdvals(x: Any, /) -> Any:
    """Singular values of matrices (…, m, n), largest first: shape (…, min(m, n))."""
    return svd(x, compute_uv=False)


def _bound(s: Any, tol: Any, rtol: Any, order: int) -> Any:
    """The size up to which singular values (…, k) count as zero, shape (…, 1)."""
    if tol is not None:
        return expand_dims(as_operand(tol), (as_operand(tol).ndim,))
    return max(s, -1, keepdims=True, initial=0) * expand_dims(_relative(s, rtol, order), (s.ndim - 1,))


def _relative(s: Any, rtol: Any, order: int) -> Any:
    """A relative tolerance for each matrix whose singular values are `s`; by default what rounding may do."""
    if rtol is None:
        return full(ArrayType(s.shape[:-1], s.dtype), order * float(np.finfo(s.dtype).eps))
    return broadcast(convert(to_inexact(as_operand(rtol)), s.dtype), s.shape[:-1])


def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """How many singular values are larger than a tolerance.

    Args:
        A: shape (…, m, n); of a vector the rank is whether it is not zero.
        tol: absolute tolerance, for each matrix or for all.
        hermitian: `A` is Hermitian, which allows for a faster method.
        rtol: tolerance relative to the largest singular value; by default max(m, n) · eps. Not with `tol`.

    Returns:
        Shape (…), in the default int.
    """
    if tol is not None and rtol is not None:
        raise ArgumentError("matrix_rank takes an absolute tolerance, tol, or a relative one, rtol, not both")
    found = quickly_if_finite(partial(_numpy.matrix_rank, tol=tol, hermitian=hermitian, rtol=rtol), A)
    if found is not None:
        return Array(found.astype(default_int()))
    x = as_operand(A)
    if x.ndim < 2:
        return convert(any(x != 0), default_int())
    s = svd(x, compute_uv=False, hermitian=hermitian)
    return count_nonzero(s > _bound(s, tol, rtol, np.max(x.shape[-2:])), -1)


_unset: Any = object()


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = _unset) -> Any:
    """The pseudo-inverse of Moore and Penrose: of all x that come nearest to a · x = 1 the smallest.

    Its derivative is that of Golub and Pereyra (1973), which holds where the rank does not change.

    Args:
        a: shape (…, m, n).
        rcond: singular values up to rcond · the largest one count as 0, for each matrix or for all; by default
            max(m, n) · eps. (NumPy's default, 1e-15, would be too small for float32.)
        hermitian: `a` is Hermitian, which allows for a faster method.
        rtol: another name of `rcond`.

    Returns:
        Shape (…, n, m).

    Raises:
        LinAlgError: NaN or infinities in `a`.
    """
    if rcond is not None and rtol is not _unset:
        raise ArgumentError("pinv: rcond and rtol are the same; give one of them")
    tolerance = rcond if rtol is _unset else rtol
    found = quickly_if_finite(partial(_numpy.pinv, hermitian=hermitian, rtol=tolerance), a)
    if found is not None:
        return Array(found)
    x = as_matrices("pinv", a, square=hermitian)
    u, s, vh = svd(stop_gradient(x), False, True, hermitian)
    if hermitian and type(x) is not Array:
        x = _assume_hermitian(x)
    return PseudoInverse()(x, u, s, vh, _relative(s, tolerance, np.max(x.shape[-2:])))


def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """The x for which a · x comes nearest to b; of several such x the smallest.

    The derivative is that of `pinv(a) @ b`, which holds where the rank does not change.

    Args:
        a: shape (m, n).
        b: shape (m,), or (m, k) for k problems at once.
        rcond: singular values up to rcond · the largest one count as 0; by default max(m, n) · eps, and so it is for
            negative ones.

    Returns:
        (x, residuals, rank, s): x of shape (n,) or (n, k). `residuals` are the sums of squares of b - a · x, of
        shape (1,) or (k,); of shape (0,) if m ≤ n or the rank is less than n, but a rank that is only known inside a
        compiled program cannot shape a result, so they are sums of squares there. `rank` is an integer, `s` are the
        singular values of `a`.

    Raises:
        LinAlgError: `a` is not one matrix, `b` has other dimensions or another number of rows; NaN or infinities.
    """
    if type(a) is Array and type(b) is Array and a.dtype is b.dtype:
        found = quickly_if_finite(partial(_numpy.lstsq, rcond=rcond), a, b)
        if found is not None:
            return Array(found[0]), Array(found[1]), Array(np.asarray(found[2], default_int())), Array(found[3])
    x, y = promote_dtypes(a, b)
    if x.ndim != 2 or y.ndim not in (1, 2):
        raise LinAlgError(f"lstsq takes one matrix and one or two dimensions of b; got shapes {x.shape} and {y.shape}")
    if x.shape[0] != y.shape[0]:
        raise LinAlgError(f"lstsq: a has {x.shape[0]} rows and b has {y.shape[0]}; shapes {x.shape} and {y.shape}")
    x, y = to_inexact(x), to_inexact(y)
    m, n = x.shape
    u, s, vh = svd(x, False)
    negative = isinstance(rcond, int | float) and rcond < 0
    rtol = _relative(s, None if negative else rcond, np.max([m, n]))
    fixed = [stop_gradient(part) for part in (u, s, vh)]
    inverse = PseudoInverse()(x, *fixed, rtol)
    rank = count_nonzero(stop_gradient(s) > max(fixed[1], initial=0) * rtol)
    columns = y if y.ndim == 2 else expand_dims(y, (1,))
    solution = matrix_product(inverse, columns)
    known = value_if_known(rank)
    if m <= n or (known is not None and int(known) < n):
        residuals = zeros_of(ArrayType((0,), s.dtype))
    else:
        rest = columns - matrix_product(x, solution)
        residuals = real_part(reduce_sum(mul(conjugate(rest), rest), (0,)))
    return solution if y.ndim == 2 else squeeze(solution, (1,)), residuals, rank, s
