"""Rules inside programs: staged, with the arrays that they mention written in where nothing else can hold them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..compiler.simplify import simplify
from ..core.primitive import Primitive, not_batchable, not_differentiable, not_linear
from ..core.program import Equation, Program, run_program, stage
from ..core.trace import Trace, Tracer, state
from ..core.types import ArrayType
from .closures import Same
from .custom_rules import around, is_array

__all__ = ["Embedded", "run_rule", "stage_rule"]


class Embedded(Primitive):
    """An array written into a program, where a rule mentions one while a program is transformed."""

    remembered = False

    held: Same

    def infer(self) -> tuple[ArrayType, ...]:
        return (self.held.value.type.strong(),)

    def evaluate(self) -> tuple[np.ndarray, ...]:
        return (self.held.value.host(),)

    def lower(self, build: Any) -> tuple[Any, ...]:
        return (_dense(build, np.ascontiguousarray(self.held.value.host())),)

    jvp = not_differentiable
    transpose = not_linear
    batch = not_batchable


def _dense(build: Any, value: np.ndarray) -> Any:
    type = ArrayType(value.shape, value.dtype)
    if value.dtype.kind == "c":
        return build.op("complex", (_dense(build, np.real(value)), _dense(build, np.imag(value))), type)
    if value.dtype.kind in "iub":
        integers = np.ascontiguousarray(value).astype(np.int8) if value.dtype == np.bool_ else value
        return build.convert(build.array_constant(integers), ArrayType(value.shape, integers.dtype), value.dtype)
    bits = np.ascontiguousarray(value).view(f"i{value.dtype.itemsize}")
    return build.op("bitcast_convert", (build.array_constant(bits),), type)


def _transforming() -> bool:
    """Whether a program is being made of a program, which has to be closed, rather than of a user's function."""
    trace: Trace | None = state.trace
    while trace is not None and not trace.stages:
        trace = trace.parent
    return trace is not None and isinstance(trace.purpose, str)


class _Label:
    """Stands for the function that is traced, in messages."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self) -> None:
        """Never called."""


def stage_rule(
    function: Callable[..., Sequence[Any]], types: Sequence[ArrayType], name: str, embed: bool = False
) -> tuple[Program, list[Any]]:
    """A rule as a program without constants, and what to give for its leading inputs.

    With `embed`, or where a program is transformed, arrays are written into it, so that only tracers are left to give.
    """
    transforming = embed or _transforming()
    program = simplify(stage(function, types, name if transforming else ("the rule", _Label(name))))
    if transforming:
        arrays = [(v, value) for v, value in program.constants if not isinstance(value, Tracer)]
        tracers = [(v, value) for v, value in program.constants if isinstance(value, Tracer)]
        written = [Equation(Embedded(Same(value)), (), (v,), None) for v, value in arrays]
        program = Program(program.inputs, tracers, [*written, *program.equations], program.outputs, name)
    closed, constants = program.closed()
    closed.name = name
    return closed, constants


def run_rule(function: Callable[..., Sequence[Any]], values: Sequence[Any], name: str) -> list[Any]:
    """Run a flat rule under the current trace; while a program is transformed, so that no constant is left in it.

    Its arguments and results may be `Zero`, `LinearInput` or None.
    """
    if not _transforming():
        return list(function(*values))

    def run(flat: Callable[..., list[Any]], arrays: list[Any]) -> list[Any]:
        program, constants = stage_rule(flat, [x.type for x in arrays], name)
        return run_program(program, [*constants, *arrays])

    passing = [is_array(x) and (isinstance(x, Tracer) or x.splat() is None) for x in values]
    return around(run, function, values, passing)
