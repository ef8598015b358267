"""Counts and histograms against NumPy, eager and compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors

_random = np.random.default_rng(1)
VALUES = _random.normal(size=200)
POINTS = _random.normal(size=(200, 2))
WEIGHTS = _random.uniform(size=200)
RULES = ("auto", "fd", "doane", "scott", "stone", "rice", "sturges", "sqrt")


def same(found: Any, expected: Any) -> None:
    if isinstance(expected, tuple | list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
        return
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("options", [
    {}, {"bins": 3}, {"bins": 7, "range": (-1, 1)}, {"bins": [-1.0, 0.0, 0.5, 2.0]}, {"bins": 4, "density": True},
    {"weights": WEIGHTS}, {"weights": WEIGHTS, "density": True, "bins": [-3.0, 0.0, 3.0]}, {"bins": [0.5]},
    {"weights": np.arange(200)}, {"weights": WEIGHTS + 1j},
])  # fmt: skip
def test_histograms(options: dict[str, Any]) -> None:
    expected = np.histogram(VALUES, **options)
    same(fnp.histogram(fnp.asarray(VALUES), **options), expected)
    same(fg.jit(lambda x: fnp.histogram(x, **options))(VALUES), expected)


@settings(max_examples=60)
@given(values=st.lists(st.integers(-4, 8), max_size=12), bins=st.integers(1, 6))
def test_elements_on_edges(values: list[int], bins: int) -> None:
    data = np.array(values, np.float64)
    expected = np.histogram(data, bins)
    same(fnp.histogram(fnp.asarray(data), bins), expected)
    same(fnp.histogram(fnp.asarray(np.array(values, np.int32)), bins)[0], expected[0])


def test_elements_on_edges_compiled() -> None:
    for bins in (1, 3, 7, 10):
        data = np.linspace(0, 1, 7 * bins + 1)
        same(fg.jit(lambda x, bins=bins: fnp.histogram(x, bins))(data), np.histogram(data, bins))


def test_dtypes_and_shapes_of_histograms() -> None:
    counts, edges = fnp.histogram(fnp.arange(6).reshape(2, 3), 2)
    assert (counts.dtype, edges.dtype) == (np.int32, np.float32)
    assert fnp.histogram(fnp.arange(3.0), 2, weights=fnp.arange(3))[0].dtype == np.int32
    assert fnp.histogram(fnp.arange(3.0), 2, density=True)[0].dtype == np.float32
    same(fnp.histogram(fnp.zeros(0)), np.histogram(np.zeros(0)))


@pytest.mark.parametrize("rule", RULES)
def test_rules_for_the_number_of_bins(rule: str) -> None:
    same(fnp.histogram_bin_edges(fnp.asarray(VALUES), rule), np.histogram_bin_edges(VALUES, rule))
    same(fnp.histogram(fnp.asarray(VALUES), rule, (-1, 2)), np.histogram(VALUES, rule, (-1, 2)))


@pytest.mark.parametrize("options", [
    {}, {"bins": (2, 3)}, {"bins": [2, np.array([-1, 0, 1.0])]}, {"density": True}, {"weights": WEIGHTS},
    {"bins": (4, 3), "range": ((-1, 1), (0, 1))},
])  # fmt: skip
def test_histograms_of_points(options: dict[str, Any]) -> None:
    expected = np.histogramdd(POINTS, **options)
    same(fnp.histogramdd(POINTS, **options), expected)
    same(fg.jit(lambda x: fnp.histogramdd(x, **options))(POINTS), expected)
    x, y = POINTS.T
    same(fnp.histogram2d(x, y, **options), np.histogram2d(x, y, **options))
    same(fnp.histogramdd((x, y), **options), expected)


def test_a_vector_of_edges_serves_both_axes() -> None:
    x, y = POINTS.T
    same(fnp.histogram2d(x, y, [-1.0, 0.0, 1.0, 2.0]), np.histogram2d(x, y, [-1.0, 0.0, 1.0, 2.0]))


def test_weights_of_histograms_can_be_differentiated() -> None:
    gradient = fg.grad(lambda w: fnp.histogram(fnp.arange(4.0), 2, weights=w)[0] @ fnp.array([1.0, 10.0]))
    same(gradient(fnp.ones(4)), np.array([1.0, 1, 10, 10]))


# -- counting ----------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 9), max_size=15), st.integers(0, 12), st.sampled_from(["int8", "uint8", "int32", "int64"])
)
def test_counts(numbers: list[int], minlength: int, dtype: str) -> None:
    x = np.array(numbers, dtype)
    weights = np.linspace(0, 1, len(numbers))
    same(fnp.bincount(fnp.asarray(x), minlength=minlength), np.bincount(x, minlength=minlength))
    same(fnp.bincount(fnp.asarray(x), weights, minlength), np.bincount(x, weights, minlength))
    full = np.bincount(x, minlength=20)
    for length in (0, 4, 20):
        same(fnp.bincount(fnp.asarray(x), length=length), full[:length])


def test_counts_compiled() -> None:
    x = _random.integers(0, 9, 50)
    weights = _random.uniform(size=50)
    same(fg.jit(lambda x: fnp.bincount(x, length=5))(x), np.bincount(x)[:5])
    same(fg.jit(lambda x, w: fnp.bincount(x, w, length=9))(x, weights), np.bincount(x, weights))
    batched = fg.vmap(lambda x: fnp.bincount(x, length=9))(x.reshape(5, 10))
    same(batched, np.stack([np.bincount(row, minlength=9) for row in x.reshape(5, 10)]))
    gradient = fg.grad(lambda w: fnp.bincount(fnp.array([0, 2, 2]), w)[2])(fnp.ones(3))
    same(gradient, np.array([0.0, 1, 1]))


def test_a_negative_number_is_found_when_a_compiled_count_is_read() -> None:
    counts = fg.jit(lambda x: fnp.bincount(x, length=3))(np.array([0, -1]))
    with pytest.raises(errors.ArgumentError, match="negative"):
        np.asarray(counts)


def test_data_that_are_not_finite_are_found_when_a_compiled_histogram_is_read() -> None:
    counts, _ = fg.jit(fnp.histogram)(np.array([0.0, np.nan]))
    with pytest.raises(errors.ArgumentError, match="not finite"):
        np.asarray(counts)


@settings(max_examples=40)
@given(
    st.lists(st.floats(-5, 5, width=32), max_size=6),
    st.lists(st.integers(-5, 5), max_size=6),
    st.booleans(),
    st.booleans(),
)
def test_digitize(values: list[float], edges: list[int], right: bool, descending: bool) -> None:
    x = np.array(values, np.float32)
    bins = np.sort(np.array(edges, np.float32))[:: -1 if descending else 1]
    same(fnp.digitize(fnp.asarray(x), fnp.asarray(bins), right), np.digitize(x, bins, right))
    same(fnp.digitize(x, np.array(bins, np.float64), right), np.digitize(x, bins, right))


def test_digitize_by_traced_edges() -> None:
    x = np.array([-1.0, 0.0, 0.3, 2.0, 5.0, np.nan])
    for bins in ([0.0, 1.0, 2.0], [2.0, 1.0, 0.0]):
        for right in (False, True):
            found = fg.jit(lambda x, b, right=right: fnp.digitize(x, b, right))(x, np.array(bins))
            same(found, np.digitize(x, bins, right))
