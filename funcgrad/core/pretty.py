"""Prints a Program: one line an equation, variables named in order of appearance, programs inside indented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .primitive import Primitive

if TYPE_CHECKING:
    from .program import Atom, Equation, Program, Var

__all__ = ["format_equation", "format_program"]


class Names:
    """Gives variables the names a, b, …, z, ba, bb, … in the order in which they are asked for."""

    def __init__(self) -> None:
        self._names: dict[Var, str] = {}

    def __call__(self, var: Var) -> str:
        name = self._names.get(var)
        if name is None:
            name = self._names[var] = _letters(len(self._names))
        return name


def _letters(number: int) -> str:
    letters = ""
    while True:
        number, digit = divmod(number, 26)
        letters = chr(ord("a") + digit) + letters
        if number == 0:
            return letters


def format_program(program: Program, indent: str = "", names: Names | None = None, sources: bool = False) -> str:
    """The text of a program."""
    names = names or Names()
    inputs = " ".join(f"{names(v)}:{v.type}" for v in program.inputs)
    constants = " ".join(f"{names(v)}:{v.type}" for v, _ in program.constants)
    head = f"{{ lambda {constants + ' ; ' if constants else ''}{inputs} . let"
    lines = [format_equation(eqn, names, indent + "    ", sources) for eqn in program.equations]
    outputs = ", ".join(_atom(a, names) for a in program.outputs)
    return "\n".join([head, *lines, f"{indent}  in ({outputs}) }}"])


def format_equation(eqn: Equation, names: Names, indent: str = "", sources: bool = False) -> str:
    """The text of one equation."""
    inputs = " ".join(_atom(a, names) for a in eqn.inputs)
    outputs = " ".join(f"{names(v)}:{v.type}" for v in eqn.outputs)
    text = f"{indent}{outputs}{' = ' * bool(outputs)}{eqn.op.name}{_parameters(eqn.op, indent)} {inputs}".rstrip()
    if sources and eqn.source is not None:
        text += f"    # {eqn.source.file}:{eqn.source.line}"
    return text


def _parameters(op: Primitive, indent: str) -> str:
    shown = []
    for field in type(op)._fields:
        value: Any = getattr(op, field)
        if hasattr(value, "equations"):
            shown.append(f"{field}={format_program(value, indent + '  ')}")
        elif isinstance(value, tuple) and value and hasattr(value[0], "equations"):
            inner = indent + "    "
            programs = "".join(f"\n{inner}{format_program(program, inner)}" for program in value)
            shown.append(f"{field}=({programs} )")
        else:
            shown.append(f"{field}={value}")
    return f"[{', '.join(shown)}]" if shown else ""


def _atom(atom: Atom, names: Names) -> str:
    value = getattr(atom, "value", None)
    return names(atom) if value is None else f"{value.item()}:{atom.type}"  # type: ignore[arg-type]
