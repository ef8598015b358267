"""A tiered start: whenever the compiled program takes over, results, errors and effects are as in the ordinary mode."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.backend.executable import compile_count
from funcgrad.compiler import cache, tiered
from funcgrad.compiler.compiling import Compilation
from funcgrad.compiler.tiered import Tiered
from tests.backend.subprocesses import run_python
from tests.control_flow_programs import Block, blocks
from tests.programs import SHAPE, RandomProgram, random_programs

PATIENCE = 20.0  # seconds after which a test gives up


class Gate:
    """Holds every compile until it is opened."""

    def __init__(self) -> None:
        self.executable_of = cache.executable_of
        self.opened = threading.Event()
        self.failure: errors.EngineError | None = None

    def __call__(self, *args: Any) -> Any:
        assert self.opened.wait(PATIENCE)
        if self.failure is not None:
            raise self.failure
        return self.executable_of(*args)


@pytest.fixture(scope="module")
def patched() -> Iterator[Gate]:
    """The gate, for tests that Hypothesis runs many times."""
    gate = Gate()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "executable_of", gate)
        patch.setattr(tiered, "_GRACE", 0.0)
        yield gate
        gate.opened.set()


@pytest.fixture
def gate(patched: Gate) -> Iterator[Gate]:
    patched.opened.clear()
    patched.failure = None
    yield patched
    patched.opened.set()
    Compilation("nothing", lambda: None, background=True).wait(PATIENCE)  # after all that was begun before


def now_compiled(function: Any, gate: Gate) -> None:
    """Open the gate, and wait until all that the function has begun is compiled."""
    gate.opened.set()
    for dispatch in set(function._dispatches.values()):
        if type(dispatch.executable) is Tiered:
            assert dispatch.executable._compilation.wait(PATIENCE)


def serves(function: Any) -> str:
    """Who runs the function's only program."""
    (dispatch,) = set(function._dispatches.values())
    return "numpy" if type(dispatch.executable) is Tiered else "compiled"


# -- laws --------------------------------------------------------------------------------------------------------------


def same_throughout(function: Callable[..., Any], arguments: list[tuple[Any, ...]], switch: int, gate: Gate) -> None:
    """Call it with each of the arguments; the compiled program is there before call number `switch`."""
    gate.opened.set()
    expected = [fg.jit(function)(*args) for args in arguments]
    fg.clear_caches()
    gate.opened.clear()
    started = fg.jit(function, tiered=True)
    for number, (args, wanted) in enumerate(zip(arguments, expected, strict=True)):
        if number == switch:
            now_compiled(started, gate)
        found = started(*args)
        assert serves(started) == ("compiled" if 0 < switch <= number else "numpy")
        assert fg.tree.structure(found) == fg.tree.structure(wanted)
        for one, two in zip(fg.tree.leaves(found), fg.tree.leaves(wanted), strict=True):
            assert (one.type, one._placed, one._device) == (two.type, two._placed, two._device)
            scale = max(1.0, float(np.max(np.abs(np.asarray(two)))))
            np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-9 * scale)
    now_compiled(started, gate)


def points(seed: int, count: int, *shapes: tuple[int, ...]) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    return [tuple(fnp.asarray(rng.uniform(-1.5, 1.5, shape)) for shape in shapes) for _ in range(count)]


@given(random_programs(), st.integers(0, 10_000), st.integers(0, 3))
def test_every_call_is_as_in_the_ordinary_mode(patched: Gate, program: RandomProgram, seed: int, switch: int) -> None:
    same_throughout(program, points(seed, 3, SHAPE), switch, patched)


@settings(max_examples=max(settings().max_examples // 3, 1))
@given(blocks(), st.integers(0, 10_000))
def test_so_it_is_with_control_flow(patched: Gate, program: Block, seed: int) -> None:
    same_throughout(program, points(seed, 2, (3,), ()), 1, patched)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "bfloat16", "float16", "float64", "complex64"])
def test_types_and_places_are_the_same(gate: Gate, dtype: str) -> None:
    def function(x: Any, n: Any) -> Any:
        return {"both": fnp.concatenate([x, x]), "same": x, "three": fnp.zeros(3, dtype), "number": n * 2}

    given_ = fg.device_put(fnp.ones(2, dtype), "cpu"), 1.5
    found = fg.jit(function, tiered=True)(*given_)
    gate.opened.set()
    wanted = fg.jit(function)(*given_)
    for name, value in wanted.items():
        assert (found[name].type, found[name]._placed) == (value.type, value._placed), name
        np.testing.assert_array_equal(found[name], value)
        assert found[name]._device is value._device is not None


# -- taking over -------------------------------------------------------------------------------------------------------


def test_numpy_serves_until_the_compiled_program_takes_over(gate: Gate) -> None:
    function, before = fg.jit(lambda x: fnp.sin(x) * 19.0, tiered=True), compile_count()
    served = [float(function(1.0)) for _ in range(3)]
    assert (serves(function), compile_count()) == ("numpy", before)
    now_compiled(function, gate)
    served.append(float(function(1.0)))
    assert (serves(function), compile_count()) == ("compiled", before + 1)
    np.testing.assert_allclose(served, 19 * np.sin(1.0), rtol=1e-6)
    info = function.cache_info()
    assert (info.calls, info.traces, info.programs) == (4, 1, 1)


def test_what_is_quick_or_there_already_is_used_at_once(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiered, "_GRACE", PATIENCE)
    gate.opened.set()
    first = fg.jit(lambda x: x * 19.125, tiered=True)
    assert float(first(2.0)) == 38.25
    assert serves(first) == "compiled"
    gate.opened.clear()
    second = fg.jit(lambda y: y * 19.125, tiered=True)
    assert float(second(2.0)) == 38.25
    assert serves(second) == "compiled"


def test_the_setting_and_the_option(gate: Gate) -> None:
    def function(x: Any) -> Any:
        return x * 19.25

    with fg.config(tiered=True):
        by_setting = fg.jit(function)
        by_setting(1.0)
        assert serves(by_setting) == "numpy"
    assert fg.config.tiered is False
    now_compiled(by_setting, gate)
    with fg.config(tiered=True):
        ordinary = fg.jit(lambda x: x * 19.3125, tiered=False)
        ordinary(1.0)
        assert serves(ordinary) == "compiled"


def test_calls_inside_eager_transformations_too(gate: Gate) -> None:
    function, before = fg.jit(lambda x: fnp.sum(fnp.sin(x) * 19.375)), compile_count()
    with fg.config(tiered=True):
        found = fg.grad(function)(fnp.arange(3.0))
    assert compile_count() == before
    np.testing.assert_allclose(found, 19.375 * np.cos(np.arange(3.0)), rtol=1e-6)


def test_equal_programs_wait_for_one_compile(gate: Gate) -> None:
    before = compile_count()
    functions = [fg.jit(lambda x: x * 19.4375, tiered=True) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert [float(y) for y in pool.map(lambda f: f(2.0), functions)] == [38.875] * 3
    for function in functions:
        now_compiled(function, gate)
        function(2.0)
        assert serves(function) == "compiled"
    assert compile_count() == before + 1


def test_compiled_functions_inside_it_are_interpreted_too(gate: Gate) -> None:
    inner = fg.jit(lambda x: fnp.cos(x) * 19.5)
    function, before = fg.jit(lambda x: inner(inner(x)) + 1, tiered=True), compile_count()
    np.testing.assert_allclose(function(0.5), 19.5 * np.cos(19.5 * np.cos(0.5)) + 1, rtol=1e-5)
    assert compile_count() == before


def test_programs_for_other_devices_are_compiled_as_ever(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(fg.devices("cpu")[0]), "is_host", False)
    gate.opened.set()
    program = fg.make_program(lambda x: x * 19.5625)(fnp.ones(2))
    executable = tiered.prepare_program(program, fg.devices("cpu")[0], tiered=True)
    assert type(executable) is not Tiered


# -- errors ------------------------------------------------------------------------------------------------------------


def failing(x: Any, y: Any) -> Any:
    fg.check(x > 0, "positive, not {x}", x=x)
    fg.check(x < -1, "this one comes later")
    return x + y, fnp.arange(3)[fnp.asarray(x).astype(int)]


def messages(function: Any, *args: Any) -> list[tuple[type, str]]:
    """The errors of reading the results of a call, whose call itself succeeds."""
    results, found = function(*args), []
    for result in results:
        with pytest.raises(errors.FuncgradError) as caught:
            np.asarray(result)
        found.append((type(caught.value), str(caught.value)))
    return found


def test_checks_fail_when_a_result_is_read(gate: Gate) -> None:
    function = fg.jit(failing, tiered=True)
    found = messages(function, -2.5, 1.0)
    now_compiled(function, gate)
    assert found == messages(function, -2.5, 1.0) == messages(fg.jit(failing), -2.5, 1.0)
    assert serves(function) == "compiled"


def test_indices_divisions_and_the_users_own_exceptions(gate: Gate) -> None:
    def index(i: Any) -> Any:
        return fnp.arange(5)[i]

    def divide(i: Any) -> Any:
        return 7 // i

    def complain(i: Any) -> Any:
        if i > 3:
            raise LookupError("too large")
        return i

    for function, argument, kind in (
        (index, 7, IndexError),
        (divide, 0, ZeroDivisionError),
        (complain, 4, LookupError),
    ):
        started = fg.jit(function, tiered=True)
        found = []
        for _ in range(2):
            result = started(fnp.asarray(argument))
            with pytest.raises(kind) as caught:
                np.asarray(result)
            found.append(str(caught.value))
            now_compiled(started, gate)
        gate.opened.clear()
        assert found[0] == found[1]


def test_failures_that_nobody_reads_come_at_the_barrier_and_through_later_calls(gate: Gate) -> None:
    fg.effects_barrier()
    function = fg.jit(failing, tiered=True)
    function(-2.5, 1.0)
    with pytest.raises(errors.CheckError, match=r"positive, not -2\.5"):
        fg.effects_barrier()
    later = fg.jit(lambda x: x * 19.75, tiered=True)
    with pytest.raises(errors.CheckError, match=r"positive, not -2\.5"):
        np.asarray(later(function(-2.5, 1.0)[0]))
    fg.effects_barrier()


def test_checks_for_nan_are_made_as_in_the_ordinary_mode(gate: Gate) -> None:
    with fg.config(check_nans=True):
        function = fg.jit(lambda x: fnp.log(x) * 19.8125, tiered=True)
        result = function(-1.0)  # not at the call
        with pytest.raises(errors.CheckError, match="the result of log has NaN in it"):
            np.asarray(result)


def test_a_failed_compile_is_raised_at_the_next_call_and_can_be_tried_again(gate: Gate) -> None:
    function = fg.jit(lambda x: x * 19.875, tiered=True)
    assert float(function(2.0)) == 39.75
    gate.failure = errors.EngineError("out of luck")
    gate.failure.place_at(None)
    now_compiled(function, gate)
    with pytest.raises(errors.EngineError, match="out of luck") as caught:
        function(2.0)  # this one
    assert caught.value.source is not None
    assert caught.value.source.text.endswith("# this one")
    gate.failure = None
    gate.opened.clear()
    assert (float(function(2.0)), serves(function)) == (39.75, "numpy")
    now_compiled(function, gate)
    assert (float(function(2.0)), serves(function)) == (39.75, "compiled")


# -- effects -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [True, False])
def test_callbacks_happen_once_and_in_order_across_the_switch(gate: Gate, ordered: bool) -> None:
    seen: list[tuple[int, float]] = []

    @fg.jit(tiered=True)
    def function(number: Any, x: Any) -> Any:
        def body(i: Any, c: Any) -> Any:
            fg.debug.callback(lambda n, c: seen.append((int(n), float(c))), number, c, ordered=True)
            return c + 1

        fg.debug.callback(lambda n: seen.append((int(n), -1.0)), number, ordered=ordered)
        return fg.lax.fori_loop(0, 3, body, x)

    for number in range(6):
        if number == 3:
            now_compiled(function, gate)
        function(number, 0.0)
    assert serves(function) == "compiled"
    assert sorted(seen) == [(n, v) for n in range(6) for v in (-1.0, 0.0, 1.0, 2.0)]
    assert [n for n, _ in seen] == sorted(n for n, _ in seen)
    in_loops = [entry for entry in seen if ordered or entry[1] >= 0]
    assert in_loops == sorted(in_loops)


def test_a_callback_gets_arrays_of_its_own_in_the_callers_settings(gate: Gate) -> None:
    def look(x: Any) -> Any:
        assert tiered.interpretation() is None
        assert fg.config.default_float == "float64"
        assert fg.config.check_nans
        with pytest.raises(errors.CheckError):  # eager code inside is eager code
            fg.check(x.sum() < 0, "no")
        kept.append(x)
        return fg.jit(lambda x: x * 20.0, tiered=True)(x)

    kept: list[Any] = []
    with fg.config(default_float="float64", check_nans=True):
        function = fg.jit(lambda x: fg.pure_callback(look, x, x * 2), tiered=True)
        np.testing.assert_array_equal(function(fnp.ones(3)), [40.0] * 3)
    np.testing.assert_array_equal(kept[0], [2.0] * 3)


def test_what_a_callback_raises_comes_from_the_call(gate: Gate) -> None:
    def fail(x: Any) -> Any:
        raise LookupError("broken")

    function = fg.jit(lambda x: fg.pure_callback(fail, x, x) + 1, tiered=True)
    found = []
    for _ in range(2):
        with pytest.raises(LookupError, match="broken") as caught:
            function(fnp.ones(()))
        found.append(caught.value.__notes__)
        assert caught.value.__context__ is None
        now_compiled(function, gate)
    assert found[0] == found[1]


def test_callbacks_in_callbacks_are_refused_as_ever(gate: Gate) -> None:
    inner = fg.jit(lambda x: fg.pure_callback(lambda x: x, x, x) * 20.125, tiered=True)
    function = fg.jit(lambda x: fg.pure_callback(inner, x, x) + 1, tiered=True)
    found = []
    for _ in range(2):
        with pytest.raises(errors.CallbackError, match="was started by a callback") as caught:
            function(1.0)
        found.append(caught.value.message)
        now_compiled(inner, gate)
        now_compiled(function, gate)
    assert found[0] == found[1]


def test_callbacks_whose_results_nobody_uses_are_not_called(gate: Gate) -> None:
    called = []

    @fg.jit(tiered=True)
    def function(x: Any) -> Any:
        fg.pure_callback(lambda x: called.append(1) or x, x, x)
        return x * 20.25

    function(1.0)
    assert called == []


def test_donated_arguments_are_gone(gate: Gate) -> None:
    @fg.jit(donate_argnums=0, tiered=True)
    def step(state: Any, g: Any) -> Any:
        return {"w": state["w"] - 0.5 * g, "n": state["n"] + 1}

    state = {"w": fnp.ones(3), "n": fnp.asarray(0)}
    for number in range(4):
        if number == 2:
            now_compiled(step, gate)
        old, state = state, step(state, fnp.ones(3))
        with pytest.raises(errors.DonatedError, match=r"state\['w'\]"):
            old["w"] + 1
    np.testing.assert_array_equal(state["w"], -np.ones(3))
    assert (int(state["n"]), serves(step)) == (4, "compiled")


def test_closed_over_arrays(gate: Gate) -> None:
    table = fnp.asarray(np.arange(5.0, dtype=np.float32))
    function = fg.jit(lambda x: table * x, tiered=True)
    first = function(20.5)
    now_compiled(function, gate)
    np.testing.assert_array_equal(first, function(20.5))


@pytest.mark.skipif(os.name != "posix", reason="sends itself signals")
def test_control_c_during_the_interpretation(gate: Gate) -> None:
    begun = threading.Event()

    @fg.jit(tiered=True, donate_argnums=0)
    def function(x: Any) -> Any:
        fg.debug.callback(lambda: begun.set())
        return fg.lax.while_loop(lambda c: c[0] < 100, lambda c: (c[0] + c[1], c[1]), (x, x * 0))[0]

    def press() -> None:
        assert begun.wait(PATIENCE)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    x = fnp.asarray(1.0)
    with pytest.raises(KeyboardInterrupt):
        function(x)
    assert float(x) == 1.0  # not taken
    assert float(function(fnp.asarray(200.0))) == 200.0


def test_leaving_during_the_compile_ends_in_order() -> None:
    said = run_python(
        """
    import time
    import funcgrad as fg
    from funcgrad.compiler import cache, tiered

    tiered._GRACE = 0.0
    executable_of = cache.executable_of

    def slow(*args):
        time.sleep(0.5)
        return executable_of(*args)

    cache.executable_of = slow
    functions = [fg.jit(lambda x, i=i: x * (i + 2.5), tiered=True) for i in range(20)]
    print(sum(float(f(1.0)) for f in functions))
    """
    )
    assert said == "240.0\n"
