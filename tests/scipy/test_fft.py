"""Discrete cosine transforms, against SciPy."""

import numpy as np
import pytest
import scipy.fft

import funcgrad as fg
import funcgrad.numpy as fnp
import funcgrad.scipy.fft as fsf
from funcgrad.errors import ArgumentError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(3, 6, 5))


@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("name", ["dct", "idct"])
def test_one_axis(name, norm):
    cases = [
        (type, n, axis, own)
        for type in (1, 2, 3, 4)
        for n, axis in ((None, -1), (4, 1), (9, 0))
        for own in (None, True)
    ]

    @fg.jit
    def every(x):
        return [getattr(fsf, name)(x, *case[:3], norm, orthogonalize=case[3]) for case in cases]

    for found, (type, n, axis, own) in zip(every(X), cases, strict=True):
        expected = getattr(scipy.fft, name)(X, type, n, axis, norm, orthogonalize=own)
        np.testing.assert_allclose(found, expected, atol=1e-12)
        eager = getattr(fsf, name)(fnp.asarray(X), type, n, axis, norm, orthogonalize=own)
        np.testing.assert_allclose(eager, expected, atol=1e-12)


@pytest.mark.parametrize("type", [1, 2, 3, 4])
def test_several_axes_and_dtypes(type):
    for options in ({}, {"axes": (0, 2)}, {"s": (4, -1)}, {"s": (3, 2), "axes": (2, 0)}, {"axes": 1, "norm": "ortho"}):
        given = {**options, "s": (4, 5)} if options.get("s") == (4, -1) else options
        for name in ("dctn", "idctn"):
            expected = getattr(scipy.fft, name)(X, type, **given)
            np.testing.assert_allclose(getattr(fsf, name)(fnp.asarray(X), type, **options), expected, atol=1e-11)
    z = X + 1j * X[::-1]
    np.testing.assert_allclose(fsf.dct(fnp.asarray(z), type), scipy.fft.dct(z, type), atol=1e-11)
    for given, dtype in ((np.arange(4), np.float32), (X.astype(np.float16), np.float32), (X, np.float64)):
        found = fsf.dct(fnp.asarray(given), type)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, scipy.fft.dct(given.astype(dtype), type), atol=1e-4)


def test_derivatives():
    x = fnp.asarray(X[0])
    matrix = fg.jacrev(lambda row: fsf.dct(row, norm="ortho"))(x[0])
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(5), atol=1e-12)
    mapped = fg.vmap(fg.grad(lambda row: fnp.sum(fsf.idct(row) ** 2)))(x)
    expected = [fg.grad(lambda row: fnp.sum(fsf.idct(row) ** 2))(row) for row in x]
    np.testing.assert_allclose(mapped, expected, atol=1e-12)


MISTAKES = [
    (lambda: fsf.dct(X, 5), "dct: type=5; expected 1, 2, 3 or 4"),
    (lambda: fsf.idct(X, norm="unit"), 'idct: norm=\'unit\'; expected "backward", "ortho" or "forward"'),
    (lambda: fsf.dct(X, 1, 1), "dct: n=1; type 1 needs at least 2 elements"),
    (lambda: fsf.dctn(X, s=(1, 2), axes=0), "dctn: 2 lengths, s=(1, 2), for 1 axes; give one for each"),
]


@pytest.mark.parametrize(("function", "message"), MISTAKES)
def test_messages(function, message):
    with pytest.raises(ArgumentError) as caught:
        function()
    assert caught.value.message == message
