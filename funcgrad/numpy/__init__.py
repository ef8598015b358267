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
from . import fft as fft
from . import linalg as linalg

# fmt: off
# isort: off
from .calculus import convolve, correlate, diff, ediff1d, gradient, interp, trapezoid, unwrap
from .compatibility import (
    asanyarray, asarray_chkfinite, asfortranarray, common_type, isfortran, min_scalar_type, mintypecode,
    real_if_close,
)
from .contraction import (
    cross, diagonal, dot, inner, kron, matmul, matvec, outer, tensordot, trace, vdot, vecdot, vecmat,
)
from .covariance import corrcoef, cov
from .creation import (
    arange, array, asarray, ascontiguousarray, copy, diag, diagflat, empty, empty_like, eye, from_dlpack, full,
    full_like, geomspace, identity, indices, linspace, logspace, meshgrid, ones, ones_like, tri, tril, triu, vander,
    zeros, zeros_like,
)
from .editing import append, delete, insert, repeat, resize, trim_zeros
from .einsum import einsum, einsum_path
from .elementwise import (
    abs, absolute, add, ceil, clip, conj, conjugate, copysign, divide, divmod, fabs, fix, float_power, floor,
    floor_divide, fmax, fmin, fmod, heaviside, imag, maximum, minimum, mod, modf, multiply, nan_to_num, negative,
    nextafter, positive, pow, power, real, reciprocal, remainder, rint, round, select, sign, signbit, sqrt, square,
    subtract, true_divide, trunc, where,
)
from .extremes import minmax, top_k
from .files import load, save, savez, savez_compressed
from .functional import (
    apply_along_axis, apply_over_axes, frombuffer, fromfunction, fromiter, fromstring, iterable, vectorize,
)
from .histograms import bincount, digitize, histogram, histogram2d, histogram_bin_edges, histogramdd
from .index_tricks import c_, index_exp, mgrid, ndenumerate, ndindex, ogrid, r_, s_
from .indexing import argwhere, flatnonzero, ix_, nonzero, put_along_axis, take, take_along_axis
from .inspection import __array_namespace_info__
from .joining import (
    array_split, block, column_stack, concat, concatenate, dsplit, dstack, hsplit, hstack, split, stack, unstack,
    vsplit, vstack,
)
from .logic import (
    allclose, array_equal, array_equiv, bitwise_and, bitwise_count, bitwise_invert, bitwise_left_shift, bitwise_not,
    bitwise_or, bitwise_right_shift, bitwise_xor, equal, greater, greater_equal, invert, isclose, iscomplex,
    isfinite, isinf, isnan, isneginf, isposinf, isreal, left_shift, less, less_equal, logical_and, logical_not,
    logical_or, logical_xor, not_equal, right_shift,
)
from .nan_reductions import (
    nanargmax, nanargmin, nancumprod, nancumsum, nanmax, nanmean, nanmin, nanprod, nanstd, nansum, nanvar,
)
from .number_parts import frexp, gcd, lcm, ldexp, spacing
from .packing import packbits, unpackbits
from .padding import pad
from .places import (
    choose, compress, diag_indices, diag_indices_from, extract, fill_diagonal, mask_indices, piecewise, place, put,
    putmask, ravel_multi_index, tril_indices, tril_indices_from, triu_indices, triu_indices_from, unravel_index,
)
from .polynomials import poly, polyadd, polyder, polydiv, polyfit, polyint, polymul, polysub, polyval, roots
from .printing import (
    array2string, array_repr, array_str, base_repr, binary_repr, format_float_positional, format_float_scientific,
    get_printoptions, printoptions, set_printoptions,
)
from .reductions import (
    all, amax, amin, any, argmax, argmin, average, count_nonzero, cummax, cummin, cumprod, cumsum, cumulative_prod,
    cumulative_sum, max, mean, min, prod, ptp, std, sum, var,
)
from .sets import (
    intersect1d, isin, setdiff1d, setxor1d, union1d, unique, unique_all, unique_counts, unique_inverse,
    unique_values,
)
from .shape import (
    atleast_1d, atleast_2d, atleast_3d, broadcast_arrays, broadcast_shapes, broadcast_to, expand_dims, flip, fliplr,
    flipud, matrix_transpose, moveaxis, permute_dims, ravel, reshape, roll, rollaxis, rot90, squeeze, swapaxes, tile,
    transpose,
)
from .sorting import argpartition, argsort, lexsort, partition, searchsorted, sort, sort_complex
from .special import i0
from .statistics import median, nanmedian, nanpercentile, nanquantile, percentile, quantile
from .transcendental import (
    acos, acosh, angle, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, asin, asinh, atan, atan2, atanh,
    cbrt, cos, cosh, deg2rad, degrees, exp, exp2, expm1, hypot, log, log1p, log2, log10, logaddexp, logaddexp2,
    rad2deg, radians, sin, sinc, sinh, tan, tanh,
)
from .types import (
    astype, can_cast, iscomplexobj, isdtype, isrealobj, isscalar, issubdtype, ndim, promote_types, result_type,
    shape, size,
)
from .ufuncs import frompyfunc, ufunc
from .windows import bartlett, blackman, hamming, hanning, kaiser
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
half, single, double, csingle, cdouble = float16, float32, float64, complex64, complex128
byte, short, intc, int_, intp, long, longlong = int8, int16, int32, int64, int64, int64, int64
ubyte, ushort, uintc, uint, uintp, ulong, ulonglong = uint8, uint16, uint32, uint64, uint64, uint64, uint64
generic, number, integer, inexact = np.generic, np.number, np.integer, np.inexact
signedinteger, unsignedinteger = np.signedinteger, np.unsignedinteger
floating, complexfloating = np.floating, np.complexfloating
dtype = np.dtype
newaxis = None
euler_gamma = np.euler_gamma
True_, False_ = np.True_, np.False_
around = round

__array_api_version__ = "2025.12"

__all__ = [
    "False_", "True_", "__array_namespace_info__", "abs", "absolute", "acos", "acosh", "add", "all", "allclose",
    "amax", "amin", "angle", "any", "append", "apply_along_axis", "apply_over_axes", "arange", "arccos", "arccosh",
    "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin", "argpartition", "argsort", "argwhere",
    "around", "array", "array2string", "array_equal", "array_equiv", "array_repr", "array_split", "array_str",
    "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "asin", "asinh", "astype",
    "atan", "atan2", "atanh", "atleast_1d", "atleast_2d", "atleast_3d", "average", "bartlett", "base_repr",
    "bfloat16", "binary_repr", "bincount", "bitwise_and", "bitwise_count", "bitwise_invert", "bitwise_left_shift",
    "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "blackman", "block", "bool", "bool_",
    "broadcast_arrays", "broadcast_shapes", "broadcast_to", "byte", "c_", "can_cast", "cbrt", "cdouble", "ceil",
    "choose", "clip", "column_stack", "common_type", "complex64", "complex128", "complexfloating", "compress",
    "concat", "concatenate", "conj", "conjugate", "convolve", "copy", "copysign", "corrcoef", "correlate", "cos",
    "cosh", "count_nonzero", "cov", "cross", "csingle", "cummax", "cummin", "cumprod", "cumsum", "cumulative_prod",
    "cumulative_sum", "deg2rad", "degrees", "delete", "diag", "diag_indices", "diag_indices_from", "diagflat",
    "diagonal", "diff", "digitize", "divide", "divmod", "dot", "double", "dsplit", "dstack", "dtype", "e",
    "ediff1d", "einsum", "einsum_path", "empty", "empty_like", "equal", "euler_gamma", "exp", "exp2", "expand_dims",
    "expm1", "extract", "eye", "fabs", "fft", "fill_diagonal", "finfo", "fix", "flatnonzero", "flip", "fliplr",
    "flipud", "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2",
    "float8_e5m2fnuz", "float8_e8m0fnu", "float16", "float32", "float64", "float_power", "floating", "floor",
    "floor_divide", "fmax", "fmin", "fmod", "format_float_positional", "format_float_scientific", "frexp",
    "from_dlpack", "frombuffer", "fromfunction", "fromiter", "frompyfunc", "fromstring", "full", "full_like", "gcd",
    "generic", "geomspace", "get_printoptions", "gradient", "greater", "greater_equal", "half", "hamming",
    "hanning", "heaviside", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd", "hsplit", "hstack",
    "hypot", "i0", "identity", "iinfo", "imag", "index_exp", "indices", "inexact", "inf", "inner", "insert", "int8",
    "int16", "int32", "int64", "int_", "intc", "integer", "interp", "intersect1d", "intp", "invert", "isclose",
    "iscomplex", "iscomplexobj", "isdtype", "isfinite", "isfortran", "isin", "isinf", "isnan", "isneginf",
    "isposinf", "isreal", "isrealobj", "isscalar", "issubdtype", "iterable", "ix_", "kaiser", "kron", "lcm",
    "ldexp", "left_shift", "less", "less_equal", "lexsort", "linalg", "linspace", "load", "log", "log1p", "log2",
    "log10", "logaddexp", "logaddexp2", "logical_and", "logical_not", "logical_or", "logical_xor", "logspace",
    "long", "longlong", "mask_indices", "matmul", "matrix_transpose", "matvec", "max", "maximum", "mean", "median",
    "meshgrid", "mgrid", "min", "min_scalar_type", "minimum", "minmax", "mintypecode", "mod", "modf", "moveaxis",
    "multiply", "nan", "nan_to_num", "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean",
    "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "ndarray",
    "ndenumerate", "ndim", "ndindex", "negative", "newaxis", "nextafter", "nonzero", "not_equal", "number", "ogrid",
    "ones", "ones_like", "outer", "packbits", "pad", "partition", "percentile", "permute_dims", "pi", "piecewise",
    "place", "poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub", "polyval",
    "positive", "pow", "power", "printoptions", "prod", "promote_types", "ptp", "put", "put_along_axis", "putmask",
    "quantile", "r_", "rad2deg", "radians", "ravel", "ravel_multi_index", "real", "real_if_close", "reciprocal",
    "remainder", "repeat", "reshape", "resize", "result_type", "right_shift", "rint", "roll", "rollaxis", "roots",
    "rot90", "round", "s_", "save", "savez", "savez_compressed", "searchsorted", "select", "set_printoptions",
    "setdiff1d", "setxor1d", "shape", "short", "sign", "signbit", "signedinteger", "sin", "sinc", "single", "sinh",
    "size", "sort", "sort_complex", "spacing", "split", "sqrt", "square", "squeeze", "stack", "std", "subtract",
    "sum", "swapaxes", "take", "take_along_axis", "tan", "tanh", "tensordot", "tile", "top_k", "trace", "transpose",
    "trapezoid", "tri", "tril", "tril_indices", "tril_indices_from", "trim_zeros", "triu", "triu_indices",
    "triu_indices_from", "true_divide", "trunc", "ubyte", "ufunc", "uint", "uint8", "uint16", "uint32", "uint64",
    "uintc", "uintp", "ulong", "ulonglong", "union1d", "unique", "unique_all", "unique_counts", "unique_inverse",
    "unique_values", "unpackbits", "unravel_index", "unsignedinteger", "unstack", "unwrap", "ushort", "vander",
    "var", "vdot", "vecdot", "vecmat", "vectorize", "vsplit", "vstack", "where", "zeros", "zeros_like",
]  # fmt: skip
