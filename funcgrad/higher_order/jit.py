"""`jit`: trace a function once per argument types, compile it once, run it many times.

Arrays and Python numbers among the arguments are traced; every other leaf is static by value. On plain eager calls a
`Jitted` goes straight from its cache to the executable; inside another transformation it becomes one `Call`.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from .. import tree
from ..backend.array import Array, Placed
from ..backend.client import Device, default_device, find_device
from ..backend.executable import Executable
from ..backend.registry import flatten as flatten_leaves
from ..compiler.cache import compile_program
from ..compiler.evaluate import common_device
from ..compiler.lower import lower_program
from ..compiler.simplify import simplify
from ..config import config
from ..core.dtypes import canonical
from ..core.program import Program, stage
from ..core.trace import Tracer, bottom, named_axes, state
from ..core.types import ArrayType
from ..errors import ArgumentError, StaticArgumentError
from ..source import function_source, user_source
from ..transforms.arguments import FlatFunction, argument_names, is_array_like, leaf_names, lift, strong
from .call import Call

__all__ = ["Compiled", "Jitted", "Lowered", "ShapeDtypeStruct", "eval_shape", "jit", "make_program"]


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


class Traced:
    """A function staged for given argument types.

    Attributes:
        program: the closed, simplified program; its first inputs are the arrays that the function closes over.
        constants: those arrays.
        out_tree: structure of the function's result.
    """

    __slots__ = ("constants", "out_tree", "out_types", "program")

    def __init__(self, program: Program, constants: Sequence[Any], out_tree: Any) -> None:
        self.program = program
        self.constants = tuple(constants)
        self.out_tree = out_tree
        self.out_types = tuple(t.strong() for t in program.out_types)


def trace_function(
    function: Callable[..., Any], in_tree: Any, types: Sequence[ArrayType], names: Sequence[str], what: str
) -> Traced:
    """Stage a function of pytrees, called with traced leaves of the given types."""
    flat = FlatFunction(function, in_tree)
    program = stage(lambda *leaves: [strong(out) for out in flat(*leaves)], types, (what, function), names)
    name = getattr(function, "__name__", "program")
    closed, constants = simplify(program).closed()
    closed.name = name if name.isidentifier() else "function"
    return Traced(closed, constants, flat.out_tree)


class Dispatch:
    """What an eager call needs: the executable, the buffers it closes over and how to wrap its results."""

    __slots__ = ("constants", "device", "executable", "out_placed", "out_tree", "out_types")

    def __init__(self, traced: Traced, executable: Executable, place: Device, committed: bool) -> None:
        self.executable = executable
        self.constants = [constant.buffer(place) for constant in traced.constants]
        self.out_tree = traced.out_tree
        self.out_types = traced.out_types
        self.out_placed = [Placed(t, place, committed) for t in traced.out_types]
        self.device = place if committed else None

    def __call__(self, buffers: list[Any]) -> Any:
        outs = self.executable(self.constants + buffers if self.constants else buffers)
        arrays = map(Array, repeat(None), outs, self.out_types, repeat(self.device), self.out_placed)
        return self.out_tree.unflatten(arrays)


_placed_of = attrgetter("_placed")
_buffer_of = attrgetter("_buffer")


class Jitted:
    """A function that is compiled when called. Made by `fg.jit`."""

    def __init__(
        self,
        function: Callable[..., Any],
        static_argnums: tuple[int, ...],
        static_argnames: tuple[str, ...],
        device: Device | None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.__wrapped__ = function
        self._static_argnums = static_argnums
        self._static_argnames = static_argnames
        self._has_static = bool(static_argnums or static_argnames)
        self._device = device
        self._dispatches: dict[Any, Dispatch] = {}
        self._traces: dict[Any, Traced] = {}
        self._lock = threading.RLock()

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"<jit of {function_source(self.__wrapped__)}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # Hot: the dispatch of compiled functions (benchmark: dispatch). What can run in C does.
        if state.trace is _BOTTOM and not self._has_static:
            leaves, in_tree = flatten_leaves((args, kwargs) if kwargs else args)
            try:
                placed = tuple(map(_placed_of, leaves))
            except AttributeError:
                return self._general(args, kwargs)
            if None in placed:
                for leaf in leaves:
                    leaf.buffer()
                placed = tuple(map(_placed_of, leaves))
            dispatch = self._dispatches.get((in_tree, config.current, placed))
            if dispatch is not None:
                return dispatch(list(map(_buffer_of, leaves)))
        return self._general(args, kwargs)

    def _general(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = _Arguments(self, args, kwargs)
        values = call.values
        if state.trace is not _BOTTOM or any(isinstance(value, Tracer) for value in values):
            traced = self._traced(call)
            results = Call(traced.program)(*traced.constants, *values)
            return traced.out_tree.unflatten(results)
        device = common_device(f"jit of {self.__wrapped__}", tuple(values)) or self._device
        place = device or default_device()
        key = (call.key, place, device is not None)
        dispatch = self._dispatches.get(key)
        if dispatch is None:
            traced = self._traced(call)
            executable = compile_program(traced.program, place, user_source())
            dispatch = self._dispatches[key] = Dispatch(traced, executable, place, device is not None)
        buffers = [value.buffer(place) for value in values]
        if call.plain_tree is not None and all(value._placed.place is place for value in values):
            placed = tuple([value._placed for value in values])
            self._dispatches[call.plain_tree, config.current, placed] = dispatch
        return dispatch(buffers)

    def _traced(self, call: _Arguments) -> Traced:
        key = (call.key, tuple(named_axes().items()))
        with self._lock:
            found = self._traces.get(key)
            if found is None:
                found = trace_function(call.function, call.in_tree, call.types, call.names, "jit")
                if not any(isinstance(constant, Tracer) for constant in found.constants):
                    self._traces[key] = found
        return found

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """Trace and lower for these arguments (arrays or `ShapeDtypeStruct`s) without compiling or running."""
        call = _Arguments(self, args, kwargs)
        return Lowered(self._traced(call), self._device or default_device())

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The result's structure as `ShapeDtypeStruct`s, without computing it."""
        traced = self._traced(_Arguments(self, args, kwargs))
        return traced.out_tree.unflatten([ShapeDtypeStruct(t.shape, t.dtype) for t in traced.out_types])

    def clear_cache(self) -> None:
        """Forget what was traced and compiled."""
        self._dispatches.clear()
        self._traces.clear()


_BOTTOM = bottom()


class _Arguments:
    """One call's arguments, taken apart: traced leaves and their types, and everything static as part of the key."""

    def __init__(self, jitted: Jitted, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        function = jitted.__wrapped__
        dynamic_args, dynamic_kwargs, fixed = _separate_static(jitted, args, kwargs)
        leaves, in_tree = tree.flatten((tuple(dynamic_args), dynamic_kwargs))
        traced = [is_array_like(leaf) or isinstance(leaf, ShapeDtypeStruct) for leaf in leaves]
        self._original = (function, args, kwargs)
        if all(traced):
            self.values = [leaf if type(leaf) is Array else _lift(leaf) for leaf in leaves]
            self.static_leaves: tuple[Any, ...] = ()
        else:
            self.values = [_lift(leaf) for leaf, t in zip(leaves, traced, strict=True) if t]
            self.static_leaves = tuple(
                (i, leaf) for i, (leaf, t) in enumerate(zip(leaves, traced, strict=True)) if not t
            )
        self.types = [value.type for value in self.values]
        self._outer_tree = in_tree
        self._traced = traced
        self._fixed = fixed
        statics = tuple((i, type(leaf), leaf) for i, leaf in self.static_leaves)
        self.key = (in_tree, tuple(self.types), config.current, statics, tuple((p, type(v), v) for p, v in fixed))
        _check_hashable(self.key, jitted, self, fixed)
        self.plain_tree = None  # the key of the quick path, if every leaf is an array
        if not statics and not fixed and all(type(leaf) is Array for leaf in leaves):
            self.plain_tree = in_tree if kwargs else tree.structure(args)
        self.in_tree = tree.structure((tuple(self.values), {}))

    @property
    def names(self) -> list[str]:
        """A name for every traced leaf."""
        function, args, kwargs = self._original
        fixed = {place for place, _ in self._fixed}
        every = argument_names(function, args, kwargs)
        kept_names = [n for i, n in enumerate(every[: len(args)]) if i not in fixed]
        kept = [a for i, a in enumerate(args) if i not in fixed]
        kept_kwargs = {k: v for k, v in kwargs.items() if k not in fixed}
        names = leaf_names([*kept_names, *sorted(kept_kwargs)], [*kept, *(kept_kwargs[k] for k in sorted(kept_kwargs))])
        return [name for name, traced in zip(names, self._traced, strict=True) if traced]

    @property
    def function(self) -> Callable[..., Any]:
        """The function of the traced leaves alone, statics put back in their places."""
        function, args, _ = self._original
        statics = dict(self.static_leaves)
        fixed = dict(self._fixed)

        @functools.wraps(function)
        def with_statics(*values: Any) -> Any:
            given = iter(values)
            leaves = [next(given) if traced else statics[i] for i, traced in enumerate(self._traced)]
            rest, kwargs = self._outer_tree.unflatten(leaves)
            remaining = iter(rest)
            positional = [fixed[i] if i in fixed else next(remaining) for i in range(len(args))]
            named = {name: value for name, value in fixed.items() if isinstance(name, str)}
            return function(*positional, **kwargs, **named)

        return with_statics


def _lift(leaf: Any) -> Any:
    return leaf if isinstance(leaf, ShapeDtypeStruct) else lift(leaf)


def _separate_static(
    jitted: Jitted, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any], list[tuple[Any, Any]]]:
    """Dynamic positional arguments, dynamic keyword arguments, and (place, value) of the static ones."""
    numbers = {n % len(args) if -len(args) <= n < 0 else n for n in jitted._static_argnums} if args else set()
    dynamic = [arg for i, arg in enumerate(args) if i not in numbers]
    fixed: list[tuple[Any, Any]] = [(i, arg) for i, arg in enumerate(args) if i in numbers]
    dynamic_kwargs = {name: value for name, value in kwargs.items() if name not in jitted._static_argnames}
    fixed.extend((name, kwargs[name]) for name in sorted(kwargs) if name in jitted._static_argnames)
    return dynamic, dynamic_kwargs, fixed


def _check_hashable(key: Any, jitted: Jitted, call: _Arguments, fixed: Sequence[tuple[Any, Any]]) -> None:
    try:
        hash(key)
    except TypeError:
        function, args, kwargs = call._original
        names = argument_names(function, args, kwargs)
        for place, value in [*fixed, *call.static_leaves]:
            try:
                hash(value)
            except TypeError:
                name = place if isinstance(place, str) else names[place] if (place, value) in fixed else f"leaf {place}"
                raise StaticArgumentError(
                    f"jit of {function_source(function)}: the static argument {name} is of type "
                    f"{type(value).__name__}, which cannot be hashed, so it cannot be part of the compiled "
                    f"function's key.\nPass a hashable value (a tuple instead of a list), or make it a traced argument."
                ) from None
        raise


class Lowered:
    """A program lowered to StableHLO for a device, not yet compiled."""

    def __init__(self, traced: Traced, device: Device) -> None:
        self._traced = traced
        self._device = device
        self._module = lower_program(traced.program, device.platform)

    @property
    def program(self) -> Program:
        return self._traced.program

    def as_text(self, debug: bool = False) -> str:
        """The StableHLO text; with `debug`, with the user's lines."""
        return self._module.text(debug)

    def compile(self) -> Compiled:
        """Compile it."""
        return Compiled(self._traced, compile_program(self._traced.program, self._device, user_source()), self._device)


class Compiled:
    """A compiled function for fixed argument types; call it with such arguments."""

    def __init__(self, traced: Traced, executable: Executable, device: Device) -> None:
        self._executable = executable
        self._device = device
        self._types = traced.program.in_types[len(traced.constants) :]
        self._dispatch = Dispatch(traced, executable, device, False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run; the leaves of the arguments must have the types it was compiled for.

        Raises:
            ArgumentError: other types or another number of leaves.
        """
        leaves = [lift(leaf) for leaf in tree.leaves((args, kwargs)) if is_array_like(leaf)]
        types = tuple(leaf.type for leaf in leaves)
        if types != self._types:
            raise ArgumentError(
                f"compiled for ({', '.join(map(str, self._types))}), called with ({', '.join(map(str, types))})"
            )
        return self._dispatch([leaf.buffer(self._device) for leaf in leaves])

    def as_text(self) -> str:
        """The optimised HLO."""
        return self._executable.text()

    def cost_analysis(self) -> dict[str, float]:
        """XLA's estimates: flops, bytes accessed, …"""
        return self._executable.cost_analysis()

    def memory_analysis(self) -> Any:
        """Bytes of arguments, outputs, temporaries and generated code."""
        return self._executable.memory_analysis()


def jit(
    fun: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    device: str | Device | None = None,
) -> Any:
    """Compile a function with XLA; usable as a decorator, with or without options.

    Args:
        fun: a pure function of arrays, Python numbers and pytrees of them. Other leaves (strings, functions, None,
            …) are static: the function is traced anew for each value.
        static_argnums: positional arguments that are static although they are numbers or arrays-free trees.
        static_argnames: arguments that are static, by name.
        device: where to run; by default where committed arguments live, else the default device.

    Returns:
        A callable with `fun`'s signature, with `.lower(*args)`, `.eval_shape(*args)` and `.clear_cache()`.

    Raises:
        StaticArgumentError: (when called) a static value that cannot be hashed.

    Example:
        >>> import funcgrad as fg
        >>> float(fg.jit(lambda x: x * 2.0)(3.0))
        6.0
    """
    if fun is None:
        return functools.partial(jit, static_argnums=static_argnums, static_argnames=static_argnames, device=device)
    if not callable(fun):
        raise ArgumentError(f"jit takes a function, got {type(fun).__name__}")
    numbers = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    numbers, names = _complete_statics(fun, numbers, names)
    return Jitted(fun, numbers, names, None if device is None else find_device(device))


def _complete_statics(
    fun: Callable[..., Any], numbers: tuple[int, ...], names: tuple[str, ...]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Static arguments by number and by name, each derived from the other where the signature tells."""
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
            raise ArgumentError(f"static_argnames names {name!r}, but {function_source(fun)} has no such argument")
    for number in numbers:
        if not -len(places) <= number < len(places) and not variadic:
            raise ArgumentError(f"static_argnums names argument {number}, but {function_source(fun)} has {len(places)}")
    every_number = {n % len(places) if places and -len(places) <= n < 0 else n for n in numbers}
    every_number |= {places.index(name) for name in names if name in places}
    every_name = {*names, *(places[n] for n in every_number if n < len(places))}
    return tuple(sorted(every_number)), tuple(sorted(every_name))


def make_program(fun: Callable[..., Any], static_argnums: int | Sequence[int] = ()) -> Callable[..., Program]:
    """A function that traces `fun` for given arguments and returns its Program, which prints.

    Example:
        >>> import funcgrad as fg
        >>> print(fg.make_program(lambda x: x * 2.0)(1.5))
        { lambda a:f32[]* . let
            b:f32[] = mul a 2.0:f32[]
            c:f32[]* = convert[dtype=float32, weak=True] b
            d:f32[] = convert[dtype=float32, weak=False] c
          in (d) }
    """
    jitted = jit(fun, static_argnums=static_argnums)

    @functools.wraps(fun)
    def traced(*args: Any, **kwargs: Any) -> Program:
        call = _Arguments(jitted, args, kwargs)
        return trace_function(call.function, call.in_tree, call.types, call.names, "make_program").program

    return traced


def eval_shape(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The shapes and dtypes of `fun(*args, **kwargs)`, without computing anything.

    Args:
        fun: any function of arrays.
        *args, **kwargs: arrays, numbers, `ShapeDtypeStruct`s or trees of them.

    Returns:
        The result's tree with `ShapeDtypeStruct` leaves.
    """
    return jit(fun).eval_shape(*args, **kwargs)
