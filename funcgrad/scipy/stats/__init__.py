"""Probability distributions and statistics under SciPy's names: densities, tails, quantiles, density estimates, ranks.

A distribution is an object whose functions are its attributes: `norm.logpdf(x, loc, scale)`. All of them are
differentiable, and promote and broadcast as those of `funcgrad.numpy`.
"""

# fmt: off
# isort: off
from .continuous import (
    beta, cauchy, chi2, expon, gamma, gennorm, gumbel_l, gumbel_r, laplace, logistic, norm, pareto, t, truncnorm,
    uniform, vonmises, wrapcauchy,
)
from .discrete import bernoulli, betabinom, binom, geom, nbinom, poisson
from .kde import gaussian_kde
from .multivariate import dirichlet, multinomial, multivariate_normal
from .ranks import ModeResult, mode, rankdata, sem
# isort: on
# fmt: on

__all__ = [
    "ModeResult", "bernoulli", "beta", "betabinom", "binom", "cauchy", "chi2", "dirichlet", "expon", "gamma",
    "gaussian_kde", "gennorm", "geom", "gumbel_l", "gumbel_r", "laplace", "logistic", "mode", "multinomial",
    "multivariate_normal", "nbinom", "norm", "pareto", "poisson", "rankdata", "sem", "t", "truncnorm", "uniform",
    "vonmises", "wrapcauchy",
]  # fmt: skip
