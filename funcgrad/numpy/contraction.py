"""Products that sum: matmul, dot, tensordot and their kin, all of them general dot products underneath."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from ..core.dtypes import DTypeLike, canonical, is_complex, scalar_kind
from ..errors import AxisError, ShapeError
from ..ops.complex_parts import conj
from ..ops.dot import dot_general, matrix_multiply
from ..ops.elementwise import mul, sub
from ..ops.slicing import concatenate, slice_array, slice_in_dim
from ..ops.structure import (
    broadcast,
    canonical_axis,
    convert,
    expand_dims,
    move_axis,
    reshape,
    squeeze,
    transpose,
)
from .conversion import as_operand, refuse_out
from .elementwise import multiply
from .fast import ANY, FLOATING, quick_binary, quick_call
from .promotion import broadcast_shapes, is_array, promote_dtypes
from .reductions import sum

__all__ = [
    "contract",
    "cross",
    "diagonal",
    "dot",
    "inner",
    "kron",
    "matmul",
    "matvec",
    "outer",
    "tensordot",
    "trace",
    "vdot",
    "vecdot",
    "vecmat",
]

_NATIVE = FLOATING + "FD"  # dtypes of which NumPy's products are BLAS's


def contract(
    x: Any,
    y: Any,
    contracting: Any,
    batching: Any = ((), ()),
    precision: Any = None,
    preferred: DTypeLike | None = None,
) -> Any:
    """A general dot product whose result has the preferred dtype, however it compares with the operands'."""
    precision = None if precision is None else str(precision).lower()
    if preferred is None:
        return dot_general(x, y, contracting, batching, None, precision)
    wanted = canonical(preferred)
    wider = scalar_kind(wanted) is scalar_kind(x.dtype) and wanted.itemsize >= x.dtype.itemsize
    return convert(dot_general(x, y, contracting, batching, wanted if wider else None, precision), wanted)


def _require_equal_lengths(name: str, x: Any, y: Any, x_axis: int, y_axis: int) -> None:
    if x.shape[x_axis] != y.shape[y_axis]:
        raise ShapeError(
            f"{name}: shapes {x.shape} and {y.shape} do not contract: axis {x_axis} of the first has length "
            f"{x.shape[x_axis]}, axis {y_axis} of the second has length {y.shape[y_axis]}"
        )


# -- matrix products ----------------------------------------------------------------------------------------------


def _is_plain_product(a: Any, b: Any) -> bool:
    """Whether nothing needs to be promoted, broadcast or refused."""
    if not (is_array(a) and is_array(b)):
        return False
    x, y = a.shape, b.shape
    return len(x) == 2 and len(y) == 2 and x[1] == y[0] and a.dtype is b.dtype


def _matmul(a: Any, b: Any, precision: Any = None, preferred: DTypeLike | None = None) -> Any:
    if preferred is None and precision is None and _is_plain_product(a, b):
        return matrix_multiply(a, b)
    a, b = promote_dtypes(a, b)
    if not a.ndim or not b.ndim:
        raise ShapeError(
            f"matmul takes arrays of at least one dimension, got shapes {a.shape} and {b.shape}; use * for scalars"
        )
    row = max(b.ndim - 2, 0)
    _require_equal_lengths("matmul", a, b, a.ndim - 1, row)
    if a.ndim <= 2 or b.ndim <= 2:
        product = contract(a, b, ((a.ndim - 1,), (row,)), ((), ()), precision, preferred)
        return move_axis(product, 0, product.ndim - 2) if a.ndim == 2 and b.ndim > 2 else product
    try:
        batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ShapeError as error:
        shapes = f"matmul: the leading (batch) axes of shapes {a.shape} and {b.shape} do not broadcast"
        raise ShapeError(f"{shapes}: {error.message}") from None
    a, b = broadcast(a, (*batch, *a.shape[-2:])), broadcast(b, (*batch, *b.shape[-2:]))
    axes, last = tuple(range(len(batch))), len(batch)
    return contract(a, b, ((last + 1,), (last,)), (axes, axes), precision, preferred)


quick_matmul = quick_binary(np.matmul, "fdFD", _matmul, scalars="")


def matmul(a: Any, b: Any, *, precision: Any = None, preferred_element_type: DTypeLike | None = None) -> Any:
    """The matrix product `a @ b`; leading axes are batches and broadcast.

    Args:
        a: shape (…, n, k), or (k,) for a row.
        b: shape (…, k, m), or (k,) for a column.
        precision: None, "default", "high" or "highest": what accelerators may not round away.
        preferred_element_type: dtype of the result and of the sums.

    Returns:
        Shape (…, n, m), without the axes that one-dimensional operands lack.

    Raises:
        ShapeError: lengths that differ, or a scalar operand.
    """
    if precision is None and preferred_element_type is None:
        return quick_matmul(a, b)
    return _matmul(a, b, precision, preferred_element_type)


@quick_call(np.dot, _NATIVE)
def dot(
    a: Any, b: Any, out: None = None, *, precision: Any = None, preferred_element_type: DTypeLike | None = None
) -> Any:
    """The sum of products over the last axis of `a` and the last but one (or only) axis of `b`; scalars multiply."""
    refuse_out("dot", out)
    if precision is None and preferred_element_type is None and _is_plain_product(a, b):
        return quick_matmul(a, b)
    a, b = promote_dtypes(a, b)
    if not a.ndim or not b.ndim:
        product = multiply(a, b)
        return product if preferred_element_type is None else convert(product, canonical(preferred_element_type))
    row = max(b.ndim - 2, 0)
    _require_equal_lengths("dot", a, b, a.ndim - 1, row)
    return contract(a, b, ((a.ndim - 1,), (row,)), ((), ()), precision, preferred_element_type)


@quick_call(np.vdot, _NATIVE)
def vdot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: DTypeLike | None = None) -> Any:
    """The inner product of two arrays read as vectors, the first one conjugated."""
    a, b = promote_dtypes(a, b)
    if a.size != b.size:
        raise ShapeError(
            f"vdot: shapes {a.shape} and {b.shape} have {a.size} and {b.size} elements; they must be equal"
        )
    a = _conjugate(reshape(a, (a.size,)))
    return contract(a, reshape(b, (b.size,)), ((0,), (0,)), ((), ()), precision, preferred_element_type)


def _conjugate(x: Any) -> Any:
    return conj(x) if is_complex(x.dtype) else x


@quick_call(np.inner, _NATIVE)
def inner(a: Any, b: Any, *, precision: Any = None, preferred_element_type: DTypeLike | None = None) -> Any:
    """The sum of products over the last axes; scalars multiply."""
    a, b = promote_dtypes(a, b)
    if not a.ndim or not b.ndim:
        return dot(a, b, precision=precision, preferred_element_type=preferred_element_type)
    _require_equal_lengths("inner", a, b, a.ndim - 1, b.ndim - 1)
    return contract(a, b, ((a.ndim - 1,), (b.ndim - 1,)), ((), ()), precision, preferred_element_type)


@quick_call(np.outer, _NATIVE)
def outer(a: Any, b: Any, out: None = None) -> Any:
    """All products of an element of `a` with one of `b`: shape (a.size, b.size)."""
    refuse_out("outer", out)
    a, b = as_operand(a), as_operand(b)
    return multiply(reshape(a, (a.size, 1)), reshape(b, (1, b.size)))


@quick_call(np.vecdot, _NATIVE)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products along one axis, the first operand conjugated; the other axes broadcast.

    Raises:
        ShapeError: a scalar, lengths that differ, or other axes that do not broadcast.
    """
    x1, x2 = promote_dtypes(x1, x2)
    if not x1.ndim or not x2.ndim:
        raise ShapeError(f"vecdot takes arrays of at least one dimension, got shapes {x1.shape} and {x2.shape}")
    x1 = move_axis(_conjugate(x1), canonical_axis(axis, x1.ndim), x1.ndim - 1)
    x2 = move_axis(x2, canonical_axis(axis, x2.ndim), x2.ndim - 1)
    _require_equal_lengths("vecdot", x1, x2, x1.ndim - 1, x2.ndim - 1)
    product = _matmul(_as_row(x1), _as_column(x2), precision, preferred_element_type)
    return squeeze(product, (-2, -1))


def _as_row(x: Any) -> Any:
    return expand_dims(x, (x.ndim - 1,))


def _as_column(x: Any) -> Any:
    return expand_dims(x, (x.ndim,))


@quick_call(getattr(np, "matvec", np.matmul), _NATIVE if hasattr(np, "matvec") else "")
def matvec(x1: Any, x2: Any, /) -> Any:
    """Matrices (…, n, k) times vectors (…, k): shape (…, n)."""
    x1, x2 = promote_dtypes(x1, x2)
    if x1.ndim < 2 or x2.ndim < 1:
        raise ShapeError(f"matvec takes matrices and vectors, got shapes {x1.shape} and {x2.shape}")
    _require_equal_lengths("matvec", x1, x2, x1.ndim - 1, x2.ndim - 1)
    return squeeze(_matmul(x1, _as_column(x2)), (-1,))


@quick_call(getattr(np, "vecmat", np.matmul), _NATIVE if hasattr(np, "vecmat") else "")
def vecmat(x1: Any, x2: Any, /) -> Any:
    """Conjugated vectors (…, k) times matrices (…, k, m): shape (…, m)."""
    x1, x2 = promote_dtypes(x1, x2)
    if x1.ndim < 1 or x2.ndim < 2:
        raise ShapeError(f"vecmat takes vectors and matrices, got shapes {x1.shape} and {x2.shape}")
    _require_equal_lengths("vecmat", x1, x2, x1.ndim - 1, x2.ndim - 2)
    return squeeze(_matmul(_as_row(_conjugate(x1)), x2), (-2,))


def tensordot(
    a: Any, b: Any, axes: Any = 2, *, precision: Any = None, preferred_element_type: DTypeLike | None = None
) -> Any:
    """The sum of products over chosen axes.

    Args:
        a: first array.
        b: second array.
        axes: a number n (the last n axes of `a` with the first n of `b`), or a pair: axes of `a`, axes of `b`.
        precision: see `matmul`.
        preferred_element_type: see `matmul`.

    Returns:
        The other axes of `a`, then those of `b`.
    """
    a, b = promote_dtypes(a, b)
    pairs = _contracted_axes(a, b, axes)
    for x_axis, y_axis in zip(*pairs, strict=True):
        _require_equal_lengths("tensordot", a, b, x_axis, y_axis)
    return contract(a, b, pairs, ((), ()), precision, preferred_element_type)


def _contracted_axes(a: Any, b: Any, axes: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(axes, int | np.integer):
        if axes > min(a.ndim, b.ndim):
            raise AxisError(f"tensordot: axes={axes} needs that many axes in both shapes, {a.shape} and {b.shape}")
        count = max(int(axes), 0)
        return tuple(range(a.ndim - count, a.ndim)), tuple(range(count))
    sides = [(side,) if isinstance(side, int | np.integer) else tuple(side) for side in axes]
    if len(sides) != 2 or len(sides[0]) != len(sides[1]):
        raise AxisError(f"tensordot: axes={axes}; expected a number, or equally many axes of each operand")
    first, second = (
        tuple(canonical_axis(index(i), x.ndim) for i in side) for x, side in zip((a, b), sides, strict=True)
    )
    if len(set(first)) < len(first) or len(set(second)) < len(second):
        raise AxisError(f"tensordot: axes={axes} names an axis twice")
    return first, second


def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: each element of `a` replaced by itself times `b`."""
    a, b = promote_dtypes(a, b)
    ndim = max(a.ndim, b.ndim)
    a, b = expand_dims(a, range(ndim - a.ndim)), expand_dims(b, range(ndim - b.ndim))
    product = multiply(expand_dims(a, range(1, 2 * ndim, 2)), expand_dims(b, range(0, 2 * ndim, 2)))
    return reshape(product, tuple(n * m for n, m in zip(a.shape, b.shape, strict=True)))


def _numpy_cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if np.shape(a)[-1:] != (3,) or np.shape(b)[-1:] != (3,):
        raise ValueError("not along the last axes, or refused")
    return np.cross(a, b)


@quick_call(_numpy_cross, _NATIVE)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The cross product of vectors of length 3.

    Args:
        a: first vectors.
        b: second vectors; the other axes broadcast.
        axisa, axisb, axisc: the vectors' axes in `a`, `b` and the result.
        axis: sets all three.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = promote_dtypes(a, b)
    for x, place in ((a, axisa), (b, axisb)):
        if not x.ndim or x.shape[canonical_axis(place, x.ndim)] != 3:
            raise ShapeError(f"cross takes vectors of length 3, got shapes {a.shape} and {b.shape}")
    a = move_axis(a, canonical_axis(axisa, a.ndim), a.ndim - 1)
    b = move_axis(b, canonical_axis(axisb, b.ndim), b.ndim - 1)
    shape = broadcast_shapes(a.shape, b.shape)
    a, b = broadcast(a, shape), broadcast(b, shape)
    product = sub(mul(_rotated(a, 1), _rotated(b, 2)), mul(_rotated(a, 2), _rotated(b, 1)))
    return move_axis(product, product.ndim - 1, canonical_axis(axisc, product.ndim))


def _rotated(x: Any, by: int) -> Any:
    """Vectors along the last axis with their components moved to the front by `by`."""
    last = x.ndim - 1
    return concatenate([slice_in_dim(x, by, None, 1, last), slice_in_dim(x, 0, by, 1, last)], last)


# -- diagonals ----------------------------------------------------------------------------------------------------


@quick_call(np.diagonal, ANY)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The elements `a[…, i, …, i + offset, …]`, along a new last axis.

    Args:
        a: array of at least two dimensions.
        offset: how far above (or, if negative, below) the main diagonal.
        axis1: the axis of the first index.
        axis2: the axis of the second.
    """
    a = as_operand(a)
    if a.ndim < 2:
        raise ShapeError(f"diagonal takes an array of at least two dimensions, got shape {a.shape}")
    first, second = canonical_axis(axis1, a.ndim), canonical_axis(axis2, a.ndim)
    if first == second:
        raise AxisError(f"diagonal: axis1={axis1} and axis2={axis2} are the same axis")
    others = [i for i in range(a.ndim) if i not in (first, second)]
    a = transpose(a, [*others, first, second])
    *lead, rows, columns = a.shape
    count = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    # In C order the diagonal is every (columns + 1)-th element: a strided slice.
    start = max(offset, 0) + max(-offset, 0) * columns if count else 0
    limit = start + (count - 1) * (columns + 1) + 1 if count else 0
    flat = reshape(a, (*lead, rows * columns))
    ones = (1,) * len(lead)
    return slice_array(flat, (*(0,) * len(lead), start), (*lead, limit), (*ones, columns + 1))


def _numpy_trace(a: np.ndarray, offset: int = 0, axis1: int = 0, axis2: int = 1) -> np.ndarray:
    return np.trace(a, offset, axis1, axis2)


@quick_call(_numpy_trace, _NATIVE)
def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: DTypeLike | None = None, out: None = None
) -> Any:
    """The sum along a diagonal, of the dtype that `sum` gives; see `diagonal`."""
    refuse_out("trace", out)
    return sum(diagonal(a, offset, axis1, axis2), -1, dtype)
