"""Compiled programs in memory, by structure: equal Programs for the same device share one executable."""

from __future__ import annotations

import threading
from collections import OrderedDict

from ..backend.client import Device
from ..backend.executable import Executable, compile_module
from ..core.program import Program
from ..source import Source
from .lower import lower_program

__all__ = ["clear", "compile_program"]

_LIMIT = 4096
_executables: OrderedDict[tuple[Program, Device], Executable] = OrderedDict()
_lock = threading.Lock()


def compile_program(program: Program, device: Device, source: Source | None = None) -> Executable:
    """The executable of a program without constants on a device; compiled at most once while remembered."""
    key = (program, device)
    with _lock:
        found = _executables.get(key)
        if found is not None:
            _executables.move_to_end(key)
            return found
    made = compile_module(lower_program(program, device.platform), device, source)
    with _lock:
        _executables[key] = made
        if len(_executables) > _LIMIT:
            _executables.popitem(last=False)
    return made


def clear() -> None:
    """Forget every compiled program."""
    with _lock:
        _executables.clear()
