"""`jit`: trace a function once per argument types, compile it once, run it many times.

Arrays and Python numbers among the arguments are traced; every other leaf is static by value. On plain eager calls a
`Jitted` goes straight from its cache to the executable; inside another transformation it becomes one `Call`.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakMethod, WeakSet

from ..backend.array import Array
from ..backend.client import Device, default_device, find_device
from ..backend.executable import Executable
from ..backend.registry import flatten as flatten_leaves
from ..compiler.cache import clear as clear_compiled
from ..compiler.driver import Driver
from ..compiler.evaluate import common_device
from ..compiler.tiered import Tiered, prepare_program
from ..compiler.tiered import clear as clear_started
from ..config import config
from ..core.once import OnceCache
from ..core.program import Program, questions_asked, run_program
from ..core.trace import Tracer, bottom, named_axes, state
from ..errors import ArgumentError
from ..source import function_source, user_source
from ..transforms.arguments import FlatFunction, strong
from . import branch  # noqa: F401  (installs itself)
from .call import Call
from .donation import Donation
from .identity import HasIdentity, Identity, identity_of, is_plain
from .retrace import Retraces
from .shortcut import Shortcut, long_way, write_shortcut
from .signature import Arguments, ShapeDtypeStruct, complete_statics
from .stages import Dispatch, Lowered
from .traced import Traced, trace_function

__all__ = ["CacheInfo", "Jitted", "clear_caches", "disable_jit", "eval_shape", "jit", "make_program"]

_BOTTOM = bottom()


class CacheInfo(NamedTuple):
    """What a compiled function has done so far.

    Attributes:
        calls: how often it was called, also inside other transformations.
        hits: calls that needed no tracing.
        traces: how often its Python code was run to trace it.
        shared: traces that it took over from an equal function.
        programs: compiled programs that it uses.
        trace_seconds, compile_seconds: time spent. Waiting for another thread to compile counts.
    """

    calls: int
    hits: int
    traces: int
    shared: int
    programs: int
    trace_seconds: float
    compile_seconds: float


class _Options(NamedTuple):
    """How a function is to be compiled; see `jit`."""

    static_argnums: tuple[int, ...]
    static_argnames: tuple[str, ...]
    donate_argnums: tuple[int, ...]
    donate_argnames: tuple[str, ...]
    device: Device | None
    inline: bool
    regions: str | None
    tiered: bool | None


class _Counters:
    """The numbers behind `CacheInfo`."""

    __slots__ = ("compile_seconds", "forgotten", "inner", "missed", "shared", "trace_seconds", "traces")

    def __init__(self) -> None:
        self.inner = 0  # calls inside other transformations
        self.missed = 0  # calls that had to trace
        self.forgotten = 0  # calls of dispatches that are no longer remembered
        self.traces = 0
        self.shared = 0
        self.trace_seconds = 0.0
        self.compile_seconds = 0.0


class Jitted(HasIdentity):
    """A function that is compiled when called. Made by `fg.jit`.

    An instance's own `__call__` is the shortcut that it took last, or the long way: there is no frame between.
    """

    __slots__ = ("__call__",)  # Hot: a method would be a tenth of the call of a small program (benchmark: dispatch)

    if TYPE_CHECKING:

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def __init__(self, function: Callable[..., Any], options: _Options) -> None:
        functools.update_wrapper(self, function)
        self.__wrapped__ = function
        self._options = options
        self._dispatches: dict[Any, Dispatch] = {}
        self._shortcuts: dict[Any, Shortcut] = {}
        self._forget_shortcuts()
        self._traces = OnceCache(limit=4096)
        self._retraces = Retraces()
        self._counters = _Counters()
        _living.add(self)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"<jit of {function_source(self.__wrapped__)}>"

    def identity_parts(self) -> tuple[Any, ...]:
        attributes = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        statics = self._options.static_argnums, self._options.static_argnames
        return (statics, self._options.inline, self.__wrapped__, *attributes.items())

    def __copy__(self) -> Jitted:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Jitted:
        return self

    def _search(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call unlike the one before. What kind it is is known for sure only when its shortcut has been tried."""
        if state.trace is not _BOTTOM or self._options.static_argnums or self._options.static_argnames:
            return self._general(args, kwargs)
        leaves, in_tree = flatten_leaves((args, kwargs))
        kind = (in_tree, config.current, tuple([_kind_of(leaf) for leaf in leaves]))
        shortcut = self._shortcuts.pop(kind, None)
        if shortcut is None:
            return self._general(args, kwargs, kind)
        self.__call__ = shortcut
        found = shortcut(*args, **kwargs)  # where it does not take the call either, that is back here, without it
        self._shortcuts.setdefault(kind, shortcut)
        return found

    def _general(self, args: tuple[Any, ...], kwargs: dict[str, Any], kind: Any = None) -> Any:
        call = self._arguments(args, kwargs)
        values = call.values
        if config.current.disable_jit:
            return self._run_eagerly(call)
        if state.trace is not _BOTTOM or any(isinstance(value, Tracer) for value in values):
            return self._run_inside(call)
        device = common_device("jit", tuple(values)) or self._options.device
        place = device or default_device()
        key = (call.key, place, device is not None)
        dispatch = self._dispatches.get(key)
        again = dispatch is not None
        if dispatch is None:
            dispatch = self._dispatches[key] = self._dispatch(call, place, device is not None)
        buffers = [value.buffer(place) for value in values]
        if again:  # what is called once needs no shortcut
            self._take_shortcut(key, kind, call, dispatch)
        return dispatch(buffers, values)

    def _take_shortcut(self, key: Any, kind: Any, call: Arguments, dispatch: Dispatch) -> None:
        """Have a shortcut for calls like this one, and try it first."""
        key = (key, tuple([_kind_of(leaf) for leaf in call.leaves]))
        shortcut = self._shortcuts.get(key) or write_shortcut(call, dispatch, config.current, WeakMethod(self._search))
        if shortcut is not None:
            self._shortcuts[key] = shortcut
            self.__call__ = shortcut
            if kind is not None:
                self._shortcuts[kind] = shortcut

    def _run_inside(self, call: Arguments) -> Any:
        """Call it inside another transformation: one equation, or with `inline` all of its equations."""
        self._counters.inner += 1
        traced = self._counted(call)
        if self._options.inline:
            outs = run_program(traced.program, [*traced.constants, *call.values])
            return traced.out_tree.unflatten([strong(out) for out in outs])
        return traced.out_tree.unflatten(Call(traced.program)(*traced.constants, *call.values))

    def _run_eagerly(self, call: Arguments) -> Any:
        """Run the Python function itself, on what it would be traced with."""
        flat = FlatFunction(call.function, call.in_tree, named=self.__wrapped__)
        outs = flat(*call.values)
        return flat.out_tree.unflatten([strong(out) for out in outs])

    def _dispatch(self, call: Arguments, place: Device, committed: bool) -> Dispatch:
        traced = self._counted(call)
        donation = self._donation(call)
        donated = ()
        if donation is not None:
            donation.warn(traced.program, len(traced.constants))
            donated = donation.inputs(len(traced.constants))
        started = perf_counter()
        regions = self._options.regions or config.current.regions
        executable = prepare_program(traced.program, place, user_source(), donated, regions, self._options.tiered)
        self._counters.compile_seconds += perf_counter() - started
        if len(self._dispatches) > _DISPATCHES:
            self._forget_dispatches()
        dispatch = Dispatch(traced, executable, place, committed, donation)
        if type(executable) is Tiered:
            executable.successors.append(functools.partial(_take_over, dispatch, WeakMethod(self._forget_shortcuts)))
        return dispatch

    def _forget_dispatches(self) -> None:
        self._counters.forgotten += sum(dispatch.calls for dispatch in self._used())
        self._dispatches.clear()
        self._forget_shortcuts()

    def _forget_shortcuts(self) -> None:
        self._shortcuts.clear()
        self.__call__ = long_way(WeakMethod(self._search))

    def _used(self) -> list[Dispatch]:
        return list(self._dispatches.values())

    def _donation(self, call: Arguments) -> Donation | None:
        numbers, names = self._options.donate_argnums, self._options.donate_argnames
        places = call.donated(numbers, names) if numbers or names else []
        paths = call.names if places else []
        return Donation(self.__wrapped__, places, [paths[place] for place in places]) if places else None

    # -- tracing -------------------------------------------------------------------------------------------------

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        return Arguments(self.__wrapped__, self._options.static_argnums, self._options.static_argnames, args, kwargs)

    def _counted(self, call: Arguments) -> Traced:
        """The trace for a call, which counts as missed if there was none."""
        before = self._counters.traces + self._counters.shared
        traced = self._traced(call)
        self._counters.missed += self._counters.traces + self._counters.shared > before
        return traced

    def _traced(self, call: Arguments) -> Traced:
        key = (call.key, tuple(named_axes().items()))
        return self._traces.get(key, lambda: self._trace_or_share(call, key))

    def _trace_or_share(self, call: Arguments, key: Any) -> tuple[Traced, bool]:
        """The trace of an equal function if there is one; else the function is traced. Also whether to keep it."""
        identity = self._identity(call)
        if identity is None:
            return self._trace(call)
        keep = True
        before = self._counters.traces

        def trace() -> tuple[Traced, bool]:
            nonlocal keep
            traced, keep = self._trace(call)
            small = sum(constant.type.size for constant in traced.constants) < _SMALL or identity.holds_arrays
            return traced, keep and small and self._identity(call) == identity  # what it read may have changed

        store = _shared_with_arrays if identity.holds_arrays else _shared
        traced = store.get((identity.key, self._options.static_argnums, self._options.static_argnames, key), trace)
        self._counters.shared += self._counters.traces == before
        return traced, keep

    def _identity(self, call: Arguments) -> Identity | None:
        return identity_of(self.__wrapped__, *call.statics) if is_plain(call.structure) else None

    def _trace(self, call: Arguments) -> tuple[Traced, bool]:
        asked = questions_asked()
        started = perf_counter()
        traced = trace_function(call.function, call.in_tree, call.types, call.names, "jit")
        self._counters.trace_seconds += perf_counter() - started
        self._counters.traces += 1
        if state.trace is _BOTTOM:
            self._retraces.note(self.__wrapped__, call)
        closes_over_tracers = any(isinstance(constant, Tracer) for constant in traced.constants)
        return traced, not closes_over_tracers and questions_asked() == asked

    # -- public --------------------------------------------------------------------------------------------------

    def eager(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function as plain Python, nothing compiled, also not what it calls: for debuggers and prints."""
        with config(disable_jit=True):
            return self._general(args, kwargs)

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """Trace and lower for these arguments (arrays or `ShapeDtypeStruct`s) without compiling or running."""
        call = self._arguments(args, kwargs)
        regions = self._options.regions or config.current.regions
        return Lowered(self._traced(call), self._options.device or default_device(), self._donation(call), regions)

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The result's structure as `ShapeDtypeStruct`s, without computing it."""
        traced = self._traced(self._arguments(args, kwargs))
        return traced.out_tree.unflatten([ShapeDtypeStruct(t.shape, t.dtype) for t in traced.out_types])

    def cache_info(self) -> CacheInfo:
        """How often it was called, traced and compiled, and how long that took."""
        used, counters = self._used(), self._counters
        calls = counters.inner + counters.forgotten + sum(dispatch.calls for dispatch in used)
        programs = len({id(dispatch.executable) for dispatch in used})
        seconds = counters.trace_seconds, counters.compile_seconds
        return CacheInfo(calls, calls - counters.missed, counters.traces, counters.shared, programs, *seconds)

    def clear_cache(self) -> None:
        """Forget what was traced and compiled, and start counting anew."""
        self._dispatches.clear()
        self._forget_shortcuts()
        self._traces.clear()
        self._retraces = Retraces()
        self._counters = _Counters()


def _take_over(dispatch: Dispatch, forget_shortcuts: WeakMethod[Any], executable: Executable | Driver) -> None:
    """Run the compiled program from now on, by shortcuts of its own."""
    dispatch.take_over(executable)
    forget = forget_shortcuts()
    if forget is not None:
        forget()


def _kind_of(leaf: Any) -> Any:
    """What tells kinds of calls apart: as a rule, all calls with leaves of the same kinds can take one shortcut."""
    return leaf._placed or leaf.type if type(leaf) is Array else type(leaf)


_DISPATCHES = 1 << 14  # remembered ways to call one function
_living: WeakSet[Jitted] = WeakSet()
_SMALL = 1 << 16  # elements of the arrays made while tracing that an equal function may take over
_shared = OnceCache(limit=512)
_shared_with_arrays = OnceCache(limit=16)  # they keep the arrays alive that the functions close over


def disable_jit(disable: bool = True) -> Any:
    """A context manager: within it, in this thread, functions under `jit` run as plain Python.

    Example:
        >>> import funcgrad as fg
        >>> with fg.disable_jit():
        ...     float(fg.jit(lambda x: x * 2.0)(3.0))
        6.0
    """
    return config(disable_jit=disable)


def clear_caches() -> None:
    """Forget everything that was traced, transformed or compiled, in the whole process.

    Compiled programs on disk stay: `python -m funcgrad cache clear` removes them.

    Example:
        >>> import funcgrad as fg
        >>> fg.clear_caches()
    """
    for jitted in list(_living):
        jitted.clear_cache()
    _shared.clear()
    _shared_with_arrays.clear()
    clear_compiled()
    clear_started()
    for found in gc.get_objects():
        if type(found) is functools._lru_cache_wrapper:  # `isinstance` would ask the objects of other libraries
            module = found.__module__ or ""
            if module.startswith("funcgrad.") and not module.startswith("funcgrad.backend."):
                found.cache_clear()


def jit(
    fun: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    donate_argnums: int | Sequence[int] = (),
    donate_argnames: str | Sequence[str] = (),
    keep_unused: bool = False,
    device: str | Device | None = None,
    inline: bool = False,
    regions: str | None = None,
    tiered: bool | None = None,
) -> Any:
    """Compile a function with XLA; usable as a decorator, with or without options.

    Args:
        fun: a pure function of arrays, Python numbers and pytrees of them. Other leaves (strings, functions, None,
            …) are static: the function is traced anew for each value.
        static_argnums: positional arguments that are static although they are numbers or arrays-free trees.
        static_argnames: arguments that are static, by name.
        donate_argnums: positional arguments whose arrays the call may overwrite with its results. They cannot be used
            afterwards. Inside other transformations it has no effect.
        donate_argnames: donated arguments, by name.
        keep_unused: accepted for JAX's sake; arguments are never dropped.
        device: where to run; by default where committed arguments live, else the default device.
        inline: inside another transformation, write the function's equations out there instead of one call.
        regions: how repeated blocks are compiled: "auto" (each distinct block once, where that is worth while),
            "always" (wherever anything repeats) or "off" (the whole program at once); None: as `fg.config.regions`.
        tiered: compute with NumPy while the program is compiled in the background; on hosts only. None: as
            `fg.config.tiered`.

    Returns:
        A callable with `fun`'s signature, with `.lower(*args)`, `.eval_shape(*args)`, `.eager(*args)`, `.cache_info()`
        and `.clear_cache()`.

    Raises:
        ArgumentError: arguments that `fun` does not have, or that are both static and donated.
        StaticArgumentError: (when called) a static value that cannot be hashed.
        DonatedError: (when used) an array that was donated.

    Example:
        >>> import funcgrad as fg
        >>> float(fg.jit(lambda x: x * 2.0)(3.0))
        6.0
    """
    options = {
        "static_argnums": static_argnums,
        "static_argnames": static_argnames,
        "donate_argnums": donate_argnums,
        "donate_argnames": donate_argnames,
        "device": device,
        "inline": inline,
        "regions": regions,
        "tiered": tiered,
    }
    return functools.partial(jit, **options) if fun is None else Jitted(fun, _completed(fun, **options))


def _completed(
    fun: Callable[..., Any],
    static_argnums: int | Sequence[int],
    static_argnames: str | Sequence[str],
    donate_argnums: int | Sequence[int],
    donate_argnames: str | Sequence[str],
    device: str | Device | None,
    inline: bool,
    regions: str | None,
    tiered: bool | None,
) -> _Options:
    """The options of `jit`, checked and completed for a function."""
    if not callable(fun):
        raise ArgumentError(f"jit takes a function, got {type(fun).__name__}")
    static = complete_statics(fun, _tuple(static_argnums), _tuple(static_argnames))
    donated = complete_statics(fun, _tuple(donate_argnums), _tuple(donate_argnames), "donate")
    both = [*{*static[1]} & {*donated[1]}, *(str(number) for number in {*static[0]} & {*donated[0]})]
    if both:
        raise ArgumentError(
            f"jit of {function_source(fun)}: the argument {min(both, key=str.isdigit)} is both static and donated. "
            f"A static argument has no buffer that could be donated; leave it out of one of the two."
        )
    if regions not in (None, "auto", "always", "off"):
        raise ArgumentError(
            f"jit of {function_source(fun)}: regions={regions!r}: expected 'auto', 'always', 'off' or None"
        )
    if tiered not in (None, True, False):
        raise ArgumentError(f"jit of {function_source(fun)}: tiered={tiered!r}: expected True, False or None")
    return _Options(*static, *donated, None if device is None else find_device(device), inline, regions, tiered)


def _tuple(given: Any) -> tuple[Any, ...]:
    return (given,) if isinstance(given, (int, str)) else tuple(given)


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
