"""Hares and lynxes: fit a differential equation to twenty-one years of real counts, through its adaptive solver.

The Hudson's Bay Company counted the pelts of hares and lynxes that it bought each year, here 1900 to 1920, in thousands
(Howard, 2009, "Modeling basics"). Lotka and Volterra described such pairs: hares multiply and are eaten, lynxes starve
and eat. What to look for:

- The solver is a `lax.while_loop` whose number of steps depends on the values: it rejects steps that are not accurate
  enough. Its gradient runs backwards through it, in memory for a few states, however many steps it took.
- The solver decides with Python's `if`, and takes Python's `min` and `max`, on values that are traced.
- `lax.scan` goes from year to year; `checkpoint` forgets what happens within one until the gradient needs it.
- `fg.check` says so if the solver gets stuck, although the program is compiled.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import lax

matplotlib.use("Agg")  # draws into files, needs no screen

YEARS = np.arange(1900, 1921)
# fmt: off
HARES = [
    30, 47.2, 70.2, 77.4, 36.3, 20.6, 18.1, 21.4, 22, 25.4, 27.1,
    40.3, 57, 76.6, 52.3, 19.5, 11.2, 7.6, 14.6, 16.2, 24.7,
]
LYNXES = [4, 6.1, 9.8, 35.2, 59.4, 41.7, 19, 13, 8.3, 9.1, 7.4, 8, 12.3, 19.5, 45.7, 51.1, 29.7, 15.8, 9.7, 10.1, 8.6]
# fmt: on
COUNTS = np.stack([HARES, LYNXES], axis=1).astype(np.float32)

ACCURACY, SHORTEST, RATE = 1e-4, 1e-5, 0.03
INK, FAINT, BLUE, RED = "#1f2933", "#d5d9de", "#2f6fb0", "#d1353f"


class Params(NamedTuple):
    """Logarithms of what is to be found, so that all of it stays positive."""

    birth: Any  # of hares, per year
    hunger: Any  # deaths of hares per lynx and year
    death: Any  # of lynxes, per year
    growth: Any  # births of lynxes per hare and year
    start: Any  # both populations in 1900


def guess() -> Params:
    """Where the search begins: about the right order of magnitude."""
    rates = (0.4, 0.02, 0.6, 0.02)
    return Params(*map(fnp.log, map(fnp.float32, rates)), start=fnp.log(fnp.asarray(COUNTS[0])))


def slope(params: Params, populations: Any) -> Any:
    """The equation of Lotka and Volterra."""
    hares, lynxes = populations
    birth, hunger, death, growth = map(fnp.exp, params[:4])
    return fnp.stack([hares * (birth - hunger * lynxes), lynxes * (growth * hares - death)])


class Progress(NamedTuple):
    """The state of the solver within a year."""

    time: Any
    step: Any
    populations: Any


def one_year(params: Params, populations: Any) -> Any:
    """Solve for one year, with steps as long as the accuracy allows (Bogacki and Shampine, 1989: orders 3 and 2)."""

    def attempt(now: Progress) -> Progress:
        h, y = min(now.step, 1.0 - now.time), now.populations
        a = slope(params, y)
        b = slope(params, y + h / 2 * a)
        c = slope(params, y + h * 3 / 4 * b)
        new = y + h * (2 / 9 * a + 1 / 3 * b + 4 / 9 * c)
        d = slope(params, new)
        difference = h * (-5 / 72 * a + 1 / 12 * b + 1 / 9 * c - 1 / 8 * d)
        error = lax.stop_gradient(fnp.max(fnp.abs(difference) / (ACCURACY * (1.0 + fnp.abs(y)))))
        longer = h * min(5.0, max(0.2, 0.9 * fnp.cbrt(1.0 / (error + 1e-9))))
        if error > 1.0:
            return Progress(now.time, longer, y)  # not accurate enough: again, with a shorter step
        return Progress(now.time + h, longer, new)

    start = Progress(fnp.float32(0.0), fnp.float32(0.1), populations)
    end = lax.while_loop(lambda now: (now.time < 1.0) & (now.step > SHORTEST), attempt, start)
    fg.check(end.time >= 1.0, "the solver is stuck at populations of {}", end.populations)
    return end.populations


def history(params: Params) -> Any:
    """Both populations in every year, shape (21, 2)."""

    def next_year(populations: Any, _: None) -> tuple[Any, Any]:
        populations = one_year(params, populations)
        return populations, populations

    first = fnp.exp(params.start)
    _, later = lax.scan(fg.checkpoint(next_year), first, None, length=len(YEARS) - 1)
    return fnp.concatenate([first[None], later])


def loss(params: Params) -> Any:
    """Mean square of the relative misfit."""
    return fnp.mean((fnp.log(history(params)) - fnp.log(COUNTS)) ** 2)


@fg.jit
def improve(state: tuple[Params, Params, Params, Any]) -> tuple[tuple[Params, Params, Params, Any], Any]:
    """One step of Adam (Kingma and Ba, 2015) along the gradient of the whole history."""
    params, mean, square, steps = state
    misfit, gradient = fg.value_and_grad(loss)(params)
    steps = steps + 1
    mean = fg.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
    square = fg.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradient)

    def moved(p: Any, m: Any, s: Any) -> Any:
        return p - RATE * (m / (1 - 0.9**steps)) / (fnp.sqrt(s / (1 - 0.999**steps)) + 1e-8)

    return (fg.tree.map(moved, params, mean, square), mean, square, steps), misfit


def fit(steps: int) -> tuple[Params, list[float]]:
    """The parameters after some steps, and the misfit before each."""
    params = guess()
    zeros = fg.tree.map(fnp.zeros_like, params)
    state, misfits = (params, zeros, zeros, fnp.float32(0)), []
    for _ in range(steps):
        state, misfit = improve(state)
        misfits.append(float(misfit))
    return state[0], misfits


def draw(before: Any, after: Any, misfits: Sequence[float], out: Path) -> None:
    """The counts, the history that the equation tells before and after fitting, and how the misfit fell."""
    figure, (populations, progress) = plt.subplots(1, 2, figsize=(11, 4.4), width_ratios=(2.2, 1), layout="constrained")
    for column, (name, color) in enumerate((("hares", BLUE), ("lynxes", RED))):
        populations.plot(YEARS, COUNTS[:, column], "o", color=color, ms=6, label=f"{name}, counted")
        populations.plot(YEARS, before[:, column], color=color, lw=1, alpha=0.35, ls="--", label=f"{name}, first guess")
        populations.plot(YEARS, after[:, column], color=color, lw=2.2, label=f"{name}, fitted")
    populations.set(title="pelts bought by the Hudson's Bay Company (thousands)", xlabel="year", ylim=(0, 110))
    populations.set_xticks(YEARS[::5])
    populations.legend(frameon=False, ncols=2, fontsize=8)
    progress.plot(misfits, color=INK, lw=2)
    progress.set(title="misfit", xlabel="step", yscale="log")
    for axes in (populations, progress):
        axes.grid(color=FAINT, lw=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, dpi=150)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> list[float]:
    """Fit, draw, and say what was found."""
    parser = argparse.ArgumentParser(description="Fit a predator-prey equation to real counts.")
    parser.add_argument("--steps", type=int, default=500, help="steps of Adam (default: 500)")
    parser.add_argument("--out", type=Path, default=Path("hare_and_lynx.png"), help="the picture to write")
    options = parser.parse_args(arguments)
    params, misfits = fit(options.steps)
    before, after = (np.asarray(fg.jit(history)(p)) for p in (guess(), params))
    draw(before, after, misfits, options.out)
    birth, hunger, death, growth = (float(fnp.exp(p)) for p in params[:4])
    print(f"misfit {misfits[0]:.3f} -> {misfits[-1]:.3f} in {options.steps} steps")
    print(f"hares:  {birth:.3f} births a year, {hunger:.4f} eaten per lynx")
    print(f"lynxes: {death:.3f} deaths a year, {growth:.4f} births per hare")
    print(f"picture: {options.out}")
    return misfits


if __name__ == "__main__":
    main()
