"""`funcgrad.lax` against `jax.lax`: the same names, arguments and meanings, eager and compiled."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax as jlax

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import lax
from funcgrad.errors import DTypeError, ShapeError

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(0.1, 0.9, (3, 4)).astype(np.float32)
Y = RANDOM.uniform(0.1, 0.9, (3, 4)).astype(np.float32)
I = RANDOM.integers(1, 9, (3, 4)).astype(np.int32)  # noqa: E741
J = RANDOM.integers(1, 5, (3, 4)).astype(np.int32)
B = X > 0.5
Z = (X + 1j * Y).astype(np.complex64)


def agree(function, *args, ulps=64):
    """`function(lax, *arrays)` gives what it gives with JAX, eagerly and compiled; trees of results."""
    expected = jax.tree.leaves(function(jlax, *map(jnp.asarray, args)))
    for run in (function, lambda module, *arrays: fg.jit(lambda *a: function(module, *a))(*arrays)):
        results = jax.tree.leaves(run(lax, *map(fnp.asarray, args)))
        assert len(results) == len(expected)
        for result, wanted in zip(results, expected, strict=True):
            assert result.shape == wanted.shape
            assert result.dtype == wanted.dtype
            value, wanted = np.asarray(result), np.asarray(wanted)
            if wanted.dtype.kind in "fc":
                scale = np.finfo(wanted.dtype).eps
                np.testing.assert_allclose(value, wanted, rtol=ulps * scale, atol=ulps * scale)
            else:
                np.testing.assert_array_equal(value, wanted)


FLOAT_UNARY = [
    "abs",
    "acos",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "digamma",
    "erf",
    "erf_inv",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "is_finite",
    "lgamma",
    "log",
    "log1p",
    "logistic",
    "neg",
    "reciprocal",
    "round",
    "rsqrt",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "conj",
]
FLOAT_BINARY = [
    "add",
    "atan2",
    "complex",
    "div",
    "eq",
    "ge",
    "gt",
    "le",
    "lt",
    "max",
    "min",
    "mul",
    "ne",
    "nextafter",
    "pow",
    "rem",
    "sub",
]
INT_UNARY = ["abs", "bitwise_not", "clz", "neg", "population_count", "sign", "square"]
INT_BINARY = [
    "add",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "div",
    "max",
    "min",
    "mul",
    "rem",
    "sub",
    "shift_left",
    "shift_right_arithmetic",
    "shift_right_logical",
    "eq",
    "lt",
]


@pytest.mark.parametrize("name", FLOAT_UNARY)
def test_float_unary(name):
    agree(lambda module, x: getattr(module, name)(x), X)


@pytest.mark.parametrize("name", FLOAT_BINARY)
def test_float_binary(name):
    agree(lambda module, x, y: getattr(module, name)(x, y), X, Y)


@pytest.mark.parametrize("name", INT_UNARY)
def test_integer_unary(name):
    agree(lambda module, x: getattr(module, name)(x), I)


@pytest.mark.parametrize("name", INT_BINARY)
def test_integer_binary(name):
    agree(lambda module, x, y: getattr(module, name)(x, y), I, J)


OTHERS = {
    "acosh": (lambda m, x: m.acosh(m.add(x, 1.0)), X),
    "scalars adapt": (lambda m, x: [m.add(x, 1.0), m.sub(x, 2.0), m.max(x, 0.5), m.mul(2.0, x)], X),
    "real and imag": (lambda m, z: [m.real(z), m.imag(z), m.conj(z), m.abs(z), m.exp(z)], Z),
    "integer_pow": (lambda m, x: [m.integer_pow(x, 3), m.integer_pow(x, -2), m.pow(x, 2)], X),
    "zeta": (lambda m, x: m.zeta(m.add(x, 1.0), x), X),
    "polygamma": (lambda m, x: m.polygamma(m.full_like(x, 2.0), x), X),
    "round": (lambda m, x: m.round(m.mul(x, 10.0), m.RoundingMethod.TO_NEAREST_EVEN), X),
    "clamp": (lambda m, x, y: [m.clamp(0.3, x, 0.6), m.clamp(m.min(x, y), x, y)], X, Y),
    "select": (lambda m, b, x, y: [m.select(b, x, y), m.select_n(b, x, y)], B, X, Y),
    "convert": (lambda m, x: [m.convert_element_type(x, "int32"), m.bitcast_convert_type(x, "uint32")], X),
    "full": (lambda m, x: [m.full((2,), 3.0), m.full((2,), 3, "int8"), m.full_like(x, 2), m.iota("int32", 4)], X),
    "iota": (lambda m, x: m.broadcasted_iota("float32", (2, 3), 1), X),
    "reshape": (lambda m, x: [m.reshape(x, (4, 3)), m.reshape(x, (12,), (1, 0)), m.collapse(x, 0, 2)], X),
    "transpose": (lambda m, x: m.transpose(x, (1, 0)), X),
    "broadcast": (lambda m, x: [m.broadcast(x, (2,)), m.broadcast_in_dim(x, (3, 2, 4), (0, 2))], X),
    "rank": (lambda m, x: [m.broadcast_to_rank(x, 4), m.squeeze(m.expand_dims(x, (0, 3)), (0,))], X),
    "concatenate": (lambda m, x, y: m.concatenate([x, y], 1), X, Y),
    "pad": (lambda m, x: m.pad(x, np.float32(0), [(1, -1, 0), (0, 2, 1)]), X),
    "rev": (lambda m, x: m.rev(x, (0, 1)), X),
    "split": (lambda m, x: m.split(x, (1, 3), 1), X),
    "slice": (lambda m, x: [m.slice(x, (0, 1), (3, 4), (2, 1)), m.slice_in_dim(x, 1, None, 2, 1)], X),
    "index_in_dim": (lambda m, x: [m.index_in_dim(x, -1, 1), m.index_in_dim(x, 0, keepdims=False)], X),
    "dynamic_slice": (
        lambda m, x, i: [m.dynamic_slice(x, (i, -2), (2, 2)), m.dynamic_slice(x, (i, i), (1, 4))],
        X,
        np.int32(2),
    ),
    "dynamic in dim": (
        lambda m, x, i: [
            m.dynamic_slice_in_dim(x, i, 2, 1),
            m.dynamic_index_in_dim(x, i, 0, False),
            m.dynamic_index_in_dim(x, -1),
        ],
        X,
        np.int32(1),
    ),
    "dynamic update": (
        lambda m, x, i: [
            m.dynamic_update_slice(x, x[:2, :2], (i, 1)),
            m.dynamic_update_slice_in_dim(x, x[:1], i, 0),
            m.dynamic_update_index_in_dim(x, x[:, 0], i, 1),
        ],
        X,
        np.int32(3),
    ),
    "reductions": (
        lambda m, x: [m.reduce_sum(x, (0,)), m.reduce_prod(x, (1,)), m.reduce_max(x, (0, 1)), m.reduce_min(x, ())],
        X,
    ),
    "logical reductions": (lambda m, b: [m.reduce_and(b, (0,)), m.reduce_or(b, (1,)), m.reduce_xor(b, (1,))], B),
    "argmax": (lambda m, x: [m.argmax(x, 0, "int32"), m.argmin(x, 1, "uint8")], X),
    "cumulative": (
        lambda m, x: [m.cumsum(x), m.cumprod(x, 1), m.cummax(x, 1, True), m.cummin(x), m.cumlogsumexp(x, 1)],
        X,
    ),
    "associative_scan": (
        lambda m, x: m.associative_scan(lambda a, b: (a[0] * b[0], a[1] + b[1]), (x, x), reverse=True, axis=1),
        X,
    ),
    "sort": (lambda m, x, i: [m.sort(x), m.sort(x, 0), m.sort_key_val(i, x, 1), m.sort((i, x), num_keys=2)], X, I),
    "top_k": (lambda m, x: [m.top_k(x, 2), m.top_k(x, 2, axis=0)], X),
    "dot": (lambda m, x, y: [m.dot(x, m.transpose(y, (1, 0))), m.dot(x[0], y[0])], X, Y),
    "dot_general": (lambda m, x, y: m.dot_general(x, y, (((1,), (1,)), ((0,), (0,))), m.Precision.HIGHEST), X, Y),
    "batch_matmul": (lambda m, x, y: m.batch_matmul(x[None], y.T[None]), X, Y),
}


@pytest.mark.parametrize("name", OTHERS)
def test_others(name):
    function, *args = OTHERS[name]
    agree(function, *args)


@pytest.mark.parametrize("mode", ["fill", "clip", None])
def test_gather_and_scatter(mode):
    far = 1 if mode is None else 5  # without a mode JAX promises; here it fills, since a silent clip hides mistakes
    index, updates = np.array([[0], [2], [far], [2]], np.int32), RANDOM.uniform(1, 2, (4, 4)).astype(np.float32)

    def both(m, x, i, u):
        mode_of = {"fill": m.GatherScatterMode.FILL_OR_DROP, "clip": m.GatherScatterMode.CLIP, None: None}[mode]
        reads = m.GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,))
        writes = m.ScatterDimensionNumbers((1,), (0,), (0,))
        names = ["scatter", "scatter_add", "scatter_sub", "scatter_mul", "scatter_min", "scatter_max"]
        scattered = [getattr(m, name)(x, i, u, writes, mode=mode_of) for name in names]
        gathered = m.gather(x, i, reads, (1, 4), mode=mode_of, fill_value=7.0)
        return [gathered, *scattered]

    agree(both, X, index, updates)


def test_collectives():
    def combined(m, x):
        return [
            m.psum(x, "i"),
            m.pmean({"a": x}, "i"),
            m.pmax(x, "i"),
            m.pmin(x, "i"),
            m.all_gather(x, "i"),
            m.ppermute(x, "i", [(0, 1), (1, 2), (2, 0)]),
            m.axis_index("i") + x.astype("int32"),
            x * m.psum(1, "i") * m.axis_size("i"),
        ]

    expected = jax.vmap(lambda x: combined(jlax, x), axis_name="i")(X)
    ours = fg.vmap(lambda x: combined(lax, x), axis_name="i")(fnp.asarray(X))
    for result, wanted in zip(jax.tree.leaves(ours), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(np.asarray(result), wanted, rtol=1e-6)


def test_nothing_broadcasts_or_promotes():
    for wrapped in (lambda f: f, fg.jit):
        with pytest.raises(ShapeError, match="equal shapes"):
            wrapped(lax.add)(fnp.ones((3,)), fnp.ones((1,)))
        with pytest.raises(DTypeError, match="equal dtypes"):
            wrapped(lax.mul)(fnp.ones((3,)), fnp.ones((3,), dtype=np.int32))
    with pytest.raises(DTypeError, match="does not promote"):
        lax.add(fnp.array([1, 2]), 1.5)


def test_stop_gradient():
    assert fg.grad(lambda x: x * lax.stop_gradient(x))(3.0) == 3.0


def test_every_name_is_jax_s():
    assert [name for name in lax.__all__ if not hasattr(jlax, name)] == []


def test_fill_values_that_are_equal_but_not_the_same_are_kept_apart() -> None:
    dims = lax.GatherDimensionNumbers((), (0,), (0,))

    def outside(fill: object) -> object:
        return lax.gather(fnp.ones(2), np.array([[5]]), dims, (1,), mode="fill", fill_value=fill)[0]

    kept = [outside(fill) for fill in (0.0, -0.0, np.float32(-0.0), 0, float("nan"))]
    assert [bool(np.signbit(x)) for x in kept[:4]] == [False, True, True, False]
    assert np.isnan(kept[4])
