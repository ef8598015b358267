"""`x.at[index].set(values)` and its kin: a copy of an immutable array with some elements changed."""

from __future__ import annotations

from collections.abc import Callable
from operator import setitem
from typing import Any

import numpy as np

from ..backend.array import Array, aligned_copy
from ..compiler.evaluate import evaluation, quiet
from ..core.dtypes import BOOL, is_inexact, scalar_kind
from ..core.trace import Tracer, state
from ..core.types import ArrayType
from ..errors import DTypeError
from ..ops.elementwise import add, div, maximum, minimum, mul, neg, sub, where
from ..ops.exponential import power
from ..ops.gather import scatter, scatter_add, scatter_max, scatter_min, scatter_mul
from ..ops.structure import broadcast, broadcast_in_dim, convert, full, reshape
from .conversion import SCALARS, as_operand
from .index_plan import Plan, parse
from .indexing import BASIC, cut, filling, host_index, read, write

__all__ = ["At", "AtIndex"]

_KINDS = (bool, int, float, complex)


class At:
    """What `x.at` is; index it: `x.at[1:3]`."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    def __getitem__(self, index: Any) -> AtIndex:
        return AtIndex(self.array, index)

    def __repr__(self) -> str:
        return f"{self.array!r}.at"


class AtIndex:
    """What `x.at[index]` is: a place in an array, with methods that return a changed copy of the array.

    Every method takes `indices_are_sorted` and `unique_indices` (promises that may make compiled code faster) and
    `mode`: by default an index out of bounds raises `OutOfBoundsError`, a traced one when a result of the compiled call
    is read; "drop" (or "fill"), "clip", "wrap" and "promise_in_bounds" choose otherwise. Values are broadcast to the
    place's shape and converted to the array's dtype; one of a higher kind, such as a float for an integer array,
    raises `DTypeError`.
    """

    __slots__ = ("array", "index")

    def __init__(self, array: Any, index: Any) -> None:
        self.array = array
        self.index = index

    def __repr__(self) -> str:
        return f"{self.array!r}.at[{self.index!r}]"

    def get(
        self,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: str | None = None,
        fill_value: Any = None,
    ) -> Any:
        """The elements, as `x[index]`; `mode` and `fill_value` say what indices out of bounds give.

        A `fill_value` without a mode means mode "fill".
        """
        plan = parse(self.array.shape, self.index, filling(mode, fill_value))
        return read(self.array, plan, fill_value, indices_are_sorted, unique_indices)

    def set(self, values: Any, **options: Any) -> Any:
        """A copy with these elements replaced; where an index is repeated, the last value wins.

        Example:
            >>> fnp.zeros(3).at[1].set(5.0)
            Array([0., 5., 0.], dtype=float32)
        """
        return _update(self, "set", values, options)

    def add(self, values: Any, **options: Any) -> Any:
        """A copy with `values` added to these elements; every repetition of an index counts."""
        return _update(self, "add", values, options)

    def subtract(self, values: Any, **options: Any) -> Any:
        """A copy with `values` subtracted from these elements; every repetition of an index counts."""
        return _update(self, "subtract", values, options)

    def multiply(self, values: Any, **options: Any) -> Any:
        """A copy with these elements multiplied by `values`; every repetition of an index counts."""
        return _update(self, "multiply", values, options)

    mul = multiply

    def divide(self, values: Any, **options: Any) -> Any:
        """A copy with these (floating or complex) elements divided by `values`; every repetition of an index counts."""
        return _update(self, "divide", values, options)

    def power(self, values: Any, **options: Any) -> Any:
        """A copy with these elements raised to the power `values`; every repetition of an index counts."""
        return _update(self, "power", values, options)

    def min(self, values: Any, **options: Any) -> Any:
        """A copy with these elements lowered to `values` where those are smaller."""
        return _update(self, "min", values, options)

    def max(self, values: Any, **options: Any) -> Any:
        """A copy with these elements raised to `values` where those are larger."""
        return _update(self, "max", values, options)

    def apply(self, func: Callable[[Any], Any], **options: Any) -> Any:
        """A copy with `func` of these elements in their place, applied once to each."""
        return self.set(func(self.get(mode=options.get("mode"))), **options)


class _Kind:
    """One way to combine old elements with values: eagerly in NumPy, on whole boxes, and scattered."""

    __slots__ = ("combine", "scattered", "ufunc")

    def __init__(
        self, ufunc: np.ufunc | None, combine: Callable[[Any, Any], Any], scattered: Callable[..., Any]
    ) -> None:
        self.ufunc = ufunc
        self.combine = combine
        self.scattered = scattered


def _by_factors(combine: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Scattering for a combination that is `combine` with the product of an element's values."""

    def scattered(x: Any, indices: Any, updates: Any, dims: Any, **flags: Any) -> Any:
        return combine(x, scatter_mul(full(x.type, 1), indices, updates, dims, **flags))

    return scattered


def _subtract_scattered(x: Any, indices: Any, updates: Any, dims: Any, **flags: Any) -> Any:
    return scatter_add(x, indices, neg(updates), dims, **flags)


_UPDATES = {
    "set": _Kind(None, lambda old, new: new, scatter),
    "add": _Kind(np.add, add, scatter_add),
    "subtract": _Kind(np.subtract, sub, _subtract_scattered),
    "multiply": _Kind(np.multiply, mul, scatter_mul),
    "divide": _Kind(np.divide, div, _by_factors(div)),
    "power": _Kind(np.power, power, _by_factors(power)),
    "min": _Kind(np.minimum, minimum, scatter_min),
    "max": _Kind(np.maximum, maximum, scatter_max),
}
_ARITHMETIC = frozenset(("add", "subtract", "multiply", "divide", "power"))


def _update(at: AtIndex, name: str, values: Any, options: dict[str, Any]) -> Any:
    # Hot: plain on purpose (benchmark: eager indexing).
    x = at.array
    if type(x) is Array and state.trace is evaluation and evaluation.host_only and x._device is None and not options:
        result = _update_on_host(x, at.index, name, values)
        if result is not None:
            return result
    return _update_anywhere(x, at.index, name, values, **options)


def _update_on_host(x: Array, index: Any, name: str, values: Any) -> Array | None:
    """The eager update by NumPy; None where the general way must decide or raise."""
    host = x.host()
    plain = index if type(index) is int else host_index(index)
    basic = BASIC.issuperset(map(type, plain)) if type(plain) is tuple else type(plain) in BASIC
    value = _host_value(host.dtype, values)
    if plain is None or value is None or (name in _REFUSED and host.dtype.kind in _REFUSED[name]):
        return None
    copy = aligned_copy(host)
    ufunc = _UPDATES[name].ufunc
    try:
        if ufunc is None:
            quiet(setitem, copy, plain, value)
        elif basic:
            quiet(setitem, copy, plain, quiet(ufunc, copy[plain], value))
        else:
            quiet(ufunc.at, copy, plain, value)
    except (IndexError, TypeError, ValueError):
        return None
    return Array(copy)


# Dtype kinds for which NumPy would do something else than the compiled operation; the general way refuses or converts.
_REFUSED = {"divide": "biu", "power": "biu", "add": "b", "subtract": "b", "multiply": "b"}


def _host_value(dtype: np.dtype, value: Any) -> Any:
    """A value that NumPy may assign to elements of `dtype` as it is; None if its dtype needs a look."""
    kind = type(value)
    if kind is float:
        return value if dtype.kind in "fc" else None
    if kind is int:
        return value if dtype.kind in "iufc" else None
    if kind is Array and value._device is None and value.dtype == dtype:
        return value.host()
    return None


def _update_anywhere(
    x: Any,
    index: Any,
    name: str,
    values: Any,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | None = None,
) -> Any:
    kind = _UPDATES[name]
    value = _converted(x.dtype, values, name)
    if _is_traced_mask(index) and value.ndim == 0:
        return _update_by_mask(x, index, kind, value)
    plan = parse(x.shape, index, mode)
    old = cut(x, plan)
    value = _fitted(value, plan)
    if plan.indices is None:
        return write(x, plan, kind.combine(old, reshape(value, plan.cut)))
    if 0 in old.shape or 0 in plan.gathered:
        return x
    dims = plan.dims.as_scatter()
    flags = {"indices_are_sorted": indices_are_sorted, "unique_indices": unique_indices, "mode": plan.mode}
    return write(x, plan, kind.scattered(old, plan.indices, reshape(value, plan.gathered), dims, **flags))


def _fitted(value: Any, plan: Plan) -> Any:
    """A value broadcast to the place's shape; as in NumPy it may have more leading axes of length 1."""
    extra = value.ndim - len(plan.result)
    if extra > 0 and value.shape[:extra] == (1,) * extra:
        value = reshape(value, value.shape[extra:])
    return broadcast(value, plan.result)


def _converted(dtype: np.dtype, values: Any, name: str) -> Any:
    """The values in the array's dtype.

    Raises:
        DTypeError: values of a higher kind, or an operation that the dtype does not have.
    """
    if name in _ARITHMETIC and dtype == BOOL:
        raise DTypeError(f"x.at[…].{name} takes arrays of numbers, not booleans; use .set, .min (and) or .max (or)")
    if name == "divide" and not is_inexact(dtype):
        raise DTypeError(
            f"x.at[…].divide would turn {dtype.name} elements into fractions, which the array cannot hold; "
            f"convert it first: x = x.astype(float)"
        )
    value = as_operand(values)
    kind = type(values) if type(values) in SCALARS else scalar_kind(value.dtype)
    if _KINDS.index(kind) > _KINDS.index(scalar_kind(dtype)):
        given = f"a Python {kind.__name__}" if type(values) in SCALARS else f"{value.dtype.name} values"
        raise DTypeError(
            f"x.at[…].{name}: {given} would lose information in an array of dtype {dtype.name}. "
            f"Convert the array first, x = x.astype({value.dtype.name!r}), or the values: values.astype({dtype.name!r})"
        )
    if type(values) in SCALARS:
        return full(ArrayType((), dtype), values)
    return convert(value, dtype)


def _is_traced_mask(index: Any) -> bool:
    return isinstance(index, Tracer) and index.dtype == BOOL and index.concrete() is None


def _update_by_mask(x: Any, mask: Any, kind: _Kind, value: Any) -> Any:
    """One value at all places where a mask is true needs no positions: it is a selection."""
    changed = kind.combine(x, broadcast(value, x.shape))
    return where(broadcast_in_dim(mask, x.shape, range(mask.ndim)), changed, x)
