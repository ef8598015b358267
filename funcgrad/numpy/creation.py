"""New arrays: constants, counts, grids, diagonals. Constants are never traced and cost nothing until written out."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend.array import Array, aligned_copy, import_dlpack
from ..backend.client import find_device
from ..compiler.evaluate import quiet
from ..core.dtypes import (
    BOOL,
    DTypeLike,
    canonical,
    default_complex,
    default_float,
    default_int,
    is_complex,
    is_inexact,
    is_integer,
    scalar_dtype,
)
from ..core.trace import Tracer
from ..errors import ArgumentError, ConcretizationError, DTypeError, ShapeError
from ..ops.elementwise import where
from ..ops.slicing import pad
from ..ops.structure import broadcast, broadcast_in_dim, canonical_axis, convert, iota, reshape, zeros_of
from .contraction import diagonal
from .conversion import SCALARS, array, as_operand, asarray, known, place, scalar_array
from .elementwise import add, divide, floor, multiply, power, subtract
from .fast import ANY, quick_call
from .joining import stack
from .promotion import promote_dtypes, promote_inexact, result_dtype, to_inexact
from .shape import expand_dims, moveaxis
from .transcendental import log10

__all__ = [
    "arange", "array", "asarray", "ascontiguousarray", "copy", "diag", "diagflat", "empty", "empty_like",
    "eye", "from_dlpack", "full", "full_like", "geomspace", "identity", "indices", "linspace", "logspace", "meshgrid",
    "ones", "ones_like", "tri", "tril", "triu", "vander", "zeros", "zeros_like",
]  # fmt: skip


def as_shape(shape: Any) -> tuple[int, ...]:
    """A shape out of an int, a sequence of ints, or known integer arrays.

    Raises:
        ShapeError: negative or not integers.
    """
    try:
        if type(shape) is int:
            lengths: tuple[int, ...] = (shape,)
        elif isinstance(shape, tuple | list):
            lengths = tuple(map(operator.index, shape))
        else:
            array_like = isinstance(shape, Array | Tracer | np.ndarray)
            lengths = tuple(map(operator.index, np.atleast_1d(known(shape, "a shape") if array_like else shape)))
    except ConcretizationError:
        raise
    except TypeError:
        raise ShapeError(f"shape {shape!r}: expected an int or a tuple of ints") from None
    if lengths and min(lengths) < 0:
        raise ShapeError(f"shape {lengths}: lengths must not be negative")
    return lengths


def _filled(shape: Any, value: Any, dtype: np.dtype, device: Any) -> Any:
    filled = scalar_array(value, dtype, as_shape(shape)).twin()
    return filled if device is None else place(filled, device)


# -- constants -------------------------------------------------------------------------------------------------------


def zeros(shape: Any, dtype: DTypeLike | None = None, *, device: Any = None) -> Any:
    """An array of zeros, by default of the default float."""
    return _filled(shape, 0, default_float() if dtype is None else canonical(dtype), device)


def ones(shape: Any, dtype: DTypeLike | None = None, *, device: Any = None) -> Any:
    """An array of ones, by default of the default float."""
    return _filled(shape, 1, default_float() if dtype is None else canonical(dtype), device)


def empty(shape: Any, dtype: DTypeLike | None = None, *, device: Any = None) -> Any:
    """An array to be replaced; since arrays are immutable it holds zeros."""
    return zeros(shape, dtype, device=device)


def full(shape: Any, fill_value: Any, dtype: DTypeLike | None = None, *, device: Any = None) -> Any:
    """An array filled with a value (a scalar, or an array that broadcasts), by default of that value's dtype."""
    if type(fill_value) in SCALARS:
        wanted = scalar_dtype(type(fill_value)) if dtype is None else canonical(dtype)
        if type(fill_value) is complex and not is_complex(wanted):
            raise ArgumentError(f"full: the complex number {fill_value} does not fit dtype {wanted.name}")
        return _filled(shape, fill_value, wanted, device)
    filled = broadcast(asarray(fill_value, dtype), as_shape(shape))
    return filled if device is None else place(filled, device)


def _like(a: Any, dtype: DTypeLike | None, shape: Any) -> tuple[Any, Any]:
    x = as_operand(a)
    return (x.shape if shape is None else shape), (x.dtype if dtype is None else dtype)


def zeros_like(a: Any, dtype: DTypeLike | None = None, shape: Any = None, *, device: Any = None) -> Any:
    """Zeros of the shape and dtype of `a`."""
    lengths, found = _like(a, dtype, shape)
    return zeros(lengths, found, device=device)


def ones_like(a: Any, dtype: DTypeLike | None = None, shape: Any = None, *, device: Any = None) -> Any:
    """Ones of the shape and dtype of `a`."""
    lengths, found = _like(a, dtype, shape)
    return ones(lengths, found, device=device)


empty_like = zeros_like


def full_like(a: Any, fill_value: Any, dtype: DTypeLike | None = None, shape: Any = None, *, device: Any = None) -> Any:
    """An array filled with a value, of the shape and dtype of `a`."""
    lengths, found = _like(a, dtype, shape)
    return full(lengths, fill_value, found, device=device)


# -- copies ----------------------------------------------------------------------------------------------------------


def copy(a: Any, order: str | None = None) -> Any:
    """`a` as another array, which outlives the donation of `a`; the two share their memory as long as both live."""
    made = asarray(a, order=order)
    return made.twin() if made is a and isinstance(made, Array) else made


def ascontiguousarray(a: Any, dtype: DTypeLike | None = None) -> Any:
    """`a` as an array of at least one dimension; memory layout is not visible here."""
    return array(a, dtype, ndmin=1)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """An array of what another library holds, on the host or on an accelerator that this process uses.

    Args:
        x: anything with the methods `__dlpack__` and `__dlpack_device__`.
        device: where the array shall live; by default where `x` is.
        copy: None and True copy once, so that a later write to `x` cannot change the array. False aliases the memory:
            the caller promises never to write to it again.

    Raises:
        ArgumentError: `copy=False` with another device than that of `x`.
        DTypeError: an object that is no array, or one of a dtype that arrays here do not have.
    """
    made = array(x) if isinstance(x, Array) else _imported(x, copy)
    target = made.device if device is None else find_device(device)
    if copy is False and target is not made.device:
        raise ArgumentError(f"from_dlpack: copy=False, but moving from {made.device} to {target} needs a copy")
    return made if device is None else place(made, target)


def _imported(x: Any, copy: bool | None) -> Array:
    """An array of what another library holds, where it is."""
    try:
        on_host = x.__dlpack_device__()[0] in (_CPU, _PINNED)
    except AttributeError:
        raise DTypeError(
            f"from_dlpack takes an array of a library that exports DLPack, not {type(x).__name__}; asarray reads more"
        ) from None
    if on_host:
        try:
            host = np.from_dlpack(x)
        except (BufferError, RuntimeError, TypeError):
            pass  # NumPy has no bfloat16; the engine has
        else:
            canonical(host.dtype)
            return Array(host if copy is False else aligned_copy(host))
    return import_dlpack(x, copy is not False)


_CPU, _PINNED = 1, 3  # device types of DLPack


# -- counts and grids ------------------------------------------------------------------------------------------------


def arange(
    start: Any, stop: Any = None, step: Any = None, dtype: DTypeLike | None = None, *, device: Any = None
) -> Any:
    """Evenly spaced numbers from `start` (0 if only one number is given) up to, not including, `stop`.

    Args:
        start, stop, step: numbers known while tracing. `dtype` is by default the one they promote to.
    """
    given = [x for x in (start, stop, step) if x is not None]
    if dtype is None and device is None and step != 0 and all(type(x) is int and abs(x) < 1 << 31 for x in given):
        first, last = (0, start) if stop is None else (start, stop)
        return Array(np.arange(first, last, 1 if step is None else step, dtype=default_int()))
    numbers = [x if type(x) in SCALARS else known(x, "arange").item() for x in given]
    kinds = tuple(x if type(x) in SCALARS else as_operand(x) for x in given)
    wanted = result_dtype(kinds)[0] if dtype is None else canonical(dtype)
    if wanted is BOOL and dtype is None:
        wanted = default_int()
    first = 0 if stop is None else numbers[0]
    last = numbers[0] if stop is None else numbers[1]
    by = 1 if step is None else numbers[-1]
    if by == 0:
        raise ArgumentError("arange: step must not be 0")
    if is_integer(wanted) and max(abs(first), abs(last)) > np.iinfo(wanted).max + 1:
        raise OverflowError(f"arange({first}, {last}) does not fit {wanted.name}; pass dtype='int64'")
    made = Array(quiet(np.arange, first, last, by).astype(wanted))
    return made if device is None else place(made, device)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """`num` evenly spaced numbers from `start` to `stop`, which is the last one unless `endpoint` is False.

    Args:
        start, stop: numbers or arrays that broadcast.
        retstep: also return the spacing.
        axis: where the new axis of length `num` goes.
    """
    count = operator.index(num)
    if count < 0:
        raise ArgumentError(f"linspace: num={count} must not be negative")
    wanted = None if dtype is None else canonical(dtype)
    if device is None and not retstep and type(start) in SCALARS and type(stop) in SCALARS:
        found = default_complex() if complex in (type(start), type(stop)) else default_float()
        return Array(quiet(np.linspace, start, stop, count, endpoint, False, wanted or found))
    # A floating dtype asked for takes part, since it may be finer than the default.
    finer = (zeros((), wanted),) if wanted is not None and is_inexact(wanted) else ()
    first, last = map(to_inexact, promote_dtypes(start, stop, *finer)[:2])
    span = subtract(last, first)
    parts = count - 1 if endpoint else count
    step = divide(span, parts) if parts > 0 else full_like(span, np.nan)
    shape = (count, *span.shape)
    if count > 1:
        numbers = convert(iota(default_int(), (count,)), span.dtype)
        fraction = broadcast_in_dim(divide(numbers, parts), shape, (0,))
        result = add(multiply(fraction, span), first)
        if endpoint:
            at_end = broadcast_in_dim(iota(default_int(), (count,)) == count - 1, shape, (0,))
            result = where(at_end, broadcast(last, shape), result)
    else:
        result = broadcast(first, shape)
    if wanted is not None:
        result = convert(floor(result) if is_integer(wanted) else result, wanted)
    result = result if axis == 0 else moveaxis(result, 0, axis)
    result = result if device is None else place(result, device)
    return (result, step) if retstep else result


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Any:
    """`base` to the powers of `linspace(start, stop, num)`."""
    result = power(base, linspace(start, stop, num, endpoint, axis=axis))
    return result if dtype is None else convert(result, canonical(dtype))


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: DTypeLike | None = None, axis: int = 0
) -> Any:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before; both ends have one sign.

    Raises:
        ArgumentError: an end that is known is zero.
    """
    first, last = promote_inexact(start, stop)
    for end in (first, last):
        if isinstance(end, Array) and not end.host().all():
            raise ArgumentError("geomspace: no multiple leads from or to zero; choose ends that are not 0")
    exponents = linspace(zeros_like(first), log10(divide(last, first)), num, endpoint, axis=axis)
    spread = first if first.ndim == 0 else expand_dims(first, axis)
    result = multiply(spread, power(10.0, exponents))
    if endpoint and num > 1:
        axis = canonical_axis(axis, result.ndim)
        at_end = broadcast_in_dim(iota(default_int(), (num,)) == num - 1, result.shape, (axis,))
        result = where(at_end, broadcast(expand_dims(last, axis), result.shape), result)
    return result if dtype is None else convert(result, canonical(dtype))


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """Coordinate arrays of the grid that vectors span, as a tuple.

    Args:
        sparse: leave the axes that repeat with length 1.
        indexing: "xy" (the first two axes exchanged) or "ij".
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f'meshgrid: indexing={indexing!r}, expected "xy" or "ij"')
    vectors = [as_operand(x) for x in xi]
    if any(x.ndim > 1 for x in vectors):
        raise ShapeError(f"meshgrid takes vectors, got shapes {', '.join(str(x.shape) for x in vectors)}")
    places = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        places[:2] = [1, 0]
    lengths = [0] * len(vectors)
    for x, axis in zip(vectors, places, strict=True):
        lengths[axis] = x.size
    grids = []
    for x, axis in zip(vectors, places, strict=True):
        thin = reshape(x, tuple(x.size if i == axis else 1 for i in range(len(vectors))))
        grids.append(thin if sparse else broadcast(thin, tuple(lengths)))
    return tuple(grids)


def indices(dimensions: Sequence[int], dtype: DTypeLike | None = None, sparse: bool = False) -> Any:
    """The indices of every element of a grid: one array per axis, stacked, or a tuple of thin ones with `sparse`."""
    shape = as_shape(tuple(dimensions))
    wanted = default_int() if dtype is None else canonical(dtype)
    if sparse:
        thin = (tuple(n if i == axis else 1 for i in range(len(shape))) for axis, n in enumerate(shape))
        return tuple(iota(wanted, lengths, axis) for axis, lengths in enumerate(thin))
    grids = [iota(wanted, shape, axis) for axis in range(len(shape))]
    return stack(grids) if grids else zeros((0,), wanted)


# -- diagonals and triangles -----------------------------------------------------------------------------------------


def _diagonal_distance(rows: int, columns: int) -> Any:
    """How far each element of a matrix lies to the right of the main diagonal."""
    return subtract(iota(default_int(), (rows, columns), 1), iota(default_int(), (rows, columns), 0))


def eye(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None, *, device: Any = None) -> Any:
    """A matrix with ones on the diagonal `k` (above the main one if positive) and zeros elsewhere."""
    rows, columns = as_shape((N, N if M is None else M))
    made = Array(np.eye(rows, columns, operator.index(k), default_float() if dtype is None else canonical(dtype)))
    return made if device is None else place(made, device)


def identity(n: int, dtype: DTypeLike | None = None) -> Any:
    """The square matrix with ones on the main diagonal."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> Any:
    """A matrix with ones on and below the diagonal `k`."""
    below = _diagonal_distance(*as_shape((N, N if M is None else M))) <= k
    return convert(below, default_float() if dtype is None else canonical(dtype))


def _triangle(m: Any, k: int, name: str, upper: bool) -> Any:
    x = as_operand(m)
    if x.ndim < 2:
        raise ShapeError(f"{name} takes an array of at least 2 dimensions, got shape {x.shape}")
    distance = _diagonal_distance(*x.shape[-2:])
    kept = broadcast(distance >= k if upper else distance <= k, x.shape)
    return where(kept, x, zeros_of(x.type))


def _of_matrices(function: Any) -> Any:
    """NumPy's function, which would make a matrix of a vector, for matrices only."""

    def called(m: np.ndarray, k: int = 0) -> np.ndarray:
        if m.ndim < 2:
            raise ValueError("not matrices")
        return function(m, k)

    return called


@quick_call(_of_matrices(np.tril), ANY)
def tril(m: Any, k: int = 0) -> Any:
    """The matrices (last two axes) with zeros above the diagonal `k`."""
    return _triangle(m, k, "tril", False)


@quick_call(_of_matrices(np.triu), ANY)
def triu(m: Any, k: int = 0) -> Any:
    """The matrices (last two axes) with zeros below the diagonal `k`."""
    return _triangle(m, k, "triu", True)


@quick_call(np.diag, ANY)
def diag(v: Any, k: int = 0) -> Any:
    """A matrix with the vector `v` on the diagonal `k`; of a matrix, that diagonal.

    Raises:
        ShapeError: `v` has neither one nor two dimensions.
    """
    x = as_operand(v)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError(f"diag takes a vector or a matrix, got shape {x.shape}")
    length = x.shape[0]
    spread = broadcast_in_dim(x, (length, length), (0,))
    matrix = where(_diagonal_distance(length, length) == 0, spread, zeros_of(spread.type))
    edges = [(max(-k, 0), max(k, 0), 0), (max(k, 0), max(-k, 0), 0)]
    return pad(matrix, zeros_of(x.type.update(shape=())), edges) if k else matrix


def diagflat(v: Any, k: int = 0) -> Any:
    """A matrix with all elements of `v` on the diagonal `k`."""
    x = as_operand(v)
    return diag(reshape(x, (x.size,)), k)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The matrix whose columns are the powers of a vector, the highest first unless `increasing`."""
    x = as_operand(x)
    if x.ndim != 1:
        raise ShapeError(f"vander takes a vector, got shape {x.shape}")
    count = x.shape[0] if N is None else operator.index(N)
    columns = [power(x, n) for n in (range(count) if increasing else reversed(range(count)))]
    return stack(columns, 1) if columns else zeros((x.shape[0], 0), x.dtype)
