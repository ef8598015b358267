"""Integrals and hypergeometric functions under SciPy's names"""

from __future__ import annotations

from typing import Any

import scipy.special

from ...backend.array import Array
from ...compiler.evaluate import silence
from ...core.dtypes import complex_dtype, is_complex
from ...numpy.fast import FLOATING, quick_host
from ...numpy.promotion import asarray_or_tracer, to_inexact
from ...ops.structure import convert
from ...special import hypergeometric, integrals
from ...special.faddeeva import wofz as faddeeva
from .faces import face, real_operands

__all__ = ["exp1", "expi", "expn", "fresnel", "hyp1f1", "hyp2f1", "sici", "spence", "wofz"]

exp1 = face(integrals.exp1, "exp1", "x", "The exponential integral ∫₁^∞ exp(-x t) / t dt, elementwise.")
expi = face(integrals.expi, "expi", "x", "The exponential integral of exp(t) / t from -∞ to x, elementwise.")
spence = face(integrals.spence, "spence", "x", "∫₁ˣ log(t) / (1 - t) dt, elementwise: the dilogarithm of 1 - x.")
hyp1f1 = face(hypergeometric.hyp1f1, "hyp1f1", "a b x", "Kummer's hypergeometric function M(a, b, x), elementwise.")
hyp2f1 = face(
    hypergeometric.hyp2f1,
    "hyp2f1",
    "a b c z",
    "Gauss's hypergeometric function F(a, b; c; z), elementwise, for z ≤ 1; NaN beyond when compiled.",
)


def expn(n: Any, x: Any) -> Any:
    """The exponential integral ∫₁^∞ exp(-x t) / tⁿ dt, elementwise.

    Args:
        n: whole numbers, 0 or more.
        x: real numbers, 0 or more; the result is NaN for others.
    """
    return integrals.expn(*real_operands("expn", n, x))


def sici(x: Any) -> tuple[Any, Any]:
    """The sine integral ∫₀ˣ sin(t) / t dt and the cosine integral γ + log |x| + ∫₀ˣ (cos(t) - 1) / t dt.

    Args:
        x: real numbers.

    Returns:
        A pair of arrays like `x`.
    """
    return _pair("sici", integrals.sine_integral, integrals.cosine_integral, x)


def fresnel(x: Any) -> tuple[Any, Any]:
    """The Fresnel integrals ∫₀ˣ sin(π t² / 2) dt and ∫₀ˣ cos(π t² / 2) dt.

    Args:
        x: real numbers.

    Returns:
        A pair of arrays like `x`.
    """
    return _pair("fresnel", integrals.fresnel_s, integrals.fresnel_c, x)


def _pair(name: str, first: Any, second: Any, x: Any) -> tuple[Any, Any]:
    host = quick_host(x, FLOATING)
    if host is not None:
        one, two = silence.run(getattr(scipy.special, name), host)
        return Array(one), Array(two)
    (x,) = real_operands(name, x)
    return first(x), second(x)


def wofz(z: Any) -> Any:
    """The Faddeeva function exp(-z²) erfc(-iz), elementwise; complex whatever `z` is."""
    z = to_inexact(asarray_or_tracer(z))
    return faddeeva(z if is_complex(z.dtype) else convert(z, complex_dtype(z.dtype)))
