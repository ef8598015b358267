"""What a library may ask of the namespace by the Array API standard: devices, dtypes, defaults and limits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend.client import Device, default_device, devices, find_device, platforms
from ..core import dtypes
from ..core.dtypes import default_complex, default_float, default_int
from .types import isdtype

__all__ = ["NamespaceInfo", "__array_namespace_info__"]

# The standard names no others; bfloat16, float16 and the float8 family are ours besides.
_STANDARD = (dtypes.BOOL, *dtypes.INTEGERS, dtypes.FLOAT32, dtypes.FLOAT64, *dtypes.COMPLEXES)


class NamespaceInfo:
    """What this namespace can do, where it computes, and in which dtypes."""

    def capabilities(self) -> dict[str, Any]:
        """The optional parts of the standard.

        Boolean indices and shapes that depend on data are for values that are known; under `jit` they need `size=`.

        Returns:
            "boolean indexing" and "data-dependent shapes", both true, and "max dimensions", that of NumPy.
        """
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Device:
        """Where new arrays live."""
        return default_device()

    def devices(self) -> tuple[Device, ...]:
        """Every device of every platform that is present, the default platform's first."""
        return tuple(device for platform in platforms() for device in devices(platform))

    def default_dtypes(self, *, device: Any = None) -> dict[str, np.dtype]:
        """The dtypes of Python numbers and of indices, as the settings `default_float` and `default_int` have them.

        Args:
            device: all devices have the same.

        Raises:
            DeviceError: no such device.
        """
        _require_device(device)
        return {
            "real floating": default_float(),
            "complex floating": default_complex(),
            "integral": default_int(),
            "indexing": default_int(),
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, np.dtype]:
        """The dtypes of the standard by name.

        Args:
            device: all devices have the same.
            kind: only those of a kind ("bool", "signed integer", "unsigned integer", "integral", "real floating",
                "complex floating", "numeric"), or of several.

        Raises:
            DeviceError: no such device.
            DTypeError: no such kind.
        """
        _require_device(device)
        return {dtype.name: dtype for dtype in _STANDARD if kind is None or isdtype(dtype, kind)}


def _require_device(device: Any) -> None:
    if device is not None:
        find_device(device)


def __array_namespace_info__() -> NamespaceInfo:
    """What this namespace can do, where it computes, and in which dtypes."""
    return NamespaceInfo()
