"""Products that sum, against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, ShapeError


def numbers(*shape, dtype=np.float32, seed=0):
    """Small integers: every sum of products is exact."""
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(dtype)


EINSUMS = [
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ij,jk->ki", [(2, 3), (3, 4)]),
    ("ba", [(2, 3)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iji->j", [(3, 2, 3)]),
    ("iii->i", [(3, 3, 3)]),
    ("iijj->ij", [(2, 2, 3, 3)]),
    ("ij->", [(2, 3)]),
    ("i,j->ij", [(2,), (3,)]),
    ("i,i", [(3,), (3,)]),
    ("i,i->i", [(3,), (3,)]),
    (",", [(), ()]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
    ("bij,bjk->bik", [(4, 2, 3), (1, 3, 4)]),
    ("bij,bjk->bik", [(1, 2, 3), (1, 3, 4)]),
    ("...ij,...jk->...ik", [(2, 1, 3, 4), (5, 4, 2)]),
    ("...,...", [(2, 3), (3,)]),
    ("i...->...", [(2, 3, 4)]),
    ("i...j,jk->i...k", [(2, 5, 3), (3, 4)]),
    ("aab,bcc->ac", [(2, 2, 3), (3, 4, 4)]),
    ("ij,ij,ij->j", [(2, 3)] * 3),
    ("ijk,ilm,njm,nlk,abc->", [(2, 3, 4), (2, 5, 6), (2, 3, 6), (2, 5, 4), (2, 2, 2)]),
    ("ij,jk->ik", [(0, 3), (3, 2)]),
]


@pytest.mark.parametrize(("subscripts", "shapes"), EINSUMS)
@pytest.mark.parametrize("optimize", ["auto", False])
def test_einsum(subscripts, shapes, optimize):
    operands = [numbers(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    expected = np.einsum(subscripts, *operands)
    result = fnp.einsum(subscripts, *operands, optimize=optimize)
    assert result.shape == expected.shape
    assert np.array_equal(result, expected)


def test_einsum_compiled_and_differentiated():
    x, y = numbers(2, 3), numbers(3, 4, seed=1)
    assert np.array_equal(fg.jit(lambda a, b: fnp.einsum("ij,jk->ki", a, b))(x, y), (x @ y).T)
    gradient = fg.grad(lambda a: fnp.einsum("ij,jk->", a, y))(fnp.asarray(x))
    assert np.array_equal(gradient, np.broadcast_to(y.sum(1), x.shape))


def test_interleaved_einsum():
    x, y = numbers(2, 3), numbers(3, 4)
    assert np.array_equal(fnp.einsum(x, [0, 1], y, [1, 2], [0, 2]), x @ y)
    assert np.array_equal(fnp.einsum(x, [0, 1], y, [1, 2]), x @ y)
    assert np.array_equal(fnp.einsum(x, [..., 1], y, [1, 2], [..., 2]), x @ y)


def test_einsum_keeps_the_preferred_dtype_through_every_step():
    half = [fnp.ones((2, 2), dtype=np.float16)] * 3
    assert fnp.einsum("ij,jk,kl->il", *half, preferred_element_type=np.float32).dtype == np.float32


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
            lambda: fnp.einsum("ij,jk", fnp.ones((2, 3)), fnp.ones((4, 5))),
            ShapeError,
            "einsum 'ij,jk': index 'j' has length 3 and length 4 (shapes (2, 3) and (4, 5))",
        ),
        (
            lambda: fnp.einsum("i,i->", fnp.ones((2, 3)), fnp.ones(2)),
            ShapeError,
            "einsum 'i,i->': an operand of shape (2, 3) has 1 indices, 'i'",
        ),
        (
            lambda: fnp.tensordot(fnp.ones((2, 3)), fnp.ones((2, 3)), 3),
            AxisError,
            "tensordot: axes=3 needs that many axes in both shapes, (2, 3) and (2, 3)",
        ),
        (lambda: fnp.einsum("ij"), ArgumentError, "einsum takes at least one operand"),
    ],
)
def test_messages(function, error, message):
    with pytest.raises(error) as caught:
        function()
    assert caught.value.message == message
