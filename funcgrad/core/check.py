"""Type-checks a Program and quotes the equations around a fault."""

from __future__ import annotations

from ..errors import ProgramError
from .pretty import Names, format_equation
from .primitive import infer
from .program import Atom, Literal, Program, Var

__all__ = ["check_program"]

_CONTEXT = 3


def check_program(program: Program) -> None:
    """Check that variables are assigned once and before use, and that every equation's types are those inferred.

    Raises:
        ProgramError: the first fault, with the equations around it.
    """
    defined: set[Var] = set()
    for v in [*program.inputs, *(v for v, _ in program.constants)]:
        if v in defined:
            raise _fault(program, 0, "an input appears twice")
        defined.add(v)
    for position, eqn in enumerate(program.equations):
        for number, atom in enumerate(eqn.inputs):
            if not _is_bound(atom, defined):
                raise _fault(program, position, f"operand {number} of {eqn.op.name} is used before it is assigned")
        expected = infer(eqn.op, *(a.type for a in eqn.inputs))
        found = tuple(v.type for v in eqn.outputs)
        if expected != found:
            want, got = ", ".join(map(str, expected)), ", ".join(map(str, found))
            raise _fault(program, position, f"{eqn.op.name} gives ({want}), but its outputs are typed ({got})")
        for v in eqn.outputs:
            if v in defined:
                raise _fault(program, position, f"{eqn.op.name} assigns a variable a second time")
            defined.add(v)
    for number, atom in enumerate(program.outputs):
        if not _is_bound(atom, defined):
            raise _fault(program, len(program.equations), f"output {number} is never assigned")


def _is_bound(atom: Atom, defined: set[Var]) -> bool:
    return isinstance(atom, Literal) or atom in defined


def _fault(program: Program, position: int, what: str) -> ProgramError:
    names = Names()
    first = max(0, position - _CONTEXT)
    lines = []
    for number, eqn in enumerate(program.equations[: position + _CONTEXT + 1]):
        text = format_equation(eqn, names, sources=True)
        if number >= first:
            lines.append(f"{'--> ' if number == position else '    '}{text}")
    quoted = "\n".join(lines) or "    (no equations)"
    source = program.equations[position].source if position < len(program.equations) else None
    return ProgramError(f"program {program.name}: {what}\n{quoted}", source)
