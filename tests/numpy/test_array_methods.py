"""Arrays and tracers have NumPy's operators, methods and protocols, and cannot be written into."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, ConcretizationError, DTypeError, ImmutableError, ShapeError
from funcgrad.higher_order.jit import jit

from .oracle import BOOLS, CUBE, FLOATS, INTS, agree

ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("apply", ARITHMETIC + COMPARISONS)
def test_operators_agree_with_numpy(apply):
    agree(lambda m, x: apply(x, 0.7), FLOATS)
    agree(lambda m, x: apply(0.7, x), FLOATS)
    agree(lambda m, x: apply(x, x[::-1]), FLOATS)
    agree(lambda m, x: apply(x, 3), INTS)


@pytest.mark.parametrize("apply", [operator.and_, operator.or_, operator.xor])
def test_bit_operators_agree_with_numpy(apply):
    agree(lambda m, x: apply(x, 3), INTS)
    agree(lambda m, x: apply(6, x), INTS)
    agree(lambda m, x: apply(x, x[::-1]), BOOLS)


def test_other_operators_agree_with_numpy():
    agree(lambda m, x: (-x, +x, abs(x), x**2, 2**x, divmod(x, 0.7)), FLOATS)
    agree(lambda m, x: (x @ x.T, ~(x > 0)), FLOATS)
    agree(lambda m, x: (x << 1, x >> 1), INTS)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.sum(0), lambda x: x.mean(), lambda x: x.max(-1), lambda x: x.std(0), lambda x: x.reshape(4, 6),
        lambda x: x.reshape((4, -1)), lambda x: x.transpose(), lambda x: x.transpose(1, 0, 2), lambda x: x.T,
        lambda x: x.mT, lambda x: x.ravel(), lambda x: x.flatten(), lambda x: x.squeeze(), lambda x: x.clip(-1, 1),
        lambda x: x.round(1), lambda x: x.conj(), lambda x: x.real, lambda x: x.imag, lambda x: x.cumsum(1),
        lambda x: x.argmax(1), lambda x: x.astype(np.int32), lambda x: x.copy(), lambda x: x.repeat(2, 0),
        lambda x: x.swapaxes(0, 1), lambda x: x.dot(x[0].T), lambda x: x.any(), lambda x: x.all(0), lambda x: x.var(1),
        lambda x: x.diagonal(), lambda x: x.prod(2), lambda x: x.take(np.array([0, 1]), 1), lambda x: list(x),
        lambda x: x.argsort(1),
    ],
)  # fmt: skip
def test_methods_agree_with_numpy(call):
    agree(lambda m, x: call(x), CUBE)


def test_python_values():
    assert round(fnp.asarray([1.26]), 1).tolist() == fnp.asarray([1.3]).tolist()
    assert float(fnp.asarray(2.5)) == 2.5
    assert int(fnp.asarray([3])) == 3
    assert complex(fnp.asarray(1j)) == 1j
    assert bool(fnp.asarray(1))
    assert [10, 20, 30][fnp.asarray(1)] == 20
    assert fnp.asarray([[1, 2]]).tolist() == [[1, 2]]
    assert fnp.asarray([[1, 2]]).item(1) == 2
    assert len(fnp.ones((3, 2))) == 3
    assert 2 in fnp.arange(3)


def test_python_values_known_while_tracing():
    def scaled(x):
        count = fnp.asarray(x.shape).prod()
        return x * (2 if count > 5 else 3) * int(count)

    np.testing.assert_array_equal(np.asarray(jit(scaled)(fnp.ones(2))), [6, 6])


@pytest.mark.parametrize("ask", [float, int, complex, np.asarray, operator.index, lambda x: x.item()])
def test_values_that_depend_on_a_traced_input_are_not_known(ask):
    with pytest.raises(ConcretizationError, match="depends on the traced input"):
        jit(lambda x: ask(x) * 1)(fnp.asarray(2))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: bool(x), ArgumentError),
        (lambda x: float(x), ArgumentError),
        (lambda x: len(x[0, 0]), DTypeError),
        (lambda x: iter(x[0, 0]), DTypeError),
        (lambda x: operator.index(x[0, 0]), DTypeError),
        (lambda x: hash(x), TypeError),
        (lambda x: x + "text", TypeError),
    ],
)
def test_questions_without_an_answer_are_refused(call, error):
    with pytest.raises(error):
        call(fnp.ones((2, 3)))


def test_assignment_shows_the_line_to_write():
    x = fnp.zeros(3)
    with pytest.raises(ImmutableError, match=r"x = x\.at\[i\]\.set\(v\)"):
        x[0] = 1
    with pytest.raises(ImmutableError):
        del x[0]
    with pytest.raises(ImmutableError, match="immutable"):
        np.add(np.ones(3), np.ones(3), out=x)
    before = x
    x += 1
    assert float(before.sum()) == 0
    assert float(x.sum()) == 3


def test_numpy_functions_and_operands_give_our_arrays():
    x = fnp.ones((2, 3))
    for found in (np.sin(x), np.add(np.ones(3), x), np.float32(2) * x, np.ones((2, 3)) - x, np.ones((2, 2)) @ x):
        assert isinstance(found, fnp.ndarray)
    assert (np.float32(2) * x).dtype == np.float32
    assert jit(lambda x: np.exp(x) * np.float32(2))(x).shape == (2, 3)
    assert not np.asarray(x).flags.writeable


def test_other_classes_may_answer():
    class Unit:
        def __radd__(self, other):
            return "added"

    assert fnp.ones(2) + Unit() == "added"
    assert (fnp.ones(2) == None) is False  # noqa: E711


@pytest.mark.parametrize("wanted", ["int32", "int8", "float64", "uint16", "complex64", "complex128"])
@pytest.mark.parametrize("given", ["float32", "complex64", "int16"])
def test_views_read_the_same_bits(given, wanted):
    x = np.arange(24).reshape(3, 8).astype(given)
    expected = x.view(wanted)
    for view in (lambda a: a.view(wanted), jit(lambda a: a.view(wanted))):
        found = np.asarray(view(fnp.asarray(x)))
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_views_of_what_does_not_divide_are_refused():
    with pytest.raises(ShapeError, match="cannot be read as float64"):
        fnp.ones((2, 3)).view("float64")
    with pytest.raises(ShapeError):
        fnp.ones(()).view("int8")


def test_methods_of_numpys_that_have_functions_here():
    x = fnp.asarray([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]])
    np.testing.assert_array_equal(x.compress([True, False, True], 1), [[3, 2], [6, 4]])
    np.testing.assert_array_equal(x.partition(0)[:, 0], [1, 4])
    np.testing.assert_array_equal(x.argpartition(0)[:, 0], [1, 2])
    np.testing.assert_array_equal(fnp.asarray([0, 1]).choose([[1, 2], [3, 4]]), [1, 4])
    assert x.flat[4] == 5.0
    assert x.tobytes() == np.asarray(x).tobytes()


@pytest.mark.parametrize("call", [lambda x: x.fill(0), lambda x: x.put([0], 1), lambda x: x.resize(3)])
def test_methods_that_would_write_say_what_to_write_instead(call):
    with pytest.raises(ImmutableError, match=r"x = fnp\.(full_like|put|resize)\(x, "):
        call(fnp.ones((2, 2)))
