"""The family of special functions: evaluated by SciPy, compiled from a formula, differentiated by rules or by it

A formula is a Python function of float64 arrays, written with operations and operators. `Partial` is the operation
"this function's derivative in that operand": it differentiates the formula, so it exists to every order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np

from ..backend.array import Array
from ..compiler.lower import lower_by
from ..compiler.simplify import simplify
from ..core.dtypes import COMPLEX128, FLOAT32, FLOAT64, is_complex, is_low_precision
from ..core.program import Program, run_program, stage
from ..core.trace import bottom, run_under
from ..core.types import ArrayType, Zero
from ..higher_order.while_loop import loop
from ..ops.elementwise import absolute, clamp, lt, maximum, mul
from ..ops.elementwise import where as select
from ..ops.exponential import log
from ..ops.families import Elementwise
from ..ops.reduction import reduce_or
from ..ops.scipy_modules import scipy_module
from ..ops.structure import convert, full, instantiate
from ..transforms.jvp import jvp_flat

__all__ = ["Fit", "Formula", "Partial", "Special", "at_least", "iterate", "log_1p", "partial", "polynomial", "where"]


_SAMPLES = 64


def _double(dtype: np.dtype) -> np.dtype:
    return COMPLEX128 if is_complex(dtype) else FLOAT64


class Formula(Elementwise):
    """A function that is evaluated and compiled by its formula.

    Class attributes to declare:
        formula: the function of operands in double precision, made of operations.
        in_double: False for formulas that are as good in the operands' own dtype.
    """

    accepts, via_float32 = "f", True
    plain, interprets = False, True
    formula: ClassVar[Callable[..., Any]]
    in_double: ClassVar[bool] = True

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        types = tuple(ArrayType(x.shape, x.dtype) for x in operands)
        (result,) = run_under(bottom(), run_program, _program(self, types), [Array(x) for x in operands])
        return (result.host(),)

    def composed(self, *operands: Any) -> Any:
        """The formula, for operands of any dtype that the operation takes."""
        own = operands[0].dtype
        dtype = _double(own) if self.in_double else FLOAT32 if is_low_precision(own) else own
        return convert(self.formula(*[convert(x, dtype) for x in operands]), own)

    lower = lower_by(lambda op, *operands: op.composed(*operands))


class Special(Formula):
    """A function of scipy.special, which evaluates it; its formula is all that compiled programs know of it.

    Class attributes to declare:
        scipy: its name there.
    """

    plain, interprets = True, False
    scipy: ClassVar[str]

    evaluate = Elementwise.evaluate

    def compute(self, *operands: np.ndarray) -> np.ndarray:  # type: ignore[override]
        result = getattr(scipy_module("special"), self.scipy)(*operands)
        return np.asarray(result, operands[0].dtype)


class Partial(Formula):
    """The derivative of a function with a formula in its operands number `operands`, one after the other.

    Each function of this family has all of them. SciPy has none: they are evaluated as they are compiled.
    """

    function: Formula
    operands: tuple[int, ...]

    accepts = "fc"

    def formula(self, *operands: Any) -> Any:  # type: ignore[override]
        """The derivative of the formula."""
        *earlier, last = self.operands
        function = Partial(self.function, tuple(earlier)) if earlier else self.function
        tangents = [full(x.type, 1.0) if i == last else Zero(x.type) for i, x in enumerate(operands)]
        _, (result,) = jvp_flat(lambda *xs: [function.formula(*xs)], operands, tangents, self.name)
        return instantiate(result)

    @property
    def pushforwards(self) -> Any:  # type: ignore[override]
        count = len(self.function.pushforwards)
        return tuple(partial(self.function, *sorted((*self.operands, i))) for i in range(count))


@lru_cache(maxsize=256)
def _program(op: Any, types: tuple[ArrayType, ...]) -> Program:
    return simplify(stage(lambda *xs: [op.composed(*xs)], types, op.name))


def partial(function: Any, *operands: int) -> Callable[..., Any]:
    """The pushforward of one operand, by the derivative of the formula.

    Args:
        function: the operation, or a function without arguments that returns it, where it does not exist yet.
        operands: the numbers of the operands, the last being the one that moves.
    """

    def push(tangent: Any, out: Any, *xs: Any) -> Any:
        op = function if isinstance(function, Formula) else function()
        return mul(tangent, Partial(op, operands)(*xs))

    return push


# -- what formulas are made of ---------------------------------------------------------------------------------------


def _like(value: Any, other: Any) -> Any:
    return full(other.type.strong(), value) if isinstance(value, int | float) else value


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y; numbers are float64."""
    model = condition.type.update(dtype=FLOAT64, weak=False)
    x, y = (full(model, value) if isinstance(value, int | float) else value for value in (x, y))
    return select(condition, x, y)


def at_least(x: Any, bound: float) -> Any:
    """The larger of x and a number."""
    return maximum(x, _like(bound, x))


def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """Σ coefficients[k] xᵏ, by Horner's rule."""
    result = _like(coefficients[-1], x)
    for coefficient in reversed(coefficients[:-1]):
        result = result * x + coefficient
    return result


class Fit:
    """A smooth function on an interval, as the Chebyshev polynomial that interpolates it.

    The function is sampled in NumPy when a formula first needs the coefficients, so that no table stands in the code.

    Args:
        function: from NumPy arrays to NumPy arrays; smooth, and nowhere much smaller than elsewhere.
        low, high: the interval; the result for arguments outside is that at its end.
    """

    def __init__(self, function: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> None:
        self.function = function
        self.centre, self.half = (low + high) / 2, (high - low) / 2

    @cached_property
    def coefficients(self) -> list[float]:
        """Of the Chebyshev polynomials T₀, T₁, …, as many as matter: a discrete cosine transform of the samples."""
        quarter = np.pi / (2 * _SAMPLES)  # reduced while they are whole numbers, the angles lose no digits
        places = 2 * np.arange(_SAMPLES) + 1
        waves = np.cos(quarter * (np.outer(np.arange(_SAMPLES), places) % (4 * _SAMPLES)))
        found = 2 / _SAMPLES * waves @ self.function(self.centre + self.half * np.cos(quarter * places))
        found[0] /= 2
        (mattering,) = np.nonzero(np.abs(found) > 2.0**-56 * np.abs(found).max())
        return found[: mattering[-1] + 1].tolist()

    def __call__(self, x: Any) -> Any:
        """The polynomial at float64 arguments, by Clenshaw's recurrence."""
        one = full(x.type.update(shape=(), weak=False), 1.0)
        t = clamp(-one, (x - self.centre) * (1 / self.half), one)
        first, *others = self.coefficients
        current, previous = _like(0.0, x), _like(0.0, x)
        for coefficient in reversed(others):
            current, previous = (t + t) * current - previous + coefficient, current
        return t * current - previous + first


_LOG_1P = Fit(lambda x: np.log1p(x) / x, -0.45, 0.55)


def log_1p(x: Any) -> Any:
    """log(1 + x); some engines' own loses two digits in doubles."""
    near = lt(absolute(x), full(x.type, 0.4))
    inside = where(near, x, 0.0)
    return where(near, inside * _LOG_1P(inside), log(1.0 + x))


def iterate(step: Callable[..., tuple[Any, Sequence[Any]]], start: Sequence[Any], most: int) -> list[Any]:
    """Repeat a step until no element needs it any more.

    Args:
        step: from the number of the step (1.0, 2.0, …, a float64 scalar) and the values to a boolean array, whose
            elements say where another step is needed, and the next values. Elements that need none still take part.
        start: the first values.
        most: so many steps at the most.

    Returns:
        The last values.
    """
    scalar = ArrayType((), FLOAT64)

    def going(number: Any, more: Any, *values: Any) -> Any:
        return more

    def body(number: Any, more: Any, *values: Any) -> Sequence[Any]:
        needed, after = step(number, *values)
        again = reduce_or(needed, tuple(range(needed.ndim)))
        return [number + 1.0, again & (number < float(most)), *after]

    started = full(ArrayType((), np.dtype(np.bool_)), True)
    return loop(going, body, [full(scalar, 1.0), started, *start])[2:]
