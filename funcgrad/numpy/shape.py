"""Reshaping, joining, splitting, tiling and flipping under NumPy's names."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod
from typing import Any, Literal

import numpy as np

from ..backend.array import Array
from ..compiler.evaluate import evaluation
from ..core.dtypes import DTypeLike, canonical
from ..core.trace import Tracer, state
from ..errors import ArgumentError, AxisError, DTypeError, ShapeError
from ..ops import slicing, structure
from ..ops.structure import broadcast, canonical_axis, convert, move_axis
from .conversion import SCALARS, as_operand, asarray, known, refuse_out
from .fast import ANY, quick_call, quick_host, quick_view
from .promotion import broadcast_arrays, broadcast_shapes, promote_dtypes

__all__ = [
    "array_split", "atleast_1d", "atleast_2d", "atleast_3d", "block", "broadcast_arrays", "broadcast_shapes",
    "broadcast_to", "column_stack", "concat", "concatenate", "dsplit", "dstack", "expand_dims", "flip", "fliplr",
    "flipud", "hsplit", "hstack", "matrix_transpose", "moveaxis", "permute_dims", "ravel", "reshape", "roll",
    "rollaxis", "rot90", "split", "squeeze", "stack", "swapaxes", "tile", "transpose", "unstack", "vsplit",
    "vstack",
]  # fmt: skip

Casting = Literal["no", "equiv", "safe", "same_kind", "unsafe"]

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


# -- joining and splitting -------------------------------------------------------------------------------------------


def _quick_join(join: Callable[..., np.ndarray], arrays: Any, *args: Any) -> Any:
    """Host arrays of one dtype joined by NumPy; None if they take the general way."""
    # Hot (benchmark: eager).
    if state.trace is not evaluation or not evaluation.host_only or type(arrays) not in (list, tuple) or not arrays:
        return None
    hosts: list[Any] = []
    for x in arrays:
        host = x._host if type(x) is Array and x._device is None else None
        if host is None or (hosts and host.dtype is not hosts[0].dtype):
            return None
        hosts.append(host)
    try:
        return Array(join(hosts, *args))
    except (TypeError, ValueError):
        return None


def concatenate(
    arrays: Any,
    axis: int | None = 0,
    out: None = None,
    *,
    dtype: DTypeLike | None = None,
    casting: Casting = "same_kind",
) -> Any:
    """Arrays one after another along an existing axis; None flattens them first.

    Args:
        arrays: a sequence of arrays, or an array whose first axis runs over them.
        axis: along which to join.
        out: not supported; arrays are immutable.
        dtype: of the result; by default what the arrays promote to.
        casting: which conversions to `dtype` are allowed, as in `can_cast`.

    Raises:
        ShapeError: the shapes differ in another axis.
        DTypeError: a conversion that `casting` does not allow.
    """
    if dtype is None and out is None and axis is not None:
        quick = _quick_join(np.concatenate, arrays, axis)
        if quick is not None:
            return quick
    return _concatenate("concatenate", arrays, axis, dtype, casting, out)


def _rows(name: str, arrays: Any, dtype: DTypeLike | None, casting: Casting, out: Any = None) -> list[Any]:
    """The arrays to join, with one dtype."""
    refuse_out(name, out)
    items = list(arrays) if isinstance(arrays, tuple | list) else list(as_operand(arrays))
    if not items:
        raise ArgumentError(f"{name} takes at least one array, got an empty sequence")
    operands = [as_operand(x) if type(x) not in SCALARS else asarray(x) for x in items]
    if dtype is None:
        return list(promote_dtypes(*operands))
    wanted = canonical(dtype)
    for x in operands:
        if not np.can_cast(x.dtype, wanted, casting):
            raise DTypeError(
                f"{name}: {x.dtype.name} does not become {wanted.name} with casting={casting!r}; "
                f'convert it first, x.astype({wanted.name!r}), or pass casting="unsafe"'
            )
    return [convert(x, wanted) for x in operands]


def _concatenate(
    name: str, arrays: Any, axis: int | None, dtype: DTypeLike | None, casting: Casting, out: Any = None
) -> Any:
    operands = _rows(name, arrays, dtype, casting, out)
    if axis is None:
        return slicing.concatenate([structure.reshape(x, (prod(x.shape),)) for x in operands], 0)
    if operands[0].ndim == 0:
        raise ShapeError("concatenate takes arrays of at least one dimension; stack joins scalars")
    return slicing.concatenate(operands, canonical_axis(axis, operands[0].ndim))


def concat(
    arrays: Any, /, axis: int | None = 0, *, dtype: DTypeLike | None = None, casting: Casting = "same_kind"
) -> Any:
    """`concatenate`, as the Array API standard names it."""
    return concatenate(arrays, axis, dtype=dtype, casting=casting)


def stack(
    arrays: Any, axis: int = 0, out: None = None, *, dtype: DTypeLike | None = None, casting: Casting = "same_kind"
) -> Any:
    """Arrays of one shape, joined along a new axis; arguments as those of `concatenate`.

    Raises:
        ShapeError: the shapes differ.
    """
    if dtype is None and out is None:
        quick = _quick_join(_stacked, arrays, axis)
        if quick is not None:
            return quick
    operands = _rows("stack", arrays, dtype, casting, out)
    if any(x.shape != operands[0].shape for x in operands):
        shapes = ", ".join(dict.fromkeys(str(x.shape) for x in operands))
        raise ShapeError(f"stack takes arrays of one shape, got {shapes}")
    place = canonical_axis(axis, operands[0].ndim + 1)
    return slicing.concatenate([structure.expand_dims(x, (place,)) for x in operands], place)


def _stacked(hosts: list[np.ndarray], axis: int) -> np.ndarray:
    """`np.stack`; along the first axis `np.array` does it in a third of the time, if there is not much to copy."""
    first = hosts[0]
    if axis == 0 and first.size <= 1 << 10 and all(x.shape == first.shape for x in hosts):
        return np.array(hosts)
    return np.stack(hosts, axis)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices along an axis, as a tuple."""
    return tuple(moveaxis(x, axis, 0))


def vstack(tup: Any, *, dtype: DTypeLike | None = None, casting: Casting = "same_kind") -> Any:
    """Arrays joined along the first axis; vectors become rows. Arguments as those of `concatenate`."""
    quick = _quick_join(np.vstack, tup) if dtype is None else None
    if quick is not None:
        return quick
    return _concatenate("vstack", [atleast_2d(x) for x in tup], 0, dtype, casting)


def hstack(tup: Any, *, dtype: DTypeLike | None = None, casting: Casting = "same_kind") -> Any:
    """Arrays joined along the second axis; vectors along their only one. Arguments as those of `concatenate`."""
    quick = _quick_join(np.hstack, tup) if dtype is None else None
    if quick is not None:
        return quick
    rows = [atleast_1d(x) for x in tup]
    return _concatenate("hstack", rows, 0 if rows and rows[0].ndim == 1 else 1, dtype, casting)


def dstack(tup: Any, *, dtype: DTypeLike | None = None, casting: Casting = "same_kind") -> Any:
    """Arrays joined along the third axis; matrices get one. Arguments as those of `concatenate`."""
    quick = _quick_join(np.dstack, tup) if dtype is None else None
    if quick is not None:
        return quick
    return _concatenate("dstack", [atleast_3d(x) for x in tup], 2, dtype, casting)


def column_stack(tup: Any) -> Any:
    """Vectors as the columns of a matrix; matrices keep their columns."""
    quick = _quick_join(np.column_stack, tup)
    if quick is not None:
        return quick
    columns = [as_operand(x) for x in tup]
    columns = [x if x.ndim > 1 else structure.reshape(x, (prod(x.shape), 1)) for x in columns]
    return _concatenate("column_stack", columns, 1, None, "same_kind")


def block(arrays: Any) -> Any:
    """Arrays put together as nested lists show: the innermost along the last axis, the next along the one before.

    Args:
        arrays: an array, or lists (of lists, …) of arrays, all equally deep.

    Raises:
        ArgumentError: lists of different depths, or an empty one.

    Example:
        >>> fnp.block([[fnp.eye(2), fnp.zeros((2, 1))], [fnp.ones((1, 3))]])
        Array([[1., 0., 0.],
               [0., 1., 0.],
               [1., 1., 1.]], dtype=float32)
    """
    depth, ndim = _depth(arrays, "arrays")
    return _block(arrays, depth, max(depth, ndim))


def _depth(nested: Any, place: str) -> tuple[int, int]:
    """How deep lists are nested, and the most axes of an array in them."""
    if isinstance(nested, tuple):
        raise DTypeError(f"block: {place} is a tuple; only lists say how blocks are put together")
    if not isinstance(nested, list):
        return 0, as_operand(nested).ndim
    if not nested:
        raise ArgumentError(f"block: {place} is an empty list")
    found = [_depth(item, f"{place}[{i}]") for i, item in enumerate(nested)]
    for i, (depth, _) in enumerate(found):
        if depth != found[0][0]:
            raise ArgumentError(
                f"block: lists must be equally deep, but {place}[0] has depth {found[0][0]} and {place}[{i}] {depth}"
            )
    return found[0][0] + 1, max(ndim for _, ndim in found)


def _block(nested: Any, depth: int, ndim: int) -> Any:
    if not depth:
        x = as_operand(nested)
        return structure.reshape(x, (*[1] * (ndim - x.ndim), *x.shape))
    return concatenate([_block(item, depth - 1, ndim) for item in nested], -depth)


def array_split(ary: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Parts of an array along an axis.

    Args:
        indices_or_sections: where to cut, or into how many parts of (almost) equal length.
    """
    x = as_operand(ary)
    axis = canonical_axis(axis, x.ndim)
    length = x.shape[axis]
    sections = _sections(indices_or_sections)
    if sections is not None:
        if sections < 1:
            raise ArgumentError(f"split into {sections} sections: expected at least 1")
        short, longer = divmod(length, sections)
        cuts = np.cumsum([short + 1] * longer + [short] * (sections - longer))[:-1].tolist()
    else:
        as_sequence: Any = indices_or_sections
        cuts = [min(max(cut + length * (cut < 0), 0), length) for cut in map(operator.index, as_sequence)]
    bounds = [0, *cuts, length]
    return [slicing.slice_in_dim(x, a, max(a, b), 1, axis) for a, b in pairwise(bounds)]


def _sections(indices_or_sections: Any) -> int | None:
    """Into how many parts to split; None if it says where."""
    is_one = isinstance(indices_or_sections, int | np.integer) or getattr(indices_or_sections, "ndim", 1) == 0
    return int(indices_or_sections) if is_one else None


def split(ary: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Parts of an array along an axis; a number of sections must divide its length.

    Raises:
        ShapeError: it does not.
    """
    x = as_operand(ary)
    length = x.shape[canonical_axis(axis, x.ndim)]
    sections = _sections(indices_or_sections)
    if sections and length % sections:
        raise ShapeError(
            f"split: axis {axis} of shape {x.shape} has length {length}, which {sections} does not divide; "
            f"array_split makes parts of unequal length"
        )
    return array_split(x, indices_or_sections, axis)


def _split_along(name: str, ary: Any, indices_or_sections: Any, axis: int) -> list[Any]:
    x = as_operand(ary)
    if x.ndim <= axis:
        raise ShapeError(f"{name} takes an array of at least {axis + 1} dimensions, got shape {x.shape}")
    return split(x, indices_or_sections, axis)


def vsplit(ary: Any, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """`split` along the first axis of an array of at least two."""
    if as_operand(ary).ndim < 2:
        raise ShapeError(f"vsplit takes an array of at least 2 dimensions, got shape {as_operand(ary).shape}")
    return split(ary, indices_or_sections, 0)


def hsplit(ary: Any, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """`split` along the second axis, or the only one of a vector."""
    return _split_along("hsplit", ary, indices_or_sections, 0 if as_operand(ary).ndim == 1 else 1)


def dsplit(ary: Any, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """`split` along the third axis."""
    return _split_along("dsplit", ary, indices_or_sections, 2)


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


@quick_call(np.roll, ANY)
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
