"""`cond` and `switch`: every rule, with the predicate known, traced or mapped."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import lax
from funcgrad.core.check import check_program
from funcgrad.higher_order.cond import Cond

W = fnp.array([0.5, -1.0, 2.0])


def both_compute(p: Any, x: Any) -> Any:
    return lax.cond(p, lambda x: fnp.sin(x) * x, lambda x: fnp.exp(-x), x)


def closes_over(p: Any, x: Any) -> Any:
    y = x * 2
    return lax.cond(p, lambda: y * W, lambda: y - x)


def one_side_constant(p: Any, x: Any) -> Any:
    return lax.cond(p, lambda x: x * x, lambda x: fnp.ones(3), x)


def trees(p: Any, x: Any) -> Any:
    out = lax.cond(p, lambda t: {"a": t[0] * t[1], "b": t[0]}, lambda t: {"a": t[1], "b": fnp.cos(t[0])}, (x, x + 1))
    return out["a"] + out["b"]


def nested(p: Any, x: Any) -> Any:
    return lax.cond(p, lambda x: lax.cond(x.sum() > 0, fnp.sin, fnp.cos, x), lambda x: x * 3, x)


def with_integers(p: Any, x: Any) -> Any:
    n, y = lax.cond(p, lambda x: (2, x), lambda x: (fnp.argmax(x).astype("int32"), x * x), x)
    return y * n


def compiled_inside(p: Any, x: Any) -> Any:
    return lax.cond(p, fg.jit(lambda x: fnp.tanh(x) * x), lambda x: x, x)


FUNCTIONS = [both_compute, closes_over, one_side_constant, trees, nested, with_integers, compiled_inside]
every_function = pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
X = fnp.array([0.3, -0.7, 1.1])
XS = fnp.array([[0.3, -0.7, 1.1], [-2.0, 0.4, 0.9], [1.0, 2.0, -0.5]])
PS = fnp.array([True, False, True])


def agree(found: Any, expected: Any, tolerance: float = 3e-6) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=tolerance, atol=tolerance)


@every_function
def test_compiled_is_eager(f: Callable[..., Any]) -> None:
    compiled = fg.jit(f)
    for p in (True, False):
        agree(compiled(p, X), f(p, X))


@every_function
def test_derivatives(f: Callable[..., Any]) -> None:
    def loss(p: Any, x: Any) -> Any:
        return (f(p, x) * W).sum()

    for p in (True, False):
        slope = fg.grad(loss, 1)(p, X)
        agree(fg.jit(fg.grad(loss, 1))(p, X), slope)
        agree(fg.grad(fg.jit(loss), 1)(p, X), slope)
        tangent = fg.jvp(lambda x, p=p: fg.jit(loss)(p, x), (X,), (W,))[1]
        agree(tangent, (slope * W).sum())
        agree(fg.jit(fg.hessian(loss, 1))(p, X), fg.hessian(loss, 1)(p, X))
        step = 1e-3
        up, down = loss(p, X + step * W), loss(p, X - step * W)
        agree(tangent, (up - down) / (2 * step), 2e-3)


@every_function
@pytest.mark.parametrize("mapped", [(0, 0), (0, None), (None, 0)])
def test_vmap_is_a_loop(f: Callable[..., Any], mapped: tuple[int | None, int | None]) -> None:
    p, x = PS if mapped[0] == 0 else PS[1], XS if mapped[1] == 0 else X

    def loop(g: Callable[..., Any]) -> Any:
        return fnp.stack([g(p if mapped[0] is None else p[i], x if mapped[1] is None else x[i]) for i in range(3)])

    def slope(p: Any, x: Any) -> Any:
        return fg.grad(lambda x: (f(p, x) * W).sum())(x)

    agree(fg.vmap(f, mapped)(p, x), loop(f))
    agree(fg.jit(fg.vmap(f, mapped))(p, x), loop(f))
    agree(fg.jit(fg.vmap(slope, mapped))(p, x), loop(slope))
    total = fg.grad(lambda x: (fg.vmap(f, mapped)(p, x) * W).sum())(x)
    expected = loop(slope) if mapped[1] == 0 else loop(slope).sum(0)
    agree(total, expected)


def test_switch_chooses_and_clamps() -> None:
    branches = [lambda x: x, lambda x: x * 2, lambda x: x * x]
    compiled = fg.jit(lambda i, x: lax.switch(i, branches, x))
    for i in (-3, 0, 1, 2, 7):
        expected = branches[min(max(i, 0), 2)](3.0)
        assert float(compiled(i, 3.0)) == float(lax.switch(i, branches, fnp.float32(3.0))) == expected
    for dtype in ("int8", "uint8", "int64", "uint32"):
        assert float(compiled(fnp.asarray(200 % 128, dtype=dtype), 3.0)) == 9.0
    indices = fnp.array([-3, 0, 1, 2, 7])
    assert fg.vmap(lambda i: lax.switch(i, branches, 3.0))(indices).tolist() == [3.0, 3.0, 6.0, 9.0, 9.0]


def test_it_agrees_with_jax() -> None:
    def with_jax(p: Any, x: Any) -> Any:
        return jax.lax.cond(p, lambda x: jnp.sin(x) * x, lambda x: jnp.exp(-x), x).sum()

    for p in (True, False):
        expected = jax.grad(with_jax, 1)(p, np.asarray(X))
        agree(fg.jit(fg.grad(lambda p, x: both_compute(p, x).sum(), 1))(p, X), expected)


def test_eagerly_only_the_chosen_function_runs() -> None:
    ran = []
    lax.cond(True, lambda: ran.append("true"), lambda: ran.append("false"))
    lax.cond(fnp.array(0), lambda: ran.append("true"), lambda: ran.append("false"))
    fg.grad(lambda x: lax.cond(x > 0, lambda: x * 2, lambda: ran.append("false")))(1.0)
    assert ran == ["true", "false"]


def test_only_one_branch_runs_in_compiled_code() -> None:
    text = fg.jit(both_compute).lower(True, X).as_text()
    assert text.count("stablehlo.case") == 1


def test_the_numbers_of_python_adapt() -> None:
    out = fg.jit(lambda p, x: lax.cond(p, lambda x: 0, lambda x: x, x))(False, 1.5)
    assert (float(out), out.dtype) == (1.5, np.float32)


def test_residuals_of_branches_share_memory() -> None:
    def f(p: Any, x: Any) -> Any:
        return lax.cond(p, lambda x: fnp.sin(fnp.sin(x)), lambda x: fnp.exp(fnp.tanh(x)), x).sum()

    program = fg.make_program(fg.grad(f, 1))(True, X)
    conds = [eqn for eqn in program.equations if isinstance(eqn.op, Cond)]
    check_program(program)
    assert len(conds) == 2
    assert len(conds[0].outputs) <= 3  # at most the residuals of the greedier branch, not of both together


def test_effects_of_unused_branches_keep_the_equation() -> None:
    def f(p: Any, x: Any) -> Any:
        lax.cond(p, lambda x: fg.check(x > 0, "positive"), lambda x: None, x)
        return x

    assert float(fg.jit(f)(False, -1.0)) == -1.0
    with pytest.raises(fg.errors.CheckError, match="positive"):
        float(fg.jit(f)(True, -1.0))


def test_checks_of_a_side_are_masked_by_the_predicate() -> None:
    def f(x: Any) -> Any:
        def logarithm(x: Any) -> Any:
            fg.check(x > 0, "log of {}", x)
            return fnp.log(x)

        return lax.cond(x > 0, logarithm, lambda x: x, x)

    xs = fnp.array([1.0, -2.0])
    agree(fg.vmap(f)(xs), [0.0, -2.0])
    agree(fg.jit(fg.vmap(f))(xs), [0.0, -2.0])
    agree(fg.jit(fg.vmap(fg.vmap(f)))(xs.reshape(1, 2)), [[0.0, -2.0]])


def test_infinite_derivatives_of_the_side_not_taken_do_not_leak() -> None:
    def f(x: Any) -> Any:
        return lax.cond(x > 0, fnp.sqrt, lambda x: 3 * x, x)

    def total(xs: Any) -> Any:
        return fg.vmap(f)(xs).sum()

    xs = fnp.array([0.0, 4.0, -1.0])
    for g in (total, fg.jit(total)):
        agree(fg.grad(g)(xs), [3.0, 0.25, 3.0])
        agree(fg.jvp(g, (xs,), (fnp.ones(3),))[1], 6.25)
    agree(fg.grad(total)(fnp.zeros(2)), [3.0, 3.0])


def test_collectives_inside_branches() -> None:
    def f(p: Any, x: Any) -> Any:
        return lax.cond(p, lambda x: x / lax.psum(x, "i"), lambda x: x, x)

    xs = fnp.array([1.0, 3.0])
    for p, expected in ((True, [0.25, 0.75]), (False, [1.0, 3.0])):
        agree(fg.jit(fg.vmap(f, (None, 0), axis_name="i"))(p, xs), expected)


def test_transformed_programs_are_well_typed() -> None:
    with fg.config(check_programs=True):
        for f, p in itertools.product(FUNCTIONS, (True, False)):
            fg.jit(fg.vmap(fg.grad(lambda x, f=f, p=p: f(p, x).sum())))(XS)
            fg.jit(fg.vmap(lambda p, x, f=f: fg.grad(lambda x: f(p, x).sum())(x)))(PS, XS)


def test_a_mapped_branch_in_a_custom_rule_can_be_transposed() -> None:
    def branching(x: Any) -> Any:
        return fg.lax.cond(x > 0, lambda x: x * x, lambda x: -x, x)

    function = fg.custom_jvp(lambda x: branching(x))
    function.defjvp(lambda primals, tangents: fg.jvp(branching, primals, tangents))
    xs = fnp.asarray([3.0, -2.0])
    total = fg.grad(lambda xs: fnp.sum(fg.vmap(function)(xs)))
    assert total(xs).tolist() == fg.jit(total)(xs).tolist() == [6.0, -1.0]

    def scaled(xs: Any) -> Any:
        return fg.vmap(lambda p, x: fg.lax.cond(p, lambda x: 2 * x, lambda x: -x, x))(fnp.asarray([True, False]), xs)

    (found,) = fg.linear_transpose(scaled, xs)(xs)
    assert found.tolist() == [6.0, 2.0]
