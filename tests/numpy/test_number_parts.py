"""Divisors, mantissas and exponents, against NumPy."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import DTypeError

from .surface import Call, agree, arrays, calls, operands

NUMBERS = np.array(
    [
        0,
        -0.0,
        1,
        -1,
        0.75,
        3,
        np.inf,
        -np.inf,
        np.nan,
        1e-30,
        -1e30,
        np.finfo(np.float32).max,
        np.finfo(np.float32).tiny,
    ],
    np.float32,
)


def composed(function):
    """The function as traced code sees it, without the shortcut for host arrays, but not compiled."""
    return lambda *args: fg.vmap(function)(*(np.asarray(x)[None] for x in args))


@pytest.mark.parametrize("name", ["gcd", "lcm"])
@given(st.data())
def test_divisors(name, data):
    drawn = data.draw(calls(operands(2, "I", mixed=True, low=-30, high=30).map(Call), operands(2, "bif").map(Call)))
    if all(x.dtype.kind in "iu" for x in drawn.args):
        agree(name, drawn)
    elif any(x.dtype.kind == "f" for x in drawn.args):
        with pytest.raises(DTypeError, match="takes integers"):
            getattr(fnp, name)(*drawn.args)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_divisors_of_all_small_integers(dtype):
    every = np.arange(256).astype(dtype)
    for name in ("gcd", "lcm"):
        expected = getattr(np, name)(every[:, None], every)
        assert np.array_equal(fg.jit(getattr(fnp, name))(every[:, None], every), expected)
        assert np.array_equal(composed(getattr(fnp, name))(every[:, None], every)[0], expected)


@given(hnp.arrays(st.sampled_from([np.float32, np.float64]), st.integers(0, 5)))
def test_frexp_and_spacing_of_any_numbers(x):
    x = np.where(abs(x) < np.finfo(x.dtype).tiny, 0, x)  # compiled code reads subnormals as zeros
    for run in (lambda f: f(fnp.asarray(x)), lambda f: [z[0] for z in composed(f)(x)]):
        mantissa, exponent = run(fnp.frexp)
        expected = np.frexp(x)
        assert mantissa.dtype == x.dtype
        assert exponent.dtype == np.int32
        np.testing.assert_array_equal(mantissa, expected[0])
        np.testing.assert_array_equal(exponent, expected[1])
        found = run(lambda x: (fnp.spacing(x),))[0]
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(found, np.spacing(x))


@given(hnp.arrays(np.float64, 3), hnp.arrays(st.sampled_from([np.int8, np.int32, np.int64, np.uint32]), 3))
def test_ldexp_of_any_numbers(x, exponent):
    with np.errstate(all="ignore"):
        expected = np.ldexp(x, np.clip(exponent.astype(float), -5000, 5000).astype(int))
    close = {"rtol": 1e-15, "atol": 1e-307}  # subnormal results are rounded twice
    np.testing.assert_allclose(fnp.ldexp(fnp.asarray(x), exponent), expected, **close)
    np.testing.assert_allclose(composed(fnp.ldexp)(x, exponent)[0], expected, **close)


def test_compiled():
    exponents = np.array([3, -130, 200], np.int32)

    @fg.jit
    def parts(x, exponents):
        return fnp.frexp(x), fnp.spacing(x), fnp.ldexp(x[:3], exponents), fnp.ldexp(x[4], exponents)

    (mantissa, exponent), gap, *scaled = parts(NUMBERS, exponents)
    with np.errstate(all="ignore"):
        expected = np.frexp(NUMBERS)
        np.testing.assert_array_equal(mantissa, expected[0])
        np.testing.assert_array_equal(exponent, expected[1])
        normal = abs(np.spacing(NUMBERS)) >= np.finfo(np.float32).tiny
        np.testing.assert_array_equal(gap[normal], np.spacing(NUMBERS)[normal])
        np.testing.assert_array_equal(scaled[0], np.ldexp(NUMBERS[:3], exponents))
        np.testing.assert_array_equal(scaled[1], [6, 0, np.inf])


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_lesser_dtypes(dtype):
    x = np.array([0, 1.5, -6, 0.1], dtype)
    mantissa, exponent = fnp.frexp(x)
    assert mantissa.dtype == dtype
    assert np.array_equal(mantissa.astype(float) * 2.0 ** np.asarray(exponent), x.astype(float))
    assert np.array_equal(fnp.ldexp(x, [1, 2, 3, 4]), (x.astype(float) * [2, 4, 8, 16]).astype(dtype))
    expected = np.nextafter(abs(x), dtype(np.inf)) - abs(x)
    assert np.array_equal(abs(fnp.spacing(x))[1:], expected[1:])


def test_integers_become_the_default_float():
    assert fnp.frexp(fnp.arange(3))[0].dtype == np.float32
    assert fnp.ldexp(3, 2).dtype == np.float32
    assert fnp.spacing(3).dtype == np.float32


@given(calls(arrays("F").map(lambda x: Call((x,)))))
def test_spacing_of_arrays(drawn):
    agree("spacing", drawn)
    agree("frexp", drawn)


def test_derivatives():
    x = fnp.array([3.0, -0.3, 40.0])
    _, exponent = fnp.frexp(x)
    slope = fg.grad(lambda x: fnp.sum(fnp.frexp(x)[0] ** 2))(x)
    assert np.allclose(slope, 2 * fnp.frexp(x)[0] * 2.0**-exponent)
    assert np.allclose(fg.grad(lambda x: fnp.sum(fnp.ldexp(x, 3)))(x), 8)
    assert np.array_equal(fg.grad(lambda x: fnp.sum(fnp.spacing(x)))(x), np.zeros(3))
    assert np.array_equal(fg.jacfwd(lambda x: fnp.spacing(x))(x), np.zeros((3, 3)))


MISTAKES = [
    (lambda: fnp.gcd(fnp.ones(2), 1), "gcd takes integers, not float32; convert first: x.astype(int)"),
    (
        lambda: fnp.frexp(1j),
        "frexp takes real numbers, not complex64; take the parts apart: x.real, x.imag",
    ),
    (lambda: fnp.ldexp(1.0, 2.0), "ldexp takes integer exponents, not float32; for others, x1 * exp2(x2)"),
]


@pytest.mark.parametrize(("function", "message"), MISTAKES)
def test_messages(function, message):
    with pytest.raises(DTypeError) as caught:
        function()
    assert caught.value.message == message
