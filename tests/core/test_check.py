"""The checker finds every fault of a Program and quotes the equations around it."""

from __future__ import annotations

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.core.check import check_program
from funcgrad.core.program import Equation, Program, Var
from funcgrad.core.types import ArrayType
from funcgrad.ops.elementwise import add, mul
from funcgrad.ops.exponential import exp
from funcgrad.ops.structure import Reshape

VECTOR = ArrayType((3,), np.dtype(np.float32))
SCALAR = ArrayType((), np.dtype(np.float32))


def ill_typed() -> Program:
    x, y, z = Var(VECTOR), Var(VECTOR), Var(SCALAR)
    equations = [
        Equation(add, [x, x], [y], None),
        Equation(mul, [y, x], [z], None),
        Equation(exp, [z], [Var(SCALAR)], None),
    ]
    return Program([x], (), equations, [z])


def test_the_checker_quotes_the_equations_around_a_fault() -> None:
    with pytest.raises(errors.ProgramError) as caught:
        check_program(ill_typed())
    assert caught.value.message == (
        "program program: mul gives (f32[3]), but its outputs are typed (f32[])\n"
        "    b:f32[3] = add a a\n"
        "--> c:f32[] = mul b a\n"
        "    d:f32[] = exp c"
    )


def test_the_checker_finds_every_fault() -> None:
    x, y, other = Var(VECTOR), Var(VECTOR), Var(VECTOR)
    faults = {
        "used before it is assigned": Program([x], (), [Equation(add, [x, other], [y], None)], [y]),
        "a second time": Program([x], (), [Equation(exp, [x], [y], None)] * 2, [y]),
        "never assigned": Program([x], (), [], [y]),
        "input appears twice": Program([x, x], (), [], [x]),
    }
    for message, program in faults.items():
        with pytest.raises(errors.ProgramError, match=message):
            check_program(program)


def test_a_shape_that_an_operation_refuses_is_the_operations_error() -> None:
    x, y = Var(VECTOR), Var(SCALAR)
    with pytest.raises(errors.ShapeError, match="cannot reshape"):
        check_program(Program([x], (), [Equation(Reshape(()), [x], [y], None)], [y]))


def test_checking_is_a_setting() -> None:
    with fg.config(check_programs=True):
        np.testing.assert_array_equal(fg.jit(fg.grad(lambda x: fnp.sum(x * x)))(fnp.ones(2)), [2, 2])
