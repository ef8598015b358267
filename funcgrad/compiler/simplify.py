"""Makes a traced Program smaller, quickly: known and dead code and common subexpressions go.

`optimize` does the rest, once, before a program is compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.graph import expression
from ..core.program import Atom, Equation, Program, Var
from .folding import fold_constants

__all__ = ["eliminate_common_subexpressions", "eliminate_dead_code", "results_only", "simplify"]


def simplify(program: Program) -> Program:
    """The program without repeated, known and unused work. Equations with effects are kept, in order."""
    if program.constants:
        program = fold_constants(program)
    return eliminate_dead_code(eliminate_common_subexpressions(program))


def eliminate_dead_code(program: Program) -> Program:
    """Drop equations and constants on which no output depends, also inside of operations that carry programs."""
    needed: set[Atom] = set(program.outputs)
    kept: list[Equation] = []
    changed = False
    for eqn in reversed(program.equations):
        if not needed.isdisjoint(eqn.outputs) or eqn.op.effectful:
            if eqn.op.multiple:
                smaller = _without_unused(eqn, needed)
                changed = changed or smaller is not eqn
                eqn = smaller
            kept.append(eqn)
            needed.update(eqn.inputs)
    constants = [pair for pair in program.constants if pair[0] in needed]
    if not changed and len(kept) == len(program.equations) and len(constants) == len(program.constants):
        return program
    return Program(program.inputs, constants, kept[::-1], program.outputs, program.name)


def _without_unused(eqn: Equation, needed: set[Atom]) -> Equation:
    smaller = eqn.op.without(tuple([out not in needed for out in eqn.outputs]))
    if smaller is None:
        return eqn
    op, operands, results = smaller
    return Equation(op, [eqn.inputs[i] for i in operands], [eqn.outputs[i] for i in results], eqn.source)


def results_only(program: Program, results: Sequence[int]) -> tuple[Program, list[int]]:
    """A program without constants that gives only some of the results, and which of its inputs these depend on.

    It still takes all inputs; it is the same object if nothing can go.
    """
    if len(results) != len(program.outputs):
        outputs = [program.outputs[i] for i in results]
        program = Program(program.inputs, (), program.equations, outputs, program.name)
    program = eliminate_dead_code(program)
    used = {atom for eqn in program.equations for atom in eqn.inputs} | set(program.outputs)
    return program, [i for i, var in enumerate(program.inputs) if var in used]


def eliminate_common_subexpressions(program: Program) -> Program:
    """Compute equal operations on equal operands once."""
    seen: dict[tuple[Any, ...], Equation] = {}
    renamed: dict[Var, Var] = {}
    equations: list[Equation] = []
    for eqn in program.equations:
        inputs = [renamed.get(a, a) if type(a) is Var else a for a in eqn.inputs] if renamed else eqn.inputs
        if eqn.op.effectful:
            equations.append(Equation(eqn.op, inputs, eqn.outputs, eqn.source))
            continue
        key = expression(eqn.op, inputs)
        earlier = seen.get(key)
        if earlier is None:
            kept = eqn if inputs is eqn.inputs else Equation(eqn.op, inputs, eqn.outputs, eqn.source)
            seen[key] = kept
            equations.append(kept)
        else:
            renamed.update(zip(eqn.outputs, earlier.outputs, strict=True))
    if not renamed:
        return program
    outputs: list[Atom] = [renamed.get(a, a) if type(a) is Var else a for a in program.outputs]
    return Program(program.inputs, program.constants, equations, outputs, program.name)
