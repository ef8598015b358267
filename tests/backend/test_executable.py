"""The engine: what it refuses is wrapped, and names the program, its call site and its shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.backend import array, executable
from funcgrad.backend.executable import Executable, compile_count


class Refusing:
    """Stands for an engine that fails."""

    def compile_and_load(self, *args: Any) -> Any:
        raise RuntimeError("INTERNAL: out of luck")

    def execute_sharded(self, *args: Any) -> Any:
        raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")


def test_a_failing_compilation_names_program_call_site_and_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlucky(x: Any, y: Any) -> Any:
        return fnp.tan(x) + y

    device = fg.devices("cpu")[0]
    monkeypatch.setattr(device, "client", Refusing())
    with pytest.raises(errors.EngineError) as caught:
        fg.jit(unlucky)(fnp.ones((2, 3)), 1.0)
    assert caught.value.source is not None
    assert caught.value.source.text == "fg.jit(unlucky)(fnp.ones((2, 3)), 1.0)"
    assert caught.value.message == (
        "compiling program unlucky(f32[2,3], f32[]*) failed in the engine:\nINTERNAL: out of luck"
    )


def test_a_failing_run_names_program_and_shapes() -> None:
    function = fg.jit(lambda x: x * 3)
    function(fnp.ones(5))
    (dispatch, *_) = function._dispatches.values()
    broken: Executable = dispatch.executable
    run, broken.execute = broken.execute, Refusing().execute_sharded
    try:
        with pytest.raises(errors.EngineError) as caught:
            function(fnp.ones(5))
    finally:
        broken.execute = run
    assert "(f32[5]) failed in the engine:\nRESOURCE_EXHAUSTED: out of memory" in caught.value.message
    np.testing.assert_array_equal(function(fnp.ones(5)), np.full(5, 3))


def test_a_failing_transfer_names_type_and_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise ValueError("no room")

    monkeypatch.setattr(array.xla_client, "batched_device_put", refuse)
    with pytest.raises(errors.EngineError, match=r"moving a value of type f32\[7\] to cpu:0 failed:\nno room"):
        fnp.ones(7).buffer()


def test_compilations_are_counted() -> None:
    before = compile_count()
    fg.jit(lambda x: x * 1.2345 + 7)(fnp.ones(11))
    assert compile_count() == before + 1


def test_the_result_handler_is_found_for_this_engine() -> None:
    assert executable._handler_arguments in ((True,), (True, True))
