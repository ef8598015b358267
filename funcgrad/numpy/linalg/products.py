"""Products of matrices: powers, chains, and the products of the Array API standard with its defaults."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ...core.dtypes import DTypeLike
from ...errors import ArgumentError, DTypeError, LinAlgError, ShapeError
from ...ops.triangular import identity_like
from .. import contraction
from ..conversion import as_operand
from ..reductions import sum
from ..shape import matrix_transpose
from .solving import inv

__all__ = [
    "cross",
    "diagonal",
    "matmul",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
]

matmul, tensordot = contraction.matmul, contraction.tensordot


def matrix_power(a: Any, n: int) -> Any:
    """Square matrices multiplied by themselves; for negative `n` their inverses are.

    Args:
        a: shape (…, m, m).
        n: an int; for 0 the result is the identity.

    Raises:
        LinAlgError: not square; or singular, for negative `n`.
    """
    x = as_operand(a)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise LinAlgError(f"matrix_power takes square matrices, got shape {x.shape}")
    if not isinstance(n, int | np.integer):
        raise DTypeError(f"matrix_power: n={n!r}; expected an int. For other powers use fsp.linalg.expm(n * logarithm)")
    n = int(n)
    if n < 0:
        x, n = inv(x), -n
    result = None
    while n:
        if n % 2:
            result = x if result is None else matmul(result, x)
        n //= 2
        if n:
            x = matmul(x, x)
    return identity_like(x) if result is None else result


def multi_dot(arrays: Sequence[Any], *, precision: Any = None) -> Any:
    """The product of two or more matrices, multiplied in the order that costs least.

    Args:
        arrays: matrices; the first may be a vector, which is a row, and the last one too, which is a column.
        precision: see `funcgrad.numpy.matmul`.

    Raises:
        ArgumentError: fewer than two.
        LinAlgError: arrays of other dimensions.
    """
    given = [as_operand(x) for x in arrays]
    if len(given) < 2:
        raise ArgumentError(f"multi_dot takes at least two arrays, got {len(given)}")
    allowed = [(1, 2)] + [(2,)] * (len(given) - 2) + [(1, 2)]
    for number, (x, ndims) in enumerate(zip(given, allowed, strict=True)):
        if x.ndim not in ndims:
            raise LinAlgError(
                f"multi_dot takes matrices (first and last may be vectors); array {number} has shape {x.shape}"
            )
    for number, (x, y) in enumerate(pairwise(given)):
        if x.shape[-1] != y.shape[0]:
            raise ShapeError(
                f"multi_dot: array {number} of shape {x.shape} has rows of length {x.shape[-1]}, but array {number + 1}"
                f" of shape {y.shape} has columns of length {y.shape[0]}"
            )
    return _chain(given, precision)


def _chain(given: list[Any], precision: Any) -> Any:
    if len(given) == 2:
        return contraction.dot(*given, precision=precision)
    lengths = [given[0].shape[0] if given[0].ndim == 2 else 1, *[x.shape[0] for x in given[1:]]]
    lengths.append(given[-1].shape[1] if given[-1].ndim == 2 else 1)
    split = _cheapest(lengths)

    def product(first: int, last: int) -> Any:
        if first == last:
            return given[first]
        middle = split[first, last]
        return contraction.dot(product(first, middle), product(middle + 1, last), precision=precision)

    return product(0, len(given) - 1)


def _cheapest(lengths: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to split each chain of matrices, matrix i being lengths[i] × lengths[i + 1]; by dynamic programming."""
    count = len(lengths) - 1
    cost = {(i, i): 0 for i in range(count)}
    split: dict[tuple[int, int], int] = {}
    for width in range(1, count):
        for first in range(count - width):
            last = first + width
            outer_size = lengths[first] * lengths[last + 1]
            costs = {k: cost[first, k] + cost[k + 1, last] + outer_size * lengths[k + 1] for k in range(first, last)}
            split[first, last] = best = min(costs, key=costs.__getitem__)
            cost[first, last] = costs[best]
    return split


# -- the Array API standard's ------------------------------------------------------------------------------------------


def outer(x1: Any, x2: Any, /) -> Any:
    """All products of an element of one vector with one of another: shape (n, m).

    Raises:
        ShapeError: not vectors; `funcgrad.numpy.outer` flattens others.
    """
    x1, x2 = as_operand(x1), as_operand(x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ShapeError(f"linalg.outer takes vectors, got shapes {x1.shape} and {x2.shape}; fnp.outer flattens them")
    return contraction.outer(x1, x2)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The cross product of vectors of length 3 along an axis; the other axes broadcast."""
    return contraction.cross(x1, x2, axis=axis)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The sum of products along one axis, the first operand conjugated; the other axes broadcast."""
    return contraction.vecdot(x1, x2, axis=axis)


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonals of matrices, shape (…, n, m): those of the last two axes, unlike `funcgrad.numpy.diagonal`."""
    return contraction.diagonal(x, offset, -2, -1)


def trace(x: Any, /, *, offset: int = 0, dtype: DTypeLike | None = None) -> Any:
    """The sums of the diagonals of matrices: those of the last two axes, unlike `funcgrad.numpy.trace`."""
    return sum(diagonal(x, offset=offset), -1, dtype)
