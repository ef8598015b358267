"""Stack ↔ unstack: equal arrays side by side along a new first axis, and the elements of a first axis apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.graph import Graph, resized
from ..core.primitive import Linear
from ..core.program import Atom, Literal
from ..core.types import ArrayType, is_linear
from ..errors import ArgumentError, ShapeError
from .gather import lead_axis
from .structure import Reshape, move_axis

__all__ = ["stack", "unstack"]


class Stack(Linear):
    """The operands, of one type, as the elements of a new first axis."""

    exact = True

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        if not types:
            raise ArgumentError("stack needs at least one array")
        first = types[0].strong()
        for other in types[1:]:
            if other.strong() is not first:
                raise ShapeError(f"stack: arrays must have one shape and dtype, got {first} and {other}")
        return (first.update(shape=(len(types), *first.shape)),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        result = np.empty((len(operands), *operands[0].shape), operands[0].dtype)
        for i, x in enumerate(operands):
            result[i] = x
        return (result,)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        row = build.in_types[0].update(shape=(1, *build.in_types[0].shape))
        rows = [build.op("reshape", (x,), row) for x in operands]
        return (build.op("concatenate", rows, build.out_types[0], {"dimension": build.integer(0)}),)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(*primals),), (self(*tangents),)

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        parts = Unstack()(cts[0])
        return tuple(part if is_linear(x) else None for part, x in zip(parts, inputs, strict=True))

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return (self(*(lead_axis(size, x, axis) for x, axis in zip(operands, axes, strict=True))),), (1,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        if len(inputs) == 1:
            return (graph.emit(Reshape((1, *inputs[0].type.shape)), inputs[0]),)
        inner = graph.producer(inputs[0], Unstack)
        if inner is not None and tuple(inner.outputs) == tuple(inputs):
            return inner.inputs
        return None


class Unstack(Linear):
    """The elements of the first axis, which is not empty, as separate results."""

    exact = True
    multiple = True
    direct = False

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        if not x.shape or not x.shape[0]:
            raise ShapeError(f"unstack needs an array with at least one element along its first axis, got {x}")
        return (x.update(shape=x.shape[1:]),) * x.shape[0]

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple([x[i, ...] for i in range(len(x))])

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        (source,), element = build.in_types, build.out_types[0]
        row = source.update(shape=(1, *element.shape))
        parts = []
        for i in range(source.shape[0]):
            attributes = {
                "start_indices": build.integers((i, *(0 for _ in element.shape))),
                "limit_indices": build.integers((i + 1, *element.shape)),
                "strides": build.integers((1,) * source.ndim),
            }
            parts.append(build.op("reshape", (build.op("slice", (x,), row, attributes),), element))
        return tuple(parts)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return self(*primals), self(*tangents)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (Stack()(*cts),)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        x, axis = operands[0], axes[0]
        if axis == 0:
            x, axis = move_axis(x, 0, 1), 1
        outs = self(x)
        return outs, (axis - 1,) * len(outs)  # type: ignore[operator]

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        (x,) = inputs
        if type(x) is Literal:
            return (resized(x, x.type.shape[1:]),) * x.type.shape[0]
        if x.type.shape[0] == 1:
            return (graph.emit(Reshape(x.type.shape[1:]), x),)
        inner = graph.producer(x, Stack)
        return inner and inner.inputs


def stack(arrays: Sequence[Any]) -> Any:
    """Arrays of one type side by side along a new first axis.

    Raises:
        ArgumentError: there are none.
        ShapeError: they differ in shape or dtype.
    """
    Stack().infer(*(x.type for x in arrays))
    return Stack()(*arrays)


def unstack(x: Any) -> tuple[Any, ...]:
    """The elements of the first axis.

    Raises:
        ShapeError: there is no such axis, or it is empty.
    """
    Unstack().infer(x.type)
    return Unstack()(x)
