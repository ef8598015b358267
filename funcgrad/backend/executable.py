"""Compiled programs: compile a StableHLO module for a device, run it on buffers, look inside.

Every call into the engine is wrapped, so that a failure names the program, its call site and its shapes.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxlib import xla_client
from jaxlib._jax import DeviceList

from ..errors import EngineError
from ..source import Source
from .array import abstract_value
from .client import Device
from .host_calls import called_by_engine, only_run
from .stablehlo import Module

__all__ = ["Executable", "compile_count", "compile_module"]

_handler_arguments = (True, True) if "skip" in (inspect.getdoc(xla_client.array_result_handler) or "") else (True,)
_compiles = 0


def compile_count() -> int:
    """How many XLA compiles this process has asked for."""
    return _compiles


class Executable:
    """A compiled program on one device. Calling it takes and returns buffers.

    A program with checks returns one buffer more, their outcome; `pending_of` takes it off.
    """

    __slots__ = (
        "calls_python",
        "checks",
        "device",
        "execute",
        "handlers",
        "in_types",
        "loaded",
        "name",
        "out_types",
        "source",
    )

    def __init__(self, loaded: Any, module: Module, device: Device, source: Source | None) -> None:
        self.loaded = loaded
        self.execute = loaded.execute_sharded
        self.name = module.name
        self.in_types = module.in_types
        self.out_types = module.out_types
        self.checks = module.checks
        self.calls_python = bool(module.callbacks)
        self.device = device
        self.source = source
        self.handlers = [_result_handler(abstract_value(t), device) for t in module.out_types]

    def __call__(self, buffers: list[Any]) -> list[Any]:
        """Run: one buffer per input type, on this executable's device; one buffer per output type comes back."""
        if self.calls_python:
            return self._run_alone(buffers)
        try:
            return self.execute(buffers).consume_with_handlers(self.handlers)
        except Exception as error:  # the engine raises several unrelated classes
            raise self.failure("running", error) from None

    def _run_alone(self, buffers: list[Any]) -> list[Any]:
        """Run a program with callbacks until it is done. What a callback raised is raised here."""
        failure: Exception | None = None
        outs: list[Any] = []
        with only_run(self.name) as run:
            try:
                results = self.execute(buffers, with_tokens=True)
                results.consume_token().block_until_ready()
                outs = results.consume_with_handlers(self.handlers)
            except Exception as error:  # the engine raises several unrelated classes
                failure = error
        if run.error is not None:
            try:
                raise run.error  # outside of any `except`, which would become its context
            finally:
                del run, failure  # else the exception and this frame would keep each other alive
        if failure is not None:
            raise self.failure("running", failure) from None
        return outs

    def failure(self, doing: str, error: BaseException) -> EngineError:
        """The error for what the engine raised while doing something with it."""
        return _engine_error(doing, self.name, self.in_types, self.source, error)

    def text(self) -> str:
        """The optimised HLO."""
        return "\n".join(module.to_string() for module in self.loaded.hlo_modules())

    def cost_analysis(self) -> dict[str, float]:
        """What XLA estimates: flops, bytes accessed, …"""
        analysis = self.loaded.cost_analysis()
        return dict(analysis[0] if isinstance(analysis, list) else analysis)

    def memory_analysis(self) -> Any:
        """Bytes of arguments, outputs, temporaries and generated code."""
        return self.loaded.get_compiled_memory_stats()


def _result_handler(aval: Any, device: Device) -> Any:
    try:
        return xla_client.array_result_handler(aval, device.sharding, *_handler_arguments)
    except TypeError:
        other = (True,) if len(_handler_arguments) == 2 else (True, True)
        return xla_client.array_result_handler(aval, device.sharding, *other)


def compile_module(module: Module, device: Device, source: Source | None = None) -> Executable:
    """Compile for one device.

    Raises:
        EngineError: XLA refused; the message names the program, where it was called and its argument types.
    """
    global _compiles
    _compiles += 1
    options = xla_client.CompileOptions()
    options.num_replicas = 1
    options.num_partitions = 1
    build = options.executable_build_options
    build.num_replicas = 1
    build.num_partitions = 1
    if device.is_host and "optimization_barrier" in module.used and module.used.isdisjoint(("while", "case", "if")):
        _keep_barriers(build.debug_options)
    assignment = xla_client.DeviceAssignment.create(np.array([[device.engine_device.id]]))
    build.device_assignment = options.device_assignment = assignment
    try:
        devices = DeviceList((device.engine_device,))
        callbacks = [[called_by_engine(f) for f in module.callbacks]] if module.callbacks else []
        loaded = device.client.compile_and_load(module.module, devices, options, *callbacks)
    except Exception as error:  # the engine raises several unrelated classes
        raise _engine_error("compiling", module.name, module.in_types, source, error) from None
    return Executable(loaded, module, device, source)


def _keep_barriers(options: Any) -> None:
    """Let optimization barriers reach code generation: jaxlib 0.10 drops them on the CPU and then merges equal work.

    Code generation takes them at the top level only: inside of loops and branches it would abort the process.
    """
    chosen = options.xla_disable_hlo_passes
    options.xla_disable_hlo_passes = ",".join([*([chosen] if chosen else []), "cse_barrier_expander"])


def _engine_error(
    doing: str, name: str, types: Sequence[Any], source: Source | None, error: BaseException
) -> EngineError:
    shapes = ", ".join(map(str, types))
    return EngineError(f"{doing} program {name}({shapes}) failed in the engine:\n{error}", source)
