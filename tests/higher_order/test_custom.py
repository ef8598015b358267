"""Custom rules under every transformation: against the plain function, against JAX, and what rules are given."""

from __future__ import annotations

import functools
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.custom_derivatives import SymbolicZero
from funcgrad.higher_order.closures import Same
from funcgrad.higher_order.custom_call import CustomCall
from funcgrad.higher_order.staged_rules import Embedded

TABLE = np.array([0.5, 2.0, -1.5], np.float32)


def plain(x: Any, y: Any) -> Any:
    return fnp.sin(x) * y + x


def rules_of(kind: str) -> Any:
    """`plain` with rules, each of which computes the true derivative."""
    made = {"jvp": fg.custom_jvp, "vjp": fg.custom_vjp, "both": fg.custom_vjp, "vmap": fg.custom_vmap}
    if kind == "jvp and vmap":
        f = fg.custom_jvp(plain)
    else:
        f = made[kind](plain)
    if kind in ("jvp", "both", "jvp and vmap"):

        @f.defjvp
        def tangents(primals: Any, tangents: Any) -> Any:
            (x, y), (dx, dy) = primals, tangents
            return f(x, y), (fnp.cos(x) * y + 1) * dx + fnp.sin(x) * dy

    if kind in ("vjp", "both"):

        def fwd(x: Any, y: Any) -> Any:
            return f(x, y), {"point": (x, y), "note": "kept", "number": 1}

        def bwd(residuals: Any, ct: Any) -> Any:
            assert residuals["note"] == "kept"
            assert residuals["number"] == 1
            x, y = residuals["point"]
            return (fnp.cos(x) * y + 1) * ct, fnp.sin(x) * ct

        f.defvjp(fwd, bwd)
    if kind in ("vmap", "jvp and vmap"):

        @f.def_vmap
        def mapped(size: int, in_batched: Any, x: Any, y: Any) -> Any:
            return fnp.sin(x) * y + x, any(in_batched)

    return f


KINDS = ["jvp", "vjp", "both", "vmap", "jvp and vmap"]
X, Y = np.float32(0.7), np.float32(1.3)
XS = np.array([0.1, 0.7, 1.5], np.float32)
Function = Callable[..., Any]
WAYS: dict[str, Callable[[Function], Any]] = {
    "call": lambda f: f(X, Y),
    "keywords": lambda f: f(X, y=Y),
    "jit": lambda f: fg.jit(f)(X, Y),
    "grad": lambda f: fg.grad(f, (0, 1))(X, Y),
    "jvp": lambda f: fg.jvp(f, (X, Y), (Y, X))[1],
    "jit of grad": lambda f: fg.jit(fg.grad(f, (0, 1)))(X, Y),
    "grad of jit": lambda f: fg.grad(fg.jit(f), (0, 1))(X, Y),
    "jvp of jit": lambda f: fg.jvp(fg.jit(f), (X, Y), (Y, X))[1],
    "linearize": lambda f: fg.linearize(f, X, Y)[1](Y, X),
    "one argument moves": lambda f: fg.jvp(lambda x: f(x, Y), (X,), (Y,))[1],
    "hessian": lambda f: fg.hessian(f, (0, 1))(X, Y),
    "hessian of jit": lambda f: fg.hessian(fg.jit(f), (0, 1))(X, Y),
    "grad of grad": lambda f: fg.grad(fg.grad(f))(X, Y),
    "grad of grad of jit": lambda f: fg.jit(fg.grad(fg.grad(fg.jit(f))))(X, Y),
    "jvp of jvp": lambda f: fg.jvp(lambda x: fg.jvp(f, (x, Y), (x, X))[1], (X,), (Y,)),
    "grad of jvp": lambda f: fg.grad(lambda x: fg.jvp(f, (x, Y), (x, X))[1])(X),
    "grad of jvp of jit": lambda f: fg.grad(fg.jit(lambda x: fg.jvp(fg.jit(f), (x, Y), (x, X))[1]))(X),
    "third derivative": lambda f: fg.grad(fg.grad(fg.grad(f)))(X, Y),
    "vmap": lambda f: fg.vmap(f, (0, None))(XS, Y),
    "vmap of the other": lambda f: fg.vmap(f, (None, 0))(X, XS),
    "jit of vmap": lambda f: fg.jit(fg.vmap(f))(XS, XS),
    "vmap of jit": lambda f: fg.vmap(fg.jit(f), (0, None))(XS, Y),
    "vmap of grad": lambda f: fg.vmap(fg.grad(f, (0, 1)), (0, None))(XS, Y),
    "vmap of jvp": lambda f: fg.vmap(lambda x: fg.jvp(f, (x, Y), (Y, x))[1])(XS),
    "vmap of jvp of jit": lambda f: fg.jit(fg.vmap(fg.jit(lambda x: fg.jvp(f, (x, Y), (Y, x))[1])))(XS),
    "grad of vmap": lambda f: fg.grad(lambda x, y: fg.vmap(f, (0, None))(x, y).sum(), (0, 1))(XS, Y),
    "grad of vmap of jit": lambda f: fg.grad(fg.jit(lambda x, y: fg.vmap(fg.jit(f), (0, None))(x, y).sum()), 1)(XS, Y),
    "grad of vmap of jvp": lambda f: fg.grad(lambda x: fg.vmap(lambda x: fg.jvp(f, (x, Y), (Y, Y))[1])(x).sum())(XS),
    "vmap of vmap": lambda f: fg.vmap(fg.vmap(f, (0, None)), (None, 0))(XS, XS),
    "jvp of vmap of vmap": lambda f: fg.jvp(
        lambda x, y: fg.vmap(fg.vmap(f, (0, None)), (None, 0))(x, y), (XS, XS), (XS, XS)
    ),
    "hessian of vmap": lambda f: fg.hessian(lambda x: (fg.vmap(f, (0, None))(x, Y) ** 2).sum())(XS),
}


@functools.cache
def expected(way: str) -> Any:
    return fg.tree.map(np.asarray, WAYS[way](plain))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_true_rules_change_nothing(kind: str, way: str) -> None:
    found = WAYS[way](rules_of(kind))
    fg.tree.map(functools.partial(np.testing.assert_allclose, rtol=2e-5, atol=2e-6), found, expected(way))


# -- rules that are seen at work: twice the true derivative ------------------------------------------------------------


def doubled_jvp(module: Any) -> Any:
    np_ = jnp if module is jax else fnp
    f = module.custom_jvp(lambda x: np_.sin(x))
    f.defjvp(lambda primals, tangents: (f(primals[0]), 2 * np_.cos(primals[0]) * tangents[0]))
    return f


def doubled_vjp(module: Any) -> Any:
    np_ = jnp if module is jax else fnp
    f = module.custom_vjp(lambda x: np_.sin(x))
    f.defvjp(lambda x: (f(x), x), lambda x, ct: (2 * np_.cos(x) * ct,))
    return f


SCALAR_WAYS: dict[str, Callable[[Any, Function], Any]] = {
    "grad": lambda m, f: m.grad(f)(X),
    "grad of jit": lambda m, f: m.grad(m.jit(f))(X),
    "grad of grad": lambda m, f: m.grad(m.grad(f))(X),
    "vmap of grad": lambda m, f: m.vmap(m.grad(f))(XS),
    "grad of vmap": lambda m, f: m.grad(lambda x: m.vmap(f)(x).sum())(XS),
    "jit of grad of vmap of jit": lambda m, f: m.jit(m.grad(lambda x: m.vmap(m.jit(f))(x).sum()))(XS),
}


@pytest.mark.parametrize("way", SCALAR_WAYS)
@pytest.mark.parametrize("make", [doubled_jvp, doubled_vjp])
def test_the_rule_and_not_the_function_is_differentiated_as_in_jax(make: Function, way: str) -> None:
    found, oracle = SCALAR_WAYS[way](fg, make(fg)), SCALAR_WAYS[way](jax, make(jax))
    np.testing.assert_allclose(found, oracle, rtol=1e-5)


def test_the_rule_for_vmap_is_used_wherever_the_axis_is() -> None:
    sizes: list[int] = []
    f = fg.custom_vmap(fnp.sin)

    @f.def_vmap
    def mapped(size: int, in_batched: Any, x: Any) -> Any:
        sizes.append(size)
        return 10 * x, True

    np.testing.assert_allclose(fg.vmap(f)(XS), 10 * XS)
    np.testing.assert_allclose(fg.jit(fg.vmap(f))(XS), 10 * XS)
    np.testing.assert_allclose(fg.vmap(fg.jit(f))(XS), 10 * XS)
    np.testing.assert_allclose(fg.grad(lambda x: fg.vmap(f)(x).sum())(XS), [10, 10, 10])
    np.testing.assert_allclose(fg.vmap(lambda x: fg.jvp(f, (x,), (x,))[1])(XS), 10 * XS)
    assert sizes == [3] * 5
    np.testing.assert_allclose(f(X), np.sin(X), rtol=1e-6)


def test_the_vmap_rule_sees_which_leaves_are_mapped_and_they_are_in_front() -> None:
    seen: list[Any] = []
    f = fg.custom_vmap(lambda p, y: p["a"] + p["b"] * y)

    @f.def_vmap
    def mapped(size: int, in_batched: Any, p: Any, y: Any) -> Any:
        seen.append((size, in_batched, p["a"].shape, p["b"].shape, y.shape))
        return p["a"] + p["b"] * y, True

    in_axes = ({"a": 1, "b": None}, None)
    fg.vmap(f, in_axes)({"a": np.ones((2, 3), np.float32), "b": np.ones(2, np.float32)}, Y)
    assert seen == [(3, [{"a": True, "b": False}, False], (3, 2), (2,), ())]


# -- one function with both rules --------------------------------------------------------------------------------------


def test_each_mode_uses_its_own_rule() -> None:
    used: list[str] = []
    f = fg.custom_jvp(fnp.sin)

    @f.defjvp
    def tangents(primals: Any, tangents: Any) -> Any:
        used.append("jvp")
        return f(*primals), fnp.cos(primals[0]) * tangents[0]

    def bwd(x: Any, ct: Any) -> Any:
        used.append("bwd")
        return (fnp.cos(x) * ct,)

    f.defvjp(lambda x: (f(x), x), bwd)
    fg.jvp(f, (X,), (Y,))
    assert used == ["jvp"]
    fg.grad(f)(X)
    assert used == ["jvp", "bwd"]
    fg.grad(fg.jit(f))(X)
    assert used == ["jvp", "bwd", "bwd"]
    fg.jit(lambda x: fg.jvp(f, (x,), (x,))[1])(X)
    assert used[3:] == ["jvp"]


def test_a_cotangent_rule_need_not_be_linear() -> None:
    f = fg.custom_vjp(lambda x: 3 * x)
    f.defvjp(lambda x: (f(x), None), lambda residuals, ct: (fnp.clip(ct, -1, 1),))
    assert float(fg.grad(lambda x: 5 * f(x))(X)) == 1
    np.testing.assert_array_equal(fg.vmap(fg.grad(lambda x: 5 * f(x)))(XS), [1, 1, 1])
    np.testing.assert_array_equal(fg.grad(lambda x: 5 * fg.vmap(f)(x).sum())(XS), [1, 1, 1])
    assert float(fg.grad(fg.jit(lambda x: 5 * f(x)))(X)) == 1
    with pytest.raises(errors.CustomRuleError, match="linear in the cotangent"):
        fg.jvp(f, (X,), (Y,))


def test_mapped_cotangents_of_what_is_not_mapped_are_summed() -> None:
    f = fg.custom_vjp(lambda x, w: x * w)
    f.defvjp(lambda x, w: (x * w, (x, w)), lambda r, ct: (ct * r[1], 1.0))  # a cotangent that ignores ct
    assert float(fg.grad(lambda w: fg.vmap(f, (0, None))(XS, w).sum())(Y)) == 3


# -- what rules are given, and what they may return --------------------------------------------------------------------


def test_rules_run_eagerly_with_concrete_values() -> None:
    seen: list[float] = []
    f = fg.custom_jvp(lambda x: x * x)

    @f.defjvp
    def tangents(primals: Any, tangents: Any) -> Any:
        (x,) = primals
        seen.append(float(x))
        return f(x), (tangents[0] * 2 * x if x > 0 else tangents[0] * 0)

    assert float(fg.grad(f)(3.0)) == 6
    assert float(fg.grad(f)(-3.0)) == 0
    assert seen == [3, -3]


def test_python_decisions_in_a_rule_under_jit() -> None:
    f = fg.custom_jvp(lambda x: x * x)

    @f.defjvp
    def tangents(primals: Any, tangents: Any) -> Any:
        (x,) = primals
        return f(x), (tangents[0] * 2 * x if x > 0 else tangents[0] * 0)

    for x, slope in ((3.0, 6.0), (-3.0, 0.0)):
        assert float(fg.jit(fg.grad(f))(x)) == slope
        assert float(fg.grad(fg.jit(f))(x)) == slope


def test_pytrees_in_and_out() -> None:
    f = fg.custom_vjp(lambda p, x: {"y": p["w"] * x, "s": (x + p["b"],)})

    def bwd(residuals: Any, ct: Any) -> Any:
        p, x = residuals
        return {"w": ct["y"] * x, "b": ct["s"][0]}, ct["y"] * p["w"] + ct["s"][0]

    f.defvjp(lambda p, x: (f(p, x), (p, x)), bwd)

    def loss(f: Function, p: Any, x: Any) -> Any:
        out = f(p, x)
        return (out["y"] ** 2 + 3 * out["s"][0]).sum()

    p = {"w": XS, "b": XS + 1}
    found = fg.grad(functools.partial(loss, f), (0, 1))(p, XS)
    wanted = fg.grad(functools.partial(loss, f.__wrapped__), (0, 1))(p, XS)
    fg.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-6), found, wanted)


def test_none_stands_for_no_cotangent_also_of_a_part() -> None:
    f = fg.custom_vjp(lambda p, x: p["a"] * p["b"] * x)
    f.defvjp(lambda p, x: (f(p, x), None), lambda r, ct: ({"a": ct, "b": None}, None))
    gradients = fg.grad(f, (0, 1))({"a": X, "b": X}, Y)
    assert [float(g) for g in fg.tree.leaves(gradients)] == [1, 0, 0]


def test_integers_have_no_tangents() -> None:
    f = fg.custom_jvp(lambda x, n: (x * n, n + 1))

    @f.defjvp
    def tangents(primals: Any, tangents: Any) -> Any:
        (x, n), (dx, dn) = primals, tangents
        assert dn.dtype == n.dtype
        return f(x, n), (dx * n, dn)

    assert float(fg.grad(lambda x: f(x, 3)[0])(X)) == 3
    out, tangent = fg.jvp(lambda x: f(x, fnp.asarray(3)), (X,), (Y,))
    assert int(out[1]) == 4
    assert tangent[1].dtype == np.int32
    g = fg.custom_vjp(lambda x, n: (x * n, n + 1))
    g.defvjp(lambda x, n: (g(x, n), n), lambda n, ct: (ct[0] * n, None))
    assert float(fg.grad(lambda x: g(x, 3)[0])(X)) == 3
    assert float(fg.grad(fg.jit(lambda x: g(x, 3)[0]))(X)) == 3


def test_nondiff_arguments_by_number_and_by_name() -> None:
    @functools.partial(fg.custom_jvp, nondiff_argnums=(0,), nondiff_argnames="scale")
    def apply(function: Any, x: Any, scale: Any = 2) -> Any:
        return scale * function(x)

    @apply.defjvp
    def tangents(function: Any, scale: Any, primals: Any, tangents: Any) -> Any:
        (x,), (dx,) = primals, tangents
        return apply(function, x, scale), scale * 10 * dx

    assert float(fg.grad(functools.partial(apply, fnp.sin))(X)) == 20
    assert float(fg.grad(lambda x: apply(fnp.sin, x, scale=3))(X)) == 30
    assert float(fg.grad(fg.jit(lambda x: apply(fnp.sin, x, scale=3)))(X)) == 30
    g = fg.custom_vjp(lambda n, x, m: x * n * m, nondiff_argnums=(0, 2))
    g.defvjp(lambda n, x, m: (g(n, x, m), None), lambda n, m, r, ct: (ct * 100 * n * m,))
    assert float(fg.grad(lambda x: g(2, x, 3))(X)) == 600


def test_defjvps_argument_by_argument() -> None:
    f = fg.custom_jvp(lambda x, y, z: x * fnp.sin(y) + z)
    f.defjvps(lambda dx, out, x, y, z: dx * fnp.sin(y), None, lambda dz, out, x, y, z: 5 * dz)
    found = fg.grad(f, (0, 1, 2))(X, Y, Y)
    np.testing.assert_allclose(found, [np.sin(Y), 0, 5], rtol=1e-6)


def test_symbolic_zeros_for_tangents() -> None:
    seen: list[Any] = []
    f = fg.custom_jvp(lambda x, y: x * y)

    @functools.partial(f.defjvp, symbolic_zeros=True)
    def tangents(primals: Any, tangents: Any) -> Any:
        (x, y), (dx, dy) = primals, tangents
        seen.append([type(t) is SymbolicZero for t in tangents])
        assert dy.shape == y.shape
        assert dy.dtype == y.dtype
        return f(x, y), dx * y

    assert float(fg.grad(f)(2.0, 3.0)) == 3
    assert float(fg.grad(fg.jit(f))(2.0, 3.0)) == 3
    assert seen == [[False, True]] * 2


def test_symbolic_zeros_for_cotangents() -> None:
    seen: list[Any] = []
    f = fg.custom_vjp(lambda x, y: (x * y, x + y))

    def fwd(x: Any, y: Any) -> Any:
        seen.append((x.perturbed, y.perturbed))
        return f(x.value, y.value), y.value

    def bwd(y: Any, ct: Any) -> Any:
        seen.append([type(c) is SymbolicZero for c in ct])
        return ct[0] * y, None

    f.defvjp(fwd, bwd, symbolic_zeros=True)
    assert float(fg.grad(lambda x: f(x, 3.0)[0])(2.0)) == 3
    assert float(fg.jit(fg.grad(lambda x: f(x, 3.0)[0]))(2.0)) == 3
    assert seen == [(True, False), [False, True]] * 2


def test_methods_and_defaults() -> None:
    class Model:
        @functools.partial(fg.custom_jvp, nondiff_argnums=0)
        def scaled(self, x: Any, by: Any = 2.0) -> Any:
            return x * by

        @scaled.defjvp
        def scaled_jvp(self, primals: Any, tangents: Any) -> Any:
            assert isinstance(self, Model)
            return primals[0] * primals[1], 7 * tangents[0]

    assert float(fg.grad(Model().scaled)(3.0)) == 7
    assert float(Model().scaled(3.0)) == 6


def test_complex_arguments() -> None:
    z = np.complex64(0.3 + 0.4j)
    f = fg.custom_jvp(lambda z: z * z)
    f.defjvp(lambda primals, tangents: (f(*primals), 2 * primals[0] * tangents[0]))
    np.testing.assert_allclose(fg.grad(f, holomorphic=True)(z), 2 * z, rtol=1e-6)
    np.testing.assert_allclose(fg.grad(fg.jit(f), holomorphic=True)(z), 2 * z, rtol=1e-6)


# -- closures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["jvp", "vjp"])
@pytest.mark.parametrize("compiled", [False, True])
def test_closing_over_traced_values(kind: str, compiled: bool) -> None:
    def outer(w: Any, x: Any) -> Any:
        def scaled(x: Any, power: Any = w) -> Any:
            return x * w + power * 0

        if kind == "jvp":
            f = fg.custom_jvp(lambda x: scaled(x))
            f.defjvp(lambda primals, tangents: (f(primals[0]), 2 * w * tangents[0]))
        else:
            f = fg.custom_vjp(lambda x: scaled(x))
            f.defvjp(lambda x: (f(x), None), lambda residuals, ct: (2 * w * ct,))
        return fg.grad(fg.jit(f) if compiled else f)(x)

    assert float(fg.jit(outer)(Y, X)) == pytest.approx(2 * Y)
    np.testing.assert_allclose(fg.vmap(outer, (0, None))(XS, X), 2 * XS)
    np.testing.assert_allclose(fg.jit(fg.vmap(outer, (0, None)))(XS, X), 2 * XS)


def test_closing_over_what_is_differentiated_is_an_error_not_a_zero() -> None:
    def loss(w: Any) -> Any:
        f = fg.custom_jvp(lambda x: x * w)
        f.defjvp(lambda primals, tangents: (f(primals[0]), w * tangents[0]))
        return f(X)

    for function in (loss, fg.jit(loss)):
        with pytest.raises(errors.CustomRuleError, match="closes over"):
            fg.grad(function)(Y)


def test_a_rule_may_close_over_what_is_differentiated() -> None:
    def loss(w: Any, x: Any) -> Any:
        f = fg.custom_vjp(lambda x: 1 * x)
        f.defvjp(lambda x: (f(x), None), lambda residuals, ct: (w * w * ct,))
        return f(x)

    assert float(fg.grad(loss, 1)(3.0, X)) == 9
    assert float(fg.grad(loss)(3.0, X)) == 0
    assert float(fg.grad(fg.grad(loss, 1))(3.0, X)) == 6


def test_arrays_in_rules_are_written_into_transformed_programs() -> None:
    for table in (TABLE, TABLE.astype(np.float16), TABLE + 2j * TABLE, TABLE > 0, TABLE.astype(np.int32)):
        array = fnp.asarray(table)
        embedded = Embedded(Same(array))
        np.testing.assert_array_equal(fg.jit(embedded)(), table)
    array = fnp.asarray(TABLE)
    f = fg.custom_jvp(lambda x: x * array)
    f.defjvp(lambda primals, tangents: (f(*primals), tangents[0] * array * 2))
    np.testing.assert_allclose(fg.grad(fg.jit(lambda x: f(x).sum()))(XS), 2 * TABLE)
    np.testing.assert_allclose(fg.jit(fg.grad(fg.jit(lambda x: f(x).sum())))(XS), 2 * TABLE)


def test_nothing_keeps_the_arrays_of_a_finished_step_alive() -> None:
    def step(w: Any, x: Any) -> Any:
        f = fg.custom_vjp(lambda x: x * fg.stop_gradient(w))
        f.defvjp(lambda x: (f(x), x), lambda x, ct: (ct * w,))
        y = fg.lax.custom_linear_solve(lambda v: w * v, f(x), lambda matvec, b: b / w, symmetric=True)
        return y.sum()

    for transformed in (fg.grad(step, 1), fg.grad(lambda w, x: fg.vmap(step)(w[None], x[None]).sum(), 1)):
        w, x = fnp.asarray(XS + 1) * 2, fnp.asarray(XS + 1) * 3
        kept = [weakref.ref(w), weakref.ref(x), weakref.ref(transformed(w, x))]
        del w, x
        gc.collect()
        assert [reference() for reference in kept] == [None] * 3


# -- programs ----------------------------------------------------------------------------------------------------------


def test_the_same_call_makes_the_same_program() -> None:
    f = doubled_jvp(fg)
    first, second = fg.make_program(f)(X), fg.make_program(f)(X)
    assert first == second
    assert [type(eqn.op) for eqn in first.equations] == [CustomCall]
    other = fg.make_program(doubled_jvp(fg))(X)
    assert first != other


def test_new_rules_are_used_from_then_on() -> None:
    f = doubled_jvp(fg)
    assert float(fg.grad(fg.jit(lambda x: f(x)))(0.0)) == 2
    f.defjvp(lambda primals, tangents: (f(*primals), 5 * tangents[0]))
    assert float(fg.grad(f)(0.0)) == 5
    assert float(fg.grad(fg.jit(lambda x: f(x)))(0.0)) == 5


def test_where_residuals_are_not_used_the_function_runs_instead_of_fwd() -> None:
    f = fg.custom_vjp(fnp.sin)
    f.defvjp(lambda x: (fnp.sin(x) + 100, fnp.cos(x)), lambda residuals, ct: (ct * residuals,))
    found = fg.jit(lambda x: fg.vjp(f, x)[0])(X)
    np.testing.assert_allclose(found, np.sin(X), rtol=1e-6)
    value, slope = fg.jit(fg.value_and_grad(f))(X)
    np.testing.assert_allclose([value, slope], [np.sin(X) + 100, np.cos(X)], rtol=1e-6)


def test_named_axes_inside() -> None:
    f = fg.custom_vjp(lambda x: x - fg.lax.pmean(x, "i"))
    f.defvjp(lambda x: (f(x), None), lambda residuals, ct: (ct - fg.lax.pmean(ct, "i"),))
    mapped = functools.partial(fg.vmap, axis_name="i")
    np.testing.assert_allclose(mapped(f)(XS), XS - XS.mean(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(fg.jit(mapped(fg.jit(f)))(XS), XS - XS.mean(), rtol=1e-5, atol=1e-6)

    def loss(function: Any, x: Any) -> Any:
        return (mapped(function)(x) ** 3).sum()

    wanted = fg.grad(functools.partial(loss, f.__wrapped__))(XS)
    for function in (f, fg.jit(f)):
        np.testing.assert_allclose(fg.grad(functools.partial(loss, function))(XS), wanted, rtol=1e-4, atol=1e-6)


# -- inside other operations -------------------------------------------------------------------------------------------


def test_inside_branches_and_loops() -> None:
    f, g = doubled_jvp(fg), doubled_vjp(fg)

    def branching(x: Any) -> Any:
        return fg.lax.cond(x > 0, lambda x: f(x) + g(x), lambda x: x, x)

    def looping(x: Any) -> Any:
        return fg.lax.scan(lambda c, _: (f(c) * g(c), c), x, None, length=3)[0]

    def unrolled(x: Any) -> Any:
        for _ in range(3):
            x = f(x) * g(x)
        return x

    assert float(fg.jit(fg.grad(branching))(X)) == pytest.approx(4 * np.cos(X), rel=1e-6)
    np.testing.assert_allclose(fg.jit(fg.vmap(fg.grad(branching)))(XS), 4 * np.cos(XS), rtol=1e-5)
    for function in (looping, fg.jit(looping)):
        np.testing.assert_allclose(fg.grad(function)(X), fg.grad(unrolled)(X), rtol=1e-5)
    np.testing.assert_allclose(fg.jit(fg.vmap(fg.grad(looping)))(XS), fg.vmap(fg.grad(unrolled))(XS), rtol=1e-5)


def test_inside_a_checkpoint() -> None:
    f = doubled_vjp(fg)
    found = fg.grad(fg.checkpoint(lambda x: f(f(x))))(X)
    np.testing.assert_allclose(found, fg.grad(lambda x: f(f(x)))(X), rtol=1e-6)
    np.testing.assert_allclose(fg.jit(fg.grad(fg.checkpoint(lambda x: f(f(x)))))(X), found, rtol=1e-6)


def test_custom_gradient() -> None:
    @fg.custom_gradient
    def f(x: Any) -> Any:
        y = fnp.sin(x)
        return y * x, lambda ct: ct * 2 * y

    assert float(f(X)) == pytest.approx(np.sin(X) * X)
    assert float(fg.grad(f)(X)) == pytest.approx(2 * np.sin(X))
    assert float(fg.jit(fg.grad(fg.jit(f)))(X)) == pytest.approx(2 * np.sin(X))
    assert float(fg.grad(fg.grad(f))(X)) == pytest.approx(2 * np.cos(X))
    np.testing.assert_allclose(fg.vmap(fg.grad(f))(XS), 2 * np.sin(XS), rtol=1e-5)


@pytest.mark.parametrize("in_thread", [False, True])
def test_structures_may_depend_on_values(in_thread: bool) -> None:
    """A call that is made while a rule runs, here or in another thread, does not change what the call returns."""

    @fg.custom_vjp
    def f(x: Any) -> Any:
        return {"a": x} if float(x) > 0 else (x, x)

    seen = []

    def other_call(sign: float) -> None:
        seen.append(fg.jvp(f, (-sign,), (1.0,)))

    def bwd(sign: float, ct: Any) -> Any:
        if len(seen) < 1:
            seen.append(None)
            if in_thread:
                thread = threading.Thread(target=other_call, args=(sign,))
                thread.start()
                thread.join()
            else:
                other_call(sign)
        return (ct["a"] if sign > 0 else ct[0] + ct[1],)

    f.defvjp(lambda x: (f(x), float(x)), bwd)
    out, tangent = fg.jvp(f, (1.0,), (1.0,))
    assert (out, tangent) == ({"a": 1.0}, {"a": 1.0})
    assert seen[1] == ((-1.0, -1.0), (1.0, 1.0))
