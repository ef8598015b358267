"""Distributions and statistics of samples against SciPy, eager and compiled, and their derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.scipy import stats
from funcgrad.scipy.stats.distribution import Distribution

INF = np.inf
SHAPES: dict[str, list[tuple[float, ...]]] = {
    "beta": [(2.0, 3.0), (0.5, 0.7), (1.0, 1.0)], "chi2": [(1.0,), (2.0,), (5.0,)], "gamma": [(0.5,), (1.0,), (3.0,)],
    "gennorm": [(1.0,), (0.7,)], "pareto": [(1.5,)], "t": [(1.0,), (5.0,)], "vonmises": [(1.0,), (20.0,)],
    "truncnorm": [(-1.0, 2.0), (2.0, 5.0), (-9.0, -8.0), (-INF, 1.0), (0.0, INF), (10.0, 12.0)],
    "wrapcauchy": [(0.3,), (0.9,)], "bernoulli": [(0.3,), (1.0,)], "binom": [(5, 0.3), (5, 1.0)],
    "betabinom": [(5, 2.0, 3.0)], "geom": [(0.3,), (1.0,)], "nbinom": [(3.0, 0.4)],
    "poisson": [(2.0,), (0.0,), (150.0,)],
}  # fmt: skip
NAMES = [name for name in stats.__all__ if isinstance(getattr(stats, name), Distribution)]
FUNCTIONS = ("logpdf", "pdf", "logpmf", "pmf", "cdf", "sf", "logcdf", "logsf", "ppf", "isf", "entropy")
REALS = np.concatenate([np.linspace(-12, 12, 25), [1e-3, 0.3, 0.9999, 30, -30, 2 * np.pi, 10.5, 11.9, np.nan]])
COUNTS = np.array([-1.0, 0, 1, 2, 3, 4, 5, 6, 7, 150, 2.5, np.nan])
PROBABILITIES = np.array([0, 1e-10, 0.1, 0.25, 0.5, 0.8, 0.99, 1, 1.1, -0.1, np.nan])
AT_INFINITE_DENSITY = {("beta", (0.5, 0.7)), ("binom", (5, 1.0)), ("geom", (1.0,)), ("poisson", (0.0,))}


def functions_of(name: str) -> list[str]:
    return [function for function in FUNCTIONS if hasattr(getattr(stats, name), function)]


def arguments(function: str, name: str) -> tuple[np.ndarray, ...]:
    if function == "entropy":
        return ()
    values = COUNTS if hasattr(getattr(stats, name), "pmf") else REALS
    return (PROBABILITIES if function in ("ppf", "isf") else values,)


def calls(name: str) -> list[tuple[str, tuple[Any, ...]]]:
    """(function, arguments): every function at every shape, plain and moved."""
    moved = (1.0,) if hasattr(getattr(stats, name), "pmf") else (0.5, 2.0)
    every = [(shape, place) for shape in SHAPES.get(name, [()]) for place in ((), moved)]
    return [(f, (*arguments(f, name), *shape, *place)) for f in functions_of(name) for shape, place in every]


def same(found: Any, expected: Any, rtol: float = 1e-9, atol: float = 1e-12, what: str = "") -> None:
    expected = np.asarray(expected)
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.asarray(found), expected, rtol=rtol, atol=atol, err_msg=what)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
def test_every_function_of_every_distribution(name: str) -> None:
    ours, theirs = getattr(stats, name), getattr(scipy.stats, name)
    rows = calls(name)
    operands = [[fnp.asarray(np.asarray(a, np.float64)) for a in args] for _, args in rows]

    def every(operands: Any, count: int) -> list[Any]:
        pairs = zip(rows[:count], operands[:count], strict=True)
        return [getattr(ours, f)(*args) for (f, _), args in pairs]

    expected = [np.asarray(getattr(theirs, f)(*args), np.float64) for f, args in rows]
    compiled = 2 * len(SHAPES.get(name, [()]))  # the density alone: others take long to compile
    for results in (every(operands, len(rows)), fg.jit(every, static_argnums=1)(operands, compiled)):
        for (function, args), found, wanted in zip(rows, results, expected, strict=False):
            assert found.dtype == np.float64
            logarithm = function.startswith("log")
            same(found, wanted, atol=1e-9 if logarithm else 1e-12, what=f"{function}{args[1:]}")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
def test_single_precision_and_promotion(name: str) -> None:
    ours, theirs = getattr(stats, name), getattr(scipy.stats, name)
    shape = SHAPES.get(name, [()])[0]
    values = np.arange(6) if hasattr(ours, "pmf") else np.linspace(0.1, 0.9, 5, dtype=np.float32)
    density = "logpmf" if hasattr(ours, "pmf") else "logpdf"
    for dtype, tolerance in (("float32", 2e-5), ("bfloat16", 0.05)):
        found = getattr(ours, density)(fnp.asarray(values).astype(dtype), *shape)
        assert found.dtype == fnp.dtype(dtype)
        same(found.astype("float32"), getattr(theirs, density)(values, *shape), tolerance, tolerance)
    assert getattr(ours, density)(1, *shape).dtype == np.float32


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_are_finite_at_the_edges_of_the_support_and_right_inside(name: str) -> None:
    ours = getattr(stats, name)
    points = np.array([-2.0, 0.0, 0.31, 1.0, 1.7, 2 * np.pi, 11.0, -INF, INF])
    points = points[np.isfinite(points)] if name == "vonmises" else points  # periodic, it has no limits
    for shape in SHAPES.get(name, [()]):
        for function in functions_of(name):
            if function in ("ppf", "isf", "entropy") or (name, shape) in AT_INFINITE_DENSITY:
                continue
            call = getattr(ours, function)
            slope = fg.vmap(fg.grad(lambda x, call=call, shape=shape: call(x, *shape)))(fnp.asarray(points))
            assert not np.isnan(np.asarray(slope)).any(), (function, shape, slope)
            if hasattr(ours, "pmf"):
                continue
            inside, step = np.array([0.31, 1.7, -2.0]), 1e-5
            with np.errstate(all="ignore"):
                high, low = (np.asarray(call(inside + d, *shape)) for d in (step, -step))
                expected = np.where(np.isfinite(high - low), (high - low) / (2 * step), 0)
            same(fnp.asarray(slope)[np.array([2, 4, 0])], expected, 1e-5, 1e-6, f"{function}{shape}")


def test_derivatives_by_parameters() -> None:
    def total(function: Any, x: float) -> Any:
        return lambda *parameters: function(x, *parameters)

    rows: list[tuple[Any, float, tuple[float, ...]]] = [
        (stats.norm.logpdf, 0.3, (0.5, 2.0)), (stats.gamma.logpdf, 1.3, (2.0, 0.1, 1.5)), (stats.t.logpdf, 0.7, (4.0,)),
        (stats.beta.logpdf, 0.3, (2.0, 3.0)), (stats.gamma.cdf, 1.3, (2.0,)), (stats.beta.logcdf, 0.3, (2.0, 3.0)),
        (stats.truncnorm.logpdf, 0.3, (-1.0, 2.0)), (stats.poisson.logpmf, 3.0, (2.5,)),
        (stats.binom.logpmf, 2.0, (5.0, 0.3)), (stats.vonmises.logpdf, 0.5, (3.0,)), (stats.pareto.logsf, 2.0, (1.5,)),
    ]  # fmt: skip
    for function, x, parameters in rows:
        numbers = [np.float64(p) for p in parameters]
        for i in range(len(numbers)):
            step = [np.float64(1e-6) if j == i else np.float64(0) for j in range(len(numbers))]
            high = total(function, np.float64(x))(*[p + d for p, d in zip(numbers, step, strict=True)])
            low = total(function, np.float64(x))(*[p - d for p, d in zip(numbers, step, strict=True)])
            slope = fg.grad(total(function, np.float64(x)), i)(*numbers)
            same(slope, (float(high) - float(low)) / 2e-6, 1e-5, 1e-7, f"{function.__qualname__} by parameter {i}")


@pytest.mark.parametrize("name", NAMES)
def test_parameters_that_are_not_allowed_give_nan(name: str) -> None:
    ours = getattr(stats, name)
    shape = SHAPES.get(name, [()])[0]
    density = ours.pmf if hasattr(ours, "pmf") else ours.pdf
    if not hasattr(ours, "pmf"):
        assert np.isnan(float(density(1.0, *shape, 0.0, -1.0)))
    if shape:
        assert np.isnan(float(density(1.0, *[-s - 2 for s in shape[:1]], *[s - 9 for s in shape[1:]])))


def test_far_tails() -> None:
    assert float(stats.norm.logsf(fnp.asarray(40.0))) == pytest.approx(scipy.stats.norm.logsf(40.0), rel=1e-6)
    assert float(stats.cauchy.cdf(-1e12)) == pytest.approx(1 / (np.pi * 1e12), rel=1e-6)
    assert float(stats.expon.logcdf(1e-20)) == pytest.approx(np.log(1e-20), rel=1e-6)
    assert float(stats.logistic.logsf(500.0)) == pytest.approx(-500, rel=1e-6)
    assert float(stats.truncnorm.logsf(31.0, 30.0, 40.0)) == pytest.approx(
        scipy.stats.norm.logsf(31.0) - scipy.stats.norm.logsf(30.0), rel=1e-5
    )
    assert float(stats.cauchy.logpdf(1e30)) == pytest.approx(scipy.stats.cauchy.logpdf(1e30), rel=1e-6)


@settings(max_examples=30)
@given(st.floats(-20, 20), st.floats(-3, 3), st.floats(0.1, 5))
def test_location_and_scale(x: float, loc: float, scale: float) -> None:
    for name in ("norm", "laplace", "logistic", "cauchy"):
        expected = getattr(scipy.stats, name).logpdf(x, loc=loc, scale=scale)
        same(getattr(stats, name).logpdf(np.float64(x), loc=loc, scale=scale), expected, 1e-6)


def test_signatures_are_those_of_the_distribution() -> None:
    assert float(stats.gamma.pdf(1.0, a=2.0, scale=3.0)) == pytest.approx(
        scipy.stats.gamma.pdf(1, 2, scale=3), rel=1e-6
    )
    assert repr(stats.gamma) == "<distribution gamma>"
    with pytest.raises(TypeError):
        stats.gamma.pdf(1.0)
    with pytest.raises(TypeError):
        stats.norm.pdf(1.0, 0.0, 1.0, 2.0)


# -- vectors -----------------------------------------------------------------------------------------------------------


def test_multivariate_normal() -> None:
    random = np.random.default_rng(0)
    cov, mean = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([0.0, 1.0])
    for x in (random.normal(size=(5, 2)), random.normal(size=2), random.normal(size=(3, 4, 2))):
        expected = scipy.stats.multivariate_normal.logpdf(x, mean, cov)
        same(stats.multivariate_normal.logpdf(x, mean, cov), expected)
        same(fg.jit(stats.multivariate_normal.pdf)(x, mean, cov), np.exp(expected))
    x = random.normal(size=(5, 2))
    same(stats.multivariate_normal.pdf(x, 0.0, 2.0), scipy.stats.multivariate_normal.pdf(x, [0, 0], 2.0))
    diagonal = np.array([2.0, 3.0])
    same(stats.multivariate_normal.pdf(x, mean, diagonal), scipy.stats.multivariate_normal.pdf(x, mean, diagonal))
    batch = np.stack([cov, np.eye(2)])
    pair = [scipy.stats.multivariate_normal.logpdf(x[i], mean, batch[i]) for i in range(2)]
    same(stats.multivariate_normal.logpdf(x[:2], mean, batch), np.array(pair))
    slope = fg.grad(lambda m: stats.multivariate_normal.logpdf(x[0], m, cov))(fnp.asarray(mean))
    same(slope, np.linalg.solve(cov, x[0] - mean))


def test_dirichlet_and_multinomial() -> None:
    alpha = np.array([2.0, 1.0, 0.5])
    x = np.random.default_rng(0).dirichlet(alpha, 4).T
    expected = scipy.stats.dirichlet.logpdf(x, alpha)
    same(stats.dirichlet.logpdf(x, alpha), expected)
    same(fg.jit(stats.dirichlet.pdf)(x[:-1], alpha), np.exp(expected), 1e-7)
    assert float(stats.dirichlet.logpdf(np.array([0.0, 0.5, 0.5]), alpha)) == -INF
    assert float(stats.dirichlet.pdf(np.array([0.1, 0.5, 0.5]), alpha)) == 0
    assert np.isnan(float(stats.dirichlet.pdf(np.array([0.1, 0.5, 0.4]), -alpha)))
    counts, p = np.array([[1, 2, 3], [1, 1, 1]]), np.array([0.2, 0.3, 0.5])
    same(stats.multinomial.pmf(counts, 6, p), scipy.stats.multinomial.pmf(counts, 6, p))


# -- samples -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"weights": np.linspace(0.1, 1, 30)}, {"bw_method": "silverman"}, {"bw_method": 0.4}]
)
def test_density_estimates(options: dict[str, Any]) -> None:
    random = np.random.default_rng(0)
    sample, points = random.normal(size=(2, 30)), random.normal(size=(2, 7))
    ours, theirs = stats.gaussian_kde(fnp.asarray(sample), **options), scipy.stats.gaussian_kde(sample, **options)
    same(ours(points), theirs(points), 1e-6)
    same(fg.jit(lambda density, x: density.logpdf(x))(ours, points), theirs.logpdf(points), 1e-6)
    same(ours.inv_cov, theirs.inv_cov, 1e-6)
    same(ours.integrate_gaussian([0, 1.0], np.eye(2)), theirs.integrate_gaussian([0, 1.0], np.eye(2)), 1e-6)
    same(ours.integrate_kde(ours), theirs.integrate_kde(theirs), 1e-6)
    line = stats.gaussian_kde(fnp.asarray(sample[0]), **options), scipy.stats.gaussian_kde(sample[0], **options)
    same(line[0].integrate_box_1d(-1, 0.5), line[1].integrate_box_1d(-1, 0.5), 1e-6)
    drawn = np.asarray(ours.resample(fg.random.key(0), (4000,)))
    np.testing.assert_allclose(np.cov(drawn), np.asarray(theirs.covariance) + np.cov(
        sample, aweights=options.get("weights"), bias=True), atol=0.15)  # fmt: skip
    with pytest.raises(AttributeError):
        ours.dataset = sample


ROWS = np.array([[3, 1, 2, 2, 1.0], [1, 1, 1, 5, 4]])


@pytest.mark.parametrize("method", ["average", "min", "max", "dense", "ordinal"])
def test_ranks(method: str) -> None:
    for axis in (None, 0, 1):
        expected = scipy.stats.rankdata(ROWS, method, axis=axis)
        same(stats.rankdata(ROWS, method, axis=axis), expected)
        same(fg.jit(lambda x, axis=axis: stats.rankdata(x, method, axis=axis))(ROWS.astype(int)), expected)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("policy", ["propagate", "omit"])
def test_modes_and_standard_errors(policy: str) -> None:
    with_nan = np.where(ROWS == 2, np.nan, ROWS)
    same(stats.rankdata(with_nan, axis=1, nan_policy=policy), scipy.stats.rankdata(with_nan, axis=1, nan_policy=policy))
    for values in (ROWS, with_nan, ROWS.astype(int)):
        for axis in (None, 0, 1):
            for keep in (False, True):
                options: dict[str, Any] = {"axis": axis, "nan_policy": policy, "keepdims": keep}
                for found, expected in zip(
                    stats.mode(values, **options), scipy.stats.mode(values, **options), strict=True
                ):
                    same(found, expected)
                same(stats.sem(values, **options), scipy.stats.sem(values, **options), 1e-5)
