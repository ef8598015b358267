"""Random programs: small compositions of NumPy-like functions on vectors and matrices, as data that Hypothesis shrinks.

A program starts from one matrix and appends values, each a function of earlier ones; the last is the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp

__all__ = ["SHAPE", "RandomProgram", "random_programs", "scalar_programs"]

SHAPE = (2, 3)

# Smooth everywhere, or with kinks that random points miss; values stay moderate so that differences stay accurate.
UNARY: dict[str, Callable[[Any], Any]] = {
    "sin": fnp.sin,
    "tanh": fnp.tanh,
    "exp of tanh": lambda x: fnp.exp(fnp.tanh(x)),
    "log of 1 + x²": lambda x: fnp.log1p(x * x),
    "negative": lambda x: -x,
    "halved": lambda x: x / 2,
    "reversed": lambda x: x[::-1],
    "rolled": lambda x: fnp.roll(x, 1, axis=1),
    "transposed twice": lambda x: fnp.swapaxes(x.T.reshape(3, 2), 0, 1),
    "sum of rows": lambda x: x.sum(axis=0, keepdims=True),
    "mean of columns": lambda x: fnp.mean(x, axis=1, keepdims=True),
    "maximum of a row": lambda x: fnp.max(x, axis=1, keepdims=True),
    "sorted": lambda x: fnp.sort(x, axis=1),
    "cumulative sum": lambda x: fnp.cumsum(x, axis=1),
    "product": lambda x: fnp.prod(fnp.tanh(x), axis=0, keepdims=True),
    "gram matrix": lambda x: fnp.tanh(x.T @ x)[:2],
    "einsum": lambda x: fnp.einsum("ij,kj->ik", x, x)[:, :1] / 3,
    "gathered": lambda x: x[fnp.asarray([1, 1])],
    "masked": lambda x: fnp.where(fnp.arange(3) > 0, x, 1.0),
    "clipped": lambda x: fnp.clip(x, -0.83, 0.91),
    "updated": lambda x: x.at[0].multiply(2.0),
    "scattered": lambda x: fnp.zeros_like(x).at[:, fnp.asarray([0, 2, 2])].add(x),
    "padded": lambda x: fnp.pad(x, ((0, 0), (1, 1)))[:, :3],
    "concatenated": lambda x: fnp.concatenate([x[1:], x[:1]]),
    "compiled": fg.jit(lambda x: fnp.cos(x) * x),
    "logistic": lambda x: 1 / (1 + fnp.exp(-x)),
    "absolute": abs,
    "slice": lambda x: fg.lax.dynamic_slice(x, (1, 0), (1, 3)) + x,
    "converted": lambda x: x.astype("float64") + fnp.argmax(x),
    "mapped": fg.vmap(lambda row: fnp.dot(row, row) * row),
    "stopped": lambda x: x * fg.stop_gradient(fnp.tanh(x)),
}

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: fnp.tanh(x) * y,
    "divide": lambda x, y: x / (1 + y * y),
    "maximum": fnp.maximum,
    "where": lambda x, y: fnp.where(x > y, fnp.sin(x), y),
    "hypot": lambda x, y: fnp.sqrt(x * x + y * y + 0.5),
    "arctan2": lambda x, y: fnp.arctan2(x, 1.5 + y * y),
}

WITHOUT_DIFFERENCES = ("stopped",)


@dataclass(frozen=True)
class RandomProgram:
    """A program; calling it runs it. `reduced` makes its result a scalar."""

    steps: tuple[tuple[str, int, int], ...]
    reduced: bool = False

    def __call__(self, x: Any) -> Any:
        values = [x]
        for name, first, second in self.steps:
            one, two = values[first % len(values)], values[second % len(values)]
            value = UNARY[name](one) if name in UNARY else BINARY[name](one, two)
            values.append(fnp.broadcast_to(value, SHAPE))
        return fnp.mean(values[-1] * (1 + values[len(values) // 2])) if self.reduced else values[-1]

    @property
    def has_differences(self) -> bool:
        """Whether differences approximate its derivative: `stop_gradient` hides some of it."""
        return not any(name in WITHOUT_DIFFERENCES for name, _, _ in self.steps)


def _programs(reduced: bool) -> st.SearchStrategy[RandomProgram]:
    names: Sequence[str] = [*UNARY, *BINARY]
    place = st.integers(0, 5)
    steps = st.lists(st.tuples(st.sampled_from(names), place, place), min_size=1, max_size=6)
    return steps.map(lambda found: RandomProgram(tuple(found), reduced))


def random_programs() -> st.SearchStrategy[RandomProgram]:
    """Programs from a matrix to a matrix of the same shape."""
    return _programs(False)


def scalar_programs() -> st.SearchStrategy[RandomProgram]:
    """Programs from a matrix to a scalar."""
    return _programs(True)
