"""Frozen classes whose equal instances are the same object, so that `is` compares and hashing is free."""

from __future__ import annotations

import dataclasses
import inspect
import threading
import weakref
from typing import Any, dataclass_transform

__all__ = ["Interned", "InternedMeta"]

_lock = threading.RLock()


@dataclass_transform(frozen_default=True, eq_default=False)
class InternedMeta(type):
    """Makes a class a frozen dataclass and returns the living instance whenever an equal one is asked for.

    Fields must be hashable. Instances are held weakly: one that nobody uses disappears.
    """

    _instances: dict[Any, weakref.ref[Any]]
    _defaults: tuple[Any, ...]

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> InternedMeta:
        cls: Any = super().__new__(mcs, name, bases, namespace, **options)
        cls = dataclasses.dataclass(frozen=True, eq=False, repr=False)(cls)
        cls._instances = {}
        cls._defaults = tuple(field.default for field in dataclasses.fields(cls))  # type: ignore[arg-type]
        return cls

    def __call__(cls, *fields: Any, **named: Any) -> Any:
        # Hot: every wrapper of an operation with parameters passes here.
        if named:
            bound = inspect.signature(cls.__init__).bind(None, *fields, **named)
            bound.apply_defaults()
            fields = tuple(bound.arguments.values())[1:]
        elif len(fields) < len(cls._defaults):  # so that a default left out and one written out are the same instance
            left_out = cls._defaults[len(fields) :]
            fields += () if dataclasses.MISSING in left_out else left_out
        instances = cls._instances
        reference = instances.get(fields)
        if reference is not None:
            instance = reference()
            if instance is not None:
                return instance
        with _lock:  # two threads must not make two equal instances
            reference = instances.get(fields)
            instance = reference() if reference is not None else None
            if instance is None:
                instance = super().__call__(*fields)
                instances[fields] = weakref.ref(instance, lambda dead: _forget(instances, fields, dead))
        return instance


def _forget(instances: dict[Any, weakref.ref[Any]], fields: tuple[Any, ...], dead: weakref.ref[Any]) -> None:
    if instances.get(fields) is dead:
        del instances[fields]


class Interned(metaclass=InternedMeta):
    """Base of interned classes: pickles, copies and prints by its fields."""

    def _field_values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, field.name) for field in dataclasses.fields(self))  # type: ignore[arg-type]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._field_values()

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __repr__(self) -> str:
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        inner = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields)
        return f"{type(self).__name__}({inner})"
