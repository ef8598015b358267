"""`device_put` and `device_get`: trees to devices and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import tree
from ..backend.array import Array
from ..backend.client import Device, find_device
from ..backend.client import default_device as present_default
from ..config import config
from ..ops.placement import DevicePut
from .arguments import lift, strong

__all__ = ["block_until_ready", "default_device", "device_get", "device_put"]


def device_put(x: Any, device: str | Device | None = None) -> Any:
    """Move a tree of arrays to a device, committing it there: what is computed from it stays there.

    Args:
        x: a pytree of arrays or numbers.
        device: "cpu", "gpu:1" or a `Device`. Without one, the default device, and without committing the arrays to it.

    Returns:
        The tree with arrays on that device. Differentiable; the identity inside compiled functions.

    Raises:
        DeviceError: no such device.
    """
    if device is None:
        return tree.map(_on_default_device, x)
    operation = DevicePut(find_device(device))
    return tree.map(lambda leaf: operation(strong(lift(leaf))), x)


def _on_default_device(leaf: Any) -> Any:
    value = strong(lift(leaf))
    if isinstance(value, Array):
        value.buffer()
    return value


def device_get(x: Any) -> Any:
    """A tree of arrays as read-only NumPy arrays; other leaves pass unchanged."""
    return tree.map(lambda leaf: np.asarray(leaf) if isinstance(leaf, Array) else leaf, x)


def block_until_ready(x: Any) -> Any:
    """Wait until every array of a tree is computed; returns the tree."""
    for leaf in tree.leaves(x):
        if isinstance(leaf, Array):
            leaf.block_until_ready()
    return x


def default_device(device: str | Device | None = None) -> Any:
    """Where new arrays live; with an argument, a context that changes it for a `with` block.

    Args:
        device: "cpu", "gpu:1" or a `Device`.

    Returns:
        Without an argument the present default `Device`; else a context manager.

    Raises:
        DeviceError: no such device.
    """
    return present_default() if device is None else config(default_device=find_device(device))
