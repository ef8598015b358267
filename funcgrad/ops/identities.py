"""Identities that say something: a name for what checkpoint policies save, and a barrier that the compiler respects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.graph import Graph
from ..core.primitive import Primitive
from ..core.program import Atom
from ..core.types import ArrayType, Zero, is_linear
from .families import elementwise_batch

__all__ = ["Named", "OptimizationBarrier"]


class Named(Primitive):
    """x itself, under a name that checkpoint policies know."""

    takes_zeros = True

    label: str

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        return (x,)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (x,)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        return (x,)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(*primals),), tangents

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return cts

    batch = elementwise_batch

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return inputs


class OptimizationBarrier(Primitive):
    """Its operands themselves, none of which is there before all of them are; nothing is merged or moved across."""

    multiple = True
    takes_zeros = True

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return types

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        return operands

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        return build.ops("optimization_barrier", operands, build.in_types) if operands else ()

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        moving = iter(self(*(t for t in tangents if type(t) is not Zero)))
        return self(*primals), tuple(t if type(t) is Zero else next(moving) for t in tangents)

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        return tuple(ct if is_linear(x) else None for ct, x in zip(self(*cts), inputs, strict=True))

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return self(*operands), axes
