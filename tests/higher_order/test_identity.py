"""Functions that are made again: equal ones share a trace, and nothing that may have changed gives a stale answer."""

from __future__ import annotations

import dataclasses
import functools
import gc
import math
import random
import time
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.higher_order import jit as jit_module
from funcgrad.higher_order.identity import identity_of
from funcgrad.higher_order.traced import trace_function

VECTOR = fnp.arange(3.0)
SCALE = 2.0
TABLE = {"scale": 2.0}


def scaled(x: Any) -> Any:
    return x * SCALE


def indirect(x: Any) -> Any:
    return scaled(x) + 1.0


def countdown(n: int, x: Any) -> Any:
    return x if n == 0 else countdown(n - 1, x) * 2.0


def even(n: int, x: Any) -> Any:
    return x if n == 0 else odd(n - 1, x)


def odd(n: int, x: Any) -> Any:
    return even(n - 1, x + 1.0)


@dataclasses.dataclass(frozen=True)
class Layer:
    """An immutable object with methods."""

    weight: Any
    power: int = 2
    shift = 1.0

    def activation(self, x: Any) -> Any:
        return x**self.power

    def __call__(self, x: Any) -> Any:
        return self.activation(x * self.weight) + self.shift


class Mutable:
    """An object whose methods may do something else tomorrow."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def __call__(self, x: Any) -> Any:
        return x * self.scale


def answers(make: Callable[[], Callable[..., Any]], change: Callable[[], Any], *args: Any) -> tuple[Any, Any, int]:
    """What a function gives, what it gives when it is made again after a change, and the traces taken over."""
    first = fg.jit(make())(*args)
    change()
    jitted = fg.jit(make())
    return np.asarray(first), np.asarray(jitted(*args)), jitted.cache_info().shared


def nothing() -> None:
    pass


# -- what is shared ----------------------------------------------------------------------------------------------------


def makers() -> dict[str, Callable[[], Callable[..., Any]]]:
    number, name, pair, array, dtype = 3.0, "sin", (1, (2.5, None)), fnp.arange(3.0), np.dtype("float32")
    layer, helper = Layer(array), fg.jit(lambda x: x - 0.5)
    return {
        "lambda": lambda: lambda x: x * 1.5,
        "number": lambda: lambda x: x * number,
        "name": lambda: lambda x: getattr(fnp, name)(x),
        "tuple": lambda: lambda x: x * pair[1][0],
        "array": lambda: lambda x: x + array,
        "dtype": lambda: lambda x: x.astype(dtype),
        "NumPy scalar": lambda: (lambda s: lambda x: x * s)(np.float32(2.5)),
        "default": lambda: lambda x, scale=2.5: x * scale,
        "keyword default": lambda: lambda x, *, scale=2.5: x * scale,
        "global": lambda: lambda x: x * SCALE,
        "helpers": lambda: lambda x: indirect(x),
        "recursion": lambda: lambda x: countdown(3, x) + even(2, x),
        "modules": lambda: lambda x: fnp.sum(fnp.cos(x)) * math.pi + np.float32(1.0) * len("abc"),
        "nested": lambda: lambda x: sum((lambda y: y * number)(x) for _ in range(3)),
        "partial": lambda: functools.partial(lambda scale, x: x * scale, 2.5),
        "jitted": lambda: lambda x: helper(x) * 2.0,
        "jitted again": lambda: (lambda inner: lambda x: inner(x) * 2.0)(fg.jit(lambda x: x + number)),
        "grad": lambda: fg.grad(lambda x: fnp.sum(x * x * number)),
        "vmap": lambda: fg.vmap(lambda x: x * x),
        "method": lambda: layer.activation,
        "frozen object": lambda: Layer(array),
    }


@pytest.mark.parametrize("kind", makers())
def test_equal_functions_share_a_trace(kind: str) -> None:
    make = makers()[kind]
    first, second, shared = answers(make, nothing, VECTOR)
    assert shared == 1
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, np.asarray(make()(VECTOR)), rtol=1e-6)


def test_a_shared_trace_runs_no_python() -> None:
    jitted = [fg.jit(lambda x: x * 2.0 + 0.0625) for _ in range(5)]
    for function in jitted:
        function(VECTOR)
    assert sum(function.cache_info().traces for function in jitted) == 1


def test_each_signature_is_shared_by_itself() -> None:
    def make() -> Any:
        return fg.jit(lambda x, n: x * n, static_argnums=1)

    make()(VECTOR, 2)
    again = make()
    np.testing.assert_array_equal(again(VECTOR, 2), VECTOR * 2)
    np.testing.assert_array_equal(again(VECTOR, 3), VECTOR * 3)
    np.testing.assert_array_equal(again(VECTOR, 2.0), VECTOR * 2)
    np.testing.assert_array_equal(again(fnp.arange(2.0), 2), [0, 2])
    assert again.cache_info()[2:4] == (3, 1)


def test_settings_are_told_apart() -> None:
    def make() -> Any:
        return fg.jit(lambda: fnp.zeros(2) + 1)

    assert make()().dtype == np.float32
    with fg.config(default_float="float64"):
        assert make()().dtype == np.float64


# -- what is not -------------------------------------------------------------------------------------------------------


def test_a_changed_cell_is_seen() -> None:
    scale = 2.0

    def change() -> None:
        nonlocal scale
        scale = 3.0

    first, second, shared = answers(lambda: lambda x: x * scale, change, VECTOR)
    assert shared == 0
    np.testing.assert_array_equal(second, first * 1.5)


@pytest.mark.parametrize(
    "make", [lambda: lambda x: x * SCALE, lambda: lambda x: scaled(x), lambda: lambda x: indirect(x)]
)
def test_a_changed_global_is_seen(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plus = float(make()(0.0))
    first, second, shared = answers(make, lambda: monkeypatch.setitem(globals(), "SCALE", 3.0), VECTOR)
    assert shared == 0
    np.testing.assert_array_equal(second - plus, (first - plus) * 1.5)


def test_a_replaced_helper_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, shared = answers(
        lambda: lambda x: indirect(x),
        lambda: monkeypatch.setitem(globals(), "scaled", lambda x: x * 10.0),
        VECTOR,
    )
    assert shared == 0
    np.testing.assert_array_equal(second - 1, (first - 1) * 5)


def test_a_helper_changed_in_place_is_seen() -> None:
    def helper(x: Any, scale: float = 2.0) -> Any:
        return x * scale

    def make() -> Any:
        return lambda x: helper(x)

    def change() -> None:
        helper.__defaults__ = (3.0,)

    first, second, shared = answers(make, change, VECTOR)
    assert shared == 0
    np.testing.assert_array_equal(second, first * 1.5)

    def other(x: Any, scale: float = 2.0) -> Any:
        return x + scale

    def change_code() -> None:
        helper.__code__ = other.__code__

    assert answers(make, change_code, VECTOR)[1].tolist() == [3.0, 4.0, 5.0]


def test_an_attribute_of_a_helper_is_seen() -> None:
    def helper(x: Any) -> Any:
        return x * helper.scale  # type: ignore[attr-defined]

    helper.scale = 2.0  # type: ignore[attr-defined]

    def change() -> None:
        helper.scale = 3.0  # type: ignore[attr-defined]

    first, second, _ = answers(lambda: lambda x: helper(x), change, VECTOR)
    np.testing.assert_array_equal(second, first * 1.5)


@pytest.mark.parametrize("how", ["attribute", "getattr", "from import"])
def test_a_patched_library_is_seen(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> Any:
        if how == "from import":
            sin = fnp.sin
            return lambda x: sin(x)
        return (lambda x: fnp.sin(x)) if how == "attribute" else (lambda x: getattr(fnp, "sin")(x))  # noqa: B009

    _, second, shared = answers(make, lambda: monkeypatch.setattr(fnp, "sin", fnp.cos), fnp.zeros(2))
    assert shared == 0
    np.testing.assert_array_equal(second, [1, 1])


def test_a_patched_library_function_that_reads_what_changes_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    factors = [2.0]
    monkeypatch.setattr(fnp, "sin", lambda x: x * factors[0])
    first, second, _ = answers(lambda: lambda x: fnp.sin(x), lambda: factors.__setitem__(0, 3.0), VECTOR)
    np.testing.assert_array_equal(second, first * 1.5)


def test_a_patched_builtin_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, _ = answers(
        lambda: lambda x: x * len("abc"), lambda: monkeypatch.setitem(globals(), "len", lambda s: 6), VECTOR
    )
    np.testing.assert_array_equal(second, first * 2)


@pytest.mark.parametrize("kind", ["list", "dict", "NumPy array", "global dict", "default", "object", "bound method"])
def test_what_is_mutable_is_never_shared(kind: str) -> None:
    numbers, table, array, model = [2.0], {"scale": 2.0}, np.full(3, 2.0, np.float32), Mutable(2.0)

    def with_default(x: Any, scales: list[float] = numbers) -> Any:
        return x * scales[0]

    make: Any = {
        "list": lambda: lambda x: x * numbers[0],
        "dict": lambda: lambda x: x * table["scale"],
        "NumPy array": lambda: lambda x: x * array,
        "global dict": lambda: lambda x: x * TABLE["scale"],
        "default": lambda: lambda x, scales=numbers: x * scales[0],
        "object": lambda: lambda x: model(x),
        "bound method": lambda: model.__call__,
    }[kind]

    def change() -> None:
        numbers[0] = table["scale"] = TABLE["scale"] = model.scale = 3.0
        array.fill(3.0)

    try:
        first, second, shared = answers(make, change, VECTOR)
    finally:
        TABLE["scale"] = 2.0
    assert shared == 0
    np.testing.assert_array_equal(second, first * 1.5)
    assert identity_of(with_default) is None


def test_an_equal_array_is_another_array() -> None:
    def make(table: Any) -> Any:
        return fg.jit(lambda x: x * table)

    one, two = fnp.arange(3.0), fnp.arange(3.0)
    make(one)(VECTOR)
    again = make(two)
    again(VECTOR)
    assert again.cache_info().shared == 0


def test_class_attributes_and_methods_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Layer(VECTOR)
    first, second, shared = answers(lambda: layer.__call__, lambda: monkeypatch.setattr(Layer, "shift", 11.0), VECTOR)
    assert shared == 0
    np.testing.assert_array_equal(second, first + 10)
    monkeypatch.setattr(Layer, "activation", lambda self, x: x * 0)
    np.testing.assert_array_equal(fg.jit(layer.__call__)(VECTOR), [11, 11, 11])
    monkeypatch.setattr(Layer, "shift", [1.0], raising=True)
    assert identity_of(layer.__call__) is None


def test_frozen_objects_with_mutable_fields_are_not_shared() -> None:
    assert identity_of(Layer(2.0)) is not None
    assert identity_of(Layer([2.0])) is None
    sneaky = Layer(2.0)
    object.__setattr__(sneaky, "extra", 1)
    assert identity_of(sneaky) is None


def test_impure_functions_are_not_shared() -> None:
    count = 0

    def counts(x: Any) -> Any:
        nonlocal count
        count += 1
        return x * count

    def reads_globals(x: Any) -> Any:
        return x * globals()["SCALE"]

    def writes_globals(x: Any) -> Any:
        global SCALE
        SCALE = SCALE * 1.0
        return x * SCALE

    def imports(x: Any) -> Any:
        import os

        return x * len(os.environ)

    functions = [lambda x: x * random.random(), lambda x: x * time.time(), lambda x: x * np.random.rand()]
    for function in [*functions, counts, reads_globals, writes_globals, imports]:
        assert identity_of(function) is None


def test_unfilled_cells_and_unknown_names_are_not_shared() -> None:
    def early() -> Any:
        def function(x: Any) -> Any:
            return later(x)

        found = identity_of(function)

        def later(x: Any) -> Any:
            return x

        return found, identity_of(function)

    before, after = early()
    assert before is None
    assert after is not None
    assert identity_of(lambda x: no_such_name(x)) is None  # type: ignore[name-defined]  # noqa: F821


def test_what_is_filled_in_after_decoration_counts() -> None:
    def make(scale: float) -> Any:
        jitted = fg.jit(lambda x: later(x))

        def later(x: Any) -> Any:
            return x * scale

        return jitted

    assert float(make(2.0)(1.0)) == 2.0
    assert float(make(3.0)(1.0)) == 3.0
    again = make(3.0)
    assert float(again(1.0)) == 3.0
    assert again.cache_info().shared == 1


def test_a_later_change_does_not_leak_into_equal_functions() -> None:
    scale = 2.0

    def make() -> Any:
        return fg.jit(lambda x: x * scale)

    old = make()
    old(fnp.ones(2))
    scale = 3.0
    old(fnp.ones(4))  # traced now, with the scale of now
    scale = 2.0
    new = make()
    np.testing.assert_array_equal(new(fnp.ones(4)), [2, 2, 2, 2])


def test_what_changes_while_tracing_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    scale = 2.0

    def make() -> Any:
        return fg.jit(lambda x: x * scale + 0.03125)

    def trace_while_another_thread_changes_it(*args: Any) -> Any:
        nonlocal scale
        scale = 5.0
        return trace_function(*args)

    with monkeypatch.context() as patched:
        patched.setattr(jit_module, "trace_function", trace_while_another_thread_changes_it)
        make()(VECTOR)
    scale = 2.0
    np.testing.assert_array_equal(make()(VECTOR), VECTOR * 2 + 0.03125)


def test_static_functions_are_looked_into() -> None:
    scale = 2.0

    def activation(x: Any) -> Any:
        return x * scale

    def make() -> Any:
        return fg.jit(lambda x, f: f(x))

    make()(VECTOR, activation)
    again = make()
    again(VECTOR, activation)
    assert again.cache_info().shared == 1
    scale = 3.0
    np.testing.assert_array_equal(make()(VECTOR, activation), VECTOR * 3)


class Pair(NamedTuple):
    """A container with a method, which may be replaced."""

    a: Any
    b: Any

    def total(self) -> Any:
        return self.a + self.b


def test_containers_of_the_users_are_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> Any:
        return fg.jit(lambda pair: pair.total())

    assert float(make()(Pair(1.0, 2.0))) == 3.0
    monkeypatch.setattr(Pair, "total", lambda self: self.a - self.b)
    assert float(make()(Pair(1.0, 2.0))) == -1.0


def test_numbers_of_other_types_and_signs_are_told_apart() -> None:
    def make(value: Any) -> Any:
        return fg.jit(lambda x: x / fnp.asarray(value, "float32") + (type(value) is bool))

    found = [float(make(value)(1.0)) for value in (0.0, -0.0, 1, 1.0, True, 1 + 0j)[:5]]
    assert found == [np.inf, -np.inf, 1.0, 1.0, 2.0]
    assert identity_of(0.0) != identity_of(-0.0)
    assert identity_of(1, "a", b"a", (1,)) == identity_of(1, "a", b"a", (1,))
    assert identity_of((1,)) != identity_of((1.0,))
    assert identity_of(complex(0.0, 1.0)) != identity_of(complex(-0.0, 1.0))
    assert identity_of(frozenset((1, 2)), slice(1), range(3), ...) == identity_of(
        frozenset((2, 1)), slice(1), range(3), ...
    )


def test_a_very_deep_chain_of_helpers_is_merely_not_shared() -> None:
    def wrapped(function: Any) -> Any:
        return lambda x: function(x)

    function: Any = lambda x: x  # noqa: E731
    for _ in range(2000):
        function = wrapped(function)
    assert identity_of(function) is None


def test_what_was_shared_is_dropped_with_its_arrays() -> None:
    fg.clear_caches()

    def call_with(table: Any) -> Any:
        fg.jit(lambda x: x * table)(fnp.ones(5))
        return weakref.ref(table)

    watched = call_with(fnp.arange(5.0) + 1)
    gc.collect()
    assert watched() is not None
    for i in range(40):  # other functions with arrays push it out
        call_with(fnp.arange(5.0) + i)
    gc.collect()
    assert watched() is None
