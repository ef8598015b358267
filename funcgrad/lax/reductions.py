"""Reductions, running results, order, and dot products."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any

from .. import tree
from ..core.dtypes import DTypeLike, canonical
from ..core.primitive import Primitive
from ..errors import ShapeError
from ..numpy.conversion import as_operand
from ..ops import cumulative, reduction, slicing, sorting, structure
from ..ops import dot as dots
from ..ops.structure import canonical_axis
from .operands import axes as canonical_axes
from .operands import bind

__all__ = [
    "Precision",
    "argmax",
    "argmin",
    "associative_scan",
    "batch_matmul",
    "cumlogsumexp",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "dot",
    "dot_general",
    "reduce_and",
    "reduce_max",
    "reduce_min",
    "reduce_or",
    "reduce_prod",
    "reduce_sum",
    "reduce_xor",
    "sort",
    "sort_key_val",
    "top_k",
]


class Precision(enum.StrEnum):
    """What accelerators may not round away in dot products."""

    DEFAULT = "default"
    HIGH = "high"
    HIGHEST = "highest"


def _reduction(name: str, kind: type[Primitive]) -> Callable[[Any, Sequence[int]], Any]:
    def reduced(operand: Any, axes: Sequence[int]) -> Any:
        operand = as_operand(operand)
        over = tuple(sorted(canonical_axes(axes, operand.ndim)))
        return bind(kind(over), operand) if over else operand

    reduced.__name__ = reduced.__qualname__ = name
    reduced.__doc__ = kind.__doc__
    return reduced


reduce_sum, reduce_prod = _reduction("reduce_sum", structure.ReduceSum), _reduction("reduce_prod", reduction.ReduceProd)
reduce_max, reduce_min = _reduction("reduce_max", reduction.ReduceMax), _reduction("reduce_min", reduction.ReduceMin)
reduce_and, reduce_or = _reduction("reduce_and", reduction.ReduceAnd), _reduction("reduce_or", reduction.ReduceOr)
reduce_xor = _reduction("reduce_xor", reduction.ReduceXor)


def argmax(operand: Any, axis: int, index_dtype: DTypeLike) -> Any:
    """The index of the largest element along an axis."""
    return reduction.argmax(as_operand(operand), axis, canonical(index_dtype))


def argmin(operand: Any, axis: int, index_dtype: DTypeLike) -> Any:
    """The index of the smallest element along an axis."""
    return reduction.argmin(as_operand(operand), axis, canonical(index_dtype))


def _cumulative(name: str, kind: type[Primitive]) -> Callable[..., Any]:
    def accumulated(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
        operand = as_operand(operand)
        return bind(kind(canonical_axis(axis, operand.ndim), reverse), operand)

    accumulated.__name__ = accumulated.__qualname__ = name
    accumulated.__doc__ = kind.__doc__
    return accumulated


cumsum, cumprod = _cumulative("cumsum", cumulative.CumSum), _cumulative("cumprod", cumulative.CumProd)
cummax, cummin = _cumulative("cummax", cumulative.CumMax), _cumulative("cummin", cumulative.CumMin)
cumlogsumexp = _cumulative("cumlogsumexp", cumulative.CumLogSumExp)


def associative_scan(fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Running results of an associative function along an axis, in logarithmic depth.

    Args:
        fn: (tree of slices, tree of slices) → tree of slices, associative.
        elems: a tree of arrays with equally long axes `axis`.
        reverse: run from the end.
        axis: the axis to run along.
    """
    leaves, treedef = tree.flatten(elems)
    arrays = [as_operand(leaf) for leaf in leaves]
    axis = canonical_axis(axis, arrays[0].ndim)

    def combine(left: Any, right: Any) -> tuple[Any, ...]:
        return tuple(tree.leaves(fn(treedef.unflatten(left), treedef.unflatten(right))))

    arrays = [slicing.rev(x, (axis,)) for x in arrays] if reverse else arrays
    results = cumulative.associative_scan(combine, tuple(arrays), axis)
    return treedef.unflatten([slicing.rev(x, (axis,)) for x in results] if reverse else results)


def sort(operand: Any, dimension: int = -1, is_stable: bool = True, num_keys: int = 1) -> Any:
    """An array in ascending order along an axis, NaN last; a tuple of arrays in the order of the first `num_keys`."""
    if isinstance(operand, list | tuple):
        return sorting.sort_together([as_operand(x) for x in operand], dimension, num_keys, is_stable)
    return sorting.sort(as_operand(operand), dimension, is_stable)


def sort_key_val(keys: Any, values: Any, dimension: int = -1, is_stable: bool = True) -> tuple[Any, Any]:
    """Keys in ascending order, and the values that go with them."""
    return sort((keys, values), dimension, is_stable, 1)


def top_k(operand: Any, k: int, *, axis: int = -1) -> tuple[Any, Any]:
    """The `k` largest elements along an axis, largest first, and their int32 indices."""
    operand = as_operand(operand)
    axis, last = canonical_axis(axis, operand.ndim), operand.ndim - 1
    values, indices = sorting.top_k(structure.move_axis(operand, axis, last), k)
    return structure.move_axis(values, last, axis), structure.move_axis(indices, last, axis)


def dot_general(
    lhs: Any,
    rhs: Any,
    dimension_numbers: Any,
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
) -> Any:
    """Sums of products over the contracting axes, for each index of the batch axes.

    Args:
        lhs: first array.
        rhs: second array, of the same dtype.
        dimension_numbers: ((contracting axes of lhs, of rhs), (batch axes of lhs, of rhs)).
        precision: None or a `Precision`.
        preferred_element_type: dtype of the result, of the operands' kind and at least as wide.

    Returns:
        Batch axes, then the other axes of lhs, then those of rhs.
    """
    lhs, rhs = as_operand(lhs), as_operand(rhs)
    pairs = [(canonical_axes(first, lhs.ndim), canonical_axes(second, rhs.ndim)) for first, second in dimension_numbers]
    preferred = None if preferred_element_type is None else canonical(preferred_element_type)
    op = dots.DotGeneral(*pairs, preferred, None if precision is None else str(precision).lower())
    return bind(op, lhs, rhs)


def dot(
    lhs: Any,
    rhs: Any,
    *,
    dimension_numbers: Any = None,
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
) -> Any:
    """The product of two vectors or matrices, or `dot_general` if dimension numbers are given."""
    lhs, rhs = as_operand(lhs), as_operand(rhs)
    if dimension_numbers is None:
        if not (1 <= lhs.ndim <= 2 and 1 <= rhs.ndim <= 2):
            raise ShapeError(f"dot takes vectors and matrices, got shapes {lhs.shape} and {rhs.shape}; see dot_general")
        dimension_numbers = (((lhs.ndim - 1,), (0,)), ((), ()))
    return dot_general(lhs, rhs, dimension_numbers, precision, preferred_element_type)


def batch_matmul(lhs: Any, rhs: Any, precision: Any = None) -> Any:
    """Matrix products for each index of the leading axes, which are equal."""
    lhs, rhs = as_operand(lhs), as_operand(rhs)
    if min(lhs.ndim, rhs.ndim) < 2 or lhs.ndim != rhs.ndim:
        raise ShapeError(f"batch_matmul takes two stacks of matrices, got shapes {lhs.shape} and {rhs.shape}")
    batch = tuple(range(lhs.ndim - 2))
    return dot_general(lhs, rhs, (((lhs.ndim - 1,), (lhs.ndim - 2,)), (batch, batch)), precision)
