"""Bits, and the numbers that are little more than bits: uniform ones and integers in a range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from ..core.dtypes import (
    BOOL,
    UINT32,
    UINT64,
    DTypeLike,
    canonical,
    default_float,
    default_int,
    is_float,
    is_integer,
)
from ..core.types import ArrayType, Shape
from ..errors import ArgumentError, DTypeError
from ..numpy.conversion import SCALARS, as_operand, asarray
from ..ops.bits import or_, shift_left, shift_right_logical, xor
from ..ops.elementwise import add, clamp, gt, le, maximum, mul, rem, sub, where
from ..ops.random_bits import multiply_add, threefry
from ..ops.structure import (
    bitcast_convert_type,
    broadcast,
    convert,
    full,
)
from .keys import as_shape, consume, counters, split_pair

__all__ = ["bits", "randint", "uniform"]


_UNSIGNED = {1: np.dtype(np.uint8), 2: np.dtype(np.uint16), 4: UINT32, 8: UINT64}


def draw_bits(data: Any, shape: Shape, dtype: np.dtype) -> Any:
    first, second = threefry(data, *counters(shape))
    if dtype != UINT64:
        return convert(xor(first, second), dtype)
    high = convert(first, UINT64)
    return or_(shift_left(high, full(high.type, 32)), convert(second, UINT64))


def bits(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """Uniform random bits.

    Args:
        key: a single unused key.
        shape: of the result.
        dtype: an unsigned integer dtype; by default as wide as the default int.
    """
    dtype = _UNSIGNED[default_int().itemsize] if dtype is None else canonical(dtype)
    if dtype not in _UNSIGNED.values():
        raise DTypeError(f"random.bits gives unsigned integers, not {dtype.name}")
    return draw_bits(consume(key, "bits"), as_shape(shape, "bits"), dtype)


def float_dtype(dtype: DTypeLike | None, name: str) -> np.dtype:
    found = default_float() if dtype is None else canonical(dtype)
    if not is_float(found) or ml_dtypes.finfo(found).nmant == 0:
        raise DTypeError(f"random.{name} gives floating-point numbers, not {found.name}")
    return found


def _parameter(value: Any, dtype: np.dtype, shape: Shape) -> Any:
    return broadcast(asarray(value, dtype), shape)


def uniform(
    key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None, minval: Any = 0.0, maxval: Any = 1.0
) -> Any:
    """Uniform numbers from `minval` (included) to `maxval` (excluded, but for rounding).

    Args:
        key: a single unused key.
        shape: of the result; the bounds broadcast to it.
        dtype: a floating dtype; by default the default float.
    """
    dtype = float_dtype(dtype, "uniform")
    return draw_uniform(consume(key, "uniform"), as_shape(shape, "uniform"), dtype, minval, maxval)


def draw_uniform(data: Any, shape: Shape, dtype: np.dtype, minval: Any = 0.0, maxval: Any = 1.0) -> Any:
    limits, unsigned = ml_dtypes.finfo(dtype), _UNSIGNED[dtype.itemsize]
    drawn = np.dtype(np.uint8) if limits.nmant < 8 else unsigned
    raw = convert(draw_bits(data, shape, drawn), unsigned)
    # Random bits as the mantissa of a number from 1 to 2.
    mantissa = shift_right_logical(raw, full(raw.type, 8 * drawn.itemsize - limits.nmant))
    one = np.ones((), dtype).view(unsigned)
    numbers = bitcast_convert_type(or_(mantissa, full(raw.type, one)), dtype)
    numbers = sub(numbers, full(numbers.type, 1))
    if type(minval) in SCALARS and type(maxval) in SCALARS and (minval, maxval) == (0, 1):
        return numbers
    low, high = _parameter(minval, dtype, shape), _parameter(maxval, dtype, shape)
    return maximum(low, multiply_add(numbers, sub(high, low), low))


def randint(key: Any, shape: int | Sequence[int], minval: Any, maxval: Any, dtype: DTypeLike | None = None) -> Any:
    """Uniform integers from `minval` (included) to `maxval` (excluded).

    Args:
        key: a single unused key.
        shape: of the result; the bounds broadcast to it.
        minval, maxval: integers. Where arrays say maxval <= minval, the result is minval.
        dtype: an integer dtype; by default the default int.

    Raises:
        ArgumentError: Python ints with maxval <= minval.
    """
    dtype = default_int() if dtype is None else canonical(dtype)
    if not is_integer(dtype):
        raise DTypeError(f"random.randint gives integers, not {dtype.name}")
    if isinstance(minval, int) and isinstance(maxval, int) and minval >= maxval:
        raise ArgumentError(f"randint: there is no integer from minval={minval} to below maxval={maxval}")
    return draw_integers(consume(key, "randint"), as_shape(shape, "randint"), minval, maxval, dtype)


def draw_integers(data: Any, shape: Shape, minval: Any, maxval: Any, dtype: np.dtype) -> Any:
    # Twice the bits of the dtype, modulo the span, keep the bias of the remainder small; so do at least 32 of them.
    limits, narrow = np.iinfo(dtype), dtype.itemsize < 4
    wide = np.dtype(np.int32) if narrow else dtype
    unsigned = _UNSIGNED[wide.itemsize]
    higher, lower = (draw_bits(part, shape, unsigned) for part in split_pair(data))
    low, _ = _bound(minval, wide, limits.min, limits.max, shape)
    high, beyond = _bound(maxval, wide, limits.min, limits.max + narrow, shape)
    span = convert(sub(high, low), unsigned)
    one, empty = full(span.type, 1), le(high, low)
    if not narrow:
        # The span that is the whole range wraps to 0, and a remainder by 0 is the dividend.
        span = where(beyond, add(span, one), span)
    span = where(empty, one, span)
    half = rem(full(span.type, 1 << 4 * wide.itemsize), span)
    multiplier = rem(mul(half, half), span)
    offset = rem(add(mul(rem(higher, span), multiplier), rem(lower, span)), span)
    return convert(add(low, convert(offset, wide)), dtype)


def _bound(value: Any, dtype: np.dtype, lowest: int, highest: int, shape: Shape) -> tuple[Any, Any]:
    """A bound of `randint`, in `dtype`, held between two others, and whether it was above the higher one."""
    if isinstance(value, int):
        clipped = full(ArrayType(shape, dtype), min(max(value, lowest), highest))
        return clipped, full(ArrayType(shape, BOOL), value > highest)
    x = as_operand(value)
    if not is_integer(x.dtype):
        x = convert(x, default_int())
    own = np.iinfo(x.dtype)
    low, high = (full(ArrayType((), x.dtype), min(max(n, own.min), own.max)) for n in (lowest, highest))
    above = gt(x, broadcast(high, x.shape))
    return _parameter(clamp(low, x, high), dtype, shape), broadcast(above, shape)
