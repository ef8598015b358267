"""Reductions agree with NumPy over every kind of axis, with masks and initial values; empty extrema are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, DTypeError, ShapeError

from .oracle import BOOLS, COMPLEXES, FLOATS, INTS, ROW, agree

REDUCTIONS = [
    "sum",
    "prod",
    "mean",
    "var",
    "std",
    "max",
    "min",
    "any",
    "all",
    "ptp",
    "count_nonzero",
    "nansum",
    "nanprod",
    "nanmean",
    "nanvar",
    "nanstd",
    "nanmax",
    "nanmin",
]
WITH_HOLES = np.where(FLOATS > 1, np.nan, FLOATS).astype(np.float32)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1), ()])
def test_reductions_agree_with_numpy(name, axis):
    if axis == () and name.startswith("nan"):
        pytest.skip("NumPy's nan functions refuse no axes")
    for x in (FLOATS, INTS) if name == "ptp" else (FLOATS, INTS, BOOLS):
        agree(lambda m, x: getattr(m, name)(x, axis=axis), x)
    agree(lambda m, x: getattr(m, name)(x, axis=axis, keepdims=True), FLOATS)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_positions_agree_with_numpy(name, axis, keepdims):
    for x in (FLOATS, INTS, BOOLS, WITH_HOLES):
        agree(lambda m, x: getattr(m, name)(x, axis=axis, keepdims=keepdims), x)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "nancumsum", "nancumprod"])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_cumulative_functions_agree_with_numpy(name, axis):
    for x in (FLOATS, INTS, BOOLS):
        agree(lambda m, x: getattr(m, name)(x, axis=axis), x)


@pytest.mark.parametrize(
    "name",
    ["nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanargmax", "nanargmin", "nancumsum"],
)
def test_nan_is_passed_over(name):
    agree(lambda m, x: getattr(m, name)(x, axis=0), WITH_HOLES)


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "prod", "cumsum"])
def test_complex_numbers_are_reduced(name):
    agree(name, COMPLEXES)


def test_masks_and_initial_values_agree_with_numpy():
    agree(lambda m, x, b: m.sum(x, where=b, initial=2), FLOATS, BOOLS)
    agree(lambda m, x, b: m.max(x, 1, where=b, initial=0), FLOATS, BOOLS)
    agree(lambda m, x, b: m.mean(x, where=b), FLOATS, BOOLS)
    agree(lambda m, x, b: m.var(x, where=b, ddof=1), FLOATS, BOOLS)
    agree(lambda m, x, b: m.any(x, 0, where=b), INTS, BOOLS)
    agree(lambda m, x, w: m.average(x, 0, w), FLOATS, np.abs(FLOATS))
    agree(lambda m, x, w: m.average(x, 1, w), FLOATS, np.abs(ROW))
    agree(lambda m, x: m.cumulative_sum(x, axis=1, include_initial=True), FLOATS)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("bool", "int32"), ("int8", "int32"), ("uint8", "uint32"), ("int64", "int64"), ("float16", "float16")],
)
def test_sums_keep_at_least_the_default_int(dtype, expected):
    assert fnp.ones(3, dtype).sum().dtype.name == expected
    assert fnp.ones(3, dtype).cumsum().dtype.name == expected


def test_low_precision_means_do_not_overflow():
    assert float(fnp.full((4096,), 60000, "float16").mean()) == 60000


@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=3, max_side=3), elements=st.floats(-8, 8, width=16)), st.data())
def test_sums_over_any_axes_follow_numpy(x, data):
    axes = data.draw(st.sets(st.integers(-x.ndim, x.ndim - 1)).map(tuple))
    if len({axis % x.ndim for axis in axes}) < len(axes):
        with pytest.raises(AxisError, match="twice"):
            fnp.sum(fnp.asarray(x), axis=axes)
    else:
        np.testing.assert_allclose(np.asarray(fnp.sum(fnp.asarray(x), axis=axes)), x.sum(axis=axes), atol=1e-4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fnp.zeros((0,)).max(), ShapeError, "pass initial="),
        (lambda: fnp.zeros((0, 3)).min(0), ShapeError, r"shape \(0, 3\) has no elements along axis 0"),
        (lambda: fnp.zeros((0,)).argmax(), ShapeError, "no elements"),
        (lambda: fnp.ones(3).max(where=fnp.asarray([True, False, True])), ArgumentError, "pass initial="),
        (lambda: fnp.ones((2, 3)).sum(2), AxisError, "axis 2 is out of bounds"),
        (lambda: fnp.ones((2, 3)).sum("x"), AxisError, "expected an int"),
        (lambda: fnp.asarray([1j]).max(), DTypeError, "real numbers"),
    ],
)
def test_bad_reductions_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_reductions_of_nothing_follow_numpy():
    empty = fnp.zeros((0, 3))
    assert empty.max(1).shape == (0,)
    assert float(empty.sum()) == 0
    assert bool(empty.all())
    assert float(empty.max(initial=-1.0)) == -1
    assert np.isnan(float(empty.mean()))


@pytest.mark.parametrize("name", ["nanargmax", "nanargmin"])
def test_nothing_but_nan_has_no_extreme_element(name):
    x = np.array([[np.nan, np.nan], [1.0, 2.0]], np.float32)
    with pytest.raises(ArgumentError, match="nothing but NaN in f32"):
        getattr(fnp, name)(x, axis=1)
    found = fg.jit(lambda x: getattr(fnp, name)(x, axis=1))(x)
    assert found[0] == -1
    assert found[1] == getattr(np, name)(x[1])
    infinite = np.array([-np.inf, np.nan, -np.inf])
    assert getattr(fnp, name)(infinite) == getattr(np, name)(infinite)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_running_extremes_agree_with_numpy(axis):
    for name, ufunc in (("cummax", "maximum"), ("cummin", "minimum")):
        agree(
            lambda m, x, name=name, ufunc=ufunc: (
                getattr(m, ufunc).accumulate(x, axis) if m is np else getattr(m, name)(x, axis)
            ),
            FLOATS,
        )


def test_what_follows_out_has_numpys_place():
    agree(lambda m, x: m.sum(x, 0, None, None, True), FLOATS)
    agree(lambda m, x: m.max(x, 0, None, True), FLOATS)
    agree(lambda m, x: m.std(x, 1, None, None, 1, True), FLOATS)
    agree(lambda m, x: x.mean(0, None, None, True), FLOATS)
    for call in (lambda x: fnp.sum(x, out=x), lambda x: x.max(0, x), lambda x: fnp.nanstd(x, out=x)):
        with pytest.raises(ArgumentError, match="out= is not supported, arrays are immutable"):
            call(fnp.ones(3))
