"""Typed settings, changed for a block with `with fg.config(name=value):` or for the process with `fg.config.update`.

A scoped change holds in the current thread (and async task) only, so two threads never disturb each other.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from .errors import ArgumentError

__all__ = ["config"]


@dataclasses.dataclass(frozen=True, eq=False)
class Settings:
    """The settings that what is traced, and how it runs, depends on.

    Equal settings are one object, so they hash for free in cache keys.

    Attributes:
        default_float: dtype of floats made from Python floats: "float32", "float64", "bfloat16" or "float16".
        default_int: dtype of integers made from Python ints: "int32" or "int64".
        max_paths: how many ways through a function Python decisions on traced values may lead.
        check_bounds: raise for indices out of bounds that are only known inside compiled code.
        check_division: raise for integer divisions by zero and negative powers of integers, eager ones and those inside
            compiled code.
        check_linalg: raise for matrices that turn out singular, not positive definite and so on; off, results are NaN.
        check_nans: raise for the first operation whose result has a NaN or an infinity.
        disable_jit: run functions under `jit` eagerly.
        check_programs: type-check every staged Program before it is compiled.
        check_key_reuse: make the second use of a random key an error.
        default_device: name of the device where new arrays live ("cpu", "gpu:1"), or None for the platform's first.
        regions: how programs with repeated blocks are compiled: "auto" (each distinct block once, where that is worth
            while), "always" (wherever anything repeats) or "off" (whole).
    """

    default_float: str = "float32"
    default_int: str = "int32"
    max_paths: int = 64
    check_bounds: bool = True
    check_division: bool = True
    check_linalg: bool = True
    check_nans: bool = False
    disable_jit: bool = False
    check_programs: bool = False
    check_key_reuse: bool = True
    default_device: Any = None
    regions: str = "auto"

    def __post_init__(self) -> None:
        _check_integer(self, "max_paths")
        _check_switches(self)
        for name, choices in _CHOICES.items():
            _check_choice(self, name, choices)


_CHOICES = {
    "default_float": ("float32", "float64", "bfloat16", "float16"),
    "default_int": ("int32", "int64"),
    "regions": ("auto", "always", "off"),
}


def _switched_on() -> bool:
    """Whether the environment leaves the cache on."""
    given = os.environ.get("FUNCGRAD_CACHE", "")
    if given not in ("", "0", "1"):
        raise ArgumentError(f"the environment variable FUNCGRAD_CACHE={given}: expected 0 or 1")
    return given != "0"


@dataclasses.dataclass(frozen=True)
class CompilerSettings:
    """The settings of how programs get compiled. They change nothing that was traced, and belong to no key.

    Attributes:
        cache: keep compiled programs on disk, for other processes (environment: FUNCGRAD_CACHE, 0 or 1).
        cache_dir: where; None for the platform's own place (environment: FUNCGRAD_CACHE_DIR).
        cache_size: bytes that the directory may take; what was not used for the longest time is removed first.
        tiered: compute with NumPy while a program is compiled in the background, on hosts.
        progress: tell on the terminal how far a compilation is that takes more than two seconds.
    """

    cache: bool = dataclasses.field(default_factory=_switched_on)
    cache_dir: str | os.PathLike[str] | None = dataclasses.field(
        default_factory=lambda: os.environ.get("FUNCGRAD_CACHE_DIR") or None
    )
    cache_size: int = 2 << 30
    tiered: bool = False
    progress: bool = True

    def __post_init__(self) -> None:
        _check_integer(self, "cache_size")
        _check_switches(self)
        if self.cache_dir is not None:
            if not isinstance(self.cache_dir, str | os.PathLike) or not self.cache_dir:
                raise ArgumentError(f"config cache_dir={self.cache_dir!r}: expected the path of a directory, or None")
            path = os.path.abspath(os.path.expanduser(self.cache_dir))  # stays where it is when the process moves
            object.__setattr__(self, "cache_dir", path)


def _check_integer(settings: Any, name: str) -> None:
    value = getattr(settings, name)
    if type(value) is not int or value < 1:
        raise ArgumentError(f"config {name}={value!r}: expected a positive integer")


def _check_switches(settings: Any) -> None:
    for field in dataclasses.fields(settings):
        if field.type == "bool":
            _check_choice(settings, field.name, (True, False))


def _check_choice(settings: Any, name: str, choices: tuple[Any, ...]) -> None:
    value = getattr(settings, name)
    if value not in choices:
        raise ArgumentError(f"config {name}={value!r}: expected one of {', '.join(map(repr, choices))}")


class Config:
    """The settings in force; `fg.config.default_float` reads, `fg.config(default_float=…)` scopes."""

    def __init__(self) -> None:
        self._process = Settings()
        self._known = {dataclasses.astuple(self._process): self._process}
        self._scoped: contextvars.ContextVar[Settings | None] = contextvars.ContextVar("funcgrad_config", default=None)
        self._process_compiler = CompilerSettings()
        self._scoped_compiler: contextvars.ContextVar[CompilerSettings | None] = contextvars.ContextVar(
            "funcgrad_compiler_config", default=None
        )
        self._checking_nans = 0
        self._nan_listeners: list[Callable[[bool], None]] = []
        self._lock = threading.Lock()

    @property
    def current(self) -> Settings:
        """The settings in force here, as one frozen value (part of every cache key)."""
        return self._scoped.get() or self._process

    @property
    def compiler(self) -> CompilerSettings:
        """The settings in force here of how programs get compiled (part of no key)."""
        return self._scoped_compiler.get() or self._process_compiler

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return getattr(self.compiler if name in _COMPILER_NAMES else self.current, name)
        except AttributeError:
            raise ArgumentError(f"there is no setting {name!r}; there are: {_names()}") from None

    @contextlib.contextmanager
    def __call__(self, **changes: Any) -> Iterator[Settings]:
        """Change settings for a `with` block, in this thread.

        Raises:
            ArgumentError: an unknown setting or a value it does not take.
        """
        changed, compiler = self._changed(changes)
        token = self._scoped.set(changed)
        compiler_token = self._scoped_compiler.set(compiler)
        self._count(changed, 1)
        try:
            yield changed
        finally:
            self._scoped_compiler.reset(compiler_token)
            self._scoped.reset(token)
            self._count(changed, -1)

    def update(self, **changes: Any) -> None:
        """Change settings for the whole process."""
        before = self._process
        self._process, self._process_compiler = self._changed(changes)
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

    def _changed(self, changes: dict[str, Any]) -> tuple[Settings, CompilerSettings]:
        unknown = sorted(set(changes) - {*_NAMES, *_COMPILER_NAMES})
        if unknown:
            raise ArgumentError(f"there is no setting {unknown[0]!r}; there are: {_names()}")
        of_compiler = {name: changes.pop(name) for name in _COMPILER_NAMES if name in changes}
        compiler = dataclasses.replace(self.compiler, **of_compiler)
        changed = dataclasses.replace(self.current, **changes)
        return self._known.setdefault(dataclasses.astuple(changed), changed), compiler

    def __repr__(self) -> str:
        return f"config({self.current!r}, {self.compiler!r})"


_NAMES = tuple(field.name for field in dataclasses.fields(Settings))
_COMPILER_NAMES = tuple(field.name for field in dataclasses.fields(CompilerSettings))


def _names() -> str:
    return ", ".join([*_NAMES, *_COMPILER_NAMES])


config = Config()
