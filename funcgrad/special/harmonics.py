"""Spherical harmonics: their real part in the polar angle"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from ..ops.bits import and_
from ..ops.elementwise import absolute, floor, ge, gt, le, lt, mul
from ..ops.exponential import sqrt as square_root
from ..ops.scipy_modules import scipy_module
from ..ops.structure import full
from ..ops.trigonometry import cos, sin
from .family import Partial, Special, where
from .gamma import is_whole

__all__ = ["SphericalLegendre"]


class SphericalLegendre(Special):
    """Operands (n, m, θ): the harmonic of degree n and order m at longitude 0, n and m given as floats.

    That is √((2n + 1) / 4π · (n - m)! / (n + m)!) Pₙᵐ(cos θ), DLMF 14.30.1. Fields:
        highest: the highest degree that may occur; 0 comes out for higher ones.
    """

    highest: int

    @property
    def pushforwards(self) -> Any:  # type: ignore[override]
        # Degree and order are whole numbers: they do not move.
        return (None, None, lambda dx, out, n, m, x: mul(dx, Partial(self, (2,))(n, m, x)))

    def compute(self, *operands: np.ndarray) -> np.ndarray:
        n, m, angle = operands
        valid = (n >= 0) & (n <= self.highest) & (n == np.floor(n)) & (m == np.floor(m)) & (np.abs(m) <= n)
        degree, order = (np.where(valid, x, 0).astype(np.int64) for x in (n, m))
        result = scipy_module("special").sph_legendre_p(degree, order, angle.astype(np.float64))
        result = np.reshape(result, angle.shape)  # of numbers SciPy makes a vector
        return np.where(valid, result, 0).astype(angle.dtype)

    def formula(self, n: Any, m: Any, angle: Any) -> Any:
        """By the recurrence in the degree, DLMF 14.10.3, normalized so that nothing overflows."""
        sine, cosine = sin(angle), cos(angle)
        size = absolute(m)
        current, previous = full(angle.type, sqrt(1 / (4 * pi))), full(angle.type, 0.0)
        for k in range(1, self.highest + 1):
            current = where(ge(size, full(m.type, float(k))), current * sine * -sqrt((2 * k + 1) / (2 * k)), current)
        square = size * size
        for degree in range(1, self.highest + 1):
            going = and_(lt(size, full(m.type, float(degree))), le(full(n.type, float(degree)), n))
            below = square_root(where(going, (degree - 1.0) ** 2 - square, 0.0) * (1 / (4 * (degree - 1.0) ** 2 - 1)))
            above = square_root((4.0 * degree**2 - 1) / where(going, degree**2 - square, 1.0))
            after = above * (cosine * current - below * previous)
            current, previous = where(going, after, current), where(going, current, previous)
        odd = and_(lt(m, full(m.type, 0.0)), gt(absolute(0.5 * m - floor(0.5 * m)), full(m.type, 0.25)))
        result = where(odd, -current, current)
        whole = and_(and_(is_whole(n), is_whole(m)), le(n, full(n.type, float(self.highest))))
        return where(and_(whole, le(size, n)), result, 0.0)
