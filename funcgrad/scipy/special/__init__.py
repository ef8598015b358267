"""Special functions under SciPy's names: SciPy's own when eager, exact and differentiable when compiled.

Arguments promote and broadcast as those of `funcgrad.numpy`: integers become the default float, and Python numbers
adapt to the array beside them. docs/special-functions.md says where each function is defined and how exact it is.
"""

# fmt: off
# isort: off
from .bessel import bessel_jn, i0, i0e, i1, i1e
from .entropy import (
    boxcox, boxcox1p, entr, expit, kl_div, log_expit, log_softmax, logit, logsumexp, rel_entr, softmax, xlog1py,
    xlogy,
)
from .error_functions import dawsn, erf, erfc, erfcinv, erfcx, erfinv, log_ndtr, ndtr, ndtri, owens_t
from .gamma import (
    bernoulli, beta, betainc, betaln, binom, comb, digamma, factorial, gamma, gammainc, gammaincc, gammaln,
    gammasgn, loggamma, multigammaln, poch, polygamma, psi, zeta,
)
from .harmonics import sph_harm_y
from .integrals import exp1, expi, expn, fresnel, hyp1f1, hyp2f1, sici, spence, wofz
# isort: on
# fmt: on

__all__ = [
    "bernoulli", "bessel_jn", "beta", "betainc", "betaln", "binom", "boxcox", "boxcox1p", "comb", "dawsn",
    "digamma", "entr", "erf", "erfc", "erfcinv", "erfcx", "erfinv", "exp1", "expi", "expit", "expn", "factorial",
    "fresnel", "gamma", "gammainc", "gammaincc", "gammaln", "gammasgn", "hyp1f1", "hyp2f1", "i0", "i0e", "i1",
    "i1e", "kl_div", "log_expit", "log_ndtr", "log_softmax", "loggamma", "logit", "logsumexp", "multigammaln",
    "ndtr", "ndtri", "owens_t", "poch", "polygamma", "psi", "rel_entr", "sici", "softmax", "spence", "sph_harm_y",
    "wofz", "xlog1py", "xlogy", "zeta",
]  # fmt: skip
