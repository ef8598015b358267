"""Callbacks: the same results and the same calls, eager or compiled, under every transformation."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.backend.executable import compile_count
from funcgrad.core.dtypes import BY_NAME
from funcgrad.core.program import run_program
from funcgrad.errors import ArgumentError, CallbackError, CheckError, DifferentiationError, MissingRuleError
from funcgrad.transforms.mask import mask_program

ROWS = np.array([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]], np.float32)
FLAT = np.array([0.5, 0.5, 1.0], np.float32)
SCALAR = fg.ShapeDtypeStruct((), "float32")
WAYS = {"eager": lambda f: f, "jit": fg.jit}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return WAYS[request.param]


class Recorder:
    """Remembers the arguments that it was called with and returns the first."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def __call__(self, *args: Any) -> Any:
        self.calls.append(tuple(np.asarray(x).tolist() for x in args))
        return args[0] if args else None

    @property
    def first(self) -> list[Any]:
        return [call[0] for call in self.calls]


# -- what is called, with what, and what comes back --------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)], ids=str)
def test_every_dtype_passes_unchanged(shape: tuple[int, ...]) -> None:
    inputs = {name: fnp.ones(shape, dtype=dtype) for name, dtype in BY_NAME.items()}
    seen = {}

    def look(values: dict[str, fg.Array]) -> Any:
        seen.update({name: (x.dtype.name, x.shape) for name, x in values.items()})
        return values

    results = fg.jit(lambda x: fg.io_callback(look, x, x))(inputs)
    assert seen == {name: (name, shape) for name in BY_NAME}
    for name, x in inputs.items():
        assert results[name].type is x.type
        assert np.asarray(results[name]).tobytes() == np.asarray(x).tobytes()


def test_operands_and_results_of_any_layout(way: Callable[..., Any]) -> None:
    def swapped(a: fg.Array) -> Any:
        return np.asarray(a).T * 2  # not contiguous

    result = way(lambda x: fg.pure_callback(swapped, x, x.T))(fnp.asarray(ROWS))
    np.testing.assert_array_equal(result, ROWS * 2)


def test_trees_other_objects_and_python_numbers(way: Callable[..., Any]) -> None:
    types = {"sum": SCALAR, "flags": (fg.ShapeDtypeStruct((), bool), fg.ShapeDtypeStruct((), "bfloat16"))}

    def host(tree: dict[str, Any], name: str, *, scale: Any, missing: None) -> Any:
        assert name == "name"
        assert missing is None
        return {"sum": float(tree["a"] + tree["b"][0]), "flags": (True, int(scale))}

    call = way(lambda a, b: fg.pure_callback(host, types, {"a": a, "b": [b]}, "name", scale=3, missing=None))
    result = call(fnp.float32(1.0), 2.0)
    assert (float(result["sum"]), bool(result["flags"][0]), float(result["flags"][1])) == (3.0, True, 3.0)
    assert [x.dtype.name for x in fg.tree.leaves(result)] == ["bool", "bfloat16", "float32"]


def test_arguments_and_results_are_copies(way: Callable[..., Any]) -> None:
    kept: list[fg.Array] = []
    memory = np.zeros(3, np.float32)

    def host(x: fg.Array) -> np.ndarray:
        kept.append(x)
        memory[:] = x
        return memory

    call = way(lambda x: fg.pure_callback(host, x, x + 1) * 1)
    first, second = call(fnp.asarray(FLAT)), call(fnp.asarray(2 * FLAT))
    memory[:] = -1
    np.testing.assert_array_equal(first, FLAT + 1)
    np.testing.assert_array_equal(second, 2 * FLAT + 1)
    np.testing.assert_array_equal(kept[0], FLAT + 1)
    np.testing.assert_array_equal(kept[1], 2 * FLAT + 1)


def test_the_library_works_inside_a_callback(way: Callable[..., Any]) -> None:
    plain = fg.jit(lambda v: v * 3.0)

    def host(x: fg.Array) -> Any:
        derivative = fg.vmap(fg.grad(fnp.sin))(x)
        assert isinstance(derivative, fg.Array)
        return plain(derivative)

    result = way(lambda x: fg.pure_callback(host, x, x))(fnp.asarray(FLAT))
    np.testing.assert_allclose(result, 3 * np.cos(FLAT), rtol=1e-6)


def test_a_callback_sees_the_settings_of_its_caller(way: Callable[..., Any]) -> None:
    seen = []

    def host(x: fg.Array) -> Any:
        seen.append(fnp.asarray(1.5).dtype.name)
        return x

    call = way(lambda x: fg.pure_callback(host, x, x))
    call(fnp.float32(1.0))
    with fg.config(default_float="float64"):
        call(fnp.float32(1.0))
    assert seen == ["float32", "float64"]


def test_pure_callback_agrees_with_jax() -> None:
    def host(a: Any, b: Any) -> Any:
        return np.sort(np.asarray(a)) * np.asarray(b)

    ours = fg.jit(lambda x: fnp.sum(fg.pure_callback(host, x, x * 2, b=x)))(fnp.asarray(FLAT))
    theirs = jax.jit(lambda x: jnp.sum(jax.pure_callback(host, x, x * 2, b=x)))(jnp.asarray(FLAT))
    np.testing.assert_array_equal(ours, theirs)


# -- how often, and in which order -------------------------------------------------------------------------------------


def test_pure_calls_are_shared_and_left_out() -> None:
    record = Recorder()
    fg.jit(lambda x: fg.pure_callback(record, x, x) + fg.pure_callback(record, x, x))(1.0)
    assert record.first == [1.0]
    fg.jit(lambda x: (fg.pure_callback(record, x, x), x)[1])(2.0)
    assert record.first == [1.0]


def test_calls_with_effects_are_neither_shared_nor_left_out(way: Callable[..., Any]) -> None:
    record = Recorder()

    def called(x: Any) -> Any:
        fg.io_callback(record, SCALAR, x)
        fg.io_callback(record, SCALAR, x)
        return x

    called = way(called)
    called(1.0)
    called(2.0)
    assert record.first == [1.0, 1.0, 2.0, 2.0]


def test_a_call_without_operands_and_results(way: Callable[..., Any]) -> None:
    record = Recorder()
    call = way(lambda: fg.io_callback(record, None))
    assert call() is None
    call()
    assert record.calls == [(), ()]


def ordered(record: Recorder, *args: Any) -> None:
    fg.debug.callback(record, *args, ordered=True)


def many(record: Recorder, x: Any) -> Any:
    """Ordered calls before, in and after every kind of control flow, where data flow alone gives no order."""

    def step(carry: Any, row: Any) -> tuple[Any, Any]:
        ordered(record, row)
        fg.debug.callback(lambda: None)
        return carry + 1, row

    def branch(value: Any) -> Any:
        ordered(record, value)
        return value

    ordered(record, 100)
    fg.lax.scan(step, 0, x)
    ordered(record, 101)
    fg.lax.cond(x[0] > 0, branch, lambda value: value, x[1] * 10)
    fg.jit(lambda: ordered(record, 102))()
    fg.lax.while_loop(lambda i: i < 2, lambda i: (ordered(record, i), i + 1)[1], 0)
    ordered(record, 103)
    return x


@pytest.mark.parametrize("transform", [lambda f: f, lambda f: fg.grad(lambda x: f(x).sum())], ids=["plain", "grad"])
def test_ordered_calls_keep_their_order(way: Callable[..., Any], transform: Callable[..., Any]) -> None:
    expected = [100, 1.0, 2.0, 3.0, 101, 20.0, 102, 0, 1, 103]
    for _ in range(2):
        record = Recorder()
        way(transform(lambda x, record=record: many(record, x)))(fnp.array([1.0, 2.0, 3.0]))
        assert record.first == expected


def test_a_branch_that_is_not_taken_is_not_called(way: Callable[..., Any]) -> None:
    record = Recorder()

    def choose(x: Any) -> Any:
        return fg.lax.cond(x > 0, lambda x: fg.io_callback(record, SCALAR, x), lambda x: -x, x)

    choose = way(choose)
    assert (float(choose(-1.0)), float(choose(2.0))) == (1.0, 2.0)
    assert record.first == [2.0]


def test_masking_calls_only_under_a_true_mask() -> None:
    record = Recorder()
    program = fg.make_program(lambda x: fg.io_callback(record, SCALAR, x) + 1)(1.0)
    masked = fg.jit(lambda mask, x: run_program(mask_program(program), (mask, x)))
    masked(False, 1.0)
    assert record.calls == []
    assert float(masked(True, 2.0)[0]) == 3.0
    assert record.first == [2.0]


# -- differentiation ---------------------------------------------------------------------------------------------------


def test_known_operands_are_called_once_in_the_forward_pass(way: Callable[..., Any]) -> None:
    record = Recorder()

    def loss(x: Any, c: Any) -> Any:
        scale = fg.io_callback(record, SCALAR, c)
        still = fg.pure_callback(lambda v: 2 * v, SCALAR, fg.stop_gradient(x))
        return x * x * scale * still

    assert float(way(fg.grad(loss))(3.0, 2.0)) == 2 * 3 * 2 * 6
    assert record.first == [2.0]


def test_a_custom_rule_differentiates_a_pure_callback(way: Callable[..., Any]) -> None:
    @fg.custom_jvp
    def sine(x: Any) -> Any:
        return fg.pure_callback(lambda v: np.sin(v), x, x, vmap_method="expand_dims")

    @sine.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        return sine(primals[0]), fnp.cos(primals[0]) * tangents[0]

    np.testing.assert_allclose(way(fg.vmap(fg.grad(sine)))(fnp.asarray(FLAT)), np.cos(FLAT), rtol=1e-6)


@pytest.mark.parametrize("call", [fg.pure_callback, fg.io_callback], ids=["pure", "io"])
@pytest.mark.parametrize("derivative", [fg.grad, lambda f: lambda x: fg.jvp(f, (x,), (1.0,))], ids=["grad", "jvp"])
def test_a_derivative_through_a_callback_is_refused(
    call: Callable[..., Any], derivative: Callable[..., Any], way: Callable[..., Any]
) -> None:
    with pytest.raises(DifferentiationError, match="argument v: nothing is known"):
        way(derivative(lambda x: call(lambda v: v, SCALAR, x * 2)))(1.0)


# -- vmap --------------------------------------------------------------------------------------------------------------

METHODS = ["sequential", "sequential_unrolled", "expand_dims", "broadcast_all"]


@pytest.mark.parametrize("method", METHODS)
def test_vmap_methods_call_and_return_as_those_of_jax(method: str, way: Callable[..., Any]) -> None:
    def run(library: Any, array: Callable[..., Any], struct: Any, jit: Callable[..., Any]) -> tuple[Any, list[Any]]:
        shapes = []

        def host(x: Any, y: Any) -> Any:
            shapes.append((x.shape, y.shape))
            total = np.asarray(x) + np.asarray(y)
            return total, np.sum(total, -1)

        def function(x: Any, y: Any) -> Any:
            return library.pure_callback(host, (x, struct((), "float32")), x, y, vmap_method=method)

        mapped = jit(library.vmap(library.vmap(function, (0, None)), (None, 0)))
        return mapped(array(ROWS), array(ROWS[:, ::-1].copy())), shapes

    ours, our_shapes = run(fg, fnp.asarray, fg.ShapeDtypeStruct, way)
    theirs, their_shapes = run(jax, jnp.asarray, jax.ShapeDtypeStruct, jax.jit)
    fg.tree.map(np.testing.assert_array_equal, ours, theirs)
    assert our_shapes == their_shapes


def test_vmap_without_a_method_is_refused(way: Callable[..., Any]) -> None:
    with pytest.raises(MissingRuleError, match="vmap_method='sequential'"):
        way(fg.vmap(lambda x: fg.pure_callback(lambda v: v, x, x)))(ROWS)
    with pytest.raises(ArgumentError, match="vmap_method is 'fast'"):
        fg.pure_callback(lambda v: v, SCALAR, 1.0, vmap_method="fast")


@pytest.mark.parametrize("in_order", [False, True])
def test_effects_happen_once_per_element_in_order(in_order: bool, way: Callable[..., Any]) -> None:
    record = Recorder()

    def called(x: Any, y: Any) -> Any:
        fg.io_callback(record, SCALAR, y, ordered=in_order)
        return fg.io_callback(record, SCALAR, x, ordered=in_order) * 2

    result = way(fg.vmap(called, (0, None)))(fnp.asarray(FLAT), 7.0)
    np.testing.assert_array_equal(result, FLAT * 2)
    assert record.first == [7.0, *FLAT.tolist()]


def test_a_mapped_branch_calls_only_for_its_elements(way: Callable[..., Any]) -> None:
    record = Recorder()

    def choose(x: Any) -> Any:
        return fg.lax.cond(x > 0, lambda x: fg.io_callback(record, SCALAR, x), lambda x: -x, x)

    result = way(fg.vmap(choose))(fnp.array([1.0, -2.0, 3.0]))
    np.testing.assert_array_equal(result, [1.0, 2.0, 3.0])
    assert record.first == [1.0, 3.0]


def test_a_mapped_loop_calls_only_while_an_element_runs(way: Callable[..., Any]) -> None:
    record = Recorder()

    def count(x: Any) -> Any:
        return fg.lax.while_loop(lambda i: i < 3, lambda i: (ordered(record, i), i + 1)[1], x)

    np.testing.assert_array_equal(way(fg.vmap(count))(fnp.array([1, 3, 2])), [3, 3, 3])
    assert sorted(record.first) == [1, 2, 2]


# -- what goes wrong ---------------------------------------------------------------------------------------------------


class Boom(Exception):
    """Raised by a callback."""


def explode(x: Any) -> Any:
    try:
        raise ValueError("the cause")
    except ValueError as cause:
        raise Boom("the effect") from cause


def caller(function: Callable[..., Any]) -> Any:
    return function(1.0)


def test_an_exception_reaches_the_caller_with_both_tracebacks(way: Callable[..., Any]) -> None:
    with pytest.raises(Boom, match="the effect") as caught:
        caller(way(lambda x: fg.io_callback(explode, SCALAR, x * 2) + 1))
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names.index("caller") < names.index("explode")
    assert isinstance(caught.value.__cause__, ValueError)
    if way is fg.jit:
        (note,) = caught.value.__notes__
        assert note.startswith("raised by the callback explode (")
        assert "caller(way(lambda x: fg.io_callback(explode" in note


def test_an_exception_stops_the_program_and_not_the_next_one() -> None:
    record = Recorder()

    def host(x: Any) -> Any:
        if x > 1:
            raise Boom
        return record(x)

    def loop(x: Any) -> Any:
        return fg.lax.scan(lambda c, v: (c, fg.io_callback(host, SCALAR, v, ordered=True)), 0, x)[1]

    compiled = fg.jit(loop)
    with pytest.raises(Boom):
        compiled(fnp.array([0.0, 1.0, 2.0, 3.0, 0.5]))
    assert record.first == [0.0, 1.0]
    np.testing.assert_array_equal(compiled(fnp.array([1.0] * 5)), [1.0] * 5)


def test_an_interrupt_reaches_the_caller() -> None:
    def interrupt(x: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fg.jit(lambda x: fg.io_callback(interrupt, SCALAR, x))(1.0)


def test_checks_and_callbacks_share_a_program(way: Callable[..., Any]) -> None:
    record = Recorder()

    def step(total: Any, row: Any) -> tuple[Any, Any]:
        ordered(record, row)
        fg.check(row < 3, "row is {}", row)
        return total + row, None

    run = way(lambda x: fg.lax.scan(step, 0.0, x)[0])
    assert float(run(fnp.array([1.0, 2.0]))) == 3.0
    with pytest.raises(CheckError, match=r"row is 3\.0"):
        float(run(fnp.array([2.0, 3.0])))
    assert record.first == [1.0, 2.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "returned",
    [
        (FLAT, FLAT),
        [FLAT],
        None,
        FLAT[:2],
        FLAT.astype(np.float64),
        1.0,
        np.float32(1.0),
        "text",
        FLAT.astype(object),
        {"a": FLAT},
    ],
    ids=["count", "tree", "none", "shape", "dtype", "number", "scalar", "text", "objects", "dict"],
)
def test_a_wrong_result_is_refused(returned: Any, way: Callable[..., Any]) -> None:
    with pytest.raises(CallbackError, match="returned") as caught:
        way(lambda x: fg.pure_callback(lambda v: returned, x, x))(fnp.asarray(FLAT))
    assert caught.value.source is not None
    assert "fg.pure_callback(lambda v: returned, x, x)" in caught.value.source.text


@pytest.mark.parametrize(("number", "dtype"), [(1.5, "int32"), (1j, "float32"), (300, "int8"), (1, "bool")])
def test_a_python_number_must_fit(number: Any, dtype: str, way: Callable[..., Any]) -> None:
    with pytest.raises(CallbackError, match="returned"):
        way(lambda: fg.pure_callback(lambda: number, fg.ShapeDtypeStruct((), dtype)))()


def test_a_program_with_callbacks_cannot_start_in_a_callback() -> None:
    inner = fg.jit(lambda x: fg.pure_callback(lambda v: v + 1, SCALAR, x))

    def host(x: Any) -> Any:
        return inner(x)

    with pytest.raises(CallbackError, match="was started by a callback"):
        fg.jit(lambda x: fg.pure_callback(host, SCALAR, x))(1.0)
    assert float(fg.pure_callback(host, SCALAR, 1.0)) == 2.0  # eagerly no program waits
    assert float(inner(2.0)) == 3.0


def test_equal_calls_are_one_compiled_program() -> None:
    record = Recorder()
    fg.jit(lambda x: fg.pure_callback(record, SCALAR, x, "fixed") * 17)(1.0)
    before = compile_count()
    fg.jit(lambda x: fg.pure_callback(record, SCALAR, x, "fixed") * 17)(1.0)
    assert compile_count() == before
    fg.jit(lambda x: fg.pure_callback(lambda *args: args[0], SCALAR, x, "fixed") * 17)(1.0)
    fg.jit(lambda x: fg.pure_callback(record, SCALAR, x, b"fixed") * 17)(1.0)
    assert compile_count() == before + 2
