"""Platforms, devices and plug-ins: PJRT clients by name, and what is placed where.

A CUDA or TPU plug-in that JAX knows is found by the same code as the CPU client.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.sharding

from ..config import config
from ..errors import DeviceError

__all__ = ["Device", "default_device", "devices", "find_device", "platforms"]

_ALIASES = {
    "gpu": ("gpu", "cuda", "rocm"),
    "cuda": ("cuda", "gpu"),
    "rocm": ("rocm", "gpu"),
    "tpu": ("tpu",),
    "cpu": ("cpu",),
}


class Device:
    """One device: `platform` ("cpu", "gpu", "tpu"), `id` among the devices of that platform, `kind`.

    Prints and compares as its name, such as `cpu:0`. There is one object a device.
    """

    __slots__ = ("__weakref__", "client", "engine_device", "id", "is_host", "kind", "platform", "sharding")

    def __init__(self, engine_device: Any, number: int) -> None:
        self.engine_device = engine_device
        self.client = engine_device.client
        self.platform: str = "gpu" if engine_device.platform in ("cuda", "rocm") else engine_device.platform
        self.id = number
        self.kind: str = engine_device.device_kind
        self.is_host = self.platform == "cpu"
        self.sharding = jax.sharding.SingleDeviceSharding(engine_device)

    @property
    def name(self) -> str:
        return f"{self.platform}:{self.id}"

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return find_device, (self.name,)


@functools.lru_cache(maxsize=8)
def _devices(platform: str | None) -> tuple[Device, ...]:
    failures = []
    for name in _ALIASES.get(platform, (platform,)) if platform else (None,):
        try:
            return tuple(_wrap(device, number) for number, device in enumerate(jax.local_devices(backend=name)))
        except RuntimeError as error:
            failures.append(str(error))
    raise DeviceError(
        f"there is no platform {platform!r} here; there are: {', '.join(map(str, _present()))}. "
        f"The engine says: {failures[-1].splitlines()[0]}"
    )


@functools.lru_cache(maxsize=4096)
def _wrap(engine_device: Any, number: int) -> Device:
    return Device(engine_device, number)


def _present() -> list[Device]:
    found = list(_devices(None))
    if not any(device.is_host for device in found):
        found.extend(_devices("cpu"))
    return found


def platforms() -> list[str]:
    """Names of the platforms that are present, the default one first."""
    return list(dict.fromkeys(device.platform for device in _present()))


def devices(platform: str | None = None) -> list[Device]:
    """The devices of a platform; without one, those of the default platform.

    Raises:
        DeviceError: no such platform here.
    """
    return list(_devices(platform))


def find_device(device: str | Device | Any) -> Device:
    """The device meant by "cpu", "gpu:1", a `Device` or an engine device.

    Raises:
        DeviceError: no such device; the message lists those there are.
    """
    if isinstance(device, Device):
        return device
    if isinstance(device, str):
        platform, _, number = device.partition(":")
        index = int(number) if number.isdigit() else 0 if not number else -1
        if platform in _ALIASES and index >= 0:
            try:
                found = _devices(platform)
            except DeviceError:
                found = ()
            if index < len(found):
                return found[index]
    else:
        for candidate in _present():
            if candidate.engine_device is device:
                return candidate
    raise DeviceError(f"there is no device {device!r}; there are: {', '.join(map(str, _present()))}")


def default_device() -> Device:
    """Where new arrays live and uncommitted computations run: `config.default_device`, else the platform's first."""
    chosen = config.current.default_device
    return _devices(None)[0] if chosen is None else find_device(chosen)
