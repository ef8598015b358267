"""Integrals that have no elementary form: exponential, sine and cosine integrals, Fresnel's, and the dilogarithm

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF), chapters 6, 7, 8 and 25.
"""

from __future__ import annotations

from math import factorial, pi, sqrt
from typing import Any

import numpy as np

from ..errors import DifferentiationError
from ..ops.bits import and_
from ..ops.elementwise import absolute, eq, floor, ge, gt, lt, minimum, mul, neg
from ..ops.elementwise import where as select
from ..ops.exponential import exp, log
from ..ops.scipy_modules import scipy_module
from ..ops.structure import full
from ..ops.trigonometry import cos, sin
from .family import Fit, Special, at_least, iterate, log_1p, polynomial, where
from .gamma import is_whole

__all__ = ["cosine_integral", "exp1", "expi", "expn", "fresnel_c", "fresnel_s", "sine_integral", "spence"]

_EULER = float(np.euler_gamma)


def _beyond(bound: float) -> Any:
    """The map of [bound, ∞] to [-1, 1], and its inverse in NumPy, for functions with an asymptotic series."""
    return lambda x: (x - 2 * bound) / x, lambda t: 2 * bound / np.maximum(1 - t, 1e-300)


def _summed(terms: Any) -> Any:
    return sum(terms)


def _odd(x: Any, size: Any) -> Any:
    """An odd function, from what it is for |x|."""
    return where(lt(x, full(x.type, 0.0)), -size, where(eq(x, full(x.type, 0.0)), x, size))


# -- exponential integrals -------------------------------------------------------------------------------------------


def _entire(sign: float) -> Any:
    """Σ signᵏ⁻¹ xᵏ⁻¹ / (k k!), in NumPy: DLMF 6.6.1 and 6.6.2 without the logarithm."""
    return lambda x: sum(sign ** (k - 1) * x ** (k - 1) / (k * factorial(k)) for k in range(1, 70))


def _asymptotic(sign: float, x: np.ndarray) -> np.ndarray:
    return sum(sign**k * factorial(k) / x**k for k in range(38))  # type: ignore[return-value]


def _decaying_samples(t: np.ndarray) -> np.ndarray:
    x = _DECAYING_FROM(t)
    near = np.minimum(x, 45.0)
    exact = scipy_module("special").exp1(near) * np.exp(near) * near
    return np.where(x > near, _asymptotic(-1, np.maximum(x, 40.0)), exact)


_DECAYING_TO, _DECAYING_FROM = _beyond(1.0)
_DECAYING = Fit(_decaying_samples, -1.0, 1.0)
_NEAR_DECAYING = Fit(_entire(-1.0), -0.1, 1.1)
_NEAR_GROWING = Fit(lambda x: _entire(1.0)(x) * np.exp(-x) * (1 + x), 0.0, 6.5)
_GROWING = Fit(lambda u: scipy_module("special").expi(1 / u) * np.exp(-1 / u) / u, 1 / 40, 1 / 5.9)


def exponential_integral_1(x: Any) -> Any:
    """E₁(x)."""
    near, far = minimum(x, full(x.type, 1.0)), at_least(x, 1.0)
    small = near * _NEAR_DECAYING(near) - log(near) - _EULER
    large = exp(-far) / far * _DECAYING(_DECAYING_TO(minimum(far, full(x.type, 1e300))))
    return where(gt(x, full(x.type, 1.0)), large, small)


class Exp1(Special):
    """E₁(x) = ∫₁^∞ exp(-x t) / t dt; NaN for negative x."""

    scipy, formula = "exp1", staticmethod(exponential_integral_1)
    pushforwards = (lambda dx, out, x: mul(dx, neg(exp(neg(x)) / x)),)


def exponential_integral(x: Any) -> Any:
    """Ei(x)."""
    positive = at_least(x, 0.0)
    near = minimum(positive, full(x.type, 6.0))
    small = near * _NEAR_GROWING(near) * exp(near) / (1.0 + near) + (log(near) + _EULER)
    far = at_least(positive, 6.0)
    series = polynomial(1.0 / at_least(far, 40.0), [float(factorial(k)) for k in range(38)])
    half = exp(0.5 * minimum(far, full(x.type, 1500.0)))  # in two factors: the exponential leaves the range before Ei
    middle = gt(full(x.type, 40.0), far)
    large = half * (where(middle, _GROWING(1.0 / far), series) / far) * half
    right = where(gt(x, full(x.type, 6.0)), large, small)
    left = -exponential_integral_1(at_least(-x, 0.0))
    result = where(lt(x, full(x.type, 0.0)), left, right)
    return where(eq(x, full(x.type, np.inf)), np.inf, result)


class Expi(Special):
    """Ei(x) = ∫ exp(t) / t dt from -∞ to x, a principal value."""

    scipy, formula = "expi", staticmethod(exponential_integral)
    pushforwards = (lambda dx, out, x: mul(dx, exp(x) / x),)


_DIGAMMA = [sum(1 / j for j in range(1, k + 1)) - _EULER for k in range(24)]  # at k + 1: DLMF 5.4.14


def generalized_exponential_integral(n: Any, x: Any) -> Any:
    """Eₙ(x): DLMF 8.19.8 for x ≤ 1, else the continued fraction 8.19.17."""
    near = minimum(x, full(x.type, 1.0))
    opposite, logarithm = -near, log(near)
    term, total = full(x.type, 1.0), full(x.type, 0.0)
    for k in range(24):
        special = eq(n, full(n.type, k + 1.0))
        regular = -term / where(special, 1.0, (k + 1.0) - n)
        total = total + where(special, term * (_DIGAMMA[k] - logarithm), regular)
        term = term * opposite * (1 / (k + 1))
    far = at_least(x, 1.0)

    def step(number: Any, value: Any, c: Any, d: Any) -> Any:
        numerator = -number * (n - 1.0 + number)
        denominator = far + n + 2.0 * number
        d = 1.0 / (denominator + numerator * d)
        c = denominator + numerator / c
        change = c * d
        going = gt(absolute(change - 1.0), full(x.type, 2.0**-51))
        return going, [where(going, value * change, value), c, d]

    first = 1.0 / (far + n)
    fraction = iterate(step, [first, full(x.type, 1e300), first], 1000)[0] * exp(-far)
    result = where(gt(x, full(x.type, 1.0)), fraction, total)
    result = where(eq(n, full(n.type, 0.0)), exp(-x) / x, result)
    at_zero = where(gt(n, full(n.type, 1.0)), 1.0 / (n - 1.0), np.inf)
    result = where(eq(x, full(x.type, 0.0)), at_zero, where(eq(x, full(x.type, np.inf)), 0.0, result))
    defined = and_(and_(is_whole(n), ge(n, full(n.type, 0.0))), ge(x, full(x.type, 0.0)))
    return where(defined, result, np.nan)


def _no_order(*_: Any) -> Any:
    raise DifferentiationError(
        "expn is not differentiable in its order n, which is a whole number, only in its second operand; "
        "wrap the first one in fg.stop_gradient(…)"
    )


def _expn_slope(dx: Any, out: Any, n: Any, x: Any) -> Any:
    # DLMF 8.19.13, and the derivative of exp(-x) / x
    lowest = eq(n, full(n.type, 0))
    lower = expn(select(lowest, full(n.type, 0), n - 1), x)
    return mul(dx, neg(select(lowest, out * (1 + 1 / x), lower)))


class Expn(Special):
    """Operands (n, x): Eₙ(x) = ∫₁^∞ exp(-x t) / tⁿ dt for n = 0, 1, 2, … given as floats."""

    scipy, formula = "expn", staticmethod(generalized_exponential_integral)
    pushforwards = (_no_order, _expn_slope)

    def compute(self, *operands: np.ndarray) -> np.ndarray:
        n, x = operands
        valid = (n >= 0) & (n == np.floor(n))
        result = scipy_module("special").expn(np.where(valid, n, 1).astype(np.int64), x.astype(np.float64))
        return np.where(valid & (x >= 0), result, np.nan).astype(x.dtype)


# -- sine and cosine integrals ---------------------------------------------------------------------------------------


def _auxiliary(x: np.ndarray) -> Any:
    """x f(x) + i x² g(x), the auxiliary functions of DLMF 6.2: exp(ix) E₁(ix) = g - i f, and its asymptotic series."""
    near = np.minimum(x, 60.0)
    scaled = np.conj(scipy_module("special").exp1(1j * near) * np.exp(1j * near))
    exact = near * scaled.imag + 1j * near**2 * scaled.real
    inverse = 1 / np.maximum(x, 50.0) ** 2
    f = sum((-1) ** k * factorial(2 * k) * inverse**k for k in range(22))
    g = sum((-1) ** k * factorial(2 * k + 1) * inverse**k for k in range(22))
    return np.where(x > near, f + 1j * g, exact)


_TRIG_TO, _TRIG_FROM = _beyond(4.0)
_TRIG_F = Fit(lambda t: _auxiliary(_TRIG_FROM(t)).real, -1.0, 1.0)
_TRIG_G = Fit(lambda t: _auxiliary(_TRIG_FROM(t)).imag, -1.0, 1.0)
_SINE_NEAR = Fit(lambda y: _summed((-y) ** k / ((2 * k + 1) * factorial(2 * k + 1)) for k in range(30)), 0.0, 17.0)
_COSINE_NEAR = Fit(lambda y: _summed((-y) ** (k - 1) / (-2 * k * factorial(2 * k)) for k in range(1, 30)), 0.0, 17.0)


def _sine_and_cosine(x: Any) -> tuple[Any, Any]:
    """Si and Ci for x ≥ 0."""
    near, far = minimum(x, full(x.type, 4.0)), minimum(at_least(x, 4.0), full(x.type, 1e300))
    t = _TRIG_TO(far)
    f, g = _TRIG_F(t) / far, _TRIG_G(t) / far / far
    sine, cosine = sin(far), cos(far)
    large = gt(x, full(x.type, 4.0))
    square = near * near
    si = where(large, 0.5 * pi - f * cosine - g * sine, near * _SINE_NEAR(square))
    ci = where(large, f * sine - g * cosine, _EULER + log(near) + square * _COSINE_NEAR(square))
    return si, ci


class SineIntegral(Special):
    """Si(x) = ∫₀ˣ sin(t) / t dt."""

    pushforwards = (lambda dx, out, x: mul(dx, _sinc(x)),)

    def compute(self, *operands: np.ndarray) -> np.ndarray:
        return scipy_module("special").sici(*operands)[0]

    @staticmethod
    def formula(x: Any) -> Any:
        """Si(x)."""
        return _odd(x, _sine_and_cosine(absolute(x))[0])


def _sinc(x: Any) -> Any:
    """sin(x) / x, with the derivatives of 1 - x² / 6 at 0."""
    zero = eq(x, full(x.type, 0))
    return select(zero, 1 - x * x / 6, sin(x) / select(zero, full(x.type, 1), x))


class CosineIntegral(Special):
    """Ci(x) = γ + log x + ∫₀ˣ (cos(t) - 1) / t dt; for negative x the real part, Ci(-x)."""

    pushforwards = (lambda dx, out, x: mul(dx, cos(x) / x),)

    def compute(self, *operands: np.ndarray) -> np.ndarray:
        return scipy_module("special").sici(*operands)[1]

    @staticmethod
    def formula(x: Any) -> Any:
        """Ci(x)."""
        return _sine_and_cosine(absolute(x))[1]


# -- Fresnel integrals -----------------------------------------------------------------------------------------------


def _fresnel_auxiliary(u: np.ndarray) -> Any:
    """π x f(x) + i π² x³ g(x), the auxiliary functions of DLMF 7.2, at x = u⁻¹ᐟ⁴: DLMF 7.5."""
    x = u**-0.25
    pair = 0.5 * (1 + 1j) * scipy_module("special").wofz(0.5 * sqrt(pi) * (1 + 1j) * x)
    return pi * x * pair.imag + 1j * pi**2 * x**3 * pair.real


_FRESNEL_BOUND = 1.6
_FRESNEL_F = Fit(lambda u: _fresnel_auxiliary(u).real, 0.0, _FRESNEL_BOUND**-4)
_FRESNEL_G = Fit(lambda u: _fresnel_auxiliary(u).imag, 0.0, _FRESNEL_BOUND**-4)
_FRESNEL_S = Fit(lambda y: scipy_module("special").fresnel(y**0.25)[0] / y**0.75, 0.0, 1.65**4)
_FRESNEL_C = Fit(lambda y: scipy_module("special").fresnel(y**0.25)[1] / y**0.25, 0.0, 1.65**4)


def _half_circle(x: Any) -> Any:
    """π x² / 2 less whole circles, with the digits that squaring x loses."""
    high = floor(x * 16.0) * 0.0625
    square = high * high
    return 0.5 * pi * ((square - 4.0 * floor(square * 0.25)) + (x - high) * (x + high))


def _fresnel(x: Any, cosine: bool) -> Any:
    size = absolute(x)
    near = minimum(size, full(x.type, _FRESNEL_BOUND))
    far = minimum(at_least(size, _FRESNEL_BOUND), full(x.type, 1e8))
    square = near * near
    small = near * _FRESNEL_C(square * square) if cosine else near * square * _FRESNEL_S(square * square)
    inverse = 1.0 / (far * far)
    u = inverse * inverse
    f, g = _FRESNEL_F(u) / (pi * far), _FRESNEL_G(u) * inverse / (pi**2 * far)
    angle = _half_circle(far)
    wave = f * sin(angle) - g * cos(angle) if cosine else -f * cos(angle) - g * sin(angle)
    large = where(gt(size, full(x.type, 1e8)), 0.5, 0.5 + wave)
    return _odd(x, where(gt(size, near), large, small))


class FresnelS(Special):
    """∫₀ˣ sin(π t² / 2) dt."""

    pushforwards = (lambda dx, out, x: mul(dx, sin(mul(x, x) * (0.5 * pi))),)

    def compute(self, *operands: np.ndarray) -> np.ndarray:
        return scipy_module("special").fresnel(*operands)[0]

    @staticmethod
    def formula(x: Any) -> Any:
        """S(x)."""
        return _fresnel(x, False)


class FresnelC(Special):
    """∫₀ˣ cos(π t² / 2) dt."""

    pushforwards = (lambda dx, out, x: mul(dx, cos(mul(x, x) * (0.5 * pi))),)

    def compute(self, *operands: np.ndarray) -> np.ndarray:
        return scipy_module("special").fresnel(*operands)[1]

    @staticmethod
    def formula(x: Any) -> Any:
        """C(x)."""
        return _fresnel(x, True)


# -- the dilogarithm -------------------------------------------------------------------------------------------------

_SPENCE = Fit(lambda y: scipy_module("special").spence(1 + y) / -y, -0.55, 1.1)


def dilogarithm(x: Any) -> Any:
    """Li₂(1 - x), by reflection near 0 and inversion beyond 2: DLMF 25.12.4 and 25.12.6."""
    low, high = lt(x, full(x.type, 0.5)), gt(x, full(x.type, 2.0))
    inverse = 1.0 / at_least(x, 2.0)
    turned = where(high, inverse - 1.0, where(low, -x, x - 1.0))
    below = lt(turned, full(x.type, -0.5))  # of the inverses only those of 2 and more: reflected once more
    inside = where(below, -1.0 - turned, turned)
    base = -inside * _SPENCE(inside)
    first = log(inverse) * log_1p(-minimum(inverse, full(x.type, 0.5)))
    base = where(below, pi**2 / 6 - first - base, base)
    small = minimum(x, full(x.type, 0.5))
    product = log(small) * log_1p(-small)
    result = where(low, pi**2 / 6 - product - base, where(high, -0.5 * log(inverse) * log(inverse) - base, base))
    return where(eq(x, full(x.type, 0.0)), pi**2 / 6, where(lt(x, full(x.type, 0.0)), np.nan, result))


def _spence_slope(dx: Any, out: Any, x: Any) -> Any:
    # -log(x) / (x - 1), with the derivatives of 1 - (x - 1) / 2 + (x - 1)² / 3 at 1
    shift = x - 1
    at_one = eq(shift, full(x.type, 0))
    quotient = log(x) / select(at_one, full(x.type, 1), shift)
    return mul(dx, neg(select(at_one, 1 - shift * (0.5 - shift / 3), quotient)))


class Spence(Special):
    """∫₁ˣ log(t) / (1 - t) dt, which is the dilogarithm of 1 - x."""

    scipy, formula = "spence", staticmethod(dilogarithm)
    pushforwards = (_spence_slope,)


exp1, expi, expn = Exp1(), Expi(), Expn()
sine_integral, cosine_integral = SineIntegral(), CosineIntegral()
fresnel_s, fresnel_c, spence = FresnelS(), FresnelC(), Spence()
