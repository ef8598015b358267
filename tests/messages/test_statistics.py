"""Golden messages of mistakes in quantiles, covariances, counts, histograms and distributions."""

from __future__ import annotations

from typing import Any

import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.scipy import stats
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
VECTOR = fnp.arange(3.0)


@mistake(errors.ArgumentError, "percentile: q must lie between 0 and 100, got 101.0")
def percentage_above_100() -> Any:
    return fnp.percentile(VECTOR, 101)


@mistake(
    errors.ArgumentError,
    "median: out= is not supported, arrays are immutable; use the returned array",
)
def median_with_out() -> Any:
    return fnp.median(VECTOR, None, VECTOR)  # type: ignore[arg-type]


@mistake(
    errors.ArgumentError,
    "quantile: method='lowest', expected one of averaged_inverted_cdf, closest_observation, hazen, higher, "
    "interpolated_inverted_cdf, inverted_cdf, linear, lower, median_unbiased, midpoint, nearest, normal_unbiased, "
    "weibull",
)
def unknown_method() -> Any:
    return fnp.quantile(VECTOR, 0.5, method="lowest")


@mistake(errors.OutOfBoundsError, "quantile of no elements: an array of shape (2, 0) is empty along axis (1,)")
def quantile_of_nothing() -> Any:
    return fnp.quantile(fnp.zeros((2, 0)), 0.5, axis=1)


@mistake(errors.ArgumentError, "quantile: weights need method=\"inverted_cdf\", not 'linear'")
def weights_for_another_method() -> Any:
    return fnp.quantile(VECTOR, 0.5, weights=VECTOR)


@mistake(errors.ShapeError, "cov: m has 3 observations and y has 2; they must be the same")
def different_numbers_of_observations() -> Any:
    return fnp.cov(VECTOR, fnp.arange(2.0))


@mistake(
    errors.ConcretizationError,
    "bincount: the length of the result is the largest number in x plus 1, but x is traced, so its values are "
    "not known. Say how long the result shall be: fnp.bincount(x, length=…)",
)
def traced_count_without_length() -> Any:
    return fg.jit(lambda x: fnp.bincount(x))(fnp.arange(3))


@mistake(errors.ArgumentError, "bincount: there is a negative number; it counts numbers from 0 on")
def negative_number_counted() -> Any:
    return fnp.bincount(fnp.array([1, -1]))


@mistake(errors.DTypeError, "bincount counts integers, not float32; convert them: x.astype(int)")
def floats_counted() -> Any:
    return fnp.bincount(VECTOR)


@mistake(
    errors.ArgumentError,
    "histogram: the range of the data is not finite; pass a finite one: range=(low, high)",
)
def histogram_of_nan() -> Any:
    return fnp.histogram(fnp.array([1.0, fnp.nan]))


@mistake(errors.ArgumentError, "histogram: the edges in bins must ascend; sort them: fnp.sort(bins)")
def edges_that_descend() -> Any:
    return fnp.histogram(VECTOR, [2.0, 1.0])


@mistake(
    errors.ConcretizationError,
    "histogram: bins='auto' finds the number of bins from the values of a, but a is traced: they are not known. "
    "Pass the number of bins: bins=10",
)
def rule_for_traced_data() -> Any:
    return fg.jit(lambda x: fnp.histogram(x, "auto"))(VECTOR)


@mistake(errors.ArgumentError, "digitize: bins must ascend or descend; sort them: fnp.sort(bins)")
def edges_without_order() -> Any:
    return fnp.digitize(VECTOR, [1.0, 3.0, 2.0])


@mistake(errors.ArgumentError, "rankdata: method='least', expected one of average, min, max, dense, ordinal")
def unknown_rank() -> Any:
    return stats.rankdata(VECTOR, "least")


@mistake(errors.DTypeError, "norm takes real numbers, not complex64")
def complex_density() -> Any:
    return stats.norm.logpdf(1j)


@pytest.mark.parametrize("row", mistake.rows, ids=lambda row: row.function.__name__)
def test_the_message(row: Mistake) -> None:
    row.check()
