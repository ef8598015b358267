"""Retracing: a compiled function that is traced again and again costs more than it saves, so its user is told why."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from ..config import config
from ..core.types import ArrayType
from ..errors import RetraceWarning
from ..source import function_source, user_source
from .signature import Arguments, static_key

__all__ = ["Retraces"]

_FEW = 5  # retraces that nobody is told about
_SHOWN = 8  # changes that a message lists
_ADVICE = {
    "shape": "Every shape needs its own program: pad arrays to a few shapes, and mask what is padding.",
    "type": "Every dtype needs its own program: convert to one before the call.",
    "static": "Every static value needs its own program: let numbers that vary be traced (not in static_argnums, as "
    "arrays or numbers), and pass the same object each time for the rest.",
    "structure": "Every structure needs its own program: pass the same containers with the same keys each time.",
    "setting": "Every setting needs its own program: set it once, outside of the loop.",
}


class _Seen(NamedTuple):
    """What decided about one trace."""

    types: dict[str, ArrayType]
    statics: dict[str, Any]
    structure: Any
    settings: Any


class Retraces:
    """Counts the traces of one function, and warns once a call site when there are more than a few."""

    __slots__ = ("_count", "_last", "_warned")

    def __init__(self) -> None:
        self._count = 0
        self._last: _Seen | None = None
        self._warned: set[tuple[str, int]] = set()

    def note(self, function: Callable[..., Any], call: Arguments) -> None:
        """Remember a trace of `function` for `call`."""
        types = dict(zip(call.names, call.types, strict=True))
        now = _Seen(types, call.named_statics, call.structure, config.current)
        before, self._last = self._last, now
        self._count += 1
        if before is not None and self._count > _FEW + 1:
            self._warn(function, before, now)

    def _warn(self, function: Callable[..., Any], before: _Seen, now: _Seen) -> None:
        source = user_source()
        site = ("funcgrad", 0) if source is None else (source.file, source.line)
        changes = _changes(before, now)
        if site in self._warned or not changes:
            return
        self._warned.add(site)
        lines = [f"  {line}" for _, line in changes[:_SHOWN]]
        if len(changes) > _SHOWN:
            lines.append(f"  and {len(changes) - _SHOWN} more")
        advice = [_ADVICE[kind] for kind in _ADVICE if any(kind == found for found, _ in changes)]
        warnings.warn_explicit(
            f"{function_source(function)} was traced and compiled {self._count} times. "
            f"Since the time before, these changed:\n" + "\n".join([*lines, *advice]),
            RetraceWarning,
            *site,
        )


def _changes(before: _Seen, now: _Seen) -> list[tuple[str, str]]:
    """Pairs of what kind of thing changed and a line that says how."""
    found = [*_changed_types(before.types, now.types), *_changed_statics(before.statics, now.statics)]
    if not found and before.structure != now.structure:
        found.append(("structure", f"the structure of the arguments: {before.structure} -> {now.structure}"))
    if before.settings is not now.settings:
        for field in dataclasses.fields(before.settings):
            old, new = getattr(before.settings, field.name), getattr(now.settings, field.name)
            if old != new:
                found.append(("setting", f"the setting {field.name}: {old!r} -> {new!r}"))
    return found


def _changed_types(before: dict[str, ArrayType], now: dict[str, ArrayType]) -> list[tuple[str, str]]:
    found = []
    for name in dict.fromkeys([*before, *now]):
        old, new = before.get(name), now.get(name)
        if old is not new:
            kind = "structure" if old is None or new is None else "shape" if old.shape != new.shape else "type"
            found.append((kind, f"{name}: {_shown(old)} -> {_shown(new)}"))
    return found


def _shown(type: ArrayType | None) -> str:
    if type is None:
        return "(nothing)"
    return f"{type.strong()} (a Python number)" if type.weak else str(type)


def _changed_statics(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name in dict.fromkeys([*before, *now]):
        if name not in before or name not in now:
            old, new = [repr(values[name]) if name in values else "(nothing)" for values in (before, now)]
        elif static_key(before[name]) != static_key(now[name]):
            old, new = repr(before[name]), repr(now[name])
        else:
            continue
        found.append(("static", f"the static {name}: {old} -> {new}" + _not_equal(old, new)))
    return found


def _not_equal(old: str, new: str) -> str:
    return ", which is not equal to it" if old == new else ""
