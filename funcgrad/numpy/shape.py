"""Reshaping, tiling and flipping under NumPy's names."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.trace import Tracer
from ..errors import ArgumentError, AxisError, ShapeError
from ..ops import slicing, structure
from ..ops.structure import broadcast, canonical_axis, move_axis
from .conversion import as_operand, known
from .fast import ANY, quick_call, quick_host, quick_view
from .promotion import broadcast_arrays, broadcast_shapes

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "broadcast_shapes", "broadcast_to", "expand_dims",
    "flip", "fliplr", "flipud", "matrix_transpose", "moveaxis", "permute_dims", "ravel", "reshape", "roll", "rollaxis",
    "rot90", "squeeze", "swapaxes", "tile", "transpose",
]  # fmt: skip

# -- one array under another shape -----------------------------------------------------------------------------------


def _several(axis: Any) -> tuple[int, ...]:
    """One axis or several as a tuple."""
    return tuple(axis) if isinstance(axis, tuple | list) else (axis,)


def reshape(a: Any, shape: int | Sequence[int] = (), order: str = "C", *, copy: bool | None = None) -> Any:
    """The same elements in the same order under another shape.

    Args:
        shape: lengths of the axes; one of them may be -1 and is then computed.
        order: "C" (last axis fastest) or "F" (first axis fastest).

    Raises:
        ShapeError: a shape with another number of elements.
    """
    quick = quick_view(np.ndarray.reshape, a, shape) if order == "C" else None
    if quick is not None:
        return quick
    x = as_operand(a)
    wanted = complete_shape(x, shape)
    if order == "F":
        return structure.transpose(
            structure.reshape(structure.transpose(x, range(x.ndim)[::-1]), wanted[::-1]), range(len(wanted))[::-1]
        )
    if order not in ("C", "A"):
        raise ArgumentError(f'order={order!r}: expected "C" or "F"')
    return structure.reshape(x, wanted)


def complete_shape(x: Any, shape: Any) -> tuple[int, ...]:
    """A wanted shape of `x` with -1 replaced.

    Raises:
        ShapeError: no such shape fits.
    """
    try:
        lengths = [n.__index__() for n in shape] if isinstance(shape, tuple | list) else [shape.__index__()]
    except AttributeError:
        raise ShapeError(f"shape {shape!r}: expected ints") from None
    unknown = [i for i, n in enumerate(lengths) if n == -1]
    size = prod(x.shape)
    if len(unknown) == 1:
        rest = -prod(lengths)
        if rest and size % rest == 0:
            lengths[unknown[0]] = size // rest
    if any(n < 0 for n in lengths) or prod(lengths) != size:
        raise ShapeError(
            f"cannot reshape an array of shape {x.shape} ({size} element{'s' * (size != 1)}) into shape {_shown(shape)}"
        )
    return tuple(lengths)


def _shown(shape: Any) -> Any:
    return tuple(shape) if isinstance(shape, tuple | list) else shape


def ravel(a: Any, order: str = "C") -> Any:
    """All elements in one axis."""
    return reshape(a, -1 if as_operand(a).size else 0, order)


def transpose(a: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes in another order, by default reversed: result axis i is axis `axes[i]` of `a`.

    Raises:
        AxisError: not a permutation of the axes.
    """
    if axes is None:
        quick = quick_view(np.ndarray.transpose, a)
        if quick is not None:
            return quick
        x = as_operand(a)
        return structure.transpose(x, range(x.ndim)[::-1])
    x = as_operand(a)
    order = tuple(canonical_axis(axis, x.ndim) for axis in _several(axes))
    if sorted(order) != list(range(x.ndim)):
        raise AxisError(f"transpose: axes {tuple(axes)} are not a permutation of the {x.ndim} axes of shape {x.shape}")
    return structure.transpose(x, order)


permute_dims = transpose


def matrix_transpose(x: Any, /) -> Any:
    """The last two axes exchanged."""
    x = as_operand(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose takes an array of at least 2 dimensions, got shape {x.shape}")
    return swapaxes(x, -1, -2)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    x = as_operand(a)
    order = list(range(x.ndim))
    first, second = canonical_axis(axis1, x.ndim), canonical_axis(axis2, x.ndim)
    order[first], order[second] = second, first
    return structure.transpose(x, order)


def moveaxis(a: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Axes moved to other places, the others keeping their order.

    Raises:
        AxisError: `source` and `destination` differ in length, or name an axis twice.
    """
    x = as_operand(a)
    origins = [canonical_axis(i, x.ndim) for i in _several(source)]
    goals = [canonical_axis(i, x.ndim) for i in _several(destination)]
    if len(origins) != len(goals) or len(set(origins)) != len(origins) or len(set(goals)) != len(goals):
        raise AxisError(f"moveaxis: source {source} and destination {destination} must name equally many distinct axes")
    order = [i for i in range(x.ndim) if i not in origins]
    for goal, origin in sorted(zip(goals, origins, strict=True)):
        order.insert(goal, origin)
    return structure.transpose(x, order)


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """One axis moved in front of another, or behind the last one if `start` is the number of axes.

    Raises:
        AxisError: no such axis, or no such start.
    """
    x = as_operand(a)
    axis = canonical_axis(axis, x.ndim)
    if not -x.ndim <= start <= x.ndim:
        raise AxisError(f"rollaxis: start={start} does not lie between {-x.ndim} and {x.ndim}, the number of axes")
    start = start + x.ndim if start < 0 else start
    return move_axis(x, axis, start - (start > axis))


def expand_dims(a: Any, axis: int | Sequence[int] = 0) -> Any:
    """New axes of length 1 at these positions of the result."""
    return structure.expand_dims(as_operand(a), _several(axis))


def squeeze(a: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Without the given axes of length 1, by default without all such.

    Raises:
        ShapeError: a given axis has another length.
    """
    x = as_operand(a)
    if axis is None:
        return structure.squeeze(x, [i for i, n in enumerate(x.shape) if n == 1])
    return structure.squeeze(x, _several(axis))


def broadcast_to(array: Any, shape: int | Sequence[int]) -> Any:
    """`array` repeated along new axes and axes of length 1 until it has `shape`.

    Raises:
        ShapeError: it does not broadcast to that shape.
    """
    return broadcast(as_operand(array), (shape,) if isinstance(shape, int) else tuple(shape))


def atleast_1d(*arys: Any) -> Any:
    """Arrays with at least one axis; several arguments give a tuple."""
    return _each(arys, lambda x: x if x.ndim else structure.reshape(x, (1,)))


def atleast_2d(*arys: Any) -> Any:
    """Arrays with at least two axes, new ones in front; several arguments give a tuple."""
    return _each(arys, lambda x: x if x.ndim > 1 else structure.reshape(x, (1, prod(x.shape))))


def atleast_3d(*arys: Any) -> Any:
    """Arrays with at least three axes, a vector becoming (1, n, 1) and a matrix (m, n, 1); several give a tuple."""

    def to_three(x: Any) -> Any:
        shapes = {0: (1, 1, 1), 1: (1, *x.shape, 1), 2: (*x.shape, 1)}
        return structure.reshape(x, shapes.get(x.ndim, x.shape))

    return _each(arys, to_three)


def _each(arrays: tuple[Any, ...], function: Any) -> Any:
    results = tuple([function(as_operand(x)) for x in arrays])
    return results[0] if len(results) == 1 else results


# -- repeating and flipping ------------------------------------------------------------------------------------------


def tile(A: Any, reps: int | Sequence[int]) -> Any:
    """The whole array repeated along each axis."""
    host = quick_host(A)
    if isinstance(reps, Array | Tracer | np.ndarray):
        reps = np.atleast_1d(known(reps, "fnp.tile(x, reps)")).tolist()
    times = tuple(map(operator.index, _several(reps)))
    if any(n < 0 for n in times):
        raise ArgumentError(f"tile: repetitions must not be negative, got {reps}")
    if host is not None:
        return Array(np.tile(host, times))
    x = as_operand(A)
    ndim = max(x.ndim, len(times))
    shape = (1,) * (ndim - x.ndim) + x.shape
    times = (1,) * (ndim - len(times)) + times
    pairs = tuple(n for pair in zip(times, shape, strict=True) for n in pair)
    spread = structure.broadcast_in_dim(structure.reshape(x, shape), pairs, range(1, 2 * ndim, 2))
    return structure.reshape(spread, tuple(t * n for t, n in zip(times, shape, strict=True)))


def _numpy_roll(a: np.ndarray, shift: Any, axis: int | None = None) -> np.ndarray:
    if type(shift) is not int:
        raise TypeError("NumPy would cut off a fraction")
    return np.roll(a, shift, axis)


@quick_call(_numpy_roll, ANY)
def roll(a: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Any:
    """Elements moved along axes, those pushed out re-entering at the other end; by default flattened."""
    x = as_operand(a)
    if axis is None:
        return structure.reshape(roll(structure.reshape(x, (x.size,)), sum(np.ravel(shift).tolist()), 0), x.shape)
    axes, shifts = np.broadcast_arrays(np.ravel(axis), np.ravel(shift))
    for one, by in zip(axes.tolist(), shifts.tolist(), strict=True):
        one = canonical_axis(one, x.ndim)
        if x.shape[one] and (cut := -by % x.shape[one]):
            parts = [slicing.slice_in_dim(x, cut, None, 1, one), slicing.slice_in_dim(x, 0, cut, 1, one)]
            x = slicing.concatenate(parts, one)
    return x


@quick_call(np.flip, ANY)
def flip(m: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Elements in reverse order along axes, by default all."""
    x = as_operand(m)
    axes = range(x.ndim) if axis is None else _several(axis)
    return slicing.rev(x, [canonical_axis(one, x.ndim) for one in axes])


def fliplr(m: Any) -> Any:
    """`flip` along the second axis."""
    return flip(m, 1)


def flipud(m: Any) -> Any:
    """`flip` along the first axis."""
    return flip(m, 0)


def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """`k` quarter turns in the plane of two axes, from the first towards the second."""
    x = as_operand(m)
    first, second = (canonical_axis(axis, x.ndim) for axis in axes)
    if first == second:
        raise AxisError(f"rot90: axes {axes} must differ")
    turns = k % 4
    if turns == 0:
        return x
    if turns == 2:
        return flip(x, (first, second))
    return swapaxes(flip(x, second), first, second) if turns == 1 else flip(swapaxes(x, first, second), second)
