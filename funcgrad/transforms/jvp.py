"""Forward mode: values carry a tangent, and every operation's jvp rule moves both along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from .. import tree
from ..core.primitive import Primitive
from ..core.program import Program, run_program, stage
from ..core.trace import Purpose, Trace, Tracer, run_under, state
from ..core.types import ArrayType, Zero
from ..errors import DifferentiationError, TreeError
from ..ops.structure import instantiate
from .arguments import FlatFunction, lift, strong

__all__ = ["JVPTrace", "JVPTracer", "jvp", "jvp_program"]


class JVPTracer(Tracer):
    """A primal value and its tangent."""

    __slots__ = ("primal", "tangent")

    def __init__(self, trace: Trace, primal: Any, tangent: Any) -> None:
        self.made_by = trace
        self.primal = primal
        self.tangent = tangent

    @property
    def type(self) -> ArrayType:
        return self.primal.type

    @property
    def shape(self) -> tuple[int, ...]:
        return self.primal.shape

    @property
    def dtype(self) -> Any:
        return self.primal.dtype

    @property
    def ndim(self) -> int:
        return self.primal.ndim

    def concrete(self) -> Any | None:
        primal = self.primal
        return primal.concrete() if isinstance(primal, Tracer) else primal

    def decide(self) -> bool:
        return self.primal.decide()

    def unknown_reason(self) -> str:
        return self.primal.unknown_reason()


class JVPTrace(Trace):
    """Applies jvp rules, under its parent."""

    __slots__ = ()

    def process(self, op: Primitive, args: tuple[Any, ...]) -> tuple[Any, ...]:
        # Hot: eager differentiation passes here (benchmark: grad).
        primals = []
        tangents = []
        moving = False
        for arg in args:
            if type(arg) is JVPTracer and arg.made_by is self:
                primals.append(arg.primal)
                tangents.append(arg.tangent)
                moving = True
            else:
                primals.append(arg)
                tangents.append(None)
        parent = self.parent
        state.trace = parent  # type: ignore[assignment]
        try:
            if not moving:
                return parent.process(op, args)  # type: ignore[union-attr]
            for i, tangent in enumerate(tangents):
                if tangent is None:
                    tangents[i] = Zero(primals[i].type)
            if not op.takes_zeros:
                for i, tangent in enumerate(tangents):
                    if type(tangent) is Zero and tangent.type.differentiable:
                        tangents[i] = instantiate(tangent)
            outs, out_tangents = op.jvp(tuple(primals), tuple(tangents))
        finally:
            state.trace = self
        return tuple(
            [
                out if type(tangent) is Zero else JVPTracer(self, out, tangent)
                for out, tangent in zip(outs, out_tangents, strict=True)
            ]
        )

    def split(self, value: Any) -> tuple[Any, Any]:
        """Primal and tangent of a value that left the traced function."""
        if type(value) is JVPTracer and value.made_by is self:
            return value.primal, value.tangent
        return value, Zero(value.type)


def jvp_flat(
    function: Callable[..., Sequence[Any]], primals: Sequence[Any], tangents: Sequence[Any], purpose: Purpose
) -> tuple[list[Any], list[Any]]:
    """Results and tangents of a flat function; tangents may be `Zero`, in and out."""
    trace = JVPTrace(state.trace, purpose)
    pairs = zip(primals, tangents, strict=True)
    inputs = [x if type(dx) is Zero else JVPTracer(trace, x, dx) for x, dx in pairs]
    try:
        results = run_under(trace, function, *inputs)
    finally:
        trace.ended = True
    if isinstance(function, FlatFunction):
        function.release(trace.split)
    split = [trace.split(result) for result in results]
    return [primal for primal, _ in split], [tangent for _, tangent in split]


@lru_cache(maxsize=1024)
def jvp_program(
    program: Program, moving: tuple[bool, ...], wanted: tuple[bool, ...] = ()
) -> tuple[Program, tuple[bool, ...]]:
    """The program (primals, tangents of the moving inputs) → (results, nonzero tangents), and which are nonzero.

    Args:
        program: what to differentiate.
        moving: which inputs have tangents.
        wanted: which results' tangents to write out even if they are zero; empty for none.
    """
    types = program.in_types
    count = len(types)
    nonzero: tuple[bool, ...] = ()

    def primals_and_tangents(*args: Any) -> list[Any]:
        nonlocal nonzero
        given = iter(args[count:])
        tangents = [next(given) if m else Zero(t) for m, t in zip(moving, types, strict=True)]
        outs, out_tangents = jvp_flat(
            lambda *inputs: run_program(program, inputs), args[:count], tangents, f"jvp of {program.name}"
        )
        forced = wanted or (False,) * len(outs)
        out_tangents = [instantiate(t) if f else t for t, f in zip(out_tangents, forced, strict=True)]
        nonzero = tuple(type(t) is not Zero for t in out_tangents)
        return [*outs, *(t for t in out_tangents if type(t) is not Zero)]

    tangent_types = [t.strong() for t, m in zip(types, moving, strict=True) if m]
    return stage(primals_and_tangents, [*types, *tangent_types], f"jvp_{program.name}"), nonzero


def jvp(
    fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], *, has_aux: bool = False
) -> tuple[Any, ...]:
    """Evaluate `fun` and push tangents forward through it (forward-mode differentiation).

    Args:
        fun: a pure function of arrays and pytrees of arrays.
        primals: its positional arguments, as a tuple or list.
        tangents: one tangent per primal, of the same tree structure, shapes and dtypes.
        has_aux: whether `fun` returns a pair (output, auxiliary data).

    Returns:
        `(output, output_tangent)`, and the auxiliary data as a third item with `has_aux`.

    Raises:
        TreeError: primals and tangents differ in structure.
        DifferentiationError: a tangent of another shape or dtype than its primal, or of an integer primal.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> y, dy = fg.jvp(fnp.sin, (0.0,), (1.0,))
        >>> float(dy)
        1.0
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TreeError(
            f"jvp takes primals and tangents as tuples, got {type(primals).__name__}; write jvp(f, (x,), (dx,))"
        )
    leaves, in_tree = tree.flatten((tuple(primals), {}))
    tangent_leaves, tangent_tree = tree.flatten((tuple(tangents), {}))
    if in_tree != tangent_tree:
        raise TreeError(f"jvp: primals and tangents must have one structure, got {in_tree} and {tangent_tree}")
    values = [lift(leaf) for leaf in leaves]
    directions = [_tangent_of(x, dx, i) for i, (x, dx) in enumerate(zip(values, tangent_leaves, strict=True))]
    flat = FlatFunction(fun, in_tree, has_aux)
    outs, out_tangents = jvp_flat(flat, values, directions, ("jvp", fun))
    out = flat.out_tree.unflatten([strong(x) for x in outs])
    out_tangent = flat.out_tree.unflatten([strong(instantiate(t)) for t in out_tangents])
    return (out, out_tangent, flat.aux) if has_aux else (out, out_tangent)


def _tangent_of(primal: Any, tangent: Any, number: int) -> Any:
    """A tangent checked against its primal; the tangents of integers are nothing."""
    if not primal.type.differentiable:
        return Zero(primal.type)
    value = lift(tangent)
    if value.shape != primal.shape or value.dtype != primal.dtype:
        raise DifferentiationError(
            f"jvp: tangent {number} is {value.type}, but its primal is {primal.type}; "
            f"a tangent has the shape and dtype of its primal. Write fnp.asarray(tangent, dtype=primal.dtype)."
        )
    return strong(value)
