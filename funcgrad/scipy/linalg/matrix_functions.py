"""Functions of square matrices, and the equations of Sylvester and Lyapunov."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, factorial, isfinite, log2
from typing import Any

import numpy as np

from ...config import config
from ...core.dtypes import FLOAT32, INT32, complex_dtype, is_complex, real_dtype
from ...core.trace import Tracer
from ...errors import ArgumentError, ShapeError
from ...higher_order.custom import custom_jvp
from ...higher_order.implicit import custom_linear_solve
from ...higher_order.repetition import fori_loop
from ...numpy.conversion import as_operand
from ...numpy.elementwise import ceil as round_up
from ...numpy.elementwise import maximum, where
from ...numpy.linalg.matrices import as_matrices, require, value_if_known
from ...numpy.linalg.solving import inv, solve
from ...numpy.logic import isfinite as is_finite
from ...numpy.promotion import promote_dtypes
from ...numpy.reductions import max, sum
from ...numpy.transcendental import log2 as logarithm
from ...ops.complex_parts import real
from ...ops.condensed import Schur
from ...ops.elementwise import absolute, add, mul, stop_gradient, sub
from ...ops.exponential import sqrt
from ...ops.structure import convert, expand_dims, full, iota
from ...ops.triangular import adjoint, identity_like, matrix_product, solve_triangular, swap_last
from ...transforms.jvp import jvp

__all__ = [
    "expm",
    "expm_frechet",
    "funm",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "sqrtm",
]


# -- the exponential ---------------------------------------------------------------------------------------------------

# Up to these 1-norms the Padé approximant of a degree is exact to rounding: N. J. Higham, The scaling and squaring
# method for the matrix exponential revisited (2005), tables 2.3 and 2.2.
_DOUBLE = {
    3: 1.495585217958292e-2,
    5: 2.539398330063230e-1,
    7: 9.504178996162932e-1,
    9: 2.097847961257068,
    13: 5.371920351148152,
}
_SINGLE = {3: 4.258730016922831e-1, 5: 1.880152677804762, 7: 3.925724783138660}


def _scaling(norms: Any, limits: dict[int, float]) -> tuple[int, Any]:
    """The degree of the approximant, and how often each matrix is halved before it."""
    known = value_if_known(norms)
    top = np.max([*limits]).item()
    if known is None:
        halvings = round_up(logarithm(norms / limits[top]))
        return top, convert(maximum(where(is_finite(halvings), halvings, 0), 0), INT32)
    largest = float(known.max(initial=0))
    if not isfinite(largest):
        return top, 0
    for degree, limit in limits.items():
        if largest <= limit:
            return degree, 0
    if known.ndim == 0:
        return top, ceil(log2(largest / limits[top]))
    with np.errstate(divide="ignore"):
        return top, np.maximum(np.ceil(np.log2(known / limits[top])), 0).astype(np.int32)


def _pade(a: Any, degree: int) -> tuple[Any, Any]:
    """Numerator and denominator of the diagonal Padé approximant of the exponential."""
    m = degree
    weights = [factorial(2 * m - j) * factorial(m) // (factorial(m - j) * factorial(j)) for j in range(m + 1)]
    scale = weights[m]
    b = [weight / scale for weight in weights]
    one, square = identity_like(a), matrix_product(a, a)
    powers = [one, square]
    while len(powers) <= (3 if m == 13 else m // 2):
        powers.append(matrix_product(powers[-1], square))

    def polynomial(coefficients: list[float]) -> Any:
        terms = [mul(p, full(p.type, c)) for p, c in zip(powers, coefficients, strict=False)]
        total = terms[0]
        for term in terms[1:]:
            total = add(total, term)
        if len(coefficients) > len(powers):  # the powers beyond the sixth, by one more product
            total = add(total, matrix_product(powers[3], polynomial([0.0, *coefficients[4:]])))
        return total

    odd, even = matrix_product(a, polynomial(b[1::2])), polynomial(b[0::2])
    return add(even, odd), sub(even, odd)


def _squared(x: Any, times: Any) -> Any:
    """`x` squared again and again, `times` for each matrix: an int, or an array over the batch."""
    known = times if isinstance(times, int | np.ndarray) else value_if_known(times)
    if isinstance(known, int) or (known is not None and known.ndim == 0):
        for _ in range(int(known)):
            x = matrix_product(x, x)
        return x
    times = as_operand(times)
    each = expand_dims(times, (times.ndim, times.ndim + 1))
    return fori_loop(0, max(times), lambda i, y: where(i < each, matrix_product(y, y), y), x)


def expm(A: Any, *, upper_triangular: bool = False, max_squarings: int | None = None) -> Any:
    """The matrix exponential, by scaling, a Padé approximant, and squaring (Higham 2005).

    Args:
        A: shape (…, n, n). The norm of eager matrices decides on the degree; compiled code uses the highest one, 13, or
            7 for float32.
        upper_triangular: promise that `A` is upper triangular, which makes it faster.
        max_squarings: the result is NaN for matrices that take more squarings; by default any number is done.

    Returns:
        Shape (…, n, n).

    Raises:
        LinAlgError: not square.

    >>> expm(fnp.array([[0.0, 1.0], [0.0, 0.0]]))
    Array([[1., 1.],
           [0., 1.]], dtype=float32)
    """
    a = as_matrices("expm", A)
    if not a.size:
        return a
    norms = max(sum(absolute(stop_gradient(a)), -2), -1)
    degree, times = _scaling(norms, _SINGLE if real_dtype(a.dtype) is FLOAT32 else _DOUBLE)
    halvings = convert(as_operand(times), real_dtype(a.dtype))
    scale = convert(2.0**-halvings, a.dtype)
    numerator, denominator = _pade(a * expand_dims(scale, (scale.ndim, scale.ndim + 1)), degree)
    if upper_triangular:
        quotient = solve_triangular(denominator, numerator, False)
    else:
        with config(check_linalg=False):  # it is only singular where a matrix is not finite
            quotient = solve(denominator, numerator)
    result = _squared(quotient, times)
    if max_squarings is None:
        return result
    refused = halvings > max_squarings
    return where(expand_dims(refused, (refused.ndim, refused.ndim + 1)), np.nan, result)


def expm_frechet(
    A: Any, E: Any, method: str | None = None, compute_expm: bool = True, check_finite: bool = True
) -> Any:
    """The derivative of the matrix exponential at `A` in the direction `E`.

    It is forward mode through `expm`, which is the method of A. H. Al-Mohy and N. J. Higham, Computing the Fréchet
    derivative of the matrix exponential (2009).

    Args:
        A, E: shape (…, n, n).
        method: accepted for SciPy's sake: None, "SPS" or "blockEnlarge".
        compute_expm: whether to return expm(A) too.
        check_finite: accepted for SciPy's sake.

    Returns:
        (expm(A), derivative), or the derivative alone.
    """
    if method not in (None, "SPS", "blockEnlarge"):
        raise ArgumentError(f'expm_frechet: method={method!r}; expected None, "SPS" or "blockEnlarge"')
    a, direction = promote_dtypes(as_matrices("expm_frechet", A), as_matrices("expm_frechet", E))
    if a.shape != direction.shape:
        raise ShapeError(f"expm_frechet: A and E must have one shape, got {a.shape} and {direction.shape}")
    result, derivative = jvp(expm, (a,), (direction,))
    return (result, derivative) if compute_expm else derivative


# -- by columns of a triangular matrix ---------------------------------------------------------------------------------


def _schur(a: Any) -> tuple[Any, Any]:
    """The complex Schur form of matrices, and the unitary matrices that lead to it; no derivative."""
    return Schur()(stop_gradient(convert(a, complex_dtype(a.dtype))))


def _diagonal(t: Any) -> Any:
    return sum(mul(t, identity_like(t)), -1)


def _by_columns(initial: Any, column: Callable[[Any, Any], Any]) -> Any:
    """A matrix made column by column, from the left.

    Args:
        initial: the matrix before.
        column: gets the matrix so far and the number of the column as a mask of shape (n,); returns the column.
    """
    n = initial.shape[-1]
    numbers = iota(INT32, (n,))

    def step(j: Any, x: Any) -> Any:
        chosen = numbers == j
        return where(chosen, expand_dims(column(x, chosen), (x.ndim - 1,)), x)

    return fori_loop(0, n, step, initial)


def _chosen_column(x: Any, chosen: Any) -> Any:
    return sum(where(chosen, x, 0), -1)


def _solve_above(t: Any, shift: Any, right: Any, chosen: Any) -> Any:
    """x with (t + shift · 1) x = right in the rows above the chosen one, and 0 in the others.

    `t` is upper triangular, `shift` a number for each matrix.
    """
    n = t.shape[-1]
    below = convert(iota(INT32, (n,)) >= sum(where(chosen, iota(INT32, (n,)), 0)), t.dtype)
    one = identity_like(t)
    shifted = t + one * expand_dims(shift, (shift.ndim, shift.ndim + 1))
    inside = shifted * (1 - expand_dims(below, (1,))) + one * below
    return solve_triangular(inside, expand_dims(right * (1 - below), (right.ndim,)), False)[..., 0]


def _square_root(a: Any) -> Any:
    """Å. Björck and S. Hammarling, A Schur method for the square root of a matrix (1983)."""
    t, z = _schur(a)
    roots = sqrt(_diagonal(t))

    def column(r: Any, chosen: Any) -> Any:
        own = sum(where(chosen, roots, 0), -1)
        solved = _solve_above(r, own, _chosen_column(t, chosen), chosen)
        return where(chosen, expand_dims(own, (own.ndim,)), solved)

    start = identity_like(t) * expand_dims(roots, (roots.ndim,))
    return matrix_product(matrix_product(z, _by_columns(start, column)), adjoint(z))


@custom_jvp
def _differentiable_square_root(a: Any) -> Any:
    return _square_root(a)


@_differentiable_square_root.defjvp
def _square_root_moved(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Any, Any]:
    x = _differentiable_square_root(primals[0])
    return x, _solution(x, x, tangents[0])


def sqrtm(A: Any, blocksize: int = 1) -> Any:
    """The principal square root of matrices: x · x = A, no eigenvalue of x with a negative real part.

    The derivative solves x · dx + dx · x = dA. Compiled on the CPU only.

    Args:
        A: shape (…, n, n); without an eigenvalue 0, but for a simple one.
        blocksize: accepted for SciPy's sake.

    Returns:
        Shape (…, n, n), complex: whether the root is real depends on values, which a dtype cannot.

    Raises:
        LinAlgError: not square.
    """
    a = as_matrices("sqrtm", A)
    a = convert(a, complex_dtype(a.dtype))
    return _differentiable_square_root(a) if a.size else a


def funm(A: Any, func: Callable[[Any], Any], disp: bool = True) -> Any:
    """A function of matrices, from its values at the eigenvalues: B. N. Parlett, A recurrence among the elements of
    functions of triangular matrices (1976).

    It is exact only where the eigenvalues are well apart, and has no derivative here. Compiled on the CPU only.

    Args:
        A: shape (…, n, n).
        func: a function of complex arrays, elementwise.
        disp: False returns an estimate of the relative error of the result as well.

    Returns:
        Shape (…, n, n), complex; or a pair.
    """
    a = as_matrices("funm", A)
    t, z = _schur(a)
    values, diagonal = func(_diagonal(t)), _diagonal(t)
    apart = float(np.finfo(t.dtype).eps) * max(absolute(t))

    def column(f: Any, chosen: Any) -> Any:
        eigenvalue, value = (sum(where(chosen, x, 0), -1) for x in (diagonal, values))
        beside = _chosen_column(t, chosen)
        right = matrix_product(f, expand_dims(beside, (beside.ndim,)))[..., 0]
        right = right - beside * expand_dims(value, (value.ndim,))
        equal = absolute(diagonal - expand_dims(eigenvalue, (eigenvalue.ndim,))) <= apart
        nudged = t + identity_like(t) * expand_dims(where(equal, apart, 0), (diagonal.ndim,))
        solved = _solve_above(nudged, -eigenvalue, right, chosen)
        return where(chosen, expand_dims(value, (value.ndim,)), solved)

    start = identity_like(t) * expand_dims(values, (values.ndim,))
    result = matrix_product(matrix_product(z, _by_columns(start, column)), adjoint(z))
    if disp:
        return result
    gaps = absolute(expand_dims(diagonal, (diagonal.ndim,)) - expand_dims(diagonal, (diagonal.ndim - 1,)))
    smallest = 1 / max(1 / where(gaps == 0, np.inf, gaps))
    return result, float(np.finfo(t.dtype).eps) * max(absolute(t)) / smallest


# -- equations in matrices ---------------------------------------------------------------------------------------------


def _sylvester(a: Any, b: Any, q: Any) -> Any:
    """R. H. Bartels and G. W. Stewart, Solution of the matrix equation AX + XB = C (1972), in complex Schur forms."""
    r, u = _schur(a)
    s, v = _schur(b)
    right = matrix_product(matrix_product(adjoint(u), convert(q, u.dtype)), v)
    diagonal = _diagonal(s)

    def column(y: Any, chosen: Any) -> Any:
        own = _chosen_column(s, chosen)
        rest = _chosen_column(right, chosen) - matrix_product(y, expand_dims(own, (own.ndim,)))[..., 0]
        shift = sum(where(chosen, diagonal, 0), -1)
        shifted = r + identity_like(r) * expand_dims(shift, (shift.ndim, shift.ndim + 1))
        return solve_triangular(shifted, expand_dims(rest, (rest.ndim,)), False)[..., 0]

    y = _by_columns(right * 0, column)
    x = matrix_product(matrix_product(u, y), adjoint(v))
    return x if is_complex(q.dtype) else real(x)


def _solution(a: Any, b: Any, q: Any) -> Any:
    """The x with a x + x b = q, with its derivative."""
    if not any(isinstance(x, Tracer) for x in (a, b, q)):
        return _sylvester(a, b, q)
    return custom_linear_solve(
        lambda x: matrix_product(a, x) + matrix_product(x, b),
        q,
        lambda _, right: _sylvester(a, b, right),
        lambda _, right: _sylvester(swap_last(a), swap_last(b), right),
    )


def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """The x with a · x + x · b = q. Compiled on the CPU only.

    Args:
        a: shape (…, m, m).
        b: shape (…, n, n).
        q: shape (…, m, n).

    Returns:
        Shape (…, m, n).

    Raises:
        LinAlgError: not square; or NaN: an eigenvalue of `a` is one of -b, so that there is no solution or many.
        ShapeError: shapes that do not fit.
    """
    a, b, q = promote_dtypes(
        as_matrices("solve_sylvester", a), as_matrices("solve_sylvester", b), as_matrices("solve_sylvester", q, False)
    )
    if q.shape != (*a.shape[:-2], a.shape[-1], b.shape[-1]) or a.shape[:-2] != b.shape[:-2]:
        raise ShapeError(
            f"solve_sylvester: shapes (…, m, m), (…, n, n) and (…, m, n) are needed, got {a.shape}, {b.shape} and "
            f"{q.shape}"
        )
    if not q.size:
        return q
    x = _solution(a, b, q)
    require(
        is_finite(x),
        "solve_sylvester: an eigenvalue of a is one of -b, so that no solution or many exist.\n"
        "Accept what is not finite as the result with fg.config(check_linalg=False).",
    )
    return x


def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """The x with a · x + x · aᴴ = q; shapes (…, n, n). See `solve_sylvester`."""
    a = as_matrices("solve_continuous_lyapunov", a)
    return solve_sylvester(a, adjoint(a), q)


def solve_discrete_lyapunov(a: Any, q: Any, method: str | None = None) -> Any:
    """The x with a · x · aᴴ - x + q = 0; shapes (…, n, n).

    Args:
        method: accepted for SciPy's sake; a bilinear transformation always leads to `solve_continuous_lyapunov`.
    """
    a, q = promote_dtypes(as_matrices("solve_discrete_lyapunov", a), as_matrices("solve_discrete_lyapunov", q))
    one = identity_like(a)
    inverse = inv(adjoint(a) + one)
    b = matrix_product(adjoint(a) - one, inverse)
    c = 2 * matrix_product(matrix_product(inv(a + one), q), inverse)
    return solve_continuous_lyapunov(adjoint(b), -c)
