"""Random numbers by counters and keys: the same bits as `jax.random` for the same seed, eager or compiled, everywhere.

A key is a value: who draws says with which key, and the same key always gives the same numbers. So a key is used once,
for drawing or for splitting; a second use is an error unless `config.check_key_reuse` is off.

    key = fg.random.key(0)
    key, subkey = fg.random.split(key)
    x = fg.random.normal(subkey, (3,))
"""

from .bits import bits, randint, uniform
from .choosing import categorical, choice, permutation
from .distributions import bernoulli, exponential, gumbel, laplace, logistic, normal, rademacher, truncated_normal
from .keys import Key, PRNGKey, fold_in, key, key_data, split, wrap_key_data

__all__ = [
    "Key",
    "PRNGKey",
    "bernoulli",
    "bits",
    "categorical",
    "choice",
    "exponential",
    "fold_in",
    "gumbel",
    "key",
    "key_data",
    "laplace",
    "logistic",
    "normal",
    "permutation",
    "rademacher",
    "randint",
    "split",
    "truncated_normal",
    "uniform",
    "wrap_key_data",
]
