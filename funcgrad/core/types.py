"""What rules may mention: the type of an array, a symbolic zero, a linear input.

`ArrayType` is interned: equal types are the same object, so `is` compares them and they hash for free.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .dtypes import is_differentiable
from .interned import Interned

__all__ = ["ArrayType", "LinearInput", "Shape", "Zero"]

Shape = tuple[int, ...]

_SHORT = {
    "bool": "bool",
    "bfloat16": "bf16",
    "float16": "f16",
    "float32": "f32",
    "float64": "f64",
    "complex64": "c64",
    "complex128": "c128",
}


class ArrayType(Interned):
    """Shape, dtype and whether the value is a traced Python scalar (`weak`).

    Attributes:
        shape: a tuple of non-negative ints.
        dtype: a np.dtype out of `core.dtypes`.
        weak: True only for traced Python scalars; no weak type ever leaves a trace.
    """

    shape: Shape
    dtype: np.dtype
    weak: bool = False

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def differentiable(self) -> bool:
        """Whether tangents of this type are more than symbolic zeros."""
        return is_differentiable(self.dtype)

    def update(self, shape: Shape | None = None, dtype: np.dtype | None = None, weak: bool = False) -> ArrayType:
        """This type with another shape or dtype, strong unless said otherwise."""
        return ArrayType(self.shape if shape is None else shape, self.dtype if dtype is None else dtype, weak)

    def strong(self) -> ArrayType:
        return ArrayType(self.shape, self.dtype, False) if self.weak else self

    def __str__(self) -> str:
        name = self.dtype.name
        short = _SHORT.get(name) or name.replace("uint", "u").replace("int", "i").replace("float", "f")
        return f"{short}[{','.join(map(str, self.shape))}]" + ("*" if self.weak else "")


class Zero:
    """A tangent or cotangent known to be zero, never written out: `Zero(type)`."""

    __slots__ = ("type",)

    def __init__(self, type: ArrayType) -> None:
        self.type = type

    def __repr__(self) -> str:
        return f"Zero({self.type})"


class LinearInput:
    """Stands, in a transpose rule, for an input that the operation is linear in: only its type is known.

    Attributes:
        like: that type, or a value that has it.
    """

    __slots__ = ("dtype", "like", "shape")

    def __init__(self, like: Any) -> None:
        self.like = like
        self.shape: Shape = like.shape
        self.dtype: np.dtype = like.dtype

    @property
    def type(self) -> ArrayType:
        like = self.like
        return (like if isinstance(like, ArrayType) else like.type).strong()

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __repr__(self) -> str:
        return f"LinearInput({self.type})"


def is_linear(value: Any) -> bool:
    """Whether a transpose rule's input is the linear one."""
    return type(value) is LinearInput
