"""One thread for NumPy's matrix products while something else needs the cores

The threads of OpenBLAS wait for each other by spinning. Beside a compiler that keeps all cores busy, products of small
matrices then take a hundred times as long as with one thread.
"""

from __future__ import annotations

import ctypes
import threading
from typing import Any

import numpy as np

__all__ = ["one_thread"]

_SUFFIXES = ("64_", "", "_64", "64")
_PREFIXES = ("scipy_openblas", "openblas")


def _found() -> tuple[Any, Any] | None:
    """OpenBLAS's functions that tell and set how many threads it uses, as NumPy's own library sees them."""
    try:
        library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
    for prefix in _PREFIXES:
        for suffix in _SUFFIXES:
            names = [f"{prefix}_{verb}_num_threads{suffix}" for verb in ("get", "set")]
            if all(hasattr(library, name) for name in names):
                get, set_ = (getattr(library, name) for name in names)
                get.restype, set_.argtypes, set_.restype = ctypes.c_int, [ctypes.c_int], None
                return get, set_
    return None


class OneThread:
    """A block in which matrix products run in the calling thread. Threads may be in it at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 0
        self._functions = _found()

    def __enter__(self) -> None:
        if self._functions is not None:
            get, set_ = self._functions
            with self._lock:
                self._inside += 1
                if self._inside == 1:
                    self._before = get()
                    set_(1)

    def __exit__(self, *exception: object) -> None:
        if self._functions is not None:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    self._functions[1](self._before)


one_thread = OneThread()
