"""Collectives: operations that combine values across a named axis of an enclosing `vmap`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.dtypes import INT32
from ..core.primitive import Primitive, not_batchable, not_differentiable, not_linear
from ..core.trace import named_axes
from ..core.types import ArrayType
from ..errors import ArgumentError
from .gather import gather
from .reduction import reduce_max, reduce_min
from .slicing import dynamic_slice
from .structure import broadcast_in_dim, convert, iota, move_axis, reduce_sum, reshape
from .windows import GatherDims

__all__ = ["all_gather", "axis_index", "axis_size", "pmax", "pmean", "pmin", "ppermute", "psum"]

AxisName = Hashable


def axis_size(axis_name: AxisName) -> int:
    """The length of a named axis.

    Raises:
        ArgumentError: no enclosing transformation binds that name.
    """
    axes = named_axes()
    if axis_name not in axes:
        bound = ", ".join(map(repr, axes)) or "none"
        raise ArgumentError(
            f"there is no axis named {axis_name!r} here (bound: {bound}); "
            f"collectives run inside fg.vmap(f, axis_name={axis_name!r})"
        )
    return axes[axis_name]


class Collective(Primitive):
    """What collectives share: no host rule, since without its axis a collective has no meaning."""

    axis: AxisName

    @property
    def axis_names(self) -> frozenset[Any]:
        return frozenset({self.axis})

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        raise ArgumentError(f"{self.name} over axis {self.axis!r} was run outside the vmap that names it")

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        raise ArgumentError(f"{self.name} over axis {self.axis!r} was compiled outside the vmap that names it")

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return (self(*operands),), axes


class Psum(Collective):
    """The sum over a named axis; every member gets it."""

    axis: AxisName

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        return (x.strong(),)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(*primals),), (self(tangents[0]),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (self(cts[0]),)

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (x,), (axis,) = operands, axes
        return (x * size if axis is None else reduce_sum(x, (axis,)),), (None,)


class Extremum(Collective):
    """What pmax and pmin share: the derivative goes to the members that attain the extremum, in equal parts."""

    axis: AxisName

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        return (x.strong(),)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        out = self(*primals)
        attained = convert(primals[0] == out, out.dtype)
        total = Psum(self.axis)
        return (out,), (total(attained * tangents[0]) / total(attained),)

    transpose = not_linear


class Pmax(Extremum):
    """The maximum over a named axis."""

    axis: AxisName

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (x,), (axis,) = operands, axes
        return (x if axis is None else reduce_max(x, (axis,)),), (None,)


class Pmin(Extremum):
    """The minimum over a named axis."""

    axis: AxisName

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (x,), (axis,) = operands, axes
        return (x if axis is None else reduce_min(x, (axis,)),), (None,)


class AxisIndex(Collective):
    """Which member of a named axis this is."""

    axis: AxisName

    def infer(self) -> tuple[ArrayType, ...]:
        return (ArrayType((), INT32),)

    jvp = not_differentiable
    transpose = not_linear
    batch = not_batchable

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return (iota(INT32, (size,)),), (0,)


class AllGather(Collective):
    """Every member's value, stacked along a new first axis of length `size`."""

    axis: AxisName
    size: int

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        return (x.update(shape=(self.size, *x.shape)),)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(*primals),), (self(tangents[0]),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        total = Psum(self.axis)(cts[0])
        mine = dynamic_slice(total, (AxisIndex(self.axis)(), *[0] * len(x.shape)), (1, *x.shape))
        return (reshape(mine, x.shape),)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return (self(*operands),), (axes[0] + 1,)  # type: ignore[operator]

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (x,), (axis,) = operands, axes
        if axis is None:
            return (broadcast_in_dim(x, (size, *x.shape), range(1, x.ndim + 1)),), (None,)
        return (move_axis(x, axis, 0),), (None,)


class Ppermute(Collective):
    """Member `target` gets the value of member `source`; members without a source get zeros."""

    axis: AxisName
    pairs: tuple[tuple[int, int], ...]

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        return (x.strong(),)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(*primals),), (self(tangents[0]),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (Ppermute(self.axis, tuple((target, source) for source, target in self.pairs))(cts[0]),)

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (x,), (axis,) = operands, axes
        rows = broadcast_in_dim(x, (size, *x.shape), range(1, x.ndim + 1)) if axis is None else move_axis(x, axis, 0)
        sources = {target: source for source, target in self.pairs}
        index = np.array([[sources.get(target, size)] for target in range(size)], np.int32)
        dims = GatherDims(tuple(range(1, rows.ndim)), (0,), (0,))
        return (gather(rows, Array(index), dims, (1, *rows.shape[1:]), mode="fill", fill_value=0),), (0,)


def psum(x: Any, axis_name: AxisName) -> Any:
    """The sum of `x` over the named axis, for every member. Trees of arrays are summed leaf by leaf by `lax.psum`."""
    axis_size(axis_name)
    return Psum(axis_name)(x)


def pmean(x: Any, axis_name: AxisName) -> Any:
    """The mean of `x` over the named axis."""
    return psum(x, axis_name) / axis_size(axis_name)


def pmax(x: Any, axis_name: AxisName) -> Any:
    """The maximum of `x` over the named axis."""
    axis_size(axis_name)
    return Pmax(axis_name)(x)


def pmin(x: Any, axis_name: AxisName) -> Any:
    """The minimum of `x` over the named axis."""
    axis_size(axis_name)
    return Pmin(axis_name)(x)


def axis_index(axis_name: AxisName) -> Any:
    """The position along the named axis, an int32 scalar."""
    axis_size(axis_name)
    return AxisIndex(axis_name)()


def all_gather(x: Any, axis_name: AxisName, *, axis: int = 0, tiled: bool = False) -> Any:
    """All members' `x`, stacked along a new axis (or concatenated along an existing one with `tiled`)."""
    gathered = AllGather(axis_name, axis_size(axis_name))(x)
    moved = move_axis(gathered, 0, axis % (x.ndim if tiled else x.ndim + 1))
    if not tiled:
        return moved
    axis %= x.ndim
    return moved.reshape((*x.shape[:axis], gathered.shape[0] * x.shape[axis], *x.shape[axis + 1 :]))


def ppermute(x: Any, axis_name: AxisName, perm: Sequence[tuple[int, int]]) -> Any:
    """Send values along the named axis by (source, target) pairs.

    Raises:
        ArgumentError: a member that is outside the axis, or a target named twice.
    """
    size = axis_size(axis_name)
    pairs = tuple((int(source), int(target)) for source, target in perm)
    targets = [target for _, target in pairs]
    if len(set(targets)) != len(targets) or len({source for source, _ in pairs}) != len(pairs):
        raise ArgumentError(f"ppermute: {pairs} names a source or target twice")
    if any(not 0 <= member < size for pair in pairs for member in pair):
        raise ArgumentError(f"ppermute: {pairs} names a member outside axis {axis_name!r} of length {size}")
    return Ppermute(axis_name, pairs)(x)
