"""Special functions under JAX's names"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.primitive import Primitive
from ..ops.special import erf as error_function
from ..ops.special import erf_inv as inverse_error_function
from ..ops.special import erfc as complementary_error_function
from ..special import bessel, gamma, incomplete
from ..special.family import Partial
from .operands import adapted, bind

__all__ = [
    "bessel_i0e", "bessel_i1e", "betainc", "digamma", "erf", "erf_inv", "erfc", "igamma", "igamma_grad_a", "igammac",
    "lgamma", "polygamma", "random_gamma_grad", "zeta",
]  # fmt: skip


def _named(name: str, op: Primitive, doc: str = "") -> Callable[..., Any]:
    def function(*operands: Any) -> Any:
        return bind(op, *adapted(operands))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc or type(op).__doc__
    return function


bessel_i0e, bessel_i1e = _named("bessel_i0e", bessel.i0e), _named("bessel_i1e", bessel.i1e)
betainc = _named("betainc", incomplete.betainc)
digamma, lgamma = _named("digamma", gamma.digamma), _named("lgamma", gamma.lgamma)
erf, erfc = _named("erf", error_function), _named("erfc", complementary_error_function)
erf_inv = _named("erf_inv", inverse_error_function)
igamma, igammac = _named("igamma", incomplete.gammainc), _named("igammac", incomplete.gammaincc)
igamma_grad_a = _named("igamma_grad_a", Partial(incomplete.gammainc, (0,)), "The derivative of igamma(a, x) in a.")
polygamma, zeta = _named("polygamma", gamma.polygamma), _named("zeta", gamma.zeta)
random_gamma_grad = _named("random_gamma_grad", incomplete.random_gamma_grad)
