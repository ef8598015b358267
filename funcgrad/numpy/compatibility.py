"""Distinctions of NumPy's that arrays here do not make: memory order and subclasses; and names and kinds of dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import dtypes
from ..core.dtypes import DTypeLike, canonical, is_complex, is_inexact
from ..errors import ArgumentError, DTypeError
from .conversion import as_operand, asarray, known
from .promotion import to_inexact

__all__ = [
    "asanyarray", "asarray_chkfinite", "asfortranarray", "common_type", "isfortran", "min_scalar_type", "mintypecode",
    "real_if_close",
]  # fmt: skip

mintypecode = np.mintypecode


def asanyarray(
    a: Any, dtype: DTypeLike | None = None, order: str | None = None, *, device: Any = None, copy: bool | None = None
) -> Any:
    """`asarray`: there are no subclasses of arrays to keep."""
    return asarray(a, dtype, copy=copy, device=device, order=order)


def asfortranarray(a: Any, dtype: DTypeLike | None = None) -> Any:
    """`asarray`, with at least one dimension: the order of elements in memory is not visible."""
    x = asarray(a, dtype)
    return x if x.ndim else x.reshape(1)


def isfortran(a: Any) -> bool:
    """False: the order of elements in memory is not visible."""
    as_operand(a)
    return False


def asarray_chkfinite(a: Any, dtype: DTypeLike | None = None, order: str | None = None) -> Any:
    """`asarray`, which refuses NaN and infinities.

    Raises:
        ArgumentError: an element is NaN or infinite.
        ConcretizationError: the values are not known while tracing; use `fg.debug` checks there.
    """
    x = asarray(a, dtype, order=order)
    if is_inexact(x.dtype) and not np.isfinite(known(x, "asarray_chkfinite")).all():
        raise ArgumentError(f"asarray_chkfinite: an array of shape {x.shape} holds NaN or infinities")
    return x


def common_type(*arrays: Any) -> type:
    """The floating type that all arrays fit in, complex if one of them is; integers count as the default float.

    Example:
        >>> fnp.common_type(fnp.arange(3), fnp.ones(2, "float16")).__name__
        'float32'
    """
    found: Any = np.dtype(np.float16)
    for x in map(as_operand, arrays):
        if x.dtype == dtypes.BOOL:
            raise DTypeError("common_type takes arrays of numbers, not of booleans")
        found = dtypes.promote(found, to_inexact(x).dtype)
    return found.type


def min_scalar_type(a: Any, /) -> np.dtype:
    """The smallest dtype that holds a number's value; that of an array of any dimensions is its own.

    Example:
        >>> fnp.min_scalar_type(-300).name
        'int16'
    """
    if isinstance(a, bool | int | float | complex):
        return canonical(np.min_scalar_type(a))
    x = as_operand(a)
    return (
        x.dtype
        if x.ndim or dtypes.is_low_precision(x.dtype)
        else canonical(np.min_scalar_type(known(a, "min_scalar_type")[()]))
    )


def real_if_close(a: Any, tol: float = 100) -> Any:
    """The real part, if all imaginary parts are close to zero; else the array.

    The dtype depends on the values, so that they must be known: inside compiled code choose `x.real` or `x`.

    Args:
        a: the array.
        tol: how close: multiples of the dtype's resolution if above 1, else the number itself.
    """
    x = as_operand(a)
    if not is_complex(x.dtype):
        return x
    bound = tol * float(np.finfo(x.dtype).eps) if tol > 1 else tol
    return x.real if bool(np.all(np.absolute(np.imag(known(x, "real_if_close"))) < bound)) else x
