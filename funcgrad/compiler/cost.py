"""What programs cost to compile, to run and to be started: estimates, so that they are the same in every process.

The numbers were measured on CPUs. They are not measured anew at each start: a program that was cut otherwise each time
would never find its regions in the cache on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..core.primitive import Primitive
from ..core.program import Equation, Program

__all__ = ["CALLS", "COMPILE", "equation_count", "time_to_run", "time_to_start"]

CALLS = 1000  # how often a program is expected to be called
COMPILE = 2500.0  # µs for an equation
_START = (7.0, 0.3, 3.0)  # µs for a run of an executable, and for each of its inputs and outputs
_PER_MICROSECOND = 4000.0  # elements


def equation_count(op: Primitive) -> float:
    """How many equations there are to compile: the operation, and what the programs that it carries are made of."""
    return 1.0 + sum(sum(equation_count(eqn.op) for eqn in program.equations) for program in _programs(op))


def time_to_run(equations: Sequence[Equation]) -> float:
    """About how many µs equations take that are compiled together."""
    return _elements(equations) / _PER_MICROSECOND


def time_to_start(inputs: int, outputs: int) -> float:
    """How many µs a run of an executable takes, besides what it computes."""
    run, taken, given = _START
    return run + taken * inputs + given * outputs


def _elements(equations: Sequence[Equation]) -> float:
    total = 0.0
    for eqn in equations:
        inner = sum(_elements(program.equations) for program in _programs(eqn.op))
        total += inner * eqn.op.repetitions or eqn.op.work([a.type for a in eqn.inputs], [v.type for v in eqn.outputs])
    return total


def _programs(op: Primitive) -> Iterator[Program]:
    for value in op._field_values():
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, Program):
                yield inner
