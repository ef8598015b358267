"""Loops that run while a condition holds: one operation, `While`, and all its rules.

It runs in reverse, too. If the number of steps is bounded beforehand, what each step leaves for its derivative is kept.
Otherwise the tape holds the loop itself, a bounded number of states is kept, and the rest is computed again (see
`reversal`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.lower import inline, threads_of
from ..compiler.simplify import simplify
from ..core.dtypes import BOOL
from ..core.graph import Graph
from ..core.primitive import Primitive, not_linear
from ..core.program import Atom, Program, Var, run_program, stage
from ..core.trace import bottom, run_under
from ..core.types import ArrayType, Zero, is_linear
from ..ops.bits import and_
from ..ops.structure import zeros_of
from ..transforms.jvp import jvp_program
from ..transforms.mask import mask_program
from ..transforms.vmap import batch_program
from .inside import simpler_while
from .reversal import reverse_steps
from .trimming import dependencies
from .while_rules import (
    BackwardStep,
    Flags,
    Interleaving,
    Parts,
    in_front,
    record_loop,
    record_steps,
    smaller_while,
    split_carry,
    trip_count,
    while_any,
)

__all__ = ["While", "loop", "staged_loop"]

PLACES = 20  # states kept for the reverse pass: 3 repetitions of a step are enough for 1,771 steps, 5 for 53,130


class While(Primitive):
    """Operands (cond_consts, body_consts, carry): the carry is body(body_consts, carry) while cond(cond_consts, carry).

    Fields:
        max_steps: more steps than these are never taken (the predicate sees to it); None if that is not known.
        checkpoints: how many states reverse mode may keep; None for what `max_steps` allows or else `PLACES`.
    """

    multiple = True
    takes_zeros = True
    plain = False
    interprets = True

    cond: Program
    body: Program
    cond_consts: int
    body_consts: int
    max_steps: int | None = None
    checkpoints: int | None = None

    @property
    def axis_names(self) -> frozenset[Any]:
        return self.cond.axis_names | self.body.axis_names

    @property
    def effects(self) -> frozenset[str]:  # type: ignore[override]
        return self.cond.effects | self.body.effects | {"loop"}

    @property
    def payload(self) -> int:  # type: ignore[override]
        return max(self.cond.payload, self.body.payload)

    def parts(self, values: Sequence[Any]) -> Parts:
        """Operands, or anything that there is one of for each, in groups."""
        values, first, second = tuple(values), self.cond_consts, self.cond_consts + self.body_consts
        return Parts(values[:first], values[first:second], values[second:])

    def made_of(self, cond: Program, body: Program, cond_consts: int, body_consts: int) -> While:
        """A loop of other programs with this one's bounds."""
        return While(cond, body, cond_consts, body_consts, self.max_steps, self.checkpoints)

    def decided_by(self, cond_consts: Flags, carry: Flags) -> bool:
        """Whether the predicate depends on operands that have a flag."""
        flags = (*cond_consts, *carry)
        return any(flags[i] for i in dependencies(self.cond, [0]))

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return tuple(t.strong() for t in self.parts(types).carry)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        cond_consts, body_consts, carry = self.parts([Array(x) for x in operands])
        while run_under(bottom(), run_program, self.cond, (*cond_consts, *carry))[0].host():
            carry = run_under(bottom(), run_program, self.body, (*body_consts, *carry))
        return tuple(x.host() for x in carry)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        cond_consts, body_consts, carry = self.parts(operands)
        keys, types, count = threads_of(self.cond, self.body), list(build.out_types), len(carry)
        if not threads_of(self.cond):

            def holds(*values: Any) -> list[Any]:
                return inline(build, self.cond, (*cond_consts, *values[:count]))

            step = build.with_threads(keys, lambda *values: inline(build, self.body, (*body_consts, *values)))
            types += build.thread_types(keys)
            values = [*carry, *build.threads(keys)]
            return build.take_threads(keys, build.ops("while", values, types, None, [(types, holds), (types, step)]))

        def asked(*values: Any) -> list[Any]:  # a predicate with effects is computed at the end of the step before
            return [*inline(build, self.cond, (*cond_consts, *values)), *values]

        first = asked(*carry)
        step = build.with_threads(
            keys, lambda holds, *values: asked(*inline(build, self.body, (*body_consts, *values)))
        )
        types = [ArrayType((), BOOL), *types, *build.thread_types(keys)]
        regions = [(types, lambda holds, *values: [holds]), (types, step)]
        results = build.ops("while", [*first, *build.threads(keys)], types, None, regions)
        return build.take_threads(keys, results)[1:]

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        _, consts, moving = self.parts(tuple(type(t) is not Zero for t in tangents))
        while True:
            program, found = jvp_program(self.body, (*consts, *moving), moving)
            if found == moving:
                break
            moving = found
        count = len(primals) - self.cond_consts
        order = Interleaving(count, self.body_consts, consts, moving)
        body = Program(order.arrange(program.inputs), (), program.equations, program.outputs, program.name)
        extra = [Var(t) for t, m in zip(self.parts(_types(primals)).carry, moving, strict=True) if m]
        cond = Program([*self.cond.inputs, *extra], (), self.cond.equations, self.cond.outputs, self.cond.name)
        given = [t for t, m in zip(tangents[self.cond_consts :], (*consts, *moving), strict=True) if m]
        given = [zeros_of(t.type) if type(t) is Zero else t for t in given]
        operands = order.arrange([*primals[self.cond_consts :], *given])
        op = self.made_of(cond, body, self.cond_consts, self.body_consts + sum(consts))
        results = op(*primals[: self.cond_consts], *operands)
        outs, later = results[: len(moving)], iter(results[len(moving) :])
        return outs, tuple(next(later) if m else Zero(o.type) for o, m in zip(outs, moving, strict=True))

    def partial_eval(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        unknown = self.parts([trace.owns(arg) for arg in args])
        later = split_carry(self, unknown.body_consts, unknown.carry).unknown_outputs
        if self.decided_by(unknown.cond_consts, later):
            return trace.record(self, args)
        if self.max_steps is None or self.checkpoints is not None:
            results = record_loop(self, trace, self.parts(args), unknown.body_consts, later)
        else:
            results = record_steps(self, trace, self.parts(args), unknown.body_consts, later)
        known, recorded = map(iter, results)
        return tuple(next(recorded) if u else next(known) for u in later)

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        parts = self.parts(inputs)
        linear = self.parts([is_linear(x) for x in inputs])
        backward = BackwardStep(self, linear.body_consts, linear.carry)
        if self.decided_by(linear.cond_consts, backward.later):
            return not_linear(self, cts, *inputs)
        count = trip_count(self, parts)
        if count is None:
            count = backward.count(parts)
        consts = [x for x in parts.body_consts if is_linear(x)]
        flowing = [*(zeros_of(x.type) for x in consts), *(ct for ct, u in zip(cts, backward.later, strict=True) if u)]
        places = self.checkpoints or min(PLACES, self.max_steps or PLACES)
        step = backward.at(parts)
        results = iter(reverse_steps(loop, count, step.advance, step.back, step.state, flowing, places))
        const_cts = [next(results) if is_linear(x) else None for x in parts.body_consts]
        carry_cts = [next(results) if u else None for u in backward.later]
        carry_cts = [ct if is_linear(x) else None for ct, x in zip(carry_cts, parts.carry, strict=True)]
        return (*(None for _ in parts.cond_consts), *const_cts, *carry_cts)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return self.batch_named(None, size, operands, axes)

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        cond_axes, body_axes, carry_axes = self.parts(axes)
        mapped = tuple(axis is not None for axis in carry_axes)
        while True:
            places = tuple(0 if m else None for m in mapped)
            _, found = batch_program(self.body, size, (*body_axes, *places), name)
            grown = tuple(m or axis is not None for m, axis in zip(mapped, found, strict=True))
            if grown == mapped:
                break
            mapped = grown
        cond, (asked,) = batch_program(self.cond, size, (*cond_axes, *places), name)
        if asked is not None:
            return while_any(self, name, size, operands, axes, mapped)
        body, _ = batch_program(self.body, size, (*body_axes, *places), name, mapped)
        carry = in_front(size, self.parts(operands).carry, carry_axes, mapped)
        consts = operands[: self.cond_consts + self.body_consts]
        results = self.made_of(cond, body, self.cond_consts, self.body_consts)(*consts, *carry)
        return results, places

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        program = mask_program(self.cond)

        def holds(mask: Any, *values: Any) -> list[Any]:
            return [and_(mask, *run_program(program, [mask, *values]))]

        cond = stage(holds, program.in_types, program.name)
        return self.made_of(cond, self.body, self.cond_consts + 1, self.body_consts)(mask, *operands)

    def without(self, unused: tuple[bool, ...]) -> Any:
        return smaller_while(self, unused)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return simpler_while(self, graph, inputs)


def _types(values: Sequence[Any]) -> list[ArrayType]:
    return [x.type.strong() for x in values]


def staged_loop(
    cond: Callable[..., Any],
    body: Callable[..., Sequence[Any]],
    init: Sequence[Any],
    max_steps: int | None = None,
    checkpoints: int | None = None,
) -> tuple[While, list[Any]]:
    """The operation for a loop of functions of flat arrays, which may close over others, and its operands."""
    types = _types(init)
    cond_program, cond_consts = simplify(stage(lambda *values: [cond(*values)], types, "cond")).closed()
    body_program, body_consts = simplify(stage(body, types, "body")).closed()
    op = While(cond_program, body_program, len(cond_consts), len(body_consts), max_steps, checkpoints)
    return op, [*cond_consts, *body_consts, *init]


def loop(cond: Callable[..., Any], body: Callable[..., Sequence[Any]], init: Sequence[Any]) -> list[Any]:
    """While `cond(*values)`, let the values be `body(*values)`; flat arrays."""
    op, operands = staged_loop(cond, body, init)
    return list(op(*operands))
