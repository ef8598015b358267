"""Program → StableHLO module: each equation asks its operation to write itself, at the user's line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from ..backend.failures import lowering_error
from ..backend.stablehlo import Builder, Module, Value
from ..config import config
from ..core.check import check_program
from ..core.program import Equation, Literal, Program, Var, collection_paused, deep_stack, stage
from ..core.types import ArrayType
from ..errors import FuncgradError
from ..source import Source

__all__ = ["aliases", "inline", "lower_by", "lower_call", "lower_program", "threads_of"]


def lower_program(program: Program, platform: str, donated: Sequence[int] = (), call: Source | None = None) -> Module:
    """The module whose `main` is the program. Its constants must have become inputs (`program.closed()`).

    The buffers of the inputs whose numbers are in `donated` may be overwritten; `call` is the user's line for errors.

    Raises:
        EngineError: the engine refused an operation; the message names the program and quotes the operation's line.
    """
    if config.current.check_programs:
        check_program(program)
    build = Builder(program.name, platform)
    try:
        with collection_paused(), deep_stack:
            _main(build, program, donated)
    except FuncgradError as error:
        if error.source is None:
            error.place_at(build.source)
        raise
    except Exception as error:  # the engine raises several unrelated classes
        raise lowering_error(program, build, call, error) from error
    hidden = [build.errors_type] if "check" in program.effects else []
    if hidden and not build.checks:
        build.checks.append(None)  # those of loops of no steps are never made, but their outcome is a result
    return Module(build, program.in_types, [*program.out_types, *hidden])


def _main(build: Builder, program: Program, donated: Sequence[int]) -> None:
    """The function that the engine calls. Programs with checks return their first error as a last result."""
    keys = threads_of(program)
    hidden = [key for key in keys if key == "errors"]

    def body(*args: Value) -> list[Value]:
        build.start_threads(keys, program.payload)
        return [*inline(build, program, args), *build.threads(hidden)]

    build.payload = program.payload
    given = {place: _donation(output) for place, output in aliases(program, donated).items()}
    out_types = [*program.out_types, *build.thread_types(hidden)]
    build.function("main", program.in_types, out_types, body, public=True, argument_attributes=given)


def aliases(program: Program, donated: Sequence[int]) -> dict[int, int | None]:
    """For each donated input the first output of its shape and dtype that no earlier one takes, or None."""
    free: dict[ArrayType, list[int]] = {}
    for place, type in enumerate(program.out_types):
        free.setdefault(type.strong(), []).append(place)
    found: dict[int, int | None] = {}
    for place in donated:
        fitting = free.get(program.inputs[place].type.strong())
        found[place] = fitting.pop(0) if fitting else None
    return found


def _donation(output: int | None) -> dict[str, str]:
    return {"jax.buffer_donor": "true"} if output is None else {"tf.aliasing_output": f"{output} : i32"}


def threads_of(*programs: Program) -> tuple[str, ...]:
    """What the effects of programs hand on: keys of `Builder.threaded`."""
    effects = frozenset().union(*(program.effects for program in programs))
    return ("token",) * ("ordered" in effects) + ("errors",) * ("check" in effects)


def inline(build: Builder, program: Program, operands: Sequence[Value]) -> list[Value]:
    """Write a program's equations at the insertion point."""
    saved = build.in_types, build.out_types
    try:
        return _inline(build, program, operands)
    finally:
        build.in_types, build.out_types = saved


def _inline(build: Builder, program: Program, operands: Sequence[Value]) -> list[Value]:
    # Hot: one pass over all equations.
    environment: dict[Var, Value] = dict(zip(program.inputs, operands, strict=True))
    outer = build.source
    literals: dict[Literal, Value] = {}
    point = build.point

    def read(atom: Any) -> Value:
        if type(atom) is Var:
            return environment[atom]
        value = literals.get(atom) if build.point is point else None
        if value is None:
            value = literals[atom] = build.constant(atom.value, atom.type)
        return value

    for eqn in program.equations:
        op = eqn.op
        build.at(eqn.source or outer, op.name)
        operands = []
        types = []
        for atom in eqn.inputs:
            operands.append(environment[atom] if type(atom) is Var else read(atom))
            types.append(atom.type)
        build.in_types = tuple(types)
        outputs = eqn.outputs
        if len(outputs) == 1:
            build.out_types = (outputs[0].type,)
            (environment[outputs[0]],) = op.lower(build, *operands)
        else:
            build.out_types = tuple([v.type for v in outputs])
            environment.update(zip(outputs, op.lower(build, *operands), strict=True))
    return [read(a) for a in program.outputs]


def lower_call(build: Builder, program: Program, operands: Sequence[Value]) -> tuple[Value, ...]:
    """Call a program as a function of the module; equal programs become one function."""
    keys = threads_of(program)
    hidden = build.thread_types(keys)
    name = build.functions.get(program)
    if name is None:
        name = build.functions[program] = f"{_symbol(program.name)}_{len(build.functions)}"
        body = build.with_threads(keys, lambda *args: inline(build, program, args))
        build.function(name, [*program.in_types, *hidden], [*program.out_types, *hidden], body)
    results = build.call(name, [*operands, *build.threads(keys)], [*program.out_types, *hidden])
    return build.take_threads(keys, results)


def lower_by(function: Callable[..., Any]) -> Callable[..., tuple[Value, ...]]:
    """A `lower` rule made from a function of arrays: the operation is lowered as the composition of others."""

    @lru_cache(maxsize=256)
    def program_for(op: Any, types: tuple[ArrayType, ...]) -> Program:
        def composed(*args: Any) -> Sequence[Any]:
            results = function(op, *args)
            return results if isinstance(results, tuple) else (results,)

        program = stage(composed, types, op.name)
        equations = [Equation(eqn.op, eqn.inputs, eqn.outputs, None) for eqn in program.equations]  # at no user's line
        return Program(program.inputs, program.constants, equations, program.outputs, program.name)

    def lower(self: Any, build: Builder, *operands: Value) -> tuple[Value, ...]:
        return tuple(inline(build, program_for(self, tuple(t.strong() for t in build.in_types)), operands))

    return lower


def _symbol(name: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name) or "program"
