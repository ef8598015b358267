"""Python's `if` on traced values: every path is traced, shared parts appear once, and compiled is eager."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import BranchError, CheckError, ConcretizationError, ControlFlowError

POINTS = (-3.0, -1.0, -0.5, 0.0, 0.25, 1.0, 1.5, 4.0, 30.0)


def if_else(x: Any) -> Any:
    y = x * 2
    if y > 0:
        z = fnp.sin(y)
    else:
        z = y * y
    return fnp.exp(-z) + x


def elif_chain(x: Any) -> Any:
    if x < -1:
        return x * x
    elif x < 0:
        return -x
    elif x < 1:
        return fnp.sin(x)
    return fnp.cos(x)


def conditional_expression(x: Any) -> Any:
    return (x * 3 if x > 1 else x - 2) * x


def and_or_not(x: Any) -> Any:
    if (x > 0 and x < 2) or not x < 20:
        return x * 5
    return x / 2


def chained_comparison(x: Any) -> Any:
    return x * x if -1 < x <= 1 else fnp.abs(x)


def break_out(x: Any) -> Any:
    for _ in range(6):
        x = x * 2
        if x > 10:
            break
    return x + 1


def min_and_max(x: Any) -> Any:
    return min(x, 2.0) * max(x, 0.5, 1.0)


def nested(x: Any) -> Any:
    if x > 0:
        y = fnp.sqrt(x)
        if y > 1:
            return y * 2
        x = y - 1
    return x * x


def truth_of_a_number(x: Any) -> Any:
    return x + 1 if x else x - 1


def swapped(x: Any) -> Any:
    a, b = fnp.sin(x), fnp.cos(x)
    if a > b:
        a, b = b, a
    return a - 2 * b


def unequal_lengths(x: Any) -> Any:
    y = x
    if x > 0:
        y = fnp.tanh(y) * y + y
        y = fnp.tanh(y) * y + y
    return fnp.tanh(y) * y + y


def helper(x: Any, bound: float) -> Any:
    return x if x > bound else bound * x


def helper_twice(x: Any) -> Any:
    return helper(x, 0.5) + helper(-x, 2.0)


FUNCTIONS = [
    if_else, elif_chain, conditional_expression, and_or_not, chained_comparison, break_out, min_and_max, nested,
    truth_of_a_number, swapped, unequal_lengths, helper_twice,
]  # fmt: skip
every_function = pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)


def agree(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=2e-5, atol=1e-6)


@every_function
def test_compiled_is_eager(f: Callable[[Any], Any]) -> None:
    compiled, slope, compiled_slope = fg.jit(f), fg.grad(f), fg.jit(fg.grad(f))
    outer_slope = fg.grad(compiled)
    for x in map(fnp.float32, POINTS):
        agree(compiled(x), f(x))
        agree(compiled_slope(x), slope(x))
        agree(outer_slope(x), slope(x))


@every_function
def test_vmap_selects_for_each_element(f: Callable[[Any], Any]) -> None:
    xs = fnp.asarray(POINTS, dtype="float32")
    rows, slopes = [f(x) for x in xs], [fg.grad(f)(x) for x in xs]
    agree(fg.vmap(f)(xs), fnp.stack(rows))
    agree(fg.jit(fg.vmap(f))(xs), fnp.stack(rows))
    agree(fg.vmap(fg.jit(f))(xs), fnp.stack(rows))
    agree(fg.vmap(fg.grad(f))(xs), fnp.stack(slopes))
    agree(fg.jit(fg.vmap(fg.grad(f)))(xs), fnp.stack(slopes))


@every_function
def test_forward_and_second_derivatives(f: Callable[[Any], Any]) -> None:
    def slope(x: Any) -> Any:
        return fg.jvp(f, (x,), (fnp.float32(1.0),))[1]

    for x in map(fnp.float32, (-3.0, 0.25, 1.5)):
        agree(fg.jit(slope)(x), slope(x))
        agree(fg.jit(fg.grad(fg.grad(f)))(x), fg.grad(fg.grad(f))(x))


# -- the programs that come out ----------------------------------------------------------------------------------------


def names(program: Any) -> list[str]:
    return [eqn.op.name for eqn in program.equations]


def test_what_comes_before_and_after_a_decision_appears_once() -> None:
    program = fg.make_program(if_else)(fnp.float32(1.0))
    assert names(program) == ["mul", "gt", "convert", "cond", "neg", "exp", "add"]
    assert [names(branch) for branch in program.equations[3].op.branches] == [["mul"], ["sin"]]


def test_a_choice_between_values_is_a_select() -> None:
    assert names(fg.make_program(swapped)(fnp.float32(1.0))) == ["sin", "cos", "gt", "select", "select", "mul", "sub"]


def test_sides_that_do_the_same_leave_no_trace() -> None:
    def f(x: Any) -> Any:
        if x > 0:
            return fnp.sin(x)
        return fnp.sin(x)

    assert names(fg.make_program(f)(fnp.float32(1.0))) == ["sin"]


def test_decisions_in_a_row_give_a_program_of_linear_size() -> None:
    def f(x: Any) -> Any:
        for i in range(6):
            x = fnp.sin(x) if x > i else fnp.cos(x)
        return x

    assert names(fg.make_program(f)(fnp.float32(1.0))) == ["gt", "convert", "cond"] * 6


def test_arrays_made_on_each_path_are_one_constant() -> None:
    def f(x: Any) -> Any:
        table = fnp.array([1.0, 2.0, 3.0])
        return (x * table if x > 0 else x - table).sum()

    agree(fg.jit(f)(2.0), f(fnp.float32(2.0)))
    agree(fg.jit(f)(-2.0), f(fnp.float32(-2.0)))


def test_equal_arrays_that_are_and_are_not_one_object_are_no_impurity() -> None:
    tables: list[Any] = []

    def table() -> Any:
        """The first run gets two objects of equal value, the second run gets one."""
        if len(tables) < 2:
            tables.append(fnp.array([1.0, 2.0, 3.0]))
        return tables[-1]

    def f(x: Any) -> Any:
        y = x * table() + fnp.sin(x) * table()
        return y.sum() if x[0] > 0 else -y.sum()

    x = fnp.array([1.0, 2.0, 3.0])
    expected = ((x + fnp.sin(x)) * fnp.array([1.0, 2.0, 3.0])).sum()
    agree(fg.jit(f)(x), expected)
    agree(fg.jit(f)(-x), expected)


def test_known_values_decide_without_another_path() -> None:
    def f(x: Any) -> Any:
        return x * 2 if fnp.asarray(x.shape).sum() > 2 else x

    assert names(fg.make_program(f)(fnp.ones(3))) == ["mul"]


def test_results_that_are_python_numbers_adapt() -> None:
    @fg.jit
    def sign(x: Any) -> Any:
        if x > 0:
            return 1
        return x * 0.5

    assert (float(sign(3.0)), float(sign(-3.0)), sign(-3.0).dtype) == (1.0, -1.5, np.float32)


def test_pytrees_leave_every_path() -> None:
    @fg.jit
    def f(x: Any) -> Any:
        if x > 0:
            return {"a": x, "b": (x * 2, 1.0)}
        return {"a": -x, "b": (x, x)}

    out = f(-2.0)
    assert (float(out["a"]), [float(v) for v in out["b"]]) == (2.0, [-2.0, -2.0])


# -- inside other transformations --------------------------------------------------------------------------------------


def test_inside_branches_and_loop_bodies() -> None:
    @fg.jit
    def f(x: Any) -> Any:
        def step(carry: Any, y: Any) -> Any:
            carry = carry + y if carry < 5 else carry * y
            return carry, carry

        total, _ = fg.lax.scan(step, x, fnp.array([1.0, 4.0, 2.0, 3.0]))
        return fg.lax.cond(x > 1, lambda v: v if v > 20 else v + 100, lambda v: v, total)

    for x in (0.0, 1.0, 2.0):
        carry = x
        for y in (1.0, 4.0, 2.0, 3.0):
            carry = carry + y if carry < 5 else carry * y
        expected = carry if not x > 1 or carry > 20 else carry + 100
        assert float(f(x)) == expected


def test_an_inner_jit_that_decides_on_an_outer_value() -> None:
    @fg.jit
    def f(x: Any) -> Any:
        positive = x > 0

        @fg.jit
        def inner(y: Any) -> Any:
            return y + 1 if positive else y - 1

        return inner(x)

    assert (float(f(2.0)), float(f(-2.0))) == (3.0, -3.0)


def test_grad_with_auxiliary_results() -> None:
    def loss(x: Any) -> Any:
        return (x * x, x + 1) if x > 0 else (x * 3, x)

    step = fg.jit(fg.value_and_grad(loss, has_aux=True))
    (value, aux), slope = step(-2.0)
    assert (float(value), float(aux), float(slope)) == (-6.0, -2.0, 3.0)
    (value, aux), slope = step(2.0)
    assert (float(value), float(aux), float(slope)) == (4.0, 3.0, 4.0)


def test_a_key_may_be_used_on_every_path() -> None:
    key = fg.random.key(0)

    @fg.jit
    def f(x: Any) -> Any:
        if x > 0:
            return fg.random.uniform(key)
        return fg.random.normal(key)

    assert float(f(1.0)) == float(fg.random.uniform(fg.random.key(0)))


def test_a_loop_in_the_side_not_taken_ends_under_vmap() -> None:
    def count_down(x: Any) -> Any:
        if x > 0:  # below zero the loop would never end
            return fg.lax.while_loop(lambda v: v != 0, lambda v: v - 1, x)
        return x

    assert fg.jit(fg.vmap(count_down))(fnp.array([3, -2, 0])).tolist() == [0, -2, 0]


# -- raise and assert --------------------------------------------------------------------------------------------------


def test_an_assertion_becomes_a_check() -> None:
    @fg.jit
    def f(x: Any) -> Any:
        assert x > 0, "x must be positive"
        return fnp.log(x)

    agree(f(2.0), np.log(2.0))
    with pytest.raises(AssertionError, match="x must be positive"):
        float(f(-1.0))


def test_raising_on_one_path() -> None:
    def f(x: Any) -> Any:
        if x < 0:
            raise ValueError("negative")
        elif x > 10:
            raise KeyError("large")
        return x * 2

    compiled = fg.jit(f)
    assert float(compiled(2.0)) == 4.0
    with pytest.raises(ValueError, match="negative"):
        float(compiled(-1.0))
    with pytest.raises(KeyError, match="large"):
        float(compiled(11.0))


def test_an_assertion_under_vmap_and_grad() -> None:
    def f(x: Any) -> Any:
        if x < 0:
            return -x
        assert x < 100, "too large"
        return x * x

    xs = fnp.array([-200.0, 3.0])
    assert fg.jit(fg.vmap(f))(xs).tolist() == [200.0, 9.0]
    assert fg.jit(fg.vmap(fg.grad(f)))(xs).tolist() == [-1.0, 6.0]
    with pytest.raises(AssertionError, match="too large"):
        fg.jit(fg.vmap(f))(fnp.array([1.0, 200.0])).tolist()


def test_a_function_that_only_raises_raises_while_traced() -> None:
    @fg.jit
    def f(x: Any) -> Any:
        if x > 0:
            raise ValueError("one")
        raise ValueError("other")

    with pytest.raises(ValueError, match="one"):
        f(1.0)


def test_a_mistake_on_one_path_is_found_while_tracing() -> None:
    @fg.jit
    def f(x: Any) -> Any:
        if x > 0:
            return x
        return x + fnp.ones(2) @ fnp.ones(3)

    with pytest.raises(fg.errors.ShapeError) as caught:
        f(1.0)
    assert "False at" in "".join(caught.value.__notes__)


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_a_while_loop_on_a_traced_value_is_refused() -> None:
    @fg.jit
    def f(x: Any) -> Any:
        while x > 0:
            x = x - 1
        return x

    with pytest.raises(BranchError, match=r"fg\.lax\.while_loop"):
        f(3.0)


def test_too_many_paths_are_refused() -> None:
    def f(x: Any) -> Any:
        for i in range(4):
            x = x * 2 if x > i else x - 1
        return x

    with fg.config(max_paths=16):
        agree(fg.jit(f)(1.5), f(fnp.float32(1.5)))
    with fg.config(max_paths=15), pytest.raises(BranchError, match="more than 15 paths"):
        fg.jit(f)(1.5)


def test_an_impure_function_is_refused() -> None:
    calls = []

    @fg.jit
    def f(x: Any) -> Any:
        calls.append(None)
        y = fnp.sin(x) if len(calls) == 1 else fnp.cos(x)
        return y if x > 0 else -y

    with pytest.raises(BranchError, match="not pure"):
        f(1.0)


def test_paths_that_return_different_types_are_refused() -> None:
    @fg.jit
    def f(x: Any) -> Any:
        return x if x.sum() > 0 else x.sum()

    with pytest.raises(ControlFlowError, match=r"f32\[3\].*f32\[\]"):
        f(fnp.ones(3))


def test_paths_that_return_different_structures_are_refused() -> None:
    @fg.jit
    def f(x: Any) -> Any:
        if x > 0:
            return x
        return x, x

    with pytest.raises(ControlFlowError, match="different structures"):
        f(1.0)


def test_a_number_is_still_not_to_be_had() -> None:
    with pytest.raises(ConcretizationError):
        fg.jit(lambda x: float(x) + 1)(1.0)


def test_the_truth_of_an_array_stays_ambiguous() -> None:
    with pytest.raises(fg.errors.ArgumentError, match="ambiguous"):
        fg.jit(lambda x: 1 if x > 0 else 2)(fnp.ones(2))


def test_checks_are_errors_of_this_library_where_asked() -> None:
    with pytest.raises(CheckError):
        float(fg.jit(lambda x: (fg.check(x > 0, "positive"), x)[1])(-1.0))


# -- random functions --------------------------------------------------------------------------------------------------


class RandomFunction:
    """A function of two scalars: random assignments, nested ifs, bounded loops with breaks, early returns."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        choose = random.Random(seed)
        self.decisions = 0
        self.body = self._block(choose, 3)

    def _block(self, choose: random.Random, depth: int) -> list[Any]:
        return [self._statement(choose, depth) for _ in range(choose.randint(1, 3))]

    def _statement(self, choose: random.Random, depth: int) -> tuple[Any, ...]:
        kind = choose.choice(["assign", "assign", "if", "loop", "return"]) if depth else "assign"
        place = choose.choice("xyz")
        if kind == "assign" or self.decisions >= 4:
            operation = choose.choice(["add", "sub", "mul", "sin", "min", "choose"])
            self.decisions += operation in ("min", "choose")
            if self.decisions > 4:
                operation = "add"
            return ("assign", place, operation, choose.choice("xyz"), choose.choice("xyz"))
        self.decisions += 1
        condition = (choose.choice("xyz"), choose.uniform(-1, 1), choose.choice([False, True]))
        if kind == "if":
            return ("if", condition, self._block(choose, depth - 1), self._block(choose, depth - 1))
        if kind == "loop":
            self.decisions += 1
            return ("loop", choose.randint(1, 2), condition, self._block(choose, 0))
        return ("return", condition, place)

    def __call__(self, x: Any, y: Any) -> Any:
        variables = {"x": x, "y": y, "z": x * y}
        early = self._run(self.body, variables)
        return variables["x"] + 2 * variables["y"] - variables["z"] if early is None else early

    def _true(self, condition: Any, variables: dict[str, Any]) -> Any:
        name, bound, both = condition
        if both:
            return variables[name] > -2 and variables[name] < bound
        return variables[name] > bound

    def _run(self, block: list[Any], variables: dict[str, Any]) -> Any:
        for statement in block:
            early = self._step(statement, variables)
            if early is not None:
                return early
        return None

    def _step(self, statement: tuple[Any, ...], variables: dict[str, Any]) -> Any:
        kind, *parts = statement
        if kind == "assign":
            place, operation, a, b = parts
            variables[place] = self._value(operation, variables[a], variables[b])
        elif kind == "if":
            condition, yes, no = parts
            return self._run(yes if self._true(condition, variables) else no, variables)
        elif kind == "loop":
            times, condition, body = parts
            for _ in range(times):
                if self._true(condition, variables):
                    break
                self._run(body, variables)
        elif self._true(parts[0], variables):
            return variables[parts[1]] * 3
        return None

    def _value(self, operation: str, a: Any, b: Any) -> Any:
        if operation == "add":
            return a + b
        if operation == "sub":
            return a - 0.5 * b
        if operation == "mul":
            return a * b
        if operation == "sin":
            return fnp.sin(a)
        if operation == "min":
            return min(a, b)
        return a + 1 if b > 0 else b * a


@given(st.integers(0, 100_000), st.integers(0, 1000))
def test_random_functions_with_ifs(seed: int, point: int) -> None:
    f = RandomFunction(seed)
    draw = np.random.default_rng(point)
    xs, ys = (fnp.asarray(draw.uniform(-2, 2, 4)) for _ in range(2))
    with fg.config(max_paths=1024):
        compiled = fg.jit(f)
        expected = fnp.stack([f(x, y) for x, y in zip(xs, ys, strict=True)])
        found = fnp.stack([compiled(x, y) for x, y in zip(xs, ys, strict=True)])
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(fg.vmap(f)(xs, ys), expected, rtol=1e-12, atol=1e-12)
        slopes = fnp.stack([fg.grad(f)(x, y) for x, y in zip(xs, ys, strict=True)])
        np.testing.assert_allclose(fg.jit(fg.vmap(fg.grad(f)))(xs, ys), slopes, rtol=1e-11, atol=1e-11)


def test_functions_made_anew_on_each_path_are_no_impurity() -> None:
    seen = []

    def decide(x: Any) -> Any:
        fg.debug.callback(lambda value: seen.append(float(value)), x)
        local = fg.custom_vjp(lambda x: x * x)
        local.defvjp(lambda x: (x * x, x), lambda x, ct: (2 * x * ct,))
        y = fg.lax.fori_loop(0, 2, lambda _, y: local(y), x)
        if y > 0.5:
            return y
        return y * 3

    assert float(fg.jit(decide)(2.0)) == 16.0
    assert float(fg.jit(fg.grad(decide))(2.0)) == 32.0
    assert float(fg.jit(decide)(0.5)) == 0.1875
    fg.effects_barrier()
    assert seen == [2.0, 2.0, 0.5]
