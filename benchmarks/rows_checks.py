"""What checks in compiled code cost: an embedding lookup with indices checked, against the same without."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .libraries import JAX, OURS, Library
from .timing import Ratio, Row

__all__ = ["rows"]

STEPS = 5


def _forward(library: Library, table: Any, weights: Any, ids: Any) -> Any:
    """Rows of a table, averaged in groups, and a dense layer."""
    pooled = table[ids].mean(axis=1)
    return library.np.tanh(pooled @ weights)


def _train(library: Library, table: Any, weights: Any, ids: Any) -> Any:
    """One step of gradient descent."""

    def loss(table: Any, weights: Any) -> Any:
        return (_forward(library, table, weights, ids) ** 2).mean()

    moves = library.top.grad(loss, argnums=(0, 1))(table, weights)
    return table - 0.1 * moves[0], weights - 0.1 * moves[1]


def _repeated(library: Library, step: Callable[..., Any], args: tuple[Any, ...], **settings: bool) -> Callable[[], Any]:
    """Some calls in a row, then a wait for the last."""
    args = tuple(map(library.np.asarray, args))

    def run() -> None:
        result: Any = None
        for _ in range(STEPS):
            result = compiled(*args)
        library.top.tree.leaves(result)[-1].block_until_ready()

    compiled = library.top.jit(lambda *args: step(library, *args))
    if not settings:
        return run

    def run_with_settings() -> None:
        with OURS.top.config(**settings):
            run()

    return run_with_settings


def _row(what: str, step: Callable[..., Any], args: tuple[Any, ...]) -> Row:
    contenders = {
        "ours": _repeated(OURS, step, args, check_bounds=True),
        "unchecked": _repeated(OURS, step, args, check_bounds=False),
        "jax": _repeated(JAX, step, args),
    }
    return Row("checks", what, contenders, [Ratio("unchecked", 1.03)], per=STEPS, clock=time.perf_counter)


def rows(quick: bool) -> Iterator[Row]:
    """A table of 10,000 rows of 64 and 4,096 ids, read and trained; many small indices in one program."""
    length, count = (100, 64) if quick else (10_000, 4096)
    random = np.random.default_rng(0)
    table = random.normal(size=(length, 64)).astype(np.float32)
    weights = random.normal(size=(64, 32)).astype(np.float32)
    ids = random.integers(0, length, (count // 16, 16), np.int32)
    yield _row("embedding lookup, indices checked", _forward, (table, weights, ids))
    yield _row("embedding train step, indices checked", _train, (table, weights, ids))
