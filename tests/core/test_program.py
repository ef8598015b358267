"""Programs: staging, structure, closures, literals, running, and values known while staging."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.core.check import check_program
from funcgrad.core.program import Literal, Program, run_program, stage
from funcgrad.core.types import ArrayType
from funcgrad.ops.elementwise import add, mul

VECTOR = ArrayType((3,), np.dtype(np.float32))
SCALAR = ArrayType((), np.dtype(np.float32))


def staged(function: Any, *types: ArrayType) -> Program:
    program = stage(lambda *args: [function(*args)], types, ("test", function))
    check_program(program)
    return program


def test_staging_records_equations() -> None:
    program = staged(lambda x, y: mul(add(x, y), x), VECTOR, VECTOR)
    assert [eqn.op for eqn in program.equations] == [add, mul]
    assert program.in_types == (VECTOR, VECTOR)
    assert program.out_types == (VECTOR,)
    (out,) = run_program(program, [fnp.ones(3), fnp.arange(3.0)])
    np.testing.assert_array_equal(out, [1, 2, 3])


def test_equations_remember_the_users_line() -> None:
    program = staged(lambda x: add(x, x), VECTOR)
    source = program.equations[0].source
    assert source is not None
    assert source.file == __file__
    assert source.text == "program = staged(lambda x: add(x, x), VECTOR)"


def test_structure_decides_equality() -> None:
    def function(x: Any) -> Any:
        return mul(add(x, x), 2.0 * x)

    one, two = staged(function, VECTOR), staged(function, VECTOR)
    assert one is not two
    assert one == two
    assert hash(one) == hash(two)
    assert one != staged(function, SCALAR)
    assert one != staged(lambda x: mul(add(x, x), 3.0 * x), VECTOR)
    assert one != staged(lambda x: mul(add(x, x), x * x), VECTOR)
    assert one != "a program"


def test_names_and_lines_are_not_part_of_equality() -> None:
    def first(x: Any) -> Any:
        return add(x, x)

    def second(y: Any) -> Any:
        z = y
        return add(z, y)

    assert staged(first, VECTOR) == staged(second, VECTOR)


def test_literals_tell_zeros_apart() -> None:
    positive, negative = staged(lambda x: x * 0.0, VECTOR), staged(lambda x: x * -0.0, VECTOR)
    assert positive != negative
    assert staged(lambda x: x * np.nan, VECTOR) == staged(lambda x: x * np.nan, VECTOR)


def test_closed_over_arrays_become_constants() -> None:
    table = fnp.asarray(np.arange(3.0, dtype=np.float32))
    program = staged(lambda x: x * table + table, VECTOR)
    assert [value for _, value in program.constants] == [table]
    closed, values = program.closed()
    assert closed.in_types == (VECTOR, VECTOR)
    assert closed.constants == ()
    assert values == [table]
    np.testing.assert_array_equal(run_program(closed, [table, fnp.ones(3)])[0], [0, 2, 4])


def test_splats_and_scalars_become_literals() -> None:
    program = staged(lambda x: x + fnp.full(3, 5.0) * fnp.asarray(2.0) + fnp.zeros((1,)), VECTOR)
    assert program.constants == ()
    literals = [a for eqn in program.equations for a in eqn.inputs if isinstance(a, Literal)]
    assert literals
    assert all(literal.value.shape == () for literal in literals)


def test_a_function_may_return_its_input_or_a_constant() -> None:
    program = stage(lambda x: [x, fnp.ones(3), x], [VECTOR], "test")
    assert program.outputs[0] is program.outputs[2] is program.inputs[0]
    assert isinstance(program.outputs[1], Literal)
    check_program(program)


def test_outer_tracers_become_constants() -> None:
    inner: list[Program] = []

    def outer(x: Any) -> Any:
        inner.append(stage(lambda y: [x * y], [SCALAR], "inner"))
        return run_program(inner[0], [fnp.asarray(3.0)])[0]

    assert float(fg.jit(outer)(2.0)) == 6.0
    assert len(inner[0].constants) == 1


# -- values known while staging ----------------------------------------------------------------------------------------


def test_what_depends_on_no_input_is_known() -> None:
    found = []

    def function(x: Any) -> Any:
        known = fnp.sum(fnp.arange(4) * 2) + len(x.shape)
        found.extend([bool(known > 3), int(known), float(known), complex(known), known.__index__(), known.item()])
        found.append(np.asarray(fnp.arange(3)[::-1]).tolist())
        found.append(list(range(known))[-1])
        return x

    staged(function, VECTOR)
    assert found == [True, 13, 13.0, 13 + 0j, 13, 13, [2, 1, 0], 12]


def test_closed_over_arrays_are_known() -> None:
    table = fnp.asarray([1.0, 5.0])
    found = []
    staged(lambda x: (found.append(float(fnp.max(table))), x)[1], VECTOR)
    assert found == [5.0]


def test_what_depends_on_an_input_is_not_known() -> None:
    for ask in (int, float, complex, np.asarray, lambda x: x.item(), lambda x: x.tolist()):
        with pytest.raises(errors.ConcretizationError, match="depends on the traced input"):
            fg.jit(lambda x, ask=ask: ask(x * 2))(1)


def test_values_of_concrete_differentiation_are_known_but_not_under_jit() -> None:
    def function(x: Any) -> Any:
        return x * 2 if float(x) > 1 else x * 3

    assert float(fg.grad(function)(2.0)) == 2.0
    assert float(fg.grad(fg.grad(lambda x: function(x) * x))(0.5)) == 6.0
    with pytest.raises(errors.ConcretizationError):
        fg.jit(fg.grad(function))(2.0)
