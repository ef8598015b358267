"""`vmap`: axes in and out, trees, nesting; collectives over named axes agree with `jax.vmap`, gradients included."""

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

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 10
ROWS = np.linspace(-1, 1, 12).astype(np.float32).reshape(3, 4)


@pytest.mark.parametrize("in_axis", [0, 1, 2, -1])
@pytest.mark.parametrize("out_axis", [0, 1, 2, -2])
def test_axes_in_and_out(in_axis: int, out_axis: int) -> None:
    found = fg.vmap(lambda x: x * 2 + 1, in_axis, out_axis)(X)
    np.testing.assert_array_equal(found, np.moveaxis(X * 2 + 1, in_axis, out_axis))


def test_a_prefix_of_the_arguments_tree() -> None:
    params = {"w": X, "b": np.float32(2)}
    in_axes = ({"w": 1, "b": None}, 0)
    found = fg.vmap(lambda p, x: p["w"] * x + p["b"], in_axes)(params, np.arange(3.0, dtype=np.float32))
    expected = jax.vmap(lambda p, x: p["w"] * x + p["b"], in_axes)(params, np.arange(3.0, dtype=np.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_one_axis_for_a_whole_subtree() -> None:
    found = fg.vmap(lambda p, s: p["a"][0] + p["a"][1] * s, (1, None))({"a": [ROWS, ROWS]}, 3.0)
    np.testing.assert_allclose(found, ROWS.T * 4, rtol=1e-6)


def test_a_tree_of_out_axes() -> None:
    found = fg.vmap(lambda x: {"a": x, "b": (x.sum(), x)}, out_axes={"a": 1, "b": (0, -1)})(ROWS)
    np.testing.assert_array_equal(found["a"], ROWS.T)
    np.testing.assert_allclose(found["b"][0], ROWS.sum(1), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(found["b"][1], ROWS.T)


def test_results_that_do_not_vary() -> None:
    found = fg.vmap(lambda x: (x, 7.0, fnp.ones(2)), out_axes=(0, None, 1))(ROWS)
    assert float(found[1]) == 7.0
    np.testing.assert_array_equal(found[2], np.ones((2, 3)))


def test_keyword_arguments_are_mapped_over_axis_0() -> None:
    found = fg.vmap(lambda x, scale: x * scale, in_axes=(0,))(ROWS, scale=fnp.arange(3.0))
    np.testing.assert_array_equal(found, ROWS * np.arange(3.0, dtype=np.float32)[:, None])


def test_axis_size_without_mapped_arguments() -> None:
    np.testing.assert_array_equal(fg.vmap(lambda: fnp.ones(2), axis_size=3)(), np.ones((3, 2)))


def test_nested_maps() -> None:
    def outer(m: Any, v: Any) -> Callable[..., Any]:
        return v(v(m, (None, 0)), (0, None))

    found = outer(fnp.dot, fg.vmap)(ROWS, ROWS)
    np.testing.assert_allclose(found, ROWS @ ROWS.T, rtol=1e-5)


def test_closed_over_mapped_values() -> None:
    found = fg.vmap(lambda x: fg.vmap(lambda y: x * y)(fnp.arange(3.0)))(fnp.arange(2.0))
    np.testing.assert_array_equal(found, np.outer(np.arange(2.0), np.arange(3.0)))


def test_a_map_of_a_compiled_function_and_back() -> None:
    def function(x: Any) -> Any:
        return fnp.tanh(x) @ x

    expected = [np.tanh(row) @ row for row in ROWS]
    np.testing.assert_allclose(fg.vmap(fg.jit(function))(ROWS), expected, rtol=1e-5)
    np.testing.assert_allclose(fg.jit(fg.vmap(function))(ROWS), expected, rtol=1e-5)


def test_per_example_gradients() -> None:
    def loss(w: Any, x: Any) -> Any:
        return fnp.sum(fnp.sin(w * x))

    w = fnp.arange(4.0)
    found = fg.vmap(fg.grad(loss), (None, 0))(w, ROWS)
    np.testing.assert_allclose(found, np.cos(np.arange(4) * ROWS) * ROWS, rtol=1e-5, atol=1e-6)


def test_an_empty_axis() -> None:
    assert fg.vmap(lambda x: x.sum())(fnp.zeros((0, 3))).shape == (0,)


def test_indexing_with_mapped_indices() -> None:
    table, index = np.arange(12.0, dtype=np.float32).reshape(4, 3), np.array([3, 0, 2])
    np.testing.assert_array_equal(fg.vmap(lambda i: fnp.asarray(table)[i])(index), table[index])
    updated = fg.vmap(lambda i: fnp.zeros(4).at[i].set(1.0))(index)
    np.testing.assert_array_equal(updated, np.eye(4, dtype=np.float32)[index])


# -- collectives -------------------------------------------------------------------------------------------------------

COLLECTIVES: dict[str, Callable[[Any, Any], Any]] = {
    "psum": lambda lax, x: lax.psum(x * x, "i"),
    "pmean": lambda lax, x: lax.pmean(x, "i") * x,
    "pmax": lambda lax, x: lax.pmax(x, "i") - x,
    "pmin": lambda lax, x: lax.pmin(x, "i") * 2,
    "axis_index": lambda lax, x: x * lax.axis_index("i"),
    "all_gather": lambda lax, x: lax.all_gather(x, "i").sum(0) * x,
    "all_gather axis": lambda lax, x: lax.all_gather(x, "i", axis=1),
    "all_gather tiled": lambda lax, x: lax.all_gather(x, "i", axis=0, tiled=True),
    "ppermute": lambda lax, x: lax.ppermute(x, "i", [(0, 1), (1, 2), (2, 0)]) - x,
    "psum of a constant": lambda lax, x: x * lax.psum(1, "i"),
    "psum of a tree": lambda lax, x: lax.psum({"a": x, "b": 2.0 * x}, "i")["b"],
}


@pytest.mark.parametrize("name", COLLECTIVES)
@pytest.mark.parametrize("in_axis", [0, 1])
def test_collectives_agree_with_jax(name: str, in_axis: int) -> None:
    x = np.moveaxis(ROWS, 0, in_axis)
    mapped = fg.vmap(lambda x: COLLECTIVES[name](fg.lax, x), in_axis, axis_name="i")
    expected = jax.vmap(lambda x: COLLECTIVES[name](jax.lax, x), in_axis, axis_name="i")(x)
    np.testing.assert_allclose(mapped(x), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(fg.jit(mapped)(x), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in COLLECTIVES if name not in ("pmax", "pmin")])  # JAX lacks those
def test_gradients_through_collectives_agree_with_jax(name: str) -> None:
    def total(m: Any, lax: Any, vmap: Any) -> Callable[[Any], Any]:
        return lambda x: m.sum(m.sin(vmap(lambda row: COLLECTIVES[name](lax, row), axis_name="i")(x)))

    found = fg.grad(total(fnp, fg.lax, fg.vmap))
    expected = jax.grad(total(jnp, jax.lax, jax.vmap))(ROWS)
    np.testing.assert_allclose(found(ROWS), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(fg.jit(found)(ROWS), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "extremum"), [("pmax", jnp.max), ("pmin", jnp.min)])
def test_gradients_of_extrema(name: str, extremum: Any) -> None:
    def ours(x: Any) -> Any:
        return fnp.sum(fnp.sin(fg.vmap(lambda row: getattr(fg.lax, name)(row, "i") * row, axis_name="i")(x)))

    expected = jax.grad(lambda x: jnp.sum(jnp.sin(extremum(x, axis=0) * x)))(ROWS)
    np.testing.assert_allclose(fg.grad(ours)(ROWS), expected, rtol=1e-5, atol=1e-6)


def test_members_without_a_source_get_zeros() -> None:
    def sent(x: Any) -> Any:
        return fg.vmap(lambda row: fg.lax.ppermute(row, "i", [(0, 2)]), axis_name="i")(x)

    expected = np.stack([np.zeros(4), np.zeros(4), ROWS[0]])
    np.testing.assert_array_equal(sent(ROWS), expected)
    gradient = fg.grad(lambda x: fnp.sum(sent(x) * ROWS))(ROWS)
    np.testing.assert_array_equal(gradient, np.stack([ROWS[2], np.zeros(4), np.zeros(4)]))


@pytest.mark.parametrize("name", ["psum", "pmean", "all_gather", "ppermute"])
def test_derivatives_inside_the_map(name: str) -> None:
    """Every member's tangent moves at once."""

    def function(m: Any, lax: Any) -> Callable[[Any], Any]:
        return lambda row: m.sum(COLLECTIVES[name](lax, row) * m.cos(row))

    x, v = fnp.asarray(ROWS), fnp.ones((3, 4))
    found = fg.vmap(lambda x, v: fg.jvp(function(fnp, fg.lax), (x,), (v,)), axis_name="i")(x, v)
    expected = jax.vmap(lambda x, v: jax.jvp(function(jnp, jax.lax), (x,), (v,)), axis_name="i")(ROWS, ROWS * 0 + 1)
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)


def test_several_named_axes() -> None:
    def function(lax: Any) -> Callable[[Any], Any]:
        return lambda x: x - lax.psum(x, "i") + lax.pmax(x, "j") * lax.psum(x, ("i", "j"))

    def nested(vmap: Any, lax: Any) -> Callable[[Any], Any]:
        return vmap(vmap(function(lax), axis_name="j"), axis_name="i")

    np.testing.assert_allclose(nested(fg.vmap, fg.lax)(X), nested(jax.vmap, jax.lax)(X), rtol=1e-5)
    np.testing.assert_allclose(fg.jit(nested(fg.vmap, fg.lax))(X), nested(jax.vmap, jax.lax)(X), rtol=1e-5)


def test_the_innermost_axis_of_a_name_wins() -> None:
    found = fg.vmap(fg.vmap(lambda x: fg.lax.psum(x, "i"), axis_name="i"), axis_name="i")(fnp.ones((2, 3)))
    np.testing.assert_array_equal(found, np.full((2, 3), 3.0))


def test_a_compiled_function_inside_a_named_map() -> None:
    normalised = fg.jit(lambda x: x - fg.lax.pmean(x, "batch"))
    np.testing.assert_allclose(fg.vmap(normalised, axis_name="batch")(ROWS), ROWS - ROWS.mean(0), rtol=1e-5, atol=1e-6)
    with pytest.raises(errors.ArgumentError, match="no axis named 'batch'"):
        normalised(ROWS)
    again = fg.vmap(normalised, axis_name="batch")(np.concatenate([ROWS, ROWS]))
    np.testing.assert_allclose(again[:3], ROWS - ROWS.mean(0), rtol=1e-5, atol=1e-6)


def test_what_only_some_members_name() -> None:
    with pytest.raises(errors.ArgumentError, match="outside axis"):
        fg.vmap(lambda x: fg.lax.ppermute(x, "i", [(0, 9)]), axis_name="i")(ROWS)
    with pytest.raises(errors.ArgumentError, match="twice"):
        fg.vmap(lambda x: fg.lax.ppermute(x, "i", [(0, 1), (2, 1)]), axis_name="i")(ROWS)
