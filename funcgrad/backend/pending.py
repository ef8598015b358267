"""Pending checks: what compiled calls have yet to report, and the errors that reading their results raises.

A program with checks returns one vector more: its first error, or zeros. Nobody waits for it at the call. Every array
that the call returns holds the call's `Pending`, and asks it when it is read. What later compiled calls make of such an
array inherits it, as their parent. `watch` keeps the calls that nobody has asked about, for `effects_barrier` and exit.
"""

from __future__ import annotations

import atexit
import sys
import threading
from collections import deque
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Protocol

import numpy as np

from ..errors import EngineError
from .failures import read

__all__ = ["Check", "Failure", "Pending", "effects_barrier", "inherited", "pending_of", "watch"]

_OPEN = 16  # so many calls may be open before anyone looks after them: asking each by itself would cost more
_REMEMBERED = 64  # failures that nobody has read; the first ones matter


class Check(Protocol):
    """A place of a program that may fail."""

    def error(self, words: np.ndarray) -> Exception:
        """The exception for the words that the failing check carried."""
        ...


class Failure:
    """A check that failed in a compiled call."""

    __slots__ = ("check", "reported", "words")

    def __init__(self, check: Check, words: np.ndarray) -> None:
        self.check = check
        self.words = words
        self.reported = False

    def error(self) -> Exception:
        """A new exception for it, which counts as reported."""
        self.reported = True
        return self.check.error(self.words)


class Pending:
    """The checks of one compiled call, and of those that its arguments came from.

    Attributes:
        settled: whether their outcome is known.
        failure: the first one that failed, once settled; None if all held.
    """

    __slots__ = ("_buffer", "_checks", "_parents", "failure", "settled")

    def __init__(self, buffer: Any, checks: Sequence[Check], parents: tuple[Pending, ...]) -> None:
        self._buffer = buffer
        self._checks = checks
        self._parents = parents
        self.failure: Failure | None = None
        self.settled = False

    def ready(self) -> bool:
        """Whether settling this would not wait: what a call was given is ready before the call's results are."""
        buffer = self._buffer
        return self.settled or (all(p.ready() for p in self._parents) if buffer is None else buffer.is_ready())

    def settle(self) -> Failure | None:
        """Wait for the outcome."""
        chain: list[Pending] = [self]
        while chain:
            pending = chain[-1]
            parent = None if pending.settled else next((p for p in pending._parents if not p.settled), None)
            if parent is not None:
                chain.append(parent)
                continue
            chain.pop()
            pending._look()
        return self.failure

    def _look(self) -> None:
        """Settle, all parents being settled. Two threads may do it at once: they find the same."""
        buffer, parents = self._buffer, self._parents
        if self.settled:
            return
        failure = next((p.failure for p in parents if p.failure is not None), None)
        if failure is None and buffer is not None:
            failure = self._own_failure(buffer)
        self.failure = self.failure or failure
        self.settled = True
        self._buffer, self._parents = None, ()

    def _own_failure(self, buffer: Any) -> Failure | None:
        try:
            words = read(buffer, lambda: "what its checks found")
        except EngineError as error:
            return watch.failed(Failure(_Unreadable(error), np.zeros(0, np.uint32)), self)
        if not words[0]:
            return None
        return watch.failed(Failure(self._checks[int(words[0]) - 1], words[1:]), self)

    def origins(self) -> tuple[Pending, ...]:
        """The calls with checks of their own that this stands for."""
        return (self,) if self._checks else self._parents

    def require(self) -> None:
        """Wait for the outcome, and raise the error if there is one."""
        failure = self.settle()
        if failure is not None:
            raise failure.error()


class _Unreadable:
    """Stands for the checks of a call that the engine could not finish."""

    def __init__(self, reason: EngineError) -> None:
        self.message, self.source = reason.message, reason.source

    def error(self, words: np.ndarray) -> Exception:
        return EngineError(self.message, self.source)


class _Watch:
    """The compiled calls whose checks nobody has asked about.

    Attributes:
        on: False as long as no array can hold an unsettled or a failed `Pending`, so that dispatch need not look.
    """

    def __init__(self) -> None:
        self.on = False
        self._open: deque[Pending] = deque()
        self._failures: list[Failure] = []
        self._lock = threading.RLock()

    def add(self, pending: Pending) -> None:
        """Watch a call, and look after those that have ended meanwhile."""
        # Hot: each call of a program with checks passes here (benchmark: checks).
        self.on = True
        self._open.append(pending)
        if len(self._open) >= _OPEN:
            self._look_after()

    def _look_after(self) -> None:
        """Settle the earlier half if its last call has ended: then all of it has, or is about to."""
        with self._lock:
            if len(self._open) < _OPEN or not self._open[_OPEN // 2].ready():
                return
            earlier = [self._open[i] for i in range(_OPEN // 2)]
        for pending in earlier:
            pending.settle()
        with self._lock:
            while self._open and self._open[0].settled:
                self._open.popleft()

    def failed(self, failure: Failure, pending: Pending) -> Failure:
        """Remember a failure, unless another thread has found it first."""
        with self._lock:
            if pending.failure is not None:
                return pending.failure
            pending.failure = failure
            self._failures = [f for f in self._failures if not f.reported][:_REMEMBERED]
            self._failures.append(failure)
            return failure

    def drain(self) -> list[Failure]:
        """Wait for all calls; the failures that nobody has read, which then count as read."""
        while True:
            with self._lock:
                pending = self._open.popleft() if self._open else None
            if pending is None:
                break
            pending.settle()
        with self._lock:
            unread = [f for f in self._failures if not f.reported]
            self._failures = []
        return unread


watch = _Watch()


_pending_of = attrgetter("_pending")


def inherited(arrays: Sequence[Any]) -> tuple[Pending, ...]:
    """The checks that what a compiled call makes of these arrays depends on.

    Raises:
        CheckError, OutOfBoundsError, …: a check is already known to have failed.
    """
    if not any(map(_pending_of, arrays)):
        return ()
    found: dict[int, Pending] = {}
    for array in arrays:
        pending = array._pending
        if pending is None:
            continue
        if pending.ready():
            pending.require()
            array._pending = None
        else:
            found.update((id(origin), origin) for origin in pending.origins())
    return tuple(found.values())


def pending_of(checks: Sequence[Check], outs: list[Any], parents: tuple[Pending, ...]) -> Pending | None:
    """What the results of a call have to ask. Takes the vector of the call's own checks, if any, off `outs`."""
    if checks:
        pending = Pending(outs.pop(), checks, parents)
        watch.add(pending)
        return pending
    return Pending(None, (), parents) if len(parents) > 1 else next(iter(parents), None)


def effects_barrier() -> None:
    """Wait until all checks of compiled calls so far are done, also of calls whose results were dropped.

    Raises:
        CheckError, OutOfBoundsError, IntegerDivisionError: the first failure that has not been raised yet. The others,
            which the message counts, are not raised again.

    Example:
        >>> import funcgrad as fg
        >>> fg.effects_barrier()
    """
    unread = watch.drain()
    if not unread:
        return
    error = unread[0].error()
    if len(unread) > 1:
        error.add_note(f"Checks of {len(unread) - 1} more compiled calls failed.")
    raise error


@atexit.register
def _report_unread() -> None:
    """Say at exit which checks failed without anyone reading it."""
    unread = watch.drain()
    if unread:
        first = unread[0].error()
        others = f" (and {len(unread) - 1} more)" if len(unread) > 1 else ""
        sys.stderr.write(
            f"funcgrad: a check failed in a compiled call whose results nobody read{others}.\n"
            f"{type(first).__name__}: {first}\nCall fg.effects_barrier() to have such errors raised.\n"
        )
