"""When two functions are the same: equal code that reads equal, immutable things, so that one trace serves both.

A lambda or nested function that is made again has the code of the one before. Whether it also computes the same depends
on what it reads: defaults, cells, globals, builtins, and what functions that it reads read in turn. `identity_of` puts
all of this into a key, immutable values by type and value, arrays and what cannot change by identity. As soon as one
thing might change without the key noticing, there is no key, and the function is the same as itself only.
"""

from __future__ import annotations

import dataclasses
import dis
import functools
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..backend.array import Array
from ..core.interned import Interned

__all__ = ["HasIdentity", "Identity", "identity_of", "is_plain"]

# Modules whose functions are taken to be pure; that their attributes are still the same is checked all the same.
_TRUSTED = frozenset("builtins cmath collections functools funcgrad itertools math ml_dtypes numpy operator".split())
_DISTRUSTED = ("numpy.random",)
_IMPURE = frozenset("__import__ breakpoint compile delattr eval exec globals id input locals open setattr vars".split())
_BY_VALUE = frozenset((bool, int, str, bytes))
_BY_IDENTITY = (
    np.ufunc,
    type(np.sum),
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
# What a class has of itself, or from being a dataclass: compared by identity.
_GENERATED = frozenset(
    """__annotate__ __annotate_func__ __annotations__ __annotations_cache__ __dataclass_fields__ __dataclass_params__
    __delattr__ __dict__ __doc__ __eq__ __firstlineno__ __getstate__ __hash__ __init__ __match_args__ __module__
    __orig_bases__ __parameters__ __qualname__ __replace__ __repr__ __setattr__ __setstate__ __slots__
    __static_attributes__ __weakref__""".split()
)


class Identity(NamedTuple):
    """What a function is.

    Attributes:
        key: equal for functions that compute the same.
        holds_arrays: whether the key keeps arrays alive.
    """

    key: Any
    holds_arrays: bool


class HasIdentity:
    """Base of callables of this library whose identity is that of their parts."""

    def identity_parts(self) -> tuple[Any, ...]:
        """What decides how it behaves."""
        raise NotImplementedError


def identity_of(*values: Any) -> Identity | None:
    """The identity of functions and immutable values together; None if one of them may change unnoticed."""
    reader = _Reader()
    try:
        key = tuple([reader.key(value) for value in values])
    except (_MayChange, RecursionError):
        return None
    return Identity(key, reader.holds_arrays)


def is_plain(structure: Any) -> bool:
    """Whether a tree is made of dicts, lists, tuples and None only, so that no class of the user's takes part in it."""
    data = structure.node_data()
    return data is None or (
        data[0] in (dict, list, tuple, type(None)) and all(is_plain(child) for child in structure.children())
    )


class _MayChange(Exception):
    """Something that a function reads may change, so that it cannot be compared with another one."""


class _Same:
    """A part of a key that equals only itself; keeps it alive, so that its `id` is not given away."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is _Same and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


class _Reader:
    """Makes one key; functions that it meets again are numbered, so that recursion ends."""

    def __init__(self) -> None:
        self.holds_arrays = False
        self._seen: dict[int, int] = {}

    def key(self, value: Any, names: frozenset[str] = frozenset()) -> Any:
        """The key of anything; `names` are the attributes that the code which reads it mentions."""
        kind = type(value)
        if kind in _BY_VALUE:
            return (kind, value)
        if kind is float:
            return (float, value.hex())
        if kind is complex:
            return (complex, value.real.hex(), value.imag.hex())
        if value is None or value is Ellipsis or value is NotImplemented:
            return _Same(value)
        if kind is Array:
            self.holds_arrays = True
            return _Same(value)
        if isinstance(value, np.dtype):
            return (np.dtype, value) if value.names is None else self._refuse()
        if isinstance(value, np.generic) and kind not in (np.void, np.object_):
            return (kind, value.tobytes())
        return self._compound(value, kind, names)

    def _compound(self, value: Any, kind: type, names: frozenset[str]) -> Any:
        if kind is tuple:
            return (tuple, *[self.key(item, names) for item in value])
        if kind is frozenset:
            return (frozenset, frozenset([self.key(item, names) for item in value]))
        if kind is slice or kind is range:
            return (kind, self.key(value.start), self.key(value.stop), self.key(value.step))
        if kind is types.ModuleType:
            return self._module(value, names, set())
        if isinstance(value, type):
            return _Same(value) if _is_of_trusted_module(value) else self._refuse()
        return self._callable(value, kind, names)

    def _callable(self, value: Any, kind: type, names: frozenset[str]) -> Any:
        if kind is types.FunctionType:
            return self._function(value)
        if kind is types.MethodType:
            return (kind, self.key(value.__func__), self.key(value.__self__, names))
        if kind is types.BuiltinFunctionType:
            owner = value.__self__
            if owner is None or type(owner) is types.ModuleType:
                return _Same(value) if owner is None or _trusted(owner.__name__) else self._refuse()
            return (kind, value.__name__, self.key(owner))
        if kind is functools.partial:
            self._no_attributes(value)
            keywords = [(name, self.key(given, names)) for name, given in value.keywords.items()]
            return (kind, self.key(value.func), self.key(value.args, names), tuple(keywords))
        if isinstance(value, _BY_IDENTITY):
            return _Same(value)
        if isinstance(value, Interned) and _trusted(kind.__module__):
            return (kind, *map(self.key, value._field_values()))
        if isinstance(value, HasIdentity):
            return (kind, *map(self.key, value.identity_parts()))
        if dataclasses.is_dataclass(value) and kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            return self._frozen(value, kind)
        return self._refuse()

    def _refuse(self) -> Any:
        raise _MayChange

    def _no_attributes(self, value: Any) -> None:
        if getattr(value, "__dict__", None):
            raise _MayChange

    # -- functions -----------------------------------------------------------------------------------------------

    def _function(self, function: types.FunctionType) -> Any:
        number = self._seen.get(id(function))
        if number is not None:
            return ("again", number)
        self._seen[id(function)] = len(self._seen)
        trusted = _is_of_trusted_code(function)
        if trusted and _is_of_trusted_module(function):
            return _Same(function)
        code = function.__code__
        reads = _reads(code)
        if reads is None:
            raise _MayChange
        return (
            (code, code.co_filename),
            self._values(function.__defaults__ or (), reads.attributes),
            tuple([(name, self.key(v)) for name, v in sorted((function.__kwdefaults__ or {}).items())]),
            self._values(_cells(function), reads.attributes),
            () if trusted else self._globals(function, reads),
            self._attributes(function),
        )

    def _values(self, values: Iterable[Any], names: frozenset[str]) -> tuple[Any, ...]:
        return tuple([self.key(value, names) for value in values])

    def _attributes(self, function: types.FunctionType) -> tuple[Any, ...]:
        return tuple([(name, self.key(value)) for name, value in sorted(vars(function).items())])

    def _globals(self, function: types.FunctionType, reads: _Reads) -> tuple[Any, ...]:
        """What the names that a function looks up mean now."""
        found = []
        scope = function.__globals__
        builtins = scope.get("__builtins__", {})
        builtins = builtins if isinstance(builtins, dict) else vars(builtins)
        for name in reads.globals:
            if name in scope:
                found.append((name, self.key(scope[name], reads.attributes)))
            elif name in builtins and name not in _IMPURE:
                found.append((name, self._builtin(builtins[name])))
            else:
                raise _MayChange
        return tuple(found)

    def _builtin(self, value: Any) -> Any:
        return _Same(value) if isinstance(value, type) and _is_of_trusted_module(value) else self.key(value)

    # -- modules and objects -------------------------------------------------------------------------------------

    def _module(self, module: types.ModuleType, names: frozenset[str], met: set[int]) -> Any:
        """A trusted module: what the attributes that the code mentions are now."""
        name = module.__name__
        impure = any(f"{name}.{attribute}" in _DISTRUSTED for attribute in names)
        if impure or not _trusted(name) or sys.modules.get(name) is not module:
            raise _MayChange
        met.add(id(module))
        found = []
        scope = vars(module)
        for attribute in sorted(names & scope.keys()):
            value = scope[attribute]
            if type(value) is not types.ModuleType:
                pure = type(value) is not types.FunctionType and _trusted(type(value).__module__)
                found.append((attribute, _Same(value) if pure else self.key(value)))
            elif id(value) not in met:
                found.append((attribute, self._module(value, names, met)))
        return (_Same(module), tuple(found))

    def _frozen(self, value: Any, kind: type) -> Any:
        """An instance of a frozen dataclass: its class as it is now, and its fields."""
        fields = [field.name for field in dataclasses.fields(value)]
        if set(getattr(value, "__dict__", fields)) - set(fields):
            raise _MayChange
        return (self._class(kind), tuple([self.key(getattr(value, name)) for name in fields]))

    def _class(self, kind: type) -> Any:
        if type(kind) is not type:
            raise _MayChange
        found: list[Any] = [_Same(kind)]
        for base in kind.__mro__[:-1]:
            for name, value in sorted(vars(base).items()):
                if isinstance(value, property):
                    parts: tuple[Any, ...] = (value.fget,)
                elif isinstance(value, (staticmethod, classmethod)):
                    parts = (value.__func__,)
                else:
                    parts = (value,)
                found.append((name, _Same(value) if name in _GENERATED else self._values(parts, frozenset())))
        return tuple(found)


def _cells(function: types.FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not assigned yet
            raise _MayChange from None


# -- what code reads -------------------------------------------------------------------------------------------------


class _Reads(NamedTuple):
    """Names that code looks up: outside of itself, and as attributes of something."""

    globals: tuple[str, ...]
    attributes: frozenset[str]


_known: dict[int, tuple[types.CodeType, _Reads | None]] = {}  # by identity: hashing a code object is slow


def _reads(code: types.CodeType) -> _Reads | None:
    """What code and the functions inside it read; None if it also writes globals or imports what is not trusted."""
    found = _known.get(id(code))
    if found is None:
        if len(_known) > 4096:
            _known.clear()
        found = _known[id(code)] = (code, _scan(code))
    return found[1]


def _scan(code: types.CodeType) -> _Reads | None:
    names: set[str] = set()
    attributes = {*code.co_names, *(text for text in code.co_consts if type(text) is str)}  # also for `getattr`
    for instruction in dis.get_instructions(code):
        operation, name = instruction.opname, instruction.argval
        if operation in ("STORE_GLOBAL", "DELETE_GLOBAL", "STORE_DEREF", "DELETE_DEREF") and _is_outside(code, name):
            return None
        if operation == "IMPORT_NAME" and not _trusted(name):
            return None
        if operation in ("STORE_ATTR", "DELETE_ATTR"):
            return None
        if operation in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            names.add(name)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            inner = _scan(constant)
            if inner is None:
                return None
            names.update(inner.globals)
            attributes |= inner.attributes
    return _Reads(tuple(sorted(names)), frozenset(attributes))


def _is_outside(code: types.CodeType, name: str) -> bool:
    return name not in code.co_cellvars


def _trusted(module: Any) -> bool:
    name = module or ""
    return name.partition(".")[0] in _TRUSTED and not name.startswith(_DISTRUSTED)


def _is_of_trusted_code(function: types.FunctionType) -> bool:
    name = function.__globals__.get("__name__", "")
    return _trusted(name) and getattr(sys.modules.get(str(name)), "__dict__", None) is function.__globals__


def _is_of_trusted_module(value: Any) -> bool:
    """Whether a function or class is what a trusted module has under its name."""
    return _trusted(value.__module__) and getattr(sys.modules.get(value.__module__), value.__name__, None) is value
