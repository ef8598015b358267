"""Constants of a Program: what depends on small ones alone is computed now, and equal ones become one.

A causal mask, a table of positions or of frequencies is made of counts that are known while a function is traced. It
is computed once, by the NumPy rules, and is one constant of the program, however many layers make it anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend.array import Array
from ..config import config
from ..core.graph import foldable, quiet
from ..core.program import Atom, Equation, Literal, Program, Var, literal_value

__all__ = ["Constants", "fold_constants"]

LARGEST = 1 << 16  # bytes of a constant that is looked into, or made of as large ones
GROWN = 1 << 14  # bytes of one that is made of smaller ones: random bits from a key, say, are quicker to compile


def fold_constants(program: Program) -> Program:
    """The program with what its small constants and literals determine computed.

    Only results that are the same bits eager and compiled are computed now; see `Primitive.exact`.
    """
    constants = Constants(program)
    known = constants.known
    if not known:
        return program
    equations: list[Equation] = []
    for eqn in program.equations:
        # Hot: every equation of every function that has constants passes here, and few read any.
        for a in eqn.inputs:
            if type(a) is Var and a in known:
                if not constants.fold(eqn):
                    equations.append(constants.reading(eqn, equations))
                break
        else:
            equations.append(eqn)
    outputs = [constants.atom(a, equations) for a in program.outputs]
    if not constants.changed:
        return program
    return Program(program.inputs, constants.pairs(), equations, outputs, program.name)


def _is_readable(value: Any) -> bool:
    """Whether a constant is small, on the host, and free of checks that have yet to be reported."""
    if type(value) is not Array or value._host is None or value._device is not None or value._pending is not None:
        return False
    return value._host.nbytes <= LARGEST


class Constants:
    """The constants of a program that is being folded.

    Attributes:
        known: the values, by variable, that are known now.
        changed: whether any equation was computed, or any two constants are equal.
    """

    def __init__(self, program: Program) -> None:
        self.changed = False
        self._values = dict(program.constants)
        self.known: dict[Atom, np.ndarray] = {}
        self._computed: dict[Atom, Equation] = {}
        self._renamed: dict[Atom, Atom] = {}
        self._by_content: dict[Any, Var] = {}
        if config.current.check_nans:  # each operation is checked as it runs
            return
        for var, value in program.constants:
            if _is_readable(value):
                self.known[var] = value._host
                shared = self._shared(var, value._host)
                if shared is not var:
                    self._renamed[var] = shared
                    self.changed = True

    def fold(self, eqn: Equation) -> bool:
        """Whether the results of an equation are known now."""
        if not all(type(a) is Literal or a in self.known for a in eqn.inputs):
            return False
        op = eqn.op
        in_types = [a.type for a in eqn.inputs]
        out_types = [out.type for out in eqn.outputs]
        size = sum([t.size * t.dtype.itemsize for t in out_types])
        given = sum([t.size * t.dtype.itemsize for t in in_types])
        if size > (LARGEST if size <= given else GROWN) or any(t.weak for t in out_types):
            return False
        if not foldable(op, in_types, out_types):
            return False
        hosts = [self.known[a] if type(a) is Var else literal_value(a).host() for a in eqn.inputs]  # type: ignore[arg-type]
        for out, result in zip(eqn.outputs, quiet(op.evaluate, *hosts), strict=True):
            self.known[out] = np.asarray(result)
            self._computed[out] = eqn
        self.changed = True
        return True

    def reading(self, eqn: Equation, equations: list[Equation]) -> Equation:
        """An equation that is not computed now, with the constants that it reads."""
        inputs = [self.atom(a, equations) for a in eqn.inputs]
        if all(a is b for a, b in zip(inputs, eqn.inputs, strict=True)):
            return eqn
        return Equation(eqn.op, inputs, eqn.outputs, eqn.source)

    def atom(self, a: Atom, equations: list[Equation]) -> Atom:
        """What stands for an operand: a computed value is a literal, a constant, or made where it is used.

        What is larger than what it is made of (a broadcast, say) is made anew rather than carried around.
        """
        if type(a) is not Var or a not in self.known:
            return a
        found = self._renamed.get(a)
        if found is not None:
            return found
        eqn = self._computed.get(a)
        if eqn is None:
            return a
        value = self.known[a]
        scalar = Array(value).splat()
        if scalar is not None:
            found = Literal(scalar, a.type)
        elif value.nbytes > sum([b.type.size * b.type.dtype.itemsize for b in eqn.inputs if type(b) is Var]):
            made = self.reading(eqn, equations)
            equations.append(made)
            self._renamed.update((out, out) for out in eqn.outputs)
            return a
        else:
            found = self._shared(a, value)
            self._values.setdefault(found, Array(np.array(value)))
        self._renamed[a] = found
        return found

    def _shared(self, var: Var, value: np.ndarray) -> Var:
        """The constant with this content, which may be this one."""
        return self._by_content.setdefault((var.type, value.tobytes()), var)

    def pairs(self) -> list[tuple[Var, Any]]:
        """The constants with their values."""
        return list(self._values.items())
