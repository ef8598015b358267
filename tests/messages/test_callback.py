"""Golden messages of mistakes with callbacks and with printing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
ROW = fnp.arange(3.0)
TABLE = fnp.arange(6.0).reshape(2, 3)
SCALAR = fg.ShapeDtypeStruct((), "float32")
_ADVICE = (
    "Return arrays of these shapes and dtypes (np.asarray(x, dtype) converts; NumPy computes in float64), "
    "or declare what it returns."
)


def host(value: Any) -> Any:
    """Returns something else than it is declared to."""
    return {"sum": np.sum(np.asarray(value)), "all": np.asarray(value, np.float64)}


# -- what callbacks return ---------------------------------------------------------------------------------------------


@mistake(
    errors.CallbackError,
    "pure_callback: host (FILE:N) returned something else than result_shape_dtypes says:\n"
    "            declared   returned\n"
    "  ['all']   f32[3]     f64[3]     <--\n"
    "  ['mean']  f32[]      (nothing)  <--\n"
    "  ['sum']   (nothing)  f32[]      <--\n" + _ADVICE,
)
def wrong_tree() -> Any:
    return fg.jit(lambda x: fg.pure_callback(host, {"mean": SCALAR, "all": x}, x))(ROW)


@mistake(
    errors.CallbackError,
    "io_callback: <lambda> (FILE:N) returned something else than result_shape_dtypes says:\n"
    "       declared  returned\n"
    "  [0]  f32[3]    f32[3]\n"
    "  [1]  f32[]     (nothing)  <--\n" + _ADVICE,
)
def wrong_count() -> Any:
    return fg.jit(lambda x: fg.io_callback(lambda v: (v,), (x, SCALAR), x))(ROW)


@mistake(
    errors.CallbackError,
    "pure_callback: <lambda> (FILE:N) returned something else than result_shape_dtypes says:\n"
    "          declared  returned\n"
    "  result  f32[3]    f32[2]    <--\n" + _ADVICE,
)
def wrong_shape() -> Any:
    return fg.jit(lambda x: fg.pure_callback(lambda v: v[1:], x, x))(ROW)


@mistake(
    errors.CallbackError,
    "pure_callback: <lambda> (FILE:N) returned something else than result_shape_dtypes says:\n"
    "          declared  returned\n"
    "  result  f32[]     f64[]     <--\n" + _ADVICE,
)
def wrong_dtype() -> Any:
    return fg.jit(lambda x: fg.pure_callback(lambda v: np.float64(1.0), SCALAR, x))(ROW)


@mistake(
    errors.CallbackError,
    "pure_callback: <lambda> (FILE:N) returned 'text' of type str, which is neither an array nor a number.\n"
    "Return arrays or numbers of the types that result_shape_dtypes declares.",
)
def returns_text() -> Any:
    return fg.pure_callback(lambda v: "text", SCALAR, ROW)


@mistake(
    errors.CallbackError,
    "pure_callback: <lambda> (FILE:N) returned 300 of type int, which i8[] cannot hold.\n"
    "Return arrays or numbers of the types that result_shape_dtypes declares.",
)
def returns_too_much() -> Any:
    return fg.jit(lambda: fg.pure_callback(lambda: 300, fg.ShapeDtypeStruct((), "int8")))()


# -- how callbacks are asked for ---------------------------------------------------------------------------------------


@mistake(errors.ArgumentError, "io_callback takes a function, got int")
def no_function() -> Any:
    return fg.io_callback(3, None, ROW)  # type: ignore[arg-type]


@mistake(
    errors.ArgumentError,
    "pure_callback: result_shape_dtypes['a'] is 'float32', which has no shape and dtype.\n"
    "Say what the function returns as a tree of fg.ShapeDtypeStruct(shape, dtype), or of arrays like it.",
)
def no_result_type() -> Any:
    return fg.pure_callback(host, {"a": "float32"}, ROW)


@mistake(
    errors.ArgumentError,
    "pure_callback: vmap_method is 'fast'; it is None or one of 'sequential', 'sequential_unrolled', 'expand_dims', "
    "'broadcast_all'",
)
def no_such_method() -> Any:
    return fg.pure_callback(host, SCALAR, ROW, vmap_method="fast")


@mistake(
    errors.MissingRuleError,
    "pure_callback of host (FILE:N) is under vmap, which cannot know whether it takes whole batches.\n"
    "Say what to do: pure_callback(…, vmap_method='sequential') calls it once per element, 'expand_dims' and "
    "'broadcast_all' call it once with a leading axis on every argument and result (of length 1, or 2, for arguments "
    "that are not mapped).",
)
def no_method() -> Any:
    return fg.vmap(lambda x: fg.pure_callback(host, x, x))(TABLE)


@mistake(
    errors.DifferentiationError,
    "pure_callback of host (FILE:N) cannot be differentiated with respect to its argument value: nothing is known "
    "about what a Python function computes.\n"
    "To differentiate, give the function that calls it its own derivative with fg.custom_jvp or fg.custom_vjp; if the "
    "derivative does not matter, pass fg.stop_gradient(x).",
)
def derivative_of_a_pure_callback() -> Any:
    return fg.grad(lambda x: fg.pure_callback(host, x, x).sum())(ROW)


@mistake(
    errors.DifferentiationError,
    "io_callback of <lambda> (FILE:N) cannot be differentiated with respect to its argument b['w'][0]: nothing is "
    "known about what a Python function computes.\n"
    "If the derivative does not matter, pass fg.stop_gradient(x).",
)
def derivative_of_an_io_callback() -> Any:
    return fg.grad(lambda x: fg.io_callback(lambda a, b: a, SCALAR, 1.0, {"w": [x.sum()]}))(ROW)


@mistake(
    errors.CallbackError,
    "the compiled program function, which has callbacks, was started by a callback of a compiled program.\n"
    "Programs with callbacks run one at a time, so it would wait for itself. Inside a callback, call the function "
    "without fg.jit (it then runs on NumPy), or return to the program first.",
)
def a_program_in_a_callback() -> Any:
    inner = fg.jit(lambda x: fg.pure_callback(lambda v: v, x, x))
    return fg.jit(lambda x: fg.pure_callback(lambda v: inner(v), x, x))(ROW)


# -- printing ----------------------------------------------------------------------------------------------------------


@mistake(
    errors.ArgumentError,
    "debug.print: the first argument is a format string, got Array; write fg.debug.print('{}', x)",
)
def print_without_a_format() -> Any:
    return fg.debug.print(ROW)  # type: ignore[arg-type]


@mistake(
    errors.ArgumentError,
    "debug.print: the format string 'x = {y}' does not fit its arguments: it names an argument that is not given: "
    "'y'.\n"
    "Write one {} or {name} for each argument, as for str.format: fg.debug.print('x = {}', x).",
)
def print_of_another_name() -> Any:
    return fg.jit(lambda x: fg.debug.print("x = {y}", x=x))(ROW)


@mistake(
    errors.ArgumentError,
    "debug.print: the format string 'loss' does not fit its arguments: it does not use the argument number 0.\n"
    "Write one {} or {name} for each argument, as for str.format: fg.debug.print('x = {}', x).",
)
def print_of_nothing() -> Any:
    return fg.jit(lambda x: fg.debug.print("loss", x))(ROW)


@mistake(
    errors.ArgumentError,
    "debug.print: the format string '{:d}' does not fit its arguments: Unknown format code 'd' for object of type "
    "'float'.\n"
    "Write one {} or {name} for each argument, as for str.format: fg.debug.print('x = {}', x).",
)
def print_in_another_format() -> Any:
    return fg.jit(lambda x: fg.debug.print("{:d}", x))(ROW)


# -- the tests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_the_message_is_exact_and_begins_with_the_users_line(row: Mistake) -> None:
    row.check()


def explode(value: Any) -> Any:
    raise ValueError("the user's own words")


def test_the_users_exception_keeps_its_words_and_tells_both_places() -> None:
    def model(x: Any) -> Any:
        return fg.pure_callback(explode, x, x * 2)

    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the words are compared below)
        fg.jit(model)(ROW)
    assert str(caught.value) == "the user's own words"
    file, line = explode.__code__.co_filename, model.__code__.co_firstlineno + 1
    assert caught.value.__notes__ == [
        f"raised by the callback explode ({file}:{explode.__code__.co_firstlineno}), which is called at "
        f"{file}:{line} in {model.__qualname__}\n    return fg.pure_callback(explode, x, x * 2)"
    ]
