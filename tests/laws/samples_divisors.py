"""Samples of greatest common divisors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from funcgrad.core.dtypes import INTEGERS
from funcgrad.ops.divisors import gcd

from .sample import Sample


def samples() -> Iterator[Sample]:
    """Every row of this file."""
    for dtype in INTEGERS:
        limits = np.iinfo(dtype)
        x = np.array([12, 0, 0, limits.max, limits.min, limits.min, 55, 1], dtype)
        y = np.array([18, 5, 0, 63, limits.min, 6, 89, limits.max], dtype)
        yield Sample(f"gcd {dtype.name}", gcd, (x, y))
    yield Sample("gcd of scalars", gcd, (np.int32(84), np.int32(-36)))
    yield Sample("gcd of nothing", gcd, (np.zeros((2, 0), np.int32), np.zeros((2, 0), np.int32)))
