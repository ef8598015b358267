"""Exponentials, logarithms, circular and hyperbolic functions; integers become the default float."""

from __future__ import annotations

from collections.abc import Callable
from math import e, pi
from math import log as natural_log
from typing import Any

import numpy as np

from ..core.dtypes import is_complex, is_float, real_dtype
from ..core.primitive import Primitive
from ..errors import DTypeError
from ..ops import complex_parts, exponential, trigonometry
from ..ops import elementwise as ops
from ..ops.structure import full, zeros_of
from .conversion import as_operand
from .elementwise import divide, multiply
from .fast import FLOATING, named, quick_binary, quick_unary
from .kernels import binary_general, checked, inexact, unary_general
from .promotion import to_inexact

__all__ = [
    "acos",
    "acosh",
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "exp",
    "exp2",
    "expm1",
    "hypot",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "rad2deg",
    "radians",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]  # fmt: skip


def _function(kernel: Callable[..., Any], ufunc: np.ufunc, name: str, doc: str) -> Any:
    apply = checked(kernel) if isinstance(kernel, Primitive) else kernel
    return named(quick_unary(ufunc, FLOATING, unary_general(inexact(apply))), name, doc)


# -- exponentials and logarithms -------------------------------------------------------------------------------------

exp = _function(exponential.exp, np.exp, "exp", "e**x, elementwise.")
exp2 = _function(exponential.exp2, np.exp2, "exp2", "2**x, elementwise.")
expm1 = _function(exponential.expm1, np.expm1, "expm1", "e**x - 1, elementwise, exact near x = 0.")
log = _function(exponential.log, np.log, "log", "The natural logarithm, elementwise; NaN for negative reals.")
log1p = _function(exponential.log1p, np.log1p, "log1p", "log(1 + x), elementwise, exact near x = 0.")
cbrt = _function(exponential.cbrt, np.cbrt, "cbrt", "The real cube root, elementwise.")


def _log_to_base(base: float) -> Callable[[Any], Any]:
    def logarithm(x: Any) -> Any:
        found = exponential.log(x)
        if is_complex(x.dtype):  # part by part: a complex quotient makes NaN of infinite parts
            scale = full(found.type.update(dtype=real_dtype(x.dtype)), natural_log(base))
            parts = (ops.div(part(found), scale) for part in (complex_parts.real, complex_parts.imag))
            return complex_parts.complex_(*parts)
        return ops.div(found, full(x.type, natural_log(base)))

    return logarithm


log2 = _function(_log_to_base(2), np.log2, "log2", "The logarithm to base 2, elementwise.")
log10 = _function(_log_to_base(10), np.log10, "log10", "The logarithm to base 10, elementwise.")


def _log_sum(base: float, name: str) -> Callable[[Any, Any], Any]:
    """log(base**x + base**y) / log(base), scaled by the larger operand so that nothing overflows."""
    scale = natural_log(base)

    def log_sum(x: Any, y: Any) -> Any:
        if not is_float(x.dtype):
            raise DTypeError(f"{name} takes real numbers, not {x.dtype.name}")
        gap = ops.sub(x, y)
        undefined = ops.ne(gap, gap)
        known_gap = ops.where(undefined, zeros_of(gap.type), gap)
        decay = exponential.exp(multiply(ops.absolute(known_gap), -scale))
        finite = ops.add(ops.maximum(x, y), divide(exponential.log1p(decay), scale))
        return ops.where(undefined, ops.add(x, y), finite)

    return log_sum


logaddexp = named(
    quick_binary(np.logaddexp, FLOATING, binary_general(_log_sum(e, "logaddexp"), floating=True)),
    "logaddexp",
    "log(e**x1 + e**x2), elementwise, without overflow.",
)
logaddexp2 = named(
    quick_binary(np.logaddexp2, FLOATING, binary_general(_log_sum(2, "logaddexp2"), floating=True)),
    "logaddexp2",
    "log2(2**x1 + 2**x2), elementwise, without overflow.",
)

# -- circular --------------------------------------------------------------------------------------------------------

sin = _function(trigonometry.sin, np.sin, "sin", "The sine of angles in radians, elementwise.")
cos = _function(trigonometry.cos, np.cos, "cos", "The cosine of angles in radians, elementwise.")
tan = _function(trigonometry.tan, np.tan, "tan", "The tangent of angles in radians, elementwise.")
arcsin = _function(trigonometry.asin, np.arcsin, "arcsin", "The angles in [-π/2, π/2] with sine x, elementwise.")
arccos = _function(trigonometry.acos, np.arccos, "arccos", "The angles in [0, π] with cosine x, elementwise.")
arctan = _function(trigonometry.atan, np.arctan, "arctan", "The angles in [-π/2, π/2] with tangent x, elementwise.")
arctan2 = named(
    quick_binary(np.arctan2, FLOATING, binary_general(checked(trigonometry.atan2), floating=True)),
    "arctan2",
    "The angles in [-π, π] of the points (x2, x1), elementwise: x1 is the ordinate.",
)
asin, acos, atan, atan2 = arcsin, arccos, arctan, arctan2


def _hypotenuse(x: Any, y: Any) -> Any:
    if is_complex(x.dtype):
        raise DTypeError(f"hypot takes real numbers, not {x.dtype.name}")
    a, b = ops.absolute(x), ops.absolute(y)
    larger, smaller = ops.maximum(a, b), ops.minimum(a, b)
    zero, one, infinity = zeros_of(x.type), full(x.type, 1), full(x.type, np.inf)
    divisor = ops.where(ops.eq(larger, zero), one, larger)
    length = ops.mul(larger, exponential.sqrt(ops.add(one, exponential.square(ops.div(smaller, divisor)))))
    return ops.where(ops.eq(a, infinity), infinity, ops.where(ops.eq(b, infinity), infinity, length))


hypot = named(
    quick_binary(np.hypot, FLOATING, binary_general(_hypotenuse, floating=True)),
    "hypot",
    "sqrt(x1² + x2²), elementwise, without overflow.",
)


def sinc(x: Any) -> Any:
    """sin(πx) / (πx), elementwise; 1 at x = 0."""
    x = to_inexact(as_operand(x))
    one = full(x.type, 1)
    at_zero = ops.eq(x, zeros_of(x.type))
    angles = multiply(ops.where(at_zero, one, x), pi)
    # The series 1 - (πx)²/6 keeps every derivative right at 0.
    near = ops.sub(one, divide(exponential.square(multiply(x, pi)), 6.0))
    return ops.where(at_zero, near, ops.div(trigonometry.sin(angles), angles))


def rad2deg(x: Any, /) -> Any:
    """Angles in radians as degrees, elementwise."""
    return multiply(_real_angle("rad2deg", x), 180 / pi)


def deg2rad(x: Any, /) -> Any:
    """Angles in degrees as radians, elementwise."""
    return multiply(_real_angle("deg2rad", x), pi / 180)


def _real_angle(name: str, x: Any) -> Any:
    x = to_inexact(as_operand(x))
    if is_complex(x.dtype):
        raise DTypeError(f"{name} takes real angles, not {x.dtype.name}")
    return x


degrees, radians = rad2deg, deg2rad


def angle(z: Any, deg: bool = False) -> Any:
    """The angles of complex numbers in (-π, π], elementwise, in radians or, with `deg`, in degrees."""
    z = to_inexact(as_operand(z))
    parts = (complex_parts.imag(z), complex_parts.real(z)) if is_complex(z.dtype) else (zeros_of(z.type), z)
    result = arctan2(*parts)
    return rad2deg(result) if deg else result


# -- hyperbolic ------------------------------------------------------------------------------------------------------

sinh = _function(trigonometry.sinh, np.sinh, "sinh", "The hyperbolic sine, elementwise.")
cosh = _function(trigonometry.cosh, np.cosh, "cosh", "The hyperbolic cosine, elementwise.")
tanh = _function(trigonometry.tanh, np.tanh, "tanh", "The hyperbolic tangent, elementwise.")
arcsinh = _function(trigonometry.asinh, np.arcsinh, "arcsinh", "The numbers with hyperbolic sine x, elementwise.")
arccosh = _function(trigonometry.acosh, np.arccosh, "arccosh", "The numbers with hyperbolic cosine x, elementwise.")
arctanh = _function(trigonometry.atanh, np.arctanh, "arctanh", "The numbers with hyperbolic tangent x, elementwise.")
asinh, acosh, atanh = arcsinh, arccosh, arctanh
