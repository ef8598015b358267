"""Bessel functions: modified ones of order 0 and 1, plain and scaled, and those of the first kind of whole order

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF), chapter 10.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ..ops.elementwise import absolute, eq, gt, lt, minimum, mul, neg, sign, sub
from ..ops.exponential import exp
from ..ops.exponential import sqrt as square_root
from ..ops.scipy_modules import scipy_module
from ..ops.structure import full
from ..ops.trigonometry import cos, sin
from .family import Fit, Special, at_least, partial, where

__all__ = ["bessel_j", "i0", "i0e", "i1", "i1e"]

_SWITCH = 8.0


def _near(name: str, order: int) -> Fit:
    """exp(-x) I(x) √(1 + x), over x for order 1, on [0, 8] and a little beyond."""
    return Fit(lambda x: getattr(scipy_module("special"), name)(x) * (1 + x) ** 0.5 / x**order, 0.0, _SWITCH + 0.5)


def _far(name: str) -> Fit:
    """√x exp(-x) I(x) as a function of 1/x, on [8, ∞]."""
    return Fit(lambda u: getattr(scipy_module("special"), name)(1 / u) * u**-0.5, 0.0, 1 / _SWITCH)


_NEAR = _near("i0e", 0), _near("i1e", 1)
_FAR = _far("i0e"), _far("i1e")


def _scaled(order: int, x: Any) -> Any:
    """exp(-|x|) I(|x|)."""
    size = absolute(x)
    near, far = minimum(size, full(x.type, _SWITCH)), at_least(size, _SWITCH)
    centre = _NEAR[order](near) / square_root(1.0 + near)
    outside = _FAR[order](1.0 / far) / square_root(far)
    return where(gt(size, near), outside, centre * near if order else centre)


def _signed(x: Any, size: Any) -> Any:
    """An odd function, from what it is for |x|."""
    return where(lt(x, full(x.type, 0.0)), -size, where(eq(x, full(x.type, 0.0)), x, size))


def _unscaled(x: Any, scaled: Any) -> Any:
    half = exp(0.5 * absolute(x))  # in two factors: the whole exponential leaves the range before I does
    return where(eq(absolute(x), full(x.type, np.inf)), np.inf, scaled * half * half)


class I0e(Special):
    """exp(-|x|) I₀(x)."""

    scipy = "i0e"
    pushforwards = (lambda dx, out, x: mul(dx, sub(i1e(x), mul(sign(x), out))),)

    @staticmethod
    def formula(x: Any) -> Any:
        """exp(-|x|) I₀(x)."""
        return _scaled(0, x)


class I1e(Special):
    """exp(-|x|) I₁(x)."""

    scipy = "i1e"
    pushforwards = (partial(lambda: i1e, 0),)

    @staticmethod
    def formula(x: Any) -> Any:
        """exp(-|x|) I₁(x)."""
        return _signed(x, _scaled(1, x))


class I0(Special):
    """I₀(x)."""

    scipy = "i0"
    pushforwards = (lambda dx, out, x: mul(dx, i1(x)),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        (found,), (x,) = super().evaluate(*operands), operands
        return (np.where(np.isinf(x), np.abs(x), found),)  # where SciPy has NaN

    @staticmethod
    def formula(x: Any) -> Any:
        """I₀(x)."""
        return _unscaled(x, _scaled(0, x))


class I1(Special):
    """I₁(x)."""

    scipy = "i1"
    pushforwards = (partial(lambda: i1, 0),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        (found,), (x,) = super().evaluate(*operands), operands
        return (np.where(np.isinf(x), x, found),)

    @staticmethod
    def formula(x: Any) -> Any:
        """I₁(x)."""
        return _signed(x, _unscaled(x, _scaled(1, x)))


# -- of the first kind, of whole order -------------------------------------------------------------------------------


def _modulus(order: int, part: str) -> Fit:
    """P or xQ in J = √(2 / πx) (P cos(x - phase) - Q sin(x - phase)), as a function of (8/x)²: DLMF 10.17.3."""

    def samples(u: np.ndarray) -> np.ndarray:
        x = _SWITCH * u**-0.5
        scaled = scipy_module("special").hankel1e(order, x) * np.sqrt(0.5 * np.pi * x)
        rotated = scaled * np.exp(0.25j * np.pi * (2 * order + 1))
        return rotated.real if part == "P" else rotated.imag * x

    return Fit(samples, 0.0, 1.0)


_P, _Q = (tuple(_modulus(order, part) for order in (0, 1)) for part in "PQ")
_LOW = tuple(Fit(lambda x, n=n: scipy_module("special").jv(n, x) / x**n, -0.2, 4.2) for n in (0, 1))
_MIDDLE = tuple(Fit(lambda x, n=n: scipy_module("special").jv(n, x), 3.8, _SWITCH + 0.2) for n in (0, 1))


def _lowest(order: int, x: Any) -> Any:
    """J₀(x) or J₁(x), for x ≥ 0."""
    low = minimum(x, full(x.type, 4.0))
    near = _LOW[order](low) * low if order else _LOW[order](low)
    far = minimum(at_least(x, _SWITCH), full(x.type, 1e300))
    inverse = _SWITCH / far
    p, q = _P[order](inverse * inverse), _Q[order](inverse * inverse) / far
    # cos and sin of x - π/4 - order π/2
    cosine, sine = cos(far), sin(far)
    plus, minus = (cosine + sine) * sqrt(0.5), (sine - cosine) * sqrt(0.5)
    along, across = (minus, -plus) if order else (plus, minus)
    large = (p * along - q * across) * square_root((2 / np.pi) / far)
    return where(gt(x, full(x.type, _SWITCH)), large, where(gt(x, low), _MIDDLE[order](x), near))


def first_kind(order: int, x: Any) -> Any:
    """Jₙ(x) by the recurrence DLMF 10.6.1: upwards while n < |x|, else downwards, as a continued fraction of ratios."""
    size = absolute(x)
    zeroth, first = _lowest(0, size), _lowest(1, size)
    if order == 0:
        return zeroth
    safe = at_least(size, 1e-290)
    below, current = zeroth, first
    for k in range(1, order):
        below, current = current, (2.0 * k / safe) * current - below
    inside = minimum(safe, full(x.type, float(order)))
    ratio, product = full(x.type, 0.0), full(x.type, 1.0)
    for k in range(order + 20 + int(6 * order**0.5), 0, -1):
        ratio = 1.0 / (2.0 * k / inside - ratio)
        if 1 < k <= order:
            product = product * ratio
    downwards = product * where(gt(absolute(zeroth), absolute(first)), zeroth * ratio, first)
    result = where(lt(size, full(x.type, float(order))), downwards, current)
    odd = where(lt(x, full(x.type, 0.0)), -result, result) if order % 2 else result
    return where(eq(size, full(x.type, np.inf)), 0.0, odd)


class BesselJ(Special):
    """Jₙ(x), for a whole order n."""

    order: int

    @property
    def pushforwards(self) -> Any:  # type: ignore[override]
        n = self.order
        if n == 0:
            return (lambda dx, out, x: mul(dx, neg(bessel_j(1, x))),)
        return (lambda dx, out, x: mul(dx, 0.5 * (bessel_j(n - 1, x) - bessel_j(n + 1, x))),)  # DLMF 10.6.1

    def compute(self, *operands: np.ndarray) -> np.ndarray:
        return np.asarray(scipy_module("special").jv(self.order, *operands), operands[0].dtype)

    def formula(self, x: Any) -> Any:
        """Jₙ(x)."""
        return first_kind(self.order, x)


def bessel_j(order: int, x: Any) -> Any:
    """The Bessel function of the first kind of a whole order."""
    return BesselJ(order)(x)


i0, i1, i0e, i1e = I0(), I1(), I0e(), I1e()
