"""Samples of correlation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from funcgrad.ops.correlation import Correlate

from .sample import Sample
from .samples_reduction import values

SHAPES = [((5,), (3,)), ((2, 5), (3,)), ((5,), (2, 3)), ((2, 5), (2, 3)), ((1, 4), (1, 2)), ((3,), (1,))]


def samples() -> Iterator[Sample]:
    """Every row of this file."""
    for dtype in ("int8", "uint32", "int64", "float16", "bfloat16", "float32", "float64", "complex64", "complex128"):
        operands = values((5,), np.dtype(dtype)), values((3,), np.dtype(dtype), 1)
        yield Sample(f"correlate {dtype}", Correlate(1, 2), operands, "16" not in dtype)
    for x, y in SHAPES:
        operands = values(x, np.dtype(float)), values(y, np.dtype(float), 1)
        for low, high in {(0, 0), (y[-1] - 1, y[-1] - 1), (y[-1] - 1, 0)}:
            yield Sample(f"correlate {x} {y} {low} {high}", Correlate(low, high), operands)
    few, many = values((2,), np.dtype(float)), values((4,), np.dtype(float), 1)
    yield Sample("correlate few with many", Correlate(3, 3), (few, many))
    yield Sample("correlate no rows", Correlate(1, 1), (np.zeros((0, 3)), values((2,), np.dtype(float))))
    complexes = values((2, 4), np.dtype(complex)), values((2, 3), np.dtype(complex), 1)
    yield Sample("correlate complex rows", Correlate(2, 0), complexes)
