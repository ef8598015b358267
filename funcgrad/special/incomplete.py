"""The incomplete gamma and beta functions, regularized, with derivatives in all their operands

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF), chapter 8.
"""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from ..ops.bits import and_, not_, or_
from ..ops.elementwise import absolute, eq, ge, gt, le, lt, maximum, minimum, mul, ne, neg
from ..ops.exponential import exp, expm1, log, power
from ..ops.exponential import sqrt as square_root
from ..ops.structure import full
from .entropy import xlog1py, xlogy
from .family import Formula, Partial, Special, at_least, iterate, log_1p, partial, polynomial, where
from .gamma import beta_function, betaln, gamma_function, is_whole, lgamma, log_gamma_1p, stirling

__all__ = ["betainc", "gammainc", "gammaincc", "random_gamma_grad"]

_PRECISE = 2.0**-58  # smaller than rounding, so that derivatives, whose series converge a little later, are right too


def log_1p_less(x: Any, one_more: Any) -> Any:
    """log(1 + x) - x, with all its digits near 0; 1 + x is given, since it may have digits that x lacks."""
    inside = where(lt(absolute(x), full(x.type, 0.4)), x, 0.0)
    s = inside / (2.0 + inside)  # DLMF 4.6.4
    series = polynomial(s * s, [2.0 / (2 * k + 3) for k in range(16)])
    near = s * s * s * series - inside * s
    return where(lt(absolute(x), full(x.type, 0.4)), near, log(one_more) - x)


# -- gamma -----------------------------------------------------------------------------------------------------------


def _gamma_factor(a: Any, x: Any) -> Any:
    """xᵃ e⁻ˣ / Γ(a + 1)."""
    near = minimum(a, full(a.type, 10.0))
    within = minimum(x, full(x.type, 700.0))
    direct = power(within, near) * exp(-x) / gamma_function(near + 1.0)
    far = at_least(a, 10.0)
    uniform = exp(far * log_1p_less((x - far) / far, x / far) - stirling(far)) / square_root(2 * pi * far)
    return where(lt(a, full(a.type, 10.0)), direct, uniform)


def _gamma_series(a: Any, x: Any) -> Any:
    """P(a, x) over its factor: Σ xⁿ / ((a + 1) … (a + n)), DLMF 8.7.1."""

    def step(number: Any, total: Any, term: Any) -> Any:
        term = term * (x / (a + number))
        total = total + term
        return gt(term, total * _PRECISE), [total, term]

    one = full(a.type, 1.0)
    return iterate(step, [one, one], 100_000)[0]


def _gamma_fraction(a: Any, x: Any) -> Any:
    """Q(a, x) over its factor, by the continued fraction DLMF 8.9.2 in its contracted form."""

    def step(number: Any, value: Any, c: Any, d: Any) -> Any:
        numerator = number * (a - number)
        b = x - a + (2.0 * number + 1.0)
        d = 1.0 / _nonzero(numerator * d + b)
        c = _nonzero(b + numerator / c)
        change = c * d
        going = or_(gt(absolute(change - 1.0), full(a.type, 2.0**-51)), _has_ended(a, number))
        return going, [where(going, value * change, value), c, d]

    first = 1.0 / _nonzero(x - a + 1.0)
    value = iterate(step, [first, full(a.type, 1e300), first], 100_000)[0]
    return value * a


def _has_ended(order: Any, number: Any) -> Any:
    """Whether a fraction has ended lately because its parameter is whole: its derivative in that goes on."""
    late = number - order
    return and_(is_whole(order), and_(ge(late, full(late.type, -0.5)), lt(late, full(late.type, 60.0))))


def _nonzero(x: Any) -> Any:
    """x, or something tiny in place of 0 (the method of Lentz, as modified by Thompson and Barnett)."""
    return where(lt(absolute(x), full(x.type, 1e-305)), 1e-305, x)


def _gamma_near_zero(a: Any, x: Any) -> Any:
    """Q(a, x) for small a and x, without cancellation: DLMF 8.7.3."""

    def step(number: Any, total: Any, term: Any) -> Any:
        term = term * (-x / number)
        total = total + term / (a + number)
        return gt(absolute(term), absolute(total) * _PRECISE), [total, term]

    one = full(a.type, 1.0)
    total = iterate(step, [full(a.type, 0.0), one], 100)[0]
    logarithm = a * log(x) - log_gamma_1p(a)
    return -expm1(logarithm) - a * exp(logarithm) * total


def _gamma_tail(a: Any, x: Any, present: Any) -> Any:
    """P(a, x) for x < a - 1, else Q(a, x), over its factor, for a ≥ 500: quadrature away from the peak.

    `present` says whether it is asked for.
    """
    above = ge(x, a - 1.0)
    slope = x - (a - 1.0)
    steepness = absolute(slope)
    end = 120.0 / (steepness + square_root(steepness * steepness + 120.0 * (a - 1.0)))  # the rest is below rounding
    end = where(above, end, minimum(end, full(a.type, 1.0 - 2.0**-40)))

    def step(number: Any, total: Any) -> Any:
        t = number * 0.05 - 3.25  # tanh-sinh quadrature: Takahasi and Mori (1974)
        decay = exp((exp(-t) - exp(t)) * (0.5 * pi))
        place = 1.0 / (1.0 + decay)
        weight = (exp(t) + exp(-t)) * (0.025 * pi) * decay * place * place
        y = where(above, end, -end) * place
        return present, [total + exp((a - 1.0) * log_1p_less(y, 1.0 + y) - slope * y) * weight]

    (total,) = iterate(step, [full(a.type, 0.0)], 129)
    return total * end * a


def _gamma_parts(a: Any, x: Any, upper: bool) -> Any:
    """P(a, x), or Q(a, x) if `upper`, for positive finite a and x."""
    one = full(a.type, 1.0)
    large = gt(a, one * 500.0)
    beyond = gt(x, where(lt(a, one), 1.1, where(large, a - 1.0, a + 1.0)))  # where Q is the smaller or easier one
    fraction = and_(beyond, not_(large))
    series = and_(not_(beyond), not_(large))
    tiny = and_(series, lt(a, one))
    part = where(large, _gamma_tail(where(large, a, 500.0), where(large, x, 500.0), large), 0.0)
    part = where(fraction, _gamma_fraction(where(fraction, a, 1.0), where(fraction, x, 3.0)), part)
    part = where(series, _gamma_series(where(series, a, 1.0), where(series, x, 0.5)), part)
    part = part * _gamma_factor(a, x)
    if not upper:
        return where(beyond, 1.0 - part, part)
    rest = where(tiny, _gamma_near_zero(where(tiny, a, 0.5), where(tiny, x, 0.5)), 1.0 - part)
    return where(beyond, part, rest)


def _gamma_everywhere(a: Any, x: Any, upper: bool) -> Any:
    zero, infinity = full(a.type, 0.0), full(a.type, np.inf)
    inside = and_(and_(gt(a, zero), gt(x, zero)), and_(lt(a, infinity), lt(x, infinity)))
    result = _gamma_parts(where(inside, a, 1.0), where(inside, x, 1.0), upper)
    none, all = (1.0, 0.0) if upper else (0.0, 1.0)
    result = where(inside, result, where(or_(eq(x, zero), eq(a, infinity)), none, all))
    undefined = or_(or_(lt(a, zero), lt(x, zero)), and_(eq(a, x), not_(inside)))  # (0, 0) and (∞, ∞) among them
    return where(or_(undefined, or_(ne(a, a), ne(x, x))), np.nan, result)


def _gamma_density(a: Any, x: Any) -> Any:
    """xᵃ⁻¹ e⁻ˣ / Γ(a)."""
    return exp(xlogy(a - 1, x) - x - lgamma(a))


class Gammainc(Special):
    """Operands (a, x): the regularized lower incomplete gamma function P(a, x)."""

    scipy = "gammainc"
    pushforwards = (partial(lambda: gammainc, 0), lambda dx, out, a, x: mul(dx, _gamma_density(a, x)))

    @staticmethod
    def formula(a: Any, x: Any) -> Any:
        """P(a, x)."""
        return _gamma_everywhere(a, x, False)


class Gammaincc(Special):
    """Operands (a, x): the regularized upper incomplete gamma function Q(a, x) = 1 - P(a, x)."""

    scipy = "gammaincc"
    pushforwards = (partial(lambda: gammaincc, 0), lambda dx, out, a, x: mul(dx, neg(_gamma_density(a, x))))

    @staticmethod
    def formula(a: Any, x: Any) -> Any:
        """Q(a, x)."""
        return _gamma_everywhere(a, x, True)


class RandomGammaGrad(Formula):
    """Operands (a, x): how a sample x of the gamma distribution moves with its shape a at a fixed quantile.

    That is -∂P/∂a / ∂P/∂x: M. Figurnov, S. Mohamed and A. Mnih, Implicit reparameterization gradients (2018).
    """

    pushforwards = (partial(lambda: random_gamma_grad, 0), partial(lambda: random_gamma_grad, 1))

    @staticmethod
    def formula(a: Any, x: Any) -> Any:
        """-∂P/∂a / ∂P/∂x."""
        return -Partial(gammainc, (0,)).formula(a, x) / (_gamma_factor(a, x) * (a / x))


# -- beta ------------------------------------------------------------------------------------------------------------


def _beta_factor(a: Any, b: Any, x: Any, y: Any) -> Any:
    """xᵃ yᵇ / B(a, b), for y = 1 - x."""
    small = lt(x, full(x.type, 0.3))
    direct = power(x, a) * where(small, exp(b * log_1p(-where(small, x, 0.0))), power(y, b)) / beta_function(a, b)
    far = gt(minimum(a, b), full(a.type, 10.0))
    p, q = where(far, a, 10.0), where(far, b, 10.0)
    shift = (q * x - p * y) / p  # x / (p / (p + q)) - 1
    other = -shift * p / q
    exponent = p * log_1p_less(shift, x * ((p + q) / p)) + q * log_1p_less(other, y * ((p + q) / q))
    peak = stirling(p + q) - stirling(p) - stirling(q)
    return where(far, exp(exponent + peak) * square_root(p * q / (2 * pi * (p + q))), direct)


def _beta_fraction(a: Any, b: Any, x: Any, y: Any) -> Any:
    """I(a, b, x) over its factor: the even part of the continued fraction DLMF 8.17.22, whose terms do not cancel.

    It is that of Didonato and Morris (Algorithm 708, ACM Transactions on Mathematical Software, 1992).
    """
    gap = a * y - b * x

    def step(number: Any, value: Any, c: Any, d: Any) -> Any:
        n, between = number, a + (2.0 * number - 1.0)
        pull = n * (b - n) * x / between
        numerator = (a + (n - 1.0)) * (a + b + (n - 1.0)) / between * x * pull
        denominator = n + pull + (a + n) / (between + 2.0) * (gap + 1.0 + n * (1.0 + y))
        d = 1.0 / _nonzero(denominator + numerator * d)
        c = _nonzero(denominator + numerator / c)
        change = c * d
        going = or_(gt(absolute(change - 1.0), full(a.type, 2.0**-51)), _has_ended(b, number))
        return going, [where(going, value * change, value), c, d]

    first = _nonzero(a / (a + 1.0) * (gap + 1.0))
    return 1.0 / iterate(step, [first, first, full(a.type, 0.0)], 20_000)[0]


def incomplete_beta(a: Any, b: Any, x: Any) -> Any:
    """I(a, b, x)."""
    zero, one, infinity = (full(a.type, value) for value in (0.0, 1.0, np.inf))
    inside = and_(and_(gt(minimum(a, b), zero), lt(maximum(a, b), infinity)), and_(gt(x, zero), lt(x, one)))
    a, b, given = where(inside, a, 1.0), where(inside, b, 1.0), (a, b, x)
    x = where(inside, x, 0.5)
    y = 1.0 - x
    beyond = or_(gt(x, a / (a + b)), gt(x, full(x.type, 0.99)))  # for small b the mean lies further out
    turned = and_(beyond, gt(x, (a + 1.0) / (a + b + 2.0)))  # DLMF 8.17.4
    first, second = where(turned, b, a), where(turned, a, b)
    part = _beta_factor(a, b, x, y) * _beta_fraction(first, second, where(turned, y, x), where(turned, x, y))
    result = where(turned, 1.0 - part, part)
    return where(inside, result, _beta_edges(*given))


def _beta_edges(a: Any, b: Any, x: Any) -> Any:
    """I(a, b, x) at the ends of what the operands can be, NaN beyond."""
    zero, one, infinity = (full(a.type, value) for value in (0.0, 1.0, np.inf))
    below, above = or_(eq(a, infinity), eq(b, zero)), or_(eq(b, infinity), eq(a, zero))
    middle = where(and_(below, above), np.nan, where(below, 0.0, where(above, 1.0, np.nan)))
    result = where(eq(x, zero), 0.0, where(eq(x, one), 1.0, middle))
    both = or_(or_(and_(eq(a, zero), eq(b, zero)), and_(eq(a, infinity), eq(b, infinity))), lt(minimum(a, b), zero))
    outside = or_(not_(and_(ge(x, zero), le(x, one))), or_(ne(a, a), ne(b, b)))
    return where(or_(both, outside), np.nan, result)


class Betainc(Special):
    """Operands (a, b, x): the regularized incomplete beta function I(a, b, x), for 0 ≤ x ≤ 1."""

    scipy, formula = "betainc", staticmethod(incomplete_beta)
    pushforwards = (
        partial(lambda: betainc, 0),
        partial(lambda: betainc, 1),
        lambda dx, out, a, b, x: mul(dx, exp(xlogy(a - 1, x) + xlog1py(b - 1, neg(x)) - betaln(a, b))),
    )


gammainc, gammaincc, betainc = Gammainc(), Gammaincc(), Betainc()
random_gamma_grad = RandomGammaGrad()
