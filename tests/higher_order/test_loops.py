"""`map`, `associative_scan` and `reduce`: against comprehensions, NumPy and JAX, under every transformation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.higher_order.scan import Scan

RNG = np.random.default_rng(1)


def floats(*shape: int) -> Any:
    return fnp.asarray(RNG.uniform(0.3, 1.0, shape).astype(np.float32))


def assert_close(found: Any, expected: Any, tolerance: float = 1e-5) -> None:
    ones, twos = fg.tree.leaves(found), fg.tree.leaves(expected)
    assert len(ones) == len(twos)
    for one, two in zip(ones, twos, strict=True):
        assert (one.shape, one.dtype) == (two.shape, two.dtype)
        np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance)


# -- map ---------------------------------------------------------------------------------------------------------------


def one(x: Any) -> Any:
    return {"s": fnp.sin(x["a"]).sum() * x["b"], "a": x["a"], "none": None}


@pytest.mark.parametrize("batch_size", [None, 1, 2, 5, 7])
def test_map_is_a_comprehension(batch_size: int | None) -> None:
    xs = {"a": floats(5, 2), "b": fnp.arange(5)}
    rows = [one({"a": xs["a"][i], "b": xs["b"][i]}) for i in range(5)]
    expected = fg.tree.map(lambda *values: fnp.stack(values), *rows)

    def run(xs: Any) -> Any:
        return fg.lax.map(one, xs, batch_size=batch_size)

    assert_close(run(xs), expected)
    assert_close(fg.jit(run)(xs), expected)
    gradient = fg.grad(lambda a: (run({**xs, "a": a})["s"] ** 2).sum())
    assert_close(fg.jit(gradient)(xs["a"]), 2 * expected["s"][:, None] * fnp.cos(xs["a"]) * xs["b"][:, None])
    assert_close(gradient(xs["a"]), fg.jit(gradient)(xs["a"]))


def test_map_over_a_mapped_axis() -> None:
    x = floats(3, 4)
    run = fg.vmap(lambda row: fg.lax.map(lambda x: x * row.sum(), row, batch_size=3))
    assert_close(fg.jit(run)(x), x * x.sum(axis=1, keepdims=True))


def test_map_of_nothing() -> None:
    for size in (None, 2):
        found = fg.lax.map(lambda x: (x * 2, x.sum()), fnp.zeros((0, 3)), batch_size=size)
        assert [y.shape for y in found] == [(0, 3), (0,)]


def test_batches_are_steps_of_one_loop() -> None:
    program = fg.make_program(lambda xs: fg.lax.map(fnp.sin, xs, batch_size=4))(fnp.zeros(10))
    (loop,) = [eqn.op for eqn in program.equations if isinstance(eqn.op, Scan)]
    assert loop.length == 2


# -- associative_scan --------------------------------------------------------------------------------------------------


def compose(f: Any, g: Any) -> Any:
    """Of two affine maps: first f, then g; not commutative."""
    return {"a": f["a"] * g["a"], "b": f["b"] * g["a"] + g["b"]}


@pytest.mark.parametrize(("length", "reverse"), [(1, False), (2, False), (7, False), (6, True)])
def test_associative_scan_as_jax(length: int, reverse: bool) -> None:
    elems = {"a": floats(2, length), "b": floats(2, length)}
    raw = {name: np.asarray(x) for name, x in elems.items()}
    found = fg.jit(lambda elems: fg.lax.associative_scan(compose, elems, reverse, 1))(elems)
    expected = jax.lax.associative_scan(compose, raw, reverse=reverse, axis=1)
    for name in elems:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5)


def test_associative_scan_is_a_scan() -> None:
    elems = {"a": floats(6), "b": floats(6)}

    def parallel(elems: Any) -> Any:
        return fg.lax.associative_scan(compose, elems)["b"]

    def sequential(elems: Any) -> Any:
        return fg.lax.scan(lambda y, x: (y * x["a"] + x["b"],) * 2, 0.0, elems)[1]

    assert_close(parallel(elems), sequential(elems))
    for transform in (
        lambda f: fg.grad(lambda elems: (f(elems) ** 2).sum()),
        lambda f: lambda elems: fg.jvp(f, (elems,), (elems,)),
        lambda f: lambda elems: fg.vmap(f)(fg.tree.map(lambda x: fnp.stack([x, x / 2]), elems)),
    ):
        assert_close(fg.jit(transform(parallel))(elems), fg.jit(transform(sequential))(elems), 1e-4)


# -- reduce ------------------------------------------------------------------------------------------------------------

MONOIDS: dict[str, tuple[Callable[..., Any], float]] = {
    "reduce_sum": (lambda a, b: a + b, 0.0),
    "reduce_prod": (lambda a, b: b * a, 1.0),
    "reduce_max": (fnp.maximum, -9.0),
    "reduce_min": (lambda a, b: fg.lax.min(a, b), 9.0),
}


@pytest.mark.parametrize("name", MONOIDS)
@pytest.mark.parametrize("axes", [(0,), (1, 2), (0, 1, 2), (), (-1,)])
def test_well_known_functions_become_their_reduction(name: str, axes: tuple[int, ...]) -> None:
    function, init = MONOIDS[name]
    x = floats(2, 3, 4)
    expected = getattr(fg.lax, name)(x, axes)
    assert_close(fg.lax.reduce(x, init, function, axes), expected)
    program = fg.make_program(lambda x: fg.lax.reduce(x, init, function, axes))(x)
    assert (name in [eqn.op.name for eqn in program.equations]) == bool(axes)


@pytest.mark.parametrize("dtype", ["bool", "int32", "uint8"])
def test_logic_and_bits(dtype: str) -> None:
    x = fnp.asarray(RNG.integers(0, 2 if dtype == "bool" else 100, (3, 4))).astype(dtype)
    zero, one = fnp.zeros((), dtype), ~fnp.zeros((), dtype)
    for function, init, ufunc in (
        (lambda a, b: a & b, one, np.bitwise_and),
        (lambda a, b: a | b, zero, np.bitwise_or),
        (lambda a, b: a ^ b, zero, np.bitwise_xor),
    ):
        found = fg.jit(lambda x, f=function, init=init: fg.lax.reduce(x, init, f, [1]))(x)
        np.testing.assert_array_equal(found, ufunc.reduce(np.asarray(x), axis=1))


def test_the_initial_value_counts() -> None:
    x = fnp.arange(3.0)
    assert float(fg.lax.reduce(x, 10.0, lambda a, b: a + b, [0])) == 13.0
    assert float(fg.lax.reduce(x, 10.0, lambda a, b: a + b + 0 * a, [0])) == 13.0
    assert fg.lax.reduce(fnp.zeros((0, 2)), 10.0, lambda a, b: a + b, [0]).tolist() == [10, 10]
    assert fg.lax.reduce(fnp.zeros((0, 2)), 10.0, lambda a, b: a + b + a * b, [0]).tolist() == [10, 10]
    assert fg.lax.reduce(fnp.zeros((2, 0)), 10.0, lambda a, b: a + b + a * b, [0]).shape == (0,)


@pytest.mark.parametrize("axes", [(0,), (1,), (2, 0), (0, 1, 2), ()])
def test_any_function_as_jax(axes: tuple[int, ...]) -> None:
    x = floats(2, 3, 5)

    def circle(a: Any, b: Any) -> Any:
        return a + b + a * b

    found = fg.jit(lambda x: fg.lax.reduce(x, 0.0, circle, axes))(x)
    np.testing.assert_allclose(found, jax.lax.reduce(np.asarray(x), np.float32(0), circle, axes), rtol=1e-5)


def test_functions_of_trees_keep_the_order() -> None:
    elems = {"a": floats(2, 7), "b": floats(2, 7)}
    init = {"a": 1.0, "b": 0.0}

    def run(elems: Any) -> Any:
        return fg.lax.reduce(elems, init, compose, [1])

    last = fg.tree.map(lambda x: x[:, -1], fg.lax.associative_scan(compose, elems, axis=1))
    assert_close(run(elems), last)
    assert_close(fg.jit(run)(elems), last)


def test_any_function_under_transformations() -> None:
    x, scale = floats(3, 5), floats()

    def run(x: Any, scale: Any) -> Any:
        return fg.lax.reduce(x, 0.0, lambda a, b: a + b + scale * a * b, [0])

    def by_product(x: Any, scale: Any) -> Any:
        return (fnp.prod(1 + scale * x, axis=0) - 1) / scale

    for transform in (
        lambda f: f,
        lambda f: fg.grad(lambda *args: (f(*args) ** 2).sum(), (0, 1)),
        lambda f: lambda *args: fg.jvp(f, args, args),
        lambda f: lambda x, scale: fg.vmap(f, (1, None))(fnp.stack([x, x * 2], 1), scale),
        lambda f: lambda x, scale: fg.vmap(f, (None, 0))(x, fnp.stack([scale, scale * 2])),
    ):
        expected = transform(by_product)(x, scale)
        assert_close(transform(run)(x, scale), expected, 1e-4)
        assert_close(fg.jit(transform(run))(x, scale), expected, 1e-4)
