"""Functions of elements, vectors and positions on whole arrays; arrays of iterables, bytes and text: as NumPy's."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError
from tests.numpy.surface import Call, agree, arrays, axes, operands, shaped

# -- vectorize --------------------------------------------------------------------------------------------------------


def polynomial(x: Any, y: Any) -> Any:
    return x * x - 3 * y


def total_and_mean(v: Any) -> Any:
    return v.sum(), v.sum() / v.shape[0]


@settings(max_examples=40)
@given(operands(2, "if", mixed=True).map(Call))
def test_vectorize_broadcasts(drawn: Call) -> None:
    if np.broadcast(*drawn.args).size:  # NumPy's refuses to map over nothing
        agree(lambda module, *args: module.vectorize(polynomial)(*args), drawn, same_dtype=False)
    else:
        expected = np.broadcast_shapes(*(x.shape for x in drawn.args))
        assert fnp.vectorize(polynomial)(*map(fnp.asarray, drawn.args)).shape == expected


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("signature", "function", "shapes"),
    [
        ("(n),(n)->()", lambda m, x, y: (x * y).sum(), [(4, 1, 3), (2, 3)]),
        ("(m,n),(n)->(m)", lambda m, a, v: m.matmul(a, v), [(2, 3), (5, 3)]),
        ("(m,n),(n)->(m)", lambda m, a, v: m.matmul(a, v), [(2, 2, 3), (3,)]),
        (" (n) -> (n, n)", lambda m, v: m.outer(v, v), [(2, 3)]),
        ("(n)->(),(n)", lambda m, v: (v.max(), v - v.max()), [(1, 2, 3)]),
        ("(),(k)->(k)", lambda m, x, v: x * v, [(4,), (2,)]),
        ("(n)->(p)", lambda m, v: v[:2], [(2, 3)]),
        ("()->(k)", lambda m, x: x * m.ones(3, "float32"), [()]),
    ],
)
def test_vectorize_with_a_signature(signature: str, function: Any, shapes: list[Any], compiled: bool) -> None:
    random = np.random.default_rng(0)
    drawn = Call(tuple(random.normal(size=shape).astype(np.float32) for shape in shapes))

    def run(module: Any, *args: Any) -> Any:
        return module.vectorize(lambda *xs: function(module, *xs), signature=signature)(*args)

    agree(run, drawn, compiled=compiled)


@pytest.mark.parametrize("module", [np, fnp])
def test_vectorize_hands_excluded_arguments_on(module: Any) -> None:
    x = module.asarray([1.0, 2.0])
    weights = module.asarray([[1.0, 2.0], [3.0, 4.0]])

    def weighted(x: Any, w: Any, *, shift: Any = 0, label: str = "") -> Any:
        assert w.shape == (2, 2)
        return x * w[1, 0] + shift + (label == "up")

    by_place = module.vectorize(weighted, excluded={1, "label"})
    np.testing.assert_array_equal(by_place(x, weights), [3, 6])
    np.testing.assert_array_equal(by_place(x, weights, shift=x, label="up"), [5, 9])


def test_vectorize_is_a_decorator_and_keeps_the_functions_name() -> None:
    @fnp.vectorize(otypes="d", doc="Twice.")
    def double(x: Any) -> Any:
        return 2 * x

    assert (double.__name__, double.__doc__) == ("double", "Twice.")
    assert double(fnp.arange(2)).dtype == np.float64
    both = fnp.vectorize(lambda x: (x, x), otypes=["float16", int])
    assert [y.dtype.name for y in both(fnp.ones((2, 2)))] == ["float16", "int32"]


def test_vectorize_keeps_python_numbers_weak_inside_and_strong_outside() -> None:
    halves = fnp.ones(2, fnp.float16)
    assert fnp.vectorize(lambda x, y: x * y)(halves, 2.5).dtype == np.float16
    assert (fnp.vectorize(lambda x: x)(2.5) + halves).dtype == np.float32


def test_vectorized_functions_are_transformed() -> None:
    angle = fnp.vectorize(lambda u, v: u @ v / fnp.sqrt((u @ u) * (v @ v)), signature="(n),(n)->()")
    u, v = fnp.asarray([[3.0, 4.0], [1.0, 0.0]]), fnp.asarray([1.0, 1.0])
    expected = fg.vmap(fg.grad(lambda u: u @ v / fnp.sqrt((u @ u) * (v @ v))))(u)
    np.testing.assert_allclose(fg.grad(lambda u: angle(u, v).sum())(u), expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(fg.vmap(angle, (0, None))(u, v), angle(u, v), rtol=1e-6)


def test_vectorize_calls_the_function_once() -> None:
    calls = []
    fnp.vectorize(lambda x: calls.append(1) or x)(fnp.ones((20, 30)))
    assert len(calls) == 1


# -- along axes -------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(arrays("if", min_dims=0, min_side=1), axes(low=-2), st.sampled_from(["sort", "sum", "outer"]))
def test_apply_along_axis(x: np.ndarray, axis: int, name: str) -> None:
    def run(module: Any, x: Any) -> Any:
        function = {"sort": module.sort, "sum": lambda v: v.sum(), "outer": lambda v: module.outer(v, v)}[name]
        return module.apply_along_axis(function, axis, x)

    agree(run, Call((x,)), same_dtype=False)


def test_apply_along_axis_compiled_with_further_arguments() -> None:
    def run(module: Any, x: Any) -> Any:
        return module.apply_along_axis(lambda v, k, *, scale: scale * v[:k], 1, x, 2, scale=3)

    for compiled in (False, True):
        agree(run, Call((np.arange(24, dtype=np.float32).reshape(2, 3, 4),)), compiled=compiled)


@given(arrays("if", min_dims=1), st.sampled_from([0, -1, (0, 1), [1, 0], (0, 2)]))
def test_apply_over_axes(x: np.ndarray, wanted: Any) -> None:
    drawn = Call((x,))
    agree(lambda module, x: module.apply_over_axes(module.sum, x, wanted), drawn, same_dtype=False)
    agree(lambda module, x: module.apply_over_axes(lambda a, axis: module.flip(a, axis), x, wanted), drawn)


@given(st.lists(st.integers(0, 3), max_size=3).map(tuple), st.sampled_from([int, float, "float16"]))
def test_fromfunction(shape: Any, dtype: Any) -> None:
    if shape:
        agree(
            lambda module: module.fromfunction(lambda *xs: sum(xs) * 2, shape, dtype=dtype), Call(()), same_dtype=False
        )
        assert fnp.fromfunction(lambda *xs: xs[0], shape, dtype=dtype).dtype == fnp.zeros(0, dtype).dtype


# -- from iterables, bytes and text -----------------------------------------------------------------------------------


@given(st.lists(st.integers(-5, 5), max_size=4), st.sampled_from(["int32", "float32", "complex64"]), st.integers(-1, 5))
def test_fromiter(values: list[int], dtype: str, count: int) -> None:
    agree(lambda module: module.fromiter(iter(values), dtype, count), Call(()))


@given(shaped(6, "IFC"), st.integers(-2, 7), st.integers(-1, 25))
def test_frombuffer(x: np.ndarray, count: int, offset: int) -> None:
    agree(lambda module: module.frombuffer(x.tobytes(), x.dtype, count, offset), Call(()), same_dtype=False)
    assert fnp.frombuffer(x.tobytes(), x.dtype).dtype == x.dtype


def test_frombuffer_copies_and_knows_every_dtype() -> None:
    data = bytearray(np.array([1.5, -2.0], ml_dtypes.bfloat16).tobytes())
    x = fnp.frombuffer(data, fnp.bfloat16)
    data[:] = bytes(len(data))
    assert (x.dtype, x.tolist()) == (fnp.bfloat16, [1.5, -2.0])
    floats = fnp.arange(3.0)
    np.testing.assert_array_equal(fnp.frombuffer(memoryview(np.asarray(floats)).tobytes()), floats)


@pytest.mark.parametrize(
    ("text", "dtype", "sep", "expected"),
    [
        ("1, 2,3", int, ",", [1, 2, 3]),
        ("1.5 -2e3", float, " ", [1.5, -2000]),
        ("0.5;1", "bfloat16", ";", [0.5, 1]),
        ("7", "uint8", ",", [7]),
    ],
)
def test_fromstring(text: str, dtype: Any, sep: str, expected: list[float]) -> None:
    x = fnp.fromstring(text, dtype, sep=sep)
    assert x.tolist() == expected
    assert x.dtype == fnp.zeros(0, dtype).dtype
    assert fnp.fromstring(text, dtype, 1, sep=sep).tolist() == expected[:1]


@pytest.mark.parametrize("text", ["1, x", "1 2, 3"])
def test_fromstring_refuses_what_is_not_a_list_of_numbers(text: str) -> None:
    with pytest.raises(ArgumentError, match="is not a list of numbers"):
        fnp.fromstring(text, sep=",")


def test_iterable() -> None:
    assert fnp.iterable([1])
    assert fnp.iterable(fnp.ones(2))
    assert not fnp.iterable(3)
    assert not fnp.iterable(fnp.asarray(1.0))
