"""Windows of an array chosen by index vectors: the arithmetic that gather and scatter share.

A window is a box of `slice_sizes` inside the operand; the last axis of `indices` holds the vectors that say where each
box starts. Gather reads the boxes, scatter writes them, so both are described by the same `Layout`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..core.dtypes import BOOL
from ..core.interned import Interned
from ..core.types import ArrayType, Shape
from ..errors import ArgumentError, DTypeError, ShapeError
from .reducing import lower_reduce

__all__ = [
    "MODES",
    "GatherDims",
    "Layout",
    "ScatterDims",
    "canonical_mode",
    "check_index_dtype",
    "gather_attribute",
    "in_bounds",
    "layout",
    "locate",
    "lower_clamp",
    "lower_in_bounds",
    "lower_indices",
    "one_window",
    "update_layout",
    "walk_axes",
    "walked_axes",
    "window_sizes",
]

MODES = ("clip", "fill", "promise_in_bounds")

_INT64_MAX = np.iinfo(np.int64).max


class GatherDims(Interned):
    """How the axes of a gather's operand, indices and result correspond.

    Attributes:
        offset_dims: result axes that run inside a window, in the order of the operand's axes.
        collapsed_slice_dims: operand axes where the window has length 1 and no result axis.
        start_index_map: the operand axis that each component of an index vector positions.
        operand_batching_dims: operand axes that are walked in step with
        start_indices_batching_dims: these axes of the indices.
    """

    offset_dims: tuple[int, ...]
    collapsed_slice_dims: tuple[int, ...]
    start_index_map: tuple[int, ...]
    operand_batching_dims: tuple[int, ...] = ()
    start_indices_batching_dims: tuple[int, ...] = ()

    def batched(self, operand: bool, indices: bool) -> GatherDims:
        """The same correspondence when a mapped axis leads the operand, the indices, or both."""
        both = operand and indices
        lead = (0,) if both else ()
        shift = int(operand)
        offset = _shift(self.offset_dims, 1)
        return GatherDims(
            (0, *offset) if operand and not indices else offset,
            _shift(self.collapsed_slice_dims, shift),
            _shift(self.start_index_map, shift),
            lead + _shift(self.operand_batching_dims, shift),
            lead + _shift(self.start_indices_batching_dims, int(indices)),
        )

    def as_scatter(self) -> ScatterDims:
        """The scatter that writes what this gather reads."""
        return ScatterDims(*self._field_values())


class ScatterDims(Interned):
    """How the axes of a scatter's operand, indices and updates correspond; see `GatherDims`.

    Attributes:
        update_window_dims: axes of the updates that run inside a window, in the order of the operand's axes.
        inserted_window_dims: operand axes where the window has length 1 and the updates have no axis.
        scatter_dims_to_operand_dims: the operand axis that each component of an index vector positions.
        operand_batching_dims: operand axes that are walked in step with
        scatter_indices_batching_dims: these axes of the indices.
    """

    update_window_dims: tuple[int, ...]
    inserted_window_dims: tuple[int, ...]
    scatter_dims_to_operand_dims: tuple[int, ...]
    operand_batching_dims: tuple[int, ...] = ()
    scatter_indices_batching_dims: tuple[int, ...] = ()

    def as_gather(self) -> GatherDims:
        """The gather that reads what this scatter writes."""
        return GatherDims(*self._field_values())


def _shift(axes: tuple[int, ...], by: int) -> tuple[int, ...]:
    return tuple(axis + by for axis in axes) if by else axes


def canonical_mode(mode: str | None) -> str:
    """One of `MODES`; None and "drop" mean "fill".

    Raises:
        ArgumentError: another name.
    """
    mode = {None: "fill", "drop": "fill"}.get(mode, mode)
    if mode not in MODES:
        raise ArgumentError(f'mode={mode!r}: expected "clip", "fill", "drop" or "promise_in_bounds"')
    return mode


class Layout(NamedTuple):
    """Everything static about the windows of one operand shape.

    Attributes:
        shape: of the gathered windows, or of the updates of the scatter that writes them.
        limits: the largest start in bounds, per component of an index vector.
        limit: the same as a uint64 array.
        positioned: operand axes that need an index array (those where the window is not the whole axis, or collapses).
        order: `positioned` and then the axes taken whole, the operand's axes as the index arrays see them.
        natural: result axes in the order (index batch, windows along positioned axes, whole axes).
        result: the inverse of `natural`; None if `natural` is the result's order already.
        dropped: per operand axis, whether it has no axis in the result.
    """

    shape: Shape
    limits: tuple[int, ...]
    limit: np.ndarray
    positioned: tuple[int, ...]
    order: tuple[int, ...]
    natural: tuple[int, ...]
    result: tuple[int, ...] | None
    dropped: tuple[bool, ...]


@lru_cache(maxsize=1 << 14)
def layout(name: str, dims: GatherDims, shape: Shape, index_shape: Shape, sizes: Shape) -> Layout:
    """Check and lay out windows of `sizes` in an operand of `shape`; `name` is the operation, for messages.

    Raises:
        ShapeError: indices or windows that do not fit the operand.
    """
    _check_sizes(name, dims, shape, index_shape, sizes)
    _check_axes(name, dims, shape, index_shape)
    hidden = (*dims.collapsed_slice_dims, *dims.operand_batching_dims)
    positioned = tuple(d for d in range(len(shape)) if d in hidden or sizes[d] != shape[d])
    whole = tuple(d for d in range(len(shape)) if d not in positioned)
    place = dict(zip((d for d in range(len(shape)) if d not in hidden), dims.offset_dims, strict=True))
    ndim = len(index_shape) - 1 + len(dims.offset_dims)
    natural = [axis for axis in range(ndim) if axis not in dims.offset_dims]
    lengths = dict(zip(natural, index_shape, strict=False)) | {axis: sizes[d] for d, axis in place.items()}
    natural += [place[d] for d in (*positioned, *whole) if d not in hidden]
    ordered = natural == sorted(natural)
    limits = tuple(shape[d] - sizes[d] for d in dims.start_index_map)
    return Layout(
        tuple(lengths[axis] for axis in range(ndim)),
        limits,
        np.array(limits, np.uint64),
        positioned,
        positioned + whole,
        tuple(natural),
        None if ordered else tuple(sorted(range(ndim), key=natural.__getitem__)),
        tuple(d in hidden for d in range(len(shape))),
    )


def window_sizes(name: str, dims: ScatterDims, ndim: int, update_shape: Shape) -> Shape:
    """The length of a scatter's windows along each of the operand's `ndim` axes.

    Raises:
        ShapeError: updates that do not have the axes which `dims` names.
    """
    hidden = (*dims.inserted_window_dims, *dims.operand_batching_dims)
    window = dims.update_window_dims
    if len(window) + len(hidden) != ndim or any(axis >= len(update_shape) for axis in window):
        raise ShapeError(f"{name}: {dims} does not fit updates of shape {update_shape} of a {ndim}-dimensional operand")
    lengths = iter([update_shape[axis] for axis in window])
    return tuple([1 if d in hidden else next(lengths) for d in range(ndim)])


@lru_cache(maxsize=1 << 14)
def update_layout(
    name: str, dims: ScatterDims, shape: Shape, index_shape: Shape, update_shape: Shape
) -> tuple[GatherDims, Layout, Shape]:
    """The gather that reads what a scatter writes: its dims, its layout and its window sizes.

    Raises:
        ShapeError: indices or updates that do not fit the operand.
    """
    sizes = window_sizes(name, dims, len(shape), update_shape)
    plan = layout(name, dims.as_gather(), shape, index_shape, sizes)
    if plan.shape != update_shape:
        raise ShapeError(
            f"{name}: updates of shape {update_shape} do not match indices of shape {index_shape}: "
            f"updates of shape {plan.shape} were expected"
        )
    return dims.as_gather(), plan, sizes


def _check_sizes(name: str, dims: GatherDims, shape: Shape, index_shape: Shape, sizes: Shape) -> None:
    components = len(dims.start_index_map)
    if not index_shape or index_shape[-1] != components:
        raise ShapeError(
            f"{name}: the last axis of the indices is the index vector and must have length {components} "
            f"(one component per operand axis in {dims.start_index_map}), but the indices have shape {index_shape}"
        )
    hidden = (*dims.collapsed_slice_dims, *dims.operand_batching_dims)
    if not len(sizes) == len(dims.offset_dims) + len(hidden) == len(shape) or len(set(hidden)) != len(hidden):
        raise ShapeError(f"{name}: {dims} does not describe windows {sizes} of an operand of shape {shape}")
    for axis, (size, length) in enumerate(zip(sizes, shape, strict=True)):
        if not 0 <= size <= length or (axis in hidden and size > 1):
            raise ShapeError(f"{name}: windows {sizes} do not fit axis {axis} of an operand of shape {shape}")


def _check_axes(name: str, dims: GatherDims, shape: Shape, index_shape: Shape) -> None:
    ndim, batch_ndim = len(shape), len(index_shape) - 1
    limits = (batch_ndim + len(dims.offset_dims), ndim, ndim, ndim, batch_ndim)
    for axes, limit in zip(dims._field_values(), limits, strict=True):
        if len(set(axes)) != len(axes) or not all(0 <= axis < limit for axis in axes):
            raise ShapeError(
                f"{name}: {dims} names an axis that does not exist, or one twice "
                f"(operand of shape {shape}, indices of shape {index_shape})"
            )
    if list(dims.offset_dims) != sorted(dims.offset_dims):
        raise ShapeError(f"{name}: the window axes {dims.offset_dims} must be in increasing order")
    lengths = [shape[d] for d in dims.operand_batching_dims]
    if lengths != [index_shape[axis] for axis in dims.start_indices_batching_dims]:
        raise ShapeError(
            f"{name}: batching axes {dims.operand_batching_dims} of an operand of shape {shape} and "
            f"{dims.start_indices_batching_dims} of indices of shape {index_shape} differ in length"
        )


def in_bounds(indices: np.ndarray, limit: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Index vectors clamped into bounds (int64), and which were inside already; None means all."""
    # Hot: what `x[i]` with an index array comes to eagerly.
    if indices.dtype == np.uint64:
        indices = np.minimum(indices, np.uint64(_INT64_MAX))
    starts = indices if indices.dtype == np.int64 else indices.astype(np.int64)
    outside = starts.view(np.uint64) > limit  # negative starts are huge when unsigned
    if not np.count_nonzero(outside):
        return starts, None
    return np.clip(starts, 0, limit.view(np.int64)), ~np.logical_or.reduce(outside, axis=-1)


def one_window(dims: GatherDims, plan: Layout, sizes: Shape, vector: np.ndarray) -> tuple[tuple[slice, ...], bool]:
    """The window of a single index vector, clamped into bounds, and whether it was inside already."""
    # Hot: what `x[i]` and `x.at[i].set` with a computed i come to eagerly.
    box = [slice(0, size) for size in sizes]
    inside = True
    for d, start, limit in zip(dims.start_index_map, vector.tolist(), plan.limits, strict=True):
        if not 0 <= start <= limit:
            inside, start = False, 0 if start < 0 else limit
        box[d] = slice(start, start + sizes[d])
    return tuple(box), inside


def locate(
    dims: GatherDims, plan: Layout, sizes: Shape, starts: np.ndarray, chosen: np.ndarray | None = None
) -> tuple[np.ndarray, ...]:
    """One index array per positioned operand axis, of shape (index batch, windows along positioned axes).

    With `chosen`, a boolean array over the index batch, only those windows, the index batch flattened.
    """
    if (
        plan.positioned == dims.start_index_map == dims.collapsed_slice_dims
        and len(plan.positioned) == 1
        and chosen is None
    ):
        return (starts[..., 0],)  # whole rows, the usual case
    batch = starts.shape[:-1]
    component = {d: number for number, d in enumerate(dims.start_index_map)}
    walked = dict(zip(dims.operand_batching_dims, dims.start_indices_batching_dims, strict=True))
    window_ndim = sum(not plan.dropped[d] for d in plan.positioned)
    arrays, window_axis = [], 0
    for d in plan.positioned:
        if d in walked:
            length = batch[walked[d]]
            start = np.arange(length).reshape([length if axis == walked[d] else 1 for axis in range(len(batch))])
        else:
            start = starts[..., component[d]] if d in component else np.zeros((1,) * len(batch), np.int64)
        if start.shape != batch and (chosen is not None or not arrays):  # the first array has every window
            start = np.broadcast_to(start, batch)
        if chosen is not None:
            start = start[chosen]
        if window_ndim:
            start = start.reshape(*start.shape, *(1,) * window_ndim)
            if not plan.dropped[d]:
                offsets = np.arange(sizes[d]).reshape((-1, *(1,) * (window_ndim - window_axis - 1)))
                start, window_axis = start + offsets, window_axis + 1
        arrays.append(start)
    return tuple(arrays)


def check_index_dtype(name: str, dtype: np.dtype) -> None:
    """Raises DTypeError unless the dtype is an integer's."""
    if dtype.kind not in "iu":
        raise DTypeError(f"{name}: indices must be integers, not {dtype.name}")


# -- in StableHLO ------------------------------------------------------------------------------------------------


def lower_indices(build: Any, indices: Any, type: ArrayType) -> tuple[Any, ArrayType]:
    """Indices in a signed dtype wide enough that no bound overflows it, and their new type."""
    dtype = type.dtype
    if dtype == np.uint64:
        indices = build.op("minimum", (indices, build.constant(np.uint64(_INT64_MAX), type)), type)
    wide = np.dtype(np.int32 if dtype.itemsize < 4 or dtype == np.int32 else np.int64)
    return build.convert(indices, type, wide), type.update(dtype=wide)


def lower_clamp(build: Any, indices: Any, type: ArrayType, limits: tuple[int, ...]) -> Any:
    """Index vectors moved to the nearest place where the window fits."""
    return build.op("clamp", (build.constant(0, type), indices, _limits(build, type, limits)), type)


def lower_in_bounds(build: Any, indices: Any, type: ArrayType, limits: tuple[int, ...]) -> tuple[Any, ArrayType]:
    """Which index vectors place the window inside the operand: a boolean value over the index batch, and its type."""
    every = type.update(dtype=BOOL)
    low = build.compare("GE", indices, build.constant(0, type), type)
    high = build.compare("LE", indices, _limits(build, type, limits), type)
    both = build.op("and", (low, high), every)
    return lower_reduce(build, "and", both, every, (type.ndim - 1,), True), every.update(shape=type.shape[:-1])


def _limits(build: Any, type: ArrayType, limits: tuple[int, ...]) -> Any:
    vector = build.array_constant(np.array(limits, type.dtype))
    return build.broadcast(vector, type, (type.ndim - 1,))


def walked_axes(dims: GatherDims, sizes: Shape, shape: Shape, index_ndim: int) -> tuple[int, ...]:
    """The whole operand axes whose result axes stand before one of the index batch.

    XLA writes windows behind the index batch and then transposes, which costs its CPU code a copy. Axes that are walked
    in step with the indices cost nothing.
    """
    ndim = index_ndim - 1 + len(dims.offset_dims)
    last = max((axis for axis in range(ndim) if axis not in dims.offset_dims), default=0)
    hidden = (*dims.collapsed_slice_dims, *dims.operand_batching_dims)
    shown = [d for d in range(len(shape)) if d not in hidden]
    leading = [d for d, axis in zip(shown, dims.offset_dims, strict=True) if axis < last]
    if any(sizes[d] != shape[d] or not sizes[d] or d in dims.start_index_map for d in leading):
        return ()
    return tuple(leading)


def walk_axes(
    dims: GatherDims, sizes: Shape, walked: tuple[int, ...], shape: Shape, index_type: ArrayType
) -> tuple[GatherDims, Shape, Shape, list[int]]:
    """A gather that walks some whole operand axes in step with the indices.

    Its dims and window sizes, the shape of its indices, and where the axes of the former indices stand among theirs.
    """
    after = dims.offset_dims[len(walked) :]
    batch = [axis for axis in range(len(shape)) if axis not in after]
    kept = [i for i, axis in enumerate(batch) if axis not in dims.offset_dims]
    added = tuple(i for i, axis in enumerate(batch) if axis in dims.offset_dims)
    now = GatherDims(
        after,
        dims.collapsed_slice_dims,
        dims.start_index_map,
        dims.operand_batching_dims + walked,
        tuple(kept[i] for i in dims.start_indices_batching_dims) + added,
    )
    sizes = tuple(1 if d in walked else size for d, size in enumerate(sizes))
    index_shape = (*(shape[axis] for axis in batch), index_type.shape[-1])
    return now, sizes, index_shape, [*kept, len(batch)]


def gather_attribute(dims: GatherDims, index_ndim: int) -> str:
    """The text of a gather's dimension numbers."""
    return (
        f"#stablehlo.gather<offset_dims = {list(dims.offset_dims)}, "
        f"collapsed_slice_dims = {list(dims.collapsed_slice_dims)}, "
        f"operand_batching_dims = {list(dims.operand_batching_dims)}, "
        f"start_indices_batching_dims = {list(dims.start_indices_batching_dims)}, "
        f"start_index_map = {list(dims.start_index_map)}, index_vector_dim = {index_ndim - 1}>"
    )
