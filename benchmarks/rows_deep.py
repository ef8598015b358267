"""Deep programs: how the time to differentiate and lower nested ones grows with size: the exponent of a power law."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from .libraries import JAX, OURS, Library
from .timing import AtMost, Row

__all__ = ["rows"]

LINEAR = (AtMost("nothing", 1.15),)


def _exponent(sizes: Sequence[int], work: Callable[[int], Any]) -> float:
    """The slope of log time over log size."""
    times = []
    for size in sizes:
        start = time.thread_time()
        work(size)
        times.append(time.thread_time() - start)
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def _body(library: Library, size: int) -> Callable[[Any], Any]:
    def body(x: Any) -> Any:
        for _ in range(size // 2):
            x = library.np.sin(x) * 1.1
        return x

    return body


def _lower(library: Library, function: Callable[[Any], Any]) -> Any:
    return library.top.jit(library.top.grad(lambda x: function(x).sum())).lower(library.np.ones(3))


def _scanned(library: Library) -> Callable[[int], Any]:
    def work(size: int) -> Any:
        body = _body(library, size)
        return _lower(library, lambda x: library.top.lax.scan(lambda c, _: (body(c), c), x, None, length=3)[0])

    return work


def _branches(library: Library) -> Callable[[int], Any]:
    def nested(depth: int, x: Any) -> Any:
        if depth == 0:
            return library.np.sin(x)
        return library.top.lax.cond(x.sum() > depth, lambda x: nested(depth - 1, x) + 1, lambda x: x * 2, x)

    return lambda depth: _lower(library, lambda x: nested(depth, x))


def rows(quick: bool) -> Iterator[Row]:
    """Exponents near 1 mean linear time."""
    sizes = (100, 200) if quick else (1250, 2500, 5000)
    depths = (4, 8) if quick else (6, 12, 25, 50)
    for what, work, scale in (
        (f"grad of a scan of {sizes[0]} to {sizes[-1]:,} equations: exponent", _scanned, sizes),
        (f"grad of {depths[0]} to {depths[-1]} nested conds: exponent", _branches, depths),
    ):
        exponent = partial(_exponent, scale, work(OURS))
        yield Row("deep", what, {"ours": exponent}, LINEAR, value=True)
    yield from _long_scans(10**3 if quick else 10**6)


def _long_scans(length: int) -> Iterator[Row]:
    def eager(library: Library) -> Callable[[], Any]:
        x, xs = library.np.float32(0), library.np.ones(length, dtype="float32")
        return lambda: library.top.lax.scan(lambda c, v: (c + v, None), x, xs)[0]

    def compiled(library: Library) -> Callable[[], Any]:
        run = library.top.jit(lambda xs: library.top.lax.scan(lambda c, v: (c * 0.9 + v, c), xs[0], xs)[1])
        xs = library.np.ones(length, dtype="float32")
        return lambda: run(xs).block_until_ready()

    yield Row("deep", f"eager scan, one of {length:,} steps", {"ours": eager(OURS)}, per=length)
    contenders = {"ours": compiled(OURS), "jax": compiled(JAX)}
    yield Row("deep", f"compiled scan, one of {length:,} steps", contenders, per=length, clock=time.perf_counter)
