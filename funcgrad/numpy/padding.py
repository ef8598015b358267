"""`pad`: arrays with margins made of constants, ramps, statistics or copies of their own elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.evaluate import silence
from ..core.dtypes import INT32, is_float, is_inexact, is_integer
from ..errors import ArgumentError, DTypeError, ShapeError
from ..ops import slicing
from ..ops.elementwise import floor, where
from ..ops.structure import broadcast_in_dim, canonical_axis, convert, full, iota, zeros_of
from ..transforms.vmap import vmap
from .conversion import as_operand, asarray, known
from .elementwise import rint
from .fast import SIMPLE, quick_host
from .indexing import take
from .reductions import max, mean, min
from .shape import flip, moveaxis
from .statistics import median

__all__ = ["pad"]

Pairs = Sequence[tuple[Any, Any]]

STATISTICS: dict[str, Callable[..., Any]] = {"maximum": max, "mean": mean, "median": median, "minimum": min}
OPTIONS = {
    "constant": ("constant_values",),
    "edge": (),
    "empty": (),
    "linear_ramp": ("end_values",),
    **dict.fromkeys(STATISTICS, ("stat_length",)),
    "reflect": ("reflect_type",),
    "symmetric": ("reflect_type",),
    "wrap": (),
}
# Modes that copy, for which NumPy's own function is at hand.
_QUICK = frozenset(("constant", "edge", "maximum", "minimum", "reflect", "symmetric", "wrap"))
_MIRRORING = frozenset(("edge", "reflect", "symmetric", "wrap"))
_FEW = 1 << 10


def pad(array: Any, pad_width: Any, mode: str | Callable[..., Any] = "constant", **kwargs: Any) -> Any:
    """`array` with margins.

    Args:
        array: the array in the middle of the result.
        pad_width: how many elements before and after each axis: `((before, after), …)`, one pair or one number for
            all, or a dict of those by axis.
        mode: "constant", "edge" (copies of the last element), "linear_ramp" (from the last element to `end_values`),
            "maximum", "mean", "median" or "minimum" (of the elements along the axis), "reflect" (mirrored without the
            last element), "symmetric" (with it), "wrap" (from the other end), "empty" (zeros), or a function: for each
            axis in turn it is called as `mode(vector, (before, after), axis, kwargs)` with vectors along the axis,
            zeros in their margins, and returns them filled.
        kwargs: `constant_values` and `end_values`: numbers, in the same forms as `pad_width`. `stat_length`: how many
            of the last elements the statistic is of, in the same forms. `reflect_type`: "even", or "odd" for what is
            mirrored to be subtracted from twice the last element. All else goes to a function.

    Returns:
        An array of the dtype of `array`.

    Raises:
        ArgumentError: an unknown mode or option, or a negative width.

    Example:
        >>> fnp.pad(fnp.array([1, 2, 3]), 2, mode="reflect")
        Array([3, 2, 1, 2, 3, 2, 1], dtype=int32)
    """
    x = as_operand(array)
    widths = _widths(pad_width, x.ndim)
    quick = _quickly(x, widths, mode, kwargs)
    if quick is not None:
        return quick
    if callable(mode):
        return _pad_by(mode, x, widths, kwargs)
    if mode not in OPTIONS:
        raise ArgumentError(f"pad: unknown mode {mode!r}; modes are {', '.join(OPTIONS)}")
    unknown = [option for option in kwargs if option not in OPTIONS[mode]]
    if unknown:
        allowed = f"takes {OPTIONS[mode][0]}" if OPTIONS[mode] else "takes none"
        raise ArgumentError(f"pad: unknown option {unknown[0]!r}; mode {mode!r} {allowed}")
    if mode in ("constant", "empty"):
        return _pad_constant(x, widths, kwargs.get("constant_values", 0))
    odd = _is_odd(kwargs.get("reflect_type", "even"))
    ends = _value_pairs(kwargs.get("end_values", 0), x)
    lengths = _stat_lengths(kwargs.get("stat_length"), x)
    for axis, (before, after) in enumerate(widths):
        if not (before or after):
            continue
        if not x.shape[axis]:
            raise ShapeError(f"pad: axis {axis} of shape {x.shape} is empty, so mode {mode!r} has nothing to copy")
        if mode == "linear_ramp":
            sides = [_ramp(x, axis, before, ends[axis][0], True), _ramp(x, axis, after, ends[axis][1], False)]
        elif mode in STATISTICS:
            statistic = STATISTICS[mode]
            sides = _statistics(x, axis, (before, after), lengths[axis], statistic)
        elif odd and x.shape[axis] > 1:
            sides = _odd_sides(x, axis, (before, after), mode == "reflect")
        else:
            sides = _copied_sides(x, axis, before, after, mode)
        x = slicing.concatenate([sides[0], x, sides[1]], axis)
    return x


def _is_plain(value: Any) -> bool:
    return type(value) in (int, float) or (type(value) is str and value in ("even", "odd"))


def _quickly(x: Any, widths: Any, mode: Any, options: Mapping[str, Any]) -> Array | None:
    """In NumPy, for a host array and a mode that copies; None if it takes the general way."""
    host = quick_host(x, SIMPLE)
    if host is None or mode not in _QUICK or not all(map(_is_plain, options.values())):
        return None
    padded: Any = _with_margins if mode == "constant" else np.pad
    if mode in _MIRRORING and not options and host.size <= _FEW and all(a + b <= _FEW for a, b in widths):
        padded = _from_itself
    try:
        return Array(silence.run(padded, host, widths, mode, **options))
    except (TypeError, ValueError):
        return None  # the general way says what is wrong


@lru_cache(maxsize=1024)
def _places(length: int, before: int, after: int, mode: Any) -> np.ndarray:
    return np.pad(np.arange(length), (before, after), mode)


def _from_itself(x: np.ndarray, widths: Pairs, mode: str) -> np.ndarray:
    """The elements, and those of the margins, by their places: NumPy puts small margins together more slowly."""
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = x.take(_places(x.shape[axis], before, after, mode), axis)
    return x


def _with_margins(x: np.ndarray, widths: Pairs, mode: str, constant_values: Any = 0) -> np.ndarray:
    shape = [before + n + after for n, (before, after) in zip(x.shape, widths, strict=True)]
    nothing = type(constant_values) is int and not constant_values  # fresh pages of zeros cost nothing
    result = np.zeros(shape, x.dtype) if nothing else np.full(shape, constant_values, x.dtype)
    result[tuple([slice(before, before + n) for n, (before, _) in zip(x.shape, widths, strict=True)])] = x
    return result


# -- arguments -----------------------------------------------------------------------------------------------------


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if type(pad_width) is int and pad_width >= 0:
        return [(pad_width, pad_width)] * ndim
    if isinstance(pad_width, Mapping):
        rows: list[Any] = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            rows[canonical_axis(axis, ndim)] = width if isinstance(width, tuple | list) else (width, width)
        pad_width = rows if rows else (0, 0)
    given = known(pad_width, "pad(pad_width=…)")
    if not is_integer(given.dtype) and given.size:
        raise DTypeError(f"pad: pad_width must be integers, not {given.dtype.name}")
    widths = _pairs(given, ndim, "pad_width")
    if any(n < 0 for pair in widths for n in pair):
        raise ArgumentError(f"pad: widths must not be negative, got {widths}")
    return widths


def _pairs(given: np.ndarray, ndim: int, name: str) -> list[tuple[Any, Any]]:
    try:
        spread = np.broadcast_to(given, (ndim, 2))
    except ValueError:
        raise ShapeError(f"pad: {name} of shape {given.shape} does not give one pair for each of {ndim} axes") from None
    return [(before, after) for before, after in spread.tolist()]


def _value_pairs(values: Any, x: Any) -> list[tuple[Any, Any]]:
    """A value before and after each axis; the values may be traced."""
    filling = as_operand(values)
    if filling.ndim > 2 or any(n not in (1, m) for n, m in zip(filling.shape[::-1], (2, x.ndim), strict=False)):
        raise ShapeError(f"pad: values of shape {filling.shape} do not give one pair for each of {x.ndim} axes")
    pairs = broadcast_in_dim(filling, (x.ndim, 2), range(2 - filling.ndim, 2))
    return [(pairs[axis, 0], pairs[axis, 1]) for axis in range(x.ndim)]


def _stat_lengths(given: Any, x: Any) -> list[tuple[Any, Any]]:
    if given is None:
        return [(n, n) for n in x.shape]
    lengths = _pairs(known(given, "pad(stat_length=…)"), x.ndim, "stat_length")
    if any(n < 1 for pair in lengths for n in pair):
        raise ArgumentError(f"pad: stat_length must be positive, got {lengths}: no elements have no statistic")
    return lengths


def _is_odd(reflect_type: Any) -> bool:
    if reflect_type not in ("even", "odd"):
        raise ArgumentError(f'pad: reflect_type={reflect_type!r}: expected "even" or "odd"')
    return reflect_type == "odd"


# -- margins -------------------------------------------------------------------------------------------------------


def _part(x: Any, axis: int, start: int, stop: int) -> Any:
    return slicing.slice_in_dim(x, start, stop, 1, axis)


def _spread(x: Any, axis: int, count: int) -> Any:
    """Something of length 1 along an axis, repeated."""
    return broadcast_in_dim(x, (*x.shape[:axis], count, *x.shape[axis + 1 :]), range(x.ndim))


def _pad_constant(x: Any, widths: Pairs, values: Any) -> Any:
    filling = asarray(values, x.dtype)
    if filling.ndim == 0:
        return slicing.pad(x, filling, [(before, after, 0) for before, after in widths])
    none = [(0, 0, 0)] * x.ndim
    for axis, ((before, after), (low, high)) in enumerate(zip(widths, _value_pairs(filling, x), strict=True)):
        x = slicing.pad(x, low, [*none[:axis], (before, 0, 0), *none[axis + 1 :]])
        x = slicing.pad(x, high, [*none[:axis], (0, after, 0), *none[axis + 1 :]])
    return x


def _ramp(x: Any, axis: int, count: int, end: Any, is_before: bool) -> Any:
    """Steps of equal size from the last element, which is left out, to `end`."""
    length = x.shape[axis]
    edge = _spread(_part(x, axis, 0, 1) if is_before else _part(x, axis, length - 1, length), axis, count)
    dtype = x.dtype if is_inexact(x.dtype) else np.dtype(np.float64)
    steps = convert(iota(INT32, edge.shape, axis), dtype)
    away = full(steps.type, count) - steps if is_before else steps + 1
    start, stop = convert(edge, dtype), convert(broadcast_in_dim(end, edge.shape, ()), dtype)
    values = stop + (start - stop) * ((count - away) / full(steps.type, count)) if count else start
    return convert(values if is_inexact(x.dtype) else floor(values), x.dtype)


def _statistics(x: Any, axis: int, widths: tuple[int, int], lengths: tuple[int, int], statistic: Any) -> list[Any]:
    length = x.shape[axis]
    sides = []
    for is_before, count, wanted in zip((True, False), widths, lengths, strict=True):
        used = wanted if wanted < length else length
        part = _part(x, axis, 0, used) if is_before else _part(x, axis, length - used, length)
        value = statistic(part, axis=axis, keepdims=True)
        value = rint(value) if is_integer(x.dtype) and is_float(value.dtype) else value
        sides.append(_spread(convert(value, x.dtype), axis, count))
    return sides


def _copied_sides(x: Any, axis: int, before: int, after: int, mode: str) -> list[Any]:
    length = x.shape[axis]
    if mode == "edge":
        return [
            _spread(_part(x, axis, 0, 1), axis, before),
            _spread(_part(x, axis, length - 1, length), axis, after),
        ]
    if before > length - 1 or after > length - 1:
        places = np.pad(np.arange(length), (before, after), mode)  # type: ignore[call-overload]
        return [take(x, asarray(p, INT32), axis) for p in (places[:before], places[before + length :])]
    # Margins shorter than the array: slices of it, so that differentiation meets no gather.
    if mode == "wrap":
        return [_part(x, axis, length - before, length), _part(x, axis, 0, after)]
    skip = int(mode == "reflect")
    low, high = _part(x, axis, skip, skip + before), _part(x, axis, length - skip - after, length - skip)
    return [flip(low, axis), flip(high, axis)]


def _odd_sides(x: Any, axis: int, widths: tuple[int, int], is_reflect: bool) -> list[Any]:
    """Margins symmetric about the points at the ends: `f(-i) = 2 f(0) - f(i)`, and so on from there."""
    first = _part(x, axis, 0, 1)
    before = np.arange(widths[0], 0, -1) - (not is_reflect)
    after = np.arange(x.shape[axis], x.shape[axis] + widths[1])
    return [first + first - _odd_values(x, axis, before, is_reflect), _odd_values(x, axis, after, is_reflect)]


def _odd_values(x: Any, axis: int, places: np.ndarray, is_reflect: bool) -> Any:
    """What stands at places, from 0 on, behind the last element too."""
    length = x.shape[axis]
    period = 2 * (length - is_reflect)
    turns, rest = np.divmod(places - is_reflect, period)
    rest += is_reflect
    mirrored = rest >= length
    values = take(x, asarray(np.where(mirrored, 2 * length - 1 - is_reflect - rest, rest), INT32), axis)
    values = _where_known(mirrored, -values, values, axis)
    shape = [1] * x.ndim
    shape[axis] = len(places)
    for start, times in ((length - 1, 2 * turns + 2 * mirrored), (0, -2 * turns)):
        added = _part(x, axis, start, start + 1) * convert(asarray(times.reshape(shape), INT32), x.dtype)
        values = values + _where_known(times != 0, added, zeros_of(added.type), axis)  # infinity times 0 is NaN
    return values


def _where_known(mask: np.ndarray, x: Any, y: Any, axis: int) -> Any:
    """Elements of `x` where a known vector along an axis is true, else of `y`."""
    return where(broadcast_in_dim(asarray(mask), x.shape, (axis,)), x, y)


def _pad_by(function: Callable[..., Any], x: Any, widths: Pairs, options: dict[str, Any]) -> Any:
    x = _pad_constant(x, widths, 0)
    for axis, pair in enumerate(widths):

        def filled(vector: Any, axis: int = axis, pair: tuple[int, int] = pair) -> Any:
            result = function(vector, pair, axis, options)
            if result is None:
                raise ArgumentError("pad: the function returned None; arrays are immutable, so it returns the vector")
            return convert(as_operand(result), vector.dtype)

        for _ in range(x.ndim - 1):
            filled = vmap(filled)
        x = moveaxis(filled(moveaxis(x, axis, -1)), -1, axis)
    return x
