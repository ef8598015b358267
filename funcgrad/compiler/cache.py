"""Compiled programs in memory, by structure: equal Programs for the same device share one executable."""

from __future__ import annotations

from ..backend.client import Device
from ..backend.executable import Executable, compile_module
from ..core.once import OnceCache
from ..core.program import Program
from ..source import Source
from .lower import lower_program

__all__ = ["clear", "compile_program", "compiled_count"]

_executables = OnceCache(limit=4096)


def compile_program(
    program: Program, device: Device, source: Source | None = None, donated: tuple[int, ...] = ()
) -> Executable:
    """The executable of a program without constants on a device; compiled once while remembered.

    Args:
        program: what to compile.
        device: where it will run.
        source: the user's line, for errors of the engine.
        donated: the inputs, by number, whose buffers it may write its results into.
    """

    def compile_now() -> tuple[Executable, bool]:
        return compile_module(lower_program(program, device.platform, donated), device, source), True

    return _executables.get((program, device, donated), compile_now)


def compiled_count() -> int:
    """How many executables are remembered."""
    return len(_executables)


def clear() -> None:
    """Forget every compiled program."""
    _executables.clear()
