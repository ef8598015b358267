"""Golden messages of mistakes in branches, with `cond`, `switch` and Python's `if`."""

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
    "cond: the predicate must be a scalar, got bool[3].\n"
    "Reduce it with .any() or .all(), or choose element by element with fnp.where.",
)
def a_predicate_that_is_no_scalar() -> Any:
    return fg.lax.cond(VECTOR > 1, lambda: 1, lambda: 2)


@mistake(
    errors.ControlFlowError,
    "switch: the index must be an integer scalar, got f32[]*",
)
def an_index_that_is_no_integer() -> Any:
    return fg.lax.switch(1.0, [lambda: 1, lambda: 2])


@mistake(errors.ArgumentError, "switch needs at least one branch")
def a_switch_without_branches() -> Any:
    return fg.lax.switch(0, [])


@mistake(errors.ArgumentError, "cond takes a function, got float")
def a_branch_that_is_no_function() -> Any:
    return fg.lax.cond(True, 1.0, 2.0)  # type: ignore[arg-type]


@mistake(
    errors.ControlFlowError,
    "cond: the functions return different types:\n"
    "            false_fun  true_fun\n"
    "  ['a']     f32[3]     f32[3]\n"
    "  ['b'][0]  f32[]      f32[3]     <--\n"
    "  ['b'][1]  i32[]*     i32[]*\n"
    "  ['b'][2]  i32[]*     (nothing)  <--\n"
    "false_fun is <lambda> (FILE:N), true_fun is <lambda> (FILE:N).\n"
    "Return the same structure, shapes and dtypes from each; x.astype(…) and fnp.broadcast_to help.",
)
def branches_of_different_types() -> Any:
    def f(p: Any, x: Any) -> Any:
        return fg.lax.cond(p, lambda x: {"a": x, "b": (x, 1)}, lambda x: {"a": x, "b": (x.sum(), 1, 2)}, x)

    return fg.jit(f)(True, VECTOR)


@mistake(
    errors.ControlFlowError,
    "the two ways from this decision return different types:\n"
    "  result 0: f32[3] where it is true, f32[] where it is false\n"
    "Return the same shapes and dtypes on every path; x.astype(…) and fnp.broadcast_to help.",
)
def paths_of_different_types() -> Any:
    def f(x: Any) -> Any:
        return x if x.sum() > 0 else x.sum()

    return fg.jit(f)(VECTOR)


@mistake(
    errors.ControlFlowError,
    "the paths of f (FILE:N) that Python's `if`s choose between return different structures:\n"
    "  PyTreeDef(*)\n"
    "  PyTreeDef((*, *))\n"
    "Return the same structure on every path.",
)
def paths_of_different_structures() -> Any:
    def f(x: Any) -> Any:
        if x > 0:
            return x
        return x, x

    return fg.jit(f)(1.0)


@mistake(
    errors.BranchError,
    "one path through jit of f (FILE:N) asked for the truth of traced values more than 3 times:\n"
    "  3 × FILE:N in a_while_loop_on_a_traced_value.<locals>.f\n"
    "    while x > 0:\n"
    "A Python loop whose condition is traced never ends while it is traced. Write "
    "fg.lax.while_loop(cond_fun, body_fun, init), or fg.lax.fori_loop for a count; "
    "for a long loop of fixed length with a break, fg.config(max_paths=…) raises the limit.",
)
def a_while_loop_on_a_traced_value() -> Any:
    def f(x: Any) -> Any:
        while x > 0:
            x = x - 1
        return x

    with fg.config(max_paths=3):
        return fg.jit(f)(9.0)


@mistake(
    errors.BranchError,
    "the Python decisions in jit of f (FILE:N) lead to more than 3 paths, each of which has to be traced:\n"
    "  2 × FILE:N in too_many_paths.<locals>.f\n"
    "    return y if y > 1 else y * y\n"
    "  1 × FILE:N in too_many_paths.<locals>.f\n"
    "    y = x if x > 0 else -x\n"
    "k decisions in a row make 2**k paths. Choose by value with fnp.where, or let fg.lax.cond and "
    "fg.lax.switch decide where the sides meet again; fg.config(max_paths=…) raises the limit.",
)
def too_many_paths() -> Any:
    def f(x: Any) -> Any:
        y = x if x > 0 else -x
        return y if y > 1 else y * y

    with fg.config(max_paths=3):
        return fg.jit(f)(9.0)


@mistake(
    errors.BranchError,
    "jit of f (FILE:N) is not pure: run again with the same decisions (Python decides on traced values there, so each "
    "path is traced by itself), it does something else.\n"
    "The first time: operation sin at FILE:N in a_function_that_is_not_pure.<locals>.f\n"
    "    y = fnp.sin(x) if len(calls) == 1 else fnp.cos(x)\n"
    "This time: operation cos at FILE:N in a_function_that_is_not_pure.<locals>.f\n"
    "    y = fnp.sin(x) if len(calls) == 1 else fnp.cos(x)\n"
    "A traced function must not depend on what it changes outside itself: pass such values as arguments.",
)
def a_function_that_is_not_pure() -> Any:
    calls = []

    def f(x: Any) -> Any:
        calls.append(None)
        y = fnp.sin(x) if len(calls) == 1 else fnp.cos(x)
        return y if x > 0 else -y

    return fg.jit(f)(1.0)


@pytest.mark.parametrize("row", mistake.rows, ids=lambda row: row.function.__name__)
def test_the_message(row: Mistake) -> None:
    row.check()
