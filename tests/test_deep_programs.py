"""Large and deep programs: no recursion error, and nothing that grows with the length of a loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import lax

DEPTH = 50


def straight(equations: int) -> Callable[[Any], Any]:
    def body(x: Any) -> Any:
        for _ in range(equations // 2):
            x = fnp.sin(x) * 1.01
        return x

    return body


def nested_cond(depth: int) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        if depth == 0:
            return fnp.sin(x)
        return lax.cond(x > 100 - depth, lambda x: x * 2, lambda x: nested_cond(depth - 1)(x) + 1, x)

    return f


def nested_if(depth: int) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        for level in range(depth):
            if x > 100 - level:
                return x * 2
            x = x + 1
        return fnp.sin(x)

    return f


def nested_jit(depth: int) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        return fnp.sin(x) if depth == 0 else fg.jit(nested_jit(depth - 1))(x * 1.01)

    return f


def nested_scan(depth: int) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        if depth == 0:
            return fnp.sin(x)
        inner = nested_scan(depth - 1)
        return lax.scan(lambda c, _: (inner(c) * 1.01, None), x, None, length=1)[0]

    return f


def nested_vmap(depth: int) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        return fnp.sin(x) if depth == 0 else fg.vmap(nested_vmap(depth - 1))(x[None])[0]

    return f


def nested_checkpoint(depth: int) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        return fnp.sin(x) if depth == 0 else fg.checkpoint(nested_checkpoint(depth - 1))(x * 1.01)

    return f


@pytest.mark.parametrize("nested", [nested_cond, nested_if, nested_jit, nested_vmap], ids=lambda f: f.__name__)
def test_fifty_levels_of_nesting(nested: Callable[[int], Callable[[Any], Any]]) -> None:
    f = nested(DEPTH)
    x = fnp.float32(0.3)
    value, slope = fg.jit(fg.value_and_grad(f))(x)
    expected, expected_slope = fg.value_and_grad(f)(x)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(slope, expected_slope, rtol=1e-5)


@pytest.mark.parametrize("nested", [nested_scan, nested_checkpoint], ids=lambda f: f.__name__)
def test_fifty_levels_that_are_costly_to_compile(nested: Callable[[int], Callable[[Any], Any]]) -> None:
    """The engine inlines loops of one step for a long time, so this only lowers them; shallower ones run."""
    fg.jit(fg.grad(nested(DEPTH))).lower(fnp.float32(0.3))
    value = fg.jit(fg.grad(nested(6)))(0.3)
    np.testing.assert_allclose(value, fg.grad(nested(6))(0.3), rtol=1e-5)


def test_bodies_of_five_thousand_equations() -> None:
    body = straight(5000)

    def f(x: Any) -> Any:
        y, _ = lax.scan(lambda c, _: (body(c), None), x, None, length=2)
        return lax.cond(y.sum() > 0, body, lambda v: v, y).sum()

    lowered = fg.jit(fg.grad(f)).lower(fnp.ones(2))
    assert len(lowered.as_text()) > 100_000
    step = fg.make_program(fg.grad(lambda x: body(x).sum()))(fnp.ones(2))
    assert len(step.equations) > 5000


def test_the_program_of_a_loop_does_not_grow_with_its_length() -> None:
    def f(xs: Any) -> Any:
        return lax.scan(lambda c, x: (c * 0.9 + x, c), xs[0], xs)[1].sum()

    sizes = [len(fg.jit(fg.grad(f)).lower(fnp.ones(n)).as_text()) for n in (10, 1_000_000)]
    assert sizes[1] < sizes[0] * 1.2


def test_a_million_steps() -> None:
    n = 1_000_000
    xs = fnp.ones(n)
    last, _ = fg.jit(lambda xs: lax.scan(lambda c, x: (c + x, None), fnp.float32(0), xs))(xs)
    assert float(last) == n
    slope = fg.jit(fg.grad(lambda a: lax.scan(lambda c, x: (c * a, None), fnp.float32(1), xs)[0]))(1.0)
    assert float(slope) == n
    count = fg.jit(lambda n: lax.while_loop(lambda i: i < n, lambda i: i + 1, 0))(n)
    assert int(count) == n


def test_many_eager_steps() -> None:
    n = 20_000
    last, ys = lax.scan(lambda c, x: (c + x, c), fnp.float32(0), fnp.ones(n))
    assert (float(last), ys.shape) == (n, (n,))
    slope = fg.grad(lambda a: lax.fori_loop(0, n, lambda i, c: c * a, 1.0))(1.0)
    assert float(slope) == n
