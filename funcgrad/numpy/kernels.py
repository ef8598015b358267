"""From operations on operands of one type to functions of anything that promotes and broadcasts."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..backend.array import Array
from ..core.dtypes import BOOL, is_inexact
from ..core.primitive import Primitive, infer
from ..core.trace import Tracer
from ..core.types import ArrayType
from ..errors import DTypeError
from ..ops.structure import broadcast
from .conversion import as_operand, scalar_array
from .promotion import broadcast_shapes, promote, to_inexact

__all__ = ["Kernel", "binary_general", "checked", "inexact", "numeric", "unary_general"]

Kernel = Callable[..., Any]

_ARRAYS = (Array, Tracer)
_joint_shape = lru_cache(maxsize=4096)(broadcast_shapes)


def checked(op: Primitive) -> Kernel:
    """`op`, its operand types checked for eager arrays too: evaluation alone would let NumPy's wider rules through."""

    def apply(*operands: Any) -> Any:
        if type(operands[0]) is Array:
            infer(op, *[x.type for x in operands])
        return op(*operands)

    return apply


def binary_general(kernel: Kernel, floating: bool = False) -> Kernel:
    """`kernel(x1, x2)` of operands of one type, made a function of anything that promotes and broadcasts.

    Args:
        kernel: the function.
        floating: convert what would be integers or booleans to the default float.
    """
    if floating:
        kernel = inexact(kernel)

    def general(x1: Any, x2: Any, /) -> Any:
        # Hot (benchmarks: grad, tracing): the usual operands first.
        if isinstance(x1, _ARRAYS):
            first = x1.type
            if isinstance(x2, _ARRAYS):
                second = x2.type
                if first is second:
                    return kernel(x1, x2)
                if first.dtype is second.dtype and not first.weak and not second.weak:
                    shape = _joint_shape(first.shape, second.shape)
                    return kernel(broadcast(x1, shape), broadcast(x2, shape))
            elif _adopts(x2, first):
                x1 = to_inexact(x1) if floating else x1
                return kernel(x1, scalar_array(x2, x1.dtype, first.shape))
        elif isinstance(x2, _ARRAYS) and _adopts(x1, x2.type):
            x2 = to_inexact(x2) if floating else x2
            return kernel(scalar_array(x1, x2.dtype, x2.type.shape), x2)
        return kernel(*promote(x1, x2))

    return general


def _adopts(value: Any, beside: ArrayType) -> bool:
    """Whether a value is a Python float or int that takes the dtype of the operand beside it."""
    if beside.weak:
        return False
    kind = beside.dtype.kind  # V: bfloat16 and the float8 family
    return (type(value) is float and kind in "fcV") or (type(value) is int and kind in "fcViu")


def unary_general(kernel: Kernel) -> Kernel:
    """`kernel(x)` of an array or tracer, made a function of anything that becomes one."""

    def general(x: Any, /) -> Any:
        return kernel(as_operand(x))

    return general


def inexact(kernel: Kernel) -> Kernel:
    """`kernel` with integer and boolean operands converted to the default float."""

    def apply(*operands: Any) -> Any:
        return kernel(*map(to_inexact, operands)) if not is_inexact(operands[0].dtype) else kernel(*operands)

    return apply


def numeric(op: Kernel, boolean: Primitive | None, name: str) -> Kernel:
    """`op`, but `boolean` (or a refusal) for booleans."""

    def apply(*operands: Any) -> Any:
        if operands[0].dtype is not BOOL:
            return op(*operands)
        if boolean is None:
            raise DTypeError(f"{name} does not take booleans; use logical_not or logical_xor, or x.astype(int)")
        return boolean(*operands)

    return apply
