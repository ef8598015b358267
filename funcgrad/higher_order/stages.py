"""The later stages of a compiled function: lowered, compiled, dispatched."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from .. import tree
from ..backend.array import Array, Placed, from_buffer, from_buffers
from ..backend.client import Device
from ..backend.executable import Executable
from ..backend.pending import Pending, inherited, watch
from ..backend.stablehlo import Module
from ..compiler.cache import compile_program, plan_program, regions_of
from ..compiler.driver import Driver
from ..compiler.lower import lower_program
from ..compiler.region_table import RegionTable
from ..compiler.tiered import Tiered
from ..core.program import Program
from ..errors import ArgumentError, EngineError
from ..source import user_source
from ..transforms.arguments import is_array_like, lift
from .donation import Donation
from .traced import Traced

__all__ = ["Compiled", "Dispatch", "Lowered"]


class Dispatch:
    """What an eager call needs: the executable, the buffers it closes over and how to wrap its results.

    Attributes:
        plain: whether nothing is to be done but to run the executable on the arguments' buffers.
        direct: whether, besides, that is a call of the engine and no more.
        place: where it runs.
        device: the same if its results are committed to it, else None.
    """

    __slots__ = (
        "calls",
        "constants",
        "device",
        "direct",
        "donation",
        "executable",
        "out_placed",
        "out_tree",
        "out_types",
        "place",
        "plain",
        "returns_array",
    )

    def __init__(
        self,
        traced: Traced,
        executable: Executable | Driver | Tiered,
        place: Device,
        committed: bool,
        donation: Donation | None,
    ) -> None:
        self.constants = [_held(constant, place) for constant in traced.constants]
        self.donation = donation
        self.plain = not (self.constants or donation or executable.checks)
        self.take_over(executable)
        self.calls = 0
        self.out_tree = traced.out_tree
        self.returns_array = tree.treedef_is_leaf(traced.out_tree)
        self.out_types = traced.out_types
        self.place = place
        self.out_placed = [Placed(t, place, committed) for t in traced.out_types]
        self.device = place if committed else None

    def __call__(self, buffers: list[Any], arrays: Sequence[Array]) -> Any:
        # The arrays are those of the buffers.
        self.calls += 1
        if self.plain and not watch.on:
            outs, pending = self.executable(buffers), None
        else:
            outs, pending = self._run(buffers, arrays)
        return self.out_tree.unflatten(from_buffers(outs, self.out_types, self.out_placed, self.device, pending))

    def take_over(self, executable: Executable | Driver | Tiered) -> None:
        """From now on run this executable of the same program."""
        self.executable = executable
        self.direct = self.plain and type(executable) is Executable and not executable.calls_python

    def _run(self, buffers: list[Any], arrays: Sequence[Array]) -> tuple[list[Any], Pending | None]:
        parents = inherited(arrays) if watch.on else ()
        constants = [constant._buffer for constant in self.constants]
        try:
            if self.donation is None:
                return self.executable.run(constants + buffers, parents)
            return self.donation.run(self.executable, constants, buffers, arrays, parents)
        except EngineError:
            for constant in self.constants:  # one that was donated has no buffer
                constant.require_value()
            raise


def _held(constant: Array, place: Device) -> Array:
    """An array that a function closes over as one that has its buffer on the device where the function runs."""
    constant.require_checks()
    buffer = constant.buffer(place)
    return constant if constant._buffer is buffer else from_buffer(buffer, constant.type, place, True)


class Lowered:
    """A program lowered to StableHLO for a device, not yet compiled."""

    def __init__(self, traced: Traced, device: Device, donation: Donation | None, regions: str) -> None:
        self._traced = traced
        self._device = device
        self._donation = donation
        self._regions = regions
        self._donated = () if donation is None else donation.inputs(len(traced.constants))
        self._plan = plan_program(traced.program, self._donated, regions)
        if self._plan.cut is None:
            self._module  # noqa: B018  (so that what cannot be lowered is told here)

    @cached_property
    def _module(self) -> Module:
        return lower_program(self._plan.program, self._device.platform, self._donated)

    @property
    def program(self) -> Program:
        return self._traced.program

    def as_text(self, debug: bool = False) -> str:
        """The StableHLO text; with `debug`, with the user's lines."""
        return self._module.text(debug)

    def regions(self) -> RegionTable:
        """How the program is divided to be compiled: a table that prints, with a row for each distinct region.

        Example:
            >>> import funcgrad as fg
            >>> fg.jit(lambda x: x * 2.0).lower(3.0).regions().rows[0].equations
            1
        """
        return regions_of(self._traced.program, self._device, self._donated, self._regions)

    def compile(self) -> Compiled:
        """Compile it."""
        executable = compile_program(self._traced.program, self._device, user_source(), self._donated, self._regions)
        return Compiled(self._traced, executable, self._device, self._donation, self.regions())


class Compiled:
    """A compiled function for fixed argument types; call it with such arguments."""

    def __init__(
        self,
        traced: Traced,
        executable: Executable | Driver,
        device: Device,
        donation: Donation | None,
        regions: RegionTable,
    ) -> None:
        self._executable = executable
        self._regions = regions
        self._device = device
        self._types = traced.program.in_types[len(traced.constants) :]
        self._dispatch = Dispatch(traced, executable, device, False, donation)

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
        return self._dispatch([leaf.buffer(self._device) for leaf in leaves], leaves)

    def as_text(self) -> str:
        """The optimised HLO."""
        return self._executable.text()

    def regions(self) -> RegionTable:
        """How the program was divided, and how long each region took to compile: a table that prints."""
        return self._regions

    def cost_analysis(self) -> dict[str, float]:
        """XLA's estimates: flops, bytes accessed, …"""
        return self._executable.cost_analysis()

    def memory_analysis(self) -> Any:
        """Bytes of arguments, outputs, temporaries and generated code."""
        return self._executable.memory_analysis()
