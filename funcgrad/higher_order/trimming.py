"""Programs cut down to what is wanted of them: some results, some inputs, no effects."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ..compiler.simplify import eliminate_dead_code
from ..core.program import Equation, Literal, Program, Var

__all__ = ["dependencies", "producer", "restricted", "same_in_every_step", "silent", "silent_equation", "with_results"]


def dependencies(program: Program, outputs: Sequence[int]) -> set[int]:
    """Numbers of the inputs on which the results with these numbers and all effects depend."""
    needed = {program.outputs[i] for i in outputs}
    for eqn in reversed(program.equations):
        if not needed.isdisjoint(eqn.outputs) or eqn.op.effectful:
            needed.update(eqn.inputs)
    return {i for i, var in enumerate(program.inputs) if var in needed}


def restricted(program: Program, outputs: Sequence[int], inputs: Sequence[int] | None = None) -> Program:
    """The program with only these results, and only these inputs (all by default); no other input may be needed."""
    kept = program.inputs if inputs is None else [program.inputs[i] for i in inputs]
    wanted = [program.outputs[i] for i in outputs]
    return eliminate_dead_code(Program(kept, program.constants, program.equations, wanted, program.name))


def with_results(program: Program, results: Sequence[Var | Literal]) -> Program:
    """The program with other values that it computes as its results."""
    return eliminate_dead_code(Program(program.inputs, program.constants, program.equations, results, program.name))


def same_in_every_step(program: Program, inputs: Sequence[int]) -> set[Var]:
    """The variables that depend on these inputs only, and whose computation has no effects."""
    same = {program.inputs[i] for i in inputs}
    for eqn in program.equations:
        if not eqn.op.effects and all(type(atom) is Literal or atom in same for atom in eqn.inputs):
            same.update(eqn.outputs)
    return same


def producer(program: Program, atom: Var | Literal) -> Equation | None:
    """The equation that assigns a variable; None for inputs and literals."""
    return next((eqn for eqn in program.equations if atom in eqn.outputs), None)


@lru_cache(maxsize=1024)
def silent(program: Program) -> Program:
    """The program for a second computation of the same: effects happen only where a result needs them."""
    if program.effects <= {"loop"}:
        return program
    needed = set(program.outputs)
    kept = []
    for eqn in reversed(program.equations):
        if not needed.isdisjoint(eqn.outputs):
            needed.update(eqn.inputs)
            kept.append(silent_equation(eqn))
    return Program(program.inputs, program.constants, kept[::-1], program.outputs, program.name)


def silent_equation(eqn: Equation) -> Equation:
    """The equation for a second computation of the same; the effects of an operation without programs stay."""
    op = eqn.op
    if not op.effectful:
        return eqn
    return Equation(type(op)(*map(_silent_field, op._field_values())), eqn.inputs, eqn.outputs, eqn.source)


def _silent_field(field: Any) -> Any:
    if isinstance(field, Program):
        return silent(field)
    if type(field) is tuple:
        return tuple(map(_silent_field, field))
    return field
