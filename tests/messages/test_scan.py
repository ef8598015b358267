"""Golden messages of mistakes with `scan`, `map`, `reduce`."""

from __future__ import annotations

from typing import Any

import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
VECTOR = fnp.arange(3.0)


@mistake(
    errors.ArgumentError,
    "scan takes a function, got int",
)
def scan_without_a_function() -> Any:
    number: Any = 1
    return fg.lax.scan(number, 0.0, VECTOR)


@mistake(
    errors.ControlFlowError,
    "scan: <lambda> (FILE:N) must return a pair (carry, y), got one Array.\n"
    "Write `return carry, y`, with y=None if there is nothing to stack.",
)
def scan_of_one_result() -> Any:
    return fg.lax.scan(lambda c, x: c + x, 0.0, VECTOR)


@mistake(
    errors.ControlFlowError,
    "scan: step (FILE:N) must return a pair (carry, y), got a tuple of 3.\n"
    "Write `return carry, y`, with y=None if there is nothing to stack.",
)
def compiled_scan_of_three_results() -> Any:
    def step(c: Any, x: Any) -> Any:
        return c, x, x

    return fg.jit(lambda xs: fg.lax.scan(step, 0.0, xs))(VECTOR)


@mistake(
    errors.ControlFlowError,
    "scan: <lambda> (FILE:N) must return a carry of the type that it is given:\n"
    "           carry in  carry out\n"
    "  ['n']    i32[]*    i32[]*\n"
    "  ['sum']  i32[]     f32[]      <--\n"
    "Return the same structure, shapes and dtypes; x.astype(…) and fnp.broadcast_to help, on init too.",
)
def carry_of_another_dtype() -> Any:
    return fg.lax.scan(
        lambda c, x: ({"n": c["n"], "sum": c["sum"] + x}, None), {"n": 0, "sum": fnp.zeros((), "int32")}, VECTOR
    )


@mistake(
    errors.ControlFlowError,
    "scan: <lambda> (FILE:N) must return a carry of the type that it is given:\n"
    "       carry in  carry out\n"
    "  [0]  f32[]*    f32[]\n"
    "  [1]  f32[]     f32[2]     <--\n"
    "Return the same structure, shapes and dtypes; x.astype(…) and fnp.broadcast_to help, on init too.",
)
def compiled_carry_of_another_shape() -> Any:
    def run(xs: Any) -> Any:
        return fg.lax.scan(lambda c, x: ((c[0] + x, fnp.stack([c[1], x])), None), (0.0, fnp.zeros(())), xs)

    return fg.jit(run)(VECTOR)


@mistake(
    errors.ControlFlowError,
    "scan: <lambda> (FILE:N) must return a carry of the type that it is given:\n"
    "  carry in: PyTreeDef((*,))\n"
    "  carry out: PyTreeDef([*])\n"
    "Return the same structure, shapes and dtypes; x.astype(…) and fnp.broadcast_to help, on init too.",
)
def compiled_carry_of_another_structure() -> Any:
    return fg.jit(lambda xs: fg.lax.scan(lambda c, x: ([c[0] + x], None), (0.0,), xs))(VECTOR)


@mistake(
    errors.ControlFlowError,
    "scan: <lambda> (FILE:N) must return the same types in each step:\n"
    "       step 0  step 2\n"
    "  [0]  f32[]   f16[]   <--\n"
    "Return (carry, y) of the same structure, shapes and dtypes each time.",
)
def carry_that_changes_later() -> Any:
    return fg.lax.scan(lambda c, x: (c if x < 2 else c.astype("float16"), None), fnp.zeros(()), VECTOR)


@mistake(
    errors.ControlFlowError,
    "scan: <lambda> (FILE:N) must return the same types in each step:\n"
    "            step 0     step 1\n"
    "  [0]       f32[]*     f32[]*\n"
    "  [1]['y']  f32[]      (nothing)  <--\n"
    "  [1]['z']  (nothing)  f32[]      <--\n"
    "Return (carry, y) of the same structure, shapes and dtypes each time.",
)
def result_that_changes_later() -> Any:
    return fg.lax.scan(lambda c, x: (c, {"y": x} if x < 1 else {"z": x}), 0.0, VECTOR)


@mistake(
    errors.ControlFlowError,
    "scan: all leading axes must have one length, but the lengths are\n"
    "  xs['a']: 3\n"
    "  xs['b'][0]: 4\n"
    "Cut the longer ones, x[:n], or pad the shorter ones with fnp.pad.",
)
def leaves_of_different_lengths() -> Any:
    return fg.lax.scan(lambda c, x: (c, None), 0.0, {"a": VECTOR, "b": [fnp.zeros((4, 2))]})


@mistake(
    errors.ControlFlowError,
    "scan: all leading axes must have one length, but the lengths are\n"
    "  xs: 3\n"
    "  length: 4\n"
    "Cut the longer ones, x[:n], or pad the shorter ones with fnp.pad.",
)
def length_that_does_not_fit() -> Any:
    return fg.lax.scan(lambda c, x: (c, None), 0.0, VECTOR, length=4)


@mistake(
    errors.ControlFlowError,
    "scan: xs[1] is a scalar of type f32[]*, so it has no leading axis to run along.\n"
    "What is the same in every step is no part of xs: let the function close over it.",
)
def scalar_to_scan_over() -> Any:
    return fg.lax.scan(lambda c, x: (c, None), 0.0, (VECTOR, 2.0))


@mistake(
    errors.ControlFlowError,
    "scan: without arrays in xs the number of steps is unknown; pass length=",
)
def scan_without_a_length() -> Any:
    return fg.lax.scan(lambda c, x: (c, None), 0.0)


@mistake(
    errors.ControlFlowError,
    "scan: length must not be negative, got -1",
)
def negative_length() -> Any:
    return fg.lax.scan(lambda c, x: (c, None), 0.0, None, -1)


@mistake(
    errors.ControlFlowError,
    "scan: length must be a Python int, got i32[]*.\n"
    "The length is part of the program; for a number of steps that is computed, use fg.lax.fori_loop.",
)
def traced_length() -> Any:
    return fg.jit(lambda n: fg.lax.scan(lambda c, x: (c, None), 0.0, None, n))(3)


@mistake(
    errors.ControlFlowError,
    "scan: length must be a Python int, got 3.0.\n"
    "The length is part of the program; for a number of steps that is computed, use fg.lax.fori_loop.",
)
def length_of_a_float() -> Any:
    length: Any = 3.0
    return fg.lax.scan(lambda c, x: (c, None), 0.0, None, length)


@mistake(
    errors.ArgumentError,
    "scan: unroll must be True, False or a positive int, got 0",
)
def unroll_of_nothing() -> Any:
    return fg.lax.scan(lambda c, x: (c, None), 0.0, VECTOR, unroll=0)


@mistake(
    errors.DTypeError,
    "a leaf of init, init['name'], is 'text' of type str, which is not an array or a number.\n"
    "Only arrays and numbers can be transformed; close over other values, or pass them to jit as static.",
)
def carry_of_text() -> Any:
    return fg.lax.scan(lambda c, x: (c, None), {"name": "text"}, VECTOR)


@mistake(
    errors.ArgumentError,
    "map: batch_size must be a positive int, got 0",
)
def map_in_batches_of_nothing() -> Any:
    return fg.lax.map(lambda x: x, VECTOR, batch_size=0)


@mistake(
    errors.ControlFlowError,
    "map: xs is a scalar of type f32[]*, so it has no leading axis to run along.\n"
    "What is the same in every step is no part of xs: let the function close over it.",
)
def map_over_a_scalar() -> Any:
    return fg.lax.map(lambda x: x, 1.0, batch_size=2)


@mistake(
    errors.ShapeError,
    "reduce: the operands must have one shape, but operands[0] has (3,), operands[1] has (4,)",
)
def reduce_of_different_shapes() -> Any:
    return fg.lax.reduce((VECTOR, fnp.zeros(4)), (0.0, 0.0), lambda a, b: a, [0])


@mistake(
    errors.ControlFlowError,
    "reduce: the initial values must be scalars of the operands' dtypes:\n"
    "          init_values  expected\n"
    "  result  f16[]        f32[]     <--\n"
    "Convert them: fnp.asarray(value, dtype=operand.dtype).",
)
def reduce_from_another_dtype() -> Any:
    return fg.lax.reduce(VECTOR, fnp.zeros((), "float16"), lambda a, b: a + b, [0])


@mistake(
    errors.ControlFlowError,
    "reduce: <lambda> (FILE:N) must return scalars of the operands' dtypes:\n"
    "          operands  returned\n"
    "  result  f32[]     bool[]    <--\n"
    "Return the same structure and dtypes; x.astype(…) helps.",
)
def reduce_to_another_dtype() -> Any:
    return fg.lax.reduce(VECTOR, 0.0, lambda a, b: a > b, [0])


@mistake(
    errors.ArgumentError,
    "reduce needs at least one array",
)
def reduce_of_nothing() -> Any:
    return fg.lax.reduce((), (), lambda a, b: a, [0])


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_the_message(row: Mistake) -> None:
    row.check()
