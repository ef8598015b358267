"""What blocks are handed: never more than the best of all choices, found by trying them all."""

from __future__ import annotations

import itertools
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.compiler.blocks import Block, group_alike
from funcgrad.compiler.handover import _GIVEN, _HANDED, compute_anew
from funcgrad.core.program import Equation, Program, Var, run_program

ROWS, COLUMNS = 512, 64


def traced(function: Any, *args: Any) -> Program:
    return fg.make_program(function)(*args)


def maker_of(program: Program) -> tuple[dict[Var, Equation], dict[Equation, int]]:
    made = {out: eqn for eqn in program.equations for out in eqn.outputs}
    return made, {eqn: i for i, eqn in enumerate(program.equations)}


def cost(program: Program, block: Block, made: dict[Var, Equation]) -> int:
    """What a block is handed, in bytes and their like."""
    types = [(var.type, var in made) for var in block.taken()[0]]
    return sum(_HANDED + t.size * t.dtype.itemsize if inner else _GIVEN for t, inner in types)


def best_by_trial(program: Program, start: int, made: dict[Var, Equation]) -> int:
    """The least that the equations from `start` on can be handed, of all sets of cheap equations before them."""
    cheap = [eqn for eqn in program.equations[:start] if eqn.op.cheap]
    costs = []
    for kept in itertools.product([False, True], repeat=len(cheap)):
        more = [eqn for eqn, keep in zip(cheap, kept, strict=True) if keep]
        costs.append(cost(program, Block([[*more, *program.equations[start:]]]), made))
    return min(costs)


STEPS = ["add", "mul", "row", "tanh", "half", "sum", "other"]


def composed(steps: list[tuple[str, int]]) -> Any:
    """A program of some steps, each of an earlier value, and a last part that uses several of them."""

    def function(x: Any, y: Any) -> Any:
        values = [x, y]
        for name, which in steps:
            v = values[which % len(values)]
            w = values[(which // 2) % len(values)]
            made = {
                "add": lambda v, w: v + w,
                "mul": lambda v, w: v * 1.5,
                "row": lambda v, w: fnp.broadcast_to(v[:1] * 2.0, v.shape),
                "tanh": lambda v, w: fnp.tanh(v),
                "half": lambda v, w: -v,
                "sum": lambda v, w: v - fnp.sum(v, axis=0),
                "other": lambda v, w: v * w,
            }[name](v, w)
            values.append(made)
        return [fnp.exp(v) for v in values[-3:]] + [fnp.sin(values[-1] + values[-2])]

    return function


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 20)), min_size=1, max_size=6))
def test_no_choice_hands_over_less(steps: list[tuple[str, int]]) -> None:
    program = traced(composed(steps), fnp.ones((ROWS, COLUMNS)), fnp.ones((ROWS, COLUMNS)))
    made, position = maker_of(program)
    start = next(i for i, eqn in enumerate(program.equations) if eqn.op.name == "exp")
    if sum(eqn.op.cheap for eqn in program.equations[:start]) > 10:
        return
    block = Block([program.equations[start:]])
    compute_anew(block, made, position)
    assert cost(program, block, made) == best_by_trial(program, start, made)


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 20)), min_size=1, max_size=12))
def test_what_is_computed_anew_is_the_same(steps: list[tuple[str, int]]) -> None:
    x = fnp.arange(12.0).reshape(4, 3)
    program = traced(composed(steps), x, x + 0.5)
    made, position = maker_of(program)
    start = len(program.equations) // 2
    block = Block([program.equations[start:]])
    compute_anew(block, made, position)
    outputs = [a for a in program.outputs if type(a) is Var and made.get(a) in program.equations[start:]]
    handed = block.taken()[0]
    first = Program(program.inputs, (), program.equations[:start], handed)
    second = Program(handed, (), block.first, outputs)
    found = run_program(second, run_program(first, [x, x + 0.5]))
    expected = run_program(Program(program.inputs, (), program.equations, outputs), [x, x + 0.5])
    for one, other in zip(found, expected, strict=True):
        assert (fnp.isnan(one) | (one == other)).all()


def test_a_broadcast_is_made_where_it_is_used() -> None:
    program = traced(lambda x: fnp.exp(fnp.broadcast_to(fnp.tanh(x), (1000, 100))), fnp.ones(100))
    made, position = maker_of(program)
    block = Block([program.equations[-1:]])
    compute_anew(block, made, position)
    assert [eqn.op.name for eqn in block.first] == ["broadcast_in_dim", "exp"]
    (handed,) = block.taken()[0]
    assert handed.type.shape == (100,)


def test_dear_operations_are_not_repeated() -> None:
    program = traced(lambda x: fnp.sin(fnp.exp(x)), fnp.ones((100, 100)))
    made, position = maker_of(program)
    block = Block([program.equations[-1:]])
    compute_anew(block, made, position)
    assert [eqn.op.name for eqn in block.first] == ["sin"]


def test_occurrences_stay_alike() -> None:
    def function(x: Any) -> Any:
        a = fnp.broadcast_to(fnp.tanh(x), (200, 100))  # the second one's is no broadcast
        b = fnp.cos(fnp.broadcast_to(x, (200, 100)))
        return fnp.exp(a), fnp.exp(b)

    program = traced(function, fnp.ones(100))
    made, position = maker_of(program)
    exps = [eqn for eqn in program.equations if eqn.op.name == "exp"]
    block = Block([[eqn] for eqn in exps])
    compute_anew(block, made, position)
    assert [len(occurrence) for occurrence in block.occurrences] == [1, 1]


def test_alike_means_equal_wires() -> None:
    def function(x: Any, y: Any) -> Any:
        return x + (x - y), y + (y - x), x + (y - y * 1.5)

    program = traced(function, fnp.ones(3), fnp.ones(3))
    pairs = [program.equations[i : i + 2] for i in (0, 2, 5)]
    assert group_alike(pairs) == [[0, 1], [2]]


def test_a_block_keeps_only_what_is_needed() -> None:
    program = traced(lambda x: (fnp.sin(x), fnp.cos(x), fnp.tanh(fnp.sin(x))), 1.0)
    block = Block([program.equations])
    block.keep([2])
    assert [eqn.op.name for eqn in block.first] == ["sin", "tanh"]
    assert block.program("part").out_types == (program.equations[2].outputs[0].type,)
