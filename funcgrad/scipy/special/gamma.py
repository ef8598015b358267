"""The gamma function and its family under SciPy's names"""

from __future__ import annotations

from math import log as natural_log
from math import pi
from typing import Any

import numpy as np
import scipy.special

from ...core.dtypes import default_float
from ...errors import ArgumentError
from ...numpy.creation import asarray
from ...numpy.elementwise import copysign, floor, where
from ...numpy.logic import isnan
from ...special import gamma as ops
from ...special.incomplete import betainc as incomplete_beta
from ...special.incomplete import gammainc as lower_gamma
from ...special.incomplete import gammaincc as upper_gamma
from .faces import face, real_operands

__all__ = [
    "bernoulli", "beta", "betainc", "betaln", "binom", "comb", "digamma", "factorial", "gamma", "gammainc", "gammaincc",
    "gammaln", "gammasgn", "loggamma", "multigammaln", "poch", "polygamma", "psi", "zeta",
]  # fmt: skip

gamma = face(ops.gamma, "gamma", "x", "The gamma function Γ(x), elementwise.")
gammaln = face(ops.lgamma, "gammaln", "x", "log |Γ(x)|, elementwise.")
digamma = face(ops.digamma, "digamma", "x", "ψ(x), the derivative of log Γ(x), elementwise.", "psi")
psi = digamma
beta = face(ops.beta, "beta", "a b", "The beta function Γ(a) Γ(b) / Γ(a + b), elementwise.")
betaln = face(ops.betaln, "betaln", "a b", "The logarithm of the absolute value of the beta function, elementwise.")
binom = face(ops.binom, "binom", "n k", "The binomial coefficient of any real n and k, elementwise.")
poch = face(ops.poch, "poch", "z m", "The rising factorial Γ(z + m) / Γ(z), elementwise.")
gammainc = face(
    lower_gamma,
    "gammainc",
    "a x",
    "The regularized lower incomplete gamma function P(a, x), elementwise; differentiable in both arguments.",
)
gammaincc = face(
    upper_gamma,
    "gammaincc",
    "a x",
    "The regularized upper incomplete gamma function 1 - P(a, x), elementwise; differentiable in both arguments.",
)
betainc = face(
    incomplete_beta,
    "betainc",
    "a b x",
    "The regularized incomplete beta function I(a, b, x), elementwise; differentiable in all arguments.",
)


def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of digamma at x, elementwise.

    Args:
        n: whole numbers, 0 or more.
        x: real numbers.
    """
    return ops.polygamma(*real_operands("polygamma", n, x))


def zeta(x: Any, q: Any = None) -> Any:
    """The Riemann zeta function ζ(x), or with `q` Hurwitz's Σₖ (k + q)⁻ˣ, elementwise; differentiable in both.

    Hurwitz's is that of the convergent series, so NaN for x < 1; Riemann's is continued to all real x.
    """
    return ops.riemann_zeta(*real_operands("zeta", x)) if q is None else ops.zeta(*real_operands("zeta", x, q))


def loggamma(x: Any) -> Any:
    """log Γ(x), elementwise: NaN where Γ(x) is negative or x < 0, as the logarithm is complex there."""
    (x,) = real_operands("loggamma", x)
    return where(x < 0, np.nan, ops.lgamma(x))


def gammasgn(x: Any) -> Any:
    """The sign of Γ(x), elementwise; NaN at its poles -1, -2, …, and that of x for ±0."""
    (x,) = real_operands("gammasgn", x)
    whole = floor(x)
    odd = where(whole % 2 == 0, 1.0, -1.0)
    left = where(whole == x, np.nan, odd)
    return where(x < 0, left, where(x == 0, copysign(1.0, x), where(isnan(x), x, 1.0))).astype(x.dtype)


def factorial(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    """n! = Γ(n + 1), elementwise; 0 for negative n.

    Args:
        n: real numbers.
        exact: integer arithmetic; not supported, since arrays have no integers of any length.
        extend: "zero", the only value supported.

    Raises:
        ArgumentError: `exact` is true, or another `extend`.
    """
    _refuse_exact("factorial", exact)
    if extend != "zero":
        raise ArgumentError(f"factorial: extend={extend!r}, but only 'zero' is supported; for other n use gamma(n + 1)")
    (n,) = real_operands("factorial", n)
    return where(n < 0, 0.0, ops.gamma(n + 1))


def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """How many ways there are to choose k of N things, elementwise; 0 where that makes no sense.

    Args:
        N, k: how many things there are, and how many are chosen.
        exact: integer arithmetic; not supported, since arrays have no integers of any length.
        repetition: whether a thing may be chosen again.

    Raises:
        ArgumentError: `exact` is true.

    Example:
        >>> import funcgrad as fg
        >>> fg.scipy.special.comb(5, 2)
        Array(10., dtype=float32)
    """
    _refuse_exact("comb", exact)
    N, k = real_operands("comb", N, k)
    if repetition:
        nothing = (N == 0) & (k == 0)
        return where(nothing, 1.0, comb(where(nothing, 1.0, N + k - 1), k))
    possible = (k <= N) & (N >= 0) & (k >= 0)
    return where(possible, ops.binom(where(possible, N, 1.0), where(possible, k, 1.0)), 0.0)


def _refuse_exact(name: str, exact: bool) -> None:
    if exact:
        raise ArgumentError(
            f"{name}: exact=True asks for integers of any length, which no array holds; "
            f"leave it out, or use math.{name} on Python ints"
        )


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function of dimension d, elementwise, for a > (d - 1) / 2.

    Args:
        a: real numbers.
        d: the dimension, a positive Python int.

    Raises:
        ArgumentError: `d` is not a positive int.
    """
    if not isinstance(d, int) or isinstance(d, bool) or d < 1:
        raise ArgumentError(f"multigammaln: d={d!r}, but the dimension must be a positive Python int")
    (a,) = real_operands("multigammaln", a)
    result = ops.lgamma(a) + d * (d - 1) / 4 * natural_log(pi)
    for j in range(1, d):
        result = result + ops.lgamma(a - j / 2)
    return result


def bernoulli(n: int) -> Any:
    """The Bernoulli numbers B₀ … Bₙ, with B₁ = -½, as an array of the default float.

    Args:
        n: a Python int, 0 or more.

    Raises:
        ArgumentError: `n` is not such an int.
    """
    if not isinstance(n, int) or isinstance(n, bool) or n < 0:
        raise ArgumentError(f"bernoulli: n={n!r}, but it must be a Python int that is 0 or more: it is a shape")
    return asarray(scipy.special.bernoulli(max(n, 2))[: n + 1], default_float())
