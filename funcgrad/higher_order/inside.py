"""What is simpler than an operation that carries Programs: what is known goes inside, what never changes comes out.

Each function here is a `simplified` or a `written_out` rule. The programs inside are optimized too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeGuard

from ..compiler.optimize import optimize_inner
from ..core.graph import Graph, filled
from ..core.program import Atom, Equation, Literal, Program, Var
from ..core.types import ArrayType
from ..ops.structure import Convert

if TYPE_CHECKING:
    from .cond import Cond
    from .scan import Scan
    from .while_loop import While

__all__ = ["applied", "simpler_call", "simpler_cond", "simpler_scan", "simpler_while"]


def applied(program: Program, inputs: Sequence[Atom]) -> tuple[Program, Sequence[Atom]] | None:
    """A program that may be written out for these operands, and the operands; None if their types differ."""
    pairs = list(zip(inputs, program.in_types, strict=True))
    if any(a.type.strong() is not t.strong() or (type(a) is Var and a.type is not t) for a, t in pairs):
        return None
    return _with_strong_results(program), [_retyped(a, t) for a, t in pairs]


def _retyped(atom: Atom, type: ArrayType) -> Atom:
    """A literal with another type that differs in being weak; variables have the type already."""
    return filled(atom.value, type) if isinstance(atom, Literal) and atom.type is not type else atom


@lru_cache(maxsize=1024)
def _with_strong_results(program: Program) -> Program:
    if not any(t.weak for t in program.out_types):
        return program
    equations, outputs = list(program.equations), []
    for atom in program.outputs:
        out: Atom = _retyped(atom, atom.type.strong())
        if out.type.weak:
            out = Var(atom.type.strong())
            equations.append(Equation(Convert(atom.type.dtype), (atom,), (out,), None))
        outputs.append(out)
    return Program(program.inputs, program.constants, equations, outputs, program.name)


class _Operands:
    """Operands that go inside (literals) or are there already (equal ones), for programs that all take them.

    Attributes:
        kept: numbers of the others.
    """

    def __init__(self, operands: Sequence[Atom], types: Sequence[ArrayType]) -> None:
        self.kept: list[int] = []
        self._instead: dict[int, Literal | int] = {}
        seen: dict[Atom, int] = {}
        for i, (a, t) in enumerate(zip(operands, types, strict=True)):
            if isinstance(a, Literal):
                self._instead[i] = filled(a.value, t)
            elif a in seen:
                self._instead[i] = seen[a]
            else:
                seen[a] = i
                self.kept.append(i)

    def values(self, variables: Sequence[Var]) -> dict[Atom, Atom]:
        """What stands in a program for the variables of the operands that are not kept."""
        return {variables[i]: variables[v] if isinstance(v, int) else v for i, v in self._instead.items()}


def _substituted(
    program: Program, values: Mapping[Atom, Atom], inputs: Sequence[Var], outputs: Sequence[Atom]
) -> Program:
    """The program with other values for some of its variables, and with these inputs and outputs."""
    equations: Sequence[Equation] = program.equations
    if values:
        equations = [
            Equation(eqn.op, [values.get(a, a) if type(a) is Var else a for a in eqn.inputs], eqn.outputs, eqn.source)
            for eqn in equations
        ]
    return Program(inputs, (), equations, [values.get(a, a) for a in outputs], program.name)


# -- calls and branches ------------------------------------------------------------------------------------------------


def simpler_call(op: Any, graph: Graph, inputs: Sequence[Atom]) -> Sequence[Atom] | None:
    """The rule of operations that run one program."""
    program = optimize_inner(op.program)
    operands = _Operands(inputs, program.in_types)
    if len(operands.kept) == len(inputs):
        return None if program == op.program else graph.emit_all(op.of(program), *inputs)
    kept = [program.inputs[i] for i in operands.kept]
    program = _substituted(program, operands.values(program.inputs), kept, program.outputs)
    return graph.emit_all(op.of(program), *[inputs[i] for i in operands.kept])


def simpler_cond(op: Cond, graph: Graph, inputs: Sequence[Atom]) -> Sequence[Atom] | None:
    """The rule of `Cond`: results that all branches hand through, or agree on, need no branch."""
    index, *given = inputs
    branches = tuple(map(optimize_inner, op.branches))
    operands = _Operands(given, branches[0].in_types)
    results = [_agreed(branches, given, i) for i in range(len(branches[0].outputs))]
    asked = [i for i, found in enumerate(results) if found is None]
    if branches == op.branches and len(operands.kept) == len(given) and len(asked) == len(results):
        return None
    smaller = tuple(
        _substituted(
            branch,
            operands.values(branch.inputs),
            [branch.inputs[i] for i in operands.kept],
            [branch.outputs[i] for i in asked],
        )
        for branch in branches
    )
    outs = iter(graph.emit_all(type(op)(smaller), index, *[given[i] for i in operands.kept]))
    return [next(outs) if found is None else found for found in results]


def _agreed(branches: Sequence[Program], given: Sequence[Atom], number: int) -> Atom | None:
    """A result that is the same operand or literal whatever branch runs."""
    found = branches[0].outputs[number]
    type = found.type.strong()
    if isinstance(found, Literal):
        same = all(branch.outputs[number] == found for branch in branches)
        return filled(found.value, type) if same else None
    places = {_place(branch.inputs, branch.outputs[number]) for branch in branches}
    place = places.pop()
    if places or place is None:
        return None
    operand = _retyped(given[place], type)
    return operand if operand.type is type else None


def _place(variables: Sequence[Var], atom: Atom) -> int | None:
    return next((i for i, var in enumerate(variables) if var is atom), None)


# -- loops -------------------------------------------------------------------------------------------------------------


def _is_literal(x: Atom) -> TypeGuard[Literal]:
    return type(x) is Literal


def _unchanging(program: Program, first: int, init: Sequence[Atom]) -> list[int]:
    """The carries that every step hands on as they are; their inputs are those from number `first`."""
    return [
        i
        for i, x in enumerate(init)
        if program.outputs[i] is program.inputs[first + i] and x.type is program.outputs[i].type.strong()
    ]


def simpler_scan(op: Scan, graph: Graph, inputs: Sequence[Atom]) -> Sequence[Atom] | None:
    """The rule of `Scan`: what never changes is no carry, what is the same in each step is not stacked."""
    body = optimize_inner(op.body)
    count, consts, init, xs = op.parts(inputs)
    end = op.consts + op.carry
    fixed = _unchanging(body, op.consts, init)
    moving = [i for i in range(op.carry) if i not in fixed]
    order = [*range(op.consts), *(op.consts + i for i in fixed)]  # the inputs that are the same in every step
    same = [*consts, *[init[i] for i in fixed]]
    operands = _Operands(same, [body.inputs[i].type for i in order])
    values = operands.values([body.inputs[i] for i in order])
    values.update((v, filled(x.value, v.type)) for v, x in zip(body.inputs[end:], xs, strict=True) if _is_literal(x))
    sliced = [i for i, x in enumerate(xs) if not _is_literal(x)]
    stacked = {} if op.counted else _known_stacks(op, body, values, xs)
    asked = [i for i in range(op.carry, len(body.outputs)) if i not in stacked]
    if body == op.body and not fixed and not values and not stacked:
        return None
    kept = [order[i] for i in operands.kept]
    places = [*kept, *(op.consts + i for i in moving), *(end + i for i in sliced)]
    outputs = [body.outputs[i] for i in (*moving, *asked)]
    smaller = op.like(_substituted(body, values, [body.inputs[i] for i in places], outputs), len(kept), len(moving))
    given = [*[same[i] for i in operands.kept], *[init[i] for i in moving], *[xs[i] for i in sliced]]
    outs = iter(graph.emit_all(smaller, *count, *given))
    results: dict[int, Atom] = {i: next(outs) for i in (*moving, *asked)}
    return [{**results, **stacked, **{i: init[i] for i in fixed}}[i] for i in range(len(body.outputs))]


def _known_stacks(op: Scan, body: Program, known: Mapping[Atom, Atom], xs: Sequence[Atom]) -> dict[int, Atom]:
    """The stacked results, by number, whose elements are all the same known number, or those of a sliced operand."""
    found: dict[int, Atom] = {}
    slices = dict(zip(body.inputs[op.consts + op.carry :], xs, strict=True))
    for i, atom in enumerate(body.outputs[op.carry :], op.carry):
        value = known.get(atom, atom)
        if isinstance(value, Literal):
            found[i] = filled(value.value, atom.type.update(shape=(op.length, *atom.type.shape)))
        elif value in slices and not slices[value].type.weak:
            found[i] = slices[value]
    return found


def simpler_while(op: While, graph: Graph, inputs: Sequence[Atom]) -> Sequence[Atom] | None:
    """The rule of `While`: what never changes is no carry."""
    cond, body = optimize_inner(op.cond), optimize_inner(op.body)
    parts = op.parts(inputs)
    fixed = _unchanging(body, op.body_consts, parts.carry)
    moving = [i for i in range(len(parts.carry)) if i not in fixed]
    programs, given = [], []
    for program, count, consts in (
        (cond, op.cond_consts, parts.cond_consts),
        (body, op.body_consts, parts.body_consts),
    ):
        order = [*range(count), *(count + i for i in fixed)]
        same = [*consts, *[parts.carry[i] for i in fixed]]
        operands = _Operands(same, [program.inputs[i].type for i in order])
        values = operands.values([program.inputs[i] for i in order])
        kept = [order[i] for i in operands.kept]
        outputs = program.outputs if program is cond else [program.outputs[i] for i in moving]
        places = [*kept, *(count + i for i in moving)]
        programs.append(_substituted(program, values, [program.inputs[i] for i in places], outputs))
        given.append([[*consts, *parts.carry][i] for i in kept])
    if cond == op.cond and body == op.body and not fixed and sum(map(len, given)) == op.cond_consts + op.body_consts:
        return None
    smaller = op.made_of(*programs, *map(len, given))
    outs = graph.emit_all(smaller, *given[0], *given[1], *[parts.carry[i] for i in moving])
    results = {**dict(zip(moving, outs, strict=True)), **{i: parts.carry[i] for i in fixed}}
    return [results[i] for i in range(len(parts.carry))]
