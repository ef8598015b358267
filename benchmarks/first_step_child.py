"""One measurement of a first step, made in a process of its own, whose caches are therefore cold.

`python -m benchmarks.first_step_child SPECIFICATION` prints one line of JSON; `first_step.py` starts it.
"""

from __future__ import annotations

import importlib
import json
import resource
import statistics
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from .first_step_programs import Case, Workload, leaves, workload

__all__ = ["measure"]

STEPS = 5  # between two waits, once it runs


class Missing(Exception):
    """This contender does not exist here: a library is not installed, or has no such mode."""


class LibraryStep:
    """A compiled training step of funcgrad or JAX, with its state on the device."""

    def __init__(self, library: Any, work: Workload) -> None:
        self.jitted = library.top.jit(lambda *args: work.step(library, *args))
        self.state, self.batch = library.top.device_put((work.state, work.batch))
        self._leaves = library.top.tree.leaves
        for leaf in self._leaves((self.state, self.batch)):
            leaf.block_until_ready()

    def step(self) -> None:
        """One step, which may still be computing when this returns."""
        self.state = self.jitted(self.state, *self.batch)

    def wait(self) -> None:
        """Until the state is there."""
        for leaf in self._leaves(self.state):
            leaf.block_until_ready()


def measure(case: Case, contender: str, stages: bool = False, quick: bool = False) -> dict[str, Any]:
    """Measure one contender in this process, which should have compiled nothing before.

    Args:
        case: the program.
        contender: "regions", "whole", "warm" or "tiered", which are funcgrad's ways; "jax", "torch.compile" or "torch".
        stages: measure tracing, lowering and compiling apart, instead of whole steps.
        quick: take few samples.

    Returns:
        Seconds by name, memory in MB, and how far ten steps moved the state, which all contenders should agree on; or
        under "missing" why there is no such contender here.
    """
    work = workload(case)
    try:
        step = _step(case, work, contender)
    except Missing as missing:
        return {"missing": str(missing)}
    if stages:
        return _stages(step, contender)
    measured = _steps(step, work)
    if contender != "tiered":  # which in the long run is the same compiled step, but nobody knows since when
        measured["steady"] = _steady(step, quick)
    return measured | {"peak": _peak_megabytes()}


def _step(case: Case, work: Workload, contender: str) -> Any:
    if contender.startswith("torch"):
        return _torch(case, work, contender == "torch.compile")
    return LibraryStep(_library("jax") if contender == "jax" else _ours(contender), work)


def _library(name: str) -> Any:
    """Only what is measured is imported: another library would cost memory and threads."""
    return SimpleNamespace(top=importlib.import_module(name), np=importlib.import_module(f"{name}.numpy"))


def _ours(mode: str) -> Any:
    """funcgrad with the settings of this mode; its cache directory is the environment's."""
    library = _library("funcgrad")
    needed = {"regions": "regions", "warm": "cache_dir", "tiered": "tiered"}.get(mode)
    if needed is not None and not _knows(library.top, needed):
        raise Missing(f"this funcgrad has no setting {needed!r}")
    if mode == "tiered":
        library.top.config.update(tiered=True)
    if mode == "whole" and _knows(library.top, "regions"):
        library.top.config.update(regions="off")
    return library


def _knows(top: Any, setting: str) -> bool:
    try:
        getattr(top.config, setting)
    except top.errors.ArgumentError:
        return False
    return True


def _torch(case: Case, work: Workload, compiled: bool) -> Any:
    try:
        module = importlib.import_module(".first_step_torch", __package__)
    except ImportError as error:
        raise Missing(f"no PyTorch: {error}") from None
    try:
        return module.TorchStep(case, work, compiled)
    except LookupError:
        raise Missing(f"{case.name} is not written for PyTorch") from None


def _steps(step: Any, work: Workload) -> dict[str, Any]:
    before = _peak_megabytes()
    start = time.perf_counter()
    step.step()
    step.wait()
    first = time.perf_counter() - start
    for _ in range(9):
        step.step()
    step.wait()
    ten = time.perf_counter() - start
    return {"first": first, "ten": ten, "before": before, "change": _change(work.state, step.state)}


def _steady(step: Any, quick: bool) -> float:
    """Seconds a step takes: the median of a few seconds' samples, each of some steps in a row and a wait."""
    samples: list[float] = []
    while len(samples) < 3 or (not quick and len(samples) < 100 and sum(samples) * STEPS < 3.0):
        start = time.perf_counter()
        for _ in range(STEPS):
            step.step()
        step.wait()
        samples.append((time.perf_counter() - start) / STEPS)
    return statistics.median(samples)


def _stages(step: LibraryStep, contender: str) -> dict[str, Any]:
    arguments = (step.state, *step.batch)
    start = time.perf_counter()
    if contender == "jax":
        traced = step.jitted.trace(*arguments)
    else:
        step.jitted.eval_shape(*arguments)  # keeps the trace for what follows
        traced = None
    after_trace = time.perf_counter()
    lowered = step.jitted.lower(*arguments) if traced is None else traced.lower()
    after_lower = time.perf_counter()
    lowered.compile()
    after_compile = time.perf_counter()
    return {"trace": after_trace - start, "lower": after_lower - after_trace, "compile": after_compile - after_lower}


def _change(before: Any, after: Any) -> list[float]:
    """How far the state has moved, and how far along a fixed random direction: one number would miss a wrong sign."""
    random = np.random.default_rng(3)
    norm = along = 0.0
    for old, new in zip(leaves(before), leaves(after), strict=True):
        value = np.asarray(new.detach() if hasattr(new, "detach") else new)
        moved = (value - old).astype(np.float64).ravel()
        norm += float(moved @ moved)
        along += float(moved @ random.choice([-1.0, 1.0], moved.size))
    return [norm**0.5, along]


def _peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where `getrusage` also counts what the parent held when it started this process
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Measure what the command line says, and print it."""
    specification = json.loads(sys.argv[1])
    print(json.dumps(measure(Case(*specification.pop("case")), **specification)), flush=True)


if __name__ == "__main__":
    main()
