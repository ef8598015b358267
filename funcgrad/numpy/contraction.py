"""Products that sum: matmul, dot, tensordot, einsum and their kin, all of them general dot products underneath."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import opt_einsum
from opt_einsum.parser import parse_einsum_input

from ..core.dtypes import BOOL, DTypeLike, canonical, default_int, is_complex, scalar_kind
from ..core.types import Shape
from ..errors import ArgumentError, AxisError, DTypeError, ShapeError
from ..ops.complex_parts import conj
from ..ops.dot import dot_general, matrix_multiply
from ..ops.elementwise import mul, sub
from ..ops.slicing import concatenate, slice_array, slice_in_dim
from ..ops.structure import (
    broadcast,
    broadcast_in_dim,
    canonical_axis,
    convert,
    expand_dims,
    move_axis,
    reduce_sum,
    reshape,
    transpose,
)
from .conversion import as_operand
from .elementwise import multiply
from .fast import quick_binary
from .promotion import broadcast_shapes, is_array, promote_dtypes

__all__ = [
    "cross",
    "diagonal",
    "dot",
    "einsum",
    "einsum_path",
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


def _contract(
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
        product = _contract(a, b, ((a.ndim - 1,), (row,)), ((), ()), precision, preferred)
        return move_axis(product, 0, product.ndim - 2) if a.ndim == 2 and b.ndim > 2 else product
    try:
        batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ShapeError as error:
        shapes = f"matmul: the leading (batch) axes of shapes {a.shape} and {b.shape} do not broadcast"
        raise ShapeError(f"{shapes}: {error.message}") from None
    a, b = broadcast(a, (*batch, *a.shape[-2:])), broadcast(b, (*batch, *b.shape[-2:]))
    axes, last = tuple(range(len(batch))), len(batch)
    return _contract(a, b, ((last + 1,), (last,)), (axes, axes), precision, preferred)


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


def dot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: DTypeLike | None = None) -> Any:
    """The sum of products over the last axis of `a` and the last but one (or only) axis of `b`; scalars multiply."""
    if precision is None and preferred_element_type is None and _is_plain_product(a, b):
        return quick_matmul(a, b)
    a, b = promote_dtypes(a, b)
    if not a.ndim or not b.ndim:
        product = multiply(a, b)
        return product if preferred_element_type is None else convert(product, canonical(preferred_element_type))
    row = max(b.ndim - 2, 0)
    _require_equal_lengths("dot", a, b, a.ndim - 1, row)
    return _contract(a, b, ((a.ndim - 1,), (row,)), ((), ()), precision, preferred_element_type)


def vdot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: DTypeLike | None = None) -> Any:
    """The inner product of two arrays read as vectors, the first one conjugated."""
    a, b = promote_dtypes(a, b)
    if a.size != b.size:
        raise ShapeError(
            f"vdot: shapes {a.shape} and {b.shape} have {a.size} and {b.size} elements; they must be equal"
        )
    a = _conjugate(reshape(a, (a.size,)))
    return _contract(a, reshape(b, (b.size,)), ((0,), (0,)), ((), ()), precision, preferred_element_type)


def _conjugate(x: Any) -> Any:
    return conj(x) if is_complex(x.dtype) else x


def inner(a: Any, b: Any, *, precision: Any = None, preferred_element_type: DTypeLike | None = None) -> Any:
    """The sum of products over the last axes; scalars multiply."""
    a, b = promote_dtypes(a, b)
    if not a.ndim or not b.ndim:
        return dot(a, b, precision=precision, preferred_element_type=preferred_element_type)
    _require_equal_lengths("inner", a, b, a.ndim - 1, b.ndim - 1)
    return _contract(a, b, ((a.ndim - 1,), (b.ndim - 1,)), ((), ()), precision, preferred_element_type)


def outer(a: Any, b: Any, out: None = None) -> Any:
    """All products of an element of `a` with one of `b`: shape (a.size, b.size)."""
    if out is not None:
        raise ArgumentError("outer: out= is not supported, arrays are immutable; use the returned array")
    a, b = as_operand(a), as_operand(b)
    return multiply(reshape(a, (a.size, 1)), reshape(b, (1, b.size)))


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products along one axis, the first operand conjugated; the other axes broadcast."""
    x1, x2 = promote_dtypes(x1, x2)
    if not x1.ndim or not x2.ndim:
        raise ShapeError(f"vecdot takes arrays of at least one dimension, got shapes {x1.shape} and {x2.shape}")
    x1 = move_axis(_conjugate(x1), canonical_axis(axis, x1.ndim), x1.ndim - 1)
    x2 = move_axis(x2, canonical_axis(axis, x2.ndim), x2.ndim - 1)
    _require_equal_lengths("vecdot", x1, x2, x1.ndim - 1, x2.ndim - 1)
    return einsum("...i,...i->...", x1, x2, precision=precision, preferred_element_type=preferred_element_type)


def matvec(x1: Any, x2: Any, /) -> Any:
    """Matrices (…, n, k) times vectors (…, k): shape (…, n)."""
    x1, x2 = promote_dtypes(x1, x2)
    if x1.ndim < 2 or x2.ndim < 1:
        raise ShapeError(f"matvec takes matrices and vectors, got shapes {x1.shape} and {x2.shape}")
    _require_equal_lengths("matvec", x1, x2, x1.ndim - 1, x2.ndim - 1)
    return einsum("...ij,...j->...i", x1, x2)


def vecmat(x1: Any, x2: Any, /) -> Any:
    """Conjugated vectors (…, k) times matrices (…, k, m): shape (…, m)."""
    x1, x2 = promote_dtypes(x1, x2)
    if x1.ndim < 1 or x2.ndim < 2:
        raise ShapeError(f"vecmat takes vectors and matrices, got shapes {x1.shape} and {x2.shape}")
    _require_equal_lengths("vecmat", x1, x2, x1.ndim - 1, x2.ndim - 2)
    return einsum("...i,...ij->...j", _conjugate(x1), x2)


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
    if isinstance(axes, int):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise AxisError(f"tensordot: axes={axes} needs that many axes in both shapes, {a.shape} and {b.shape}")
        pairs = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    else:
        first, second = ((side,) if isinstance(side, int) else tuple(side) for side in axes)
        pairs = tuple(canonical_axis(i, a.ndim) for i in first), tuple(canonical_axis(i, b.ndim) for i in second)
        if len(pairs[0]) != len(pairs[1]):
            raise AxisError(f"tensordot: axes {first} and {second} must be equally many")
    for x_axis, y_axis in zip(*pairs, strict=True):
        _require_equal_lengths("tensordot", a, b, x_axis, y_axis)
    return _contract(a, b, pairs, ((), ()), precision, preferred_element_type)


def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: each element of `a` replaced by itself times `b`."""
    a, b = promote_dtypes(a, b)
    ndim = max(a.ndim, b.ndim)
    a, b = expand_dims(a, range(ndim - a.ndim)), expand_dims(b, range(ndim - b.ndim))
    product = multiply(expand_dims(a, range(1, 2 * ndim, 2)), expand_dims(b, range(0, 2 * ndim, 2)))
    return reshape(product, tuple(n * m for n, m in zip(a.shape, b.shape, strict=True)))


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
        if x.shape[canonical_axis(place, x.ndim)] != 3:
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


def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: DTypeLike | None = None, out: None = None
) -> Any:
    """The sum along a diagonal; see `diagonal`. Booleans are counted."""
    if out is not None:
        raise ArgumentError("trace: out= is not supported, arrays are immutable; use the returned array")
    found = diagonal(a, offset, axis1, axis2)
    wanted = default_int() if found.dtype == BOOL else found.dtype
    return reduce_sum(convert(found, wanted if dtype is None else canonical(dtype)), (found.ndim - 1,))


# -- einsum -------------------------------------------------------------------------------------------------------


def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: None = None,
    optimize: Any = "auto",
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
) -> Any:
    """Einstein's summation: products of operands, summed over every index that the output does not name.

    Args:
        subscripts: such as "ij,jk->ik", with "..." for broadcast axes; without "->" the output has the indices that
            occur once, in alphabetical order. Or the interleaved form: operand, its indices, operand, its indices, …,
            output indices.
        operands: arrays.
        out: not supported.
        optimize: how to order pairwise contractions, as `opt_einsum` takes it: True, False, "auto", "optimal",
            "greedy", or a path.
        precision: see `matmul`.
        preferred_element_type: see `matmul`.

    Raises:
        ShapeError: subscripts that do not fit the operands, or lengths of an index that differ.

    Example:
        >>> einsum("ij,j->i", fnp.eye(2), fnp.array([1.0, 2.0]))
        Array([1., 2.], dtype=float32)
    """
    if out is not None:
        raise ArgumentError("einsum: out= is not supported, arrays are immutable; use the returned array")
    subscripts, arguments = _as_text(subscripts, operands)
    if not arguments:
        raise ArgumentError("einsum takes at least one operand")
    arrays = list(promote_dtypes(*arguments))
    order = optimize if isinstance(optimize, bool | str) else tuple(map(tuple, optimize))
    inputs, output, path, lengths = _plan(subscripts, tuple(x.shape for x in arrays), order)
    named = []
    for i, (x, labels) in enumerate(zip(arrays, inputs, strict=True)):
        named.append(_single(x, labels, output, "".join(inputs[:i] + inputs[i + 1 :]), lengths))
    for step in path:
        chosen = [named.pop(i) for i in sorted(step, reverse=True)][::-1]
        x, labels = chosen[0]
        for number, (y, other) in enumerate(chosen[1:], 2):
            later = [o for _, o in chosen[number:]] + [o for _, o in named]
            x, labels = _pair(x, labels, y, other, set(output).union(*later), precision, preferred_element_type)
        named.append((x, labels))
    ((x, labels),) = named
    x = transpose(x, [labels.index(label) for label in output])
    return x if preferred_element_type is None else convert(x, canonical(preferred_element_type))


def einsum_path(subscripts: Any, /, *operands: Any, optimize: Any = "auto") -> tuple[list[tuple[int, ...]], Any]:
    """The order of pairwise contractions that `einsum` would use, and opt_einsum's account of its cost."""
    subscripts, arguments = _as_text(subscripts, operands)
    shapes = [as_operand(x).shape for x in arguments]
    path, account = opt_einsum.contract_path(subscripts, *shapes, shapes=True, optimize=optimize)
    return [tuple(step) for step in path], account


def _as_text(subscripts: Any, operands: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """Either form of the arguments as text and operands."""
    if isinstance(subscripts, str):
        return subscripts.replace(" ", ""), operands
    args = [subscripts, *operands]
    pairs, output = len(args) // 2, args[-1] if len(args) % 2 else None
    text = ",".join(_row(args[2 * i + 1]) for i in range(pairs))
    return text if output is None else f"{text}->{_row(output)}", [args[2 * i] for i in range(pairs)]


def _row(indices: Any) -> str:
    try:
        return "".join("..." if i is Ellipsis else opt_einsum.get_symbol(int(i)) for i in indices)
    except TypeError:
        raise ArgumentError(
            f"einsum: {indices!r} is not a list of indices; write text subscripts, einsum('ij,jk->ik', a, b), "
            f"or operands each followed by a list of integers, einsum(a, [0, 1], b, [1, 2])"
        ) from None


@lru_cache(maxsize=4096)
def _plan(
    subscripts: str, shapes: tuple[Shape, ...], optimize: Any
) -> tuple[list[str], str, list[tuple[int, ...]], dict[str, int]]:
    """The labels of each operand and of the output, the path, and the (checked) length of each label."""
    stand_ins = [np.broadcast_to(np.float32(0), shape) for shape in shapes]
    try:
        text, output, _ = parse_einsum_input([subscripts, *stand_ins])
    except ValueError as error:
        shown = " and ".join(map(str, shapes))
        raise ShapeError(f"einsum {subscripts!r} does not fit operands of shapes {shown}: {error}") from None
    inputs = text.split(",")
    lengths: dict[str, int] = {}
    for labels, shape in zip(inputs, shapes, strict=True):
        if len(labels) != len(shape):
            raise ShapeError(
                f"einsum {subscripts!r}: an operand of shape {shape} has {len(labels)} indices, {labels!r}"
            )
        for label, n in zip(labels, shape, strict=True):
            known = lengths.setdefault(label, n)
            if n != known and 1 not in (n, known):
                raise ShapeError(
                    f"einsum {subscripts!r}: index {label!r} has length {known} and length {n} "
                    f"(shapes {' and '.join(map(str, shapes))})"
                )
            lengths[label] = n if known == 1 else known
    full = [tuple(lengths[label] for label in labels) for labels in inputs]
    if len(inputs) == 1:
        return inputs, output, [], lengths
    path, _ = opt_einsum.contract_path(f"{text}->{output}", *full, shapes=True, optimize=optimize)
    return inputs, output, [tuple(step) for step in path], lengths


def _single(x: Any, labels: str, output: str, elsewhere: str, lengths: dict[str, int]) -> tuple[Any, str]:
    """An operand with repeated indices made diagonal, and indices that occur nowhere else summed."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            length = max(x.shape[first], x.shape[second])
            shape = tuple(length if axis in (first, second) else n for axis, n in enumerate(x.shape))
            x = diagonal(broadcast_in_dim(x, shape, range(x.ndim)), 0, first, second)
            labels = "".join(c for axis, c in enumerate(labels) if axis not in (first, second)) + label
    lone = [axis for axis, c in enumerate(labels) if c not in output and c not in elsewhere]
    # An axis of length 1 that another operand stretches carries no information.
    stretched = [axis for axis, c in enumerate(labels) if x.shape[axis] == 1 < lengths[c]]
    return _without(x, labels, lone, stretched)


def _without(x: Any, labels: str, summed: Sequence[int], dropped: Sequence[int] = ()) -> tuple[Any, str]:
    kept = [axis for axis in range(x.ndim) if axis not in summed and axis not in dropped]
    one = [axis for axis in summed if x.shape[axis] == 1]
    x = reshape(x, tuple(n for axis, n in enumerate(x.shape) if axis not in dropped and axis not in one))
    gone = sorted([*dropped, *one])
    rest = [axis - sum(g < axis for g in gone) for axis in summed if axis not in one]
    if rest and x.dtype == BOOL:
        raise DTypeError("einsum of booleans sums to a number; convert an operand first: x.astype(int)")
    return reduce_sum(x, rest), "".join(labels[axis] for axis in kept)


def _pair(
    x: Any, x_labels: str, y: Any, y_labels: str, wanted: set[str], precision: Any, preferred: Any
) -> tuple[Any, str]:
    """The contraction of two operands, keeping the labels that are wanted later."""
    x, x_labels = _without(x, x_labels, [i for i, c in enumerate(x_labels) if c not in wanted and c not in y_labels])
    y, y_labels = _without(y, y_labels, [i for i, c in enumerate(y_labels) if c not in wanted and c not in x_labels])
    if x.dtype != y.dtype:  # an earlier step has given the preferred dtype to one of them
        x, y = convert(x, canonical(preferred)), convert(y, canonical(preferred))
    shared = [c for c in x_labels if c in y_labels]
    batch, summed = [c for c in shared if c in wanted], [c for c in shared if c not in wanted]
    free = [c for c in x_labels if c not in shared], [c for c in y_labels if c not in shared]
    if not summed and x.dtype != BOOL and preferred is None:
        labels = "".join([*batch, *free[0], *free[1]])
        return multiply(_aligned(x, x_labels, labels), _aligned(y, y_labels, labels)), labels
    contracting = tuple(map(x_labels.index, summed)), tuple(map(y_labels.index, summed))
    batching = tuple(map(x_labels.index, batch)), tuple(map(y_labels.index, batch))
    product = _contract(x, y, contracting, batching, precision, preferred)
    return product, "".join([*batch, *free[0], *free[1]])


def _aligned(x: Any, labels: str, target: str) -> Any:
    """`x` with its axes in the order of `target`, and axes of length 1 for the labels that it lacks."""
    x = transpose(x, sorted(range(x.ndim), key=lambda axis: target.index(labels[axis])))
    return expand_dims(x, [place for place, c in enumerate(target) if c not in labels])
