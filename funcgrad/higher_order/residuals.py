"""What reverse mode keeps between its two passes, and where each value came from: to see what a checkpoint saves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..compiler.simplify import simplify
from ..core.program import Atom, Literal, Program
from ..core.types import ArrayType
from ..ops.identities import Named
from ..source import function_source
from ..transforms.arguments import check_callable
from ..transforms.jvp import jvp_program
from ..transforms.partial_eval import split_program
from .call import Call
from .checkpoint import Checkpoint, under_their_names
from .signature import Arguments
from .traced import trace_function
from .trimming import producer

__all__ = ["Residual", "print_saved_residuals", "saved_residuals"]


class Residual(NamedTuple):
    """A value that the reverse pass needs from the forward pass.

    Attributes:
        type: its shape and dtype.
        origin: what made it, in words.
    """

    type: ArrayType
    origin: str

    @property
    def nbytes(self) -> int:
        """How many bytes it takes."""
        return self.type.size * self.type.dtype.itemsize


def saved_residuals(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> list[Residual]:
    """The values that a compiled reverse-mode derivative of `fun` keeps from its forward pass; nothing is computed.

    Args:
        fun: a function of arrays and pytrees of arrays.
        *args, **kwargs: arrays, numbers, `ShapeDtypeStruct`s or trees of them.

    Returns:
        For each value its `type`, its `origin` in words, and its size `nbytes`.

    Raises:
        ArgumentError: `fun` cannot be called.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> sum(r.nbytes for r in fg.saved_residuals(lambda x: fnp.sin(fnp.exp(x)), fnp.ones(100)))
        800
        >>> sum(r.nbytes for r in fg.saved_residuals(fg.checkpoint(lambda x: fnp.sin(fnp.exp(x))), fnp.ones(100)))
        400
    """
    check_callable(fun, "saved_residuals")
    call = Arguments(fun, (), (), args, kwargs, "saved_residuals")
    traced = trace_function(call.function, call.in_tree, call.types, call.names, "saved_residuals")
    types = traced.program.in_types
    closed_over = len(traced.constants)
    moving = (*(False,) * closed_over, *(t.differentiable for t in types[closed_over:]))
    program, _ = jvp_program(traced.program, moving)
    split = split_program(program, (*(False,) * len(types), *(True,) * sum(moving)))
    origins = [f"from an array that {function_source(fun)} closes over"] * closed_over
    origins += [f"from the argument {name}" for name in call.names]
    known = split.known
    count = len(split.unknown_outputs) - sum(split.unknown_outputs)
    computed = iter(known.outputs[count:])
    kept = [next(computed) if place is None else known.inputs[place] for place in split.residual_inputs]
    simple = simplify(
        Program(known.inputs, known.constants, known.equations, under_their_names(known, kept), known.name)
    )
    distinct = [atom for atom in dict.fromkeys(simple.outputs) if not isinstance(atom, Literal)]
    return [Residual(atom.type, _origin(simple, atom, origins.__getitem__)) for atom in distinct]


def print_saved_residuals(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Print a line for each value that a compiled reverse-mode derivative of `fun` keeps from its forward pass.

    Args:
        fun: a function of arrays and pytrees of arrays.
        *args, **kwargs: arrays, numbers, `ShapeDtypeStruct`s or trees of them.

    Raises:
        ArgumentError: `fun` cannot be called.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> fg.print_saved_residuals(fg.checkpoint(lambda x, y: fnp.sin(x * y)), 1.0, fnp.ones(3))
        f32[] from the argument x
        f32[3] from the argument y
    """
    for residual in saved_residuals(fun, *args, **kwargs):
        print(residual.type.strong(), residual.origin)  # noqa: T201 - to print is its purpose


def _origin(program: Program, atom: Atom, of_input: Callable[[int], str]) -> str:
    """What a value of a program is; `of_input` says it of the program's inputs, by number."""
    eqn = producer(program, atom)
    if eqn is None:
        return of_input(program.inputs.index(atom)) if atom in program.inputs else "a constant"  # type: ignore[arg-type]
    if isinstance(eqn.op, (Call, Checkpoint)):
        inner, place = eqn.op.program, eqn.outputs.index(atom)  # type: ignore[arg-type]
        return _origin(inner, inner.outputs[place], lambda number: _origin(program, eqn.inputs[number], of_input))
    if isinstance(eqn.op, Named):
        return _origin(program, eqn.inputs[0], of_input)
    names = [use.op.label for use in program.equations if isinstance(use.op, Named) and atom in use.inputs]
    label = "".join(f"named {name!r}, " for name in names)
    place = "" if eqn.source is None else f" at {eqn.source.file}:{eqn.source.line} in {eqn.source.function}"
    return f"{label}output of {eqn.op.name}{place}"
