"""Laws of the transformations on random programs with control flow, in double precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

import funcgrad as fg
import funcgrad.numpy as fnp
from tests.control_flow_programs import Block, blocks

SEEDS = st.integers(0, 10_000)
ROWS = 3
# These programs take longer to compile than others, so there are fewer of them.
few = settings(max_examples=max(settings().max_examples // 2, 1))


def point(seed: int, *lead: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return fnp.asarray(rng.uniform(-1.5, 1.5, (*lead, 3))), fnp.asarray(rng.uniform(-1.5, 1.5, lead))


def agree(found: Any, expected: Any, tolerance: float = 1e-9) -> None:
    """Equal structures, dtypes and shapes, and about equal numbers."""
    assert fg.tree.structure(found) == fg.tree.structure(expected)
    for one, two in zip(map(np.asarray, fg.tree.leaves(found)), map(np.asarray, fg.tree.leaves(expected)), strict=True):
        assert (one.shape, one.dtype) == (two.shape, two.dtype)
        np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance * max(1.0, np.max(np.abs(two), initial=0)))


def inner(one: Any, two: Any) -> Any:
    return sum(fnp.sum(a * b) for a, b in zip(one, two, strict=True))


def loss_of(program: Block) -> Callable[[Any, Any], Any]:
    def loss(v: Any, s: Any) -> Any:
        v, s = program(v, s)
        return fnp.mean(v * v) + fnp.sin(s)

    return loss


def looped(function: Callable[..., Any], vs: Any, ss: Any) -> Any:
    """The loop that `vmap` stands for; what has no leading axis is the same for all."""
    found = [function(vs[i] if vs.ndim == 2 else vs, ss[i] if ss.ndim else ss) for i in range(ROWS)]
    return fg.tree.map(lambda *rows: fnp.stack(rows), *found)


def gradients(program: Block) -> Callable[[Any, Any], Any]:
    return fg.grad(loss_of(program), argnums=(0, 1))


@few
@given(blocks(), SEEDS)
def test_jit_is_the_identity(program: Block, seed: int) -> None:
    v, s = point(seed)
    with fg.config(check_programs=seed % 2 == 0):
        agree(fg.jit(program)(v, s), program(v, s))


@few
@given(blocks(), SEEDS)
def test_derivatives_agree_with_differences_and_with_each_other(program: Block, seed: int) -> None:
    at, along, ct = point(seed), point(seed + 1), point(seed + 2)
    y, pull = fg.vjp(program, *at)
    agree(y, program(*at))
    step = 1e-6
    if program.mentions("custom vjp"):
        return
    _, tangent = fg.jvp(program, at, along)
    agree(inner(ct, tangent), inner(pull(ct), along))
    agree(fg.jit(lambda x, dx: fg.jvp(program, x, dx)[1])(at, along), tangent)
    if not program.mentions("stopped"):
        ahead, back = (program(*(x + sign * dx for x, dx in zip(at, along, strict=True))) for sign in (step, -step))
        difference = fg.tree.map(lambda a, b: (a - b) / (2 * step), ahead, back)
        agree(tangent, difference, 1e-4)


@few
@given(blocks(), SEEDS)
def test_jit_and_grad_commute(program: Block, seed: int) -> None:
    v, s = point(seed)
    expected = gradients(program)(v, s)
    with fg.config(check_programs=seed % 2 == 0):
        agree(fg.jit(gradients(program))(v, s), expected)
        agree(fg.grad(fg.jit(loss_of(program)), argnums=(0, 1))(v, s), expected)


@few
@given(blocks(), SEEDS, st.sampled_from([(0, 0), (0, None), (None, 0)]))
def test_vmap_is_a_loop(program: Block, seed: int, axes: tuple[int | None, int | None]) -> None:
    (vs, ss), (v, s) = point(seed, ROWS), point(seed)
    at = (v if axes[0] is None else vs), (s if axes[1] is None else ss)
    expected = looped(program, *at)
    with fg.config(check_programs=seed % 2 == 0):
        agree(fg.vmap(program, axes)(*at), expected)
        agree(fg.jit(fg.vmap(program, axes))(*at), expected)


@few
@given(blocks(), SEEDS)
def test_vmap_and_grad_commute(program: Block, seed: int) -> None:
    vs, ss = point(seed, ROWS)
    expected = looped(gradients(program), vs, ss)
    agree(fg.vmap(gradients(program))(vs, ss), expected)
    agree(fg.jit(fg.vmap(gradients(program)))(vs, ss), expected)
    total = fg.grad(lambda vs, ss: fnp.sum(fg.vmap(loss_of(program))(vs, ss)), argnums=(0, 1))
    agree(total(vs, ss), expected)
