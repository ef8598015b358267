"""The current interpreter: `Trace`, its values `Tracer`, and the one thread-local place that says who interprets.

An operation that is called asks the current trace to process it. Every trace remembers its parent and runs the
rules of operations with the parent current, so transformations nest without levels or lifting:

    grad(vmap(f))  is  JVPTrace → PartialEvalTrace → BatchTrace → … → the bottom, which computes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..errors import LeakedTracerError
from ..source import Source, function_source
from .interface import ArrayInterface
from .types import ArrayType

if TYPE_CHECKING:
    from .primitive import Primitive

__all__ = ["Journal", "Trace", "Tracer", "Undecided", "run_under", "staging", "state", "type_of"]


Purpose = str | tuple[str, Callable[..., Any]]


class Trace:
    """An interpreter of operations.

    Attributes:
        parent: the trace that was current when this one began; rules run under it.
        ended: True once its transformation has returned; its tracers are then unusable.
        purpose: what it is for and the function it traces, put into words only in messages.
        axis_name, axis_size: the named axis that it maps over, if any.

    Class attributes:
        stages: whether it records a program rather than computing.
    """

    stages: ClassVar[bool] = False

    __slots__ = ("axis_name", "axis_size", "ended", "parent", "purpose")

    def __init__(self, parent: Trace | None, purpose: Purpose) -> None:
        self.parent = parent
        self.purpose = purpose
        self.ended = False
        self.axis_name: Any = None
        self.axis_size = 0

    def process(self, op: Primitive, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Apply `op` to `args` (this trace's tracers, older tracers or concrete values); always a tuple of results."""
        raise NotImplementedError

    def described(self) -> str:
        """Such as `grad of loss (model.py:12)`."""
        if isinstance(self.purpose, str):
            return self.purpose
        what, function = self.purpose
        return f"{what} of {function_source(function)}"


class Tracer(ArrayInterface):
    """Stands for an array while a function is traced; `made_by` is the trace that made it.

    Arithmetic, methods and properties are those of `Array`; `numpy/array_methods.py` supplies them to both.
    """

    __slots__ = ("__weakref__", "made_by")
    __hash__ = None  # type: ignore[assignment]

    made_by: Trace
    if TYPE_CHECKING:
        type: ArrayType  # a slot or a property of the subclass

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.shape

    @property
    def dtype(self) -> np.dtype:
        return self.type.dtype

    @property
    def ndim(self) -> int:
        return len(self.type.shape)

    @property
    def size(self) -> int:
        return self.type.size

    def __copy__(self) -> Tracer:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Tracer:
        return self

    def concrete(self) -> Any | None:
        """The concrete value behind this tracer if there is one (eager differentiation), else None."""
        return None

    def decide(self) -> bool:
        """The truth that a traced bool[] is to be taken to have on the path that is being traced."""
        raise Undecided(self)

    def unknown_reason(self) -> str:
        """Why `concrete` has nothing to give, naming the inputs this value depends on."""
        return f"its value is not known inside {self.made_by.described()}"

    def made_at(self) -> str:
        """Where this tracer was made, for messages."""
        return f"inside {self.made_by.described()}"


class Undecided(BaseException):
    """Python asked for the truth of a value that its trace cannot decide; the transformation may know another way.

    It is no `Exception`, so that the traced function does not catch it.
    """

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        super().__init__(f"the truth of a value of type {tracer.type} {tracer.made_at()}")


class _State(threading.local):
    """What this thread is doing.

    Attributes:
        trace: the current interpreter.
        source: the user's line to record for equations while no user code runs (programs being interpreted, tapes
            run backwards); None while user code runs and its line is to be found on the stack.
        journals: open `Journal`s, outermost first.
    """

    trace: Trace = None  # type: ignore[assignment]  # the bottom interpreter installs itself at import
    source: Source | None = None
    journals: tuple[Journal, ...] = ()


state = _State()


def install_bottom(trace: Trace) -> None:
    """Make `trace` the interpreter that every thread starts with."""
    _State.trace = trace


def bottom() -> Trace:
    """The interpreter that computes."""
    return _State.trace


def run_under(trace: Trace, function: Callable[..., Any], *args: Any) -> Any:
    """Call `function(*args)` with `trace` current."""
    previous = state.trace
    state.trace = trace
    try:
        return function(*args)
    finally:
        state.trace = previous


class Journal:
    """Remembers, for a `with` block, what a traced function marked as used, so that it can be run once more."""

    __slots__ = ("_undo",)

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> Journal:
        state.journals = (*state.journals, self)
        return self

    def __exit__(self, *exception: object) -> None:
        state.journals = state.journals[:-1]

    def take_back(self) -> None:
        """Undo the marks, the latest first."""
        while self._undo:
            self._undo.pop()()

    @staticmethod
    def note(undo: Callable[[], None]) -> None:
        """Have `undo` called if the function that is being traced is run once more."""
        for journal in state.journals:
            journal._undo.append(undo)


def staging() -> bool:
    """Whether what runs now ends up in a program, so that loops and branches must become operations."""
    trace: Trace | None = state.trace
    while trace is not None:
        if trace.stages:
            return True
        trace = trace.parent
    return False


def type_of(value: Any) -> ArrayType:
    """The type of a concrete array or a tracer."""
    return value.type


def named_axes() -> dict[Any, int]:
    """Names and lengths of the axes that enclosing transformations map over, the innermost winning."""
    found: dict[Any, int] = {}
    trace: Trace | None = state.trace
    while trace is not None:
        if trace.axis_name is not None:
            found.setdefault(trace.axis_name, trace.axis_size)
        trace = trace.parent
    return found


def leaked(tracer: Tracer) -> LeakedTracerError:
    """The error for a tracer that reached an interpreter that cannot know it."""
    ended = "has ended" if tracer.made_by.ended else "is not running in this thread"
    return LeakedTracerError(
        f"a traced value of type {tracer.type} is used outside the transformation that made it.\n"
        f"It was made {tracer.made_at()}, which {ended}.\n"
        f"Values made while a function is traced must leave it through its return value: "
        f"return it from the function instead of storing it in a global, an attribute or a list."
    )
