"""SciPy's functions on arrays and tracers: linear algebra, special functions, statistics."""

from . import fft as fft
from . import linalg as linalg
from . import special as special
from . import stats as stats

__all__ = ["fft", "linalg", "special", "stats"]
