"""Whole compiled training steps in their steady state: XLA does the work; the ratio shows what we add to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .libraries import JAX, OURS, Library
from .timing import Ratio, Row
from .workloads import gpt_params, gpt_step, gpt_tokens, mlp_params, mlp_step

__all__ = ["STEPS", "rows", "steps"]

STEPS = 5


def steps(library: Library, step: Callable[..., Any], state: Any, *batch: Any, **options: Any) -> Callable[[], Any]:
    """Some steps in a row, then a wait for the last; with options of `jit`."""
    compiled = library.top.jit(lambda *args: step(library, *args), **options)
    state, batch = library.top.tree.map(library.np.asarray, (state, batch))

    def run() -> None:
        nonlocal state
        for _ in range(STEPS):
            state = compiled(state, *batch)
        library.top.tree.leaves(state)[-1].block_until_ready()

    return run


def _row(what: str, step: Callable[..., Any], state: Any, *batch: Any) -> Row:
    contenders = {name: steps(library, step, state, *batch) for name, library in (("ours", OURS), ("jax", JAX))}
    return Row("training", what, contenders, [Ratio("jax", 1.0)], per=STEPS, clock=time.perf_counter)


def rows(quick: bool) -> Iterator[Row]:
    """A network of two layers and a small GPT."""
    x, y = np.ones((64, 64), np.float32), np.ones((64, 10), np.float32)
    yield _row("MLP train step, compiled", mlp_step, mlp_params((64, 128, 10)), x, y)
    layers, width, length, batch = (1, 32, 16, 2) if quick else (4, 128, 64, 8)
    params = gpt_params(layers, width, 256, length)
    zeros = OURS.top.tree.map(np.zeros_like, params)
    yield _row("GPT train step, compiled", gpt_step, (params, zeros, zeros), gpt_tokens(batch, length, 256))
