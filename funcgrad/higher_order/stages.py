"""The later stages of a compiled function: lowered, compiled, dispatched."""

from __future__ import annotations

from itertools import repeat
from typing import Any

from .. import tree
from ..backend.array import Array, Placed
from ..backend.client import Device
from ..backend.executable import Executable
from ..compiler.cache import compile_program
from ..compiler.lower import lower_program
from ..core.program import Program
from ..errors import ArgumentError
from ..source import user_source
from ..transforms.arguments import is_array_like, lift
from .traced import Traced

__all__ = ["Compiled", "Dispatch", "Lowered"]


class Dispatch:
    """What an eager call needs: the executable, the buffers it closes over and how to wrap its results."""

    __slots__ = ("constants", "device", "executable", "out_placed", "out_tree", "out_types", "returns_array")

    def __init__(self, traced: Traced, executable: Executable, place: Device, committed: bool) -> None:
        self.executable = executable
        self.constants = [constant.buffer(place) for constant in traced.constants]
        self.out_tree = traced.out_tree
        self.returns_array = tree.treedef_is_leaf(traced.out_tree)
        self.out_types = traced.out_types
        self.out_placed = [Placed(t, place, committed) for t in traced.out_types]
        self.device = place if committed else None

    def __call__(self, buffers: list[Any]) -> Any:
        # Hot: one compiled call (benchmark: dispatch).
        outs = self.executable(self.constants + buffers if self.constants else buffers)
        if self.returns_array:
            return Array(None, outs[0], self.out_types[0], self.device, self.out_placed[0])
        arrays = map(Array, repeat(None), outs, self.out_types, repeat(self.device), self.out_placed)
        return self.out_tree.unflatten(arrays)


class Lowered:
    """A program lowered to StableHLO for a device, not yet compiled."""

    def __init__(self, traced: Traced, device: Device) -> None:
        self._traced = traced
        self._device = device
        self._module = lower_program(traced.program, device.platform)

    @property
    def program(self) -> Program:
        return self._traced.program

    def as_text(self, debug: bool = False) -> str:
        """The StableHLO text; with `debug`, with the user's lines."""
        return self._module.text(debug)

    def compile(self) -> Compiled:
        """Compile it."""
        return Compiled(self._traced, compile_program(self._traced.program, self._device, user_source()), self._device)


class Compiled:
    """A compiled function for fixed argument types; call it with such arguments."""

    def __init__(self, traced: Traced, executable: Executable, device: Device) -> None:
        self._executable = executable
        self._device = device
        self._types = traced.program.in_types[len(traced.constants) :]
        self._dispatch = Dispatch(traced, executable, device, False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run; the leaves of the arguments must have the types it was compiled for.

        Raises:
            ArgumentError: other types or another number of leaves.
        """
        leaves = [lift(leaf) for leaf in tree.leaves((args, kwargs)) if is_array_like(leaf)]
        types = tuple(leaf.type for leaf in leaves)
        if types != self._types:
            raise ArgumentError(
                f"compiled for ({', '.join(map(str, self._types))}), called with ({', '.join(map(str, types))})"
            )
        return self._dispatch([leaf.buffer(self._device) for leaf in leaves])

    def as_text(self) -> str:
        """The optimised HLO."""
        return self._executable.text()

    def cost_analysis(self) -> dict[str, float]:
        """XLA's estimates: flops, bytes accessed, …"""
        return self._executable.cost_analysis()

    def memory_analysis(self) -> Any:
        """Bytes of arguments, outputs, temporaries and generated code."""
        return self._executable.memory_analysis()
