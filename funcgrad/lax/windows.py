"""Slices at static and computed places; gather and scatter."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.types import Shape
from ..numpy.conversion import as_operand
from ..ops import elementwise, slicing, structure
from ..ops import gather as windows
from ..ops.gather import GatherDims as GatherDimensionNumbers
from ..ops.gather import ScatterDims as ScatterDimensionNumbers
from ..ops.structure import canonical_axis
from .elementwise import neg
from .operands import adapted

__all__ = [
    "GatherScatterMode",
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
    "gather",
    "index_in_dim",
    "scatter",
    "scatter_add",
    "scatter_max",
    "scatter_min",
    "scatter_mul",
    "scatter_sub",
    "slice",
    "slice_in_dim",
]


class GatherScatterMode(enum.StrEnum):
    """What happens to windows out of bounds."""

    CLIP = "clip"
    FILL_OR_DROP = "fill"
    PROMISE_IN_BOUNDS = "promise_in_bounds"


def slice(
    operand: Any, start_indices: Sequence[int], limit_indices: Sequence[int], strides: Sequence[int] | None = None
) -> Any:
    """Elements from start (included) to limit (excluded) along every axis, `strides` apart."""
    return slicing.slice_array(as_operand(operand), start_indices, limit_indices, strides)


def slice_in_dim(operand: Any, start_index: int | None, limit_index: int | None, stride: int = 1, axis: int = 0) -> Any:
    """`slice` along one axis; None means the start or the end, negative bounds count from the end."""
    return slicing.slice_in_dim(as_operand(operand), start_index, limit_index, stride, axis)


def index_in_dim(operand: Any, index: int, axis: int = 0, keepdims: bool = True) -> Any:
    """One place along an axis, which stays with length 1 if `keepdims`."""
    operand = as_operand(operand)
    axis = canonical_axis(axis, operand.ndim)
    start = index + operand.shape[axis] * (index < 0)
    row = slicing.slice_in_dim(operand, start, start + 1, 1, axis)
    return row if keepdims else structure.squeeze(row, (axis,))


def _starts(operand: Any, starts: Any, allow_negative: bool | Sequence[bool]) -> list[Any]:
    """Start scalars of one dtype; negative ones count from the end where that is allowed."""
    if hasattr(starts, "shape"):
        vector = as_operand(starts)
        starts = [structure.reshape(slicing.slice_in_dim(vector, i, i + 1), ()) for i in range(vector.size)]
    allowed = [allow_negative] * len(starts) if isinstance(allow_negative, bool) else allow_negative
    if all(isinstance(start, int) for start in starts):
        rows = zip(starts, operand.shape, allowed, strict=True)
        return [start + n * (start < 0 and wraps) for start, n, wraps in rows]
    scalars = [as_operand(start) for start in starts]
    dtype = np.result_type(*(x.dtype for x in scalars if x.ndim == 0))
    settled = []
    for start, n, wraps in zip(scalars, operand.shape, allowed, strict=True):
        start = structure.convert(start, dtype)
        if wraps and dtype.kind == "i":
            zero, length = structure.zeros_of(start.type), structure.full(start.type, n)
            start = elementwise.where(elementwise.lt(start, zero), elementwise.add(start, length), start)
        settled.append(start)
    return settled


def dynamic_slice(
    operand: Any,
    start_indices: Any,
    slice_sizes: Sequence[int],
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Any:
    """The box of `slice_sizes` that begins at integer scalars; one that would reach out of the array is moved inside.

    Args:
        operand: array.
        start_indices: one integer (scalar) per axis, or a vector of them.
        slice_sizes: lengths of the box.
        allow_negative_indices: whether negative starts count from the end.
    """
    operand = as_operand(operand)
    return slicing.dynamic_slice(operand, _starts(operand, start_indices, allow_negative_indices), slice_sizes)


def dynamic_update_slice(
    operand: Any, update: Any, start_indices: Any, *, allow_negative_indices: bool | Sequence[bool] = True
) -> Any:
    """The operand with the box that begins at integer scalars replaced by `update`; see `dynamic_slice`."""
    operand, update = adapted((operand, update))
    return slicing.dynamic_update_slice(operand, update, _starts(operand, start_indices, allow_negative_indices))


def dynamic_slice_in_dim(
    operand: Any, start_index: Any, slice_size: int, axis: int = 0, *, allow_negative_indices: bool = True
) -> Any:
    """`dynamic_slice` along one axis."""
    operand = as_operand(operand)
    axis = canonical_axis(axis, operand.ndim)
    starts: list[Any] = [0] * operand.ndim
    starts[axis] = start_index
    sizes = [slice_size if i == axis else n for i, n in enumerate(operand.shape)]
    return dynamic_slice(operand, starts, sizes, allow_negative_indices=allow_negative_indices)


def dynamic_index_in_dim(
    operand: Any, index: Any, axis: int = 0, keepdims: bool = True, *, allow_negative_indices: bool = True
) -> Any:
    """One place along an axis, chosen by an integer scalar."""
    row = dynamic_slice_in_dim(operand, index, 1, axis, allow_negative_indices=allow_negative_indices)
    return row if keepdims else structure.squeeze(row, (axis,))


def dynamic_update_slice_in_dim(
    operand: Any, update: Any, start_index: Any, axis: int, *, allow_negative_indices: bool = True
) -> Any:
    """`dynamic_update_slice` along one axis."""
    operand = as_operand(operand)
    starts: list[Any] = [0] * operand.ndim
    starts[canonical_axis(axis, operand.ndim)] = start_index
    return dynamic_update_slice(operand, update, starts, allow_negative_indices=allow_negative_indices)


def dynamic_update_index_in_dim(
    operand: Any, update: Any, index: Any, axis: int, *, allow_negative_indices: bool = True
) -> Any:
    """The operand with one place along an axis replaced; `update` has that axis with length 1, or lacks it."""
    operand, update = as_operand(operand), as_operand(update)
    axis = canonical_axis(axis, operand.ndim)
    if update.ndim != operand.ndim:
        update = structure.expand_dims(update, (axis,))
    return dynamic_update_slice_in_dim(operand, update, index, axis, allow_negative_indices=allow_negative_indices)


def gather(
    operand: Any,
    start_indices: Any,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Shape,
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: str | GatherScatterMode | None = None,
    fill_value: Any = None,
) -> Any:
    """Windows of `operand`, one per index vector along the last axis of `start_indices`.

    Args:
        operand: array to read from.
        start_indices: integer array; its last axis says where a window starts.
        dimension_numbers: how axes of operand, indices and result correspond.
        slice_sizes: the window's length along each operand axis.
        unique_indices, indices_are_sorted: promises that may make compiled code faster.
        mode: what windows out of bounds give; fill by default.
        fill_value: NaN, the lowest signed or highest unsigned integer, or True by default.
    """
    return windows.gather(
        as_operand(operand),
        as_operand(start_indices),
        dimension_numbers,
        slice_sizes,
        unique_indices=unique_indices,
        indices_are_sorted=indices_are_sorted,
        mode=None if mode is None else str(mode),
        fill_value=fill_value,
    )


def _scatter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def scattered(
        operand: Any,
        scatter_indices: Any,
        updates: Any,
        dimension_numbers: ScatterDimensionNumbers,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: str | GatherScatterMode | None = None,
    ) -> Any:
        flags = {"indices_are_sorted": indices_are_sorted, "unique_indices": unique_indices}
        how = None if mode is None else str(mode)
        operand, updates = as_operand(operand), as_operand(updates)
        return function(operand, as_operand(scatter_indices), updates, dimension_numbers, mode=how, **flags)

    scattered.__name__ = scattered.__qualname__ = name
    scattered.__doc__ = function.__doc__
    return scattered


scatter = _scatter("scatter", windows.scatter)
scatter_add = _scatter("scatter_add", windows.scatter_add)
scatter_mul = _scatter("scatter_mul", windows.scatter_mul)
scatter_min = _scatter("scatter_min", windows.scatter_min)
scatter_max = _scatter("scatter_max", windows.scatter_max)


def scatter_sub(
    operand: Any, scatter_indices: Any, updates: Any, dimension_numbers: ScatterDimensionNumbers, **options: Any
) -> Any:
    """`operand` with the updates subtracted from its windows; see `scatter_add`."""
    return scatter_add(operand, scatter_indices, neg(updates), dimension_numbers, **options)
