"""A call's arguments, taken apart for `jit`: traced leaves and their types; everything else, static, as a key."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

from .. import tree
from ..backend.array import Array
from ..config import config
from ..core.dtypes import canonical
from ..core.types import ArrayType
from ..errors import ArgumentError, StaticArgumentError
from ..source import function_source
from ..transforms.arguments import argument_names, is_array_like, leaf_names, lift

__all__ = ["Arguments", "ShapeDtypeStruct", "complete_statics"]


class ShapeDtypeStruct:
    """The shape and dtype of an array without its value, for `eval_shape`, `lower` and `make_program`."""

    __slots__ = ("type",)

    def __init__(self, shape: Sequence[int], dtype: Any) -> None:
        self.type = ArrayType(tuple(shape), canonical(dtype))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.shape

    @property
    def dtype(self) -> Any:
        return self.type.dtype

    @property
    def ndim(self) -> int:
        return self.type.ndim

    @property
    def size(self) -> int:
        return self.type.size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShapeDtypeStruct) and self.type is other.type

    def __hash__(self) -> int:
        return hash(self.type)

    def __repr__(self) -> str:
        return f"ShapeDtypeStruct(shape={self.shape}, dtype={self.dtype.name})"


class Arguments:
    """One call's arguments.

    Attributes:
        args, kwargs: as they came.
        fixed: the static arguments, by place or name.
        structure: the tree of all the others.
        leaves: its leaves, as they came.
        traced: which of them are traced.
        values, types: the traced leaves, as arrays.
        key: structure, types and statics: what decides whether the function must be traced anew.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        static_argnums: Sequence[int],
        static_argnames: Sequence[str],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        what: str = "jit",
    ) -> None:
        self.args, self.kwargs = args, kwargs
        self._function, self._what = function, what
        dynamic, dynamic_kwargs, self.fixed = _separate(static_argnums, static_argnames, args, kwargs)
        self.leaves, self.structure = tree.flatten((tuple(dynamic), dynamic_kwargs))
        self.traced = [is_array_like(leaf) or isinstance(leaf, ShapeDtypeStruct) for leaf in self.leaves]
        self.values = [_lift(leaf) for leaf, traced in zip(self.leaves, self.traced, strict=True) if traced]
        self._static_leaves = {i: leaf for i, leaf in enumerate(self.leaves) if not self.traced[i]}
        self.types = [value.type for value in self.values]
        self.in_tree = tree.structure((tuple(self.values), {}))
        self.key = (self.structure, tuple(self.types), config.current, self._static_key())

    def _static_key(self) -> Any:
        statics = (*self.fixed.items(), *self._static_leaves.items())
        key = tuple([(place, static_key(value)) for place, value in statics])
        try:
            hash(key)
        except TypeError:
            raise self._unhashable() from None
        return key

    def _unhashable(self) -> StaticArgumentError:
        positional = argument_names(self._function, self.args, {})
        named = [(positional[p] if isinstance(p, int) else p, value) for p, value in self.fixed.items()]
        names = self._leaf_names()
        named.extend((names[i], value) for i, value in self._static_leaves.items())
        name, value = next((name, value) for name, value in named if not _hashable(value))
        return StaticArgumentError(
            f"{self._what} of {function_source(self._function)}: the static argument {name} is of type "
            f"{type(value).__name__}, which cannot be hashed, so it cannot be part of the compiled function's key.\n"
            f"Pass a hashable value (a tuple instead of a list), or make it a traced argument."
        )

    def _leaf_names(self) -> list[str]:
        positional = argument_names(self._function, self.args, {})
        kept = [(n, a) for i, (n, a) in enumerate(zip(positional, self.args, strict=True)) if i not in self.fixed]
        kept += [(name, self.kwargs[name]) for name in sorted(self.kwargs) if name not in self.fixed]
        return leaf_names([name for name, _ in kept], [value for _, value in kept])

    def donated(self, numbers: Sequence[int], names: Sequence[str]) -> list[int]:
        """The traced leaves, by number, that belong to the arguments with these numbers and names."""
        count = len(self.args)
        given = {n % count for n in numbers if -count <= n < count}
        parts = [(i in given, arg) for i, arg in enumerate(self.args) if i not in self.fixed]
        parts += [(name in names, self.kwargs[name]) for name in sorted(self.kwargs) if name not in self.fixed]
        flags = [flag for flag, part in parts for _ in tree.leaves(part)]
        return [i for i, flag in enumerate(f for f, t in zip(flags, self.traced, strict=True) if t) if flag]

    @property
    def statics(self) -> list[Any]:
        """The static values."""
        return [*self.fixed.values(), *self._static_leaves.values()]

    @property
    def named_statics(self) -> dict[str, Any]:
        """Every static value by its name or path."""
        positional = argument_names(self._function, self.args, {})
        found = {positional[p] if isinstance(p, int) else p: value for p, value in self.fixed.items()}
        names = self._leaf_names()
        found.update((names[i], value) for i, value in self._static_leaves.items())
        return found

    @property
    def names(self) -> list[str]:
        """A name for every traced leaf."""
        return [name for name, traced in zip(self._leaf_names(), self.traced, strict=True) if traced]

    @property
    def function(self) -> Callable[..., Any]:
        """The function of the traced leaves alone, statics put back in their places."""

        @functools.wraps(self._function)
        def with_statics(*values: Any) -> Any:
            given = iter(values)
            leaves = [next(given) if traced else self._static_leaves[i] for i, traced in enumerate(self.traced)]
            rest, kwargs = self.structure.unflatten(leaves)
            remaining = iter(rest)
            places = range(len(self.args))
            positional = [self.fixed[i] if i in self.fixed else next(remaining) for i in places]
            named = {name: value for name, value in self.fixed.items() if isinstance(name, str)}
            return self._function(*positional, **kwargs, **named)

        return with_statics


def static_key(value: Any) -> Any:
    """A key that tells apart what `==` does not: 1, 1.0 and True, 0.0 and -0.0, also inside tuples."""
    if type(value) is tuple:
        return (tuple, *map(static_key, value))
    if type(value) is float:
        return (float, value, math.copysign(1.0, value))
    return (type(value), value)


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _lift(leaf: Any) -> Any:
    return leaf if type(leaf) is Array or isinstance(leaf, ShapeDtypeStruct) else lift(leaf)


def _separate(
    static_argnums: Sequence[int], static_argnames: Sequence[str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any], dict[int | str, Any]]:
    """Traced positional arguments, traced keyword arguments, and the static ones by place or name."""
    if not static_argnums and not static_argnames:
        return list(args), kwargs, {}
    numbers = {n % len(args) if -len(args) <= n < 0 else n for n in static_argnums} if args else set()
    fixed: dict[int | str, Any] = {i: arg for i, arg in enumerate(args) if i in numbers}
    fixed.update((name, kwargs[name]) for name in sorted(kwargs) if name in static_argnames)
    dynamic = [arg for i, arg in enumerate(args) if i not in numbers]
    return dynamic, {name: value for name, value in kwargs.items() if name not in fixed}, fixed


def complete_statics(
    fun: Callable[..., Any], numbers: tuple[int, ...], names: tuple[str, ...], what: str = "static"
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Arguments by number and by name, each derived from the other where the signature tells.

    Args:
        fun: the function.
        numbers, names: given as `<what>_argnums` and `<what>_argnames`.
        what: what is to be done with them, such as "static", for messages.
    """
    if not numbers and not names:
        return numbers, names
    try:
        parameters = list(inspect.signature(fun).parameters.values())
    except (TypeError, ValueError):
        return numbers, names
    places = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    known = {p.name for p in parameters}
    keywords = any(p.kind is p.VAR_KEYWORD for p in parameters)
    for name in names:
        if name not in known and not keywords:
            raise ArgumentError(f"{what}_argnames names {name!r}, but {function_source(fun)} has no such argument")
    for number in numbers:
        if not -len(places) <= number < len(places) and not variadic:
            raise ArgumentError(f"{what}_argnums names argument {number}, but {function_source(fun)} has {len(places)}")
    every_number = {n % len(places) if places and -len(places) <= n < 0 else n for n in numbers}
    every_number |= {places.index(name) for name in names if name in places}
    every_name = {*names, *(places[n] for n in every_number if n < len(places))}
    return tuple(sorted(every_number)), tuple(sorted(every_name))
