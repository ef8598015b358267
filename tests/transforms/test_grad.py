"""`grad` and `value_and_grad`: arguments by number and name, trees, auxiliary data, complex numbers, dtypes."""

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

RNG = np.random.default_rng(0)


def mlp(np_: Any) -> Callable[..., Any]:
    """A two-layer perceptron's loss, for either library."""

    def loss(params: dict[str, Any], x: Any, y: Any) -> Any:
        hidden = np_.tanh(x @ params["w1"] + params["b1"])
        logits = hidden @ params["w2"] + params["b2"]
        return np_.mean((logits - y) ** 2)

    return loss


def mlp_inputs() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    shapes = {"w1": (3, 4), "b1": (4,), "w2": (4, 2), "b2": (2,)}
    params = {name: RNG.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return params, RNG.normal(size=(5, 3)).astype(np.float32), RNG.normal(size=(5, 2)).astype(np.float32)


def assert_trees_close(found: Any, expected: Any, rtol: float = 1e-5) -> None:
    found, expected = fg.tree.leaves(found), jax.tree.leaves(expected)
    for one, two in zip(found, expected, strict=True):
        assert one.shape == two.shape
        assert one.dtype == two.dtype
        np.testing.assert_allclose(np.asarray(one), np.asarray(two), rtol=rtol, atol=1e-6)


@pytest.mark.parametrize("compile", [lambda f: f, fg.jit], ids=["eager", "jit"])
def test_a_perceptron_agrees_with_jax(compile: Any) -> None:
    inputs = mlp_inputs()
    value, gradient = compile(fg.value_and_grad(mlp(fnp)))(*inputs)
    expected_value, expected = jax.value_and_grad(mlp(jnp))(*inputs)
    np.testing.assert_allclose(value, expected_value, rtol=1e-6)
    assert_trees_close(gradient, expected)


@pytest.mark.parametrize("argnums", [1, (0, 2), (2, 0), -1, [1]])
def test_argnums(argnums: Any) -> None:
    inputs = mlp_inputs()
    wanted = tuple(argnums) if isinstance(argnums, list) else argnums
    assert_trees_close(fg.grad(mlp(fnp), argnums)(*inputs), jax.grad(mlp(jnp), wanted)(*inputs))


def test_the_structure_follows_argnums() -> None:
    def function(x: Any, y: Any) -> Any:
        return x * y

    assert isinstance(fg.grad(function, (0,))(2.0, 3.0), tuple)
    assert fg.grad(function, 0)(2.0, 3.0).shape == ()


def test_argnames() -> None:
    def function(x: Any, *, scale: Any) -> Any:
        return x * scale

    assert float(fg.grad(function, argnames="scale")(3.0, scale=2.0)) == 3.0
    assert float(fg.grad(function, argnames="x")(3.0, scale=2.0)) == 2.0
    both = fg.grad(function, argnums=0, argnames="scale")(3.0, scale=2.0)
    assert tuple(map(float, both)) == (2.0, 3.0)


def test_keyword_arguments_are_passed_on() -> None:
    assert float(fg.grad(lambda x, power=2: x**power)(3.0, power=3)) == 27.0


def test_auxiliary_data() -> None:
    gradient, aux = fg.grad(lambda x: (x * x, {"double": 2 * x, "name": "a"}), has_aux=True)(3.0)
    assert float(gradient) == 6.0
    assert aux["name"] == "a"
    (value, aux), gradient = fg.value_and_grad(lambda x: (x * x, x + 1), has_aux=True)(3.0)
    assert (float(value), float(gradient), float(aux)) == (9.0, 6.0, 4.0)
    assert isinstance(aux, fg.Array)  # not a traced value


def test_auxiliary_data_under_jit_is_not_traced_when_it_leaves() -> None:
    gradient, aux = fg.jit(fg.grad(lambda x: (x * x, 2 * x), has_aux=True))(3.0)
    assert (float(gradient), float(aux)) == (6.0, 6.0)


def test_allow_int() -> None:
    dx, dn = fg.grad(lambda x, n: fnp.sum(x[n]), argnums=(0, 1), allow_int=True)(fnp.ones(3), fnp.arange(2))
    np.testing.assert_array_equal(dx, [1, 1, 0])
    assert dn.shape == (2,)
    assert not np.any(np.asarray(dn))


HOLOMORPHIC = {
    "polynomial": lambda m, z: z * z * z + 2.0 * z,
    "exp": lambda m, z: m.exp(z) / (1.0 + z),
    "trigonometric": lambda m, z: m.sin(z) * m.cosh(z),
    "sqrt": lambda m, z: m.sqrt(z) + m.log(z),
}


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_holomorphic_functions_agree_with_jax(name: str) -> None:
    z = np.complex64(0.4 + 0.7j)
    found = fg.grad(lambda z: HOLOMORPHIC[name](fnp, z), holomorphic=True)(z)
    expected = jax.grad(lambda z: HOLOMORPHIC[name](jnp, z), holomorphic=True)(z)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


REAL_OF_COMPLEX = {
    "abs": lambda m, z: m.sum(m.abs(z)),
    "squared modulus": lambda m, z: m.sum(m.real(z * m.conj(z))),
    "imag": lambda m, z: m.sum(m.imag(z * z)),
    "real": lambda m, z: m.sum(m.real(m.exp(z))),
    "mixed": lambda m, z: m.sum(m.real(z) * m.imag(m.conj(z)) + m.abs(m.sin(z))),
}


@pytest.mark.parametrize("name", REAL_OF_COMPLEX)
def test_real_functions_of_complex_inputs_agree_with_jax(name: str) -> None:
    z = (RNG.normal(size=4) + 1j * RNG.normal(size=4)).astype(np.complex64)
    found = fg.grad(lambda z: REAL_OF_COMPLEX[name](fnp, z))(z)
    expected = jax.grad(lambda z: REAL_OF_COMPLEX[name](jnp, z))(z)
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-5, atol=1e-6)


def test_complex_inside_a_real_function() -> None:
    def function(m: Any) -> Callable[[Any], Any]:
        return lambda x: m.sum(m.abs(m.exp(1j * x) * x + x))

    x = RNG.normal(size=4).astype(np.float32)
    np.testing.assert_allclose(fg.grad(function(fnp))(x), jax.grad(function(jnp))(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_gradients_keep_the_dtype_of_the_input(dtype: str) -> None:
    x = fnp.arange(3.0).astype(dtype)
    gradient = fg.grad(lambda x: fnp.sum(x * x))(x)
    assert gradient.dtype == x.dtype
    np.testing.assert_array_equal(gradient.astype("float32"), [0, 2, 4])


def test_mixed_precision() -> None:
    narrow, wide = fnp.ones(3, "bfloat16"), fnp.ones(3, "float32")
    a, b = fg.grad(lambda a, b: fnp.sum(a * b), argnums=(0, 1))(narrow, wide)
    assert (a.dtype, b.dtype) == (narrow.dtype, wide.dtype)


def test_higher_orders() -> None:
    derivative = fnp.sin
    for expected in (np.cos(0.5), -np.sin(0.5), -np.cos(0.5), np.sin(0.5)):
        derivative = fg.grad(derivative)
        np.testing.assert_allclose(derivative(0.5), expected, rtol=1e-5)
        np.testing.assert_allclose(fg.jit(derivative)(0.5), expected, rtol=1e-5)


def test_stop_gradient() -> None:
    assert float(fg.grad(lambda x: x * fg.stop_gradient(x))(3.0)) == 3.0
    assert float(fg.jit(fg.grad(lambda x: x * fg.stop_gradient({"a": x})["a"]))(3.0)) == 3.0


def test_gradients_flow_into_closed_over_tracers() -> None:
    def outer(x: Any) -> Any:
        return fg.grad(lambda y: x * y * y)(2.0)

    assert float(fg.grad(outer)(3.0)) == 4.0


def test_python_control_flow_on_concrete_values() -> None:
    def function(x: Any) -> Any:
        return x * x if x > 0 else -x

    assert float(fg.grad(function)(3.0)) == 6.0
    assert float(fg.grad(function)(-3.0)) == -1.0


def test_hvp() -> None:
    matrix = np.array([[2.0, 1.0], [1.0, 3.0]], np.float32)

    def quadratic(x: Any) -> Any:
        return x @ fnp.asarray(matrix) @ x / 2

    v = np.array([1.0, -1.0], np.float32)
    np.testing.assert_allclose(fg.hvp(quadratic, (fnp.ones(2),), (fnp.asarray(v),)), matrix @ v)
    with pytest.raises(errors.TreeError):
        fg.hvp(quadratic, fnp.ones(2), fnp.ones(2))


def test_the_wrapped_function_keeps_its_name() -> None:
    def loss(x: Any) -> Any:
        """Its docstring."""
        return x

    assert fg.grad(loss).__name__ == "loss"
    assert fg.value_and_grad(loss).__doc__ == "Its docstring."


def test_arrays_of_other_libraries_are_arguments_too() -> None:
    x = jnp.arange(3.0)
    np.testing.assert_array_equal(fg.grad(lambda x: fnp.sum(x * x))(x), [0, 2, 4])
    np.testing.assert_array_equal(fg.jit(lambda x: x * 2)(x), [0, 2, 4])
    np.testing.assert_array_equal(fg.vmap(lambda x: x * 2)(x), [0, 2, 4])
    np.testing.assert_array_equal(fg.jvp(fnp.square, (x,), (x,))[1], [0, 2, 8])
    assert isinstance(fg.device_put({"a": x})["a"], fg.Array)


def test_numpy_inputs_are_not_aliased() -> None:
    x = np.ones(3, np.float32)
    _, pull = fg.vjp(lambda x: x * x, x)
    x[:] = 7
    np.testing.assert_array_equal(pull(fnp.ones(3))[0], [2, 2, 2])
