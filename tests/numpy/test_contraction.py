"""Products that sum, against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, ShapeError

from .surface import Call, agree, shaped


def numbers(*shape, dtype=np.float32, seed=0):
    """Small integers: every sum of products is exact."""
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(dtype)


@st.composite
def matrix_pairs(draw):
    n, k, m = (draw(st.integers(0, 3)) for _ in range(3))
    batch = draw(st.lists(st.integers(1, 3), max_size=2))
    stretched = [1 if draw(st.booleans()) else length for length in batch]
    first = [(k,), (n, k), (*batch, n, k)]
    second = [(k,), (k, m), (*stretched[draw(st.integers(0, len(batch))) :], k, m)]
    return draw(st.sampled_from(first)), draw(st.sampled_from(second))


@given(matrix_pairs())
def test_matmul(shapes):
    a, b = numbers(*shapes[0]), numbers(*shapes[1], seed=1)
    expected = np.matmul(a, b)
    staged = fg.eval_shape(fnp.matmul, a, b)
    assert staged.shape == expected.shape
    assert np.array_equal(fnp.matmul(a, b), expected)
    assert np.array_equal(fnp.matmul(a, b, precision="highest"), expected)
    assert np.array_equal(fnp.dot(a, b), np.dot(a, b))


@pytest.mark.parametrize("dtype", [np.int32, np.bool_, np.complex64, np.float16, "bfloat16"])
def test_matmul_keeps_the_dtype(dtype):
    a, b = fnp.asarray(numbers(2, 3)).astype(dtype), fnp.asarray(numbers(3, 4)).astype(dtype)
    assert (a @ b).dtype == a.dtype
    wide = np.asarray(a.astype(np.complex64)) @ np.asarray(b.astype(np.complex64))
    assert np.array_equal(np.asarray(a @ b).astype(np.complex64), (wide != 0) if dtype is np.bool_ else wide)


KINDS = st.sampled_from("biFC")


@st.composite
def two(draw):
    """Two arrays of dtypes that may differ, with lengths that often fit."""
    lengths = st.integers(0, 3) if draw(st.booleans()) else st.just(2)
    shapes = [draw(st.lists(lengths, max_size=3).map(tuple)) for _ in range(2)]
    return Call(tuple(draw(shaped(shape, draw(KINDS))) for shape in shapes))


@pytest.mark.parametrize("name", ["matmul", "dot", "vdot", "inner", "outer", "kron", "vecdot", "matvec", "vecmat"])
@given(st.data())
def test_products(name, data):
    if hasattr(np, name):  # the last two came with NumPy 2.2
        agree(name, data.draw(two()), absolute=4)


@given(two(), st.integers(-1, 3) | st.tuples(*[st.integers(-2, 2) | st.lists(st.integers(-2, 2), max_size=2)] * 2))
def test_tensordot(drawn, axes):
    agree("tensordot", Call(drawn.args, {"axes": axes}), absolute=4)


@given(st.data())
def test_cross(data):
    def vectors(*shapes):
        return data.draw(shaped(data.draw(st.sampled_from(shapes)), data.draw(st.sampled_from("iFC"))))

    agree("cross", Call((vectors((3,), (3, 3), (1, 3)), vectors((3,), (2, 3)))), absolute=4)
    first, second = vectors((3, 2), (3, 1)), vectors((2, 3), (4, 2, 3), (3,))
    agree("cross", Call((first, second), {"axisa": 0, "axisc": data.draw(st.integers(-3, 2))}), absolute=4)
    agree("cross", Call((first, first[::-1]), {"axis": data.draw(st.sampled_from([0, -2]))}), absolute=4)


@pytest.mark.parametrize("name", ["matmul", "dot", "vdot", "inner", "outer", "kron", "vecdot", "cross"])
@pytest.mark.parametrize("kind", [np.int32, np.bool_, np.complex64])
def test_products_compiled(name, kind):
    if name != "cross" or kind is not np.bool_:
        agree(name, Call((numbers(3, 3).astype(kind), numbers(3, 3, seed=1).astype(kind))), compiled=True)


def test_other_products():
    a, b, c, d = numbers(2, 3), numbers(4, 3, seed=1), numbers(3), numbers(3, 2, 5, seed=2)
    assert np.array_equal(fnp.inner(a, b), np.inner(a, b))
    assert np.array_equal(fnp.outer(a, c), np.outer(a, c))
    assert np.array_equal(fnp.tensordot(a, d, 1), np.einsum("ij,jkl->ikl", a, numbers(3, 2, 5, seed=2)))
    assert np.array_equal(fnp.tensordot(a, d, ((0, 1), (1, 0))), np.tensordot(a, d, ((0, 1), (1, 0))))
    assert np.array_equal(fnp.kron(a, b), np.kron(a, b))
    assert np.array_equal(fnp.kron(a, c), np.kron(a, c))
    assert np.array_equal(fnp.cross(b, c), np.cross(b, c))
    assert np.array_equal(fnp.matvec(a, c), a @ c)
    z = (numbers(2, 3) + 1j * numbers(2, 3, seed=3)).astype(np.complex64)
    assert np.array_equal(fnp.vdot(z, a), np.vdot(z, a))
    assert np.array_equal(fnp.vecdot(z, z[::-1]), np.vecdot(z, z[::-1]))
    assert np.array_equal(fnp.vecmat(z[0], d[:, :, 0]), np.vecmat(z[0], d[:, :, 0]))


@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (2, 3, 4), (1, 1), (0, 2)])
@pytest.mark.parametrize("offset", [-4, -1, 0, 1, 2, 5])
def test_diagonal_and_trace(shape, offset):
    x = numbers(*shape)
    for axes in ((0, 1), (1, 0), (-1, 0)):
        assert np.array_equal(fnp.diagonal(x, offset, *axes), np.diagonal(x, offset, *axes))
        assert np.array_equal(fnp.trace(x, offset, *axes), np.trace(x, offset, *axes))
    assert fnp.trace(x.astype(np.int8)).dtype == np.int32
    assert fnp.trace(x.astype(np.int8), dtype=np.int8).dtype == np.int8


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (
            lambda: fnp.ones((2, 3)) @ fnp.ones((4, 5)),
            ShapeError,
            "matmul: shapes (2, 3) and (4, 5) do not contract: axis 1 of the first has length 3, "
            "axis 0 of the second has length 4",
        ),
        (
            lambda: fnp.matmul(fnp.ones((2, 3)), 2.0),
            ShapeError,
            "matmul takes arrays of at least one dimension, got shapes (2, 3) and (); use * for scalars",
        ),
        (
            lambda: fnp.tensordot(fnp.ones((2, 3)), fnp.ones((2, 3)), 3),
            AxisError,
            "tensordot: axes=3 needs that many axes in both shapes, (2, 3) and (2, 3)",
        ),
        (
            lambda: fnp.tensordot(fnp.ones((2, 2)), fnp.ones((2, 2)), ((0, 0), (0, 1))),
            AxisError,
            "tensordot: axes=((0, 0), (0, 1)) names an axis twice",
        ),
        (
            lambda: fnp.tensordot(fnp.ones((2, 2)), fnp.ones((2, 2)), (0, (0, 1))),
            AxisError,
            "tensordot: axes=(0, (0, 1)); expected a number, or equally many axes of each operand",
        ),
        (
            lambda: fnp.dot(fnp.ones(2), fnp.ones(2), np.zeros(())),
            ArgumentError,
            "dot: out= is not supported, arrays are immutable; use the returned array",
        ),
        (
            lambda: fnp.cross(fnp.ones(2), fnp.ones(2)),
            ShapeError,
            "cross takes vectors of length 3, got shapes (2,) and (2,)",
        ),
    ],
)
def test_messages(function, error, message):
    with pytest.raises(error) as caught:
        function()
    assert caught.value.message == message
