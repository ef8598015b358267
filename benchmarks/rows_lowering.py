"""What XLA makes of our programs: compiled steps in their steady state, against what it makes of JAX's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .libraries import JAX, OURS, Library
from .timing import AtMost, Ratio, Row
from .workloads import gpt_loss, gpt_params, gpt_step, gpt_tokens, mlp_loss, mlp_params, mlp_step

__all__ = ["Case", "cases", "rows"]

STEPS = 3
LONGEST_TEXT = 20_000


class Case:
    """A program that both libraries compile: `program(library, *args)`, and NumPy arguments.

    Attributes:
        donated: the first argument is donated, and the result takes its place in the next call.
    """

    def __init__(self, what: str, program: Callable[..., Any], *args: Any, donated: bool = False) -> None:
        self.what, self.program, self.args, self.donated = what, program, args, donated

    def compiled(self, library: Library) -> Any:
        """The jitted program."""
        options: dict[str, Any] = {"donate_argnums": 0} if self.donated else {}
        return library.top.jit(lambda *args: self.program(library, *args), **options)

    def contender(self, library: Library) -> Callable[[], Any]:
        """Some calls on device buffers, then a wait for the last."""
        compiled = self.compiled(library)
        args = library.top.tree.map(library.np.asarray, self.args)
        first, rest = (args[0], args[1:]) if self.args else (None, ())

        def run() -> None:
            nonlocal first
            result: Any = None
            for _ in range(STEPS):
                result = compiled(first, *rest)
                first = result if self.donated else first
            library.top.tree.leaves(result)[-1].block_until_ready()

        return run

    def row(self) -> Row:
        contenders = {"ours": self.contender(OURS), "jax": self.contender(JAX)}
        return Row("lowering", self.what, contenders, [Ratio("jax", 1.0)], per=STEPS, clock=time.perf_counter)


_random = np.random.default_rng(0)


def _normal(*shape: int) -> np.ndarray:
    return _random.standard_normal(shape).astype(np.float32)


# -- networks ----------------------------------------------------------------------------------------------------


def _hessian_product(library: Library, params: Any, direction: Any, x: Any, y: Any) -> Any:
    gradient = library.top.grad(lambda p: mlp_loss(library.np, p, x, y))
    return library.top.jvp(gradient, (params,), (direction,))[1]


def _mlps(quick: bool) -> Iterator[Case]:
    widths, batch = ((8, 16, 4), 4) if quick else ((256, 512, 512, 10), 128)
    params, direction = mlp_params(widths), mlp_params(widths)
    x, y = _normal(batch, widths[0]), _normal(batch, widths[-1])
    yield Case("MLP train step", mlp_step, params, x, y)
    yield Case("MLP train step, donated", mlp_step, params, x, y, donated=True)
    yield Case("Hessian-vector product of an MLP", _hessian_product, params, direction, x, y)


def _gpts(quick: bool) -> Iterator[Case]:
    def forward(library: Library, params: Any, tokens: Any) -> Any:
        return gpt_loss(library, params, tokens, 4)

    def gradient(library: Library, params: Any, tokens: Any) -> Any:
        return library.top.value_and_grad(lambda p: gpt_loss(library, p, tokens, 4))(params)

    sizes = [(1, 16, 8, 2)] if quick else [(4, 128, 64, 8), (4, 384, 128, 4)]
    for layers, width, length, batch in sizes:
        params, tokens = gpt_params(layers, width, 256, length), gpt_tokens(batch, length, 256)
        zeros = OURS.top.tree.map(np.zeros_like, params)
        name = f"GPT, {layers} layers of {width}"
        yield Case(f"{name}: loss", forward, params, tokens)
        yield Case(f"{name}: loss and gradient", gradient, params, tokens)
        yield Case(f"{name}: train step", gpt_step, (params, zeros, zeros), tokens)


def _rnn_loss(library: Library, params: Any, xs: Any) -> Any:
    np = library.np
    into, within, bias = params

    def step(hidden: Any, x: Any) -> Any:
        hidden = np.tanh(x @ into + hidden @ within + bias)
        return hidden, hidden

    _, hiddens = library.top.lax.scan(step, np.zeros((xs.shape[1], within.shape[0]), np.float32), xs)
    return np.mean(hiddens**2)


def _rnns(quick: bool) -> Iterator[Case]:
    steps, batch, width = (5, 2, 8) if quick else (100, 16, 96)
    params = [0.1 * _normal(width, width), 0.1 * _normal(width, width), _normal(width)]
    xs = _normal(steps, batch, width)
    yield Case("RNN by scan: loss", _rnn_loss, params, xs)
    yield Case(
        "RNN by scan: gradient",
        lambda library, params, xs: library.top.grad(lambda p: _rnn_loss(library, p, xs))(params),
        params,
        xs,
    )


def _embeddings(quick: bool) -> Iterator[Case]:
    vocabulary, count, width = (50, 8, 4) if quick else (50_000, 4096, 64)
    table, target = _normal(vocabulary, width), _normal(count, width)
    ids = _random.integers(0, vocabulary, count, np.int32)

    def loss(library: Library, table: Any, ids: Any, target: Any) -> Any:
        return library.np.mean((table[ids] - target) ** 2)

    def step(library: Library, table: Any, ids: Any, target: Any) -> Any:
        return table - 0.1 * library.top.grad(lambda t: loss(library, t, ids, target))(table)

    yield Case("embedding lookup", lambda library, table, ids: table[ids], table, ids)
    yield Case("embedding loss", loss, table, ids, target)
    yield Case(
        "embedding gradient",
        lambda library, table, ids, target: library.top.grad(lambda t: loss(library, t, ids, target))(table),
        table,
        ids,
        target,
    )
    yield Case("embedding train step, donated", step, table, ids, target, donated=True)


# -- along axes --------------------------------------------------------------------------------------------------


def _standardize(library: Library, x: Any, axis: int) -> Any:
    np = library.np
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return centred / np.sqrt(np.mean(centred * centred, axis=axis, keepdims=True) + 1e-5)


def _gradient_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """The gradient of a sum of the function's results, weighted by an array of the argument's shape."""

    def gradient(library: Library, x: Any, weights: Any) -> Any:
        return library.top.grad(lambda x: (function(library, x) * weights).sum())(x)

    return gradient


def _normalizations(quick: bool) -> Iterator[Case]:
    functions = {
        "softmax": lambda library, x, axis: library.top.nn.softmax(x, axis=axis),
        "log_softmax": lambda library, x, axis: library.top.nn.log_softmax(x, axis=axis),
        "logsumexp": lambda library, x, axis: library.top.nn.logsumexp(x, axis=axis, keepdims=True),
        "layer norm": _standardize,
    }
    shapes = [((4, 8), -1)] if quick else [((4096, 256), -1), ((64, 16384), -1), ((1024, 1024), 0)]
    for name, function in functions.items():
        for shape, axis in shapes:

            def along(library: Library, x: Any, function: Any = function, axis: int = axis) -> Any:
                return function(library, x, axis)

            x = _normal(*shape)
            yield Case(f"{name} of {shape}, axis {axis}", along, x)
            yield Case(f"{name} of {shape}, axis {axis}: gradient", _gradient_of(along), x, _normal(*shape))


def _reductions(quick: bool) -> Iterator[Case]:
    shapes = [(8, 8)] if quick else [(1000, 1000), (100, 10_000), (10_000, 100)]
    for name in ("sum", "mean", "max", "argmax"):
        for shape in shapes:
            for axis in (0, -1, None):

                def reduce(library: Library, x: Any, name: str = name, axis: Any = axis) -> Any:
                    return getattr(library.np, name)(x, axis=axis)

                yield Case(f"{name} of {shape}, axis {axis}", reduce, _normal(*shape))


# -- in place ----------------------------------------------------------------------------------------------------


def _updates(quick: bool) -> Iterator[Case]:
    length, steps = (100, 5) if quick else (10**6, 100)
    x, values = _normal(length), _normal(steps)

    def by_index(library: Library, x: Any, values: Any) -> Any:
        def step(x: Any, pair: Any) -> Any:
            place, value = pair
            return x.at[place].set(value + x[0]), None

        return library.top.lax.scan(step, x, (library.np.arange(len(values)) * 7, values))[0]

    def by_slice(library: Library, x: Any, values: Any) -> Any:
        def step(x: Any, pair: Any) -> Any:
            place, value = pair
            return library.top.lax.dynamic_update_slice(x, value[None] + x[:1], (place,)), None

        return library.top.lax.scan(step, x, (library.np.arange(len(values)) * 7, values))[0]

    def in_loop(library: Library, x: Any, values: Any) -> Any:
        return library.top.lax.fori_loop(0, len(values), lambda i, x: x.at[i].add(values[i]), x)

    def update(library: Library, x: Any, values: Any) -> Any:
        return x.at[: len(values)].add(values)

    def set_one(library: Library, x: Any, values: Any) -> Any:
        return x.at[values[0].astype("int32") % 5].set(1.0)

    for donated in (False, True):
        suffix = ", donated" if donated else ""
        yield Case(f"scan of {steps} x.at[i].set{suffix}", by_index, x, values, donated=donated)
        yield Case(f"scan of {steps} dynamic_update_slice{suffix}", by_slice, x, values, donated=donated)
        yield Case(f"fori_loop of {steps} x.at[i].add{suffix}", in_loop, x, values, donated=donated)
    yield Case("x.at[:n].add, donated", update, x, values, donated=True)
    yield Case("x.at[i].set, donated", set_one, x, values, donated=True)


def _text_size(length: int) -> float:
    table = OURS.np.asarray(np.arange(length, dtype=np.float32))
    return float(len(OURS.top.jit(lambda x: (table * x).sum()).lower(OURS.np.float32(1)).as_text()))


def cases(quick: bool) -> Iterator[Case]:
    """All programs."""
    for part in (_mlps, _gpts, _rnns, _embeddings, _normalizations, _reductions, _updates):
        yield from part(quick)


def rows(quick: bool) -> Iterator[Row]:
    """Every program through both libraries; what a large constant adds to a module."""
    for case in cases(quick):
        yield case.row()
    length = 10**4 if quick else 10**7
    yield Row(
        "lowering",
        f"characters of a module that closes over {length:,} numbers",
        {"ours": lambda: _text_size(length)},
        [AtMost("nothing", LONGEST_TEXT)],
        value=True,
    )
