"""Elementwise operations."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from ..core.dtypes import DTypeLike, canonical, is_complex, is_integer
from ..core.primitive import Primitive
from ..numpy.conversion import SCALARS, as_operand
from ..ops import bits, complex_parts, elementwise, exponential, structure, trigonometry
from ..ops.checks import require_nonzero
from .operands import adapted, bind, scalar

__all__ = [
    "RoundingMethod",
    "abs",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitcast_convert_type",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "cbrt",
    "ceil",
    "clamp",
    "clz",
    "complex",
    "conj",
    "convert_element_type",
    "cos",
    "cosh",
    "div",
    "eq",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "ge",
    "gt",
    "imag",
    "integer_pow",
    "is_finite",
    "le",
    "log",
    "log1p",
    "logistic",
    "lt",
    "max",
    "min",
    "mul",
    "ne",
    "neg",
    "nextafter",
    "population_count",
    "pow",
    "real",
    "reciprocal",
    "rem",
    "round",
    "rsqrt",
    "select",
    "select_n",
    "shift_left",
    "shift_right_arithmetic",
    "shift_right_logical",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "sub",
    "tan",
    "tanh",
]


class RoundingMethod(enum.IntEnum):
    """Where halves go."""

    AWAY_FROM_ZERO = 0
    TO_NEAREST_EVEN = 1


def _named(function: Callable[..., Any], name: str, op: Primitive) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = type(op).__doc__
    return function


def _unary(name: str, op: Primitive) -> Callable[[Any], Any]:
    return _named(lambda x: bind(op, as_operand(x)), name, op)


def _binary(name: str, op: Primitive) -> Callable[[Any, Any], Any]:
    return _named(lambda x, y: bind(op, *adapted((x, y))), name, op)


def _division(name: str, op: Primitive, doc: str) -> Callable[[Any, Any], Any]:
    def divided(x: Any, y: Any) -> Any:
        x, y = adapted((x, y))
        if is_integer(y.dtype):
            require_nonzero(name, y)
        return bind(op, x, y)

    divided.__name__ = divided.__qualname__ = name
    divided.__doc__ = doc
    return divided


abs = _unary("abs", elementwise.absolute)
acos, acosh = _unary("acos", trigonometry.acos), _unary("acosh", trigonometry.acosh)
asin, asinh = _unary("asin", trigonometry.asin), _unary("asinh", trigonometry.asinh)
atan, atanh = _unary("atan", trigonometry.atan), _unary("atanh", trigonometry.atanh)
bitwise_not = _unary("bitwise_not", bits.not_)
cbrt = _unary("cbrt", exponential.cbrt)
ceil, floor = _unary("ceil", elementwise.ceil), _unary("floor", elementwise.floor)
clz = _unary("clz", bits.clz)
cos, cosh = _unary("cos", trigonometry.cos), _unary("cosh", trigonometry.cosh)
exp, exp2, expm1 = _unary("exp", exponential.exp), _unary("exp2", exponential.exp2), _unary("expm1", exponential.expm1)
imag, real = _unary("imag", complex_parts.imag), _unary("real", complex_parts.real)
is_finite = _unary("is_finite", elementwise.is_finite)
log, log1p = _unary("log", exponential.log), _unary("log1p", exponential.log1p)
logistic = _unary("logistic", exponential.logistic)
neg = _unary("neg", elementwise.neg)
population_count = _unary("population_count", bits.population_count)
rsqrt, sqrt = _unary("rsqrt", exponential.rsqrt), _unary("sqrt", exponential.sqrt)
sign = _unary("sign", elementwise.sign)
sin, sinh = _unary("sin", trigonometry.sin), _unary("sinh", trigonometry.sinh)
square = _unary("square", exponential.square)
tan, tanh = _unary("tan", trigonometry.tan), _unary("tanh", trigonometry.tanh)

add, sub = _binary("add", elementwise.add), _binary("sub", elementwise.sub)
mul = _binary("mul", elementwise.mul)
_ZERO = "a zero among integer divisors raises `IntegerDivisionError`."
div = _division("div", elementwise.div, f"x / y; integers truncate, and {_ZERO}")
rem = _division("rem", elementwise.rem, f"What truncated division leaves, with the sign of x (C's fmod); {_ZERO}")
atan2 = _binary("atan2", trigonometry.atan2)
bitwise_and, bitwise_or = _binary("bitwise_and", bits.and_), _binary("bitwise_or", bits.or_)
bitwise_xor = _binary("bitwise_xor", bits.xor)
complex = _binary("complex", complex_parts.complex_)
eq, ne = _binary("eq", elementwise.eq), _binary("ne", elementwise.ne)
ge, gt = _binary("ge", elementwise.ge), _binary("gt", elementwise.gt)
le, lt = _binary("le", elementwise.le), _binary("lt", elementwise.lt)
max, min = _binary("max", elementwise.maximum), _binary("min", elementwise.minimum)
nextafter = _binary("nextafter", elementwise.nextafter)
shift_left = _binary("shift_left", bits.shift_left)
shift_right_arithmetic = _binary("shift_right_arithmetic", bits.shift_right_arithmetic)
shift_right_logical = _binary("shift_right_logical", bits.shift_right_logical)


def conj(x: Any) -> Any:
    """The complex conjugate; a real operand becomes complex."""
    x = as_operand(x)
    if is_complex(x.dtype):
        return bind(complex_parts.conj, x)
    return bind(complex_parts.complex_, x, structure.zeros_of(x.type))


def integer_pow(x: Any, y: int) -> Any:
    """`x` multiplied by itself, for a Python int `y`; negative ones take the reciprocal."""
    return exponential.integer_pow(as_operand(x), int(y))


def pow(x: Any, y: Any) -> Any:
    """x to the power y; an integer y may go with a floating x."""
    if type(y) is int:
        return integer_pow(x, y)
    x, y = adapted((x, y))
    if is_integer(y.dtype) and not is_integer(x.dtype):
        y = structure.convert(y, x.dtype)
    return bind(exponential.power, x, y)


def reciprocal(x: Any) -> Any:
    """1 / x."""
    return integer_pow(x, -1)


def round(x: Any, rounding_method: RoundingMethod = RoundingMethod.AWAY_FROM_ZERO) -> Any:
    """The nearest integer, in the operand's dtype."""
    return elementwise.round_nearest(as_operand(x), rounding_method == RoundingMethod.TO_NEAREST_EVEN)


def clamp(min: Any, x: Any, max: Any) -> Any:
    """`x` held between bounds that are scalars or of its shape."""
    x = as_operand(x)
    low, high = (scalar(b, x.type.update(shape=())) if type(b) in SCALARS else as_operand(b) for b in (min, max))
    return bind(elementwise.clamp, low, x, high)


def select(pred: Any, on_true: Any, on_false: Any) -> Any:
    """Elements of `on_true` where `pred` (boolean, a scalar or of full shape) holds, else of `on_false`."""
    return select_n(pred, on_false, on_true)


def select_n(which: Any, *cases: Any) -> Any:
    """Elements of `cases[which]`, for a boolean or int32 `which`, a scalar or of full shape."""
    return bind(elementwise.select, as_operand(which), *adapted(cases))


def convert_element_type(operand: Any, new_dtype: DTypeLike) -> Any:
    """The same values in another dtype."""
    return structure.convert(as_operand(operand), canonical(new_dtype))


def bitcast_convert_type(operand: Any, new_dtype: DTypeLike) -> Any:
    """The same bits read as another dtype."""
    return structure.bitcast_convert_type(as_operand(operand), canonical(new_dtype))
