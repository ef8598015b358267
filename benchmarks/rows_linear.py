"""Large programs: how the time and memory of each stage grow with size, as the exponent of a power law."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from funcgrad.compiler.lower import lower_program
from funcgrad.compiler.optimize import optimize
from funcgrad.compiler.regions import cut_program
from funcgrad.compiler.simplify import simplify
from funcgrad.core.program import Program, collection_paused

from .libraries import OURS
from .timing import AtMost, Row

__all__ = ["STAGES", "rows"]

LINEAR = (AtMost("nothing", 1.1),)


def _layers(size: int) -> Callable[[Any], Any]:
    """A function of about so many equations that repeat."""

    def function(x: Any) -> Any:
        for _ in range(size // 4):
            x = OURS.np.tanh(OURS.np.sin(x) * 1.1 + x)
        return x

    return function


def _irregular(size: int) -> Callable[[Any], Any]:
    """A function of about so many equations in no order."""
    choose = random.Random(0).choice
    operations = (OURS.np.sin, OURS.np.cos, OURS.np.tanh, OURS.np.exp, lambda x: x * 1.1, lambda x: x + 0.5)

    def function(x: Any) -> Any:
        for _ in range(size):
            x = choose(operations)(x)
        return x

    return function


def _traced(function: Callable[[Any], Any]) -> Program:
    return OURS.top.make_program(function)(OURS.np.ones(3))


def _fresh(program: Program) -> Program:
    """The same without what it remembers of itself."""
    return Program(program.inputs, program.constants, program.equations, program.outputs, program.name)


def _gradient(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return OURS.top.grad(lambda x: function(x).sum())


def _mapped(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return OURS.top.vmap(function)


def _paused(work: Callable[[Program], Any]) -> Callable[[Program], Any]:
    """The stage as it runs inside of `jit`, which pauses the search for cyclic garbage around it."""

    def stage(program: Program) -> Any:
        with collection_paused():
            return work(program)

    return stage


# What a stage needs is made by the first function, and is not part of what is measured.
STAGES: dict[str, tuple[Callable[[int], Any], Callable[[Any], Any]]] = {
    "trace": (_layers, _traced),
    "trace of grad": (lambda size: _gradient(_layers(size // 3)), _traced),
    "trace of vmap": (lambda size: _mapped(_layers(size)), _traced),
    "structure": (lambda size: _traced(_layers(size)), lambda program: hash(_fresh(program))),
    "simplify": (lambda size: _traced(_layers(size)), _paused(simplify)),
    "optimize": (lambda size: _traced(_gradient(_layers(size // 3))), optimize),
    "regions": (lambda size: _traced(_gradient(_layers(size // 3))), _paused(cut_program)),
    "regions of an irregular program": (lambda size: _traced(_irregular(size)), _paused(cut_program)),
    "lower": (lambda size: _traced(_layers(size)), partial(lower_program, platform="cpu")),
}


def _seconds(work: Callable[[Any], Any], given: Any) -> float:
    gc.collect()
    start = time.thread_time()
    result = work(given)
    taken = time.thread_time() - start
    del result
    return taken


def _bytes(work: Callable[[Any], Any], given: Any) -> float:
    """The most memory that Python objects take while the stage runs."""
    gc.collect()
    tracemalloc.start()
    result = work(given)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del result
    return taken


def _exponent(measure: Callable[..., float], stage: str, sizes: Sequence[int]) -> float:
    """The slope of the logarithm of what is measured over that of the size."""
    make, work = STAGES[stage]
    found = [measure(work, make(size)) for size in sizes]
    return float(np.polyfit(np.log(sizes), np.log(found), 1)[0])


def _each(stage: str, size: int) -> float:
    """µs for an equation."""
    make, work = STAGES[stage]
    return _seconds(work, make(size)) / size * 1e6


def rows(quick: bool) -> Iterator[Row]:
    """Exponents near 1 mean linear."""
    sizes = (100, 200, 400) if quick else (1_000, 3_000, 10_000, 30_000, 100_000)
    small = sizes[:3]
    largest = f"{sizes[-1]:,} equations"
    for stage in STAGES:
        for what, work, budget in (
            (f"{stage}, up to {largest}: exponent of time", partial(_exponent, _seconds, stage, sizes), LINEAR),
            ("… of memory", partial(_exponent, _bytes, stage, small), LINEAR),
            (f"… µs for each of {largest}", partial(_each, stage, sizes[-1]), ()),
        ):
            yield Row("linear", what, {"ours": work}, budget, value=True, once=True)
