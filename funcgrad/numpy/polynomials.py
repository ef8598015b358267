"""Polynomials by their coefficients, that of the highest power first, under NumPy's names."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from operator import index
from typing import Any

import numpy as np

from ..core.dtypes import complex_dtype, default_int, finfo, is_complex, is_inexact, promote
from ..errors import ArgumentError, ConcretizationError, DTypeError, ShapeError
from ..ops.complex_parts import real
from ..ops.elementwise import div, sub
from ..ops.slicing import concatenate, pad, slice_in_dim
from ..ops.structure import expand_dims, reshape, zeros_of
from .calculus import convolve
from .contraction import matmul, outer
from .conversion import as_operand, asarray, known
from .creation import eye, vander
from .elementwise import multiply, sqrt
from .fast import SIMPLE, quick_call
from .linalg.solving import inv
from .linalg.spectral import eigvals, lstsq
from .promotion import promote_dtypes, to_inexact
from .reductions import sum

__all__ = [
    "poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub", "polyval", "roots",
]  # fmt: skip


def _vector(name: str, p: Any) -> Any:
    x = as_operand(p)
    x = x if x.ndim else reshape(x, (1,))
    if x.ndim != 1:
        raise ShapeError(f"{name} takes the coefficients of a polynomial as a vector, got shape {x.shape}")
    return x


def _widened(x: Any, front: int, back: int = 0) -> Any:
    """A vector with zeros in front and behind."""
    return pad(x, zeros_of(x.type.update(shape=())), [(front, back, 0)]) if front or back else x


def _part(x: Any, start: int | None, stop: int | None) -> Any:
    return slice_in_dim(x, start, stop)


def _of_vectors(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """NumPy's function, which refuses other polynomials than vectors as its first `count` arguments."""

    def apply(*args: Any, **options: Any) -> Any:
        for p in args[:count]:
            if np.ndim(p) != 1:
                raise ValueError("not a vector")
        return function(*args, **options)

    return apply


# -- arithmetic --------------------------------------------------------------------------------------------------------


@quick_call(_of_vectors(np.polyadd, 2), SIMPLE)
def polyadd(a1: Any, a2: Any) -> Any:
    """The sum of two polynomials."""
    return _aligned("polyadd", a1, a2, 1)


@quick_call(_of_vectors(np.polysub, 2), SIMPLE)
def polysub(a1: Any, a2: Any) -> Any:
    """The difference of two polynomials."""
    return _aligned("polysub", a1, a2, -1)


def _aligned(name: str, a1: Any, a2: Any, sign: int) -> Any:
    x, y = promote_dtypes(_vector(name, a1), _vector(name, a2))
    count = max(x.size, y.size)
    x, y = _widened(x, count - x.size), _widened(y, count - y.size)
    return x + y if sign > 0 else x - y


def polymul(a1: Any, a2: Any, *, trim_leading_zeros: bool = False) -> Any:
    """The product of two polynomials.

    Args:
        a1: first polynomial.
        a2: second polynomial.
        trim_leading_zeros: leave out leading coefficients of the factors that are 0, as NumPy does. The shape of the
            result then depends on values, so they have to be known.
    """
    factors = [_vector("polymul", a) for a in (a1, a2)]
    if trim_leading_zeros:
        factors = [_trimmed("polymul", x) for x in factors]
    return convolve(*factors)


def _trimmed(name: str, x: Any) -> Any:
    """A known polynomial without leading zeros, of at least one coefficient."""
    places = np.flatnonzero(_known(x, name, "trim_leading_zeros"))
    return _part(x, int(places[0]) if places.size else max(x.size - 1, 0), None)


def _known(x: Any, name: str, option: str) -> np.ndarray:
    try:
        return known(x, name)
    except ConcretizationError:
        raise ConcretizationError(
            f"{name}: how many coefficients are 0 decides about the shape of the result, and is not known while "
            f"tracing; say {option}=False, or call {name} outside the transformation"
        ) from None


def polydiv(u: Any, v: Any, *, trim_leading_zeros: bool = False) -> tuple[Any, Any]:
    """Quotient and remainder of two polynomials.

    Args:
        u: dividend.
        v: divisor, whose first coefficient is not 0.
        trim_leading_zeros: leave out leading coefficients of the remainder that are 0, but for rounding, as NumPy does.
            The shape of the result then depends on values, so they have to be known.

    Returns:
        The quotient of `len(u) - len(v) + 1` coefficients, or a zero, and the remainder of as many as its degree, which
        is less than that of `v`, lets it have.
    """
    u, v = promote_dtypes(_vector("polydiv", u), _vector("polydiv", v))
    rest, divisor = to_inexact(u), to_inexact(v)
    steps, last = rest.size - divisor.size + 1, divisor.size - 1
    if steps <= 0:
        return zeros_of(rest.type.update(shape=(1,))), _without_rounding(rest) if trim_leading_zeros else rest
    quotient = []
    for step in range(steps):
        factor = div(_part(rest, 0, 1), _part(divisor, 0, 1))
        quotient.append(factor)
        scaled = _widened(multiply(factor, _part(divisor, 1, None)), 0, steps - step - 1)
        rest = sub(_part(rest, 1, None), scaled)
    rest = rest if last else zeros_of(rest.type.update(shape=(1,)))
    return concatenate(quotient, 0), _without_rounding(rest) if trim_leading_zeros else rest


def _without_rounding(x: Any) -> Any:
    values = _known(x, "polydiv", "trim_leading_zeros")
    small = np.isclose(values, 0, rtol=1e-14)
    start = int(np.argmin(small)) if not small.all() else x.size - 1
    return _part(x, start, None)


@quick_call(_of_vectors(np.polyder, 1), SIMPLE)
def polyder(p: Any, m: int = 1) -> Any:
    """The m-th derivative of a polynomial, of at least the default int.

    Raises:
        ArgumentError: a negative `m`.
    """
    x, m = _vector("polyder", p), _order("polyder", m)
    kept = max(x.size - m, 0)
    if m == 0:
        return x
    powers = range(x.size - 1, m - 1, -1)
    factors = [prod(range(power - m + 1, power + 1)) for power in powers]
    dtype: Any = x.dtype if is_inexact(x.dtype) else promote(x.dtype, default_int())
    return multiply(_part(x, 0, kept), asarray(np.array(factors, float if is_inexact(dtype) else int), dtype))


def _order(name: str, m: Any) -> int:
    if index(m) < 0:
        raise ArgumentError(f"{name}: m={m}; expected how often, 0 or more")
    return index(m)


@quick_call(_of_vectors(np.polyint, 1), "fdFD")
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The m-th antiderivative of a polynomial.

    Args:
        p: the polynomial; integers become the default float.
        m: how often to integrate.
        k: constants of integration, that of the first integral first; one number for all, by default 0.

    Raises:
        ArgumentError: a negative `m`, or fewer constants than integrals.
    """
    x, m = _vector("polyint", p), _order("polyint", m)
    if m == 0:
        return x
    x = to_inexact(x)
    constants = _vector("polyint", 0 if k is None else k)
    if constants.size not in (1, m) and constants.size < m:
        raise ArgumentError(
            f"polyint: {constants.size} constants k for m={m} integrals; give one number, or one for each"
        )
    x, constants = promote_dtypes(x, constants)
    for i in range(m):
        factors = asarray(1.0 / np.arange(x.size, 0, -1), x.dtype)
        constant = 0 if constants.size == 1 else i
        x = concatenate([multiply(x, factors), _part(constants, constant, constant + 1)], 0)
    return x


@quick_call(_of_vectors(np.polyval, 1), SIMPLE)
def polyval(p: Any, x: Any, *, unroll: int = 16) -> Any:
    """A polynomial at `x`, by Horner's rule.

    Args:
        p: coefficients.
        x: places, of any shape.
        unroll: accepted for JAX's sake; every step is written out.
    """
    coefficients, place = promote_dtypes(_vector("polyval", p), x)
    if not coefficients.size:
        return zeros_of(place.type)
    value = zeros_of(place.type) + coefficients[0]
    for i in range(1, coefficients.size):
        value = value * place + coefficients[i]
    return value


# -- zeros -------------------------------------------------------------------------------------------------------------


def _numpy_poly(zeros: np.ndarray) -> np.ndarray:
    return np.atleast_1d(np.poly(zeros))


@quick_call(_of_vectors(_numpy_poly, 1))
def poly(seq_of_zeros: Any) -> Any:
    """The polynomial with given zeros and first coefficient 1, or the characteristic polynomial of a square matrix.

    Args:
        seq_of_zeros: a vector, or a square matrix.

    Returns:
        One coefficient more than there are zeros, of none 1; complex for complex zeros, even if these come in conjugate
        pairs.

    Raises:
        ShapeError: neither a vector nor a square matrix.
    """
    x = as_operand(seq_of_zeros)
    x = x if x.ndim else reshape(x, (1,))
    of_real_matrix = x.ndim == 2 and not is_complex(x.dtype)
    if x.ndim == 2 and x.shape[0] == x.shape[1] > 0:
        x = eigvals(x)
    if x.ndim != 1:
        raise ShapeError(f"poly takes a vector of zeros or a square matrix that is not empty, got shape {x.shape}")
    x = to_inexact(x)
    result = asarray([1], x.dtype)
    for i in range(x.size):
        result = _widened(result, 0, 1) - _widened(result, 1) * x[i]
    return real(result) if of_real_matrix else result


def _roots_by_numpy(p: np.ndarray) -> np.ndarray:
    return np.roots(p).astype(complex_dtype(p.dtype))


@quick_call(_of_vectors(_roots_by_numpy, 1), "fdFD")
def roots(p: Any, *, strip_zeros: bool = True) -> Any:
    """The zeros of a polynomial: eigenvalues of its companion matrix.

    Args:
        p: coefficients.
        strip_zeros: leave out leading coefficients that are 0, and for each last one that is 0 count a zero at 0. The
            shape of the result then depends on values, so they have to be known. Without, the first coefficient
            must not be 0.

    Returns:
        The zeros, complex, in no particular order.

    Raises:
        ShapeError: not a vector.
        ConcretizationError: the values are not known, under a transformation such as `jit`; say `strip_zeros=False`.
    """
    x = to_inexact(as_operand(p))
    x = x if x.ndim else reshape(x, (1,))
    if x.ndim != 1:
        raise ShapeError(f"roots takes the coefficients of a polynomial as a vector, got shape {x.shape}")
    at_zero = 0
    if strip_zeros:
        places = np.flatnonzero(_known(x, "roots", "strip_zeros"))
        if not places.size:
            return asarray(np.zeros(0), complex_dtype(x.dtype))
        at_zero = x.size - 1 - int(places[-1])
        x = _part(x, int(places[0]), int(places[-1]) + 1)
    dtype, degree = complex_dtype(x.dtype), max(x.size - 1, 0)
    if not degree:
        return asarray(np.zeros(at_zero), dtype)
    row = expand_dims(div(-_part(x, 1, None), _broadcast_first(x, degree)), (0,))
    found = eigvals(concatenate([row, eye(degree - 1, degree, dtype=x.dtype)], 0))
    return concatenate([found, asarray(np.zeros(at_zero), dtype)], 0) if at_zero else found


def _broadcast_first(x: Any, count: int) -> Any:
    return multiply(_part(x, 0, 1), asarray(np.ones(count), x.dtype))


# -- fitting -----------------------------------------------------------------------------------------------------------


def _fitted_by_numpy(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None) -> Any:
    if full:
        raise TypeError("several results of different kinds")
    return np.polyfit(x, y, deg, rcond, True, w)[0]  # which does not warn


@quick_call(_fitted_by_numpy)
def polyfit(
    x: Any, y: Any, deg: int, rcond: float | None = None, full: bool = False, w: Any = None, cov: bool | str = False
) -> Any:
    """The polynomial of a degree that comes nearest to points, in the sum of squares.

    Args:
        x: places, shape (m,).
        y: values, shape (m,) or, for k sets of values at the same places, (m, k).
        deg: the degree.
        rcond: singular values up to this times the largest count as 0; by default m · eps.
        full: also return residuals, rank, singular values and `rcond`.
        w: weights of the distances y - p(x), shape (m,).
        cov: also return the covariance of the coefficients, scaled by the residuals per degree of freedom; or not
            scaled, if "unscaled", for weights that are 1 / standard deviation.

    Returns:
        Coefficients, shape (deg + 1,) or (deg + 1, k); with `full` (coefficients, residuals, rank, singular values,
        rcond); with `cov` (coefficients, covariance of shape (deg + 1, deg + 1) or (deg + 1, deg + 1, k)).

    Raises:
        ArgumentError: a negative degree, or too few points for the covariance.
        DTypeError: arrays of other dimensions or lengths.

    >>> fnp.polyfit(fnp.array([0.0, 1.0, 2.0]), fnp.array([1.0, 3.0, 5.0]), 1).round(4)
    Array([2., 1.], dtype=float32)
    """
    count = index(deg) + 1
    if count < 1:
        raise ArgumentError(f"polyfit: deg={deg}; expected 0 or more")
    x, y = (to_inexact(z) for z in promote_dtypes(x, y))
    if x.ndim != 1 or not x.size or y.ndim not in (1, 2) or x.shape[0] != y.shape[0]:
        raise DTypeError(
            f"polyfit takes places of shape (m,), m > 0, and values of shape (m,) or (m, k); got {x.shape}, {y.shape}"
        )
    powers = vander(x, count)
    if w is not None:
        powers, y = _weighted(powers, y, as_operand(w))
    rcond = x.size * float(finfo(x.dtype).eps) if rcond is None else rcond
    lengths = sqrt(sum(multiply(powers, powers), 0))
    found, residuals, rank, singular = lstsq(powers / lengths, y, rcond)
    found = found / (lengths if found.ndim == 1 else expand_dims(lengths, (1,)))
    if full:
        return found, residuals, rank, singular, rcond
    if not cov:
        return found
    base = _inverse_square(powers / lengths) / outer(lengths, lengths)
    if cov == "unscaled":
        return found, base if y.ndim == 1 else expand_dims(base, (2,))
    if x.size <= count:
        raise ArgumentError(
            f"polyfit: the covariance of {count} coefficients needs more than {count} points, not {x.size}; "
            f'cov="unscaled" does without'
        )
    missed = y - matmul(powers, found)
    factor = sum(multiply(missed, missed), 0) / (x.size - count)
    return found, base * factor if y.ndim == 1 else expand_dims(base, (2,)) * factor


def _weighted(powers: Any, y: Any, weights: Any) -> tuple[Any, Any]:
    if weights.ndim != 1 or weights.shape[0] != y.shape[0]:
        raise DTypeError(f"polyfit: weights w of shape {weights.shape}; expected ({y.shape[0]},), one for each point")
    column = expand_dims(weights, (1,))
    return multiply(powers, column), multiply(y, column if y.ndim == 2 else weights)


def _inverse_square(x: Any) -> Any:
    return inv(matmul(x.T, x))
