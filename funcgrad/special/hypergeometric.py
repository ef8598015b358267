"""Hypergeometric functions of one variable: Kummer's M and Gauss's F, for real parameters

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF), chapters 13 and 15.
"""

from __future__ import annotations

from collections.abc import Callable
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


def _series(ratio: Callable[[Any], tuple[Any, Any]], size: Any) -> Any:
    """1 and what follows it, until terms no longer matter; NaN where they cancel to neither six digits nor ten places.

    Args:
        ratio: from the number of a term to something that is 0 where the series has ended, which it may do before a
            division by zero, and to the factor that makes the term from the one before.
        size: from how many terms on they shrink, or the signs of their factors no longer change.
    """
    zero, one = full(size.type, 0.0), full(size.type, 1.0)

    def step(number: Any, total: Any, term: Any, largest: Any) -> Any:
        going, factor = ratio(number)
        term = where(or_(eq(going, zero), eq(term, zero)), 0.0, term * factor)
        total = total + term
        early = gt(size, (number - 40.0) * one)
        more = or_(gt(absolute(term), absolute(total) * _PRECISE), early)
        return more, [total, term, maximum(largest, absolute(term))]

    total, term, largest = iterate(step, [one, one, one], 2000)
    error = absolute(term) + largest * 2.0**-50
    doubtful = and_(gt(error, 1e-6 * absolute(total)), gt(error, full(size.type, 1e-10)))
    return where(doubtful, np.nan, total)


# -- Kummer's function -----------------------------------------------------------------------------------------------


def _kummer_series(a: Any, b: Any, x: Any) -> Any:
    """Σ (a)ₙ xⁿ / ((b)ₙ n!): DLMF 13.2.2."""

    def ratio(number: Any) -> tuple[Any, Any]:
        factor = a + (number - 1.0)
        return factor, factor / (b + (number - 1.0)) * (x / number)

    return _series(ratio, maximum(absolute(a), absolute(b)) + absolute(x))


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
    """M(a, b, x); of negative x by Kummer's transformation, DLMF 13.2.39, unless it is a polynomial."""
    polynomial = _is_pole(a)
    negative = and_(lt(x, full(x.type, 0.0)), not_(polynomial))
    size = absolute(x)
    first = where(negative, b - a, a)
    growing = absolute((1.0 - first) * (b - first))  # terms of the asymptotic series shrink from the first on beyond it
    far = and_(gt(size, 60.0 + growing + 2.0 * maximum(absolute(a), absolute(b))), not_(_is_pole(first)))
    near = _kummer_series(first, b, where(far, 1.0, where(polynomial, x, size)))
    large = at_least(size, 60.0)
    tail = _kummer_far(first, b, large) * gamma_function(b) * _reciprocal_gamma(first)
    exponent = 0.5 * minimum(large, full(x.type, 1500.0))
    growth = where(negative, 1.0, exp(exponent))  # the other half of the exponential comes last
    outside = tail * growth * power(large, first - b) * growth
    inside = near * where(negative, exp(-size), 1.0)
    result = where(far, outside, inside)
    ends = and_(and_(polynomial, ge(a, b)), lt(a, full(a.type, 0.0)))  # before the pole of b
    infinite = and_(_is_pole(b), not_(ends))
    return where(infinite, np.inf, where(eq(x, full(x.type, 0.0)), 1.0, result))


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

    def ratio(number: Any) -> tuple[Any, Any]:
        first, second = a + (number - 1.0), b + (number - 1.0)
        return first * second, first / (c + (number - 1.0)) * (second / number) * z

    return _series(ratio, maximum(maximum(absolute(a), absolute(b)), absolute(c)))


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
    ends = or_(and_(_is_pole(a), ge(a, c)), and_(_is_pole(b), ge(b, c)))  # before a pole of c, as in SciPy 1.18
    direct = and_(finite, or_(ge(z, full(z.type, -1.0)), _is_pole(c)))
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
    result = where(and_(_is_pole(c), not_(ends)), np.inf, result)
    return where(eq(z, full(z.type, 0.0)), 1.0, result)


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
