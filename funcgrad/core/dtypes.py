"""The dtypes, their names and defaults, and how they promote.

Promotion follows NEP 50 with one documented exception: an integer array with a floating array gives the
*floating array's* dtype (NumPy gives float64 for int32 with float32). Python scalars and traced Python scalars
are weak: they adopt the array's dtype unless their kind is higher.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, get_type_hints

import ml_dtypes
import numpy as np

from ..config import config
from ..errors import DTypeError

__all__ = [
    "DTypeLike",
    "FloatInfo",
    "IntInfo",
    "canonical",
    "default_complex",
    "default_float",
    "default_int",
    "finfo",
    "iinfo",
    "is_complex",
    "is_differentiable",
    "is_float",
    "is_inexact",
    "is_integer",
    "is_low_precision",
    "is_signed",
    "promote",
    "real_dtype",
    "scalar_dtype",
]

DTypeLike = Any

BOOL = np.dtype(np.bool_)
SIGNED = tuple(np.dtype(t) for t in (np.int8, np.int16, np.int32, np.int64))
UNSIGNED = tuple(np.dtype(t) for t in (np.uint8, np.uint16, np.uint32, np.uint64))
INTEGERS = SIGNED + UNSIGNED
INT32, UINT32, UINT64 = SIGNED[2], UNSIGNED[2], UNSIGNED[3]
FLOAT8 = tuple(
    np.dtype(getattr(ml_dtypes, name))
    for name in (
        "float8_e3m4",
        "float8_e4m3",
        "float8_e4m3b11fnuz",
        "float8_e4m3fn",
        "float8_e4m3fnuz",
        "float8_e5m2",
        "float8_e5m2fnuz",
        "float8_e8m0fnu",
    )
)
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
FLOAT16, FLOAT32, FLOAT64 = (np.dtype(t) for t in (np.float16, np.float32, np.float64))
COMPLEX64, COMPLEX128 = np.dtype(np.complex64), np.dtype(np.complex128)
FLOATS = (*FLOAT8, BFLOAT16, FLOAT16, FLOAT32, FLOAT64)
COMPLEXES = (COMPLEX64, COMPLEX128)
ALL = (BOOL, *INTEGERS, *FLOATS, *COMPLEXES)
BY_NAME = {dtype.name: dtype for dtype in ALL}

_CANONICAL = {dtype: dtype for dtype in ALL}  # NumPy makes a dtype's name anew each time it is asked
_KIND = {BOOL: 0} | dict.fromkeys(INTEGERS, 1) | dict.fromkeys(FLOATS, 2) | dict.fromkeys(COMPLEXES, 3)


def is_integer(dtype: np.dtype) -> bool:
    return _KIND[dtype] == 1


def is_signed(dtype: np.dtype) -> bool:
    return dtype in SIGNED or _KIND[dtype] >= 2


def is_float(dtype: np.dtype) -> bool:
    return _KIND[dtype] == 2


def is_complex(dtype: np.dtype) -> bool:
    return _KIND[dtype] == 3


def is_inexact(dtype: np.dtype) -> bool:
    return _KIND[dtype] >= 2


is_differentiable = is_inexact


def is_low_precision(dtype: np.dtype) -> bool:
    """Whether arithmetic on `dtype` is done in float32 and rounded (float8, bfloat16, float16)."""
    return dtype in _LOW


_LOW = frozenset((*FLOAT8, BFLOAT16, FLOAT16))


def default_float() -> np.dtype:
    return BY_NAME[config.current.default_float]


def default_int() -> np.dtype:
    return BY_NAME[config.current.default_int]


def default_complex() -> np.dtype:
    return COMPLEX128 if config.current.default_float == "float64" else COMPLEX64


def real_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of the real part."""
    return {COMPLEX64: FLOAT32, COMPLEX128: FLOAT64}.get(dtype, dtype)


def complex_dtype(dtype: np.dtype) -> np.dtype:
    """The complex dtype that holds `dtype`."""
    return COMPLEX128 if dtype in (FLOAT64, COMPLEX128) else COMPLEX64


def canonical(dtype: DTypeLike) -> np.dtype:
    """The np.dtype meant by `dtype`: a name, a NumPy or ml_dtypes type, or Python's bool, int, float, complex.

    Python's types mean this library's defaults (`float` is `config.default_float`).

    Raises:
        DTypeError: anything that is not one of our numeric dtypes.
    """
    if isinstance(dtype, np.dtype) and dtype in _KIND:
        return dtype
    if isinstance(dtype, type) and dtype in (float, int, complex, bool):
        return scalar_dtype(dtype)
    if isinstance(dtype, str) and dtype in BY_NAME:
        return BY_NAME[dtype]
    try:
        found = np.dtype(dtype)
        found = found if found.isnative else found.newbyteorder("=")
    except TypeError as error:
        raise DTypeError(f"{dtype!r} is not a dtype: {error}") from None
    if found not in _KIND:
        raise DTypeError(
            f"dtype {found} is not numeric: arrays here hold {', '.join(BY_NAME)}. "
            f"Keep strings and objects in Python lists or NumPy arrays."
        )
    return _CANONICAL[found]


def scalar_dtype(kind: type) -> np.dtype:
    """The default dtype of a Python scalar type."""
    if kind is bool:
        return BOOL
    if kind is int:
        return default_int()
    return default_float() if kind is float else default_complex()


def scalar_kind(dtype: np.dtype) -> type:
    """The Python scalar type with the kind of `dtype`."""
    return (bool, int, float, complex)[_KIND[dtype]]


def promote(first: np.dtype | type, second: np.dtype | type) -> np.dtype | type:
    """The dtype of a binary operation's result; Python types (`float`) stand for weak operands.

    Two weak operands give the higher Python type.

    Raises:
        DTypeError: two different float8 types, which have no common dtype.
    """
    return _promote(first, second, config.current.default_int, config.current.default_float)


@lru_cache(maxsize=4096)
def _promote(first: np.dtype | type, second: np.dtype | type, *_defaults: str) -> np.dtype | type:
    if first is second or (first == second and isinstance(first, np.dtype)):
        return first
    if isinstance(first, type) and isinstance(second, type):
        return max(first, second, key=(bool, int, float, complex).index)
    if isinstance(first, type):
        first, second = second, first
    if isinstance(second, type):
        return _promote_weak(first, second)  # type: ignore[arg-type]
    return _promote_strong(first, second)  # type: ignore[arg-type]


def _promote_weak(dtype: np.dtype, weak: type) -> np.dtype:
    kind = (bool, int, float, complex).index(weak)
    if kind <= _KIND[dtype]:
        return dtype
    if kind == 3:
        return complex_dtype(dtype) if is_float(dtype) else default_complex()
    return scalar_dtype(weak)


def _promote_strong(first: np.dtype, second: np.dtype) -> np.dtype:
    low, high = sorted((first, second), key=lambda dtype: _KIND[dtype])
    if _KIND[low] != _KIND[high]:
        if _KIND[low] == 2 and low in (FLOAT64,):
            return COMPLEX128
        return high
    if _KIND[low] != 2:
        return BY_NAME[np.promote_types(first, second).name]
    if first in FLOAT8 and second in FLOAT8:
        raise DTypeError(
            f"{first} and {second} have no common dtype: neither holds the other's values. "
            f"Convert one of them, for instance x.astype({second.name!r})."
        )
    if {first, second} == {BFLOAT16, FLOAT16}:
        return FLOAT32
    return max(first, second, key=FLOATS.index)


class FloatInfo(NamedTuple):
    """The limits of a floating dtype, as Python numbers, which adapt to the arrays they meet.

    Attributes:
        dtype: the dtype; of a complex one, that of its parts.
        bits: how many an element takes.
        eps, epsneg: the distances from 1 to the next larger and the next smaller number.
        max, min: the largest and the lowest finite numbers.
        smallest_normal, tiny: the smallest positive number with full precision.
        smallest_subnormal: the smallest positive number.
        precision, resolution: how many decimal digits hold, and 10 to minus that power.
        nmant, nexp: how many bits the mantissa (without its leading one) and the exponent take.
        maxexp, minexp: the smallest power of 2 that overflows, and that of `smallest_normal`.
        machep, negep: the powers of 2 of `eps` and `epsneg`.
    """

    dtype: np.dtype
    bits: int
    eps: float
    epsneg: float
    max: float
    min: float
    smallest_normal: float
    tiny: float
    smallest_subnormal: float
    precision: int
    resolution: float
    nmant: int
    nexp: int
    maxexp: int
    minexp: int
    machep: int
    negep: int


class IntInfo(NamedTuple):
    """The limits of an integer dtype: the largest and the lowest number, and how many bits an element takes."""

    dtype: np.dtype
    bits: int
    max: int
    min: int


def finfo(type: DTypeLike) -> FloatInfo:
    """Limits of a floating or complex dtype, or of an array's, for every such dtype.

    Raises:
        DTypeError: a dtype of another kind.
    """
    return _finfo(_dtype_of(type))


@lru_cache(maxsize=64)
def _finfo(dtype: np.dtype) -> FloatInfo:
    if not is_inexact(dtype):
        raise DTypeError(f"finfo takes floating and complex dtypes, not {dtype.name}; iinfo takes integer ones")
    part = real_dtype(dtype)
    found: Any = ml_dtypes.finfo(part)
    numbers: dict[str, Any] = {
        name: annotation(getattr(found, name))
        for name, annotation in get_type_hints(FloatInfo).items()
        if annotation in (int, float)
    }
    return FloatInfo(dtype=part, **numbers)


def iinfo(type: DTypeLike) -> IntInfo:
    """Limits of an integer dtype, or of an array's.

    Raises:
        DTypeError: a dtype of another kind.
    """
    dtype = _dtype_of(type)
    if not is_integer(dtype):
        raise DTypeError(f"iinfo takes integer dtypes, not {dtype.name}; finfo takes floating and complex ones")
    found = np.iinfo(dtype)
    return IntInfo(dtype, found.bits, found.max, found.min)


def _dtype_of(value: Any) -> np.dtype:
    """A dtype, or that of an array or a NumPy scalar."""
    return canonical(value if isinstance(value, type | str | np.dtype) else getattr(value, "dtype", value))
