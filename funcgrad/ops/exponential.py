"""Powers, roots, exponentials and logarithms."""

from __future__ import annotations

from math import log as natural_log
from typing import Any

import numpy as np

from ..core.dtypes import FLOAT32, is_complex, is_integer, real_dtype
from ..core.types import ArrayType, Zero
from ..errors import ArgumentError
from .complex_corners import Mended, complex_expm1, mended
from .elementwise import add, div, eq, mul, sub, where
from .families import Elementwise
from .structure import full, zeros_of

__all__ = [
    "cbrt",
    "exp",
    "exp2",
    "expm1",
    "integer_pow",
    "log",
    "log1p",
    "logistic",
    "power",
    "rsqrt",
    "sqrt",
    "square",
]

# -- powers ------------------------------------------------------------------------------------------------------


class Square(Elementwise):
    """x · x; integers wrap."""

    compute, accepts = np.square, "ifc"
    pushforwards = (lambda dx, out, x: mul(dx, add(x, x)),)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        return build.op("multiply", operands * 2, type)


class IntegerPow(Elementwise):
    """x to a constant integer power, by repeated squaring in the dtype of x; integers wrap."""

    exponent: int

    accepts = "ifc"

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        (x,) = super().infer(*types)
        if self.exponent < 0 and x.dtype.kind in "iu":
            raise ArgumentError(
                f"integer_pow: integers ({x.dtype.name}) have no negative power {self.exponent}; "
                f"convert first: x.astype(float)"
            )
        return (x,)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = operands
        one = np.ones((), x.dtype)
        power = _repeated_squaring(x, abs(self.exponent), np.multiply)
        power = np.broadcast_to(one, x.shape) if power is None else power
        return (np.divide(one, power) if self.exponent < 0 else power,)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        power = _repeated_squaring(operands[0], abs(self.exponent), lambda a, b: build.op("multiply", (a, b), type))
        one = build.constant(1, type)
        power = one if power is None else power
        return build.op("divide", (one, power), type) if self.exponent < 0 else power

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        (x,), (dx,) = primals, tangents
        out = self(x)
        if type(dx) is Zero or self.exponent == 0:
            return (out,), (Zero(out.type),)
        slope = mul(full(x.type, self.exponent), integer_pow(x, self.exponent - 1))
        return (out,), (mul(dx, slope),)


def _repeated_squaring(x: Any, exponent: int, multiply: Any) -> Any | None:
    """x**exponent by the exponent's binary digits; None (one) for exponent 0."""
    result = None
    while exponent:
        if exponent & 1:
            result = x if result is None else multiply(result, x)
        exponent >>= 1
        if exponent:
            x = multiply(x, x)
    return result


def integer_pow(x: Any, exponent: int) -> Any:
    """`x` to the constant integer power `exponent`."""
    return x if exponent == 1 else IntegerPow(exponent)(x)


class Power(Elementwise):
    """x to the power y; integers wrap, and their negative powers are truncated: 0 except for x = 1 and x = -1."""

    compute, accepts, via_float32 = np.power, "ifc", True
    pushforwards = (
        lambda dx, out, x, y: mul(dx, _power_slope(x, y)),
        lambda dy, out, x, y: mul(dy, mul(log(where(_is(x, 0), full(x.type, 1), x)), out)),
    )

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        x, y = operands
        if y.dtype.kind == "i" and (negative := y < 0).any():
            truncated = np.where(x == 1, 1, np.where(x == -1, np.where(y & 1, -1, 1), 0)).astype(x.dtype)
            return (np.where(negative, truncated, np.power(x, np.where(negative, y.dtype.type(0), y))),)
        return super().evaluate(x, y)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        if is_integer(type.dtype):
            return _lower_integer_power(build, type, *operands)
        return build.op("power", operands, type)


def _lower_integer_power(build: Any, type: ArrayType, x: Any, y: Any) -> Any:
    # Squaring in a loop over all bits of the exponent: XLA's own integer power reads only the lowest six.
    index = ArrayType((), np.dtype(np.int32))
    zero, one = build.constant(0, type), build.constant(1, type)

    def more(bit: Any, *_: Any) -> tuple[Any, ...]:
        return (build.compare("LT", bit, build.constant(8 * type.dtype.itemsize, index), index),)

    def step(bit: Any, result: Any, base: Any, exponent: Any) -> tuple[Any, ...]:
        odd = build.compare("NE", build.op("and", (exponent, one), type), zero, type)
        product = build.op("multiply", (result, base), type)
        return (
            build.op("add", (bit, build.constant(1, index)), index),
            build.op("select", (odd, product, result), type),
            build.op("multiply", (base, base), type),
            build.op("shift_right_logical", (exponent, one), type),
        )

    types = (index, type, type, type)
    start = (build.constant(0, index), one, x, y)
    power = build.ops("while", start, types, None, ((types, more), (types, step)))[1]
    if type.dtype.kind == "u":
        return power
    minus_one = build.constant(-1, type)
    odd = build.compare("NE", build.op("and", (y, one), type), zero, type)
    alternating = build.op("select", (odd, minus_one, one), type)
    truncated = build.op("select", (build.compare("EQ", x, minus_one, type), alternating, zero), type)
    truncated = build.op("select", (build.compare("EQ", x, one, type), one, truncated), type)
    return build.op("select", (build.compare("LT", y, zero, type), truncated, power), type)


def _is(x: Any, value: float) -> Any:
    return eq(x, full(x.type, value))


def _power_slope(x: Any, y: Any) -> Any:
    # y · x**(y - 1), which is 0 rather than NaN for y = 0 at x = 0.
    constant, one = _is(y, 0), full(y.type, 1)
    return where(constant, zeros_of(x.type), mul(y, power(x, where(constant, one, sub(y, one)))))


# -- roots -------------------------------------------------------------------------------------------------------


class Sqrt(Mended):
    """The square root; for complex x the one with non-negative real part."""

    exact = True

    compute, stablehlo, via_float32 = np.sqrt, "sqrt", True
    pushforwards = (lambda dx, out, x: div(dx, add(out, out)),)


class Rsqrt(Elementwise):
    """1 / sqrt(x)."""

    stablehlo, via_float32 = "rsqrt", True
    pushforwards = (lambda dx, out, x: mul(dx, mul(full(x.type, -0.5), div(out, x))),)

    @staticmethod
    def compute(x: np.ndarray) -> np.ndarray:
        root = np.sqrt(x)
        return np.divide(root.dtype.type(1), root)


class Cbrt(Elementwise):
    """The real cube root."""

    compute, stablehlo, accepts, via_float32 = np.cbrt, "cbrt", "f", True
    pushforwards = (lambda dx, out, x: div(dx, mul(full(x.type, 3), square(out))),)


# -- exponentials and logarithms ---------------------------------------------------------------------------------


class Exp(Mended):
    """e**x."""

    compute, stablehlo, via_float32 = np.exp, "exponential", True
    pushforwards = (lambda dx, out, x: mul(dx, out),)


class Exp2(Elementwise):
    """2**x."""

    compute, via_float32 = np.exp2, True
    pushforwards = (lambda dx, out, x: mul(dx, mul(out, full(x.type, natural_log(2)))),)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        # exp(x · log 2) loses up to 331 ulps, and `power` is slow: 2**x = exp((x - n) · log 2) · 2**n, n being near x.
        if is_complex(type.dtype):
            return self._emit_complex(build, type, *operands)
        limit, width = (160, 23) if type.dtype == FLOAT32 else (1200, 52)  # beyond, the result is 0 or infinite
        bits = type.update(dtype=np.dtype(f"i{type.dtype.itemsize}"))
        low, high, whole = (build.constant(value, type) for value in (-limit, limit, 1.5 * 2.0**width))
        x = build.op("clamp", (low, *operands, high), type)
        # Added to `whole`, x loses its fraction, and stands in the last bits.
        places = (build.op("bitcast_convert", (value,), bits) for value in (build.op("add", (x, whole), type), whole))
        power = build.op("subtract", tuple(places), bits)
        rest = build.op("subtract", (x, build.convert(power, bits, type.dtype)), type)
        exponent = build.op("multiply", (rest, build.constant(natural_log(2), type)), type)
        result = build.op("exponential", (exponent,), type)
        half = build.op("shift_right_arithmetic", (power, build.constant(1, bits)), bits)
        for part in (half, build.op("subtract", (power, half), bits)):  # 2**n itself could leave the range
            biased = build.op("add", (part, build.constant(np.finfo(type.dtype).maxexp - 1, bits)), bits)
            shifted = build.op("shift_left", (biased, build.constant(width, bits)), bits)
            result = build.op("multiply", (result, build.op("bitcast_convert", (shifted,), type)), type)
        return result

    def _emit_complex(self, build: Any, type: ArrayType, z: Any) -> Any:
        part = type.update(dtype=real_dtype(type.dtype))
        size = self.emit(build, part, build.op("real", (z,), part))
        angle = build.op("multiply", (build.op("imag", (z,), part), build.constant(natural_log(2), part)), part)
        turns = (build.op(name, (angle,), part) for name in ("cosine", "sine"))
        result = build.op("complex", tuple(build.op("multiply", (size, turn), part) for turn in turns), type)
        return mended("exp", build, type, result, z)


class Expm1(Mended):
    """e**x - 1, exact near x = 0."""

    stablehlo, via_float32 = "exponential_minus_one", True
    pushforwards = (lambda dx, out, x: mul(dx, add(out, full(x.type, 1))),)

    @staticmethod
    def compute(x: np.ndarray) -> np.ndarray:
        return complex_expm1(x) if x.dtype.kind == "c" else np.expm1(x)


class Log(Mended):
    """The natural logarithm."""

    compute, stablehlo, via_float32 = np.log, "log", True
    pushforwards = (lambda dx, out, x: div(dx, x),)


class Log1p(Mended):
    """log(1 + x), exact near x = 0."""

    compute, stablehlo, via_float32 = np.log1p, "log_plus_one", True
    pushforwards = (lambda dx, out, x: div(dx, add(x, full(x.type, 1))),)


class Logistic(Elementwise):
    """The sigmoid 1 / (1 + e**-x)."""

    stablehlo, via_float32 = "logistic", True
    pushforwards = (lambda dx, out, x: mul(dx, mul(out, sub(full(x.type, 1), out))),)

    @staticmethod
    def compute(x: np.ndarray) -> np.ndarray:
        return np.divide(x.dtype.type(1), 1 + np.exp(-x))


square, power, sqrt, rsqrt, cbrt = Square(), Power(), Sqrt(), Rsqrt(), Cbrt()
exp, exp2, expm1, log, log1p, logistic = Exp(), Exp2(), Expm1(), Log(), Log1p(), Logistic()
