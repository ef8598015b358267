"""The current interpreter: one a thread, restored after errors; tracers that escape are named."""

from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.core.trace import bottom, named_axes, state

TRANSFORMATIONS = {
    "jit": fg.jit,
    "grad": fg.grad,
    "vmap": fg.vmap,
    "jacfwd": fg.jacfwd,
    "linearize": lambda f: lambda x: fg.linearize(f, x),
    "jvp": lambda f: lambda x: fg.jvp(f, (x,), (x,)),
}


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_an_escaped_tracer_is_an_error_that_names_both_places(name: str) -> None:
    kept: list[Any] = []

    def leaky(x: Any) -> Any:
        kept.append(fnp.exp(x))
        return fnp.sum(x)

    TRANSFORMATIONS[name](leaky)(fnp.ones(3))
    with pytest.raises(errors.LeakedTracerError) as caught:
        kept[0] * 2
    assert caught.value.source is not None
    assert caught.value.source.text == "kept[0] * 2"
    made = caught.value.message.splitlines()[1]
    assert made.startswith("It was made ")
    assert "leaky" in caught.value.message
    assert "which has ended" in caught.value.message


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_an_error_inside_restores_the_interpreter(name: str) -> None:
    class Mine(Exception):
        pass

    def failing(x: Any) -> Any:
        raise Mine

    with pytest.raises(Mine):
        TRANSFORMATIONS[name](failing)(fnp.ones(3))
    assert state.trace is bottom()


def test_a_tracer_of_another_thread_is_refused() -> None:
    caught: list[Any] = []

    def function(x: Any) -> Any:
        def use() -> None:
            try:
                x * 2
            except errors.LeakedTracerError as error:
                caught.append(error.message)

        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        return x

    fg.jit(function)(1.0)
    assert len(caught) == 1
    assert "not running in this thread" in caught[0]


def test_tracers_print_copy_and_format() -> None:
    seen = []

    def function(x: Any) -> Any:
        seen.extend([repr(x), f"{x}", f"{x:.2f}", copy.deepcopy({"a": x})["a"] is x])
        return x

    fg.grad(function)(1.5)
    described = f"Tracer(f32[]*, grad of function ({__file__}:{function.__code__.co_firstlineno}))"
    assert seen == [described, described, "1.50", True]
    with pytest.raises(errors.ConcretizationError, match=r"formatting with '\.2f' needs the value"):
        fg.jit(lambda x: f"{x:.2f}")(1.0)


def test_named_axes() -> None:
    seen = []
    fg.vmap(fg.vmap(lambda x: (seen.append(named_axes()), x)[1], axis_name="j"), axis_name="i")(fnp.ones((2, 3)))
    assert seen == [{"j": 3, "i": 2}]
    assert named_axes() == {}


def test_eight_threads_trace_and_evaluate_at_once() -> None:
    """Every thread does its own mixture of transformations; a shared interpreter would mix them up."""
    barrier = threading.Barrier(8)

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        barrier.wait()
        for step in range(5):
            x = rng.normal(size=(3, 4)).astype(np.float32)
            scale = float(seed + step)

            def function(row: Any, scale: float = scale) -> Any:
                return fnp.sum(fnp.tanh(row) * scale)

            expected = (1 - np.tanh(x) ** 2) * scale
            np.testing.assert_allclose(fg.vmap(fg.grad(function))(x), expected, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(fg.jit(fg.vmap(fg.grad(function)))(x), expected, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(fg.jvp(function, (x[0],), (x[1],))[1], expected[0] @ x[1], rtol=1e-3, atol=1e-4)
            assert state.trace is bottom()

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, seed) for seed in range(8)]:
            done.result()


def test_settings_of_one_thread_do_not_reach_another() -> None:
    seen = []
    with fg.config(default_float="float64"):
        thread = threading.Thread(target=lambda: seen.append(fnp.zeros(1).dtype.name))
        thread.start()
        thread.join()
        assert fnp.zeros(1).dtype.name == "float64"
    assert seen == ["float32"]


def test_warnings_and_settings_of_numpy_are_left_alone() -> None:
    before = np.geterr()
    with np.errstate(all="raise"):
        assert not np.isfinite(np.asarray(fnp.log(fnp.zeros(2)))).any()
        assert np.geterr()["divide"] == "raise"
    assert np.geterr() == before
