"""Dead code and common subexpressions go, effects and results stay."""

from __future__ import annotations

from typing import Any

import numpy as np

import funcgrad.numpy as fnp
from funcgrad.compiler.simplify import eliminate_common_subexpressions, eliminate_dead_code, simplify
from funcgrad.core.check import check_program
from funcgrad.core.program import Program, run_program, stage
from funcgrad.core.types import ArrayType
from funcgrad.ops.elementwise import add, mul
from funcgrad.ops.exponential import exp
from funcgrad.ops.sorting import Sort
from funcgrad.ops.trigonometry import sin

VECTOR = ArrayType((3,), np.dtype(np.float32))


def names(program: Program) -> list[str]:
    check_program(program)
    return [eqn.op.name for eqn in program.equations]


def staged(function: Any, *types: ArrayType) -> Program:
    return stage(lambda *args: [function(*args)], types, "test")


def test_dead_code() -> None:
    table = fnp.asarray([1.0, 2.0, 3.0])
    program = staged(lambda x: (exp(x) + table, sin(x))[1], VECTOR)
    assert names(program) == ["exp", "add", "sin"]
    kept = eliminate_dead_code(program)
    assert names(kept) == ["sin"]
    assert kept.constants == ()
    assert kept.inputs == program.inputs


def test_what_is_needed_is_returned_unchanged() -> None:
    program = staged(lambda x: sin(exp(x)), VECTOR)
    assert simplify(program) is program


def test_one_used_result_keeps_an_operation() -> None:
    program = staged(lambda x, y: Sort(0)(x, y)[1], VECTOR, VECTOR)
    assert names(eliminate_dead_code(program)) == ["sort"]


def test_common_subexpressions() -> None:
    program = staged(lambda x: add(mul(sin(x), exp(x)), mul(sin(x), exp(x))), VECTOR)
    small = eliminate_common_subexpressions(program)
    assert names(small) == ["sin", "exp", "mul", "add"]
    x = fnp.arange(3.0)
    np.testing.assert_array_equal(run_program(small, [x])[0], run_program(program, [x])[0])


def test_operands_and_literals_tell_expressions_apart() -> None:
    program = staged(lambda x: (x * 2.0 + x * 2.0) + (x * -2.0 + (x + 0.0) * (x + -0.0)), VECTOR)
    assert names(eliminate_common_subexpressions(program)).count("mul") == 3
    assert names(eliminate_common_subexpressions(program)).count("add") == 5


def test_outputs_are_renamed_too() -> None:
    program = stage(lambda x: [sin(x), sin(x)], [VECTOR], "test")
    small = simplify(program)
    assert small.outputs[0] is small.outputs[1]
    check_program(small)


def test_parameters_tell_operations_apart() -> None:
    program = stage(lambda x: [x.sum(axis=0), x.sum(axis=1)], [ArrayType((3, 3), VECTOR.dtype)], "test")
    assert names(simplify(program)) == ["reduce_sum", "reduce_sum"]
