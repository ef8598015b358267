"""Fourier transforms, against NumPy: every form of lengths, axes and norms, eager, compiled and differentiated."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import lax
from funcgrad.errors import ArgumentError, AxisError, DTypeError

from .surface import Call, agree, arrays, call

NORM = st.sampled_from([None, "backward", "ortho", "forward"])
LENGTH = st.none() | st.integers(0, 7)
AXIS = st.integers(-3, 2)
ONE_AXIS = {"fft": "bIFC", "ifft": "iFC", "rfft": "bIF", "irfft": "iFC", "hfft": "FC", "ihfft": "IF"}
TWO_AXES = {"fft2": "FC", "ifft2": "C", "rfft2": "F", "irfft2": "FC"}
UNSAFE = ("irfft", "hfft", "irfft2", "irfftn")  # of an empty axis NumPy's read memory that nobody has written
SEVERAL_AXES = {"fftn": "FC", "ifftn": "C", "rfftn": "iF", "irfftn": "FC"}


def tensor(*shape, dtype=np.complex64, seed=0):
    random = np.random.default_rng([seed, *shape])
    real = random.normal(size=shape)
    return (real + 1j * random.normal(size=shape) if np.dtype(dtype).kind == "c" else real).astype(dtype)


@pytest.mark.parametrize("name", ONE_AXIS)
@given(st.data())
def test_one_axis(name, data):
    side = 1 if name in UNSAFE else 0
    drawn = data.draw(call(arrays(ONE_AXIS[name], min_side=side), n=LENGTH, axis=AXIS, norm=NORM))
    agree(f"fft.{name}", drawn)


@st.composite
def several(draw, kinds, fixed, unsafe):
    """Arguments of a transform over several axes: with lengths, axes, both or neither, right or wrong."""
    x = draw(arrays(kinds, min_dims=2 if fixed else 1, min_side=int(unsafe)))
    axes = draw(st.lists(AXIS, min_size=1, max_size=3))
    lengths = draw(st.lists(st.sampled_from([-1, 1, 2, 3, 4, 5]), min_size=len(axes), max_size=len(axes)))
    kwargs = {"norm": draw(NORM)}
    if draw(st.booleans()):
        kwargs["axes"] = axes
        if draw(st.booleans()):
            kwargs["s"] = lengths
    elif fixed and draw(st.booleans()):
        kwargs["s"] = draw(st.sampled_from([(2, 3), (3, -1), (4, 1)]))
    return Call((x,), kwargs)


@pytest.mark.parametrize("name", [*TWO_AXES, *SEVERAL_AXES])
@given(st.data())
def test_several_axes(name, data):
    kinds = {**TWO_AXES, **SEVERAL_AXES}[name]
    agree(f"fft.{name}", data.draw(several(kinds, name in TWO_AXES, name in UNSAFE)))


def test_an_empty_half_spectrum_is_filled_with_zeros():
    assert np.array_equal(fnp.fft.irfft(fnp.zeros((2, 0)), 3), np.zeros((2, 3)))


def test_lengths_without_axes_are_of_the_last_ones():
    x = tensor(2, 3, 4)
    for name in SEVERAL_AXES:
        x = x.real if name == "rfftn" else x
        expected = getattr(np.fft, name)(x, s=(2, 5), axes=(-2, -1))
        assert np.allclose(getattr(fnp.fft, name)(x, s=(2, 5)), expected, atol=1e-5)


def test_compiled():
    x, axes = tensor(2, 3, 4, 5), (3, 0, 1)
    names = ["fft2", "ifft", "irfft", "irfftn", "fftn", "ifftn", "hfft"]
    real_names = ["rfft", "rfftn", "rfft2", "ihfft", "fft"]

    @fg.jit
    def every(x):
        found = [getattr(fnp.fft, name)(x, norm="ortho") for name in names]
        found += [getattr(fnp.fft, name)(x.real, norm="forward") for name in real_names]
        found += [fnp.fft.irfftn(x, s=(4, -1, 3), axes=axes), fnp.fft.rfftn(x.real, axes=axes)]
        return [*found, fnp.fft.fft(x, 3, 1), fnp.fft.fft(x[:0]), fnp.fft.irfft(x[:0])]

    expected = [getattr(np.fft, name)(x, norm="ortho") for name in names]
    expected += [getattr(np.fft, name)(x.real, norm="forward") for name in real_names]
    expected += [np.fft.irfftn(x, s=(4, -1, 3), axes=axes), np.fft.rfftn(x.real, axes=axes)]
    expected += [np.fft.fft(x, 3, 1), np.fft.fft(x[:0]), np.fft.irfft(x[:0])]
    for found, want in zip(every(x), expected, strict=True):
        assert found.dtype == want.dtype
        np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5 * np.abs(want).max(initial=0))


@pytest.mark.parametrize("dtype", [np.float16, "bfloat16", np.int8, np.bool_])
def test_lesser_dtypes_become_single_precision(dtype):
    x = fnp.arange(6).astype(dtype)
    assert fnp.fft.fft(x).dtype == np.complex64
    assert fnp.fft.rfft(x).dtype == np.complex64
    assert fnp.fft.irfft(x).dtype == np.float32
    with fg.config(default_float="float64"):
        assert fnp.fft.rfft(fnp.arange(6)).dtype == np.complex128


def test_derivatives_are_those_of_jax():
    x = tensor(3, 6, dtype=np.float32)

    def energy(module):
        weights = np.arange(12.0, dtype=np.float32).reshape(3, 4)
        return lambda x: module.sum(weights * module.abs(module.fft.rfft(x, norm="ortho")) ** 3)

    def smoothed(module):
        return lambda x: module.sum(module.fft.irfft2(module.fft.rfft2(x) ** 2, s=(3, 5)) ** 2)

    for function in (energy, smoothed):
        expected = jax.grad(function(jax.numpy))(x)
        for found in (fg.grad(function(fnp))(fnp.asarray(x)), fg.jit(fg.grad(function(fnp)))(x)):
            np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4 * np.abs(expected).max())
    mapped = fg.vmap(fg.grad(lambda row: fnp.sum(fnp.abs(fnp.fft.fft(row)) ** 4)), in_axes=1)(fnp.asarray(x))
    expected = jax.vmap(jax.grad(lambda row: (abs(jax.numpy.fft.fft(row)) ** 4).sum()), in_axes=1)(x)
    np.testing.assert_allclose(mapped, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("d", [1.0, 0.25])
def test_frequencies(n, d):
    for name in ("fftfreq", "rfftfreq"):
        agree(f"fft.{name}", Call((n, d)))
        expected = getattr(np.fft, name)(n, d)
        wide = getattr(fnp.fft, name)(n, d, dtype=np.float64, device="cpu")
        assert wide.dtype == np.float64
        assert np.array_equal(wide, expected)
        assert np.allclose(fg.jit(getattr(fnp.fft, name), static_argnums=0)(n, d), expected)
    slope = fg.grad(lambda d: fnp.sum(fnp.fft.rfftfreq(n, d)))(d)
    assert np.allclose(slope, -np.sum(np.fft.rfftfreq(n)) / d**2)


@given(call(arrays("iFc", min_dims=1), st.none() | AXIS | st.lists(AXIS, max_size=3)))
def test_shifts(drawn):
    agree("fft.fftshift", drawn)
    agree("fft.ifftshift", drawn)


@pytest.mark.parametrize("kind", lax.FftType)
def test_lax(kind):
    for axes in (1, 2, 3):
        x = tensor(2, 3, 4, 5)
        lengths = x.shape[4 - axes :]
        if kind == lax.FftType.RFFT:
            x = x.real
        if kind == lax.FftType.IRFFT:
            lengths = (*lengths[:-1], 8)
        expected = jax.lax.fft(x, kind.name, lengths)
        for named in (kind, kind.name, int(kind)):
            found = lax.fft(x, named, lengths)
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


MISTAKES = [
    (lambda: fnp.fft.fft(tensor(3), 0), ArgumentError, "fft.fft: n=0; a transform needs at least one element"),
    (
        lambda: fnp.fft.ifft(tensor(0)),
        ArgumentError,
        "fft.ifft: the axis has no elements and n is not given; a transform needs at least one element",
    ),
    (
        lambda: fnp.fft.rfftn(tensor(3)),
        DTypeError,
        "fft.rfftn takes real numbers, not complex64: only their spectrum is determined by its half. "
        "Use fft.fftn, or take the real part: x.real",
    ),
    (
        lambda: fnp.fft.fft(tensor(3), norm="unit"),
        ArgumentError,
        'fft.fft: norm=\'unit\'; expected "backward", "ortho" or "forward"',
    ),
    (
        lambda: fnp.fft.fft2(tensor(2, 3), (4,)),
        ArgumentError,
        "fft.fft2: 1 lengths, s=(4,), for 2 axes; give one for each axis, -1 where it keeps its length",
    ),
    (lambda: fnp.fft.fft2(tensor(3)), AxisError, "axis -2 is out of bounds for an array of 1 dimension"),
    (
        lambda: fnp.fft.irfftn(tensor(3), axes=()),
        AxisError,
        "fft.irfftn needs at least one axis; the array has shape (3,), and axes=()",
    ),
    (lambda: fnp.fft.fftfreq(0), ArgumentError, "fft.fftfreq: n=0; expected a positive int"),
    (
        lambda: fnp.fft.rfftfreq(3, dtype=int),
        DTypeError,
        "fft.rfftfreq: dtype=int32; frequencies are floating-point numbers",
    ),
    (
        lambda: fnp.fft.fft(tensor(3), out=np.zeros(3)),
        ArgumentError,
        "fft.fft: out= is not supported, arrays are immutable; use the returned array",
    ),
    (
        lambda: lax.fft(tensor(3), "RFFT", (3,)),
        DTypeError,
        "rfft takes float32 or float64, not complex64; funcgrad.numpy.fft converts",
    ),
    (
        lambda: lax.fft(tensor(3), "FFT", (4,)),
        ArgumentError,
        "fft: the lengths (4,) are those of the last axes of an array of shape (3,); cut off or fill up first",
    ),
    (
        lambda: lax.fft(tensor(3), "DCT", (3,)),
        ArgumentError,
        "fft: 'DCT' is not a kind of transform; expected one of FFT, IFFT, RFFT, IRFFT",
    ),
]


@pytest.mark.parametrize(("function", "error", "message"), MISTAKES)
def test_messages(function, error, message):
    with pytest.raises(error) as caught:
        function()
    assert caught.value.message == message
