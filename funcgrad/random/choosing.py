"""Choosing among things: permutations, choices, categories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..core.dtypes import (
    UINT32,
    default_float,
    default_int,
    is_float,
    is_integer,
)
from ..core.types import ArrayType, Shape
from ..errors import ArgumentError, DTypeError, ShapeError
from ..numpy.conversion import as_operand, known
from ..numpy.indexing import take
from ..ops.bits import and_
from ..ops.cumulative import cumsum
from ..ops.elementwise import add, le, lt, mul, sub, where
from ..ops.exponential import log
from ..ops.reduction import argmax
from ..ops.slicing import slice_in_dim
from ..ops.sorting import sort_together, top_k
from ..ops.structure import (
    broadcast,
    canonical_axis,
    convert,
    full,
    iota,
    move_axis,
    reshape,
    transpose,
    zeros_of,
)
from .bits import draw_bits, draw_integers, draw_uniform
from .distributions import draw_gumbel
from .keys import as_shape, consume, split_pair

__all__ = ["categorical", "choice", "permutation"]


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Any:
    """The elements of `x` in random order along an axis.

    Args:
        key: a single unused key.
        x: array, or a Python int n for the numbers 0 … n - 1.
        axis: to shuffle along.
        independent: shuffle every line along the axis in its own way, rather than all alike.
    """
    data = consume(key, "permutation")
    x = as_operand(x)
    if x.ndim == 0:
        if not is_integer(x.dtype):
            raise DTypeError(f"permutation takes an integer or an array with an axis, not {x.type}")
        return _shuffle(data, iota(default_int(), (int(known(x, "permutation(key, x)")),)), 0)
    axis = canonical_axis(axis, x.ndim)
    if independent or x.ndim == 1:
        return _shuffle(data, x, axis)
    order = _shuffle(data, iota(default_int(), (x.shape[axis],)), 0)
    return take(x, order, axis, mode="clip")


def _shuffle(data: Any, x: Any, axis: int) -> Any:
    # Sorting by random words leaves equal words in order, so it is repeated until ties of all rounds are unlikely.
    rounds = math.ceil(3 * math.log(max(1, x.type.size)) / math.log(2**32 - 1))
    for _ in range(rounds):
        data, piece = split_pair(data)
        x = sort_together((draw_bits(piece, x.shape, UINT32), x), axis)[1]
    return x


def choice(
    key: Any, a: Any, shape: int | Sequence[int] = (), replace: bool = True, p: Any = None, axis: int = 0
) -> Any:
    """Random elements of `a`.

    Args:
        key: a single unused key.
        a: array to choose from along `axis`, or a Python int n for the numbers 0 … n - 1.
        shape: of what is chosen; it stands in the result where `axis` was.
        replace: whether an element may be chosen more than once.
        p: probabilities, one an element; by default all alike.
        axis: to choose along.

    Raises:
        ArgumentError: nothing to choose from, or more asked for than there is without replacement.
    """
    shape, a = as_shape(shape, "choice"), as_operand(a)
    axis = canonical_axis(axis, a.ndim) if a.ndim else 0
    count = a.shape[axis] if a.ndim else int(known(a, "choice(key, a)"))
    wanted = math.prod(shape)
    result_shape = (*a.shape[:axis], *shape, *a.shape[axis + 1 :])
    if wanted == 0:
        return zeros_of(ArrayType(result_shape, a.dtype if a.ndim else default_int()))
    if count <= 0 or (not replace and wanted > count):
        raise ArgumentError(
            f"choice: cannot choose {wanted} out of {count} elements{'' if replace else ' without replacement'}"
        )
    data = consume(key, "choice")
    if p is not None:
        chosen = _weighted(data, as_operand(p), shape, count, replace)
    elif replace:
        chosen = draw_integers(data, shape, 0, count, default_int())
    elif a.ndim == 0:
        return reshape(slice_in_dim(_shuffle(data, iota(default_int(), (count,)), 0), 0, wanted), shape)
    elif a.ndim == 1:
        return reshape(slice_in_dim(_shuffle(data, a, 0), 0, wanted), shape)
    else:
        chosen = slice_in_dim(_shuffle(data, iota(default_int(), (count,)), 0), 0, wanted)
    return reshape(take(a, chosen, axis, mode="clip") if a.ndim else chosen, result_shape)


def _weighted(data: Any, p: Any, shape: Shape, count: int, replace: bool) -> Any:
    """Indices chosen with given probabilities."""
    if p.shape != (count,):
        raise ShapeError(f"choice: p has shape {p.shape}, but there are {count} elements to choose from")
    if not is_float(p.dtype):
        p = convert(p, default_float())
    if not replace:
        noise = draw_gumbel(data, (count,), p.dtype)
        return convert(reshape(top_k(add(noise, log(p)), math.prod(shape))[1], shape), default_int())
    steps = cumsum(p)
    total = broadcast(reshape(slice_in_dim(steps, -1, None), ()), shape)
    u = draw_uniform(data, shape, p.dtype)
    return _first_not_below(steps, mul(total, sub(full(u.type, 1), u)))


def _first_not_below(ascending: Any, values: Any) -> Any:
    """Per value, how many of the ascending numbers are below it, by bisection."""
    count = ascending.shape[0]
    found = zeros_of(ArrayType(values.shape, default_int()))
    for exponent in range(count.bit_length() - 1, -1, -1):
        reached = add(found, full(found.type, 1 << exponent))
        below = lt(take(ascending, sub(reached, full(found.type, 1)), 0, mode="clip"), values)
        below = and_(below, le(reached, full(found.type, count)))
        found = where(below, reached, found)
    return found


def categorical(
    key: Any, logits: Any, axis: int = -1, shape: int | Sequence[int] | None = None, replace: bool = True
) -> Any:
    """Indices with probabilities proportional to exp(logits), by the Gumbel-max trick.

    Args:
        key: a single unused key.
        logits: unnormalised log probabilities along `axis`.
        axis: of the categories.
        shape: of the result; ends with the shape of `logits` without `axis`, which is the default.
        replace: whether the draws of one row, along the leading axes of `shape`, may repeat a category.

    Returns:
        indices of the default int.
    """
    data, logits = consume(key, "categorical"), as_operand(logits)
    if not is_float(logits.dtype):
        raise DTypeError(f"categorical: logits have a floating dtype, not {logits.dtype.name}")
    axis = canonical_axis(axis, logits.ndim)
    rest = (*logits.shape[:axis], *logits.shape[axis + 1 :])
    shape = rest if shape is None else as_shape(shape, "categorical")
    lead = len(shape) - len(rest)
    if lead < 0 or shape[lead:] != rest:
        raise ShapeError(f"categorical: the shape {shape} must end with {rest}, the logits' shape without axis {axis}")
    if replace:
        drawn = (*shape[:lead], *logits.shape)
        perturbed = add(draw_gumbel(data, drawn, logits.dtype), broadcast(logits, drawn))
        return argmax(perturbed, lead + axis, default_int())
    draws = math.prod(shape[:lead])
    if draws > logits.shape[axis]:
        raise ArgumentError(f"categorical: cannot draw {draws} of {logits.shape[axis]} categories without replacement")
    perturbed = add(draw_gumbel(data, logits.shape, logits.dtype), logits)
    indices = top_k(move_axis(perturbed, axis, logits.ndim - 1), draws)[1]
    order = (indices.ndim - 1, *range(indices.ndim - 1))
    return convert(reshape(transpose(indices, order), shape), default_int())
