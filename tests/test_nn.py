"""`funcgrad.nn` against `jax.nn`: values and derivatives, eager and compiled."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import nn
from funcgrad.errors import ArgumentError, DTypeError, ShapeError

X = np.array([[-40.0, -3.5, -1.2, -0.3], [0.2, 0.7, 2.9, 30.0]], np.float32)
ACTIVATIONS = [
    "relu",
    "relu6",
    "sigmoid",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "soft_sign",
    "silu",
    "swish",
    "log_sigmoid",
    "leaky_relu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "elu",
    "celu",
    "selu",
    "gelu",
    "glu",
    "squareplus",
    "mish",
    "tanh",
    "identity",
    "softmax",
    "log_softmax",
    "standardize",
]


def close(ours, theirs, tolerance=2e-6):
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_derivatives(name):
    ours, theirs = getattr(nn, name), getattr(jax.nn, name)
    close(ours(X), theirs(X))
    close(fg.jit(ours)(X), theirs(X))
    weights = np.arange(X.size, dtype=np.float32)

    def total(function, module):
        return lambda x: module.sum(module.ravel(function(x)) * weights[: function(x).size])

    close(fg.grad(total(ours, fnp))(fnp.asarray(X)), jax.grad(total(theirs, jnp))(X), 1e-5)


def test_options():
    close(nn.gelu(X, approximate=False), jax.nn.gelu(X, approximate=False))
    close(nn.elu(X, 0.5), jax.nn.elu(X, 0.5))
    close(nn.celu(X, 2.0), jax.nn.celu(X, 2.0))
    close(nn.leaky_relu(X, 0.3), jax.nn.leaky_relu(X, 0.3))
    close(nn.glu(X, axis=0), jax.nn.glu(X, axis=0))
    close(nn.softmax(X, axis=0), jax.nn.softmax(X, axis=0))
    close(nn.softmax(X, axis=(0, 1)), jax.nn.softmax(X, axis=(0, 1)))
    mask = X > -2
    close(nn.softmax(X, where=mask), jax.nn.softmax(X, where=mask))
    close(nn.standardize(X, axis=0, epsilon=0.1), jax.nn.standardize(X, axis=0, epsilon=0.1))
    mean, variance = jnp.float32(1), jnp.float32(4)
    close(nn.standardize(X, mean=1.0, variance=4.0), jax.nn.standardize(X, mean=mean, variance=variance))
    with pytest.raises(ShapeError, match="length is 3"):
        nn.glu(fnp.ones(3))


def test_corners():
    assert fg.grad(nn.relu)(0.0) == 0.0
    assert np.isnan(nn.relu(np.float32(np.nan)))
    assert nn.relu(fnp.array([-1, 2])).dtype == np.int32
    for function in (nn.softplus, nn.silu, nn.elu, nn.gelu, nn.mish, nn.log_sigmoid, nn.squareplus):
        for x in (-1e4, 0.0, 1e4):
            assert np.isfinite(fg.grad(function)(x)), (function, x)


def test_logsumexp():
    reference = jax.nn.logsumexp
    for axis in (None, 0, 1, (0, 1), -1):
        for keepdims in (False, True):
            close(nn.logsumexp(X, axis, keepdims=keepdims), reference(X, axis, keepdims=keepdims))
    b = np.array([[1.0, -2.0, 0.0, 3.0]], np.float32)
    close(nn.logsumexp(X, 0, b), reference(X, 0, b))
    for ours, theirs in zip(nn.logsumexp(X, 1, b, return_sign=True), reference(X, 1, b, return_sign=True), strict=True):
        close(ours, theirs)
    close(nn.logsumexp(X, 1, where=X > -4), reference(X, 1, where=X > -4))
    close(nn.logmeanexp(X, 1), reference(X, 1) - np.float32(np.log(4)))
    close(fg.grad(nn.logsumexp)(fnp.asarray(X)), jax.grad(reference)(X))


def test_logsumexp_at_infinity():
    inf = np.inf
    assert nn.logsumexp(fnp.array([-inf, -inf])) == -inf
    assert nn.logsumexp(fnp.array([inf, 0.0])) == inf
    assert nn.logsumexp(fnp.array([1000.0, 1000.0])) == np.float32(1000 + np.log(2))
    assert np.isnan(nn.logsumexp(fnp.array([np.nan, 0.0])))
    assert np.array_equal(fg.grad(nn.logsumexp)(fnp.array([-inf, 0.0])), [0.0, 1.0])
    assert np.array_equal(fg.grad(nn.logsumexp)(fnp.array([-inf, -inf])), [0.0, 0.0])
    assert np.isnan(nn.logsumexp(fnp.array([0.0, 1.0]), b=fnp.array([1.0, -1.0])))


def test_one_hot():
    index = np.array([[0, 2], [3, -1]])
    for axis in (-1, 0, 1):
        close(nn.one_hot(index, 3, axis=axis), jax.nn.one_hot(index, 3, axis=axis))
    assert nn.one_hot(index, 3, dtype=bool).dtype == bool
    close(fg.jit(lambda i: nn.one_hot(i, 3))(index), jax.nn.one_hot(index, 3))
    with pytest.raises(DTypeError, match="takes integers"):
        nn.one_hot(fnp.ones(2), 3)


@pytest.mark.parametrize(
    "make",
    [
        lambda m: m.constant(3.0),
        lambda m: m.zeros,
        lambda m: m.ones,
        lambda m: m.uniform(),
        lambda m: m.normal(0.5),
        lambda m: m.truncated_normal(0.5),
        lambda m: m.glorot_uniform(),
        lambda m: m.xavier_normal(),
        lambda m: m.he_normal(in_axis=-1, out_axis=-2),
        lambda m: m.kaiming_uniform(),
        lambda m: m.lecun_normal(batch_axis=0),
        lambda m: m.lecun_uniform(),
        lambda m: m.variance_scaling(2.0, "fan_geo_avg", "normal"),
    ],
)
def test_initializers_give_jax_s_numbers(make):
    shape = (3, 4, 5)
    ours = make(nn.initializers)(fg.random.key(0), shape)
    close(ours, make(jax.nn.initializers)(jax.random.key(0), shape, jnp.float32), 1e-5)


def test_initializer_messages():
    with pytest.raises(ArgumentError, match="'fan_in', 'fan_out', 'fan_avg', 'fan_geo_avg'"):
        nn.initializers.variance_scaling(1.0, "fan", "normal")(fg.random.key(0), (2, 2))
    with pytest.raises(ShapeError, match="they need two axes"):
        nn.initializers.he_normal()(fg.random.key(0), (2,))
