"""`check`: an error with the user's message, raised eagerly at once and from compiled code when a result is read."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import BOOL, INTEGERS, is_complex, is_inexact
from ..core.program import Equation, Program
from ..core.trace import Tracer
from ..errors import ArgumentError, DTypeError
from ..ops.checks import Check, CheckFinite, format_message, here, site_of
from ..ops.elementwise import absolute
from ..ops.reduction import reduce_and, reduce_max, reduce_min
from ..ops.slicing import concatenate
from ..ops.structure import convert, reshape
from ..transforms.arguments import lift, strong

__all__ = ["check", "check_results"]

SHOWN_SIZE = 64  # of larger values the extremes are shown


def check(condition: Any, message: str, *values: Any, **named_values: Any) -> None:
    """Raise an error if a condition, which may be traced, does not hold.

    Eagerly the error is raised at once. In compiled code it is raised when a result of the call is read (printed,
    converted, waited for), or by `fg.effects_barrier()`. The check is part of the program: it is made in every
    iteration of a loop, only in the branch that is taken, and for every element of a mapped axis.

    Args:
        condition: a bool or boolean array; all its elements must be true.
        message: what the error says, a format string such as "the step {size} is too large".
        *values: what `{}` or `{0}` in the message stand for. Values that it does not mention are shown below it.
        **named_values: what `{name}` stands for. Of arrays with more than 64 elements the extremes are shown.

    Raises:
        CheckError: the condition does not hold.
        DTypeError: the condition is not boolean.
        ArgumentError: the message mentions a value that is not given.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> @fg.jit
        ... def root(x):
        ...     fg.check(x >= 0, "root of a negative number: {x}", x=x)
        ...     return fnp.sqrt(x)
        >>> float(root(4.0))
        2.0
    """
    if condition is True:
        return
    ok = lift(condition, "the condition of check")
    if ok.dtype != BOOL:
        raise DTypeError(f"check: the condition must be a bool or a boolean array, got {ok.type}; write x != 0")
    if not isinstance(ok, Tracer) and ok.host().all():
        return
    names = ("",) * len(values) + tuple(named_values)
    given = [strong(lift(value, f"value {i} of check")) for i, value in enumerate((*values, *named_values.values()))]
    _check_message(message, names)
    carried = [_summarised(x) for x in given]
    types = tuple(x.type for x in given), tuple(x.type for x in carried)
    ok = reduce_and(ok, tuple(range(ok.ndim)))
    Check(message, names, *types, 0, here())(ok, *carried)


def _check_message(message: str, names: tuple[str, ...]) -> None:
    if not isinstance(message, str):
        raise ArgumentError(
            f"check: the message must be a string, got {type(message).__name__}: check(x > 0, 'x is {{}}', x)"
        )
    try:
        format_message(message, names, [_Anything()] * len(names))
    except (LookupError, ValueError) as error:
        named = ", ".join(name for name in names if name) or "none"
        raise ArgumentError(
            f"check: the message {message!r} does not fit the {len(names)} given values "
            f"(named ones: {named}): {error!r}"
        ) from None


class _Anything:
    """Stands for a value of any kind while a message is tried out."""

    def __format__(self, spec: str) -> str:
        return ""

    def __getattr__(self, name: str) -> Any:
        return self

    def __getitem__(self, key: Any) -> Any:
        return self


def _summarised(value: Any) -> Any:
    """A value as it is carried: large ones as their smallest and largest element."""
    if value.size <= SHOWN_SIZE:
        return value
    size = absolute(value) if is_complex(value.dtype) else value
    if size.dtype == BOOL:
        size = convert(size, INTEGERS[0])
    axes = tuple(range(size.ndim))
    return concatenate([reshape(f(size, axes), (1,)) for f in (reduce_min, reduce_max)], 0)


# -- NaN and infinities ------------------------------------------------------------------------------------------------


def check_results(program: Program) -> Program:
    """The program with a check for NaN and infinities after each operation that computes floating-point results.

    Branches get checks inside. Other operations that run programs are left alone: the functions that became these
    programs have checks already, and what a masked side of a branch computes in vain must not count.
    """
    equations: list[Equation] = []
    done = {eqn.inputs[0] for eqn in program.equations if type(eqn.op) is CheckFinite}
    for eqn in program.equations:
        branches = getattr(eqn.op, "branches", None)
        if branches is not None:
            op = type(eqn.op)(tuple(map(check_results, branches)))
            eqn = Equation(op, eqn.inputs, eqn.outputs, eqn.source)
        equations.append(eqn)
        if eqn.op.effects or _runs_programs(eqn.op):
            continue
        for var in eqn.outputs:
            if is_inexact(var.type.dtype) and var.type.size and var not in done:
                check = CheckFinite(eqn.op.name, site_of(eqn.source))
                equations.append(Equation(check, (var,), (), eqn.source))
    return Program(program.inputs, program.constants, equations, program.outputs, program.name)


def _runs_programs(op: Any) -> bool:
    values = [getattr(op, field) for field in type(op)._fields]
    return any(isinstance(v, Program) or (isinstance(v, tuple) and v and isinstance(v[0], Program)) for v in values)
