"""Order: sort several arrays by their first ones, argsort, and the k largest.

Sorting: NaN last, -0 equal to +0; complex numbers by real part, then imaginary part, those with NaN last. `top_k`:
total order, NaN first, +0 before -0. Ties keep their order; but where an array is sorted alone, it is not said which
zero comes first, since nothing but their sign tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.dtypes import FLOAT32, INT32, UINT32, is_complex, is_low_precision
from ..core.primitive import Primitive, infer, not_linear
from ..core.types import ArrayType, Zero
from ..errors import ArgumentError, AxisError, DTypeError, ShapeError
from .families import align_batch
from .gather import lead_axis, take_along_axis
from .sort_keys import lower_key, lower_order, lower_sorted, lower_taken
from .structure import canonical_axis, iota, move_axis

__all__ = ["argsort", "sort", "sort_together", "stable_order", "top_k"]

LONG = 1 << 13  # elements


class Sort(Primitive):
    """Operands of one shape, all put into the order of the first `num_keys`; the later ones of these break ties."""

    multiple = True

    axis: int
    num_keys: int = 1
    stable: bool = True

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        if not 1 <= self.num_keys <= len(types):
            raise ArgumentError(f"sort: num_keys={self.num_keys} does not lie between 1 and {len(types)} operands")
        shape = types[0].shape
        if any(t.shape != shape for t in types):
            raise ShapeError(f"sort: operands must have equal shapes, got {' and '.join(str(t.shape) for t in types)}")
        if not 0 <= self.axis < len(shape):
            raise AxisError(f"sort: axis {self.axis} is out of bounds for arrays of {len(shape)} dimensions")
        return tuple(t.strong() for t in types)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        keys = [x.astype(np.float32) if is_low_precision(x.dtype) else x for x in operands[: self.num_keys]]
        if len(operands) == 1:  # nobody can tell whether equal elements changed places, and this is quicker
            result = np.sort(keys[0], self.axis, "stable" if keys[0].dtype.itemsize <= 2 else None)
            return (result.astype(operands[0].dtype, copy=False),)
        order = stable_order(keys[0], self.axis) if len(keys) == 1 else np.lexsort(keys[::-1], self.axis)
        places = _along_axis(order, self.axis)
        return tuple(x[places] for x in operands)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        types = build.in_types
        if not types[0].size:
            return operands
        if len(operands) == 1 and not is_complex(types[0].dtype):
            return (lower_sorted(build, operands[0], types[0], self.axis),)
        order = lower_order(build, operands[: self.num_keys], types[: self.num_keys], self.axis)
        return tuple(lower_taken(build, x, t, order, self.axis) for x, t in zip(operands, types, strict=True))

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        *outs, order = self(*primals, iota(INT32, primals[0].shape, self.axis))
        moved = [
            Zero(out.type) if type(t) is Zero else take_along_axis(t, order, self.axis)
            for out, t in zip(outs, tangents, strict=True)
        ]
        return tuple(outs), tuple(moved)

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        aligned, axis = align_batch(size, operands, axes)
        leading = [move_axis(x, axis, 0) for x in aligned]
        return Sort(self.axis + 1, self.num_keys, self.stable)(*leading), (0,) * len(operands)


def stable_order(x: np.ndarray, axis: int) -> np.ndarray:
    """`np.argsort(x, axis, kind="stable")`, quicker for long vectors: NumPy sorts values quickly, and stably slowly."""
    kind = x.dtype.kind
    if x.ndim == 1 and x.size >= LONG and x.dtype.itemsize >= 4:
        if kind == "f" and x.dtype.itemsize == 4:
            return _order_of_integers(_integers_of(x))
        if kind in "iu" and (int(x.max()) - int(x.min())).bit_length() + x.size.bit_length() <= 63:
            return _order_of_integers(x)
        if kind == "f":
            order = np.argsort(x)
            ordered = x[order]
            if not ((ordered[1:] == ordered[:-1]).any() or np.isnan(ordered[-2])):
                return order  # all differ
    return np.argsort(x, axis, kind="stable")


def _order_of_integers(x: np.ndarray) -> np.ndarray:
    """The stable order of a vector of integers that leave room for their positions beside them in 64 bits."""
    bits = x.size.bit_length()
    low = x.min()
    packed = (x - low if x.dtype.kind == "u" else x.astype(np.int64) - int(low)).astype(np.int64)
    packed <<= bits
    packed |= np.arange(x.size)
    packed.sort()
    packed &= (1 << bits) - 1
    return packed


def _integers_of(x: np.ndarray) -> np.ndarray:
    """int32 in the order of float32, zeros equal and every NaN last."""
    bits = (x + np.float32(0)).view(np.int32)  # which makes -0 +0
    unordered = x != x
    if unordered.any():
        bits[unordered] = np.iinfo(np.int32).max
    return bits ^ ((bits >> 31) & np.iinfo(np.int32).max)


def _along_axis(order: np.ndarray, axis: int) -> tuple[np.ndarray, ...]:
    """The index arrays that take `order` along one axis and every other axis as it is."""
    ndim = order.ndim
    places = [np.arange(n).reshape((n, *(1,) * (ndim - i - 1))) for i, n in enumerate(order.shape)]
    places[axis] = order
    return tuple(places)


class TopK(Primitive):
    """The `k` largest elements along the last axis, largest first, and their int32 indices."""

    multiple = True

    k: int

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        if is_complex(x.dtype):
            raise DTypeError("top_k: complex numbers have no order")
        if not x.ndim or not 0 <= self.k <= x.shape[-1]:
            raise ShapeError(f"top_k: k={self.k} does not lie between 0 and the length of the last axis of {x}")
        shape = (*x.shape[:-1], self.k)
        return x.update(shape=shape), ArrayType(shape, INT32)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        order = np.argsort(_descending(x), axis=-1, kind="stable")[..., : self.k]
        return x[_along_axis(order, -1)], order.astype(np.int32)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        type, values = build.in_types[0], build.out_types
        if not type.size or not (is_low_precision(type.dtype) or type.dtype == FLOAT32):
            return self._lower_by_sorting(build, x, type)
        wide = type.update(dtype=FLOAT32)
        x = build.convert(x, type, FLOAT32)
        is_nan = build.compare("NE", x, x, wide)
        x = build.op("select", (is_nan, build.constant(np.nan, wide), x), wide)
        largest = wide.update(shape=values[0].shape)
        found, places = build.ops("chlo.top_k", (x,), [largest, values[1]], {"k": build.integer(self.k)})
        return build.convert(found, largest, type.dtype), places

    def _lower_by_sorting(self, build: Any, x: Any, type: ArrayType) -> tuple[Any, ...]:
        """Engines have a quick way for float32 only; all else is sorted, largest first."""
        axis = type.ndim - 1
        results = [x, build.constant(0, type.update(dtype=INT32))]
        if type.size:
            key, key_type = lower_key(build, x, type, zeros_are_equal=False)
            order = lower_order(build, [build.op("not", (key,), key_type)], [key_type], axis)
            places = build.convert(order, type.update(dtype=UINT32), INT32)
            results = [lower_taken(build, x, type, order, axis), places]
        box = {
            "start_indices": build.integers((0,) * type.ndim),
            "limit_indices": build.integers(build.out_types[0].shape),
            "strides": build.integers((1,) * type.ndim),
        }
        return tuple(build.op("slice", (r,), t, box) for r, t in zip(results, build.out_types, strict=True))

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        values, places = self(*primals)
        moved = take_along_axis(tangents[0], places, primals[0].ndim - 1)
        return (values, places), (moved, Zero(places.type))

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return self(lead_axis(size, operands[0], axes[0])), (0, 0)


def _descending(x: np.ndarray) -> np.ndarray:
    """Integers whose ascending order is the descending total order of `x`, every NaN counting as the largest."""
    if is_low_precision(x.dtype):
        x = x.astype(np.float32)
    if x.dtype.kind == "f":
        bits = np.where(np.isnan(x), x.dtype.type(np.nan), x).view(f"i{x.itemsize}")
        x = np.where(bits < 0, bits ^ np.iinfo(bits.dtype).max, bits)
    return ~x


def sort_together(
    operands: Sequence[Any], axis: int = -1, num_keys: int = 1, is_stable: bool = True
) -> tuple[Any, ...]:
    """Arrays of one shape, all put into the order of the first `num_keys` of them.

    Args:
        operands: arrays; the first decides, the second breaks its ties, and so on up to `num_keys`.
        axis: along which to sort.
        num_keys: how many operands are compared.
        is_stable: keep the order of elements that compare equal.
    """
    op = Sort(canonical_axis(axis, operands[0].ndim), num_keys, is_stable)
    infer(op, *(operand.type for operand in operands))
    return op(*operands)


def sort(x: Any, axis: int = -1, is_stable: bool = True) -> Any:
    """`x` in ascending order along an axis; NaN last."""
    return Sort(canonical_axis(axis, x.ndim), 1, is_stable)(x)[0]


def argsort(x: Any, axis: int = -1, is_stable: bool = True, dtype: np.dtype = INT32) -> Any:
    """The indices that put `x` into ascending order along an axis."""
    axis = canonical_axis(axis, x.ndim)
    return Sort(axis, 1, is_stable)(x, iota(dtype, x.shape, axis))[1]


def top_k(x: Any, k: int) -> tuple[Any, Any]:
    """The `k` largest elements along the last axis, largest first, and their int32 indices.

    Raises:
        ShapeError: fewer than `k` elements.
    """
    op = TopK(k)
    infer(op, x.type)
    return op(x)
