"""Array: an immutable value with a host view and/or a device buffer, each made when first needed.

Eager CPU work touches the host view (a NumPy array); compiled programs take and return buffers (jax.Array, used as a
PJRT buffer only). Buffer to host is zero-copy on CPU; host to buffer is zero-copy when the memory is 64-byte aligned
and C-contiguous, else one copy. What a user hands in was copied before it got here, so a value never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any

import jax
import jax.core
import jax.dlpack
import ml_dtypes  # noqa: F401  (registers the dtype names with NumPy)
import numpy as np
from jaxlib import xla_client
from jaxlib._jax import DeviceList

from ..core.interface import ArrayInterface
from ..core.interned import Interned
from ..core.program import Literal, install_literals
from ..core.types import ArrayType
from ..errors import EngineError
from .client import Device, default_device, find_device
from .donated import Donated
from .failures import read, wait_for
from .pending import Pending

__all__ = [
    "Array",
    "Placed",
    "aligned_copy",
    "copy_buffer",
    "from_buffer",
    "from_buffers",
    "import_dlpack",
    "printable",
    "representation",
    "splat_array",
]

_ALIGNMENT = 64
_ALIGN_FROM = 1 << 12  # below this many bytes a copy costs less than aligning


class Placed(Interned):
    """A type, the device that a buffer of it is on, and whether it is committed there: a dispatch key."""

    type: ArrayType
    place: Device
    committed: bool


class Array(ArrayInterface):
    """An immutable array of one numeric dtype.

    Made by `funcgrad.numpy` functions, never by calling this class. Attributes and methods follow NumPy's; those
    that compute are supplied by `numpy/array_methods.py`.
    """

    __slots__ = ("__weakref__", "_buffer", "_device", "_host", "_pending", "_placed", "_type")
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        host: np.ndarray | None,
        buffer: Any = None,
        type: ArrayType | None = None,
        device: Device | None = None,
        placed: Placed | None = None,
        pending: Pending | None = None,
    ) -> None:
        self._host = host
        self._buffer = buffer
        self._type = type
        self._device = device  # where it is committed; None: nowhere
        self._placed = placed  # where its buffer is; None: it has none
        self._pending = pending  # the checks that must hold before it may be read; None: none

    # -- type ----------------------------------------------------------------------------------------------------

    @property
    def type(self) -> ArrayType:
        found = self._type
        if found is None:
            host = self._host
            found = self._type = ArrayType(host.shape, host.dtype, False)  # type: ignore[union-attr]
        return found

    @property
    def shape(self) -> tuple[int, ...]:
        return self._host.shape if self._host is not None else self._type.shape  # type: ignore[union-attr]

    @property
    def dtype(self) -> np.dtype:
        return self._host.dtype if self._host is not None else self._type.dtype  # type: ignore[union-attr]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return self.type.size

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    # -- representations -----------------------------------------------------------------------------------------

    def host(self) -> np.ndarray:
        """The value on the host. Not for users: it may be writeable memory that other arrays share."""
        host = self._host
        if host is None:
            self.require_value()
            if self._pending is not None:
                self.require_checks()
            host = self._host = read(self._buffer, self._described)
        return host

    def buffer(self, device: Device | None = None) -> Any:
        """The engine's buffer of this value on `device` (by default where the array lives)."""
        device = device or self.device
        placed = self._placed
        if placed is not None:
            return self._buffer if placed.place is device else put(self._buffer, self.type, device)
        self._buffer = put(self.host(), self.type, device)
        self._placed = Placed(self.type, device, self._device is not None)
        return self._buffer

    def require_checks(self) -> None:
        """Wait for the checks of the compiled calls that this value comes from; raise the error of one that failed."""
        pending = self._pending
        if pending is not None:
            pending.require()
            self._pending = None

    def splat(self) -> np.ndarray | None:
        """The one scalar that fills this array, as a 0-d NumPy array, if that is apparent; else None."""
        host = self._host
        if host is None:
            self.require_value()
            return None
        if host.ndim == 0:
            return host
        if host.size == 0:
            return np.zeros((), host.dtype)
        if host.size == 1 or not any(host.strides):
            return host[(0,) * host.ndim + (...,)]
        return None

    # -- donation ------------------------------------------------------------------------------------------------

    def donate(self, record: Donated) -> None:
        """Give the value away: from now on every use raises the record's error. Shape, dtype and device stay."""
        self._type = self.type
        self._host, self._buffer, self._placed, self._pending = None, record, None, None

    def require_value(self) -> None:
        """Raise the error of an array that was donated."""
        if type(self._buffer) is Donated:
            raise self._buffer.error(self.type)

    def twin(self) -> Array:
        """Another array of the same value, which outlives the donation of this one."""
        self.require_value()
        return Array(self._host, self._buffer, self._type, self._device, self._placed, self._pending)

    @property
    def device(self) -> Device:
        """Where the array lives."""
        return self._device or default_device()

    def devices(self) -> set[Device]:
        return {self.device}

    def block_until_ready(self) -> Array:
        """Wait until the value is computed; returns this array. Raises the error of a check that failed on the way."""
        buffer: Any = self._buffer
        if buffer is not None:
            self.require_value()
            wait_for(buffer, self._described)
        self.require_checks()
        return self

    def _described(self) -> str:
        return f"a value of type {self.type} from {self.device}"

    # -- protocols -----------------------------------------------------------------------------------------------

    def read_only(self) -> np.ndarray:
        """A NumPy view that cannot be made writeable."""
        host = self.host()
        if host.flags.writeable:
            base = host
            while isinstance(base, np.ndarray):
                base.flags.writeable = False
                base = base.base
        return host.view()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        view = self.read_only()
        if dtype is not None and np.dtype(dtype) != view.dtype:
            if copy is False:
                raise ValueError(f"changing dtype from {view.dtype} to {np.dtype(dtype)} needs a copy")
            return view.astype(dtype)
        return view.copy() if copy else view

    def __buffer__(self, flags: int) -> memoryview:
        return memoryview(self.read_only())  # type: ignore[arg-type]

    def __dlpack__(
        self,
        /,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A DLPack capsule of this array, for another library's `from_dlpack`.

        Without a version of 1.0 or later, capsules cannot say that memory is read-only: then who takes one must not
        write to it.
        """
        self.require_checks()
        versioned = max_version is not None and tuple(max_version) >= (1, 0)
        if versioned and self._host is not None and self.dtype.isbuiltin == 1 and self.device.is_host:
            return self.read_only().__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)
        # Below 1.0 there is one layout, and the engine refuses some of its versions.
        options = {"stream": stream, "max_version": max_version if versioned else None, "copy": copy}
        buffer = self.buffer()
        if self.device.is_host:  # elsewhere who takes it waits by the device's own means
            wait_for(buffer, self._described)
        return buffer.__dlpack__(**options, dl_device=dl_device)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.buffer().__dlpack_device__()

    def __copy__(self) -> Array:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Array:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        host = self.host()
        return _unpickled, (np.ascontiguousarray(host).tobytes(), host.shape, host.dtype.name)

    def __repr__(self) -> str:
        if type(self._buffer) is Donated:
            return f"Array(<donated>, shape={self.shape}, dtype={self.dtype.name})"
        return representation(self.host())

    def __str__(self) -> str:
        return str(printable(self.host()))

    def __format__(self, spec: str) -> str:
        return format(self.host().item() if self.ndim == 0 else str(self), spec)


def representation(host: np.ndarray, **options: Any) -> str:
    """The text of a value that names its dtype, by NumPy's options for printing, or by those given."""
    body = np.array2string(printable(host), separator=", ", prefix="Array(", **options)
    if host.size == 0 and host.shape != (0,):
        body += f", shape={host.shape}"
    return f"Array({body}, dtype={host.dtype.name})"


def printable(host: np.ndarray) -> np.ndarray:
    """The value in a dtype whose numbers NumPy prints as such: it shows those of the ml_dtypes as records."""
    return (
        host.astype(np.float32) if host.dtype.kind == "V" or host.dtype.name.startswith(("bfloat", "float8")) else host
    )


def _unpickled(data: bytes, shape: tuple[int, ...], dtype: str) -> Array:
    return Array(aligned_copy(np.frombuffer(data, np.dtype(dtype)).reshape(shape)))


def from_buffer(buffer: Any, type: ArrayType, place: Device, committed: bool, pending: Pending | None = None) -> Array:
    """An array of what a compiled program returned on `place`, and the checks that it is subject to."""
    return Array(None, buffer, type, place if committed else None, Placed(type, place, committed), pending)


def from_buffers(
    buffers: Sequence[Any],
    types: Sequence[ArrayType],
    placed: Sequence[Placed],
    device: Device | None,
    pending: Pending | None = None,
) -> list[Array]:
    """Arrays of what a compiled program returned, committed to `device` if that is one."""
    # Hot: calling the class for each result would take twice as long (benchmark: dispatch).
    arrays = list(map(object.__new__, repeat(Array, len(buffers))))
    for array, buffer, type, where in zip(arrays, buffers, types, placed, strict=False):
        array._host = None
        array._buffer = buffer
        array._type = type
        array._device = device
        array._placed = where
        array._pending = pending
    return arrays


def aligned_copy(source: np.ndarray) -> np.ndarray:
    """A C-contiguous copy in our own memory, 64-byte aligned when it is large enough to matter."""
    if source.nbytes < _ALIGN_FROM:
        return np.array(source, order="C")
    raw = np.empty(source.nbytes + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    copy = raw[start : start + source.nbytes].view(source.dtype).reshape(source.shape)
    np.copyto(copy, source)
    return copy


def splat_array(value: Any, type: ArrayType, device: Device | None = None) -> Array:
    """An array of `type` filled with one scalar; it costs no memory until someone writes it out."""
    scalar = np.array(value, type.dtype)  # a copy: the value may be the user's
    if type.shape:
        raw = scalar if type.dtype.isbuiltin == 1 else scalar.reshape(1).view(np.uint8)
        scalar = np.ndarray(type.shape, type.dtype, raw, 0, (0,) * len(type.shape))
    return Array(scalar, None, type, device)


def _literal_array(literal: Literal) -> Array:
    return splat_array(literal.value, literal.type)


install_literals(_literal_array)


# -- host to device ----------------------------------------------------------------------------------------------


def new_abstract_value(type: ArrayType) -> Any:
    """The engine's label for a type. The engine believes any label: this is the only place that makes them."""
    return jax.core.ShapedArray(type.shape, type.dtype)


abstract_value = lru_cache(maxsize=1 << 14)(new_abstract_value)


_WIDE = frozenset(np.dtype(t) for t in (np.int64, np.uint64, np.float64, np.complex128))


def put(value: Any, type: ArrayType, device: Device) -> Any:
    """A buffer on `device` with a host value (zero-copy on CPU if aligned and contiguous) or another buffer's value."""
    arguments = (abstract_value(type), device.sharding, [value], [device.engine_device], True)
    try:
        if type.dtype not in _WIDE:
            return xla_client.batched_device_put(*arguments)
        with jax.enable_x64(True):  # thread-local: otherwise 64-bit values are truncated under a 64-bit label
            return xla_client.batched_device_put(*arguments)
    except Exception as error:  # the engine raises several unrelated classes
        raise EngineError(f"moving a value of type {type} to {device} failed:\n{error}") from None


def import_dlpack(x: Any, copy: bool) -> Array:
    """An array of what another library holds in an engine's memory, where it is."""
    with jax.enable_x64(True):  # otherwise 64-bit values are refused
        try:
            buffer = jax.dlpack.from_dlpack(x)
        except Exception as error:  # the engine raises several unrelated classes
            raise EngineError(f"from_dlpack: the engine does not take this {type(x).__name__}: {error}") from None
    place = find_device(next(iter(buffer.devices())))
    made = ArrayType(buffer.shape, np.dtype(buffer.dtype))
    return from_buffer(copy_buffer(buffer, place) if copy else buffer, made, place, not place.is_host)


def copy_buffer(buffer: Any, device: Device) -> Any:
    """Another buffer of the same value on the same device, which shares no memory with it."""
    devices = DeviceList((device.engine_device,))
    copies = xla_client.batched_copy_array_to_devices_with_sharding(
        [buffer], [devices], [device.sharding], [xla_client.ArrayCopySemantics.ALWAYS_COPY]
    )
    return copies[0]


def to_device(array: Array, device: Device) -> Array:
    """The same value, committed to `device`."""
    array.require_value()
    if array._device is device:
        return array
    host = array.host() if device.is_host else array._host
    placed = array._placed
    if placed is not None and (placed.place is device or host is None):
        return from_host_or_buffer(host, array.buffer(device), array.type, device, array._pending)
    if device.is_host:
        return Array(host, None, array.type, device)
    return from_host_or_buffer(host, put(array.host(), array.type, device), array.type, device)


def from_host_or_buffer(
    host: np.ndarray | None, buffer: Any, type: ArrayType, device: Device, pending: Pending | None = None
) -> Array:
    """An array committed to `device` that has a buffer there, and perhaps a host view."""
    return Array(host, buffer, type, device, Placed(type, device, True), pending)
