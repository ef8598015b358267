"""What every transformation does with its arguments: leaves become arrays, functions become flat, outputs strong."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import tree
from ..backend.array import Array, aligned_copy, splat_array
from ..backend.registry import flatten as flatten_leaves
from ..core.dtypes import canonical, default_int, scalar_dtype
from ..core.trace import Tracer
from ..core.types import ArrayType
from ..errors import ArgumentError, DTypeError
from ..ops.structure import convert
from ..source import function_source

__all__ = ["FlatFunction", "argument_names", "check_callable", "is_array_like", "leaf_names", "lift", "strong"]

_SCALARS = (bool, int, float, complex)


def is_array_like(leaf: Any) -> bool:
    """Whether a leaf is traced: arrays, also those of other libraries, and Python numbers."""
    return isinstance(leaf, (Array, Tracer, np.ndarray, np.generic, *_SCALARS)) or _is_foreign_array(leaf)


def _is_foreign_array(leaf: Any) -> bool:
    return hasattr(leaf, "__array__") and not isinstance(leaf, type)


def lift(leaf: Any, where: str = "") -> Any:
    """A leaf as an array: arrays and tracers unchanged, NumPy arrays copied once, Python numbers weak scalars.

    Raises:
        DTypeError: not a number or numeric array; `where` names the argument.
        OverflowError: a Python int that the default integer dtype cannot hold.
    """
    kind = type(leaf)
    if kind is Array or isinstance(leaf, Tracer):
        return leaf
    if kind in _SCALARS:
        return splat_array(_checked(leaf, kind), ArrayType((), scalar_dtype(kind), True))
    if isinstance(leaf, (np.ndarray, np.generic)):
        dtype = canonical(leaf.dtype)
        return Array(aligned_copy(np.asarray(leaf, dtype)))
    if isinstance(leaf, _SCALARS):
        plain: Any = next(scalar for scalar in _SCALARS if isinstance(leaf, scalar))
        return lift(plain(leaf))
    if _is_foreign_array(leaf):
        return lift(np.asarray(leaf))
    raise DTypeError(
        f"{where or 'a leaf'} is {leaf!r} of type {kind.__name__}, which is not an array or a number.\n"
        f"Only arrays and numbers can be transformed; close over other values, or pass them to jit as static."
    )


def _checked(value: Any, kind: type) -> Any:
    if kind is int:
        limits = np.iinfo(default_int())
        if not limits.min <= value <= limits.max:
            raise OverflowError(
                f"Python int {value} does not fit the default integer dtype {default_int()}; "
                f"pass fnp.asarray({value}, dtype='int64') to keep it whole"
            )
    return value


def check_callable(fun: Any, what: str) -> None:
    """Refuse early what is not a function.

    Raises:
        ArgumentError: `fun` cannot be called.
    """
    if not callable(fun):
        raise ArgumentError(f"{what} takes a function, got {type(fun).__name__}")


def strong(value: Any) -> Any:
    """The value without weakness: what leaves a transformation."""
    if type(value) is Array:
        if value._type is not None and value._type.weak:
            return Array(value.host(), None, value._type.strong(), value._device)
        return value
    return convert(value, value.dtype) if value.type.weak else value


def argument_names(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> list[str]:
    """The names by which messages call positional and keyword arguments."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names: list[str] = []
    for i in range(len(args)):
        if i < len(parameters) and parameters[i].kind in (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        ):
            names.append(parameters[i].name)
        else:
            names.append(f"args[{i}]")
    return [*names, *kwargs]


def leaf_names(names: Sequence[str], arguments: Sequence[Any]) -> list[str]:
    """A name like `params['w'][0]` for every leaf of the arguments."""
    found = []
    for name, argument in zip(names, arguments, strict=True):
        found.extend(name + tree.keystr(path) for path, _ in tree.leaves_with_path(argument))
    return found


class FlatFunction:
    """A function of pytrees as a function of leaves; remembers the structure of what it returned.

    Attributes:
        named: the user's function, for messages.
        out_tree: structure of the (first) result, known after a call.
        aux: the auxiliary result, with `has_aux`.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        in_tree: Any,
        has_aux: bool = False,
        named: Callable[..., Any] | None = None,
    ) -> None:
        self.function = function
        self.named = named or function
        self.in_tree = in_tree
        self.has_aux = has_aux
        self.out_tree: Any = None
        self.aux: Any = None

    def __call__(self, *leaves: Any) -> list[Any]:
        args, kwargs = self.in_tree.unflatten(leaves)
        result = self.function(*args, **kwargs)
        if self.has_aux:
            if not isinstance(result, (tuple, list)) or len(result) != 2:
                kind = "an array" if isinstance(result, (Array, Tracer)) else type(result).__name__
                raise ArgumentError(
                    f"with has_aux=True, {function_source(self.named)} must return a pair (output, auxiliary), "
                    f"got {kind}"
                )
            result, self.aux = result
        outs, self.out_tree = flatten_leaves(result)
        return [out if type(out) is Array or isinstance(out, Tracer) else self._lift_output(out) for out in outs]

    def release(self, split: Callable[[Any], tuple[Any, Any]]) -> None:
        """Replace traced values in the auxiliary result, whose transformation has ended, by their primals."""
        if self.has_aux:
            self.aux = tree.map(lambda leaf: strong(split(leaf)[0]) if isinstance(leaf, Tracer) else leaf, self.aux)

    def _lift_output(self, out: Any) -> Any:
        return lift(out, f"what {function_source(self.named)} returned")
