"""Samples of order statistics."""

from collections.abc import Iterator

import ml_dtypes
import numpy as np

from funcgrad.ops.order_statistics import OrderStatistics

from .sample import Sample

_random = np.random.default_rng(5)


def samples() -> Iterator[Sample]:
    """Every row of this file."""
    matrix = _random.permutation(15).reshape(3, 5) / 4 - 2
    yield Sample("middle of rows", OrderStatistics((2,)), (matrix.astype(np.float32),))
    yield Sample("several places, one twice", OrderStatistics((3, 0, 3)), (matrix,))
    yield Sample("places of integers", OrderStatistics((1, 4)), ((4 * matrix).astype(np.int8),))
    yield Sample("places of booleans", OrderStatistics((0, 4)), (matrix > 0,))
    yield Sample("places of low precision", OrderStatistics((1,)), (matrix.astype(ml_dtypes.bfloat16),))
    yield Sample("places of complex numbers", OrderStatistics((1, 2)), (matrix + 1j * matrix[::-1],))
    yield Sample("no rows", OrderStatistics((1,)), (np.zeros((0, 2), np.float32),))
    row = np.array([1.0, np.nan, -np.inf, np.inf, 2.0], np.float32)
    yield Sample("NaN spoils a row", OrderStatistics((0, 1)), (row,), differentiable=False)
    long = _random.permutation(5000).astype(np.float32) - 2500
    yield Sample("a long row, by counting", OrderStatistics((2499, 2500, 10)), (long,), differentiable=False)
    spoiled = np.stack([long, np.where(long == 7, np.float32(np.nan), long)])
    yield Sample("long rows with NaN", OrderStatistics((0, 4999)), (spoiled,), differentiable=False)
    ties = _random.integers(-3, 3, (2, 5000))
    yield Sample("long rows with ties", OrderStatistics((833, 834, 2500, 2501)), (ties,), differentiable=False)
    yield Sample("a long row of small integers", OrderStatistics((9, 10)), (ties[0].astype(np.uint8),))
