"""Transposition: run a linear tape backwards, turning cotangents of its results into cotangents of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from .. import tree
from ..core.primitive import Primitive
from ..core.program import Program, run_program, stage
from ..core.trace import run_under, state
from ..core.types import LinearInput, Zero
from ..errors import DifferentiationError, TreeError
from ..ops.elementwise import add
from ..ops.structure import convert, instantiate, zeros_of
from ..source import user_source
from .arguments import FlatFunction, lift, strong
from .partial_eval import PartialEvalTrace, Tape, Unknown

__all__ = ["backward", "linear_transpose", "transpose_program"]


def backward(tape: Tape, inputs: Sequence[Unknown], outputs: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
    """Cotangents of the unknown inputs for cotangents of the outputs; `Zero` where nothing flows."""
    outer = state.source
    if outer is None and state.trace.parent is not None:
        state.source = user_source()  # no user code runs meanwhile: look for the line once, not for each operation
    try:
        return _run_backward(tape, inputs, outputs, cts)
    finally:
        state.source = outer


def _run_backward(tape: Tape, inputs: Sequence[Unknown], outputs: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
    # Hot: eager reverse mode passes here, so the loop is plain (benchmark: grad).
    flowing: dict[int, Any] = {}
    for out, ct in zip(outputs, cts, strict=True):
        if type(out) is Unknown and type(ct) is not Zero:
            before = flowing.get(id(out))
            flowing[id(out)] = ct if before is None else add(before, ct)
    for op, args, outs, point in reversed(tape):
        if len(outs) == 1:
            ct = flowing.pop(id(outs[0]), None)
            if ct is None:
                continue
            out_cts: tuple[Any, ...] = (ct,)
        else:
            found = [flowing.pop(id(out), None) for out in outs]
            if all(ct is None for ct in found):
                if not outs and op.effectful:
                    raise _lost_effect(op)
                continue
            out_cts = tuple([zeros_of(o.type) if ct is None else ct for ct, o in zip(found, outs, strict=True)])
        if point is not None:
            results = op.pull(out_cts[0], *point, args)
        else:
            owner = outs[0].made_by
            linear = [type(arg) is Unknown and arg.made_by is owner for arg in args]
            operands = [LinearInput(arg.type) if own else arg for arg, own in zip(args, linear, strict=True)]
            results = op.transpose(out_cts, *operands)
        for arg, ct in zip(args, results, strict=True):
            if ct is not None and type(arg) is Unknown and type(ct) is not Zero:
                key = id(arg)
                before = flowing.get(key)
                flowing[key] = ct if before is None else add(before, ct)
    return [flowing[id(x)] if id(x) in flowing else Zero(x.type) for x in inputs]


def _lost_effect(op: Primitive) -> DifferentiationError:
    return DifferentiationError(
        f"reverse mode would lose the effect of {op.name}, which depends on a tangent: tangents have no values there.\n"
        f"Let it depend on primal values only, or differentiate in forward mode (fg.jvp, fg.jacfwd)."
    )


@lru_cache(maxsize=1024)
def transpose_program(
    program: Program, linear: tuple[bool, ...], written_out: bool = False
) -> tuple[Program, tuple[bool, ...]]:
    """The program (known inputs, cotangents of results) → (nonzero cotangents of the linear inputs), and which are.

    With `written_out`, it returns the cotangents of all linear inputs, be they zero.
    """
    types = program.in_types
    known_types = [t for t, own in zip(types, linear, strict=True) if not own]
    nonzero: tuple[bool, ...] = ()

    def cotangents(*args: Any) -> list[Any]:
        nonlocal nonzero
        known, cts = iter(args[: len(known_types)]), args[len(known_types) :]
        trace = PartialEvalTrace(state.trace, program.name)
        inputs = [Unknown(trace, t) for t, own in zip(types, linear, strict=True) if own]
        unknown = iter(inputs)
        values = [next(unknown) if own else next(known) for own in linear]
        outs = run_under(trace, run_program, program, values)
        trace.ended = True
        results = backward(trace.tape, inputs, outs, cts)
        if written_out:
            results = [instantiate(ct) for ct in results]
        nonzero = tuple(type(ct) is not Zero for ct in results)
        return [ct for ct in results if type(ct) is not Zero]

    out_types = [t.strong() for t in program.out_types]
    return stage(cotangents, [*known_types, *out_types], f"transpose_{program.name}"), nonzero


def check_cotangent(ct: Any, out: Any, what: str) -> Any:
    """A cotangent as an array, checked against the output it belongs to."""
    if not out.type.differentiable:
        return Zero(out.type)
    value = lift(ct)
    if value.shape != out.shape or (value.dtype != out.dtype and not value.type.weak):
        raise DifferentiationError(
            f"{what}: a cotangent is {value.type}, but the output it belongs to is {out.type}; "
            f"a cotangent has the shape and dtype of its output"
        )
    return convert(strong(value), out.dtype)


def linear_transpose(fun: Callable[..., Any], *primals: Any) -> Callable[[Any], tuple[Any, ...]]:
    """The transpose of a function that is linear in all its arguments.

    Args:
        fun: a function that is linear in each of its arguments.
        *primals: arrays, or anything with `shape` and `dtype` (only these are used).

    Returns:
        A function from a cotangent of `fun`'s output to a tuple with one cotangent per argument.

    Raises:
        MissingRuleError: `fun` applies an operation that is not linear.
        TreeError: the cotangent's structure is not the output's.

    Example:
        >>> import funcgrad as fg
        >>> transposed = fg.linear_transpose(lambda x: 3.0 * x, 1.0)
        >>> float(transposed(2.0)[0])
        6.0
    """
    leaves, in_tree = tree.flatten((primals, {}))
    trace = PartialEvalTrace(state.trace, ("linear_transpose", fun))
    inputs = [Unknown(trace, lift(leaf).type.strong() if not hasattr(leaf, "type") else leaf.type) for leaf in leaves]
    flat = FlatFunction(fun, in_tree)
    try:
        outs = run_under(trace, flat, *inputs)
    finally:
        trace.ended = True

    def transposed(ct: Any) -> tuple[Any, ...]:
        ct_leaves, ct_tree = tree.flatten(ct)
        if ct_tree != flat.out_tree:
            raise TreeError(f"linear_transpose: the cotangent has structure {ct_tree}, the output has {flat.out_tree}")
        cts = [check_cotangent(c, out, "linear_transpose") for c, out in zip(ct_leaves, outs, strict=True)]
        results = backward(trace.tape, inputs, outs, cts)
        args, _ = in_tree.unflatten([strong(instantiate(r)) for r in results])
        return args

    return transposed
