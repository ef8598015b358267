"""Runs the regions of a cut program one after the other: an executable, to whoever calls it, made of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from ..backend.array import put
from ..backend.client import Device
from ..backend.executable import Executable
from ..backend.pending import Pending, pending_of
from ..core.program import Literal, literal_value
from .regions import Cut, Step

__all__ = ["Driver", "MemoryAnalysis"]

_FEW, _MANY = 8, 64  # runs under way


class MemoryAnalysis(NamedTuple):
    """Bytes that a call takes; arguments that become results are in all of the first three."""

    argument_size_in_bytes: int
    output_size_in_bytes: int
    alias_size_in_bytes: int
    temp_size_in_bytes: int
    generated_code_size_in_bytes: int


class Driver:
    """A cut program on a device, with the interface of `Executable`.

    Every region is dispatched without waiting for the one before, but not too many: the engine may stand still with
    hundreds on several devices of one host, and each holds memory. A value is let go after its last use.

    Attributes:
        cut: what runs.
        executables: the regions, compiled.
        checks: the checks of all regions; empty if there are none.
        seconds: how long its regions took to make.
    """

    __slots__ = (
        "_careful",
        "_fixed",
        "_outputs",
        "_spare",
        "_steps",
        "checks",
        "cut",
        "device",
        "executables",
        "in_types",
        "name",
        "out_types",
        "seconds",
    )

    def __init__(self, cut: Cut, executables: Sequence[Executable], device: Device) -> None:
        self.cut = cut
        self.executables = tuple(executables)
        self.device = device
        self.name = cut.program.name
        self.in_types = cut.program.in_types
        self.out_types = tuple([t.strong() for t in cut.program.out_types])
        self.checks = tuple([check for executable in executables for check in executable.checks])
        self.seconds = sum(executable.seconds for executable in executables)
        self._careful = bool(self.checks) or any(executable.calls_python for executable in executables)
        self._spare = [None] * (cut.slots - len(self.in_types))
        limit = _FEW if device.is_host and device.client.device_count() > 1 else _MANY
        waits = _waits(cut, limit)
        steps = zip(cut.steps, waits, strict=True)
        self._steps = [_compact(step, self.executables[step.region], wait) for step, wait in steps]
        literals = [(place, a) for place, a in enumerate(cut.outputs) if isinstance(a, Literal)]
        self._fixed = [(place, put(literal_value(a).host(), a.type.strong(), device)) for place, a in literals]
        self._outputs = [0 if isinstance(a, Literal) else a for a in cut.outputs]

    def __call__(self, buffers: list[Any]) -> list[Any]:
        """Run a program without checks. The list of buffers is emptied, so that none outlives its last use."""
        if self._careful:
            return self.run(buffers, ())[0]
        # Hot: what we add to each run of a region (benchmark: regions).
        values = buffers + self._spare
        buffers.clear()
        executable = None
        try:
            for executable, execute, handlers, take, start, stop, frees, wait in self._steps:  # noqa: B007
                if wait is not None:
                    values[wait].block_until_ready()
                values[start:stop] = execute(take(values)).consume_with_handlers(handlers)
                for slot in frees:
                    values[slot] = None
        except Exception as error:  # the engine raises several unrelated classes
            raise (error if executable is None else executable.failure("running", error)) from None
        return self._results(values)

    def run(self, buffers: list[Any], parents: tuple[Pending, ...]) -> tuple[list[Any], Pending | None]:
        """Run, and say what the results have to ask: the checks of all regions, and `parents`."""
        values = buffers + self._spare
        buffers.clear()
        for executable, _, _, take, start, stop, frees, wait in self._steps:
            if wait is not None:
                values[wait].block_until_ready()
            outs, pending = executable.run(list(take(values)), parents)
            if pending is not None:
                parents = (pending,)
            values[start:stop] = outs
            for slot in frees:
                values[slot] = None
        return self._results(values), pending_of((), [], parents)

    def _results(self, values: list[Any]) -> list[Any]:
        outs = [values[slot] for slot in self._outputs]
        for place, buffer in self._fixed:
            outs[place] = buffer
        return outs

    def text(self) -> str:
        """The optimised HLO of every region."""
        return "\n\n".join(executable.text() for executable in self.executables)

    def cost_analysis(self) -> dict[str, float]:
        """What XLA estimates for all steps together: flops, bytes accessed, …"""
        total: dict[str, float] = {}
        analyses = [executable.cost_analysis() for executable in self.executables]
        for step in self.cut.steps:
            for name, value in analyses[step.region].items():
                total[name] = total.get(name, 0.0) + value
        return total

    def memory_analysis(self) -> MemoryAnalysis:
        """Bytes of a call, under XLA's names. Temporaries are what lives between the regions, and their own."""
        analyses = [executable.memory_analysis() for executable in self.executables]
        sizes = [0] * self.cut.slots
        for slot, type in enumerate(self.in_types):
            sizes[slot] = type.nbytes
        arguments = live = peak = sum(sizes)
        aliased = 0
        for step in self.cut.steps:
            region, analysis = self.cut.regions[step.region], analyses[step.region]
            reused = sum(sizes[step.takes[number]] for number in region.donated)
            aliased += sum(sizes[s] for s in (step.takes[n] for n in region.donated) if s < len(self.in_types))
            for slot, type in zip(step.gives, region.program.out_types, strict=True):
                sizes[slot] = type.nbytes
            live += sum(sizes[slot] for slot in step.gives) - reused
            peak = max(peak, live + analysis.temp_size_in_bytes)
            gone = {step.takes[number] for number in region.donated}
            live -= sum(sizes[slot] for slot in step.frees if slot >= len(self.in_types) and slot not in gone)
        outputs = sum(type.nbytes for type in self.out_types)
        code = sum(analysis.generated_code_size_in_bytes for analysis in analyses)
        return MemoryAnalysis(arguments, outputs, aliased, max(0, peak - arguments - outputs + aliased), code)


def _waits(cut: Cut, limit: int) -> list[int | None]:
    """For each step the slot whose value to wait for before it runs, or None, so that about `limit` are under way."""
    waits: list[int | None] = []
    maker: dict[int, int] = {}  # of the values that are there, in the order in which they were made
    for number, step in enumerate(cut.steps):
        chosen = None
        if number and number % (limit // 2) == 0:
            earlier = [slot for slot, made in maker.items() if made <= number - limit // 2]
            chosen = earlier[-1] if earlier else next(iter(maker), None)
        waits.append(chosen)
        maker.update(dict.fromkeys(step.gives, number))
        for slot in step.frees:
            maker.pop(slot, None)
    return waits


def _compact(step: Step, executable: Executable, wait: int | None) -> tuple[Any, ...]:
    """A step as the loop that runs it wants it."""
    start = step.gives[0] if step.gives else 0
    return (
        executable,
        executable.execute,
        executable.handlers,
        _taker(step.takes),
        start,
        start + len(step.gives),
        step.frees,
        wait,
    )


def _taker(slots: Sequence[int]) -> Callable[[list[Any]], Sequence[Any]]:
    """A function that takes the values of these slots out of a list."""
    if len(slots) > 1:
        return itemgetter(*slots)
    return lambda values: [values[slot] for slot in slots]
