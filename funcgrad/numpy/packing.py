"""Bits packed into bytes, and bytes taken apart into bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.evaluate import evaluation
from ..core.dtypes import BOOL, is_integer
from ..core.trace import state
from ..core.types import ArrayType
from ..errors import ArgumentError, DTypeError
from ..ops import bits
from ..ops.slicing import concatenate, slice_in_dim
from ..ops.structure import broadcast, canonical_axis, convert, full, move_axis, reduce_sum, reshape
from .conversion import as_operand
from .logic import truth

__all__ = ["packbits", "unpackbits"]

_BYTE = np.dtype(np.uint8)


def packbits(a: Any, axis: int | None = None, bitorder: str = "big") -> Any:
    """Each eight elements along an axis as the bits of one byte; zeros fill up the last one.

    Args:
        a: booleans or integers; what is not zero is a bit that is set.
        axis: along which axis; None for the flattened array.
        bitorder: whether the first element is the highest bit of a byte, "big", or the lowest, "little".

    Returns:
        An array of uint8 with an eighth of the length along `axis`, rounded up.

    Example:
        >>> fnp.packbits(fnp.array([True, False, True]))
        Array([160], dtype=uint8)
    """
    x = as_operand(a)
    if x.dtype != BOOL and not is_integer(x.dtype):
        raise DTypeError(f"packbits takes booleans or integers, not {x.dtype.name}; write x != 0")
    _check_order(bitorder)
    x, axis = _along(x, axis)
    if _on_host(x):
        return Array(np.packbits(x.host(), axis, bitorder))  # type: ignore[call-overload]
    order = _order(bitorder)
    x = move_axis(convert(truth(x), _BYTE), axis, x.ndim - 1)
    missing = -x.shape[-1] % 8
    padding = full(x.type.strong().update(shape=(*x.shape[:-1], missing)), 0)
    x = concatenate([x, padding], x.ndim - 1)
    octets = reshape(x, (*x.shape[:-1], x.shape[-1] // 8, 8))
    packed = reduce_sum(bits.shift_left(octets, broadcast(order, octets.shape)), (octets.ndim - 1,))
    return move_axis(packed, packed.ndim - 1, axis)


def unpackbits(a: Any, axis: int | None = None, count: int | None = None, bitorder: str = "big") -> Any:
    """The bits of bytes, eight elements 0 or 1 for each along an axis.

    Args:
        a: an array of uint8.
        axis: along which axis; None for the flattened array.
        count: how many bits to give: the rest is left out, or zeros are added; if negative, so many are left out.
        bitorder: whether the highest bit of a byte comes first, "big", or the lowest, "little".

    Example:
        >>> fnp.unpackbits(fnp.array([160], dtype="uint8"), count=3)
        Array([1, 0, 1], dtype=uint8)
    """
    x = as_operand(a)
    if x.dtype != _BYTE:
        raise DTypeError(f"unpackbits takes uint8, not {x.dtype.name}; convert it first: x.astype('uint8')")
    _check_order(bitorder)
    x, axis = _along(x, axis)
    total = 8 * x.shape[axis]
    length = total if count is None else count.__index__()
    if length < -total:
        raise ArgumentError(f"unpackbits: count={count} leaves out more than the {total} bits along axis {axis}")
    length = length if length >= 0 else total + length
    if _on_host(x):
        return Array(np.unpackbits(x.host(), axis, length, bitorder))  # type: ignore[call-overload]
    order = _order(bitorder)
    x = move_axis(x, axis, x.ndim - 1)
    octets = (*x.shape, 8)
    spread = bits.shift_right_logical(broadcast(reshape(x, (*x.shape, 1)), octets), broadcast(order, octets))
    unpacked = reshape(bits.and_(spread, full(ArrayType(octets, _BYTE), 1)), (*x.shape[:-1], total))
    if length > total:
        padding = full(ArrayType((*x.shape[:-1], length - total), _BYTE), 0)
        unpacked = concatenate([unpacked, padding], x.ndim - 1)
    return move_axis(slice_in_dim(unpacked, 0, length, 1, x.ndim - 1), x.ndim - 1, axis)


def _check_order(bitorder: str) -> None:
    if bitorder not in ("big", "little"):
        raise ArgumentError(f"bitorder={bitorder!r}: expected 'big' or 'little'")


def _order(bitorder: str) -> Any:
    """How far each of eight elements is shifted."""
    places = np.arange(8, dtype=np.uint8)
    return Array(places if bitorder == "little" else places[::-1].copy())


def _along(x: Any, axis: int | None) -> tuple[Any, int]:
    if axis is None:
        return x if x.ndim == 1 else reshape(x, (x.type.size,)), 0
    if x.ndim == 0:
        return reshape(x, (1,)), canonical_axis(axis, 1)
    return x, canonical_axis(axis, x.ndim)


def _on_host(x: Any) -> bool:
    return bool(type(x) is Array and state.trace is evaluation and evaluation.host_only and x._device is None)
