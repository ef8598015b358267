"""How the arguments of a function become operands of equal shape and dtype (NEP 50, NumPy's broadcasting)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend.array import Array
from ..core import dtypes
from ..core.dtypes import scalar_dtype, scalar_kind
from ..core.trace import Tracer
from ..errors import DTypeError, ShapeError
from ..ops.structure import Convert, broadcast, convert
from .conversion import SCALARS, as_operand, scalar_array

__all__ = [
    "asarray_or_tracer",
    "broadcast_arrays",
    "broadcast_shapes",
    "promote",
    "promote_dtypes",
    "result_dtype",
    "to_inexact",
]

asarray_or_tracer = as_operand


def broadcast_shapes(*shapes: tuple[int, ...] | int) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to by NumPy's rule.

    Raises:
        ShapeError: they do not broadcast; the message shows all of them.
    """
    rows = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    ndim = max(map(len, rows), default=0)
    result = [1] * ndim
    for shape in rows:
        for axis, n in enumerate(shape, ndim - len(shape)):
            if n != 1 and n != result[axis]:
                if result[axis] != 1:
                    raise ShapeError(
                        f"shapes {' and '.join(map(str, rows))} do not broadcast: lined up from the right, "
                        f"two lengths must be equal or one of them 1, but {result[axis]} meets {n}"
                    )
                result[axis] = n
    return tuple(result)


def result_dtype(operands: tuple[Any, ...]) -> tuple[np.dtype, bool]:
    """The dtype that operands (arrays, tracers, Python scalars) promote to, and whether all of them are weak."""
    strong: Any = None
    weak: Any = None
    for x in operands:
        kind = type(x)
        if kind not in SCALARS:
            if not x.type.weak:
                strong = x.dtype if strong is None else dtypes.promote(strong, x.dtype)
                continue
            kind = scalar_kind(x.dtype)
        weak = kind if weak is None else dtypes.promote(weak, kind)
    if strong is None:
        return scalar_dtype(weak), any(isinstance(x, Tracer) for x in operands)
    dtype: Any = strong if weak is None else dtypes.promote(strong, weak)
    return dtype, False


def _operand(x: Any) -> Any:
    return x if type(x) in SCALARS else as_operand(x)


def _as_dtype(x: Any, dtype: np.dtype, weak: bool, shape: tuple[int, ...] = ()) -> Any:
    if type(x) in SCALARS:
        return scalar_array(x, dtype, shape, weak)
    if weak:
        return x if x.type.weak and x.dtype == dtype else Convert(dtype, True)(x)
    return convert(x, dtype)


def promote_dtypes(*args: Any) -> tuple[Any, ...]:
    """The arguments as arrays or tracers of one dtype, their shapes as they were."""
    operands = tuple([_operand(x) for x in args])
    dtype, weak = result_dtype(operands)
    return tuple([_as_dtype(x, dtype, weak) for x in operands])


def broadcast_arrays(*args: Any) -> tuple[Any, ...]:
    """The arguments broadcast against each other, their dtypes as they were, as a tuple.

    Raises:
        ShapeError: the shapes do not broadcast.
    """
    operands = [as_operand(x) for x in args]
    shape = broadcast_shapes(*(x.shape for x in operands))
    return tuple([broadcast(x, shape) for x in operands])


def promote(*args: Any) -> tuple[Any, ...]:
    """The arguments as arrays or tracers of one dtype and one shape.

    Python scalars, and tracers of Python scalars, are weak: they adopt the dtype of the others unless their kind is
    higher. If every argument is weak and one is traced, the operands stay weak.

    Raises:
        ShapeError: the shapes do not broadcast.
        DTypeError: no common dtype, or an argument that is not numeric.
        OverflowError: a Python int that the common dtype cannot hold.
    """
    operands = tuple([_operand(x) for x in args])
    dtype, weak = result_dtype(operands)
    first = None
    equal = True
    for x in operands:
        if type(x) not in SCALARS:
            if first is None:
                first = x.shape
            elif x.shape != first:
                equal = False
    shape = first or () if equal else broadcast_shapes(*(x.shape for x in operands if type(x) not in SCALARS))
    converted = [_as_dtype(x, dtype, weak, shape) for x in operands]
    return tuple(converted) if equal else tuple([broadcast(x, shape) for x in converted])


def promote_inexact(*args: Any) -> tuple[Any, ...]:
    """As `promote`, with integers and booleans as the default float: a Python int need not fit the others' dtype."""
    operands = [_operand(x) for x in args]
    arrays = [x for x in operands if type(x) not in SCALARS]
    if not any(dtypes.is_inexact(x.dtype) for x in arrays):
        operands = [x if type(x) in SCALARS else to_inexact(x) for x in operands]
    return tuple(map(to_inexact, promote(*operands)))


def to_inexact(x: Any) -> Any:
    """An integer or boolean operand as the default float, any other as it is."""
    if dtypes.is_inexact(x.dtype):
        return x
    return Convert(dtypes.default_float(), True)(x) if x.type.weak else convert(x, dtypes.default_float())


def require_real(x: Any, name: str) -> None:
    """Refuse a complex operand."""
    if dtypes.is_complex(x.dtype):
        raise DTypeError(f"{name} takes real numbers, not {x.dtype.name}: complex numbers have no order here")


def is_array(x: Any) -> bool:
    """Whether `x` is an array or tracer of this library."""
    return isinstance(x, (Array, Tracer))
