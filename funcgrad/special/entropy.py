"""Products with logarithms, as entropies have them: x log y, which is 0 for x = 0 whatever y is"""

from __future__ import annotations

from typing import Any

from ..ops.bits import and_
from ..ops.elementwise import eq, mul, where
from ..ops.exponential import log, log1p
from ..ops.structure import full, zeros_of
from .family import Special

__all__ = ["xlog1py", "xlogy"]


def _zero(x: Any) -> Any:
    return eq(x, zeros_of(x.type))


def _product(x: Any, y: Any, logarithm: Any) -> Any:
    nothing = and_(_zero(x), eq(y, y))
    return where(nothing, zeros_of(x.type), mul(x, logarithm(y)))


def _quotient(x: Any, y: Any) -> Any:
    """x / y, but 0 for 0 / 0."""
    return x / where(and_(_zero(x), _zero(y)), full(y.type, 1), y)


class Xlogy(Special):
    """Operands (x, y): x log y; 0 for x = 0 unless y is NaN."""

    scipy = "xlogy"
    in_double = False
    pushforwards = (
        lambda dx, out, x, y: mul(dx, log(y)),
        lambda dy, out, x, y: mul(dy, _quotient(x, y)),
    )

    @staticmethod
    def formula(x: Any, y: Any) -> Any:
        """x log y."""
        return _product(x, y, log)


class Xlog1py(Special):
    """Operands (x, y): x log(1 + y); 0 for x = 0 unless y is NaN."""

    scipy = "xlog1py"
    in_double = False
    pushforwards = (
        lambda dx, out, x, y: mul(dx, log1p(y)),
        lambda dy, out, x, y: mul(dy, _quotient(x, y + 1)),
    )

    @staticmethod
    def formula(x: Any, y: Any) -> Any:
        """x log(1 + y)."""
        return _product(x, y, log1p)


xlogy, xlog1py = Xlogy(), Xlog1py()
