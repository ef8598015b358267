"""Systems, inverses, determinants, Cholesky, QR and products of matrices: NumPy's answers, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, DTypeError, LinAlgError, ShapeError
from funcgrad.testing import check_grads

from .surface import Call, agree, call, calls, matrices, shaped

linalg = fnp.linalg
RUNS = {"eager": lambda f: f, "jit": fg.jit}
runs = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
ULPS = 2000  # of solutions: the matrices' condition numbers are up to some tens
FEW = settings(max_examples=12)  # each draw compiles


def regular(rows: Any = None, kinds: str = "FC", batch: bool = True) -> st.SearchStrategy[np.ndarray]:
    """Square matrices far from singular ones."""
    return matrices(rows, None, kinds, batch).map(lambda a: a + np.asarray(4 * np.eye(a.shape[-1]), a.dtype))


def positive(kinds: str = "FC") -> st.SearchStrategy[np.ndarray]:
    """Positive definite matrices."""
    return regular(kinds=kinds).map(lambda a: a @ a.conj().swapaxes(-1, -2))


@st.composite
def systems(draw: Any, kinds: str = "FC") -> Call:
    """Matrices and right-hand sides: vectors, columns, batches that broadcast, and some that do not fit."""
    a = draw(regular(kinds=kinds))
    n = a.shape[-1]
    shape = draw(st.sampled_from([(n,), (n, 2), (n, 0), (2, n, 1), (1, 1, n, 2), (n + 1,), (), (3, n, 1)]))
    b = np.random.default_rng(draw(st.integers(0, 99))).normal(size=shape)
    return Call((a, b.astype(draw(st.sampled_from([a.dtype, np.float32])))))


# -- NumPy's answers ---------------------------------------------------------------------------------------------------


@given(systems(), st.booleans())
def test_solve(drawn: Call, compiled: bool) -> None:
    agree("linalg.solve", drawn, ULPS, compiled and drawn.args[0].ndim == 2)


@given(calls(call(regular()), call(regular(kinds="i")), call(shaped((2, 3))), call(shaped((3,)))))
def test_inv(drawn: Call) -> None:
    agree("linalg.inv", drawn, ULPS)


@given(calls(call(regular()), call(shaped((2, 3))), call(shaped((2, 2), "iI")), call(shaped(()))))
def test_determinants(drawn: Call) -> None:
    agree("linalg.det", drawn, ULPS)
    if drawn.args[0].dtype.kind != "i":
        agree("linalg.slogdet", drawn, ULPS)


@given(calls(call(positive(), upper=st.booleans()), call(shaped((2, 3)))))
def test_cholesky(drawn: Call) -> None:
    agree("linalg.cholesky", drawn, ULPS)


MODES = st.sampled_from(["reduced", "complete", "r", "raw"])


@given(calls(call(matrices(columns=st.integers(0, 4), kinds="FC"), MODES), call(shaped((3,)), MODES)))
def test_qr(drawn: Call) -> None:
    agree("linalg.qr", drawn, ULPS)


@FEW
@given(regular(st.integers(1, 3)), st.sampled_from(["inv", "det", "slogdet", "qr", "cholesky"]))
def test_compiled(a: np.ndarray, name: str) -> None:
    if name == "cholesky":
        a = a @ a.conj().swapaxes(-1, -2)
    agree(f"linalg.{name}", Call((a,)), ULPS, compiled=True)


@given(calls(call(regular(batch=False), st.integers(-3, 4)), call(shaped((2, 2), "i"), st.integers(0, 3)),
             call(shaped((2, 3)), 2), call(regular(), 2), call(shaped((2, 2)), 1.5)))  # fmt: skip
def test_matrix_power(drawn: Call) -> None:
    agree("linalg.matrix_power", drawn, ULPS)


@st.composite
def chains(draw: Any) -> Call:
    """Matrices that fit, vectors at the ends, and one that may not fit."""
    lengths = draw(st.lists(st.integers(1, 4), min_size=2, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    arrays = [rng.normal(size=pair).astype(np.float32) for pair in pairwise(lengths)]
    if draw(st.booleans()):
        arrays[0] = arrays[0][0]
    if len(arrays) > 1 and draw(st.booleans()):
        arrays[-1] = arrays[-1][:, 0]
    if draw(st.booleans()) and len(arrays) > 2:
        arrays[1] = arrays[1][..., None] if draw(st.booleans()) else np.zeros((7, 9), np.float32)
    return Call((arrays,))


@given(chains())
def test_multi_dot(drawn: Call) -> None:
    agree("linalg.multi_dot", drawn, ULPS)


def test_multi_dot_multiplies_in_the_cheapest_order() -> None:
    arrays = [fnp.ones(shape) for shape in ((2, 50), (50, 3), (3, 40), (40, 1))]
    program = fg.make_program(lambda *a: linalg.multi_dot(a))(*arrays)
    products = [eqn.outputs[0].type.shape for eqn in program.equations if eqn.op.name == "dot_general"]
    assert sorted(products) == [(2, 1), (3, 1), (50, 1)]


@given(call(shaped((2, 3, 4), "FC"), offset=st.integers(-3, 4)))
def test_diagonals(drawn: Call) -> None:
    agree("linalg.diagonal", drawn)
    agree("linalg.trace", drawn)


@given(calls(call(shaped((3,), "FC"), shaped((2,), "F")), call(shaped((2, 2)), shaped((2,)))))
def test_outer(drawn: Call) -> None:
    agree("linalg.outer", drawn)


def test_the_standards_products_are_those_of_the_main_namespace() -> None:
    x, y = fnp.arange(6.0).reshape(2, 3), fnp.ones((2, 3))
    np.testing.assert_array_equal(linalg.vecdot(x, y, axis=0), np.linalg.vecdot(x, y, axis=0))
    np.testing.assert_array_equal(linalg.cross(x, y), np.linalg.cross(np.asarray(x), np.asarray(y)))
    np.testing.assert_array_equal(linalg.matrix_transpose(x), x.T)
    assert linalg.matmul is fnp.matmul
    assert linalg.tensordot is fnp.tensordot
    assert linalg.trace(fnp.ones((3, 2, 2), "int8")).dtype == fnp.sum(fnp.ones(2, "int8")).dtype


def test_tensor_systems() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 6)), rng.normal(size=(2, 3))
    agree("linalg.tensorsolve", Call((a, b)), ULPS)
    agree("linalg.tensorsolve", Call((rng.normal(size=(3, 6, 2)), b.T, (2,))), ULPS)
    agree("linalg.tensorinv", Call((rng.normal(size=(4, 6, 8, 3)), 2)), ULPS)
    agree("linalg.tensorinv", Call((rng.normal(size=(6, 2, 3)), 1)), ULPS)
    agree("linalg.tensorinv", Call((rng.normal(size=(4, 3)),)), ULPS)
    with pytest.raises(LinAlgError):
        linalg.tensorsolve(fnp.ones((2, 3)), fnp.ones(2))
    with pytest.raises(AxisError):
        linalg.tensorinv(fnp.ones((2, 2)), 0)


# -- dtypes ------------------------------------------------------------------------------------------------------------


def test_integers_become_the_default_float() -> None:
    a = fnp.array([[2, 1], [1, 1]])
    for result in (linalg.inv(a), linalg.det(a), linalg.solve(a, a), linalg.cholesky(a), linalg.qr(a).Q):
        assert result.dtype == np.float32
    assert linalg.matrix_power(a, 3).dtype == np.int32


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "qr", "cholesky", "solve"])
def test_half_precision_is_refused(name: str, dtype: str) -> None:
    a = fnp.eye(2, dtype=dtype)
    with pytest.raises(DTypeError, match="convert it first"):
        linalg.solve(a, a) if name == "solve" else getattr(linalg, name)(a)


def test_results_are_named() -> None:
    a = fnp.array([[2.0, 1.0], [1.0, 3.0]])
    for f in (lambda a: a, fg.jit):
        assert f(linalg.qr)(a)._fields == np.linalg.qr(np.eye(2))._fields
        assert f(linalg.slogdet)(a)._fields == np.linalg.slogdet(np.eye(2))._fields


# -- matrices that cannot be solved ------------------------------------------------------------------------------------

FAILING: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "solve": (lambda a: linalg.solve(a, fnp.ones(a.shape[-1])), [[1.0, 1.0], [1.0, 1.0]]),
    "inv": (linalg.inv, [[0.0, 1.0], [0.0, 1.0]]),
    "cholesky": (linalg.cholesky, [[1.0, 2.0], [2.0, 1.0]]),
    "cholesky upper": (partial(linalg.cholesky, upper=True), [[-1.0, 0.0], [0.0, 1.0]]),
    "matrix_power": (lambda a: linalg.matrix_power(a, -1), [[0.0, 0.0], [0.0, 0.0]]),
}


@runs
@pytest.mark.parametrize("name", FAILING)
def test_what_cannot_be_solved_raises(name: str, run: Callable[..., Any]) -> None:
    function, bad = FAILING[name]
    for a in (fnp.array(bad), fnp.stack([fnp.eye(2), fnp.array(bad)])):
        with pytest.raises(LinAlgError, match=r"singular|positive definite"):
            np.asarray(run(function)(a))
    with pytest.raises(np.linalg.LinAlgError):
        np.asarray(fg.vmap(run(function))(fnp.stack([fnp.eye(2), fnp.array(bad)])))


@runs
@pytest.mark.parametrize("name", FAILING)
def test_without_checks_it_is_nan_and_the_others_are_right(name: str, run: Callable[..., Any]) -> None:
    function, bad = FAILING[name]
    with fg.config(check_linalg=False):
        found = run(lambda a: function(a))(fnp.stack([fnp.eye(2), fnp.array(bad)]))
        assert np.isfinite(found[0]).all()
        assert np.isnan(found[1]).all()
        assert np.isnan(run(lambda a: function(a))(fnp.array(bad))).all()


@runs
def test_nan_is_no_failure_of_a_system(run: Callable[..., Any]) -> None:
    a = fnp.array([[fnp.nan, 1.0], [1.0, 2.0]])
    assert np.isnan(run(linalg.solve)(a, fnp.ones(2))).any()
    assert np.isnan(run(linalg.inv)(a)).any()
    with pytest.raises(LinAlgError):
        np.asarray(run(linalg.cholesky)(a))


def test_refusals() -> None:
    eye = fnp.eye(2)
    with pytest.raises(LinAlgError):
        linalg.solve(fnp.ones((2, 3)), fnp.ones(2))
    with pytest.raises(ShapeError):
        linalg.solve(eye, fnp.ones(3))
    with pytest.raises(ShapeError):
        linalg.solve(fnp.ones((2, 1, 1)), fnp.ones((3, 1, 1)))
    with pytest.raises(ArgumentError):
        linalg.qr(eye, "full")
    with pytest.raises(ArgumentError):
        linalg.multi_dot([eye])
    with pytest.raises(DTypeError):
        linalg.matrix_power(eye, 0.5)


# -- derivatives -------------------------------------------------------------------------------------------------------


def point(*shape: int, dtype: Any = np.float64) -> Any:
    rng = np.random.default_rng(0)
    values = rng.normal(size=shape) + (1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else 0)
    return fnp.asarray((values + 3 * np.eye(*shape[-2:])).astype(dtype))


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("name", ["solve", "solve vector", "inv", "det", "slogdet", "cholesky", "upper", "power"])
def test_derivatives_of_every_order_agree_with_differences(name: str, dtype: str) -> None:
    a = point(3, 3, dtype=dtype)
    functions = {
        "solve": lambda a: linalg.solve(a, a[:, :2]),
        "solve vector": lambda a: linalg.solve(a, a[0]),
        "inv": linalg.inv,
        "det": linalg.det,
        "slogdet": linalg.slogdet,
        # What they read of a matrix is taken for Hermitian: only such directions count.
        "cholesky": lambda a: linalg.cholesky(a @ a.conj().T),
        "upper": lambda a: linalg.cholesky(a @ a.conj().T, upper=True),
        "power": lambda a: linalg.matrix_power(a, -2),
    }
    check_grads(functions[name], (a,), order=2)


def test_one_matrix_serves_many_columns() -> None:
    """A batch of right-hand sides is more columns of one system: one factorization."""
    a, b = point(3, 3), point(4, 3)
    found = fg.vmap(linalg.solve, in_axes=(None, 0))(a, b)
    np.testing.assert_allclose(found, np.linalg.solve(np.asarray(a), np.asarray(b).T).T)
    program = fg.make_program(fg.vmap(linalg.solve, in_axes=(None, 0)))(a, b)
    assert [eqn.inputs[1].type.shape for eqn in program.equations if eqn.op.name == "solve"] == [(3, 4)]


def test_a_derivative_factorizes_once() -> None:
    a, b = point(3, 3), point(3)

    def loss(a: Any) -> Any:
        return fnp.sum(linalg.solve(a, b) ** 2)

    for function in (fg.grad(loss), fg.grad(lambda a: fnp.sum(fg.grad(loss)(a) ** 2))):
        program = fg.make_program(function)(a)
        assert sum(eqn.op.name in ("l_u", "solve") for eqn in program.equations) == 1


def test_the_gradient_of_cholesky_is_hermitian() -> None:
    a = point(3, 3)
    a = a @ a.T
    for upper in (False, True):
        gradient = np.asarray(fg.grad(lambda a, upper=upper: fnp.sum(linalg.cholesky(a, upper=upper)))(a))
        np.testing.assert_allclose(gradient, gradient.T)
        both = fg.grad(lambda a, upper=upper: fnp.sum(linalg.cholesky(a, upper=upper, symmetrize_input=True)))(a)
        np.testing.assert_allclose(gradient, both, rtol=1e-9)


def test_cholesky_reads_one_triangle() -> None:
    a = np.array([[4.0, 100.0], [2.0, 5.0]])
    for run in RUNS.values():
        np.testing.assert_allclose(run(linalg.cholesky)(fnp.asarray(a)), np.linalg.cholesky(a))
        upper = run(partial(linalg.cholesky, upper=True))(fnp.asarray(a.T))
        np.testing.assert_allclose(upper, np.linalg.cholesky(a).T)


SINGULAR = {
    "rank 1 of 2": [[1.0, 1.0], [1.0, 1.0]],
    "a zero column": [[0.0, 1.0], [0.0, 2.0]],
    "zero": [[0.0, 0.0], [0.0, 0.0]],
    "rank 2 of 3": [[0.0, 0.0, 1.0], [0.0, 2.0, 1.0], [0.0, 1.0, 5.0]],
    "rank 1 of 3": [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]],
}


@runs
@pytest.mark.parametrize("name", SINGULAR)
@pytest.mark.parametrize("factor", [1.0, 1 + 2j], ids=["real", "complex"])
def test_the_gradient_of_the_determinant_of_a_singular_matrix_is_the_cofactors(
    name: str, factor: complex, run: Callable[..., Any]
) -> None:
    a = np.array(SINGULAR[name]) * factor
    n = len(a)
    minors = [[np.delete(np.delete(a, i, 0), j, 1) for j in range(n)] for i in range(n)]
    cofactors = [[(-1) ** (i + j) * np.linalg.det(minors[i][j]) for j in range(n)] for i in range(n)]
    _, pull = fg.vjp(run(linalg.det), fnp.asarray(a))
    (found,) = pull(fnp.asarray(np.ones((), a.dtype)))
    np.testing.assert_allclose(found, cofactors, atol=1e-12)


@pytest.mark.parametrize("mode", ["reduced", "complete", "r", "raw"])
@pytest.mark.parametrize("shape", [(4, 2), (3, 3), (2, 4)], ids=str)
def test_qr_is_differentiable_in_every_mode(shape: tuple[int, ...], mode: str) -> None:
    check_grads(partial(linalg.qr, mode=mode), (point(*shape),), order=1)


def test_second_derivatives_of_a_batch_under_jit() -> None:
    a = fnp.stack([point(2, 2), point(2, 2) + 1])

    def loss(a: Any) -> Any:
        return fnp.sum(linalg.inv(a) ** 2) + fnp.sum(linalg.slogdet(a).logabsdet)

    found = fg.jit(fg.vmap(fg.hessian(loss)))(a)
    np.testing.assert_allclose(found, np.stack([fg.hessian(loss)(x) for x in a]), rtol=1e-8)
