"""The training steps whose first call is measured: deep ones, with Python loops over layers or time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .workloads import gpt_params, gpt_step, gpt_tokens, mlp_loss, mlp_params, mlp_step

__all__ = ["Case", "Workload", "cases", "leaves", "map_tree", "workload"]


class Case(NamedTuple):
    """One program of the benchmark.

    Attributes:
        kind: "gpt", "mlp", "rnn" or "grad of grad".
        depth: how many layers, or steps in time.
        quick: narrow, to see that everything runs.
    """

    kind: str
    depth: int
    quick: bool = False

    @property
    def name(self) -> str:
        return {
            "gpt": f"GPT, {self.depth} layers",
            "mlp": f"MLP, {self.depth} layers",
            "rnn": f"RNN, {self.depth} steps unrolled",
            "grad of grad": f"grad of grad, {self.depth} layers",
        }[self.kind]


class Workload(NamedTuple):
    """A training step with its data, as NumPy arrays.

    Attributes:
        step: from a library, a state and a batch to the next state.
        state: parameters; for the GPT `(parameters, mean, square)`, with Adam's two moments.
        batch: what the step reads besides the state.
    """

    step: Callable[..., Any]
    state: Any
    batch: tuple[np.ndarray, ...]


def cases(quick: bool) -> list[Case]:
    """Every program, shallow ones first."""
    if quick:
        return [Case("gpt", 2, True), *(Case(kind, 3, True) for kind in _MAKERS)]
    deep = [Case("mlp", 100), Case("rnn", 200), Case("grad of grad", 20)]
    return [*(Case("gpt", layers) for layers in (6, 12, 24, 48)), *deep]


def workload(case: Case) -> Workload:
    """The same numbers in every process."""
    return _MAKERS[case.kind](case)


def _gpt(case: Case) -> Workload:
    width, length, batch = (32, 8, 2) if case.quick else (128, 64, 8)
    params = gpt_params(case.depth, width, 256, length)
    mean, square = map_tree(np.zeros_like, params), map_tree(np.zeros_like, params)
    return Workload(gpt_step, (params, mean, square), (gpt_tokens(batch, length, 256),))


def _mlp(case: Case) -> Workload:
    return Workload(mlp_step, _deep_network(case), _regression(case))


def _grad_of_grad(case: Case) -> Workload:
    return Workload(_flatten_step, _deep_network(case), _regression(case))


def _rnn(case: Case) -> Workload:
    random = np.random.default_rng(1)
    width = 4 if case.quick else 64
    shapes = {"read": (16, width), "remember": (width, width), "write": (width, 4)}
    params = {name: random.standard_normal(shape) / np.sqrt(shape[0]) for name, shape in shapes.items()}
    xs, y = random.standard_normal((case.depth, 8, 16)), random.standard_normal((8, 4))
    return Workload(_rnn_step, map_tree(_narrow, params), (_narrow(xs), _narrow(y)))


_MAKERS: dict[str, Callable[[Case], Workload]] = {
    "gpt": _gpt,
    "mlp": _mlp,
    "rnn": _rnn,
    "grad of grad": _grad_of_grad,
}


def _narrow(x: Any) -> np.ndarray:
    return np.asarray(x, np.float32)


def _deep_network(case: Case) -> Any:
    """Weights scaled so that what goes through many layers neither dies out nor explodes."""
    width = 8 if case.quick else 64
    scale = np.float32(10 / np.sqrt(width))  # the weights come with a deviation of 0.1
    return [[weight * scale, bias] for weight, bias in mlp_params((width,) * case.depth + (10,))]


def _regression(case: Case) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(2)
    return _narrow(random.standard_normal((64, 8 if case.quick else 64))), _narrow(random.standard_normal((64, 10)))


def _descend(library: Any, loss: Callable[[Any], Any], params: Any) -> Any:
    return library.top.tree.map(lambda p, g: p - 0.01 * g, params, library.top.grad(loss)(params))


def _rnn_step(library: Any, params: Any, xs: Any, y: Any) -> Any:
    """One step of gradient descent through time."""

    def loss(params: Any) -> Any:
        h = library.np.zeros((y.shape[0], params["remember"].shape[0]), dtype="float32")
        for t in range(xs.shape[0]):
            h = library.np.tanh(xs[t] @ params["read"] + h @ params["remember"])
        return library.np.mean((h @ params["write"] - y) ** 2)

    return _descend(library, loss, params)


def _flatten_step(library: Any, params: Any, x: Any, y: Any) -> Any:
    """One step towards flat places of the loss: down the gradient of the gradient's squared norm."""

    def squared_norm(params: Any) -> Any:
        gradient = library.top.grad(lambda p: mlp_loss(library.np, p, x, y))(params)
        return sum(library.np.sum(leaf * leaf) for leaf in library.top.tree.leaves(gradient))

    return _descend(library, squared_norm, params)


def map_tree(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply `function` to the leaves of nested dicts, lists and tuples; keys are sorted, as JAX sorts them."""
    if isinstance(tree, dict):
        return {key: map_tree(function, value) for key, value in sorted(tree.items())}
    if isinstance(tree, list | tuple):
        return type(tree)(map_tree(function, value) for value in tree)
    return function(tree)


def leaves(tree: Any) -> list[Any]:
    """The leaves of nested dicts, lists and tuples, in order."""
    found: list[Any] = []
    map_tree(found.append, tree)
    return found
