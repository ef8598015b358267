"""The NumPy face: NumPy's functions on arrays and tracers, with promotion and broadcasting, composed of operations.

Where NumPy or the Python Array API standard define a behaviour, these functions follow it, but for the library's own
defaults (float32, int32), promotion of integers with floats (the float's dtype) and immutability. Importing this
package gives arrays their operators and methods.
"""

from math import e, inf, nan, pi

import ml_dtypes
import numpy as np

from ..backend.array import Array as ndarray
from ..core.dtypes import finfo, iinfo
from . import array_methods as array_methods  # installs the operators and methods

# fmt: off
# isort: off
from .contraction import (
    cross, diagonal, dot, einsum, einsum_path, inner, kron, matmul, matvec, outer, tensordot, trace, vdot, vecdot,
    vecmat,
)
from .creation import (
    arange, array, asarray, ascontiguousarray, copy, diag, diagflat, empty, empty_like, eye, from_dlpack, full,
    full_like, geomspace, identity, indices, linspace, logspace, meshgrid, ones, ones_like, tri, tril, triu, vander,
    zeros, zeros_like,
)
from .elementwise import (
    abs, absolute, add, ceil, clip, conj, conjugate, copysign, divide, divmod, fabs, fix, float_power, floor,
    floor_divide, fmax, fmin, fmod, heaviside, imag, maximum, minimum, mod, modf, multiply, nan_to_num, negative,
    nextafter, positive, pow, power, real, reciprocal, remainder, rint, round, select, sign, signbit, sqrt, square,
    subtract, true_divide, trunc, where,
)
from .indexing import argwhere, flatnonzero, ix_, nonzero, put_along_axis, take, take_along_axis
from .logic import (
    allclose, array_equal, array_equiv, bitwise_and, bitwise_count, bitwise_invert, bitwise_left_shift, bitwise_not,
    bitwise_or, bitwise_right_shift, bitwise_xor, equal, greater, greater_equal, invert, isclose, iscomplex,
    isfinite, isinf, isnan, isneginf, isposinf, isreal, left_shift, less, less_equal, logical_and, logical_not,
    logical_or, logical_xor, not_equal, right_shift,
)
from .nan_reductions import (
    nanargmax, nanargmin, nancumprod, nancumsum, nanmax, nanmean, nanmin, nanprod, nanstd, nansum, nanvar,
)
from .padding import pad, repeat
from .reductions import (
    all, amax, amin, any, argmax, argmin, average, count_nonzero, cummax, cummin, cumprod, cumsum, cumulative_prod,
    cumulative_sum, max, mean, min, prod, ptp, std, sum, var,
)
from .shape import (
    array_split, atleast_1d, atleast_2d, atleast_3d, broadcast_arrays, broadcast_shapes, broadcast_to, column_stack,
    concat, concatenate, dsplit, dstack, expand_dims, flip, fliplr, flipud, hsplit, hstack, matrix_transpose,
    moveaxis, permute_dims, ravel, reshape, roll, rollaxis, rot90, split, squeeze, stack, swapaxes, tile, transpose,
    unstack, vsplit, vstack,
)
from .sorting import argsort, lexsort, searchsorted, sort, sort_complex
from .transcendental import (
    acos, acosh, angle, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, asin, asinh, atan, atan2, atanh,
    cbrt, cos, cosh, deg2rad, degrees, exp, exp2, expm1, hypot, log, log1p, log2, log10, logaddexp, logaddexp2,
    rad2deg, radians, sin, sinc, sinh, tan, tanh,
)
from .types import (
    astype, can_cast, iscomplexobj, isdtype, isrealobj, isscalar, issubdtype, ndim, promote_types, result_type,
    shape, size,
)
# isort: on

bool_, bool = np.bool_, np.bool_
int8, int16, int32, int64 = np.int8, np.int16, np.int32, np.int64
uint8, uint16, uint32, uint64 = np.uint8, np.uint16, np.uint32, np.uint64
float16, float32, float64 = np.float16, np.float32, np.float64
bfloat16 = ml_dtypes.bfloat16
float8_e3m4, float8_e4m3, float8_e4m3b11fnuz = (
    ml_dtypes.float8_e3m4,
    ml_dtypes.float8_e4m3,
    ml_dtypes.float8_e4m3b11fnuz,
)
float8_e4m3fn, float8_e4m3fnuz = ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e4m3fnuz
float8_e5m2, float8_e5m2fnuz = ml_dtypes.float8_e5m2, ml_dtypes.float8_e5m2fnuz
float8_e8m0fnu = ml_dtypes.float8_e8m0fnu
complex64, complex128 = np.complex64, np.complex128
generic, number, integer, inexact = np.generic, np.number, np.integer, np.inexact
signedinteger, unsignedinteger = np.signedinteger, np.unsignedinteger
floating, complexfloating = np.floating, np.complexfloating
dtype = np.dtype
newaxis = None

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "all", "allclose", "amax", "amin", "angle", "any", "arange",
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin", "argsort",
    "argwhere", "array", "array_equal", "array_equiv", "array_split", "asarray", "ascontiguousarray", "asin",
    "asinh", "astype", "atan", "atan2", "atanh", "atleast_1d", "atleast_2d", "atleast_3d", "average", "bfloat16",
    "bitwise_and", "bitwise_count", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "bool", "bool_", "broadcast_arrays", "broadcast_shapes", "broadcast_to",
    "can_cast", "cbrt", "ceil", "clip", "column_stack", "complex64", "complex128", "complexfloating", "concat",
    "concatenate", "conj", "conjugate", "copy", "copysign", "cos", "cosh", "count_nonzero", "cross", "cummax",
    "cummin", "cumprod", "cumsum", "cumulative_prod", "cumulative_sum", "deg2rad", "degrees", "diag", "diagflat",
    "diagonal", "divide", "divmod", "dot", "dsplit", "dstack", "dtype", "e", "einsum", "einsum_path", "empty",
    "empty_like", "equal", "exp", "exp2", "expand_dims", "expm1", "eye", "fabs", "finfo", "fix", "flatnonzero",
    "flip", "fliplr", "flipud", "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn",
    "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu", "float16", "float32", "float64",
    "float_power", "floating", "floor", "floor_divide", "fmax", "fmin", "fmod", "from_dlpack", "full", "full_like",
    "generic", "geomspace", "greater", "greater_equal", "heaviside", "hsplit", "hstack", "hypot", "identity",
    "iinfo", "imag", "indices", "inexact", "inf", "inner", "int8", "int16", "int32", "int64", "integer", "invert",
    "isclose", "iscomplex", "iscomplexobj", "isdtype", "isfinite", "isinf", "isnan", "isneginf", "isposinf",
    "isreal", "isrealobj", "isscalar", "issubdtype", "ix_", "kron", "left_shift", "less", "less_equal", "lexsort",
    "linspace", "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2", "logical_and", "logical_not",
    "logical_or", "logical_xor", "logspace", "matmul", "matrix_transpose", "matvec", "max", "maximum", "mean",
    "meshgrid", "min", "minimum", "mod", "modf", "moveaxis", "multiply", "nan", "nan_to_num", "nanargmax",
    "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum", "nanvar",
    "ndarray", "ndim", "negative", "newaxis", "nextafter", "nonzero", "not_equal", "number", "ones", "ones_like",
    "outer", "pad", "permute_dims", "pi", "positive", "pow", "power", "prod", "promote_types", "ptp",
    "put_along_axis", "rad2deg", "radians", "ravel", "real", "reciprocal", "remainder", "repeat", "reshape",
    "result_type", "right_shift", "rint", "roll", "rollaxis", "rot90", "round", "searchsorted", "select", "shape",
    "sign", "signbit", "signedinteger", "sin", "sinc", "sinh", "size", "sort", "sort_complex", "split", "sqrt",
    "square", "squeeze", "stack", "std", "subtract", "sum", "swapaxes", "take", "take_along_axis", "tan", "tanh",
    "tensordot", "tile", "trace", "transpose", "tri", "tril", "triu", "true_divide", "trunc", "uint8", "uint16",
    "uint32", "uint64", "unsignedinteger", "unstack", "vander", "var", "vdot", "vecdot", "vecmat", "vsplit",
    "vstack", "where", "zeros", "zeros_like",
]  # fmt: skip
