"""A bounded cache that makes each value once: threads that ask for what another one is making wait for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

__all__ = ["OnceCache"]

_MISSING = object()


class OnceCache:
    """Values by key, the least recently used forgotten first.

    Args:
        limit: how many values are remembered.
    """

    __slots__ = ("_lock", "_making", "_values", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._making: dict[Hashable, _Making] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def values(self) -> list[Any]:
        """What is remembered now."""
        with self._lock:
            return list(self._values.values())

    def find(self, key: Hashable) -> Any:
        """The value of a key, or None if it is not there."""
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
            return found

    def get(self, key: Hashable, make: Callable[[], tuple[Any, bool]]) -> Any:
        """The value of a key; `make` gives it, and whether it may be remembered, if it is not there yet.

        While one thread makes it, others wait, without holding up those that ask for other keys. A thread that asks
        again for what it is itself making makes it once more.
        """
        me = threading.get_ident()
        while True:
            with self._lock:
                found = self._values.get(key, _MISSING)
                if found is not _MISSING:
                    self._values.move_to_end(key)
                    return found
                other = self._making.get(key)
                if other is None:
                    mine = self._making[key] = _Making(me)
                    break
            if other.thread == me:
                return make()[0]
            other.done.wait()
        return self._make(key, make, mine)

    def _make(self, key: Hashable, make: Callable[[], tuple[Any, bool]], mine: _Making) -> Any:
        keep, value = False, None
        try:
            value, keep = make()
        finally:
            with self._lock:
                del self._making[key]
                if keep:
                    self._values[key] = value
                    if len(self._values) > self.limit:
                        self._values.popitem(last=False)
            mine.done.set()
        return value

    def restart(self) -> None:
        """Wait for nobody: in a forked process the threads that made something do not exist."""
        self._lock = threading.Lock()
        self._making = {}

    def clear(self) -> None:
        """Forget every value."""
        with self._lock:
            self._values.clear()


class _Making:
    """A value being made, by which thread, and the event that tells when it is done."""

    __slots__ = ("done", "thread")

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self.done = threading.Event()
