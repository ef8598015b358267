"""Programs in regions: what running one costs beside the engine, and the steps of a network, in regions and whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from .libraries import OURS
from .rows_training import STEPS, steps
from .timing import AtMost, Ratio, Row
from .workloads import gpt_params, gpt_step, gpt_tokens

__all__ = ["rows"]


def _chain(x: Any) -> Any:
    """Equal blocks whose runs are short, so that what is around them shows."""
    for _ in range(64):
        x = (OURS.np.sin(x) * 0.5 + x).reshape(2, 2).T.reshape(4)
    return x


def _pieces(driver: Any, argument: Any) -> Callable[[], Any]:
    """The same regions, called one after the other on buffers that stay: no slots, nothing let go."""
    buffers = [argument.buffer(), *[None] * driver.cut.slots]
    calls = []
    for step in driver.cut.steps:
        executable = driver.executables[step.region]
        given = [buffers[slot] for slot in step.takes]
        buffers[step.gives[0]] = executable.execute(given).consume_with_handlers(executable.handlers)[0]
        calls.append((executable.execute, given, executable.handlers))

    def run() -> None:
        for execute, given, handlers in calls:
            execute(given).consume_with_handlers(handlers)

    return run


def _dispatch() -> Row:
    x = OURS.np.ones(4)
    compiled = OURS.top.jit(_chain, regions="always")
    driver = compiled.lower(x).compile()._executable
    count = len(driver.cut.steps)
    contenders = {"ours": partial(compiled, x), "engine": _pieces(driver, x)}
    return Row("regions", f"a region, one of {count} in a call", contenders, [AtMost("engine", 5)], per=count)


def _gpt(quick: bool) -> tuple[Any, Any]:
    layers, width, length, batch = (2, 16, 8, 2) if quick else (12, 128, 64, 8)
    params = gpt_params(layers, width, 256, length)
    zeros = OURS.top.tree.map(np.zeros_like, params)
    return (params, zeros, zeros), gpt_tokens(batch, length, 256)


def _memory(regions: str, state: Any, tokens: Any) -> float:
    """MB that a step takes, arguments and results included."""
    step = OURS.top.jit(partial(gpt_step, OURS), regions=regions)
    found = step.lower(*OURS.top.tree.map(OURS.np.asarray, (state, tokens))).compile().memory_analysis()
    return (found.argument_size_in_bytes + found.output_size_in_bytes + found.temp_size_in_bytes) / 1e6


def rows(quick: bool) -> Iterator[Row]:
    """Dispatch, steady steps, and memory; `engine` stands for the whole program in one piece."""
    yield _dispatch()
    mode = "always" if quick else "auto"
    state, tokens = _gpt(quick)
    contenders = {
        "ours": steps(OURS, gpt_step, state, tokens, regions=mode),
        "engine": steps(OURS, gpt_step, state, tokens, regions="off"),
    }
    what = "GPT step of 12 layers, in regions; engine: whole"
    yield Row("regions", what, contenders, [Ratio("engine", 1.0)], per=STEPS, clock=time.perf_counter)
    sizes = {name: partial(_memory, m, state, tokens) for name, m in (("ours", mode), ("engine", "off"))}
    yield Row("regions", "… its memory, MB; engine: whole", sizes, [Ratio("engine", 1.05)], value=True)
