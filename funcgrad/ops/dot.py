"""The general dot product: contracted, batched and free axes of two operands; matrix products are its plain case."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ..core.dtypes import FLOAT32, is_low_precision, scalar_kind
from ..core.primitive import Primitive
from ..core.types import ArrayType, Zero, is_linear
from ..errors import ArgumentError, AxisError, DTypeError, ShapeError
from .elementwise import add
from .structure import Transpose, convert

__all__ = ["dot_general", "matrix_multiply"]

AxisPairs = tuple[tuple[int, ...], tuple[int, ...]]
Plan = tuple[tuple[int, ...], tuple[int, ...], int]

_PRECISIONS = {None: "DEFAULT", "default": "DEFAULT", "high": "HIGH", "highest": "HIGHEST"}


_PRODUCTS = 12  # products are summed in the time that an element of an addition takes


class DotGeneral(Primitive):
    """Sums of products over the contracting axes, for each index of the batching axes.

    The result's axes are the batching axes, then the free axes of x, then those of y. Operands of `preferred` dtype
    are computed exactly as if converted to it first; float16 and smaller floats accumulate in float32.

    Fields:
        contracting: axes of x, and the axes of y that they are summed with.
        batching: axes of x, and the axes of y that they are paired with.
        preferred: dtype of the result if not the operands' own; of their kind and at least as wide.
        precision: None, "default", "high" or "highest": what accelerators may not round away.
    """

    contracting: AxisPairs
    batching: AxisPairs = ((), ())
    preferred: np.dtype | None = None
    precision: str | None = None

    takes_zeros = True
    direct = True

    def work(self, in_types: Sequence[ArrayType], out_types: Sequence[ArrayType]) -> float:
        summed = prod(in_types[0].shape[axis] for axis in self.contracting[0])
        return out_types[0].size * summed / _PRODUCTS

    def infer(self, x: ArrayType, y: ArrayType) -> tuple[ArrayType, ...]:
        _check(self, x, y)
        x_free, y_free = self.free_axes(x.ndim, y.ndim)
        shape = (
            *(x.shape[i] for i in self.batching[0]),
            *(x.shape[i] for i in x_free),
            *(y.shape[i] for i in y_free),
        )
        return (ArrayType(shape, self.preferred or x.dtype, False),)

    def free_axes(self, x_ndim: int, y_ndim: int) -> AxisPairs:
        """The axes of x and of y that are neither contracted nor batched."""
        return _free(x_ndim, self.contracting[0], self.batching[0]), _free(
            y_ndim, self.contracting[1], self.batching[1]
        )

    def evaluate(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        # Hot: eager matrix products pass here.
        if x.dtype.char in "fd" and self.preferred is None and x.ndim == 2 and y.ndim == 2 and not self.batching[0]:
            if self is matrix_multiply:
                return (np.matmul(x, y),)
            if len(self.contracting[0]) == 1:
                return (
                    np.matmul(x.T if self.contracting[0] == (0,) else x, y if self.contracting[1] == (0,) else y.T),
                )
        dtype = self.preferred or x.dtype
        compute = FLOAT32 if is_low_precision(dtype) else dtype
        if x.dtype != compute:
            x, y = x.astype(compute), y.astype(compute)
        product = _product(self, x, y)
        return (product if compute == dtype else product.astype(dtype),)

    def lower(self, build: Any, x: Any, y: Any) -> tuple[Any, ...]:
        first, second = build.in_types
        result = build.out_types[0]
        if not is_low_precision(first.dtype):
            x, y = build.convert(x, first, result.dtype), build.convert(y, second, result.dtype)
        fields = {
            "lhs_batching_dimensions": self.batching[0],
            "rhs_batching_dimensions": self.batching[1],
            "lhs_contracting_dimensions": self.contracting[0],
            "rhs_contracting_dimensions": self.contracting[1],
        }
        inner = ", ".join(f"{name} = [{', '.join(map(str, axes))}]" for name, axes in fields.items() if axes)
        precision = f"#stablehlo<precision {_PRECISIONS[self.precision]}>"
        attributes = {
            "dot_dimension_numbers": build.attribute(f"#stablehlo.dot<{inner}>"),
            "precision_config": build.attribute(f"[{precision}, {precision}]"),
        }
        return (build.op("dot_general", (x, y), result, attributes),)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        out = self(*primals)
        return (out,), (self.push([None if type(t) is Zero else t for t in tangents], out, primals),)

    def push(self, tangents: Sequence[Any | None], out: Any, primals: Sequence[Any]) -> Any:
        (x, y), (dx, dy) = primals, tangents
        left = None if dx is None else self(dx, y)
        right = None if dy is None else self(x, dy)
        if left is None or right is None:
            return Zero(out.type) if left is right else right if left is None else left
        return add(left, right)

    def pull(self, ct: Any, out: Any, primals: Sequence[Any], moving: Sequence[Any | None]) -> Sequence[Any | None]:
        (x, y), (dx, dy) = primals, moving
        left = None if dx is None else _transpose_left(self, ct, x, y)
        return left, None if dy is None else _transpose_right(self, ct, x, y)

    def transpose(self, cts: tuple[Any, ...], x: Any, y: Any) -> tuple[Any | None, ...]:
        (ct,) = cts
        if is_linear(x):
            return _transpose_left(self, ct, x, y), None
        return None, _transpose_right(self, ct, x, y)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (x, y), (x_axis, y_axis) = operands, axes
        contracting = _skip(self.contracting[0], x_axis), _skip(self.contracting[1], y_axis)
        batching = _skip(self.batching[0], x_axis), _skip(self.batching[1], y_axis)
        if x_axis is not None and y_axis is not None:
            batching, axis = ((x_axis, *batching[0]), (y_axis, *batching[1])), 0
            op = DotGeneral(contracting, batching, self.preferred, self.precision)
        else:
            # The mapped axis is one more free axis, wherever it stands.
            op = DotGeneral(contracting, batching, self.preferred, self.precision)
            x_free, y_free = op.free_axes(x.ndim, y.ndim)
            place = x_free.index(x_axis) if x_axis is not None else len(x_free) + y_free.index(y_axis)  # type: ignore[arg-type]
            axis = len(batching[0]) + place
        return (op(x, y),), (axis,)


matrix_multiply = DotGeneral(((1,), (0,)))


def dot_general(
    x: Any,
    y: Any,
    contracting: AxisPairs,
    batching: AxisPairs = ((), ()),
    preferred: np.dtype | None = None,
    precision: str | None = None,
) -> Any:
    """The general dot product of two arrays of one dtype; see `DotGeneral` for the order of the result's axes."""
    return DotGeneral(contracting, batching, preferred, precision)(x, y)


def _check(op: DotGeneral, x: ArrayType, y: ArrayType) -> None:
    if op.precision not in _PRECISIONS:
        raise ArgumentError(f"dot_general: precision={op.precision!r}; expected None, 'default', 'high' or 'highest'")
    if x.dtype != y.dtype:
        raise DTypeError(
            f"dot_general: operands must have equal dtypes, got {x.dtype.name} and {y.dtype.name}; "
            f"funcgrad.numpy promotes"
        )
    wanted = op.preferred
    if wanted is not None and (scalar_kind(wanted) is not scalar_kind(x.dtype) or wanted.itemsize < x.dtype.itemsize):
        raise DTypeError(
            f"dot_general: the preferred dtype {wanted.name} is of another kind or narrower than the operands' "
            f"{x.dtype.name}; convert the operands or the result instead"
        )
    for operand, side, which in ((x, 0, "first"), (y, 1, "second")):
        axes = (*op.contracting[side], *op.batching[side])
        if len(set(axes)) != len(axes) or not all(0 <= axis < operand.ndim for axis in axes):
            raise AxisError(
                f"dot_general: the axes {axes} named for the {which} operand {operand} must be different and from 0 to "
                f"{operand.ndim - 1}"
            )
    for (x_axes, y_axes), what in ((op.contracting, "contracted"), (op.batching, "batched")):
        lengths = [x.shape[i] for i in x_axes], [y.shape[i] for i in y_axes]
        if lengths[0] != lengths[1]:
            raise ShapeError(
                f"dot_general: cannot contract shapes {x.shape} and {y.shape}: the {what} axes {x_axes} and {y_axes} "
                f"have lengths {tuple(lengths[0])} and {tuple(lengths[1])}, which must be equal"
            )


def _free(ndim: int, *taken: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(i for i in range(ndim) if not any(i in axes for axes in taken))


def _skip(axes: tuple[int, ...], mapped: int | None) -> tuple[int, ...]:
    """Axes of an example as axes of the operand that also has the axis `mapped`."""
    return axes if mapped is None else tuple(i + (i >= mapped) for i in axes)


@lru_cache(maxsize=4096)
def _plan(op: DotGeneral, x_ndim: int, y_ndim: int) -> Plan:
    """The orders (batch, free, contracted) of x and (batch, contracted, free) of y, and how many axes of x are free."""
    x_free, y_free = op.free_axes(x_ndim, y_ndim)
    x_order = (*op.batching[0], *x_free, *op.contracting[0])
    y_order = (*op.batching[1], *op.contracting[1], *y_free)
    return x_order, y_order, len(x_free)


def _product(op: DotGeneral, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x_order, y_order, x_free = _plan(op, x.ndim, y.ndim)
    x, y = x.transpose(x_order), y.transpose(y_order)
    batched, contracted = len(op.batching[0]), len(op.contracting[0])
    if contracted == 1 and x_free == 1 and y.ndim == batched + 2:
        return np.matmul(x, y)  # views: nothing is copied before the product
    lead, middle = x.shape[:batched], x.shape[batched : batched + x_free]
    summed, last = prod(y.shape[batched : batched + contracted]), y.shape[batched + contracted :]
    left = x.reshape((*lead, prod(middle), summed))
    right = y.reshape((*lead, summed, prod(last)))
    return np.matmul(left, right).reshape((*lead, *middle, *last))


@lru_cache(maxsize=4096)
def _pullback(op: DotGeneral, x_ndim: int, y_ndim: int, side: int) -> tuple[DotGeneral, Transpose | None]:
    """The dot that gives one operand's cotangent (from `ct, y` or from `x, ct`), and what orders its axes.

    For x: contract the cotangent's y axes with y's free axes; the result has the axes batched, free in x, and those
    that met y's contracted ones. For y likewise with sides swapped, and its free axes last.
    """
    free = op.free_axes(x_ndim, y_ndim)
    batched = len(op.batching[0])
    x_places = tuple(range(batched, batched + len(free[0])))
    y_places = tuple(range(batched + len(free[0]), batched + len(free[0]) + len(free[1])))
    batch_places = tuple(range(batched))
    if side == 0:
        product = DotGeneral((y_places, free[1]), (batch_places, op.batching[1]), None, op.precision)
        axes = (*op.batching[0], *free[0], *_pair_order(op.contracting[1], op.contracting[0]))
    else:
        product = DotGeneral((free[0], x_places), (op.batching[0], batch_places), None, op.precision)
        axes = (*op.batching[1], *_pair_order(op.contracting[0], op.contracting[1]), *free[1])
    order = tuple(sorted(range(len(axes)), key=axes.__getitem__))
    return product, None if order == tuple(range(len(order))) else Transpose(order)


def _transpose_left(op: DotGeneral, ct: Any, x: Any, y: Any) -> Any:
    """The cotangent of x, of which only the type matters."""
    product, reorder = _pullback(op, x.ndim, y.ndim, 0)
    result = product(ct, y if y.dtype is ct.dtype else convert(y, ct.dtype))
    return convert(result if reorder is None else reorder(result), x.dtype)


def _transpose_right(op: DotGeneral, ct: Any, x: Any, y: Any) -> Any:
    """The cotangent of y, of which only the type matters."""
    product, reorder = _pullback(op, x.ndim, y.ndim, 1)
    result = product(x if x.dtype is ct.dtype else convert(x, ct.dtype), ct)
    return convert(result if reorder is None else reorder(result), y.dtype)


def _pair_order(keys: tuple[int, ...], partners: tuple[int, ...]) -> list[int]:
    """The partner axes in the order in which their pairs stand in the other operand."""
    return [partner for _, partner in sorted(zip(keys, partners, strict=True))]
