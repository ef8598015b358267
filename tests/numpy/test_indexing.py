"""Indexing and `.at` against NumPy: random indices, eager and compiled; bounds, modes and messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, ConcretizationError, DTypeError, OutOfBoundsError
from funcgrad.numpy import indexing
from funcgrad.numpy.index_plan import parse


@st.composite
def indexed(draw, masks=True, smallest=0):
    """An array of distinct integers, and an index that NumPy accepts."""
    shape = tuple(draw(st.lists(st.integers(smallest, 4), max_size=4)))
    x = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)
    batch = draw(st.sampled_from([(), (1,), (3,), (2, 1), (2, 3)]))
    used = draw(st.integers(0, len(shape)))
    ellipsis_at = draw(st.integers(-1, used))
    entries = []
    for place in range(used):
        if place == ellipsis_at:
            entries.append(Ellipsis)
        if draw(st.integers(0, 4)) == 0:
            entries.append(None)
        skipped = len(shape) - used if 0 <= ellipsis_at <= place else 0
        entries.append(draw(one_axis(shape[place + skipped], batch, masks)))
    return x, tuple(entries)


@st.composite
def one_axis(draw, length, batch, masks):
    kinds = ["slice"] + ["integer", "array", "array"] * (length > 0) + ["mask"] * (masks and not batch)
    kind = draw(st.sampled_from(kinds))
    if kind == "integer":
        return draw(st.integers(-length, length - 1))
    if kind == "mask":
        return np.array(draw(st.lists(st.booleans(), min_size=length, max_size=length)), bool)
    if kind == "array":
        shape = batch[draw(st.integers(0, len(batch))) :]
        size = int(np.prod(shape))
        values = draw(st.lists(st.integers(-length, length - 1), min_size=size, max_size=size))
        return np.array(values, np.int32).reshape(shape)
    bound = st.none() | st.integers(-length - 2, length + 2)
    return slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, -1, 2, -2, 3])))


def numpy_result(x, index):
    try:
        return x[index]
    except IndexError:  # masks whose counts do not broadcast
        return None


@given(indexed())
def test_reading_agrees_with_numpy(case):
    x, index = case
    expected = numpy_result(x, index)
    if expected is None:
        return
    ours = tuple(fnp.asarray(i) if isinstance(i, np.ndarray) else i for i in index)
    planned = indexing.read(fnp.asarray(x), parse(x.shape, index))
    for result in (fnp.asarray(x)[index], fnp.asarray(x)[ours], planned):
        assert result.shape == expected.shape
        assert result.dtype == x.dtype
        assert np.array_equal(result, expected)


UPDATES = [("set", None), ("add", np.add), ("subtract", np.subtract), ("multiply", np.multiply), ("max", np.maximum)]


@given(indexed(), st.sampled_from(UPDATES))
def test_updates_agree_with_numpy(case, update):
    x, index = case
    name, ufunc = update
    place = numpy_result(x, index)
    if place is None:
        return
    values = np.arange(place.size, dtype=np.int32).reshape(place.shape) * 7 % 5
    expected = x.copy()
    if ufunc is None:
        expected[index] = values
    else:
        ufunc.at(expected, index, values)
    before = fnp.asarray(x)
    assert np.array_equal(getattr(before.at[index], name)(values), expected)
    planned = getattr(before.at[index], name)(values, mode="fill")
    assert np.array_equal(planned, expected)
    assert np.array_equal(before, x)


@given(indexed(masks=False, smallest=1))
def test_compiled_with_traced_indices(case):
    x, index = case
    traced = [place for place, entry in enumerate(index) if isinstance(entry, int | np.ndarray)]

    def read_and_write(array, values, *entries):
        whole = list(index)
        for place, entry in zip(traced, entries, strict=True):
            whole[place] = entry
        place = array.at[tuple(whole)]
        return array[tuple(whole)], place.add(values), place.set(values), place.get(mode="clip"), place.get(mode="wrap")

    expected = x[index]
    values = np.arange(expected.size, dtype=np.int32).reshape(expected.shape) + 100
    added, replaced = x.copy(), x.copy()
    np.add.at(added, index, values)
    replaced[index] = values
    results = fg.jit(read_and_write)(x, values, *(np.asarray(index[place], np.int32) for place in traced))
    for result, wanted in zip(results, (expected, added, replaced, expected, expected), strict=True):
        assert result.shape == wanted.shape
        assert np.array_equal(result, wanted)


# -- out of bounds ------------------------------------------------------------------------------------------------

X = fnp.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (2, OutOfBoundsError, "index 2 is out of bounds for axis 0 of length 2 (shape (2, 3))"),
        ((0, -4), OutOfBoundsError, "index -4 is out of bounds for axis 1 of length 3 (shape (2, 3))"),
        ((0, [0, 5]), OutOfBoundsError, "index 5 is out of bounds for axis 1 of length 3 (shape (2, 3))"),
        (
            (0, 0, 0),
            OutOfBoundsError,
            "too many indices: the array of shape (2, 3) has 2 dimensions, but 3 were indexed",
        ),
        (
            np.zeros(3, bool),
            OutOfBoundsError,
            "a boolean mask of shape (3,) does not fit the array of shape (2, 3): along axis 0 the mask has length 3, "
            "the array 2",
        ),
        (
            1.5,
            DTypeError,
            "an index must be made of integers or booleans, not float32; convert it first: i.astype(int)",
        ),
        (
            "a",
            DTypeError,
            "'a' is not an index: write integers, slices, None, ..., or arrays of integers or booleans",
        ),
        (slice(None, None, 0), ArgumentError, "slice step cannot be zero: slice(None, None, 0)"),
    ],
)
def test_messages(index, error, message):
    for read in (lambda: X[index], lambda: fg.jit(lambda x: x[index])(X), lambda: X.at[index].set(0.0)):
        with pytest.raises(error) as caught:
            read()
        assert caught.value.message == message


def test_a_traced_mask_is_refused_and_a_known_one_is_not():
    with pytest.raises(ConcretizationError, match=r"fnp\.where\(mask, x, fill\)"):
        fg.jit(lambda x: x[x > 2])(X)
    known = np.array([True, False])
    assert np.array_equal(fg.jit(lambda x: x[known])(X), np.asarray(X)[known])
    assert np.array_equal(fg.grad(lambda x: x[x > 2].sum())(X), [[0, 0, 1], [1, 1, 1]])
    assert np.array_equal(fg.jit(lambda x: x.at[x > 2].set(0))(X), [[1, 2, 0], [0, 0, 0]])
    assert np.array_equal(fg.jit(lambda x, m: x.at[m].add(1))(X, known), [[2, 3, 4], [4, 5, 6]])


def test_a_traced_slice_bound_is_refused():
    with pytest.raises(ConcretizationError, match="dynamic_slice_in_dim"):
        fg.jit(lambda x, n: x[:n])(X, 1)


@pytest.mark.parametrize("wrapped", [lambda f: f, fg.jit])
def test_modes(wrapped):
    def get(mode, **options):
        return wrapped(lambda x, i: x.at[:, i].get(mode=mode, **options))(X, np.array([-4, -1, 3]))[0]

    assert np.array_equal(get("clip"), [1, 3, 3])
    assert np.array_equal(get("wrap"), [3, 3, 1])
    assert np.array_equal(get("fill"), [np.nan, 3, np.nan], equal_nan=True)
    assert np.array_equal(get("fill", fill_value=9), [9, 3, 9])
    with pytest.raises(ArgumentError, match="expected"):
        get("nearest")


def test_traced_indices_out_of_bounds_fill_and_drop_if_that_is_asked_for():
    assert np.isnan(fg.jit(lambda x, i: x.at[i].get(mode="fill"))(X, 7)).all()
    with fg.config(check_bounds=False):
        assert np.isnan(fg.jit(lambda x, i: x[i])(X, 7)).all()
        assert np.array_equal(fg.jit(lambda x, i: x.at[i].set(0.0))(X, 7), X)
        integers = fnp.array([1, 2], dtype=np.int8)
        assert fg.jit(lambda x, i: x[i])(integers, 7) == -128


# -- values -------------------------------------------------------------------------------------------------------


def test_values_adopt_the_dtype_or_are_refused():
    integers = fnp.array([1, 2, 3])
    assert integers.at[0].set(True).dtype == np.int32
    assert X.at[0, 0].set(7).dtype == np.float32
    with pytest.raises(DTypeError, match=r"x = x\.astype\('float32'\)"):
        integers.at[0].set(1.5)
    with pytest.raises(DTypeError, match="float32 values would lose information"):
        integers.at[:].add(fnp.ones(3))
    with pytest.raises(DTypeError, match=r"x = x\.astype\(float\)"):
        integers.at[0].divide(2)
    with pytest.raises(DTypeError, match="not booleans"):
        fnp.array([True]).at[0].add(True)


def test_repeated_indices():
    zeros = fnp.zeros(3)
    index = np.array([1, 1, 2])
    assert np.array_equal(zeros.at[index].add(1.0), [0, 2, 1])
    assert np.array_equal(zeros.at[index].set([1.0, 2.0, 3.0]), [0, 2, 3])
    assert np.array_equal(fnp.full(3, 8.0).at[index].divide(2.0), [8, 2, 4])
    assert np.array_equal(fnp.full(3, 2.0).at[index].power(2.0), [2, 16, 4])
    assert np.array_equal(zeros.at[1:].apply(fnp.cos), [0, 1, 1])


def test_derivatives_through_reading_and_writing():
    index = np.array([0, 0, 1])
    assert np.array_equal(fg.grad(lambda x: (x[index] * fnp.arange(3.0)[:, None]).sum())(X), [[1, 1, 1], [2, 2, 2]])
    assert np.array_equal(fg.grad(lambda x: (x.at[:, ::2].set(0.0) ** 2).sum())(X), [[0, 4, 0], [0, 10, 0]])
    values = fg.grad(lambda v: (X.at[index].set(v) ** 2).sum())(fnp.ones((3, 3)))
    assert np.array_equal(values, [[0, 0, 0], [2, 2, 2], [2, 2, 2]])
    rows = fg.vmap(lambda row, i: row.at[i].add(10.0)[i])(X, fnp.array([2, 0]))
    assert np.array_equal(rows, [13, 14])


# -- take, nonzero ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", [lambda f: f, fg.jit])
def test_take(wrapped):
    x, index = np.asarray(X), np.array([[0, 2], [1, 1]])
    for axis in (None, 0, 1, -1):
        bounded = index % (2 if axis == 0 else 3)
        result = wrapped(lambda a, i, axis=axis: fnp.take(a, i, axis=axis))(x, bounded)
        assert np.array_equal(result, np.take(x, bounded, axis=axis))
    for mode in ("clip", "wrap"):
        far = np.array([-5, 7, 1])
        result = wrapped(lambda a, i, mode=mode: fnp.take(a, i, axis=1, mode=mode))(x, far)
        assert np.array_equal(result, np.take(x, far, axis=1, mode=mode))


@pytest.mark.parametrize("wrapped", [lambda f: f, fg.jit])
def test_along_an_axis(wrapped):
    x = np.array([[3, 1, 2], [6, 5, 4]], np.float32)
    order = np.argsort(x, axis=1)
    assert np.array_equal(wrapped(lambda a, i: fnp.take_along_axis(a, i, 1))(x, order), np.sort(x))
    rows = order[:1] % 2
    assert np.array_equal(wrapped(lambda a, i: fnp.take_along_axis(a, i, 0))(x, rows), x[rows, range(3)])
    expected = x.copy()
    np.put_along_axis(expected, order[:, :1], 9, 1)
    result = wrapped(lambda a, i: fnp.put_along_axis(a, i, 9, 1, inplace=False))(x, order[:, :1])
    assert np.array_equal(result, expected)


def test_nonzero():
    x = np.array([[0, 3, 0], [4, 0, 5]])
    for ours, theirs in zip(fnp.nonzero(x), np.nonzero(x), strict=True):
        assert np.array_equal(ours, theirs)
    assert np.array_equal(fnp.argwhere(x), np.argwhere(x))
    assert np.array_equal(fnp.flatnonzero(x), np.flatnonzero(x))
    for wrapped in (lambda f: f, fg.jit):
        rows, columns = wrapped(lambda a: fnp.nonzero(a, size=4, fill_value=-1))(x)
        assert rows.tolist() == [0, 1, 1, -1]
        assert columns.tolist() == [1, 0, 2, -1]
        assert wrapped(lambda a: fnp.flatnonzero(a, size=2))(x).tolist() == [1, 3]
    with pytest.raises(ConcretizationError, match="size="):
        fg.jit(fnp.nonzero)(x)


def test_open_mesh():
    x = np.arange(12).reshape(3, 4)
    ours = fnp.asarray(x)[fnp.ix_([0, 2], [True, False, True, True])]
    assert np.array_equal(ours, x[np.ix_([0, 2], [True, False, True, True])])
