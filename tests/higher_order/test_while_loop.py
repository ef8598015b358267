"""`while_loop` and `fori_loop`: laws under every transformation, reverse mode's memory, and JAX as the oracle."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.core.program import Program
from funcgrad.higher_order.scan import Scan, scan
from funcgrad.higher_order.while_loop import While

fori_loop, while_loop = fg.lax.fori_loop, fg.lax.while_loop

WAYS: dict[str, dict[str, int]] = {
    "replayed": {},
    "two places": {"checkpoints": 2},
    "kept": {"max_steps": 14},
    "kept, but replayed": {"max_steps": 14, "checkpoints": 3},
}
XS, LIMITS = np.array([0.3, 0.9, 0.5, 1.2], np.float32), np.array([4.0, 0.1, 30.0, 2.0], np.float32)


def grow(x: Any, limit: Any, **options: Any) -> Any:
    """A loop whose number of steps depends on its values, and whose steps are not linear."""
    return while_loop(lambda v: v < limit, lambda v: v * (1 + x) + fnp.exp(-v) + 0.5, x, **options)


def powers(x: Any, count: Any, **options: Any) -> Any:
    """A loop over integers with a tree for a carry, of which one part never changes and one does not matter."""

    def step(i: Any, state: Any) -> Any:
        scaled = fnp.sin(state["y"]) * state["fixed"] + i
        return {"y": scaled, "fixed": state["fixed"], "unused": fnp.tan(state["unused"])}

    return fori_loop(0, count, step, {"y": x, "fixed": 1.5 * x, "unused": x}, **options)["y"]


def close(found: Any, want: Any, tolerance: float = 2e-5) -> None:
    np.testing.assert_allclose(found, want, rtol=tolerance, atol=tolerance)


def operations(program: Program) -> list[Any]:
    """All operations of a program and of the programs inside."""
    found = []
    for eqn in program.equations:
        found.append(eqn.op)
        for field in eqn.op._field_values():
            if isinstance(field, Program):
                found += operations(field)
    return found


# -- laws --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("function", [partial(grow, limit=30.0), partial(powers, count=5)], ids=["grow", "powers"])
def test_compiled_derivatives_are_the_eager_ones(function: Callable[..., Any], way: str) -> None:
    x, dynamic = fnp.asarray(0.9), dict(WAYS[way])
    if "count" in function.keywords:  # else the bounds are known and the loop is a scan
        function = lambda x, f=function.func, **options: f(x, fnp.floor(x * 5 + 1).astype(int), **options)  # noqa: E731
    close(fg.jit(partial(function, **dynamic))(x), function(x))
    close(fg.jit(fg.grad(partial(function, **dynamic)))(x), fg.grad(function)(x))
    _, forward = fg.jvp(fg.jit(partial(function, **dynamic)), (x,), (fnp.asarray(2.0),))
    close(forward, 2 * fg.grad(function)(x))


def test_the_derivative_agrees_with_differences() -> None:
    x, h = np.float64(0.9), 1e-6
    want = (grow(x + h, 30.0) - grow(x - h, 30.0)) / (2 * h)
    for way in WAYS.values():
        close(fg.jit(fg.grad(partial(grow, limit=30.0, **way)))(x), want, 1e-7)


@pytest.mark.parametrize("way", ["two places", "kept"])
def test_second_derivatives(way: str) -> None:
    function, x = partial(grow, limit=30.0), fnp.asarray(0.9)
    want = fg.grad(fg.grad(function))(x)
    compiled = partial(function, **WAYS[way])
    close(fg.jit(fg.grad(fg.grad(compiled)))(x), want, 1e-4)
    close(fg.jit(fg.hessian(compiled))(x), want, 1e-4)


@pytest.mark.parametrize("way", ["replayed", "kept"])
@pytest.mark.parametrize("mapped", [(0, 0), (0, None), (None, 0)], ids=["both", "body", "predicate"])
def test_vmap_is_a_loop(mapped: tuple[int | None, int | None], way: str) -> None:
    args = [a if m == 0 else a[2] for a, m in zip((XS, LIMITS), mapped, strict=True)]
    function = partial(grow, **WAYS[way])
    rows = [[a[i] if m == 0 else a for a, m in zip(args, mapped, strict=True)] for i in range(len(XS))]
    values = [grow(*row) for row in rows]
    gradients = [fg.grad(grow)(*row) for row in rows]
    close(fg.vmap(function, mapped)(*args), values)
    close(fg.jit(fg.vmap(function, mapped))(*args), values)
    close(fg.jit(fg.vmap(fg.grad(function), mapped))(*args), gradients)
    close(fg.vmap(fg.grad(function), mapped)(*args), gradients)
    summed = fg.jit(fg.grad(lambda x: fg.vmap(function, mapped)(x, args[1]).sum()))(args[0])
    close(summed, gradients if mapped[0] == 0 else np.sum(gradients))


def test_finished_elements_do_not_spoil_derivatives() -> None:
    # at the end, where the other elements still run, the step's derivative is infinite
    def root(x: Any) -> Any:
        return while_loop(lambda v: v[0] > 0, lambda v: (v[0] - 1, fnp.sqrt(fnp.abs(v[0] - 1)) * v[1]), (x, x))[1]

    xs = fnp.asarray([2.0, 3.0, 1.0])
    want = [fg.grad(root)(x) for x in np.asarray(xs + 0.25)]
    close(fg.jit(fg.grad(lambda xs: fg.vmap(root)(xs).sum()))(xs + 0.25), want)
    steep = fg.jit(fg.grad(lambda xs: fg.vmap(lambda x: while_loop(lambda v: v > 0, _to_zero, x))(xs).sum()))
    assert np.isfinite(steep(fnp.asarray([1.0, 2.0]))).all()


def _to_zero(v: Any) -> Any:
    return fnp.where(v > 1.5, 1.0 + 0.1 * fnp.sqrt(v), 0.0 * fnp.sqrt(v))


def test_effects_of_steps_that_are_computed_again_happen_once(capsys: pytest.CaptureFixture[str]) -> None:
    def step(v: Any) -> Any:
        fg.debug.print("v is {}", v, ordered=True)
        return 0.5 * v * fnp.sin(v)

    function = fg.jit(fg.grad(lambda x: while_loop(lambda v: v > 0.01, step, x, checkpoints=2)))
    float(function(1.5))
    fg.effects_barrier()
    assert capsys.readouterr().out.count("v is") == 4


def test_effects_of_steps_whose_residuals_are_kept_happen_once(capsys: pytest.CaptureFixture[str]) -> None:
    def step(state: Any) -> Any:
        number, v = state
        fg.debug.print("step {}", number, ordered=True)
        return number + 1, fnp.sin(v)

    def run(x: Any, steps: Any) -> Any:
        return while_loop(lambda s: s[0] < steps, step, (0, x), max_steps=4)[1]

    float(fg.jit(fg.grad(run))(1.0, 3))
    fg.effects_barrier()
    assert capsys.readouterr().out == "step 0\nstep 1\nstep 2\n"


@pytest.mark.parametrize("way", ["two places", "kept"])
def test_loops_inside_loops_branches_and_calls(way: str) -> None:
    def inner(x: Any) -> Any:
        return fg.jit(partial(grow, limit=3.0, **WAYS[way]))(x)

    def branches(x: Any, flag: Any) -> Any:
        return fg.lax.cond(flag, inner, lambda x: x * x, x)

    def loops(x: Any, flag: Any) -> Any:
        step = lambda c: (c[0] + 1, branches(c[1] * 0.4 + x, flag))  # noqa: E731
        return while_loop(lambda c: c[0] < 3, step, (0, x), **WAYS[way])[1]

    def scans(x: Any, flag: Any) -> Any:
        return scan(lambda c, a: (branches(c * 0.4 + a * x, flag), c), x, fnp.arange(2.0))[0]

    for function in (loops, scans):
        for flag in (True, False):
            close(fg.jit(fg.grad(function))(0.8, flag), fg.grad(function)(0.8, flag), 1e-4)
        _, forward = fg.jvp(lambda x, f=function: fg.jit(f)(x, True), (0.8,), (1.0,))
        close(forward, fg.grad(function)(0.8, True), 1e-4)


def test_closed_over_tracers_get_their_derivatives() -> None:
    def function(w: Any, x: Any) -> Any:
        return while_loop(lambda v: v.sum() < 20, lambda v: fnp.dot(w, v) + x, x).sum()

    w, x = fnp.asarray([[1.0, 0.5], [0.2, 1.1]]), fnp.asarray([0.3, 0.4])
    for found, want in zip(fg.jit(fg.grad(function, (0, 1)))(w, x), fg.grad(function, (0, 1))(w, x), strict=True):
        close(found, want)


def test_linear_transpose_of_a_loop() -> None:
    def linear(x: Any) -> Any:
        return fg.jit(lambda n, x: fori_loop(0, n, lambda i, v: v[::-1] * 2.0 + v, x))(3, x)

    matrix = np.stack([linear(row) for row in np.eye(3, dtype=np.float32)])
    found = np.stack([fg.linear_transpose(linear, fnp.ones(3))(row)[0] for row in np.eye(3, dtype=np.float32)])
    close(found, matrix.T)


def test_a_loop_whose_condition_is_not_known_has_no_transpose() -> None:
    transposed = fg.linear_transpose(lambda x: while_loop(lambda v: v < 3, lambda v: v * 2, x), 1.0)
    with pytest.raises(errors.MissingRuleError, match="operation while is not linear"):
        transposed(1.0)


def test_complex_carries() -> None:
    def function(x: Any) -> Any:
        z = while_loop(lambda z: fnp.abs(z) < 5, lambda z: z * z + x, fnp.asarray(0.5 + 0.5j) * x)
        return fnp.abs(z)

    close(fg.jit(fg.grad(function))(1.1), fg.grad(function)(1.1))


# -- eager -------------------------------------------------------------------------------------------------------------


def test_eagerly_the_functions_are_called_with_values() -> None:
    seen: list[float] = []

    def step(x: Any) -> Any:
        seen.append(float(x))
        return x * 2

    assert float(while_loop(lambda x: bool(x < 10), step, fnp.asarray(3.0))) == 12
    assert seen == [3, 6]
    assert float(fg.grad(lambda x: while_loop(lambda v: v < 10, step, x))(3.0)) == 4


def test_a_loop_becomes_an_operation_when_its_condition_is_no_longer_known() -> None:
    def function(x: Any) -> Any:
        return while_loop(lambda c: (c[0] < 2) | (c[1] < 9), lambda c: (c[0] + 1, c[1] * x), (0, fnp.asarray(1.0)))[1]

    close(fg.vmap(function)(fnp.asarray([2.0, 3.0, 10.0])), [16, 9, 100])


def test_numbers_adapt_to_the_body() -> None:
    for run in (lambda f: f, fg.jit):
        assert run(lambda x: while_loop(lambda v: v < x, lambda v: v * 1.5, 1))(3).dtype == np.float32
        assert run(lambda x: while_loop(lambda v: v < x, lambda v: v * 1.5, 1))(0).dtype == np.float32
        assert run(lambda x: while_loop(lambda v: v < 3, lambda v: v + x, 1))(np.float64(1)).dtype == np.float64
        assert run(lambda x: while_loop(lambda v: v.sum() < 3, lambda v: v + x, fnp.zeros(2)))(1).dtype == np.float32


# -- fori_loop ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
def test_the_counter_has_the_dtype_of_the_bounds(dtype: str) -> None:
    low, high = fnp.asarray(2, dtype), fnp.asarray(5, dtype)
    body = lambda i, x: x + i  # noqa: E731
    start = fnp.zeros((), dtype)
    for found in (fori_loop(low, high, body, start), fg.jit(lambda a, b: fori_loop(a, b, body, start))(low, high)):
        assert (int(found), found.dtype) == (9, dtype)


def test_known_bounds_make_a_scan_and_others_a_while() -> None:
    body = lambda i, x: x * 2 + i  # noqa: E731
    known = fg.make_program(lambda x: fori_loop(1, 4, body, x))(1.0)
    traced = fg.make_program(lambda n, x: fori_loop(1, n, body, x))(4, 1.0)
    assert [type(op) for op in operations(known) if isinstance(op, (Scan, While))] == [Scan]
    assert [type(op) for op in operations(traced) if isinstance(op, (Scan, While))] == [While]
    assert float(fg.jit(lambda x: fori_loop(1, 4, body, x, unroll=2))(1.0)) == float(fori_loop(1, 4, body, 1.0)) == 19
    assert float(fg.jit(lambda n: fori_loop(3, n, body, 7.0))(1)) == 7


def test_carries_that_nobody_needs_are_dropped() -> None:
    (loop,) = [op for op in operations(fg.make_program(powers)(0.5, 3)) if isinstance(op, While)]
    assert len(loop.body.outputs) == 3  # the counter, y and fixed


# -- effects -----------------------------------------------------------------------------------------------------------


def test_checks_of_finished_elements_do_not_happen() -> None:
    def function(x: Any) -> Any:
        def step(v: Any) -> Any:
            fg.check(v < 5, "v is {}", v)
            return v + 1

        return while_loop(lambda v: v < x, step, x - 2)

    mapped = fg.jit(fg.vmap(function))
    close(mapped(fnp.asarray([3.0, 4.0, 5.5])), [3, 4, 5.5])
    with pytest.raises(errors.CheckError, match=r"v is 5\.5"):
        np.asarray(mapped(fnp.asarray([3.0, 4.0, 6.5])))
    gradient = fg.jit(fg.grad(lambda xs: fg.vmap(function)(xs).sum()))
    close(gradient(fnp.asarray([3.0, 5.5])), [1, 1])
    with pytest.raises(errors.CheckError, match=r"v is 5\.5"):
        np.asarray(gradient(fnp.asarray([3.0, 6.5])))


def test_a_check_in_the_condition() -> None:
    def condition(v: Any) -> Any:
        fg.check(v != 3, "three")
        return v < 6

    function = fg.jit(lambda x: while_loop(condition, lambda v: v + 2, x))
    assert int(function(0)) == 6
    with pytest.raises(errors.CheckError, match="three"):
        np.asarray(function(1))
    close(fg.jit(fg.vmap(lambda x: while_loop(condition, lambda v: v + 2, x)))(fnp.asarray([0, 4, 8])), [6, 6, 8])


# -- memory ------------------------------------------------------------------------------------------------------------

CARRY_BYTES = 4 * 1000


def long_loop(x: Any, count: Any, **options: Any) -> Any:
    return fori_loop(0, count, lambda i, v: fnp.sin(v) * 1.1 + 0.1 * x, x, **options).sum()


def gradient_bytes(count: int, **options: Any) -> int:
    """Temporary memory of the compiled gradient, whatever the number of steps, which is an argument of it."""
    compiled = fg.jit(fg.grad(partial(long_loop, **options))).lower(fnp.ones(1000), count).compile()
    return compiled.memory_analysis().temp_size_in_bytes


def test_the_memory_of_reverse_mode_is_bounded_by_the_places() -> None:
    four, sixteen = gradient_bytes(10, checkpoints=4), gradient_bytes(10, checkpoints=16)
    assert gradient_bytes(100_000, checkpoints=4) == four
    assert 4 * CARRY_BYTES < four < (4 + 6) * CARRY_BYTES
    assert sixteen - four < (12 + 1) * CARRY_BYTES
    assert gradient_bytes(10) < (20 + 6) * CARRY_BYTES
    x = np.linspace(0, 1, 1000, dtype=np.float32)
    function = fg.jit(fg.grad(partial(long_loop, checkpoints=4)))
    for count in (0, 1, 37):
        close(function(x, count), fg.grad(long_loop)(x, count), 1e-4)


def test_max_steps_keeps_that_many_rows() -> None:
    program = fg.make_program(fg.grad(partial(long_loop, max_steps=7)))(fnp.ones(1000), 5)
    (forward,) = [op for op in operations(program) if isinstance(op, While)]
    (backward,) = [op for op in operations(program) if isinstance(op, Scan)]
    kept = [t.shape for t in forward.body.out_types if t.ndim == 2]
    assert kept == [(7, 1000)]  # the cosine; the factor 1.1 and x are the same in every step
    assert (backward.length, backward.reverse, backward.counted) == (7, True, True)
    program = fg.make_program(fg.grad(long_loop))(fnp.ones(1000), 5)
    rows = {t.shape for op in operations(program) if isinstance(op, While) for t in op.body.out_types if t.ndim == 2}
    assert rows == {(20, 1000)}  # without a promise: as many as there are places


# -- JAX as the oracle -------------------------------------------------------------------------------------------------


def collatz(x: Any, where: Any) -> Any:
    step = lambda c: (where(c[0] % 2 == 0, c[0] // 2, 3 * c[0] + 1), c[1] + 1)  # noqa: E731
    return (lambda c: c[0] > 1), step, (x, 0)


def test_integers_against_jax() -> None:
    xs = np.arange(1, 30, dtype=np.int32)
    found = fg.jit(fg.vmap(lambda x: while_loop(*collatz(x, fnp.where))))(xs)
    want = jax.vmap(lambda x: jax.lax.while_loop(*collatz(x, jnp.where)))(xs)
    for a, b in zip(found, want, strict=True):
        np.testing.assert_array_equal(a, b)


def test_derivatives_against_jax() -> None:
    def body(np_: Any, i: Any, state: Any) -> Any:
        x, m = state
        return np_.tanh(m @ x) + i * 0.1, m * 0.9 + 0.01 * x[:, None]

    x, m = np.array([0.3, -0.2], np.float32), np.array([[1.0, 0.4], [-0.3, 0.8]], np.float32)

    def theirs(x: Any, m: Any) -> Any:
        return jax.lax.fori_loop(0, 6, partial(body, jnp), (x, m))[0].sum()

    def ours(count: Any, x: Any, m: Any, **options: Any) -> Any:
        return fori_loop(0, count, partial(body, fnp), (x, m), **options)[0].sum()

    want = jax.grad(theirs, (0, 1))(x, m)
    tangents = (np.ones(2, np.float32), np.ones((2, 2), np.float32))
    _, forward = jax.jvp(theirs, (x, m), tangents)
    for way in (WAYS["replayed"], WAYS["kept"]):
        for a, b in zip(fg.jit(fg.grad(partial(ours, **way), (1, 2)))(6, x, m), want, strict=True):
            close(a, b)
    close(fg.jit(lambda n, p, t: fg.jvp(partial(ours, n), p, t)[1])(6, (x, m), tangents), forward)


# -- bad input (the messages are in tests/messages) --------------------------------------------------------------------


def test_more_steps_than_promised() -> None:
    with pytest.raises(errors.CheckError):
        grow(0.9, 30.0, max_steps=3)
    with pytest.raises(errors.CheckError):
        np.asarray(fg.jit(fg.grad(partial(grow, max_steps=3)))(0.9, 30.0))
    with pytest.raises(errors.CheckError, match="index 2 of the mapped axis"):
        np.asarray(fg.jit(fg.vmap(partial(grow, max_steps=5)))(XS, LIMITS))
    with pytest.raises(errors.CheckError):
        fori_loop(0, 4, lambda i, x: x, 0, max_steps=3)


@pytest.mark.parametrize("options", [{"max_steps": 0}, {"max_steps": 2.0}, {"checkpoints": 0}, {"checkpoints": True}])
def test_unusable_options(options: Any) -> None:
    with pytest.raises(errors.ArgumentError, match="expected a positive Python int"):
        grow(0.9, 30.0, **options)


@pytest.mark.parametrize("options", [{}, {"max_steps": 9}], ids=str)
def test_effects_of_a_mapped_condition_happen_once(options: dict[str, int]) -> None:
    seen: list[float] = []

    def go_on(x: Any) -> Any:
        fg.debug.callback(lambda value: seen.append(float(value)), x, ordered=True)
        return x < 3.0

    def double(x: Any) -> Any:
        return fg.lax.while_loop(go_on, lambda x: x * 2, x, **options)

    xs = fnp.asarray([1.0, 2.5])
    for way in (fg.vmap(double), fg.vmap(fg.grad(double)), fg.jit(fg.vmap(double))):
        seen.clear()
        np.asarray(way(xs))
        fg.effects_barrier()
        assert sorted(seen) == [1.0, 2.0, 2.5, 4.0, 5.0]
