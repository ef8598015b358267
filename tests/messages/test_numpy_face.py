"""Golden messages of mistakes with folds, vectorized functions, grids, packed bits, files and text."""

from __future__ import annotations

from typing import Any

import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
MATRIX = fnp.arange(6.0).reshape(2, 3)
VECTOR = fnp.arange(3)


# -- folds -------------------------------------------------------------------------------------------------------------


@mistake(
    errors.ArgumentError,
    "exp.reduce: folding takes a function of two operands with one result; exp has 1 and 1",
)
def fold_of_one_operand() -> Any:
    return fnp.exp.reduce(MATRIX)


@mistake(
    errors.ArgumentError,
    "divmod.accumulate: folding takes a function of two operands with one result; divmod has 2 and 2",
)
def fold_of_two_results() -> Any:
    return fnp.divmod.accumulate(MATRIX)


@mistake(
    errors.ArgumentError,
    "subtract.reduce over axes (0, 1): the result depends on the order of the elements, so that at most one "
    "axis may be given",
)
def order_matters_over_two_axes() -> Any:
    return fnp.subtract.reduce(MATRIX, axis=None)


@mistake(
    errors.ShapeError,
    "zero-size array to reduction operation maximum, which has no identity: an array of shape (0, 3) has no "
    "elements along axes (0,); pass initial=, the result for no elements",
)
def fold_of_nothing() -> Any:
    return fnp.maximum.reduce(fnp.zeros((0, 3)))


@mistake(
    errors.ArgumentError,
    "minimum.reduce with where= may find no element; pass initial=, the first element",
)
def fold_under_a_mask() -> Any:
    return fnp.minimum.reduce(MATRIX, where=MATRIX > 9)


@mistake(
    errors.DTypeError,
    "less of int32 operands is bool, which cannot be its operand again without loss; convert first: x.astype('bool')",
)
def fold_that_loses_information() -> Any:
    return fnp.less.reduce(VECTOR)


@mistake(
    errors.ImmutableError,
    "add.reduce(…, out=x): arrays are immutable; bind the result to a name instead",
)
def fold_into_an_array() -> Any:
    return fnp.add.reduce(MATRIX, out=MATRIX)  # type: ignore[arg-type]


@mistake(
    errors.DTypeError,
    "add.accumulate takes an array of at least one dimension, got f32[]",
)
def running_fold_of_a_scalar() -> Any:
    return fnp.add.accumulate(1.0)


@mistake(
    errors.AxisError,
    "add.accumulate takes one axis, not (0, 1)",
)
def running_fold_over_two_axes() -> Any:
    return fnp.add.accumulate(MATRIX, axis=(0, 1))


@mistake(
    errors.OutOfBoundsError,
    "add.reduceat: index 3 is out of bounds for axis 0 of length 3",
)
def slice_out_of_bounds() -> Any:
    return fnp.add.reduceat(VECTOR, [0, 3])


@mistake(
    errors.DTypeError,
    "add.reduceat takes a vector of integers as indices, got f32[1]; write indices.ravel().astype(int)",
)
def slices_at_fractions() -> Any:
    return fnp.add.reduceat(VECTOR, [0.5])


@mistake(
    errors.ShapeError,
    "add.reduceat takes a vector of integers as indices, got i32[1,1]; write indices.ravel().astype(int)",
)
def slices_in_a_matrix() -> Any:
    return fnp.add.reduceat(VECTOR, [[0]])


@mistake(
    errors.ArgumentError,
    "sin.outer: outer products are of functions of two operands, not 1",
)
def outer_product_of_one() -> Any:
    return fnp.sin.outer(VECTOR, VECTOR)


@mistake(
    errors.ImmutableError,
    "add.at(…, inplace=True): arrays are immutable; write a = add.at(a, indices, …)",
)
def update_in_place() -> Any:
    return fnp.add.at(VECTOR, 0, 1, inplace=True)


@mistake(
    errors.ImmutableError,
    "np.add.at(x, …): arrays are immutable; write x = fnp.add.at(x, …)",
)
def update_by_numpy() -> Any:
    import numpy as np

    return np.add.at(VECTOR, 0, 1)


@mistake(
    errors.ArgumentError,
    "add.at takes 2 operands for each place: add.at(a, indices, b)",
)
def update_without_values() -> Any:
    return fnp.add.at(VECTOR, 0)


@mistake(
    errors.ArgumentError,
    "modf.at: only functions of one or two operands with one result",
)
def update_of_two_results() -> Any:
    return fnp.modf.at(MATRIX, 0)


@mistake(
    errors.DTypeError,
    "hypot.at: results of dtype float32 would lose information in an array of dtype int32; convert it first: "
    "a.astype('float32')",
)
def update_that_loses_information() -> Any:
    return fnp.hypot.at(VECTOR, 0, 1.5)


@mistake(
    errors.ArgumentError,
    "<lambda> takes 2 operands, got 1",
)
def too_few_operands() -> Any:
    return fnp.frompyfunc(lambda x, y: x + y, 2, 1)(VECTOR)


@mistake(
    errors.ArgumentError,
    "double returned 1 result in place of 2",
)
def too_few_results() -> Any:
    def double(x: Any) -> Any:
        return 2 * x

    return fnp.frompyfunc(double, 1, 2)(VECTOR)


# -- vectorized functions ----------------------------------------------------------------------------------------------


@mistake(
    errors.DTypeError,
    "vectorize takes a function, not 3",
)
def vectorize_without_a_function() -> Any:
    return fnp.vectorize(3)  # type: ignore[arg-type]


@mistake(
    errors.ArgumentError,
    "'(n),(n)' is not a signature; write one such as '(m,n),(n)->(m)' or '()->(k)'",
)
def not_a_signature() -> Any:
    return fnp.vectorize(fnp.dot, signature="(n),(n)")


@mistake(
    errors.ShapeError,
    "dot: operand 1 of shape () lacks axes ('n',) of the signature '(n),(n)->()'",
)
def operand_without_the_axis() -> Any:
    return fnp.vectorize(fnp.dot, signature="(n),(n)->()")(VECTOR, 1.0)


@mistake(
    errors.ShapeError,
    "dot: operand 1 of shape (2,) has length 2 along 'n' of the signature '(n),(n)->()', but 'n' is 3",
)
def operands_of_different_lengths() -> Any:
    return fnp.vectorize(fnp.dot, signature="(n),(n)->()")(VECTOR, fnp.ones(2))


@mistake(
    errors.ArgumentError,
    "dot: the signature '(n),(n)->()' has 2 operands, the call 1",
)
def call_unlike_the_signature() -> Any:
    return fnp.vectorize(fnp.dot, signature="(n),(n)->()")(VECTOR)


@mistake(
    errors.ShapeError,
    "sort: result 0 of shape (3,) does not have the axes () of the signature '(n)->()'",
)
def result_unlike_the_signature() -> Any:
    return fnp.vectorize(fnp.sort, signature="(n)->()")(VECTOR)


@mistake(
    errors.ShapeError,
    "pair returned shape (2,) for scalars; say which axes it has: signature='…->(n)'",
)
def arrays_of_scalars() -> Any:
    def pair(x: Any) -> Any:
        return fnp.stack([x, x])

    return fnp.vectorize(pair)(VECTOR)


@mistake(
    errors.ArgumentError,
    "sin returned 1 result in place of 2",
)
def wrong_number_of_results() -> Any:
    return fnp.vectorize(fnp.sin, otypes="ff")(VECTOR)


@mistake(
    errors.ShapeError,
    "apply_over_axes: the function returned shape (1, 2, 3) for shape (2, 3) and axis 0; it may keep the "
    "number of dimensions or drop the one axis",
)
def axes_that_appear() -> Any:
    return fnp.apply_over_axes(lambda x, axis: x[None], MATRIX, 0)


@mistake(
    errors.ArgumentError,
    "fromiter: expected 3 elements, but the iterable had only 2",
)
def iterable_too_short() -> Any:
    return fnp.fromiter(iter([1, 2]), int, 3)


@mistake(
    errors.ArgumentError,
    "frombuffer: buffer size must be a multiple of element size",
)
def bytes_that_do_not_fit() -> Any:
    return fnp.frombuffer(b"12345", "int32")


@mistake(
    errors.ArgumentError,
    "fromstring reads text: pass sep=, what stands between the numbers; frombuffer reads bytes",
)
def text_without_a_separator() -> Any:
    return fnp.fromstring("1 2", sep="")


# -- grids, bits and files ---------------------------------------------------------------------------------------------


@mistake(
    errors.ArgumentError,
    "the end of 1: is missing: write start:stop or start:stop:step",
)
def grid_without_an_end() -> Any:
    return fnp.mgrid[1:]


@mistake(
    errors.ArgumentError,
    "the step of 0:3:0 is zero",
)
def grid_without_steps() -> Any:
    return fnp.ogrid[0:3:0]


@mistake(
    errors.DTypeError,
    "mgrid takes slices, as in mgrid[0:3, 0:1:5j], not 3",
)
def grid_of_numbers() -> Any:
    return fnp.mgrid[3, 0:2]


@mistake(
    errors.DTypeError,
    "the start, stop and step of a slice are numbers, not arrays of shape (3,)",
)
def grid_to_a_vector() -> Any:
    return fnp.mgrid[0:VECTOR]


@mistake(
    errors.ConcretizationError,
    "a grid, such as mgrid[0:n], needs the value of a traced array of type i32[]*, but it depends on the "
    "traced input `n` of type i32[]* of jit of <lambda> (FILE:N).\n"
    "While a function is traced only shapes and dtypes are known. Compute with array operations instead "
    "(fnp.where selects by value), or pass that argument as a static one: fg.jit(f, static_argnums=…).",
)
def grid_of_an_unknown_size() -> Any:
    return fg.jit(lambda n: fnp.mgrid[0:n])(3)


@mistake(
    errors.ArgumentError,
    "r_['r', …] asks for a matrix, which arrays are not; use '0,2' or '1,2'",
)
def rows_of_a_matrix() -> Any:
    return fnp.r_["r", VECTOR]


@mistake(
    errors.ArgumentError,
    "r_['0,1,2,3', …]: expected up to three integers, 'axis,ndmin,place', such as '0,2,1'",
)
def unknown_directive() -> Any:
    return fnp.r_["0,1,2,3", VECTOR]


@mistake(
    errors.ArgumentError,
    "c_: the text '0' may only come first",
)
def directive_after_a_part() -> Any:
    return fnp.c_[VECTOR, "0"]


@mistake(
    errors.ArgumentError,
    "r_[…] needs at least one array, number or slice to join",
)
def nothing_to_join() -> Any:
    return fnp.r_[()]


@mistake(
    errors.ArgumentError,
    "ndindex: lengths are not negative, got (2, -1)",
)
def negative_lengths() -> Any:
    return fnp.ndindex(2, -1)


@mistake(
    errors.DTypeError,
    "packbits takes booleans or integers, not float32; write x != 0",
)
def bits_of_floats() -> Any:
    return fnp.packbits(MATRIX)


@mistake(
    errors.DTypeError,
    "unpackbits takes uint8, not int32; convert it first: x.astype('uint8')",
)
def bits_of_wide_integers() -> Any:
    return fnp.unpackbits(VECTOR)


@mistake(
    errors.ArgumentError,
    "bitorder='middle': expected 'big' or 'little'",
)
def unknown_bit_order() -> Any:
    return fnp.packbits(VECTOR, bitorder="middle")


@mistake(
    errors.ArgumentError,
    "unpackbits: count=-30 leaves out more than the 24 bits along axis 0",
)
def more_bits_left_out_than_there_are() -> Any:
    return fnp.unpackbits(VECTOR.astype("uint8"), count=-30)


@mistake(
    errors.ArgumentError,
    "allow_pickle=True: arrays are numbers and need no pickling, which would run code on reading",
)
def pickles() -> Any:
    return fnp.load("x.npy", allow_pickle=True)


@mistake(
    errors.ArgumentError,
    "mmap_mode='x': expected None, 'r' or 'c'",
)
def unknown_way_to_map() -> Any:
    return fnp.load("x.npy", mmap_mode="x")


@mistake(
    errors.ConcretizationError,
    "array2string needs the value of a traced array of type i32[3], but it depends on the traced input `x` of "
    "type i32[3] of jit of <lambda> (FILE:N).\n"
    "While a function is traced only shapes and dtypes are known. Compute with array operations instead "
    "(fnp.where selects by value), or pass that argument as a static one: fg.jit(f, static_argnums=…).",
)
def text_of_unknown_numbers() -> Any:
    return fg.jit(lambda x: fnp.array2string(x) and x)(VECTOR)


# -- the test ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_the_message_is_exact_and_begins_with_the_users_line(row: Mistake) -> None:
    row.check()
