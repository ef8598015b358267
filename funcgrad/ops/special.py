"""The error functions that engines have, and the inverse that normal random numbers are made with."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from .elementwise import mul, neg
from .exponential import exp, square
from .families import Elementwise
from .scipy_modules import scipy_module
from .structure import full

__all__ = ["erf", "erf_inv", "erfc"]


def _deferred(name: str) -> Any:
    def compute(x: np.ndarray) -> np.ndarray:
        return getattr(scipy_module("special"), name)(x)

    return staticmethod(compute)


class Erf(Elementwise):
    """The error function, 2/√π ∫₀ˣ exp(-t²) dt."""

    compute, stablehlo, accepts, via_float32 = _deferred("erf"), "chlo.erf", "f", True
    pushforwards = (lambda dx, out, x: mul(dx, _gaussian(x, 2 / sqrt(pi))),)


class Erfc(Elementwise):
    """1 - erf(x), exact for large x."""

    compute, stablehlo, accepts, via_float32 = _deferred("erfc"), "chlo.erfc", "f", True
    pushforwards = (lambda dx, out, x: mul(dx, _gaussian(x, -2 / sqrt(pi))),)


def _gaussian(x: Any, factor: float) -> Any:
    return mul(full(x.type, factor), exp(neg(square(x))))


# M. B. Giles, Approximating the erfinv function (GPU Computing Gems, Jade edition, 2012): erf⁻¹(x) = x p(t), where
# w = -log(1 - x²) chooses the polynomial, highest power first, and t is w, or √w beyond the first range, less a centre.
# A number a line would fill two pages.
# fmt: off
_GILES_SINGLE = (
    (
        0.0,
        5.0,
        2.5,
        (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
         -0.00417768164, 0.246640727, 1.50140941),
    ),
    (
        5.0,
        np.inf,
        3.0,
        (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
         1.00167406, 2.83297682),
    ),
)
_GILES_DOUBLE = (
    (
        0.0,
        6.25,
        3.125,
        (-3.6444120640178196996e-21, -1.685059138182016589e-19, 1.2858480715256400167e-18, 1.115787767802518096e-17,
         -1.333171662854620906e-16, 2.0972767875968561637e-17, 6.6376381343583238325e-15, -4.0545662729752068639e-14,
         -8.1519341976054721522e-14, 2.6335093153082322977e-12, -1.2975133253453532498e-11,
         -5.4154120542946279317e-11, 1.051212273321532285e-09, -4.1126339803469836976e-09, -2.9070369957882005086e-08,
         4.2347877827932403518e-07, -1.3654692000834678645e-06, -1.3882523362786468719e-05, 0.0001867342080340571352,
         -0.00074070253416626697512, -0.0060336708714301490533, 0.24015818242558961693, 1.6536545626831027356),
    ),
    (
        6.25,
        16.0,
        3.25,
        (2.2137376921775787049e-09, 9.0756561938885390979e-08, -2.7517406297064545428e-07, 1.8239629214389227755e-08,
         1.5027403968909827627e-06, -4.013867526981545969e-06, 2.9234449089955446044e-06, 1.2475304481671778723e-05,
         -4.7318229009055733981e-05, 6.8284851459573175448e-05, 2.4031110387097893999e-05, -0.0003550375203628474796,
         0.00095328937973738049703, -0.0016882755560235047313, 0.0024914420961078508066, -0.0037512085075692412107,
         0.005370914553590063617, 1.0052589676941592334, 3.0838856104922207635),
    ),
    (
        16.0,
        np.inf,
        5.0,
        (-2.7109920616438573243e-11, -2.5556418169965252055e-10, 1.5076572693500548083e-09,
         -3.7894654401267369937e-09, 7.6157012080783393804e-09, -1.4960026627149240478e-08, 2.9147953450901080826e-08,
         -6.7711997758452339498e-08, 2.2900482228026654717e-07, -9.9298272942317002539e-07, 4.5260625972231537039e-06,
         -1.9681778105531670567e-05, 7.5995277030017761139e-05, -0.00021503011930044477347,
         -0.00013871931833623122026, 1.0103004648645343977, 4.8499064014085844221),
    ),
)
# fmt: on


class ErfInv(Elementwise):
    """The number with error function x; infinite at -1 and 1, NaN beyond."""

    stablehlo, accepts, via_float32 = "chlo.erf_inv", "f", True
    pushforwards = (lambda dx, out, x: mul(dx, mul(full(x.type, sqrt(pi) / 2), exp(square(out)))),)

    @staticmethod
    def compute(x: np.ndarray) -> np.ndarray:
        # The engine's polynomials, though SciPy is more exact: random.normal draws the same numbers eager or compiled.
        w = np.asarray(-np.log1p(x * -x))
        branches = _GILES_SINGLE if x.dtype == np.float32 else _GILES_DOUBLE
        result = np.zeros(x.shape, np.float64)
        for low, high, centre, coefficients in branches:
            inside = (w >= low) & (w < high)
            t = (w[inside] if low == 0 else np.sqrt(w[inside])) - w.dtype.type(centre)
            result[inside] = np.polyval(coefficients, t.astype(np.float64))
        size = np.abs(x)
        return np.where(size < 1, result * x, np.where(size == 1, x * np.inf, np.nan)).astype(x.dtype)


erf, erfc, erf_inv = Erf(), Erfc(), ErfInv()
