"""The messages of mistakes with special functions, word for word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import funcgrad as fg
import funcgrad.scipy.special as special

MESSAGES: tuple[tuple[Callable[[], Any], str], ...] = (
    (
        lambda: special.gamma(1j),
        "gamma takes real numbers here, not complex64; use x.real or abs(x)",
    ),
    (
        lambda: special.comb(3, 2, exact=True),
        "comb: exact=True asks for integers of any length, which no array holds; "
        "leave it out, or use math.comb on Python ints",
    ),
    (
        lambda: special.bernoulli(-1),
        "bernoulli: n=-1, but it must be a Python int that is 0 or more: it is a shape",
    ),
    (
        lambda: fg.grad(lambda n: special.polygamma(n, 2.0))(1.0),
        "polygamma is not differentiable in its order n, which is a whole number, only in its second operand; "
        "wrap the first one in fg.stop_gradient(…)",
    ),
    (
        lambda: fg.jit(lambda n: special.sph_harm_y(n, 0, 0.1, 0.2))(1),
        "sph_harm_y: n is a traced array of shape (), but how many steps the recurrence has depends on its largest "
        "value. Pass that as a Python int: sph_harm_y(n, m, theta, phi, n_max=…)",
    ),
)


@pytest.mark.parametrize(("call", "message"), MESSAGES)
def test_message(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(fg.errors.FuncgradError) as caught:
        call()
    assert str(caught.value).endswith(message)
