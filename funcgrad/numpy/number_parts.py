"""Divisors of integers, and what floating-point numbers are made of, under NumPy's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.evaluate import silence
from ..core.dtypes import FLOAT32, INT32, finfo, is_complex, is_integer, is_low_precision, is_signed
from ..core.types import ArrayType
from ..errors import DTypeError
from ..ops import elementwise as ops
from ..ops.bits import shift_left, shift_right_logical
from ..ops.divisors import gcd as common_divisor
from ..ops.structure import bitcast_convert_type, broadcast, convert, full
from .conversion import as_operand
from .fast import FLOATING, named, quick_binary, quick_host
from .kernels import binary_general
from .promotion import broadcast_shapes, to_inexact

__all__ = ["frexp", "gcd", "lcm", "ldexp", "spacing"]

_INTEGERS = "bBhHiIlL"


# -- divisors ----------------------------------------------------------------------------------------------------------


def _of_integers(name: str, kernel: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(x: Any, y: Any) -> Any:
        if not is_integer(x.dtype):
            raise DTypeError(f"{name} takes integers, not {x.dtype.name}; convert first: x.astype(int)")
        return kernel(x, y)

    return apply


def _common_multiple(x: Any, y: Any) -> Any:
    divisor, first, second = (_magnitude(z) for z in (common_divisor(x, y), x, y))
    nothing = ops.eq(divisor, full(divisor.type, 0))
    quotient = ops.div(first, ops.where(nothing, full(divisor.type, 1), divisor))
    return convert(ops.mul(quotient, second), x.dtype)


def _magnitude(x: Any) -> Any:
    """|x| without a sign, so that the least integer has one, too."""
    return convert(ops.absolute(x), np.dtype(f"u{x.dtype.itemsize}")) if is_signed(x.dtype) else x


gcd = named(
    quick_binary(np.gcd, _INTEGERS, binary_general(_of_integers("gcd", common_divisor))),
    "gcd",
    "The greatest common divisor of |x1| and |x2|, elementwise; 0 of two zeros.",
)
lcm = named(
    quick_binary(np.lcm, _INTEGERS, binary_general(_of_integers("lcm", _common_multiple))),
    "lcm",
    "The least common multiple of |x1| and |x2|, elementwise; 0 if one of them is 0. It wraps.",
)


# -- mantissa and exponent ---------------------------------------------------------------------------------------------


def _real(name: str, x: Any) -> Any:
    x = to_inexact(as_operand(x))
    if is_complex(x.dtype):
        raise DTypeError(f"{name} takes real numbers, not {x.dtype.name}; take the parts apart: x.real, x.imag")
    return convert(x, x.dtype) if x.type.weak else x


def _computed_in(x: Any) -> Any:
    return convert(x, FLOAT32) if is_low_precision(x.dtype) else x


def _layout(dtype: np.dtype) -> tuple[np.dtype, int, int]:
    """The integers of a float's size, how many bits its fraction has, and what is added to its exponent."""
    limits = finfo(dtype)
    return np.dtype(f"i{dtype.itemsize}"), limits.nmant, limits.maxexp - 1


def _power_of_two(exponent: Any, dtype: np.dtype) -> Any:
    """2**exponent, for exponents of int32 that normal numbers of `dtype` have."""
    integers, bits, bias = _layout(dtype)
    wide = convert(exponent, integers) + bias
    return bitcast_convert_type(shift_left(wide, full(wide.type, bits)), dtype)


def frexp(x: Any, /) -> tuple[Any, Any]:
    """Mantissa and exponent, elementwise: `x == mantissa * 2**exponent` with 0.5 <= |mantissa| < 1.

    Zeros, infinities and NaN are their own mantissas, with exponent 0. The derivative of the mantissa is that at
    constant exponent.

    Returns:
        The mantissa, of the dtype of `x` (for integers the default float), and the exponent, int32.

    Raises:
        DTypeError: complex numbers.

    >>> fnp.frexp(fnp.array([6.0, -0.25]))
    (Array([ 0.75, -0.5 ], dtype=float32), Array([ 3, -1], dtype=int32))
    """
    host = quick_host(x, FLOATING)
    if host is not None:
        mantissa, exponent = silence.run(np.frexp, host)
        return Array(np.asarray(mantissa)), Array(np.asarray(exponent))
    x = _real("frexp", x)
    mantissa, exponent = _split(_computed_in(x))
    return convert(mantissa, x.dtype), exponent


def _split(x: Any) -> tuple[Any, Any]:
    integers, bits, bias = _layout(x.dtype)
    small = abs(x) < float(finfo(x.dtype).tiny)
    scaled = ops.where(small, x * 2.0 ** (bits + 1), x)
    raw = bitcast_convert_type(scaled, integers)
    field = shift_right_logical(raw, full(raw.type, bits)) & (2 * bias + 1)
    own = convert(field - (bias - 1), INT32)
    half = own >> 1
    mantissa = scaled * _power_of_two(-half, x.dtype) * _power_of_two(half - own, x.dtype)
    plain = ops.eq(scaled, full(scaled.type, 0)) | (field == 2 * bias + 1)
    exponent = own - convert(small, INT32) * (bits + 1)
    return ops.where(plain, x, mantissa), ops.where(plain, full(exponent.type, 0), exponent)


def ldexp(x1: Any, x2: Any, /) -> Any:
    """`x1 * 2**x2`, elementwise, without computing the power, which may overflow where the product does not.

    Args:
        x1: numbers; integers become the default float.
        x2: integers.

    Raises:
        DTypeError: `x1` is complex, or `x2` not an integer.

    >>> fnp.ldexp(0.75, fnp.array([3, -1]))
    Array([6.   , 0.375], dtype=float32)
    """
    first, second = quick_host(x1, FLOATING), quick_host(x2, "il")
    if first is not None and second is not None:
        try:
            return Array(np.asarray(silence.run(np.ldexp, first, second)))
        except ValueError:  # shapes that do not broadcast
            pass
    x, exponent = _real("ldexp", x1), as_operand(x2)
    if not is_integer(exponent.dtype):
        raise DTypeError(f"ldexp takes integer exponents, not {exponent.dtype.name}; for others, x1 * exp2(x2)")
    shape = broadcast_shapes(x.shape, exponent.shape)
    return convert(_scaled(broadcast(_computed_in(x), shape), broadcast(exponent, shape)), x.dtype)


def _scaled(x: Any, exponent: Any) -> Any:
    """`x * 2**exponent` in four factors, each of which has a normal exponent."""
    most = 4 * (finfo(x.dtype).maxexp * 3 // 4)
    if exponent.dtype.itemsize >= 4:
        if is_signed(exponent.dtype):
            exponent = ops.maximum(exponent, full(exponent.type, -most))
        exponent = ops.minimum(exponent, full(exponent.type, most))
    exponent = convert(exponent, INT32)
    quarter = exponent >> 2
    factor = _power_of_two(quarter, x.dtype)
    return x * factor * factor * factor * _power_of_two(exponent - 3 * quarter, x.dtype)


def spacing(x: Any, /) -> Any:
    """The distance to the next number away from 0, elementwise, with the sign of x; NaN for infinities and NaN.

    Raises:
        DTypeError: complex numbers.
    """
    host = quick_host(x, FLOATING)
    if host is not None:
        return Array(np.asarray(silence.run(np.spacing, host)))
    x = _real("spacing", x)
    limits, wide = finfo(x.dtype), _computed_in(x)
    _, exponent = _split(wide)
    zero = ops.eq(wide, full(wide.type, 0))
    least = limits.minexp - limits.nmant
    exponent = ops.maximum(exponent - (limits.nmant + 1), full(exponent.type, least))
    exponent = ops.where(zero, full(exponent.type, least), exponent)
    one = ArrayType(x.shape, wide.dtype)
    size = _scaled(full(one, 1), exponent)
    size = ops.where(abs(wide) == float(limits.max), full(one, np.inf), size)
    size = ops.where(wide < 0, -size, size)
    return convert(ops.where(ops.is_finite(wide), size, full(one, np.nan)), x.dtype)
