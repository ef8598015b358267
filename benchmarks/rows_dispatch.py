"""What a call of a compiled function costs, and how much of it is the engine's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .libraries import JAX, OURS, Library
from .timing import AtMost, Ratio, Row

__all__ = ["rows"]


def _call(library: Library, function: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[], Any]:
    """Calls the compiled function again and again on the same arguments."""
    compiled = library.top.jit(function)
    return lambda: compiled(*args)


def _loop(library: Library, function: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[], Any]:
    """Calls the compiled function again and again on its own result."""
    compiled = library.top.jit(function)
    state = args[0]

    def step() -> None:
        nonlocal state
        state = compiled(state)

    return step


def _engine(function: Callable[..., Any], args: tuple[Any, ...], loop: bool) -> Callable[[], Any]:
    """The same executable on bare buffers: no flattening, no keys, no arrays."""
    executable = OURS.top.jit(function).lower(*args).compile()._executable
    run, handlers = executable.execute, executable.handlers
    buffers = [leaf.buffer() for leaf in OURS.top.tree.leaves(args)]

    def step() -> None:
        nonlocal buffers
        results = run(buffers).consume_with_handlers(handlers)
        if loop:
            buffers = results

    return step


def _row(what: str, function: Callable[..., Any], args: tuple[Any, ...], loop: bool, against_jax: bool) -> Row:
    make = _loop if loop else _call
    ours, jaxs = [library.top.tree.map(library.np.asarray, args) for library in (OURS, JAX)]
    leaves = len(OURS.top.tree.leaves(args))
    contenders = {
        "ours": make(OURS, function, ours),
        "jax": make(JAX, function, jaxs),
        "engine": _engine(function, ours, loop),
    }
    budget = [Ratio("jax", 1.0)] if against_jax else []
    return Row("dispatch", what, contenders, [*budget, AtMost("engine", round(5 + 0.3 * leaves, 1))])


def rows(quick: bool) -> Iterator[Row]:
    """Few arrays, then trees that go round a loop."""
    x = np.ones(4, np.float32)

    def update(tree: Any) -> Any:
        return {name: leaf * 0.5 for name, leaf in tree.items()}

    yield _row("jit call, 2 arrays in, 1 out", lambda a, b: a + b, (x, x), loop=False, against_jax=True)
    for leaves in (20, 100):
        tree = {f"leaf{i}": x for i in range(leaves)}
        yield _row(f"jit loop, dict of {leaves} leaves", update, (tree,), loop=True, against_jax=leaves == 20)
