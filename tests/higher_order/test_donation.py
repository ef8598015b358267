"""Donation: donated arrays are gone, and nothing else ever is."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors

SIZES = [1, 3, 1000, 100_000]  # scalars, and arrays below and above the size from which memory is aligned


def numbers(size: int) -> np.ndarray:
    return np.arange(size, dtype=np.float32)


def increment() -> Any:
    return fg.jit(lambda x: x + 1.0, donate_argnums=0)


def donated_array() -> fg.Array:
    x = fnp.asarray(numbers(3))
    increment()(x)
    return x


# -- what it computes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_a_loop_with_donation_computes_the_same(size: int) -> None:
    def step(state: Any, g: Any) -> Any:
        return {"w": state["w"] - 0.5 * g, "m": state["m"] * 0.5 + g, "n": state["n"] + 1}

    donating, plain = fg.jit(step, donate_argnums=0), fg.jit(step)
    found = want = {"w": fnp.asarray(numbers(size)), "m": fnp.zeros(size), "n": fnp.asarray(0)}
    found = fg.tree.map(lambda x: x.copy(), found)
    for i in range(5):
        g = fnp.asarray(numbers(size) * i)
        found, want = donating(found, g), plain(want, g)
    for name in want:
        np.testing.assert_array_equal(found[name], want[name])
    assert donating.cache_info().programs == 1


def test_it_is_written_into_the_program() -> None:
    def function(a: Any, b: Any, c: Any, d: Any) -> Any:
        return c * 2.0, a + b, fnp.sum(d)

    x, n = fnp.ones(3), fnp.ones(4, "int32")
    lowered = fg.jit(function, donate_argnums=(0, 2, 3)).lower(x, x, x, n)
    (signature,) = re.findall(r"@main\((.*?)\) ->", lowered.as_text())
    arguments = signature.split("%arg")[1:]
    assert ["tf.aliasing_output = 0" in a for a in arguments] == [True, False, False, False]
    assert ["tf.aliasing_output = 1" in a for a in arguments] == [False, False, True, False]
    assert ["jax.buffer_donor = true" in a for a in arguments] == [False, False, False, True]


def test_the_compiled_program_uses_the_memory() -> None:
    x = fnp.asarray(numbers(1000))
    plain, donating = fg.jit(lambda x: x + 1.0), increment()
    assert donating.lower(x).compile().memory_analysis().alias_size_in_bytes == 4000
    assert plain.lower(x).compile().memory_analysis().alias_size_in_bytes == 0


def test_constants_come_before_the_donated_inputs() -> None:
    table = fnp.asarray(numbers(3)) * 2
    function = fg.jit(lambda x, y: (x * table, y * table), donate_argnums=1)
    for _ in range(3):
        x, y = fnp.ones(3), fnp.ones(3) * 2
        a, b = function(x, y)
        np.testing.assert_array_equal(a, numbers(3) * 2)
        np.testing.assert_array_equal(b, numbers(3) * 4)
        np.testing.assert_array_equal(x, np.ones(3))
        with pytest.raises(errors.DonatedError):
            np.asarray(y)


@pytest.mark.parametrize("argument", [2.0, 3, np.ones(3, np.float32), np.float64(2.0)])
def test_numbers_and_foreign_arrays_may_be_donated(argument: Any) -> None:
    function = fg.jit(lambda x: x * 2, donate_argnums=0)
    for _ in range(2):
        np.testing.assert_array_equal(function(argument), np.asarray(argument) * 2)


def test_by_name_and_by_number_are_the_same() -> None:
    def step(state: Any, *, extra: Any = 0.0) -> Any:
        return state + extra

    for options in ({"donate_argnums": 0}, {"donate_argnames": "state"}, {"donate_argnums": -1}):
        if options.get("donate_argnums") == -1:
            function = fg.jit(lambda state: state + 1.0, **options)
        else:
            function = fg.jit(step, **options)
        for call in (lambda x, f=function: f(x), lambda x, f=function: f(state=x)):
            x = fnp.asarray(numbers(3))
            call(x)
            with pytest.raises(errors.DonatedError, match="argument state"):
                x + 1
    keyword = fg.jit(step, donate_argnames="extra")
    x, y = fnp.asarray(numbers(3)), fnp.asarray(numbers(3))
    keyword(x, extra=y)
    np.testing.assert_array_equal(x, numbers(3))
    with pytest.raises(errors.DonatedError, match="argument extra"):
        y + 1


def test_static_arguments_do_not_shift_donated_ones() -> None:
    function = fg.jit(lambda n, x, y: (x * n, y * n), static_argnums=0, donate_argnums=2)
    x, y = fnp.asarray(numbers(3)), fnp.asarray(numbers(3))
    for _ in range(2):
        function(2, x, fnp.asarray(numbers(3)))
    np.testing.assert_array_equal(x, numbers(3))
    mixed = fg.jit(lambda t, x: (t["a"], x), donate_argnums=1)
    mixed({"name": "static", "a": x, "none": None}, y)
    np.testing.assert_array_equal(x, numbers(3))
    with pytest.raises(errors.DonatedError):
        np.asarray(y)


# -- reuse -------------------------------------------------------------------------------------------------------------


def uses() -> dict[str, Callable[[fg.Array], Any]]:
    compiled = fg.jit(lambda x: x * 2)
    compiled(fnp.ones(3))
    return {
        "arithmetic": lambda x: x + 1,
        "right arithmetic": lambda x: 1 - x,
        "with itself": lambda x: x * x,
        "unary": lambda x: -x,
        "functions": lambda x: fnp.sin(x),
        "where": lambda x: fnp.where(x > 0, x, x),
        "concatenate": lambda x: fnp.concatenate([x, x]),
        "sum": lambda x: x.sum(),
        "reading": lambda x: x[0],
        "masking": lambda x: fnp.ones(3)[x > 1],
        "writing": lambda x: x.at[0].set(1.0),
        "writing it": lambda x: fnp.ones(3).at[:].set(x),
        "broadcasting": lambda x: fnp.broadcast_to(x, (3, 3)),
        "NumPy": lambda x: np.asarray(x),
        "a NumPy function": lambda x: np.sum(np.asarray(x)),
        "printing": lambda x: str(x),
        "formatting": lambda x: f"{x}",
        "a list": lambda x: x.tolist(),
        "iteration": lambda x: list(x),
        "pickling": lambda x: pickle.dumps(x),
        "a copy": lambda x: x.copy(),
        "another copy": lambda x: fnp.copy(x),
        "array": lambda x: fnp.array(x),
        "a memory view": lambda x: memoryview(x) if hasattr(memoryview, "__buffer__") else np.asarray(x),
        "DLPack": lambda x: np.from_dlpack(x),
        "waiting": lambda x: x.block_until_ready(),
        "moving": lambda x: fg.device_put(x, "cpu"),
        "fetching": lambda x: fg.device_get(x),
        "jit": lambda x: fg.jit(lambda x: x * 3)(x),
        "jit that ran before": lambda x: compiled(x),
        "donation": lambda x: increment()(x),
        "a closure under jit": lambda x: fg.jit(lambda y: y * x)(fnp.ones(3)),
        "a compiled stage": lambda x: compiled.lower(fnp.ones(3)).compile()(x),
        "grad": lambda x: fg.grad(lambda x: fnp.sum(x * x))(x),
        "vmap": lambda x: fg.vmap(lambda x: x * 2)(x),
        "grad of jit": lambda x: fg.grad(fg.jit(lambda x: fnp.sum(x * x)))(x),
    }


@pytest.mark.parametrize("kind", uses())
def test_every_use_of_a_donated_array_is_an_error(kind: str) -> None:
    use = uses()[kind]
    use(fnp.asarray(numbers(3)))
    with pytest.raises(errors.DonatedError, match="it was the argument x of <lambda>"):
        use(donated_array())


def test_what_needs_no_value_still_works() -> None:
    x = donated_array()
    assert (x.shape, x.dtype, x.ndim, x.size, x.nbytes) == ((3,), np.float32, 1, 3, 12)
    assert len(x) == 3
    assert repr(x) == "Array(<donated>, shape=(3,), dtype=float32)"
    assert x.device == fg.devices()[0]
    assert copy.copy(x) is x
    assert fg.jit(lambda x: x + 1).eval_shape(x).shape == (3,)
    assert fg.tree.leaves({"a": x})[0] is x


def test_the_quick_path_notices() -> None:
    function, donate = fg.jit(lambda x, y: x + y), increment()
    x, y = fnp.asarray(numbers(3)), fnp.asarray(numbers(3))
    for _ in range(3):
        function(x, y)
    donate(y)
    with pytest.raises(errors.DonatedError):
        function(x, y)
    np.testing.assert_array_equal(function(x, x), 2 * numbers(3))


def test_paths_and_lines_are_named() -> None:
    step = fg.jit(lambda state, g: (state["w"][1] + g, state["b"] + g), donate_argnums=0)
    state = {"w": [fnp.asarray(numbers(2)), fnp.asarray(numbers(3))], "b": fnp.asarray(numbers(3))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.DonationWarning)
        step(state, 1.0)  # here
    for path, leaf in [("state['w'][0]", state["w"][0]), ("state['w'][1]", state["w"][1]), ("state['b']", state["b"])]:
        with pytest.raises(errors.DonatedError) as caught:
            leaf + 1
        assert f"the argument {path} of" in caught.value.message
        assert "step(state, 1.0)  # here" in caught.value.message
        assert caught.value.source is not None
        assert caught.value.source.text == "leaf + 1"


def test_a_closed_over_array_that_is_donated_later() -> None:
    table = fnp.asarray(numbers(3))
    function = fg.jit(lambda x: x * table)
    function(fnp.ones(3))
    increment()(table)
    with pytest.raises(errors.DonatedError, match="argument x of"):
        function(fnp.ones(3))
    with pytest.raises(errors.DonatedError, match="argument x of"):
        fg.grad(lambda x: fnp.sum(function(x)))(fnp.ones(3))


# -- what must not be touched ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("read_first", [False, True])
def test_views_and_copies_outlive_it(size: int, read_first: bool) -> None:
    mine = numbers(size)
    donate = fg.jit(lambda x: x * 0 - 7.0, donate_argnums=0)
    for _ in range(4):
        x = fnp.asarray(mine)
        if read_first:
            fg.jit(lambda x: x * 2)(x)  # gives it a buffer
        part, whole, same = x[: size // 2 + 1], np.asarray(x), x.copy()
        also, moved, flat = fnp.array(x), fg.device_put(x, "cpu"), x.reshape(1, size)
        results = [donate(x), *[donate(fnp.asarray(mine)) for _ in range(3)]]
        for kept in (mine, whole, same, also, moved, flat[0]):
            np.testing.assert_array_equal(kept, numbers(size))
        np.testing.assert_array_equal(part, numbers(size)[: size // 2 + 1])
        for result in results:
            np.testing.assert_array_equal(result, np.full(size, -7.0))


@pytest.mark.parametrize("size", SIZES)
def test_views_of_results_outlive_it(size: int) -> None:
    donate = fg.jit(lambda x: x * 0 - 7.0, donate_argnums=0)
    for _ in range(4):
        x = fg.jit(lambda x: x + 1.0)(fnp.asarray(numbers(size)))
        part, whole, moved, same = x[1:], np.asarray(x), fg.device_put(x, "cpu"), x.copy()
        donate(x)
        for kept in (whole, moved, same):
            np.testing.assert_array_equal(kept, numbers(size) + 1)
        np.testing.assert_array_equal(part, numbers(size)[1:] + 1)
        with pytest.raises(errors.DonatedError):
            np.asarray(x)
        donate(moved)
        np.testing.assert_array_equal(same, numbers(size) + 1)


@pytest.mark.parametrize("size", SIZES)
def test_the_same_array_twice(size: int) -> None:
    step = fg.jit(lambda state, g: (state[0] + g, state[1] * 2 - g), donate_argnums=0)
    for make in (
        fnp.zeros,
        lambda n: fnp.asarray(numbers(n)),
        lambda n: fg.jit(lambda x: x + 1)(fnp.asarray(numbers(n))),
    ):
        zeros = make(size)
        want = np.array(zeros)
        for _ in range(3):
            state = (zeros.copy(),) * 2
            a, b = step(state, 1.0)
            np.testing.assert_array_equal(a, want + 1)
            np.testing.assert_array_equal(b, want * 2 - 1)
            with pytest.raises(errors.DonatedError):
                np.asarray(state[0])
        np.testing.assert_array_equal(zeros, want)


def test_two_arrays_of_one_buffer() -> None:
    step = fg.jit(lambda m, v: (m + 1, v + 2), donate_argnums=(0, 1))
    x = fg.jit(lambda x: x * 2)(fnp.asarray(numbers(1000)))
    for _ in range(3):
        a, b = step(x.copy(), fg.device_put(x, "cpu"))
        np.testing.assert_array_equal(a, numbers(1000) * 2 + 1)
        np.testing.assert_array_equal(b, numbers(1000) * 2 + 2)
    np.testing.assert_array_equal(x, numbers(1000) * 2)


def test_donated_and_kept_in_one_call() -> None:
    step = fg.jit(lambda a, b: a * 10 + b, donate_argnums=0)
    for _ in range(3):
        x = fg.jit(lambda x: x * 2)(fnp.asarray(numbers(1000)))
        np.testing.assert_array_equal(step(x, x), numbers(1000) * 22)
        with pytest.raises(errors.DonatedError):
            np.asarray(x)


def test_a_closed_over_array_donated_to_its_own_function() -> None:
    x = fg.jit(lambda x: x * 2)(fnp.asarray(numbers(1000)))
    step = fg.jit(lambda a: a * 10 + x, donate_argnums=0)
    np.testing.assert_array_equal(step(x), numbers(1000) * 22)
    with pytest.raises(errors.DonatedError):
        step(fnp.ones(1000))


@pytest.mark.parametrize("make", [fnp.zeros, fnp.ones, lambda n: fnp.full(n, 2.5), lambda n: fnp.asarray(2.5)])
def test_constants_of_others_stay(make: Any) -> None:
    want = np.array(make(3))
    mine, other = make(3), make(3)
    function = fg.jit(lambda x: x + make(3), donate_argnums=0)
    for _ in range(2):
        np.testing.assert_array_equal(function(make(3)), want + want)
    increment()(mine)
    np.testing.assert_array_equal(other, want)
    np.testing.assert_array_equal(make(3), want)
    np.testing.assert_array_equal(function(make(3)), want + want)
    with pytest.raises(errors.DonatedError):
        np.asarray(mine)


def test_results_that_pass_arguments_through() -> None:
    function = fg.jit(lambda x, y: (x, y, x), donate_argnums=0)
    x, y = fnp.asarray(numbers(3)), fnp.asarray(numbers(3)) + 1
    a, b, c = function(x, y)
    a2, *_ = function(a, b)
    np.testing.assert_array_equal(a2, numbers(3))
    np.testing.assert_array_equal(c, numbers(3))
    np.testing.assert_array_equal(b, numbers(3) + 1)


# -- composition -------------------------------------------------------------------------------------------------------


def test_inside_other_transformations_it_has_no_effect() -> None:
    x = fnp.asarray(numbers(3))
    square = fg.jit(lambda x: fnp.sum(x * x), donate_argnums=0)
    np.testing.assert_array_equal(fg.grad(square)(x), 2 * numbers(3))
    np.testing.assert_array_equal(fg.jit(lambda x: square(x) + fnp.sum(x))(x), 5 + 3)
    np.testing.assert_array_equal(fg.vmap(fg.jit(lambda x: x + 1, donate_argnums=0))(x), numbers(3) + 1)
    fg.jvp(square, (x,), (x,))
    with fg.disable_jit():
        square(x)
    square.eager(x)
    square.lower(x)
    np.testing.assert_array_equal(x, numbers(3))


def test_stages_donate() -> None:
    compiled = fg.jit(lambda s, g: {"w": s["w"] + g}, donate_argnums=0).lower({"w": fnp.ones(3)}, 1.0).compile()
    state = {"w": fnp.asarray(numbers(3))}
    np.testing.assert_array_equal(compiled(state, 1.0)["w"], numbers(3) + 1)
    with pytest.raises(errors.DonatedError, match=r"argument s\['w'\]"):
        np.asarray(state["w"])


def test_a_failing_call_leaves_the_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    function = fg.jit(lambda x: x + 1, donate_argnums=0)
    x = fnp.asarray(numbers(3))
    function(x.copy())
    (dispatch, *_) = function._dispatches.values()

    class Refusing:
        """Stands for an engine that has no memory left."""

        def __call__(self, *arguments: Any) -> Any:
            raise ValueError("out of memory")

    monkeypatch.setattr(dispatch.executable, "execute", Refusing())
    with pytest.raises(errors.EngineError, match="out of memory"):
        function(x)
    monkeypatch.undo()
    np.testing.assert_array_equal(x, numbers(3))
    with pytest.raises(errors.DonatedError):
        function(donated_array())
    np.testing.assert_array_equal(function(x), numbers(3) + 1)


def test_what_is_refused_changes_nothing() -> None:
    step = fg.jit(lambda a, b: (a + 1, b + 1), donate_argnums=(0, 1))
    x, gone = fnp.asarray(numbers(3)), donated_array()
    for _ in range(2):
        with pytest.raises(errors.DonatedError):
            step(x, gone)
        np.testing.assert_array_equal(x, numbers(3))
        step(x.copy(), x.copy())


def test_useless_donation_warns_once_for_a_signature() -> None:
    function = fg.jit(lambda s: fnp.sum(s["a"]) + s["b"], donate_argnums=0)
    state = {"a": fnp.asarray(numbers(3)), "b": fnp.asarray(1.0)}
    with pytest.warns(errors.DonationWarning) as caught:
        function(fg.tree.map(lambda x: x.copy(), state))
    (warning,) = caught
    assert warning.filename == __file__
    assert "s['a']: f32[3]" in str(warning.message)
    assert "s['b']" not in str(warning.message)
    function(state)
    with pytest.raises(errors.DonatedError):
        np.asarray(state["a"])


def test_the_same_programs_as_jax_may_be_donated() -> None:
    def step(state: Any, g: Any) -> Any:
        return [leaf - g for leaf in state], g * 2

    x = numbers(5)
    want = jax.jit(step, donate_argnums=0)([jax.numpy.asarray(x), jax.numpy.asarray(x)], 1.5)
    found = fg.jit(step, donate_argnums=0)([fnp.asarray(x), fnp.asarray(x)], 1.5)
    for a, b in zip(fg.tree.leaves(found), jax.tree.leaves(want), strict=True):
        np.testing.assert_array_equal(a, b)


def test_checks_and_callbacks_go_along() -> None:
    seen: list[float] = []

    @fg.jit(donate_argnums=0)
    def step(x: Any, limit: Any) -> Any:
        fg.check(x[0] < limit, "too much")
        fg.debug.callback(lambda first: seen.append(float(first)), x[0], ordered=True)
        return x + 1.0

    x = fnp.asarray(numbers(5))
    for _ in range(3):
        x = step(x, 10.0)
    np.testing.assert_array_equal(x, numbers(5) + 3)
    fg.effects_barrier()
    assert seen == [0.0, 1.0, 2.0]
    failed = step(x, 1.0)
    with pytest.raises(errors.CheckError, match="too much"):  # by the call if it knows already, else by its result
        np.asarray(step(failed, 10.0))
