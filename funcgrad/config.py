"""Typed settings, changed for a block with `with fg.config(name=value):` or for the process with `fg.config.update`.

A scoped change holds in the current thread (and async task) only, so two threads never disturb each other.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import threading
from collections.abc import Callable, Iterator
from typing import Any

from .errors import ArgumentError

__all__ = ["config"]


@dataclasses.dataclass(frozen=True, eq=False)
class Settings:
    """Every setting, its type and its default. Equal settings are one object, so they hash for free in cache keys.

    Attributes:
        default_float: dtype of floats made from Python floats: "float32", "float64", "bfloat16" or "float16".
        default_int: dtype of integers made from Python ints: "int32" or "int64".
        max_paths: how many ways through a function Python decisions on traced values may lead.
        check_bounds: raise for indices out of bounds that are only known inside compiled code.
        check_division: raise for integer divisions by zero, eager ones and those inside compiled code.
        check_nans: raise for the first operation whose result has a NaN or an infinity.
        disable_jit: run functions under `jit` eagerly.
        check_programs: type-check every staged Program before it is compiled.
        check_key_reuse: make the second use of a random key an error.
        default_device: name of the device where new arrays live ("cpu", "gpu:1"), or None for the platform's first.
    """

    default_float: str = "float32"
    default_int: str = "int32"
    max_paths: int = 64
    check_bounds: bool = True
    check_division: bool = True
    check_nans: bool = False
    disable_jit: bool = False
    check_programs: bool = False
    check_key_reuse: bool = True
    default_device: Any = None

    def __post_init__(self) -> None:
        allowed = {
            "default_float": ("float32", "float64", "bfloat16", "float16"),
            "default_int": ("int32", "int64"),
        }
        for field in dataclasses.fields(self):
            if field.type == "bool":
                allowed[field.name] = (True, False)
        if type(self.max_paths) is not int or self.max_paths < 1:
            raise ArgumentError(f"config max_paths={self.max_paths!r}: expected a positive integer")
        for name, choices in allowed.items():
            value = getattr(self, name)
            if value not in choices:
                raise ArgumentError(f"config {name}={value!r}: expected one of {', '.join(map(repr, choices))}")


class Config:
    """The settings in force; `fg.config.default_float` reads, `fg.config(default_float=…)` scopes."""

    def __init__(self) -> None:
        self._process = Settings()
        self._known = {dataclasses.astuple(self._process): self._process}
        self._scoped: contextvars.ContextVar[Settings | None] = contextvars.ContextVar("funcgrad_config", default=None)
        self._checking_nans = 0
        self._nan_listeners: list[Callable[[bool], None]] = []
        self._lock = threading.Lock()

    @property
    def current(self) -> Settings:
        """The settings in force here, as one frozen value (part of every cache key)."""
        return self._scoped.get() or self._process

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return getattr(self.current, name)
        except AttributeError:
            raise ArgumentError(f"there is no setting {name!r}; there are: {_names()}") from None

    @contextlib.contextmanager
    def __call__(self, **changes: Any) -> Iterator[Settings]:
        """Change settings for a `with` block, in this thread.

        Raises:
            ArgumentError: an unknown setting or a value it does not take.
        """
        changed = self._changed(changes)
        token = self._scoped.set(changed)
        self._count(changed, 1)
        try:
            yield changed
        finally:
            self._scoped.reset(token)
            self._count(changed, -1)

    def update(self, **changes: Any) -> None:
        """Change settings for the whole process."""
        before, self._process = self._process, self._changed(changes)
        self._count(self._process, 1)
        self._count(before, -1)

    def listen_to_check_nans(self, listener: Callable[[bool], None]) -> None:
        """Have `listener` told, now and at each change, whether `check_nans` is on anywhere in the process."""
        self._nan_listeners.append(listener)
        listener(self._checking_nans > 0)

    def _count(self, settings: Settings, by: int) -> None:
        if settings.check_nans:
            with self._lock:
                self._checking_nans += by
                for listener in self._nan_listeners:
                    listener(self._checking_nans > 0)

    def _changed(self, changes: dict[str, Any]) -> Settings:
        unknown = sorted(set(changes) - {field.name for field in dataclasses.fields(Settings)})
        if unknown:
            raise ArgumentError(f"there is no setting {unknown[0]!r}; there are: {_names()}")
        changed = dataclasses.replace(self.current, **changes)
        return self._known.setdefault(dataclasses.astuple(changed), changed)

    def __repr__(self) -> str:
        return f"config({self.current!r})"


def _names() -> str:
    return ", ".join(field.name for field in dataclasses.fields(Settings))


config = Config()
