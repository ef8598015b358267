"""Simplifies a Program before it is compiled: calls written out, then rewritten until nothing gets simpler.

Each operation says what is simpler than itself (`Primitive.simplified`). One round is a pass backward, which drops
what nobody needs, and a pass forward, which shares equal expressions and asks each operation; time and memory are
linear in the number of equations. Results stay the same, bit for bit but for what NaN carry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from ..core.graph import rewritten
from ..core.program import Atom, Equation, Program, Var, collection_paused, deep_stack
from .simplify import eliminate_dead_code

__all__ = ["optimize", "optimize_inner", "write_out"]

_LARGEST = 1 << 19  # equations above which calls stay calls: calls of calls can multiply without end
_ROUNDS = 20  # programs need three or four; each round leaves fewer equations, or moves some of them down


def optimize(program: Program) -> Program:
    """The program, simplified as far as it goes; inputs and outputs keep their number, order and types.

    Equations keep the user's lines that they came from, and effects their order.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> from funcgrad.compiler.optimize import optimize
        >>> print(optimize(fg.make_program(lambda x: -(-x * 1.0).T.T)(fnp.ones((2, 3)))))
        { lambda a:f32[2,3] . let
          in (a) }
    """
    with collection_paused(), deep_stack:
        graph = None
        for _ in range(_ROUNDS):
            smaller, graph = rewritten(eliminate_dead_code(write_out(program)), graph)
            if smaller is program:
                break
            program = smaller
    return program


@lru_cache(maxsize=1024)
def optimize_inner(program: Program) -> Program:
    """`optimize` for the programs that operations carry, remembered."""
    return optimize(program)


# -- writing out -------------------------------------------------------------------------------------------------------


class _Call:
    """A program being written out: its remaining equations, what its variables became, and for which equation."""

    __slots__ = ("caller", "equations", "program", "renamed")

    def __init__(self, program: Program, given: Sequence[Atom], caller: Equation | None) -> None:
        self.program = program
        self.equations: Iterator[Equation] = iter(program.equations)
        self.renamed: dict[Atom, Atom] = dict(zip(program.inputs, given, strict=True))
        self.caller = caller

    def read(self, atoms: Sequence[Atom]) -> list[Atom]:
        renamed = self.renamed
        return [renamed.get(a, a) if type(a) is Var else a for a in atoms]


def write_out(program: Program) -> Program:
    """The program with the equations of the programs that it calls in place of the calls, at any depth."""
    if all(eqn.op.written_out(eqn.inputs) is None for eqn in program.equations):
        return program
    written: list[Equation] = []
    outermost = _Call(program, program.inputs, None)
    stack = [outermost]
    while stack:
        call = stack[-1]
        eqn = next(call.equations, None)
        if eqn is None:
            stack.pop()
            if call.caller is not None:
                results = call.read(call.program.outputs)
                stack[-1].renamed.update(zip(call.caller.outputs, results, strict=True))
            continue
        inputs = call.read(eqn.inputs)
        instead = eqn.op.written_out(inputs) if len(written) < _LARGEST else None
        if instead is not None:
            stack.append(_Call(*instead, eqn))
        elif call is outermost:
            written.append(Equation(eqn.op, inputs, eqn.outputs, eqn.source))
        else:
            outputs = [Var(out.type) for out in eqn.outputs]
            call.renamed.update(zip(eqn.outputs, outputs, strict=True))
            written.append(Equation(eqn.op, inputs, outputs, eqn.source))
    return Program(program.inputs, program.constants, written, outermost.read(program.outputs), program.name)
