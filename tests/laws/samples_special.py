"""Samples of the special functions: smooth points; tests/scipy looks at their whole domains."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from funcgrad.core import dtypes as dt
from funcgrad.special import (
    bessel,
    entropy,
    error_functions,
    faddeeva,
    gamma,
    harmonics,
    hypergeometric,
    incomplete,
    integrals,
)
from funcgrad.special.family import Formula, Partial

from .sample import Sample

# Per operation its smooth points, one row an operand, and the allowed ulps of its own dtype.
SMOOTH: tuple[tuple[Formula, tuple[tuple[float, ...], ...], float], ...] = (
    (gamma.lgamma, ((0.3, 2.6, 11.0),), 8),
    (gamma.gamma, ((-1.4, 2.6, 11.0),), 16),
    (gamma.digamma, ((0.3, 2.6, 11.0),), 8),
    (gamma.zeta, ((2.5, 4.0, 1.5), (0.7, 3.0, 12.0)), 8),
    (gamma.riemann_zeta, ((2.5, 0.4, -1.5),), 32),
    (gamma.beta, ((0.7, 3.0, 11.0), (1.5, 4.0, 12.0)), 32),
    (gamma.betaln, ((0.7, 3.0, 11.0), (2.5, 4.0, 12.0)), 32),
    (gamma.binom, ((5.5, 7.3, 12.1), (2.2, 3.6, 4.7)), 64),
    (gamma.poch, ((1.5, 2.3, 4.1), (2.2, 3.6, 4.7)), 64),
    (entropy.xlogy, ((0.7, -2.0, 3.0), (1.5, 0.2, 4.0)), 4),
    (entropy.xlog1py, ((0.7, -2.0, 3.0), (1.5, -0.3, 4.0)), 4),
    (error_functions.ndtr, ((-3.0, -0.4, 1.5),), 16),
    (error_functions.log_ndtr, ((-30.0, -0.4, 1.5),), 16),
    (error_functions.ndtri, ((0.01, 0.4, 0.9),), 8),
    (error_functions.erfinv, ((-0.9, 0.2, 0.8),), 8),
    (error_functions.erfcinv, ((0.1, 0.7, 1.8),), 8),
    (error_functions.erfcx, ((-1.5, 0.4, 9.0),), 16),
    (error_functions.dawsn, ((-0.4, 1.8, 7.0),), 64),
    (error_functions.owens_t, ((0.7, -1.2, 2.0), (0.4, 2.5, -0.8)), 64),
    (incomplete.gammainc, ((0.6, 3.0, 12.0), (0.9, 5.0, 9.0)), 128),
    (incomplete.gammaincc, ((0.6, 3.0, 12.0), (0.9, 5.0, 9.0)), 128),
    (incomplete.betainc, ((0.6, 3.0, 12.0), (1.4, 2.0, 9.0), (0.3, 0.8, 0.5)), 128),
    (incomplete.random_gamma_grad, ((0.6, 3.0), (0.9, 5.0)), 128),
    (bessel.i0, ((-3.0, 0.4, 9.0),), 16),
    (bessel.i1, ((-3.0, 0.4, 9.0),), 32),
    (bessel.i0e, ((-3.0, 0.4, 9.0),), 16),
    (bessel.i1e, ((-3.0, 0.4, 9.0),), 32),
    (bessel.BesselJ(0), ((-3.0, 0.4, 9.5),), 64),
    (bessel.BesselJ(3), ((-3.2, 0.4, 9.5),), 64),
    (integrals.exp1, ((0.3, 1.7, 8.0),), 16),
    (integrals.expi, ((-2.0, 1.7, 8.0),), 16),
    (integrals.sine_integral, ((-2.0, 1.7, 8.0),), 16),
    (integrals.cosine_integral, ((0.3, 1.7, 8.0),), 16),
    (integrals.fresnel_s, ((-0.7, 1.2, 2.5),), 32),
    (integrals.fresnel_c, ((-0.7, 1.2, 2.5),), 32),
    (integrals.spence, ((0.2, 1.3, 3.0),), 32),
    (hypergeometric.hyp1f1, ((0.7, 1.5), (1.8, 2.5), (0.6, -2.0)), 256),
    (hypergeometric.hyp2f1, ((0.7, 1.5), (1.8, 0.4), (2.5, 1.7), (0.3, -0.8)), 256),
)

# Their derivatives are those of their formulas, or lead there: tests/scipy checks these, compiled all together, since
# the laws take every derivative apart from all others.
BY_FORMULA = (
    *(gamma.zeta, gamma.riemann_zeta, error_functions.log_ndtr, error_functions.erfcx, error_functions.dawsn),
    *(incomplete.gammainc, incomplete.gammaincc, incomplete.betainc, incomplete.random_gamma_grad),
    *(bessel.i0, bessel.i1, bessel.i0e, bessel.i1e, hypergeometric.hyp1f1, hypergeometric.hyp2f1),
    *(gamma.gamma, gamma.lgamma, gamma.digamma, gamma.beta, gamma.betaln, gamma.binom, gamma.poch),
)
IN_ALL_DTYPES = (gamma.lgamma, entropy.xlogy, error_functions.ndtri, bessel.i0e)


def _operands(points: tuple[tuple[float, ...], ...], dtype: np.dtype) -> tuple[np.ndarray, ...]:
    return tuple(np.array(row).astype(dtype) for row in points)


def samples() -> Iterator[Sample]:
    """Every row of this file."""
    for op, points, ulps in SMOOTH:
        label = repr(op) if type(op)._fields else op.name
        yield Sample(label, op, _operands(points, dt.FLOAT64), op not in BY_FORMULA, ulps)
        if op in IN_ALL_DTYPES:
            yield Sample(f"{label}-empty", op, _operands(((),) * len(points), dt.FLOAT32), False, 0)
            for dtype in (dt.FLOAT32, dt.BFLOAT16, dt.FLOAT16):
                yield Sample(f"{label}-{dtype.name}", op, _operands(points, dtype), False, 4)
    yield from _without_all_derivatives()


def _without_all_derivatives() -> Iterator[Sample]:
    """Operations with operands that do not move, so not differentiated by the laws, which move every operand."""
    x = np.linspace(0.5, 6, 12).reshape(3, 4)
    for order in (0, 1, 2):
        yield Sample(f"polygamma-{order}", gamma.polygamma, (np.full((3, 4), float(order)), x), False, 16)
        yield Sample(f"expn-{order}", integrals.expn, (np.full((3, 4), float(order)), x), False, 64)
    degrees, orders = np.array([0.0, 1, 4, 2, 3]), np.array([0.0, -1, 2, 3, 3])
    operands = degrees, orders, np.array([0.3, 1.2, 2.0, 2.5, 3.0])
    yield Sample("spherical_legendre", harmonics.SphericalLegendre(4), operands, False, 16)
    points = np.array([0.3 + 0.2j, 7.0 - 0.5j, -2.0 + 4.0j, 1.0])
    yield Sample("wofz", faddeeva.wofz, (points,), False, 256)
    yield Sample("partial", Partial(incomplete.gammainc, (0,)), (np.array([0.6, 3.0]), np.array([0.9, 5.0])), False, 64)
