"""Golden messages of mistakes in making, combining, writing and indexing arrays."""

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
INTEGERS = fnp.arange(3)


# -- making arrays -----------------------------------------------------------------------------------------------------


@mistake(
    errors.RaggedError,
    "nested sequences must be rectangular: row 1 has 1 element, row 0 has 2 elements. Pad the rows to one length,"
    " or keep them in a Python list.",
)
def ragged_list() -> Any:
    return fnp.array([[1, 2], [3]])


@mistake(
    errors.RaggedError,
    "nested sequences must be rectangular: element [1][1] is a scalar, element [1][0] has 2 elements. Pad the "
    "rows to one length, or keep them in a Python list.",
)
def ragged_deeper() -> Any:
    return fnp.array([[[1, 2], [3, 4]], [[1, 2], 5]])


@mistake(
    errors.DTypeError,
    "an object of type object is not numeric; arrays hold booleans and numbers. Keep strings and objects in "
    "Python lists.",
)
def object_value() -> Any:
    return fnp.array(object())


@mistake(
    errors.DTypeError,
    "dtype object is not numeric; arrays hold booleans and numbers. Keep strings and objects in Python lists.",
)
def object_array() -> Any:
    return fnp.array(np.array([None, 1]))


@mistake(
    errors.DTypeError,
    "an object of type str is not numeric; arrays hold booleans and numbers. Keep strings and objects in Python lists.",
)
def string_value() -> Any:
    return fnp.asarray("abc")


@mistake(
    errors.DTypeError,
    "element [1] cannot be part of an array: an object of type str is not numeric; arrays hold booleans and "
    "numbers. Keep strings and objects in Python lists.",
)
def string_in_a_list() -> Any:
    return fnp.array([1, "b"])


@mistake(
    errors.DTypeError,
    "dtype <U0 is not numeric: arrays here hold bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, "
    "float8_e3m4, float8_e4m3, float8_e4m3b11fnuz, float8_e4m3fn, float8_e4m3fnuz, float8_e5m2, float8_e5m2fnuz, "
    "float8_e8m0fnu, bfloat16, float16, float32, float64, complex64, complex128. Keep strings and objects in "
    "Python lists or NumPy arrays.",
)
def string_dtype() -> Any:
    return fnp.zeros(3, dtype=str)


@mistake(
    errors.DTypeError,
    "'float99' is not a dtype: data type 'float99' not understood",
)
def unknown_dtype() -> Any:
    return fnp.zeros(3, dtype="float99")


@mistake(
    errors.DTypeError,
    "float8_e5m2 and float8_e4m3fn have no common dtype: neither holds the other's values. Convert one of them, "
    "for instance x.astype('float8_e4m3fn').",
)
def no_common_float8() -> Any:
    return fnp.zeros(1, fnp.float8_e5m2) + fnp.zeros(1, fnp.float8_e4m3fn)


# -- shapes and axes ---------------------------------------------------------------------------------------------------


@mistake(
    errors.ShapeError,
    "shapes (2, 3) and (4,) do not broadcast: lined up from the right, two lengths must be equal or one of them "
    "1, but 3 meets 4",
)
def does_not_broadcast() -> Any:
    return MATRIX + fnp.ones(4)


@mistake(
    errors.ShapeError,
    "matmul: shapes (2, 3) and (2, 3) do not contract: axis 1 of the first has length 3, axis 0 of the second has"
    " length 2",
)
def matmul_does_not_contract() -> Any:
    return MATRIX @ MATRIX


@mistake(
    errors.ShapeError,
    "dot: shapes (2, 3) and (2,) do not contract: axis 1 of the first has length 3, axis 0 of the second has length 2",
)
def dot_does_not_contract() -> Any:
    return fnp.dot(MATRIX, fnp.ones(2))


@mistake(
    errors.ShapeError,
    "einsum 'ij,jk->ik': index 'j' has length 3 and length 2 (shapes (2, 3) and (2, 3))",
)
def einsum_does_not_contract() -> Any:
    return fnp.einsum("ij,jk->ik", MATRIX, MATRIX)


@mistake(
    errors.ShapeError,
    "tensordot: shapes (2, 3) and (2, 3) do not contract: axis 1 of the first has length 3, axis 0 of the second "
    "has length 2",
)
def tensordot_does_not_contract() -> Any:
    return fnp.tensordot(MATRIX, MATRIX, axes=1)


@mistake(
    errors.ShapeError,
    "add: operands must have equal shapes, got (2, 3) and (3,); funcgrad.numpy broadcasts",
)
def lax_needs_equal_shapes() -> Any:
    return fg.lax.add(MATRIX, fnp.ones(3))


@mistake(
    errors.AxisError,
    "axis 2 is out of bounds for an array of 2 dimensions",
)
def wrong_axis() -> Any:
    return fnp.sum(MATRIX, axis=2)


@mistake(
    errors.AxisError,
    "axis=(0, 0) names an axis twice",
)
def axis_named_twice() -> Any:
    return MATRIX.sum(axis=(0, 0))


@mistake(
    errors.ShapeError,
    "concatenate: shapes (2, 3) and (2, 2) differ elsewhere than along axis 0",
)
def concatenate_differs() -> Any:
    return fnp.concatenate([MATRIX, fnp.ones((2, 2))], axis=0)


@mistake(
    errors.ShapeError,
    "cannot reshape an array of shape (2, 3) (6 elements) into shape (4, 2)",
)
def reshape_of_another_size() -> Any:
    return MATRIX.reshape(4, 2)


@mistake(
    errors.ShapeError,
    "cannot squeeze axis 0 of shape (2, 3): its length is 2, not 1",
)
def squeeze_of_a_long_axis() -> Any:
    return fnp.squeeze(MATRIX, 0)


@mistake(
    errors.ShapeError,
    "zero-size array to reduction max, which has no identity: an array of shape (0,) has no elements; pass "
    "initial=, the result for no elements",
)
def max_of_nothing() -> Any:
    return fnp.max(fnp.zeros(0))


@mistake(
    errors.ShapeError,
    "zero-size array to reduction min, which has no identity: an array of shape (0, 3) has no elements along axis"
    " 0; pass initial=, the result for no elements",
)
def min_of_nothing_along_an_axis() -> Any:
    return fnp.zeros((0, 3)).min(axis=0)


@mistake(
    errors.ShapeError,
    "argmax of no elements: an array of shape (0,) is empty along axis 0",
)
def argmax_of_nothing() -> Any:
    return fnp.argmax(fnp.zeros(0))


@mistake(
    errors.ArgumentError,
    "the truth value of an array of shape (2, 3) is ambiguous; use x.any() or x.all(), or & | ~ in place of and, "
    "or, not",
)
def truth_of_many() -> Any:
    return bool(MATRIX)


@mistake(
    errors.ArgumentError,
    "float(x) takes an array of one element, got shape (2, 3)",
)
def float_of_many() -> Any:
    return float(MATRIX)


@mistake(
    errors.DTypeError,
    "len(x) of an array of no dimensions",
)
def length_of_a_scalar() -> Any:
    return len(fnp.asarray(1.0))


# -- writing -----------------------------------------------------------------------------------------------------------


@mistake(
    errors.ImmutableError,
    "arrays are immutable: x[i] = v is not there. Write instead\n"
    "    x = x.at[i].set(v)\n"
    "or x = x.at[i].add(v) in place of x[i] += v.",
)
def assignment() -> None:
    MATRIX[0] = 1


@mistake(
    errors.ImmutableError,
    "arrays are immutable: x[i] = v is not there. Write instead\n"
    "    x = x.at[i].set(v)\n"
    "or x = x.at[i].add(v) in place of x[i] += v.",
)
def augmented_assignment() -> None:
    MATRIX[0] += 1


@mistake(
    errors.ImmutableError,
    "arrays are immutable: x[i] = v is not there. Write instead\n"
    "    x = x.at[i].set(v)\n"
    "or x = x.at[i].add(v) in place of x[i] += v.",
)
def deletion() -> None:
    del MATRIX[0]


@mistake(
    errors.ImmutableError,
    "np.add(…, out=x): arrays are immutable; bind the result to a name instead",
)
def numpy_out() -> Any:
    return np.add(MATRIX, 1, out=MATRIX)


# -- indices -----------------------------------------------------------------------------------------------------------


@mistake(
    errors.OutOfBoundsError,
    "index 5 is out of bounds for axis 0 of length 2 (shape (2, 3))",
)
def eager_index_out_of_bounds() -> Any:
    return MATRIX[5]


@mistake(
    errors.OutOfBoundsError,
    "index -4 is out of bounds for axis 1 of length 3 (shape (2, 3))",
)
def second_index_out_of_bounds() -> Any:
    return MATRIX[0, -4]


@mistake(
    errors.OutOfBoundsError,
    "index 7 is out of bounds for axis 0 of length 2 (shape (2, 3))",
)
def index_array_out_of_bounds() -> Any:
    return MATRIX[fnp.array([0, 7])]


@mistake(
    errors.OutOfBoundsError,
    "index 5 is out of bounds for axis 0 of length 2 (shape (2, 3))",
)
def static_index_out_of_bounds() -> Any:
    return fg.jit(lambda x: x[5])(MATRIX)


@mistake(
    errors.OutOfBoundsError,
    "index 7 is out of bounds for axis 0 of length 2 (shape (2, 3))",
)
def update_out_of_bounds() -> Any:
    return MATRIX.at[7].set(1.0)


@mistake(
    errors.OutOfBoundsError,
    "too many indices: the array of shape (2, 3) has 2 dimensions, but 3 were indexed",
)
def too_many_indices() -> Any:
    return MATRIX[0, 0, 0]


@mistake(
    errors.DTypeError,
    "an index must be made of integers or booleans, not float32; convert it first: i.astype(int)",
)
def float_index() -> Any:
    return MATRIX[1.0]


@mistake(
    errors.DTypeError,
    "'a' is not an index: write integers, slices, None, ..., or arrays of integers or booleans",
)
def string_index() -> Any:
    return MATRIX["a"]


@mistake(
    errors.OutOfBoundsError,
    "a boolean mask of shape (3,) does not fit the array of shape (2, 3): along axis 0 the mask has length 3, the"
    " array 2",
)
def mask_that_does_not_fit() -> Any:
    return MATRIX[fnp.array([True, False, True])]


# -- the test ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_the_message_is_exact_and_begins_with_the_users_line(row: Mistake) -> None:
    row.check()


def test_mistakes_change_nothing() -> None:
    before = np.array(MATRIX)
    for row in mistake.rows:
        with pytest.raises(row.kind):
            row.function()
    np.testing.assert_array_equal(MATRIX, before)


def test_rebinding_operators_work() -> None:
    x = y = fnp.ones(2)
    x += 1
    np.testing.assert_array_equal(x, [2, 2])
    np.testing.assert_array_equal(y, [1, 1])


def test_attributes_are_read_only_and_arrays_do_not_hash() -> None:
    with pytest.raises(AttributeError):
        MATRIX.shape = (3, 2)
    with pytest.raises(TypeError, match="unhashable type: 'Array'"):
        hash(MATRIX)


def test_python_integers_that_do_not_fit_overflow_as_in_numpy() -> None:
    with pytest.raises(OverflowError, match="Python int 1099511627776 is out of bounds for int32"):
        fnp.asarray(2**40)
    with pytest.raises(OverflowError, match="does not fit the default integer dtype int32"):
        fg.jit(lambda n: n)(2**40)
