"""Quantiles, medians and covariances against NumPy, eager and compiled, and their derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp

METHODS = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
)  # fmt: skip
CHOOSING = ("inverted_cdf", "closest_observation", "lower", "higher", "nearest")
_random = np.random.default_rng(3)
CUBE = _random.normal(size=(2, 3, 5))
WITH_NAN = np.where(_random.uniform(size=CUBE.shape) < 0.3, np.nan, CUBE)
WITH_NAN[0, 0] = np.nan
FRACTIONS = np.array([0.0, 0.1, 0.25, 0.5, 0.8, 1.0])


def same(found: Any, expected: Any, rtol: float = 1e-12) -> None:
    expected = np.asarray(expected)
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.asarray(found), expected, rtol=rtol, atol=rtol)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("method", METHODS)
def test_every_method_over_every_axis(method: str) -> None:
    axes = (None, 0, -1, (2, 1))
    for name, values in (("quantile", CUBE), ("nanquantile", WITH_NAN)):
        ours, theirs = getattr(fnp, name), getattr(np, name)

        def every(a: Any, q: Any, ours: Any = ours) -> list[Any]:
            return [ours(a, q, axis, method=method, keepdims=keep) for axis in axes for keep in (False, True)]

        expected = [theirs(values, FRACTIONS, axis, method=method, keepdims=k) for axis in axes for k in (False, True)]
        array, fractions = fnp.asarray(values), fnp.asarray(FRACTIONS)
        known = fg.jit(lambda a, every=every: every(a, FRACTIONS))(array)
        for results in (every(array, FRACTIONS), known, fg.jit(every)(array, fractions)):
            for found, wanted in zip(results, expected, strict=True):
                same(found, wanted)


@settings(max_examples=100)
@given(
    values=st.lists(st.sampled_from([np.nan, np.inf, -np.inf, -2.0, -0.0, 0.5, 1.0, 3.0]), min_size=1, max_size=12),
    q=st.floats(0, 1) | st.sampled_from([0, 1, 0.25, 0.5]),
    method=st.sampled_from(METHODS),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_one_quantile_of_a_small_array(values: list[float], q: float, method: str, dtype: str) -> None:
    """What is computed at once is what the general way gives."""
    x = fnp.asarray(values, dtype)
    found, general = fnp.quantile(x, q, method=method), fnp.quantile(x, [q], method=method)[0]
    assert found.type == general.type
    np.testing.assert_allclose(found, general, rtol=1e-6)
    assert fnp.quantile(x[None], q, method=method).shape == ()


@settings(max_examples=60)
@given(
    values=st.lists(st.integers(-5, 5), min_size=1, max_size=12),
    q=st.one_of(st.floats(0, 1), st.lists(st.sampled_from([0.0, 0.125, 0.25, 0.5, 0.75, 1.0]), max_size=5)),
    method=st.sampled_from(METHODS),
)
def test_quantiles_with_ties(values: list[int], q: Any, method: str) -> None:
    given_ = np.array(values)
    expected = np.quantile(given_, q, method=method)
    found = fnp.quantile(fnp.asarray(given_), q, method=method)
    assert found.dtype == (given_.dtype if method in CHOOSING else np.float32)
    same(found, expected, 1e-5)
    same(fnp.percentile(fnp.asarray(given_.astype(float)), 100 * np.asarray(q), method=method),
         np.percentile(given_.astype(float), 100 * np.asarray(q), method=method))  # fmt: skip


def test_dtypes_of_quantiles() -> None:
    single = fnp.arange(5, dtype="float32")
    assert fnp.quantile(single, 0.3).dtype == np.float32
    assert fnp.quantile(single, [0.3, 0.4]).dtype == np.float32
    assert fnp.quantile(single, np.array([0.3])).dtype == np.float64
    assert fnp.quantile(single.astype("float16"), 0.3).dtype == np.float16
    assert fnp.quantile(single.astype("bfloat16"), 0.5).dtype == fnp.bfloat16
    assert fnp.median(fnp.arange(4)).dtype == np.float32
    assert float(fnp.median(fnp.array([True, False]))) == 0.5
    assert complex(fnp.median(fnp.array([1j, 2]))) == 1 + 0.5j


def test_a_known_fraction_is_exact_whatever_the_dtype() -> None:
    numbers = fnp.arange(11, dtype="float32")
    assert float(fnp.quantile(numbers, 0.3, method="higher")) == 3.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("axis", [None, 0, (0, 2), -1])
def test_medians(axis: Any) -> None:
    for values in (CUBE, WITH_NAN, np.arange(24).reshape(2, 3, 4), np.zeros((2, 0, 1))):
        if isinstance(axis, tuple) and not values.size:
            continue  # NumPy cannot
        array = fnp.asarray(values)
        for name in ("median", "nanmedian")[: 1 + bool(values.size)]:
            for keep in (False, True):
                expected = getattr(np, name)(values, axis, keepdims=keep)
                for run in (getattr(fnp, name), fg.jit(getattr(fnp, name), static_argnames=("axis", "keepdims"))):
                    same(run(array, axis=axis, keepdims=keep), expected, 1e-7)


def test_an_infinity_is_a_median_like_any_number() -> None:
    assert float(fnp.median(fnp.array([1.0, np.inf, np.inf]))) == np.inf
    assert float(fnp.quantile(fnp.array([1.0, np.inf]), 0.0)) == 1.0


def test_the_quantiles_of_a_long_array_are_found_by_counting_when_compiled() -> None:
    values = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    found = fg.jit(lambda x: (fnp.median(x), fnp.quantile(x, fnp.array([0.1, 0.7]))))(values)
    np.testing.assert_array_equal(found[0], np.median(values))
    same(found[1], np.quantile(values, [0.1, 0.7]), 1e-6)


def test_many_quantiles() -> None:
    q = np.linspace(0, 1, 40)
    same(fnp.quantile(fnp.asarray(CUBE), q), np.quantile(CUBE, q))
    assert np.isnan(np.asarray(fnp.quantile(fnp.asarray(WITH_NAN), q))).all()


def test_weighted_quantiles() -> None:
    weights = np.array([0.0, 2.0, 1.0, 3.0, 1.0])
    for axis, w in ((2, weights), (None, np.broadcast_to(weights, CUBE.shape)), (1, np.array([1.0, 0.0, 2.0]))):
        call = {"axis": axis, "method": "inverted_cdf", "weights": w}
        expected = np.quantile(CUBE, FRACTIONS, **call)
        same(fnp.quantile(fnp.asarray(CUBE), FRACTIONS, **call), expected)
        same(fg.jit(lambda x, q, call=call: fnp.quantile(x, q, **call))(CUBE, FRACTIONS), expected)
    row = fnp.array([1.0, np.nan, 3.0])
    assert np.isnan(float(fnp.quantile(row, 0.5, weights=[1, 1, 1], method="inverted_cdf")))
    assert float(fnp.nanquantile(row, 0.7, weights=[1, 1, 1], method="inverted_cdf")) == 3.0


def test_a_traced_fraction_outside_gives_nan() -> None:
    assert np.isnan(np.asarray(fg.jit(fnp.quantile)(fnp.arange(3.0), fnp.array([1.5, -0.1])))).all()


def test_derivatives_of_quantiles() -> None:
    x = fnp.asarray(CUBE[0, 0])
    order = np.argsort(CUBE[0, 0])
    expected = np.zeros(5)
    expected[order[1]], expected[order[2]] = 0.8, 0.2
    for run in (fnp.quantile, fnp.nanquantile):
        same(fg.grad(run)(x, 0.3), expected, 1e-7)
        same(fg.jit(fg.grad(run))(x, np.float64(0.3)), expected)
    ordered = np.sort(CUBE[0, 0])
    same(fg.grad(lambda q: fnp.quantile(x, q))(np.float64(0.3)), 4 * (ordered[2] - ordered[1]))
    same(fg.grad(lambda v: fnp.median(v).sum())(fnp.asarray(CUBE[0, 0])), np.eye(5)[order[2]])
    even = fg.grad(lambda v: fnp.median(v, axis=1).sum())(fnp.array([[1.0, 5.0, 3.0, 4.0]]))
    same(even, [[0, 0, 0.5, 0.5]])
    same(fg.vmap(lambda v: fnp.median(v))(fnp.asarray(CUBE)), np.median(CUBE, axis=(1, 2)))


# -- covariances -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [
    {}, {"rowvar": False}, {"bias": True}, {"ddof": 2}, {"fweights": np.array([1, 2, 3, 1, 2])},
    {"aweights": np.array([0.5, 1, 2, 1, 1])}, {"aweights": np.array([0.5, 1, 2, 1, 1]), "ddof": 0},
    {"fweights": np.array([1, 2, 3, 1, 2]), "aweights": np.array([0.5, 1, 2, 1, 1])},
])  # fmt: skip
def test_covariances(options: dict[str, Any]) -> None:
    m, y = CUBE[0], CUBE[1]
    if options.get("rowvar") is False:
        m, y = m.T, y.T
    for arguments in ((m,), (m, y), ((m + 1j * y),), (CUBE[0, 0],)):
        if "rowvar" in options and arguments[0].ndim == 1:
            continue
        expected = np.cov(*arguments, **options)
        same(fnp.cov(*map(fnp.asarray, arguments), **options), expected, 1e-10)
        same(fg.jit(lambda *xs: fnp.cov(*xs, **options))(*arguments), expected, 1e-10)


def test_correlations() -> None:
    for arguments in ((CUBE[0],), (CUBE[0], CUBE[1]), (CUBE[0] + 1j * CUBE[1],)):
        same(fnp.corrcoef(*map(fnp.asarray, arguments)), np.corrcoef(*arguments), 1e-12)
    assert fnp.corrcoef(fnp.array([1, 2, 3]), fnp.array([1, 2, 4])).dtype == np.float32
    assert fnp.cov(fnp.arange(3), dtype="float64").dtype == np.float64
    same(fnp.cov(fnp.zeros((0, 3))), np.zeros((0, 0)))
