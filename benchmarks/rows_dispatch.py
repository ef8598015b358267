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


def _row(what: str, function: Callable[..., Any], args: tuple[Any, ...], loop: bool = False) -> Row:
    make = _loop if loop else _call
    ours, jaxs = [library.top.tree.map(library.np.asarray, args) for library in (OURS, JAX)]
    leaves = len(OURS.top.tree.leaves(args))
    contenders = {
        "ours": make(OURS, function, ours),
        "jax": make(JAX, function, jaxs),
        "engine": _engine(function, ours, loop),
    }
    budget = [Ratio("jax", 1.0)] if leaves <= 20 else [AtMost("engine", round(5 + 0.3 * leaves, 1))]
    return Row("dispatch", what, contenders, budget)


def _other(what: str, argument: Any, **options: Any) -> Row:
    """A call with an array and something else."""
    x = np.ones(4, np.float32)
    contenders = {}
    for name, library in (("ours", OURS), ("jax", JAX)):
        compiled, array = library.top.jit(lambda a, b: a * b, **options), library.np.asarray(x)
        contenders[name] = lambda compiled=compiled, array=array: compiled(array, argument)
    return Row("dispatch", what, contenders)


def rows(quick: bool) -> Iterator[Row]:
    """Few arrays, then trees that go round a loop, trees that become one array, and what is no array."""
    x = np.ones(4, np.float32)

    def update(tree: Any) -> Any:
        return {name: leaf * 0.5 for name, leaf in tree.items()}

    yield _row("jit call, 2 arrays in, 1 out", lambda a, b: a + b, (x, x))
    trees = {leaves: {f"leaf{i:04}": x for i in range(leaves)} for leaves in (2, 20, 100, 1000)}
    for leaves, tree in trees.items():
        yield _row(f"jit loop, dict of {leaves:,} leaves", update, (tree,), loop=True)
    for leaves, tree in trees.items():
        yield _row(f"jit call, dict of {leaves:,} leaves in, 1 out", lambda tree: tree["leaf0000"] + 1, (tree,))
    yield _other("jit call, array and Python float", 2.0)
    yield _other("jit call, array and NumPy array", x)
    yield _other("jit call, array and static int", 2, static_argnums=1)
