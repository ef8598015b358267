"""`jacfwd`, `jacrev` and `hessian` agree with each other and with JAX, for trees too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors

X = np.array([[0.2, -0.5, 1.0], [0.7, 0.1, -1.3]], np.float32)
Y = np.array([1.5, -0.25], np.float32)


def pair(m: Any) -> Callable[..., Any]:
    def function(x: Any, y: Any) -> dict[str, Any]:
        return {"a": m.tanh(x).T @ y, "b": (m.sum(x * x), y[None] * x[0, 0])}

    return function


def assert_same(found: Any, expected: Any) -> None:
    assert fg.tree.structure(found) == jax.tree.structure(expected)
    for one, two in zip(fg.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(two), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("argnums", [0, 1, (0, 1)])
@pytest.mark.parametrize("mode", ["jacfwd", "jacrev"])
def test_jacobians_agree_with_jax(mode: str, argnums: Any) -> None:
    expected = getattr(jax, mode)(pair(jnp), argnums)(X, Y)
    jacobian = getattr(fg, mode)(pair(fnp), argnums)
    assert_same(jacobian(X, Y), expected)
    assert_same(fg.jit(jacobian)(X, Y), expected)


@pytest.mark.parametrize("mode", ["jacfwd", "jacrev"])
def test_auxiliary_data(mode: str) -> None:
    jacobian, aux = getattr(fg, mode)(lambda x: (x * x, "note"), has_aux=True)(fnp.ones(2))
    np.testing.assert_array_equal(jacobian, 2 * np.eye(2))
    assert aux == "note"


@pytest.mark.parametrize("mode", ["jacfwd", "jacrev"])
def test_holomorphic(mode: str) -> None:
    z = np.array([0.3 + 0.2j, -1.0 + 0.5j], np.complex64)
    found = getattr(fg, mode)(lambda z: fnp.sin(z) * z[0], holomorphic=True)(z)
    expected = getattr(jax, mode)(lambda z: jnp.sin(z) * z[0], holomorphic=True)(z)
    assert_same(found, expected)


def test_hessian_agrees_with_jax() -> None:
    def function(m: Any) -> Callable[..., Any]:
        return lambda p: m.sum(m.exp(p["x"] @ p["y"][:, None].repeat(3, 1).T) * p["y"][:, None])

    params = {"x": X, "y": Y}
    found, expected = fg.hessian(function(fnp)), jax.hessian(function(jnp))(params)
    assert_same(found(params), expected)
    assert_same(fg.jit(found)(params), expected)


def test_hessian_of_a_quadratic_is_its_matrix() -> None:
    matrix = np.array([[2.0, 1.0], [1.0, 3.0]], np.float32)
    np.testing.assert_allclose(fg.hessian(lambda x: x @ matrix @ x / 2)(fnp.ones(2)), matrix)


def test_empty_inputs_and_outputs() -> None:
    assert fg.jacrev(lambda x: x * 2)(fnp.zeros(0)).shape == (0, 0)
    assert fg.jacfwd(lambda x: x[:0])(fnp.ones(3)).shape == (0, 3)


def test_functions_that_ignore_their_input() -> None:
    np.testing.assert_array_equal(fg.jacfwd(lambda x: fnp.ones(2))(fnp.ones(3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(fg.jacrev(lambda x: fnp.ones(2))(fnp.ones(3)), np.zeros((2, 3)))


def test_complex_outputs_need_the_promise() -> None:
    with pytest.raises(errors.DifferentiationError, match="real floating-point outputs"):
        fg.jacrev(lambda x: x * 1j)(fnp.ones(2))
    with pytest.raises(errors.DifferentiationError, match="holomorphic=True"):
        fg.jacfwd(lambda x: x)(fnp.ones(2) * 1j)
