"""A tiered start: while a program is compiled in the background, the NumPy rules do its work, with the same effects

What the two ways of running a program must have in common, beyond their values: a check that fails stops nothing, and
is an error when a result is read; a callback runs as one of a compiled program, with copies of its operands, in the
caller's settings, alone. So the operations that behave differently when they run eagerly ask `interpretation()`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextvars import ContextVar, copy_context
from typing import Any

import numpy as np

from ..backend.array import Array, put
from ..backend.client import Device
from ..backend.executable import Executable
from ..backend.failures import read
from ..backend.host_calls import Run, called_by_engine, only_run
from ..backend.pending import Pending, pending_of
from ..config import config
from ..core.once import OnceCache
from ..core.program import Program, run_program
from ..core.trace import bottom, run_under
from ..source import Source
from .blas import one_thread
from .cache import compile_program, find_compiled
from .compiling import Compilation
from .driver import Driver
from .simplify import eliminate_dead_code

__all__ = ["Interpretation", "Tiered", "clear", "interpretation", "prepare_program"]

_GRACE = 0.1  # seconds: what is on disk, or quick to compile, is not worth a detour

_started = OnceCache(limit=256)  # so that equal programs wait for one compile, and are not taken apart twice
_current: ContextVar[Interpretation | None] = ContextVar("funcgrad_interpretation", default=None)


def clear() -> None:
    """Forget the programs that are under way."""
    _started.clear()


def interpretation() -> Interpretation | None:
    """The run of a program in place of its compiled form to which the present operation belongs; else None."""
    return _current.get()


class Interpretation:
    """One run of a program by the NumPy rules, in place of its compiled form.

    Attributes:
        failure: the error of the first check that failed, made when it is raised; None if all held.
    """

    def __init__(self, program: Program, device: Device) -> None:
        self.failure: Callable[[], Exception] | None = None
        self._program = program
        self._device = device
        self._context = copy_context()
        self._stack = contextlib.ExitStack()
        self._run: Run | None = None

    def run(self, operands: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The results for these operands."""
        with self._stack:
            try:
                results = self._interpret([Array(operand) for operand in operands])
            except Exception:
                if self._run is None or self._run.error is None:
                    raise
            else:
                return [result.host() for result in results]
        run, self._run = self._run, None
        assert run is not None
        assert run.error is not None
        try:
            raise run.error  # outside of any `except`, which would become its context
        finally:
            del run  # else the exception and this frame would keep each other alive

    def _interpret(self, arrays: list[Array]) -> list[Array]:
        outer = _current.set(self)
        try:
            with one_thread, config(check_nans=False, default_device=str(self._device)):  # NaN: checked by the program
                return run_under(bottom(), run_program, self._program, arrays)
        finally:
            _current.reset(outer)

    def note(self, failure: Callable[[], Exception]) -> None:
        """A check has failed."""
        self.failure = self.failure or failure

    def call_python(self, function: Callable[..., Any], operands: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Run a callback as it would run in the compiled program; what it raises ends this run."""
        if self._run is None:
            self._run = self._stack.enter_context(only_run(self._program.name))
            self._run.context = self._context  # the caller's settings, and no interpretation
        return called_by_engine(function)(*operands)


class _Outcome:
    """The vector of the checks of an interpreted run: whether the first and only one failed."""

    def __init__(self, failed: bool) -> None:
        self._words = np.array([failed], np.uint32)

    def is_ready(self) -> bool:
        return True

    def block_until_ready(self) -> None:
        pass

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._words


class _Noted:
    """A check that failed in an interpreted run."""

    def __init__(self, failure: Callable[[], Exception] | None) -> None:
        self._failure = failure

    def error(self, words: np.ndarray) -> Exception:
        assert self._failure is not None
        return self._failure()


class Tiered:
    """A program on a host device with the interface of `Executable`: interpreted until it is compiled.

    Args:
        program: without constants.
        device: where it runs.
        compile: makes the executable.

    Attributes:
        checks: not empty if the program has checks.
        successors: functions that are given the executable when it takes over.
    """

    def __init__(self, program: Program, device: Device, compile: Callable[[], Executable | Driver]) -> None:
        self.name = program.name
        self.in_types = program.in_types
        self.out_types = tuple([t.strong() for t in program.out_types])
        self.checks = (_Noted(None),) if "check" in program.effects else ()
        self.device = device
        self.successors: list[Callable[[Executable | Driver], None]] = []
        self._program = eliminate_dead_code(program)
        self._compile = compile
        self._compilation: Compilation[Executable | Driver] | None = None

    def begin(self) -> Executable | Driver | None:
        """Begin to compile; the executable if that is a matter of a moment."""
        compilation = self._compilation = Compilation(self.name, self._compile, background=True)
        if not compilation.begun:  # no threads any more
            return self._compile()
        return self.compiled() if compilation.wait(_GRACE) else None

    def compiled(self) -> Executable | Driver | None:
        """The executable if it is there.

        Raises:
            EngineError, …: the compilation failed. The next call begins another one.
        """
        compilation = self._compilation
        if compilation is None:
            return self.begin()
        if not compilation.done():
            return None
        try:
            executable = compilation.result()
        except CancelledError:  # the interpreter is about to end
            return None
        except BaseException:
            self._compilation = None
            raise
        successors, self.successors = self.successors, []
        for succeed in successors:
            succeed(executable)
        return executable

    def __call__(self, buffers: list[Any]) -> list[Any]:
        """Run a program without checks."""
        return self.run(buffers, ())[0]

    def run(self, buffers: list[Any], parents: tuple[Pending, ...]) -> tuple[list[Any], Pending | None]:
        """Run, and say what the results have to ask: the program's checks, and `parents`."""
        executable = self.compiled()
        if executable is not None:
            return executable.run(buffers, parents)
        run = Interpretation(self._program, self.device)
        results = run.run([read(buffer, self._described) for buffer in buffers])
        outs = [put(x, t, self.device) for x, t in zip(results, self.out_types, strict=True)]
        if not self.checks:
            return outs, pending_of((), outs, parents)
        outs.append(_Outcome(run.failure is not None))
        return outs, pending_of((_Noted(run.failure),), outs, parents)

    def _described(self) -> str:
        return f"an argument of program {self.name}"


def prepare_program(
    program: Program,
    device: Device,
    source: Source | None = None,
    donated: tuple[int, ...] = (),
    regions: str = "off",
    tiered: bool | None = None,
) -> Executable | Driver | Tiered:
    """As `compile_program`, but with a tiered start if that is wanted, and the device is a host.

    Args:
        program, device, source, donated, regions: as there.
        tiered: whether it is wanted; None: as `config.tiered` says.
    """
    if not (config.tiered if tiered is None else tiered) or not device.is_host:
        return compile_program(program, device, source, donated, regions)
    found = find_compiled(program, device, donated, regions)
    if found is not None:
        return found

    def begin() -> tuple[Tiered, bool]:
        started = Tiered(program, device, lambda: compile_program(program, device, source, donated, regions))
        return started, True

    started = _started.get((program, device, donated, regions), begin)
    return started.compiled() or started
