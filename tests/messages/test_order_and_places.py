"""Golden messages of mistakes in order, sets, places, editing and padding."""

from __future__ import annotations

from typing import Any

import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
ROW = fnp.asarray([3.0, 1.0, 2.0])


@mistake(
    errors.ConcretizationError,
    "fnp.unique(x): how many elements this returns depends on the values of an array of type f32[3], but it "
    "depends on the traced input `x` of type f32[3] of jit of <lambda> (FILE:N).\nA shape must be known while "
    "tracing. Say how many elements to return; those beyond are dropped, missing ones filled: fnp.unique(x, "
    "size=n, fill_value=0)",
)
def unique_without_a_size() -> Any:
    return fg.jit(lambda x: fnp.unique(x))(ROW)


@mistake(
    errors.ConcretizationError,
    "fnp.nonzero(x): how many elements this returns depends on the values of an array of type f32[3], but it "
    "stands for a whole batch of 2 values inside vmap of <lambda> (FILE:N).\nA shape must be known while "
    "tracing. Say how many elements to return; those beyond are dropped, missing ones filled: fnp.nonzero(x, "
    "size=n, fill_value=0)",
)
def nonzero_of_rows_without_a_size() -> Any:
    return fg.vmap(lambda x: fnp.nonzero(x))(fnp.ones((2, 3)))


@mistake(
    errors.ConcretizationError,
    "fnp.setdiff1d(x, y): how many elements this returns depends on the values of an array of type f32[3], but "
    "it depends on the traced input `x` of type f32[3] of jit of <lambda> (FILE:N).\nA shape must be known "
    "while tracing. Say how many elements to return; those beyond are dropped, missing ones filled: "
    "fnp.setdiff1d(x, y, size=n, fill_value=0)",
)
def difference_without_a_size() -> Any:
    return fg.jit(lambda x, y: fnp.setdiff1d(x, y))(ROW, ROW)


@mistake(
    errors.ConcretizationError,
    "fnp.extract(condition, x): how many elements this returns depends on the values of an array of type "
    "bool[3], but it depends on the traced input `x` of type f32[3] of jit of <lambda> (FILE:N).\nA shape must "
    "be known while tracing. Say how many elements to return; those beyond are dropped, missing ones filled: "
    "fnp.extract(condition, x, size=n, fill_value=0)",
)
def extract_without_a_size() -> Any:
    return fg.jit(lambda x: fnp.extract(x > 1, x))(ROW)


@mistake(
    errors.ConcretizationError,
    "fnp.repeat(x, repeats): the sum of the repeats decides the result's shape, but it depends on the traced "
    "input `n` of type i32[3] of jit of <lambda> (FILE:N).\nA shape must be known while tracing. Say how long "
    "the result is: fnp.repeat(x, repeats, total_repeat_length=n)",
)
def repeat_without_a_length() -> Any:
    return fg.jit(lambda n: fnp.repeat(ROW, n))(fnp.asarray([1, 0, 2]))


@mistake(
    errors.ConcretizationError,
    "fnp.delete(x, i): how many distinct places there are decides the result's shape, but it depends on the "
    "traced input `i` of type i32[2] of jit of <lambda> (FILE:N).\nA shape must be known while tracing. If no "
    "place is named twice, say so: fnp.delete(x, i, assume_unique_indices=True)",
)
def delete_without_a_promise() -> Any:
    return fg.jit(lambda i: fnp.delete(ROW, i))(fnp.asarray([0, 1]))


@mistake(
    errors.ArgumentError,
    "partition: kth=3 is out of bounds for axis 0 of length 3",
)
def partition_at_no_place() -> Any:
    return fnp.partition(ROW, 3)


@mistake(
    errors.ArgumentError,
    "choose: an entry of `a` is not the number of a choice; they are 0 to 1. Use mode='clip' or mode='wrap'.",
)
def choice_that_is_not_there() -> Any:
    return fnp.choose([0, 2], [ROW[:2], ROW[1:]])


@mistake(
    errors.ArgumentError,
    "unravel_index: an index is out of bounds for shape (2, 3) of 6 elements",
)
def compiled_index_out_of_bounds() -> Any:
    return fg.jit(lambda i: fnp.unravel_index(i, (2, 3)))(6)[0].tolist()


@mistake(
    errors.OutOfBoundsError,
    "insert: index 4 is out of bounds for axis 0 of length 3",
)
def insert_out_of_bounds() -> Any:
    return fnp.insert(ROW, [0, 4], 1)


@mistake(
    errors.ArgumentError,
    "put: arrays are immutable; write x = fnp.put(x, …, inplace=False)",
)
def put_in_place() -> Any:
    return fnp.put(ROW, [0], 1, inplace=True)


@mistake(
    errors.ArgumentError,
    "pad: unknown option 'stat_length'; mode 'reflect' takes reflect_type",
)
def pad_option_of_another_mode() -> Any:
    return fnp.pad(ROW, 1, "reflect", stat_length=2)


@mistake(
    errors.DTypeError,
    "concatenate: float32 does not become int32 with casting='same_kind'; convert it first, x.astype('int32'), "
    'or pass casting="unsafe"',
)
def concatenate_to_a_lower_kind() -> Any:
    return fnp.concatenate([ROW, ROW], dtype="int32")


@mistake(
    errors.ArgumentError,
    "block: lists must be equally deep, but arrays[0] has depth 1 and arrays[1] 0",
)
def block_of_lists_unequally_deep() -> Any:
    return fnp.block([[ROW], ROW])


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_message(row: Mistake) -> None:
    row.check()
