"""`jit`: trace a function once per argument types, compile it once, run it many times.

Arrays and Python numbers among the arguments are traced; every other leaf is static by value. On plain eager calls a
`Jitted` goes straight from its cache to the executable; inside another transformation it becomes one `Call`.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from ..backend.client import Device, default_device, find_device
from ..backend.registry import flatten as flatten_leaves
from ..compiler.cache import compile_program
from ..compiler.evaluate import common_device
from ..config import config
from ..core.program import Program
from ..core.trace import Tracer, bottom, named_axes, state
from ..errors import ArgumentError
from ..source import function_source, user_source
from .call import Call
from .signature import Arguments, ShapeDtypeStruct, complete_statics
from .stages import Dispatch, Lowered
from .traced import Traced, trace_function

__all__ = ["Jitted", "eval_shape", "jit", "make_program"]

_BOTTOM = bottom()
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
            dispatch = self._dispatches.get((in_tree, config.current, placed))
            if dispatch is None and None in placed:  # some leaf has no buffer yet
                for leaf in leaves:
                    leaf.buffer()
                dispatch = self._dispatches.get((in_tree, config.current, tuple(map(_placed_of, leaves))))
            if dispatch is not None:
                return dispatch(list(map(_buffer_of, leaves)))
        return self._general(args, kwargs)

    def _general(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = self._arguments(args, kwargs)
        values = call.values
        if state.trace is not _BOTTOM or any(isinstance(value, Tracer) for value in values):
            traced = self._traced(call)
            results = Call(traced.program)(*traced.constants, *values)
            return traced.out_tree.unflatten(results)
        device = common_device("jit", tuple(values)) or self._device
        place = device or default_device()
        key = (call.key, place, device is not None)
        dispatch = self._dispatches.get(key)
        if dispatch is None:
            traced = self._traced(call)
            executable = compile_program(traced.program, place, user_source())
            dispatch = self._dispatches[key] = Dispatch(traced, executable, place, device is not None)
        buffers = [value.buffer(place) for value in values]
        placed = tuple([value._placed for value in values])
        if call.quick_tree is not None and all(p is not None and p.place is place for p in placed):
            self._dispatches[call.quick_tree, config.current, placed] = dispatch
        return dispatch(buffers)

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        return Arguments(self.__wrapped__, self._static_argnums, self._static_argnames, args, kwargs)

    def _traced(self, call: Arguments) -> Traced:
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
        call = self._arguments(args, kwargs)
        return Lowered(self._traced(call), self._device or default_device())

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The result's structure as `ShapeDtypeStruct`s, without computing it."""
        traced = self._traced(self._arguments(args, kwargs))
        return traced.out_tree.unflatten([ShapeDtypeStruct(t.shape, t.dtype) for t in traced.out_types])

    def clear_cache(self) -> None:
        """Forget what was traced and compiled."""
        self._dispatches.clear()
        self._traces.clear()


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
    numbers, names = complete_statics(fun, numbers, names)
    return Jitted(fun, numbers, names, None if device is None else find_device(device))


def make_program(fun: Callable[..., Any], static_argnums: int | Sequence[int] = ()) -> Callable[..., Program]:
    """A function that traces `fun` for given arguments and returns its Program, which prints.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> print(fg.make_program(lambda x: x * 2.0)(fnp.ones(3)))
        { lambda a:f32[3] . let
            b:f32[3] = mul a 2.0:f32[3]
          in (b) }
    """
    jitted = jit(fun, static_argnums=static_argnums)

    @functools.wraps(fun)
    def traced(*args: Any, **kwargs: Any) -> Program:
        call = jitted._arguments(args, kwargs)
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
