"""Joining and splitting arrays under NumPy's names."""

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
from ..core.trace import state
from ..errors import ArgumentError, DTypeError, ShapeError
from ..ops import slicing, structure
from ..ops.structure import canonical_axis, convert
from .conversion import SCALARS, as_operand, asarray, refuse_out
from .promotion import promote_dtypes
from .shape import atleast_1d, atleast_2d, atleast_3d, moveaxis

__all__ = [
    "array_split", "block", "column_stack", "concat", "concatenate", "dsplit", "dstack", "hsplit", "hstack", "split",
    "stack", "unstack", "vsplit", "vstack",
]  # fmt: skip

Casting = Literal["no", "equiv", "safe", "same_kind", "unsafe"]

# -- joining ---------------------------------------------------------------------------------------------------------


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


# -- splitting -------------------------------------------------------------------------------------------------------


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
