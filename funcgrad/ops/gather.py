"""gather ↔ scatter: read windows of an array at computed places; write, add, multiply, min or max windows into it.

Out-of-bounds windows: "clip" moves them to the nearest place where they fit; "fill" makes a gather return a fill value
and a scatter drop the whole window; "promise_in_bounds" leaves it to the engine (gather clips, scatter drops).
Updates of one place are applied in index order, so with `scatter` (set) the last one wins; on accelerators the order
of equal indices is the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from ..core.dtypes import BOOL, is_complex, is_inexact, is_signed
from ..core.primitive import Primitive, infer, not_linear
from ..core.types import ArrayType, Shape, is_linear
from ..errors import DifferentiationError, DTypeError
from .elementwise import add, div, eq, mul, where
from .structure import broadcast_in_dim, convert, full, iota, move_axis, reshape, zeros_of
from .windows import (
    GatherDims,
    Layout,
    ScatterDims,
    canonical_mode,
    check_index_dtype,
    gather_attribute,
    in_bounds,
    layout,
    locate,
    lower_clamp,
    lower_in_bounds,
    lower_indices,
    one_window,
    update_layout,
    walk_axes,
    walked_axes,
    window_sizes,
)

__all__ = [
    "GatherDims",
    "ScatterDims",
    "gather",
    "lead_axis",
    "scatter",
    "scatter_add",
    "scatter_max",
    "scatter_min",
    "scatter_mul",
    "take_along_axis",
]


class Gather(Primitive):
    """Operands (x, indices): windows of `slice_sizes` of x, one per index vector (last axis of indices).

    Fields:
        fill_value: what mode "fill" returns out of bounds; None means NaN, the smallest signed integer, the largest
            unsigned one, or True.
        indices_are_sorted, unique_indices: promises that may let the engine run faster.
    """

    dimension_numbers: GatherDims
    slice_sizes: Shape
    mode: str = "fill"
    fill_value: Any = None
    indices_are_sorted: bool = False
    unique_indices: bool = False

    def _layout(self, shape: Shape, index_shape: Shape) -> Layout:
        return layout("gather", self.dimension_numbers, shape, index_shape, self.slice_sizes)

    def infer(self, x: ArrayType, indices: ArrayType) -> tuple[ArrayType, ...]:
        check_index_dtype("gather", indices.dtype)
        return (x.update(shape=self._layout(x.shape, indices.shape).shape),)

    def evaluate(self, x: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, ...]:
        dims, plan = self.dimension_numbers, self._layout(x.shape, indices.shape)
        check_index_dtype("gather", indices.dtype)
        if indices.ndim == 1:
            box, within = one_window(dims, plan, self.slice_sizes, indices)
            if self.mode == "fill" and not within:
                return (np.full(plan.shape, _fill_value(self.fill_value, x.dtype)),)
            return (x[box].reshape(plan.shape),)
        starts, inside = in_bounds(indices, plan.limit)
        places = locate(dims, plan, self.slice_sizes, starts)
        result = x.transpose(plan.order)[places] if places else np.broadcast_to(x, starts.shape[:-1] + x.shape)
        result = result if plan.result is None else result.transpose(plan.result)
        if self.mode == "fill" and inside is not None:
            inside = _spread_batch(inside, dims, result.ndim)
            result = np.where(inside, result, _fill_value(self.fill_value, x.dtype))
        return (result,)

    def lower(self, build: Any, x: Any, indices: Any) -> tuple[Any, ...]:
        operand, index_type = build.in_types
        result, dims = build.out_types[0], self.dimension_numbers
        plan = self._layout(operand.shape, index_type.shape)
        indices, index_type = lower_indices(build, indices, index_type)
        gathered = self._lower_gather(build, x, indices, index_type)
        if self.mode != "fill" or not plan.limits:
            return (gathered,)
        inside, inside_type = lower_in_bounds(build, indices, index_type, plan.limits)
        kept = [axis for axis in range(result.ndim) if axis not in dims.offset_dims]
        mask = build.broadcast(inside, inside_type.update(shape=result.shape), kept)
        fill = build.constant(_fill_value(self.fill_value, result.dtype), result)
        return (build.op("select", (mask, gathered, fill), result),)

    def _lower_gather(self, build: Any, x: Any, indices: Any, index_type: ArrayType) -> Any:
        """The gather itself, which takes indices out of bounds as the engine does."""
        operand, result = build.in_types[0], build.out_types[0]
        dims, sizes, is_sorted = self.dimension_numbers, self.slice_sizes, self.indices_are_sorted
        walked = walked_axes(dims, sizes, operand.shape, index_type.ndim) if build.platform == "cpu" else ()
        if walked:
            dims, sizes, shape, kept = walk_axes(dims, sizes, walked, result.shape, index_type)
            index_type = index_type.update(shape=shape)
            indices, is_sorted = build.broadcast(indices, index_type, kept), False
        attributes = {
            "dimension_numbers": build.attribute(gather_attribute(dims, index_type.ndim)),
            "slice_sizes": build.integers(sizes),
            "indices_are_sorted": build.boolean(is_sorted),
        }
        return build.op("gather", (x, indices), result, attributes)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(*primals),), (self._filling(0)(tangents[0], primals[1]),)

    def _filling(self, fill_value: Any) -> Gather:
        flags = self.indices_are_sorted, self.unique_indices
        return Gather(self.dimension_numbers, self.slice_sizes, self.mode, fill_value, *flags)

    def transpose(self, cts: tuple[Any, ...], x: Any, indices: Any) -> tuple[Any | None, ...]:
        flags = self.mode, self.indices_are_sorted, self.unique_indices
        dims = self.dimension_numbers.as_scatter()
        return ScatterAdd(dims, *flags)(zeros_of(x.type), indices, cts[0]), None

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (x, indices), (x_axis, index_axis) = operands, axes
        x = x if x_axis is None else move_axis(x, x_axis, 0)
        indices = indices if index_axis is None else move_axis(indices, index_axis, 0)
        both = x_axis is not None and index_axis is not None
        if both and not size:
            shape = self._layout(x.shape[1:], indices.shape[1:]).shape
            return (zeros_of(x.type.update(shape=(0, *shape))),), (0,)
        dims = self.dimension_numbers.batched(x_axis is not None, index_axis is not None)
        sizes = self.slice_sizes if x_axis is None else (1 if both else size, *self.slice_sizes)
        flags = (self.indices_are_sorted and index_axis is None, self.unique_indices and x_axis is not None)
        return (Gather(dims, sizes, self.mode, self.fill_value, *flags)(x, indices),), (0,)


def _spread_batch(values: np.ndarray, dims: GatherDims, ndim: int) -> np.ndarray:
    """Values over the index batch, shaped to broadcast against the windows."""
    lengths = iter(values.shape)
    return values.reshape([1 if axis in dims.offset_dims else next(lengths) for axis in range(ndim)])


def _distinct(fill_value: Any) -> Any:
    """A fill value as a field of an operation: floats as text, since 0.0 == -0.0 would make two operations one."""
    value = fill_value.item() if isinstance(fill_value, np.generic) else fill_value
    return repr(value) if isinstance(value, float | complex) else value


def _fill_value(value: Any, dtype: np.dtype) -> Any:
    if isinstance(value, str):
        value = complex(value) if "j" in value else float(value)
    if value is not None:
        return np.asarray(value).astype(dtype)
    if is_inexact(dtype):
        return np.asarray(np.nan).astype(dtype)
    if dtype == BOOL:
        return np.True_
    return dtype.type(np.iinfo(dtype).min if is_signed(dtype) else np.iinfo(dtype).max)


def gather(
    operand: Any,
    start_indices: Any,
    dimension_numbers: GatherDims,
    slice_sizes: Sequence[int],
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: str | None = None,
    fill_value: Any = None,
) -> Any:
    """Windows of `operand`, one per index vector.

    Args:
        operand: array to read from.
        start_indices: integer array; its last axis is the index vector that says where a window starts.
        dimension_numbers: how axes of operand, indices and result correspond.
        slice_sizes: the window's length along each operand axis.
        unique_indices, indices_are_sorted: promises that may make compiled code faster.
        mode: "fill" (the default), "clip" or "promise_in_bounds": what windows out of bounds give.
        fill_value: what mode "fill" gives; by default NaN, the smallest signed or largest unsigned integer, or True.

    Raises:
        DTypeError, ShapeError: indices or windows that do not fit the operand.
        OverflowError: a fill value that is a Python int which the operand's dtype cannot hold.
    """
    sizes, mode = tuple(slice_sizes), canonical_mode(mode)
    if type(fill_value) is int:
        np.array(fill_value, operand.dtype)  # refuses what does not fit
    op = Gather(dimension_numbers, sizes, mode, _distinct(fill_value), indices_are_sorted, unique_indices)
    return op(operand, start_indices)


def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
    """result[..., j, ...] = x[..., indices[..., j, ...], ...]: one index per result element, along `axis`.

    Apart from `axis` the shapes of `x` and `indices` are equal; indices are clamped into bounds.
    """
    if 0 in indices.shape:
        return zeros_of(x.type.update(shape=indices.shape))
    others = tuple(i for i in range(x.ndim) if i != axis)
    dims = GatherDims((), (axis,), (axis,), others, others)
    return Gather(dims, (1,) * x.ndim, "clip")(x, reshape(indices, (*indices.shape, 1)))


class _Scatter(Primitive):
    """Operands (x, indices, updates): x with windows combined with the updates, one per index vector.

    Class attributes to declare:
        ufunc: how an old element combines with an update in NumPy; None to replace it.
        combine: the StableHLO operation for the same.
    """

    dimension_numbers: ScatterDims
    mode: str = "fill"
    indices_are_sorted: bool = False
    unique_indices: bool = False

    ufunc: ClassVar[np.ufunc | None] = None
    combine: ClassVar[str] = ""

    def infer(self, x: ArrayType, indices: ArrayType, updates: ArrayType) -> tuple[ArrayType, ...]:
        check_index_dtype(self.name, indices.dtype)
        if x.dtype != updates.dtype:
            raise DTypeError(f"{self.name}: operand {x} and updates {updates} must have equal dtypes")
        self.check_dtype(x.dtype)
        self._layout(x.shape, indices.shape, updates.shape)
        return (x.strong(),)

    def check_dtype(self, dtype: np.dtype) -> None:
        """Raises DTypeError where the combination has no meaning."""

    def _layout(self, shape: Shape, index_shape: Shape, update_shape: Shape) -> tuple[GatherDims, Layout, Shape]:
        return update_layout(self.name, self.dimension_numbers, shape, index_shape, update_shape)

    def evaluate(self, x: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> tuple[np.ndarray, ...]:
        dims, plan, sizes = self._layout(x.shape, indices.shape, updates.shape)
        check_index_dtype(self.name, indices.dtype)
        if not updates.size:
            return (x,)
        if indices.ndim == 1:
            return (self._evaluate_one(x, *one_window(dims, plan, sizes, indices), updates),)
        starts, inside = in_bounds(indices, plan.limit)
        chosen = None if self.mode == "clip" else inside
        if chosen is not None and not chosen.any():
            return (x,)
        result = x.copy()
        updates = updates.transpose(plan.natural)
        places = locate(dims, plan, sizes, starts, chosen)
        _combine_at(
            self.ufunc,
            result.transpose(plan.order),
            places,
            updates if chosen is None else updates[chosen],
            self.unique_indices,
        )
        return (result,)

    def _evaluate_one(self, x: np.ndarray, box: tuple[slice, ...], inside: bool, updates: np.ndarray) -> np.ndarray:
        if not inside and self.mode != "clip":
            return x
        result = x.copy()
        window = result[box or ...]
        updates = updates.reshape(window.shape)
        window[...] = updates if self.ufunc is None else self.ufunc(window, updates)
        return result

    def lower(self, build: Any, x: Any, indices: Any, updates: Any) -> tuple[Any, ...]:
        operand, index_type, update_type = build.in_types
        _, plan, _ = self._layout(operand.shape, index_type.shape, update_type.shape)
        indices, index_type = lower_indices(build, indices, index_type)
        if self.mode == "clip":
            indices = lower_clamp(build, indices, index_type, plan.limits)
        scalar = ArrayType((), operand.dtype)
        attributes = {
            "scatter_dimension_numbers": build.attribute(_scatter_attribute(self.dimension_numbers, index_type.ndim)),
            "indices_are_sorted": build.boolean(self.indices_are_sorted),
            "unique_indices": build.boolean(self.unique_indices),
        }

        def combine_elements(old: Any, new: Any) -> tuple[Any, ...]:
            return (build.op(self.combine, (old, new), scalar) if self.combine else new,)

        region = ((scalar, scalar), combine_elements)
        return build.ops("scatter", (x, indices, updates), [build.out_types[0]], attributes, [region])

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        x, _, updates = (lead_axis(size, operand, axis) for operand, axis in zip(operands, axes, strict=True))
        walked = axes[1] is not None
        if walked and not size:
            return (x,), (0,)
        indices = lead_axis(size, operands[1], axes[1]) if walked else operands[1]
        dims = self.dimension_numbers.as_gather().batched(True, walked).as_scatter()
        flags = self.mode, self.indices_are_sorted and not walked, self.unique_indices
        return (type(self)(dims, *flags)(x, indices, updates),), (0,)

    def reader(self, ndim: int, update_shape: Shape, fill_value: Any) -> Gather:
        """The gather that reads the windows which this operation writes."""
        sizes = window_sizes(self.name, self.dimension_numbers, ndim, update_shape)
        flags = self.indices_are_sorted, self.unique_indices
        return Gather(self.dimension_numbers.as_gather(), sizes, self.mode, fill_value, *flags)

    def like(self, kind: type[_Scatter]) -> Any:
        """Another scatter with these parameters."""
        return kind(*self._field_values())

    def unique(self, indices: Any) -> bool:
        """Whether no element is known to be written twice."""
        return self.unique_indices or indices.ndim == 1


def lead_axis(size: int, x: Any, axis: int | None) -> Any:
    """`x` with its mapped axis in front, repeated `size` times if it has none."""
    if axis is not None:
        return move_axis(x, axis, 0)
    return broadcast_in_dim(x, (size, *x.shape), range(1, x.ndim + 1))


def _combine_at(
    ufunc: np.ufunc | None, target: np.ndarray, places: tuple[np.ndarray, ...], updates: np.ndarray, unique: bool
) -> None:
    """Combine updates into `target`, a writeable view, in index order."""
    if not places:  # every window is the whole operand
        updates, target = updates.reshape(-1, *target.shape), target[None]
        places = (np.zeros(len(updates), np.int64),)
    if ufunc is None:
        target[places] = updates
    elif unique:
        target[places] = ufunc(target[places], updates)
    else:
        ufunc.at(target, places, updates)


def _scatter_attribute(dims: ScatterDims, index_ndim: int) -> str:
    return (
        f"#stablehlo.scatter<update_window_dims = {list(dims.update_window_dims)}, "
        f"inserted_window_dims = {list(dims.inserted_window_dims)}, "
        f"input_batching_dims = {list(dims.operand_batching_dims)}, "
        f"scatter_indices_batching_dims = {list(dims.scatter_indices_batching_dims)}, "
        f"scatter_dims_to_operand_dims = {list(dims.scatter_dims_to_operand_dims)}, "
        f"index_vector_dim = {index_ndim - 1}>"
    )


class ScatterSet(_Scatter):
    """x with windows replaced by the updates; the last update of an element wins."""

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(*primals),), (self(tangents[0], primals[1], tangents[2]),)

    def transpose(self, cts: tuple[Any, ...], x: Any, indices: Any, updates: Any) -> tuple[Any | None, ...]:
        (ct,), x_ct, update_ct = cts, None, None
        if is_linear(x):
            x_ct = self(ct, indices, zeros_of(updates.type))
        if is_linear(updates):
            update_ct = self.reader(len(x.shape), updates.shape, 0)(ct, indices)
            if not self.unique(indices):
                last = self._is_last(x.type, indices, updates.type)
                update_ct = where(last, update_ct, zeros_of(update_ct.type))
        return x_ct, None, update_ct

    def _is_last(self, x: ArrayType, indices: Any, updates: ArrayType) -> Any:
        """Which update elements survive: number them from 1, scatter the numbers, and see who reads its own."""
        dtype = np.dtype(np.int32 if updates.size < 2**31 - 1 else np.int64)
        numbers = reshape(add(iota(dtype, (updates.size,)), full(ArrayType((updates.size,), dtype), 1)), updates.shape)
        written = self(zeros_of(x.update(dtype=dtype)), indices, numbers)
        return eq(self.reader(x.ndim, updates.shape, 0)(written, indices), numbers)


class ScatterAdd(_Scatter):
    """x with the updates added to its windows; every update of an element counts."""

    ufunc, combine = np.add, "add"

    def check_dtype(self, dtype: np.dtype) -> None:
        if dtype == BOOL:
            raise DTypeError(f"{self.name} takes numbers, not booleans; use scatter_max for a logical or")

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(*primals),), (self(tangents[0], primals[1], tangents[2]),)

    def transpose(self, cts: tuple[Any, ...], x: Any, indices: Any, updates: Any) -> tuple[Any | None, ...]:
        read = self.reader(len(x.shape), updates.shape, 0)
        return cts[0] if is_linear(x) else None, None, read(cts[0], indices) if is_linear(updates) else None


class ScatterMul(_Scatter):
    """x with its windows multiplied by the updates.

    Derivatives are exact for repeated indices too; where an update that shares its element is zero, first derivatives
    are right but second derivatives with respect to two such updates are taken as zero.
    """

    ufunc, combine = np.multiply, "multiply"
    check_dtype = ScatterAdd.check_dtype

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        (x, indices, updates), (dx, _, du) = primals, tangents
        factor = self.reader(x.ndim, updates.shape, 0)(x, indices)
        if not self.unique(indices):
            factor = mul(factor, self._other_updates(x.type, indices, updates))
        from_updates = self.like(ScatterAdd)(zeros_of(x.type), indices, mul(du, factor))
        return (self(*primals),), (add(self(dx, indices, updates), from_updates),)

    def _other_updates(self, x: ArrayType, indices: Any, updates: Any) -> Any:
        """For each update, the product of the other updates of its element (division by zero avoided by counting)."""
        read, zero, one = self.reader(x.ndim, updates.shape, 0), zeros_of(updates.type), full(updates.type, 1)
        is_zero = eq(updates, zero)
        nonzero = where(is_zero, one, updates)
        product = read(self(full(x, 1), indices, nonzero), indices)
        zeros = read(self.like(ScatterAdd)(zeros_of(x), indices, convert(is_zero, updates.dtype)), indices)
        without_own = where(is_zero, eq(zeros, one), eq(zeros, zero))
        return where(without_own, div(product, nonzero), zero)

    def transpose(self, cts: tuple[Any, ...], x: Any, indices: Any, updates: Any) -> tuple[Any | None, ...]:
        if is_linear(updates):
            raise DifferentiationError("scatter_mul is linear in its operand, not in its updates; use fg.vjp instead")
        return self(cts[0], indices, updates), None, None


class _ScatterExtremum(_Scatter):
    """Shared by min and max: elements and updates that equal the result share its derivative evenly."""

    def check_dtype(self, dtype: np.dtype) -> None:
        if is_complex(dtype):
            raise DTypeError(f"{self.name}: complex numbers have no order")

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        (x, indices, updates), (dx, _, du) = primals, tangents
        out = self(*primals)
        read, sum_at = self.reader(x.ndim, updates.shape, None), self.like(ScatterAdd)
        x_wins = convert(eq(x, out), x.dtype)
        update_wins = convert(eq(updates, read(out, indices)), x.dtype)
        winners = sum_at(x_wins, indices, update_wins)
        return (out,), (div(sum_at(mul(x_wins, dx), indices, mul(update_wins, du)), winners),)

    transpose = not_linear


class ScatterMin(_ScatterExtremum):
    """x with its windows replaced by the smaller of element and update; NaN wins."""

    ufunc, combine = np.minimum, "minimum"


class ScatterMax(_ScatterExtremum):
    """x with its windows replaced by the larger of element and update; NaN wins."""

    ufunc, combine = np.maximum, "maximum"


def _scatter_function(kind: type[_Scatter], verb: str) -> Callable[..., Any]:
    def scatter_windows(
        operand: Any,
        scatter_indices: Any,
        updates: Any,
        dimension_numbers: ScatterDims,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: str | None = None,
    ) -> Any:
        op = kind(dimension_numbers, canonical_mode(mode), indices_are_sorted, unique_indices)
        infer(op, operand.type, scatter_indices.type, updates.type)  # evaluation alone would let other dtypes through
        return op(operand, scatter_indices, updates)

    scatter_windows.__doc__ = f"""`operand` with {verb}, one window per index vector.

    Args:
        operand: array to start from.
        scatter_indices: integer array; its last axis is the index vector that says where a window starts.
        updates: the windows' values, of the operand's dtype.
        dimension_numbers: how axes of operand, indices and updates correspond.
        indices_are_sorted, unique_indices: promises that may make compiled code faster.
        mode: "fill" (the default; also called "drop") drops windows that reach out of bounds, "clip" moves them inside,
            "promise_in_bounds" says that there are none.

    Raises:
        DTypeError, ShapeError: indices or updates that do not fit the operand.
    """
    return scatter_windows


scatter = _scatter_function(ScatterSet, "windows replaced by the updates (the last one of a place wins)")
scatter_add = _scatter_function(ScatterAdd, "the updates added to its windows")
scatter_mul = _scatter_function(ScatterMul, "its windows multiplied by the updates")
scatter_min = _scatter_function(ScatterMin, "its windows lowered to the updates where these are smaller")
scatter_max = _scatter_function(ScatterMax, "its windows raised to the updates where these are larger")
