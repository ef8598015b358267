"""Sort keys: unsigned integers in the order of numbers, and compiled sorting by 32 bits of them at a time.

Engines sort one array of integers by the plain comparison many times faster than several arrays by a comparison of
one's own. So elements become unsigned integers of the same order (Knuth, The Art of Computer Programming 3, 5.2.5:
sorting by the least important digit first). A digit of 32 bits and an element's position make one integer of 64 bits;
sorting those is sorting by the digit, stably, and the low bits are the permutation.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..core.dtypes import (
    BOOL,
    FLOAT32,
    INT32,
    SIGNED,
    UINT32,
    UINT64,
    UNSIGNED,
    is_complex,
    is_float,
    is_low_precision,
    real_dtype,
)
from ..core.types import ArrayType
from ..errors import ShapeError

__all__ = ["lower_key", "lower_keys", "lower_number", "lower_order", "lower_picked", "lower_sorted", "lower_taken"]


def lower_sorted(build: Any, x: Any, type: ArrayType, axis: int) -> Any:
    """One real operand in ascending order along an axis: its keys, sorted, made numbers again. -0 precedes +0."""
    key, key_type = lower_key(build, x, type, zeros_are_equal=False)
    return lower_number(build, _sort(build, key, key_type, axis), key_type, type)


def lower_order(build: Any, keys: Sequence[Any], types: Sequence[ArrayType], axis: int) -> Any:
    """The uint32 positions that put operands into ascending order along an axis, the first key first in importance."""
    shape = types[0].shape
    if shape[axis] > 1 << 32:
        raise ShapeError(
            f"compiled sorting takes axes of at most 2**32 elements; axis {axis} of shape {shape} has more"
        )
    places, wide = ArrayType(shape, UINT32), ArrayType(shape, UINT64)
    positions = build.op("iota", (), wide, {"iota_dimension": build.integer(axis)})
    bits = build.constant(32, wide)
    order = None
    for digit in [d for x, t in zip(reversed(keys), reversed(types), strict=True) for d in _digits(build, x, t)]:
        digit = digit if order is None else lower_taken(build, digit, places, order, axis)
        high = build.op("shift_left", (build.convert(digit, places, UINT64), bits), wide)
        packed = _sort(build, build.op("or", (high, positions), wide), wide, axis)
        step = build.convert(packed, wide, UINT32)  # the low bits
        order = step if order is None else lower_taken(build, order, places, step, axis)
    return order


def lower_taken(build: Any, x: Any, type: ArrayType, order: Any, axis: int) -> Any:
    """The elements of `x` at uint32 positions along an axis: one gather out of the flattened array."""
    shape, size = type.shape, type.size
    index = ArrayType(shape, INT32 if size < 1 << 31 else SIGNED[3])
    flat = ArrayType((size,), index.dtype)
    stride = build.constant(prod(shape[axis + 1 :]), index)
    place = build.op("reshape", (build.op("iota", (), flat, {"iota_dimension": build.integer(0)}),), index)
    own = build.op("iota", (), index, {"iota_dimension": build.integer(axis)})
    moved = build.op("subtract", (build.convert(order, ArrayType(shape, UINT32), index.dtype), own), index)
    place = build.op("add", (place, build.op("multiply", (moved, stride), index)), index)
    source = type.update(shape=(size,))
    place = build.op("reshape", (place,), flat)
    return build.op("reshape", (lower_picked(build, build.op("reshape", (x,), source), source, place, flat),), type)


def lower_picked(build: Any, x: Any, type: ArrayType, places: Any, index: ArrayType) -> Any:
    """The elements of a vector at a vector of places, all of them in bounds."""
    attributes = {
        "dimension_numbers": build.attribute(
            "#stablehlo.gather<collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>"
        ),
        "slice_sizes": build.integers((1,)),
        "indices_are_sorted": build.boolean(False),
    }
    vectors = build.op("reshape", (places,), index.update(shape=(*index.shape, 1)))
    return build.op("gather", (x, vectors), type.update(shape=index.shape), attributes)


def _sort(build: Any, x: Any, type: ArrayType, axis: int) -> Any:
    """Unsigned integers in ascending order: the one form of sort that engines do quickly."""
    element = type.update(shape=())
    attributes = {"dimension": build.integer(axis), "is_stable": build.boolean(False)}
    region = ([element, element], lambda a, b: (build.compare("LT", a, b, element),))
    return build.ops("sort", (x,), [type], attributes, [region])[0]


# -- keys ----------------------------------------------------------------------------------------------------------


def lower_keys(build: Any, x: Any, type: ArrayType) -> list[tuple[Any, ArrayType]]:
    """An operand's keys and their types, the most important first: one of real numbers, two of complex ones."""
    if is_complex(type.dtype):
        return _complex_keys(build, x, type)
    return [lower_key(build, x, type, zeros_are_equal=True)]


def _digits(build: Any, x: Any, type: ArrayType) -> list[Any]:
    """An operand's keys as uint32 digits, the least important first."""
    digits = []
    for key, key_type in reversed(lower_keys(build, x, type)):
        digits.append(build.convert(key, key_type, UINT32))
        if key_type.dtype == UINT64:
            upper = build.op("shift_right_logical", (key, build.constant(32, key_type)), key_type)
            digits.append(build.convert(upper, key_type, UINT32))
    return digits


def lower_key(build: Any, x: Any, type: ArrayType, zeros_are_equal: bool) -> tuple[Any, ArrayType]:
    """uint32 or uint64 of the order of booleans, integers or floats; every NaN is the same and comes last."""
    dtype = type.dtype
    if is_float(dtype):
        if is_low_precision(dtype):
            x, type = build.convert(x, type, FLOAT32), type.update(dtype=FLOAT32)
        return _float_key(build, x, type, zeros_are_equal)
    wide = dtype.itemsize == 8
    key_type = type.update(dtype=UINT64 if wide else UINT32)
    if dtype == BOOL or dtype.kind == "u":
        return build.convert(x, type, key_type.dtype), key_type
    signed = SIGNED[3] if wide else INT32
    x = build.op("bitcast_convert", (build.convert(x, type, signed),), key_type)
    return build.op("xor", (x, build.constant(_sign_bit(key_type), key_type)), key_type), key_type


def _float_key(build: Any, x: Any, type: ArrayType, zeros_are_equal: bool) -> tuple[Any, ArrayType]:
    # Bits, not comparisons of floats: those count subnormal numbers as zeros.
    key_type = type.update(dtype=UNSIGNED[type.dtype.itemsize.bit_length() - 1])
    sign = build.constant(_sign_bit(key_type), key_type)
    zero = build.constant(0, key_type)
    bits = build.op("bitcast_convert", (x,), key_type)
    size = build.op("and", (bits, build.op("not", (sign,), key_type)), key_type)
    infinity = build.constant(_bits(np.inf, type, key_type), key_type)
    is_nan = build.compare("GT", size, infinity, key_type)
    bits = build.op("select", (is_nan, build.constant(_bits(np.nan, type, key_type), key_type), bits), key_type)
    if zeros_are_equal:
        bits = build.op("select", (build.compare("EQ", size, zero, key_type), zero, bits), key_type)
    is_negative = build.compare("GE", bits, sign, key_type)
    negative = build.op("not", (bits,), key_type)
    return build.op("select", (is_negative, negative, build.op("or", (bits, sign), key_type)), key_type), key_type


def _complex_keys(build: Any, x: Any, type: ArrayType) -> list[tuple[Any, ArrayType]]:
    """The keys of real and imaginary parts. Numbers with NaN come last: NaN in one part, real ones first."""
    part = type.update(dtype=real_dtype(type.dtype))
    parts = [build.op(name, (x,), part) for name in ("real", "imag")]
    (real, key_type), (imag, _) = [lower_key(build, p, part, zeros_are_equal=True) for p in parts]
    real_is_nan, imag_is_nan = [build.compare("NE", p, p, part) for p in parts]
    last = int(np.iinfo(key_type.dtype).max)
    places = [build.constant(last - n, key_type) for n in range(3)]
    with_nan = build.op("select", (imag_is_nan, places[0], places[1]), key_type)
    first = build.op("select", (imag_is_nan, places[2], real), key_type)
    first = build.op("select", (real_is_nan, with_nan, first), key_type)
    second = build.op("select", (imag_is_nan, real, imag), key_type)
    return [(first, key_type), (second, key_type)]


def lower_number(build: Any, key: Any, key_type: ArrayType, type: ArrayType) -> Any:
    """The numbers that keys were made of."""
    dtype = type.dtype
    if dtype == BOOL or dtype.kind == "u":
        return build.convert(key, key_type, dtype)
    sign = build.constant(_sign_bit(key_type), key_type)
    flipped = build.op("xor", (key, sign), key_type)
    if not is_float(dtype):
        signed = type.update(dtype=SIGNED[3] if key_type.dtype == UINT64 else INT32)
        return build.convert(build.op("bitcast_convert", (flipped,), signed), signed, dtype)
    is_positive = build.compare("GE", key, sign, key_type)
    bits = build.op("select", (is_positive, flipped, build.op("not", (key,), key_type)), key_type)
    real = type.update(dtype=FLOAT32) if is_low_precision(dtype) else type
    return build.convert(build.op("bitcast_convert", (bits,), real), real, dtype)


def _sign_bit(key_type: ArrayType) -> int:
    return 1 << (8 * key_type.dtype.itemsize - 1)


def _bits(value: float, type: ArrayType, key_type: ArrayType) -> int:
    return int(np.asarray(abs(value), type.dtype).view(key_type.dtype))
