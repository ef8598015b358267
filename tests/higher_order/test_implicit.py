"""Implicit differentiation: roots and linear solves against formulas and JAX, under every transformation."""

from __future__ import annotations

import gc
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
from funcgrad.testing import check_grads

A = np.array([[4.0, 1.0], [2.0, 3.0]], np.float32)
B = np.array([1.0, 2.0], np.float32)
BS = np.stack([B, 2 * B + 1, -B])
POINTS = np.array([1.0, 2.0, 3.0], np.float32)
C = np.float32(2)


def numbers(module: Any) -> Any:
    return jnp if module is jax else fnp


def square_root(module: Any) -> Callable[[Any], Any]:
    def root(a: Any) -> Any:
        def newton(f: Any, x: Any) -> Any:
            for _ in range(12):
                x = x - f(x) / (2 * x)
            return x

        one = numbers(module).ones_like(a)
        return module.lax.custom_root(lambda x: x * x - a, one, newton, lambda g, y: y / g(one))

    return root


def solver(module: Any, symmetric: bool = False, has_aux: bool = False) -> Callable[..., Any]:
    np_ = numbers(module)

    def cramer(matvec: Any, b: Any) -> Any:
        columns = [matvec(np_.asarray([1.0, 0.0])), matvec(np_.asarray([0.0, 1.0]))]
        (a, c), (b_, d) = columns
        det = a * d - b_ * c
        x = np_.stack([d * b[0] - b_ * b[1], a * b[1] - c * b[0]]) / det
        return (x, {"det": det}) if has_aux else x

    def f(matrix: Any, b: Any) -> Any:
        matrix = matrix + matrix.T if symmetric else matrix
        transpose = None if symmetric else cramer
        out = module.lax.custom_linear_solve(
            lambda x: matrix @ x, b, cramer, transpose, symmetric=symmetric, has_aux=has_aux
        )
        return np_.sin(out[0] if has_aux else out).sum()

    return f


ROOT_WAYS: dict[str, Callable[[Any, Callable[..., Any]], Any]] = {
    "call": lambda m, f: f(C),
    "grad": lambda m, f: m.grad(f)(C),
    "jvp": lambda m, f: m.jvp(f, (C,), (C,))[1],
    "grad of grad": lambda m, f: m.grad(m.grad(f))(C),
    "grad of jvp": lambda m, f: m.grad(lambda a: m.jvp(f, (a,), (C,))[1])(C),
    "jit of grad": lambda m, f: m.jit(m.grad(f))(C),
    "grad of jit": lambda m, f: m.grad(m.jit(f))(C),
    "vmap": lambda m, f: m.vmap(f)(POINTS),
    "vmap of grad": lambda m, f: m.vmap(m.grad(f))(POINTS),
    "jit of grad of vmap": lambda m, f: m.jit(m.grad(lambda a: m.vmap(f)(a).sum()))(POINTS),
}
SOLVE_WAYS: dict[str, Callable[[Any, Callable[..., Any]], Any]] = {
    "call": lambda m, f: f(A, B),
    "grad": lambda m, f: m.grad(f, (0, 1))(A, B),
    "jvp": lambda m, f: m.jvp(f, (A, B), (A.T, B))[1],
    "jit of grad": lambda m, f: m.jit(m.grad(f, (0, 1)))(A, B),
    "grad of jit": lambda m, f: m.grad(m.jit(f), (0, 1))(A, B),
    "hessian": lambda m, f: m.hessian(f)(A, B),
    "jit of grad of grad of jit": lambda m, f: m.jit(m.grad(lambda b: m.grad(m.jit(f), 1)(A, b)[0]))(B),
    "vmap of grad": lambda m, f: m.vmap(m.grad(f, (0, 1)), (None, 0))(A, BS),
    "grad of vmap": lambda m, f: m.grad(lambda a, b: m.vmap(f, (None, 0))(a, b).sum(), (0, 1))(A, BS),
    "vmapped matrices": lambda m, f: m.grad(lambda a: m.vmap(f, (0, None))(a, B).sum())(np.stack([A, A + 1])),
    "jit of grad of vmap": lambda m, f: m.jit(m.grad(lambda b: m.vmap(m.jit(f), (None, 0))(A, b).sum()))(BS),
}


def assert_same(found: Any, oracle: Any) -> None:
    for a, b in zip(fg.tree.leaves(found), jax.tree.leaves(oracle), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("way", ROOT_WAYS)
def test_roots_against_the_formula(way: str) -> None:
    assert_same(ROOT_WAYS[way](fg, square_root(fg)), ROOT_WAYS[way](fg, fnp.sqrt))


@pytest.mark.parametrize("way", SOLVE_WAYS)
def test_linear_solves_against_the_formula(way: str) -> None:
    assert_same(SOLVE_WAYS[way](fg, solver(fg)), SOLVE_WAYS[way](fg, lambda a, b: fnp.sin(_explicit(a, b)).sum()))


@pytest.mark.parametrize("way", ["jit of grad", "vmap of grad"])
def test_roots_as_in_jax(way: str) -> None:
    assert_same(ROOT_WAYS[way](fg, square_root(fg)), ROOT_WAYS[way](jax, square_root(jax)))


@pytest.mark.parametrize("way", ["jvp", "jit of grad"])
def test_linear_solves_as_in_jax(way: str) -> None:
    assert_same(SOLVE_WAYS[way](fg, solver(fg)), SOLVE_WAYS[way](jax, solver(jax)))


@pytest.mark.parametrize("way", ["grad", "grad of jit", "hessian", "grad of vmap"])
def test_symmetric_systems_with_auxiliary_data(way: str) -> None:
    found = SOLVE_WAYS[way](fg, solver(fg, symmetric=True, has_aux=True))
    assert_same(found, SOLVE_WAYS[way](fg, lambda a, b: fnp.sin(_explicit(a + a.T, b)).sum()))


def _explicit(matrix: Any, b: Any) -> Any:
    (p, q), (r, s) = matrix
    return fnp.stack([s * b[0] - q * b[1], p * b[1] - r * b[0]]) / (p * s - q * r)


def test_linear_solves_against_differences() -> None:
    check_grads(solver(fg), (A, B), order=2)
    check_grads(fg.jit(solver(fg)), (A, B), order=1)


def test_solvers_that_decide_in_python_run_eagerly() -> None:
    steps: list[float] = []

    def jacobi(matvec: Any, b: Any) -> Any:
        x = b * 0
        while float(fnp.abs(matvec(x) - b).max()) > 1e-6:
            steps.append(float(x[0]))
            x = x + (b - matvec(x)) / 5
        return x

    def f(a: Any, b: Any) -> Any:
        return fg.lax.custom_linear_solve(lambda x: a @ x, b, jacobi, jacobi).sum()

    found = fg.grad(f, (0, 1))(A, B)
    wanted = fg.grad(lambda a, b: _explicit(a, b).sum(), (0, 1))(A, B)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert steps


def test_trees_of_unknowns() -> None:
    def f(d: Any, b: Any) -> Any:
        x = fg.lax.custom_linear_solve(
            lambda x: {"u": d * x["u"], "v": (2 * x["v"][0],)},
            b,
            lambda matvec, b: {"u": b["u"] / d, "v": (b["v"][0] / 2,)},
            symmetric=True,
        )
        return x["u"].sum() * x["v"][0]

    b = {"u": BS[0], "v": (C,)}
    found = fg.grad(f, (0, 1))(B, b)
    wanted = fg.grad(lambda d, b: (b["u"] / d).sum() * b["v"][0] / 2, (0, 1))(B, b)
    for x, y in zip(fg.tree.leaves(found), fg.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5)


def test_roots_with_auxiliary_data_and_a_guess_without_derivative() -> None:
    def root(a: Any, guess: Any) -> Any:
        def newton(f: Any, x: Any) -> Any:
            for _ in range(20):
                x = x - f(x) / (2 * x)
            return x, {"steps": 20, "residual": f(x)}

        x, aux = fg.lax.custom_root(lambda x: x * x - a, guess, newton, lambda g, y: y / g(1.0), has_aux=True)
        assert set(aux) == {"steps", "residual"}
        return x + 0 * aux["residual"], aux["steps"]

    for function in (root, fg.jit(root)):
        (by_a, by_guess), steps = fg.grad(function, (0, 1), has_aux=True)(4.0, 3.0)
        assert (float(by_a), float(by_guess), int(steps)) == (0.25, 0.0, 20)


def test_a_root_of_several_unknowns_by_a_linear_solve() -> None:
    def root(c: Any) -> Any:
        def f(x: Any) -> Any:
            return fnp.stack([x[0] ** 2 + x[1] - c, x[0] - x[1]])

        def newton(f: Any, x: Any) -> Any:
            for _ in range(10):
                x = x - _explicit(fg.jacfwd(f)(x), f(x))
            return x

        def tangent_solve(g: Any, y: Any) -> Any:
            def solve(g: Any, y: Any) -> Any:
                return _explicit(fg.jacfwd(g)(y), y)

            return fg.lax.custom_linear_solve(g, y, solve, solve)

        return fg.lax.custom_root(f, fnp.ones(2), newton, tangent_solve)[0]

    slope = 1 / np.sqrt(1 + 4 * C)  # of (-1 + sqrt(1 + 4 c)) / 2
    np.testing.assert_allclose(fg.grad(root)(C), slope, rtol=1e-4)
    np.testing.assert_allclose(fg.jit(fg.grad(root))(C), slope, rtol=1e-4)
    np.testing.assert_allclose(fg.grad(fg.grad(root))(C), -2 * slope**3, rtol=1e-3)


def test_reverse_mode_needs_a_solver_for_the_transpose() -> None:
    def f(b: Any) -> Any:
        return fg.lax.custom_linear_solve(lambda x: 2 * x, b, lambda _, b: b / 2).sum()

    assert float(fg.jvp(f, (B,), (B,))[1]) == 1.5
    with pytest.raises(errors.CustomRuleError, match="Pass transpose_solve="):
        fg.grad(f)(B)


def test_what_the_functions_close_over_is_freed_at_once() -> None:
    def solution(a: Any) -> Any:
        return fg.lax.custom_linear_solve(lambda x: a * x, fnp.ones(3), lambda _, b: b / a, symmetric=True).sum()

    def root(a: Any) -> Any:
        return fg.lax.custom_root(lambda x: x - a, fnp.ones(3), lambda f, x: a, lambda g, y: y).sum()

    gc.collect()
    gc.disable()
    try:
        for function in (solution, root):
            value = fg.device_put(np.arange(1, 4, dtype=np.float32))
            held = weakref.ref(value)
            fg.grad(function)(value)
            del value
            assert held() is None
    finally:
        gc.enable()
