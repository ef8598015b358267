"""A Program while it is rewritten: what is written so far, where values come from, and how often they are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import copysign
from typing import Any

import numpy as np

from ..source import Source
from .dtypes import is_inexact
from .primitive import Primitive, infer
from .program import Atom, Equation, Literal, Program, Var
from .types import ArrayType, Shape

__all__ = [
    "Graph",
    "expression",
    "filled",
    "foldable",
    "folded",
    "is_filled_with",
    "moved",
    "quiet",
    "resized",
    "rewritten",
]


class Graph:
    """What `simplified` rules ask and write to: equations that are as simple as they get, in order of execution.

    Attributes:
        equations: what is written so far.
        waiting: those that could become simpler if they were the only ones to use an operand.
    """

    __slots__ = ("_blocked", "_made", "_producers", "_source", "_uses", "equations", "waiting")

    def __init__(self, uses: dict[Atom, int]) -> None:
        self.equations: list[Equation] = []
        self.waiting: set[Equation] = set()
        self._blocked = False
        self._producers: dict[Any, Equation] = {}
        self._made: dict[tuple[Any, ...], Sequence[Atom]] = {}
        self._uses = uses
        self._source: Source | None = None

    def made_of(self, inputs: Sequence[Atom], equations: set[Equation]) -> bool:
        """Whether the variables among these come from these equations, or from none."""
        producers = self._producers
        for a in inputs:
            if type(a) is Var:
                maker = producers.get(a)
                if maker is not None and maker not in equations:
                    return False
        return True

    def producer(self, atom: Atom, kind: type[Primitive]) -> Equation | None:
        """The equation that assigns a variable, if its operation is of this class."""
        eqn = self._producers.get(atom) if type(atom) is Var else None
        return eqn if eqn is not None and isinstance(eqn.op, kind) else None

    def operation(self, atom: Atom) -> Equation | None:
        """The equation that assigns a variable; None for inputs and literals."""
        return self._producers.get(atom) if type(atom) is Var else None

    def alone(self, atom: Atom, inputs: Sequence[Atom]) -> bool:
        """Whether nothing uses a variable but the equation with these inputs."""
        if self._uses.get(atom, 0) <= sum([a is atom for a in inputs]):
            return True
        self._blocked = True
        return False

    def emit(self, op: Primitive, *inputs: Atom) -> Atom:
        """The one result of an operation, which is simplified like every other."""
        return self.emit_all(op, *inputs)[0]

    def emit_all(self, op: Primitive, *inputs: Atom) -> Sequence[Atom]:
        """The results of an operation."""
        uses, before = self._uses, len(self.equations)
        variables = [a for a in inputs if type(a) is Var]
        for a in variables:
            uses[a] = uses.get(a, 0) + 1
        outs = self.place(op, inputs, None, self._source)
        if len(self.equations) == before or self.equations[-1].outputs is not outs:
            for a in variables:
                uses[a] -= 1
        return outs

    def place(
        self,
        op: Primitive,
        inputs: Sequence[Atom],
        given: Equation | None,
        source: Source | None,
        settled: bool = False,
    ) -> Sequence[Atom]:
        """The results of an operation: earlier ones, simpler ones, or those of an equation written now.

        Args:
            op: the operation.
            inputs: its operands.
            given: the equation of the program being rewritten that this is; its outputs are assigned.
            source: the line of what is written.
            settled: whether nothing simpler is to be found.
        """
        # Hot: every equation passes here.
        pure = not (op.effects and op.effectful)
        if pure:
            key = expression(op, inputs)
            found = self._made.get(key)
            if found is not None:
                return found
        if not settled:
            self._source = source
            self._blocked = False
            found = op.simplified(self, *inputs)
            if found is not None and (given is None or all(map(_same_type, found, given.outputs))):
                if pure:
                    self._made[key] = found  # type: ignore[possibly-undefined]
                return found
        if given is None:
            eqn = Equation(op, inputs, tuple([Var(t) for t in infer(op, *[a.type for a in inputs])]), source)
        else:
            eqn = given if given.inputs is inputs else Equation(op, inputs, given.outputs, source)
        outputs = eqn.outputs
        self.equations.append(eqn)
        if self._blocked:
            self.waiting.add(eqn)
            self._blocked = False
        for out in outputs:
            self._producers[out] = eqn
        if pure:
            self._made[key] = outputs  # type: ignore[possibly-undefined]
        return outputs


def _same_type(one: Atom, two: Atom) -> bool:
    return one.type is two.type


def expression(op: Primitive, inputs: Sequence[Atom]) -> tuple[Any, ...]:
    """Equal for equal operations on equal operands, in either order where that does not matter."""
    if op.commutative:
        x, y = inputs
        if type(x) is Literal or (id(y) < id(x) and type(y) is Var):
            return (op, y, x)
    return (op, *inputs)


def rewritten(program: Program, before: Graph | None = None) -> tuple[Program, Graph]:
    """The program after one pass in which every equation is written, simplified, or shared with an equal one.

    Args:
        program: what is rewritten.
        before: the graph of the pass before this one: what has not changed since then is not asked again.

    Returns:
        The program, the same object if nothing changed, and the graph of this pass.
    """
    old = set() if before is None else set(before.equations)
    waiting = set() if before is None else before.waiting
    uses: dict[Atom, int] = {}
    for inputs in (*[eqn.inputs for eqn in program.equations], program.outputs):
        for a in inputs:
            if type(a) is Var:
                uses[a] = uses.get(a, 0) + 1
    graph = Graph(uses)
    renamed: dict[Atom, Atom] = {}
    for eqn in program.equations:
        inputs = eqn.inputs
        for a in inputs:
            if type(a) is Var and a in renamed:
                inputs = [renamed.get(b, b) if type(b) is Var else b for b in inputs]
                break
        settled = inputs is eqn.inputs and eqn in old and eqn not in waiting and graph.made_of(inputs, old)
        outs = graph.place(eqn.op, inputs, eqn, eqn.source, settled)
        if outs is eqn.outputs:
            continue
        for out, new in zip(eqn.outputs, outs, strict=True):
            renamed[out] = new
            uses[new] = uses.get(new, 0) + uses.get(out, 0)
        for a in inputs:
            if type(a) is Var:
                uses[a] -= 1
    if not renamed and len(graph.equations) == len(program.equations):
        return program, graph
    outputs = [renamed.get(a, a) if type(a) is Var else a for a in program.outputs]
    return Program(program.inputs, program.constants, graph.equations, outputs, program.name), graph


# -- literals ----------------------------------------------------------------------------------------------------------


def is_filled_with(atom: Atom, value: float) -> bool:
    """Whether this is a literal of that very value: -0.0 and 0.0 are two."""
    return type(atom) is Literal and atom.key[0] == _bits(value, atom.type.dtype)


@lru_cache(maxsize=1024)
def _bits_of(value: float, negative: bool, dtype: np.dtype) -> bytes:
    return np.asarray(-value if negative else value).astype(dtype).tobytes()


def _bits(value: float, dtype: np.dtype) -> bytes:
    return _bits_of(abs(value), copysign(1, value) < 0, dtype)  # as keys, -0.0 and 0.0 are equal


def filled(value: Any, type: ArrayType) -> Literal:
    """The literal of a scalar."""
    return Literal(np.asarray(value, type.dtype), type)


def moved(op: Primitive, x: Literal) -> tuple[Literal]:
    """What an operation makes of a literal whose elements it only moves."""
    return (Literal(x.value, infer(op, x.type)[0]),)


def resized(atom: Atom, shape: Shape) -> Literal:
    """A literal with another shape."""
    assert type(atom) is Literal
    return Literal(atom.value, ArrayType(shape, atom.type.dtype, atom.type.weak))


def foldable(op: Primitive, in_types: Sequence[ArrayType], out_types: Sequence[ArrayType]) -> bool:
    """Whether `evaluate` may stand for the compiled operation: it gives the very same bits."""
    if not op.plain or op.effects or op.axis_names:
        return False
    types = (*in_types, *out_types)
    if op.exact:
        return not any(t.dtype.kind == "c" for t in types)
    return not any(is_inexact(t.dtype) for t in types)


def quiet(function: Callable[..., Any], *args: Any) -> Any:
    """Call a NumPy function with its floating-point warnings off."""
    with np.errstate(all="ignore"):
        return function(*args)


def folded(op: Primitive, inputs: Sequence[Atom]) -> tuple[Literal] | None:
    """The result of an elementwise operation on literals, as a literal; None if it cannot be known exactly."""
    for a in inputs:
        if type(a) is Var:
            return None
    if not inputs:
        return None
    types = [a.type for a in inputs]
    (out,) = infer(op, *types)
    if not foldable(op, types, (out,)):
        return None
    (value,) = quiet(op.evaluate, *[a.value for a in inputs])  # type: ignore[union-attr]
    return (filled(value, out),)
