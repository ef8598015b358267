"""Single operations on 4×4 float32 arrays, outside of every transformation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .libraries import JAX, OURS, TORCH
from .timing import Ratio, Row

__all__ = ["rows"]

BUDGET = (Ratio("torch", 1.0), Ratio("jax", 1 / 5))

Operation = Callable[[Any, Any, Any], Any]  # of a namespace like NumPy's and two 4×4 arrays

OPERATIONS: dict[str, Operation] = {
    "add": lambda np, a, b: np.add(a, b),
    "a * b": lambda np, a, b: a * b,
    "a + 1.0": lambda np, a, b: a + 1.0,
    "sin": lambda np, a, b: np.sin(a),
    "sum": lambda np, a, b: np.sum(a),
    "matmul": lambda np, a, b: a @ b,
    "a[0]": lambda np, a, b: a[0],
    "a[1:3, ::2]": lambda np, a, b: a[1:3, ::2],
}


def rows(quick: bool) -> Iterator[Row]:
    """One row an operation."""
    host = np.random.default_rng(0).standard_normal((2, 4, 4)).astype(np.float32)
    ours, jaxs = [[library.np.asarray(x) for x in host] for library in (OURS, JAX)]
    torchs = [TORCH.asarray(x) for x in host] if TORCH else None

    def row(what: str, of: Operation, of_torch: Operation | None = None, of_numpy: Operation | None = None) -> Row:
        in_torch, in_numpy = of_torch or of, of_numpy or of
        contenders = {
            "ours": lambda: of(OURS.np, *ours),
            "numpy": lambda: in_numpy(np, *host),
            "jax": lambda: of(JAX.np, *jaxs),
            "torch": (lambda: in_torch(TORCH, *torchs)) if torchs else None,
        }
        return Row("eager", what, contenders, BUDGET)

    for what, operation in OPERATIONS.items():
        yield row(what, operation)
    masks = {id(np): host[0] > 0, id(OURS.np): ours[0] > 0, id(JAX.np): jaxs[0] > 0}
    if torchs:
        masks[id(TORCH)] = torchs[0] > 0
    yield row("where", lambda np, a, b: np.where(masks[id(np)], a, b))
    yield row("concatenate", lambda np, a, b: np.concatenate([a, b]))

    def set_row(np: Any, a: Any, b: Any) -> Any:
        changed = a.clone() if np is TORCH else a.copy()
        changed[1] = b[0]
        return changed

    yield row(".at[1].set", lambda np, a, b: a.at[1].set(b[0]), set_row, set_row)
