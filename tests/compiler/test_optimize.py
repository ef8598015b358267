"""`optimize` keeps what a program computes, its signature and its effects, never makes it longer, and is idempotent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.compiler import optimize as optimize_module
from funcgrad.compiler.optimize import optimize, write_out
from funcgrad.core.check import check_program
from funcgrad.core.program import Program, run_program
from funcgrad.ops.elementwise import absolute, add, ceil, div, floor, maximum, minimum, mul, neg, sign, sub
from funcgrad.ops.exponential import sqrt
from tests.control_flow_programs import Block, blocks
from tests.programs import SHAPE, RandomProgram, random_programs, scalar_programs

SEEDS = st.integers(0, 10_000)
few = settings(max_examples=max(settings().max_examples // 2, 1))


UNARY_EXACT = (neg, absolute, sign, floor, ceil, sqrt)
EXACT = (*UNARY_EXACT, add, sub, mul, div, maximum, minimum)


def size(program: Program) -> int:
    """How many equations there are with all calls written out."""
    return len(write_out(program).equations)


def assert_same(function: Callable[..., Any], *args: Any, exact: bool = False) -> Program:
    """The laws: the same results and signature, no more equations, nothing left to do; returns the smaller program.

    NumPy's own transcendental functions may differ by an ulp between memory layouts, so not all is compared exactly.
    """
    traced = fg.jit(function).lower(*args)._traced
    program, given = traced.program, [*traced.constants, *fg.tree.leaves(args)]
    smaller = optimize(program)
    check_program(smaller)
    assert optimize(smaller) is smaller
    assert (smaller.inputs, smaller.out_types) == (program.inputs, program.out_types)
    assert size(smaller) <= size(program)
    for one, two in zip(run_program(smaller, given), run_program(program, given), strict=True):
        a, b = np.asarray(one), np.asarray(two)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        if exact or a.dtype.kind not in "fc":
            assert a.tobytes() == b.tobytes()
        else:
            tolerance = 500 * np.finfo(a.dtype).eps
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    return smaller


def point(seed: int, *lead: int) -> Any:
    return fnp.asarray(np.random.default_rng(seed).uniform(-1.5, 1.5, (*lead, *SHAPE)))


@given(random_programs(), SEEDS)
def test_random_programs(program: RandomProgram, seed: int) -> None:
    assert_same(program, point(seed))


@given(scalar_programs(), SEEDS)
def test_random_gradients(program: RandomProgram, seed: int) -> None:
    assert_same(fg.value_and_grad(program), point(seed))
    assert_same(lambda x, v: fg.hvp(program, (x,), (v,)), point(seed), point(seed + 1))
    assert_same(fg.vmap(fg.grad(program)), point(seed, 3))


@few
@given(blocks(), SEEDS)
def test_random_control_flow(program: Block, seed: int) -> None:
    rng = np.random.default_rng(seed)
    v, s = fnp.asarray(rng.uniform(-1.5, 1.5, 3)), fnp.asarray(rng.uniform(-1.5, 1.5, ()))
    assert_same(program, v, s)

    def loss(v: Any, s: Any) -> Any:
        v, s = program(v, s)
        return fnp.mean(v * v) + fnp.sin(s)

    assert_same(fg.grad(loss, argnums=(0, 1)), v, s)
    assert_same(fg.vmap(fg.grad(loss)), fnp.stack([v, v + 0.1]), fnp.stack([s, s - 0.3]))


# -- identities --------------------------------------------------------------------------------------------------------

lax = fg.lax
F = fnp.asarray([[-0.0, 0.0, 1.5], [fnp.inf, -fnp.inf, -2.25]])
ROW = fnp.asarray([-0.0, 2.0, -3.5])
N = fnp.asarray([[0, 1, -2], [7, -(2**31), 2**31 - 1]])
B = N > 0
C = lax.complex(F, F[::-1])
ONES = fnp.ones((2, 3))

# name: (function, operands, the names of the equations that are left)
IDENTITIES: dict[str, tuple[Callable[..., Any], tuple[Any, ...], list[str]]] = {
    "x * 1": (lambda x: x * 1.0, (F,), []),
    "1 * x": (lambda x: 1.0 * x, (F,), []),
    "x / 1": (lambda x: x / 1.0, (F,), []),
    "x - 0": (lambda x: x - 0.0, (F,), []),
    "x + -0": (lambda x: x + -0.0, (F,), []),
    "x + 0 changes the sign of a zero": (lambda x: x + 0.0, (F,), ["add"]),
    "x - -0 does too": (lambda x: x - -0.0, (F,), ["sub"]),
    "0 - x does too": (lambda x: 0.0 - x, (F,), ["sub"]),
    "-0 - x": (lambda x: -0.0 - x, (F,), ["neg"]),
    "x * 0 keeps NaN and signs": (lambda x: x * 0.0, (F,), ["mul"]),
    "-(x - y) has another zero": (lambda x: -(x - x[::-1]), (F,), ["rev", "sub", "neg"]),
    "integers x + 0": (lambda x: x + 0, (N,), []),
    "integers x * 0": (lambda x: x * 0 + x, (N,), []),
    "integers x - x": (lambda x: (x - x) + x, (N,), []),
    "integers 0 - x": (lambda x: 0 - x, (N,), ["neg"]),
    "integers -(x - y)": (lambda x, y: -(x - y), (N, N[::-1]), ["sub"]),
    "integers x == x": (lambda x: fnp.where(x == x, x, -x), (N,), []),
    "floats x == x asks for NaN": (lambda x: x == x, (F,), ["eq"]),
    "-(-x)": (lambda x: fnp.negative(-x), (F,), []),
    "x + -y": (lambda x, y: x + -y, (F, F[::-1]), ["sub"]),
    "-x + y": (lambda x, y: -x + y, (F, F[::-1]), ["sub"]),
    "x - -y": (lambda x, y: x - -y, (F, F[::-1]), ["add"]),
    "-x * -y": (lambda x, y: -x * -y, (F, F[::-1]), ["mul"]),
    "-x / -y": (lambda x, y: -x / -y, (F, F[::-1]), ["div"]),
    "-(x * 3)": (lambda x: -(x * 3.0), (F,), ["mul"]),
    "-x / 3": (lambda x: -x / 3.0, (F,), ["div"]),
    "complex numbers stay": (lambda x: x * 1.0 + -0.0, (C,), ["mul", "add"]),
    "parts of a complex number": (lambda x, y: (lax.real(lax.complex(x, y)), lax.imag(lax.complex(x, y))), (F, F), []),
    "conj(conj(x))": (lambda x: fnp.conj(fnp.conj(x)), (C,), []),
    "maximum(x, x)": (lambda x: fnp.maximum(x, x), (F,), []),
    "| of absolute": (lambda x: abs(abs(-x)), (F,), ["abs"]),
    "and, or with constants": (lambda x: (x & True) | False, (B,), []),
    "and, or that absorb": (lambda x: ((x & False) | x) & (x | True), (B,), []),
    "xor of equal": (lambda x: (x ^ x) | x, (N,), []),
    "not not": (lambda x: fnp.invert(~x), (B,), []),
    "and with all bits": (lambda x: x & -1, (N,), []),
    "shift by 0": (lambda x: x << 0, (N,), []),
    "literals": (lambda x: x * (fnp.float32(2.0) * 3.0 - 5.0), (F,), []),
    "known choice": (lambda x: fnp.where(fnp.asarray(True), x, -x), (F,), []),
    "equal cases": (lambda b, x: fnp.where(b, x, x), (B, F), []),
    "opposite choice": (lambda b, x: fnp.where(~b, x, 1.0), (B, F), ["select"]),
    "choice twice": (lambda b, x, y: fnp.where(b, fnp.where(b, x, y), 2.0), (B, F, F[::-1]), ["select"]),
    "convert": (lambda x: x.astype("float64").astype("float32"), (F,), []),
    "convert through a wider dtype": (lambda x: x.astype("int64").astype("uint8"), (N,), ["convert"]),
    "convert that loses": (lambda x: x.astype("float16").astype("float32"), (F,), ["convert", "convert"]),
    "convert through floats saturates": (lambda x: x.astype("float64").astype("int8"), (N,), ["convert", "convert"]),
    "transposes": (lambda x: x.T.T, (F,), []),
    "transposed scalars": (lambda x: fnp.transpose(x, (1, 0)), (F[:1],), ["reshape"]),
    "reshapes": (lambda x: x.reshape(6).reshape(3, 2).reshape(2, 3), (F,), []),
    "broadcasts": (
        lambda x: fnp.broadcast_to(fnp.broadcast_to(x, (2, 3)), (4, 2, 3)), (ROW,), ["broadcast_in_dim"]),
    "broadcast of a new axis": (lambda x: fnp.broadcast_to(x[:, None, :], (2, 5, 3)), (F,), ["broadcast_in_dim"]),
    "transposed broadcast": (lambda x: fnp.broadcast_to(x, (2, 3)).T, (ROW,), ["broadcast_in_dim"]),
    "broadcasts sink": (
        lambda x, y: fnp.sqrt(abs(fnp.broadcast_to(x, (4, 3)) + fnp.broadcast_to(y, (4, 3)) * 2.0)), (ROW, ROW[::-1]),
        ["mul", "add", "abs", "sqrt", "broadcast_in_dim"]),
    "broadcasts used elsewhere stay": (
        lambda x: (lambda y: (fnp.sqrt(y), y))(fnp.broadcast_to(x, (4, 3))), (ROW,), ["broadcast_in_dim", "sqrt"]),
    "reshapes sink": (
        lambda x: (fnp.sum(x, axis=1, keepdims=True) / 3.0)[:, 0], (F,), ["reduce_sum", "div"]),
    "slices": (lambda x: x[:, 1:][:, 1:], (F,), ["slice"]),
    "slices with strides": (lambda x: x[1:20:3][1:6:2], (fnp.arange(24.0),), ["slice"]),
    "empty slices": (lambda x: x[2:][1:1], (fnp.arange(24.0),), []),
    "slice of all": (lambda x: x[0:2, 0:3], (F,), []),
    "slice of a concatenation": (lambda x, y: fnp.concatenate([x, y])[2:4], (F, F[::-1]), []),
    "slice of padding": (lambda x: fnp.pad(x, 1)[1:3, 1:4] + fnp.pad(x, ((0, 2), (0, 0)))[2:], (F,), ["add"]),
    "slice of a broadcast": (lambda x: fnp.broadcast_to(x, (4, 3))[1:3], (ROW,), ["broadcast_in_dim"]),
    "pads": (lambda x: fnp.pad(fnp.pad(x, 1), 2), (F,), ["pad"]),
    "parts put together again": (lambda x: fnp.concatenate([x[:, :1], x[:, 1:]], axis=1), (F,), []),
    "parts in another order": (
        lambda x: fnp.concatenate([x[:, 1:], x[:, :1]], axis=1), (F,), ["slice", "slice", "concatenate"]),
    "nested concatenation": (
        lambda x, y: fnp.concatenate([fnp.concatenate([x, y]), x]), (F, ROW[None]), ["concatenate"]),
    "reversed twice": (lambda x: x[::-1, ::-1][:, ::-1], (F,), ["rev"]),
    "reversed one": (lambda x: x[::-1], (F[:1],), []),
    "maximum of one": (lambda x: fnp.prod(x, axis=0) + fnp.max(x, axis=0), (F[:1],), ["reshape", "add"]),
    "integer sum of one": (lambda x: fnp.sum(x, axis=0), (N[:1],), ["reshape"]),
    "sum of a negative zero is positive": (lambda x: fnp.sum(x, axis=0), (F[:1],), ["reduce_sum"]),
    "dynamic slice at a known place": (lambda x: lax.dynamic_slice(x, (1, 7), (1, 2)), (F,), ["slice"]),
    "everything updated": (lambda x: lax.dynamic_update_slice(x, 2 * x, (1, 1)), (F,), ["mul"]),
    "either order": (lambda x, y: x * y - y * x, (F, F[::-1]), ["mul", "sub"]),
    "gradients stop": (lambda x: fg.stop_gradient(x), (F,), []),
}  # fmt: skip


def names(program: Program) -> list[str]:
    return [eqn.op.name for eqn in program.equations]


@pytest.mark.parametrize("name", IDENTITIES)
def test_identities(name: str) -> None:
    function, operands, expected = IDENTITIES[name]
    assert sorted(names(assert_same(function, *operands, exact=True))) == sorted(expected)


def test_identities_compiled() -> None:
    """XLA computes from the smaller programs what NumPy does, but for signs of zeros, and complex x * 1."""
    found = fg.jit(lambda given: {k: IDENTITIES[k][0](*x) for k, x in given.items()})(
        {name: operands for name, (_, operands, _) in IDENTITIES.items()}
    )
    for name, (function, operands, _) in IDENTITIES.items():
        if name == "complex numbers stay":
            continue
        for one, two in zip(fg.tree.leaves(found[name]), fg.tree.leaves(function(*operands)), strict=True):
            np.testing.assert_array_equal(np.asarray(one), np.asarray(two), err_msg=name)


# -- calls and loops ---------------------------------------------------------------------------------------------------


def test_calls_are_written_out_at_any_depth_with_their_lines() -> None:
    def function(x: Any) -> Any:
        return fnp.sin(x) * 1.0

    for _ in range(60):
        function = (lambda inner: fg.jit(lambda x: inner(x) + 1.0))(function)
    smaller = assert_same(function, F)
    assert names(smaller) == ["sin"] + ["add"] * 60
    assert all("test_optimize.py" in str(eqn.source) for eqn in smaller.equations)


def test_the_second_computation_of_a_checkpoint_stays_and_is_simpler_inside() -> None:
    def block(x: Any) -> Any:
        return fg.jit(fnp.sin)(x * 1.0)

    def program(prevent_cse: bool) -> Program:
        again = fg.checkpoint(block, prevent_cse=prevent_cse)
        return assert_same(fg.grad(lambda x: fnp.sum(again(again(x)) ** 2)), ROW)

    second = next(eqn.op for eqn in program(True).equations if eqn.op.name == "checkpoint")
    assert optimize(second.program) is second.program  # type: ignore[attr-defined]
    assert "call" not in names(second.program)  # type: ignore[attr-defined]
    assert "checkpoint" not in names(program(False))
    assert names(program(False)).count("sin") == 2


def test_effects_stay_in_order() -> None:
    seen: list[int] = []

    def look(x: Any) -> None:
        fg.debug.callback(lambda x: seen.append(int(x)), x, ordered=True)

    @fg.jit
    def inner(x: Any) -> Any:
        look(x)
        return x

    def function(x: Any) -> Any:
        look(x)
        y = inner(x + 1)
        lax.cond(fnp.asarray(True), inner, lambda x: x, y + 1)
        look(x)
        return lax.fori_loop(0, 2, lambda i, y: inner(y), y)

    fg.jit(function)(3)
    fg.effects_barrier()
    assert seen == [3, 4, 5, 3, 4, 4]


def test_carries_that_never_change_leave_the_loop() -> None:
    def function(xs: Any, a: Any, b: Any) -> Any:
        def step(carry: Any, x: Any) -> Any:
            a, b, total, unused, two = carry
            return (a, b, total + a * x * two, unused + x, two), (b, x, 1.0)

        return lax.scan(step, (a, b, 0.0, 0.0, 2.0), xs)[0][2], lax.scan(step, (a, b, 0.0, 0.0, 2.0), xs)[1]

    smaller = assert_same(function, ROW, fnp.float32(1.5), fnp.float32(-2.0), exact=True)
    (loop,) = [eqn for eqn in smaller.equations if eqn.op.name == "scan"]
    assert (loop.op.consts, loop.op.carry, len(loop.outputs)) == (2, 1, 2)  # type: ignore[attr-defined]


def test_while_loops_too() -> None:
    def function(n: Any, a: Any) -> Any:
        def step(carry: Any) -> Any:
            i, a, total, limit, unused = carry
            return i + 1, a, total + a, limit, unused * 2.0

        return lax.while_loop(lambda carry: carry[0] < carry[3], step, (0, a, a * 0, n, a))[1:3]

    smaller = assert_same(function, fnp.asarray(5), fnp.float32(1.5), exact=True)
    (loop,) = [eqn for eqn in smaller.equations if eqn.op.name == "while"]
    assert len(loop.outputs) == 2


def test_branches() -> None:
    def known(x: Any) -> Any:
        return lax.switch(fnp.asarray(1) * 2, [fnp.sin, fnp.cos, fnp.tanh], x)

    assert names(assert_same(known, F)) == ["tanh"]
    same = lambda i, x: lax.switch(i, [fnp.sin, lambda x: fnp.sin(x) * 1.0], x)  # noqa: E731
    assert names(assert_same(same, fnp.asarray(0), F)) == ["sin"]

    def agreed(i: Any, x: Any, y: Any) -> Any:
        def no(x: Any, y: Any, z: Any) -> Any:
            return x, fnp.cos(y) - z, 1.0

        return lax.cond(i, lambda x, y, z: (x, fnp.sin(y) + z, 1.0), no, x, y, 2.0)

    smaller = assert_same(agreed, fnp.asarray(True), F, ROW)
    (branch,) = [eqn for eqn in smaller.equations if eqn.op.name == "cond"]
    assert (len(branch.inputs), len(branch.outputs)) == (2, 1)


# -- constants ---------------------------------------------------------------------------------------------------------


def test_what_small_constants_determine_is_one_constant() -> None:
    def layer(x: Any) -> Any:
        mask = fnp.arange(8)[:, None] >= fnp.arange(8)
        return fnp.where(mask, fnp.tanh(x), -1e9)

    lowered = fg.jit(lambda x: layer(layer(layer(x)))).lower(fnp.ones((8, 8)))
    assert [(c.shape, c.dtype) for c in lowered._traced.constants] == [((8, 8), np.dtype(bool))]
    assert sorted(names(lowered.program)) == ["select"] * 3 + ["tanh"] * 3


def test_equal_constants_are_one() -> None:
    def function(x: Any) -> Any:
        return x + fnp.asarray([1.0, 2.0, 3.0]) + fnp.asarray([1.0, 2.0, 3.0]) * fnp.asarray([1.0, -2.0, 3.0])

    lowered = fg.jit(function).lower(fnp.ones(3))
    assert len(lowered._traced.constants) == 2  # the table, and the product, which is exact
    np.testing.assert_array_equal(fg.jit(function)(ROW), function(ROW))


def test_constants_do_not_grow() -> None:
    lowered = fg.jit(lambda x: x + fnp.broadcast_to(fnp.arange(64.0), (64, 64))).lower(fnp.ones((64, 64)))
    assert [c.shape for c in lowered._traced.constants] == [(64,)]
    large = fnp.arange(100_000.0)
    lowered = fg.jit(lambda x: x + (large * 2.0)[:3]).lower(fnp.ones(3))
    assert [c.shape for c in lowered._traced.constants] == [(100_000,)]


def test_inexact_functions_of_constants_are_left_to_the_engine() -> None:
    lowered = fg.jit(lambda x: x + fnp.sin(fnp.arange(3.0))).lower(fnp.ones(3))
    assert names(lowered.program) == ["sin", "add"]


def test_constants_are_not_folded_where_each_operation_is_checked() -> None:
    with fg.config(check_nans=True), pytest.raises(fg.errors.CheckError):
        fg.jit(lambda x: x + fnp.asarray([0.0, 1.0]) / fnp.asarray([0.0, 2.0]))(fnp.ones(2)).block_until_ready()


# -- size --------------------------------------------------------------------------------------------------------------


def test_the_lowered_text_is_of_the_optimized_program() -> None:
    assert "multiply" not in fg.jit(lambda x: x * 1.0).lower(F).as_text()


def test_donated_inputs_keep_their_numbers() -> None:
    step = fg.jit(lambda x, unused, y: (y * 1.0, x + y), donate_argnums=(0,))
    x, y = fnp.ones(3) * 2, fnp.ones(3)
    found = step(x, y * 5, y)
    np.testing.assert_array_equal(found[0], np.ones(3))
    np.testing.assert_array_equal(found[1], np.full(3, 3.0))


@pytest.mark.parametrize("sample", EXACT, ids=lambda op: op.name)
def test_exact_operations_are(sample: Any) -> None:
    rng = np.random.default_rng(0)
    for dtype in ("float32", "float64", "float16", "bfloat16"):
        values = np.concatenate([rng.standard_normal(500) * 10.0 ** rng.integers(-3, 4, 500), [0.0, -0.0, 1, -1, 0.5]])
        x, y = fnp.asarray(values).astype(dtype), fnp.asarray(values[::-1].copy()).astype(dtype)
        args = (abs(x),) if sample is sqrt else (x, y)[: 1 if sample in UNARY_EXACT else 2]
        one, two = np.asarray(fg.jit(lambda *a: sample(*a))(*args)), np.asarray(sample(*args))
        np.testing.assert_array_equal(one.view("u1"), two.view("u1"), err_msg=dtype)


def test_calls_that_multiply_without_end_stay_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(function: Any) -> Any:
        return fg.jit(lambda x: function(x) + function(x * 2.0))

    function: Any = fnp.sin
    for _ in range(12):
        function = doubled(function)
    monkeypatch.setattr(optimize_module, "_LARGEST", 100)
    program = optimize(fg.make_program(function)(1.0))
    assert len(program.equations) < 1000
    assert any(eqn.op.name == "call" for eqn in program.equations)
