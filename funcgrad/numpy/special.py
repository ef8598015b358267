"""The one special function that NumPy has; the others are in `funcgrad.scipy.special`"""

from __future__ import annotations

from typing import Any

from ..special.bessel import i0 as bessel_i0
from .conversion import as_operand
from .kernels import checked
from .promotion import require_real, to_inexact

__all__ = ["i0"]


def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind and order 0, elementwise.

    Raises:
        DTypeError: `x` is complex.
    """
    x = to_inexact(as_operand(x))
    require_real(x, "i0")
    return checked(bessel_i0)(x)
