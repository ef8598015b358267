"""Arithmetic, extrema, rounding, complex parts and selection under NumPy's names, with promotion and broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.evaluate import evaluation
from ..config import config
from ..core.dtypes import BOOL, finfo, is_complex, is_float, is_inexact, is_integer, is_signed
from ..core.primitive import Primitive
from ..core.trace import state
from ..errors import ArgumentError, DTypeError
from ..ops import bits, complex_parts, exponential
from ..ops import elementwise as ops
from ..ops.checks import require_all, require_nonzero
from ..ops.structure import bitcast_convert_type, broadcast, convert, full, zeros_of
from .conversion import as_operand, asarray, scalar_array
from .fast import ANY, FLOATING, REAL, SIMPLE, named, quick_binary, quick_unary
from .indexing import nonzero
from .kernels import Kernel, binary_general, checked, inexact, numeric, unary_general
from .logic import equal, isinf, isnan, less, truth
from .promotion import broadcast_shapes, promote, promote_dtypes, promote_inexact, require_real, to_inexact

__all__ = [
    "abs", "absolute", "add", "ceil", "clip", "conj", "conjugate", "copysign", "divide", "divmod", "fabs", "fix",
    "float_power", "floor", "floor_divide", "fmax", "fmin", "fmod", "heaviside", "imag", "maximum", "minimum",
    "mod", "modf", "multiply", "nan_to_num", "negative", "nextafter", "positive", "pow", "power", "real",
    "reciprocal", "remainder", "rint", "round", "select", "sign", "signbit", "sqrt", "square", "subtract",
    "true_divide", "trunc", "where",
]  # fmt: skip

# -- arithmetic ----------------------------------------------------------------------------------------------------

add = named(
    quick_binary(np.add, SIMPLE, binary_general(numeric(ops.add, bits.or_, "add"))),
    "add",
    "x1 + x2, elementwise. Integers wrap; of booleans the logical or.",
)
subtract = named(
    quick_binary(np.subtract, SIMPLE, binary_general(numeric(ops.sub, None, "subtract"))),
    "subtract",
    "x1 - x2, elementwise. Integers wrap; booleans are refused.",
)
multiply = named(
    quick_binary(np.multiply, REAL, binary_general(numeric(ops.mul, bits.and_, "multiply"))),
    "multiply",
    "x1 * x2, elementwise. Integers wrap; of booleans the logical and.",
)
divide = named(
    quick_binary(np.divide, FLOATING, binary_general(ops.div, floating=True)),
    "divide",
    "x1 / x2, elementwise, in floating point: integers become the default float.",
)
true_divide = divide
negative = named(
    quick_unary(np.negative, SIMPLE, unary_general(numeric(ops.neg, None, "negative"))),
    "negative",
    "-x, elementwise. Unsigned integers wrap; booleans are refused.",
)
square = named(
    quick_unary(np.square, REAL, unary_general(numeric(exponential.square, ops.copy, "square"))),
    "square",
    "x · x, elementwise.",
)
sqrt = named(
    quick_unary(np.sqrt, FLOATING, unary_general(inexact(exponential.sqrt))),
    "sqrt",
    "The square root, elementwise; NaN for negative reals.",
)


def _absolute(x: Any) -> Any:
    return x if x.dtype is BOOL else ops.absolute(x)


absolute = named(
    quick_unary(np.absolute, ANY, unary_general(_absolute)), "absolute", "|x|, elementwise; real for complex x."
)
abs = absolute


def positive(x: Any, /) -> Any:
    """+x: x itself as an array."""
    return as_operand(x)


def _floor_divide(x: Any, y: Any) -> Any:
    if not is_integer(x.dtype):
        _require_real_number(x, "floor_divide")
        rest = ops.rem(x, y)
        quotient = (x - rest) / y
        quotient = ops.where(_crosses(rest, y), quotient - 1, quotient)
        below = ops.floor(quotient)
        whole = ops.where(quotient - below > 0.5, below + 1, below)
        whole = ops.where(whole == 0, _signed_zero(bits.xor(signbit(x), signbit(y)), x), whole)
        return ops.where(y == 0, x / y, whole)
    require_nonzero("floor_divide", y)
    quotient = ops.div(x, y)
    if is_signed(x.dtype):
        quotient = ops.where(_crosses(ops.rem(x, y), y), quotient - 1, quotient)
    return ops.where(y == 0, zeros_of(x.type), quotient)


def _remainder(x: Any, y: Any) -> Any:
    if is_integer(x.dtype):
        require_nonzero("remainder", y)
    else:
        _require_real_number(x, "remainder")
    rest = ops.rem(x, y)
    if is_signed(x.dtype):
        rest = ops.where(_crosses(rest, y), rest + y, rest)
    if is_integer(x.dtype):
        return ops.where(y == 0, zeros_of(x.type), rest)
    return ops.where(rest == 0, _signed_zero(signbit(y), x), rest)


def _fmod(x: Any, y: Any) -> Any:
    if not is_integer(x.dtype):
        _require_real_number(x, "fmod")
        return ops.rem(x, y)
    require_nonzero("fmod", y)
    return ops.where(y == 0, zeros_of(x.type), ops.rem(x, y))


def _signed_zero(negative: Any, x: Any) -> Any:
    """Zeros of the type of `x`, negative ones where that is true."""
    return ops.where(negative, full(x.type, -0.0), zeros_of(x.type))


def _crosses(rest: Any, y: Any) -> Any:
    """Whether a truncated division's remainder is not zero and has the other sign than the divisor."""
    return (rest != 0) & ((rest < 0) != (y < 0))


def _require_real_number(x: Any, name: str) -> None:
    if not is_float(x.dtype):
        raise DTypeError(f"{name} takes integer or floating operands, not {x.dtype.name}")


def _quick_division(ufunc: np.ufunc, kernel: Kernel) -> Kernel:
    """A division with its shortcuts; that for integers leaves zero divisors to the general way, which refuses them."""

    def of_integers(x: Any, y: Any) -> Any:
        if y == 0 if type(y) is int else np.count_nonzero(y) != y.size:
            raise ValueError("a zero among the divisors")
        return ufunc(x, y)

    return quick_binary(ufunc, FLOATING, quick_binary(of_integers, "il", binary_general(kernel)))


floor_divide = named(
    _quick_division(np.floor_divide, _floor_divide),
    "floor_divide",
    "The largest integer not above x1 / x2, elementwise, in the operands' dtype. Integers are not divided by 0: that "
    "raises `IntegerDivisionError`, in compiled code when a result is read.",
)
remainder = named(
    _quick_division(np.remainder, _remainder),
    "remainder",
    "What floor division leaves, elementwise: it has the sign of x2. Integers modulo 0 raise `IntegerDivisionError`.",
)
mod = remainder
fmod = named(
    _quick_division(np.fmod, _fmod),
    "fmod",
    "What truncated division leaves, elementwise: it has the sign of x1. Integers modulo 0 raise "
    "`IntegerDivisionError`.",
)


def divmod(x1: Any, x2: Any, /) -> tuple[Any, Any]:
    """Quotient and remainder of the floor division, elementwise."""
    return floor_divide(x1, x2), remainder(x1, x2)


def modf(x: Any, /) -> tuple[Any, Any]:
    """Fractional and integral parts, both with the sign of x."""
    x = to_inexact(as_operand(x))
    whole = trunc(x)
    return where(isinf(x), zeros_of(x.type), x - whole), whole


def reciprocal(x: Any, /) -> Any:
    """1 / x, elementwise, in floating point."""
    return divide(1, x)


# -- powers --------------------------------------------------------------------------------------------------------


def _power(x1: Any, x2: Any, /) -> Any:
    if type(x2) is int:
        x = as_operand(x1)
        if x.dtype is not BOOL:
            return _integer_power(x, x2)
    elif type(x2) is float and x2 == 2.0 and is_inexact(as_operand(x1).dtype):
        return square(x1)
    x, y = promote(x1, x2)
    if x.dtype is BOOL:
        raise DTypeError("power does not take booleans; convert first: x.astype(int)")
    if is_integer(x.dtype):
        _require_not_negative(y)
    return exponential.power(x, y)


def _require_not_negative(exponents: Any) -> None:
    if not (is_signed(exponents.dtype) and exponents.size and config.current.check_division):
        return
    if type(exponents) is Array and exponents.host().min() >= 0:
        return
    require_all(
        ops.ge(exponents, zeros_of(exponents.type)),
        "power: integers have no negative powers. Convert them first, x.astype(float), or accept what is left without "
        "the fraction with fg.config(check_division=False).",
        ArgumentError,
    )


def _integer_power(x: Any, exponent: int) -> Any:
    if exponent < 0 and is_integer(x.dtype):
        raise ArgumentError(
            f"integers ({x.dtype.name}) have no negative powers ({exponent}); convert first: x.astype(float)"
        )
    return square(x) if exponent == 2 else exponential.integer_pow(x, exponent)


power = named(
    quick_binary(np.power, FLOATING, _power, scalars=""),
    "power",
    "x1 to the power x2, elementwise. A Python int as exponent is exact repeated multiplication.",
)
pow = power


def float_power(x1: Any, x2: Any, /) -> Any:
    """x1 to the power x2, elementwise, in floating point."""
    return exponential.power(*promote_inexact(x1, x2))


# -- extrema -------------------------------------------------------------------------------------------------------


def _larger(op: Primitive, ufunc: np.ufunc, name: str, doc: str) -> Any:
    return named(quick_binary(ufunc, REAL, binary_general(checked(op))), name, doc)


maximum = _larger(ops.maximum, np.maximum, "maximum", "The larger of x1 and x2, elementwise; NaN if either is NaN.")
minimum = _larger(ops.minimum, np.minimum, "minimum", "The smaller of x1 and x2, elementwise; NaN if either is NaN.")


def fmax(x1: Any, x2: Any, /) -> Any:
    """The larger of x1 and x2, elementwise; a NaN is passed over where the other is a number."""
    x, y = promote(x1, x2)
    return where(isnan(x), y, where(isnan(y), x, maximum(x, y)))


def fmin(x1: Any, x2: Any, /) -> Any:
    """The smaller of x1 and x2, elementwise; a NaN is passed over where the other is a number."""
    x, y = promote(x1, x2)
    return where(isnan(x), y, where(isnan(y), x, minimum(x, y)))


def clip(a: Any, /, min: Any = None, max: Any = None, *, a_min: Any = None, a_max: Any = None) -> Any:
    """`a` held between `min` and `max`, elementwise; None leaves that side open. Where min > max the result is max."""
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    result = as_operand(a)
    if low is not None and not _beyond(result, low, -1):
        result = maximum(result, low)
    return result if high is None or _beyond(result, high, 1) else minimum(result, high)


def _beyond(x: Any, bound: Any, sign: int) -> Any:
    """Whether a Python int lies where no element of an integer array can be, below (-1) or above (1) all of them."""
    if type(bound) is not int or not is_integer(x.dtype):
        return False
    limits = np.iinfo(x.dtype)
    return bound < limits.min if sign < 0 else bound > limits.max


# -- sign and rounding -----------------------------------------------------------------------------------------------


def _sign(x: Any) -> Any:
    # The operation keeps -0, as JAX's; NumPy and the standard have one zero.
    sign = ops.sign(x)
    return ops.where(ops.eq(x, zeros_of(x.type)), zeros_of(x.type), sign) if is_float(x.dtype) else sign


sign = named(
    quick_unary(np.sign, REAL, unary_general(numeric(_sign, None, "sign"))),
    "sign",
    "-1, 0 or 1 by the sign of x; x / |x| for complex x.",
)


def _rounding(op: Kernel, ufunc: np.ufunc, name: str, doc: str) -> Any:
    def kernel(x: Any) -> Any:
        if is_complex(x.dtype):
            raise DTypeError(f"{name} takes real numbers, not {x.dtype.name}")
        return op(x) if is_float(x.dtype) else x

    return named(quick_unary(ufunc, FLOATING, unary_general(kernel)), name, doc)


def _truncate(x: Any) -> Any:
    return ops.where(ops.lt(x, zeros_of(x.type)), ops.ceil(x), ops.floor(x))


floor = _rounding(ops.floor, np.floor, "floor", "The largest integer not above x, elementwise, in the dtype of x.")
ceil = _rounding(ops.ceil, np.ceil, "ceil", "The smallest integer not below x, elementwise, in the dtype of x.")
trunc = _rounding(_truncate, np.trunc, "trunc", "x without its fraction, elementwise, in the dtype of x.")
fix = trunc


def _round_to_even(x: Any) -> Any:
    return ops.round_nearest(x, to_even=True)


def _round_parts(x: Any) -> Any:
    if is_complex(x.dtype):
        return complex_parts.complex_(_round_to_even(complex_parts.real(x)), _round_to_even(complex_parts.imag(x)))
    return _round_to_even(x) if is_float(x.dtype) else x


_round = quick_unary(np.rint, FLOATING, unary_general(_round_parts))


def rint(x: Any, /) -> Any:
    """The nearest integer in floating point, elementwise; halves go to the even one."""
    return _round(to_inexact(as_operand(x)))


def round(a: Any, decimals: int = 0) -> Any:
    """`a` rounded to a number of decimals, elementwise; halves go to the even digit. Integers stay as they are."""
    if decimals == 0:
        return _round(a)
    x = as_operand(a)
    if not is_inexact(x.dtype):
        if decimals > 0:
            return x
        return convert(_round_parts(to_inexact(x) / 10.0**-decimals) * 10.0**-decimals, x.dtype)
    if decimals > 0:
        return _round_parts(x * 10.0**decimals) / 10.0**decimals
    return _round_parts(x / 10.0**-decimals) * 10.0**-decimals


def fabs(x: Any, /) -> Any:
    """|x| in floating point, elementwise."""
    x = to_inexact(as_operand(x))
    _require_real_number(x, "fabs")
    return absolute(x)


def _sign_bit(x: Any) -> Any:
    require_real(x, "signbit")
    if is_float(x.dtype):
        x = bitcast_convert_type(x, np.dtype(f"i{x.dtype.itemsize}"))
    return less(x, 0) if is_integer(x.dtype) else full(x.type.update(dtype=BOOL), False)


signbit = named(
    quick_unary(np.signbit, FLOATING, unary_general(_sign_bit)),
    "signbit",
    "Whether the sign bit is set, elementwise; true for -0.0.",
)


def _with_sign(x: Any, y: Any) -> Any:
    _require_real_number(x, "copysign")
    return ops.where(bits.xor(signbit(x), signbit(y)), ops.neg(x), x)


copysign = named(
    quick_binary(np.copysign, FLOATING, binary_general(_with_sign, floating=True)),
    "copysign",
    "|x1| with the sign of x2, elementwise, in floating point.",
)
nextafter = named(
    quick_binary(np.nextafter, FLOATING, binary_general(checked(ops.nextafter), floating=True)),
    "nextafter",
    "The next representable number after x1 in the direction of x2, elementwise.",
)


def _heaviside(x1: Any, x2: Any, /) -> Any:
    x, at_zero = promote_inexact(x1, x2)
    _require_real_number(x, "heaviside")
    step = ops.where(ops.eq(x, zeros_of(x.type)), at_zero, convert(ops.gt(x, zeros_of(x.type)), x.dtype))
    return ops.where(ops.ne(x, x), x, step)


heaviside = named(
    quick_binary(np.heaviside, FLOATING, _heaviside),
    "heaviside",
    "0 where x1 < 0, 1 where x1 > 0, x2 where x1 is zero, elementwise.",
)


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """`x` with NaN, infinity and -infinity replaced (by default by 0 and the largest finite numbers), elementwise."""
    x = as_operand(x)
    if is_complex(x.dtype):
        parts = (nan_to_num(part, copy, nan, posinf, neginf) for part in (real(x), imag(x)))
        return complex_parts.complex_(*parts)
    if not is_float(x.dtype):
        return x
    largest = float(finfo(x.dtype).max)
    result = where(isnan(x), asarray(nan, x.dtype), x)
    result = where(equal(x, np.inf), asarray(largest if posinf is None else posinf, x.dtype), result)
    return where(equal(x, -np.inf), asarray(-largest if neginf is None else neginf, x.dtype), result)


# -- complex parts ---------------------------------------------------------------------------------------------------


def real(val: Any) -> Any:
    """The real part, elementwise; a real array itself."""
    x = as_operand(val)
    return complex_parts.real(x) if is_complex(x.dtype) else x


def imag(val: Any) -> Any:
    """The imaginary part, elementwise; zeros for a real array."""
    x = as_operand(val)
    return complex_parts.imag(x) if is_complex(x.dtype) else zeros_of(x.type)


def conjugate(x: Any, /) -> Any:
    """The complex conjugate, elementwise; a real array itself."""
    x = as_operand(x)
    return complex_parts.conj(x) if is_complex(x.dtype) else x


conj = conjugate


# -- selection -------------------------------------------------------------------------------------------------------


_NUMBERS = frozenset((int, float))


def where(condition: Any, x: Any = None, y: Any = None, /, *, size: int | None = None, fill_value: Any = None) -> Any:
    """Elements of `x` where `condition` is true (not zero), else of `y`.

    Args:
        condition, x, y: broadcast against each other; x and y promote. With the condition alone, the indices of its
            true elements, one array per axis; their number must be known while tracing.
        size, fill_value: as in `nonzero`, for the condition alone.
    """
    # Hot (benchmark: eager).
    if type(condition) is Array and state.trace is evaluation and size is fill_value is None:
        if type(x) is Array:
            y = scalar_array(y, x.dtype) if type(y) in _NUMBERS and x.dtype.char in FLOATING else y
        elif type(y) is Array and type(x) in _NUMBERS and y.dtype.char in FLOATING:
            x = scalar_array(x, y.dtype)
        if type(x) is Array and type(y) is Array:
            c, a, b = condition._host, x._host, y._host
            if (
                c is not None
                and a is not None
                and b is not None
                and c.dtype is BOOL
                and a.dtype is b.dtype
                and condition._device is x._device is y._device is None
                and evaluation.host_only
            ):
                try:
                    return Array(ops.chosen(c, a, b))
                except ValueError:  # shapes that do not broadcast
                    return _where(condition, x, y, None, None)
    return _where(condition, x, y, size, fill_value)


def _where(condition: Any, x: Any, y: Any, size: int | None, fill_value: Any) -> Any:
    if x is None or y is None:
        if x is not None or y is not None:
            raise ArgumentError("where takes the condition alone or both x and y: fnp.where(condition, x, y)")
        return nonzero(condition, size=size, fill_value=fill_value)
    if size is not None or fill_value is not None:
        raise ArgumentError("where: size= and fill_value= belong to the condition alone: fnp.where(condition, size=n)")
    which = truth(condition)
    x, y = promote_dtypes(x, y)
    shape = broadcast_shapes(which.shape, x.shape, y.shape)
    if which.ndim:
        which = broadcast(which, shape)
    return ops.where(which, broadcast(x, shape), broadcast(y, shape))


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Elements of the first choice whose condition is true, else `default`.

    Raises:
        ArgumentError: the two lists differ in length, or are empty.
        DTypeError: a condition is not boolean.
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ArgumentError(
            f"select takes as many conditions as choices, and at least one; got {len(condlist)} and {len(choicelist)}"
        )
    conditions = [as_operand(condition) for condition in condlist]
    for condition in conditions:
        if condition.dtype != BOOL:
            raise DTypeError(f"select takes boolean conditions, not {condition.dtype.name}; compare: x != 0")
    result = default
    for condition, choice in zip(reversed(conditions), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result
