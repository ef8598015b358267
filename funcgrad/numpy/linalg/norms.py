"""Norms of vectors and matrices, and condition numbers.

Where a norm has no derivative, its gradient is the subgradient of least size: 0 for the norm of zero.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...backend.array import Array
from ...config import config
from ...core.dtypes import is_complex
from ...errors import ArgumentError, AxisError, LinAlgError, ShapeError
from ...ops.complex_parts import conj, real
from ...ops.elementwise import absolute, gt, mul, ne, stop_gradient, where
from ...ops.exponential import power, sqrt
from ...ops.spectral import rounding
from ...ops.structure import canonical_axis, convert, expand_dims, full, move_axis, reduce_sum, zeros_of
from ..conversion import as_operand
from ..promotion import to_inexact
from ..reductions import any, max, min, sum
from .matrices import as_matrices, quickly, quickly_if_finite
from .solving import inv
from .spectral import svdvals

__all__ = ["cond", "matrix_norm", "norm", "vector_norm"]

Axes = int | tuple[int, ...] | None

_numpy: Any = np.linalg  # its stubs do not know that options may be passed on


# -- vectors -----------------------------------------------------------------------------------------------------------


def _euclidean(x: Any, axes: tuple[int, ...]) -> Any:
    squares = real(mul(x, conj(x))) if is_complex(x.dtype) else mul(x, x)
    return _root(reduce_sum(squares, axes), sqrt)


def _root(total: Any, root: Callable[[Any], Any]) -> Any:
    """A root of sums, whose derivative where they are 0 is 0."""
    zero = zeros_of(total.type)
    positive = ne(total, zero)
    return where(positive, root(where(positive, total, full(total.type, 1))), zero)


def _power_norm(x: Any, axes: tuple[int, ...], order: float) -> Any:
    size = absolute(x)
    positive = ne(size, zeros_of(size.type))
    powers = power(where(positive, size, full(size.type, 1)), full(size.type, order))
    total = reduce_sum(where(positive, powers, full(size.type, 0 if order > 0 else np.inf)), axes)

    def root(total: Any) -> Any:
        return power(total, full(total.type, 1 / order))

    return _root(total, root) if order > 0 else root(total)


def _vector(x: Any, axes: tuple[int, ...], order: Any) -> Any:
    if order is None or order == 2:
        return _euclidean(x, axes)
    if isinstance(order, str):
        raise ArgumentError(
            f"norm: ord={order!r} is a norm of matrices; for vectors give a number, such as 2 or fnp.inf"
        )
    if order == np.inf:
        return max(absolute(x), axes, initial=0)
    if order == -np.inf:
        return min(absolute(x), axes)
    if order == 0:
        return reduce_sum(convert(ne(x, zeros_of(x.type)), absolute(x).dtype), axes)
    if order == 1:
        return reduce_sum(absolute(x), axes)
    return _power_norm(x, axes, float(order))


# -- matrices, in the last two axes ------------------------------------------------------------------------------------


def _singular_values(x: Any) -> Any:
    """Singular values, of which those that are 0 up to rounding do not move."""
    s = svdvals(x)
    if not s.size or type(s) is Array:
        return s
    return where(gt(s, rounding(s, np.max(x.shape[-2:]).item(), s.shape)), s, stop_gradient(s))


def _extreme_sum(x: Any, axis: int, extreme: Callable[..., Any]) -> Any:
    sums = reduce_sum(absolute(x), (x.ndim + axis,))
    return extreme(sums, -1, initial=0) if extreme is max else extreme(sums, -1)


_MATRIX_NORMS: dict[Any, Callable[[Any], Any]] = {
    None: lambda x: _euclidean(x, (x.ndim - 2, x.ndim - 1)),
    "fro": lambda x: _euclidean(x, (x.ndim - 2, x.ndim - 1)),
    "nuc": lambda x: sum(_singular_values(x), -1),
    2: lambda x: max(_singular_values(x), -1, initial=0),
    -2: lambda x: min(_singular_values(x), -1),
    1: lambda x: _extreme_sum(x, -2, max),
    -1: lambda x: _extreme_sum(x, -2, min),
    np.inf: lambda x: _extreme_sum(x, -1, max),
    -np.inf: lambda x: _extreme_sum(x, -1, min),
}


def _matrix(x: Any, axes: tuple[int, int], order: Any) -> Any:
    if order not in _MATRIX_NORMS:
        raise ArgumentError(
            f'norm: ord={order!r} is no norm of matrices; there are "fro", "nuc", 1, -1, 2, -2, fnp.inf and -fnp.inf'
        )
    row, column = axes
    if row == column:
        raise AxisError(f"norm: axis={axes} names one axis twice; a matrix has two")
    x = move_axis(x, row, x.ndim - 1)
    return _MATRIX_NORMS[order](move_axis(x, column - (column > row), x.ndim - 1))


# -- condition numbers -----------------------------------------------------------------------------------------------


def cond(x: Any, p: Any = None) -> Any:
    """The condition number of matrices: how much relative errors of `b` may grow in the solution of x · y = b.

    Args:
        x: shape (…, m, n); square unless `p` is None, 2 or -2.
        p: None or 2: the ratio of the largest to the smallest singular value; -2 its inverse. Any other `ord` of
            `norm` for matrices: norm(x) · norm(inv(x)).

    Returns:
        Shape (…); inf for singular matrices.

    Raises:
        LinAlgError: matrices without elements; not square where they must be.
    """
    found = quickly_if_finite(partial(_numpy.cond, p=p), x)
    if found is not None and not np.isnan(found).any():
        return Array(found)
    x = as_matrices("cond", x, square=p not in (None, 2, -2))
    if 0 in x.shape[-2:]:
        raise LinAlgError(f"cond: matrices without elements have no condition number; got shape {x.shape}")
    if p in (None, 2, -2):
        s = svdvals(x)
        largest, smallest = s[..., 0], s[..., -1]
        ratio = smallest / largest if p == -2 else largest / smallest
    else:
        with config(check_linalg=False):
            inverse = inv(x)
        ratio = norm(x, p, (-2, -1)) * norm(inverse, p, (-2, -1))
    unknown = ne(ratio, ratio) & ~any(ne(x, x), (-2, -1))
    return where(unknown, full(ratio.type, np.inf), ratio)


# -- the public functions ----------------------------------------------------------------------------------------------


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    given = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    return tuple(canonical_axis(a, ndim) for a in given)


def norm(x: Any, ord: Any = None, axis: Axes = None, keepdims: bool = False) -> Any:
    """The norm of vectors, or of matrices.

    Args:
        x: any shape.
        ord: of vectors: None or 2 (Euclidean), any other number p (the p-th root of the sum of |x|ᵖ), inf or -inf
            (largest, smallest magnitude), 0 (how many elements are not 0). Of matrices: None or "fro" (Frobenius),
            "nuc" (sum of the singular values), 2 or -2 (largest, smallest of them), 1 or -1 (largest, smallest sum of
            magnitudes in a column), inf or -inf (in a row).
        axis: an axis for norms of vectors, two axes for norms of matrices. None: `x` is one vector or one matrix, and
            any number of dimensions if `ord` is None.
        keepdims: keep the axes, with length 1.

    Returns:
        Real norms, over the other axes.

    Raises:
        ArgumentError: an `ord` that is none, or more than two axes.
        LinAlgError: singular values of a matrix with NaN or infinities.

    >>> float(fnp.linalg.norm(fnp.array([3.0, 4.0])))
    5.0
    """
    plain = ord is None and axis is None and not keepdims
    quick = quickly_if_finite if ord in ("nuc", 2, -2) else quickly
    found = quick(_numpy.norm if plain else partial(_numpy.norm, ord=ord, axis=axis, keepdims=keepdims), x)
    if found is not None:
        return Array(found)
    x = to_inexact(as_operand(x))
    if axis is None:
        if ord is not None and x.ndim not in (1, 2):
            raise ArgumentError(
                f"norm: with ord={ord!r} and no axis, x must be a vector or a matrix; got shape {x.shape}. "
                f"Name the axes: norm(x, {ord!r}, axis=-1)"
            )
        axes = tuple(range(x.ndim))
        result = _vector(x, axes, None) if ord is None else _kind(x, axes, ord)
    else:
        axes = _axes(axis, x.ndim)
        result = _kind(x, axes, ord)
    return expand_dims(result, sorted(axes)) if keepdims else result


def _kind(x: Any, axes: tuple[int, ...], ord: Any) -> Any:
    if len(axes) == 1:
        return _vector(x, axes, ord)
    if len(axes) == 2:
        return _matrix(x, (axes[0], axes[1]), ord)
    raise ArgumentError(f"norm: one axis is for vectors and two are for matrices; got {len(axes)}: {axes}")


def vector_norm(x: Any, /, *, axis: Axes = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of vectors, along any number of axes that together are one vector.

    Args:
        axis: None means all.
        keepdims: keep the axes, with length 1.
        ord: as that of `norm` for vectors.
    """
    found = quickly(partial(_numpy.vector_norm, axis=axis, keepdims=keepdims, ord=ord), x)
    if found is not None:
        return Array(found)
    x = to_inexact(as_operand(x))
    axes = tuple(range(x.ndim)) if axis is None else _axes(axis, x.ndim)
    result = _vector(x, axes, ord)
    return expand_dims(result, sorted(axes)) if keepdims else result


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of the matrices in the last two axes; `ord` as that of `norm` for matrices."""
    x = as_operand(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_norm takes matrices; got shape {x.shape}")
    return norm(x, ord, (-2, -1), keepdims)
