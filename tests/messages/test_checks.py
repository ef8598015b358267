"""Golden messages of checks that fail: raised where a result is read, they begin with the line that made the check."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
MATRIX = fnp.arange(6.0).reshape(2, 3)
DIVIDED = (
    "an integer is divided by zero, which has no result.\n"
    "Choose another divisor where it is zero, fnp.where(y == 0, 1, y), divide as floating point, or accept the "
    "result 0 with fg.config(check_division=False)."
)


@mistake(errors.CheckError, "the sum 15.0 exceeds 10")
def check_that_fails() -> Any:
    return fg.check(MATRIX.sum() < 10, "the sum {} exceeds {limit}", MATRIX.sum(), limit=10)


@mistake(errors.CheckError, "the sum 15.0 exceeds 10")
def compiled_check_that_fails() -> Any:
    def f(x: Any) -> Any:
        fg.check(x.sum() < 10, "the sum {} exceeds {limit}", x.sum(), limit=10)
        return x

    return fg.jit(f)(MATRIX).tolist()


@mistake(errors.CheckError, "rows must sum to one\nvalue 0: 12.0\n(at index 1 of the mapped axis)")
def mapped_check_that_fails() -> Any:
    def f(x: Any) -> Any:
        fg.check(x.sum() < 10, "rows must sum to one", x.sum())
        return x

    return fg.jit(fg.vmap(f))(MATRIX).tolist()


@mistake(
    errors.DTypeError,
    "check: the condition must be a bool or a boolean array, got f32[2,3]; write x != 0",
)
def check_of_a_number() -> Any:
    return fg.check(MATRIX, "nonzero")


@mistake(
    errors.ArgumentError,
    "check: the message '{} and {limit}' does not fit the 2 given values (named ones: most): KeyError('limit')",
)
def check_that_mentions_a_missing_value() -> Any:
    return fg.check(MATRIX.sum() < 10, "{} and {limit}", 1, most=2)


@mistake(errors.ArgumentError, "check: the message must be a string, got float: check(x > 0, 'x is {}', x)")
def check_without_a_message() -> Any:
    return fg.check(MATRIX.sum() < 10, 3.0)  # type: ignore[arg-type]


@mistake(errors.OutOfBoundsError, "index 5 is out of bounds for axis 0 of length 2 (shape (2, 3))")
def index_beyond_in_compiled_code() -> Any:
    return fg.jit(lambda x, i: x[i])(MATRIX, 5).tolist()


@mistake(errors.OutOfBoundsError, "index -4 is out of bounds for axis 1 of length 3 (shape (2, 3))")
def negative_index_beyond_in_compiled_code() -> Any:
    return fg.jit(lambda x, i: x[:, i])(MATRIX, np.array([0, -4])).tolist()


@mistake(errors.OutOfBoundsError, "index 7 is out of bounds for axis 1 of length 3 (shape (2, 3))")
def update_beyond_in_compiled_code() -> Any:
    return fg.jit(lambda x, i: x.at[0, i].add(1.0))(MATRIX, 7).tolist()


@mistake(errors.OutOfBoundsError, "index 3 is out of bounds for axis 0 of length 3 (shape (3,))")
def index_beyond_in_a_map() -> Any:
    return fg.vmap(lambda x, i: x[i])(MATRIX, fnp.array([0, 3]))


@mistake(errors.IntegerDivisionError, f"floor_divide: {DIVIDED}")
def integer_divided_by_zero() -> Any:
    return fnp.arange(3) // fnp.arange(3)


@mistake(errors.IntegerDivisionError, f"remainder: {DIVIDED}")
def integer_modulo_zero_in_compiled_code() -> Any:
    return fg.jit(lambda x, y: x % y)(7, 0).item()


@mistake(errors.IntegerDivisionError, f"div: {DIVIDED}")
def lax_division_by_zero() -> Any:
    return fg.lax.div(fnp.arange(3), fnp.arange(3))


@mistake(errors.CheckError, "the result of log has NaN in it")
def nan_while_searching_for_one() -> Any:
    with fg.config(check_nans=True):
        return fnp.log(fnp.array([1.0, -1.0]))


@mistake(errors.CheckError, "the result of exp has an infinity in it")
def infinity_in_compiled_code() -> Any:
    with fg.config(check_nans=True):
        return fg.jit(lambda x: fnp.exp(x) * 2)(1000.0).item()


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_the_message_is_exact_and_begins_with_the_users_line(row: Mistake) -> None:
    row.check()
