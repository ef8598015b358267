"""Discrete distributions: each its logarithmic probabilities, and what is special about it"""

from __future__ import annotations

from math import e, inf, pi
from math import log as natural_log
from typing import Any

from ...numpy.creation import arange
from ...numpy.elementwise import where
from ...numpy.reductions import sum
from ...numpy.shape import expand_dims
from ...numpy.transcendental import exp, log, log1p
from ...ops.structure import convert
from ..special import betaln, gammainc, gammaincc, gammaln, xlog1py, xlogy
from .distribution import Distribution

__all__ = ["bernoulli", "betabinom", "binom", "geom", "nbinom", "poisson"]


def _fraction(p: Any) -> Any:
    return (p >= 0) & (p <= 1)


def _log_choose(n: Any, k: Any) -> Any:
    """The logarithm of the number of ways to choose k of n."""
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


bernoulli = Distribution(
    "bernoulli",
    """The Bernoulli distribution: 1 with probability p, else 0.""",
    "p",
    discrete=True,
    support=(0, 1),
    valid=_fraction,
    logpmf=lambda k, p: where(k == 0, log1p(-where(k == 0, p, 0.0)), log(where(k == 0, 1.0, p))) + 0 * k,
    pmf=lambda k, p: where(k == 0, 1 - p, p) + 0 * k,  # which keeps NaN
    cdf=lambda k, p: 1 - p + 0 * k,
    sf=lambda k, p: p + 0 * k,
    ppf=lambda q, p: where(q == 0, -1.0, where(q <= 1 - p, 0.0, 1.0)) + 0 * q,
)

binom = Distribution(
    "binom",
    """The binomial distribution: k successes in n trials, each with probability p.

    Probability: n! / (k! (n - k)!) · p^k (1 - p)^(n - k).
    """,
    "n p",
    discrete=True,
    support=lambda n, p: (0, n),
    valid=lambda n, p: (n >= 0) & _fraction(p),
    logpmf=lambda k, n, p: _log_choose(n, k) + xlogy(k, p) + xlog1py(n - k, -p),
)

betabinom = Distribution(
    "betabinom",
    """The beta-binomial distribution: k successes in n trials, their probability drawn from the beta distribution.

    Probability: n! / (k! (n - k)!) · B(k + a, n - k + b) / B(a, b).
    """,
    "n a b",
    discrete=True,
    support=lambda n, a, b: (0, n),
    valid=lambda n, a, b: (n >= 0) & (a > 0) & (b > 0),
    logpmf=lambda k, n, a, b: _log_choose(n, k) + betaln(k + a, n - k + b) - betaln(a, b),
)

geom = Distribution(
    "geom",
    """The geometric distribution: the first success is the k-th trial. Probability: (1 - p)^(k - 1) p for k >= 1.""",
    "p",
    discrete=True,
    support=(1, inf),
    inner=1.0,
    valid=lambda p: (p > 0) & (p <= 1),
    logpmf=lambda k, p: xlog1py(k - 1, -p) + log(p),
)

nbinom = Distribution(
    "nbinom",
    """The negative binomial distribution: k failures before the n-th success.

    Probability: Γ(k + n) / (Γ(n) k!) · p^n (1 - p)^k.
    """,
    "n p",
    discrete=True,
    support=(0, inf),
    valid=lambda n, p: (n > 0) & (p > 0) & (p <= 1),
    logpmf=lambda k, n, p: gammaln(k + n) - gammaln(n) - gammaln(k + 1) + xlogy(n, p) + xlog1py(k, -p),
)


def _poisson_entropy(mu: Any) -> Any:
    """The sum of -P log P, over all k that count; for large mu its asymptotic series in 1/mu."""
    large = mu > 100
    rate = expand_dims(where(large | (mu <= 0), 1.0, mu), mu.ndim)
    k = convert(arange(256), mu.dtype)
    logarithm = xlogy(k, rate) - rate - gammaln(k + 1)
    exact = -sum(exp(logarithm) * logarithm, -1)
    far = where(large, mu, 200.0)
    series = -(1 / 12 + (1 / 24 + (19 / 360 + 9 / (80 * far)) / far) / far) / far
    result = where(large, log(far) / 2 + natural_log(2 * pi * e) / 2 + series, exact)
    return where(mu == 0, 0.0, result)


poisson = Distribution(
    "poisson",
    """The Poisson distribution of mean mu >= 0. Probability: mu^k exp(-mu) / k!.""",
    "mu",
    discrete=True,
    support=(0, inf),
    valid=lambda mu: mu >= 0,
    logpmf=lambda k, mu: xlogy(k, mu) - gammaln(k + 1) - mu,
    cdf=lambda k, mu: gammaincc(k + 1, mu),
    sf=lambda k, mu: gammainc(k + 1, mu),
    entropy=_poisson_entropy,
)
