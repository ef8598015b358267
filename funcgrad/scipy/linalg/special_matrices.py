"""Matrices with a structure under SciPy's names: some made of given elements, some of numbers alone.

Those of given elements read them by index, so that they are differentiable. Those of numbers alone are computed by
NumPy and rounded once to the default float or int.
"""

from __future__ import annotations

from math import comb, pi
from typing import Any

import numpy as np

from ...core.dtypes import DTypeLike, canonical, default_complex, default_float, default_int
from ...errors import ArgumentError, ShapeError
from ...numpy.conversion import as_operand, asarray
from ...numpy.creation import zeros
from ...numpy.elementwise import absolute
from ...numpy.promotion import broadcast_shapes, promote_dtypes, to_inexact
from ...ops.elementwise import div, neg
from ...ops.slicing import concatenate, pad, rev, slice_in_dim
from ...ops.structure import broadcast, expand_dims, full, reshape

__all__ = [
    "block_diag",
    "circulant",
    "companion",
    "convolution_matrix",
    "dft",
    "fiedler",
    "fiedler_companion",
    "hadamard",
    "hankel",
    "helmert",
    "hilbert",
    "invhilbert",
    "invpascal",
    "leslie",
    "pascal",
    "toeplitz",
]


def _vector(name: str, x: Any, least: int = 0) -> Any:
    """An argument as vectors along its last axis, of at least so many elements."""
    x = as_operand(x)
    if not x.ndim or x.shape[-1] < least:
        raise ShapeError(f"{name} takes a vector of at least {least} elements, or a batch of them, got shape {x.shape}")
    return x


def _flat(x: Any) -> Any:
    """Numbers as vectors of one element."""
    x = as_operand(x)
    return reshape(x, (1,)) if not x.ndim else x


def _count(name: str, n: Any, least: int = 0) -> int:
    if not isinstance(n, int | np.integer) or n < least:
        raise ArgumentError(f"{name}: n={n!r}; expected an int of at least {least}")
    return int(n)


# -- made of given elements --------------------------------------------------------------------------------------------


def toeplitz(c: Any, r: Any = None) -> Any:
    """Matrices that are constant along each diagonal.

    Args:
        c: the first column, shape (…, m).
        r: the first row, shape (…, n), of which element 0 does not matter; by default `c` conjugated.

    Returns:
        Shape (…, m, n); element i, j is c[i - j], or r[j - i] above the diagonal.
    """
    column = _flat(c)
    column, row = promote_dtypes(column, column.conj() if r is None else _flat(r))
    m, n = column.shape[-1], row.shape[-1]
    around = concatenate([rev(slice_in_dim(row, min(1, n), n, 1, row.ndim - 1), (row.ndim - 1,)), column], row.ndim - 1)
    return around[..., np.arange(m)[:, None] - np.arange(n) + max(n - 1, 0)]


def hankel(c: Any, r: Any = None) -> Any:
    """Matrices that are constant along each diagonal from right to left.

    Args:
        c: the first column, shape (m,).
        r: the last row, shape (n,), of which element 0 does not matter; by default zeros, as many as `c` has elements.

    Returns:
        Shape (m, n).
    """
    column = reshape(_flat(c), (-1,)) if as_operand(c).ndim > 1 else _flat(c)
    column, row = promote_dtypes(column, full(column.type, 0) if r is None else _flat(r))
    m, n = column.shape[-1], row.shape[-1]
    around = concatenate([column, slice_in_dim(row, min(1, n), n, 1, row.ndim - 1)], column.ndim - 1)
    return around[..., np.arange(m)[:, None] + np.arange(n)]


def circulant(c: Any) -> Any:
    """Matrices whose columns are `c`, each moved down by one more place, cyclically: shape (…, n, n)."""
    column = _flat(c)
    places = np.arange(column.shape[-1])
    return column[..., (places[:, None] - places) % max(len(places), 1)]


def companion(a: Any) -> Any:
    """The matrix whose characteristic polynomial has the coefficients `a`, highest power first.

    Args:
        a: shape (…, n + 1) with n ≥ 1; the first coefficient must not be zero.

    Returns:
        Shape (…, n, n): -a[1:] / a[0] in the first row, ones below the diagonal.
    """
    x = to_inexact(_vector("companion", a, 2))
    n, last = x.shape[-1] - 1, x.ndim - 1
    lead = slice_in_dim(x, 0, 1, 1, last)
    row = neg(div(slice_in_dim(x, 1, n + 1, 1, last), lead + zeros((n,), x.dtype)))
    below = zeros((*x.shape[:-1], n - 1, n), x.dtype) + np.eye(n - 1, n)
    return concatenate([expand_dims(row, (last,)), below.astype(x.dtype)], last)


def convolution_matrix(a: Any, n: int, mode: str = "full") -> Any:
    """The matrix A with A @ v = convolve(a, v, mode) for vectors v of n elements.

    Args:
        a: shape (…, m), m ≥ 1.
        n: how many columns, at least 1.
        mode: "full", "same" or "valid".
    """
    if mode not in ("full", "same", "valid"):
        raise ArgumentError(f"convolution_matrix: mode={mode!r}; expected 'full', 'same' or 'valid'")
    x, n = _vector("convolution_matrix", a, 1), _count("convolution_matrix", n, 1)
    m = x.shape[-1]
    start, stop = {
        "full": (0, n + m - 1),
        "same": ((min(n, m) - 1) // 2, (min(n, m) - 1) // 2 + max(n, m)),
        "valid": (min(n, m) - 1, max(n, m)),
    }[mode]
    nothing = zeros((*x.shape[:-1], n - 1), x.dtype)
    around = concatenate([nothing, x, nothing], x.ndim - 1)
    return around[..., np.arange(start, stop)[:, None] - np.arange(n) + n - 1]


def fiedler(a: Any) -> Any:
    """The matrices of distances |a[i] - a[j]|: shape (…, n, n)."""
    x = _flat(a)
    return absolute(x[..., :, None] - x[..., None, :])


def fiedler_companion(a: Any) -> Any:
    """A band matrix whose characteristic polynomial has the coefficients `a`, highest power first.

    Args:
        a: shape (…, n + 1); the first coefficient must not be zero.

    Returns:
        Shape (…, n, n), with two diagonals on either side of the main one.
    """
    x = to_inexact(_vector("fiedler_companion", a))
    n, last = x.shape[-1] - 1, x.ndim - 1
    if n <= 0:
        return zeros((*x.shape[:-1], 0, 0), x.dtype)
    monic = neg(div(x, slice_in_dim(x, 0, 1, 1, last) + zeros((n + 1,), x.dtype)))
    if n == 1:
        return expand_dims(slice_in_dim(monic, 1, 2, 1, last), (last,))
    # Element number 0 is a zero, 1 to n are the coefficients, n + 1 is a one.
    zero = zeros((*x.shape[:-1], 1), x.dtype)
    elements = concatenate([zero, slice_in_dim(monic, 1, n + 1, 1, last), zero + 1], last)
    return elements[..., _fiedler_places(n)]


def _fiedler_places(n: int) -> np.ndarray:
    """Which element stands where in a Fiedler companion matrix: 0 for a zero, n + 1 for a one."""
    places, one = np.zeros((n, n + 2), int), n + 1
    places[0, :3] = 1, 2, one
    for i in range(2, n, 2):
        places[i, [i - 1, i + 1, i + 2]] = i + 1, i + 2, one
    for i in range(1, n, 2):
        places[i, max(i - 2, 0)] = one
    return places[:, :n]


def leslie(f: Any, s: Any) -> Any:
    """The matrix of a population's growth: births in the first row, survivors below the diagonal.

    Args:
        f: births of each age, shape (…, n), n ≥ 2.
        s: the part of each age but the last that survives, shape (…, n - 1).
    """
    births, survivors = promote_dtypes(_vector("leslie", f, 2), _vector("leslie", s, 1))
    n = births.shape[-1]
    if survivors.shape[-1] != n - 1:
        raise ShapeError(f"leslie: {n} births need {n - 1} survivors, got shapes {births.shape} and {survivors.shape}")
    spread = survivors[..., :, None] * np.eye(n - 1, n, dtype=bool)
    return concatenate([births[..., None, :], spread], births.ndim - 1)


def block_diag(*arrs: Any) -> Any:
    """Matrices put together along the diagonal of one, with zeros elsewhere.

    Args:
        *arrs: matrices (…, m, n), whose batches broadcast; vectors are rows, numbers are matrices of one element.
    """
    blocks = list(promote_dtypes(*arrs)) if arrs else [zeros((1, 0))]
    blocks = [reshape(x, (1,) * (2 - x.ndim) + x.shape) if x.ndim < 2 else x for x in blocks]
    batch = broadcast_shapes(*[x.shape[:-2] for x in blocks])
    width, done, rows = sum(x.shape[-1] for x in blocks), 0, []
    for x in blocks:
        spread = broadcast(x, (*batch, *x.shape[-2:]))
        edges = [(0, 0, 0)] * (spread.ndim - 1) + [(done, width - done - x.shape[-1], 0)]
        rows.append(pad(spread, full(x.type.update(shape=()), 0), edges))
        done += x.shape[-1]
    return concatenate(rows, len(batch))


# -- made of numbers alone ---------------------------------------------------------------------------------------------


def _floats(values: np.ndarray) -> Any:
    return asarray(values.astype(default_float()))


def _whole(name: str, elements: np.ndarray, instead: str) -> Any:
    """Python ints as the default int.

    Raises:
        ArgumentError: one does not fit.
    """
    largest, dtype = int(max(np.abs(elements).flat, default=0)), default_int()
    if largest > np.iinfo(dtype).max:
        raise ArgumentError(f"{name}: the element {largest} does not fit {dtype.name}; {instead}")
    return asarray(elements.astype(dtype))


def _table(n: int, element: Any) -> np.ndarray:
    """The n × n array of Python ints `element(i, j)`."""
    return np.array([[element(i, j) for j in range(n)] for i in range(n)], object).reshape(n, n)


def dft(n: int, scale: str | None = None) -> Any:
    """The matrix of the discrete Fourier transform, of the default complex dtype: dft(n) @ x is fft(x).

    Args:
        n: its size.
        scale: what it is divided by: None, "sqrtn" (which makes it unitary) or "n".
    """
    if scale not in (None, "sqrtn", "n"):
        raise ArgumentError(f"dft: scale={scale!r}; expected None, 'sqrtn' or 'n'")
    n = _count("dft", n, 1)
    turns = np.outer(np.arange(n), np.arange(n)) % n / n
    factor = {None: 1.0, "sqrtn": n**-0.5, "n": 1 / n}[scale]
    return asarray((factor * np.exp(-2j * pi * turns)).astype(default_complex()))


def hadamard(n: int, dtype: DTypeLike | None = None) -> Any:
    """The Hadamard matrix of J. J. Sylvester: ones and minus ones, its rows orthogonal.

    Args:
        n: its size, a power of two.
        dtype: of the result, by default the default int.
    """
    n = _count("hadamard", n, 1)
    if n & (n - 1):
        raise ArgumentError(f"hadamard: n={n}; expected a power of two")
    common = np.arange(n)[:, None] & np.arange(n)
    signs = 1 - 2 * (np.array([[int(x).bit_count() for x in row] for row in common]) % 2)
    return asarray(signs.astype(default_int() if dtype is None else canonical(dtype)))


def helmert(n: int, full: bool = False) -> Any:
    """The matrix of F. R. Helmert: row k compares the mean of k numbers with the next; its rows are orthonormal.

    Args:
        n: how many columns.
        full: whether there is a first row, of equal elements; else there are n - 1 rows.
    """
    n = _count("helmert", n, 1)
    rows, columns = np.arange(n)[:, None], np.arange(n)
    values = np.where(columns < rows, 1.0, np.where(columns == rows, -rows, 0.0))
    values[0] = 1
    values /= np.sqrt(np.where(rows == 0, n, rows * (rows + 1)))
    return _floats(values if full else values[1:])


def hilbert(n: int) -> Any:
    """The matrix of D. Hilbert, 1 / (i + j + 1), which is hard to invert."""
    n = _count("hilbert", n)
    return _floats(1 / (np.arange(n)[:, None] + np.arange(n) + 1.0))


def invhilbert(n: int, exact: bool = False) -> Any:
    """The inverse of `hilbert(n)`, whose elements are integers.

    Args:
        n: its size.
        exact: return the default int, not the default float.

    Raises:
        ArgumentError: `exact`, and an element does not fit.
    """
    n = _count("invhilbert", n)

    def element(i: int, j: int) -> int:
        product = comb(n + i, n - j - 1) * comb(n + j, n - i - 1) * comb(i + j, i) ** 2
        return (-1) ** (i + j) * (i + j + 1) * product

    table = _table(n, element)
    return _whole("invhilbert", table, "use exact=False") if exact else _floats(table)


def pascal(n: int, kind: str = "symmetric", exact: bool = True) -> Any:
    """The matrix of B. Pascal, made of binomial coefficients.

    Args:
        n: its size.
        kind: "symmetric" for C(i + j, i), "lower" for C(i, j), or "upper".
        exact: return the default int, not the default float.

    Raises:
        ArgumentError: another kind; or `exact`, and an element does not fit.
    """
    low = _pascal("pascal", n, kind, 1)
    table = {"lower": low, "upper": low.T, "symmetric": low.dot(low.T)}[kind]
    return _whole("pascal", table, "use exact=False") if exact else _floats(table)


def invpascal(n: int, kind: str = "symmetric", exact: bool = True) -> Any:
    """The inverse of `pascal(n, kind)`, whose elements are integers; arguments as those of `pascal`."""
    low = _pascal("invpascal", n, kind, -1)
    table = {"lower": low, "upper": low.T, "symmetric": low.T.dot(low)}[kind]
    return _whole("invpascal", table, "use exact=False") if exact else _floats(table)


def _pascal(name: str, n: int, kind: str, sign: int) -> np.ndarray:
    """The lower triangular matrix sign^(i + j) C(i, j)."""
    if kind not in ("symmetric", "lower", "upper"):
        raise ArgumentError(f"{name}: kind={kind!r}; expected 'symmetric', 'lower' or 'upper'")
    return _table(_count(name, n), lambda i, j: sign ** (i + j) * comb(i, j))
