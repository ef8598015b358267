"""Static and dynamic boxes of an array: slice ↔ pad, concatenate, reverse, dynamic_slice ↔ dynamic_update_slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.dtypes import BOOL, default_int
from ..core.graph import Graph, filled, moved, resized
from ..core.primitive import Linear, infer
from ..core.program import Atom, Equation, Literal
from ..core.types import ArrayType, Shape, is_linear
from ..errors import ArgumentError, AxisError, DTypeError, OutOfBoundsError, ShapeError
from .elementwise import where
from .gather import Gather, GatherDims, ScatterDims, ScatterSet, lead_axis
from .structure import BroadcastInDim, broadcast_in_dim, canonical_axis, full, move_axis, reduce_sum, reshape, zeros_of
from .windows import check_index_dtype

__all__ = [
    "concatenate",
    "dynamic_slice",
    "dynamic_update_slice",
    "pad",
    "rev",
    "slice_array",
    "slice_in_dim",
]


class Slice(Linear):
    """Elements start, start + stride, … below limit, along every axis."""

    exact = True
    cheap = True

    start: tuple[int, ...]
    limit: tuple[int, ...]
    strides: tuple[int, ...]

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        if not len(self.start) == len(self.limit) == len(self.strides) == x.ndim:
            raise ShapeError(f"slice {self.start} to {self.limit} by {self.strides}: {x} needs {x.ndim} of each")
        for axis, (low, high, step) in enumerate(zip(self.start, self.limit, self.strides, strict=True)):
            if not 0 <= low <= high <= x.shape[axis] or step < 1:
                raise OutOfBoundsError(
                    f"slice {low}:{high}:{step} does not lie within axis {axis} of {x}: "
                    f"0 <= start <= limit <= {x.shape[axis]} and a positive stride were expected"
                )
        bounds = zip(self.start, self.limit, self.strides, strict=True)
        return (x.update(shape=tuple(len(range(low, high, step)) for low, high, step in bounds)),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (x[tuple(map(slice, self.start, self.limit, self.strides))] if self.start else x,)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        attributes = {
            "start_indices": build.integers(self.start),
            "limit_indices": build.integers(self.limit),
            "strides": build.integers(self.strides),
        }
        return (build.op("slice", (x,), build.out_types[0], attributes),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        high = []
        for n, taken, low, step in zip(x.shape, cts[0].shape, self.start, self.strides, strict=True):
            high.append(n - low - (step * (taken - 1) + 1 if taken else 0))
        interior = tuple(step - 1 for step in self.strides)
        return (Pad(self.start, tuple(high), interior)(cts[0], zeros_of(ArrayType((), cts[0].dtype))),)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        x = lead_axis(size, operands[0], axes[0])
        return (Slice((0, *self.start), (size, *self.limit), (1, *self.strides))(x),), (0,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        (x,) = inputs
        if type(x) is Literal:
            return moved(self, x)
        shape = infer(self, x.type)[0].shape
        if shape == x.type.shape:
            return inputs
        inner = graph.operation(x)
        if inner is None or not inner.inputs:
            return None
        rule = _SLICES_OF.get(type(inner.op))
        return None if rule is None else rule(self, shape, graph, inner, inputs)

    def _of_slice(self, shape: Shape, graph: Graph, inner: Equation, inputs: Sequence[Atom]) -> Sequence[Atom] | None:
        first: Any = inner.op
        steps = [a * b for a, b in zip(first.strides, self.strides, strict=True)]
        start = [a + b * step for a, b, step in zip(first.start, self.start, first.strides, strict=True)]
        limit = [a + max(n - 1, 0) * step + (n > 0) for a, n, step in zip(start, shape, steps, strict=True)]
        if 0 in shape:  # the start may be the end of the operand
            return (filled(0, infer(self, inputs[0].type)[0]),)
        return (graph.emit(Slice(tuple(start), tuple(limit), tuple(steps)), inner.inputs[0]),)

    def _of_concatenate(
        self, shape: Shape, graph: Graph, inner: Equation, inputs: Sequence[Atom]
    ) -> Sequence[Atom] | None:
        axis, before = inner.op.axis, 0  # type: ignore[attr-defined]
        for part in inner.inputs:
            after = before + part.type.shape[axis]
            if before <= self.start[axis] and self.limit[axis] <= after:
                start, limit = list(self.start), list(self.limit)
                start[axis] -= before
                limit[axis] -= before
                return (graph.emit(Slice(tuple(start), tuple(limit), self.strides), part),)
            before = after
        return None

    def _of_pad(self, shape: Shape, graph: Graph, inner: Equation, inputs: Sequence[Atom]) -> Sequence[Atom] | None:
        pad: Any = inner.op
        if any(pad.interior) or 0 in shape:
            return None
        length = inner.inputs[0].type.shape
        start = [low - before for low, before in zip(self.start, pad.low, strict=True)]
        limit = [high - before for high, before in zip(self.limit, pad.low, strict=True)]
        if all(low >= 0 and high <= n for low, high, n in zip(start, limit, length, strict=True)):
            return (graph.emit(Slice(tuple(start), tuple(limit), self.strides), inner.inputs[0]),)
        if any(high <= 0 or low >= n for low, high, n in zip(start, limit, length, strict=True)):
            return (graph.emit(BroadcastInDim(shape, ()), inner.inputs[1]),)
        return None

    def _of_broadcast(
        self, shape: Shape, graph: Graph, inner: Equation, inputs: Sequence[Atom]
    ) -> Sequence[Atom] | None:
        spread: Any = inner.op
        lengths = inner.inputs[0].type.shape
        for length, d in zip(lengths, spread.dimensions, strict=True):
            if length != 1 and shape[d] != spread.shape[d]:
                return None
        return (graph.emit(BroadcastInDim(shape, spread.dimensions), inner.inputs[0]),)


class Pad(Linear):
    """Operands (x, padding value): x with `low` and `high` values around and `interior` values between its elements.

    Negative `low` and `high` cut elements off, after the interior ones were put in.
    """

    exact = True
    cheap = True
    linear_in = (0, 1)

    low: tuple[int, ...]
    high: tuple[int, ...]
    interior: tuple[int, ...]

    def _shape(self, shape: Shape) -> Shape:
        edges = zip(shape, self.low, self.high, self.interior, strict=True)
        return tuple(low + high + n + max(n - 1, 0) * between for n, low, high, between in edges)

    def infer(self, x: ArrayType, value: ArrayType) -> tuple[ArrayType, ...]:
        if value.shape or value.dtype != x.dtype:
            raise ShapeError(f"pad: the padding value must be a scalar of dtype {x.dtype.name}, not {value}")
        if not len(self.low) == len(self.high) == len(self.interior) == x.ndim:
            raise ShapeError(f"pad: {x} needs {x.ndim} of each of low {self.low}, high {self.high}, {self.interior}")
        shape = self._shape(x.shape)
        if any(n < 0 for n in shape) or any(between < 0 for between in self.interior):
            raise ShapeError(f"pad: low {self.low}, high {self.high}, interior {self.interior} give {x} shape {shape}")
        return (x.update(shape=shape),)

    def evaluate(self, x: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, ...]:
        result = np.full(self._shape(x.shape), value, x.dtype)
        if x.size and result.size:
            source, target = [], []
            for n, length, low, between in zip(x.shape, result.shape, self.low, self.interior, strict=True):
                step = between + 1
                first, last = max(0, -(low // step)), min(n - 1, (length - 1 - low) // step)
                count = max(last - first + 1, 0)
                source.append(slice(first, first + count))
                target.append(slice(low + first * step, low + first * step + count * step, step) if count else slice(0))
            result[tuple(target)] = x[tuple(source)]
        return (result,)

    def lower(self, build: Any, x: Any, value: Any) -> tuple[Any, ...]:
        attributes = {
            "edge_padding_low": build.integers(self.low),
            "edge_padding_high": build.integers(self.high),
            "interior_padding": build.integers(self.interior),
        }
        return (build.op("pad", (x, value), build.out_types[0], attributes),)

    def transpose(self, cts: tuple[Any, ...], x: Any, value: Any) -> tuple[Any | None, ...]:
        (ct,), x_ct, value_ct = cts, None, None
        if is_linear(x):
            scalar, flat = zeros_of(ArrayType((), ct.dtype)), (0,) * len(self.low)
            around = Pad(tuple(-n for n in self.low), tuple(-n for n in self.high), flat)(ct, scalar)
            x_ct = Slice(flat, around.shape, tuple(n + 1 for n in self.interior))(around)
        if is_linear(value):
            value_ct = reduce_sum(where(self._inside(x.shape), zeros_of(ct.type), ct), range(ct.ndim))
        return x_ct, value_ct

    def _inside(self, shape: Shape) -> Any:
        """Which result elements come from the operand."""
        return self(full(ArrayType(shape, BOOL), True), full(ArrayType((), BOOL), False))

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (x, value), (x_axis, value_axis) = operands, axes
        lead = Pad((0, *self.low), (0, *self.high), (0, *self.interior))
        x = lead_axis(size, x, x_axis)
        if value_axis is None:
            return (lead(x, value),), (0,)
        padded = lead(x, zeros_of(ArrayType((), x.dtype)))
        return (where(lead._inside(x.shape), padded, broadcast_in_dim(value, padded.shape, (0,))),), (0,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        x, value = inputs
        if type(x) is Literal and type(value) is Literal and x.key[0] == value.key[0]:
            return (resized(x, self._shape(x.type.shape)),)
        if not any(self.interior) and max((*self.low, *self.high), default=0) <= 0:  # it only cuts off
            start = tuple([-n for n in self.low])
            limit = tuple([n + high for n, high in zip(x.type.shape, self.high, strict=True)])
            return (graph.emit(Slice(start, limit, (1,) * len(start)), x),)
        inner = graph.producer(x, Pad)
        if inner is None or any(self.interior) or any(inner.op.interior):  # type: ignore[attr-defined]
            return None
        first: Any = inner.op
        edges = (*first.low, *first.high, *self.low, *self.high)
        same = inner.inputs[1] is value or (type(value) is Literal and inner.inputs[1] == value)
        if not same or min(edges, default=0) < 0:
            return None
        low = tuple([a + b for a, b in zip(first.low, self.low, strict=True)])
        high = tuple([a + b for a, b in zip(first.high, self.high, strict=True)])
        return (graph.emit(Pad(low, high, self.interior), inner.inputs[0], value),)


class Concatenate(Linear):
    """The operands one after another along `axis`."""

    exact = True

    axis: int

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        if not types:
            raise ArgumentError("concatenate needs at least one array")
        first, axis = types[0], self.axis
        if not 0 <= axis < first.ndim:
            raise AxisError(f"concatenate: axis {axis} is out of bounds for arrays of {first.ndim} dimensions")
        for other in types[1:]:
            if other.dtype != first.dtype:
                raise DTypeError(f"concatenate: operands must have equal dtypes, got {first} and {other}")
            if other.ndim != first.ndim or any(
                n != m for i, (n, m) in enumerate(zip(first.shape, other.shape, strict=True)) if i != axis
            ):
                raise ShapeError(
                    f"concatenate: shapes {first.shape} and {other.shape} differ elsewhere than along axis {axis}"
                )
        length = sum(t.shape[axis] for t in types)
        return (first.update(shape=(*first.shape[:axis], length, *first.shape[axis + 1 :])),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        return (np.concatenate(operands, self.axis),)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        return (build.op("concatenate", operands, build.out_types[0], {"dimension": build.integer(self.axis)}),)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(*primals),), (self(*tangents),)

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        (ct,), axis, start, parts = cts, self.axis, 0, []
        for operand in inputs:
            stop = start + operand.shape[axis]
            parts.append(slice_in_dim(ct, start, stop, axis=axis) if is_linear(operand) else None)
            start = stop
        return tuple(parts)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        aligned = [lead_axis(size, x, axis) for x, axis in zip(operands, axes, strict=True)]
        return (Concatenate(self.axis + 1)(*aligned),), (0,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        if len(inputs) == 1:
            return inputs
        first, axis = inputs[0], self.axis
        if type(first) is Literal and all(type(x) is Literal and x.key[0] == first.key[0] for x in inputs):
            return (resized(first, infer(self, *[x.type for x in inputs])[0].shape),)
        kept = [x for x in inputs if x.type.shape[axis]]
        if 0 < len(kept) < len(inputs):
            return (graph.emit(self, *kept),)
        return self._whole(graph, inputs) or self._flat(graph, inputs)

    def _flat(self, graph: Graph, inputs: Sequence[Atom]) -> Sequence[Atom] | None:
        """With the operands of concatenations along the same axis in their place."""
        operands: list[Atom] = []
        for x in inputs:
            inner = graph.operation(x)
            nested = inner is not None and inner.op is self and graph.alone(x, inputs)
            operands += inner.inputs if nested else [x]  # type: ignore[union-attr]
        return None if len(operands) == len(inputs) else (graph.emit(self, *operands),)

    def _whole(self, graph: Graph, inputs: Sequence[Atom]) -> Sequence[Atom] | None:
        """The array that is put together again from all of its parts."""
        axis, place, whole = self.axis, 0, None
        for x in inputs:
            inner = graph.producer(x, Slice)
            if inner is None or (whole is not None and inner.inputs[0] is not whole):
                return None
            part, whole = inner.op, inner.inputs[0]
            full_size = [n for i, n in enumerate(whole.type.shape) if i != axis]
            taken = [n for i, n in enumerate(x.type.shape) if i != axis]
            if taken != full_size or part.start[axis] != place or part.strides[axis] != 1:  # type: ignore[attr-defined]
                return None
            place = part.limit[axis]  # type: ignore[attr-defined]
        return (whole,) if whole is not None and place == whole.type.shape[axis] else None


class Rev(Linear):
    """The elements in reverse order along `axes`."""

    exact = True

    axes: tuple[int, ...]

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        if len(set(self.axes)) != len(self.axes) or not all(0 <= axis < x.ndim for axis in self.axes):
            raise AxisError(f"rev: {self.axes} are not different axes of {x}")
        return (x.strong(),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (np.flip(x, self.axes),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        return (build.op("reverse", (x,), build.out_types[0], {"dimensions": build.integers(self.axes)}),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (self(cts[0]),)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        x = lead_axis(size, operands[0], axes[0])
        return (Rev(tuple(axis + 1 for axis in self.axes))(x),), (0,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        (x,) = inputs
        if type(x) is Literal:
            return moved(self, x)
        long = tuple([axis for axis in self.axes if x.type.shape[axis] > 1])
        if len(long) < len(self.axes):
            return (graph.emit(Rev(long), x),) if long else inputs
        inner = graph.producer(x, Rev)
        if inner is None:
            return None
        axes = {*self.axes} ^ {*inner.op.axes}  # type: ignore[attr-defined]
        return (graph.emit(Rev(tuple(sorted(axes))), inner.inputs[0]) if axes else inner.inputs[0],)


# -- at computed places ------------------------------------------------------------------------------------------


class DynamicSlice(Linear):
    """Operands (x, *starts): the box of `sizes` at those integer scalars, moved inside if it would reach out."""

    sizes: Shape

    def infer(self, x: ArrayType, *starts: ArrayType) -> tuple[ArrayType, ...]:
        _check_box("dynamic_slice", x, self.sizes, starts)
        return (x.update(shape=self.sizes),)

    def evaluate(self, x: np.ndarray, *starts: np.ndarray) -> tuple[np.ndarray, ...]:
        return (x[_box(x.shape, self.sizes, starts)],)

    def lower(self, build: Any, x: Any, *starts: Any) -> tuple[Any, ...]:
        starts = _lower_starts(build, starts, build.in_types[1:])
        attributes = {"slice_sizes": build.integers(self.sizes)}
        return (build.op("dynamic_slice", (x, *starts), build.out_types[0], attributes),)

    def transpose(self, cts: tuple[Any, ...], x: Any, *starts: Any) -> tuple[Any | None, ...]:
        return dynamic_update_slice_op(zeros_of(x.type), cts[0], *starts), *(None,) * len(starts)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (x, *starts), (x_axis, *start_axes) = operands, axes
        x = x if x_axis is None else move_axis(x, x_axis, 0)
        if all(axis is None for axis in start_axes):
            return (DynamicSlice((size, *self.sizes))(x, _zero_start(starts), *starts),), (0,)
        if not size:
            return (zeros_of(x.type.update(shape=(0, *self.sizes))),), (0,)
        every = tuple(range(len(self.sizes)))
        dims = GatherDims(every, (), every).batched(x_axis is not None, True)
        sizes = self.sizes if x_axis is None else (1, *self.sizes)
        return (Gather(dims, sizes, "clip")(x, _index_vectors(size, starts, start_axes)),), (0,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        x, *starts = inputs
        if x.type.shape == self.sizes:
            return (x,)
        if not all(type(start) is Literal for start in starts):
            return None
        corner = [box.start for box in _box(x.type.shape, self.sizes, [start.value for start in starts])]  # type: ignore[union-attr]
        limit = [low + n for low, n in zip(corner, self.sizes, strict=True)]
        return (graph.emit(Slice(tuple(corner), tuple(limit), (1,) * len(corner)), x),)


class DynamicUpdateSlice(Linear):
    """Operands (x, update, *starts): x with the box at those scalars replaced, moved inside if it would reach out."""

    linear_in = (0, 1)

    def infer(self, x: ArrayType, update: ArrayType, *starts: ArrayType) -> tuple[ArrayType, ...]:
        if x.dtype != update.dtype:
            raise DTypeError(f"dynamic_update_slice: operand {x} and update {update} must have equal dtypes")
        _check_box("dynamic_update_slice", x, update.shape, starts)
        return (x.strong(),)

    def evaluate(self, x: np.ndarray, update: np.ndarray, *starts: np.ndarray) -> tuple[np.ndarray, ...]:
        result = x.copy()
        result[_box(x.shape, update.shape, starts)] = update
        return (result,)

    def lower(self, build: Any, x: Any, update: Any, *starts: Any) -> tuple[Any, ...]:
        starts = _lower_starts(build, starts, build.in_types[2:])
        return (build.op("dynamic_update_slice", (x, update, *starts), build.out_types[0]),)

    def transpose(self, cts: tuple[Any, ...], x: Any, update: Any, *starts: Any) -> tuple[Any | None, ...]:
        (ct,), x_ct, update_ct = cts, None, None
        if is_linear(x):
            x_ct = self(ct, zeros_of(ct.type.update(shape=update.shape)), *starts)
        if is_linear(update):
            update_ct = DynamicSlice(update.shape)(ct, *starts)
        return x_ct, update_ct, *(None,) * len(starts)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        x, update = (lead_axis(size, operand, axis) for operand, axis in zip(operands[:2], axes[:2], strict=True))
        starts, start_axes = operands[2:], axes[2:]
        if all(axis is None for axis in start_axes):
            return (self(x, update, _zero_start(starts), *starts),), (0,)
        if not size:
            return (x,), (0,)
        after = tuple(range(1, x.ndim))
        scatter = ScatterSet(ScatterDims(after, (), after, (0,), (0,)), "clip", True, True)
        return (scatter(x, _index_vectors(size, starts, start_axes), update),), (0,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        x, update = inputs[:2]
        return (update,) if x.type.shape == update.type.shape else (x,) if not update.type.size else None


dynamic_update_slice_op = DynamicUpdateSlice()
_SLICES_OF: dict[type, Callable[..., Sequence[Atom] | None]] = {
    Slice: Slice._of_slice,
    Concatenate: Slice._of_concatenate,
    Pad: Slice._of_pad,
    BroadcastInDim: Slice._of_broadcast,
}


def _check_box(name: str, x: ArrayType, sizes: Shape, starts: Sequence[ArrayType]) -> None:
    if len(sizes) != x.ndim or len(starts) != x.ndim:
        raise ShapeError(f"{name}: {x} needs {x.ndim} sizes and starts, got {len(sizes)} and {len(starts)}")
    if any(not 0 <= size <= n for size, n in zip(sizes, x.shape, strict=True)):
        raise ShapeError(f"{name}: a box of shape {sizes} does not fit into {x}")
    for start in starts:
        check_index_dtype(name, start.dtype)
        if start.shape:
            raise ShapeError(f"{name}: starts must be scalars, got {start}")
        if start.dtype != starts[0].dtype:
            raise DTypeError(f"{name}: starts must have one dtype, got {starts[0].dtype.name} and {start.dtype.name}")


def _box(shape: Shape, sizes: Shape, starts: Sequence[np.ndarray]) -> tuple[slice, ...]:
    corner = [min(max(int(start), 0), n - size) for start, n, size in zip(starts, shape, sizes, strict=True)]
    return tuple([slice(low, low + size) for low, size in zip(corner, sizes, strict=True)])


def _lower_starts(build: Any, starts: Sequence[Any], types: Sequence[ArrayType]) -> tuple[Any, ...]:
    """Starts in a dtype that no length of an axis overflows."""
    wide = np.dtype(np.int32)
    return tuple(build.convert(s, t, wide) if t.dtype.itemsize < 4 else s for s, t in zip(starts, types, strict=True))


def _zero_start(starts: Sequence[Any]) -> Any:
    return full(ArrayType((), starts[0].dtype if starts else np.dtype(np.int32)), 0)


def _index_vectors(size: int, starts: Sequence[Any], axes: Sequence[int | None]) -> Any:
    """Scalars, some of them mapped, side by side: an array of shape (size, number of starts)."""
    columns = [reshape(lead_axis(size, start, axis), (size, 1)) for start, axis in zip(starts, axes, strict=True)]
    return Concatenate(1)(*columns)


# -- functions ---------------------------------------------------------------------------------------------------


def slice_array(
    operand: Any, start_indices: Sequence[int], limit_indices: Sequence[int], strides: Sequence[int] | None = None
) -> Any:
    """Elements from start (included) to limit (excluded) along every axis, `stride` apart.

    Raises:
        OutOfBoundsError: bounds outside the array, or a stride below 1.
    """
    op = Slice(tuple(start_indices), tuple(limit_indices), tuple(strides) if strides else (1,) * operand.ndim)
    return operand if infer(op, operand.type)[0].shape == operand.shape else op(operand)


def slice_in_dim(operand: Any, start_index: int | None, limit_index: int | None, stride: int = 1, axis: int = 0) -> Any:
    """`slice_array` along one axis; None means the start or end, and negative bounds count from the end."""
    axis = canonical_axis(axis, operand.ndim)
    length = operand.shape[axis]
    low = 0 if start_index is None else start_index + length * (start_index < 0)
    high = length if limit_index is None else limit_index + length * (limit_index < 0)
    start, limit, strides = [0] * operand.ndim, list(operand.shape), [1] * operand.ndim
    start[axis], limit[axis], strides[axis] = low, high, stride
    return slice_array(operand, start, limit, strides)


def pad(operand: Any, padding_value: Any, padding_config: Sequence[tuple[int, int, int]]) -> Any:
    """`operand` with a value around and between its elements.

    Args:
        operand: array.
        padding_value: scalar array of the operand's dtype.
        padding_config: (low, high, interior) per axis; negative low and high cut elements off.

    Raises:
        ShapeError: a padding that does not fit the operand.
    """
    low, high, interior = zip(*padding_config, strict=True) if padding_config else ((), (), ())
    op = Pad(tuple(low), tuple(high), tuple(interior))
    infer(op, operand.type, padding_value.type)
    return op(operand, padding_value)


def concatenate(operands: Sequence[Any], dimension: int) -> Any:
    """Arrays of one dtype, one after another along an axis.

    Raises:
        ShapeError, DTypeError: arrays that differ in more than that axis.
    """
    op = Concatenate(dimension)
    if len(operands) == 1:
        infer(op, operands[0].type)
        return operands[0]
    infer(op, *(operand.type for operand in operands))
    return op(*operands)


def rev(operand: Any, dimensions: Sequence[int]) -> Any:
    """`operand` with its elements in reverse order along some axes."""
    axes = tuple(canonical_axis(axis, operand.ndim) for axis in dimensions)
    return Rev(axes)(operand) if axes else operand


def dynamic_slice(operand: Any, start_indices: Sequence[Any], slice_sizes: Sequence[int]) -> Any:
    """The box of `slice_sizes` that begins at computed integer scalars; a box that would reach out is moved inside.

    Args:
        operand: array.
        start_indices: one scalar per axis, Python ints or integer arrays of one dtype. Negative ones are not wrapped.
        slice_sizes: lengths of the box.
    """
    op, starts = DynamicSlice(tuple(slice_sizes)), _scalars(start_indices)
    infer(op, operand.type, *(start.type for start in starts))
    return op(operand, *starts)


def dynamic_update_slice(operand: Any, update: Any, start_indices: Sequence[Any]) -> Any:
    """`operand` with the box that begins at computed integer scalars replaced by `update`; see `dynamic_slice`."""
    starts = _scalars(start_indices)
    infer(dynamic_update_slice_op, operand.type, update.type, *(start.type for start in starts))
    return dynamic_update_slice_op(operand, update, *starts)


def _scalars(starts: Sequence[Any]) -> list[Any]:
    dtype = next((start.dtype for start in starts if not isinstance(start, int)), default_int())
    return [Array(np.asarray(start, dtype)) if isinstance(start, int) else start for start in starts]
