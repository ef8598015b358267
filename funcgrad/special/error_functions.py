"""Error functions and the normal distribution: scaled and inverse ones, Dawson's integral, Owen's T function

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF), chapter 7, of M. J. Wichura (Algorithm
AS 241, Applied Statistics 37, 1988) for the quantiles, and of D. B. Owen (Annals of Mathematical Statistics 27, 1956).
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from ..ops.elementwise import absolute, eq, floor, gt, lt, minimum, mul
from ..ops.exponential import exp, log, square
from ..ops.exponential import sqrt as square_root
from ..ops.scipy_modules import scipy_module
from ..ops.special import erf, erfc
from ..ops.structure import full, zeros_of
from .family import Fit, Special, at_least, log_1p, partial, polynomial, where

__all__ = ["dawsn", "erfcinv", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri", "owens_t"]


def _exp_square(x: Any, factor: float) -> Any:
    """exp(factor x²) with the digits that squaring x loses; the factor is a power of two."""
    high = floor(x * 16.0) * 0.0625
    # The choice, which is none, keeps engines from making one exponential of the sum: exp(a) exp(b) = exp(a + b).
    rest = where(eq(x, x), exp((x - high) * (x + high) * factor), x)
    return exp(high * high * factor) * rest


def _density(x: Any) -> Any:
    """The density of the normal distribution."""
    return mul(full(x.type, 1 / sqrt(2 * pi)), exp(mul(full(x.type, -0.5), square(x))))


# -- the scaled error function ---------------------------------------------------------------------------------------

# x ↦ (x - c) / (x + c) takes [0, ∞) to [-1, 1): Shepherd and Laframboise, Mathematics of Computation, 1981.
_CENTRE = 3.75


def _from_unit(t: np.ndarray) -> np.ndarray:
    return _CENTRE * (1 + t) / (1 - t)


def _scaled_samples(t: np.ndarray) -> np.ndarray:
    x = _from_unit(t)
    return (1 + 2 * x) * scipy_module("special").erfcx(x)


_SCALED = Fit(_scaled_samples, -1.0, 1.0)


def scaled_erfc(x: Any) -> Any:
    """exp(x²) erfc(x)."""
    size = absolute(x)
    near = minimum(size, full(x.type, 40.0))
    far = at_least(size, 40.0)
    series = polynomial(0.5 / (far * far), (1.0, -1.0, 3.0, -15.0, 105.0)) / (far * sqrt(pi))  # DLMF 7.12.1
    centre = _SCALED((near - _CENTRE) / (near + _CENTRE)) / (1.0 + 2.0 * near)
    right = where(gt(size, near), series, centre)
    return where(lt(x, full(x.type, 0.0)), 2.0 * _exp_square(near, 1.0) - right, right)


class Erfcx(Special):
    """exp(x²) erfc(x), which decays like 1/x."""

    scipy, formula = "erfcx", staticmethod(scaled_erfc)
    pushforwards = (partial(lambda: erfcx, 0),)


# -- the normal distribution -----------------------------------------------------------------------------------------


def normal_probability(x: Any) -> Any:
    """Φ(x)."""
    scaled = x * sqrt(0.5)
    return where(lt(absolute(scaled), full(x.type, 1.0)), 0.5 + 0.5 * erf(scaled), 0.5 * complement(-scaled))


def complement(x: Any) -> Any:
    """erfc(x), with more digits far out than the engine's own."""
    far = at_least(x, 1.0)
    tail = minimum(far, full(x.type, 40.0))
    return where(gt(x, full(x.type, 1.0)), _exp_square(tail, -1.0) * scaled_erfc(far), erfc(x))


class Ndtr(Special):
    """The distribution function Φ of the normal distribution."""

    scipy, formula = "ndtr", staticmethod(normal_probability)
    pushforwards = (lambda dx, out, x: mul(dx, _density(x)),)


def log_normal_probability(x: Any) -> Any:
    """log Φ(x)."""
    scaled = x * sqrt(0.5)
    far = at_least(-scaled, 0.5)
    tail = log(0.5 * scaled_erfc(far)) - far * far
    return where(lt(x, full(x.type, -1.0)), tail, log_1p(-0.5 * complement(scaled)))


class LogNdtr(Special):
    """log Φ(x), with all its digits far to the left."""

    scipy, formula = "log_ndtr", staticmethod(log_normal_probability)
    # Φ'/Φ, in which the exponentials cancel.
    pushforwards = (lambda dx, out, x: mul(dx, full(x.type, sqrt(2 / pi)) / erfcx(mul(x, full(x.type, -sqrt(0.5))))),)


# fmt: off
_QUANTILE = (
    (
        (3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
         45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727),
        (1.0, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
         39307.89580009271061, 28729.085735721942674, 5226.495278852854561),
    ),
    (
        (1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
         1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 0.00077454501427834140764),
        (1.0, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
         0.0151986665636164571966, 0.00054759380849953445, 1.05075007164441684324e-09),
    ),
    (
        (6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
         0.026532189526576123093, 0.0012426609473880784386, 2.71155556874348757815e-05, 2.01033439929228813265e-07),
        (1.0, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 0.00078686913114561325910,
         1.8463183175100546818e-05, 1.4215117583164458887e-07, 2.04426310338993978564e-15),
    ),
)
# fmt: on


def _ratio(number: int, t: Any) -> Any:
    above, below = _QUANTILE[number]
    return polynomial(t, above) / polynomial(t, below)


def quantile(beyond: Any, tail: Any) -> Any:
    """Φ⁻¹(½ + beyond), where `tail` is the smaller of Φ and 1 - Φ there: Wichura's AS 241."""
    root = square_root(-log(tail))
    far = where(gt(root, full(root.type, 5.0)), _ratio(2, root - 5.0), _ratio(1, root - 1.6))
    far = where(lt(beyond, full(beyond.type, 0.0)), -far, far)
    inside = where(lt(absolute(beyond), full(beyond.type, 0.425)), beyond, 0.0)
    near = inside * _ratio(0, 0.180625 - inside * inside)
    infinite = where(lt(beyond, full(beyond.type, 0.0)), -np.inf, np.inf)
    return where(
        lt(absolute(beyond), full(beyond.type, 0.425)), near, where(eq(tail, zeros_of(tail.type)), infinite, far)
    )


class Ndtri(Special):
    """Φ⁻¹(p); infinite at 0 and 1, NaN beyond."""

    scipy = "ndtri"
    pushforwards = (lambda dp, out, p: dp / _density(out),)

    @staticmethod
    def formula(p: Any) -> Any:
        """The quantile at p."""
        return quantile(p - 0.5, minimum(p, 1.0 - p))


class Erfinv(Special):
    """The number with error function x: SciPy's digits, where `ErfInv` has the engine's."""

    scipy = "erfinv"
    pushforwards = (lambda dx, out, x: mul(dx, mul(full(x.type, sqrt(pi) / 2), exp(square(out)))),)

    @staticmethod
    def formula(x: Any) -> Any:
        """√½ Φ⁻¹((1 + x) / 2)."""
        return quantile(0.5 * x, 0.5 * (1.0 - absolute(x))) * sqrt(0.5)


class Erfcinv(Special):
    """The number with complementary error function x, for 0 ≤ x ≤ 2."""

    scipy = "erfcinv"
    pushforwards = (lambda dx, out, x: mul(dx, mul(full(x.type, -sqrt(pi) / 2), exp(square(out)))),)

    @staticmethod
    def formula(x: Any) -> Any:
        """-√½ Φ⁻¹(x / 2)."""
        return quantile(0.5 * (x - 1.0), 0.5 * minimum(x, 2.0 - x)) * -sqrt(0.5)


# -- Dawson's integral -----------------------------------------------------------------------------------------------

_DAWSON_NEAR = Fit(lambda y: (1 + 2 * y) * scipy_module("special").dawsn(np.sqrt(y)) / np.sqrt(y), 0.0, 6.25)
_DAWSON_MIDDLE = Fit(lambda x: x * scipy_module("special").dawsn(x), 2.5, 6.0)
_DAWSON_FAR = Fit(lambda u: scipy_module("special").dawsn(u**-0.5) * u**-0.5, 0.0, 1 / 36)


def dawson(x: Any) -> Any:
    """exp(-x²) ∫₀ˣ exp(t²) dt."""
    size = absolute(x)
    far = at_least(size, 2.5)
    near = minimum(size, full(x.type, 2.5))
    inverse = 1.0 / far
    beyond = where(gt(far, full(x.type, 6.0)), _DAWSON_FAR(inverse * inverse), _DAWSON_MIDDLE(far)) * inverse
    result = where(lt(size, far), near * _DAWSON_NEAR(near * near) / (1.0 + 2.0 * near * near), beyond)
    return where(lt(x, full(x.type, 0.0)), -result, where(eq(size, full(x.type, 0.0)), x, result))


class Dawsn(Special):
    """Dawson's integral, exp(-x²) ∫₀ˣ exp(t²) dt."""

    scipy, formula = "dawsn", staticmethod(dawson)
    pushforwards = (partial(lambda: dawsn, 0),)


# -- Owen's T function -----------------------------------------------------------------------------------------------

_NODES = 40


def _owen_within(h: Any, a: Any) -> Any:
    """T(h, a) for h ≥ 0 and 0 ≤ a ≤ 1, by Gauss-Legendre quadrature of 1/2π ∫₀ᵃ exp(-h² (1 + t²) / 2) / (1 + t²) dt."""
    end = minimum(a, 9.0 / at_least(h, 1e-300))  # what lies beyond is less than a rounding error
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    total = full(h.type, 0.0)
    for node, weight in zip(((1 + nodes) / 2).tolist(), (weights / (4 * pi)).tolist(), strict=True):
        t = end * node
        spread = 1.0 + t * t
        total = total + exp(-0.5 * (h * t) * (h * t)) / spread * weight
    return _exp_square(h, -0.5) * end * total


def owen(h: Any, a: Any) -> Any:
    """T(h, a)."""
    height, slope = minimum(absolute(h), full(h.type, 60.0)), absolute(a)
    steep = gt(slope, full(a.type, 1.0))
    slope = minimum(slope, full(a.type, 1e300))
    inner = where(steep, minimum(height * slope, full(h.type, 60.0)), height)
    within = _owen_within(inner, where(steep, 1.0 / slope, slope))
    # Owen (1956), equation 2.3
    one, other = normal_probability(-height), normal_probability(-height * slope)
    turned = 0.5 * one + 0.5 * other - one * other - within
    result = where(steep, turned, within)
    return where(lt(a, full(a.type, 0.0)), -result, result)


class OwensT(Special):
    """Operands (h, a): Owen's T, the probability that X > h and 0 < Y < a X for independent normal X and Y."""

    scipy, formula = "owens_t", staticmethod(owen)
    pushforwards = (
        lambda dh, out, h, a: mul(dh, -0.5 * _density(h) * erf(a * h * sqrt(0.5))),
        lambda da, out, h, a: mul(da, exp(-0.5 * h * h * (1 + a * a)) / (2 * pi * (1 + a * a))),
    )


ndtr, log_ndtr, ndtri = Ndtr(), LogNdtr(), Ndtri()
erfcx, erfinv, erfcinv, dawsn, owens_t = Erfcx(), Erfinv(), Erfcinv(), Dawsn(), OwensT()
