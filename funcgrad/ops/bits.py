"""Logic and bits: and, or, xor, not, shifts, population count, leading zeros, and comparison in total order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..core.dtypes import BOOL, is_float
from ..core.graph import Graph, filled
from ..core.primitive import not_differentiable
from ..core.program import Atom, Literal
from .families import Comparison, Elementwise

__all__ = [
    "and_",
    "clz",
    "eq_to",
    "le_to",
    "lt_to",
    "not_",
    "or_",
    "population_count",
    "shift_left",
    "shift_right_arithmetic",
    "shift_right_logical",
    "xor",
]


class And(Elementwise):
    """The bits set in both; for booleans the logical and."""

    idempotent = True
    commutative = True
    compute, stablehlo, accepts = np.bitwise_and, "and", "bi"
    jvp = not_differentiable

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return _absorbed(graph, inputs, neutral=True)


class Or(Elementwise):
    """The bits set in either; for booleans the logical or."""

    neutral = 0.0
    idempotent = True
    commutative = True
    compute, stablehlo, accepts = np.bitwise_or, "or", "bi"
    jvp = not_differentiable

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return _absorbed(graph, inputs, neutral=False)


class Xor(Elementwise):
    """The bits set in exactly one; for booleans the exclusive or."""

    neutral = 0.0
    commutative = True
    compute, stablehlo, accepts = np.bitwise_xor, "xor", "bi"
    jvp = not_differentiable

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return (filled(0, inputs[0].type),) if inputs[0] is inputs[1] else None


def _absorbed(graph: Graph, inputs: Sequence[Atom], neutral: bool) -> Sequence[Atom] | None:
    """The result of `and` (`or`) where an operand has all (no) bits set, or none (all)."""
    ones = True if inputs[0].type.dtype == BOOL else ~np.zeros((), inputs[0].type.dtype)
    for x, y in (inputs, inputs[::-1]):
        if type(x) is Literal and x.value in (0, ones):
            return (y if bool(x.value) == neutral else x,)
    return None


class Not(Elementwise):
    """All bits flipped; for booleans the negation."""

    involution = True
    compute, stablehlo, accepts = np.invert, "not", "bi"
    jvp = not_differentiable


class ShiftLeft(Elementwise):
    """x · 2**count, wrapping; counts below 0 or of at least the width give 0."""

    neutral = 0.0
    compute, stablehlo, accepts = np.left_shift, "shift_left", "i"
    jvp = not_differentiable


class ShiftRightLogical(Elementwise):
    """Bits moved down, zeros moved in; counts below 0 or of at least the width give 0."""

    neutral = 0.0
    stablehlo, accepts = "shift_right_logical", "i"
    jvp = not_differentiable

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        x, count = operands
        return (np.right_shift(_as_kind(x, "u"), _as_kind(count, "u")).view(x.dtype),)


class ShiftRightArithmetic(Elementwise):
    """Bits moved down, the top bit repeated (of unsigned integers, too); other counts act as the width does."""

    neutral = 0.0
    stablehlo, accepts = "shift_right_arithmetic", "i"
    jvp = not_differentiable

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        x, count = operands
        return (np.right_shift(_as_kind(x, "i"), _as_kind(count, "i")).view(x.dtype),)


class PopulationCount(Elementwise):
    """How many bits are set (of the two's complement, for negative numbers)."""

    stablehlo, accepts = "popcnt", "i"
    jvp = not_differentiable

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = operands
        return (np.bitwise_count(_as_kind(x, "u")).astype(x.dtype),)


class Clz(Elementwise):
    """How many of the highest bits are zero."""

    stablehlo, accepts = "count_leading_zeros", "i"
    jvp = not_differentiable

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = operands
        bits, width = _as_kind(x, "u"), 8 * x.dtype.itemsize
        step = 1
        while step < width:  # every bit below the highest set one becomes set, too
            bits = bits | np.right_shift(bits, bits.dtype.type(step))
            step *= 2
        return ((width - np.bitwise_count(bits)).astype(x.dtype),)


def _as_kind(x: np.ndarray, kind: str) -> np.ndarray:
    """The same bits as signed ("i") or unsigned ("u") integers."""
    return x if x.dtype.kind == kind else x.view(f"{kind}{x.dtype.itemsize}")


class TotalOrder(Comparison):
    """x compared with y where floats are ordered -NaN < -inf < … < -0 < +0 < … < inf < NaN, as IEEE 754 has it.

    Fields:
        relation: "EQ", "LT" or "LE".
    """

    relation: str

    accepts = "if"
    functions: ClassVar[dict[str, np.ufunc]] = {"EQ": np.equal, "LT": np.less, "LE": np.less_equal}

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        keys = map(_order_key, operands) if is_float(operands[0].dtype) else operands
        return (self.functions[self.relation](*keys),)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        (x, _) = build.in_types
        return (build.compare(self.relation, *operands, x, total_order=is_float(x.dtype)),)


def _order_key(x: np.ndarray) -> np.ndarray:
    bits = x.view(f"i{x.dtype.itemsize}")
    return np.where(bits < 0, bits ^ np.iinfo(bits.dtype).max, bits)


and_, or_, xor, not_ = And(), Or(), Xor(), Not()
shift_left, shift_right_logical = ShiftLeft(), ShiftRightLogical()
shift_right_arithmetic = ShiftRightArithmetic()
population_count, clz = PopulationCount(), Clz()
eq_to, lt_to, le_to = TotalOrder("EQ"), TotalOrder("LT"), TotalOrder("LE")
