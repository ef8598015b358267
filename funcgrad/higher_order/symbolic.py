"""What rules with `symbolic_zeros=True` get: zeros that are not written out, leaves that say whether they move."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.types import ArrayType
from ..ops.structure import zeros_of

__all__ = ["CustomVJPPrimal", "SymbolicZero"]


class SymbolicZero:
    """A tangent or cotangent that is known to be zero, as rules with `symbolic_zeros=True` are given it.

    Attributes:
        shape, dtype: of the zero.
    """

    __slots__ = ("type",)

    def __init__(self, type: ArrayType) -> None:
        self.type = type.strong()

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.shape

    @property
    def dtype(self) -> np.dtype:
        return self.type.dtype

    @property
    def ndim(self) -> int:
        return self.type.ndim

    @property
    def size(self) -> int:
        return self.type.size

    def instantiate(self) -> Array:
        """The zero written out."""
        return zeros_of(self.type)

    def __repr__(self) -> str:
        return f"SymbolicZero({self.type})"


class CustomVJPPrimal:
    """A leaf of an argument, as `fwd` rules with `symbolic_zeros=True` are given it.

    Attributes:
        value: the array.
        perturbed: whether it is being differentiated.
    """

    __slots__ = ("perturbed", "value")

    def __init__(self, value: Any, perturbed: bool) -> None:
        self.value = value
        self.perturbed = perturbed

    def __repr__(self) -> str:
        return f"CustomVJPPrimal(value={self.value!r}, perturbed={self.perturbed})"
