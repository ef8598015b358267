"""The bottom interpreter: NumPy on the host with no compile; one-op compiled programs for accelerators.

NumPy's floating-point warnings are silenced by running inside a private context per thread, which costs next to
nothing and leaves the user's settings alone.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend.array import Array, from_buffer
from ..backend.client import Device, default_device, devices
from ..backend.pending import inherited, watch
from ..config import config
from ..core.dtypes import is_inexact
from ..core.primitive import Primitive, infer
from ..core.program import Equation, Program, Var
from ..core.trace import Trace, Tracer, install_bottom, leaked, state
from ..core.types import ArrayType
from ..errors import CheckError, DeviceError
from ..source import Source
from .cache import compile_program

__all__ = ["EvaluateTrace", "common_device", "evaluation", "quiet"]


_ndarray, _asarray = np.ndarray, np.asarray


class Silence(threading.local):
    """`silence.run(function, *args)` calls a NumPy function with its floating-point warnings off."""

    def __init__(self) -> None:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        self.run = context.run


silence = Silence()


def quiet(function: Callable[..., Any], *args: Any) -> Any:
    """Call a NumPy function with its floating-point warnings off."""
    return silence.run(function, *args)


class EvaluateTrace(Trace):
    """Computes.

    Attributes:
        host_only: True where this process has no accelerator, so that arrays without a device live on the host.
            None until the first operation asks; False while results are checked for NaN.
        careful: True while `config.check_nans` is on anywhere in the process.
    """

    __slots__ = ("careful", "host_only")

    def __init__(self) -> None:
        super().__init__(None, "eager evaluation")
        self.host_only: bool | None = None
        self.careful = False

    def process(self, op: Primitive, args: tuple[Any, ...]) -> tuple[Any, ...]:
        # Hot: every eager operation passes here (benchmark: eager).
        if not self.host_only or not op.plain:
            return self.process_general(op, args)
        hosts = []
        for arg in args:
            if type(arg) is not Array or arg._device is not None:
                return self.process_general(op, args)
            host = arg._host
            hosts.append(host if host is not None else arg.host())
        if op.kernel is not None:
            results = (silence.run(op.kernel, *hosts),)
        else:
            results = silence.run(op.evaluate, *hosts)
        if len(results) == 1:
            result = results[0]
            return (Array(result if type(result) is _ndarray else _asarray(result)),)
        return tuple([Array(r if type(r) is _ndarray else _asarray(r)) for r in results])

    def process_general(self, op: Primitive, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Any operands and devices."""
        if self.host_only is None:
            self.host_only = devices()[0].is_host
        if self.careful and config.current.check_nans and not op.runs_itself:
            results = self._compute(op, args)
            for result in results:
                _require_finite(op.name, result.host())
            return results
        return self._compute(op, args)

    def be_careful(self, careful: bool) -> None:
        """Take the general way for every operation, or stop doing so."""
        self.careful = careful
        self.host_only = False if careful else None

    def _compute(self, op: Primitive, args: tuple[Any, ...]) -> tuple[Any, ...]:
        arrays = tuple(_as_array(arg) for arg in args)
        if op.runs_itself:
            return op.run(arrays)
        device = common_device(op.name, arrays)
        if not (device or default_device()).is_host:
            return _run_compiled(op, arrays, device)
        operands = [array.host() for array in arrays]
        results = op.evaluate(*operands) if op.interprets else silence.run(op.evaluate, *operands)
        hosts = [r if type(r) is np.ndarray else np.asarray(r) for r in results]
        if op.plain:
            return tuple(Array(host, None, None, device) for host in hosts)
        types = infer(op, *(array.type for array in arrays))
        return tuple(Array(host, None, type, device) for host, type in zip(hosts, types, strict=True))


def _require_finite(what: str, result: np.ndarray) -> None:
    if is_inexact(result.dtype) and not np.isfinite(result).all():
        raise not_finite(what, bool(np.isnan(result).any()), state.source)


def not_finite(what: str, nan: bool, source: Source | None) -> CheckError:
    """The error for an operation whose result is not finite."""
    return CheckError(f"the result of {what} has {'NaN' if nan else 'an infinity'} in it", source)


def _as_array(value: Any) -> Array:
    if isinstance(value, Array):
        return value
    if isinstance(value, Tracer):
        raise leaked(value)
    return Array(np.asarray(value))


def common_device(name: str, arrays: tuple[Array, ...]) -> Device | None:
    """The device that the committed operands share; None if none is committed.

    Raises:
        DeviceError: operands committed to different devices.
    """
    found = None
    for array in arrays:
        device = array._device
        if device is not None and device is not found:
            if found is not None:
                raise DeviceError(
                    f"{name}: operands live on different devices, {found} and {device}. "
                    f"Move one of them first: fg.device_put(x, {str(found)!r})."
                )
            found = device
    return found


def _run_compiled(op: Primitive, arrays: tuple[Array, ...], device: Device | None) -> tuple[Array, ...]:
    """One operation as a compiled program on an accelerator."""
    place = device or default_device()
    types = tuple(array.type for array in arrays)
    executable = compile_program(one_operation_program(op, types), place)
    parents = inherited(arrays) if watch.on else ()
    buffers, pending = executable.run([array.buffer(place) for array in arrays], parents)
    return tuple(
        from_buffer(b, t, place, device is not None, pending)
        for b, t in zip(buffers, executable.out_types, strict=False)  # which end with the outcome of the checks
    )


def one_operation_program(op: Primitive, types: tuple[ArrayType, ...]) -> Program:
    """The program that only applies `op`."""
    inputs = [Var(t) for t in types]
    outputs = [Var(t) for t in infer(op, *types)]
    return Program(inputs, (), [Equation(op, inputs, outputs, None)], outputs, op.name)


evaluation = EvaluateTrace()
install_bottom(evaluation)
config.listen_to_check_nans(evaluation.be_careful)
