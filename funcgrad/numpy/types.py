"""Questions about shapes and dtypes, and conversion between dtypes, under NumPy's and the Array API's names."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.evaluate import quiet
from ..core import dtypes
from ..core.dtypes import DTypeLike, canonical, is_integer, scalar_dtype
from ..core.trace import Tracer
from ..core.types import ArrayType
from ..errors import ArgumentError, DTypeError
from ..ops.structure import canonical_axis, convert, saturated, zeros_of
from .conversion import SCALARS, as_operand, place
from .fast import BITS, FLOATING, quick_host
from .promotion import result_dtype

__all__ = [
    "astype", "can_cast", "iscomplexobj", "isdtype", "isrealobj", "isscalar", "issubdtype", "ndim", "promote_types",
    "result_type", "shape", "size",
]  # fmt: skip


def shape(a: Any) -> tuple[int, ...]:
    """The lengths of the axes."""
    return a.shape if isinstance(a, Array | Tracer) else as_operand(a).shape


def ndim(a: Any) -> int:
    """The number of axes."""
    return len(shape(a))


def size(a: Any, axis: int | tuple[int, ...] | None = None) -> int:
    """The number of elements, in all or along one axis or several."""
    lengths = shape(a)
    if axis is None:
        return prod(lengths)
    return prod(lengths[canonical_axis(i, len(lengths))] for i in (axis if isinstance(axis, tuple) else (axis,)))


def astype(x: Any, dtype: DTypeLike, /, *, copy: bool = True, device: Any = None) -> Any:
    """The same values in another dtype: floats out of an integer's range saturate, NaN becomes 0, complex loses its
    imaginary part."""
    wanted = canonical(dtype)
    host = quick_host(x, BITS + FLOATING)
    if host is not None and device is None:
        if wanted.char in "fdFD" or host.dtype.kind != "f":
            return x if host.dtype is wanted else Array(quiet(host.astype, wanted))
        if is_integer(wanted):
            return Array(quiet(saturated, host, wanted))
    converted = convert(as_operand(x), wanted)
    return converted if device is None else place(converted, device)


def result_type(*arrays_and_dtypes: Any) -> np.dtype:
    """The dtype that arrays, dtypes and Python scalars promote to; Python scalars are weak."""
    if not arrays_and_dtypes:
        raise ArgumentError("result_type takes at least one array or dtype")
    return result_dtype(tuple(map(_typed, arrays_and_dtypes)))[0]


def _typed(x: Any) -> Any:
    """Something with a type, or a Python scalar."""
    if isinstance(x, Array | Tracer) or type(x) in SCALARS:
        return x
    if isinstance(x, type | str | np.dtype):
        return zeros_of(ArrayType((), canonical(x)))
    return as_operand(x)


def promote_types(a: DTypeLike, b: DTypeLike) -> np.dtype:
    """The dtype that two dtypes promote to."""
    found = dtypes.promote(canonical(a), canonical(b))
    return scalar_dtype(found) if isinstance(found, type) else found


def can_cast(from_: Any, to: DTypeLike, casting: str = "safe") -> bool:
    """Whether a dtype (or an array's) casts to another under NumPy's rule."""
    source = from_.dtype if isinstance(from_, Array | Tracer | np.ndarray) else canonical(from_)
    return np.can_cast(source, canonical(to), casting)  # type: ignore[arg-type]


def issubdtype(arg1: Any, arg2: Any) -> bool:
    """Whether a dtype is of a kind, as `numpy.issubdtype`; bfloat16 and the float8 family are floating."""
    return isdtype_kind(canonical(arg1), arg2)


def isdtype_kind(dtype: np.dtype, kind: Any) -> bool:
    """Whether a dtype is of an abstract NumPy kind, or is a given dtype."""
    abstract = kind in (np.floating, np.inexact, np.number, np.generic)
    return bool(abstract and dtypes.is_float(dtype)) or np.issubdtype(dtype, kind)


_KINDS = {
    "bool": lambda d: d == dtypes.BOOL,
    "signed integer": lambda d: d in dtypes.SIGNED,
    "unsigned integer": lambda d: d in dtypes.UNSIGNED,
    "integral": lambda d: d in dtypes.INTEGERS,
    "real floating": dtypes.is_float,
    "complex floating": dtypes.is_complex,
    "numeric": lambda d: d != dtypes.BOOL,
}


def isdtype(dtype: DTypeLike, kind: Any) -> bool:
    """Whether a dtype is of a kind by the Array API's names ("integral", "real floating", …), or is a dtype.

    A tuple asks for any of several.

    Raises:
        DTypeError: an unknown kind.
    """
    found = canonical(dtype)
    if isinstance(kind, tuple):
        return any(isdtype(found, one) for one in kind)
    if isinstance(kind, str):
        if kind in _KINDS:
            return bool(_KINDS[kind](found))
        if kind not in dtypes.BY_NAME:
            raise DTypeError(f"isdtype: unknown kind {kind!r}; there are: {', '.join(_KINDS)}")
    return found == canonical(kind)


def iscomplexobj(x: Any) -> bool:
    """Whether the dtype is complex."""
    return dtypes.is_complex(as_operand(x).dtype)


def isrealobj(x: Any) -> bool:
    """Whether the dtype is not complex."""
    return not iscomplexobj(x)


def isscalar(element: Any) -> bool:
    """Whether the argument is a Python or NumPy scalar, or an array of no dimensions."""
    return np.isscalar(element) or (isinstance(element, Array | Tracer) and element.ndim == 0)
