"""`scan`: each law on representative bodies, then JAX, then what is kept, what is dropped and what it costs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors, tree
from funcgrad.backend.executable import compile_count
from funcgrad.core.program import Program, run_program, stage
from funcgrad.core.trace import Tracer
from funcgrad.core.types import ArrayType
from funcgrad.higher_order.scan import Scan, map_in_turn, scan
from funcgrad.ops.structure import full

RNG = np.random.default_rng(0)
F32 = np.dtype(np.float32)
SCALAR = ArrayType((), F32)


def floats(*shape: int) -> Any:
    return fnp.asarray(RNG.uniform(0.3, 1.0, shape).astype(np.float32))


def loop(
    f: Any, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, unroll: Any = 1
) -> tuple[Any, Any]:
    """What `scan` must be equal to."""
    count = length if length is not None else len(tree.leaves(xs)[0])
    carry, ys = init, [None] * count
    for i in range(count - 1, -1, -1) if reverse else range(count):
        carry, ys[i] = f(carry, tree.map(lambda x, i=i: x[i], xs))
    return tree.map(fnp.asarray, carry), tree.map(lambda *rows: fnp.stack([fnp.asarray(row) for row in rows]), *ys)


class Case(NamedTuple):
    """`run(scan, a, c, xs)` gives a tree of floats; a is closed over, c is carried, xs is sliced."""

    run: Callable[..., Any]
    a: Any
    c: Any
    xs: Any


def plain(**options: Any) -> Callable[..., Any]:
    def run(scan: Any, a: Any, c: Any, xs: Any) -> Any:
        return scan(lambda c, x: (fnp.sin(a) * c + x, fnp.exp(c) * x), c, xs, **options)

    return run


def counting(scan: Any, a: Any, c: Any, xs: Any) -> Any:
    def step(carry: Any, x: Any) -> Any:
        i, value, odd = carry
        value = fnp.where(odd, value * a, value + i * x)
        return (i + 1, value, fnp.logical_not(odd)), (i * x, odd)

    (_, value, _), (ys, _) = scan(step, (0, c, False), xs)
    return value, ys


def trees(scan: Any, a: Any, c: Any, xs: Any) -> Any:
    def step(carry: Any, x: Any) -> Any:
        return {"p": carry["q"] * a, "q": (carry["p"] + x["u"][0])}, {"y": [x["u"][0] * carry["q"]], "none": None}

    return scan(step, {"p": c, "q": c * 2.0}, {"u": (xs, None)})


def grows(scan: Any, a: Any, c: Any, xs: Any) -> Any:
    """The second carry moves from the second step on, the third from the third, the last never."""

    def step(carry: Any, x: Any) -> Any:
        one, two, three, four = carry
        return (one * a, two + one, three * two + x, four), (three * four, one)

    return scan(step, (c, fnp.zeros_like(c), 0.5 + fnp.zeros_like(c), fnp.ones_like(c)), xs)


def nested(scan: Any, a: Any, c: Any, xs: Any) -> Any:
    def outer(c: Any, x: Any) -> Any:
        c, ys = scan(lambda d, z: (fnp.tanh(d * z + a), d * x), c, fnp.arange(1.0, 4.0)[:, None] * x)
        return c, ys.sum(axis=0) * c

    return scan(outer, c, xs)


def branching(scan: Any, a: Any, c: Any, xs: Any) -> Any:
    def step(c: Any, x: Any) -> Any:
        return fg.lax.cond(x.sum() > 1.2, lambda c: (c * a, x), lambda c: (c + x * a, c), c)

    return scan(step, c, xs)


def indexing(scan: Any, a: Any, c: Any, xs: Any) -> Any:
    def step(carry: Any, x: Any) -> Any:
        i, c = carry
        return ((i + 1) % 2, c * fnp.stack([a, c])[i] + x), c

    (_, c), ys = scan(step, (1, c), xs)
    return c, ys


def dropped(scan: Any, a: Any, c: Any, xs: Any) -> Any:
    (c, _), (_, ys) = scan(lambda c, x: ((c[0] * a, c[1] + x), (c[0] * x, c[0] ** 2)), (c, c), xs)
    return ys


CASES = {
    "carry only": Case(
        lambda scan, a, c, xs: scan(lambda c, _: (fnp.sin(c) * a, None), c, length=4)[0], floats(), floats(), floats()
    ),
    "results only": Case(
        lambda scan, a, c, xs: scan(lambda _, x: ((), fnp.sin(x) * a + c), (), xs), floats(), floats(), floats(4)
    ),
    "plain": Case(plain(), floats(), floats(), floats(5)),
    "vectors": Case(plain(), floats(2), floats(2), floats(3, 2)),
    "reverse": Case(plain(reverse=True), floats(), floats(), floats(5)),
    "unroll 2 of 5": Case(plain(unroll=2), floats(), floats(), floats(5)),
    "unroll 3, reverse": Case(plain(unroll=3, reverse=True), floats(), floats(), floats(7)),
    "unroll all": Case(plain(unroll=True), floats(), floats(), floats(3)),
    "one step": Case(plain(), floats(), floats(), floats(1)),
    "matrices": Case(
        lambda scan, a, c, xs: scan(lambda c, x: (fnp.tanh(a @ c + x), c.sum()), c, xs),
        floats(2, 2),
        floats(2),
        floats(4, 2),
    ),
    "Python numbers": Case(
        lambda scan, a, c, xs: scan(lambda v, x: ((v[0] * a + x, v[1] * 0.5), v[0] * c), (0.0, 1), xs),
        floats(),
        floats(),
        floats(3),
    ),
    "integer and boolean carries": Case(counting, floats(), floats(), floats(4)),
    "trees": Case(trees, floats(), floats(), floats(3)),
    "carries that begin to move": Case(grows, floats(), floats(), floats(4)),
    "nested": Case(nested, floats(2), floats(2), floats(2, 2)),
    "branches": Case(branching, floats(2), floats(2), floats(4, 2)),
    "computed indices": Case(indexing, floats(), floats(), floats(3)),
    "unused results": Case(dropped, floats(), floats(), floats(3)),
}


def assert_close(found: Any, expected: Any, tolerance: float = 2e-4) -> None:
    ones, twos = tree.leaves(found), tree.leaves(expected)
    assert len(ones) == len(twos)
    for one, two in zip(ones, twos, strict=True):
        assert (one.shape, one.dtype) == (two.shape, two.dtype)
        np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance)


def summed(result: Any) -> Any:
    """A scalar that depends on all elements of a result, not linearly."""
    leaves = [x for x in tree.leaves(result) if x.dtype == F32]
    return sum((x * x * fnp.cos(fnp.arange(x.size).reshape(x.shape))).sum() for x in leaves)


def derivatives(function: Any, args: tuple[Any, ...]) -> list[Any]:
    """Values and derivatives of a function of three arrays, in every mode."""

    def scalar(*args: Any) -> Any:
        return summed(function(*args))

    directions = tuple(fnp.cos(x) for x in args)
    return [
        function(*args),
        fg.jvp(function, args, directions),
        fg.grad(scalar, (0, 1, 2))(*args),
        fg.jvp(fg.grad(scalar, (0, 1, 2)), args, directions),
        fg.hvp(scalar, args, directions),
    ]


def mapped(function: Any, args: tuple[Any, ...], which: tuple[bool, ...]) -> list[Any]:
    """Values and gradients over a mapped axis of some arguments, the last axis of the last one."""
    places = [x.ndim if i == 2 else 0 for i, x in enumerate(args)]
    axes = tuple(place if w else None for place, w in zip(places, which, strict=True))
    batches = [
        x if axis is None else fnp.stack([x, x * 0.5, x + 0.2], axis) for x, axis in zip(args, axes, strict=True)
    ]

    def scalar(*args: Any) -> Any:
        return summed(function(*args))

    together = fg.vmap(function, axes)
    return [
        fg.vmap(fg.grad(scalar, (0, 1, 2)), axes)(*batches),
        fg.grad(lambda *args: summed(together(*args)), (0, 1, 2))(*batches) if all(which) else together(*batches),
    ]


def arguments(case: Case) -> tuple[Any, ...]:
    return case.a, case.c, case.xs


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_eagerly_it_is_the_python_loop(case: Case) -> None:
    args = arguments(case)
    assert_close(
        derivatives(lambda *args: case.run(scan, *args), args),
        derivatives(lambda *args: case.run(loop, *args), args),
        1e-6,
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_compiled_it_has_the_same_values_and_derivatives(case: Case) -> None:
    args = arguments(case)
    compiled = fg.jit(lambda *args: derivatives(lambda *args: case.run(scan, *args), args))
    assert_close(compiled(*args), derivatives(lambda *args: case.run(loop, *args), args))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_compiled_step_inside_transformations(case: Case) -> None:
    args = arguments(case)
    inner = fg.jit(lambda *args: case.run(scan, *args))
    scalar, expected = lambda *args: summed(inner(*args)), lambda *args: summed(case.run(loop, *args))
    assert_close(fg.grad(scalar, (0, 1, 2))(*args), fg.grad(expected, (0, 1, 2))(*args))


ALL_SUBSETS = [which for which in itertools.product([True, False], repeat=3) if any(which)]
SUBSETS = {name: [(True, True, True), (False, True, False)] for name in CASES} | {"vectors": ALL_SUBSETS}


@pytest.mark.parametrize("name", CASES)
def test_over_a_mapped_axis_of_any_operands(name: str) -> None:
    case, subsets = CASES[name], SUBSETS[name]
    args = arguments(case)
    compiled = fg.jit(lambda *args: [mapped(lambda *args: case.run(scan, *args), args, which) for which in subsets])
    assert_close(compiled(*args), [mapped(lambda *args: case.run(loop, *args), args, which) for which in subsets])


@pytest.mark.parametrize("name", ["plain", "trees", "nested", "branches"])
def test_eagerly_over_a_mapped_axis(name: str) -> None:
    case = CASES[name]
    args = arguments(case)
    for which in SUBSETS[name]:
        found = mapped(lambda *args: case.run(scan, *args), args, which)
        assert_close(found, mapped(lambda *args: case.run(loop, *args), args, which))


@pytest.mark.parametrize("name", ["reverse", "trees", "branches"])
def test_the_hessian(name: str) -> None:
    case = CASES[name]

    def hessian(scan: Any) -> Any:
        return fg.hessian(lambda *args: summed(case.run(scan, *args)), (0, 1, 2))

    assert_close(fg.jit(hessian(scan))(*arguments(case)), hessian(loop)(*arguments(case)))


def test_the_program_of_a_loop_runs_on_numpy() -> None:
    for name in ("plain", "reverse", "trees", "branches", "integer and boolean carries"):
        case = CASES[name]
        program = fg.make_program(lambda *args, case=case: case.run(scan, *args))(*arguments(case))
        before = compile_count()
        found = run_program(program, arguments(case))
        assert compile_count() == before
        assert_close(found, case.run(loop, *arguments(case)), 1e-6)


def test_transposition_is_the_adjoint() -> None:
    a, xs = floats(2, 2), floats(4, 2)

    def linear(c: Any, xs: Any) -> Any:
        return scan(lambda c, x: (a @ c + x, (c * x.shape[0], x)), c, xs, reverse=True)

    ct = tree.map(fnp.cos, linear(floats(2), xs))
    for transposed in (fg.linear_transpose(linear, floats(2), xs), fg.linear_transpose(fg.jit(linear), floats(2), xs)):
        c, x = floats(2), floats(4, 2)
        left = sum((p * q).sum() for p, q in zip(tree.leaves(ct), tree.leaves(linear(c, x)), strict=True))
        c_ct, x_ct = transposed(ct)
        np.testing.assert_allclose(left, (c_ct * c).sum() + (x_ct * x).sum(), rtol=1e-5)


# -- a number of steps that is computed --------------------------------------------------------------------------------


def counted(reverse: bool) -> Callable[..., Any]:
    """A loop of which only the first `count` of 5 steps happen."""
    body = stage(lambda a, c, x: [fnp.sin(a) * c + x, fnp.exp(c) * x], [SCALAR] * 3, "body")
    op = Scan(body, 5, 1, 1, reverse, 1, True)
    return lambda count, a, c, xs: op(count, a, c, xs)


def counted_loop(reverse: bool) -> Callable[..., Any]:
    def run(count: Any, a: Any, c: Any, xs: Any) -> Any:
        n = int(count)
        c, ys = plain(reverse=reverse)(loop, a, c, xs[:n]) if n else (c, fnp.zeros(0))
        return c, fnp.concatenate([ys, fnp.zeros(5 - n)])

    return run


@pytest.mark.parametrize("reverse", [False, True])
def test_only_the_counted_steps_happen(reverse: bool) -> None:
    args = floats(), floats(), floats(5)
    found, expected = counted(reverse), counted_loop(reverse)
    compiled = fg.jit(lambda count, *args: derivatives(lambda *args: found(count, *args), args))
    for n in (0, 1, 3, 5):
        count = fnp.asarray(n, "int32")
        want = derivatives(lambda *args, count=count: expected(count, *args), args)
        assert_close(compiled(count, *args), want)
        assert_close(found(count, *args), want[0])


@pytest.mark.parametrize("reverse", [False, True])
def test_each_element_of_a_batch_has_its_own_count(reverse: bool) -> None:
    found, expected = counted(reverse), counted_loop(reverse)
    counts, a, c, xs = fnp.asarray([2, 0, 5, 3], "int32"), floats(), floats(4), floats(5)

    def scalar(run: Any) -> Any:
        return lambda count, *args: summed(run(count, *args))

    rows = [expected(counts[i], a, c[i], xs) for i in range(4)]
    want = tree.map(lambda *values: fnp.stack(values), *rows)
    run = fg.vmap(found, (0, None, 0, None))
    assert_close(run(counts, a, c, xs), want)
    assert_close(fg.jit(run)(counts, a, c, xs), want)
    gradient = fg.jit(fg.vmap(fg.grad(scalar(found), (1, 2, 3)), (0, None, 0, None)))
    rows = [fg.grad(scalar(expected), (1, 2, 3))(counts[i], a, c[i], xs) for i in range(4)]
    assert_close(gradient(counts, a, c, xs), tree.map(lambda *values: fnp.stack(values), *rows))


def test_counts_beyond_the_length_and_below_zero() -> None:
    run = counted(False)
    args = floats(), floats(), floats(5)
    for count, like in ((7, 5), (-1, 0)):
        want = counted_loop(False)(fnp.asarray(like), *args)
        assert_close(run(fnp.asarray(count, "int32"), *args), want)
        assert_close(fg.jit(run)(fnp.asarray(count, "int32"), *args), want)


# -- JAX ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"reverse": True, "unroll": 4}, {"length": 6}])
def test_as_jax(options: dict[str, Any]) -> None:
    def run(lax: Any, np: Any) -> Any:
        def loss(w: Any, c: Any, xs: Any) -> Any:
            def step(c: Any, x: Any) -> Any:
                h = np.tanh(w @ c + x["a"])
                return h, (h.sum(), x["b"])

            c, (sums, copies) = lax.scan(step, c, xs, **options)
            return (c * c).sum() + (sums * sums).sum(), copies

        return loss

    w, c, xs = np.asarray(floats(2, 2)), np.asarray(floats(2)), {"a": np.asarray(floats(6, 2)), "b": np.arange(6)}
    found = fg.jit(fg.value_and_grad(run(fg.lax, fnp), (0, 1), has_aux=True))(w, c, xs)
    expected = jax.value_and_grad(run(jax.lax, jnp), (0, 1), has_aux=True)(w, c, xs)
    for one, two in zip(tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5)


@pytest.mark.parametrize("init", [0, 0.0, True, 1 + 2j])
@pytest.mark.parametrize("dtype", ["int8", "float16", "float32", "complex64"])
def test_python_numbers_adapt_to_the_step(init: Any, dtype: str) -> None:
    xs = fnp.arange(4).astype(dtype)

    def run(xs: Any) -> Any:
        return scan(lambda c, x: (c * x + 1, c), init, xs)

    try:
        eager: Any = run(xs)
    except errors.ControlFlowError:
        eager = None
    if eager is None:
        with pytest.raises(errors.ControlFlowError):
            fg.jit(run)(xs)
        return
    compiled = fg.jit(run)(xs)
    assert_close(compiled, eager, 1e-3)
    assert not any(x.type.weak for x in tree.leaves([eager, compiled]))
    assert eager[1].dtype == eager[0].dtype


def test_numbers_that_stay_numbers() -> None:
    def run() -> Any:
        return scan(lambda c, _: (c * 2, (c, 1, 0.5)), 3, None, 4)

    for c, ys in (run(), fg.jit(run)()):
        assert (int(c), c.dtype) == (48, np.int32)
        assert [y.tolist() for y in ys] == [[3, 6, 12, 24], [1] * 4, [0.5] * 4]


# -- eager -------------------------------------------------------------------------------------------------------------


def test_eagerly_the_function_sees_values() -> None:
    seen = []

    def step(c: Any, x: Any) -> Any:
        assert not isinstance(c, Tracer)
        assert not isinstance(x, Tracer)
        seen.append((float(c), float(x)))
        return (c + x if x > 1 else c), None

    before = compile_count()
    c, ys = scan(step, 1.0, fnp.asarray([1.0, 2.0, 3.0]))
    assert compile_count() == before
    assert ys is None
    assert seen == [(1, 1), (1, 2), (3, 3)]
    assert float(c) == 6


def test_eager_gradients_decide_by_values() -> None:
    def run(x: Any, xs: Any) -> Any:
        return scan(lambda c, v: (c * x if c < 4 else c + v, None), 1.0, xs)[0]

    assert float(fg.grad(run)(3.0, fnp.ones(4))) == 6.0
    np.testing.assert_allclose(fg.grad(run, 1)(3.0, fnp.ones(4)), [0, 0, 1, 1])


def test_exceptions_of_the_step_pass() -> None:
    def step(c: Any, x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        scan(step, 0.0, fnp.ones(2))


def test_results_may_become_traced_in_a_later_step() -> None:
    def run(x: Any) -> Any:
        return scan(lambda c, _: (c * x, c), fnp.ones(()), None, 3)[1]

    np.testing.assert_allclose(fg.jvp(run, (2.0,), (1.0,)), ([1, 2, 4], [0, 1, 4]))
    np.testing.assert_allclose(fg.vmap(run)(fnp.asarray([1.0, 3.0])), [[1, 1, 1], [1, 3, 9]])


def test_no_steps() -> None:
    def run(xs: Any) -> Any:
        return scan(lambda c, x: (c + x.sum(), {"y": x * 2}), 1.5, xs)

    for run_, xs in ((run, fnp.zeros((0, 3))), (fg.jit(run), fnp.zeros((0, 3)))):
        c, ys = run_(xs)
        assert float(c) == 1.5
        assert ys["y"].shape == (0, 3)
    assert fg.grad(lambda c: scan(lambda c, x: (c * x, None), c, fnp.zeros(0))[0])(2.0) == 1.0
    assert fg.jit(fg.vmap(run))(fnp.zeros((2, 0, 3)))[1]["y"].shape == (2, 0, 3)


# -- what is kept, dropped and written ---------------------------------------------------------------------------------


def loops(program: Program) -> list[Any]:
    return [eqn for eqn in program.equations if isinstance(eqn.op, Scan)]


def test_what_is_the_same_in_every_step_is_computed_once() -> None:
    body = stage(lambda w, c, x: [c * fnp.exp(fnp.sin(w)) * x], [SCALAR] * 3, "body")
    op = Scan(body, 1000, 1, 1)
    gradient = fg.make_program(fg.grad(lambda w, c, xs: op(w, c, xs)[0], (0, 1, 2)))(floats(), floats(), floats(1000))
    forward, backward = loops(gradient)
    assert "exp" in [eqn.op.name for eqn in gradient.equations]
    assert "exp" not in str(forward.op.body)
    assert "exp" not in str(backward.op.body)
    stacked = [v.type.shape for v in forward.outputs if v.type.ndim]
    assert len(stacked) <= 2  # the carry, and its product with what is the same


def test_operands_that_the_backward_loop_needs_are_not_copied() -> None:
    def loss(c: Any, w: Any, xs: Any) -> Any:
        return scan(lambda c, x: (w @ (c * x), None), c, xs)[0].sum()

    program = fg.make_program(fg.grad(loss))(floats(3), floats(3, 3), floats(10, 3))
    (backward,) = loops(program)  # linear in c, so nothing of the forward loop is needed
    assert set(program.inputs[1:]) <= set(backward.inputs)


def test_residuals_that_nobody_needs_vanish() -> None:
    def loss(c: Any, xs: Any) -> Any:
        return scan(lambda c, x: (fnp.sin(c) * x, (fnp.exp(c), c)), c, xs)[0]

    forward, backward = loops(fg.make_program(fg.grad(loss))(floats(), floats(8)))
    assert len(forward.outputs) == 2  # the carry, and its cosine in each step; not its sine or exponential
    assert len(backward.outputs) == 1
    (only,) = loops(fg.make_program(lambda c, xs: loss(c, xs))(floats(), floats(8)))
    assert len(only.op.body.outputs) == 1
    assert "exp" not in str(only.op.body)


def test_unused_carries_of_nested_loops_and_branches_vanish() -> None:
    def run(p: Any, c: Any, xs: Any) -> Any:
        def step(carry: Any, x: Any) -> Any:
            one, two = carry
            two, _ = fg.lax.cond(p, lambda: (two + fnp.cos(x), x), lambda: (two, one))
            return (one * x, two), None

        return scan(step, (c, c), xs)[0][0]

    (only,) = loops(fg.make_program(run)(True, floats(), floats(4)))
    assert len(only.op.body.outputs) == len(only.inputs) - 1 == 1
    assert [eqn.op.name for eqn in only.op.body.equations] == ["mul"]


def test_cotangents_that_are_zero_do_not_flow() -> None:
    def loss(c: Any, xs: Any) -> Any:
        return scan(lambda c, x: (c + 1.0, x * x), c, xs)[1].sum()

    program = fg.make_program(fg.grad(loss, (0, 1)))(floats(), floats(4))
    backward = loops(program)[-1]
    assert backward.op.carry == 0


def test_the_program_does_not_grow_with_the_length() -> None:
    def text(n: int, **options: Any) -> str:
        function = fg.grad(lambda c, xs: scan(lambda c, x: (fnp.sin(c) * x, c), c, xs, **options)[0])
        return fg.jit(function).lower(fnp.zeros(()), fnp.zeros(n)).as_text()

    assert len(text(1000)) - len(text(10)) < 200
    assert len(text(1013, unroll=4)) - len(text(13, unroll=4)) < 200


def test_a_million_steps() -> None:
    xs = fnp.ones(1_000_000)
    step = fg.jit(lambda c, xs: scan(lambda c, x: (c * 0.5 + x, None), c, xs)[0])
    assert float(step(0.0, xs)) == 2.0
    gradient = fg.jit(fg.grad(lambda c, xs: scan(lambda c, x: (c + x, None), c, xs)[0], 1))
    np.testing.assert_array_equal(gradient(0.0, xs), np.ones(1_000_000))


def test_deep_nesting() -> None:
    def deep(depth: int, c: Any) -> Any:
        if not depth:
            return c + 1
        return scan(lambda c, _: (deep(depth - 1, c), None), c, None, 1)[0]

    assert float(fg.jit(lambda c: deep(50, c))(0.0)) == 1.0


def test_a_named_axis_inside() -> None:
    def run(c: Any, xs: Any) -> Any:
        return scan(lambda c, x: (c + fg.lax.psum(x * c, "i"), fg.lax.axis_index("i")), c, xs)

    def by_hand(scan: Any, c: Any, xs: Any) -> Any:
        return scan(lambda c, x: (c + (x * c).sum(), fnp.arange(3)), c, xs)

    c, xs = floats(3), floats(4, 3)
    expected = by_hand(loop, c, xs)
    for transform in (lambda f: f, fg.jit):
        found = transform(fg.vmap(run, (0, 1), (0, 1), axis_name="i"))(c, xs)
        assert_close(found, expected)


# -- effects -----------------------------------------------------------------------------------------------------------


def rooted(c: Any, x: Any) -> Any:
    fg.check(x >= 0, "{x} has no root", x=x)
    return c + fnp.sqrt(x), c


@pytest.mark.parametrize("options", [{}, {"reverse": True}, {"unroll": 2}, {"unroll": True}])
def test_checks_in_the_step(options: dict[str, Any]) -> None:
    run = fg.jit(lambda xs: scan(rooted, 0.0, xs, **options)[0])
    np.testing.assert_allclose(run(fnp.asarray([1.0, 4.0, 9.0])), 6.0)
    first = "-2.0" if options.get("reverse") else "-1.0"
    with pytest.raises(errors.CheckError, match=f"{first} has no root"):
        run(fnp.asarray([1.0, -1.0, -2.0])).tolist()


def test_checks_of_the_step_in_derivatives_and_batches() -> None:
    gradient = fg.jit(fg.grad(lambda xs: scan(rooted, 0.0, xs)[0]))
    np.testing.assert_allclose(gradient(fnp.asarray([1.0, 4.0])), [0.5, 0.25])
    with pytest.raises(errors.CheckError, match="has no root"):
        gradient(fnp.asarray([1.0, -1.0])).tolist()
    with pytest.raises(errors.CheckError, match="index 1 of the mapped axis"):
        fg.jit(fg.vmap(lambda xs: scan(rooted, 0.0, xs)))(fnp.asarray([[1.0], [-1.0]]))[0].tolist()


@pytest.mark.parametrize("transform", [lambda f: f, fg.jit])
def test_effects_of_a_branch_that_is_not_taken_do_not_happen(transform: Any) -> None:
    def root(p: Any, xs: Any) -> Any:
        return fg.lax.cond(p, lambda: scan(rooted, 0.0, xs)[0], lambda: xs[0])

    run = transform(fg.vmap(root))
    xs = fnp.asarray([[1.0, 4.0], [-1.0, 4.0]])
    np.testing.assert_allclose(run(fnp.asarray([True, False]), xs), [3, -1])
    with pytest.raises(errors.CheckError, match=r"-1\.0 has no root"):
        run(fnp.asarray([False, True]), xs).tolist()


def test_steps_that_are_not_counted_have_no_effects() -> None:
    xs = fnp.asarray([1.0, 4.0, -1.0])
    body = fg.make_program(lambda c, x: rooted(c, x))(0.0, xs[0])
    op = Scan(body, 3, 0, 1, False, 1, True)
    run = fg.jit(fg.vmap(lambda count: op(count, fnp.zeros(()), xs)[0]))
    np.testing.assert_allclose(run(fnp.asarray([0, 1, 2], "int32")), [0, 1, 3])
    with pytest.raises(errors.CheckError, match="index 0 of the mapped axis"):
        run(fnp.asarray([3, 1], "int32")).tolist()


def test_one_element_after_another() -> None:
    body = stage(lambda a, x: [x * a, a], [SCALAR, SCALAR], "body")
    op = Scan(body, 1, 2, 0)
    found, axes = map_in_turn(op, 3, (full(SCALAR, 2.0), floats(3)), (None, 0))
    assert axes == (0, 0)
    assert found[0].shape == (3, 1)
    xs = floats(2, 3)
    (doubled, _), _ = map_in_turn(op, 3, (full(SCALAR, 2.0), xs[0]), (None, 0))
    np.testing.assert_allclose(doubled[:, 0], xs[0] * 2)


def test_the_length_and_none() -> None:
    assert scan(lambda c, x: (c, x), 0, None, 3)[1] is None
    assert scan(lambda c, x: (c, x["a"]), 0, {"a": None, "b": fnp.ones(2)})[1] is None
    c, _ = fg.jit(lambda c: scan(lambda c, _: (c * 2, None), c, length=int(np.int64(3))))(1.0)
    assert float(c) == 8.0


def test_a_compiled_loop_of_no_steps_whose_steps_check_something() -> None:
    divided = fg.jit(lambda x: scan(lambda c, r: (c // r, None), x[0], x[1:])[0])
    assert int(divided(fnp.asarray([6]))) == 6
    assert int(divided(fnp.asarray([6, 2]))) == 3
