"""Checks under every transformation: which ones fire, with the user's line and values; JAX's checkify as oracle."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import checkify

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, CheckError, DTypeError, FuncgradError, IntegerDivisionError, OutOfBoundsError


def error_of(function: Callable[..., Any], *args: Any) -> FuncgradError | None:
    """The error of calling a function and reading all its results, and of what nobody read."""
    try:
        fg.tree.map(np.asarray, function(*args))
        fg.effects_barrier()
    except FuncgradError as error:
        return error
    return None


def fails(function: Callable[..., Any], *args: Any) -> bool:
    return error_of(function, *args) is not None


def checked(x: Any) -> Any:
    fg.check(x > 0, "not positive: {x}", x=x)
    return x * x


WAYS = {
    "eager": lambda f: f,
    "jit": fg.jit,
    "jit of jit": lambda f: fg.jit(fg.jit(f)),
    "grad": fg.grad,
    "jit of grad": lambda f: fg.jit(fg.grad(f)),
    "grad of jit": lambda f: fg.grad(fg.jit(f)),
    "second derivative": lambda f: fg.jit(fg.grad(fg.grad(f))),
    "jvp": lambda f: lambda x: fg.jvp(f, (x,), (x,)),
    "jit of jvp": lambda f: fg.jit(lambda x: fg.jvp(f, (x,), (x,))),
    "linearize": lambda f: lambda x: fg.linearize(fg.jit(f), x)[0],
    "value_and_grad": lambda f: fg.jit(fg.value_and_grad(f)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_check_fires_under_every_transformation(way: Any) -> None:
    assert not fails(way(checked), fnp.asarray(2.0))
    error = error_of(way(checked), fnp.asarray(-2.0))
    assert isinstance(error, CheckError)
    assert error.message == "not positive: -2.0"
    assert error.source is not None
    assert error.source.text == 'fg.check(x > 0, "not positive: {x}", x=x)'


MAPPED_WAYS = {
    "vmap": fg.vmap,
    "jit of vmap": lambda f: fg.jit(fg.vmap(f)),
    "vmap of jit": lambda f: fg.vmap(fg.jit(f)),
    "vmap of grad": lambda f: fg.vmap(fg.grad(f)),
    "jit of vmap of grad": lambda f: fg.jit(fg.vmap(fg.grad(f))),
    "vmap of grad of jit": lambda f: fg.vmap(fg.grad(fg.jit(f))),
}


@pytest.mark.parametrize("way", MAPPED_WAYS.values(), ids=MAPPED_WAYS.keys())
def test_a_mapped_check_names_the_first_failing_element(way: Any) -> None:
    assert not fails(way(checked), fnp.array([1.0, 2.0]))
    error = error_of(way(checked), fnp.array([1.0, -2.0, -3.0]))
    assert error is not None
    assert error.message == "not positive: -2.0\n(at index 1 of the mapped axis)"


def test_nested_maps_name_all_indices() -> None:
    x = fnp.array([[1.0, 2.0, 3.0], [4.0, 5.0, -6.0]])
    for f in (fg.vmap(fg.vmap(checked)), fg.jit(fg.vmap(fg.vmap(checked)))):
        error = error_of(f, x)
        assert error is not None
        assert error.message == "not positive: -6.0\n(at index (1, 2) of the mapped axes)"


def test_a_map_over_nothing_checks_nothing() -> None:
    assert not fails(fg.jit(fg.vmap(checked)), fnp.zeros(0))


def test_values_that_alone_are_mapped() -> None:
    error = error_of(
        fg.jit(fg.vmap(lambda ok, x: fg.check(ok, "{}", x) or x, in_axes=(None, 0))), False, fnp.array([5, 6])
    )
    assert error is not None
    assert error.message == "5\n(at index 0 of the mapped axis)"


# -- branches, loops, recomputation ----------------------------------------------------------------------------------


def branching(x: Any) -> Any:
    return fg.lax.cond(x > 0, lambda x: x + 1, checked, x)


def test_only_the_taken_branch_is_checked() -> None:
    for f in (branching, fg.jit(branching), fg.jit(fg.grad(branching)), fg.grad(fg.jit(branching))):
        assert not fails(f, fnp.asarray(1.0))
        assert fails(f, fnp.asarray(-1.0))


CHOICES = list(itertools.product([1.0, -1.0], repeat=2))


@pytest.mark.parametrize("make", [lambda f: fg.jit(fg.vmap(f)), lambda f: fg.vmap(fg.jit(f)), fg.vmap])
def test_under_vmap_only_the_taken_elements_are_checked(make: Any) -> None:
    def f(p: Any, x: Any) -> Any:
        return fg.lax.cond(p > 0, checked, lambda x: x, x)

    mapped = make(f)
    for p, x in itertools.product(CHOICES, CHOICES):
        expected = any(pi > 0 and xi <= 0 for pi, xi in zip(p, x, strict=True))
        assert fails(mapped, fnp.array(p), fnp.array(x)) == expected


def test_nested_branches_under_vmap() -> None:
    def f(p: Any, q: Any, x: Any) -> Any:
        return fg.lax.cond(p > 0, lambda x: fg.lax.cond(q > 0, checked, lambda x: x, x), lambda x: x, x)

    mapped = fg.jit(fg.vmap(f))
    for p, q in itertools.product(CHOICES, CHOICES):
        expected = any(a > 0 and b > 0 for a, b in zip(p, q, strict=True))
        assert fails(mapped, fnp.array(p), fnp.array(q), fnp.array([-1.0, -1.0])) == expected


def test_a_jitted_branch_under_vmap_is_masked() -> None:
    mapped = fg.jit(fg.vmap(lambda p, x: fg.lax.cond(p, fg.jit(checked), lambda x: x, x)))
    assert not fails(mapped, np.array([True, False]), fnp.array([1.0, -1.0]))
    assert fails(mapped, np.array([False, True]), fnp.array([1.0, -1.0]))


def test_indices_divisors_and_assertions_of_an_untaken_side() -> None:
    x = fnp.arange(3)
    sides: list[tuple[Any, type]] = [
        (lambda i: x[i], OutOfBoundsError),
        (lambda i: x.at[i].set(7)[0], OutOfBoundsError),
        (lambda i: 5 // (3 - i), IntegerDivisionError),
    ]
    for side, kind in sides:
        mapped = fg.jit(fg.vmap(lambda p, i, side=side: fg.lax.cond(p, side, lambda i: i, i)))
        assert not fails(mapped, np.array([True, False]), np.array([1, 3], np.int32))
        assert isinstance(error_of(mapped, np.array([True, True]), np.array([1, 3], np.int32)), kind)


def test_switch_checks_the_chosen_branch() -> None:
    f = fg.jit(lambda i, x: fg.lax.switch(i, [lambda x: x, checked, lambda x: x[None][fnp.where(x < 0, 1, 0)]], x))
    assert [fails(f, i, -1.0) for i in range(3)] == [False, True, True]


def summed(xs: Any) -> Any:
    def step(total: Any, x: Any) -> tuple[Any, Any]:
        fg.check(x > 0, "step with {x}, so far {total}", x=x, total=total)
        return total + x * x, x

    return fg.lax.scan(step, 0.0, xs)[0]


def test_every_step_of_a_scan_is_checked() -> None:
    good, bad = fnp.array([1.0, 2.0, 3.0]), fnp.array([1.0, -2.0, -3.0])
    for f in (summed, fg.jit(summed), fg.jit(fg.grad(summed)), fg.grad(fg.jit(summed)), fg.grad(summed)):
        assert not fails(f, good)
        error = error_of(f, bad)
        assert error is not None
        assert error.message == "step with -2.0, so far 1.0"
    mapped = fg.jit(fg.vmap(summed))
    assert not fails(mapped, fnp.stack([good, good]))
    error = error_of(mapped, fnp.stack([good, bad]))
    assert error is not None
    assert error.message == "step with -2.0, so far 1.0\n(at index 1 of the mapped axis)"


def counted_down(n: Any, lowest: Any) -> Any:
    def step(i: Any) -> Any:
        fg.check(i > lowest, "{} is not above {}", i, lowest)
        return i - 1

    return fg.lax.while_loop(lambda i: i > 0, step, n)


def test_every_step_of_a_while_loop_is_checked() -> None:
    for f in (counted_down, fg.jit(counted_down)):
        assert not fails(f, 5, 0)
        error = error_of(f, 5, 3)
        assert error is not None
        assert error.message == "3 is not above 3"


def test_a_mapped_while_loop_checks_only_elements_that_still_run() -> None:
    mapped = fg.jit(fg.vmap(counted_down))
    assert not fails(mapped, np.array([1, 5]), np.array([0, 0]))
    assert not fails(mapped, np.array([0, 5]), np.array([9, 0]))  # the first one never runs
    error = error_of(mapped, np.array([2, 5]), np.array([0, 4]))
    assert error is not None
    assert error.message == "4 is not above 4\n(at index 1 of the mapped axis)"


def test_indices_in_loops_are_checked() -> None:
    def total(x: Any, n: Any) -> Any:
        return fg.lax.fori_loop(0, n, lambda i, total: total + x[i], 0.0)

    for f in (fg.jit(total), fg.jit(fg.grad(total)), total):
        assert not fails(f, fnp.ones(3), 3)
        assert isinstance(error_of(f, fnp.ones(3), 4), OutOfBoundsError)


def test_checks_in_a_loop_condition() -> None:
    def condition(i: Any) -> Any:
        fg.check(i != 2, "reached two")
        return i < 4

    f = fg.jit(lambda i: fg.lax.while_loop(condition, lambda i: i + 1, i))
    assert not fails(f, 3)
    assert fails(f, 0)


def test_loops_within_branches_within_loops() -> None:
    def step(total: Any, x: Any) -> tuple[Any, None]:
        return fg.lax.cond(x > 0, lambda: summed(fnp.stack([x, total])), lambda: total), None

    f = fg.jit(lambda start, xs: fg.lax.scan(step, start, xs)[0])
    assert not fails(f, 1.0, fnp.array([1.0, -1.0, 2.0]))
    assert not fails(f, -1.0, fnp.array([-1.0, -1.0]))
    assert fails(f, -1.0, fnp.array([-1.0, 1.0]))
    mapped = fg.jit(fg.vmap(f))
    assert not fails(mapped, fnp.array([1.0, -1.0]), fnp.array([[1.0, -1.0], [-1.0, -1.0]]))
    assert fails(mapped, fnp.array([1.0, -1.0]), fnp.array([[1.0, -1.0], [-1.0, 1.0]]))


def test_custom_rules_are_checked() -> None:
    @fg.custom_jvp
    def f(x: Any) -> Any:
        return checked(x)

    @f.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        (x,), (dx,) = primals, tangents
        fg.check(x < 10, "too large: {}", x)
        return f(x), 2 * x * dx

    for make in (fg.jit, lambda f: fg.jit(fg.grad(f)), lambda f: fg.grad(fg.jit(f))):
        assert not fails(make(f), 2.0)
        assert fails(make(f), -2.0)
    assert not fails(fg.jit(f), 20.0)
    assert fails(fg.jit(fg.grad(f)), 20.0)


def test_python_branches_are_checked_where_they_are_taken() -> None:
    def f(x: Any) -> Any:
        if x > 1:
            return checked(x - 3)
        return x

    for make in (fg.jit, lambda f: fg.jit(fg.grad(f))):
        assert [fails(make(f), value) for value in (0.0, 2.0, 4.0)] == [False, True, False]
    mapped = fg.jit(fg.vmap(f))
    assert not fails(mapped, fnp.array([0.0, 4.0]))
    assert fails(mapped, fnp.array([0.0, 2.0]))


def test_checkpointed_functions_are_checked() -> None:
    f = fg.jit(fg.grad(fg.checkpoint(lambda x: checked(fnp.sin(x)))))
    assert not fails(f, 1.0)
    assert fails(f, -1.0)


# -- what fires: the oracle ------------------------------------------------------------------------------------------


def by_checkify(function: Callable[..., Any], *args: Any) -> bool:
    """Whether JAX finds an index out of bounds, a division by zero or a failing check."""
    error, _ = checkify.checkify(function, errors=checkify.user_checks | checkify.index_checks | checkify.div_checks)(
        *args
    )
    return error.get() is not None


@pytest.mark.parametrize("index", [0, 2, 3, -1, -3, -4, 100])
def test_the_same_indices_are_refused_as_by_checkify(index: int) -> None:
    ours = fg.jit(lambda x, i: x[i])
    assert fails(ours, fnp.arange(3), index) == by_checkify(lambda x, i: x[i], jnp.arange(3), index)
    vectors = np.array([0, index], np.int32)
    assert fails(ours, fnp.arange(3), vectors) == by_checkify(lambda x, i: x[i], jnp.arange(3), vectors)
    write = fg.jit(lambda x, i: x.at[i].set(0))
    assert fails(write, fnp.arange(3), index) == by_checkify(lambda x, i: x.at[i].set(0), jnp.arange(3), index)


@pytest.mark.parametrize("divisor", [0, 1, -1])
def test_the_same_divisions_are_refused_as_by_checkify(divisor: int) -> None:
    x, y = np.array([1, 2], np.int32), np.array([1, divisor], np.int32)
    for ours, theirs in (
        (fnp.floor_divide, jnp.floor_divide),
        (fnp.remainder, jnp.remainder),
        (fg.lax.div, jax.lax.div),
    ):
        expected = divisor == 0 if theirs is jnp.remainder else by_checkify(theirs, x, y)
        assert fails(fg.jit(ours), x, y) == expected
        assert fails(ours, fnp.asarray(x), fnp.asarray(y)) == expected


# -- indices ---------------------------------------------------------------------------------------------------------


def test_modes_and_fill_values_ask_for_no_check() -> None:
    x = fnp.arange(3.0)
    for mode in ("fill", "clip", "wrap", "drop", "promise_in_bounds"):
        assert not fg.make_program(lambda x, i, mode=mode: x.at[i].get(mode=mode))(x, 1).effects
    assert fg.jit(lambda x, i: x.at[i].get(fill_value=9.0))(x, 7).item() == 9
    assert fg.jit(lambda x, i: fnp.take(x, i, fill_value=9.0))(x, 7).item() == 9
    assert x.at[7].get(fill_value=9.0).item() == 9
    assert not fg.make_program(lambda x, i: fg.lax.dynamic_slice_in_dim(x, i, 2))(x, 1).effects
    assert fg.make_program(lambda x, i: fnp.take(x, i))(x, 1).effects == {"check"}


def test_indices_within_bounds_read_and_write_as_without_checks() -> None:
    x, i = fnp.arange(12.0).reshape(3, 4), np.array([[0, -1], [2, 1]], np.int32)
    functions = [
        lambda x, i: x[i],
        lambda x, i: x[:, i],
        lambda x, i: x[i[0], i[1]],
        lambda x, i: x[i[0, 0], i[1, 1]],
        lambda x, i: x.at[i].add(1.0),
        lambda x, i: x.at[i[0, 1], :].set(7.0),
        lambda x, i: fnp.take_along_axis(x[:2], i, 1),
    ]
    for f in functions:
        expected = np.asarray(f(x, i))
        np.testing.assert_array_equal(fg.jit(f)(x, i), expected)
        with fg.config(check_bounds=False):
            np.testing.assert_array_equal(fg.jit(f)(x, i), expected)
        f = lambda x, i, f=f: (f(x, i) ** 2).sum()  # noqa: E731
        np.testing.assert_array_equal(fg.jit(fg.grad(f))(x, i), fg.grad(f)(x, i))


def test_every_index_of_several_is_checked() -> None:
    f = fg.jit(lambda x, i, j: x[i, :, j])
    x = fnp.zeros((2, 3, 4))
    assert not fails(f, x, 1, -4)
    assert "axis 0 of length 2 (shape (2, 3, 4))" in str(error_of(f, x, 2, 0))
    assert "axis 2 of length 4 (shape (2, 3, 4))" in str(error_of(f, x, 0, -5))


def test_arrays_without_elements_and_indices_without_elements() -> None:
    f = fg.jit(lambda x, i: x[i])
    assert isinstance(error_of(f, fnp.zeros(0), 0), OutOfBoundsError)
    assert isinstance(error_of(f, fnp.zeros((0, 3)), np.array([0])), OutOfBoundsError)
    assert f(fnp.zeros((0, 3)), np.zeros(0, np.int32)).shape == (0, 3)


def test_the_old_behaviour_is_a_setting() -> None:
    with fg.config(check_bounds=False, check_division=False):
        assert np.isnan(fg.jit(lambda x, i: x[i])(fnp.ones(3), 5).item())
        assert (fnp.array([4, 5]) // fnp.array([2, 0])).tolist() == [2, 0]
        assert fg.jit(lambda x, y: x % y)(5, 0).item() == 0


# -- division --------------------------------------------------------------------------------------------------------


def test_divisors_that_are_known_and_not_zero_cost_nothing() -> None:
    known = fnp.array([1, 2, 3])
    for f in (lambda x: x // 2, lambda x: x % known, lambda x: divmod(x, -1), lambda x: fg.lax.rem(x, known)):
        assert not fg.make_program(f)(known).effects
    assert not fg.make_program(lambda x: x // 0.0)(fnp.ones(3)).effects


def test_a_known_zero_divisor_counts_only_where_it_divides() -> None:
    zero = fnp.array([1, 0])
    f = fg.jit(lambda p, x: fg.lax.cond(p, lambda x: x // zero, lambda x: x, x))
    assert not fails(f, False, fnp.array([1, 2]))
    assert fails(f, True, fnp.array([1, 2]))


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod", "divmod"])
def test_eager_integer_division_by_zero_is_refused_in_every_form(name: str) -> None:
    f = getattr(fnp, name)
    ints = fnp.array([1, 2])
    for x, y in (
        (ints, 0),
        (5, fnp.array([1, 0])),
        (ints, fnp.array([1, 0])),
        (ints.astype("int8"), fnp.array([[1], [0]])),
    ):
        assert isinstance(error_of(f, x, y), IntegerDivisionError)
    assert not fails(f, fnp.array([1.0]), 0.0)
    assert not fails(f, fnp.zeros(0, int), fnp.zeros(0, int))


# -- the function itself ---------------------------------------------------------------------------------------------


def test_large_values_are_summarised() -> None:
    error = error_of(fg.jit(lambda x: fg.check((x < 50).all(), "{}", x) or x), fnp.arange(100.0))
    assert error is not None
    assert error.message == "f32[100] with values from 0.0 to 99.0"
    error = error_of(fg.jit(lambda x: fg.check((x == 0).all(), "{}", x) or x), fnp.arange(70) * 1j)
    assert error is not None
    assert error.message == "c64[70] with absolute values from 0.0 to 69.0"
    error = error_of(lambda x: fg.check(~x, "{}", x), fnp.arange(70) > 3)
    assert error is not None
    assert error.message == "bool[70] with values from 0 to 1"


def test_formats_reach_into_values() -> None:
    error = error_of(fg.jit(lambda x, n: fg.check(x < 0, "{0:.2f} of {n:>4}", x, n=n) or x), 1.2345, 7)
    assert error is not None
    assert error.message == "1.23 of    7"


def test_a_condition_that_holds_for_certain_leaves_no_trace() -> None:
    def f(x: Any) -> Any:
        fg.check(x.shape == (3,), "wrong shape")
        fg.check(np.ones(2) > 0, "known")
        return x

    assert not fg.make_program(f)(fnp.ones(3)).equations
    assert fails(fg.jit(f), fnp.ones(2))


def test_bad_arguments_are_refused_at_once() -> None:
    for wrong in (lambda: fg.check(1.0, "x"), lambda: fg.jit(lambda x: fg.check(x, "x") or x)(1)):
        with pytest.raises(DTypeError, match="the condition must be a bool"):
            wrong()
    for message in ("{}{}", "{y}", "{0", "{1}"):
        with pytest.raises(ArgumentError, match="does not fit the 1 given values"):
            fg.jit(lambda x, message=message: fg.check(x > 0, message, x) or x)(1.0)
    with pytest.raises(ArgumentError, match="the message must be a string"):
        fg.check(fnp.asarray(False), 3)  # type: ignore[arg-type]


def test_equal_functions_of_different_lines_quote_their_own() -> None:
    first = fg.jit(lambda x, i: x[i])
    second = fg.jit(lambda x, i: x[i])
    lines = []
    for f in (first, second):
        error = error_of(f, fnp.ones(2), 5)
        assert error is not None
        assert error.source is not None
        lines.append(error.source.line)
    assert lines[1] == lines[0] + 1
