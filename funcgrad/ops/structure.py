"""Operations that move values without computing: reshape, transpose, broadcast ↔ reduce_sum, convert, bitcast, iota.

`broadcast_in_dim` and `reduce_sum` are each other's transpose, so they share this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import prod
from operator import index
from typing import Any

import numpy as np

from ..backend.array import Array, splat_array
from ..core.dtypes import (
    FLOAT16,
    FLOAT32,
    FLOAT64,
    finfo,
    is_complex,
    is_float,
    is_inexact,
    is_integer,
    is_low_precision,
)
from ..core.graph import Graph, filled, folded, is_filled_with, moved, resized
from ..core.primitive import Linear, Primitive, infer, not_batchable, not_differentiable, not_linear
from ..core.program import Atom, Literal
from ..core.types import ArrayType, Shape, Zero
from ..errors import AxisError, DTypeError, ShapeError
from .reducing import lower_reduce

__all__ = [
    "bitcast_convert_type",
    "broadcast",
    "broadcast_in_dim",
    "convert",
    "expand_dims",
    "full",
    "instantiate",
    "iota",
    "move_axis",
    "reduce_sum",
    "reshape",
    "saturated",
    "squeeze",
    "transpose",
    "zeros_of",
]


def canonical_axis(axis: int, ndim: int) -> int:
    """A non-negative axis.

    Raises:
        AxisError: the array has no such axis, or it is no integer.
    """
    if type(axis) is not int:
        axis = _integer(axis)
    if not -ndim <= axis < ndim:
        raise AxisError(f"axis {axis} is out of bounds for an array of {ndim} dimension{'s' * (ndim != 1)}")
    return axis % ndim if ndim else axis


def _integer(axis: Any) -> int:
    try:
        return int(index(axis))
    except TypeError:
        raise AxisError(f"axis={axis!r}: expected an int") from None


class Reshape(Linear):
    """The same elements in the same (C) order under another shape."""

    exact = True
    cheap = True

    shape: Shape

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        if prod(self.shape) != x.size:
            raise ShapeError(
                f"cannot reshape an array of shape {x.shape} ({x.size} elements) "
                f"into shape {self.shape} ({prod(self.shape)} elements)"
            )
        return (x.update(shape=self.shape, weak=x.weak),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (x.reshape(self.shape),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        return (build.op("reshape", (x,), build.out_types[0]),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (Reshape(x.shape)(cts[0]),)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        x = move_axis(operands[0], axes[0], 0)
        return (Reshape((size, *self.shape))(x),), (0,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        (x,) = inputs
        if x.type.shape == self.shape:
            return inputs
        if type(x) is Literal:
            return moved(self, x)
        inner = graph.producer(x, Reshape)
        return inner and (graph.emit(self, inner.inputs[0]),)

    @staticmethod
    def adds_ones(old: Shape, new: Shape) -> bool:
        """Whether all that a reshape does is to add and to remove axes of length 1."""
        return [n for n in old if n != 1] == [n for n in new if n != 1]


def reshape(x: Any, shape: Shape) -> Any:
    """`x` with another shape of equally many elements."""
    return x if x.shape == shape else Reshape(shape)(x)


def squeeze(x: Any, axes: Sequence[int]) -> Any:
    """`x` without the given axes of length 1."""
    axes = [canonical_axis(axis, x.ndim) for axis in axes]
    for axis in axes:
        if x.shape[axis] != 1:
            raise ShapeError(f"cannot squeeze axis {axis} of shape {x.shape}: its length is {x.shape[axis]}, not 1")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def expand_dims(x: Any, axes: Sequence[int]) -> Any:
    """`x` with new axes of length 1 at these positions of the result."""
    ndim = x.ndim + len(axes)
    places = {canonical_axis(axis, ndim) for axis in axes}
    if len(places) != len(axes):
        raise AxisError(f"expand_dims: axes {tuple(axes)} name the same position twice")
    lengths = iter(x.shape)
    return reshape(x, tuple(1 if i in places else next(lengths) for i in range(ndim)))


class Transpose(Linear):
    """Axes in another order: result axis i is operand axis permutation[i]."""

    exact = True
    cheap = True

    permutation: tuple[int, ...]

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        if sorted(self.permutation) != list(range(x.ndim)):
            raise AxisError(f"transpose: {self.permutation} is not a permutation of the {x.ndim} axes of {x}")
        return (x.update(shape=tuple(x.shape[i] for i in self.permutation)),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (x.transpose(self.permutation),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        return (build.op("transpose", (x,), build.out_types[0], {"permutation": build.integers(self.permutation)}),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        inverse = sorted(range(len(self.permutation)), key=self.permutation.__getitem__)
        return (Transpose(tuple(inverse))(cts[0]),)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        x = move_axis(operands[0], axes[0], 0)
        return (Transpose((0, *(i + 1 for i in self.permutation)))(x),), (0,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        (x,) = inputs
        if type(x) is Literal:
            return moved(self, x)
        order, shape = self.permutation, x.type.shape
        long = [i for i in order if shape[i] != 1]
        if long == sorted(long):  # at most axes of length 1 move
            return (graph.emit(Reshape(tuple([shape[i] for i in order])), x),)
        inner = graph.producer(x, Transpose)
        if inner is not None:
            first = inner.op.permutation  # type: ignore[attr-defined]
            return (graph.emit(Transpose(tuple([first[i] for i in order])), inner.inputs[0]),)
        inner = graph.producer(x, BroadcastInDim)
        if inner is not None:
            places = [order.index(d) for d in inner.op.dimensions]  # type: ignore[attr-defined]
            if places == sorted(places):
                spread = BroadcastInDim(tuple([shape[i] for i in order]), tuple(places))
                return (graph.emit(spread, inner.inputs[0]),)
        return None


def transpose(x: Any, permutation: Sequence[int]) -> Any:
    """`x` with its axes permuted; the identity permutation returns `x` itself."""
    permutation = tuple(permutation)
    return x if permutation == tuple(range(x.ndim)) else Transpose(permutation)(x)


def move_axis(x: Any, source: Any, destination: int) -> Any:
    """`x` with one axis moved, the others keeping their order."""
    # `source` is an int; batch rules pass their operand's axis, which is one wherever this is called.
    if source == destination:
        return x
    order = [i for i in range(x.ndim) if i != source]
    order.insert(destination, source)
    return Transpose(tuple(order))(x)


class BroadcastInDim(Linear):
    """Operand axis i becomes result axis dimensions[i]; the result repeats along the axes that are new or were 1."""

    exact = True
    cheap = True

    shape: Shape
    dimensions: tuple[int, ...]

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        fits = len(self.dimensions) == x.ndim and list(self.dimensions) == sorted(set(self.dimensions))
        fits = fits and all(0 <= d < len(self.shape) for d in self.dimensions)
        if not fits or any(n not in (1, self.shape[d]) for n, d in zip(x.shape, self.dimensions, strict=True)):
            raise ShapeError(
                f"cannot broadcast shape {x.shape} to shape {self.shape} along dimensions {self.dimensions}"
            )
        return (x.update(shape=self.shape),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        if x.dtype.isbuiltin == 1 and x.size and x.flags.c_contiguous:
            strides = [0] * len(self.shape)
            for length, stride, d in zip(x.shape, x.strides, self.dimensions, strict=True):
                if length == self.shape[d]:
                    strides[d] = stride
            return (np.ndarray(self.shape, x.dtype, x, 0, strides),)  # five times quicker than broadcast_to
        lengths = dict(zip(self.dimensions, x.shape, strict=True))
        spread = x.reshape([lengths.get(d, 1) for d in range(len(self.shape))])
        return (np.broadcast_to(spread, self.shape),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        return (build.broadcast(x, build.out_types[0], self.dimensions),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        stretched = {d for n, d in zip(x.shape, self.dimensions, strict=True) if n != self.shape[d]}
        summed = [d for d in range(len(self.shape)) if d not in self.dimensions or d in stretched]
        return (reshape(reduce_sum(cts[0], summed), x.shape),)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        x = move_axis(operands[0], axes[0], 0)
        dimensions = (0, *(d + 1 for d in self.dimensions))
        return (BroadcastInDim((size, *self.shape), dimensions)(x),), (0,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        (x,) = inputs
        if type(x) is Literal:
            return moved(self, x)
        if x.type.size == prod(self.shape):
            return (graph.emit(Reshape(self.shape), x),)
        inner = graph.producer(x, BroadcastInDim)
        if inner is not None:
            dimensions = [self.dimensions[d] for d in inner.op.dimensions]  # type: ignore[attr-defined]
            return (graph.emit(BroadcastInDim(self.shape, tuple(dimensions)), inner.inputs[0]),)
        inner = graph.producer(x, Reshape)
        if inner is not None:
            dimensions = self._before(inner.inputs[0].type.shape, x.type.shape)
            if dimensions is not None:
                return (graph.emit(BroadcastInDim(self.shape, dimensions), inner.inputs[0]),)
        return None

    def _before(self, old: Shape, new: Shape) -> tuple[int, ...] | None:
        """Where the axes of a shape go that a reshape makes into `new`, if all that does is add and remove ones."""
        if not Reshape.adds_ones(old, new):
            return None
        long = iter([d for n, d in zip(new, self.dimensions, strict=True) if n != 1])
        dimensions: list[int] = []
        for length in old:
            dimensions.append(next(long) if length != 1 else dimensions[-1] + 1 if dimensions else 0)
        # An axis of length 1 takes the place after the one before it, which must be free.
        fits = all(a < b for a, b in pairwise(dimensions)) and dimensions[-1:] < [len(self.shape)]
        return tuple(dimensions) if fits else None


def broadcast_in_dim(x: Any, shape: Shape, dimensions: Sequence[int]) -> Any:
    """`x` spread over `shape`; a splat stays a splat and costs nothing."""
    dimensions = tuple(dimensions)
    if x.shape == shape and dimensions == tuple(range(len(shape))):
        return x
    if type(x) is Array and (scalar := x.splat()) is not None and 0 not in x.shape:
        if scalar is not x._host:
            infer(BroadcastInDim(shape, dimensions), x.type)
        return splat_array(scalar, ArrayType(shape, scalar.dtype, x.type.weak), x._device)
    return BroadcastInDim(shape, dimensions)(x)


def broadcast(x: Any, shape: Shape) -> Any:
    """`x` broadcast to `shape` by NumPy's rule (trailing axes line up).

    Raises:
        ShapeError: an axis that is neither 1 nor the wanted length.
    """
    if x.shape == shape:
        return x
    lead = len(shape) - x.ndim
    if lead < 0:
        raise ShapeError(f"cannot broadcast shape {x.shape} to shape {shape}: it has more dimensions")
    for axis, n in enumerate(x.shape, lead):  # evaluating checks nothing
        if n != 1 and n != shape[axis]:
            raise ShapeError(f"cannot broadcast shape {x.shape} to shape {shape}: length {n} meets {shape[axis]}")
    return broadcast_in_dim(x, shape, range(lead, len(shape)))


class ReduceSum(Linear):
    """The sum over some axes, in the operand's dtype (integers wrap; floats of up to 16 bits accumulate in float32)."""

    axes: tuple[int, ...]

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        if x.dtype == np.bool_:
            raise DTypeError("reduce_sum takes numbers, not booleans; convert first: x.astype(int)")
        return (x.update(shape=tuple(n for i, n in enumerate(x.shape) if i not in self.axes)),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        if is_low_precision(x.dtype):
            return (np.add.reduce(x.astype(np.float32), axis=self.axes).astype(x.dtype),)
        return (np.add.reduce(x, axis=self.axes, dtype=x.dtype),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        source, result = build.in_types[0], build.out_types[0]
        dtype = FLOAT32 if is_low_precision(source.dtype) else source.dtype
        total = lower_reduce(build, "add", build.convert(x, source, dtype), source.update(dtype=dtype), self.axes, 0)
        return (build.convert(total, result.update(dtype=dtype), result.dtype),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        kept = [i for i in range(len(x.shape)) if i not in self.axes]
        return (broadcast_in_dim(cts[0], x.shape, kept),)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        x = move_axis(operands[0], axes[0], 0)
        return (ReduceSum(tuple(i + 1 for i in self.axes))(x),), (0,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        if is_filled_with(inputs[0], 0.0):
            return (filled(0, infer(self, inputs[0].type)[0]),)
        if is_inexact(inputs[0].type.dtype) and self.axes:  # the sum of a negative zero is a positive one
            return None
        return without_reduction(self, self.axes, graph, inputs)


def without_reduction(op: Primitive, axes: Sequence[int], graph: Graph, inputs: Sequence[Atom]) -> Any:
    """A `simplified` rule: a reduction over axes of length 1 changes nothing but the shape."""
    shape = inputs[0].type.shape
    if all(shape[i] == 1 for i in axes):
        return (graph.emit(Reshape(infer(op, inputs[0].type)[0].shape), inputs[0]),)
    return None


def reduce_sum(x: Any, axes: Sequence[int]) -> Any:
    """The sum over `axes`; no axes returns `x` itself."""
    return ReduceSum(tuple(sorted(axes)))(x) if axes else x


class Convert(Primitive):
    """The same values in another dtype: out-of-range floats saturate, NaN becomes 0, imaginary parts are dropped."""

    exact = True
    cheap = True

    dtype: np.dtype
    weak: bool = False

    @property
    def plain(self) -> bool:  # type: ignore[override]
        return not self.weak

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        return (x.update(dtype=self.dtype, weak=self.weak),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        target = self.dtype
        if is_complex(x.dtype) and not is_complex(target) and target != np.bool_:
            x = np.real(x)
        if is_integer(target) and is_inexact(x.dtype):
            return (saturated(x, target),)
        if x.dtype == FLOAT64 and target == FLOAT16:
            x = x.astype(np.float32)  # XLA rounds twice here, so both rules do
        return (x.astype(target),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        source, result = build.in_types[0], build.out_types[0]
        if source.dtype == result.dtype:
            return (x,)
        if result.dtype == np.bool_:
            return (build.compare("NE", x, build.constant(0, source), source),)
        if is_complex(source.dtype) and not is_complex(result.dtype):
            real = source.update(dtype=np.dtype(f"f{source.dtype.itemsize // 2}"))
            x, source = build.op("real", (x,), real), real
        return (build.convert(x, source, result.dtype),)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        out = self(*primals)
        if not is_inexact(self.dtype) or type(tangents[0]) is Zero:
            return (out,), (Zero(out.type),)
        return (out,), (convert(tangents[0], self.dtype),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (convert(cts[0], x.dtype),)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return (self(*operands),), axes

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        (x,) = inputs
        if x.type.dtype == self.dtype and x.type.weak == self.weak:
            return inputs
        if type(x) is Literal:
            return folded(self, inputs)
        inner = graph.producer(x, Convert)
        if inner is not None and not self.weak:
            first = inner.inputs[0]
            if _keeps_values(first.type.dtype, x.type.dtype):
                return (graph.emit(self, first),)
        return sunk(self, graph, inputs)


@lru_cache(maxsize=256)
def _keeps_values(source: np.dtype, target: np.dtype) -> bool:
    """Whether every value of one dtype is one of the other, which is of its kind."""
    if source.kind in "iub" and target.kind in "iu":
        return np.can_cast(source, target, "safe")
    if not (is_float(source) and is_float(target)):
        return False
    one, two = finfo(source), finfo(target)
    inside = float(one.max) <= float(two.max) and float(one.smallest_subnormal) >= float(two.smallest_subnormal)
    return inside and one.nmant <= two.nmant


def sunk(op: Primitive, graph: Graph, inputs: Sequence[Atom], first: int = 0) -> Sequence[Atom] | None:
    """A `simplified` rule of elementwise operations: what is done to all operands is done to the result instead.

    `op(broadcast(x), broadcast(y), 2)` becomes `broadcast(op(x, y, 2))`, which computes fewer elements, and so for
    `reshape` and `transpose`, two of which become one. Operands before number `first` are scalars and stay.
    """
    values = inputs[first:]
    for a in values:
        if type(a) is not Literal:
            maker = graph.operation(a)
            if maker is None or type(maker.op) not in _SINKING:
                return None
    makers = [graph.operation(a) for a in values if type(a) is not Literal]
    if not makers or makers[0] is None:
        return None
    move = makers[0].op
    shape = makers[0].inputs[0].type.shape
    for maker in makers:
        if maker is None or maker.op is not move or maker.inputs[0].type.shape != shape:
            return None
    dying = {maker.outputs[0] for maker in makers if maker and graph.alone(maker.outputs[0], inputs)}
    spread = type(move) is BroadcastInDim or (type(move) is Reshape and Reshape.adds_ones(shape, move.shape))
    if len(dying) < (1 if spread else 2):
        return None
    rest = iter(makers)
    small = [resized(a, shape) if type(a) is Literal else next(rest).inputs[0] for a in values]  # type: ignore[union-attr]
    return (graph.emit(move, graph.emit(op, *inputs[:first], *small)),)


_SINKING = (BroadcastInDim, Reshape, Transpose)


def saturated(x: np.ndarray, target: np.dtype) -> np.ndarray:
    """Floats as integers: those out of range are the nearest integer in it, NaN is 0."""
    if is_low_precision(x.dtype):
        x = x.astype(np.float32)
    low, above, least, most = _bounds(x.dtype, target)
    inside = (x > low) & (x < above)
    if inside.all():
        return x.astype(target)
    result = np.where(inside, x, 0).astype(target)
    return np.where(x >= above, most, np.where(x <= low, least, result))


@lru_cache(maxsize=256)
def _bounds(source: np.dtype, target: np.dtype) -> tuple[Any, Any, Any, Any]:
    """The least integer and the number after the largest one as floats, and the least and the largest as integers."""
    limits = np.iinfo(target)
    above = source.type(2.0 ** (limits.bits - (limits.min < 0)))
    return source.type(limits.min), above, target.type(limits.min), target.type(limits.max)


def convert(x: Any, dtype: np.dtype) -> Any:
    """`x` in another dtype; `x` itself if it has that dtype already."""
    if (x.dtype is dtype or x.dtype == dtype) and not (type(x) is not Array and x.type.weak):
        return x
    if type(x) is Array and x.ndim and (scalar := x.splat()) is not None and x.size:
        return splat_array(Convert(dtype).evaluate(scalar)[0], ArrayType(x.shape, dtype), x._device)
    return Convert(dtype)(x)


class BitcastConvertType(Primitive):
    """The same bits read as another dtype of the same width; a narrower or wider one adds or drops a last axis."""

    exact = True

    dtype: np.dtype

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        old, new = x.dtype.itemsize, self.dtype.itemsize
        if is_complex(x.dtype) or is_complex(self.dtype):
            raise DTypeError("bitcast_convert_type does not take complex dtypes; view real and imaginary parts apart")
        if old == new:
            return (x.update(dtype=self.dtype),)
        if old > new:
            return (x.update(shape=(*x.shape, old // new), dtype=self.dtype),)
        if not x.shape or x.shape[-1] != new // old:
            raise ShapeError(f"bitcast of {x} to {self.dtype} needs a last axis of length {new // old}")
        return (x.update(shape=x.shape[:-1], dtype=self.dtype),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        (result,) = self.infer(ArrayType(x.shape, x.dtype))
        return (np.ascontiguousarray(x).reshape(-1).view(self.dtype).reshape(result.shape),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        if build.in_types[0].dtype == self.dtype:
            return (x,)
        return (build.op("bitcast_convert", (x,), build.out_types[0]),)

    jvp = not_differentiable
    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return (self(move_axis(operands[0], axes[0], 0)),), (0,)


def bitcast_convert_type(x: Any, dtype: np.dtype) -> Any:
    """The bits of `x` read as `dtype`."""
    return BitcastConvertType(dtype)(x)


class Iota(Primitive):
    """Counts 0, 1, 2, … along one axis."""

    cheap = True

    type: ArrayType
    axis: int

    def infer(self) -> tuple[ArrayType, ...]:
        return (self.type,)

    def evaluate(self) -> tuple[np.ndarray, ...]:
        length = self.type.shape[self.axis]
        count = np.arange(length).astype(self.type.dtype)
        if self.type.ndim == 1:
            return (count,)
        spread = count.reshape([length if i == self.axis else 1 for i in range(self.type.ndim)])
        return (np.broadcast_to(spread, self.type.shape),)

    def lower(self, build: Any) -> tuple[Any, ...]:
        return (build.op("iota", (), self.type, {"iota_dimension": build.integer(self.axis)}),)

    jvp = not_differentiable
    transpose = not_linear
    batch = not_batchable


def iota(dtype: np.dtype, shape: Shape, axis: int = 0) -> Any:
    """An array of `shape` that counts from 0 along `axis`."""
    return Iota(ArrayType(shape, dtype), canonical_axis(axis, len(shape)))()


def full(type: ArrayType, value: Any) -> Array:
    """An array filled with one scalar; never traced, and free until written out."""
    if type.weak:
        type = type.strong()
    return _small_splat(value, type) if value.__class__ is int and type.size <= 1024 else splat_array(value, type)


@lru_cache(maxsize=1024)
def _small_splat(value: int, type: ArrayType) -> Array:
    """Remembered because rules ask for the same ones and zeros again and again; small, since a buffer may stick."""
    return splat_array(value, type)


def zeros_of(type: ArrayType) -> Array:
    return full(type, 0)


def instantiate(value: Any) -> Any:
    """A tangent or cotangent with `Zero` written out."""
    return zeros_of(value.type) if type(value) is Zero else value
