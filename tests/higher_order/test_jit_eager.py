"""`jit` switched off, for one call or a block, and `inline`: the same results without a compiled program of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors


def test_disabled_it_is_plain_python() -> None:
    seen: list[Any] = []

    @fg.jit
    def inner(x: Any) -> Any:
        seen.append(float(x))
        return x * 2

    @fg.jit(static_argnames="flip")
    def outer(x: Any, flip: bool = False) -> Any:
        seen.append(float(x))
        return {"y": inner(-x if flip else x), "n": 3}

    with fg.disable_jit():
        found = outer(1.5, flip=True)
        assert float(found["y"]) == -3.0
        assert (found["y"].dtype, found["n"].dtype) == (np.float32, np.int32)
        assert seen == [1.5, -1.5]
    with pytest.raises(errors.ConcretizationError):
        outer(1.5)
    with fg.disable_jit(), fg.disable_jit(False), pytest.raises(errors.ConcretizationError):
        outer(1.5)
    seen.clear()
    assert float(outer.eager(2.5)["y"]) == 5.0
    assert seen == [2.5, 2.5]
    with pytest.raises(errors.ConcretizationError):
        outer(1.5)
    fg.config.update(disable_jit=True)
    try:
        assert float(outer(3.0)["y"]) == 6.0
    finally:
        fg.config.update(disable_jit=False)
    assert outer.cache_info().calls == 0


def test_eager_and_compiled_give_the_same_types() -> None:
    function = fg.jit(lambda x, n: [x * n, n, x.T, 2.5, fnp.ones(2), np.arange(2)])
    for compiled, eager in zip(function(np.ones((2, 3)), 2), function.eager(np.ones((2, 3)), 2), strict=True):
        assert (compiled.dtype, compiled.shape, compiled.type) == (eager.dtype, eager.shape, eager.type)
        np.testing.assert_array_equal(compiled, eager)


def test_eager_under_transformations() -> None:
    function = fg.jit(lambda x: fnp.sum(x**3))
    x = fnp.arange(3.0)
    np.testing.assert_array_equal(fg.grad(function.eager)(x), fg.grad(function)(x))
    with fg.disable_jit():
        np.testing.assert_array_equal(fg.vmap(fg.grad(function))(x[None]), fg.grad(function)(x)[None])


def test_inline_leaves_no_call() -> None:
    def function(x: Any) -> Any:
        return {"a": x * 2.0 + 1.0, "n": 3, "x": x}

    inlined, called = [fg.jit(function, inline=inline) for inline in (True, False)]
    programs = [str(fg.make_program(lambda x, f=f: f(x * x)["a"])(fnp.ones(3))) for f in (inlined, called)]
    assert ["call" in text for text in programs] == [False, True]
    assert "mul" in programs[0]
    for transformed in (fg.jit, lambda f: f, lambda f: fg.vmap(lambda x: f(x))):
        a, b = [transformed(f)(fnp.ones(3)) for f in (inlined, called)]
        assert fg.tree.map(lambda leaf: leaf.type, a) == fg.tree.map(lambda leaf: leaf.type, b)
        np.testing.assert_array_equal(a["a"], b["a"])
    table = fnp.arange(3.0)
    closing = fg.jit(lambda x: fnp.sum(x * x * table), inline=True)
    np.testing.assert_array_equal(fg.grad(closing)(fnp.ones(3)), 2 * table)
    np.testing.assert_array_equal(fg.jit(fg.grad(closing))(fnp.ones(3)), 2 * table)


def test_options_of_jax_are_taken() -> None:
    function = fg.jit(lambda x, y: x, keep_unused=True, static_argnums=(), donate_argnames=(), inline=False)
    assert float(function(1.0, 2.0)) == 1.0
