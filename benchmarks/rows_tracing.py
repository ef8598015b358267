"""From Python to a program and on to StableHLO, without compiling. Every call traces a new function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .libraries import JAX, OURS, Library
from .timing import Ratio, Row
from .workloads import gpt_params, gpt_step, gpt_tokens

__all__ = ["rows"]

BUDGET = (Ratio("jax", 1 / 8),)


def _trace(library: Library, function: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    make = library.top.make_program if library is OURS else library.top.make_jaxpr
    return lambda: make(lambda *args: function(library, *args))(*args)


def _lower(library: Library, function: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    return lambda: library.top.jit(lambda *args: function(library, *args)).lower(*args)


def _both(make: Callable[..., Any], function: Callable[..., Any], *args: Any) -> dict[str, Any]:
    placed = [(library, library.top.tree.map(library.np.asarray, args)) for library in (OURS, JAX)]
    return {name: make(library, function, *mine) for name, (library, mine) in zip(("ours", "jax"), placed, strict=True)}


def rows(quick: bool) -> Iterator[Row]:
    """Tracing alone, then tracing and lowering, forward and through transformations."""
    equations = 200 if quick else 2000
    steps = 100 if quick else 1000
    x = np.ones(4, np.float32)

    def chain(library: Library, x: Any) -> Any:
        for _ in range(equations):
            x = x + x
        return x

    def deep(library: Library, x: Any) -> Any:
        for _ in range(steps):
            x = library.np.tanh(x) * 0.9 + x
        return library.np.sum(x)

    def deep_grad(library: Library, x: Any) -> Any:
        return library.top.grad(lambda x: deep(library, x))(x)

    def deep_vmap_grad(library: Library, x: Any) -> Any:
        return library.top.vmap(lambda x: deep_grad(library, x))(x)

    state, tokens = _gpt(1 if quick else 4)
    yield Row("tracing", f"trace, one of {equations} x + x", _both(_trace, chain, x), BUDGET, per=equations)
    yield Row("tracing", "trace a GPT train step", _both(_trace, gpt_step, state, tokens), BUDGET)
    yield Row("lowering", f"trace and lower {3 * steps} equations", _both(_lower, deep, x), BUDGET)
    yield Row("lowering", "… their grad", _both(_lower, deep_grad, x), BUDGET)
    yield Row("lowering", "… their vmap(grad)", _both(_lower, deep_vmap_grad, np.ones((3, 4), np.float32)), BUDGET)
    yield Row("lowering", "trace and lower a GPT train step", _both(_lower, gpt_step, state, tokens), BUDGET)


def _gpt(layers: int) -> tuple[Any, np.ndarray]:
    params = gpt_params(layers, 64, 128, 32)
    zeros = OURS.top.tree.map(np.zeros_like, params)
    return (params, zeros, zeros), gpt_tokens(4, 32, 128)
