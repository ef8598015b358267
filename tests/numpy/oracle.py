"""Compares a function of funcgrad.numpy with NumPy's, eagerly and under jit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import funcgrad.numpy as fnp
from funcgrad.higher_order.jit import jit

_random = np.random.default_rng(0)
FLOATS = _random.normal(size=(3, 4)).astype(np.float32)
ROW = _random.normal(size=(4,)).astype(np.float32)
CUBE = _random.normal(size=(2, 3, 4)).astype(np.float32)
INTS = _random.integers(-5, 6, (3, 4)).astype(np.int32)
POSITIVE_ROW = np.array([1, 3, 2, 5], np.int32)
BOOLS = INTS > 0
COMPLEXES = (FLOATS + 1j * FLOATS[::-1]).astype(np.complex64)
SPECIAL = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1, -1, 2.5, 3.5, -2.5], np.float32)


def agree(function: Callable[[Any, Any], Any] | str, *operands: np.ndarray, ulps: float = 64) -> None:
    """Check that `function(module, *operands)`, or the function of that name, agrees for NumPy and funcgrad.

    The tolerance is `ulps` of float32, relative to each element and to the largest one.
    """
    call = (lambda module, *xs: getattr(module, function)(*xs)) if isinstance(function, str) else function
    with np.errstate(all="ignore"):
        expected = call(np, *operands)
    arrays = [fnp.asarray(x) for x in operands]
    for run in (lambda *xs: call(fnp, *xs), jit(lambda *xs: call(fnp, *xs))):
        _compare(run(*arrays), expected, ulps)


def _compare(found: Any, expected: Any, ulps: float) -> None:
    if isinstance(expected, tuple | list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            _compare(one, other, ulps)
        return
    expected = np.asarray(expected)
    assert found.shape == expected.shape
    assert np.dtype(found.dtype).kind == expected.dtype.kind
    result = np.asarray(found).astype(expected.dtype)
    if expected.dtype.kind not in "fc":
        np.testing.assert_array_equal(result, expected)
        return
    finite = np.abs(expected[np.isfinite(expected)])
    tolerance = ulps * 2.0**-23
    np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance * min(finite.max(initial=0), 1))
