"""Continuous distributions: each its logarithmic density at location 0 and scale 1, and what is special about it"""

from __future__ import annotations

from math import inf, pi
from math import log as natural_log
from typing import Any

from ...numpy.elementwise import absolute, clip, maximum, minimum, square, where
from ...numpy.logic import isinf
from ...numpy.transcendental import arctan2, exp, expm1, hypot, log, log1p, sin, tan
from ..special import (
    betainc,
    betaln,
    expit,
    gammainc,
    gammaincc,
    gammaln,
    i0e,
    log_expit,
    log_ndtr,
    logit,
    ndtr,
    ndtri,
    xlog1py,
    xlogy,
)  # fmt: skip
from .distribution import Distribution, log1mexp

__all__ = [
    "beta", "cauchy", "chi2", "expon", "gamma", "gennorm", "gumbel_l", "gumbel_r", "laplace", "logistic", "norm",
    "pareto", "t", "truncnorm", "uniform", "vonmises", "wrapcauchy",
]  # fmt: skip

LOG_2, LOG_PI = natural_log(2), natural_log(pi)

# -- on the whole line -----------------------------------------------------------------------------------------------

norm = Distribution(
    "norm",
    """The normal distribution. Density: exp(-x²/2) / √(2π).""",
    symmetric=True,
    logpdf=lambda x: -(square(x) + (LOG_2 + LOG_PI)) / 2,
    cdf=ndtr,
    logcdf=log_ndtr,
    ppf=ndtri,
)

cauchy = Distribution(
    "cauchy",
    """The Cauchy distribution. Density: 1 / (π (1 + x²)).""",
    symmetric=True,
    vanishing=isinf,
    logpdf=lambda x: -2 * log(hypot(x, 1.0)) - LOG_PI,
    cdf=lambda x: arctan2(1.0, -x) / pi,  # exact in the lower tail, and by symmetry in the upper one
    ppf=lambda q: where(
        q < 0.25, -1 / tan(pi * minimum(q, 0.5)), where(q > 0.75, 1 / tan(pi * (1 - q)), tan(pi * (q - 0.5)))
    ),
)

laplace = Distribution(
    "laplace",
    """The Laplace distribution. Density: exp(-|x|) / 2.""",
    symmetric=True,
    logpdf=lambda x: -absolute(x) - LOG_2,
    cdf=lambda x: where(x < 0, exp(-absolute(x)) / 2, 1 - exp(-absolute(x)) / 2),
    logcdf=lambda x: where(x < 0, x - LOG_2, log1p(-exp(-absolute(x)) / 2)),
    ppf=lambda q: where(q < 0.5, log(2 * minimum(q, 0.5)), -log(2 * (1 - maximum(q, 0.5)))),
)

logistic = Distribution(
    "logistic",
    """The logistic distribution. Density: exp(-x) / (1 + exp(-x))².""",
    symmetric=True,
    logpdf=lambda x: -absolute(x) - 2 * log1p(exp(-absolute(x))),
    cdf=expit,
    logcdf=log_expit,
    ppf=logit,
)

gumbel_r = Distribution(
    "gumbel_r",
    """The Gumbel distribution of maxima. Density: exp(-x - exp(-x)).""",
    vanishing=lambda x: isinf(exp(-x)),
    logpdf=lambda x: -x - exp(-x),
    cdf=lambda x: exp(-exp(-x)),
    sf=lambda x: -expm1(-exp(-x)),
    logcdf=lambda x: -exp(-x),
    logsf=lambda x: log1mexp(exp(-x)),
    ppf=lambda q: -log(-log(q)),
    isf=lambda q: -log(-log1p(-q)),
)

gumbel_l = Distribution(
    "gumbel_l",
    """The Gumbel distribution of minima. Density: exp(x - exp(x)).""",
    vanishing=lambda x: isinf(exp(x)),
    logpdf=lambda x: x - exp(x),
    cdf=lambda x: -expm1(-exp(x)),
    sf=lambda x: exp(-exp(x)),
    logcdf=lambda x: log1mexp(exp(x)),
    logsf=lambda x: -exp(x),
    ppf=lambda q: log(-log1p(-q)),
    isf=lambda q: log(-log(q)),
)


def _power_of_size(x: Any, exponent: Any) -> Any:
    """|x| to a positive power; at 0 it is 0, with derivatives 0."""
    nothing = x == 0
    return where(nothing, 0.0, exp(exponent * log(where(nothing, 1.0, absolute(x)))))


gennorm = Distribution(
    "gennorm",
    """The generalized normal distribution of shape beta > 0. Density: beta exp(-|x|^beta) / (2 Γ(1/beta)).""",
    "beta",
    symmetric=True,
    vanishing=lambda x, beta: isinf(x),
    logpdf=lambda x, beta: log(beta / 2) - gammaln(1 / beta) - _power_of_size(x, beta),
    cdf=lambda x, beta: where(
        x < 0, gammaincc(1 / beta, _power_of_size(x, beta)) / 2, (1 + gammainc(1 / beta, _power_of_size(x, beta))) / 2
    ),
)

t = Distribution(
    "t",
    """Student's t distribution with df > 0 degrees of freedom.

    Density: Γ((df + 1)/2) / (√(df π) Γ(df/2)) · (1 + x²/df)^(-(df + 1)/2).
    """,
    "df",
    symmetric=True,
    vanishing=lambda x, df: isinf(x),
    logpdf=lambda x, df: (
        gammaln((df + 1) / 2) - gammaln(df / 2) - (log(df) + LOG_PI) / 2 - (df + 1) / 2 * log1p(square(x) / df)
    ),
)

vonmises = Distribution(
    "vonmises",
    """The von Mises distribution of angles, of concentration kappa >= 0. Density: exp(kappa cos x) / (2π I₀(kappa)).

    It has period 2π, and is a density on any interval of that length.
    """,
    "kappa",
    valid=lambda kappa: kappa >= 0,
    logpdf=lambda x, kappa: -2 * kappa * square(sin(x / 2)) - log(i0e(kappa)) - (LOG_2 + LOG_PI),
)

# -- on a part of the line -------------------------------------------------------------------------------------------

uniform = Distribution(
    "uniform",
    """The uniform distribution on [0, 1], with loc and scale on [loc, loc + scale]. Density: 1.""",
    support=(0.0, 1.0),
    inner=0.5,
    logpdf=lambda x: 0 * x,
    cdf=lambda x: x,
    ppf=lambda q: q,
)

expon = Distribution(
    "expon",
    """The exponential distribution. Density: exp(-x) for x >= 0.""",
    support=(0.0, inf),
    inner=1.0,
    logpdf=lambda x: -x,
    cdf=lambda x: -expm1(-x),
    sf=lambda x: exp(-x),
    logcdf=log1mexp,
    logsf=lambda x: -x,
    ppf=lambda q: -log1p(-q),
    isf=lambda q: -log(q),
)

pareto = Distribution(
    "pareto",
    """The Pareto distribution of shape b > 0. Density: b / x^(b + 1) for x >= 1.""",
    "b",
    support=(1.0, inf),
    inner=2.0,
    logpdf=lambda x, b: log(b) - (b + 1) * log(x),
    cdf=lambda x, b: -expm1(-b * log(x)),
    sf=lambda x, b: exp(-b * log(x)),
    logcdf=lambda x, b: log1mexp(b * log(x)),
    logsf=lambda x, b: -b * log(x),
    ppf=lambda q, b: exp(-log1p(-q) / b),
    isf=lambda q, b: exp(-log(q) / b),
)

gamma = Distribution(
    "gamma",
    """The gamma distribution of shape a > 0. Density: x^(a - 1) exp(-x) / Γ(a) for x >= 0.""",
    "a",
    support=(0.0, inf),
    inner=1.0,
    vanishing=lambda x, a: (x == 0) & (a > 1),
    logpdf=lambda x, a: xlogy(a - 1, x) - x - gammaln(a),
    cdf=lambda x, a: gammainc(a, x),
    sf=lambda x, a: gammaincc(a, x),
)

chi2 = Distribution(
    "chi2",
    """The chi-squared distribution with df > 0 degrees of freedom.

    Density: x^(df/2 - 1) exp(-x/2) / (2^(df/2) Γ(df/2)) for x >= 0.
    """,
    "df",
    support=(0.0, inf),
    inner=1.0,
    vanishing=lambda x, df: (x == 0) & (df > 2),
    logpdf=lambda x, df: xlogy(df / 2 - 1, x / 2) - x / 2 - gammaln(df / 2) - LOG_2,
    cdf=lambda x, df: gammainc(df / 2, x / 2),
    sf=lambda x, df: gammaincc(df / 2, x / 2),
)

beta = Distribution(
    "beta",
    """The beta distribution of shapes a, b > 0. Density: x^(a - 1) (1 - x)^(b - 1) / B(a, b) for 0 <= x <= 1.""",
    "a b",
    support=(0.0, 1.0),
    inner=0.5,
    vanishing=lambda x, a, b: ((x == 0) & (a > 1)) | ((x == 1) & (b > 1)),
    logpdf=lambda x, a, b: xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b),
    cdf=lambda x, a, b: betainc(a, b, x),
    sf=lambda x, a, b: betainc(b, a, 1 - x),
)

wrapcauchy = Distribution(
    "wrapcauchy",
    """The Cauchy distribution wrapped around a circle, 0 < c < 1.

    Density: (1 - c²) / (2π (1 + c² - 2 c cos x)) for 0 <= x <= 2π.
    """,
    "c",
    support=(0.0, 2 * pi),
    inner=pi,
    valid=lambda c: (c > 0) & (c < 1),
    logpdf=lambda x, c: log1p(-c) + log1p(c) - (LOG_2 + LOG_PI) - log(square(1 - c) + 4 * c * square(sin(x / 2))),
)


def _log_mass(low: Any, high: Any) -> Any:
    """The logarithm of the probability that a standard normal number lies between two bounds, low < high."""
    # Where both are positive, their mirror images say the same, in the tail where probabilities are small.
    mirrored = low > 0
    low, high = where(mirrored, -high, low), where(mirrored, -low, high)
    total = log_ndtr(high)
    open = low == -inf
    rest = log1mexp(where(open, 1.0, total - log_ndtr(where(open, high - 1, low))))
    return where(open, total, total + rest)


truncnorm = Distribution(
    "truncnorm",
    """The normal distribution truncated to [a, b], where a < b count from `loc` in units of `scale`.

    Density: exp(-x²/2) / (√(2π) (Φ(b) - Φ(a))) for a <= x <= b, Φ being the normal distribution function.
    """,
    "a b",
    support=lambda a, b: (a, b),
    inner=lambda a, b: clip(0 * a, a, b),
    valid=lambda a, b: a < b,
    logpdf=lambda x, a, b: norm.logpdf(x) - _log_mass(a, b),
    cdf=lambda x, a, b: exp(_log_mass(a, x) - _log_mass(a, b)),
    sf=lambda x, a, b: exp(_log_mass(x, b) - _log_mass(a, b)),
    logcdf=lambda x, a, b: _log_mass(a, x) - _log_mass(a, b),
    logsf=lambda x, a, b: _log_mass(x, b) - _log_mass(a, b),
)
