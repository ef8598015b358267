"""Special functions against SciPy, eager and compiled; their derivatives against differences and identities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special as theirs

import funcgrad as fg
import funcgrad.numpy as fnp
import funcgrad.scipy.special as ours
from funcgrad.errors import ArgumentError, ConcretizationError, DifferentiationError, DTypeError, ShapeError
from tests.scipy.special_table import PAGE, ROWS, Row, compiled_together, distance

DOUBLE, SINGLE = np.finfo(np.float64).eps, np.finfo(np.float32).eps


@pytest.fixture(scope="module")
def compiled() -> dict[str, np.ndarray]:
    """All functions in doubles, by one compiled program."""
    return dict(zip((row.name for row in ROWS), compiled_together(ROWS, np.float64), strict=True))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_compiled_agrees_with_scipy(row: Row, compiled: dict[str, np.ndarray]) -> None:
    operands = row.operands()
    apart = distance(compiled[row.name], row.expected(operands), DOUBLE, row.floor)
    worst = int(np.argmax(apart))
    assert apart[worst] <= row.ulps, f"{apart[worst]:.3g} ulps at {[float(x[worst]) for x in operands]}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_eager_is_scipy(row: Row) -> None:
    operands = row.operands()
    for dtype, eps in ((np.float64, DOUBLE), (np.float32, SINGLE)):
        given = tuple(x.astype(dtype) for x in operands)
        found = np.asarray(getattr(ours, row.name)(*[fnp.asarray(x) for x in given]))
        assert found.dtype == dtype
        expected = row.expected(tuple(x.astype(np.float64) for x in given) if dtype == np.float32 else given)
        inside = ~(np.abs(expected) >= np.finfo(dtype).max)
        allowed = 1 if dtype == np.float64 else 512  # SciPy has loops of its own for float32
        assert distance(found, expected, eps, max(row.floor, 1e-2))[inside].max() <= allowed


def test_float32_is_computed_in_doubles() -> None:
    names = ("gamma", "ndtri", "i0e", "expi")
    rows = tuple(row for row in ROWS if row.name in names)
    for row, found in zip(rows, compiled_together(rows, np.float32), strict=True):
        expected = row.expected(tuple(x.astype(np.float32).astype(np.float64) for x in row.operands()))
        inside = ~(np.abs(expected) >= np.finfo(np.float32).max)
        assert distance(found, expected, SINGLE, row.floor)[inside].max() <= 1, row.name


# -- derivatives -----------------------------------------------------------------------------------------------------

DERIVATIVES: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("gamma", (2.6,)),
    ("gammaln", (0.3,)),
    ("digamma", (-1.6,)),
    ("beta", (0.7, 2.0)),
    ("betaln", (0.7, 2.0)),
    ("zeta", (2.5, 0.7)),
    ("binom", (5.5, 2.2)),
    ("poch", (1.5, 2.2)),
    ("gammainc", (0.6, 0.9)),
    ("gammainc", (12.0, 9.0)),
    ("gammaincc", (3.0, 5.0)),
    ("betainc", (0.6, 1.4, 0.3)),
    ("betainc", (12.0, 9.0, 0.5)),
    ("erfcx", (-1.5,)),
    ("log_ndtr", (-30.0,)),
    ("dawsn", (1.8,)),
    ("i0e", (-3.0,)),
    ("i1", (9.0,)),
    ("i1e", (0.4,)),
    ("hyp1f1", (0.7, 1.8, 0.6)),
    ("hyp2f1", (0.7, 1.8, 2.5, 0.3)),
    ("xlogy", (0.0, 1.5)),
    ("boxcox", (1.5, 0.0)),
)


@pytest.mark.parametrize(("name", "point"), DERIVATIVES, ids=str)
def test_derivatives_agree_with_differences(name: str, point: tuple[float, ...]) -> None:
    arguments = tuple(range(len(point)))
    with fg.config(default_float="float64"):
        found = fg.grad(getattr(ours, name), argnums=arguments)(*point)
    for i, derivative in zip(arguments, found, strict=True):

        def moved(step: float, i: int = i) -> float:
            return float(getattr(theirs, name)(*[x + step * (j == i) for j, x in enumerate(point)]))

        h = 1e-4
        expected = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
        assert float(derivative) == pytest.approx(expected, rel=1e-8, abs=1e-9)


def test_derivatives_in_parameters_compile_and_have_derivatives() -> None:
    slope = fg.grad(lambda a, x: ours.gammainc(a, x))
    assert float(fg.jit(slope)(2.0, 1.5)) == pytest.approx(float(slope(2.0, 1.5)), rel=1e-6)
    assert float(fg.grad(slope)(2.0, 1.5)) == pytest.approx(0.100589198392544, rel=1e-6)


def test_riemann_zeta_is_continued() -> None:
    s = np.array([-7.5, -2.0, 0.0, 0.5, 1.0, 3.0])
    np.testing.assert_allclose(fg.jit(ours.zeta)(fnp.asarray(s)), theirs.zeta(s), rtol=1e-13)
    assert float(fg.grad(ours.zeta)(-1.5)) == pytest.approx(-0.0763092553205509, rel=1e-6)


def test_log_ndtr_has_its_slope_where_ndtr_is_zero() -> None:
    assert float(fg.grad(ours.log_ndtr)(-50.0)) == pytest.approx(50.01998, rel=1e-6)
    assert float(fg.grad(ours.log_ndtr)(-1e10)) == pytest.approx(1e10, rel=1e-6)
    assert float(fg.grad(ours.log_ndtr)(50.0)) == 0


def test_edges_of_products_with_logarithms() -> None:
    assert float(fg.grad(ours.xlogy, argnums=1)(0.0, 0.0)) == 0
    assert float(ours.logsumexp(fnp.array([-np.inf, -np.inf]))) == -np.inf
    assert np.asarray(fg.grad(ours.logsumexp)(fnp.array([-np.inf, 1.0]))).tolist() == [0.0, 1.0]


# -- functions of another kind ---------------------------------------------------------------------------------------


def both(function: Callable[..., Any], *args: Any) -> list[Any]:
    """The results of a function, eager and compiled."""
    return [function(*args), fg.jit(function)(*args)]


def test_pairs() -> None:
    x = np.array([-7.0, -2.0, 0.0, 0.5, 3.0, 5.0, 80.0, np.inf])
    for name in ("sici", "fresnel"):
        for found in both(getattr(ours, name), fnp.asarray(x)):
            for one, two in zip(found, getattr(theirs, name)(x), strict=True):
                np.testing.assert_allclose(one[:-1], two[:-1], rtol=1e-12, atol=1e-14)
    assert float(fg.grad(lambda x: ours.sici(x)[0])(0.0)) == 1


def test_wofz() -> None:
    z = np.array([0.0, 1.0, 1j, -1j, 7.7 + 0.1j, -3 + 4j, 2 - 1j, 1e10 + 1j, 0.26])
    for found in both(ours.wofz, fnp.asarray(z)):
        np.testing.assert_allclose(found, theirs.wofz(z), rtol=1e-13)
    assert ours.wofz(1.0).dtype == np.complex64


def test_bessel_functions_of_the_first_kind() -> None:
    x = np.array([-40.0, -3.0, 0.0, 1e-5, 0.7, 4.0, 8.0, 25.0, 1e4])
    expected = np.stack([theirs.jv(n, x) for n in range(6)])
    for found in both(lambda x: ours.bessel_jn(x, v=5), fnp.asarray(x)):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    slope = fg.grad(lambda x: ours.bessel_jn(x, v=3)[3])(2.0)
    assert float(slope) == pytest.approx(theirs.jvp(3, 2.0), rel=1e-6)


def test_spherical_harmonics() -> None:
    n, m = np.array([[0], [1], [4], [3]], np.int32), np.array([-5, -2, 0, 1, 3], np.int32)
    expected = theirs.sph_harm_y(n[..., None], m[:, None], np.array([0.0, 0.4, 3.0]), 0.7)
    angles = fnp.asarray(np.array([0.0, 0.4, 3.0]))

    def harmonics(angles: Any) -> Any:
        return ours.sph_harm_y(n[..., None], m[:, None], angles, fnp.asarray(np.float64(0.7)))

    for found in both(harmonics, angles):
        np.testing.assert_allclose(found, expected, atol=1e-14)
    slope = fg.grad(lambda t: fnp.real(ours.sph_harm_y(3, 1, t, 0.7)))(1.0)
    assert float(slope) == pytest.approx(0.8842673922773713, rel=1e-6)


def test_counting() -> None:
    np.testing.assert_array_equal(ours.comb(5, fnp.arange(-1, 8)), theirs.comb(5, np.arange(-1, 8)))
    np.testing.assert_allclose(
        ours.comb(5, fnp.arange(4), repetition=True), theirs.comb(5, np.arange(4), repetition=True)
    )
    np.testing.assert_allclose(ours.factorial(fnp.arange(-1, 8)), theirs.factorial(np.arange(-1, 8)))
    for n in (0, 1, 2, 9):
        np.testing.assert_allclose(ours.bernoulli(n), theirs.bernoulli(max(n, 2))[: n + 1], rtol=1e-6)
    np.testing.assert_allclose(ours.multigammaln(3.5, 3), theirs.multigammaln(3.5, 3), rtol=1e-6)
    x = np.array([0.5, -0.5, -1.5, 2.0, 0.0, -0.0, np.inf])
    np.testing.assert_array_equal(ours.gammasgn(fnp.asarray(x)), theirs.gammasgn(x))
    np.testing.assert_allclose(ours.loggamma(fnp.asarray(x[[0, 1, 3]])), theirs.loggamma(x[[0, 1, 3]]), atol=1e-15)


def test_softmax_and_logsumexp() -> None:
    x = np.array([[1.0, 2.0, -3.0], [0.5, 700.0, 700.0]])
    for name in ("softmax", "log_softmax", "logsumexp"):
        for axis in (None, 0, (0, 1)):
            expected = getattr(theirs, name)(x, axis=axis)
            np.testing.assert_allclose(getattr(ours, name)(fnp.asarray(x), axis=axis), expected, rtol=1e-13)
    found = ours.logsumexp(fnp.asarray(x), axis=1, b=fnp.asarray([1.0, -1.0, 2.0]), keepdims=True, return_sign=True)
    for one, two in zip(
        found, theirs.logsumexp(x, axis=1, b=[1.0, -1.0, 2.0], keepdims=True, return_sign=True), strict=True
    ):
        np.testing.assert_allclose(one, two, rtol=1e-13)


def test_dtypes_and_shapes() -> None:
    assert ours.gamma(3).dtype == np.float32
    assert ours.gammainc(fnp.arange(3), 0.5).dtype == np.float32
    assert ours.betainc(fnp.ones((2, 1)), fnp.ones(3), 0.5).shape == (2, 3)
    assert ours.gammainc(fnp.zeros((0, 3)), 1.0).shape == (0, 3)
    assert ours.ndtri(fnp.asarray(0.3, dtype=fnp.bfloat16)).dtype == fnp.bfloat16
    assert fnp.i0(fnp.array([0.0, 1.0])).dtype == np.float32


def test_random_gamma_grad_moves_samples_with_their_shape() -> None:
    with fg.config(default_float="float64"):
        found = float(fg.lax.random_gamma_grad(2.0, 1.5))
    h, q = 1e-4, theirs.gammainc(2.0, 1.5)
    assert found == pytest.approx((theirs.gammaincinv(2 + h, q) - theirs.gammaincinv(2 - h, q)) / (2 * h), rel=1e-6)


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: ours.gamma(1j), DTypeError),
        (lambda: ours.gammainc(fnp.ones(2), fnp.ones(3)), ShapeError),
        (lambda: ours.comb(3, 2, exact=True), ArgumentError),
        (lambda: ours.factorial(3, exact=True), ArgumentError),
        (lambda: ours.bernoulli(-1), ArgumentError),
        (lambda: ours.multigammaln(2.0, 0), ArgumentError),
        (lambda: ours.bessel_jn(1.0, v=-1), ArgumentError),
        (lambda: ours.sph_harm_y(1.0, 0, 0.1, 0.2), DTypeError),
        (lambda: ours.sph_harm_y(1, 0, 0.1, 0.2, diff_n=1), ArgumentError),
        (lambda: fg.jit(lambda n: ours.sph_harm_y(n, 0, 0.1, 0.2))(1), ConcretizationError),
        (lambda: fg.grad(lambda n: ours.polygamma(n, 2.0))(1.0), DifferentiationError),
        (lambda: fg.grad(lambda n: ours.expn(n, 2.0))(1.0), DifferentiationError),
    ],
)
def test_mistakes_are_refused(call: Callable[[], Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def test_the_page_has_a_row_for_each_function() -> None:
    page = PAGE.read_text()
    assert [row.name for row in ROWS if f"| `{row.name}` |" not in page] == []
    assert [name for name in ours.__all__ if f"`{name}`" not in page] == []


GRID = np.array([-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 100.5])
CORNERS: dict[str, tuple[Any, ...]] = {
    "beta": tuple(x.ravel() for x in np.meshgrid(GRID, GRID)),
    "betaln": tuple(x.ravel() for x in np.meshgrid(GRID, GRID)),
    "binom": tuple(x.ravel() for x in np.meshgrid(GRID, GRID)),
    "poch": tuple(x.ravel() for x in np.meshgrid(GRID, GRID)),
    "boxcox": (np.array([0.0, np.inf, 2.0]), np.array([0.0, 0.0, 0.0])),
    "boxcox1p": (np.array([-1.0, np.inf, 2.0]), np.array([0.0, 0.0, 0.0])),
    "hyp1f1": (np.array([-11.0, 0.0, -2.0]), np.array([-11.0, -1.0, 1.5]), np.array([6.0, 0.5, -900.0])),
    "hyp2f1": (np.array([-3.0, -2.0]), np.array([-1.0, 4.0]), np.array([-1.0, -5.0]), np.array([0.7, 0.6])),
}


@pytest.mark.parametrize("name", CORNERS)
def test_at_poles_and_beside_them(name: str) -> None:
    with np.errstate(all="ignore"):
        expected = getattr(theirs, name)(*CORNERS[name])
    found = fg.jit(getattr(ours, name))(*map(fnp.asarray, CORNERS[name]))
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@pytest.mark.parametrize("name", ["beta", "binom", "poch"])
@pytest.mark.parametrize("scale", [30, 3000])
def test_signs_far_from_zero(name: str, scale: float) -> None:
    x, y = np.random.default_rng(scale).uniform(-scale, scale, (2, 3000))
    with np.errstate(all="ignore"):
        expected = getattr(theirs, name)(x, y)
        found = np.asarray(fg.jit(getattr(ours, name))(fnp.asarray(x), fnp.asarray(y)))
        normal = (np.abs(expected) > 1e-290) & (np.abs(expected) < 1e290)
    np.testing.assert_allclose(found[normal], expected[normal], rtol=1e-9)
    assert not np.isnan(found).any()


def test_modified_bessel_functions_at_infinity() -> None:
    x = fnp.asarray([np.inf, -np.inf, np.nan])
    for run in (lambda f: f, fg.jit):
        np.testing.assert_array_equal(run(ours.i0)(x), [np.inf, np.inf, np.nan])
        np.testing.assert_array_equal(run(ours.i1)(x), [np.inf, -np.inf, np.nan])


def test_series_that_cancel_are_nan() -> None:
    found = fg.jit(ours.hyp1f1)(*map(fnp.asarray, ([-60.6, -0.5], [281.9, 2.0], [269.4, 3.0])))
    np.testing.assert_array_equal(np.isnan(found), [True, False])
