"""`funcgrad.numpy` with each function, and each operator of arrays, compiled by `jit`: a namespace for the suite."""

from types import SimpleNamespace

import funcgrad.numpy as fnp
from tests.array_api import compiling

globals().update(compiling.compiled_names(fnp))
__array_api_version__ = fnp.__array_api_version__
linalg = SimpleNamespace(**compiling.compiled_names(fnp.linalg))
fft = SimpleNamespace(**compiling.compiled_names(fnp.fft))
compiling.compile_operators()
