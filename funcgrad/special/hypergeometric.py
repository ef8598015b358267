"""Hypergeometric functions of one variable: Kummer's M and Gauss's F, for real parameters

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF), chapters 13 and 15.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.bits import and_, not_, or_
from ..ops.elementwise import absolute, eq, ge, gt, le, lt, maximum, minimum, mul
from ..ops.exponential import exp, power
from ..ops.structure import full
from .family import Special, at_least, iterate, partial, where
from .gamma import gamma_function, is_whole

__all__ = ["hyp1f1", "hyp2f1"]

_PRECISE = 2.0**-56


def _is_pole(x: Any) -> Any:
    """Whether x is 0, -1, -2, …"""
    return and_(le(x, full(x.type, 0.0)), is_whole(x))


def _reciprocal_gamma(x: Any) -> Any:
    pole = _is_pole(x)
    return where(pole, 0.0, 1.0 / gamma_function(where(pole, 1.0, x)))


# -- Kummer's function -----------------------------------------------------------------------------------------------


def _kummer_series(a: Any, b: Any, x: Any) -> Any:
    """Σ (a)ₙ xⁿ / ((b)ₙ n!): DLMF 13.2.2."""

    def step(number: Any, total: Any, term: Any) -> Any:
        term = term * ((a + (number - 1.0)) / (b + (number - 1.0))) * (x / number)
        total = total + term
        early = gt(maximum(absolute(a), absolute(b)) + x, (number - 40.0) * full(a.type, 1.0))
        return or_(gt(absolute(term), absolute(total) * _PRECISE), early), [
            total,
            term,
        ]  # beyond the end of polynomials

    one = full(a.type, 1.0)
    return iterate(step, [one, one], 2000)[0]


def _kummer_far(a: Any, b: Any, x: Any) -> Any:
    """M(a, b, x) for large x: DLMF 13.7.1."""
    total, term = full(a.type, 1.0), full(a.type, 1.0)
    for k in range(30):
        change = (1.0 - a + float(k)) * (b - a + float(k)) / (x * (k + 1.0))
        going = lt(absolute(change), full(a.type, 1.0))  # not beyond the smallest term
        term = where(going, term * change, 0.0)
        total = total + term
    return total


def kummer(a: Any, b: Any, x: Any) -> Any:
    """M(a, b, x); of negative x by Kummer's transformation, DLMF 13.2.39."""
    negative = lt(x, full(x.type, 0.0))
    size = absolute(x)
    first = where(negative, b - a, a)
    far = and_(gt(size, 60.0 + 2.0 * maximum(absolute(a), absolute(b))), not_(_is_pole(first)))
    near = _kummer_series(first, b, where(far, 1.0, size))
    large = at_least(size, 60.0)
    tail = _kummer_far(first, b, large) * gamma_function(b) * _reciprocal_gamma(first)
    exponent = 0.5 * minimum(large, full(x.type, 1500.0))
    growth = where(negative, 1.0, exp(exponent))  # the other half of the exponential comes last
    outside = tail * growth * power(large, first - b) * growth
    inside = near * where(negative, exp(-size), 1.0)
    result = where(far, outside, inside)
    return where(_is_pole(b), np.inf, where(eq(x, full(x.type, 0.0)), 1.0, result))


class Hyp1f1(Special):
    """Operands (a, b, x): Kummer's confluent hypergeometric function M(a, b, x)."""

    scipy, formula = "hyp1f1", staticmethod(kummer)
    pushforwards = (
        partial(lambda: hyp1f1, 0),
        partial(lambda: hyp1f1, 1),
        lambda dx, out, a, b, x: mul(dx, a / b * hyp1f1(a + 1, b + 1, x)),
    )


# -- Gauss's function ------------------------------------------------------------------------------------------------


def _gauss_series(a: Any, b: Any, c: Any, z: Any) -> Any:
    """Σ (a)ₙ (b)ₙ zⁿ / ((c)ₙ n!): DLMF 15.2.1."""

    def step(number: Any, total: Any, term: Any) -> Any:
        k = number - 1.0
        term = term * ((a + k) / (c + k)) * ((b + k) / number) * z
        total = total + term
        early = gt(maximum(maximum(absolute(a), absolute(b)), absolute(c)), (number - 40.0) * full(a.type, 1.0))
        return or_(gt(absolute(term), absolute(total) * _PRECISE), early), [
            total,
            term,
        ]  # beyond the end of polynomials

    one = full(a.type, 1.0)
    return iterate(step, [one, one], 2000)[0]


def _continued(a: Any, b: Any, c: Any, z: Any) -> Any:
    """F(a, b; c; z) for 0 ≤ z < 1: the series up to ½, from there Taylor series that halve the distance to 1.

    Their coefficients follow from the differential equation, DLMF 15.10.1.
    """
    start = minimum(z, full(z.type, 0.5))
    value = _gauss_series(a, b, c, start)
    slope = a * b / c * _gauss_series(a + 1.0, b + 1.0, c + 1.0, start)

    def step(number: Any, place: Any, value: Any, slope: Any) -> Any:
        move = minimum(z, 0.5 + 0.5 * place) - place
        scale = place * (1.0 - place)

        def term(number: Any, value: Any, slope: Any, current: Any, following: Any) -> Any:
            k = number - 1.0
            pull = (a + k) * (b + k) * current * move
            push = (k + 1.0) * ((1.0 - 2.0 * place) * k + c - (a + b + 1.0) * place) * following
            after = (pull - push) * move / (scale * ((k + 2.0) * (k + 1.0)))
            more = gt(absolute(after) * (k + 2.0), (absolute(slope * move) + absolute(value)) * _PRECISE)
            return more, [value + after, slope + (k + 2.0) * after / distance, following, after]

        distance = where(gt(move, full(z.type, 0.0)), move, 1.0)  # elements that have arrived stay: all terms are 0
        arrived = iterate(term, [value + slope * move, slope, value, slope * move], 200)
        return lt(place + move, z), [place + move, arrived[0], arrived[1]]

    return iterate(step, [start, value, slope], 60)[1]


def gauss(a: Any, b: Any, c: Any, z: Any) -> Any:
    """F(a, b; c; z); of negative z by Pfaff's transformation, DLMF 15.8.1."""
    one = full(z.type, 1.0)
    negative, end = lt(z, full(z.type, 0.0)), eq(z, one)
    finite = or_(_is_pole(a), _is_pole(b))  # a polynomial
    direct = and_(finite, ge(z, full(z.type, -1.0)))
    turned = and_(negative, not_(direct))
    argument = where(turned, z / (z - 1.0), z)
    inside = and_(ge(argument, full(z.type, 0.0)), lt(argument, one))
    second = where(turned, c - b, b)
    value = _continued(a, second, c, where(inside, argument, 0.25))
    value = where(turned, value * power(1.0 - where(turned, z, 0.0), -a), value)
    series = _gauss_series(where(finite, a, 1.0), where(finite, b, 1.0), where(finite, c, 1.0), where(finite, z, 0.25))
    excess = c - a - b
    edge = gamma_function(c) * _reciprocal_gamma(c - a) * _reciprocal_gamma(c - b) * gamma_function(excess)
    edge = where(gt(excess, full(z.type, 0.0)), edge, np.inf)  # DLMF 15.4.20
    result = where(end, edge, where(inside, value, np.nan))
    result = where(and_(finite, not_(turned)), series, result)
    return where(_is_pole(c), np.inf, where(eq(z, full(z.type, 0.0)), 1.0, result))


class Hyp2f1(Special):
    """Operands (a, b, c, z): Gauss's hypergeometric function F(a, b; c; z), for z ≤ 1."""

    scipy, formula = "hyp2f1", staticmethod(gauss)
    pushforwards = (
        partial(lambda: hyp2f1, 0),
        partial(lambda: hyp2f1, 1),
        partial(lambda: hyp2f1, 2),
        lambda dz, out, a, b, c, z: mul(dz, a * b / c * hyp2f1(a + 1, b + 1, c + 1, z)),
    )


hyp1f1, hyp2f1 = Hyp1f1(), Hyp2f1()
