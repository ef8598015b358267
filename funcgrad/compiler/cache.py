"""Compiled programs in memory, by structure: equal Programs for the same device share one executable."""

from __future__ import annotations

import os
from functools import lru_cache, partial
from time import perf_counter
from typing import Any, NamedTuple

from ..backend.client import Device
from ..backend.executable import Executable
from ..core.once import OnceCache
from ..core.program import Program, collection_paused
from ..source import Source
from .compiling import compile_all, compile_apart
from .disk import executable_of
from .driver import Driver
from .lower import lower_program
from .optimize import optimize
from .region_table import RegionTable, region_table
from .regions import Cut, Region, cut_by

__all__ = ["clear", "compile_program", "compiled_count", "find_compiled", "plan_program", "regions_of"]

_executables = OnceCache(limit=4096)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_executables.restart)


def compile_program(
    program: Program,
    device: Device,
    source: Source | None = None,
    donated: tuple[int, ...] = (),
    regions: str = "off",
) -> Executable | Driver:
    """The executable of a program without constants on a device; compiled once while remembered.

    Args:
        program: what to compile.
        device: where it will run.
        source: the user's line, for errors of the engine.
        donated: the inputs, by number, whose buffers it may write its results into.
        regions: whether to compile repeated blocks once, and run them many times: "auto", "always" or "off".
    """
    found = find_compiled(program, device, donated, regions)
    if found is not None:
        return found
    key = (program, device, donated, regions)

    def compile_now() -> tuple[Executable | Driver, bool]:
        return _compile(program, device, source, donated, regions), True

    # What is interrupted goes on and is remembered: so the cache is asked by the one who compiles, wherever that is.
    return compile_apart(program.name, lambda: _executables.get(key, compile_now))


class Plan(NamedTuple):
    """How a program is compiled: what became of it, and its regions, if it is cut."""

    program: Program
    cut: Cut | None


@lru_cache(maxsize=8)  # what is looked at is often compiled next
def plan_program(program: Program, donated: tuple[int, ...], regions: str) -> Plan:
    """How `compile_program` compiles a program with these options."""
    simple = optimize(program)
    with collection_paused():
        return Plan(simple, cut_by(regions, simple, donated))


def find_compiled(
    program: Program, device: Device, donated: tuple[int, ...], regions: str
) -> Executable | Driver | None:
    """What `compile_program` would give, if it is remembered."""
    return _executables.find((program, device, donated, regions))


def _compile(
    program: Program, device: Device, source: Source | None, donated: tuple[int, ...], regions: str
) -> Executable | Driver:
    simple, cut = plan_program(program, donated, regions)
    if cut is None:
        return _compile_whole(simple, device, source, donated)
    steps = [partial(_compile_region, region, device, source) for region in cut.regions]
    return Driver(cut, compile_all(program.name, steps), device)


def _compile_region(region: Region, device: Device, source: Source | None) -> Executable:
    def compile_now() -> tuple[Executable, bool]:
        return _compile_whole(region.program, device, source, region.donated), True

    return _executables.get(_region_key(region, device), compile_now)


def _region_key(region: Region, device: Device) -> tuple[Any, ...]:
    return region.program, device, region.donated, "region"


def _compile_whole(program: Program, device: Device, source: Source | None, donated: tuple[int, ...]) -> Executable:
    started = perf_counter()
    executable = executable_of(lower_program(program, device.platform, donated, source), device, source)
    executable.seconds = perf_counter() - started
    return executable


def regions_of(program: Program, device: Device, donated: tuple[int, ...], regions: str) -> RegionTable:
    """How `compile_program` divides a program with these options, and how long that took as far as it is done."""
    simple, cut = plan_program(program, donated, regions)

    def seconds_of(region: Region | None) -> float | None:
        key = (program, device, donated, regions) if region is None else _region_key(region, device)
        executable = _executables.find(key)
        return None if executable is None else executable.seconds

    return region_table(simple, cut, seconds_of)


def compiled_count() -> int:
    """How many executables are remembered."""
    return len(_executables)


def clear() -> None:
    """Forget every compiled program."""
    _executables.clear()
