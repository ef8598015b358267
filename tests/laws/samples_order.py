"""Samples of searching in sorted arrays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from funcgrad.ops.searching import SearchSorted

from .sample import Sample

SPECIAL = np.array([-np.inf, -1.5, -0.0, 0.0, 0.0, 2, 2, np.inf, np.nan, np.nan])
INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)


def samples() -> Iterator[Sample]:
    """Every row of this file."""
    probes = np.array([[-2, -0.0, np.nan], [2, 0.0, np.inf]])
    for right in (False, True):
        for dtype in ("float16", "bfloat16", "float32", "float64", "int8", "uint16", "int64", "bool"):
            table, wanted = (SPECIAL, probes) if "float" in dtype else (np.array([0, 1, 1, 3]), np.arange(5))
            operands = np.sort(table.astype(np.float32).astype(dtype)), wanted.astype(dtype)
            yield _search(f"{dtype} {right}", SearchSorted(right, INT32), operands)
        parts = np.array([complex(a, b) for a in (1, 2, np.nan) for b in (0, 1, np.nan)], np.complex64)
        operands = np.sort(parts), parts.reshape(3, 3)
        yield _search(f"complex {right}", SearchSorted(right, INT64), operands)
        rows = np.sort(np.random.default_rng(0).integers(0, 5, (2, 3, 7)).astype(np.int32))
        yield _search(f"rows {right}", SearchSorted(right, INT32), (rows, rows[:, :, ::2] + 1))
        # Equal elements are in order however the law moves them.
        yield Sample(f"search equal ones {right}", SearchSorted(right, INT32), (np.full(3, 2), np.arange(5)))
        operands = np.full((2, 3), 2), 3 * np.eye(2, 4, dtype=int)
        yield Sample(f"search equal rows {right}", SearchSorted(right, INT32), operands)
    yield Sample("search for nothing", SearchSorted(True, INT32), (np.ones(3), np.ones((2, 0))))
    yield Sample("search in nothing", SearchSorted(True, INT32), (np.ones(0), np.ones(2)))
    yield _search("for one", SearchSorted(False, INT32), (np.arange(5.0), np.asarray(2.5)))


def _search(name: str, op: SearchSorted, operands: tuple[np.ndarray, ...]) -> Sample:
    """A sample that is not batched: the law moves elements about, and a table out of order has no answer."""
    return Sample(f"search {name}", op, operands, differentiable=False, batch=False)
