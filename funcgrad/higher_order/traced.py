"""A user's function as a closed Program: what `jit`, branches, loop bodies and rules are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import tree
from ..compiler.simplify import simplify
from ..config import config
from ..core.program import Equation, Literal, Program, Var, collection_paused, deep_stack, stage
from ..core.trace import Tracer
from ..core.types import ArrayType
from ..errors import ControlFlowError
from ..ops.structure import Convert
from ..source import function_source
from ..transforms.arguments import FlatFunction
from .checks import check_results

__all__ = ["Traced", "is_concrete", "mismatch", "share_constants", "trace_function"]


class Traced:
    """A function staged for given argument types.

    Attributes:
        program: the closed, simplified program; its first inputs are the arrays that the function closes over.
        constants: those arrays.
        out_tree: structure of the function's result.
        out_types: of its leaves, as the outside sees them: not weak.
    """

    __slots__ = ("constants", "out_tree", "out_types", "program")

    def __init__(self, program: Program, constants: Sequence[Any], out_tree: Any) -> None:
        self.program = program
        self.constants = tuple(constants)
        self.out_tree = out_tree
        self.out_types = tuple(t.strong() for t in program.out_types)


def trace_function(
    function: Callable[..., Any],
    in_tree: Any,
    types: Sequence[ArrayType],
    names: Sequence[str],
    what: str,
) -> Traced:
    """Stage a function of pytrees, called with traced leaves of the given types.

    Args:
        function: called as `function(*args, **kwargs)`.
        in_tree: structure of `(args, kwargs)`.
        types: of the leaves.
        names: of the leaves, for messages.
        what: the transformation's name, for messages.
    """
    out_tree = None
    flat = FlatFunction(function, in_tree)

    def leaves_to_leaves(*leaves: Any) -> list[Any]:
        nonlocal out_tree
        outs = flat(*leaves)
        if out_tree is None:
            out_tree = flat.out_tree
        elif out_tree != flat.out_tree:
            raise ControlFlowError(
                f"the paths of {function_source(function)} that Python's `if`s choose between return different "
                f"structures:\n  {out_tree}\n  {flat.out_tree}\nReturn the same structure on every path."
            )
        return outs

    with collection_paused(), deep_stack:
        program = stage(leaves_to_leaves, types, (what, function), names)
        closed, constants = simplify(program).closed()
        if config.current.check_nans:
            closed = check_results(closed)
    name = getattr(function, "__name__", "program")
    closed.name = name if name.isidentifier() else "function"
    return Traced(closed, constants, out_tree)


def is_concrete(value: Any) -> bool:
    """Whether a value's elements can be looked at now."""
    return not isinstance(value, Tracer) or value.concrete() is not None


def share_constants(traced: Sequence[Traced]) -> tuple[list[Program], list[Any]]:
    """Programs that all take the same leading inputs, and what to give for these: all that the functions close over."""
    constants = {id(value): value for t in traced for value in t.constants}
    programs = []
    for t in traced:
        program, count = t.program, len(t.constants)
        own = {id(value): var for value, var in zip(t.constants, program.inputs[:count], strict=True)}
        inputs = [own.get(key) or Var(value.type) for key, value in constants.items()]
        inputs += program.inputs[count:]
        programs.append(Program(inputs, (), program.equations, program.outputs, program.name))
    return programs, list(constants.values())


def convert_outputs(program: Program, types: Sequence[ArrayType]) -> Program:
    """The program with weak results converted to the dtypes of `types` (Python scalars adapt)."""
    equations = list(program.equations)
    outputs = list(program.outputs)
    for i, (atom, type) in enumerate(zip(outputs, types, strict=True)):
        if atom.type.weak and atom.type.dtype != type.dtype:
            if isinstance(atom, Literal):
                outputs[i] = Literal(np.asarray(atom.value, type.dtype), atom.type.update(dtype=type.dtype))
            else:
                out = Var(atom.type.update(dtype=type.dtype))
                equations.append(Equation(Convert(type.dtype), (atom,), (out,), None))
                outputs[i] = out
    return Program(program.inputs, program.constants, equations, outputs, program.name)


def adapts(type: ArrayType, target: ArrayType) -> bool:
    """Whether a value of `type` can stand where `target` is expected: Python scalars adapt to arrays."""
    if type.strong() is target.strong():
        return True
    if not type.weak or type.shape != target.shape:
        return False
    return _rank(type) <= _rank(target)


def _rank(type: ArrayType) -> int:
    kind = type.dtype.kind
    return {"b": 0, "i": 1, "u": 1, "f": 2, "V": 2, "c": 3}[kind]


def mismatch(
    titles: tuple[str, str], trees: tuple[Any, Any], types: tuple[Sequence[ArrayType], Sequence[ArrayType]]
) -> str:
    """Two results side by side, leaf by leaf, with an arrow where they differ; empty if they fit.

    Args:
        titles: what the results are called.
        trees: their structures.
        types: of their leaves.
    """
    tables = [_by_path(structure, leaves) for structure, leaves in zip(trees, types, strict=True)]
    rows = []
    differs = trees[0] != trees[1]
    for path in dict.fromkeys([*tables[0], *tables[1]]):
        left, right = tables[0].get(path), tables[1].get(path)
        same = left is not None and right is not None and left.strong() is right.strong()
        differs |= not same
        texts = ["(nothing)" if t is None else str(t) for t in (left, right)]
        rows.append((path or "result", *texts, "" if same else "  <--"))
    if not differs:
        return ""
    if all(not row[3] for row in rows):
        return f"  {titles[0]}: {trees[0]}\n  {titles[1]}: {trees[1]}"
    rows.insert(0, ("", *titles, ""))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [f"  {p:<{widths[0]}}  {a:<{widths[1]}}  {b:<{widths[2]}}{mark}".rstrip() for p, a, b, mark in rows]
    return "\n".join(lines)


def _by_path(structure: Any, types: Sequence[ArrayType]) -> dict[str, ArrayType]:
    placed = tree.unflatten(structure, [_Leaf(t) for t in types])
    return {tree.keystr(path): leaf.type for path, leaf in tree.leaves_with_path(placed)}


class _Leaf:
    __slots__ = ("type",)

    def __init__(self, type: ArrayType) -> None:
        self.type = type
