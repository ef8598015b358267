"""Special functions: the error functions, lgamma, digamma, polygamma and the Hurwitz zeta function.

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF), sections 5, 7 and 25.11.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np
from scipy import special

from ..core.types import ArrayType
from ..errors import DifferentiationError
from .elementwise import add, mul, neg
from .exponential import exp, square
from .families import Elementwise
from .structure import full

__all__ = ["digamma", "erf", "erf_inv", "erfc", "lgamma", "polygamma", "zeta"]


class Erf(Elementwise):
    """The error function, 2/√π ∫₀ˣ exp(-t²) dt."""

    compute, stablehlo, accepts, via_float32 = special.erf, "chlo.erf", "f", True
    pushforwards = (lambda dx, out, x: mul(dx, _gaussian(x, 2 / sqrt(pi))),)


class Erfc(Elementwise):
    """1 - erf(x), exact for large x."""

    compute, stablehlo, accepts, via_float32 = special.erfc, "chlo.erfc", "f", True
    pushforwards = (lambda dx, out, x: mul(dx, _gaussian(x, -2 / sqrt(pi))),)


def _gaussian(x: Any, factor: float) -> Any:
    return mul(full(x.type, factor), exp(neg(square(x))))


class ErfInv(Elementwise):
    """The number with error function x; infinite at -1 and 1, NaN beyond."""

    stablehlo, accepts, via_float32 = "chlo.erf_inv", "f", True
    pushforwards = (lambda dx, out, x: mul(dx, mul(full(x.type, sqrt(pi) / 2), exp(square(out)))),)

    @staticmethod
    def compute(x: np.ndarray) -> np.ndarray:
        return np.copysign(special.erfinv(x), x)


class Lgamma(Elementwise):
    """log |Γ(x)|."""

    stablehlo, accepts, via_float32 = "chlo.lgamma", "f", True
    pushforwards = (lambda dx, out, x: mul(dx, digamma(x)),)

    @staticmethod
    def compute(x: np.ndarray) -> np.ndarray:
        return special.gammaln(np.where(x == -np.inf, np.inf, x))


class Digamma(Elementwise):
    """ψ(x), the derivative of log Γ; ∓∞ at ±0, NaN at negative integers."""

    compute, accepts, via_float32 = special.digamma, "f", True
    pushforwards = (lambda dx, out, x: mul(dx, polygamma(full(x.type, 1), x)),)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        (x,) = operands
        pole = build.compare("EQ", x, build.constant(0, type), type)
        infinite = build.op("divide", (build.constant(-1, type), x), type)
        return build.op("select", (pole, infinite, build.op("chlo.digamma", operands, type)), type)


def _no_derivative(name: str, operand: str) -> Any:
    def refuse(*_: Any) -> Any:
        raise DifferentiationError(
            f"{name} is not differentiable in {operand}, only in its second operand; "
            f"wrap the first one in fg.stop_gradient(…)"
        )

    return refuse


class Polygamma(Elementwise):
    """Operands (n, x): the n-th derivative of digamma at x, for n = 0, 1, 2, … given as floats."""

    stablehlo, accepts, via_float32 = "chlo.polygamma", "f", True
    pushforwards = (
        _no_derivative("polygamma", "its order n"),
        lambda dx, out, n, x: mul(dx, polygamma(add(n, full(n.type, 1)), x)),
    )

    @staticmethod
    def compute(n: np.ndarray, x: np.ndarray) -> np.ndarray:
        order, argument = n.astype(np.float64), x.astype(np.float64)
        # DLMF 5.15.2: ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹ n! ζ(n + 1, x)
        signed = np.where(order % 2 == 0, -1.0, 1.0) * special.gamma(order + 1) * special.zeta(order + 1, argument)
        valid = (order >= 0) & (order == np.floor(order))
        return np.where(valid, np.where(order == 0, special.digamma(argument), signed), np.nan).astype(x.dtype)


class Zeta(Elementwise):
    """Operands (s, q): the Hurwitz zeta function Σₖ (q + k)⁻ˢ, for s > 1."""

    stablehlo, accepts, via_float32 = "chlo.zeta", "f", True
    # DLMF 25.11.17
    pushforwards = (
        _no_derivative("zeta", "its exponent s"),
        lambda dq, out, s, q: mul(dq, mul(neg(s), zeta(add(s, full(s.type, 1)), q))),
    )

    @staticmethod
    def compute(s: np.ndarray, q: np.ndarray) -> np.ndarray:
        return special.zeta(s.astype(np.float64), q.astype(np.float64)).astype(q.dtype)


erf, erfc, erf_inv = Erf(), Erfc(), ErfInv()
lgamma, digamma, polygamma, zeta = Lgamma(), Digamma(), Polygamma(), Zeta()
