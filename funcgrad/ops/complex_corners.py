"""Corners of complex functions: at infinities, NaN and signed zeros, results are mended to those of C's Annex G.

The Array API standard asks for the values of C99, Annex G.6. The engine's functions are exact for finite numbers off
the branch cuts; elsewhere they read -0 as +0 and let a NaN in one part spoil the other. Each function here is given
the operand and the engine's result and overwrites the parts that are wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan, pi
from typing import Any

import numpy as np

from ..core.dtypes import is_complex, real_dtype
from ..core.types import ArrayType
from .families import Elementwise

__all__ = ["Corner", "Mended", "complex_expm1", "complex_tan", "complex_tanh", "mended"]


class Corner:
    """A result that is being mended: `a` and `b` are the operand's parts, `x` and `y` those of the result."""

    def __init__(self, build: Any, type: ArrayType, operand: Any, result: Any) -> None:
        self.build = build
        self.type = type
        self.part = type.update(dtype=real_dtype(type.dtype))
        self.bits = self.part.update(dtype=np.dtype(f"i{self.part.dtype.itemsize}"))
        self.bool = self.part.update(dtype=np.dtype(np.bool_))
        self.a, self.b = (build.op(name, (operand,), self.part) for name in ("real", "imag"))
        self.x, self.y = (build.op(name, (result,), self.part) for name in ("real", "imag"))

    def result(self) -> Any:
        return self.build.op("complex", (self.x, self.y), self.type)

    def number(self, value: Any) -> Any:
        return self.build.constant(value, self.part) if isinstance(value, float) else value

    def is_(self, value: Any, number: float) -> Any:
        return self.build.compare("EQ", value, self.number(number), self.part)

    def nan(self, value: Any) -> Any:
        return self.build.compare("NE", value, value, self.part)

    def infinite(self, value: Any) -> Any:
        return self.is_(self.build.op("abs", (value,), self.part), inf)

    def finite(self, value: Any) -> Any:
        return self.build.op("is_finite", (value,), self.bool)

    def either(self, one: Any, other: Any) -> Any:
        return self.build.op("or", (one, other), self.bool)

    def both(self, one: Any, other: Any) -> Any:
        return self.build.op("and", (one, other), self.bool)

    def not_(self, condition: Any) -> Any:
        return self.build.op("not", (condition,), self.bool)

    def where(self, condition: Any, value: Any, otherwise: Any) -> Any:
        return self.build.op("select", (condition, self.number(value), self.number(otherwise)), self.part)

    def times(self, one: Any, other: Any) -> Any:
        return self.build.op("multiply", (one, other), self.part)

    def negative(self, value: Any) -> Any:
        return self.build.op("negate", (value,), self.part)

    def below_zero(self, value: Any) -> Any:
        """Whether the sign bit is set."""
        places = self.build.op("bitcast_convert", (value,), self.bits)
        return self.build.compare("LT", places, self.build.constant(0, self.bits), self.bits)

    def signed(self, value: Any, sign: Any) -> Any:
        """|value| with the sign of `sign`."""
        size = self.build.op("abs", (self.number(value),), self.part)
        return self.where(self.below_zero(sign), self.negative(size), size)

    def overwrite(self, condition: Any, x: Any = None, y: Any = None) -> None:
        """Where a condition holds, the result is this."""
        if x is not None:
            self.x = self.where(condition, x, self.x)
        if y is not None:
            self.y = self.where(condition, y, self.y)


Mend = Callable[[Corner], None]


def _exp(m: Corner) -> None:
    _exponential(m, 0.0)


def _expm1(m: Corner) -> None:
    _exponential(m, -1.0)


def _exponential(m: Corner, limit: float) -> None:
    m.overwrite(m.is_(m.b, 0.0), y=m.b)
    lost = m.both(m.infinite(m.a), m.not_(m.finite(m.b)))
    low = m.is_(m.a, -inf)
    m.overwrite(lost, m.where(low, limit, inf), m.where(low, 0.0, nan))


def _log(m: Corner) -> None:
    m.overwrite(m.either(m.infinite(m.a), m.infinite(m.b)), x=inf)


def _sqrt(m: Corner) -> None:
    m.y = m.signed(m.y, m.b)
    lost = m.both(m.infinite(m.a), m.nan(m.b))
    low = m.is_(m.a, -inf)
    m.overwrite(lost, m.where(low, nan, inf), m.where(low, inf, nan))
    m.overwrite(m.infinite(m.b), inf, m.b)


def _cosh(m: Corner) -> None:
    lost = m.not_(m.finite(m.b))
    m.overwrite(m.both(lost, m.is_(m.a, 0.0)), nan, 0.0)
    m.overwrite(m.both(lost, m.infinite(m.a)), inf, nan)
    on_axis = m.either(m.is_(m.b, 0.0), m.both(m.is_(m.a, 0.0), m.finite(m.b)))
    zero = m.times(m.signed(1.0, m.a), m.signed(0.0, m.b))
    m.overwrite(on_axis, y=m.where(m.nan(m.a), m.b, zero))


def _sinh(m: Corner) -> None:
    kept = m.either(m.is_(m.a, 0.0), m.infinite(m.a))
    m.overwrite(m.both(m.not_(m.finite(m.b)), kept), m.a, nan)
    m.overwrite(m.both(m.finite(m.b), m.is_(m.a, 0.0)), x=m.times(m.a, m.build.op("cosine", (m.b,), m.part)))
    m.overwrite(m.is_(m.b, 0.0), y=m.b)


def _tanh(m: Corner) -> None:
    m.overwrite(m.is_(m.a, 0.0), x=m.a)
    m.overwrite(m.is_(m.b, 0.0), y=m.b)
    m.overwrite(m.both(m.not_(m.finite(m.b)), m.is_(m.a, 0.0)), y=nan)
    m.overwrite(m.infinite(m.a), m.signed(1.0, m.a), m.where(m.nan(m.b), 0.0, m.signed(0.0, m.b)))


def _acos(m: Corner) -> None:
    m.y = m.signed(m.y, m.negative(m.b))
    m.overwrite(m.both(m.is_(m.a, 0.0), m.nan(m.b)), pi / 2, nan)


def _acosh(m: Corner) -> None:
    m.y = m.signed(m.y, m.b)
    m.overwrite(m.both(m.is_(m.a, 0.0), m.nan(m.b)), nan, pi / 2)


def _asinh(m: Corner) -> None:
    m.x, m.y = m.signed(m.x, m.a), m.signed(m.y, m.b)
    lost = m.both(m.nan(m.a), m.finite(m.b))
    m.overwrite(lost, nan, m.where(m.is_(m.b, 0.0), m.b, nan))


def _atanh(m: Corner) -> None:
    m.x, m.y = m.signed(m.x, m.a), m.signed(m.y, m.b)
    vanishing = m.either(m.is_(m.a, 0.0), m.infinite(m.a))
    m.overwrite(m.nan(m.b), m.where(vanishing, m.signed(0.0, m.a), nan), nan)
    m.overwrite(m.both(m.nan(m.a), m.not_(m.infinite(m.b))), nan, nan)


def _turned(mend: Mend, odd: bool) -> Mend:
    """The same for f(z) = -i · g(i · z), or g(i · z), where `mend` is for g."""

    def turned(m: Corner) -> None:
        m.a, m.b = m.negative(m.b), m.a
        if odd:
            m.x, m.y = m.negative(m.y), m.x
        mend(m)
        if odd:
            m.x, m.y = m.y, m.negative(m.x)

    return turned


def _sign(m: Corner) -> None:
    for part, other in (("a", "b"), ("b", "a")):
        value, rest = getattr(m, part), getattr(m, other)
        units = (m.signed(1.0, value), 0.0)
        m.overwrite(m.both(m.infinite(value), m.finite(rest)), *(units if part == "a" else units[::-1]))
    m.overwrite(m.both(m.is_(m.a, 0.0), m.is_(m.b, 0.0)), 0.0, 0.0)


_MENDED: dict[str, Mend] = {
    "acos": _acos,
    "acosh": _acosh,
    "asin": _turned(_asinh, odd=True),
    "asinh": _asinh,
    "atan": _turned(_atanh, odd=True),
    "atanh": _atanh,
    "cos": _turned(_cosh, odd=False),
    "cosh": _cosh,
    "exp": _exp,
    "expm1": _expm1,
    "log": _log,
    "log1p": _log,
    "sign": _sign,
    "sin": _turned(_sinh, odd=True),
    "sinh": _sinh,
    "sqrt": _sqrt,
    "tan": _turned(_tanh, odd=True),
    "tanh": _tanh,
}


def mended(name: str, build: Any, type: ArrayType, result: Any, operand: Any) -> Any:
    """The engine's result of the complex function `name`, of complex `type`, mended."""
    corner = Corner(build, type, operand, result)
    _MENDED[name](corner)
    return corner.result()


class Mended(Elementwise):
    """An elementwise function whose compiled complex results are mended in the corners."""

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        result = build.op(self.stablehlo, operands, type)
        return mended(self.name, build, type, result, operands[0]) if is_complex(type.dtype) else result


# -- the same on the host, where NumPy leaves Annex G ----------------------------------------------------------------


def _of_parts(x: Any, y: Any, dtype: np.dtype) -> np.ndarray:
    result: Any = np.empty(np.shape(x), dtype)
    result.real, result.imag = x, y
    return result


def complex_expm1(z: Any) -> np.ndarray:
    """e**z - 1 = expm1(a) · cos b - 2 · sin²(b / 2) + i · e**a · sin b, exact near 0."""
    a, b = z.real, z.imag
    x = np.expm1(a) * np.cos(b) - 2 * np.square(np.sin(b / 2)) + 0
    y = np.where(b == 0, b, np.exp(a) * np.sin(b))
    lost, low = np.isinf(a) & ~np.isfinite(b), a < 0
    return _of_parts(np.where(lost, np.where(low, -1, np.inf), x), np.where(lost, np.where(low, 0, np.nan), y), z.dtype)


def complex_tanh(z: Any) -> np.ndarray:
    """The hyperbolic tangent; where the real part is infinite, the imaginary part is a zero of the sign of b."""
    far = np.isinf(z.real)
    result: Any = np.tanh(z)
    if not far.any():
        return result
    zero = np.where(np.isnan(z.imag), 0, np.copysign(z.dtype.type(0).real, z.imag))
    return _of_parts(np.where(far, np.sign(z.real), result.real), np.where(far, zero, result.imag), z.dtype)


def complex_tan(z: Any) -> np.ndarray:
    """The tangent, -i · tanh(i · z)."""
    turned: Any = complex_tanh(_of_parts(-z.imag, z.real, z.dtype))
    return _of_parts(turned.imag, -turned.real, z.dtype)
