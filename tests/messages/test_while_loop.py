"""Golden messages of mistakes in `while_loop` and `fori_loop`."""

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
    errors.ControlFlowError,
    "while_loop: cond_fun must return a bool of shape (), but <lambda> (FILE:N) returns bool[3].\n"
    "Reduce it with .any() or .all().",
)
def a_condition_that_is_no_scalar() -> Any:
    return fg.lax.while_loop(lambda x: x > 1, lambda x: x - 1, VECTOR)


@mistake(
    errors.ControlFlowError,
    "while_loop: cond_fun must return a bool of shape (), but <lambda> (FILE:N) returns i32[].\n"
    "Compare it: x > 0, x != 0, …",
)
def a_condition_that_is_no_bool() -> Any:
    return fg.jit(lambda x: fg.lax.while_loop(lambda x: x, lambda x: x - 1, x))(3)


@mistake(
    errors.ControlFlowError,
    "while_loop: cond_fun must return a bool of shape (), but <lambda> (FILE:N) returns PyTreeDef((*, *)).\n"
    "Combine conditions with & and |.",
)
def a_condition_that_is_a_tree() -> Any:
    return fg.jit(lambda x: fg.lax.while_loop(lambda x: (x > 1, x < 9), lambda x: x - 1, x))(3)


@mistake(
    errors.ControlFlowError,
    "while_loop: body_fun must return a value of the same type as init_val:\n"
    "             init_val  body_fun returns\n"
    "  ['steps']  i32[]*    i32[]\n"
    "  ['x']      f32[3]    f32[6]            <--\n"
    "body_fun is body (FILE:N).\n"
    "Each step's result is the next step's input; x.astype(…) and fnp.broadcast_to help.",
)
def a_carry_that_grows() -> Any:
    def body(state: Any) -> Any:
        return {"steps": state["steps"] + 1, "x": fnp.concatenate([state["x"], state["x"]])}

    return fg.jit(lambda x: fg.lax.while_loop(lambda s: s["steps"] < 3, body, {"steps": 0, "x": x}))(VECTOR)


@mistake(
    errors.ControlFlowError,
    "while_loop: body_fun must return a value of the same type as init_val:\n"
    "       init_val  body_fun returns\n"
    "  [0]  i32[]*    i32[]\n"
    "  [1]  i32[3]    f32[3]            <--\n"
    "body_fun is <lambda> (FILE:N).\n"
    "Each step's result is the next step's input; x.astype(…) and fnp.broadcast_to help.",
)
def a_carry_of_another_dtype() -> Any:
    return fg.lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] / 2), (0, fnp.arange(3)))


@mistake(
    errors.ControlFlowError,
    "while_loop: body_fun must return a value of the same type as init_val:\n"
    "          init_val   body_fun returns\n"
    "  result  i32[]*     (nothing)         <--\n"
    "  [0]     (nothing)  i32[]             <--\n"
    "body_fun is <lambda> (FILE:N).\n"
    "Each step's result is the next step's input; x.astype(…) and fnp.broadcast_to help.",
)
def a_carry_of_another_structure() -> Any:
    return fg.lax.while_loop(lambda x: x < 3, lambda x: (x,), 0)


@mistake(
    errors.ControlFlowError,
    "fori_loop: body_fun must return a value of the same type as init_val:\n"
    "         init_val  body_fun returns\n"
    "  ['x']  f32[3]    f32[2]            <--\n"
    "body_fun is <lambda> (FILE:N).\n"
    "Each step's result is the next step's input; x.astype(…) and fnp.broadcast_to help.",
)
def a_counted_carry_of_another_shape() -> Any:
    return fg.jit(lambda n: fg.lax.fori_loop(0, n, lambda i, s: {"x": s["x"][1:]}, {"x": VECTOR}))(2)


@mistake(
    errors.ControlFlowError,
    "fori_loop: non-integer bounds: upper is f32[]*, but both bounds must be integers of shape ().\n"
    "The steps are counted; write int(…) for a Python number, or upper.astype(int) for an array.",
)
def bounds_that_are_no_integers() -> Any:
    return fg.lax.fori_loop(0, 3.0, lambda i, x: x, 0)


@mistake(
    errors.ControlFlowError,
    "fori_loop: non-scalar bounds: lower is i32[2], but both bounds must be integers of shape ().\n"
    "The steps are counted; write int(…) for a Python number, or lower.astype(int) for an array.",
)
def bounds_that_are_no_scalars() -> Any:
    return fg.lax.fori_loop(fnp.arange(2), 3, lambda i, x: x, 0)


@mistake(
    errors.ControlFlowError,
    "fori_loop: the bounds have different dtypes, lower: i8[] and upper: i32[].\n"
    "The counter has one dtype; convert one bound with .astype(…).",
)
def bounds_of_two_dtypes() -> Any:
    return fg.lax.fori_loop(fnp.asarray(0, "int8"), fnp.asarray(3, "int32"), lambda i, x: x, 0)


@mistake(
    errors.ArgumentError,
    "fori_loop: unroll=2 needs bounds that are known when the function is traced, got lower: i32[] and upper: "
    "i32[]; leave it out",
)
def unrolling_a_loop_of_unknown_length() -> Any:
    return fg.jit(lambda n: fg.lax.fori_loop(0, n, lambda i, x: x, 0, unroll=2))(3)


@mistake(
    errors.CheckError,
    "while_loop: max_steps=4 steps were not enough.\n"
    "max_steps promises that no more are needed. Pass a larger number, or leave it out: then reverse mode "
    "keeps a bounded number of values and computes the others again.",
)
def more_steps_than_promised() -> Any:
    return fg.lax.while_loop(lambda x: x < 9, lambda x: x + 1, 0, max_steps=4)


@mistake(
    errors.CheckError,
    "while_loop: max_steps=2 steps were not enough.\n"
    "max_steps promises that no more are needed. Pass a larger number, or leave it out: then reverse mode "
    "keeps a bounded number of values and computes the others again.",
)
def more_compiled_steps_than_promised() -> Any:
    return float(fg.jit(fg.grad(lambda x: fg.lax.while_loop(lambda x: x < 9, lambda x: 2 * x, x, max_steps=2)))(1.0))


@mistake(
    errors.ArgumentError,
    "max_steps=2.5: expected a positive Python int",
)
def a_promise_that_is_no_number() -> Any:
    return fg.lax.while_loop(lambda x: x < 9, lambda x: x + 1, 0, max_steps=2.5)  # type: ignore[arg-type]


@mistake(
    errors.ArgumentError,
    "while_loop takes a function, got bool",
)
def a_loop_without_functions() -> Any:
    return fg.lax.while_loop(True, lambda x: x, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_the_message(row: Mistake) -> None:
    row.check()
