"""The gamma function and its family: logarithm, derivatives, beta function, zeta functions, binomial coefficients

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF), chapters 5 and 25, and, for the
logarithm of the beta function, of Didonato and Morris (Algorithm 708, ACM Transactions on Mathematical Software, 1992).
"""

from __future__ import annotations

from math import log as natural_log
from math import pi, sqrt
from typing import Any

import numpy as np

from ..errors import DifferentiationError
from ..ops.bits import and_, or_
from ..ops.elementwise import absolute, add, eq, floor, ge, gt, le, lt, maximum, minimum, mul, ne, neg, round_nearest
from ..ops.exponential import exp, log, power
from ..ops.scipy_modules import scipy_module
from ..ops.structure import full
from ..ops.trigonometry import sin, tan
from .family import Fit, Special, at_least, iterate, log_1p, partial, polynomial, where

__all__ = ["beta", "betaln", "binom", "digamma", "gamma", "lgamma", "poch", "polygamma", "riemann_zeta", "zeta"]

_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
_LARGE = 10.0  # from here on the asymptotic series are exact
_ROOT, _ROOT_REST = 1.4616321449683622, 9.549995429965697e-17  # of digamma, in two parts


def is_whole(x: Any) -> Any:
    """Whether x is a whole number (or infinite)."""
    return eq(x, floor(x))


def gamma_sign(x: Any) -> Any:
    """1.0 or -1.0, the sign of Γ(x), which changes at each pole."""
    whole = floor(x)
    odd = ne(floor(0.5 * whole), 0.5 * whole)
    return where(and_(lt(x, full(x.type, 0.0)), odd), -1.0, 1.0)


def sin_pi(x: Any) -> Any:
    """sin(πx), with all its digits near its zeros."""
    whole = round_nearest(x, to_even=True)
    sine = sin((x - whole) * pi)
    return where(is_whole(whole * 0.5), sine, -sine)


# -- the logarithm of the gamma function -----------------------------------------------------------------------------


def stirling(x: Any) -> Any:
    """log Γ(x) - ((x - ½) log x - x + ½ log 2π), for x ≥ 10: DLMF 5.11.1."""
    series = [b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI, 1)]
    return polynomial(1.0 / (x * x), series) / x


def _log_gamma_samples(x: np.ndarray) -> np.ndarray:
    """log Γ(x) / ((x - 1) (x - 2)), by the Taylor series at 2 (DLMF 5.7.3) and its shift by one."""
    at_one = x < 1.5
    z = np.where(at_one, x - 1, x - 2)
    k = np.arange(2, 90.0)
    terms = (-1) ** k * scipy_module("special").zetac(k) / k * z[:, None] ** (k - 1)
    quotient = (1 - np.euler_gamma) + terms.sum(1)
    return np.where(at_one, (quotient - np.log1p(z) / z) / (x - 2), quotient / (x - 1))


_LOG_GAMMA = Fit(_log_gamma_samples, 0.5, 3.0)
_GAMMA = Fit(lambda x: scipy_module("special").gamma(x), 0.9, 3.1)


def _lowered(x: Any) -> tuple[Any, Any]:
    """x less a whole number, in [2, 3) if 3 ≤ x < 10, and the numbers passed; else x and no numbers, but ones."""
    passed = []
    inside = lt(x, full(x.type, _LARGE))
    for _ in range(7):
        above = and_(ge(x, full(x.type, 3.0)), inside)
        x = where(above, x - 1.0, x)
        passed.append(where(above, x, 1.0))
    return x, passed


def _product(factors: Any) -> Any:
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def log_gamma_1p(a: Any) -> Any:
    """log Γ(1 + a) for -½ ≤ a ≤ 2, with all its digits near a = 0."""
    return a * (a - 1.0) * _LOG_GAMMA(a + 1.0)


def log_gamma(x: Any) -> Any:
    """log |Γ(x)|."""
    size = absolute(x)
    tiny = lt(size, full(x.type, 0.5))
    rest, passed = _lowered(size)
    centre = (rest - 1.0) * (rest - 2.0) * _LOG_GAMMA(rest) + log(_product(passed))
    near_zero = log_gamma_1p(minimum(size, full(x.type, 0.5))) - log(size)
    far = at_least(size, _LARGE)
    asymptotic = (far - 0.5) * (log(far) - 1.0) + (0.5 * natural_log(2 * pi) - 0.5) + stirling(far)
    positive = where(ge(size, full(x.type, _LARGE)), asymptotic, where(tiny, near_zero, centre))
    reflected = log(pi / (size * absolute(sin_pi(size)))) - positive  # DLMF 5.5.3
    result = where(lt(x, full(x.type, 0.0)), reflected, positive)
    return where(eq(size, full(x.type, np.inf)), np.inf, result)


class Lgamma(Special):
    """log |Γ(x)|."""

    scipy, formula = "gammaln", staticmethod(log_gamma)
    pushforwards = (lambda dx, out, x: mul(dx, digamma(x)),)

    def compute(self, *operands: np.ndarray) -> np.ndarray:
        (x,) = operands
        return super().compute(np.where(x == -np.inf, np.inf, x))


# -- the gamma function ----------------------------------------------------------------------------------------------


def gamma_function(x: Any) -> Any:
    """Γ(x)."""
    size = absolute(x)
    small = lt(size, full(x.type, 1.0))
    rest, passed = _lowered(where(small, size + 1.0, size))
    centre = where(small, _GAMMA(rest) / size, _GAMMA(rest) * _product(passed))
    far = minimum(at_least(size, _LARGE), full(x.type, 400.0))
    root = power(far, 0.5 * far - 0.25)  # in two factors: the whole power leaves the range before Γ does
    asymptotic = root * exp(-far) * root * exp(stirling(far)) * sqrt(2 * pi)
    positive = where(ge(size, full(x.type, _LARGE)), asymptotic, centre)
    reflected = -pi / (size * sin_pi(size) * positive)  # DLMF 5.5.3
    result = where(lt(x, full(x.type, 0.0)), reflected, positive)
    result = where(and_(lt(x, full(x.type, 0.0)), is_whole(x)), np.nan, result)
    return where(eq(x, full(x.type, 0.0)), 1.0 / x, result)


class Gamma(Special):
    """Γ(x)."""

    scipy, formula = "gamma", staticmethod(gamma_function)
    pushforwards = (lambda dx, out, x: mul(dx, mul(out, digamma(x))),)


# -- derivatives of the logarithm ------------------------------------------------------------------------------------


_DIGAMMA = Fit(lambda x: scipy_module("special").digamma(x) / ((x - _ROOT) - _ROOT_REST), 0.9, 3.1)


def digamma_function(x: Any) -> Any:
    """ψ(x)."""
    size = absolute(x)
    small = lt(size, full(x.type, 1.0))
    rest, passed = _lowered(where(small, size + 1.0, size))
    slope = _DIGAMMA(rest)
    centre = (rest - _ROOT) * slope - _ROOT_REST * slope
    for number in passed:
        centre = centre + where(eq(number, full(x.type, 1.0)), 0.0, 1.0 / number)  # passed numbers are 2 or more
    centre = where(small, centre - 1.0 / size, centre)
    far = at_least(size, _LARGE)
    series = [b / (2 * k) for k, b in enumerate(_BERNOULLI, 1)]
    square = 1.0 / (far * far)
    asymptotic = log(far) - 0.5 / far - square * polynomial(square, series)  # DLMF 5.11.2
    positive = where(ge(size, full(x.type, _LARGE)), asymptotic, centre)
    beyond = size - round_nearest(size, to_even=True)
    reflected = positive + 1.0 / size + pi / tan(pi * beyond)  # DLMF 5.5.4
    result = where(lt(x, full(x.type, 0.0)), where(eq(beyond, full(x.type, 0.0)), np.nan, reflected), positive)
    return where(eq(x, full(x.type, 0.0)), -1.0 / x, where(eq(x, full(x.type, np.inf)), np.inf, result))


class Digamma(Special):
    """ψ(x), the derivative of log Γ; ∓∞ at ±0, NaN at negative integers."""

    scipy, formula = "digamma", staticmethod(digamma_function)
    pushforwards = (lambda dx, out, x: mul(dx, polygamma(full(x.type, 1), x)),)


def _no_order(*_: Any) -> Any:
    raise DifferentiationError(
        "polygamma is not differentiable in its order n, which is a whole number, only in its second operand; "
        "wrap the first one in fg.stop_gradient(…)"
    )


def polygamma_function(n: Any, x: Any) -> Any:
    """DLMF 5.15.2: ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹ n! ζ(n + 1, x)."""
    order = n + 1.0
    size = gamma_function(order) * hurwitz(order, x)
    result = where(is_whole(0.5 * n), -size, size)
    result = where(eq(n, full(n.type, 0.0)), digamma_function(x), result)
    return where(and_(ge(n, full(n.type, 0.0)), is_whole(n)), result, np.nan)


class Polygamma(Special):
    """Operands (n, x): the n-th derivative of digamma at x, for n = 0, 1, 2, … given as floats."""

    formula = staticmethod(polygamma_function)
    pushforwards = (_no_order, lambda dx, out, n, x: mul(dx, polygamma(add(n, full(n.type, 1)), x)))

    def compute(self, *operands: np.ndarray) -> np.ndarray:
        dtype = operands[0].dtype
        order, x = (operand.astype(np.float64) for operand in operands)
        special = scipy_module("special")
        signed = np.where(order % 2 == 0, -1.0, 1.0) * special.gamma(order + 1) * special.zeta(order + 1, x)
        valid = (order >= 0) & (order == np.floor(order))
        return np.where(valid, np.where(order == 0, special.digamma(x), signed), np.nan).astype(dtype)


# -- zeta functions --------------------------------------------------------------------------------------------------


def hurwitz(s: Any, q: Any) -> Any:
    """Σₖ (q + k)⁻ˢ by the Euler-Maclaurin formula (DLMF 25.11.7)."""
    enough = s + _LARGE

    def step(number: Any, total: Any, a: Any) -> Any:
        below = lt(a, enough)
        term = where(below, power(a, -s), 0.0)
        after = total + term
        more = and_(below, gt(absolute(term), 2.0**-60 * absolute(after)))
        return more, [after, where(below, a + 1.0, a)]

    total, a = iterate(step, [full(q.type, 0.0), q], 1_000_000)
    size = power(a, -s)
    factor = s / a
    series, factorial = size * a / (s - 1.0) + 0.5 * size, 1.0
    for k, b in enumerate(_BERNOULLI, 1):
        factorial *= (2 * k - 1) * 2 * k
        series = series + size * factor * (b / factorial)
        factor = factor * ((s + (2 * k - 1.0)) / a) * ((s + 2.0 * k) / a)
    return where(eq(q, full(q.type, np.inf)), 0.0, total + where(lt(a, enough), 0.0, series))


def hurwitz_zeta(s: Any, q: Any) -> Any:
    """ζ(s, q) where the series converges: infinite at s = 1 and at the poles q = 0, -1, …, NaN for s < 1."""
    one = full(s.type, 1.0)
    pole = and_(le(q, full(q.type, 0.0)), is_whole(q))
    result = where(pole, np.inf, hurwitz(s, where(pole, 1.0, q)))
    return where(gt(s, one), result, where(eq(s, one), np.inf, np.nan))


class Zeta(Special):
    """Operands (s, q): the Hurwitz zeta function Σₖ (q + k)⁻ˢ, for s > 1."""

    scipy, formula = "zeta", staticmethod(hurwitz_zeta)
    # DLMF 25.11.17
    pushforwards = (
        partial(lambda: zeta, 0),
        lambda dq, out, s, q: mul(dq, mul(neg(s), zeta(add(s, full(s.type, 1)), q))),
    )


def riemann(s: Any) -> Any:
    """ζ(s), left of 0 by the functional equation (DLMF 25.4.1)."""
    left = lt(s, full(s.type, 0.0))
    to_the_right = where(left, 1.0 - s, s)
    value = hurwitz(to_the_right, full(s.type, 1.0))
    turned = 2.0 * power(full(s.type, 2 * pi), -to_the_right) * sin_pi(0.5 * s) * gamma_function(to_the_right) * value
    turned = where(is_whole(0.5 * s), 0.0, turned)
    return where(left, turned, where(eq(s, full(s.type, 1.0)), np.inf, value))


class RiemannZeta(Special):
    """ζ(s), the analytic continuation of Σ k⁻ˢ to all real s but 1."""

    scipy, formula = "zeta", staticmethod(riemann)
    pushforwards = (partial(lambda: riemann_zeta, 0),)


# -- the beta function -----------------------------------------------------------------------------------------------


def log_beta_positive(a: Any, b: Any) -> Any:
    """log B(a, b) for positive a and b."""
    low, high = minimum(a, b), maximum(a, b)
    far = at_least(high, _LARGE)
    ratio = low / far
    # log Γ(b) - log Γ(a + b) for b ≥ 10, without cancellation
    gap = stirling(far) - stirling(low + far) - (low + far - 0.5) * log_1p(ratio) - low * (log(far) - 1.0)
    one_large = log_gamma(low) + gap
    lower = at_least(low, _LARGE)
    both = stirling(lower) + stirling(far) - stirling(lower + far) + (lower - 0.5) * log(ratio / (1.0 + ratio))
    both_large = 0.5 * natural_log(2 * pi) - 0.5 * log(far) + both - far * log_1p(ratio)
    none_large = log_gamma(low) + (log_gamma(high) - log_gamma(low + high))
    large = full(a.type, _LARGE)
    return where(ge(low, large), both_large, where(ge(high, large), one_large, none_large))


def log_beta(a: Any, b: Any) -> Any:
    """log |B(a, b)|."""
    positive = gt(minimum(a, b), full(a.type, 0.0))
    low, high = minimum(a, b), maximum(a, b)
    elsewhere = log_gamma(a) + log_gamma(b) - log_gamma(a + b)
    apart = gt(high, 1e6 * at_least(absolute(low), 1.0))
    elsewhere = where(apart, log_gamma(low) - low * log(where(apart, high, 1.0)), elsewhere)  # DLMF 5.11.12
    usual = where(positive, log_beta_positive(where(positive, a, 1.0), where(positive, b, 1.0)), elsewhere)
    is_pole, _, at_pole = _log_beta_at_pole(a, b)
    return where(is_pole, at_pole, usual)


def beta_function(a: Any, b: Any) -> Any:
    """B(a, b)."""
    low, high = minimum(a, b), maximum(a, b)
    moderate = lt(absolute(low) + absolute(high), full(a.type, 150.0))
    total, zero = low + high, full(a.type, 0.0)
    product = gamma_function(low) / gamma_function(total) * gamma_function(high)
    product = where(and_(is_whole(total), le(total, zero)), 0.0, product)
    signed = gamma_sign(low) * gamma_sign(high) * gamma_sign(total)
    is_pole, sign, at_pole = _log_beta_at_pole(a, b)
    return where(is_pole, sign * exp(at_pole), where(moderate, product, signed * exp(log_beta(a, b))))


def _log_beta_at_pole(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Whether a or b is a pole of Γ, and the sign of B and log |B| there.

    As in SciPy, B(-n, m) = (-1)ᵐ B(1 + n - m, m) for whole m, 0 < m ≤ n, as if n had come near in step with its whole
    neighbour; for all other m it is infinite.
    """
    zero = full(a.type, 0.0)
    first, second = (and_(is_whole(x), le(x, zero)) for x in (a, b))
    n, m = where(first, -a, -b), where(first, b, a)
    finite = and_(is_whole(m), and_(gt(m, zero), le(m, n)))
    value = log_beta_positive(where(finite, 1.0 + n - m, 1.0), where(finite, m, 1.0))
    odd = and_(is_whole(m), ne(floor(0.5 * m), 0.5 * m))
    sign = where(and_(odd, or_(finite, le(m, zero))), -1.0, 1.0)
    return or_(first, second), sign, where(finite, value, np.inf)


def _beta_slope(number: int, factor: Any) -> Any:
    def push(dx: Any, out: Any, a: Any, b: Any) -> Any:
        return mul(dx, factor(out, digamma((a, b)[number]) - digamma(add(a, b))))

    return push


class Betaln(Special):
    """Operands (a, b): log |B(a, b)|."""

    commutative = True
    scipy, formula = "betaln", staticmethod(log_beta)
    pushforwards = tuple(_beta_slope(i, lambda out, slope: slope) for i in range(2))


class Beta(Special):
    """Operands (a, b): B(a, b) = Γ(a) Γ(b) / Γ(a + b)."""

    commutative = True
    scipy, formula = "beta", staticmethod(beta_function)
    pushforwards = tuple(_beta_slope(i, mul) for i in range(2))


# -- quotients of gamma functions ------------------------------------------------------------------------------------


def binomial(n: Any, k: Any) -> Any:
    """n over k, by a product where k or n - k is a small whole number."""
    whole = and_(is_whole(n), and_(is_whole(k), ge(n, full(n.type, 0.0))))
    nothing = and_(whole, or_(gt(k, n), lt(k, full(k.type, 0.0))))
    chosen = where(and_(whole, gt(k, 0.5 * n)), n - k, k)
    product = full(n.type, 1.0)
    for i in range(1, 31):
        product = product * where(le(full(k.type, float(i)), chosen), (n - chosen + float(i)) / float(i), 1.0)
    small = and_(is_whole(chosen), and_(ge(chosen, full(k.type, 0.0)), le(chosen, full(k.type, 30.0))))
    first, second = n - k + 1.0, k + 1.0
    far = gamma_sign(first) * gamma_sign(second) * exp(-log(n + 1.0) - log_beta(first, second))
    near = 1.0 / ((n + 1.0) * beta_function(first, second))
    result = where(small, product, where(gt(n, full(n.type, 150.0)), far, near))
    n_below, k_below = (and_(is_whole(x), lt(x, full(x.type, 0.0))) for x in (n, k))
    return where(n_below, np.nan, where(or_(nothing, k_below), 0.0, result))


class Binom(Special):
    """Operands (n, k): the binomial coefficient, n and k any real numbers."""

    scipy, formula = "binom", staticmethod(binomial)
    pushforwards = (
        lambda dn, out, n, k: mul(dn, mul(out, digamma(n + 1) - digamma(n - k + 1))),
        lambda dk, out, n, k: mul(dk, mul(out, digamma(n - k + 1) - digamma(k + 1))),
    )


def pochhammer(z: Any, m: Any) -> Any:
    """Γ(z + m) / Γ(z), by a product where m is a small whole number."""
    product = full(z.type, 1.0)
    for i in range(20):
        product = product * where(lt(full(m.type, float(i)), m), z + float(i), 1.0)
    small = and_(is_whole(m), and_(ge(m, full(m.type, 0.0)), le(m, full(m.type, 20.0))))
    positive = gt(minimum(z, m), full(z.type, 0.0))
    safe = where(positive, z, 1.0), where(positive, m, 1.0)
    ratio = exp(log_gamma(safe[1]) - log_beta_positive(*safe))
    return where(small, product, where(positive, ratio, _gamma_ratio(z + m, z)))


def _gamma_ratio(x: Any, y: Any) -> Any:
    """Γ(x) / Γ(y), where both are poles the limit of (-1)ˣ⁻ʸ Γ(1 - y) / Γ(1 - x)."""
    zero = full(x.type, 0.0)
    x_pole, y_pole = (and_(is_whole(z), le(z, zero)) for z in (x, y))
    both = and_(x_pole, y_pole)
    near = lt(absolute(x) + absolute(y), full(x.type, 150.0))
    quotient = gamma_function(where(x_pole, 1.0, x)) / gamma_function(where(y_pole, 1.0, y))
    above, below = where(both, 1.0 - y, x), where(both, 1.0 - x, y)
    odd = ne(floor(0.5 * (x - y)), 0.5 * (x - y))
    sign = where(both, where(odd, -1.0, 1.0), gamma_sign(x) * gamma_sign(y))
    far = sign * exp(log_gamma(above) - log_gamma(below))
    finite = where(and_(near, eq(x_pole, y_pole)), where(both, far, quotient), far)
    return where(eq(x_pole, y_pole), finite, where(x_pole, np.inf, 0.0))


class Poch(Special):
    """Operands (z, m): the rising factorial Γ(z + m) / Γ(z)."""

    scipy, formula = "poch", staticmethod(pochhammer)
    pushforwards = (
        lambda dz, out, z, m: mul(dz, mul(out, digamma(z + m) - digamma(z))),
        lambda dm, out, z, m: mul(dm, mul(out, digamma(z + m))),
    )


gamma, lgamma, digamma, polygamma = Gamma(), Lgamma(), Digamma(), Polygamma()
zeta, riemann_zeta = Zeta(), RiemannZeta()
beta, betaln, binom, poch = Beta(), Betaln(), Binom(), Poch()
