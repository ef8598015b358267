"""Correlation of vectors: the sums of products of one with every stretch of another; its transposes are of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np

from ..core.dtypes import BOOL, FLOAT32, INT32, is_low_precision
from ..core.primitive import Primitive, infer
from ..core.types import ArrayType, Zero, is_linear
from ..errors import ArgumentError, DTypeError, ShapeError
from .elementwise import add
from .slicing import rev
from .structure import broadcast_in_dim, move_axis, reduce_sum, reshape

__all__ = ["Correlate", "correlate"]


class Correlate(Primitive):
    """result[k] = Σ x[k + j - low] y[j], with zeros before the beginning of x and `high` ones after its end.

    Operands are vectors, or rows of vectors: either one vector meets every row of the other, or rows meet in pairs.
    Nothing is conjugated. Floats of up to 16 bits accumulate in float32.

    Fields:
        low: how many zeros come before x, at most len(y) - 1.
        high: how many come after it, at most len(y) - 1.
    """

    low: int = 0
    high: int = 0

    takes_zeros = True
    direct = True

    def work(self, in_types: Sequence[ArrayType], out_types: Sequence[ArrayType]) -> float:
        return float(out_types[0].size * in_types[1].shape[-1])

    def infer(self, x: ArrayType, y: ArrayType) -> tuple[ArrayType, ...]:
        if x.dtype != y.dtype or x.dtype == BOOL:
            raise DTypeError(f"correlate takes numbers of one dtype, not {x.dtype.name} and {y.dtype.name}")
        if not (1 <= x.ndim <= 2 and 1 <= y.ndim <= 2) or (x.ndim == y.ndim == 2 and x.shape[0] != y.shape[0]):
            raise ShapeError(f"correlate takes vectors, or equally many of them as rows, not {x} and {y}")
        n, m = x.shape[-1], y.shape[-1]
        if not 0 <= min(self.low, self.high) <= max(self.low, self.high) < m:
            raise ArgumentError(f"correlate: {self.low} and {self.high} zeros around x are not from 0 to {m - 1}")
        if not n or n + self.low + self.high < m:
            raise ShapeError(f"correlate: {n} elements with {self.low} + {self.high} zeros are too few for {m} others")
        rows = x.shape[:-1] or y.shape[:-1]
        return (ArrayType((*rows, n + self.low + self.high - m + 1), x.dtype),)

    def evaluate(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        if is_low_precision(x.dtype):
            return (self.evaluate(x.astype(np.float32), y.astype(np.float32))[0].astype(x.dtype),)
        if x.ndim == y.ndim == 1:
            return (self._slide(x, y),)
        rows = x.shape[:-1] or y.shape[:-1]
        result = np.empty((*rows, x.shape[-1] + self.low + self.high - y.shape[-1] + 1), x.dtype)
        for row, a, b in zip(
            result, np.broadcast_to(x, (*rows, x.shape[-1])), np.broadcast_to(y, (*rows, y.shape[-1])), strict=True
        ):
            row[:] = self._slide(a, b)
        return (result,)

    def _slide(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        low, high, y = self.low, self.high, y[::-1]
        if low == high == 0:
            return np.convolve(x, y, "valid")
        if low == high == len(y) - 1:
            return np.convolve(x, y, "full")
        wide = np.zeros(len(x) + low + high, x.dtype)
        wide[low : low + len(x)] = x
        return np.convolve(wide, y, "valid")

    def lower(self, build: Any, x: Any, y: Any) -> tuple[Any, ...]:
        # Engines are an order of magnitude slower at convolutions of one channel than at the same sums as a product of
        # two matrices: the stretches of x that overlapping blocks of results need, and y, shifted once for each place
        # in a block.
        (first, second), (result,) = build.in_types, build.out_types
        if not result.size:
            return (build.constant(0, result),)
        dtype = FLOAT32 if is_low_precision(first.dtype) else first.dtype
        x, y = build.convert(x, first, dtype), build.convert(y, second, dtype)
        length, count = result.shape[-1], second.shape[-1]
        width = _block_width(length, count)
        blocks = -(-length // width)
        first, second = first.update(dtype=dtype), second.update(dtype=dtype)
        stretches = _stretches(build, x, first, blocks, width, count, self.low)
        found = ArrayType((*result.shape[:-1], blocks, width), dtype)
        product = _product(build, stretches, _shifted(build, y, second, width), first, second, found)
        rows = result.shape[:-1]
        flat = found.update(shape=(*rows, blocks * width))
        attributes = {
            "start_indices": build.integers((0,) * result.ndim),
            "limit_indices": build.integers(result.shape),
            "strides": build.integers((1,) * result.ndim),
        }
        product = build.op("reshape", (product,), flat)
        product = build.op("slice", (product,), result.update(dtype=dtype), attributes)
        return (build.convert(product, result.update(dtype=dtype), result.dtype),)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        out = self(*primals)
        return (out,), (self.push([None if type(t) is Zero else t for t in tangents], out, primals),)

    def push(self, tangents: Sequence[Any | None], out: Any, primals: Sequence[Any]) -> Any:
        (x, y), (dx, dy) = primals, tangents
        terms = [] if dx is None else [self(dx, y)]
        terms += [] if dy is None else [self(x, dy)]
        return (add(*terms) if len(terms) == 2 else terms[0]) if terms else Zero(out.type)

    def pull(self, ct: Any, out: Any, primals: Sequence[Any], moving: Sequence[Any | None]) -> Sequence[Any | None]:
        (x, y), (dx, dy) = primals, moving
        return None if dx is None else self._pull_x(ct, x, y), None if dy is None else self._pull_y(ct, x, y)

    def transpose(self, cts: tuple[Any, ...], x: Any, y: Any) -> tuple[Any | None, ...]:
        return (self._pull_x(cts[0], x, y), None) if is_linear(x) else (None, self._pull_y(cts[0], x, y))

    def _pull_x(self, ct: Any, x: Any, y: Any) -> Any:
        last = y.shape[-1] - 1
        return _summed(Correlate(last - self.low, last - self.high)(ct, rev(y, (y.ndim - 1,))), x.ndim)

    def _pull_y(self, ct: Any, x: Any, y: Any) -> Any:
        return _summed(Correlate(self.low, self.high)(x, ct), y.ndim)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        moved = [z if axis is None else move_axis(z, axis, 0) for z, axis in zip(operands, axes, strict=True)]
        ndims = [z.ndim - (axis is not None) for z, axis in zip(moved, axes, strict=True)]
        if max(ndims) == 1:  # plain vectors: the mapped axis becomes rows
            return (self(*moved),), (0,)
        rows = next(z.shape[-2] for z, ndim in zip(moved, ndims, strict=True) if ndim == 2)
        if any(z.ndim == 1 for z in moved):  # one vector for every row of every example
            flat = [z if z.ndim == 1 else reshape(z, (size * rows, z.shape[-1])) for z in moved]
        else:
            flat = [_spread(z, size, rows, axis, ndim) for z, axis, ndim in zip(moved, axes, ndims, strict=True)]
        result = self(*flat)
        return (reshape(result, (size, rows, result.shape[-1])),), (0,)


def _block_width(length: int, count: int) -> int:
    """How many results are computed from one stretch: few enough to waste little, many enough to copy little."""
    least = 16 if count <= 16 else 32
    return max(least, min(isqrt(length), length * count >> 22))


def _stretches(build: Any, x: Any, type: ArrayType, blocks: int, width: int, count: int, low: int) -> Any:
    """For each block of results the elements of x (or of each row of x) that it needs, as rows."""
    rows = type.shape[:-1]
    needed = blocks * width + count - 1
    wide = type.update(shape=(*rows, needed))
    zeros = (0,) * len(rows)
    attributes = {
        "edge_padding_low": build.integers((*zeros, low)),
        "edge_padding_high": build.integers((*zeros, needed - low - type.shape[-1])),
        "interior_padding": build.integers((*zeros, 0)),
    }
    x = build.op("pad", (x, build.constant(0, ArrayType((), type.dtype))), wide, attributes)
    starts = ArrayType((blocks, 1), INT32)
    places = build.op("iota", (), starts, {"iota_dimension": build.integer(0)})
    places = build.op("multiply", (places, build.constant(width, starts)), starts)
    axis = len(rows)
    offsets = "0, 2" if rows else "1"
    dims = f"offset_dims = [{offsets}], start_index_map = [{axis}], index_vector_dim = 1"
    attributes = {
        "dimension_numbers": build.attribute(f"#stablehlo.gather<{dims}>"),
        "slice_sizes": build.integers((*rows, width + count - 1)),
        "indices_are_sorted": build.boolean(True),
    }
    return build.op("gather", (x, places), type.update(shape=(*rows, blocks, width + count - 1)), attributes)


def _shifted(build: Any, y: Any, type: ArrayType, width: int) -> Any:
    """For each place in a block, y (or each row of y) as it meets the block's stretch, with zeros around, as rows."""
    rows, count = type.shape[:-1], type.shape[-1]
    size = width + count - 1
    zeros = (0,) * len(rows)
    attributes = {
        "edge_padding_low": build.integers((*zeros, 0)),
        "edge_padding_high": build.integers((*zeros, size + 1 - count)),
        "interior_padding": build.integers((*zeros, 0)),
    }
    wide = type.update(shape=(*rows, size + 1))
    y = build.op("pad", (y, build.constant(0, ArrayType((), type.dtype))), wide, attributes)
    # Copies of y with one zero more than a stretch has elements, read as if they had one less, move by one each time.
    copies = type.update(shape=(*rows, width, size + 1))
    y = build.broadcast(y, copies, (*range(len(rows)), len(rows) + 1))
    flat = type.update(shape=(*rows, width * (size + 1)))
    attributes = {
        "start_indices": build.integers((*zeros, 0)),
        "limit_indices": build.integers((*rows, width * size)),
        "strides": build.integers((*(1 for _ in rows), 1)),
    }
    y = build.op("reshape", (y,), flat)
    y = build.op("slice", (y,), type.update(shape=(*rows, width * size)), attributes)
    return build.op("reshape", (y,), type.update(shape=(*rows, width, size)))


def _product(build: Any, stretches: Any, shifted: Any, first: ArrayType, second: ArrayType, found: ArrayType) -> Any:
    """The products of every stretch with every shifted y: the results in blocks."""
    x_axis, y_axis = first.ndim, second.ndim
    fields = [f"lhs_contracting_dimensions = [{x_axis}]", f"rhs_contracting_dimensions = [{y_axis}]"]
    if x_axis == y_axis == 2:
        fields += ["lhs_batching_dimensions = [0]", "rhs_batching_dimensions = [0]"]
    exact = "#stablehlo<precision HIGHEST>"
    attributes = {
        "dot_dimension_numbers": build.attribute(f"#stablehlo.dot<{', '.join(sorted(fields))}>"),
        "precision_config": build.attribute(f"[{exact}, {exact}]"),
    }
    if x_axis == 1 and y_axis == 2:  # the rows are those of y
        rows, blocks, width = found.shape
        swapped = found.update(shape=(blocks, rows, width))
        product = build.op("dot_general", (stretches, shifted), swapped, attributes)
        return build.op("transpose", (product,), found, {"permutation": build.integers((1, 0, 2))})
    return build.op("dot_general", (stretches, shifted), found, attributes)


def _spread(x: Any, size: int, rows: int, mapped: int | None, ndim: int) -> Any:
    """Vectors, one for each row of each example, as the rows of a matrix."""
    places = [*([] if mapped is None else [0]), *([1] if ndim == 2 else []), 2]
    return reshape(broadcast_in_dim(x, (size, rows, x.shape[-1]), places), (size * rows, x.shape[-1]))


def _summed(ct: Any, ndim: int) -> Any:
    """The cotangent of an operand of `ndim` dimensions: a vector that met every row gets the sum of theirs."""
    return reduce_sum(ct, (0,)) if ct.ndim > ndim else ct


def correlate(x: Any, y: Any, low: int = 0, high: int = 0) -> Any:
    """Σ x[k + j - low] y[j] for every k, x having `low` zeros in front and `high` ones behind; see `Correlate`."""
    op = Correlate(low, high)
    infer(op, x.type, y.type)
    return op(x, y)
