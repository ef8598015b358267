"""Reductions that pass over NaN, under NumPy's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.dtypes import DTypeLike, is_inexact
from ..errors import ArgumentError
from ..ops import cumulative
from ..ops import elementwise as ops
from ..ops.exponential import sqrt
from ..ops.structure import broadcast, full
from .conversion import as_operand, refuse_out
from .elementwise import where as choose
from .logic import logical_and
from .promotion import to_inexact
from .reductions import (
    Axis,
    any,
    argmax,
    cumprod,
    cumsum,
    float_or_given,
    max,
    mean,
    min,
    prod,
    sum,
    var,
)

__all__ = [
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum",
    "nanvar",
]  # fmt: skip


def _without_nan(a: Any, replacement: Any) -> tuple[Any, Any]:
    """`a` with NaN replaced, and where it was not NaN."""
    x = as_operand(a)
    numbers = ops.eq(x, x)
    return choose(numbers, x, replacement), numbers


def nansum(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """`sum` of the elements that are not NaN."""
    refuse_out("nansum", out)
    return sum(_without_nan(a, 0)[0], axis, dtype, keepdims=keepdims, initial=initial, where=where)


def nanprod(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """`prod` of the elements that are not NaN."""
    refuse_out("nanprod", out)
    return prod(_without_nan(a, 1)[0], axis, dtype, keepdims=keepdims, initial=initial, where=where)


def _nan_extremum(
    a: Any, reduce: Callable[..., Any], worst: Callable[[np.dtype], Any], axis: Axis, keepdims: bool, **options: Any
) -> Any:
    x = as_operand(a)
    if not is_inexact(x.dtype):
        return reduce(x, axis, keepdims=keepdims, **options)
    replaced, numbers = _without_nan(x, full(x.type.update(shape=()), worst(x.dtype)))
    result = reduce(replaced, axis, keepdims=keepdims, **options)
    if options["initial"] is not None:
        return result
    return choose(any(numbers, axis, keepdims=keepdims), result, np.nan)


def nanmax(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """`max` of the elements that are not NaN; where there are none, `initial` or NaN."""
    refuse_out("nanmax", out)
    return _nan_extremum(a, max, cumulative.lowest, axis, keepdims, initial=initial, where=where)


def nanmin(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """`min` of the elements that are not NaN; where there are none, `initial` or NaN."""
    refuse_out("nanmin", out)
    return _nan_extremum(a, min, cumulative.highest, axis, keepdims, initial=initial, where=where)


def _nan_argument(
    a: Any, axis: int | None, keepdims: bool, search: Callable[..., Any], reduce: Callable[..., Any], name: str
) -> Any:
    x = to_inexact(as_operand(a))
    _, numbers = _without_nan(x, 0)
    some = any(numbers, axis, keepdims=keepdims)
    if type(some) is Array and not some.host().all():
        raise ArgumentError(f"{name}: there is nothing but NaN in {x.type} along axis {axis}")
    best = reduce(x, axis, keepdims=True)
    return choose(some, search(ops.eq(x, broadcast(best, x.shape)), axis, keepdims=keepdims), -1)


def nanargmax(a: Any, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Any:
    """`argmax` of the elements that are not NaN.

    Raises:
        ArgumentError: there are none; in compiled code the index is then -1.
    """
    refuse_out("nanargmax", out)
    return _nan_argument(a, axis, keepdims, argmax, nanmax, "nanargmax")


def nanargmin(a: Any, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Any:
    """`argmin` of the elements that are not NaN.

    Raises:
        ArgumentError: there are none; in compiled code the index is then -1.
    """
    refuse_out("nanargmin", out)
    return _nan_argument(a, axis, keepdims, argmax, nanmin, "nanargmin")


def nanmean(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: Any = None,
) -> Any:
    """`mean` of the elements that are not NaN; NaN where there are none."""
    refuse_out("nanmean", out)
    x, numbers = _without_nan(float_or_given(as_operand(a), dtype), 0)
    return mean(x, axis, x.dtype, keepdims=keepdims, where=_both(numbers, where))


def nanvar(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """`var` of the elements that are not NaN; NaN where there are too few."""
    refuse_out("nanvar", out)
    x, numbers = _without_nan(float_or_given(as_operand(a), dtype), 0)
    options = {"where": _both(numbers, where), "mean": mean, "correction": correction}
    return var(x, axis, x.dtype, ddof=ddof, keepdims=keepdims, **options)


def nanstd(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """`std` of the elements that are not NaN; NaN where there are too few."""
    refuse_out("nanstd", out)
    return sqrt(nanvar(a, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean, correction=correction))


def _both(numbers: Any, where: Any) -> Any:
    return numbers if where is None else logical_and(numbers, where)


def nancumsum(a: Any, axis: int | None = None, dtype: DTypeLike | None = None, out: None = None) -> Any:
    """`cumsum` with NaN counted as 0."""
    refuse_out("nancumsum", out)
    return cumsum(_without_nan(a, 0)[0], axis, dtype)


def nancumprod(a: Any, axis: int | None = None, dtype: DTypeLike | None = None, out: None = None) -> Any:
    """`cumprod` with NaN counted as 1."""
    refuse_out("nancumprod", out)
    return cumprod(_without_nan(a, 1)[0], axis, dtype)
