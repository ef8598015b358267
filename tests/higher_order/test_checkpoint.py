"""A checkpointed function is the function: same results, same derivatives, less memory between the passes."""

from __future__ import annotations

import functools
import gc
import tracemalloc
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.backend.array import Array
from funcgrad.core.primitive import Primitive, not_linear
from funcgrad.core.types import ArrayType
from funcgrad.higher_order.checkpoint import Checkpoint
from funcgrad.ops.families import elementwise_batch
from funcgrad.transforms.linearize import Linearized

POLICIES = fg.checkpoint_policies
X = np.asarray(np.random.default_rng(0).normal(size=(4, 3)))
W = np.asarray(np.random.default_rng(1).normal(size=(3, 3)))


def net(x: Any, w: Any) -> Any:
    return fnp.sum(fnp.sin(fnp.tanh(x @ w) @ w) * x)


def assert_close(found: Any, expected: Any) -> None:
    assert fg.tree.structure(found) == fg.tree.structure(expected)
    for one, two in zip(fg.tree.leaves(found), fg.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-12)


def kept(function: Callable[..., Any], *args: Any) -> list[str]:
    """What reverse mode keeps besides arguments, without the places."""
    origins = [residual.origin for residual in fg.saved_residuals(function, *args)]
    return [origin.split(" at ")[0] for origin in origins if not origin.startswith("from ")]


def kept_bytes(function: Callable[..., Any], *args: Any) -> int:
    return sum(residual.nbytes for residual in fg.saved_residuals(function, *args))


# -- laws --------------------------------------------------------------------------------------------------------------

TRANSFORMATIONS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda f: fg.grad(f, (0, 1)),
    "jit_grad": lambda f: fg.jit(fg.grad(f, (0, 1))),
    "grad_jit": lambda f: fg.grad(fg.jit(f), (0, 1)),
    "jacfwd": lambda f: fg.jacfwd(f, (0, 1)),
    "jvp": lambda f: lambda x, w: fg.jvp(f, (x, w), (w[:1] * x, w)),
    "linearize": lambda f: lambda x, w: fg.linearize(f, x, w)[1](fnp.cos(x), fnp.sin(w)),
    "hessian": lambda f: fg.hessian(f, (0, 1)),
    "jit_hessian": lambda f: fg.jit(fg.hessian(f, (0, 1))),
    "grad_of_grad": lambda f: fg.grad(lambda x, w: fnp.sum(fnp.sin(fg.grad(f)(x, w)))),
    "vmap_grad": lambda f: lambda x, w: fg.vmap(fg.grad(f, (0, 1)), (0, None))(fnp.stack([x, 2 * x]), w),
    "grad_vmap": lambda f: fg.grad(lambda x, w: fg.vmap(f, (0, None))(fnp.stack([x, 2 * x]), w).sum(), (0, 1)),
    "jit_vmap_grad": lambda f: lambda x, w: fg.jit(fg.vmap(fg.grad(f), (0, None)))(fnp.stack([x, 2 * x]), w),
}


@pytest.mark.parametrize("policy", [None, POLICIES.everything_saveable, POLICIES.dots_saveable], ids=repr)
@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
def test_derivatives_are_those_of_the_function(transformation: str, policy: Any) -> None:
    transformed = TRANSFORMATIONS[transformation]
    assert_close(transformed(fg.checkpoint(net, policy=policy))(X, W), transformed(net)(X, W))


def test_results_are_exactly_those_of_the_function() -> None:
    remade = fg.checkpoint(net)
    assert float(remade(X, W)) == float(net(X, W)) == float(fg.value_and_grad(remade)(X, W)[0])
    assert float(fg.jit(remade)(X, W)) == float(fg.jit(net)(X, W))
    np.testing.assert_array_equal(fg.vmap(remade, (0, None))(X[:, None], W), fg.vmap(net, (0, None))(X[:, None], W))


def test_without_a_derivative_the_function_is_simply_called() -> None:
    seen = []

    @fg.checkpoint
    def f(x: Any) -> Any:
        seen.append(type(x).__name__)
        return x * 2

    f(fnp.ones(2))
    fg.vmap(f)(fnp.ones(2))
    fg.jvp(f, (1.0,), (1.0,))
    assert seen == ["Array", "BatchTracer", "JVPTracer"]


# -- memory ------------------------------------------------------------------------------------------------------------


def layer(x: Any, w: Any) -> Any:
    for _ in range(3):
        x = fnp.tanh(x @ w) + fnp.sin(x)
    return x


def chain(layer: Callable[..., Any]) -> Callable[..., Any]:
    def chain(x: Any, weights: Any) -> Any:
        for w in weights:
            x = layer(x, w)
        return fnp.sum(x * x)

    return chain


def tape_bytes(function: Callable[..., Any], *values: Any) -> int:
    """The bytes of all arrays that eager reverse mode holds on its tape."""
    linear = Linearized(function, values, "test")
    held: dict[int, Any] = {}
    for _, args, _, point in linear.tape:
        for value in [*args, *(() if point is None else (point[0], *point[1]))]:
            if isinstance(value, Array) and value.splat() is None:
                held[id(value)] = value
    return sum(value.nbytes for value in held.values())


def test_compiled_reverse_mode_keeps_the_inputs_of_each_layer() -> None:
    x, weights = np.ones((64, 3), np.float32), [np.ones((3, 3), np.float32)] * 20
    inputs = x.nbytes + sum(w.nbytes for w in weights)
    last = x.nbytes  # of the sum of squares
    assert kept_bytes(chain(fg.checkpoint(layer)), x, weights) == inputs + 19 * x.nbytes + last
    assert kept_bytes(chain(layer), x, weights) > 9 * 19 * x.nbytes
    assert kept_bytes(fg.checkpoint(chain(layer)), x, weights) == inputs
    dots = fg.checkpoint(layer, policy=POLICIES.dots_saveable)
    assert kept_bytes(chain(dots), x, weights) == inputs + 19 * x.nbytes + last + 20 * 3 * x.nbytes


def test_eager_reverse_mode_keeps_the_inputs_of_each_layer() -> None:
    x, weights = fnp.asarray(X), [fnp.asarray(W + i) for i in range(5)]

    def flat(layer: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x, *weights: [chain(layer)(x, weights)]

    inputs = x.nbytes + sum(w.nbytes for w in weights)
    squares = 2 * x.nbytes  # the last layer's result and its square
    assert tape_bytes(flat(fg.checkpoint(layer)), x, *weights) == inputs + 4 * x.nbytes + squares
    assert tape_bytes(flat(layer), x, *weights) > 9 * 5 * x.nbytes


def test_eager_memory_between_the_passes_falls() -> None:
    x, weights = fnp.ones((80_000, 3), dtype="float32") * 0.1, [fnp.eye(3, dtype="float32") * 0.1] * 8

    def held(function: Callable[..., Any]) -> int:
        gc.collect()
        tracemalloc.start()
        _, pull = fg.vjp(function, x, weights)
        gc.collect()
        current, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        pull(fnp.asarray(1.0, dtype="float32"))
        return current // x.nbytes

    assert held(fg.checkpoint(chain(layer))) <= 1
    assert held(chain(fg.checkpoint(layer))) <= 10
    assert held(chain(layer)) >= 9 * 8


def test_compiled_memory_falls_and_merging_is_prevented() -> None:
    x, weights = np.ones((2048, 4), np.float32), [np.eye(4, dtype=np.float32)] * 8

    def compiled(layer: Callable[..., Any]) -> tuple[int, int]:
        lowered = fg.jit(fg.grad(chain(layer), 1)).lower(x, weights)
        barriers = lowered.as_text().count("optimization_barrier")
        return lowered.compile().memory_analysis().temp_size_in_bytes // x.nbytes, barriers

    plain, none = compiled(layer)
    merged, unprevented = compiled(fg.checkpoint(layer, prevent_cse=False))
    remade, prevented = compiled(fg.checkpoint(layer))
    assert (none, unprevented) == (0, 0)
    assert prevented == 8
    assert merged > 0.9 * plain
    assert remade < plain / 2


def test_a_policy_that_keeps_all_needs_no_barrier() -> None:
    function = fg.checkpoint(layer, policy=POLICIES.everything_saveable)
    lowered = fg.jit(fg.grad(chain(function))).lower(X, [W])
    assert "optimization_barrier" not in lowered.as_text()


def test_checkpoints_nest() -> None:
    inner = fg.checkpoint(lambda x, w: fnp.sin(fnp.exp(x @ w)))
    outer = fg.checkpoint(lambda x, w: fnp.sum(inner(inner(x, w), w)))
    plain = fg.checkpoint(lambda x, w: fnp.sum(fnp.sin(fnp.exp(fnp.sin(fnp.exp(x @ w)) @ w))))
    assert kept(outer, X, W) == []
    for transformation in ("grad", "jit_grad", "hessian"):
        transformed = TRANSFORMATIONS[transformation]
        assert_close(transformed(outer)(X, W), transformed(plain)(X, W))
    program = fg.make_program(fg.grad(outer))(X, W)
    (again,) = [eqn.op for eqn in program.equations if isinstance(eqn.op, Checkpoint)]
    nested = [eqn.op for eqn in again.program.equations if isinstance(eqn.op, Checkpoint)]
    assert [op.again for op in nested] == [False, True, True]  # the second inner one's results are not needed


# -- loops and branches ------------------------------------------------------------------------------------------------


def test_a_checkpointed_loop_body_keeps_only_its_carries() -> None:
    def body(carry: Any, x: Any) -> Any:
        carry = fnp.sin(fnp.exp(carry * x)) + fnp.tanh(carry)
        return carry, None

    def looped(body: Any) -> Callable[..., Any]:
        return lambda c, xs: fnp.sum(fg.lax.scan(body, c, xs)[0])

    c, xs = np.linspace(0, 1, 5), np.linspace(0.5, 1.5, 40).reshape(8, 5)
    carries = 8 * c.nbytes
    assert kept_bytes(looped(fg.checkpoint(body)), c, xs) == carries + xs.nbytes
    assert kept_bytes(looped(body), c, xs) > 2 * carries + xs.nbytes
    for wrap in (lambda f: f, fg.jit):
        assert_close(wrap(fg.grad(looped(fg.checkpoint(body)), (0, 1)))(c, xs), fg.grad(looped(body), (0, 1))(c, xs))


def test_branches_inside_and_around() -> None:
    def f(x: Any) -> Any:
        return fg.lax.cond(fnp.sum(x) > 0, fg.checkpoint(lambda x: fnp.sum(fnp.exp(x))), lambda x: fnp.sum(-x), x)

    def python(x: Any) -> Any:
        return fnp.sin(x) if x > 0 else fnp.cos(x)

    for sign in (1.0, -1.0):
        expected = np.exp(X) if sign * X.sum() > 0 else -np.ones_like(X)
        for wrap in (lambda f: f, fg.jit):
            assert_close(wrap(fg.grad(fg.checkpoint(f)))(sign * X), fnp.asarray(expected if expected[0, 0] < 0 else
                         np.exp(sign * X)))  # fmt: skip
            assert_close(wrap(fg.grad(fg.checkpoint(python)))(sign * 0.3), fg.grad(python)(sign * 0.3))


# -- effects -----------------------------------------------------------------------------------------------------------


class Noted(Primitive):
    """x itself; it is noted that it was computed."""

    effects = frozenset({"callback"})
    plain = False
    notes: ClassVar[list[Any]] = []

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        return (x,)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        self.notes.append(x)
        return (x,)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return (self(*primals),), tangents

    transpose = not_linear
    batch = elementwise_batch


class Told(Noted):
    """No result; it is noted that it was told."""

    multiple = True

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        return ()

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        self.notes.append(x)
        return ()

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return self(*primals), ()


def telling(x: Any) -> Any:
    x = fnp.exp(x)
    Told()(x)
    return fnp.sum(fnp.sin(x))


def test_effects_happen_once_and_in_the_forward_pass() -> None:
    Noted.notes.clear()
    _, pull = fg.vjp(fg.checkpoint(telling), X)
    assert len(Noted.notes) == 1
    pull(fnp.asarray(1.0, dtype="float64"))
    pull(fnp.asarray(1.0, dtype="float64"))
    assert len(Noted.notes) == 1
    assert kept(fg.checkpoint(telling), X) == []


def test_what_effects_return_is_kept() -> None:
    Noted.notes.clear()
    function = fg.checkpoint(lambda x: fnp.sum(fnp.sin(fnp.exp(Noted()(fnp.tanh(x))))))
    assert_close(fg.grad(function)(X), fg.grad(lambda x: fnp.sum(fnp.sin(fnp.exp(fnp.tanh(x)))))(X))
    assert len(Noted.notes) == 1
    assert kept(function, X) == ["output of noted"]


def test_effects_inside_a_loop_do_not_make_its_values_kept() -> None:
    def f(x: Any) -> Any:
        def body(carry: Any, _: Any) -> Any:
            Told()(carry)
            return fnp.sin(carry) * fnp.exp(carry), None

        return fnp.sum(fg.lax.scan(body, x, None, length=3)[0])

    Noted.notes.clear()
    assert kept(fg.checkpoint(f), X) == []
    gradient = fg.grad(fg.checkpoint(f))(X)
    assert len(Noted.notes) == 3
    assert_close(gradient, fg.grad(f)(X))


def test_a_check_is_compiled_into_the_forward_pass_only() -> None:
    def f(x: Any) -> Any:
        y = fnp.exp(x)
        fg.check(fnp.all(y < 100), "too large")
        return fnp.sum(fnp.sin(y))

    program = fg.make_program(fg.grad(fg.checkpoint(f)))(X)
    assert [bool(eqn.op.effects) for eqn in program.equations if isinstance(eqn.op, Checkpoint)] == [True, False]
    compiled = fg.jit(fg.grad(fg.checkpoint(f)))
    assert_close(compiled(X), fg.grad(f)(X))
    with pytest.raises(errors.CheckError, match="too large"):
        np.asarray(compiled(X + 10))


# -- arguments ---------------------------------------------------------------------------------------------------------


def test_gradients_flow_into_what_the_function_closes_over() -> None:
    def f(x: Any, w: Any) -> Any:
        return fnp.sum(fg.checkpoint(lambda y: fnp.sin(y @ w) @ w)(x))

    for wrap in (lambda f: f, fg.jit):
        plain = fg.grad(lambda x, w: fnp.sum(fnp.sin(x @ w) @ w), (0, 1))
        assert_close(wrap(fg.grad(f, (0, 1)))(X, W), plain(X, W))


def test_static_arguments_and_trees() -> None:
    @functools.partial(fg.checkpoint, static_argnums=(1,), static_argnames="scale")
    def f(params: Any, times: int, mode: str, *, scale: float = 1.0) -> Any:
        assert type(times) is int
        assert type(scale) is float
        for _ in range(times):
            params = fg.tree.map(fnp.sin if mode == "sin" else fnp.cos, params)
        return {"total": scale * sum(fnp.sum(leaf) for leaf in fg.tree.leaves(params))}

    params = {"a": X, "b": [W, None]}
    found = fg.grad(lambda p: f(p, 2, "sin", scale=3.0)["total"])(params)
    plain = f.__wrapped__
    assert_close(found, fg.grad(lambda p: plain(p, 2, "sin", scale=3.0)["total"])(params))


def test_decorating() -> None:
    class Model:
        @fg.remat(policy=POLICIES.dots_saveable)
        def apply(self, x: Any) -> Any:
            """Apply."""
            return fnp.sum(fnp.sin(x @ W))

    assert Model.apply.__name__ == "apply"
    assert Model.apply.__doc__ == "Apply."
    assert fg.remat is fg.checkpoint
    assert_close(fg.grad(Model().apply)(X), fg.grad(lambda x: fnp.sum(fnp.sin(x @ W)))(X))
    assert kept(Model().apply, X) == ["output of dot_general"]


def test_integers_pass() -> None:
    function = fg.checkpoint(lambda x, n: (fnp.sum(fnp.sin(x) * n), n + 1))
    (_, m), gradient = fg.value_and_grad(function, has_aux=True)(X, np.arange(3))
    assert m.tolist() == [1, 2, 3]
    assert_close(gradient, fnp.asarray(np.cos(X) * np.arange(3)))


def test_named_axes_are_seen_inside() -> None:
    def f(x: Any) -> Any:
        return fnp.sin(x - fg.lax.pmean(fnp.exp(x), "rows"))

    def total(f: Any) -> Callable[[Any], Any]:
        return lambda x: fnp.sum(fg.vmap(f, axis_name="rows")(x))

    assert_close(fg.grad(total(fg.checkpoint(f)))(X), fg.grad(total(f))(X))
    assert_close(fg.jit(fg.grad(total(fg.checkpoint(f))))(X), fg.grad(total(f))(X))


def test_a_linear_function_can_be_transposed() -> None:
    (found,) = fg.linear_transpose(fg.checkpoint(lambda x: fnp.sin(W) @ x), X.T)(np.ones((3, 4)))
    assert_close(found, fnp.asarray(np.sin(W).T @ np.ones((3, 4))))


# -- names and barriers ------------------------------------------------------------------------------------------------


def test_naming_is_the_identity() -> None:
    tree = {"a": fnp.asarray(X), "n": fnp.arange(3)}
    assert_close(fg.checkpoint_name(tree, "label"), tree)
    f = lambda x: fnp.sum(fg.checkpoint_name(x * x, "square"))  # noqa: E731
    for transformed in (fg.grad, lambda f: fg.jit(fg.grad(f)), lambda f: fg.vmap(fg.grad(f)), fg.hessian):
        assert_close(transformed(f)(X), transformed(lambda x: fnp.sum(x * x))(X))


def test_a_barrier_is_the_identity() -> None:
    def f(x: Any, w: Any) -> Any:
        x, rest = fg.lax.optimization_barrier((fnp.sin(x), {"w": w, "n": 1}))
        return fnp.sum(x @ rest["w"]) * rest["n"]

    def plain(x: Any, w: Any) -> Any:
        return fnp.sum(fnp.sin(x) @ w)

    for name in ("grad", "jit_grad", "jacfwd", "hessian", "grad_vmap", "jit_vmap_grad"):
        assert_close(TRANSFORMATIONS[name](f)(X, W), TRANSFORMATIONS[name](plain)(X, W))
    assert fg.lax.optimization_barrier({}) == {}
    (ct,) = fg.linear_transpose(lambda x: fg.lax.optimization_barrier((x, fnp.asarray(W)))[0], X)(X)
    assert_close(ct, fnp.asarray(X))


# -- showing what is kept ----------------------------------------------------------------------------------------------


def test_printing_residuals_shows_types_and_lines(capsys: pytest.CaptureFixture[str]) -> None:
    weights = fnp.asarray(W)

    def f(p: Any) -> Any:
        y = fg.checkpoint_name(fnp.exp(p["x"] @ weights), "hidden")
        return fnp.sum(fg.jit(fnp.sin)(y))

    fg.print_saved_residuals(f, {"x": X})
    line = f.__code__.co_firstlineno
    lines = capsys.readouterr().out.splitlines()
    assert f"f64[3,3] from an array that f ({__file__}:{line}) closes over" in lines
    place = f"at {__file__}:{line + 1} in {f.__qualname__}"
    assert f"f64[4,3] named 'hidden', output of exp {place}" in lines
    assert f"f64[4,3] output of cos at {__file__}:{line + 2} in {f.__qualname__}" in lines
    fg.print_saved_residuals(fg.checkpoint(f), {"x": X})
    assert "f64[4,3] from the argument p['x']" in capsys.readouterr().out.splitlines()


def test_residuals_of_shapes_alone() -> None:
    (residual,) = fg.saved_residuals(lambda x: x * x, fg.ShapeDtypeStruct((1000, 1000), "float32"))
    assert residual == (ArrayType((1000, 1000), np.dtype(np.float32)), "from the argument x")
    assert residual.nbytes == 4_000_000
