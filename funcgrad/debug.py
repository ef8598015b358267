"""Looking at values while a program runs: `print`, `callback` and `breakpoint`, which work under every transformation.

All three only watch: differentiation shows them the values, `vmap` shows them one element after another, and compiled
code does what it would do without them.
"""

from __future__ import annotations

import bdb
import builtins
import functools
import os
import pdb
import string
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any

import numpy as np

from . import tree
from .backend.array import Array
from .core.interned import Interned
from .core.trace import Tracer, bottom, run_under, staging
from .errors import ArgumentError
from .higher_order.callback import call_back
from .higher_order.traced import is_concrete
from .ops.structure import zeros_of
from .source import user_frame
from .transforms.arguments import is_array_like, lift

__all__ = ["breakpoint", "callback", "print"]

_HOOK = "__open_debugger__"
_TRACED = object()


def callback(callback: Callable[..., Any], *args: Any, ordered: bool = False, **kwargs: Any) -> None:
    """Call a Python function with the values of arrays, also from compiled code; what it returns is ignored.

    Args:
        callback: called as `callback(*args, **kwargs)` with concrete arrays.
        *args, **kwargs: trees of arrays and numbers; other leaves are passed as they are.
        ordered: whether the call happens after all ordered calls that were written before it.

    Example:
        >>> import funcgrad as fg
        >>> seen = []
        >>> def loss(x):
        ...     fg.debug.callback(lambda v: seen.append(float(v)), x)
        ...     return x * x
        >>> float(fg.jit(fg.grad(loss))(3.0)), seen
        (6.0, [3.0])
    """
    call_back("debug.callback", callback, None, _effect(ordered), args, kwargs, watches=True)


def print(fmt: str, *args: Any, ordered: bool = False, **kwargs: Any) -> None:
    """Print the values of arrays when they are computed, also from compiled code.

    Args:
        fmt: a format string, as of `str.format`. Arrays are written as NumPy writes them; a format such as `{x:.3f}`
            applies to every element.
        *args, **kwargs: what the format string names: trees of arrays, numbers and any objects.
        ordered: whether the line appears after those of all ordered calls that were written before it.

    Raises:
        ArgumentError: format string and arguments do not fit, told when the call is traced.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> y = fg.jit(lambda x: fg.debug.print("x = {x:.1f}, {}", x.sum(), x=x))(fnp.array([1.0, 2.0]))
        x = [1.0 2.0], 3.0
    """
    if not isinstance(fmt, str):
        raise ArgumentError(
            f"debug.print: the first argument is a format string, got {type(fmt).__name__}; "
            f"write fg.debug.print('{{}}', x)"
        )
    _check_format(fmt, args, kwargs)
    call_back("debug.print", Printer(fmt), None, _effect(ordered), args, kwargs, watches=True)


def breakpoint(*, num_frames: int = 1, ordered: bool = False) -> None:
    """Open a debugger where the program has come to, also in compiled code.

    Eagerly this is Python's own `breakpoint()`: one can step on from here. Where values are traced, the debugger opens
    when the program runs, once per element under `vmap`, and shows the local variables of the traced function with
    their values; `c` goes on, `q` ends the program. The environment variable PYTHONBREAKPOINT and `sys.breakpointhook`
    choose another debugger or none, as they do for `breakpoint()`.

    Args:
        num_frames: how many of the functions that were being called to show, the innermost included.
        ordered: whether it opens after all ordered calls that were written before it.

    Raises:
        BdbQuit: (out of the running program) the debugger was quit.
    """
    frame = user_frame()
    if frame is None:
        return
    traced: list[Any] = []
    snapshots = [Snapshot(f, traced) for f in _callers(frame, num_frames)]
    if not staging() and all(is_concrete(value) for value in traced):
        if _other_debugger():
            sys.breakpointhook()  # which knows what PYTHONBREAKPOINT=0 means
        else:
            pdb.Pdb(skip=["funcgrad.*"]).set_trace(frame)
        return

    def debugger(*values: Array) -> None:
        given = iter(values)
        _open([(snapshot, snapshot.filled(given)) for snapshot in snapshots])

    call_back("debug.breakpoint", debugger, None, _effect(ordered), tuple(traced), {}, watches=True)


def _effect(ordered: bool) -> str:
    return "ordered" if ordered else "callback"


# -- printing ----------------------------------------------------------------------------------------------------------


class Printer(Interned):
    """Prints its arguments in one write, so that lines of several threads do not mix; equal if the format is."""

    fmt: str

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        text = _formatter.vformat(self.fmt, args, kwargs)
        builtins.print(text + "\n", end="", flush=True)  # noqa: T201 (printing is what it is for)


class _Formatter(string.Formatter):
    """`str.format`, where a format applies to every element of an array, and every argument must be used."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if not isinstance(value, Array) or not format_spec:
            return format(value, format_spec)
        host = value.host()
        if host.dtype.kind not in "biufc":
            host = host.astype(np.float32)
        if host.ndim == 0:
            return format(host.item(), format_spec)

        def one(element: Any) -> str:
            return format(element.item(), format_spec)

        return np.array2string(host, formatter={"all": one})

    def check_unused_args(self, used_args: set[int | str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        unused = [i for i in range(len(args)) if i not in used_args] + [k for k in kwargs if k not in used_args]
        if unused:
            names = ", ".join(f"number {name}" if isinstance(name, int) else str(name) for name in unused)
            raise ValueError(f"it does not use the argument{'s' * (len(unused) > 1)} {names}")


_formatter = _Formatter()


def _check_format(fmt: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Format zeros of the same types, which fails where formatting the values would."""
    given = tree.map(lambda leaf: zeros_of(lift(leaf).type.strong()) if is_array_like(leaf) else leaf, (args, kwargs))
    try:
        run_under(bottom(), _formatter.vformat, fmt, *given)
    except Exception as error:  # whatever the formats and attributes of the arguments raise
        reasons = {KeyError: "it names an argument that is not given: ", IndexError: "it wants more than is given: "}
        raise ArgumentError(
            f"debug.print: the format string {fmt!r} does not fit its arguments: "
            f"{reasons.get(type(error), '')}{getattr(error, 'message', error)}.\n"
            f"Write one {{}} or {{name}} for each argument, as for str.format: fg.debug.print('x = {{}}', x)."
        ) from None


# -- the debugger ------------------------------------------------------------------------------------------------------


class Snapshot:
    """The local variables of a function that is being traced.

    Args:
        frame: the function's.
        traced: to which the traced values among the leaves of its local variables are added.
    """

    def __init__(self, frame: FrameType, traced: list[Any]) -> None:
        self._code = frame.f_code
        self._line = frame.f_lineno
        self._module = frame.f_globals
        self._variables: dict[str, Any] = {}
        self._trees: dict[str, tuple[list[Any], Any]] = {}
        for name, value in frame.f_locals.items():
            leaves, structure = _flatten(value)
            found = [leaf for leaf in leaves if isinstance(leaf, Tracer) and not leaf.made_by.ended]
            if found:
                traced += found
                kept = [_TRACED if any(leaf is x for x in found) else leaf for leaf in leaves]
                self._trees[name] = kept, structure
            else:
                self._variables[name] = value

    def filled(self, given: Iterator[Array]) -> dict[str, Any]:
        """The local variables, with the next of the given values in place of traced ones."""
        variables = dict(self._variables)
        for name, (leaves, structure) in self._trees.items():
            variables[name] = structure.unflatten([next(given) if leaf is _TRACED else leaf for leaf in leaves])
        return variables

    def call(self, inner: Callable[[], Any], variables: dict[str, Any]) -> Callable[[], Any]:
        """A function that calls `inner` from a frame that a debugger takes for that of the traced function."""
        code = compile("\n" * (self._line - 1) + f"{_HOOK}()", self._code.co_filename, "exec")
        code = code.replace(co_name=self._code.co_name, co_qualname=self._code.co_qualname)
        variables[_HOOK] = inner
        return functools.partial(exec, code, self._module, variables)


def _flatten(value: Any) -> tuple[list[Any], Any]:
    try:
        return tree.flatten(value)
    except Exception:  # a container of the user's that cannot be taken apart, such as a dict with keys of mixed types
        return [], None


def _callers(frame: FrameType, count: int) -> list[FrameType]:
    """The user's innermost frames, the outermost of them first."""
    found = [frame]
    above = frame.f_back
    while above is not None and len(found) < count:
        if (above.f_globals.get("__name__") or "").partition(".")[0] != __package__:
            found.append(above)
        above = above.f_back
    return found[::-1]


def _other_debugger() -> bool:
    """Whether the user has chosen another debugger than Python's."""
    chosen = os.environ.get("PYTHONBREAKPOINT") or "pdb.set_trace"
    return chosen != "pdb.set_trace" or sys.breakpointhook is not sys.__breakpointhook__


def _open(levels: Sequence[tuple[Snapshot, dict[str, Any]]]) -> None:
    """Open the debugger in frames with these variables, each called by the one before."""

    def prompt() -> None:
        frame: Any = sys._getframe().f_back
        outermost = frame
        for _ in levels[1:]:
            outermost = outermost.f_back
        for _, variables in levels:
            del variables[_HOOK]
        debugger = pdb.Pdb(nosigint=True)
        debugger.reset()
        debugger.botframe = outermost
        debugger.interaction(frame, None)
        if debugger.quitting:
            raise bdb.BdbQuit

    inner: Callable[[], Any] = sys.breakpointhook if _other_debugger() else prompt
    for snapshot, variables in reversed(levels):
        inner = snapshot.call(inner, variables)
    inner()
