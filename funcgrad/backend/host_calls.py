"""Compiled programs that call Python while they run: one at a time, and what a callback raises reaches the caller.

An engine's CPU worker thread waits while a callback runs. When callbacks of several runs compute with the engine, they
can wait for the very threads that they hold (jaxlib 0.10.2 does, with two runs at once). So a program with callbacks
runs alone, from its dispatch until it is done; programs without callbacks run as ever. A callback that would start a
program with callbacks, itself or through a thread that it waits for, gets an error instead of a standstill.
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from ..errors import CallbackError

__all__ = ["Run", "called_by_engine", "in_callback", "only_run"]

_LOOK_AFTER = 0.1  # seconds of waiting after which to see whether the wait can end
_WAITS = {("threading", "join"), ("concurrent.futures._base", "result")}

_turn = threading.Lock()
_current: Run | None = None


class _Place(threading.local):
    inside = False


_place = _Place()


class Run:
    """One run of a program with callbacks.

    Attributes:
        context: the caller's context variables (the settings are among them), in which callbacks run.
        error: what the first callback that failed raised.
        threads: the threads in which callbacks run now.
    """

    __slots__ = ("context", "error", "threads")

    def __init__(self) -> None:
        self.context = contextvars.copy_context()
        self.error: BaseException | None = None
        self.threads: set[int] = set()


def in_callback() -> bool:
    """Whether this thread runs a callback of a compiled program."""
    return _place.inside


def called_by_engine(function: Callable[..., Any]) -> Callable[..., Any]:
    """What to hand to the engine for a Python function: it keeps what the function raises, and stops the program."""

    def call_python(*operands: Any) -> Any:
        run = _current
        if run is None or run.error is not None:
            raise RuntimeError("the program is being stopped")
        outer, thread = _place.inside, threading.get_ident()
        _place.inside = True
        run.threads.add(thread)
        try:
            return run.context.copy().run(function, *operands)
        except BaseException as error:
            run.error = run.error or error
            raise RuntimeError("a callback raised an exception") from None  # the caller gets the one that was kept
        finally:
            run.threads.discard(thread)
            _place.inside = outer

    return call_python


@contextlib.contextmanager
def only_run(name: str) -> Iterator[Run]:
    """A block in which no other program with callbacks runs.

    Raises:
        CallbackError: the block would be waited for by a callback.
    """
    global _current
    if _place.inside:
        raise _nested(name, "by")
    while not _turn.acquire(timeout=_LOOK_AFTER):
        run = _current
        if run is not None and _waits_for(run.threads, threading.get_ident()):
            raise _nested(name, "by a thread that is waited for in")
    try:
        _current = run = Run()
        yield run
    finally:
        _current = None
        _turn.release()


def _nested(name: str, by: str) -> CallbackError:
    return CallbackError(
        f"the compiled program {name}, which has callbacks, was started {by} a callback of a compiled program.\n"
        f"Programs with callbacks run one at a time, so it would wait for itself. Inside a callback, call the function "
        f"without fg.jit (it then runs on NumPy), or return to the program first."
    )


def _waits_for(threads: set[int], awaited: int) -> bool:
    """Whether one of the threads waits, directly or through other threads, until the thread `awaited` is done."""
    frames = sys._current_frames()
    seen: set[int] = set()
    remaining = list(threads)
    while remaining:
        thread = remaining.pop()
        if thread == awaited:
            return True
        if thread not in seen:
            seen.add(thread)
            remaining += [other for frame in _stack(frames.get(thread)) for other in _awaited_in(frame, frames)]
    return False


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _awaited_in(frame: FrameType, frames: dict[int, FrameType]) -> list[int]:
    """The threads that a frame of `Thread.join` or `Future.result` waits for, however long it takes."""
    if _place_of(frame) not in _WAITS or frame.f_locals.get("timeout") is not None:
        return []
    awaited = frame.f_locals.get("self")
    if isinstance(awaited, threading.Thread):
        return [] if awaited.ident is None else [awaited.ident]
    return [thread for thread, top in frames.items() if any(_works_on(f, awaited) for f in _stack(top))]


def _works_on(frame: FrameType, future: Any) -> bool:
    if _place_of(frame) != ("concurrent.futures.thread", "run"):
        return False
    return getattr(frame.f_locals.get("self"), "future", None) is future


def _place_of(frame: FrameType) -> tuple[str | None, str]:
    return frame.f_globals.get("__name__"), frame.f_code.co_name
