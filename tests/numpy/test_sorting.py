"""Sorting and searching agree with NumPy; sorts are stable and put NaN last."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, ShapeError

from .oracle import CUBE, INTS, SPECIAL, agree


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_sorting_agrees_with_numpy(axis):
    agree(lambda m, x: m.sort(x, axis), CUBE, ulps=0)
    agree(lambda m, x: m.argsort(x, axis, kind="stable"), INTS)


def test_nan_comes_last():
    agree("sort", SPECIAL, ulps=0)


def test_descending_sorts_are_stable():
    x = fnp.asarray([1, 2, 2, 0])
    np.testing.assert_array_equal(np.asarray(fnp.sort(x, descending=True)), [2, 2, 1, 0])
    np.testing.assert_array_equal(np.asarray(fnp.argsort(x, descending=True)), [1, 2, 0, 3])


def test_the_last_key_comes_first_in_importance():
    agree(lambda m, x: m.lexsort(x), INTS)
    agree(lambda m, x: m.lexsort((x[0], x[1] > 0)), INTS)


@given(
    hnp.arrays(np.float32, st.integers(0, 6), elements=st.integers(-3, 3)),
    hnp.arrays(np.float32, (2, 2), elements=st.integers(-4, 4)),
    st.sampled_from(["left", "right"]),
)
def test_searching_follows_numpy(x, wanted, side):
    x = np.sort(x)
    found = fnp.searchsorted(fnp.asarray(x), wanted, side)
    np.testing.assert_array_equal(np.asarray(found), np.searchsorted(x, wanted, side))


def test_searching_with_a_sorter_and_nan():
    agree(lambda m, x: m.searchsorted(x, x, sorter=m.argsort(x)), CUBE[0, 0])
    agree(lambda m, x: m.searchsorted(m.sort(x), x, side="right"), SPECIAL)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: fnp.sort(fnp.ones(2), 1), AxisError),
        (lambda: fnp.lexsort([]), ArgumentError),
        (lambda: fnp.lexsort([fnp.ones(2), fnp.ones(3)]), ShapeError),
        (lambda: fnp.searchsorted(fnp.ones(2), 1, side="middle"), ArgumentError),
        (lambda: fnp.searchsorted(fnp.ones((2, 2)), 1), ShapeError),
    ],
)
def test_bad_arguments_are_refused(call, error):
    with pytest.raises(error):
        call()
