"""Placement: the operation that moves a value to a device; inside compiled code it is the identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend.array import to_device
from ..backend.client import Device
from ..compiler.tiered import interpretation
from ..core.graph import Graph
from ..core.primitive import Linear
from ..core.program import Atom
from ..core.types import ArrayType

__all__ = ["DevicePut"]


class DevicePut(Linear):
    """The same values on `device`."""

    plain = False
    runs_itself = True

    device: Device

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        return (x,)

    def run(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        return arrays if interpretation() is not None else (to_device(arrays[0], self.device),)

    def evaluate(self, x: Any) -> tuple[Any, ...]:
        return (x,)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        return (x,)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (self(cts[0]),)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return (self(*operands),), axes

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return inputs
