"""funcgrad.random: the bits of jax.random, keys that are used once, and the same draws eager, compiled and mapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import funcgrad as fg
from funcgrad.errors import ArgumentError, DTypeError, KeyReuseError, OutOfBoundsError, ShapeError

random = fg.random
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = ("int8", "int16", "int32", "int64", *UNSIGNED)
FLOATS = ("float32", "float64", "bfloat16", "float16", "float8_e4m3fn", "float8_e5m2")
LOGITS = np.random.default_rng(0).normal(size=(6, 7)).astype(np.float32)
TABLE = np.arange(60, dtype=np.float32).reshape(3, 4, 5)


def ulps(a: Any, b: Any) -> float:
    """The largest distance in units of the last place."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind == "c":
        return max(ulps(a.real, b.real), ulps(a.imag, b.imag))
    spacing = np.spacing(np.maximum(np.abs(a), np.abs(b))).astype(np.float64)
    return float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64)) / spacing))


def eager_and_compiled(draw: Callable[[Any], Any]) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(draw(random.key(3))), np.asarray(fg.jit(draw)(random.key(3)))


def assert_equal_to_oracle(draw: Callable[[Any], Any], oracle: Callable[[Any], Any], wide: bool = False) -> None:
    """Equal bit for bit to what JAX draws with its default settings, or with 64-bit types if `wide`."""
    with jax.enable_x64(wide):
        expected = np.asarray(oracle(jax.random.key(3)))
    for result in eager_and_compiled(draw):
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)


# -- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, -1, -5, 2**31 - 1, 2**31, 2**32 - 1])
def test_seed(seed: int) -> None:
    np.testing.assert_array_equal(random.key_data(random.key(seed)), jax.random.key_data(jax.random.key(seed)))
    np.testing.assert_array_equal(random.PRNGKey(seed), jax.random.key_data(jax.random.key(seed)))


def test_long_seed_keeps_its_bits() -> None:
    with jax.enable_x64(True):
        expected = jax.random.key_data(jax.random.key(2**40 + 3))
    np.testing.assert_array_equal(random.key_data(random.key(2**40 + 3)), expected)
    seed = fg.numpy.asarray(2**40 + 3, dtype="int64")
    np.testing.assert_array_equal(random.key_data(fg.jit(random.key)(seed)), expected)


@pytest.mark.parametrize("seed", [2**64, 1.5, np.arange(3)])
def test_bad_seed(seed: Any) -> None:
    with pytest.raises(ArgumentError, match="seed"):
        random.key(seed)


@pytest.mark.parametrize("number", [1, 2, 7, (2, 3)])
def test_split(number: Any) -> None:
    keys = random.split(random.key(5), number)
    assert keys.shape == (number if isinstance(number, tuple) else (number,))
    np.testing.assert_array_equal(
        random.key_data(keys), jax.random.key_data(jax.random.split(jax.random.key(5), number))
    )


@pytest.mark.parametrize("data", [0, 7, 2**32 - 1])
def test_fold_in(data: int) -> None:
    expected = jax.random.key_data(jax.random.fold_in(jax.random.key(5), data))
    key = random.key(5)
    np.testing.assert_array_equal(random.key_data(random.fold_in(key, data)), expected)
    np.testing.assert_array_equal(random.key_data(fg.jit(random.fold_in)(key, np.uint32(data))), expected)


def test_key_arrays() -> None:
    keys = random.split(random.key(0), 3)
    first, *_, last = keys
    assert len(keys) == 3
    assert first is keys[0]
    assert last is keys[-1]
    assert keys[1:].shape == (2,)
    assert repr(keys[0]).startswith("Key([")
    with pytest.raises(OutOfBoundsError, match="index 3"):
        keys[3]
    with pytest.raises(ShapeError, match="split"):
        iter(random.key(0)).__next__()
    wrapped = random.wrap_key_data(random.key_data(keys))
    np.testing.assert_array_equal(random.key_data(wrapped), random.key_data(keys))


def test_key_used_twice() -> None:
    key = random.key(0)
    random.normal(key)
    with pytest.raises(KeyReuseError, match=r"already used by random\.normal") as error:
        random.split(key)
    assert "test_random.py" in str(error.value)
    assert "key, subkey = fg.random.split(key)" in str(error.value)
    with pytest.raises(KeyReuseError, match="fold_in"):
        random.fold_in(key, 1)
    keys = random.split(random.key(0))
    random.uniform(keys[0])
    with pytest.raises(KeyReuseError):
        random.uniform(keys[0])


def test_key_used_twice_while_tracing() -> None:
    def twice(key: random.Key) -> Any:
        return random.normal(key) + random.normal(key)

    with pytest.raises(KeyReuseError):
        fg.jit(twice)(random.key(0))


def test_reuse_that_is_allowed() -> None:
    with fg.config(check_key_reuse=False):
        key = random.key(0)
        assert random.normal(key) == random.normal(key)
    raw = random.PRNGKey(0)
    assert random.uniform(raw) == random.uniform(raw)
    key = random.key(0)
    assert not np.array_equal(*(random.key_data(random.fold_in(key, i)) for i in range(2)))
    random.normal(key)


def test_failed_call_leaves_the_key_unused() -> None:
    key = random.key(0)
    with pytest.raises(DTypeError):
        random.uniform(key, (2,), "int32")
    random.uniform(key, (2,))


def test_array_of_keys_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"fg\.vmap"):
        random.normal(random.split(random.key(0), 3))


# -- equal bit for bit ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", UNSIGNED)
@pytest.mark.parametrize("shape", [(), (3,), (2, 5), (1000,), (0,)])
def test_bits(dtype: str, shape: tuple[int, ...]) -> None:
    assert_equal_to_oracle(
        lambda k: random.bits(k, shape, dtype), lambda k: jax.random.bits(k, shape, dtype), wide=dtype == "uint64"
    )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-3.0, 7.3)])
def test_uniform(dtype: str, bounds: tuple[float, float]) -> None:
    assert_equal_to_oracle(
        lambda k: random.uniform(k, (1000,), dtype, *bounds),
        lambda k: jax.random.uniform(k, (1000,), dtype, *bounds),
        wide=dtype == "float64",
    )


@pytest.mark.parametrize("dtype", INTEGERS)
def test_randint(dtype: str) -> None:
    limits = np.iinfo(dtype)
    for low, high in ((0, 10), (3, 100), (limits.min, limits.max)):
        assert_equal_to_oracle(
            lambda k, low=low, high=high: random.randint(k, (200,), low, high, dtype),
            lambda k, low=low, high=high: jax.random.randint(
                k, (200,), np.array(low, dtype), np.array(high, dtype), dtype
            ),
            wide="64" in dtype,
        )


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_randint_with_arrays(dtype: str) -> None:
    low, high = np.array([0, 5, 7]), np.array([3, 5, 2**40])
    if dtype == "uint8":
        high[2] = 256
    assert_equal_to_oracle(
        lambda k: random.randint(k, (2, 3), low, high, dtype),
        lambda k: jax.random.randint(k, (2, 3), low, high, dtype),
        wide=True,
    )


def test_randint_of_the_whole_range() -> None:
    draws = np.asarray(random.randint(random.key(0), (5000,), 0, 256, "uint8"))
    assert set(draws.tolist()) == set(range(256))
    assert np.asarray(random.randint(random.key(0), (100,), 0, 2**32, "uint32")).max() > 2**31


@pytest.mark.parametrize("mode", ["low", "high"])
def test_bernoulli(mode: str) -> None:
    assert_equal_to_oracle(
        lambda k: random.bernoulli(k, 0.3, (1000,), mode),
        lambda k: jax.random.bernoulli(k, 0.3, (1000,), mode),
    )


def test_rademacher() -> None:
    assert_equal_to_oracle(lambda k: random.rademacher(k, (1000,)), lambda k: jax.random.rademacher(k, (1000,)))


@pytest.mark.parametrize("size", [1, 5, 1000, 5000])
def test_permutation_of_integers(size: int) -> None:
    assert_equal_to_oracle(lambda k: random.permutation(k, size), lambda k: jax.random.permutation(k, size))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("independent", [False, True])
def test_permutation_of_arrays(axis: int, independent: bool) -> None:
    assert_equal_to_oracle(
        lambda k: random.permutation(k, TABLE, axis, independent),
        lambda k: jax.random.permutation(k, TABLE, axis, independent),
    )


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_choice_of_integers(replace: bool, weighted: bool) -> None:
    p = np.random.default_rng(0).random(1000).astype(np.float32) if weighted else None
    p = p / p.sum() if p is not None else None
    shape = (500,)
    assert_equal_to_oracle(
        lambda k: random.choice(k, 1000, shape, replace, p), lambda k: jax.random.choice(k, 1000, shape, replace, p)
    )


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("replace", [True, False])
def test_choice_of_arrays(axis: int, replace: bool) -> None:
    assert_equal_to_oracle(
        lambda k: random.choice(k, TABLE, (3,), replace, axis=axis),
        lambda k: jax.random.choice(k, TABLE, (3,), replace, axis=axis),
    )


@pytest.mark.parametrize(
    ("axis", "shape", "replace"),
    [(0, None, True), (1, None, True), (-1, (100, 6), True), (1, (4, 6), False), (0, (2, 7), True)],
)
def test_categorical(axis: int, shape: tuple[int, ...] | None, replace: bool) -> None:
    assert_equal_to_oracle(
        lambda k: random.categorical(k, LOGITS, axis, shape, replace),
        lambda k: jax.random.categorical(k, LOGITS, axis, shape, replace),
    )


# -- through transcendental functions ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "complex64"])
def test_normal(dtype: str) -> None:
    expected = np.asarray(jax.random.normal(jax.random.key(3), (10000,), dtype))
    for result in eager_and_compiled(lambda k: random.normal(k, (10000,), dtype)):
        assert result.dtype == expected.dtype
        assert ulps(result, expected) <= 4


def test_normal_in_double_precision() -> None:
    # The engine's own log1p is 128 ulp off in jaxlib 0.10, which the engine's erf_inv inherits.
    with jax.enable_x64(True):
        expected = np.asarray(jax.random.normal(jax.random.key(3), (10000,), "float64"))
    for result in eager_and_compiled(lambda k: random.normal(k, (10000,), "float64")):
        np.testing.assert_allclose(result, expected, rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("name", ["exponential", "gumbel", "laplace", "logistic"])
def test_distributions(name: str) -> None:
    expected = np.asarray(getattr(jax.random, name)(jax.random.key(3), (10000,)))
    for result in eager_and_compiled(lambda k: getattr(random, name)(k, (10000,))):
        # Absolute where the value is the difference of two logarithms near zero.
        np.testing.assert_allclose(result, expected, rtol=5e-7, atol=1e-6)


def test_truncated_normal() -> None:
    expected = np.asarray(jax.random.truncated_normal(jax.random.key(3), -1.0, 2.0, (10000,)))
    for result in eager_and_compiled(lambda k: random.truncated_normal(k, -1.0, 2.0, (10000,))):
        np.testing.assert_allclose(result, expected, rtol=5e-7, atol=1e-6)
        assert result.min() > -1
        assert result.max() < 2


@pytest.mark.parametrize(
    ("name", "mean", "variance"),
    [
        ("uniform", 1 / 2, 1 / 12),
        ("normal", 0, 1),
        ("exponential", 1, 1),
        ("gumbel", np.euler_gamma, np.pi**2 / 6),
        ("laplace", 0, 2),
        ("logistic", 0, np.pi**2 / 3),
        ("rademacher", 0, 1),
    ],
)
def test_moments(name: str, mean: float, variance: float) -> None:
    draws = np.asarray(getattr(random, name)(random.key(11), (100_000,))).astype(np.float64)
    # Five standard errors; none of these has a kurtosis above 6.
    assert abs(draws.mean() - mean) < 5 * np.sqrt(variance / draws.size)
    assert abs(draws.var() - variance) < 5 * variance * np.sqrt(6 / draws.size)


# -- transformations -----------------------------------------------------------------------------------------------


def test_default_dtypes() -> None:
    assert random.uniform(random.key(0)).dtype == np.float32
    assert random.randint(random.key(0), (), 0, 2).dtype == np.int32
    with fg.config(default_float="float64", default_int="int64"):
        assert random.normal(random.key(0)).dtype == np.float64
        assert random.randint(random.key(0), (), 0, 2).dtype == np.int64


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    "draw",
    [
        lambda k: random.normal(k, (3,)),
        lambda k: random.randint(k, (2, 2), 0, 10),
        lambda k: random.permutation(k, 6),
        lambda k: random.choice(k, 5, (2,), p=np.full(5, 0.2, np.float32)),
        lambda k: random.normal(random.split(k)[1]),
    ],
)
def test_mapped_keys(draw: Callable[[Any], Any], compiled: bool) -> None:
    mapped = fg.vmap(draw)
    result = (fg.jit(mapped) if compiled else mapped)(random.split(random.key(0), 4))
    expected = np.stack([np.asarray(draw(key)) for key in random.split(random.key(0), 4)])
    np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_fold_in_over_steps() -> None:
    key = random.key(0)
    folded = fg.vmap(lambda step: random.key_data(random.fold_in(key, step)))(np.arange(3))
    np.testing.assert_array_equal(folded, [random.key_data(random.fold_in(key, i)) for i in range(3)])


def test_reparametrised_gradient() -> None:
    def sample(scale: Any) -> Any:
        return random.normal(random.key(0), (5,)).sum() * scale

    np.testing.assert_allclose(fg.grad(sample)(2.0), np.asarray(random.normal(random.key(0), (5,))).sum(), rtol=1e-6)


def test_derivative_with_respect_to_a_bound() -> None:
    slope = fg.grad(lambda high: random.uniform(random.key(0), (), minval=0.0, maxval=high))(2.0)
    np.testing.assert_allclose(slope, random.uniform(random.key(0)), rtol=1e-6)


def test_keys_pass_through_jit() -> None:
    @fg.jit
    def step(key: random.Key) -> tuple[random.Key, Any]:
        key, subkey = random.split(key)
        return key, random.uniform(subkey)

    key, first = step(random.key(0))
    _, second = step(key)
    assert first != second


# -- bad input -----------------------------------------------------------------------------------------------------


def test_bad_arguments() -> None:
    with pytest.raises(ArgumentError, match="minval=5"):
        random.randint(random.key(0), (), 5, 5)
    with pytest.raises(ArgumentError, match="shape"):
        random.normal(random.key(0), (2.5,))  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="negative"):
        random.normal(random.key(0), (-1,))
    with pytest.raises(ArgumentError, match="without replacement"):
        random.choice(random.key(0), 3, (4,), replace=False)
    with pytest.raises(ShapeError, match="p has shape"):
        random.choice(random.key(0), 3, (4,), p=np.ones(2, np.float32))
    with pytest.raises(DTypeError, match="floating"):
        random.bernoulli(random.key(0), 1)
    with pytest.raises(DTypeError, match="uint32"):
        random.normal(np.zeros(2, np.float32))
    with pytest.raises(ArgumentError, match="2\\*\\*32"):
        random.fold_in(random.key(0), -1)
