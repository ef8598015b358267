"""Shortcuts of compiled functions: they are taken, they do what the long way does, and no other call is mistaken."""

from __future__ import annotations

import collections
import copy
import dataclasses
import random
import weakref
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.higher_order.jit import Jitted


class Pair(collections.namedtuple("Pair", "first second")):
    """A named tuple."""


@fg.tree.register_pytree_node_class
class Boxed:
    """A container that passes for its contents: every attribute is that of the array inside."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["inner"], name)

    def tree_flatten(self) -> Any:
        return (self.inner,), None

    @classmethod
    def tree_unflatten(cls, data: Any, children: Any) -> Boxed:
        return cls(*children)


x, y = fnp.arange(4.0), fnp.arange(4.0) + 1


def nested(depth: int) -> Any:
    return {"leaf": x, "rest": [nested(depth - 1)]} if depth else (y,)


KINDS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((x,), {}),
    ((x, y), {}),
    (((x, y),), {}),
    (([x, y],), {}),
    (({"b": x, "a": y},), {}),
    (({"b": x, "c": y},), {}),
    (({1: x, 2: {"a": (), "b": None}},), {}),
    ((x, None), {}),
    ((), {"x": x, "y": y}),
    ((x,), {"y": y}),
    ((Pair(x, y),), {}),
    ((collections.OrderedDict(b=x, a=y),), {}),
    ((Boxed(x),), {}),
    ((Boxed(x), [y]), {}),
    ((fnp.arange(3),), {}),
    ((2.0,), {}),
    ((2,), {}),
    ((True,), {}),
    ((x, 2.0), {}),
    ((x, "mode"), {}),
    ((x, "other"), {}),
    ((x, fnp.cos), {}),
    ((np.arange(4, dtype=np.float32),), {}),
    ((np.float32(3), x), {}),
    ((), {}),
    ((nested(100),), {}),
    (({f"leaf{i}": x if i % 3 else y for i in range(150)},), {}),
]


def described(*args: Any, **kwargs: Any) -> Any:
    """What it is given, with arrays doubled and static values told apart."""
    one_more = [leaf == "mode" for leaf in fg.tree.leaves((args, kwargs)) if isinstance(leaf, str)]
    arrays = fg.tree.map(lambda leaf: leaf * 2 if hasattr(leaf, "dtype") else None, (args, kwargs))
    return arrays, [fnp.ones(1 + flag) for flag in one_more]


def same(found: Any, expected: Any) -> None:
    found, structure = fg.tree.flatten(found)
    expected, expected_structure = fg.tree.flatten(expected)
    assert structure == expected_structure
    for one, other in zip(found, expected, strict=True):
        assert type(one) is fg.Array
        assert one.type is other.type
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Called, it refuses from then on every call of a compiled function that takes no shortcut."""

    def refuse(*args: Any) -> None:
        raise AssertionError("this call took the long way")

    return lambda: monkeypatch.setattr(Jitted, "_general", refuse)


def test_every_kind_of_call_has_a_shortcut_and_none_is_mistaken_for_another() -> None:
    function = fg.jit(described)
    expected = [fg.jit(described)(*args, **kwargs) for args, kwargs in KINDS]
    order = [place for place in range(len(KINDS)) for _ in range(3)]
    shuffled = random.Random(0).choices(range(len(KINDS)), k=300)
    for place in order + shuffled:
        args, kwargs = KINDS[place]
        same(function(*args, **kwargs), expected[place])
    assert function.cache_info().calls == len(order) + len(shuffled)
    info = function.cache_info()
    assert info.traces + info.shared == len(KINDS) - 1  # a NumPy array is traced as an array is


@pytest.mark.parametrize("place", range(len(KINDS)))
def test_the_third_call_of_a_kind_is_quick(place: int, quick: Any) -> None:
    args, kwargs = KINDS[place]
    function = fg.jit(described)
    expected = function(*args, **kwargs)
    function(*args, **kwargs)
    quick()
    same(function(*args, **kwargs), expected)


def test_kinds_of_arrays_that_alternate_are_quick(quick: Any) -> None:
    function = fg.jit(lambda x: x + 1)
    kinds = [fnp.ones(size) for size in (1, 2, 3)]
    for kind in kinds * 3:
        function(kind)
    quick()
    for kind in kinds * 2:
        np.testing.assert_array_equal(function(kind), kind + 1)


def test_new_arrays_without_a_buffer_take_the_shortcut(quick: Any) -> None:
    function = fg.jit(lambda x: x + 1)
    for start in range(4):
        if start == 2:
            quick()
        np.testing.assert_array_equal(function(fnp.arange(3) + start), np.arange(3) + start + 1)


def test_statics_by_number_and_name(quick: Any) -> None:
    @dataclasses.dataclass(unsafe_hash=True)
    class Options:
        scale: float

    function = fg.jit(lambda x, n, *, options: x * n * options.scale, static_argnums=1, static_argnames="options")
    options = Options(2.0)
    for _ in range(3):
        assert float(function(1.0, 3, options=options)) == 6.0
    assert float(function(1.0, 4, options=options)) == 8.0
    assert float(function(1.0, 3, options=Options(5.0))) == 15.0
    options.scale = 7.0
    assert float(function(1.0, 3, options=options)) == 21.0
    with pytest.raises(errors.StaticArgumentError):
        function(1.0, [3], options=options)
    for _ in range(2):
        function(1.0, 3, options=options)
    quick()
    assert float(function(1.0, 3, options=Options(7.0))) == 21.0


def test_zeros_of_either_sign_stay_apart() -> None:
    for options in ({}, {"static_argnums": 1}):
        function = fg.jit(lambda x, zero: x / fnp.asarray(zero), **options)
        found = [float(function(1.0, zero)) for zero in (0.0, 0.0, 0.0, -0.0, -0.0, -0.0, 0.0)]
        assert found == [np.inf] * 3 + [-np.inf] * 3 + [np.inf]


def test_a_number_that_comes_again_is_used_again_unless_it_was_donated() -> None:
    step = 0.5
    for options in ({}, {"donate_argnums": (0, 1)}):
        function = fg.jit(lambda x, step: (x + step, step * 1.0), **options)
        state = fnp.zeros(())
        for _ in range(6):
            state, _ = function(state, step)
        assert float(state) == 3.0
    adding = fg.jit(lambda n: n + 1)
    assert [int(adding(number)) for number in (1, 2, 3)] == [2, 3, 4]
    with pytest.raises(OverflowError):
        adding(1 << 40)


def test_a_numpy_array_that_was_written_to_is_read_anew(quick: Any) -> None:
    function = fg.jit(lambda x: x + 1)
    array = np.zeros(2000, np.float32)
    for number in range(5):
        if number == 2:
            quick()
        array[:] = number
        found = function(array)
        array[:] = -1
        np.testing.assert_array_equal(found, np.full(2000, number + 1))


def test_settings_are_part_of_the_kind() -> None:
    function = fg.jit(lambda x: x + 1)
    for _ in range(3):
        assert function(1.0).dtype == np.float32
    with fg.config(default_float="float64"):
        for _ in range(3):
            assert function(1.0).dtype == np.float64
        with fg.disable_jit():
            before = function.cache_info().calls
            assert function(1.0).dtype == np.float64
            assert function.cache_info().calls == before
    assert function(1.0).dtype == np.float32
    fg.config.update(default_float="float64")
    try:
        assert function(1.0).dtype == np.float64
    finally:
        fg.config.update(default_float="float32")
    assert function(1.0).dtype == np.float32


def test_transformations_see_the_program_and_tracers_are_no_arrays() -> None:
    function = fg.jit(lambda x, y: (x * x * y).sum())
    for _ in range(3):
        function(x, y)
    np.testing.assert_array_equal(fg.grad(function)(x, y), 2 * x * y)
    assert "call" in str(fg.make_program(lambda z: function(x, y) + z)(1.0))
    assert fg.vmap(function, in_axes=(0, None))(fnp.stack([x, x]), y).shape == (2,)


def test_where_arguments_are_committed_is_part_of_the_kind() -> None:
    function = fg.jit(lambda x: x + 1)
    committed = fg.device_put(fnp.ones(3), fg.devices("cpu")[0])
    for _ in range(3):
        assert function(fnp.ones(3))._device is None
        assert function(committed)._device is fg.devices("cpu")[0]


def test_donated_arrays_are_given_away_and_refused() -> None:
    function = fg.jit(lambda state: {"w": state["w"] * 2}, donate_argnums=0)
    state = {"w": fnp.ones(1000)}
    for _ in range(4):
        before, buffer = state["w"], state["w"].buffer()
        state = function(state)
    assert buffer is not None
    assert float(state["w"][0]) == 16.0
    with pytest.raises(errors.DonatedError):
        np.asarray(before)
    with pytest.raises(errors.DonatedError):
        function({"w": before})
    plain = fg.jit(lambda x: x + 1)
    for _ in range(3):
        plain(fnp.ones(1000))
    with pytest.raises(errors.DonatedError):
        plain(before)


def test_checks_that_failed_are_inherited() -> None:
    table = fnp.arange(5.0)
    lookup, double = fg.jit(lambda i: table[i]), fg.jit(lambda x: x * 2)
    for _ in range(3):
        assert float(double(lookup(fnp.asarray(1)))) == 2.0
    with pytest.raises(errors.OutOfBoundsError):
        np.asarray(double(lookup(fnp.asarray(7))))
    assert float(double(lookup(fnp.asarray(2)))) == 4.0


def test_what_the_engine_refuses_is_named() -> None:
    function = fg.jit(lambda x: x * 3)
    for _ in range(3):
        function(fnp.ones(5))
    (dispatch,) = function._dispatches.values()

    def refuse(*args: Any) -> None:
        raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")

    run, dispatch.executable.execute = dispatch.executable.execute, refuse
    try:
        with pytest.raises(errors.EngineError, match="out of memory"):
            function(fnp.ones(5))
    finally:
        dispatch.executable.execute = run
    np.testing.assert_array_equal(function(fnp.ones(5)), np.full(5, 3))


def test_functions_with_shortcuts_are_freed_at_once_and_copied_as_functions_are() -> None:
    function = fg.jit(lambda x: x + 1)
    for _ in range(3):
        function(x)
    assert copy.copy(function) is copy.deepcopy([function])[0] is function
    living = weakref.ref(function)
    del function
    assert living() is None


def test_shortcuts_are_forgotten_at_once() -> None:
    function = fg.jit(lambda x: x + 1)
    for _ in range(3):
        function(x)
    shortcut = weakref.ref(function.__call__)
    function.clear_cache()
    assert shortcut() is None
    function(x)
    info = function.cache_info()
    assert (info.calls, info.hits) == (1, 0)
