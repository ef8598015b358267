"""Arguments as operands: nothing broadcasts or promotes, only Python scalars adapt to the array beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.dtypes import scalar_kind
from ..core.primitive import Primitive, infer
from ..core.types import ArrayType
from ..errors import DTypeError
from ..numpy.conversion import SCALARS, as_operand, scalar_array
from ..ops.structure import canonical_axis

__all__ = [
    "adapted",
    "axes",
    "bind",
    "scalar",
]


def bind(op: Primitive, *operands: Any) -> Any:
    """`op` of operands whose types are checked even where they are evaluated at once."""
    infer(op, *[x.type for x in operands])
    return op(*operands)


def adapted(args: Sequence[Any]) -> list[Any]:
    """Arguments as operands; Python scalars adopt shape and dtype of the first array among them."""
    model = next((x for x in args if type(x) not in SCALARS), None)
    if model is None:
        return [as_operand(x) for x in args]
    like = as_operand(model).type
    return [scalar(x, like) if type(x) in SCALARS else as_operand(x) for x in args]


def scalar(value: Any, like: ArrayType) -> Any:
    kinds = (bool, int, float, complex)
    if kinds.index(type(value)) > kinds.index(scalar_kind(like.dtype)):
        raise DTypeError(
            f"the Python {type(value).__name__} {value!r} does not fit an operand of dtype {like.dtype.name}; "
            f"funcgrad.lax does not promote, funcgrad.numpy does"
        )
    return scalar_array(value, like.dtype, like.shape)


def axes(axes: Sequence[int], ndim: int) -> tuple[int, ...]:
    return tuple(canonical_axis(int(axis), ndim) for axis in axes)
