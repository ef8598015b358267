"""Eigenvalues, singular values and norms: what they satisfy, NumPy's answers, and derivatives of what is determined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, LinAlgError

from .surface import Call, agree, call, calls, matrices, shaped

linalg = fnp.linalg
KINDS = "FC"
RUNS = {"eager": lambda f: f, "jit": fg.jit}
runs = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


def eps(x: Any) -> float:
    """Rounding errors of matrices of a few rows."""
    return 100 * float(np.finfo(x.dtype).eps)


def close(found: Any, expected: Any, scale: float = 1.0) -> None:
    """Equal up to rounding, relative to the largest element (or `scale`, if that is larger)."""
    found, expected = np.asarray(found), np.asarray(expected)
    size = max(scale, float(np.abs(expected).max(initial=0)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=eps(found) * size)


def adjoint(a: Any) -> Any:
    return fnp.conj(fnp.matrix_transpose(a))


@st.composite
def with_spectrum(draw: Any, hermitian: bool) -> np.ndarray:
    """Matrices whose eigenvalues (if Hermitian) or singular values repeat, or are 0."""
    m, n = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    n = m if hermitian else n
    dtype = draw(st.sampled_from([np.float32, np.float64, np.complex64, np.complex128]))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    values = draw(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=min(m, n), max_size=min(m, n)))

    def unitary(order: int) -> np.ndarray:
        part = rng.normal(size=(2, order, order))
        return np.linalg.qr(part[0] + 1j * part[1] if np.dtype(dtype).kind == "c" else part[0])[0]

    u = unitary(m)
    v = u if hermitian else unitary(n)
    a = (u[:, : len(values)] * values) @ v[:, : len(values)].conj().T
    return ((a + a.conj().T) / 2 if hermitian else a).astype(dtype)


# -- what the decompositions satisfy -----------------------------------------------------------------------------------


@given(st.one_of(matrices(kinds=KINDS), with_spectrum(True)), st.sampled_from("LU"))
def test_eigh(a: np.ndarray, side: str) -> None:
    half = np.tril(a) if side == "L" else np.triu(a)
    diagonal = np.eye(a.shape[-1]) * a
    hermitian = half + half.conj().swapaxes(-1, -2) - diagonal.real - (1j * diagonal.imag if a.dtype.kind == "c" else 0)
    hermitian = np.where(np.eye(a.shape[-1]) > 0, diagonal.real, hermitian).astype(a.dtype)
    w, v = linalg.eigh(fnp.asarray(a), side)
    assert w.dtype == a.real.dtype
    assert v.dtype == a.dtype
    close(v * w[..., None, :] @ adjoint(v), hermitian)
    close(adjoint(v) @ v, np.broadcast_to(np.eye(a.shape[-1]), a.shape))
    assert bool(fnp.all(w[..., 1:] >= w[..., :-1]))
    close(linalg.eigvalsh(fnp.asarray(a), side), w, float(np.abs(a).max(initial=0)))


@given(st.one_of(matrices(columns=st.integers(0, 4), kinds=KINDS), with_spectrum(False)), st.booleans())
def test_svd(a: np.ndarray, full: bool) -> None:
    u, s, vh = linalg.svd(fnp.asarray(a), full_matrices=full)
    m, n = a.shape[-2:]
    k = min(m, n)
    assert u.shape[-2:] == (m, m if full else k)
    assert vh.shape[-2:] == (n if full else k, n)
    assert s.dtype == a.real.dtype
    assert u.dtype == vh.dtype == a.dtype
    close(u[..., :k] * s[..., None, :] @ vh[..., :k, :], a)
    close(adjoint(u) @ u, np.broadcast_to(np.eye(u.shape[-1]), (*a.shape[:-2], u.shape[-1], u.shape[-1])))
    close(vh @ adjoint(vh), np.broadcast_to(np.eye(vh.shape[-2]), (*a.shape[:-2], vh.shape[-2], vh.shape[-2])))
    assert bool(fnp.all(s >= 0))
    assert bool(fnp.all(s[..., 1:] <= s[..., :-1]))


@given(with_spectrum(True))
def test_svd_of_hermitian_matrices(a: np.ndarray) -> None:
    x = fnp.asarray(a)
    for f in (linalg.svd, fg.jit(linalg.svd)) if a.shape == (2, 2) else (linalg.svd,):
        u, s, vh = f(x, hermitian=True)
        close(u * s @ vh, a)
    close(fg.vmap(lambda x: linalg.svd(x, hermitian=True).S)(x[None])[0], linalg.svdvals(x), 2)
    close(linalg.svd(x, compute_uv=False, hermitian=True), linalg.svdvals(x), 2)


@given(matrices(kinds=KINDS))
def test_eig(a: np.ndarray) -> None:
    w, v = linalg.eig(fnp.asarray(a))
    assert w.dtype == v.dtype == (np.complex64 if a.dtype in (np.float32, np.complex64) else np.complex128)
    close(fnp.asarray(a).astype(v.dtype) @ v, v * w[..., None, :], 10)
    close(fnp.sum(fnp.abs(v) ** 2, -2), np.ones(w.shape))
    close(fnp.sum(w, -1), np.trace(a, axis1=-2, axis2=-1), 10)
    close(fnp.sort(fnp.abs(linalg.eigvals(fnp.asarray(a)))), np.sort(np.abs(np.asarray(w))), 10)


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_compiled_and_mapped_decompositions_are_those_of_each_matrix(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, 4, 4)) + (1j * rng.normal(size=(3, 4, 4)) if np.dtype(dtype).kind == "c" else 0)
    a = fnp.asarray(a.astype(dtype))

    def values(x: Any) -> list[Any]:
        w, v = linalg.eigh(x)
        u, s, vh = linalg.svd(x)
        r, z = linalg.eig(x)
        return [
            w, v * w[..., None, :] @ adjoint(v), s, u * s[..., None, :] @ vh, fnp.sort(fnp.abs(r), -1),
            fnp.abs(x.astype(z.dtype) @ z - z * r[..., None, :]), linalg.eigvalsh(x), linalg.svdvals(x),
            fnp.sort(fnp.abs(linalg.eigvals(x)), -1), linalg.pinv(x), linalg.matrix_rank(x), linalg.cond(x),
        ]  # fmt: skip

    each = [values(x) for x in a]
    for found in (values(a), fg.jit(values)(a), fg.vmap(values)(a), fg.jit(fg.vmap(values))(a)):
        for number, out in enumerate(found):
            close(out.astype(a.dtype), np.stack([np.asarray(row[number]) for row in each]), 10)


def test_results_have_numpys_names() -> None:
    a = fnp.eye(2)
    assert linalg.eigh(a)._fields == np.linalg.eigh(np.eye(2))._fields
    assert linalg.eig(a)._fields == np.linalg.eig(np.eye(2))._fields
    assert linalg.svd(a)._fields == np.linalg.svd(np.eye(2))._fields
    assert fg.jit(linalg.eigh)(a)._fields == ("eigenvalues", "eigenvectors")


def test_integers_become_the_default_float() -> None:
    a = fnp.array([[2, 1], [1, 2]])
    assert linalg.eigh(a).eigenvalues.dtype == linalg.svdvals(a).dtype == linalg.norm(a).dtype == np.float32
    assert linalg.eigvals(a).dtype == np.complex64
    assert linalg.matrix_rank(a).dtype == np.int32


# -- NumPy's answers ---------------------------------------------------------------------------------------------------

VECTOR_ORDERS = st.sampled_from([None, 0, 1, 2, 3, 0.5, -1, -2.5, np.inf, -np.inf])
MATRIX_ORDERS = st.sampled_from([None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
TALL = matrices(st.integers(0, 4), st.integers(0, 4), kinds=KINDS)
NORMS = calls(
    call(shaped((3,), "iFC"), VECTOR_ORDERS, keepdims=st.booleans()),
    call(shaped((2, 0, 3), "f"), VECTOR_ORDERS, axis=st.sampled_from([0, -1, (0, 2), 5]), keepdims=st.booleans()),
    call(shaped((2, 3, 2), "fC"), st.one_of(VECTOR_ORDERS, MATRIX_ORDERS), axis=st.sampled_from([0, 1, -1])),
    call(shaped((2, 3, 2), "fC"), MATRIX_ORDERS, axis=st.permutations([0, 1, 2]).map(lambda p: tuple(p[:2]))),
    call(TALL.filter(lambda a: a.ndim == 2), MATRIX_ORDERS, keepdims=st.booleans()),
    call(shaped((), "if"), st.sampled_from([None, 1])),
    call(shaped((2, 2), "f"), st.sampled_from([3, "nope", 0]), axis=st.sampled_from([None, (0, 0), (0, 1, 2)])),
)
ROWS: dict[str, Any] = {
    "linalg.norm": NORMS,
    "linalg.vector_norm": call(shaped((2, 3), "iFC"), ord=VECTOR_ORDERS.filter(lambda o: o is not None),
                               axis=st.sampled_from([None, 0, (0, 1)]), keepdims=st.booleans()),
    "linalg.matrix_norm": call(shaped((2, 3, 2), "fC"), ord=MATRIX_ORDERS, keepdims=st.booleans()),
    "linalg.svdvals": call(st.one_of(TALL, with_spectrum(False))),
    "linalg.eigvalsh": call(with_spectrum(True), st.sampled_from(["L", "u"])),
    "linalg.cond": calls(call(matrices(st.integers(1, 3), kinds=KINDS), MATRIX_ORDERS), call(shaped((2, 0), "f")),
                         call(shaped((2, 3), "f", 1, 2), st.sampled_from([None, 1]))),
    "linalg.matrix_rank": calls(call(with_spectrum(False)), call(with_spectrum(True), hermitian=True),
                                call(with_spectrum(False), st.sampled_from([0.5, 1.5])),
                                call(with_spectrum(False), rtol=st.sampled_from([0.3, 0.7])), call(shaped((3,), "if"))),
    "linalg.pinv": calls(call(with_spectrum(False), 1e-3), call(with_spectrum(True), 1e-3, True), call(TALL, rtol=None),
                         call(matrices(2, 3, kinds=KINDS), rtol=None)),
}  # fmt: skip


def singular(drawn: Call) -> bool:
    """Whether a condition number is only known up to rounding."""
    with np.errstate(all="ignore"):
        return bool(np.any(np.linalg.cond(drawn.args[0]) > 1e3)) if drawn.args[0].size else False


@pytest.mark.parametrize("name", ROWS)
@given(data=st.data())
def test_functions_answer_as_numpys_do(name: str, data: st.DataObject) -> None:
    drawn = data.draw(ROWS[name])
    if name == "linalg.cond" and singular(drawn):
        return
    agree(name, drawn, ulps=4096)


@pytest.mark.parametrize("name", ROWS)
def test_compiled_functions_answer_as_numpys_do(name: str) -> None:
    rng = np.random.default_rng(1)
    options: dict[str, list[dict[str, Any]]] = {
        "linalg.norm": [{"ord": o, "axis": (2, 0)} for o in ("nuc", 1, -np.inf)] + [{"ord": -1, "axis": 1}],
        "linalg.cond": [{"p": p} for p in (2, -2, 1, "fro")],
        "linalg.vector_norm": [{"ord": 3}],
        "linalg.matrix_rank": [{"tol": 0.5}, {"rtol": 0.4}],
        "linalg.pinv": [{}, {"rcond": 0.4}],
    }
    a = rng.normal(size=(2, 3, 3)).astype(np.float32)
    for chosen in options.get(name, [{}]):
        agree(name, Call((a,), chosen), ulps=4096, compiled=True)


@given(matrices(st.integers(1, 4), st.integers(1, 3), kinds="FC", batch=False), st.sampled_from([None, 1, 2]))
def test_least_squares(a: np.ndarray, columns: int | None) -> None:
    b = np.ones((a.shape[0],) if columns is None else (a.shape[0], columns), a.dtype)
    agree("linalg.lstsq", Call((a, b), {"rcond": None}), ulps=1 << 14)
    x, residuals, rank, s = linalg.lstsq(fnp.asarray(a), fnp.asarray(b).astype(float))  # the general way
    expected = np.linalg.lstsq(a, b, rcond=None)
    assert int(rank) == expected[2]
    assert residuals.shape == expected[1].shape
    tolerance = 1 << 14
    np.testing.assert_allclose(np.asarray(x), expected[0], rtol=tolerance * eps(x), atol=tolerance * eps(s))


@runs
def test_least_squares_of_a_deficient_matrix(run: Any) -> None:
    a = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], np.float32)
    b = np.array([1.0, 2.0, 4.0], np.float32)
    x, residuals, rank, s = run(lambda a, b: linalg.lstsq(a, b))(fnp.asarray(a), fnp.asarray(b))
    expected = np.linalg.lstsq(a, b, rcond=None)
    close(x, expected[0])
    close(s, expected[3])
    assert int(rank) == 1
    # A rank that is not known cannot take the residuals away.
    assert residuals.shape == ((0,) if run is RUNS["eager"] else (1,))


def test_condition_of_singular_and_unknown_matrices() -> None:
    singular = fnp.array([[1.0, 2.0], [2.0, 4.0]])
    for p in (1, np.inf, "fro"):
        assert float(linalg.cond(singular, p)) == np.inf
    assert float(linalg.cond(fnp.zeros((2, 2)))) == np.inf
    assert np.isnan(float(linalg.cond(fnp.array([[np.nan, 1.0], [1.0, 1.0]]), 1)))


# -- failures ----------------------------------------------------------------------------------------------------------

FAILING: list[Callable[[Any], Any]] = [
    linalg.eigh, linalg.eigvalsh, linalg.eig, linalg.eigvals, linalg.svd, linalg.svdvals, linalg.pinv,
    lambda x: linalg.norm(x, 2), lambda x: linalg.svd(x, hermitian=True),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(FAILING)))
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_does_not_converge_raises(number: int, bad: float) -> None:
    for a in (fnp.array([[bad, 1.0], [1.0, 2.0]]), fnp.array([[1.0, 2.0], [bad, 4.0]])):
        with pytest.raises(LinAlgError, match="NaN or infinities"):
            FAILING[number](a)
    compiled = fg.jit(FAILING[number])(a)
    with pytest.raises(LinAlgError, match="NaN or infinities"):
        fg.block_until_ready(compiled)


@runs
def test_what_does_not_converge_is_nan_where_asked_for(run: Any) -> None:
    a = fnp.array([[[1.0, 2.0], [np.nan, 4.0]], [[1.0, 0.0], [0.0, 2.0]]])
    with fg.config(check_linalg=False):
        w, v = run(linalg.eigh)(a)
        u, s, vh = run(linalg.svd)(a)
        z = run(linalg.eigvals)(a)
    assert all(bool(fnp.all(fnp.isnan(x[0]))) for x in (w, v, u, s, vh, z))
    close(w[1], [1, 2])
    close(s[1], [2, 1])
    close(fnp.sort(fnp.abs(z[1])), [1, 2])


def test_the_other_triangle_does_not_matter() -> None:
    a = fnp.array([[1.0, np.nan], [2.0, 1.0]])
    close(linalg.eigvalsh(a), [-1, 3])
    close(fg.jit(linalg.eigvalsh)(a), [-1, 3])


@runs
def test_both_triangles_count_where_asked_for(run: Any) -> None:
    a = fnp.array([[1.0, 4.0], [0.0, 1.0]])
    close(run(lambda a: linalg.eigvalsh(a, symmetrize_input=True))(a), [-1, 3])
    close(run(lambda a: linalg.eigh(a, symmetrize_input=True).eigenvalues)(a), [-1, 3])


def test_shapes_and_options_that_do_not_fit() -> None:
    for f in (linalg.eigh, linalg.eig, linalg.eigvals, linalg.eigvalsh):
        with pytest.raises(LinAlgError):
            f(fnp.ones((2, 3)))
    with pytest.raises(LinAlgError):
        linalg.svd(fnp.ones(3))
    with pytest.raises(ArgumentError):
        linalg.eigh(fnp.eye(2), "x")
    with pytest.raises(ArgumentError):
        linalg.matrix_rank(fnp.eye(2), 0.1, rtol=0.1)
    with pytest.raises(ArgumentError):
        linalg.pinv(fnp.eye(2), 0.1, rtol=0.1)


# -- derivatives of what is determined ---------------------------------------------------------------------------------

RNG = np.random.default_rng(3)
REAL = RNG.normal(size=(4, 4))
COMPLEX = REAL + 1j * RNG.normal(size=(4, 4))
WEIGHT = RNG.normal(size=(4, 4))


def hermitian(a: Any) -> Any:
    return a + adjoint(a)


def with_values(values: list[float], a: np.ndarray = COMPLEX, columns: int | None = None) -> np.ndarray:
    """A matrix with these singular values; Hermitian, with these eigenvalues, unless there are `columns`."""
    n = len(values)
    u = np.linalg.qr(a[:, :n] if columns is None else a)[0][:, :n]
    v = u if columns is None else np.linalg.qr(REAL[:columns] + 1)[0][:, :n]
    return (u * values) @ v.conj().T


def checked(f: Callable[[Any], Any], a: np.ndarray, order: int = 2) -> None:
    fg.testing.check_grads(f, (fnp.asarray(a),), order, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("a", [REAL, COMPLEX], ids=["real", "complex"])
@pytest.mark.parametrize("side", ["L", "U"])
def test_derivatives_of_eigh(a: np.ndarray, side: str) -> None:
    def f(a: Any) -> Any:
        w, v = linalg.eigh(hermitian(a), side)
        return fnp.sum(fnp.sin(w)), fnp.sum(fnp.abs(WEIGHT * (v[:, :2] @ adjoint(v[:, :2]))) ** 2)

    checked(f, a)


@pytest.mark.parametrize("a", [REAL, COMPLEX], ids=["real", "complex"])
def test_derivatives_at_equal_eigenvalues(a: np.ndarray) -> None:
    """Of a sum over all eigenvalues, and of the projector on all that are equal."""
    point = with_values([1.0, 1.0, 1.0, 3.0], a)

    def f(a: Any) -> Any:
        w, v = linalg.eigh(hermitian(a) / 2)
        return fnp.sum(w**3), fnp.sum(fnp.abs(WEIGHT * (v[:, :3] @ adjoint(v[:, :3]))) ** 2)

    checked(f, point, 1)


def test_gradients_of_eigh_are_hermitian() -> None:
    gradient = fg.grad(lambda a: fnp.sum(linalg.eigh(a)[0] * fnp.arange(4)))(fnp.asarray(hermitian(fnp.asarray(REAL))))
    close(gradient, gradient.T)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)], ids=str)
@pytest.mark.parametrize("a", [REAL, COMPLEX], ids=["real", "complex"])
def test_derivatives_of_svd(a: np.ndarray, shape: tuple[int, int]) -> None:
    def f(a: Any) -> Any:
        u, s, vh = linalg.svd(a, full_matrices=False)
        full, _, full_h = linalg.svd(a)
        low = (u[:, :1] * s[:1]) @ vh[:1]
        spaces = full[:, 1:] @ adjoint(full[:, 1:]), adjoint(full_h[1:]) @ full_h[1:]
        return fnp.sum(fnp.sin(linalg.svdvals(a))), u @ vh, low, *spaces

    checked(f, a[: shape[0], : shape[1]])


@pytest.mark.parametrize("values", [[2.0, 2.0, 1.0], [2.0, 2.0, 2.0]], ids=str)
def test_derivatives_at_equal_singular_values(values: list[float]) -> None:
    """Of a sum over all of them, and of the unitary factor of the polar decomposition."""

    def f(a: Any) -> Any:
        u, s, vh = linalg.svd(a, full_matrices=False)
        return fnp.sum(s**3), u @ vh

    checked(f, with_values(values, COMPLEX, 3), 1)


def test_derivatives_of_a_deficient_svd_are_finite_and_exact_for_what_is_determined() -> None:
    point = with_values([3.0, 1.0, 0.0], COMPLEX, 4)

    def largest(a: Any) -> Any:
        u, s, vh = linalg.svd(a, full_matrices=False)
        return (u[:, :1] * s[:1]) @ vh[:1], fnp.sum(s[:2] ** 3)

    checked(largest, point, 1)
    gradient = fg.grad(lambda a: fnp.sum(fnp.abs(linalg.svd(a)[0]) ** 4))(fnp.asarray(point))
    assert bool(fnp.all(fnp.isfinite(gradient)))


@pytest.mark.parametrize(
    "a", [REAL, COMPLEX, with_values([1.0, 2.0, 3.0, 4.0], REAL)], ids=["real", "complex", "normal"]
)
def test_derivatives_of_eig(a: np.ndarray) -> None:
    """Also of the vectors themselves, whose length and phase are fixed (but for a sign)."""

    def f(a: Any) -> Any:
        w, v = linalg.eig(a)
        real = fnp.max(fnp.abs(v.imag), -2) < 1e-9
        return fnp.sum(fnp.sin(w)), fnp.sum(linalg.eigvals(a) ** 3), fnp.where(real, v**2, v)

    checked(f, a)


def test_derivatives_of_left_eigenvectors() -> None:
    def f(a: Any) -> Any:
        w, left, right = fg.lax.linalg.eig(a)
        return fnp.sum(w**3), left, right

    checked(f, COMPLEX)


@pytest.mark.parametrize("values", [[3.0, 2.0, 1.0], [2.0, 2.0, 1.0]], ids=str)
@pytest.mark.parametrize("columns", [3, 4])
def test_derivatives_of_pinv(values: list[float], columns: int) -> None:
    checked(linalg.pinv, with_values(values, COMPLEX[:3, :3], columns))
    checked(fg.jit(linalg.pinv), with_values(values, REAL[:3, :3], columns), 1)


def test_derivative_of_pinv_where_the_rank_stays_deficient() -> None:
    left, right = fnp.asarray(COMPLEX[:, :2]), fnp.asarray(COMPLEX[2:])
    fg.testing.check_grads(lambda x, y: linalg.pinv(x @ y), (left, right), 2, atol=1e-4, rtol=1e-4)
    b = fnp.asarray(COMPLEX[:, 0])
    fg.testing.check_grads(lambda x, y: linalg.lstsq(x @ y, b)[0], (left, right), 1, atol=1e-4, rtol=1e-4)
    checked(lambda a: linalg.pinv(hermitian(a), hermitian=True), COMPLEX, 1)


def test_derivatives_of_least_squares() -> None:
    fg.testing.check_grads(lambda a, b: linalg.lstsq(a, b)[:2], (fnp.asarray(REAL[:, :2]), fnp.asarray(REAL)), 2)


VECTOR = np.array([1.5, -0.5, 2.0])


@pytest.mark.parametrize("order", [None, 1, 2, 3, 0.5, -1, -2, np.inf, -np.inf])
def test_derivatives_of_vector_norms(order: Any) -> None:
    checked(lambda x: linalg.norm(x, order), VECTOR)
    checked(lambda x: linalg.vector_norm(x * (1 + 2j), ord=2 if order is None else order), VECTOR, 1)
    for point in (fnp.zeros(3), fnp.array([1.0, 0.0, -2.0])):
        for f in (fg.grad, lambda f: fg.jit(fg.grad(f))):
            assert bool(fnp.all(fnp.isfinite(f(lambda x: linalg.norm(x, order))(point))))
    close(fg.grad(lambda x: linalg.norm(x, order))(fnp.zeros(3)), np.zeros(3))


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_derivatives_of_matrix_norms(order: Any) -> None:
    checked(lambda x: linalg.norm(x, order), REAL)
    checked(lambda x: linalg.matrix_norm(x, ord=order), COMPLEX[:3], 1)
    close(fg.grad(lambda x: linalg.norm(x, order))(fnp.zeros((2, 3))), np.zeros((2, 3)))


def test_the_nuclear_norm_has_its_smallest_subgradient_at_deficient_matrices() -> None:
    x = fnp.array([[1.0, 0.0], [0.0, 0.0]])
    close(fg.grad(lambda x: linalg.norm(x, "nuc"))(x), x)


@pytest.mark.parametrize("p", [None, -2, 1, "fro"])
def test_derivatives_of_condition_numbers(p: Any) -> None:
    checked(lambda x: linalg.cond(x, p), REAL + 4 * np.eye(4), 1)
