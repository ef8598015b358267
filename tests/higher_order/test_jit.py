"""`jit`: arguments and statics, caching, closures, nesting, stages, devices and threads."""

from __future__ import annotations

import functools
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.backend.executable import compile_count
from funcgrad.higher_order import jit as jit_module
from funcgrad.transforms.jvp import jvp_program


class Counted:
    """A function that counts how often it is traced."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.traces = 0
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.traces += 1
        return self.function(*args, **kwargs)


# -- arguments ---------------------------------------------------------------------------------------------------------


def test_trees_in_and_out() -> None:
    function = fg.jit(lambda p, xs: {"a": [p["w"] * x for x in xs], "b": None, "c": (p["w"],)})
    found = function({"w": fnp.arange(2.0)}, (1.0, 2.0))
    assert found["b"] is None
    np.testing.assert_array_equal(found["a"][1], [0, 2])
    np.testing.assert_array_equal(found["c"][0], [0, 1])


@pytest.mark.parametrize("argument", [3, 3.0, True, 1 + 2j, np.float64(3), np.arange(3), np.ones((2, 2), np.float16)])
def test_the_identity_keeps_dtypes(argument: Any) -> None:
    found = fg.jit(lambda x: x)(argument)
    want = fnp.asarray(argument)
    assert (found.dtype, found.shape, found.type.weak) == (want.dtype, want.shape, False)
    np.testing.assert_array_equal(found, argument)


def test_python_numbers_are_weak_inside() -> None:
    assert fg.jit(lambda x, n: x * n)(fnp.ones(2, "bfloat16"), 2.0).dtype == fnp.bfloat16
    assert fg.jit(lambda x, n: x * n)(fnp.ones(2, "int8"), 2).dtype == np.int8


def test_keyword_arguments_and_defaults() -> None:
    @fg.jit
    def function(x: Any, *, scale: Any = 2.0, shift: Any = 0.0) -> Any:
        return x * scale + shift

    assert float(function(3.0)) == 6.0
    assert float(function(3.0, shift=1.0)) == 7.0
    assert float(function(x=3.0, scale=1.0)) == 3.0


def test_methods() -> None:
    class Model:
        def __init__(self, scale: float) -> None:
            self.scale = scale

        @fg.jit
        def __call__(self, x: Any) -> Any:
            return x * self.scale

    double, triple = Model(2.0), Model(3.0)
    assert float(double(1.0)) == 2.0
    assert float(triple(1.0)) == 3.0
    assert float(Model.__call__(double, 5.0)) == 10.0


def test_large_and_empty_results() -> None:
    assert fg.jit(lambda x: ())(1.0) == ()
    assert fg.jit(lambda: fnp.zeros((0, 3)))().shape == (0, 3)
    outs = fg.jit(lambda x: [x + i for i in range(60)])(fnp.arange(3))
    np.testing.assert_array_equal(outs[59], [59, 60, 61])


def test_results_may_repeat_and_pass_arguments_through() -> None:
    x = fnp.arange(3.0)
    a, b, c = fg.jit(lambda x: (x, x, x + 1))(x)
    for found in (a, b, c - 1):
        np.testing.assert_array_equal(found, x)


# -- statics -----------------------------------------------------------------------------------------------------------


def test_statics_by_number_and_name() -> None:
    def function(x: Any, n: int, *, flip: bool = False) -> Any:
        return (x[::-1] if flip else x)[:n]

    for options in ({"static_argnums": 1, "static_argnames": "flip"}, {"static_argnames": ("n", "flip")}):
        jitted = fg.jit(function, **options)
        np.testing.assert_array_equal(jitted(fnp.arange(4), 2), [0, 1])
        np.testing.assert_array_equal(jitted(fnp.arange(4), n=3, flip=True), [3, 2, 1])


def test_strings_functions_and_none_are_static() -> None:
    @fg.jit
    def function(x: Any, mode: str, activation: Any, extra: Any) -> Any:
        x = activation(x) if mode == "apply" else x
        return x if extra is None else x + extra

    assert float(function(0.0, "apply", fnp.cos, None)) == 1.0
    assert float(function(0.0, "skip", fnp.cos, 2.0)) == 2.0


def test_equal_statics_of_other_types_are_told_apart() -> None:
    function = fg.jit(lambda x, n: x * 0 + (10 if type(n) is int else 20 if type(n) is float else 30), static_argnums=1)
    assert [float(function(1.0, n)) for n in (1, 1.0, True)] == [10, 20, 30]
    signed = fg.jit(lambda x, n: x / fnp.asarray(n), static_argnums=1)
    assert [float(signed(1.0, n)) for n in (0.0, -0.0)] == [np.inf, -np.inf]


def test_unhashable_statics_name_the_argument() -> None:
    with pytest.raises(errors.StaticArgumentError, match="static argument shape is of type list"):
        fg.jit(lambda x, shape: x.reshape(shape), static_argnums=1)(fnp.ones(4), [2, 2])


def test_decorator_with_options() -> None:
    @fg.jit(static_argnames="n")
    def repeat(x: Any, n: int) -> Any:
        return fnp.concatenate([x] * n)

    assert repeat(fnp.ones(2), n=3).shape == (6,)
    assert repeat.__name__ == "repeat"


# -- caching -----------------------------------------------------------------------------------------------------------


def test_retraces_only_for_new_types_and_statics() -> None:
    counted = Counted(lambda x, n: x * n)
    function = fg.jit(counted, static_argnums=1)
    for x in (fnp.ones(2), fnp.zeros(2), np.ones(2, np.float32)):
        function(x, 2)
    assert counted.traces == 1
    function(fnp.ones(3), 2)
    function(fnp.ones(2), 3)
    function(fnp.ones(2, "int32"), 2)
    assert counted.traces == 4
    function(fnp.ones(3), 2)
    assert counted.traces == 4


def test_weak_and_strong_scalars_are_other_types() -> None:
    counted = Counted(lambda x: x * 2)
    function = fg.jit(counted)
    for x in (1.0, 2.0, fnp.asarray(1.0), np.float32(3)):
        function(x)
    assert counted.traces == 2


def test_results_can_be_fed_back_without_a_retrace() -> None:
    counted = Counted(lambda x: x * 2 + 1)
    function = fg.jit(counted)
    x = fnp.ones(3)
    for _ in range(4):
        x = function(x)
    assert counted.traces == 1
    np.testing.assert_array_equal(x, np.full(3, 31.0))


def test_settings_are_part_of_the_key() -> None:
    function = fg.jit(lambda: fnp.zeros(2))
    assert function().dtype == np.float32
    with fg.config(default_float="float64"):
        assert function().dtype == np.float64
    assert function().dtype == np.float32


def test_clear_cache() -> None:
    counted = Counted(lambda x: x)
    function = fg.jit(counted)
    function(1.0)
    function.clear_cache()
    function(1.0)
    assert counted.traces == 2


def test_a_failed_trace_is_not_remembered() -> None:
    broken = [True]

    @fg.jit
    def function(x: Any) -> Any:
        if broken[0]:
            raise KeyError("not yet")
        return x + 1

    with pytest.raises(KeyError):
        function(1.0)
    broken[0] = False
    assert float(function(1.0)) == 2.0


def test_statistics() -> None:
    function = fg.jit(Counted(lambda x, n: x * n), static_argnums=1)
    assert function.cache_info() == (0, 0, 0, 0, 0, 0.0, 0.0)
    for _ in range(4):
        function(fnp.ones(2), 2)
    function(fnp.ones(3), 2)
    fg.grad(lambda x: fnp.sum(function(x, 2)))(fnp.ones(3))
    function.lower(fnp.ones(7), 2)
    info = function.cache_info()
    assert info[:5] == (6, 4, 3, 0, 2)
    assert info.trace_seconds > 0
    assert info.compile_seconds > 0
    function.clear_cache()
    assert function.cache_info() == (0, 0, 0, 0, 0, 0.0, 0.0)


def test_all_caches_can_be_cleared() -> None:
    counted = Counted(lambda x: fnp.sum(fnp.sin(x)))
    function = fg.jit(counted)
    first = fg.grad(function)(fnp.ones(3))
    fg.clear_caches()
    assert jvp_program.cache_info().currsize == 0
    np.testing.assert_array_equal(fg.grad(function)(fnp.ones(3)), first)
    assert counted.traces == 2
    assert fg.devices()[0] is fnp.ones(3).device


def test_dispatches_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit_module, "_DISPATCHES", 4)
    function = fg.jit(lambda x, n: x * n, static_argnums=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.RetraceWarning)
        for n in range(12):
            for _ in range(2):
                assert float(function(2.0, n)) == 2.0 * n
    assert len(function._dispatches) <= 6
    assert function.cache_info()[:3] == (24, 12, 12)


# -- closures and nesting ----------------------------------------------------------------------------------------------


def test_closed_over_arrays() -> None:
    table = fnp.asarray(np.arange(1000.0) ** 2)
    function = fg.jit(lambda i: table[i] * 2)
    assert float(function(3)) == 18.0
    assert float(function(4)) == 32.0
    text = function.lower(3).as_text()
    assert 'dense<"0x' not in text  # the table is an input, not a literal
    assert "tensor<1000xf64>" in text


def test_closed_over_tracers() -> None:
    def outer(x: Any) -> Any:
        return fg.jit(lambda y: x * y)(3.0) + fg.jit(lambda y: x + y)(x)

    assert float(fg.jit(outer)(2.0)) == 10.0
    assert float(fg.grad(outer)(2.0)) == 5.0
    np.testing.assert_array_equal(fg.vmap(outer)(fnp.arange(2.0)), [0, 5])
    assert float(fg.grad(fg.jit(outer))(2.0)) == 5.0


def test_closed_over_tracers_are_not_remembered() -> None:
    """The inner function is one object, called in two traces with two values of `x`."""
    scale: list[Any] = []
    inner = fg.jit(lambda y: scale[0] * y)

    def outer(x: Any) -> Any:
        scale[:] = [x]
        return inner(2.0)

    assert float(fg.grad(outer)(3.0)) == 2.0
    assert float(fg.jit(outer)(5.0)) == 10.0
    assert float(fg.jit(outer)(np.float64(7.0))) == 14.0


def test_a_trace_that_took_an_outer_decision_is_not_remembered() -> None:
    class Holder:
        """Smuggles an outer value into a function that is made only once."""

        value: Any = None

    @fg.jit
    def inner(y: Any) -> Any:
        return y * 2.0 if Holder.value else y * 3.0

    @fg.jit
    def outer(x: Any) -> Any:
        Holder.value = x > 0
        return inner(x)

    assert [float(outer(x)) for x in (1.0, -1.0, 2.0)] == [2.0, -3.0, 4.0]

    @fg.jit
    def nested(x: Any) -> Any:
        positive = x > 0

        @fg.jit
        def scaled(y: Any) -> Any:
            return y * 2.0 if positive else y * 3.0

        return scaled(x) + scaled(x + 0.0)

    assert [float(nested(x)) for x in (1.0, -1.0)] == [4.0, -6.0]


def test_nested_compilation_is_one_executable() -> None:
    inner = fg.jit(lambda x: fnp.sin(x) + 1)
    outer = fg.jit(lambda x: inner(inner(x)) * 2)
    x = fnp.arange(3.0)
    before = compile_count()
    found = outer(x)
    assert compile_count() == before + 1
    np.testing.assert_allclose(found, 2 * (np.sin(np.sin(np.arange(3)) + 1) + 1), rtol=1e-6)


def test_the_forward_and_backward_pass_of_a_compiled_function_are_compiled() -> None:
    function = fg.jit(lambda x: fnp.sum(fnp.sin(x) ** 2))
    x = fnp.arange(3.0)
    fg.grad(function)(x)
    before = compile_count()
    np.testing.assert_allclose(fg.grad(function)(x), np.sin(2 * np.arange(3)), rtol=1e-5)
    assert compile_count() == before


def test_compiled_functions_hash_and_print() -> None:
    function = fg.jit(lambda x: x)
    assert {function: 1}[function] == 1
    assert "jit of" in repr(function)


# -- stages ------------------------------------------------------------------------------------------------------------


def scaled(x: Any, y: Any) -> Any:
    return fnp.tanh(x @ y)


def test_ahead_of_time_stages() -> None:
    x, y = fnp.ones((2, 3)), fnp.ones((3, 4))
    lowered = fg.jit(scaled).lower(x, y)
    text = lowered.as_text()
    assert "stablehlo.dot_general" in text
    assert "test_jit.py" not in text
    assert "test_jit.py" in lowered.as_text(debug=True)
    compiled = lowered.compile()
    np.testing.assert_allclose(compiled(x, y), np.tanh(np.full((2, 4), 3.0)), rtol=1e-6)
    assert "dot" in compiled.as_text()
    assert compiled.cost_analysis()["flops"] >= 2 * 2 * 3 * 4
    memory = compiled.memory_analysis()
    assert memory.argument_size_in_bytes == 4 * (6 + 12)
    assert memory.output_size_in_bytes == 4 * 8


def test_lower_from_shapes_alone() -> None:
    struct = fg.ShapeDtypeStruct((2, 2), "float32")
    compiled = fg.jit(scaled).lower(struct, struct).compile()
    np.testing.assert_allclose(compiled(fnp.eye(2), fnp.eye(2)), np.tanh(np.eye(2)), rtol=1e-6)


def test_a_compiled_stage_refuses_other_types() -> None:
    compiled = fg.jit(scaled).lower(fnp.ones((2, 3)), fnp.ones((3, 4))).compile()
    with pytest.raises(errors.ArgumentError, match=r"compiled for \(f32\[2,3\], f32\[3,4\]\), called with"):
        compiled(fnp.ones((2, 3)), fnp.ones((3, 5)))


def test_lowered_program_prints() -> None:
    assert "tanh" in str(fg.jit(scaled).lower(fnp.ones((2, 3)), fnp.ones((3, 4))).program)


# -- values known while staging ----------------------------------------------------------------------------------------


def test_known_values_answer_while_staging() -> None:
    @fg.jit
    def function(x: Any) -> Any:
        half = fnp.asarray(x.shape[0]) // 2
        mask = np.asarray(fnp.arange(4) % 2 == 0)
        assert mask.tolist() == [True, False, True, False]
        return x[: int(half)] if bool(half > 1) else x

    np.testing.assert_array_equal(function(fnp.arange(6.0)), [0, 1, 2])


def test_unknown_values_name_their_inputs() -> None:
    with pytest.raises(errors.ConcretizationError, match=r"traced inputs `x` of type f32\[\]\*?, `p\['w'\]`"):
        fg.jit(lambda x, p, unused: float(x + p["w"]))(1.0, {"w": 2.0}, 3.0)


# -- devices and threads -----------------------------------------------------------------------------------------------


def test_commitment_passes_through() -> None:
    committed = fg.device_put(fnp.ones(2), "cpu:0")
    function = fg.jit(lambda x: x + 1)
    assert function(committed).device is committed.device
    assert function(committed)._device is committed.device
    assert function(fnp.ones(2))._device is None


def test_a_device_for_the_whole_function() -> None:
    assert fg.jit(lambda x: x + 1, device="cpu:0")(1.0).device is fg.devices("cpu")[0]


def test_threads_trace_once_and_agree() -> None:
    counted = Counted(lambda x: fnp.cumsum(fnp.sin(x)) * 2)
    function = fg.jit(counted)
    barrier = threading.Barrier(8)
    x = fnp.arange(50.0)

    def call(_: int) -> np.ndarray:
        barrier.wait()
        return np.asarray(function(x))

    before = compile_count()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(call, range(8)))
    assert counted.traces == 1
    assert compile_count() == before + 1
    assert function.cache_info().traces == 1
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_threads_that_make_equal_functions_trace_once() -> None:
    barrier = threading.Barrier(8)
    x = fnp.arange(51.0)

    def call(_: int) -> tuple[np.ndarray, int]:
        function = fg.jit(lambda x: fnp.cumsum(fnp.sin(x)) * 2.5)
        barrier.wait()
        return np.asarray(function(x)), function.cache_info().traces

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(call, range(8)))
    assert sum(traces for _, traces in results) == 1
    for result, _ in results[1:]:
        np.testing.assert_array_equal(result, results[0][0])


def test_threads_that_trace_other_signatures_do_not_wait_for_each_other() -> None:
    inside, go_on = threading.Event(), threading.Event()

    @fg.jit
    def function(x: Any) -> Any:
        if x.shape == (2,):
            inside.set()
            assert go_on.wait(10)
        return x + 1

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(function, fnp.ones(2))
        assert inside.wait(10)
        np.testing.assert_array_equal(function(fnp.ones(3)), [2, 2, 2])
        go_on.set()
        np.testing.assert_array_equal(slow.result(), [2, 2])
