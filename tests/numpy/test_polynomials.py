"""Polynomials, against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, ConcretizationError, DTypeError, ShapeError

from .surface import Call, agree, arrays, call, calls, shaped

KINDS = st.sampled_from("iFC")


def polynomials(kinds="iFC", low=-4):
    return shaped(st.integers(1, 5), kinds, low=low)


@pytest.mark.parametrize("name", ["polyadd", "polysub"])
@given(call(polynomials(), polynomials()))
def test_sums(name, drawn):
    agree(name, drawn)


@given(call(polynomials(), polynomials()))
def test_products(drawn):
    agree("polymul", Call(drawn.args, {}), reference=lambda a, b: np.convolve(a, b), absolute=4)
    trimmed = lambda module, a, b: module.polymul(a, b, **({} if module is np else {"trim_leading_zeros": True}))  # noqa: E731
    agree(trimmed, drawn, absolute=4)


@given(polynomials("iF"), polynomials("F", low=1))
def test_quotients(u, v):
    trimmed = lambda module, u, v: module.polydiv(u, v, **({} if module is np else {"trim_leading_zeros": True}))  # noqa: E731
    with np.errstate(all="ignore"):
        quotient, rest = np.polydiv(u, v)
    if np.abs(rest).min() > 1e-4 or np.abs(rest).max() == 0:  # rounding decides about the length of others
        agree(trimmed, Call((u.astype(np.float64), v.astype(np.float64))), ulps=4096, floor=100)
    found, left = fnp.polydiv(u, v)
    assert left.size == max(min(u.size, v.size - 1), 1)
    again = np.polyadd(np.convolve(np.asarray(found, float), v), np.asarray(left, float))
    np.testing.assert_allclose(again[-u.size :], u, atol=1e-3 * (1 + np.abs(quotient).max() ** 2))


@given(call(polynomials(), st.integers(-1, 6)))
def test_derivatives_of_polynomials(drawn):
    agree("polyder", drawn)


@given(
    calls(
        call(polynomials(), st.integers(-1, 3)),
        call(polynomials(), st.integers(0, 3), st.sampled_from([2, [1.5], [1.0, 2.0], [1, 2, 3]])),
    )
)
def test_integrals_of_polynomials(drawn):
    agree("polyint", drawn, same_dtype=drawn.args[0].dtype != np.int32)


@given(call(shaped(st.integers(0, 5), "iFC"), arrays("iFC")))
def test_values(drawn):
    kinds = {x.dtype.kind for x in drawn.args}
    agree("polyval", drawn, absolute=16, same_dtype=len(kinds) == 1)


def test_a_long_polynomial():
    p = np.random.default_rng(0).normal(size=100).astype(np.float32)
    x = np.linspace(-1, 1, 7, dtype=np.float32)
    agree("polyval", Call((p, x)), compiled=True)
    slope = fg.vmap(fg.grad(lambda x: fnp.polyval(p, x)))(x)
    np.testing.assert_allclose(slope, np.polyval(np.polyder(p), x), rtol=1e-3, atol=1e-3)


@given(call(polynomials("iF")))
def test_poly_of_zeros(drawn):
    agree("poly", drawn, absolute=4)


def test_poly_of_pairs_and_matrices():
    pairs = np.array([1 + 1j, 1 - 1j, 2], np.complex64)
    assert fnp.poly(pairs).dtype == np.complex64
    np.testing.assert_allclose(fnp.poly(pairs), np.poly(pairs), atol=1e-5)
    matrix = np.array([[1, 2, 0], [-3, 1, 1], [0, 5, 2]], np.float32)
    for found in (fnp.poly(matrix), fg.jit(fnp.poly)(matrix)):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, np.poly(matrix), rtol=1e-4)
    assert np.array_equal(fnp.poly([]), [1])
    assert np.array_equal(fnp.poly(3.0), [1, -3])


def in_order(zeros):
    return np.sort_complex(np.round(np.asarray(zeros).astype(np.complex128), 3))


@pytest.mark.parametrize(
    "p",
    [[1, -3, 2], [0, 0, 2, -4], [1, 0, 1, 0, 0], [5], [0, 0], [], [2, 0, 0], [1.0, 2, 3, 4, 5], [1j, 2, -1]],
    ids=str,
)
def test_roots(p):
    p = np.asarray(p)
    with fg.config(default_float="float64"):
        found = fnp.roots(p)
        assert found.dtype == np.complex128
        np.testing.assert_allclose(in_order(found), in_order(np.roots(p)), atol=1e-3)


def test_roots_compiled_and_differentiated():
    p = np.array([2.0, -3.0, -1.0, 1.0])
    found = fg.jit(lambda p: fnp.roots(p, strip_zeros=False))(p)
    np.testing.assert_allclose(in_order(found), in_order(np.roots(p)), atol=1e-6)

    def largest(p):
        return fnp.max(fnp.roots(p, strip_zeros=False).real)

    slope, step = fg.grad(largest)(fnp.asarray(p)), 1e-6
    for i in range(p.size):
        moved = [np.max(np.roots(p + sign * step * (np.arange(p.size) == i)).real) for sign in (1, -1)]
        assert abs((moved[0] - moved[1]) / (2 * step) - slope[i]) < 1e-5


# -- fitting -----------------------------------------------------------------------------------------------------------

RANDOM = np.random.default_rng(5)
X = np.linspace(-1, 2, 9)
Y = 2 * X**2 - X + 0.5 + 0.1 * RANDOM.normal(size=9)
W = RANDOM.uniform(0.5, 2, 9)
FITS = [
    {},
    {"w": W},
    {"full": True},
    {"cov": True},
    {"cov": "unscaled", "w": W},
    {"rcond": 0.5},
    {"full": True, "w": W},
]


@pytest.mark.parametrize("options", FITS, ids=str)
@pytest.mark.parametrize("deg", [0, 2])
def test_fit(options, deg):
    for y in (Y, np.stack([Y, Y[::-1], X], 1)):
        agree("polyfit", Call((X, y, deg), options), ulps=1e6)


def test_fit_in_single_precision_compiled_and_differentiated():
    x, y = X.astype(np.float32), Y.astype(np.float32)
    expected = np.polyfit(X, Y, 2)
    np.testing.assert_allclose(fnp.polyfit(x, y, 2), expected, rtol=1e-4)
    found, covariance = fg.jit(lambda x, y: fnp.polyfit(x, y, 2, cov=True))(x, y)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    np.testing.assert_allclose(covariance, np.polyfit(X, Y, 2, cov=True)[1], rtol=1e-2)
    slope = fg.jacrev(lambda y: fnp.polyfit(fnp.asarray(X), y, 2))(fnp.asarray(Y))
    np.testing.assert_allclose(slope, np.linalg.pinv(np.vander(X, 3)), atol=1e-8)  # the fit is linear in y


LINE = fnp.array([1.0, 2.0])
MISTAKES = [
    (
        lambda: fnp.polyadd(fnp.ones((2, 2)), LINE),
        ShapeError,
        "polyadd takes the coefficients of a polynomial as a vector, got shape (2, 2)",
    ),
    (lambda: fnp.polyder(LINE, -1), ArgumentError, "polyder: m=-1; expected how often, 0 or more"),
    (
        lambda: fnp.polyint(LINE, 3, [1, 2]),
        ArgumentError,
        "polyint: 2 constants k for m=3 integrals; give one number, or one for each",
    ),
    (
        lambda: fnp.poly(fnp.ones((2, 3))),
        ShapeError,
        "poly takes a vector of zeros or a square matrix that is not empty, got shape (2, 3)",
    ),
    (
        lambda: fnp.roots(fnp.ones((2, 3))),
        ShapeError,
        "roots takes the coefficients of a polynomial as a vector, got shape (2, 3)",
    ),
    (
        lambda: fg.jit(fnp.roots)(LINE),
        ConcretizationError,
        "roots: how many coefficients are 0 decides about the shape of the result, and is not known while tracing; say "
        "strip_zeros=False, or call roots outside the transformation",
    ),
    (
        lambda: fg.jit(lambda p: fnp.polymul(p, p, trim_leading_zeros=True))(LINE),
        ConcretizationError,
        "polymul: how many coefficients are 0 decides about the shape of the result, and is not known while tracing; "
        "say trim_leading_zeros=False, or call polymul outside the transformation",
    ),
    (lambda: fnp.polyfit(LINE, LINE, -1), ArgumentError, "polyfit: deg=-1; expected 0 or more"),
    (
        lambda: fnp.polyfit(LINE, fnp.ones(3), 1),
        DTypeError,
        "polyfit takes places of shape (m,), m > 0, and values of shape (m,) or (m, k); got (2,), (3,)",
    ),
    (
        lambda: fnp.polyfit(LINE, LINE, 1, w=fnp.ones(3)),
        DTypeError,
        "polyfit: weights w of shape (3,); expected (2,), one for each point",
    ),
    (
        lambda: fnp.polyfit(LINE, LINE, 1, cov=True),
        ArgumentError,
        'polyfit: the covariance of 2 coefficients needs more than 2 points, not 2; cov="unscaled" does without',
    ),
]


@pytest.mark.parametrize(("function", "error", "message"), MISTAKES)
def test_messages(function, error, message):
    with pytest.raises(error) as caught:
        function()
    assert caught.value.message == message
