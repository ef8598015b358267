"""Dtypes: names, defaults, and promotion against NumPy's table, with the one documented exception."""

from __future__ import annotations

from itertools import product
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.core import dtypes as dt

STANDARD = (dt.BOOL, *dt.INTEGERS, dt.FLOAT16, dt.FLOAT32, dt.FLOAT64, *dt.COMPLEXES)


def expected_promotion(one: np.dtype, two: np.dtype) -> np.dtype:
    """NumPy's, but an integer array with an inexact one gives the inexact dtype."""
    for integer, inexact in ((one, two), (two, one)):
        if dt.is_integer(integer) and dt.is_inexact(inexact):
            return inexact
    return np.promote_types(one, two)


@pytest.mark.parametrize(("one", "two"), list(product(STANDARD, STANDARD)), ids=str)
def test_promotion_is_numpys(one: np.dtype, two: np.dtype) -> None:
    assert dt.promote(one, two) == expected_promotion(one, two)
    assert (fnp.ones(2, one) + fnp.ones(2, two)).dtype == expected_promotion(one, two)


@pytest.mark.parametrize("dtype", dt.ALL, ids=str)
@pytest.mark.parametrize("scalar", [True, 1, 1.0, 1j], ids=lambda s: type(s).__name__)
def test_python_scalars_adopt_the_arrays_dtype_unless_their_kind_is_higher(dtype: np.dtype, scalar: Any) -> None:
    found = dt.promote(dtype, type(scalar))
    assert found == dt.promote(type(scalar), dtype)
    kinds = [bool, int, float, complex]
    if kinds.index(type(scalar)) <= kinds.index(dt.scalar_kind(dtype)):
        assert found == dtype
    elif isinstance(scalar, complex) and dt.is_float(dtype):
        assert found == dt.complex_dtype(dtype)
    else:
        assert found == dt.scalar_dtype(type(scalar))


@pytest.mark.parametrize(("one", "two"), list(product((bool, int, float, complex), repeat=2)), ids=lambda t: t.__name__)
def test_two_python_scalars_give_the_higher_kind(one: type, two: type) -> None:
    assert dt.promote(one, two) is type(one(1) + two(1)) or {one, two} == {bool}


def test_promotion_is_commutative_and_never_loses_kind() -> None:
    allowed = [d for d in dt.ALL if d not in dt.FLOAT8]
    for one, two in product(allowed, allowed):
        found = dt.promote(one, two)
        assert found == dt.promote(two, one)
        if {one, two} & {np.dtype(np.uint64)} and {one, two} & set(dt.SIGNED):
            assert found == dt.FLOAT64  # as in NumPy: no integer dtype holds both
        else:
            assert dt._KIND[found] == max(dt._KIND[one], dt._KIND[two])


def test_the_ml_dtypes() -> None:
    assert dt.promote(dt.BFLOAT16, dt.FLOAT16) == dt.FLOAT32
    assert dt.promote(dt.BFLOAT16, np.dtype(np.int64)) == dt.BFLOAT16
    assert dt.promote(dt.FLOAT8[0], dt.BFLOAT16) == dt.BFLOAT16
    assert dt.promote(dt.BFLOAT16, dt.COMPLEX64) == dt.COMPLEX64
    for one, two in product(dt.FLOAT8, repeat=2):
        if one != two:
            with pytest.raises(errors.DTypeError, match="have no common dtype"):
                dt.promote(one, two)


def test_defaults_follow_the_configuration() -> None:
    assert (dt.default_float(), dt.default_int(), dt.default_complex()) == ("float32", "int32", "complex64")
    with fg.config(default_float="float64", default_int="int64"):
        assert (dt.default_float(), dt.default_int(), dt.default_complex()) == ("float64", "int64", "complex128")
        assert dt.promote(np.dtype(np.int8), float) == np.float64
        assert fnp.zeros(1).dtype == np.float64
    assert dt.promote(np.dtype(np.int8), float) == np.float32


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("float32", np.float32), (np.float64, np.float64), (float, np.float32), (int, np.int32), (bool, np.bool_),
        (complex, np.complex64), ("bfloat16", ml_dtypes.bfloat16), (ml_dtypes.float8_e5m2, ml_dtypes.float8_e5m2),
        (">f4", np.float32), ("<i8", np.int64), (np.dtype("u2"), np.uint16),
    ],
    ids=str,
)  # fmt: skip
def test_canonical(given: Any, expected: Any) -> None:
    found = dt.canonical(given)
    assert isinstance(found, np.dtype)
    assert found == np.dtype(expected)
    assert found.isnative


@pytest.mark.parametrize("given", [object, str, "S3", "datetime64[s]", np.longdouble, [("a", int)], "float99", 3.5])
def test_what_is_not_numeric_is_refused(given: Any) -> None:
    with pytest.raises(errors.DTypeError):
        dt.canonical(given)


def test_classification() -> None:
    assert [dt.is_integer(d) for d in (dt.BOOL, dt.INT32, dt.BFLOAT16, dt.COMPLEX64)] == [False, True, False, False]
    assert [dt.is_float(d) for d in (dt.BOOL, dt.INT32, dt.BFLOAT16, dt.COMPLEX64)] == [False, False, True, False]
    assert [dt.is_inexact(d) for d in (dt.BOOL, dt.INT32, dt.BFLOAT16, dt.COMPLEX64)] == [False, False, True, True]
    assert dt.real_dtype(dt.COMPLEX128) == dt.FLOAT64
    assert dt.is_low_precision(dt.FLOAT8[0])
    assert not dt.is_low_precision(dt.FLOAT32)


def test_limits() -> None:
    for dtype in dt.FLOATS:
        assert float(dt.finfo(dtype).max) > 0
    for dtype in dt.INTEGERS:
        assert dt.iinfo(dtype).max == np.iinfo(dtype).max
