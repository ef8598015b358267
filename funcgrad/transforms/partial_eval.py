"""Partial evaluation: do now what depends on known values only, record the rest on a tape.

Differentiation in reverse is forward mode with *unknown* tangents: primal work runs at once, and what remains on the
tape is a linear program in the tangents, whose other operands are known values (the residuals).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from ..core.primitive import Primitive, infer
from ..core.program import (
    Equation,
    Literal,
    Program,
    StagedTracer,
    StageTrace,
    Var,
    concretization_error,
    run_program,
)
from ..core.trace import Purpose, Trace, Tracer, run_under, state
from ..core.types import ArrayType, Zero
from ..ops.structure import instantiate, zeros_of

__all__ = ["PartialEvalTrace", "Tape", "Unknown", "replay", "split_program"]

Entry = tuple[Primitive, Sequence[Any], Sequence[Any], tuple[Any, Sequence[Any]] | None]
Tape = list[Entry]


class Unknown(Tracer):
    """A value that is not known yet; it is its own variable on the tape.

    Attributes:
        like: its type, or a value that has its type.
    """

    __slots__ = ("like",)

    def __init__(self, trace: Trace, like: Any) -> None:
        self.made_by = trace
        self.like = like

    @property
    def type(self) -> ArrayType:
        like = self.like
        return like if type(like) is ArrayType else like.type.strong()

    def decide(self) -> bool:
        raise concretization_error(self, "bool(x)")


class PartialEvalTrace(Trace):
    """Passes operations on known values to its parent and records the others.

    Attributes:
        tape: (operation, arguments, results, None) in execution order; arguments are this trace's `Unknown`s or
            known values. Or (operation, tangents, results, (output, primals)): the derivative of a `direct`
            operation at a point, with None for tangents that are zero.
    """

    __slots__ = ("tape",)

    def __init__(self, parent: Trace, purpose: Purpose) -> None:
        super().__init__(parent, purpose)
        self.tape: Tape = []

    def process(self, op: Primitive, args: tuple[Any, ...]) -> tuple[Any, ...]:
        # Hot: eager differentiation passes here.
        for arg in args:
            if type(arg) is Unknown and arg.made_by is self:
                return op.partial_eval(self, args)
        parent = self.parent
        state.trace = parent  # type: ignore[assignment]
        try:
            return parent.process(op, args)  # type: ignore[union-attr]
        finally:
            state.trace = self

    def record(self, op: Primitive, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Put the operation on the tape; its results are unknown."""
        outs = tuple([Unknown(self, t) for t in infer(op, *[arg.type for arg in args])])
        self.tape.append((op, args, outs, None))
        return outs

    def owns(self, value: Any) -> bool:
        return type(value) is Unknown and value.made_by is self


def replay(tape: Tape, inputs: Sequence[Unknown], values: Sequence[Any], outputs: Sequence[Any]) -> list[Any]:
    """Run a tape forward under the current trace with `values` for its unknown inputs."""
    environment = {id(unknown): value for unknown, value in zip(inputs, values, strict=True)}
    for op, args, outs, point in tape:
        operands = [environment.get(id(arg), arg) for arg in args]
        if point is None:
            results = state.trace.process(op, tuple([instantiate(x) for x in operands]))
        else:
            results = (_push(op, operands, outs[0], point),)
        for unknown, result in zip(outs, results, strict=True):
            environment[id(unknown)] = result
    return [environment.get(id(out), out) for out in outputs]


def _push(op: Primitive, tangents: Sequence[Any], result: Unknown, point: tuple[Any, Sequence[Any]]) -> Any:
    """The tangent of a direct operation's result; zeros among the tangents may have turned up on the way here."""
    moving = [None if type(dx) is Zero else dx for dx in tangents]
    if all(dx is None for dx in moving):
        return Zero(result.type)
    if not op.takes_zeros:
        pairs = zip(moving, point[1], strict=True)
        moving = [zeros_of(x.type) if dx is None and x.type.differentiable else dx for dx, x in pairs]
    return op.push(moving, *point)


def tape_program(
    trace: PartialEvalTrace, inputs: Sequence[Unknown], outputs: Sequence[Any], name: str
) -> tuple[Program, list[Any]]:
    """The tape as a program of (residuals, unknown inputs), and the residuals: the known values that it mentions."""
    variables: dict[int, Var] = {id(unknown): Var(unknown.type) for unknown in inputs}
    residuals: list[Any] = []
    residual_vars: list[Var] = []

    def atom(value: Any) -> Var | Literal:
        var = variables.get(id(value))
        if var is not None:
            return var
        splat = None if isinstance(value, Tracer) else value.splat()
        if splat is not None:
            return Literal(splat, value.type)
        var = variables[id(value)] = Var(value.type)
        residuals.append(value)
        residual_vars.append(var)
        return var

    equations = []
    needed = _needed(trace, outputs)
    for op, args, outs, _ in trace.tape:
        if needed.isdisjoint(map(id, outs)) and not op.effectful:
            continue
        operands = [atom(arg) for arg in args]
        for out in outs:
            variables[id(out)] = Var(out.type)
        equations.append(Equation(op, operands, [variables[id(out)] for out in outs], None))
    results = [atom(out) for out in outputs]
    unknown_vars = [variables[id(unknown)] for unknown in inputs]
    return Program([*residual_vars, *unknown_vars], (), equations, results, name), residuals


def _needed(trace: PartialEvalTrace, outputs: Sequence[Any]) -> set[int]:
    needed = {id(out) for out in outputs}
    for op, args, outs, _ in reversed(trace.tape):
        if op.effectful or not needed.isdisjoint(map(id, outs)):
            needed.update(id(arg) for arg in args if trace.owns(arg))
    return needed


class SplitProgram:
    """A program cut in two: what can be computed from the known inputs, and the rest.

    Attributes:
        known: (known inputs) → (known results, residuals that are not inputs).
        unknown: (residuals, unknown inputs) → (unknown results).
        unknown_outputs: per result of the original, whether `unknown` gives it.
        residual_inputs: per residual, which known input it simply is, or None if `known` returns it.
    """

    def __init__(self, program: Program, unknown: tuple[bool, ...], wanted: tuple[bool, ...]) -> None:
        stage_trace = StageTrace(state.trace, program.name)
        types = program.in_types
        known_tracers: list[StagedTracer] = [
            stage_trace.new_input(t) for t, u in zip(types, unknown, strict=True) if not u
        ]
        trace = PartialEvalTrace(stage_trace, program.name)
        unknown_inputs = [Unknown(trace, t) for t, u in zip(types, unknown, strict=True) if u]
        known_iterator, unknown_iterator = iter(known_tracers), iter(unknown_inputs)
        args = [next(unknown_iterator) if u else next(known_iterator) for u in unknown]
        try:
            outs = run_under(trace, run_program, program, args)
        finally:
            trace.ended = True
        forced = wanted or (False,) * len(outs)
        self.unknown_outputs = tuple(f or trace.owns(out) for out, f in zip(outs, forced, strict=True))
        unknown_outs = [out for out, u in zip(outs, self.unknown_outputs, strict=True) if u]
        known_outs = [out for out, u in zip(outs, self.unknown_outputs, strict=True) if not u]
        self.unknown, residuals = tape_program(trace, unknown_inputs, unknown_outs, f"linear_{program.name}")
        place = {id(tracer): i for i, tracer in enumerate(known_tracers)}
        self.residual_inputs = tuple(place.get(id(r)) for r in residuals)
        computed = [r for r, p in zip(residuals, self.residual_inputs, strict=True) if p is None]
        self.known = stage_trace.finish([*known_outs, *computed], program.name)
        stage_trace.ended = True


@lru_cache(maxsize=1024)
def split_program(program: Program, unknown: tuple[bool, ...], wanted: tuple[bool, ...] = ()) -> SplitProgram:
    """Cut a program without constants by which inputs are unknown; remembered.

    Args:
        program: what to cut.
        unknown: which inputs are unknown.
        wanted: which results are to be treated as unknown even if they can be known; empty for none.
    """
    return SplitProgram(program, unknown, wanted)


def partial_eval_call(
    make: Callable[[Program], Primitive], program: Program, trace: PartialEvalTrace, args: tuple[Any, ...]
) -> tuple[Any, ...]:
    """The `partial_eval` rule of an operation that calls a program: call the known half, record the unknown half."""
    unknown = tuple(trace.owns(arg) for arg in args)
    split = split_program(program, unknown)
    known_args = [arg for arg, u in zip(args, unknown, strict=True) if not u]
    unknown_args = [arg for arg, u in zip(args, unknown, strict=True) if u]
    known_results: tuple[Any, ...] = ()
    if split.known.outputs or split.known.effects:
        known_results = trace.process(make(split.known), tuple(known_args))
    count = len(split.unknown_outputs) - sum(split.unknown_outputs)
    computed = iter(known_results[count:])
    residuals = [next(computed) if place is None else known_args[place] for place in split.residual_inputs]
    unknown_results: tuple[Any, ...] = ()
    if split.unknown.outputs or split.unknown.effects:
        unknown_results = trace.record(make(split.unknown), (*residuals, *unknown_args))
    known_iterator, unknown_iterator = iter(known_results[:count]), iter(unknown_results)
    return tuple(next(unknown_iterator) if u else next(known_iterator) for u in split.unknown_outputs)
