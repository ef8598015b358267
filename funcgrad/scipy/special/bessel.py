"""Bessel functions under SciPy's names"""

from __future__ import annotations

from typing import Any

from ...errors import ArgumentError
from ...ops.stacking import stack
from ...special import bessel as ops
from .faces import face, real_operands

__all__ = ["bessel_jn", "i0", "i0e", "i1", "i1e"]

i0 = face(ops.i0, "i0", "x", "The modified Bessel function I₀(x), elementwise.", lambda x: ops.i0.evaluate(x)[0])
i0e = face(ops.i0e, "i0e", "x", "exp(-|x|) I₀(x), elementwise.")
i1 = face(ops.i1, "i1", "x", "The modified Bessel function I₁(x), elementwise.", lambda x: ops.i1.evaluate(x)[0])
i1e = face(ops.i1e, "i1e", "x", "exp(-|x|) I₁(x), elementwise.")


def bessel_jn(z: Any, *, v: int, n_iter: int = 50) -> Any:
    """The Bessel functions of the first kind of the orders 0, 1, …, v.

    Args:
        z: real numbers of any size.
        v: the highest order, a Python int, 0 or more.
        n_iter: not needed; JAX's number of steps of a recurrence, which here is always long enough.

    Returns:
        An array of shape (v + 1, *z.shape).

    Raises:
        ArgumentError: `v` is not such an int.
    """
    if not isinstance(v, int) or isinstance(v, bool) or v < 0:
        raise ArgumentError(f"bessel_jn: v={v!r}, but the highest order must be a Python int that is 0 or more")
    (z,) = real_operands("bessel_jn", z)
    return stack([ops.bessel_j(order, z) for order in range(v + 1)])
