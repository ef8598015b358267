"""A namespace's functions, and the operators of arrays, compiled by `jit` and run.

The arrays among the arguments are traced; all other arguments are static, as they come. Two kinds of function run
eagerly: those whose results' shapes depend on values, which compiled code has in their `size=` form only, and those
that do not compute.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import funcgrad as fg

DATA_DEPENDENT = ("nonzero", "unique_all", "unique_counts", "unique_inverse", "unique_values")
"""Functions whose results' shapes depend on values; so do `repeat` by an array of numbers and a boolean index."""

WITHOUT_ARRAYS = (
    "__array_namespace_info__", "broadcast_shapes", "can_cast", "finfo", "from_dlpack", "iinfo", "isdtype",
    "result_type",
)  # fmt: skip
"""Functions that answer questions about shapes and dtypes, and the one that takes another library's array."""

OPERATORS = (
    "abs", "add", "and", "eq", "floordiv", "ge", "getitem", "gt", "invert", "le", "lshift", "lt", "matmul", "mod",
    "mul", "ne", "neg", "or", "pos", "pow", "radd", "rand", "rfloordiv", "rlshift", "rmatmul", "rmod", "rmul", "ror",
    "rpow", "rrshift", "rshift", "rsub", "rtruediv", "rxor", "sub", "truediv", "xor",
)  # fmt: skip

_tracing = False


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, compiled for each call: the arrays among its arguments are traced, the rest is static."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        global _tracing
        if _tracing or _stays_eager(function.__name__, args, options):
            return function(*args, **options)
        leaves, structure = fg.tree.flatten((args, options), is_leaf=lambda x: x is None)
        places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, fg.Array)]

        def run(*arrays: Any) -> Any:
            filled = list(leaves)
            for place, array in zip(places, arrays, strict=True):
                filled[place] = array
            positional, named = fg.tree.unflatten(structure, filled)
            return function(*positional, **named)

        run.__name__ = function.__name__
        _tracing = True
        try:
            result = fg.jit(run)(*[leaves[i] for i in places])
        finally:
            _tracing = False
        return result

    return call


def _stays_eager(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> bool:
    """Whether shapes depend on values, or `copy=` asks who owns the memory, which values in programs have not."""
    if name == "asarray":
        return "copy" in options
    if name == "repeat":
        return isinstance(options.get("repeats", args[1] if len(args) > 1 else None), fg.Array)
    if name in ("__getitem__", "getitem"):
        key = args[1] if isinstance(args[1], tuple) else (args[1],)
        return any(isinstance(entry, fg.Array) and entry.dtype == bool for entry in key)
    return False


def compile_operators() -> None:
    """From now on the operators of arrays are compiled, each call by itself."""
    for name in OPERATORS:
        setattr(fg.Array, f"__{name}__", compiled(getattr(fg.Array, f"__{name}__")))


def compiled_names(source: types.ModuleType) -> dict[str, Any]:
    """The public names of a module, its functions compiled."""
    names = {name: getattr(source, name) for name in source.__all__}
    return {
        name: compiled(value)
        if isinstance(value, types.FunctionType) and name not in (*DATA_DEPENDENT, *WITHOUT_ARRAYS)
        else value
        for name, value in names.items()
    }
