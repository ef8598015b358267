"""Circular and hyperbolic functions and their inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import is_complex
from ..core.types import ArrayType
from .complex_corners import Mended, complex_tan, complex_tanh
from .elementwise import add, div, mul, neg, sub
from .exponential import sqrt, square
from .families import Elementwise
from .structure import full

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "sin",
    "sinh",
    "tan",
    "tanh",
]


def _one_minus_square(x: Any) -> Any:
    # As a product: 1 - x² would lose all digits near |x| = 1.
    one = full(x.type, 1)
    return mul(sub(one, x), add(one, x))


def _one_plus_square(x: Any) -> Any:
    return add(full(x.type, 1), square(x))


# -- circular ----------------------------------------------------------------------------------------------------


class Sin(Mended):
    """The sine of an angle in radians."""

    compute, stablehlo, via_float32 = np.sin, "sine", True
    pushforwards = (lambda dx, out, x: mul(dx, cos(x)),)


class Cos(Mended):
    """The cosine of an angle in radians."""

    compute, stablehlo, via_float32 = np.cos, "cosine", True
    pushforwards = (lambda dx, out, x: mul(dx, neg(sin(x))),)


class Tan(Mended):
    """The tangent of an angle in radians."""

    stablehlo, via_float32 = "tan", True
    pushforwards = (lambda dx, out, x: mul(dx, _one_plus_square(out)),)

    @staticmethod
    def compute(x: np.ndarray) -> np.ndarray:
        return complex_tan(x) if x.dtype.kind == "c" else np.tan(x)


class Asin(Mended):
    """The angle in [-π/2, π/2] with sine x; NaN outside [-1, 1]."""

    compute, stablehlo, via_float32 = np.arcsin, "chlo.asin", True
    pushforwards = (lambda dx, out, x: div(dx, sqrt(_one_minus_square(x))),)


class Acos(Mended):
    """The angle in [0, π] with cosine x; NaN outside [-1, 1]."""

    compute, stablehlo, via_float32 = np.arccos, "chlo.acos", True
    pushforwards = (lambda dx, out, x: div(dx, neg(sqrt(_one_minus_square(x)))),)


class Atan(Mended):
    """The angle in [-π/2, π/2] with tangent x."""

    compute, stablehlo, via_float32 = np.arctan, "chlo.atan", True
    pushforwards = (lambda dx, out, x: div(dx, _one_plus_square(x)),)


class Atan2(Elementwise):
    """Operands (y, x): the angle in [-π, π] of the point (x, y)."""

    compute, stablehlo, accepts, via_float32 = np.arctan2, "atan2", "f", True
    pushforwards = (
        lambda dy, out, y, x: mul(dy, div(x, add(square(x), square(y)))),
        lambda dx, out, y, x: mul(dx, div(neg(y), add(square(x), square(y)))),
    )


# -- hyperbolic --------------------------------------------------------------------------------------------------


class Sinh(Mended):
    """The hyperbolic sine."""

    compute, stablehlo, via_float32 = np.sinh, "chlo.sinh", True
    pushforwards = (lambda dx, out, x: mul(dx, cosh(x)),)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        if is_complex(type.dtype):
            return super().emit(build, type, *operands)
        (x,) = operands
        size = build.op("abs", (x,), type)
        small = build.op("exponential_minus_one", (size,), type)
        quotient = build.op("divide", (small, build.op("add", (small, build.constant(1, type)), type)), type)
        small = build.op("multiply", (build.constant(0.5, type), build.op("add", (small, quotient), type)), type)
        large = _half_exponentials(build, type, size, "subtract")
        below = build.compare("LT", size, build.constant(1, type), type)
        positive = build.op("select", (below, small, large), type)
        negative = build.op("negate", (positive,), type)
        left = build.compare("LT", x, build.constant(0, type), type)
        # sinh(-0) is -0, and so is x there.
        zero = build.compare("EQ", x, build.constant(0, type), type)
        return build.op("select", (zero, x, build.op("select", (left, negative, positive), type)), type)


class Cosh(Mended):
    """The hyperbolic cosine."""

    compute, stablehlo, via_float32 = np.cosh, "chlo.cosh", True
    pushforwards = (lambda dx, out, x: mul(dx, sinh(x)),)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        if is_complex(type.dtype):
            return super().emit(build, type, *operands)
        return _half_exponentials(build, type, build.op("abs", operands, type), "add")


def _half_exponentials(build: Any, type: ArrayType, x: Any, operation: str) -> Any:
    """(e**x ± e**-x) / 2 for x ≥ 0 within 4 ulps; where e**x might overflow, through e**(x/2)."""
    half = build.constant(0.5, type)
    rising = build.op("exponential", (x,), type)
    falling = build.op("exponential", (build.op("negate", (x,), type),), type)
    near = build.op("multiply", (half, build.op(operation, (rising, falling), type)), type)
    root = build.op("exponential", (build.op("multiply", (half, x), type),), type)
    far = build.op("multiply", (build.op("multiply", (half, root), type), root), type)
    return build.op("select", (build.compare("GT", x, build.constant(20, type), type), far, near), type)


class Tanh(Mended):
    """The hyperbolic tangent."""

    stablehlo, via_float32 = "tanh", True
    pushforwards = (lambda dx, out, x: mul(dx, _one_minus_square(out)),)

    @staticmethod
    def compute(x: np.ndarray) -> np.ndarray:
        return complex_tanh(x) if x.dtype.kind == "c" else np.tanh(x)


class Asinh(Mended):
    """The number with hyperbolic sine x."""

    compute, stablehlo, via_float32 = np.arcsinh, "chlo.asinh", True
    pushforwards = (lambda dx, out, x: div(dx, sqrt(_one_plus_square(x))),)


class Acosh(Mended):
    """The non-negative number with hyperbolic cosine x; NaN below 1."""

    compute, stablehlo, via_float32 = np.arccosh, "chlo.acosh", True
    # Two roots rather than one of the product: they stay on the principal branch for complex x.
    pushforwards = (lambda dx, out, x: div(dx, mul(sqrt(sub(x, full(x.type, 1))), sqrt(add(x, full(x.type, 1))))),)


class Atanh(Mended):
    """The number with hyperbolic tangent x; NaN outside [-1, 1]."""

    compute, stablehlo, via_float32 = np.arctanh, "chlo.atanh", True
    pushforwards = (lambda dx, out, x: div(dx, _one_minus_square(x)),)


sin, cos, tan, asin, acos, atan, atan2 = Sin(), Cos(), Tan(), Asin(), Acos(), Atan(), Atan2()
sinh, cosh, tanh, asinh, acosh, atanh = Sinh(), Cosh(), Tanh(), Asinh(), Acosh(), Atanh()
