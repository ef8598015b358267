"""Elementwise functions agree with NumPy, promote by NEP 50, broadcast, and refuse what has no meaning."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, DTypeError, ShapeError
from funcgrad.higher_order.jit import jit

from .oracle import BOOLS, COMPLEXES, FLOATS, INTS, POSITIVE_ROW, ROW, SPECIAL, agree

BINARY = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "floor_divide",
    "remainder",
    "fmod",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
    "arctan2",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "copysign",
    "heaviside",
    "divmod",
]
UNARY = [
    "negative",
    "positive",
    "absolute",
    "square",
    "sign",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "round",
    "fabs",
    "signbit",
    "isnan",
    "isinf",
    "isfinite",
    "isposinf",
    "isneginf",
    "isreal",
    "iscomplex",
    "real",
    "imag",
    "conj",
    "deg2rad",
    "rad2deg",
    "sinc",
    "nan_to_num",
    "modf",
    "logical_not",
    "exp",
    "exp2",
    "expm1",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "arctan",
    "arcsinh",
    "cbrt",
]
PARTIAL = ["sqrt", "log", "log2", "log10", "log1p", "arcsin", "arccos", "arccosh", "arctanh", "reciprocal"]


@pytest.mark.parametrize("name", BINARY)
def test_binary_functions_agree_with_numpy(name):
    agree(name, FLOATS, ROW)
    agree(name, INTS.astype(np.float32), FLOATS)


@pytest.mark.parametrize("name", [n for n in BINARY if n not in ("hypot", "arctan2")])
def test_binary_functions_of_integers_agree_with_numpy(name):
    agree(name, INTS, POSITIVE_ROW)
    agree(name, INTS, -POSITIVE_ROW)


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
def test_integers_divided_by_zero_give_zero_if_that_is_asked_for(name):
    with fg.config(check_division=False):
        agree(name, INTS, np.zeros(4, np.int32))


@pytest.mark.parametrize("name", UNARY + PARTIAL)
def test_unary_functions_agree_with_numpy(name):
    agree(name, FLOATS)
    if name != "reciprocal":
        agree(name, INTS)


@pytest.mark.parametrize(
    "name", ["floor", "ceil", "trunc", "rint", "sign", "signbit", "isnan", "isinf", "isfinite", "nan_to_num", "square"]
)
def test_special_values_agree_with_numpy(name):
    agree(name, SPECIAL)


@pytest.mark.parametrize(
    "name", ["remainder", "fmod", "hypot", "logaddexp", "fmax", "fmin", "maximum", "copysign", "isclose"]
)
def test_pairs_of_special_values_agree_with_numpy(name):
    agree(name, SPECIAL[:, None], SPECIAL[None])


@pytest.mark.parametrize(
    "name",
    [
        "abs",
        "angle",
        "real",
        "imag",
        "conj",
        "sqrt",
        "exp",
        "isnan",
        "isfinite",
        "isinf",
        "square",
        "negative",
        "round",
    ],
)
def test_complex_numbers_agree_with_numpy(name):
    agree(name, COMPLEXES)


@pytest.mark.parametrize("name", ["bitwise_and", "bitwise_or", "bitwise_xor"])
def test_bitwise_functions_agree_with_numpy(name):
    agree(name, INTS, POSITIVE_ROW)
    agree(name, BOOLS, BOOLS[::-1])


@pytest.mark.parametrize("name", ["left_shift", "right_shift"])
@pytest.mark.parametrize("dtype", [np.int32, np.uint8])
def test_shifts_agree_with_numpy(name, dtype):
    agree(name, INTS.astype(dtype), POSITIVE_ROW.astype(dtype))


def test_bits_are_flipped_and_counted():
    agree("invert", INTS)
    agree("invert", BOOLS)
    agree("bitwise_count", INTS)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 5, -1, -3, 2.0, 0.5, 2.5])
def test_powers_with_constant_exponents_agree_with_numpy(exponent):
    agree(lambda module, x: module.abs(x) ** exponent, FLOATS)


def test_powers_of_arrays_agree_with_numpy():
    agree(lambda module, x, y: module.power(module.abs(x), y), FLOATS, ROW)
    agree(lambda module, x, y: module.power(x, y), INTS, POSITIVE_ROW)
    agree(lambda module, x: 2**x, FLOATS)


def test_selection_agrees_with_numpy():
    agree(lambda module, c, x: module.where(c, x, 0), BOOLS, FLOATS)
    agree(lambda module, c, x, y: module.where(c, x, y), BOOLS, FLOATS, ROW)
    agree(lambda module, x: module.clip(x, -0.5, 0.5), FLOATS)
    agree(lambda module, x: module.select([x > 1, x > 0], [x, 2 * x], -1), FLOATS)
    agree(lambda module, x: module.round(x, 2), FLOATS)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("int32", 2.0, "float32"),
        ("float16", 2, "float16"),
        ("bfloat16", 2.5, "bfloat16"),
        ("int8", "float32", "float32"),
        ("float64", "float32", "float64"),
        ("bfloat16", "float16", "float32"),
        ("bool", 3, "int32"),
        ("uint8", "int8", "int16"),
        ("float32", 1j, "complex64"),
    ],
)
def test_dtypes_promote_eagerly_and_compiled(first, second, expected):
    x = fnp.ones(3, first)
    y = fnp.ones(3, second) if isinstance(second, str) else second
    assert fnp.multiply(x, y).dtype.name == expected
    assert jit(lambda a: a * y)(x).dtype.name == expected
    assert fnp.result_type(x, y).name == expected


def test_traced_python_scalars_stay_weak():
    half = fnp.ones(2, "float16")
    assert jit(lambda a, b: a * 2.5 * b)(2.0, half).dtype == np.float16
    assert jit(lambda a, b: fnp.sin(a) * b)(2, half).dtype == np.float16


@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3),
    st.sampled_from(["add", "multiply", "maximum", "less"]),
)
def test_broadcasting_follows_numpy(shapes, name):
    first, second = (np.arange(np.prod(s), dtype=np.float32).reshape(s) for s in shapes.input_shapes)
    found = getattr(fnp, name)(fnp.asarray(first), fnp.asarray(second))
    np.testing.assert_array_equal(np.asarray(found), getattr(np, name)(first, second))


@given(hnp.arrays(np.int32, 5), hnp.arrays(np.int32, 5))
def test_integer_division_follows_numpy(x, y):
    with np.errstate(all="ignore"):
        quotient, rest = np.divmod(x, y)
    with fg.config(check_division=False):
        general = np.asarray(fnp.floor_divide(x, fnp.asarray(y))), np.asarray(fnp.remainder(fnp.asarray(x), y))
    np.testing.assert_array_equal(general[0], quotient)
    np.testing.assert_array_equal(general[1], rest)


def test_low_precision_keeps_its_dtype():
    x = fnp.asarray([1.0, 2.0], dtype="bfloat16")
    for found in (x + x, x * 2, fnp.sin(x), fnp.sqrt(x), x**2, x / 3):
        assert found.dtype == ml_dtypes.bfloat16


def test_shapes_that_do_not_broadcast_are_both_named():
    with pytest.raises(ShapeError, match=r"\(2, 3\) and \(4,\) do not broadcast"):
        fnp.ones((2, 3)) + fnp.ones(4)


def test_python_ints_out_of_range_are_refused_in_arithmetic_and_compared_by_value():
    small = fnp.asarray([1, 2], dtype="uint8")
    with pytest.raises(OverflowError, match="300 is out of bounds for uint8"):
        small + 300
    assert np.asarray(small < 300).all()
    assert not np.asarray(small == -1).any()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: -fnp.asarray([True]), DTypeError),
        (lambda: fnp.asarray([True]) - fnp.asarray([True]), DTypeError),
        (lambda: fnp.floor(fnp.asarray([1j])), DTypeError),
        (lambda: fnp.asarray([1j]) < fnp.asarray([2j]), DTypeError),
        (lambda: fnp.asarray([1.0]) & 1, DTypeError),
        (lambda: fnp.asarray([1.0]) << 1, DTypeError),
        (lambda: fnp.asarray([2]) ** -1, ArgumentError),
        (lambda: fnp.add(fnp.ones(2), "a"), DTypeError),
        (lambda: fnp.where(True, 1), ArgumentError),
        (lambda: fnp.select([], []), ArgumentError),
    ],
)
def test_what_has_no_meaning_is_refused(call, error):
    with pytest.raises(error):
        call()


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "int32", "int64", "complex64", "int8", "complex128", "bfloat16"]
)
def test_choosing_among_many_elements_copies_every_bit(dtype):
    random = np.random.default_rng(0)
    mask = random.random((300, 300)) > 0.5
    x, y = (np.array(fnp.asarray(9 * random.normal(size=(300, 300))).astype(dtype)) for _ in range(2))
    if dtype.startswith(("float", "complex")):
        x[0, :5], y[0, :5] = np.nan, -0.0
    for a, b, c in ((mask, x, y), (mask.T, x.T, y), (mask, np.broadcast_to(x[:1], x.shape), y[:1])):
        assert np.asarray(fnp.where(a, b, c)).tobytes() == np.where(a, b, c).tobytes()
