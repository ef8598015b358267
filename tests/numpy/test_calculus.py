"""Differences, slopes, integrals, interpolation and convolution, against NumPy."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, DTypeError, ShapeError

from .surface import Call, agree, arrays, call, calls, shaped

AXIS = st.integers(-2, 1)
VECTORS = {kind: shaped(st.integers(0, 6), kind) for kind in "bIFC"}
EITHER = st.booleans()


@given(calls(call(arrays("bIFC"), st.integers(-1, 3), AXIS), call(arrays("iF"), prepend=0, append=1)))
def test_diff(drawn):
    agree("diff", drawn)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_diff_of_more(n):
    x = np.arange(12, dtype=np.int32).reshape(3, 4) ** 2
    for axis in (0, 1):
        agree("diff", Call((x, n, axis), {"prepend": x, "append": x[:1] if axis == 0 else x[:, :1]}), compiled=True)


@given(call(arrays("iFC"), st.none() | shaped(st.integers(0, 2), "i"), st.none() | st.integers(-3, 3)))
def test_ediff1d(drawn):
    agree("ediff1d", drawn)


@st.composite
def sampled(draw):
    """A function on a grid, and spacings of every form, right or wrong."""
    x = draw(arrays("iFC", min_dims=1))
    axis = draw(st.sampled_from([None, None, 0, -1, (0,), (0, -1), (1, 0), 3]))
    chosen = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    spacings = []
    for i in chosen:
        length = x.shape[i] if -x.ndim <= i < x.ndim else 2
        steps = draw(st.lists(st.sampled_from([0.5, 1, 2]), min_size=length, max_size=length))
        spacings.append(draw(st.sampled_from([0.5, 2.0, np.cumsum(steps).astype(np.float32)])))
    form = draw(st.sampled_from(["none", "one", "each", "too many"]))
    given_spacings = {"none": [], "one": [0.5], "each": spacings, "too many": [1.0] * (len(spacings) + 1)}[form]
    if form == "too many" and len(given_spacings) == 1:
        given_spacings = [1.0, 1.0, 1.0]
    return Call((x, *given_spacings), {"axis": axis, "edge_order": draw(st.sampled_from([1, 2, 3]))})


@given(sampled())
def test_gradient(drawn):
    agree("gradient", drawn)


def test_gradient_is_exact_for_parabolas_between_uneven_places():
    places = fnp.array([0.0, 0.5, 2.0, 2.5, 4.0])
    slopes = fnp.gradient(places**2, places, edge_order=2)
    assert np.allclose(slopes, 2 * places, atol=1e-5)


@given(st.data())
def test_trapezoid(data):
    y = data.draw(arrays("iFC", min_dims=1))
    axis = data.draw(st.integers(-y.ndim, y.ndim - 1))
    places = np.cumsum(np.arange(y.shape[axis])).astype(np.float32)
    agree("trapezoid", Call((y,), {"dx": data.draw(st.sampled_from([1.0, 0.25])), "axis": axis}), absolute=4)
    agree("trapezoid", Call((y, places), {"axis": axis}), absolute=4)
    agree("trapezoid", Call((y, y.real * y.real), {"axis": axis}), absolute=16)


@given(
    calls(
        call(arrays("F", low=-20, high=20, min_dims=1), st.none() | st.sampled_from([4.0, 1.0]), AXIS),
        call(arrays("i", low=-20, high=20, min_dims=1), axis=-1, period=st.sampled_from([4, 5])),
    )
)
def test_unwrap(drawn):
    agree("unwrap", drawn)


# -- interpolation -----------------------------------------------------------------------------------------------------


@st.composite
def points(draw, kinds="f"):
    """Places, points with ascending coordinates, some of them equal, and values outside."""
    count = draw(st.integers(1, 5))
    xp = np.sort(draw(shaped(count, "f")))
    fp = draw(shaped(count, kinds))
    x = draw(arrays("f", low=-6, high=6))
    outside = st.none() | st.sampled_from([-7.0, 9.0])
    return Call((x, xp, fp), {"left": draw(outside), "right": draw(outside)})


@given(points("ifc"))
def test_interp(drawn):
    distinct = drawn.args[1].size == np.unique(drawn.args[1]).size
    if drawn.args[2].dtype.kind != "c":
        agree("interp", Call(drawn.args))
    if distinct or drawn.args[2].dtype.kind != "c":
        agree("interp", drawn)


@given(points(), st.sampled_from([2.5, -4.0]))
def test_interp_with_a_period(drawn, period):
    places = drawn.args[1] % period
    if np.unique(places).size == places.size:  # which of equal places comes first is NumPy's own business
        agree("interp", Call(drawn.args, {"period": period}), floor=16)


def test_interp_compiled_and_extrapolated():
    xp, fp = np.array([0, 1, 3, 4], np.float32), np.array([1, 3, 2, 2.5], np.float32)
    x = np.linspace(-1, 5, 25, dtype=np.float32)
    agree("interp", Call((x, xp, fp)), compiled=True)
    agree("interp", Call((x, xp, fp), {"left": -1.0, "period": 3.5}), compiled=True)
    continued = fnp.interp(x, xp, fp, left="extrapolate", right="extrapolate")
    expected = np.where(x < 0, 1 + 2 * x, np.where(x > 4, 2.5 + 0.5 * (x - 4), np.interp(x, xp, fp)))
    assert np.allclose(continued, expected, atol=1e-6)


@pytest.mark.parametrize("count", [50, 20_000])
def test_interp_of_many_places(count):
    """Those in no order go another way than NumPy's."""
    random = np.random.default_rng(1)
    xp, x = np.sort(random.normal(size=count)), random.normal(size=(3, 25_000))
    x[0, 5], fp = np.nan, random.normal(size=count)
    for outside in ({}, {"left": -7.0, "right": 9.0}):
        for places in (x, np.sort(x, axis=None)):
            found = fnp.interp(*map(fnp.asarray, (places, xp, fp)), **outside)
            expected = np.interp(places, xp, fp, **outside)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_interp_is_differentiable_in_everything():
    xp, fp = np.array([0.0, 1, 3, 4]), np.array([1.0, 3, 2, 2.5])
    x = np.array([[0.25, 2.0], [3.5, 1.5]])

    def total(x, xp, fp):
        return fnp.sum(fnp.interp(x, xp, fp) ** 2)

    found = fg.jit(fg.grad(total, argnums=(0, 1, 2)))(x, xp, fp)
    step = 1e-6
    for number, gradient in enumerate(found):
        for place in np.ndindex(gradient.shape):
            moved = [[z.copy() for z in (x, xp, fp)] for _ in range(2)]
            moved[0][number][place] += step
            moved[1][number][place] -= step
            slope = (np.sum(np.interp(*moved[0]) ** 2) - np.sum(np.interp(*moved[1]) ** 2)) / (2 * step)
            assert abs(slope - gradient[place]) < 1e-6


# -- convolution -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["convolve", "correlate"])
@given(st.data())
def test_convolution(name, data):
    kind = data.draw(st.sampled_from("bIFC"))
    mode = data.draw(st.sampled_from(["full", "same", "valid", "half"]))
    agree(name, Call((data.draw(VECTORS[kind]), data.draw(VECTORS[kind]), mode)))


def test_convolution_compiled():
    random = np.random.default_rng(0)
    long, short = random.normal(size=(2, 70)).astype(np.float32)
    short = short[:20]

    @fg.jit
    def every(a, v, integers):
        found = [getattr(fnp, name)(*pair, mode) for name, pair, mode in cases(a, v)]
        return [*found, fnp.convolve(integers, integers[:9], "same"), fnp.correlate(integers > 0, integers[:5] > 0)]

    def cases(a, v):
        for name in ("convolve", "correlate"):
            for mode in ("full", "same", "valid"):
                yield from ((name, (a, v), mode), (name, (v, a + 1j), mode))

    integers = random.integers(-5, 5, 40).astype(np.int32)
    expected = [getattr(np, name)(*pair, mode) for name, pair, mode in cases(long, short)]
    expected += [np.convolve(integers, integers[:9], "same"), np.correlate(integers > 0, integers[:5] > 0)]
    for found, want in zip(every(long, short, integers), expected, strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())


def test_convolution_differentiates_and_batches_as_jax_does():
    random = np.random.default_rng(1)
    rows, kernels = random.normal(size=(3, 6)).astype(np.float32), random.normal(size=(3, 4)).astype(np.float32)

    def energy(module):
        return lambda a, v: module.sum(module.convolve(a, v, "same") ** 3)

    for axes in ((0, 0), (0, None), (None, 0)):
        operands = [z if axis == 0 else z[1] for z, axis in zip((rows, kernels), axes, strict=True)]
        expected = jax.vmap(jax.grad(energy(jax.numpy), (0, 1)), axes)(*operands)
        for found in (
            fg.vmap(fg.grad(energy(fnp), (0, 1)), axes)(*operands),
            fg.jit(fg.vmap(fg.grad(energy(fnp), (0, 1)), axes))(*operands),
        ):
            for one, want in zip(found, expected, strict=True):
                np.testing.assert_allclose(one, want, rtol=1e-4, atol=1e-4 * np.abs(want).max())


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0), (1, 1)])
@pytest.mark.parametrize("inner", [(0, None), (None, 0), (0, 0)])
def test_convolution_batched_twice(axes, inner):
    random = np.random.default_rng(2)
    operands, order = [], []
    for outer, own in zip(axes, inner, strict=True):
        shape = ([2] if own is not None else []) + [5 if not order else 3]
        shape.insert(min(outer, len(shape)) if outer is not None else 0, 3)
        shape = shape if outer is not None else shape[1:]
        operands.append(random.normal(size=shape).astype(np.float32))
        order.append(outer)
    function = fg.vmap(fg.vmap(fnp.convolve, inner), axes)
    expected = jax.vmap(jax.vmap(jax.numpy.convolve, inner), axes)(*operands)
    np.testing.assert_allclose(function(*operands), expected, rtol=1e-4, atol=1e-4)


def test_low_precision_sums_in_single():
    ones = fnp.ones(300, dtype="bfloat16")
    assert fnp.convolve(ones, ones, "valid").dtype == "bfloat16"
    assert float(fnp.convolve(ones, ones, "valid")[0]) == 300
    assert fnp.convolve(ones, ones, preferred_element_type=np.float32).dtype == np.float32


LINE = fnp.arange(3.0)
MISTAKES = [
    (lambda: fnp.diff(LINE, -1), ArgumentError, "diff: n=-1; expected how often to take differences, 0 or more"),
    (
        lambda: fnp.diff(1.0),
        ShapeError,
        "diff takes an array of at least one dimension, not a scalar: it has no neighbours",
    ),
    (
        lambda: fnp.ediff1d(LINE > 1),
        DTypeError,
        "ediff1d takes numbers, not booleans: they have no differences; use diff, or x.astype(int)",
    ),
    (
        lambda: fnp.ediff1d(fnp.arange(3), to_end=0.5),
        DTypeError,
        "ediff1d: to_end of dtype float32 does not fit beside differences of dtype int32",
    ),
    (lambda: fnp.gradient(LINE, edge_order=3), ArgumentError, "gradient: edge_order=3; expected 1 or 2"),
    (
        lambda: fnp.gradient(LINE, 1.0, 2.0),
        DTypeError,
        "gradient: 2 spacings for 1 axes; give one number, or for each axis a number or its coordinates",
    ),
    (
        lambda: fnp.gradient(fnp.ones((1, 3))),
        ShapeError,
        "gradient: slopes along axis 0 need at least 2 samples, but the shape is (1, 3)",
    ),
    (
        lambda: fnp.gradient(LINE, fnp.ones(4)),
        ShapeError,
        "gradient: coordinates of shape (4,) for axis 0 of length 3; expected a number or shape (3,)",
    ),
    (lambda: fnp.gradient(LINE, axis=(0, -1)), AxisError, "gradient: axis=(0, -1) names the same axis twice"),
    (
        lambda: fnp.interp(1.0, LINE, fnp.ones(4)),
        ShapeError,
        "interp takes points as two vectors of one length, at least 1; got xp of shape (3,) and fp of shape (4,)",
    ),
    (
        lambda: fnp.interp(1j, LINE, LINE),
        DTypeError,
        "interp interpolates between real places; x and xp must not be complex",
    ),
    (lambda: fnp.interp(1.0, LINE, LINE, period=0), ArgumentError, "interp: period=0; expected another number"),
    (
        lambda: fnp.interp(1.0, LINE, LINE, left="continue"),
        ArgumentError,
        "interp: 'continue' is not a value outside the points; expected a number or \"extrapolate\"",
    ),
    (
        lambda: fnp.convolve(LINE, fnp.ones((2, 2))),
        ShapeError,
        "convolve takes two vectors that are not empty, got shapes (3,) and (2, 2)",
    ),
    (
        lambda: fnp.correlate(LINE, LINE, "half"),
        ArgumentError,
        'correlate: mode=\'half\'; expected "full", "same" or "valid"',
    ),
]


@pytest.mark.parametrize(("function", "error", "message"), MISTAKES)
def test_messages(function, error, message):
    with pytest.raises(error) as caught:
        function()
    assert caught.value.message == message
