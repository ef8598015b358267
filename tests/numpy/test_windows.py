"""Windows, against NumPy."""

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, DTypeError

from .surface import Call, agree

NAMES = ["bartlett", "blackman", "hamming", "hanning"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [-1, 0, 1, 2, 7, 10])
def test_windows(name, count):
    agree(name, Call((count,)))
    assert fg.jit(getattr(fnp, name), static_argnums=0)(count).dtype == np.float32


@pytest.mark.parametrize("count", [-1, 0, 1, 2, 7, 10])
@pytest.mark.parametrize("beta", [0.0, 3, 14.5, 500.0])
def test_kaiser(count, beta):
    expected = np.kaiser(count, beta)
    for found in (
        fnp.kaiser(count, beta),
        fnp.kaiser(count, fnp.asarray(beta)),
        fg.jit(lambda beta: fnp.kaiser(count, beta))(beta),
        fg.vmap(lambda beta: fnp.kaiser(count, beta))(fnp.array([beta, -1.0]))[0],
    ):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-6)


def test_kaiser_is_differentiable_in_beta():
    step, beta = 1e-5, np.float64(4.5)
    expected = (np.kaiser(8, beta + step) - np.kaiser(8, beta - step)) / (2 * step)
    for function in (fg.jacfwd, fg.jacrev):
        slope = function(lambda beta: fnp.kaiser(8, beta))(fnp.asarray(beta))
        np.testing.assert_allclose(slope, expected, atol=1e-8)


MISTAKES = [
    (lambda: fnp.hanning(2.5), ArgumentError, "hanning: M=2.5; expected the number of weights, an int"),
    (
        lambda: fnp.kaiser(3, fnp.ones(2)),
        ArgumentError,
        "kaiser: beta has shape (2,); expected a number",
    ),
    (
        lambda: fnp.kaiser(3, fnp.asarray(1j)),
        DTypeError,
        "kaiser takes real numbers, not complex64: complex numbers have no order here",
    ),
]


@pytest.mark.parametrize(("function", "error", "message"), MISTAKES)
def test_messages(function, error, message):
    with pytest.raises(error) as caught:
        function()
    assert caught.value.message == message
