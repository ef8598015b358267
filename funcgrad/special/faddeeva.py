"""The Faddeeva function w(z), the scaled complex error function

Formulas are those of M. Al Azah and S. N. Chandler-Wilde (Computation of the complex error function using modified
trapezoidal rules, SIAM Journal on Numerical Analysis 59, 2021) and of the DLMF, section 7.
"""

from __future__ import annotations

from math import exp as exponential
from math import pi, sqrt
from typing import Any

from ..ops.bits import and_
from ..ops.complex_parts import complex_, conj, imag, real
from ..ops.elementwise import absolute, floor, ge, gt, lt, maximum
from ..ops.elementwise import where as select
from ..ops.exponential import exp
from ..ops.structure import full
from .family import Special, partial

__all__ = ["wofz"]

_COUNT = 11
_STEP = sqrt(pi / (_COUNT + 1))


def _rule(z: Any, shift: float) -> Any:
    """The trapezoidal rule for 2iz/π ∫₀^∞ exp(-t²) / (z² - t²) dt with nodes at (k + shift) times the step."""
    square = z * z
    total = 0.5 / square if shift == 0 else full(z.type, 0)
    for k in range(_COUNT + 1):
        node = (k + (shift or 1)) * _STEP
        total = total + exponential(-node * node) / (square - node * node)
    return z * total * (2j * _STEP / pi)


def _quadrant(z: Any) -> Any:
    """w(z) for z in the first quadrant, of moderate size."""
    x, y = real(z), imag(z)
    place = x * (1 / _STEP)
    fraction = place - floor(place)
    between = and_(ge(fraction, full(x.type, 0.25)), lt(fraction, full(x.type, 0.75)))
    high = ge(y, maximum(x, full(y.type, pi / _STEP)))
    near = lt(y, full(y.type, pi / _STEP))
    turned = exp(z * (-2j * pi / _STEP))
    gauss = 2.0 * exp(-z * z)
    zero = full(z.type, 0)
    at_middles = _rule(z, 0.5) + select(near, gauss / (1.0 + turned), zero)
    at_multiples = _rule(z, 0) + select(near, gauss / (1.0 - turned), zero)
    plain = _rule(z, 0.5)
    return select(high, plain, select(between, at_multiples, at_middles))


def faddeeva(z: Any) -> Any:
    """w(z)."""
    x, y = real(z), imag(z)
    folded = complex_(absolute(x), absolute(y))
    size = maximum(absolute(x), absolute(y))
    far = gt(size, full(x.type, 1e7))
    inside = select(far, full(z.type, 1 + 1j), folded)
    outside = select(far, folded, full(z.type, 1 + 1j))
    result = select(far, (1j / sqrt(pi)) / outside, _quadrant(inside))
    result = select(lt(x, full(x.type, 0)), conj(result), result)
    # Of z below the real axis this is w(conj z) = conj(w(-z)); DLMF 7.4.3 leads from there.
    below = lt(y, full(y.type, 0))
    lower = 2.0 * exp(-z * z) - conj(result)
    return select(below, lower, result)


class Wofz(Special):
    """exp(-z²) erfc(-iz) for complex z."""

    accepts = "c"
    scipy, formula = "wofz", staticmethod(faddeeva)
    pushforwards = (partial(lambda: wofz, 0),)


wofz = Wofz()
