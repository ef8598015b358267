"""Linearization at a point: run a function forward, and keep the tape of its linear part there.

It is forward mode on top of partial evaluation, so that every operation works by its jvp rule alone. Operations that
offer their derivative directly (`direct`: the families do) skip the tracing of that rule: they are computed once, and
the point is kept on the tape. Eager differentiation owes its speed to this (benchmark: grad).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.dtypes import is_inexact
from ..core.primitive import Primitive
from ..core.trace import Purpose, Trace, run_under, state
from .arguments import FlatFunction
from .jvp import JVPTrace, JVPTracer
from .partial_eval import PartialEvalTrace, Tape, Unknown, replay
from .transpose import backward

__all__ = ["LinearizeTrace", "Linearized"]


class LinearizeTrace(JVPTrace):
    """Forward mode over a tape; `parent` is the tape's trace."""

    __slots__ = ("below", "tape")

    def __init__(self, parent: PartialEvalTrace, purpose: Purpose) -> None:
        super().__init__(parent, purpose)
        self.tape: Tape = parent.tape
        self.below: Trace = parent.parent  # type: ignore[assignment]

    def process(self, op: Primitive, args: tuple[Any, ...]) -> tuple[Any, ...]:
        # Hot: eager reverse mode passes here (benchmark: grad).
        if not op.direct:
            return super().process(op, args)
        primals = []
        tangents: list[Any] = []
        moving = None
        for arg in args:
            if type(arg) is JVPTracer and arg.made_by is self:
                moving = arg.primal
                primals.append(moving)
                tangents.append(arg.tangent)
            else:
                primals.append(arg)
                tangents.append(None)
        if moving is not None and moving.dtype.kind == "c":
            return super().process(op, args)  # derivatives of complex operations need not be multiplications
        below = self.below
        if below.parent is None:  # the bottom computes direct operations without asking which trace is current
            outs = below.process(op, primals)  # type: ignore[arg-type]
        else:
            outs = run_under(below, below.process, op, tuple(primals))
        if moving is None:
            return outs
        out = outs[0]
        tangent = Unknown(self.parent, out)  # type: ignore[arg-type]
        self.tape.append((op, tangents, (tangent,), (out, primals)))
        return (JVPTracer(self, out, tangent),)


class Linearized:
    """A function evaluated at a point, with the tape of its linear part there.

    Attributes:
        inputs: the unknown tangents of the inputs; None for inputs without tangents (integers).
        outputs: the results.
        tangents: what the tape gives for them: unknowns, or `Zero`.
    """

    def __init__(self, function: Callable[..., Sequence[Any]], values: Sequence[Any], purpose: Purpose) -> None:
        tape_trace = PartialEvalTrace(state.trace, purpose)
        trace = LinearizeTrace(tape_trace, purpose)
        self.inputs = [Unknown(tape_trace, x) if is_inexact(x.dtype) else None for x in values]
        tracers = [x if dx is None else JVPTracer(trace, x, dx) for x, dx in zip(values, self.inputs, strict=True)]
        self.tape = tape_trace.tape
        try:
            results = run_under(trace, function, *tracers)
        finally:
            trace.ended = tape_trace.ended = True
            trace.tape = tape_trace.tape = []  # else a cycle would keep the tape's arrays alive
        if isinstance(function, FlatFunction):
            function.release(trace.split)
        split = [trace.split(result) for result in results]
        self.outputs = [primal for primal, _ in split]
        self.tangents = [tangent for _, tangent in split]

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """Tangents of the results for tangents of the inputs."""
        pairs = [(u, t) for u, t in zip(self.inputs, tangents, strict=True) if u is not None]
        return replay(self.tape, [u for u, _ in pairs], [t for _, t in pairs], self.tangents)

    def pull(self, cts: Sequence[Any]) -> list[Any]:
        """Cotangents of the inputs for cotangents of the results; None for inputs without tangents."""
        unknown = [u for u in self.inputs if u is not None]
        found = iter(backward(self.tape, unknown, self.tangents, cts))
        return [None if u is None else next(found) for u in self.inputs]
