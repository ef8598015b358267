"""The order of equations: what it computes stays, and repeats come to lie side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.compiler.schedule import schedule, tokens
from funcgrad.core.program import Program, Var, run_program
from tests.control_flow_programs import Block, blocks
from tests.programs import SHAPE, RandomProgram, random_programs


def traced(function: Any, *args: Any) -> Program:
    return fg.make_program(function)(*args)


def rescheduled(program: Program) -> Program:
    return Program(program.inputs, (), schedule(program), program.outputs, program.name)


def require_defined(program: Program) -> None:
    """Every variable is made before it is used."""
    known = set(program.inputs)
    for eqn in program.equations:
        assert all(a in known for a in eqn.inputs if type(a) is Var)
        known.update(eqn.outputs)


@given(random_programs())
def test_any_program_computes_the_same(program: RandomProgram) -> None:
    x = fnp.asarray(np.random.default_rng(0).uniform(-1.5, 1.5, SHAPE))
    gradient = fg.grad(lambda v: fnp.sum(program(v)))
    whole = traced(gradient, x)
    constants = [fnp.zeros(t.shape, t.dtype) for t in whole.in_types[:-1]]
    moved = rescheduled(whole)
    require_defined(moved)
    assert set(moved.equations) == set(whole.equations)
    for one, other in zip(run_program(moved, [*constants, x]), run_program(whole, [*constants, x]), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


@given(blocks())
def test_effects_keep_their_order(block: Block) -> None:
    v, s = fnp.asarray(np.array([0.1, 0.2, 0.3])), fnp.asarray(np.array(0.5))
    program = traced(block, v, s)
    moved = rescheduled(program)
    require_defined(moved)
    effects = [[eqn for eqn in p.equations if eqn.op.effectful] for p in (program, moved)]
    assert effects[0] == effects[1]


def layers(width: int, count: int) -> list[Any]:
    return [fnp.asarray(np.full((width, width), 0.1 * (i + 1), np.float32)) for i in range(count)]


def momentum_step(params: list[Any], means: list[Any], x: Any) -> Any:
    """All means are updated first, then all parameters."""

    def loss(params: list[Any]) -> Any:
        h = x
        for w in params:
            h = fnp.tanh(h @ w) * 2.0 + h
        return fnp.sum(h * h)

    gradient = fg.grad(loss)(params)
    means = fg.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, gradient)
    return fg.tree.map(lambda p, m: p - 0.01 * m, params, means), means


def test_what_becomes_of_a_gradient_follows_it() -> None:
    params, x = layers(4, 12), fnp.ones((2, 4))
    program = traced(momentum_step, params, layers(4, 12), x)
    numbers = tokens(schedule(program))
    parameters = set(program.inputs)
    subtractions = [(place, eqn) for place, eqn in enumerate(schedule(program)) if eqn.op.name == "sub"]
    moved = [place for place, eqn in subtractions if eqn.inputs[0] in parameters]
    updates = moved[1:-2]
    assert len(set(np.diff(updates).tolist())) == 1  # one in each period
    period = int(np.diff(updates)[0])
    assert period > 5  # which holds the derivative of the layer too
    start = updates[0]
    assert numbers[start : start + 5 * period] == numbers[start + period : start + 6 * period]


def test_a_conversion_of_a_weight_goes_to_its_layer() -> None:
    def forward(params: list[Any], x: Any) -> Any:
        narrow = [w.astype("float16") for w in params]  # all of them first
        for w in narrow:
            x = fnp.tanh(x @ w)
            x = fnp.sin(x) * 2
        return x

    program = traced(forward, layers(4, 20), fnp.ones((2, 4), "float16"))
    assert [eqn.op.name for eqn in program.equations][:3] == ["convert"] * 3
    names = [eqn.op.name for eqn in schedule(program)]
    assert names[-5:] == ["convert", "dot_general", "tanh", "sin", "mul"]


def test_what_all_layers_share_goes_to_the_front() -> None:
    def forward(params: list[Any], mask: Any, x: Any) -> Any:
        for w in params:
            hidden = fnp.where(mask > 0, 0.0, -1e9)  # the same for all, so it is computed once
            x = fnp.sin(fnp.cos(fnp.sin(fnp.cos(fnp.exp(fnp.tanh(x @ w) + hidden)))))
        return x

    program = traced(forward, layers(4, 12), fnp.ones((2, 4)), fnp.ones((2, 4)))
    names = [eqn.op.name for eqn in schedule(program)]
    front = names.index("dot_general")
    assert "select" in names[:front]
    assert names[front : front + 8] == names[front + 8 : front + 16]


def test_elements_of_an_input_do_not_part_the_steps() -> None:
    def unrolled(w: Any, xs: Any) -> Any:
        h = xs[0]
        for t in range(1, 24):
            h = fnp.tanh(h @ w + xs[t])
        return h

    program = traced(unrolled, layers(4, 1)[0], fnp.asarray(np.zeros((24, 2, 4), np.float32)))
    names = [eqn.op.name for eqn in schedule(program)]
    assert set(names[:20]) == {"slice"}
    assert "slice" not in names[24:]
