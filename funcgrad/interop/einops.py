"""einops on arrays and tracers: `import funcgrad.interop.einops` once, and its functions take both.

einops asks the subclasses of its backend class whose a value is. Without this import its functions of the Array API,
in `einops.array_api`, work all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from einops._backends import AbstractBackend  # pyright: ignore[reportMissingImports]

from .. import numpy as fnp
from ..backend.array import Array
from ..core.dtypes import is_inexact
from ..core.trace import Tracer

__all__ = ["EinopsBackend"]


class EinopsBackend(AbstractBackend):
    """What einops asks of a library of arrays."""

    framework_name = "funcgrad"

    def is_appropriate_type(self, tensor: Any) -> bool:
        return isinstance(tensor, Array | Tracer)

    def from_numpy(self, x: np.ndarray) -> Any:
        return fnp.asarray(x)

    def to_numpy(self, x: Any) -> np.ndarray:
        return np.asarray(x)

    def arange(self, start: int, stop: int) -> Any:
        return fnp.arange(start, stop)

    def stack_on_zeroth_dimension(self, tensors: Sequence[Any]) -> Any:
        return fnp.stack(tensors)

    def add_axis(self, x: Any, new_position: int) -> Any:
        return fnp.expand_dims(x, new_position)

    def tile(self, x: Any, repeats: Sequence[int]) -> Any:
        return fnp.tile(x, repeats)

    def concat(self, tensors: Sequence[Any], axis: int) -> Any:
        return fnp.concatenate(tensors, axis)

    def is_float_type(self, x: Any) -> bool:
        return is_inexact(x.dtype)

    def einsum(self, pattern: str, *x: Any) -> Any:
        return fnp.einsum(pattern, *x)
