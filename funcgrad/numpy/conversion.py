"""What a user hands in becomes an Array (copied once) or stays a tracer; everything else is refused with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from ..backend.array import Array, aligned_copy, splat_array, to_device
from ..backend.client import find_device
from ..compiler.evaluate import quiet
from ..core import dtypes
from ..core.dtypes import DTypeLike, canonical, scalar_dtype
from ..core.program import concretization_error
from ..core.trace import Tracer
from ..core.types import ArrayType
from ..errors import ArgumentError, DTypeError, RaggedError
from ..ops.slicing import concatenate
from ..ops.structure import convert, expand_dims, reshape

__all__ = ["SCALARS", "array", "as_operand", "asarray", "known", "place", "refuse_out", "scalar_array"]

SCALARS = frozenset((bool, int, float, complex))
_NESTED = (list, tuple)


def asarray(
    a: Any, dtype: DTypeLike | None = None, *, copy: bool | None = None, device: Any = None, order: str | None = None
) -> Any:
    """An array of a scalar, a NumPy array, nested sequences or anything that NumPy can read.

    Args:
        a: the values. An array or tracer of this library is returned as it is if the dtype fits, unless a copy is
            asked for.
        dtype: the dtype wanted; by default that of `a`, or the library's default for Python numbers.
        copy: None and True copy foreign memory once, so that a later write to it cannot change the array. False
            aliases it: the caller promises never to write to it again.
        device: where the array shall live, such as "cpu" or "gpu:1"; by default uncommitted.
        order: accepted for NumPy's sake ("C", "K", "A"); layout is not visible here.

    Returns:
        An array of the values' shape.

    Raises:
        RaggedError: nested sequences that are not rectangular.
        DTypeError: strings, objects and other things that are not numbers.
        OverflowError: a Python int that the dtype cannot hold.
    """
    if order not in (None, "C", "K", "A"):
        raise ArgumentError(f"order={order!r}: arrays have no visible memory layout; leave it out")
    wanted = None if dtype is None else canonical(dtype)
    if isinstance(a, (Array, Tracer)):
        made = a if wanted is None else convert(a, wanted)
        if made is not a:
            _refuse_alias(copy, f"an array of dtype {a.dtype} as {wanted}")
        elif copy and isinstance(a, Array):
            made = a.twin()
    elif type(a) in SCALARS:
        _refuse_alias(copy, "a Python number")
        made = scalar_array(a, wanted if wanted is not None else scalar_dtype(type(a))).twin()
    elif isinstance(a, _NESTED):
        _refuse_alias(copy, "nested sequences")
        made = _from_nested(a, wanted)
    else:
        made = _from_foreign(a, wanted, copy)
    return made if device is None else place(made, device)


def array(
    object: Any,
    dtype: DTypeLike | None = None,
    copy: bool | None = True,
    order: str | None = None,
    ndmin: int = 0,
    *,
    device: Any = None,
) -> Any:
    """An array of a scalar, a NumPy array, nested sequences or anything that NumPy can read; see `asarray`.

    Args:
        ndmin: the least number of dimensions; axes of length 1 are put in front.

    >>> fnp.array([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    made = asarray(object, dtype, copy=copy, device=device, order=order)
    missing = ndmin - made.ndim
    return expand_dims(made, range(missing)) if missing > 0 else made


def place(x: Any, device: Any) -> Any:
    """`x` committed to a device; a tracer has no place of its own and stays as it is."""
    found = find_device(device)
    return to_device(x, found) if isinstance(x, Array) else x


def as_operand(x: Any) -> Any:
    """The array or tracer meant by an argument of a function."""
    return x if isinstance(x, (Array, Tracer)) else asarray(x)


def refuse_out(name: str, out: Any) -> None:
    """Refuse NumPy's `out=`, which stands in signatures so that what follows it has NumPy's place.

    Raises:
        ArgumentError: it is not None.
    """
    if out is not None:
        raise ArgumentError(f"{name}: out= is not supported, arrays are immutable; use the returned array")


def known(x: Any, wanted: str) -> np.ndarray:
    """The NumPy value of an argument that must be known while tracing.

    Args:
        x: an array, a tracer or anything `asarray` takes.
        wanted: what needs it, for the message, such as `float(x)`.

    Raises:
        ConcretizationError: a tracer whose value is not known.
    """
    x = as_operand(x)
    while isinstance(x, Tracer):
        value = x.concrete()
        if value is None:
            raise concretization_error(x, wanted)
        x = value
    return x.host()


def scalar_array(value: Any, dtype: np.dtype, shape: tuple[int, ...] = (), weak: bool = False) -> Array:
    """A Python scalar as an array filled with it.

    Raises:
        OverflowError: an int that the dtype cannot hold.
    """
    # 0.0 and -0.0 are equal and so cannot be told apart by a cache.
    return (_cached_scalar if value or type(value) is int else _new_scalar)(value, dtype, shape, weak)


def _new_scalar(value: Any, dtype: np.dtype, shape: tuple[int, ...], weak: bool) -> Array:
    if type(value) is int and dtypes.is_integer(dtype):
        limits = np.iinfo(dtype)
        if not limits.min <= value <= limits.max:
            raise OverflowError(
                f"Python int {value} is out of bounds for {dtype.name}; pass a wider dtype such as 'int64'"
            )
    if type(value) is complex and not dtypes.is_complex(dtype):
        raise DTypeError(f"the complex number {value} does not fit dtype {dtype.name}; take its real part first")
    return splat_array(quiet(np.asarray, value, dtype), ArrayType(shape, dtype, weak))


_cached_scalar = lru_cache(maxsize=4096, typed=True)(_new_scalar)


def _refuse_alias(copy: bool | None, what: str) -> None:
    if copy is False:
        raise ArgumentError(f"copy=False: {what} cannot become an array without a copy; leave `copy` out")


def _from_foreign(a: Any, wanted: np.dtype | None, copy: bool | None) -> Array:
    try:
        host = np.asarray(a)
    except (TypeError, ValueError) as error:
        raise DTypeError(f"an object of type {type(a).__name__} is not an array: {error}") from None
    if host.dtype.kind in "OUSmM":
        raise DTypeError(_not_numeric(a, host))
    found = canonical(host.dtype)
    if wanted is None or (wanted == found and host.dtype == found):
        if host.dtype == found and copy is False:
            return Array(_alias(host))
        _refuse_alias(copy, f"an array of dtype {host.dtype}")
        return Array(aligned_copy(host.astype(found, copy=False)))
    _refuse_alias(copy, f"an array of dtype {host.dtype} as {wanted}")
    return convert(Array(aligned_copy(host.astype(found, copy=False))), wanted)


def _alias(host: np.ndarray) -> np.ndarray:
    """The user's memory as an array that nobody can make writeable; the user's own array stays as it is."""
    known_to_python = host if host.dtype.isbuiltin == 1 else host.view(f"u{host.dtype.itemsize}")
    return np.asarray(memoryview(known_to_python).toreadonly()).view(host.dtype)  # type: ignore[arg-type]


def _not_numeric(a: Any, host: np.ndarray) -> str:
    what = f"dtype {host.dtype}" if isinstance(a, np.ndarray | np.generic) else f"an object of type {type(a).__name__}"
    return f"{what} is not numeric; arrays hold booleans and numbers. Keep strings and objects in Python lists."


# -- nested sequences ----------------------------------------------------------------------------------------------


def _from_nested(nested: Any, wanted: np.dtype | None) -> Any:
    leaf_types: set[type] = set()
    _collect_types(nested, leaf_types)
    if leaf_types <= SCALARS:
        kind = max(leaf_types, key=(bool, int, float, complex).index, default=float)
        return Array(_rectangular(nested, wanted if wanted is not None else scalar_dtype(kind)))
    strong, weak = set(), set()
    operands = _operands(nested, (), strong, weak)
    dtype = wanted if wanted is not None else _common_dtype(strong, weak)
    if not any(isinstance(x, Tracer) for x in _leaves(operands)):
        plain = _map_leaves(operands, lambda x: x.host() if isinstance(x, Array) else x)
        return Array(_rectangular(plain, dtype))
    return _stacked(operands, dtype, ())


def _collect_types(nested: Any, found: set[type]) -> None:
    here = set(map(type, nested))
    if here <= SCALARS:
        found |= here
        return
    for item in nested:
        if isinstance(item, _NESTED):
            _collect_types(item, found)
        else:
            found.add(type(item))


def _operands(item: Any, position: tuple[int, ...], strong: set[np.dtype], weak: set[type]) -> Any:
    """The nest with arrays, tracers and Python scalars at its leaves; collects their dtypes."""
    if isinstance(item, _NESTED):
        return [_operands(x, (*position, i), strong, weak) for i, x in enumerate(item)]
    if type(item) in SCALARS:
        weak.add(type(item))
        return item
    try:
        item = as_operand(item)
    except DTypeError as error:
        place = "".join(f"[{i}]" for i in position)
        raise DTypeError(f"element {place} cannot be part of an array: {error.message}") from None
    if item.type.weak:
        weak.add(dtypes.scalar_kind(item.dtype))
    else:
        strong.add(item.dtype)
    return item


def _common_dtype(strong: set[np.dtype], weak: set[type]) -> np.dtype:
    found: Any = None
    for one in [*sorted(strong, key=str), *sorted(weak, key=str)]:
        found = one if found is None else dtypes.promote(found, one)
    return scalar_dtype(found) if isinstance(found, type) else found


def _leaves(nested: Any) -> Iterator[Any]:
    for item in nested:
        if isinstance(item, list):
            yield from _leaves(item)
        else:
            yield item


def _map_leaves(nested: Any, function: Any) -> Any:
    return [_map_leaves(x, function) if isinstance(x, list) else function(x) for x in nested]


def _rectangular(nested: Any, dtype: np.dtype) -> np.ndarray:
    try:
        return quiet(np.array, nested, dtype)
    except ValueError:
        _check_rectangular(nested, ())
        raise
    except OverflowError as error:
        raise OverflowError(f"{error}; pass a wider dtype such as 'int64'") from None
    except TypeError as error:  # complex numbers asked for as real ones
        raise DTypeError(f"these values do not fit dtype {dtype.name}: {error}") from None


def _shape_of(item: Any) -> tuple[int, ...]:
    if isinstance(item, _NESTED):
        return (len(item), *(_shape_of(item[0]) if item else ()))
    return tuple(np.shape(item)) if not isinstance(item, (Array, Tracer)) else item.shape


def _check_rectangular(nested: Any, position: tuple[int, ...]) -> None:
    """Raise for the first place where a nest is not rectangular."""
    if not isinstance(nested, _NESTED) or not nested:
        return
    for number, item in enumerate(nested):
        _check_rectangular(item, (*position, number))
        expected, found = _shape_of(nested[0]), _shape_of(item)
        if found != expected:
            here, first = (*position, number), (*position, 0)
            raise RaggedError(
                f"nested sequences must be rectangular: {_row(here, found)}, {_row(first, expected)}. "
                f"Pad the rows to one length, or keep them in a Python list."
            )


def _row(position: tuple[int, ...], shape: tuple[int, ...]) -> str:
    name = f"row {position[0]}" if len(position) == 1 else "element " + "".join(f"[{i}]" for i in position)
    if not shape:
        return f"{name} is a scalar"
    if len(shape) == 1:
        return f"{name} has {shape[0]} element{'s' * (shape[0] != 1)}"
    return f"{name} has shape {shape}"


def _stacked(nested: Any, dtype: np.dtype, position: tuple[int, ...]) -> Any:
    """One array or tracer of a nest that contains tracers."""
    if type(nested) in SCALARS:
        return scalar_array(nested, dtype)
    if not isinstance(nested, list):
        return convert(nested, dtype)
    if not nested:
        return Array(np.zeros((0,), dtype))
    _check_rectangular(nested, position)
    rows = [_stacked(item, dtype, (*position, i)) for i, item in enumerate(nested)]
    return concatenate([reshape(row, (1, *row.shape)) for row in rows], 0)
