"""Operations that make arrays, or move elements without computing."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from .. import tree
from ..core.dtypes import DTypeLike, canonical
from ..core.types import Shape
from ..errors import ArgumentError, ShapeError
from ..numpy.conversion import SCALARS, as_operand, asarray
from ..ops import slicing, structure
from ..ops.identities import OptimizationBarrier
from ..ops.structure import canonical_axis
from .operands import scalar

__all__ = [
    "broadcast",
    "broadcast_in_dim",
    "broadcast_to_rank",
    "broadcasted_iota",
    "collapse",
    "concatenate",
    "expand_dims",
    "full",
    "full_like",
    "iota",
    "optimization_barrier",
    "pad",
    "reshape",
    "rev",
    "split",
    "squeeze",
    "transpose",
]


def full(shape: Shape, fill_value: Any, dtype: DTypeLike | None = None) -> Any:
    """An array filled with a scalar."""
    value = asarray(fill_value, dtype)
    return structure.broadcast(value, tuple(shape))


def full_like(x: Any, fill_value: Any, dtype: DTypeLike | None = None, shape: Shape | None = None) -> Any:
    """An array filled with a scalar, of the shape and dtype of `x` unless others are given."""
    x = as_operand(x)
    return full(x.shape if shape is None else shape, fill_value, x.dtype if dtype is None else dtype)


def iota(dtype: DTypeLike, size: int) -> Any:
    """0, 1, …, size - 1."""
    return structure.iota(canonical(dtype), (size,))


def broadcasted_iota(dtype: DTypeLike, shape: Shape, dimension: int) -> Any:
    """An array of `shape` that counts from 0 along one axis."""
    return structure.iota(canonical(dtype), tuple(shape), dimension)


def reshape(operand: Any, new_sizes: Shape, dimensions: Sequence[int] | None = None) -> Any:
    """The same elements under another shape, read in C order after permuting the axes by `dimensions`."""
    operand = as_operand(operand)
    operand = operand if dimensions is None else structure.transpose(operand, dimensions)
    return structure.reshape(operand, tuple(new_sizes))


def collapse(operand: Any, start_dimension: int, stop_dimension: int | None = None) -> Any:
    """The axes from start up to stop merged into one."""
    operand = as_operand(operand)
    low, high, _ = builtins.slice(start_dimension, stop_dimension).indices(operand.ndim)
    shape = operand.shape
    return structure.reshape(operand, (*shape[:low], prod(shape[low:high]), *shape[high:]))


def optimization_barrier(operand: Any) -> Any:
    """The operand itself; the compiler neither merges nor moves work across, and waits for all of its leaves.

    Args:
        operand: an array or a tree of arrays.

    Example:
        >>> import funcgrad as fg
        >>> float(fg.lax.optimization_barrier(2.0))
        2.0
    """
    leaves, in_tree = tree.flatten(operand)
    return in_tree.unflatten(OptimizationBarrier()(*map(as_operand, leaves)))


def transpose(operand: Any, permutation: Sequence[int]) -> Any:
    """Axes in another order: result axis i is operand axis permutation[i]."""
    return structure.transpose(as_operand(operand), tuple(int(axis) for axis in permutation))


def broadcast(operand: Any, sizes: Sequence[int]) -> Any:
    """New leading axes of these lengths."""
    operand = as_operand(operand)
    return structure.broadcast(operand, (*sizes, *operand.shape))


def broadcast_in_dim(operand: Any, shape: Shape, broadcast_dimensions: Sequence[int]) -> Any:
    """Operand axis i becomes result axis broadcast_dimensions[i]; the rest repeats."""
    return structure.broadcast_in_dim(as_operand(operand), tuple(shape), tuple(broadcast_dimensions))


def broadcast_to_rank(x: Any, rank: int) -> Any:
    """Leading axes of length 1 until there are `rank` axes."""
    x = as_operand(x)
    return structure.expand_dims(x, range(rank - x.ndim))


def squeeze(array: Any, dimensions: Sequence[int]) -> Any:
    """The array without these axes of length 1."""
    return structure.squeeze(as_operand(array), dimensions)


def expand_dims(array: Any, dimensions: Sequence[int]) -> Any:
    """The array with axes of length 1 at these places of the result."""
    return structure.expand_dims(as_operand(array), dimensions)


def concatenate(operands: Sequence[Any], dimension: int) -> Any:
    """Arrays of one dtype, one after another along an axis."""
    arrays = [as_operand(x) for x in operands]
    if not arrays:
        raise ArgumentError("concatenate takes at least one operand")
    return slicing.concatenate(arrays, canonical_axis(dimension, arrays[0].ndim))


def pad(operand: Any, padding_value: Any, padding_config: Sequence[tuple[int, int, int]]) -> Any:
    """The operand with a scalar around and between its elements: (low, high, interior) per axis; negative ones crop."""
    operand = as_operand(operand)
    value = scalar(padding_value, operand.type.update(shape=())) if type(padding_value) in SCALARS else padding_value
    return slicing.pad(operand, as_operand(value), [(low, high, interior) for low, high, interior in padding_config])


def rev(operand: Any, dimensions: Sequence[int]) -> Any:
    """Elements in reverse order along some axes."""
    return slicing.rev(as_operand(operand), dimensions)


def split(operand: Any, sizes: Sequence[int], axis: int = 0) -> list[Any]:
    """Pieces of these lengths along an axis; they must add up to its length."""
    operand = as_operand(operand)
    axis = canonical_axis(axis, operand.ndim)
    if sum(sizes) != operand.shape[axis]:
        raise ShapeError(f"split: sizes {tuple(sizes)} add up to {sum(sizes)}, axis {axis} has {operand.shape[axis]}")
    ends = np.cumsum(sizes).tolist()
    return [slicing.slice_in_dim(operand, end - n, end, 1, axis) for n, end in zip(sizes, ends, strict=True)]
