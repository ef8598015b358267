"""Repeating, inserting, deleting, appending and trimming agree with NumPy, outside transformations and under them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, ConcretizationError, OutOfBoundsError, ShapeError
from funcgrad.higher_order.jit import jit
from funcgrad.transforms.grad import grad

from .oracle import FLOATS
from .oracle import agree as agree_twice
from .surface import agree, arrays, axes, call, calls, shaped

SLICES = st.sampled_from([slice(0, 2), slice(None, 0, -1)])
PLACES = st.integers(-4, 3) | st.lists(st.integers(-3, 3), max_size=3) | SLICES
NEW = shaped(calls(st.just(()), st.just((3,)), st.just((3, 3))), "if")


@given(
    calls(
        call(shaped((3, 3), "if"), PLACES, NEW, axes(None)),
        call(shaped(st.integers(0, 4), "f"), PLACES, shaped(st.integers(0, 3), "i")),
    )
)
def test_inserting(drawn):
    agree("insert", drawn)


@given(
    calls(call(arrays("bif", min_dims=1), PLACES, axes(None)), call(shaped(3, "f"), shaped(3, "b"))),
)
def test_deleting(drawn):
    agree("delete", drawn)


@given(call(arrays("if"), arrays("if"), axes(None)))
def test_appending(drawn):
    agree("append", drawn)


@given(call(arrays("bif"), st.lists(st.integers(-1, 4), max_size=3).map(tuple) | st.integers(-1, 7)))
def test_resizing(drawn):
    agree("resize", drawn)


@given(call(arrays("bif", low=0, high=1, min_dims=1), st.sampled_from(["fb", "f", "b", "B", "x"]), axes(None)))
def test_trimming(drawn):
    agree("trim_zeros", drawn)


REPEATS = st.integers(0, 3) | st.lists(st.integers(0, 3), min_size=1, max_size=3)


@given(call(arrays("bif"), REPEATS, axes(None)))
def test_repeating(drawn):
    agree("repeat", drawn)


EDITS = {
    "insert one": lambda m, x: m.insert(x, 1, x[0, 0], axis=1),
    "insert several": lambda m, x: m.insert(x, m.asarray([3, 0, 3]), x[:, :3], axis=1),
    "insert by a mask": lambda m, x: m.insert(x, np.array([True, False, True]), 5.0, axis=0),
    "insert many at one": lambda m, x: m.insert(x, [1], x[:2, :], axis=0),
    "delete one": lambda m, x: m.delete(x, 1, axis=1),
    "delete several": lambda m, x: m.delete(x, [0, -1], axis=0),
    "delete a slice": lambda m, x: m.delete(x, slice(1, 3), axis=1),
    "append": lambda m, x: m.append(x, x, axis=0),
    "resize": lambda m, x: m.resize(x, (5, 4)),
    "repeat": lambda m, x: m.repeat(x, 2, axis=1),
}


@pytest.mark.parametrize("name", EDITS)
def test_edits_compile(name):
    agree_twice(EDITS[name], FLOATS, ulps=0)


def test_traced_places():
    x = fnp.arange(5.0)
    places, new = np.array([3, -5, 3, 5]), np.array([7.0, 8, 9, 6])
    found = jit(fnp.insert)(x, fnp.asarray(places), fnp.asarray(new))
    np.testing.assert_array_equal(found, np.insert(np.arange(5.0), places, new))
    np.testing.assert_array_equal(jit(fnp.delete)(x, -2), [0, 1, 2, 4])
    found = jit(lambda i: fnp.delete(x, i, assume_unique_indices=True))(fnp.asarray([4, -5, 2]))
    np.testing.assert_array_equal(found, [1, 3])


def test_traced_repeats():
    x, repeats = fnp.asarray([5, 3, 9]), fnp.asarray([2, 0, 1])
    for length, expected in ((2, [5, 5]), (3, [5, 5, 9]), (5, [5, 5, 9, 9, 9])):
        np.testing.assert_array_equal(fnp.repeat(x, repeats, total_repeat_length=length), expected)
        found = jit(lambda r, length=length: fnp.repeat(x, r, total_repeat_length=length))(repeats)
        np.testing.assert_array_equal(found, expected)


def test_derivatives_follow_the_elements():
    x = fnp.asarray([1.0, 2, 3])
    np.testing.assert_array_equal(grad(lambda x: (fnp.insert(x, 1, x[2]) ** 2).sum())(x), [2, 4, 12])
    np.testing.assert_array_equal(grad(lambda x: (fnp.delete(x, 1) ** 2).sum())(x), [2, 0, 6])
    np.testing.assert_array_equal(grad(lambda x: (fnp.trim_zeros(x - 1) ** 2).sum())(x), [0, 2, 4])
    np.testing.assert_array_equal(grad(lambda x: (fnp.resize(x, 4) ** 2).sum())(x), [4, 4, 6])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: fnp.insert(x, 3, 1), OutOfBoundsError),
        (lambda x: fnp.insert(x, 0.5, 1), OutOfBoundsError),
        (lambda x: fnp.insert(x, [0, 1], [1, 2, 3]), ShapeError),
        (lambda x: fnp.insert(x, 0, 1, axis=1), AxisError),
        (lambda x: fnp.delete(x, 2), OutOfBoundsError),
        (lambda x: fnp.delete(x, np.array([True])), ShapeError),
        (lambda x: jit(lambda i: fnp.delete(x, i))(fnp.asarray([0, 1])), ConcretizationError),
        (lambda x: jit(lambda r: fnp.repeat(x, r))(fnp.asarray([0, 1])), ConcretizationError),
        (lambda x: jit(fnp.trim_zeros)(x), ConcretizationError),
        (lambda x: fnp.repeat(x, [1, 2, 3]), ShapeError),
        (lambda x: fnp.repeat(x, [1, -1]), ArgumentError),
        (lambda x: fnp.repeat(fnp.ones(0), 2, total_repeat_length=2), ShapeError),
        (lambda x: fnp.resize(x, -1), ShapeError),
        (lambda x: fnp.trim_zeros(x, "c"), ArgumentError),
    ],
)
def test_bad_arguments_are_refused(call, error):
    with pytest.raises(error):
        call(fnp.ones(2))
