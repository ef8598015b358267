"""What an index means for a shape: which windows it cuts, which axes arrays choose from, and where result axes go.

NumPy's indexing splits in two. *Windows*: slices and integers cut a box out of the array, with strides. *Gathering*:
index arrays, broadcast together, then choose along the remaining axes. New axes are inserted at the end. Reading and
writing both follow the same `Plan`.
"""

from __future__ import annotations

import operator
from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np

from ..backend.array import Array
from ..config import config
from ..core.dtypes import BOOL, INT32, SIGNED, is_integer
from ..core.trace import Tracer
from ..core.types import Shape
from ..errors import ArgumentError, ConcretizationError, DTypeError, OutOfBoundsError
from ..ops.checks import CheckIndices, here
from ..ops.elementwise import add, lt, minimum, rem, where
from ..ops.gather import GatherDims
from ..ops.slicing import concatenate
from ..ops.structure import broadcast, convert, full, reshape, zeros_of
from .conversion import asarray
from .promotion import broadcast_shapes

__all__ = ["Plan", "Window", "cuts_nothing", "parse"]

INT64 = SIGNED[3]
MODES = (None, "fill", "drop", "clip", "wrap", "promise_in_bounds")


class Window(NamedTuple):
    """Elements start, start + step, …, `length` of them, of one axis."""

    start: int
    length: int
    step: int


class Plan(NamedTuple):
    """An index, understood.

    Attributes:
        operand: the array's shape, with an axis of length 1 for every boolean scalar in the index.
        windows: what is cut out along each axis of `operand`.
        dropped: axes of `operand` that integers remove.
        cut: the shape after cutting and dropping.
        indices: index vectors for gathering out of `cut`, shape (index shape, components), or None.
        dims: how the axes correspond in gathering.
        gathered: the shape after gathering, before new axes.
        result: the final shape.
        mode: what out-of-bounds indices do: "fill", "clip" or "promise_in_bounds".
    """

    operand: Shape
    windows: tuple[Window, ...]
    dropped: tuple[int, ...]
    cut: Shape
    indices: Any
    dims: GatherDims
    gathered: Shape
    result: Shape
    mode: str

    @property
    def slice_sizes(self) -> Shape:
        """The lengths of what one index vector chooses."""
        chosen = self.dims.start_index_map
        return tuple(1 if axis in chosen else n for axis, n in enumerate(self.cut))


class _New:
    """A new axis in an index."""


class _Gap:
    """An ellipsis; even one that stands for no axis keeps the index arrays around it apart."""


def parse(shape: Shape, index: Any, mode: Any = None) -> Plan:
    """The plan of `x[index]` for an array of this shape.

    Args:
        shape: the array's.
        index: any NumPy index; integer arrays may be traced, boolean ones must be known.
        mode: None refuses indices out of bounds: known ones now, traced ones when the compiled code has run (with
            `config.check_bounds` off they fill instead). Else a name out of `MODES`.

    Raises:
        OutOfBoundsError: too many indices, or a known index that the axis does not have.
        DTypeError: something that is neither integer nor boolean.
        ConcretizationError: a boolean mask or slice bound that is not known while tracing.
    """
    mode = None if mode is None else str(mode)
    if mode not in MODES:
        raise ArgumentError(f'mode={mode!r}: expected "fill", "drop", "clip", "wrap" or "promise_in_bounds"')
    items, operand = _items(shape, [_entry(e) for e in (index if type(index) is tuple else (index,))])
    windows, settled = [], []
    axis = 0
    for item in items:
        if item is _New or item is _Gap:
            settled.append(item)
            continue
        length = operand[axis]
        if isinstance(item, slice):
            window = _window(item, length)
            settled.append(window)
        else:
            item = _settle(item, axis, length, mode, shape)
            settled.append(item)
            window = Window(item, 1, 1) if isinstance(item, int) else Window(0, length, 1)
        windows.append(window)
        axis += 1
    return _arrange(operand, tuple(windows), settled, mode)


# -- reading the index --------------------------------------------------------------------------------------------


def _entry(entry: Any) -> Any:
    """One of: `_New`, Ellipsis, a slice, an int, a NumPy array (known), a tracer of integers."""
    if entry is None:
        return _New
    if isinstance(entry, slice | EllipsisType) or type(entry) is int:
        return entry
    if isinstance(entry, bool | np.bool_):
        return np.asarray(entry)
    if not isinstance(entry, Array | Tracer | np.ndarray | list | tuple):
        try:
            return operator.index(entry)
        except TypeError:
            pass
    if isinstance(entry, str | dict | set):
        raise DTypeError(
            f"{entry!r} is not an index: write integers, slices, None, ..., or arrays of integers or booleans"
        )
    if isinstance(entry, list | tuple) and not len(entry):
        return np.zeros(0, np.int32)
    found = entry if isinstance(entry, Array | Tracer) else asarray(entry)
    if found.dtype == BOOL:
        return _known_mask(found)
    if not is_integer(found.dtype):
        raise DTypeError(
            f"an index must be made of integers or booleans, not {found.dtype.name}; convert it first: i.astype(int)"
        )
    if isinstance(found, Tracer):
        return found
    host = found.host()
    return int(host) if host.ndim == 0 else host


def _known_mask(mask: Any) -> np.ndarray:
    traced = mask
    while isinstance(mask, Tracer):
        mask = mask.concrete()
    if mask is None:
        raise ConcretizationError(
            f"a boolean mask of type {traced.type} is used as an index, but {traced.unknown_reason()}.\n"
            f"How many elements it chooses decides the result's shape, which must be known while tracing. "
            f"Use fnp.where(mask, x, fill), or fnp.nonzero(mask, size=n) for a fixed number of elements."
        )
    return mask.host()


def _items(shape: Shape, entries: list[Any]) -> tuple[list[Any], Shape]:
    """Entries without ellipsis and masks, one per axis or new axis, and the operand's shape with extra axes."""
    used = sum(_axes_used(e) for e in entries)
    if used > len(shape):
        raise OutOfBoundsError(
            f"too many indices: the array of shape {shape} has {len(shape)} dimension{'s' * (len(shape) != 1)}, "
            f"but {used} were indexed"
        )
    if sum(e is Ellipsis for e in entries) > 1:
        raise OutOfBoundsError("an index can only have a single ellipsis ('...')")
    if not any(e is Ellipsis for e in entries):
        entries = [*entries, Ellipsis]
    items: list[Any] = []
    operand: list[int] = []
    axis = 0
    for entry in entries:
        if entry is Ellipsis:
            items.extend([_Gap, *[slice(None)] * (len(shape) - used)])
        elif isinstance(entry, np.ndarray) and entry.dtype == BOOL:
            items.extend(_positions(entry, shape, axis))
        else:
            items.append(entry)
        step = len(shape) - used if entry is Ellipsis else _axes_used(entry)
        scalar_mask = isinstance(entry, np.ndarray) and entry.dtype == BOOL and not entry.ndim
        operand.extend([1] if scalar_mask else shape[axis : axis + step])
        axis += step
    return items, tuple(operand)


def _axes_used(entry: Any) -> int:
    if entry is _New or entry is Ellipsis:
        return 0
    return entry.ndim if isinstance(entry, np.ndarray) and entry.dtype == BOOL else 1


def _positions(mask: np.ndarray, shape: Shape, axis: int) -> list[np.ndarray]:
    """The index arrays that choose where a mask is true."""
    if not mask.ndim:
        return [np.zeros(int(mask), np.int32)]
    for offset, (found, length) in enumerate(zip(mask.shape, shape[axis:], strict=False)):
        if found != length:
            raise OutOfBoundsError(
                f"a boolean mask of shape {mask.shape} does not fit the array of shape {shape}: along axis "
                f"{axis + offset} the mask has length {found}, the array {length}"
            )
    return list(np.nonzero(mask))


def _window(item: slice, length: int) -> Window:
    for bound in (item.start, item.stop, item.step):
        if isinstance(bound, Tracer) and bound.concrete() is None:
            raise ConcretizationError(
                f"a slice bound must be known while tracing, since it decides the result's shape, but "
                f"{bound.unknown_reason()}.\nFor a window of fixed length at a traced place, use "
                f"fg.lax.dynamic_slice_in_dim(x, start, length, axis)."
            )
    try:
        start, stop, step = item.indices(length)
    except TypeError:
        raise DTypeError(f"slice bounds must be integers, got {item!r}") from None
    except ValueError:
        raise ArgumentError(f"slice step cannot be zero: {item!r}") from None
    count = len(range(start, stop, step))
    return Window(start if count else 0, count, step if count > 1 else 1)


# -- bounds -------------------------------------------------------------------------------------------------------


def _settle(item: Any, axis: int, length: int, mode: str | None, shape: Shape) -> Any:
    """An index of one axis without negative numbers; known ones are checked."""
    if isinstance(item, Tracer):
        settled = _settle_traced(item, length, mode)
        if mode is None and config.current.check_bounds and settled.size:
            CheckIndices(axis, length, shape, here())(settled)
        return settled
    values = np.asarray(item)
    if values.dtype == np.uint64:
        values = np.minimum(values, np.uint64(2**63 - 1))
    values = values.astype(np.int64)
    if mode == "wrap":
        settled = values % length if length else values
    else:
        settled = np.where(values < 0, values + length, values)
        if mode == "clip":
            settled = np.clip(settled, 0, max(length - 1, 0))
    outside = (settled < 0) | (settled >= length)
    if outside.any():
        if mode is None:
            first = int(np.asarray(item)[outside].flat[0])
            raise OutOfBoundsError(f"index {first} is out of bounds for axis {axis} of length {length} (shape {shape})")
        return settled
    return int(settled) if settled.ndim == 0 else settled


def _settle_traced(item: Tracer, length: int, mode: str | None) -> Any:
    wide = item.dtype in (INT64, np.uint32, np.uint64) or length > 2**31 - 1
    signed = item.dtype.kind == "i"
    if item.dtype == np.uint64:
        item = minimum(item, full(item.type, 2**63 - 1))
    item = convert(item, INT64 if wide else INT32)
    count = full(item.type, length)
    if mode == "wrap":
        item = rem(item, count)
    if signed:
        item = where(lt(item, zeros_of(item.type)), add(item, count), item)
    return item


# -- the result's axes --------------------------------------------------------------------------------------------


def _arrange(operand: Shape, windows: tuple[Window, ...], settled: list[Any], mode: str | None) -> Plan:
    arrays = [item for item in settled if isinstance(item, np.ndarray | Tracer)]
    places = [i for i, item in enumerate(settled) if isinstance(item, int | np.ndarray | Tracer)] if arrays else []
    together = places == list(range(places[0], places[0] + len(places))) if places else False
    batch = broadcast_shapes(*(a.shape for a in arrays)) if arrays else ()

    cut, dropped, chosen, offset = [], [], [], []
    result: list[int] = list(batch) if arrays and not together else []
    gathered = list(result)
    for place, item in enumerate(settled):
        if place in places[:1] and together:
            gathered.extend(batch)
            result.extend(batch)
        if item is _New:
            result.append(1)
        elif item is _Gap:
            continue
        elif isinstance(item, Window):
            offset.append(len(gathered))
            gathered.append(item.length)
            result.append(item.length)
            cut.append(item.length)
        elif isinstance(item, int):
            dropped.append(len(cut) + len(dropped))
        else:
            chosen.append(len(cut))
            cut.append(operand[len(cut) + len(dropped)])
    dims = GatherDims(tuple(offset), tuple(chosen), tuple(chosen))
    checked = config.current.check_bounds or not any(isinstance(a, Tracer) for a in arrays)
    known_mode = "promise_in_bounds" if mode is None and checked else None
    how = known_mode or {None: "fill", "drop": "fill", "wrap": "promise_in_bounds"}.get(mode, mode)
    indices = _index_vectors(arrays, batch) if arrays else None
    shapes = tuple(cut), indices, dims, tuple(gathered), tuple(result)
    return Plan(operand, windows, tuple(dropped), *shapes, str(how))


def _index_vectors(arrays: list[Any], batch: Shape) -> Any:
    """Index arrays, one a component, as vectors along a new last axis."""
    if not any(isinstance(a, Tracer) for a in arrays):
        stacked = np.stack([np.broadcast_to(a, batch) for a in arrays], axis=-1)
        fits = not stacked.size or abs(stacked).max() < 2**31
        return Array(stacked.astype(np.int32) if fits else stacked)
    wide = any(a.dtype == INT64 for a in arrays if isinstance(a, Tracer))
    dtype = INT64 if wide else INT32
    columns = []
    for a in arrays:
        column = a if isinstance(a, Tracer) else Array(np.asarray(a))
        columns.append(reshape(broadcast(convert(column, dtype), batch), (*batch, 1)))
    return columns[0] if len(columns) == 1 else concatenate(columns, len(batch))


def cuts_nothing(plan: Plan) -> bool:
    """Whether the windows are the whole array, so that cutting at most drops axes of length 1."""
    windows = zip(plan.windows, plan.operand, strict=True)
    return all(window == (0, length, 1) for window, length in windows)
