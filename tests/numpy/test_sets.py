"""Sets agree with NumPy, outside transformations and, where the size of the result is said, under them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, ConcretizationError
from funcgrad.higher_order.jit import jit
from funcgrad.transforms.grad import grad
from funcgrad.transforms.jvp import jvp
from funcgrad.transforms.vmap import vmap

from .surface import agree, arrays, axes, call, calls, shaped

FLAG = st.booleans()
VECTORS = shaped(st.integers(0, 6), "bif", low=0, high=3, special=True)
TWO = st.sampled_from(["union1d", "intersect1d", "setdiff1d", "setxor1d"])


def same(found: Any, expected: Any) -> None:
    """Equal arrays, or tuples of these."""
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
        return
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


@given(
    calls(
        call(arrays("bIFC", low=0, high=2), FLAG, FLAG, FLAG, axis=axes(None), equal_nan=FLAG),
        call(arrays("f", special=True), FLAG, FLAG, FLAG, equal_nan=FLAG),
    )
)
def test_unique_agrees_with_numpy(drawn):
    agree("unique", drawn)


@pytest.mark.parametrize("name", ["unique_all", "unique_counts", "unique_inverse"])
@given(call(arrays("bIF", low=0, high=2)))
def test_the_array_api_forms_agree_with_numpy(name, drawn):
    agree(name, drawn, reference=lambda x: tuple(getattr(np, name)(x)))
    assert getattr(fnp, name)(fnp.ones(2)).values.shape == (1,)


@given(shaped(st.integers(0, 6), "f", special=True))
def test_values_are_sorted_and_every_nan_counts(x):
    same(fnp.unique_values(fnp.asarray(x)), np.unique(x, equal_nan=False))


@given(TWO, call(VECTORS, VECTORS))
def test_sets_of_two_agree_with_numpy(name, drawn):
    agree(name, drawn)


@given(call(arrays("bIf", low=0, high=3), arrays("if", low=0, high=3), invert=FLAG))
def test_isin_agrees_with_numpy(drawn):
    agree("isin", drawn)


def test_low_precision_follows_the_same_order():
    x = fnp.asarray([2, np.nan, 1, np.nan, 2], "bfloat16")
    values, inverse = fnp.unique(x, return_inverse=True)
    assert values.dtype == fnp.bfloat16
    same(values.astype("float32"), np.array([1, 2, np.nan], np.float32))
    same(inverse, [1, 2, 0, 2, 1])
    same(fnp.intersect1d(x, fnp.asarray([1, 3], "bfloat16")).astype("float32"), [1])


# -- of a size that is said ----------------------------------------------------------------------------------------


@settings(max_examples=10)
@given(shaped(st.integers(1, 5), "if", low=0, high=3, special=True), st.integers(-1, 2), FLAG)
def test_unique_of_a_size(x, more, equal_nan):
    values, *numbers = np.unique(x, True, True, True, equal_nan=equal_nan)
    size, count = max(len(values) + more, 0), min(len(values), max(len(values) + more, 0))

    def found(x):
        return fnp.unique(x, True, True, True, size=size, fill_value=7, equal_nan=equal_nan)

    for run in (found, jit(found)):
        ours, index, inverse, counts = run(fnp.asarray(x))
        same(ours, np.concatenate([values[:count], np.full(size - count, 7, x.dtype)]))
        same(index[:count], numbers[0][:count])
        same(inverse, numbers[1])
        same(counts, np.concatenate([numbers[2][:count], np.zeros(size - count)]))


@settings(max_examples=6)
@given(shaped(st.tuples(st.integers(1, 3), st.integers(0, 3)), "i", low=0, high=1), st.integers(0, 1))
def test_unique_rows_of_a_size(x, axis):
    expected = np.unique(x, True, True, True, axis=axis) if x.size else None
    if expected is not None:
        size = expected[0].shape[axis]
        same(jit(lambda x: fnp.unique(x, True, True, True, axis=axis, size=size))(fnp.asarray(x)), expected)
    else:
        assert fnp.unique(fnp.asarray(x), axis=axis, size=2).shape[axis] == 2


@settings(max_examples=8)
@given(TWO, shaped(3, "f", low=0, high=3, special=True), shaped(4, "f", low=0, high=3, special=True))
def test_sets_of_two_of_a_size(name, x, y):
    expected = getattr(np, name)(x, y)
    filled = np.concatenate([expected, np.full(9 - len(expected), 5, x.dtype)])
    same(jit(lambda x, y: getattr(fnp, name)(x, y, size=9, fill_value=5))(fnp.asarray(x), fnp.asarray(y)), filled)


def test_without_a_fill_value_the_smallest_fills():
    x, y = fnp.asarray([5, 3, 3, 9]), fnp.asarray([9, 5, 1])
    same(fnp.unique(x, size=5), [3, 5, 9, 3, 3])
    same(fnp.union1d(x, y, size=6), [1, 3, 5, 9, 1, 1])
    same(fnp.intersect1d(x, y, size=3), [5, 9, 5])
    same(fnp.setxor1d(x, y, size=3), [1, 3, 1])
    same(fnp.setdiff1d(x, y, size=3), [3, 0, 0])
    same(fnp.setdiff1d(x, y, True, size=3), [3, 3, 0])
    same(fnp.intersect1d(x, y, return_indices=True, size=3), ([5, 9, 5], [0, 3, 4], [1, 0, 3]))


@pytest.mark.parametrize("name", ["union1d", "intersect1d", "setdiff1d", "setxor1d"])
def test_nothing_has_a_size_too(name):
    nothing = fnp.zeros(0)
    same(getattr(fnp, name)(nothing, nothing, size=2, fill_value=4), [4, 4])
    same(getattr(fnp, name)(nothing, nothing), [])
    same(fnp.unique(nothing, True, True, True, size=2, fill_value=4), ([4, 4], [0, 0], [], [0, 0]))


def test_isin_compiles():
    x, y = fnp.asarray([[1.0, 2], [np.nan, 4]]), fnp.asarray([4, np.nan, 1])
    same(jit(fnp.isin)(x, y), [[True, False], [False, True]])
    same(jit(lambda x, y: fnp.isin(x, y, invert=True))(x, y), [[False, True], [True, False]])
    same(jit(fnp.isin)(x, fnp.zeros(0)), np.zeros((2, 2), bool))


def test_sets_under_transformations():
    x = fnp.asarray([[1.0, 3, 3, 2], [1, 1, 1, 1]])
    same(vmap(lambda row: fnp.unique(row, size=3))(x), [[1, 2, 3], [1, 1, 1]])
    same(vmap(lambda row: fnp.isin(row, row[:1]))(x), [[True, False, False, False], [True] * 4])
    same(grad(lambda x: (fnp.unique(x) ** 2).sum())(x[0]), [2, 6, 0, 4])
    same(jit(grad(lambda x: (fnp.unique(x, size=3) ** 2).sum()))(x[0]), [2, 6, 0, 4])
    same(jvp(lambda x: fnp.unique(x), (x[0],), (fnp.arange(4.0),))[1], [0, 3, 1])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: fnp.unique(fnp.ones(2), axis=1), AxisError),
        (lambda: fnp.isin(fnp.ones(2), fnp.ones(2), kind="table"), ArgumentError),
        (lambda: fnp.isin(fnp.ones(2), fnp.ones(2), kind="hash"), ArgumentError),
        (lambda: fnp.isin(fnp.ones(2), fnp.ones(2), method="hash"), ArgumentError),
        (lambda: jit(fnp.unique)(fnp.ones(2)), ConcretizationError),
        (lambda: vmap(fnp.unique)(fnp.ones((2, 2))), ConcretizationError),
        (lambda: jit(fnp.union1d)(fnp.ones(2), fnp.ones(2)), ConcretizationError),
        (lambda: jit(fnp.setdiff1d)(fnp.ones(2), fnp.ones(2)), ConcretizationError),
    ],
)
def test_bad_arguments_are_refused(call, error):
    with pytest.raises(error):
        call()
