"""The methods of elementwise functions: as NumPy's, eager, compiled, differentiated and batched."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ImmutableError, OutOfBoundsError
from funcgrad.numpy import ufuncs
from tests.numpy.surface import Call, agree, arrays, axes, call, calls, shaped

# The kinds of operands of each function, and the least value, with which NumPy folds them.
FOLDED: dict[str, tuple[str, float]] = {
    "add": ("bIFC", -4), "multiply": ("bIF", -2), "maximum": ("IF", -4), "minimum": ("IF", -4),
    "logical_and": ("bIF", -1), "logical_or": ("bIF", -1), "logical_xor": ("bIF", -1),
    "bitwise_and": ("bI", -4), "bitwise_or": ("bI", -4), "bitwise_xor": ("bI", -4),
    "logaddexp": ("F", -4), "logaddexp2": ("F", -4), "hypot": ("F", -4), "fmax": ("IF", -4), "fmin": ("IF", -4),
    "gcd": ("I", -4), "lcm": ("i", -4),
    "subtract": ("IFC", -4), "divide": ("iFC", 1), "floor_divide": ("IF", 1), "remainder": ("iF", 1),
    "fmod": ("iF", 1), "copysign": ("F", -4), "heaviside": ("F", -4), "equal": ("b", 0), "less": ("b", 0),
    "left_shift": ("i", 0),
}  # fmt: skip
FLAG = st.booleans()


def names() -> list[str]:
    return [name for name in FOLDED if hasattr(fnp, name)]


def operand(name: str, **limits: Any) -> st.SearchStrategy[np.ndarray]:
    kinds, low = FOLDED[name]
    return arrays(kinds, low=low, high=2 if name == "multiply" else 4, **limits)


def reductions(name: str) -> st.SearchStrategy[Call]:
    several = axes(None, (0, 1), (), low=-2)
    initial = True if FOLDED[name][0] == "b" else 2
    masked = operand(name).flatmap(
        lambda x: call(x, axis=axes(low=-2), where=shaped(x.shape, "b"), initial=st.sampled_from([initial]))
    )
    return calls(call(operand(name), several, keepdims=FLAG), call(operand(name), initial=initial), masked)


def slices(name: str) -> st.SearchStrategy[Call]:
    places = st.lists(st.integers(0, 3), max_size=4).map(lambda found: np.array(found, np.int32))
    return call(operand(name), places, axis=axes())


def small_updates(name: str) -> st.SearchStrategy[Call]:
    kinds, low = FOLDED[name]
    kind = next(k for k in "fib" if k in kinds.lower())
    index = st.sampled_from([0, [0, 2, 0, 0], (slice(None), [1, 1]), [[0], [1]], slice(1, None), 5])
    values = shaped((), kind, low=low, high=3)
    return call(shaped((3, 2), kind, low=low, high=3), index, values)


@pytest.mark.parametrize("name", names())
@settings(max_examples=20)
@given(data=st.data())
def test_reduce(name: str, data: st.DataObject) -> None:
    agree(f"{name}.reduce", data.draw(reductions(name)), ulps=256)


@pytest.mark.parametrize("name", names())
@settings(max_examples=3)
@given(data=st.data())
def test_reduce_compiled(name: str, data: st.DataObject) -> None:
    agree(f"{name}.reduce", data.draw(reductions(name)), ulps=256, compiled=True)


@pytest.mark.parametrize("name", names())
@settings(max_examples=12)
@given(data=st.data())
def test_accumulate(name: str, data: st.DataObject) -> None:
    agree(f"{name}.accumulate", data.draw(call(operand(name), axes(low=-2))), ulps=256)


@pytest.mark.parametrize("name", names())
@settings(max_examples=2)
@given(data=st.data())
def test_accumulate_compiled(name: str, data: st.DataObject) -> None:
    agree(f"{name}.accumulate", data.draw(call(operand(name), axes(low=-2))), ulps=256, compiled=True)


@pytest.mark.parametrize("name", names())
@settings(max_examples=12)
@given(data=st.data())
def test_reduceat(name: str, data: st.DataObject) -> None:
    agree(f"{name}.reduceat", data.draw(slices(name)), ulps=256)


@pytest.mark.parametrize("name", ["add", "hypot", "subtract", "maximum"])
@settings(max_examples=4)
@given(data=st.data())
def test_reduceat_of_traced_indices(name: str, data: st.DataObject) -> None:
    places = st.lists(st.integers(0, 1), max_size=4).map(lambda found: np.array(found, np.int32))
    drawn = call(shaped((2, 3), FOLDED[name][0]), places, axis=axes())
    agree(f"{name}.reduceat", data.draw(drawn), ulps=256, compiled=True)


@pytest.mark.parametrize("place", [-1, 3])
def test_traced_indices_of_reduceat_are_checked(place: int) -> None:
    result = fg.jit(fnp.add.reduceat)(fnp.ones(3), fnp.asarray([0, place]))
    with pytest.raises(OutOfBoundsError):
        np.asarray(result)


def updated(module: Any, name: str, x: Any, index: Any, values: Any) -> Any:
    if module is fnp:
        return getattr(fnp, name).at(x, index, values)
    copy = x.copy()
    getattr(np, name).at(copy, index, values)
    return copy


@pytest.mark.parametrize("name", [name for name in names() if FOLDED[name][0] != "b"])
@settings(max_examples=8)
@given(data=st.data())
def test_at(name: str, data: st.DataObject) -> None:
    agree(lambda module, *args: updated(module, name, *args), data.draw(small_updates(name)))


@pytest.mark.parametrize("name", ["add", "multiply", "divide", "fmod", "hypot", "bitwise_xor"])
def test_at_compiled(name: str) -> None:
    x = np.array([6, 5, 4, 3], np.int32 if name == "bitwise_xor" else np.float32)
    values = np.array([4, 2, 3], x.dtype)
    given_index = np.array([2, 0, 2], np.int32)
    expected = updated(np, name, x, given_index, values)
    found = fg.jit(getattr(fnp, name).at)(fnp.asarray(x), fnp.asarray(given_index), fnp.asarray(values))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_at_of_functions_of_one_operand_counts_repetitions() -> None:
    x = np.array([1.0, 2.0, 3.0], np.float32)
    expected = x.copy()
    np.negative.at(expected, [0, 0, 1])
    np.square.at(expected, [2, 2])
    for run in (lambda f: f, fg.jit):
        found = run(lambda x: fnp.square.at(fnp.negative.at(x, [0, 0, 1]), [2, 2]))(fnp.asarray(x))
        np.testing.assert_array_equal(found, expected)


@given(call(arrays("iF"), arrays("f")))
def test_outer(drawn: Call) -> None:
    agree("subtract.outer", drawn)
    agree("maximum.outer", drawn)


def test_outer_of_scalars_is_an_array() -> None:
    one = fnp.asarray(1.0)
    assert np.asarray(fnp.add.outer(one, one)).shape == ()


def test_outer_with_a_python_number_keeps_the_dtype() -> None:
    assert fnp.add.outer(fnp.ones(2, fnp.float16), 2.5).dtype == np.float16
    assert fnp.add.outer(2.5, fnp.ones((2, 1), fnp.float16)).shape == (2, 1)


@pytest.mark.parametrize("name", ["arctan2", "power", "float_power"])
def test_functions_that_numpy_does_not_fold_in_order(name: str) -> None:
    """NumPy 2.4's vectorized loops leave elements out of these."""
    values = np.array([1.5, 0.5, 2.0, 1.25], np.float32)
    step = getattr(np, name)
    x = fnp.asarray(values)
    np.testing.assert_allclose(getattr(fnp, name).reduce(x), reduce(step, values), rtol=1e-6)
    running = [reduce(step, values[: n + 1]) for n in range(4)]
    np.testing.assert_allclose(getattr(fnp, name).accumulate(x), running, rtol=1e-6)
    found = getattr(fnp, name).reduceat(x, [2, 0])
    np.testing.assert_allclose(found, [values[2], running[3]], rtol=1e-6)


# -- transformations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "logaddexp", "hypot", "divide", "arctan2", "power"])
def test_folds_are_differentiated(name: str) -> None:
    x = fnp.asarray([[1.5, 0.75, 2.0], [1.25, 3.0, 0.5]])
    f = getattr(fnp, name)
    by_hand = lambda x: fnp.sum(f(f(x[:, 0], x[:, 1]), x[:, 2]))  # noqa: E731
    folded = lambda x: fnp.sum(f.reduce(x, axis=1))  # noqa: E731
    running = lambda x: fnp.sum(f.accumulate(x, axis=1)[:, 2])  # noqa: E731
    sliced = lambda x: fnp.sum(f.reduceat(x, [0], axis=1))  # noqa: E731
    expected = fg.grad(by_hand)(x)
    for function in (folded, running, sliced, fg.jit(folded)):
        np.testing.assert_allclose(fg.grad(function)(x), expected, rtol=3e-6)


@pytest.mark.parametrize("name", ["add", "hypot", "subtract"])
def test_folds_are_batched(name: str) -> None:
    x = np.arange(1.0, 13, dtype=np.float32).reshape(2, 3, 2)
    ours, theirs = getattr(fnp, name), getattr(np, name)
    expected = np.stack([theirs.reduce(row, 0) for row in x])
    np.testing.assert_allclose(fg.vmap(ours.reduce)(fnp.asarray(x)), expected, rtol=1e-6)
    starts = np.array([[0, 2], [1, 0]], np.int32)
    expected = np.stack([theirs.reduceat(row, s) for row, s in zip(x, starts, strict=True)])
    np.testing.assert_allclose(fg.vmap(ours.reduceat)(fnp.asarray(x), fnp.asarray(starts)), expected, rtol=1e-6)
    expected = np.stack([updated(np, name, row, s, np.float32(2)) for row, s in zip(x, starts, strict=True)])
    found = fg.vmap(lambda row, s: ours.at(row, s, 2.0))(fnp.asarray(x), fnp.asarray(starts))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_numpys_own_functions_fold_our_arrays_by_ours() -> None:
    x = fnp.asarray([1.0, 2.0, 4.0])
    assert isinstance(np.multiply.reduce(x), type(x))
    np.testing.assert_array_equal(fg.grad(np.multiply.reduce)(x), [8, 4, 2])
    assert np.add.outer(x, x).shape == (3, 3)
    assert float(np.add.reduce(x, initial=1.0)) == 8
    assert isinstance(np.add.reduce(x, out=np.zeros((), np.float32)), np.ndarray | np.generic)
    with pytest.raises(ImmutableError):
        np.add.at(x, 0, 1.0)


def test_low_precision_and_device_arrays_take_the_general_way() -> None:
    x = fnp.asarray([1.5, 2.0, 3.0], fnp.bfloat16)
    assert (fnp.subtract.reduce(x).dtype, float(fnp.subtract.reduce(x))) == (fnp.bfloat16, -3.5)
    assert fnp.add.reduce(x).dtype == fnp.bfloat16
    placed = fg.device_put(fnp.asarray([5.0, 2.0]), "cpu")
    assert fnp.subtract.accumulate(placed).device == placed.device


# -- attributes -------------------------------------------------------------------------------------------------------


def test_every_ufunc_of_numpys_has_the_methods_of_one() -> None:
    generalized = {name for name in dir(np) if getattr(getattr(np, name), "signature", None)}
    missing = [
        name
        for name in dir(np)
        if isinstance(getattr(np, name), np.ufunc) and name not in generalized and hasattr(fnp, name)
        if not isinstance(getattr(fnp, name), fnp.ufunc)
    ]
    assert not missing
    for name in names():
        ours, theirs = getattr(fnp, name), getattr(np, name)
        found = (ours.nin, ours.nout, ours.nargs, ours.identity)
        assert found == (theirs.nin, theirs.nout, theirs.nargs, theirs.identity)
    assert not isinstance(fnp.sort, fnp.ufunc)
    assert not isinstance(3, fnp.ufunc)


def test_what_the_table_says_of_functions_is_true() -> None:
    values = [fnp.asarray(v, fnp.float32) for v in (2.0, 3.0, -1.0)]
    for name, fold in ufuncs.FOLDS.items():
        f = getattr(fnp, name, None)
        if f is None or not fold.associative:
            continue
        a, b, c = [v.astype(int) for v in values] if fold.chars in ("bBhHiIlL", ufuncs.BITS) else values
        np.testing.assert_allclose(f(f(a, b), c), f(a, f(b, c)), rtol=1e-6, err_msg=name)
        neutral = (f.identity is not None and np.allclose(np.abs(f(f.identity, a)), np.abs(a))) or f(a, a) == a
        assert neutral or name.startswith("logical"), name


# -- frompyfunc -------------------------------------------------------------------------------------------------------


def test_frompyfunc_makes_a_function_of_arrays_with_methods() -> None:
    step = fnp.frompyfunc(lambda x, y: 2 * x + y, 2, 1)
    theirs = np.frompyfunc(lambda x, y: 2 * x + y, 2, 1)
    x = np.array([[1.0, 2, 3], [4, 5, 6]], np.float32)
    assert isinstance(step, fnp.ufunc)
    assert repr(step) == "<ufunc '<lambda>'>"
    assert (step.nin, step.nout, step.nargs, step.identity) == (2, 1, 3, None)
    ours = fnp.asarray(x)
    for run in (lambda f: f, fg.jit):
        np.testing.assert_array_equal(run(step)(ours, ours[0]), theirs(x, x[0]).astype(np.float32))
        np.testing.assert_array_equal(run(lambda x: step.reduce(x, 1))(ours), theirs.reduce(x, 1).astype(np.float32))
        found = run(lambda x: step.accumulate(x, 1))(ours)
        np.testing.assert_array_equal(found, theirs.accumulate(x, 1, dtype=object).astype(np.float32))
        np.testing.assert_array_equal(run(lambda x: step.at(x, [0, 0], 1.0))(ours)[0], 4 * x[0] + 3)
    assert float(fg.grad(lambda x: step.reduce(x[0]))(ours)[0, 0]) == 4


def test_frompyfunc_with_several_results_and_an_identity() -> None:
    both = fnp.frompyfunc(lambda x: (x + 1, x - 1), 1, 2)
    above, below = both(fnp.arange(3))
    assert (above.tolist(), below.tolist()) == ([1, 2, 3], [-1, 0, 1])
    total = fnp.frompyfunc(lambda x, y: x + y, 2, 1, identity=0)
    assert int(total.reduce(fnp.zeros(0, int))) == 0
    assert int(total.reduce(fnp.arange(4))) == 6
