"""Running regions: donation, checks, callbacks, failures, and what can be looked at."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.backend.executable import Executable
from funcgrad.compiler.driver import Driver, _waits

STEPS = 6


def chain(x: Any) -> Any:
    for _ in range(STEPS):
        x = fnp.sin(x) @ fnp.cos(x) * 0.001 + x
    return x


def always(function: Any, **options: Any) -> Any:
    return fg.jit(function, regions="always", **options)


def driver_of(function: Any, *args: Any) -> Driver:
    executable = always(function).lower(*args).compile()._executable
    assert isinstance(executable, Driver)
    return executable


def test_results_are_those_of_the_whole() -> None:
    x = fnp.asarray(np.random.default_rng(0).standard_normal((5, 5)))
    np.testing.assert_allclose(np.asarray(always(chain)(x)), np.asarray(fg.jit(chain, regions="off")(x)), rtol=1e-13)


def test_arrays_that_a_function_closes_over() -> None:
    weight = fnp.asarray(np.random.default_rng(0).standard_normal((5, 5)))

    def function(x: Any) -> Any:
        for _ in range(STEPS):
            x = fnp.tanh(x @ weight)
        return x

    x = fnp.ones((5, 5), "float64")
    np.testing.assert_allclose(np.asarray(always(function)(x)), np.asarray(function(x)), rtol=1e-12)


def test_a_failed_check_is_reported_once_with_its_line() -> None:
    def function(x: Any, limit: Any) -> Any:
        for _ in range(STEPS):
            x = fnp.sin(x) * 2 + 1
            fg.check(fnp.all(x < limit), "x reached {top}", top=fnp.max(x))
        return x

    compiled = always(function)
    x = fnp.asarray([0.5])
    assert float(compiled(x, 10.0)[0]) == pytest.approx(float(function(x, 10.0)[0]), rel=1e-6)
    result = compiled(x, 2.5)
    with pytest.raises(fg.errors.CheckError, match=r"x reached 2\.\d") as caught:
        np.asarray(result)
    assert "fg.check(fnp.all(x < limit)" in str(caught.value)
    with pytest.raises(fg.errors.CheckError) as eager:
        function(x, 2.5)
    assert str(eager.value) == str(caught.value)  # the first one that fails, not any one
    fg.effects_barrier()


def test_the_first_of_several_failures_counts() -> None:
    def function(x: Any, i: Any) -> Any:
        total = 0.0
        for k in range(STEPS):
            total = total + fnp.sin(x[i + k])
        return total

    with pytest.raises(fg.errors.OutOfBoundsError, match="index 4 "):
        float(always(function)(fnp.arange(4.0), 2))
    fg.effects_barrier()


def test_ordered_callbacks_keep_their_order() -> None:
    seen: list[float] = []

    def function(x: Any) -> Any:
        for k in range(STEPS):
            x = fnp.sin(x) + 1.0
            fg.debug.callback(lambda v, k: seen.append((int(k), float(v))), x, k, ordered=True)
        return x

    x = fnp.asarray(0.5)
    np.asarray(always(function)(x))
    fg.effects_barrier()
    assert [k for k, _ in seen] == list(range(STEPS))
    compiled, seen = seen, []
    function(x)
    np.testing.assert_allclose(compiled, seen, rtol=1e-6)


def test_what_a_callback_raises_reaches_the_caller() -> None:
    def refuse(v: Any) -> Any:
        raise ValueError(f"not {float(v):.0f}")

    def function(x: Any) -> Any:
        for _ in range(STEPS):
            x = fnp.sin(x) + fg.pure_callback(refuse, fg.ShapeDtypeStruct((), "float32"), x)
        return x

    with pytest.raises(ValueError, match="not 3"):
        np.asarray(always(function)(fnp.asarray(3.0)))


def test_donated_arguments_are_gone_and_others_are_not() -> None:
    def function(x: Any, y: Any) -> Any:
        return chain(x + y), y * 2

    compiled = always(function, donate_argnums=0)
    x, y = fnp.ones((200, 200)) * 0.01, fnp.ones((200, 200)) * 0.01
    expected = function(x, y)
    found = compiled(x, y)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-4)
    with pytest.raises(fg.errors.DonatedError, match="argument x"):
        np.asarray(x)
    np.testing.assert_array_equal(np.asarray(y), np.full((200, 200), 0.01, np.float32))


def test_one_array_given_twice_and_donated_once() -> None:
    def function(x: Any, y: Any) -> Any:
        return chain(x) + y, y

    x = fnp.ones((200, 200)) * 0.01
    copy = fnp.asarray(np.asarray(x))
    found = always(function, donate_argnums=0)(x, x)
    np.testing.assert_allclose(np.asarray(found[0]), np.asarray(function(copy, copy)[0]), rtol=1e-4)


def test_a_result_that_is_an_argument_outlives_its_donation() -> None:
    def function(x: Any) -> Any:
        return chain(x), x

    same = always(function)
    x = fnp.ones((200, 200)) * 0.01
    _, back = same(x)
    always(chain, donate_argnums=0)(x)
    np.testing.assert_array_equal(np.asarray(back), np.full((200, 200), 0.01, np.float32))


def test_intermediate_buffers_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = driver_of(chain, fnp.ones((5, 5)))
    alive: list[weakref.ref[Any]] = []
    most = 0
    run = Executable.run

    def counted(self: Executable, buffers: list[Any], parents: Any) -> Any:
        nonlocal most
        outs, pending = run(self, buffers, parents)
        alive.extend(weakref.ref(out) for out in outs)
        gc.collect()
        most = max(most, sum(reference() is not None for reference in alive))
        return outs, pending

    monkeypatch.setattr(Executable, "run", counted)
    driver.run([fnp.ones((5, 5)).buffer()], ())
    assert len(alive) >= STEPS
    assert most <= 3


def test_a_failing_step_is_named() -> None:
    driver = driver_of(chain, fnp.ones((5, 5)))
    with pytest.raises(fg.errors.EngineError, match="chain"):
        driver([fnp.ones((6, 6)).buffer()])


def test_the_list_of_buffers_is_emptied() -> None:
    driver = driver_of(chain, fnp.ones((5, 5)))
    buffers = [fnp.ones((5, 5)).buffer()]
    driver(buffers)
    assert buffers == []


def test_what_can_be_looked_at() -> None:
    compiled = always(chain).lower(fnp.ones((5, 5))).compile()
    assert compiled.as_text().count("HloModule") == len(compiled.regions().rows)
    whole = fg.jit(chain, regions="off").lower(fnp.ones((5, 5))).compile()
    assert compiled.cost_analysis()["flops"] == pytest.approx(whole.cost_analysis()["flops"], rel=0.05)
    found = compiled.memory_analysis()
    assert found.argument_size_in_bytes == found.output_size_in_bytes == 100
    assert found.temp_size_in_bytes >= 100
    assert found.alias_size_in_bytes == 0


def test_the_table_of_regions_prints() -> None:
    lowered = always(chain).lower(fnp.ones((5, 5)))
    compiled = lowered.compile()
    table = compiled.regions()
    assert table.name == "chain"
    assert table.equations == 5 * STEPS
    assert sum(row.runs * row.equations for row in table.rows) >= table.equations
    assert all(row.seconds is not None and row.seconds > 0 for row in table.rows)
    lines = str(table).splitlines()
    assert lines[0].startswith(f"chain: {5 * STEPS} equations; ")
    assert lines[1].split() == ["region", "runs", "equations", "inputs", "outputs", "compiled", "in"]
    assert len(lines) == 2 + len(table.rows)
    whole = fg.jit(chain, regions="off").lower(fnp.ones((5, 5))).regions()
    (row,) = whole.rows
    assert (row.runs, row.equations, row.inputs, row.outputs) == (1, 5 * STEPS, 1, 1)
    fresh = fg.jit(lambda x: chain(x) * 3.25, regions="off").lower(fnp.ones((5, 5)))
    assert "-" in str(fresh.regions()).splitlines()[-1]


def test_runs_under_way_are_bounded() -> None:
    driver = driver_of(repeated_steps, fnp.ones((5, 5)))
    waits = _waits(driver.cut, 8)
    places = [number for number, wait in enumerate(waits) if wait is not None]
    assert places == list(range(4, len(driver.cut.steps), 4))
    made: dict[int, int] = {}
    for number, (step, wait) in enumerate(zip(driver.cut.steps, waits, strict=True)):
        assert wait is None or made[wait] < number  # it is there, and nobody has let it go
        made.update(dict.fromkeys(step.gives, number))
        for slot in step.frees:
            made.pop(slot, None)
    x = fnp.ones((5, 5))
    found = Driver(driver.cut, driver.executables, driver.device)([x.buffer()])
    np.testing.assert_allclose(np.asarray(found[0]), np.asarray(repeated_steps(x)), rtol=1e-5)


def repeated_steps(x: Any) -> Any:
    for _ in range(80):
        x = fnp.sin(x) @ fnp.cos(x) * 0.001 + x
    return x
