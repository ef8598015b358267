"""Order: sort several arrays by their first ones, argsort, and the k largest.

Sorting: NaN last, -0 equal to +0; complex numbers by real part, then imaginary part. `top_k`: total order, NaN first,
+0 before -0. Ties keep their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.dtypes import BOOL, FLOAT32, is_complex, is_float, is_low_precision, real_dtype
from ..core.primitive import Primitive, infer, not_linear
from ..core.types import ArrayType, Zero
from ..errors import ArgumentError, AxisError, DTypeError, ShapeError
from .families import align_batch
from .gather import lead_axis, take_along_axis
from .structure import canonical_axis, iota, move_axis

__all__ = ["argsort", "sort", "sort_together", "top_k"]

INT32 = np.dtype(np.int32)


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
        keys = [key for x in operands[: self.num_keys] for key in _comparable(x)]
        if len(operands) == len(keys) == 1:
            return (np.sort(keys[0], self.axis, kind="stable").astype(operands[0].dtype, copy=False),)
        single = len(keys) == 1  # much faster than lexsort
        order = np.argsort(keys[0], self.axis, kind="stable") if single else np.lexsort(keys[::-1], self.axis)
        places = _along_axis(order, self.axis)
        return tuple(x[places] for x in operands)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        scalars = [ArrayType((), t.dtype) for t in build.in_types]

        def comes_before(*elements: Any) -> tuple[Any, ...]:
            pairs = [elements[2 * k : 2 * k + 2] for k in range(self.num_keys)]
            keys = [key for pair, t in zip(pairs, scalars, strict=False) for key in _lower_keys(build, t, *pair)]
            result = None
            for a, b, t in reversed(keys):
                total = is_float(t.dtype)
                less = build.compare("LT", a, b, t, total)
                if result is not None:
                    mask = ArrayType((), BOOL)
                    tie = build.op("and", (build.compare("EQ", a, b, t, total), result), mask)
                    less = build.op("or", (less, tie), mask)
                result = less
            return (result,)

        attributes = {"dimension": build.integer(self.axis), "is_stable": build.boolean(self.stable)}
        region = ([t for t in scalars for _ in range(2)], comes_before)
        return build.ops("sort", operands, build.out_types, attributes, [region])

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


def _along_axis(order: np.ndarray, axis: int) -> tuple[np.ndarray, ...]:
    """The index arrays that take `order` along one axis and every other axis as it is."""
    ndim = order.ndim
    places = [np.arange(n).reshape((n, *(1,) * (ndim - i - 1))) for i, n in enumerate(order.shape)]
    places[axis] = order
    return tuple(places)


def _comparable(x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Arrays whose NumPy order, first to last, is the order of `x`."""
    if is_complex(x.dtype):
        return np.real(x), np.imag(x)
    return (x.astype(np.float32) if is_low_precision(x.dtype) else x,)


def _lower_keys(build: Any, type: ArrayType, a: Any, b: Any) -> list[tuple[Any, Any, ArrayType]]:
    """Pairs of scalars whose total order, first to last, is the order of `a` and `b`."""
    if is_complex(type.dtype):
        part = type.update(dtype=real_dtype(type.dtype))
        parts = [tuple(build.op(name, (x,), part) for x in (a, b)) for name in ("real", "imag")]
        return [key for pair in parts for key in _lower_keys(build, part, *pair)]
    if not is_float(type.dtype):
        return [(a, b, type)]
    if is_low_precision(type.dtype):
        wide = type.update(dtype=FLOAT32)
        return _lower_keys(build, wide, *(build.convert(x, type, FLOAT32) for x in (a, b)))
    return [(_canonical(build, type, a), _canonical(build, type, b), type)]


def _canonical(build: Any, type: ArrayType, x: Any) -> Any:
    """`x` with one zero and one NaN, the last in total order."""
    zero = build.constant(0, type)
    x = build.op("select", (build.compare("EQ", x, zero, type), zero, x), type)
    return _one_nan(build, type, x)


def _one_nan(build: Any, type: ArrayType, x: Any) -> Any:
    is_nan = build.compare("NE", x, x, type)
    return build.op("select", (is_nan, build.constant(np.nan, type), x), type)


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
        source, values = build.in_types[0], build.out_types[0]
        position = source.update(dtype=INT32)
        axis = source.ndim - 1
        counted = build.op("iota", (), position, {"iota_dimension": build.integer(axis)})
        scalars = [ArrayType((), source.dtype), ArrayType((), INT32)]

        def comes_before(a: Any, b: Any, i: Any, j: Any) -> tuple[Any, ...]:
            type = scalars[0]
            if not is_float(type.dtype):
                return (build.compare("GT", a, b, type),)
            wide = type.update(dtype=FLOAT32) if is_low_precision(type.dtype) else type
            a, b = (_one_nan(build, wide, build.convert(x, type, wide.dtype)) for x in (a, b))
            return (build.compare("GT", a, b, wide, True),)

        region = ([t for t in scalars for _ in range(2)], comes_before)
        attributes = {"dimension": build.integer(axis), "is_stable": build.boolean(True)}
        results = build.ops("sort", (x, counted), [source, position], attributes, [region])
        box = {
            "start_indices": build.integers((0,) * source.ndim),
            "limit_indices": build.integers(values.shape),
            "strides": build.integers((1,) * source.ndim),
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
