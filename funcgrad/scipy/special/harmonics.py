"""Spherical harmonics under SciPy's name"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.dtypes import is_integer
from ...errors import ArgumentError, ConcretizationError, DTypeError
from ...numpy.conversion import as_operand
from ...ops.complex_parts import complex_
from ...ops.structure import convert
from ...ops.trigonometry import cos, sin
from ...special.harmonics import SphericalLegendre
from .faces import real_operands

__all__ = ["sph_harm_y"]


def sph_harm_y(n: Any, m: Any, theta: Any, phi: Any, diff_n: int | None = None, n_max: int | None = None) -> Any:
    """The spherical harmonics Yₙᵐ(θ, φ), elementwise, with the Condon-Shortley phase: DLMF 14.30.1.

    Args:
        n: degrees, integers that are 0 or more.
        m: orders, integers; the result is 0 where |m| > n.
        theta: polar angles, in [0, π].
        phi: azimuthal angles.
        diff_n: derivatives are those of `jvp` and `grad`; only None and 0 are accepted.
        n_max: the highest degree in `n`, a Python int; needed where `n` is traced. Higher degrees give 0.

    Returns:
        Complex numbers of the shape that the arguments broadcast to.

    Raises:
        DTypeError: `n` or `m` are not integers.
        ConcretizationError: `n` is traced, and `n_max` is not given.
        ArgumentError: `diff_n` asks for derivatives.
    """
    if diff_n:
        raise ArgumentError(f"sph_harm_y: diff_n={diff_n!r}; use fg.jvp or fg.jacfwd for the derivatives in the angles")
    degree, order = as_operand(n), as_operand(m)
    for name, x in (("n", degree), ("m", order)):
        if not is_integer(x.dtype):
            raise DTypeError(f"sph_harm_y: {name} must be integers, not {x.dtype.name}; write {name}.astype(int)")
    theta, phi = real_operands("sph_harm_y", theta, phi)
    degree, order, theta, phi = real_operands(
        "sph_harm_y", convert(degree, theta.dtype), convert(order, theta.dtype), theta, phi
    )
    size = SphericalLegendre(_highest(n) if n_max is None else int(n_max))(degree, order, theta)
    angle = order * phi
    return complex_(size * cos(angle), size * sin(angle))


def _highest(n: Any) -> int:
    known = n.concrete() if hasattr(n, "concrete") else n
    if known is None:
        raise ConcretizationError(
            f"sph_harm_y: n is a traced array of shape {n.shape}, but how many steps the recurrence has depends on its "
            f"largest value. Pass that as a Python int: sph_harm_y(n, m, theta, phi, n_max=…)"
        )
    values = np.asarray(known)
    return max(int(values.max(initial=0)), 0)
