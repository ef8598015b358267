"""Closure conversion: the traced values that functions close over become explicit inputs.

Two ways, for two purposes. `close` looks for tracers in closure cells, defaults, partial arguments and nested
functions, and can make the same Python functions again around other values: rules stay Python, and run when they are
needed. `closure_convert` stages the function and so finds everything, but what it returns runs a program.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import CellType, FunctionType, MethodType
from typing import Any

from .. import tree
from ..core.program import run_program
from ..core.trace import Tracer
from ..errors import TreeError
from ..transforms.arguments import argument_names, check_callable, leaf_names, lift
from .traced import trace_function

__all__ = ["Closed", "Holder", "close", "closure_convert"]


class Holder:
    """An object that holds functions, which may close over traced values."""

    def held(self) -> tuple[Any, ...]:
        """The functions."""
        raise NotImplementedError

    def holding(self, functions: Sequence[Any]) -> Holder:
        """Another such object with other functions."""
        raise NotImplementedError


class Same:
    """A value that equals only itself, so that it can be part of a key."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is Same and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


_EMPTY = object()  # the content of a cell that has none yet
_LEAF = tree.structure(0)


class Closed:
    """Functions around the places of the traced values that they close over; hashable, equal for equal places.

    Attributes:
        count: how many places there are.
        key: what decides equality.
    """

    __slots__ = ("_nodes", "_roots", "count", "key")

    def __init__(self, nodes: Sequence[tuple[Any, Sequence[int | None]]], roots: Sequence[Any], count: int) -> None:
        self._nodes = nodes
        self._roots = roots
        self.count = count
        self.key = (
            count,
            tuple((Same(value), tuple(children)) for value, children in nodes),
            tuple((Same(value), place) for value, place in roots),
        )

    def __eq__(self, other: object) -> bool:
        return type(other) is Closed and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def around(self, values: Sequence[Any]) -> list[Any]:
        """The functions again, with `values` in the places."""
        made: dict[int, Any] = {}
        return [value if place is None else self._built(place, values, made) for value, place in self._roots]

    def _built(self, place: int, values: Sequence[Any], made: dict[int, Any]) -> Any:
        if place < 0:
            return values[~place]
        if place not in made:
            value, children = self._nodes[place]
            if type(value) is FunctionType:
                announce = functools.partial(made.setdefault, place)
                _fill(value, children, announce, lambda child: self._built(child, values, made))
            else:
                pairs = zip(_parts(value) or (), children, strict=True)
                built = [p if c is None else self._built(c, values, made) for p, c in pairs]
                made.setdefault(place, _assembled(value, built))  # a cycle may have made it meanwhile
        return made[place]


class _Search:
    """Looks for traced values; remembers what it has seen."""

    def __init__(self) -> None:
        self.slots: dict[int, int] = {}
        self.values: list[Any] = []
        self.places: dict[int, int] = {}
        self.nodes: list[tuple[Any, list[int | None]]] = []

    def visit(self, value: Any) -> int | None:
        """The number of a node, or the complement of that of a traced value."""
        if isinstance(value, Tracer):
            if id(value) not in self.slots:
                self.slots[id(value)] = len(self.values)
                self.values.append(value)
            return ~self.slots[id(value)]
        if id(value) in self.places:
            return self.places[id(value)]
        parts = _parts(value)
        if not parts:
            return None
        place = self.places[id(value)] = len(self.nodes)
        children: list[int | None] = []
        self.nodes.append((value, children))
        children.extend([self.visit(part) for part in parts])
        return place


def close(functions: Sequence[Any]) -> tuple[Closed, list[Any]]:
    """Functions with the traced values that they close over taken out, and these values.

    Looks into closure cells, defaults, `functools.partial`, bound methods, pytrees and nested functions.
    """
    if all(map(_is_bare, functions)):
        return Closed((), [(function, None) for function in functions], 0), []
    search = _Search()
    found = [(function, search.visit(function)) for function in functions]
    nodes, values = search.nodes, search.values
    changed = _containing(nodes) if values else set()
    for _, children in nodes:
        children[:] = [c if c is not None and (c < 0 or c in changed) else None for c in children]
    roots = [(f, p if p is not None and (p < 0 or p in changed) else None) for f, p in found]
    kept = [(value, children) if i in changed else (None, ()) for i, (value, children) in enumerate(nodes)]
    return Closed(kept, roots, len(values)), values


def _is_bare(value: Any) -> bool:
    """Whether it is plain to see that a function holds nothing, without a look inside."""
    if type(value) is FunctionType:
        return not (value.__closure__ or value.__defaults__ or value.__kwdefaults__)
    return value is None


def _containing(nodes: Sequence[tuple[Any, list[int | None]]]) -> set[int]:
    """The nodes from which a place is reached."""
    users: dict[int, list[int]] = {}
    reached = []
    for place, (_, children) in enumerate(nodes):
        for child in children:
            if child is None:
                continue
            if child < 0:
                reached.append(place)
            else:
                users.setdefault(child, []).append(place)
    found: set[int] = set()
    while reached:
        place = reached.pop()
        if place not in found:
            found.add(place)
            reached.extend(users.get(place, ()))
    return found


def _parts(value: Any) -> Sequence[Any] | None:
    """What a value consists of, as far as traced values may be inside; None for anything else."""
    kind = type(value)
    if kind is FunctionType:
        cells = [_content(cell) for cell in value.__closure__ or ()]
        return [*cells, *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    if kind is MethodType:
        return [value.__func__, value.__self__]
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, Holder):
        return value.held()
    if value is _EMPTY or kind in (int, float, str, bool, type(None)) or isinstance(value, type):
        return None
    leaves, structure = tree.flatten(value)
    return None if structure == _LEAF else leaves


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _EMPTY


def _assembled(value: Any, parts: Sequence[Any]) -> Any:
    """The value with other parts; functions are made by `_fill`."""
    if type(value) is MethodType:
        return MethodType(parts[0], parts[1])
    if isinstance(value, functools.partial):
        count = 1 + len(value.args)
        return type(value)(parts[0], *parts[1:count], **dict(zip(value.keywords, parts[count:], strict=True)))
    if isinstance(value, Holder):
        return value.holding(parts)
    return tree.unflatten(tree.structure(value), parts)


def _fill(
    function: FunctionType,
    children: Sequence[int | None],
    announce: Callable[[FunctionType], Any],
    build: Callable[[int], Any],
) -> None:
    """Make a function again, announce it (it may refer to itself), then fill its cells and defaults."""
    cells = function.__closure__ or ()
    count = len(cells)
    fresh = tuple(c if place is None else CellType() for c, place in zip(cells, children, strict=False))
    made = FunctionType(function.__code__, function.__globals__, function.__name__, None, fresh)
    made.__dict__.update(function.__dict__)
    made.__qualname__, made.__module__, made.__doc__ = function.__qualname__, function.__module__, function.__doc__
    announce(made)
    for cell, place in zip(fresh, children, strict=False):
        if place is not None:
            cell.cell_contents = build(place)
    defaults = function.__defaults__ or ()
    named = function.__kwdefaults__ or {}
    given = [*defaults, *named.values()]
    built = [g if p is None else build(p) for g, p in zip(given, children[count:], strict=True)]
    made.__defaults__ = tuple(built[: len(defaults)]) if defaults else None
    made.__kwdefaults__ = dict(zip(named, built[len(defaults) :], strict=True)) if named else None


def closure_convert(fun: Callable[..., Any], *example_args: Any) -> tuple[Callable[..., Any], list[Any]]:
    """Turn the traced values that a function closes over into explicit arguments.

    The function is staged for arguments like the examples, so the values are found wherever they hide. Only values
    that derivatives can be taken of (traced, of inexact dtype) become arguments; all others stay inside.

    Args:
        fun: a pure function of arrays and pytrees of arrays.
        *example_args: arguments like those that it will be called with; only structures, shapes and dtypes matter.

    Returns:
        `(converted, values)`, where `converted(*args, *values)` computes `fun(*args)`.

    Raises:
        TreeError: `converted` is called with arguments of another structure or type.

    Example:
        >>> import funcgrad as fg
        >>> def f(w):
        ...     converted, values = fg.closure_convert(lambda x: w * x, 1.0)
        ...     return converted(3.0, *values), len(values)
        >>> fg.grad(f, has_aux=True)(2.0)
        (Array(3., dtype=float32), 1)
    """
    check_callable(fun, "closure_convert")
    leaves, in_tree = tree.flatten((example_args, {}))
    types = [lift(leaf).type for leaf in leaves]
    names = leaf_names(argument_names(fun, example_args, {}), example_args)
    traced = trace_function(fun, in_tree, types, names, "closure_convert")
    given = [isinstance(c, Tracer) and c.type.differentiable for c in traced.constants]
    kept = [c for c, g in zip(traced.constants, given, strict=True) if not g]
    hoisted = [c for c, g in zip(traced.constants, given, strict=True) if g]

    @functools.wraps(fun)
    def converted(*args: Any) -> Any:
        count = len(args) - len(hoisted)
        values, found = tree.flatten((args[:count], {}))
        if found != in_tree:
            raise TreeError(
                f"closure_convert: the converted function takes {len(example_args)} arguments like the examples, "
                f"then {len(hoisted)} values, got arguments of structure {found}"
            )
        values = [lift(value) for value in values]
        for value, type, name in zip(values, types, names, strict=True):
            if (value.shape, value.dtype) != (type.shape, type.dtype):
                raise TreeError(f"closure_convert: {name} is {value.type}, the example was {type}")
        explicit, inside = iter(args[count:]), iter(kept)
        constants = [lift(next(explicit)) if g else next(inside) for g in given]
        return traced.out_tree.unflatten(run_program(traced.program, [*constants, *values]))

    return converted, hoisted
