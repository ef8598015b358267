"""`repeat` and `pad`: arrays enlarged by copies of their own elements or by constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.dtypes import INT32
from ..errors import ArgumentError, ShapeError
from ..ops import slicing
from ..ops.structure import broadcast_in_dim, canonical_axis, convert, reshape
from .conversion import as_operand, asarray, known
from .indexing import take
from .shape import flip

__all__ = ["pad", "repeat"]


def repeat(a: Any, repeats: Any, axis: int | None = None, *, total_repeat_length: int | None = None) -> Any:
    """Each element repeated along an axis, or in the flattened array.

    Args:
        repeats: how often, one number for all or one for each; known while tracing.
        total_repeat_length: the length of the result, if it shall be checked.

    Raises:
        ShapeError: `repeats` does not fit the axis.
    """
    x = as_operand(a)
    if axis is None:
        x, axis = reshape(x, (x.size,)), 0
    axis = canonical_axis(axis, x.ndim)
    length = x.shape[axis]
    counts = np.asarray(known(repeats, "repeat(repeats=…)"))
    if counts.size not in (1, length) or counts.ndim > 1:
        raise ShapeError(f"repeat: {counts.size} repeats do not fit axis {axis} of length {length}")
    if (counts < 0).any():
        raise ArgumentError(f"repeat: repeats must not be negative, got {counts.min()}")
    if counts.size == 1:
        times = int(counts.reshape(()))
        spread = (*x.shape[: axis + 1], times, *x.shape[axis + 1 :])
        wide = broadcast_in_dim(x, spread, [i for i in range(x.ndim + 1) if i != axis + 1])
        result = reshape(wide, (*x.shape[:axis], length * times, *x.shape[axis + 1 :]))
    else:
        result = take(x, asarray(np.repeat(np.arange(length), counts), INT32), axis)
    if total_repeat_length not in (None, result.shape[axis]):
        raise ShapeError(f"repeat: the result has length {result.shape[axis]}, not {total_repeat_length}")
    return result


def pad(array: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    """`array` with margins.

    Args:
        pad_width: how many elements before and after each axis: `((before, after), …)`, one pair or one number for all.
        mode: "constant", "edge", "reflect" (mirrored without the edge), "symmetric" (with it), "wrap" or "empty".
        constant_values: what to fill with in mode "constant", in the same forms as `pad_width`.

    Raises:
        ArgumentError: an unknown mode or option.
    """
    x = as_operand(array)
    widths = _pairs(known(pad_width, "pad(pad_width=…)"), x.ndim, "pad_width")
    values = options.pop("constant_values", 0)
    if options or mode not in ("constant", "edge", "reflect", "symmetric", "wrap", "empty"):
        unknown = f"option {next(iter(options))!r}" if options else f"mode {mode!r}"
        raise ArgumentError(f"pad: unknown {unknown}; modes are constant, edge, reflect, symmetric, wrap and empty")
    if min((n for pair in widths for n in pair), default=0) < 0:
        raise ArgumentError(f"pad: widths must not be negative, got {widths}")
    if mode in ("constant", "empty"):
        return _pad_constant(x, widths, values)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = _pad_axis(x, axis, before, after, mode)
    return x


def _pairs(given: np.ndarray, ndim: int, name: str) -> list[tuple[int, int]]:
    try:
        spread = np.broadcast_to(given, (ndim, 2))
    except ValueError:
        raise ShapeError(f"pad: {name} of shape {given.shape} does not give one pair for each of {ndim} axes") from None
    return [(before, after) for before, after in spread.tolist()]


def _pad_constant(x: Any, widths: Sequence[tuple[int, int]], values: Any) -> Any:
    filling = convert(as_operand(values), x.dtype)
    if filling.ndim == 0:
        return slicing.pad(x, filling, [(before, after, 0) for before, after in widths])
    pairs = broadcast_in_dim(filling, (x.ndim, 2), range(2 - filling.ndim, 2))
    for axis, (before, after) in enumerate(widths):
        none = [(0, 0, 0)] * x.ndim
        x = slicing.pad(x, pairs[axis, 0], [*none[:axis], (before, 0, 0), *none[axis + 1 :]])
        x = slicing.pad(x, pairs[axis, 1], [*none[:axis], (0, after, 0), *none[axis + 1 :]])
    return x


def _pad_axis(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    length = x.shape[axis]
    if length == 0:
        raise ShapeError(f"pad: axis {axis} of shape {x.shape} is empty, so mode {mode!r} has nothing to copy")
    if max(before, after) <= length - 1:
        return _pad_once(x, axis, before, after, mode)
    places = np.pad(np.arange(length), (before, after), mode)  # type: ignore[call-overload]
    return take(x, asarray(places, INT32), axis)


def _pad_once(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """Margins shorter than the array: slices of it, so that differentiation meets no gather."""
    length = x.shape[axis]

    def part(start: int, stop: int) -> Any:
        return slicing.slice_in_dim(x, start, stop, 1, axis)

    if mode == "edge":
        shape = list(x.shape)
        sides = []
        for start, count in ((0, before), (length - 1, after)):
            shape[axis] = count
            sides.append(broadcast_in_dim(part(start, start + 1), tuple(shape), range(x.ndim)))
        low, high = sides
    elif mode == "wrap":
        low, high = part(length - before, length), part(0, after)
    else:
        skip = int(mode == "reflect")
        low = flip(part(skip, skip + before), axis)
        high = flip(part(length - skip - after, length - skip), axis)
    return slicing.concatenate([low, x, high], axis)
