"""How long until the first result: every measurement in a fresh process, `python -m benchmarks.first_step`."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from .first_step_programs import Case, cases
from .first_step_report import CONTENDERS, Measured, Run, tables, write_between_marks

__all__ = ["main", "measure_all"]

ROOT = Path(__file__).parent.parent
LIMIT = 300.0  # seconds; what takes longer is reported as that
BY_STAGES = ("regions", "whole", "jax")  # PyTorch does not let one separate them
TIMES = ("trace", "lower", "compile", "first", "ten", "steady", "before", "peak")


def start_child(case: Case, contender: str, cache: str, stages: bool) -> dict[str, Any]:
    """What a fresh process measures, or under "note" why there is no number."""
    specification = {"case": case, "contender": contender, "stages": stages, "quick": case.quick}
    command = [sys.executable, "-m", "benchmarks.first_step_child", json.dumps(specification)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=_environment(cache), start_new_session=True, **pipes) as child:
        try:
            printed, complaints = child.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return {"note": f"> {LIMIT:.0f} s"}
        finally:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and all that it started
                os.killpg(child.pid, signal.SIGKILL)
    if child.returncode:
        last = (complaints.strip().splitlines() or [f"exit {child.returncode}"])[-1]
        return {"note": f"failed: {last[:80].replace('|', '/')}"}
    return json.loads(printed.splitlines()[-1])


def _environment(cache: str) -> dict[str, str]:
    """On the CPU, and with no cache but the one in this directory."""
    kept = {
        name: os.environ[name] for name in os.environ if not name.startswith(("JAX_COMPILATION_CACHE", "FUNCGRAD_"))
    }
    return {**kept, "JAX_PLATFORMS": "cpu", "FUNCGRAD_CACHE_DIR": cache, "TORCHINDUCTOR_CACHE_DIR": cache}


def run_once(case: Case, contender: str, stages: bool = False) -> dict[str, Any]:
    """One measurement with an empty cache directory, or for "warm" with what a process before this one left there."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cache:
        if contender == "warm":
            before = start_child(case, contender, cache, stages)
            if "first" not in before:
                return before
        return start_child(case, contender, cache, stages)


def measure_all(
    chosen: Sequence[Case], contenders: Sequence[str], rounds: int, done: Callable[[list[Measured]], None]
) -> list[Measured]:
    """Measure every contender on every program: round after round, and in each round one contender after the other.

    Args:
        chosen: the programs.
        contenders: names, see `CONTENDERS`; those that do not exist here are left out of the result.
        rounds: how often; medians count. Stages are measured once.
        done: called with all results so far after each program.
    """
    results: list[Measured] = []
    for case in chosen:
        samples: dict[str, list[dict[str, Any]]] = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, taken in samples.items():
                if not taken or "first" in taken[0]:
                    taken.append(run_once(case, name))
                    _say(case, name, taken[-1])
        for name, taken in samples.items():
            if name in BY_STAGES and "first" in taken[0]:
                taken.append(run_once(case, name, stages=True))
                _say(case, name, taken[-1])
        results += [_medians(case, name, taken) for name, taken in samples.items() if "missing" not in taken[0]]
        done(results)
    return results


def _medians(case: Case, contender: str, samples: list[dict[str, Any]]) -> Measured:
    """A contender that has failed once has failed."""
    notes = [sample["note"] for sample in samples if "note" in sample]
    if notes:
        return Measured(case, contender, {}, [], notes[0])
    values = {name: [sample[name] for sample in samples if name in sample] for name in TIMES}
    medians = {name: statistics.median(taken) for name, taken in values.items() if taken}
    return Measured(case, contender, medians, samples[0]["change"])


def _say(case: Case, contender: str, sample: dict[str, Any]) -> None:
    shown = {name: f"{value:.3g}" for name, value in sample.items() if isinstance(value, float)} or sample
    print(f"{case.name}, {contender}: " + ", ".join(f"{name} {value}" for name, value in shown.items()), flush=True)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("jax", "jaxlib", "torch"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_step", description=__doc__)
    parser.add_argument("--only", metavar="WORD", default="", help="only programs whose name contains this")
    parser.add_argument("--contenders", metavar="NAMES", default=",".join(CONTENDERS), help="of %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="processes for each number, whose median counts")
    parser.add_argument("--quick", action="store_true", help="tiny programs, one round: does everything run?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there, after each program")
    parser.add_argument("--load", type=Path, metavar="FILE", help="take the numbers from there and measure nothing")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables between the marks of this page")
    parser.add_argument("--out", type=Path, metavar="PNG", help="draw the picture there")
    options = parser.parse_args(arguments)
    options.contenders = options.contenders.split(",")
    if unknown := [name for name in options.contenders if name not in CONTENDERS]:
        parser.error(f"there is no contender {unknown[0]!r}")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write what was asked for."""
    options = _options(arguments)
    rounds = 1 if options.quick else options.rounds
    describe = partial(Run, _versions(), os.cpu_count() or 1, os.getloadavg()[0], rounds)

    def keep(results: list[Measured]) -> None:
        if options.json:
            options.json.write_text(describe(results).as_json())

    if options.load:
        run = Run.from_json(options.load.read_text())
    else:
        chosen = [case for case in cases(options.quick) if options.only.lower() in case.name.lower()]
        results = measure_all(chosen, options.contenders, rounds, keep)
        run = describe(results)
    text = tables(run)
    print(f"\n{text}")
    if options.write:
        write_between_marks(options.write, text)
    if options.out:
        picture: Any = importlib.import_module(".first_step_picture", __package__)  # matplotlib may be missing
        picture.draw(run, options.out)


if __name__ == "__main__":
    main()
