"""Greatest common divisors of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import BOOL
from ..core.types import ArrayType
from .families import Elementwise
from .reducing import lower_reduce

__all__ = ["gcd"]


class Gcd(Elementwise):
    """The greatest common divisor of |x| and |y|; that of two zeros is 0."""

    compute, accepts = np.gcd, "i"
    commutative = True
    pushforwards = (None, None)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        """Euclid's algorithm on all elements at once, until it has ended for each."""
        natural = type
        if type.dtype.kind == "i":  # the least integer has no absolute value but without a sign
            natural = type.update(dtype=np.dtype(f"u{type.dtype.itemsize}"))
            operands = tuple(build.convert(build.op("abs", (x,), type), type, natural.dtype) for x in operands)
        zero, one = build.constant(0, natural), build.constant(1, natural)

        def unfinished(x: Any, y: Any) -> tuple[Any, ...]:
            left = build.compare("NE", y, zero, natural)
            return (lower_reduce(build, "or", left, type.update(dtype=BOOL), range(type.ndim), False),)

        def step(x: Any, y: Any) -> tuple[Any, ...]:
            done = build.compare("EQ", y, zero, natural)
            rest = build.op("remainder", (x, build.op("select", (done, one, y), natural)), natural)
            return (
                build.op("select", (done, x, y), natural),
                build.op("select", (done, zero, rest), natural),
            )

        types = [natural, natural]
        found = build.ops("while", operands, types, None, [(types, unfinished), (types, step)])[0]
        return build.convert(found, natural, type.dtype)


gcd = Gcd()
