"""Frozen classes whose equal instances are the same object, so that `is` compares and hashing is free."""

from __future__ import annotations

import inspect
import threading
import weakref
from collections import deque
from typing import Any, ClassVar, NoReturn, dataclass_transform

__all__ = ["Interned", "InternedMeta"]

_lock = threading.RLock()
_recent: deque[Any] = deque(maxlen=8192)  # kept alive, so that a loop does not make the same operation anew each time
_REQUIRED = object()  # stands for the default of a field that has none


@dataclass_transform(frozen_default=True, eq_default=False)
class InternedMeta(type):
    """Makes a class's annotations its fields, and returns the living instance whenever an equal one is asked for.

    As a dataclass, but nothing is generated, since generating code for every operation would be most of the time of
    an import. Fields must be hashable. Instances are held weakly: one that nobody uses disappears.
    """

    _instances: dict[Any, weakref.ref[Any]]
    _fields: tuple[str, ...]
    _defaults: tuple[Any, ...]
    _required: int
    remembered: bool

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> InternedMeta:
        cls: Any = super().__new__(mcs, name, bases, namespace, **options)
        defaults: dict[str, Any] = {}
        for base in reversed(cls.__mro__[1:]):
            if isinstance(base, InternedMeta):
                defaults.update(zip(base._fields, base._defaults, strict=True))
        for field, annotation in inspect.get_annotations(cls).items():
            if not annotation.startswith("ClassVar"):
                defaults[field] = namespace.get(field, _REQUIRED)
        cls._instances = {}
        cls._fields = tuple(defaults)
        cls._defaults = tuple(defaults.values())
        cls._required = sum(default is _REQUIRED for default in defaults.values())
        return cls

    def __call__(cls, *fields: Any, **named: Any) -> Any:
        # Hot: every wrapper of an operation with parameters passes here.
        count = len(fields)
        if named or count != len(cls._fields):
            if named or not cls._required <= count < len(cls._fields):
                fields = _completed(cls, fields, named)
            else:
                fields += cls._defaults[count:]
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
                instance: Any = object.__new__(cls)
                instance.__dict__.update(zip(cls._fields, fields, strict=True))
                if cls.remembered:
                    _recent.append(instance)
                instances[fields] = weakref.ref(instance, lambda dead, forget=_forget: forget(instances, fields, dead))
        return instance


def _completed(cls: InternedMeta, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    """All fields in order: a default left out and one written out are the same instance."""
    values = dict(zip(cls._fields, cls._defaults, strict=True))
    values.update(zip(cls._fields, given, strict=False))
    values.update(named)
    missing = [name for name, value in values.items() if value is _REQUIRED]
    if missing or len(given) > len(cls._fields) or len(values) > len(cls._fields):
        raise TypeError(
            f"{cls.__name__} has the fields ({', '.join(cls._fields)}), got {len(given)} values"
            + (f" and {', '.join(named)}" if named else "")
        )
    return tuple(values.values())


def _forget(instances: dict[Any, weakref.ref[Any]], fields: tuple[Any, ...], dead: weakref.ref[Any]) -> None:
    if instances.get(fields) is dead:
        del instances[fields]


class Interned(metaclass=InternedMeta):
    """Base of interned classes: immutable; pickles, copies and prints by its fields.

    Class attributes:
        remembered: whether recent instances are kept alive; False for those that may hold a user's arrays.
    """

    remembered: ClassVar[bool] = True

    def _field_values(self) -> tuple[Any, ...]:
        return tuple([getattr(self, field) for field in type(self)._fields])

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: its field {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: its field {name} cannot be deleted")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._field_values()

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __repr__(self) -> str:
        inner = ", ".join(
            f"{field}={value!r}" for field, value in zip(type(self)._fields, self._field_values(), strict=True)
        )
        return f"{type(self).__name__}({inner})"
