"""Random programs with control flow: nested branches, loops, custom rules, checkpoints and checks, as data.

A program is a block of steps, each of which maps a vector and a scalar to another vector and scalar. Steps with blocks
inside run them in a branch, a loop, a checkpoint, a compiled function or a function with rules of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp

__all__ = ["Block", "blocks"]

lax = fg.lax

SIMPLE: dict[str, Any] = {
    "sin": lambda v, s: (fnp.sin(v) + s, s),
    "tanh": lambda v, s: (v, fnp.tanh(s) + v[0]),
    "product": lambda v, s: (fnp.tanh(v) * s, s * 0.7),
    "where": lambda v, s: (fnp.where(v > 0.213, fnp.cos(v), v * 0.5), s),
    "sum": lambda v, s: (v[::-1], fnp.sin(fnp.sum(v))),
    "constant": lambda v, s: (v, fnp.asarray(0.37, dtype="float64")),
    "vector constant": lambda v, s: (fnp.asarray([0.3, -0.4, 0.9], dtype="float64"), s),
    "swap": lambda v, s: (v.at[1].set(s), v[2]),
    "element": lambda v, s: (v, v[number(s, 3)]),
    "set element": lambda v, s: (v.at[number(s, 3)].add(fnp.sin(s)), s),
    "stopped": lambda v, s: (v * (1 + 0 * fg.stop_gradient(s)), s),
    "check": lambda v, s: (checked(v), s),
    "custom jvp": lambda v, s: (by_jvp(v, s), s),
    "custom vjp": lambda v, s: (v, by_vjp(v, s)),
    "mapped": lambda v, s: (fg.vmap(lambda x: lax.cond(x > s, fnp.sin, lambda x: 0.5 * x, x))(v), s),
}
NESTED = (
    "cond", "cond by closure", "switch", "scan", "scan with closure", "while", "bounded while", "fori", "traced fori",
    "if", "checkpoint", "checkpoint with policy", "jit", "custom jvp of block", "derivative",
)  # fmt: skip


@fg.custom_jvp
def by_jvp(v: Any, s: Any) -> Any:
    return fnp.sin(v) * s


by_jvp.defjvp(lambda primals, tangents: (
    by_jvp(*primals), fnp.cos(primals[0]) * tangents[0] * primals[1] + fnp.sin(primals[0]) * tangents[1]
))  # fmt: skip


@fg.custom_vjp
def by_vjp(v: Any, s: Any) -> Any:
    return fnp.sum(fnp.sin(v)) * s / 3


by_vjp.defvjp(
    lambda v, s: (by_vjp(v, s), (v, s)),
    lambda kept, ct: (ct * kept[1] * fnp.cos(kept[0]) / 3, ct * fnp.sum(fnp.sin(kept[0])) / 3),
)


def checked(v: Any) -> Any:
    fg.check(fnp.sum(v * v) >= 0, "a negative sum of squares of {v}", v=v)
    return v


def number(s: Any, count: int) -> Any:
    """A number below `count` that depends on `s`."""
    return fnp.floor(count * (0.5 + 0.499 * fnp.sin(7.3 * s))).astype("int32")


@dataclass(frozen=True)
class Step:
    """One step: what it does, the blocks inside, and two numbers to vary it."""

    name: str
    inside: tuple[Block, ...] = ()
    size: int = 1
    turn: int = 0

    def run(self, v: Any, s: Any, staged: bool) -> tuple[Any, Any]:
        if self.name in SIMPLE:
            return SIMPLE[self.name](v, s)
        return getattr(self, "run_" + self.name.replace(" ", "_"))(v, s, staged)

    def block(self, index: int, staged: bool) -> Any:
        chosen = self.inside[index % len(self.inside)]
        return lambda v, s: chosen(v, s, staged)

    def level(self) -> float:
        return 0.113 + 0.31 * (self.turn - 1)

    def run_cond(self, v: Any, s: Any, staged: bool) -> Any:
        return lax.cond(s > self.level(), self.block(0, staged), self.block(1, staged), v, s)

    def run_cond_by_closure(self, v: Any, s: Any, staged: bool) -> Any:
        first, second = self.block(0, staged), self.block(1, staged)
        return lax.cond(v[self.turn] > self.level(), lambda: first(v, s), lambda: second(v, 1 - s))

    def run_switch(self, v: Any, s: Any, staged: bool) -> Any:
        first, second = self.block(0, staged), self.block(1, staged)
        return lax.switch(number(s, 3), [first, second, lambda v, s: (v * s, s)], v, s)

    def run_scan(self, v: Any, s: Any, staged: bool) -> Any:
        body = self.block(0, staged)

        def step(carry: Any, x: Any) -> Any:
            w, t = body(carry[0], carry[1] + x)
            return (w, t), fnp.sin(t) * x

        (w, t), ys = lax.scan(step, (v, s), v, reverse=self.turn == 1, unroll=1 + self.turn)
        return w * 0.5 + ys, t

    def run_scan_with_closure(self, v: Any, s: Any, staged: bool) -> Any:
        body = self.block(0, staged)

        def step(t: Any, _: Any) -> Any:
            w, t = body(v, t)
            return t + 0.1 * s, w

        t, ys = lax.scan(step, fnp.cos(s), None, length=self.size + 1)
        return fnp.sum(ys, axis=0) / 3, t

    def run_while(self, v: Any, s: Any, staged: bool) -> Any:
        return self._while(v, s, staged, {"checkpoints": 1 + self.turn} if self.turn else {})

    def run_bounded_while(self, v: Any, s: Any, staged: bool) -> Any:
        return self._while(v, s, staged, {"max_steps": 5} | ({"checkpoints": self.turn} if self.turn else {}))

    def _while(self, v: Any, s: Any, staged: bool, options: dict[str, int]) -> Any:
        body, last = self.block(0, staged), number(s, 4)

        def go_on(carry: Any) -> Any:
            i, _, t = carry
            return (i < last) & (t < 50.0)

        def step(carry: Any) -> Any:
            i, w, t = carry
            w, t = body(w + 0.1 * v, t)
            return i + 1, w, t

        return lax.while_loop(go_on, step, (0, v, s), **options)[1:]

    def run_fori(self, v: Any, s: Any, staged: bool) -> Any:
        body = self.block(0, staged)
        return lax.fori_loop(
            self.turn, self.turn + self.size, lambda i, c: body(c[0] * (0.5 + 0.1 * i), c[1] + c[0][i % 3]), (v, s)
        )

    def run_traced_fori(self, v: Any, s: Any, staged: bool) -> Any:
        body = self.block(0, staged)
        return lax.fori_loop(self.turn, self.turn + number(s, 4), lambda i, c: body(c[0] + s, c[1] * 0.9), (v, s))

    def run_if(self, v: Any, s: Any, staged: bool) -> Any:
        first, second = self.block(0, True), self.block(1, True)

        def choose(v: Any, s: Any) -> Any:
            if s > self.level():
                return first(v, s)
            v, s = second(v, s)
            return (v, s) if v[0] > 0.05 else (v, s * v[1])

        return choose(v, s) if staged else fg.jit(choose)(v, s)

    def run_checkpoint(self, v: Any, s: Any, staged: bool) -> Any:
        return fg.checkpoint(self.block(0, staged), prevent_cse=self.turn > 0)(v, s)

    def run_checkpoint_with_policy(self, v: Any, s: Any, staged: bool) -> Any:
        policies = fg.checkpoint_policies
        policy = [policies.everything_saveable, policies.save_only_these_names("kept"), policies.dots_saveable]
        body = self.block(0, staged)

        def run(v: Any, s: Any) -> Any:
            v, s = body(v, s)
            return fg.checkpoint_name(fnp.sin(v), "kept") * s, s

        return fg.checkpoint(run, policy=policy[self.turn])(v, s)

    def run_jit(self, v: Any, s: Any, staged: bool) -> Any:
        return fg.jit(self.block(0, True))(v, s)

    def run_custom_jvp_of_block(self, v: Any, s: Any, staged: bool) -> Any:
        body = self.block(0, staged)
        function = fg.custom_jvp(lambda v, s: body(v, s))
        function.defjvp(lambda primals, tangents: fg.jvp(body, primals, tangents))
        return function(v, s)

    def run_derivative(self, v: Any, s: Any, staged: bool) -> Any:
        body = self.block(0, staged)
        return fg.grad(lambda v: fnp.mean(fnp.tanh(body(v, s)[0])))(v) + v, s


@dataclass(frozen=True)
class Block:
    """Steps one after the other. `staged` says that a compiled function is around it, so that Python may decide."""

    steps: tuple[Step, ...]

    def __call__(self, v: Any, s: Any, staged: bool = False) -> tuple[Any, Any]:
        for step in self.steps:
            v, s = step.run(v, s, staged)
        return v, s

    def mentions(self, *names: str) -> bool:
        """Whether a step of this name is anywhere inside."""
        return any(step.name in names or any(b.mentions(*names) for b in step.inside) for step in self.steps)


def blocks(depth: int = 2, width: int = 2) -> st.SearchStrategy[Block]:
    """Blocks nested so deep, with at most so many steps in each."""
    step: st.SearchStrategy[Step] = st.sampled_from(list(SIMPLE)).map(Step)
    if depth:
        inner = st.lists(blocks(depth - 1, width), min_size=1, max_size=2).map(tuple)
        nested = st.builds(Step, st.sampled_from(NESTED), inner, st.integers(1, 3), st.integers(0, 2))
        step = nested if depth > 1 else nested | step
    return st.lists(step, min_size=1, max_size=width).map(lambda steps: Block(tuple(steps)))
