"""Closure conversion: what is found where, functions made again around other values, and `closure_convert`."""

from __future__ import annotations

import functools
import gc
import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.higher_order.closures import close


class Holder:
    """A plain class whose method closes over nothing, but is bound to something."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner


def in_cell(w: Any) -> Callable[[Any], Any]:
    return lambda x: x * w


def in_nested_cell(w: Any) -> Callable[[Any], Any]:
    def inner(x: Any) -> Any:
        return x * w

    return lambda x: inner(x) + 0


def in_default(w: Any) -> Callable[[Any], Any]:
    def scaled(x: Any, w: Any = w, *, zero: Any = 0) -> Any:
        return x * w + zero

    return scaled


def in_keyword_default(w: Any) -> Callable[[Any], Any]:
    def scaled(x: Any, *, w: Any = w) -> Any:
        return x * w

    return scaled


def in_partial(w: Any) -> Callable[[Any], Any]:
    return functools.partial(lambda w, x: x * w, w)


def in_partial_keyword(w: Any) -> Callable[[Any], Any]:
    return functools.partial(lambda x, w: x * w, w=w)


def in_tree(w: Any) -> Callable[[Any], Any]:
    params = {"layers": [(w, None), 3]}
    return lambda x: x * params["layers"][0][0]


def in_transformed(w: Any) -> Callable[[Any], Any]:
    return fg.vmap(lambda x: x * w, axis_size=1, in_axes=None, out_axes=None)


def in_recursive(w: Any) -> Callable[[Any], Any]:
    def power(x: Any, n: int = 1) -> Any:
        return x * w if n == 1 else power(x, n - 1)

    return lambda x: power(x, 3)


def in_custom(w: Any) -> Callable[[Any], Any]:
    f = fg.custom_jvp(lambda x: x * w)
    f.defjvp(lambda primals, tangents: (f(*primals), w * tangents[0]))
    return lambda x: f(x)


PLACES = [
    in_cell,
    in_nested_cell,
    in_default,
    in_keyword_default,
    in_partial,
    in_partial_keyword,
    in_tree,
    in_transformed,
    in_recursive,
    in_custom,
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_tracer_is_found_and_replaced(place: Callable[[Any], Any]) -> None:
    def traced(w: Any) -> Any:
        function = place(w)
        shape, values = close([function, len])
        assert shape.count == 1
        assert values[0] is w
        made, other = shape.around([fnp.asarray(10.0)])
        assert other is len
        assert float(made(2.0)) == 20  # no tracer is left in it
        return function(3.0)  # and the function itself is as before

    assert float(fg.jit(traced)(2.0)) == 6


def test_equal_places_are_equal_and_the_rest_stays_shared() -> None:
    log: list[int] = []

    def traced(w: Any, v: Any) -> Any:
        untouched = [1, 2]

        def function(x: Any) -> Any:
            log.append(len(untouched))
            return x * w * v * w

        first, values = close([function])
        second, _ = close([function])
        assert first == second
        assert hash(first) == hash(second)
        assert [value is x for value, x in zip(values, (v, w), strict=True)] == [True, True]
        made = first.around([fnp.asarray(2.0), fnp.asarray(3.0)])[0]
        untouched.append(3)
        assert float(made(1.0)) == 18
        assert made.__qualname__ == function.__qualname__
        return w

    fg.jit(traced)(1.0, 2.0)
    assert log == [3]


def test_nothing_to_find() -> None:
    def function(x: Any) -> Any:
        return x + constant

    constant = fnp.asarray(1.0)
    shape, values = close([function, None])
    assert values == []
    assert shape.around([]) == [function, None]
    assert shape.around([])[0] is function


def test_an_empty_cell_is_left_alone() -> None:
    def traced(w: Any) -> Any:
        def function(x: Any) -> Any:
            return x * w if x is not None else later

        shape, values = close([function])
        later = 1.0
        assert float(shape.around([fnp.asarray(5.0)])[0](2.0)) == 10
        assert shape.around(values)[0](None) == later
        return w

    fg.jit(traced)(1.0)


def hoisting(module: Any, w: Any, v: Any) -> tuple[Any, int]:
    holder = Holder(w)  # an attribute: only staging finds it
    integers = module.numpy.arange(3)
    function, values = module.closure_convert(lambda x: (x * holder.inner + v) * integers, 1.0)
    assert all(type(value).__name__.endswith("Tracer") for value in values)
    return function(5.0, *values).sum(), len(values)


def test_closure_convert_as_in_jax() -> None:
    values, counts = fg.grad(functools.partial(hoisting, fg), (0, 1), has_aux=True)(2.0, 3.0)
    oracle, wanted = jax.grad(functools.partial(hoisting, jax), (0, 1), has_aux=True)(2.0, 3.0)
    np.testing.assert_allclose(values, oracle)
    assert counts == wanted == 2


def test_closure_convert_hoists_nothing_concrete() -> None:
    w = fnp.asarray(2.0)
    function, values = fg.closure_convert(lambda p, x: p["a"] * x * w, {"a": 1.0}, XS)
    assert values == []
    np.testing.assert_allclose(function({"a": 3.0}, XS), 6 * XS)
    assert jax.closure_convert(lambda x: x * jnp.asarray(2.0), 1.0)[1] == []


XS = np.arange(3, dtype=np.float32)


def test_closure_convert_refuses_other_arguments() -> None:
    function, _ = fg.closure_convert(lambda x: 2 * x, XS)
    with pytest.raises(errors.TreeError, match=r"x is f32\[\]\*?, the example was f32\[3\]"):
        function(1.0)
    with pytest.raises(errors.TreeError, match="takes 1 arguments like the examples"):
        function(XS, XS)


def test_what_was_closed_over_is_freed_at_once() -> None:
    """Looking into functions and making them again leaves no cycles behind that only the collector would free."""
    gc.collect()
    gc.disable()
    try:
        value = fg.device_put(np.arange(3, dtype=np.float32))
        held = weakref.ref(value)

        def inner(w: Any) -> Any:
            functions = [lambda x: w * x, functools.partial(fnp.add, w)]
            shape, values = close(functions)
            first, second = shape.around([fnp.sin(v) for v in values])
            return (first(w) + second(w)).sum()

        fg.grad(inner)(value)
        del value
        assert held() is None
    finally:
        gc.enable()
