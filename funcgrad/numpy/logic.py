"""Comparison, logic and bits under NumPy's names, with promotion and broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import BOOL, is_complex, is_float, is_inexact, is_signed
from ..core.primitive import Primitive
from ..errors import DTypeError
from ..ops import bits, complex_parts
from ..ops import elementwise as ops
from ..ops.structure import convert, full, zeros_of
from .conversion import as_operand, scalar_array
from .fast import ANY, BITS, FLOATING, REAL, named, quick_binary, quick_unary
from .kernels import binary_general, checked, unary_general
from .promotion import broadcast_shapes, promote, promote_inexact

__all__ = [
    "allclose", "array_equal", "array_equiv", "bitwise_and", "bitwise_count", "bitwise_invert",
    "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "equal", "greater",
    "greater_equal", "invert", "isclose", "iscomplex", "isfinite", "isinf", "isnan", "isneginf", "isposinf",
    "isreal", "left_shift", "less", "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor",
    "not_equal", "right_shift",
]  # fmt: skip

# -- comparison ----------------------------------------------------------------------------------------------------


def _comparison(op: Primitive, ufunc: np.ufunc, name: str, doc: str) -> Any:
    kernel = checked(op)
    usual = binary_general(kernel)

    def general(x1: Any, x2: Any, /) -> Any:
        try:
            return usual(x1, x2)
        except OverflowError:  # a Python int outside the array's dtype compares by its value all the same
            wide = (scalar_array(x, np.dtype(np.int64)) if type(x) is int else x for x in (x1, x2))
            return kernel(*promote(*wide))

    return named(quick_binary(ufunc, REAL if name not in ("equal", "not_equal") else ANY, general, REAL), name, doc)


equal = _comparison(ops.eq, np.equal, "equal", "x1 == x2, elementwise; NaN equals nothing.")
not_equal = _comparison(ops.ne, np.not_equal, "not_equal", "x1 != x2, elementwise; NaN differs from everything.")
less = _comparison(ops.lt, np.less, "less", "x1 < x2, elementwise; False for NaN.")
less_equal = _comparison(ops.le, np.less_equal, "less_equal", "x1 <= x2, elementwise; False for NaN.")
greater = _comparison(ops.gt, np.greater, "greater", "x1 > x2, elementwise; False for NaN.")
greater_equal = _comparison(ops.ge, np.greater_equal, "greater_equal", "x1 >= x2, elementwise; False for NaN.")


def isnan(x: Any, /) -> Any:
    """Whether x is NaN (for complex x: in either part), elementwise."""
    return _isnan(x)


def _not_itself(x: Any) -> Any:
    return ops.ne(x, x) if is_inexact(x.dtype) else _all_false(x)


_isnan = quick_unary(np.isnan, FLOATING, unary_general(_not_itself))


def _all_false(x: Any) -> Any:
    return full(x.type.update(dtype=BOOL), False)


def _isfinite(x: Any) -> Any:
    if is_complex(x.dtype):
        return bits.and_(ops.is_finite(complex_parts.real(x)), ops.is_finite(complex_parts.imag(x)))
    return ops.is_finite(x) if is_float(x.dtype) else full(x.type.update(dtype=BOOL), True)


isfinite = named(
    quick_unary(np.isfinite, FLOATING + "FD", unary_general(_isfinite)),
    "isfinite",
    "Whether x is neither infinite nor NaN, elementwise.",
)


def _isinf(x: Any) -> Any:
    if is_complex(x.dtype):
        return bits.or_(isinf(complex_parts.real(x)), isinf(complex_parts.imag(x)))
    return equal(ops.absolute(x), np.inf) if is_float(x.dtype) else _all_false(x)


isinf = named(
    quick_unary(np.isinf, FLOATING + "FD", unary_general(_isinf)),
    "isinf",
    "Whether x is infinite (for complex x: in either part), elementwise.",
)


def isposinf(x: Any) -> Any:
    """Whether x is +infinity, elementwise."""
    return _is_infinity(x, np.inf, "isposinf")


def isneginf(x: Any) -> Any:
    """Whether x is -infinity, elementwise."""
    return _is_infinity(x, -np.inf, "isneginf")


def _is_infinity(x: Any, infinity: float, name: str) -> Any:
    x = as_operand(x)
    if is_complex(x.dtype):
        raise DTypeError(f"{name} takes real numbers, not {x.dtype.name}")
    return equal(x, infinity) if is_float(x.dtype) else _all_false(x)


def _imaginary(x: Any) -> Any:
    x = as_operand(x)
    return complex_parts.imag(x) if is_complex(x.dtype) else zeros_of(x.type)


def iscomplex(x: Any) -> Any:
    """Whether the imaginary part is not zero, elementwise."""
    return not_equal(_imaginary(x), 0)


def isreal(x: Any) -> Any:
    """Whether the imaginary part is zero, elementwise."""
    return equal(_imaginary(x), 0)


def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether |a - b| <= atol + rtol · |b|, elementwise; infinities are close to themselves only."""
    x, y = promote_inexact(a, b)
    near = bits.and_(less_equal(ops.absolute(x - y), atol + rtol * ops.absolute(y)), isfinite(y))
    close = bits.or_(near, ops.eq(x, y))
    return bits.or_(close, bits.and_(isnan(x), isnan(y))) if equal_nan else close


def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether all elements are close in the sense of `isclose`, as a boolean array of no dimensions."""
    return isclose(a, b, rtol, atol, equal_nan).all()


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """Whether both have one shape and equal elements, as a boolean array of no dimensions."""
    x, y = as_operand(a1), as_operand(a2)
    if x.shape != y.shape:
        return scalar_array(False, BOOL)
    x, y = promote(x, y)
    same = equal(x, y)
    return (bits.or_(same, bits.and_(isnan(x), isnan(y))) if equal_nan else same).all()


def array_equiv(a1: Any, a2: Any) -> Any:
    """Whether both broadcast to one shape and have equal elements there, as a boolean array of no dimensions."""
    x, y = as_operand(a1), as_operand(a2)
    try:
        broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return scalar_array(False, BOOL)
    return equal(x, y).all()


# -- logic and bits --------------------------------------------------------------------------------------------------


def truth(x: Any) -> Any:
    """Whether x is not zero, elementwise."""
    x = as_operand(x)
    return x if x.dtype is BOOL else ops.ne(x, zeros_of(x.type))


def _logical(op: Primitive, ufunc: np.ufunc, name: str, doc: str) -> Any:
    def general(x1: Any, x2: Any, /) -> Any:
        return op(*promote(truth(x1), truth(x2)))

    return named(quick_binary(ufunc, "?", general), name, doc)


logical_and = _logical(bits.and_, np.logical_and, "logical_and", "Whether both are not zero, elementwise.")
logical_or = _logical(bits.or_, np.logical_or, "logical_or", "Whether at least one is not zero, elementwise.")
logical_xor = _logical(bits.xor, np.logical_xor, "logical_xor", "Whether exactly one is not zero, elementwise.")


def _not_truth(x: Any) -> Any:
    return bits.not_(truth(x))


logical_not = named(
    quick_unary(np.logical_not, ANY, unary_general(_not_truth)), "logical_not", "Whether x is zero, elementwise."
)


def _bitwise(op: Primitive, ufunc: np.ufunc, name: str, doc: str) -> Any:
    return named(quick_binary(ufunc, BITS, binary_general(checked(op)), "il"), name, doc)


bitwise_and = _bitwise(bits.and_, np.bitwise_and, "bitwise_and", "The bits set in both, elementwise.")
bitwise_or = _bitwise(bits.or_, np.bitwise_or, "bitwise_or", "The bits set in at least one, elementwise.")
bitwise_xor = _bitwise(bits.xor, np.bitwise_xor, "bitwise_xor", "The bits set in exactly one, elementwise.")
bitwise_not = named(
    quick_unary(np.invert, BITS, unary_general(checked(bits.not_))),
    "bitwise_not",
    "All bits flipped, elementwise; of booleans the negation.",
)
invert = bitwise_invert = bitwise_not


def _shift_right(x: Any, count: Any) -> Any:
    op = bits.shift_right_arithmetic if is_signed(x.dtype) else bits.shift_right_logical
    return checked(op)(x, count)


left_shift = named(
    binary_general(checked(bits.shift_left)), "left_shift", "x1 · 2**x2, elementwise; bits moved out are lost."
)
right_shift = named(binary_general(_shift_right), "right_shift", "x1 divided by 2**x2 and rounded down, elementwise.")
bitwise_left_shift, bitwise_right_shift = left_shift, right_shift


def bitwise_count(x: Any, /) -> Any:
    """How many bits are set in |x|, elementwise, as uint8."""
    return convert(checked(bits.population_count)(ops.absolute(as_operand(x))), np.dtype(np.uint8))
