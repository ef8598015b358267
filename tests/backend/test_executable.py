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


def test_a_saved_program_runs_as_before() -> None:
    device = fg.devices("cpu")[0]
    module = fg.jit(lambda x: fnp.exp(x) * 1.75).lower(fnp.ones(9))._module
    made = executable.compile_module(module, device)
    before = compile_count()
    loaded = executable.load_executable(made.serialize(), module, device)
    assert compile_count() == before
    buffers = [fnp.linspace(0.0, 1.0, 9).buffer(device)]
    np.testing.assert_array_equal(loaded(buffers)[0], made(buffers)[0])


@pytest.mark.parametrize("blob", [b"", b"no program", bytes(1000)])
def test_what_is_no_saved_program_is_refused(blob: bytes) -> None:
    module = fg.jit(lambda x: x * 1.75).lower(fnp.ones(9))._module
    with pytest.raises(errors.EngineError, match=r"what was saved of program .* cannot be loaded:\n"):
        executable.load_executable(blob, module, fg.devices("cpu")[0])


class Unsaveable:
    """Stands for a loaded program of an engine that cannot save any."""

    def serialize(self) -> bytes:
        raise ValueError("not implemented")


def test_a_program_that_cannot_be_saved_says_so() -> None:
    made = executable.compile_module(fg.jit(lambda x: x * 1.75).lower(fnp.ones(9))._module, fg.devices("cpu")[0])
    made.loaded = Unsaveable()
    with pytest.raises(errors.EngineError, match=r"serializing program .* failed in the engine:\nnot implemented"):
        made.serialize()
