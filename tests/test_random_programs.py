"""Laws of the transformations on random programs, in double precision.

`jit` is the identity, `vmap` is a loop, `jvp` agrees with `vjp` and with differences, and transformations commute,
nested up to three deep, eager and compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

import funcgrad as fg
import funcgrad.numpy as fnp
from tests.programs import SHAPE, RandomProgram, random_programs, scalar_programs

SEEDS = st.integers(0, 10_000)
ROWS = 3


def point(seed: int, *lead: int) -> Any:
    """A random matrix (or several) without ties."""
    return fnp.asarray(np.random.default_rng(seed).uniform(-1.5, 1.5, (*lead, *SHAPE)))


def agree(found: Any, expected: Any, tolerance: float = 1e-9) -> None:
    one, two = np.asarray(found), np.asarray(expected)
    assert (one.shape, one.dtype) == (two.shape, two.dtype)
    np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance * max(1.0, np.max(np.abs(two), initial=0)))


def stacked(function: Callable[..., Any], *columns: Any) -> Any:
    """The loop that `vmap` stands for."""
    return fnp.stack([function(*(column[i] for column in columns)) for i in range(ROWS)])


def pushed(function: Callable[[Any], Any], v: Any) -> Callable[[Any], Any]:
    """The derivative of a function along `v`."""
    return lambda x: fg.jvp(function, (x,), (v,))[1]


@given(random_programs(), SEEDS)
def test_jit_is_the_identity(program: RandomProgram, seed: int) -> None:
    x = point(seed)
    agree(fg.jit(program)(x), program(x))


@given(random_programs(), SEEDS)
def test_vmap_is_a_loop(program: RandomProgram, seed: int) -> None:
    xs = point(seed, ROWS)
    expected = stacked(program, xs)
    agree(fg.vmap(program)(xs), expected)
    agree(fg.vmap(program, in_axes=2, out_axes=1)(fnp.moveaxis(xs, 0, 2)), fnp.moveaxis(expected, 0, 1))


@given(random_programs(), SEEDS)
def test_jvp_agrees_with_differences(program: RandomProgram, seed: int) -> None:
    if not program.has_differences:
        return
    x, v = point(seed), point(seed + 1)
    step = 1e-6
    difference = (program(x + step * v) - program(x - step * v)) / (2 * step)
    y, tangent = fg.jvp(program, (x,), (v,))
    agree(y, program(x))
    agree(tangent, difference, 1e-5)


@given(random_programs(), SEEDS)
def test_vjp_is_the_transpose_of_jvp(program: RandomProgram, seed: int) -> None:
    x, v, ct = point(seed), point(seed + 1), point(seed + 2)
    y, pull = fg.vjp(program, x)
    agree(y, program(x))
    tangent = fg.jvp(program, (x,), (v,))[1]
    agree(fnp.sum(ct * tangent), fnp.sum(pull(ct)[0] * v))


@given(random_programs(), SEEDS)
def test_linearize_is_jvp(program: RandomProgram, seed: int) -> None:
    x, v = point(seed), point(seed + 1)
    y, push = fg.linearize(program, x)
    expected_y, expected = fg.jvp(program, (x,), (v,))
    agree(y, expected_y)
    agree(push(v), expected)
    agree(fg.vmap(push)(fnp.stack([v, 2 * v, -v])), fnp.stack([expected, 2 * expected, -expected]))


@given(scalar_programs(), SEEDS)
def test_jit_and_grad_commute(program: RandomProgram, seed: int) -> None:
    x = point(seed)
    expected = fg.grad(program)(x)
    agree(fg.jit(fg.grad(program))(x), expected)
    agree(fg.grad(fg.jit(program))(x), expected)


@given(scalar_programs(), SEEDS)
def test_vmap_and_grad_commute(program: RandomProgram, seed: int) -> None:
    """The gradient of the sum over rows is the rows' gradients."""
    xs = point(seed, ROWS)
    expected = stacked(fg.grad(program), xs)
    agree(fg.vmap(fg.grad(program))(xs), expected)
    agree(fg.grad(lambda xs: fnp.sum(fg.vmap(program)(xs)))(xs), expected)


@given(random_programs(), SEEDS)
def test_jvp_and_vmap_commute(program: RandomProgram, seed: int) -> None:
    xs, vs = point(seed, ROWS), point(seed + 1, ROWS)
    expected = stacked(lambda x, v: pushed(program, v)(x), xs, vs)
    agree(fg.jvp(fg.vmap(program), (xs,), (vs,))[1], expected)
    agree(fg.vmap(lambda x, v: fg.jvp(program, (x,), (v,))[1])(xs, vs), expected)


@given(scalar_programs(), SEEDS)
def test_the_second_derivative_is_symmetric_and_the_same_in_every_mode(program: RandomProgram, seed: int) -> None:
    x, v, w = point(seed), point(seed + 1), point(seed + 2)
    forward_over_reverse = fg.hvp(program, (x,), (v,))
    agree(fg.grad(lambda x: fnp.sum(fg.grad(program)(x) * v))(x), forward_over_reverse, 1e-7)
    if program.has_differences:
        agree(fnp.sum(forward_over_reverse * w), fnp.sum(fg.hvp(program, (x,), (w,)) * v), 1e-7)
    agree(pushed(pushed(program, v), w)(x), fnp.sum(forward_over_reverse * w), 1e-7)
    agree(fg.grad(pushed(program, v))(x), forward_over_reverse, 1e-7)


@given(scalar_programs(), SEEDS)
def test_three_deep(program: RandomProgram, seed: int) -> None:
    xs, vs = point(seed, ROWS), point(seed + 1, ROWS)
    product = stacked(lambda x, v: fg.hvp(program, (x,), (v,)), xs, vs)

    def along(x: Any, v: Any) -> Any:
        return fg.jvp(fg.grad(fg.jit(program)), (x,), (v,))[1]

    agree(fg.vmap(along)(xs, vs), product, 1e-7)
    agree(fg.jit(fg.vmap(along))(xs, vs), product, 1e-7)
    total = fg.grad(lambda xs: fnp.sum(fg.vmap(fg.grad(program))(xs) * vs))
    agree(total(xs), product, 1e-7)
    agree(fg.jvp(fg.jit(fg.vmap(fg.grad(program))), (xs,), (vs,))[1], product, 1e-7)


@given(random_programs(), SEEDS)
def test_compiled_compositions_agree_with_eager_ones(program: RandomProgram, seed: int) -> None:
    xs, v = point(seed, ROWS), point(seed + 1)

    def composed(xs: Any, v: Any) -> tuple[Any, ...]:
        rows = fg.vmap(lambda x: fg.vjp(program, x)[1](v)[0])(xs)
        return (
            rows,
            fg.vmap(pushed(program, v))(xs),
            fg.jvp(lambda u: fg.jvp(program, (xs[0],), (u,))[1], (v,), (v,))[1],
        )

    for found, expected in zip(fg.jit(composed)(xs, v), composed(xs, v), strict=True):
        agree(found, expected)
