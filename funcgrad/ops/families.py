"""Families: most rules of most operations, derived from a few declarations.

An elementwise operation is its NumPy function, its StableHLO name and its derivative with respect to each operand,
written as what that operand's tangent becomes: `pushforwards = (lambda dx, y, x: dx * cos(x),)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from ..core.dtypes import BOOL, FLOAT32, is_float, is_inexact, is_integer, is_low_precision
from ..core.graph import Graph, filled, folded, is_filled_with
from ..core.primitive import Primitive, not_differentiable, not_linear
from ..core.program import Atom, Literal
from ..core.types import ArrayType, Zero
from ..errors import DTypeError, ShapeError
from .structure import broadcast_in_dim, move_axis, sunk

__all__ = ["Comparison", "Elementwise", "Pushforward", "align_batch", "elementwise_batch", "same_operands"]

Pushforward = Callable[..., Any]

_KINDS = {"b": "bool", "i": "integer", "f": "floating", "c": "complex"}


def kind_letter(dtype: np.dtype) -> str:
    """b, i, f or c."""
    return "b" if dtype == BOOL else "i" if is_integer(dtype) else "f" if is_float(dtype) else "c"


def same_operands(name: str, types: tuple[ArrayType, ...]) -> ArrayType:
    """The one type that all operands have.

    Raises:
        ShapeError, DTypeError: they differ; operations, unlike funcgrad.numpy, neither broadcast nor promote.
    """
    first = types[0]
    for other in types[1:]:
        if other is first:
            continue
        if other.shape != first.shape:
            shapes = " and ".join(str(t.shape) for t in types)
            raise ShapeError(f"{name}: operands must have equal shapes, got {shapes}; funcgrad.numpy broadcasts")
        if other.dtype != first.dtype:
            dtypes = " and ".join(t.dtype.name for t in types)
            raise DTypeError(f"{name}: operands must have equal dtypes, got {dtypes}; funcgrad.numpy promotes")
    return first


def align_batch(size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> tuple[Sequence[Any], int]:
    """Operands all carrying the mapped axis at one place, and that place."""
    axis = axes[0] if axes[0] is not None else next(a for a in axes if a is not None)
    if axes.count(axis) == len(axes):
        return operands, axis
    aligned = []
    for x, a in zip(operands, axes, strict=True):
        if a is None:
            shape = x.shape
            kept = range(1, len(shape) + 1) if axis == 0 else [i for i in range(len(shape) + 1) if i != axis]
            x = broadcast_in_dim(x, (*shape[:axis], size, *shape[axis:]), kept)
        elif a != axis:
            x = move_axis(x, a, axis)
        aligned.append(x)
    return aligned, axis


def elementwise_batch(self: Primitive, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
    """The batch rule of every operation that treats all elements alike."""
    if len(operands) == 1:
        return (self(*operands),), axes
    aligned, axis = align_batch(size, operands, axes)
    return (self(*aligned),), (axis,)


_ARITHMETIC = frozenset("add subtract multiply divide negate abs sign maximum minimum compare and or xor not".split())


class Elementwise(Primitive):
    """One result element from the operands' elements at the same place.

    Class attributes to declare:
        compute: the NumPy function (wrap Python functions in `staticmethod`).
        stablehlo: the StableHLO (or `chlo.`) operation; override `lower` where one is not enough.
        accepts: kinds of dtype it takes, letters of "bifc".
        pushforwards: per operand, (tangent, output, *operands) → its contribution to the output's tangent;
            None where the derivative is zero everywhere.
        via_float32: compute low-precision floats in float32 and round once, in both rules.
        neutral: the second operand (either one, if `commutative`) that leaves the other as it is, unless complex.
        idempotent: True if the operation on equal operands gives these.
        involution: True if the operation undoes itself.
    """

    takes_zeros = True
    direct = True

    compute: ClassVar[Callable[..., Any]]
    stablehlo: ClassVar[str] = ""
    accepts: ClassVar[str] = "fc"
    pushforwards: ClassVar[tuple[Pushforward | None, ...]] = ()
    via_float32: ClassVar[bool] = False
    neutral: ClassVar[float | None] = None
    idempotent: ClassVar[bool] = False
    involution: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.cheap = cls.stablehlo in _ARITHMETIC
        plain = cls.evaluate is Elementwise.evaluate and not cls.via_float32
        cls.kernel = cls.compute if plain and isinstance(getattr(cls, "compute", None), np.ufunc) else None

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        first = same_operands(self.name, types)
        if kind_letter(first.dtype) not in self.accepts:
            kinds = ", ".join(_KINDS[letter] for letter in self.accepts)
            raise DTypeError(f"{self.name} takes {kinds} operands, not {first.dtype.name}")
        weak = all(t.weak for t in types)
        return (first if first.weak == weak else first.update(weak=weak),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        if self.via_float32:
            dtype = operands[0].dtype
            if is_low_precision(dtype):
                return (self.compute(*(x.astype(np.float32) for x in operands)).astype(dtype),)
        return (self.compute(*operands),)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        if self.via_float32 and is_low_precision(build.out_types[0].dtype):
            wide = build.out_types[0].update(dtype=FLOAT32)
            operands = tuple(build.convert(x, t, FLOAT32) for x, t in zip(operands, build.in_types, strict=True))
            return (build.convert(self.emit(build, wide, *operands), wide, build.out_types[0].dtype),)
        return (self.emit(build, build.out_types[0], *operands),)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        """The StableHLO for operands and result of `type`."""
        return build.op(self.stablehlo, operands, type)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        out = self(*primals)
        return (out,), (self.push([None if type(t) is Zero else t for t in tangents], out, primals),)

    def push(self, tangents: Sequence[Any | None], out: Any, primals: Sequence[Any]) -> Any:
        total = None
        for tangent, push in zip(tangents, self.pushforwards, strict=True):
            if tangent is not None and push is not None:
                term = push(tangent, out, *primals)
                total = term if total is None else total + term
        return Zero(out.type) if total is None else total

    def pull(self, ct: Any, out: Any, primals: Sequence[Any], moving: Sequence[Any | None]) -> Sequence[Any | None]:
        # Each pushforward multiplies elementwise by a derivative, and so is its own transpose.
        pairs = zip(moving, self.pushforwards, strict=True)
        return [None if dx is None or push is None else push(ct, out, *primals) for dx, push in pairs]

    transpose = not_linear
    batch = elementwise_batch

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        # Hot: most equations of most programs pass here.
        x = inputs[0]
        if self.involution:
            inner = graph.operation(x)
            if inner is not None and inner.op is self:
                return inner.inputs
        if len(inputs) == 2:
            y = inputs[1]
            if self.neutral is not None:
                if type(y) is Literal and is_filled_with(y, self.neutral) and y.type.dtype.kind != "c":
                    return (x,)
                if type(x) is Literal and self.commutative and is_filled_with(x, self.neutral):
                    return None if x.type.dtype.kind == "c" else (y,)
            if x is y and self.idempotent:
                return (x,)
        return self.identity(graph, *inputs) or folded(self, inputs) or sunk(self, graph, inputs)

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        """What `simplified` tries beyond what holds for all elementwise operations."""
        return None


class Comparison(Elementwise):
    """Elementwise, with boolean results.

    Class attributes to declare:
        direction: of the comparison, in StableHLO.
        reflexive: what it says of equal integers and booleans; None where that is not used.
    """

    exact = True
    stablehlo = "compare"
    accepts = "bif"
    direction: ClassVar[str]
    reflexive: ClassVar[bool | None] = None

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return (super().infer(*types)[0].update(dtype=BOOL),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        return (self.compute(*operands),)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        return (build.compare(self.direction, *operands, build.in_types[0]),)

    jvp = not_differentiable

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        x, y = inputs
        if x is y and self.reflexive is not None and not is_inexact(x.type.dtype):
            return (filled(self.reflexive, x.type.update(dtype=BOOL)),)
        return None
