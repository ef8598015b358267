"""Every public function answers as NumPy's of that name does, on calls drawn for it: eagerly, and compiled.

The table names a strategy for the calls of each function. What is not in the table says where else it is compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad.numpy as fnp

from .surface import Call, agree, arrays, axes, call, calls, matrices, operands, shaped

Calls = st.SearchStrategy[Call]
SURFACE: dict[str, Calls] = {}
OPTIONS: dict[str, dict[str, Any]] = {}


def row(names: str, strategy: Calls, **options: Any) -> None:
    """Enter functions that are called alike; `options` are those of `agree`."""
    for name in names.split():
        SURFACE[name] = strategy
        OPTIONS[name] = options


def unary(kinds: str, **limits: Any) -> Calls:
    return call(arrays(kinds, **limits))


def binary(kinds: str, mixed: bool = False, **limits: Any) -> Calls:
    return operands(2, kinds, mixed, **limits).map(Call)


FLAG = st.booleans()
SHAPE = st.lists(st.integers(0, 3), max_size=3).map(tuple)
LENGTH = st.integers(0, 5)
SMALL = st.integers(-3, 3)

# -- elementwise -------------------------------------------------------------------------------------------------------

row("add subtract multiply", calls(binary("IF", mixed=True), binary("C")))
row("maximum minimum fmax fmin", calls(binary("IF", mixed=True), binary("f", special=True)))
row("divide true_divide", calls(binary("I", low=1), binary("FC", low=1)))
row("floor_divide remainder mod fmod divmod", calls(binary("I", low=1), binary("F", low=1, mixed=True)))
row("equal not_equal", calls(binary("bIFC"), binary("f", special=True)))
row("less less_equal greater greater_equal", calls(binary("bIF"), binary("f", special=True)))
row("logical_and logical_or logical_xor", binary("bif", mixed=True))
row("arctan2 atan2", calls(binary("iF"), binary("f", special=True)))
row("copysign nextafter", binary("F", special=True))
row("heaviside", binary("iF"))
row("hypot logaddexp logaddexp2", calls(binary("iF"), binary("f", special=True)))
row("power pow", calls(binary("I", low=0), binary("F", low=0.25), binary("f", special=True)))
row("float_power", binary("iF", low=0.25), same_dtype=False)
row("bitwise_and bitwise_or bitwise_xor", binary("bI"))
row("left_shift right_shift bitwise_left_shift bitwise_right_shift", binary("I", low=0))
row("negative", unary("IFC"))
row("positive abs absolute square conj conjugate real imag", calls(unary("IFC"), unary("f", special=True)))
row("sign", calls(unary("IF"), unary("f", special=True)))
row("fabs", unary("iF"))
row("reciprocal", unary("FC", low=1))
row("floor ceil trunc rint fix round", calls(unary("IF"), unary("f", special=True)))
row("signbit", calls(unary("IF"), unary("f", special=True)))
row("isnan isinf isfinite", calls(unary("biF"), unary("fc", special=True)))
row("isposinf isneginf", unary("f", special=True))
row("isreal iscomplex iscomplexobj isrealobj logical_not", unary("biFC"))
row("bitwise_not bitwise_invert invert", unary("bI"))
row("bitwise_count", unary("I"), same_dtype=False)
row(
    "nan_to_num",
    calls(
        unary("iFC"),
        unary("f", special=True),
        call(arrays("f", special=True), nan=st.sampled_from([1.5, np.inf]), posinf=2.5),
    ),
)
row("modf", calls(unary("F"), unary("f", special=True)))
row("sqrt", calls(unary("iF", low=0), unary("C"), unary("f", special=True)))
row("exp exp2 expm1 sin cos tan sinh cosh tanh", calls(unary("iF"), unary("f", special=True)))
row("arctan arcsinh atan asinh cbrt", calls(unary("iF"), unary("f", special=True)))
row("log log2 log10 log1p arcsin arccos arccosh arctanh asin acos acosh atanh", unary("iFC"))
row("deg2rad rad2deg radians degrees", unary("iF"))
row("sinc", unary("iF"), floor=1)
row("angle", unary("FC"))
row("clip", calls(call(arrays("IF"), -1, 2), call(arrays("F"), None, 1.5), call(arrays("f"), arrays("f"), None)))
row("where", calls(operands(3, "bf", mixed=True).map(Call), operands(3, "IF").map(Call)))
row(
    "select",
    call(
        st.just([np.array([True, False, True]), np.array([False, False, True])]),
        st.lists(shaped(3, "f"), min_size=2, max_size=2),
        SMALL,
    ),
)
row("isclose allclose", calls(binary("F"), binary("f", special=True)))
row("array_equal array_equiv", calls(binary("if"), call(arrays("f"), arrays("f"))))

# -- reductions --------------------------------------------------------------------------------------------------------

REDUCED = arrays("bIFC")
AXES = axes(None, (0, 1), ())
row(
    "sum prod",
    calls(
        call(REDUCED, axis=AXES, keepdims=FLAG),
        call(arrays("f"), axis=AXES, initial=2.5),
        operands(2, "f").map(lambda xs: Call((xs[0],), {"where": xs[1] > 0})),
    ),
)
row(
    "max min amax amin",
    calls(
        call(arrays("IF"), axis=AXES, keepdims=FLAG),
        call(arrays("f", special=True), axis=AXES),
        call(arrays("f"), axis=AXES, initial=1.5),
    ),
)
row("ptp", call(arrays("if"), axis=axes(None), keepdims=FLAG))
row("all any", call(arrays("bif"), axis=AXES, keepdims=FLAG))
row("count_nonzero", call(arrays("bIF"), axis=axes(None), keepdims=FLAG))
row("argmax argmin", calls(call(arrays("IF"), axis=axes(None), keepdims=FLAG), call(arrays("f", special=True))))
row("mean", call(arrays("bIFC", min_dims=1), axis=AXES, keepdims=FLAG))
row("std var", call(arrays("iFC", min_dims=1), axis=AXES, ddof=st.integers(0, 1), keepdims=FLAG), ulps=256)
row(
    "average",
    calls(call(arrays("iF", min_dims=1), axis=axes(None)), call(shaped((2, 3), "f"), 1, shaped(3, "f", low=1))),
)
row("cumsum cumprod", call(arrays("bIFC"), axis=axes(None)))
row(
    "cumulative_sum cumulative_prod",
    calls(call(arrays("IF", min_dims=1), axis=axes(), include_initial=FLAG), call(shaped(3, "f"))),
)
row("nansum nanprod", call(arrays("f", special=True), axis=AXES, keepdims=FLAG))
row("nanmax nanmin", call(arrays("f", special=True, min_side=1), axis=axes(None), keepdims=FLAG))
row("nanmean nanstd nanvar", call(arrays("f", min_dims=1, min_side=1), axis=axes(None), keepdims=FLAG), ulps=256)
row("nancumsum nancumprod", call(arrays("f", special=True), axis=axes(None)))
row("nanargmax nanargmin", call(arrays("f"), axis=axes(None)))
row("diagonal", call(arrays("f"), offset=SMALL))
row("trace", call(arrays("IF"), offset=SMALL))

# -- products ----------------------------------------------------------------------------------------------------------

row("matmul dot inner", call(arrays("iFC"), arrays("f")), same_dtype=False)
row("outer", call(arrays("iFC"), arrays("f")), same_dtype=False)
row(
    "vdot",
    calls(call(shaped(3, "iFC"), shaped(3, "f")), call(shaped((2, 3), "C"), shaped((3, 2), "C"))),
    same_dtype=False,
)
row("vecdot", binary("iFC"))
row("kron", call(arrays("if"), arrays("if")), same_dtype=False)
row(
    "tensordot",
    call(
        shaped((2, 3, 2), "f"), shaped((2, 3), "f"), axes=st.sampled_from([0, 1, 2, ((0, 1), (0, 1)), (0, 0), (1, 1)])
    ),
)
row("cross", calls(call(shaped((2, 3), "if"), shaped(3, "if")), call(shaped(3, "f"), shaped((2, 4), "f"))))

# -- shapes ------------------------------------------------------------------------------------------------------------

MOVED = arrays("bif")
row("reshape", call(MOVED, calls(SHAPE, st.just((-1, 2)), st.just(-1))))
row("ravel", call(MOVED, order=st.sampled_from(["C", "F"])))
row("transpose", call(MOVED, axes=st.sampled_from([None, (0,), (1, 0), (2, 0, 1), (-1, 0)])))
row("permute_dims", call(MOVED, axes=st.sampled_from([(0,), (1, 0), (2, 0, 1), (-1, 0)])))
row("swapaxes", call(MOVED, SMALL, SMALL))
row("moveaxis", call(MOVED, SMALL, SMALL))
row("rollaxis", call(MOVED, SMALL, SMALL))
row("expand_dims", call(MOVED, st.sampled_from([0, -1, (0, 2), 3, (0, 0)])))
row("squeeze", call(arrays("bif", min_dims=1), axis=axes(None, (0, 1))))
row("broadcast_to", call(MOVED, SHAPE))
row("broadcast_arrays", operands(3, "if", mixed=True).map(Call))
row("flip", call(MOVED, axis=axes(None, (0, 1))))
row("fliplr flipud matrix_transpose atleast_1d atleast_2d atleast_3d", call(MOVED))
row("roll", calls(call(MOVED, SMALL, axis=axes(None)), call(MOVED, (1, 2), axis=(0, 1))))
row("rot90", call(MOVED, SMALL))
row("concatenate concat", call(st.lists(shaped((2, 3), "if"), max_size=3), axis=axes(None)))
row("stack", call(st.lists(shaped((2, 3), "if"), max_size=3), axis=axes()))
row("hstack vstack dstack column_stack", call(st.lists(arrays("if"), min_size=1, max_size=2)))
row("split", call(shaped((4, 3), "f"), st.sampled_from([1, 2, 3, (1, 3), (2,)]), axis=axes()))
row("array_split", call(MOVED, st.sampled_from([1, 2, 3, (1, 3)]), axis=axes()))
row("hsplit vsplit dsplit", call(shaped((2, 4, 2), "f"), st.sampled_from([1, 2, 3, (1,)])))
row("unstack", call(MOVED, axis=axes()))
row("tile", call(MOVED, st.sampled_from([0, 2, (2,), (1, 2), (2, 1, 1, 2)])))
row("repeat", calls(call(arrays("bif", min_dims=1), LENGTH, axis=axes(None)), call(shaped((2, 3), "f"), (1, 2), 0)))
row("pad", call(MOVED, st.sampled_from([0, 1, (1, 2), ((1, 0),)])))
row("tril triu", call(arrays("bif", min_dims=2), SMALL))
row("diag", call(MOVED, SMALL))
row("diagflat", call(MOVED, SMALL))
row("ndim shape size", call(MOVED))

# -- choosing and order ------------------------------------------------------------------------------------------------

row("take", call(arrays("bif", min_dims=1, min_side=1), st.sampled_from([0, -1, [0, 1], [[0], [2]]]), axis=axes(None)))
row("take_along_axis", call(shaped((2, 3), "f"), shaped((2, 3), "i", low=-2, high=1), axis=axes()))
row("sort", calls(call(arrays("bIFC"), axis=axes(None)), call(arrays("f", special=True))))
row("argsort", call(arrays("bIFC", min_dims=1), axis=axes(None), stable=True))
row("lexsort", call(arrays("if", min_dims=2, min_side=1)))
row("sort_complex", unary("iFC"), same_dtype=False)
row("searchsorted", call(shaped(4, "if").map(np.sort), arrays("f"), side=st.sampled_from(["left", "right"])))

# -- new arrays --------------------------------------------------------------------------------------------------------

row("zeros ones", call(SHAPE))
row("full", call(SHAPE, st.sampled_from([True, 2, 2.5, 1j])))
row("zeros_like ones_like", call(MOVED))
row("full_like", call(MOVED, SMALL))
row("eye", calls(call(LENGTH, LENGTH, SMALL), call(LENGTH)))
row("identity", call(LENGTH))
row("tri", call(LENGTH, LENGTH, SMALL))
row("arange", calls(call(SMALL), call(SMALL, LENGTH, st.sampled_from([1, 2, -1])), call(SMALL, 4.5, 0.5)))
row("isscalar", call(st.sampled_from([1, 2.5, 1j, True, [1], (2,)])))
row("linspace", calls(call(SMALL, 2.5, LENGTH, endpoint=FLAG), call(arrays("f"), 2.0, 3, axis=axes())))
row("logspace", call(-1, 1.5, LENGTH, endpoint=FLAG))
row("geomspace", call(0.5, 8, LENGTH, endpoint=FLAG))
row("meshgrid", call(shaped(2, "f"), shaped(3, "i"), indexing=st.sampled_from(["xy", "ij"]), sparse=FLAG))
row("indices", call(SHAPE, sparse=FLAG))
row("vander", call(shaped(3, "if"), calls(LENGTH, st.none()), increasing=FLAG))
row(
    "array asarray copy ascontiguousarray",
    calls(call(MOVED), call(st.sampled_from([2, 2.5, [1, 2], [[True], [False]]]))),
)

# -- editing and index tricks ------------------------------------------------------------------------------------------

row("append", call(MOVED, MOVED, axis=axes(None)), same_dtype=False)
row(
    "insert",
    calls(
        call(shaped((3, 2), "if"), st.sampled_from([0, 1, -1, 3, 4]), 2, axis=axes(None)),
        call(shaped(4, "f"), [1, 3], [1.5, 2.5]),
    ),
)
row("delete", call(shaped((3, 4), "if"), st.sampled_from([0, -1, [0, 2], slice(1, 3), 5]), axis=axes(None)))
row("resize", call(arrays("if"), SHAPE))
row("trim_zeros", call(shaped(5, "if", low=0, high=1), trim=st.sampled_from(["fb", "f", "b"])))
row("compress", call([True, False, True], shaped((3, 3), "if"), axis=axes(None)))
row("extract", shaped((2, 3), "if").map(lambda x: Call((x > 0, x))))
row(
    "choose",
    call(
        shaped(3, "i", low=0, high=2),
        st.lists(shaped(3, "f"), min_size=2, max_size=3),
        mode=st.sampled_from(["raise", "clip", "wrap"]),
    ),
)
row("ravel_multi_index", call((np.array([0, 2, 1]), np.array([1, 0, 3])), (3, 4), order=st.sampled_from(["C", "F"])))
row("unravel_index", call(shaped(3, "i", low=0, high=11), (3, 4), order=st.sampled_from(["C", "F"])))
row("diag_indices", call(LENGTH, st.integers(1, 3)))
row("diag_indices_from", call(st.sampled_from([np.zeros((2, 2)), np.zeros((3, 3, 3)), np.zeros((2, 3)), np.zeros(2)])))
row("tril_indices triu_indices", call(LENGTH, SMALL, LENGTH))
row("tril_indices_from triu_indices_from", call(shaped((3, 4), "f"), SMALL))
row("block", call(st.lists(st.lists(shaped((2, 3), "if"), min_size=2, max_size=2), min_size=1, max_size=2)))
row("nonzero argwhere flatnonzero", call(arrays("bif", min_dims=1)))
row("partition", call(shaped((3, 4), "if"), st.sampled_from([0, 1, -1, 4]), axis=axes(None)))
row("packbits", call(shaped((3, 9), "b"), axis=axes(None), bitorder=st.sampled_from(["big", "little"])))
row("unpackbits", call(shaped((2, 3), "u").map(lambda x: x.astype(np.uint8)), axis=axes(None)))

# -- sets --------------------------------------------------------------------------------------------------------------

row("unique", call(arrays("bif"), return_index=FLAG, return_inverse=FLAG, return_counts=FLAG, axis=axes(None)))
row("unique_counts unique_inverse unique_all", call(arrays("bif")))
row("union1d intersect1d setdiff1d setxor1d", call(arrays("if"), arrays("if")))
row("isin", call(arrays("if"), arrays("if"), invert=FLAG))

# -- calculus, polynomials, statistics ---------------------------------------------------------------------------------

row("diff", calls(call(arrays("bifC"), st.integers(0, 2), axis=axes()), call(shaped((2, 3), "f"), 1, 0, prepend=1.5)))
row("ediff1d", call(arrays("if"), to_begin=st.sampled_from([None, 1]), to_end=st.sampled_from([None, 2])))
row("gradient", call(shaped((3, 4), "F"), st.sampled_from([1.0, 0.5]), axis=axes(None), edge_order=st.integers(1, 2)))
row("trapezoid", calls(call(arrays("iF"), dx=0.5, axis=axes()), call(shaped((2, 3), "f"), shaped(3, "f"))))
row("interp", call(arrays("f"), np.array([-1.0, 0.5, 2.0], np.float32), shaped(3, "f"), st.sampled_from([None, -9.0])))
row(
    "convolve",
    call(shaped(st.integers(1, 4), "iFC"), shaped(st.integers(1, 4), "f"), st.sampled_from(["full", "same", "valid"])),
    same_dtype=False,
)
row(
    "correlate",
    call(shaped(st.integers(1, 4), "iFC"), shaped(st.integers(1, 4), "f"), st.sampled_from(["full", "same", "valid"])),
    same_dtype=False,
)
row("unwrap", call(shaped((2, 4), "F", low=-9, high=9), axis=axes()))
row("polyval", call(shaped(3, "iF"), arrays("f")), same_dtype=False)
row(
    "polyadd polysub polymul",
    call(shaped(st.integers(1, 4), "iF", low=1), shaped(st.integers(1, 3), "f", low=1)),
    same_dtype=False,
)
row("polyder", call(shaped(4, "iF"), st.integers(0, 2)))
row("polyint", call(shaped(3, "iF"), st.integers(0, 2)))
row("bartlett blackman hamming hanning", call(st.integers(0, 6)), floor=1)
row("kaiser", call(st.integers(0, 6), 2.5), ulps=128)
row("i0", call(arrays("iF")))
row(
    "percentile",
    call(arrays("iF", min_dims=1, min_side=1), st.sampled_from([0, 30, 100, [25, 50]]), axis=axes(None), keepdims=FLAG),
)
row(
    "quantile",
    call(
        arrays("iF", min_dims=1, min_side=1),
        st.sampled_from([0.0, 0.3, [0.25, 1.0]]),
        axis=axes(None),
        method=st.sampled_from(["linear", "lower", "nearest", "hazen", "median_unbiased", "closest_observation"]),
    ),
)
row("median", call(arrays("iF", min_dims=1, min_side=1), axis=AXES, keepdims=FLAG))
row("nanmedian", call(arrays("f", min_dims=1, min_side=1), axis=axes(None)))
row("nanpercentile", call(arrays("f", min_dims=1, min_side=1), 40, axis=axes(None)))
row("nanquantile", call(arrays("f", min_dims=1, min_side=1), 0.4, axis=axes(None)))
row("cov", call(shaped((2, 4), "iF"), rowvar=FLAG, bias=FLAG), ulps=256)
row("corrcoef", call(np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32), rowvar=FLAG), ulps=1024)
row("histogram", call(arrays("iF", min_side=1), st.sampled_from([4, [-4.0, 0.0, 2.5]]), density=FLAG), same_dtype=False)
row("bincount", call(shaped(4, "i", low=0), minlength=st.integers(0, 6)))
row("digitize", call(arrays("iF"), np.array([-1.0, 0.5, 2.0], np.float32), right=FLAG))
row("gcd lcm", binary("I", mixed=True))
row("ldexp", call(shaped(3, "F"), shaped(3, "i")))
row("frexp", unary("F", special=True))
row("spacing", unary("F", low=0.25))

# -- linear algebra and Fourier transforms -----------------------------------------------------------------------------

SQUARE = matrices(kinds="fFC")
row("linalg.inv linalg.det linalg.slogdet", call(SQUARE), ulps=4096)
row("linalg.solve", st.builds(lambda a: Call((a, a[..., :2] + 1)), SQUARE), ulps=1 << 14)
row("linalg.qr", call(matrices(columns=st.integers(0, 4)), mode="r"), ulps=4096, magnitude=True)
row("linalg.svdvals", call(matrices(columns=st.integers(1, 4))), ulps=4096)
row("linalg.eigvalsh", call(matrices()), ulps=4096)
row("linalg.matrix_power", call(matrices(st.integers(1, 3)), SMALL), ulps=1 << 16)
row(
    "linalg.norm",
    calls(
        call(arrays("iFC"), st.sampled_from([None, 2, 1, np.inf, -np.inf, 0, 3])),
        call(shaped((2, 3), "iFC"), st.sampled_from(["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])),
    ),
    ulps=512,
)
row(
    "linalg.vector_norm",
    call(arrays("iFC", min_side=1), axis=AXES, keepdims=FLAG, ord=st.sampled_from([2, 1, np.inf, 3])),
    ulps=256,
)
row(
    "linalg.matrix_norm",
    call(matrices(st.integers(1, 3), st.integers(1, 3)), ord=st.sampled_from(["fro", "nuc", 1, 2])),
    ulps=512,
)
row("linalg.matrix_rank", call(matrices(st.integers(1, 3), st.integers(1, 3))))
row("linalg.pinv", call(matrices(st.integers(1, 3), st.integers(1, 3))), ulps=1 << 16)
row("linalg.cond", call(matrices(st.integers(1, 3)), st.sampled_from([None, 1, "fro", np.inf, -2])), ulps=1 << 18)
row(
    "linalg.multi_dot",
    call(st.just([np.ones((2, 3), np.float32), np.ones((3, 4), np.float32), np.ones((4, 1), np.float32)])),
)
SIGNALS = shaped((2, 5), "iFC")
NORM = st.sampled_from([None, "ortho", "forward", "backward"])
row("fft.fft fft.ifft fft.hfft", call(SIGNALS, st.sampled_from([None, 3, 8]), axis=axes(), norm=NORM), ulps=512)
row("fft.rfft fft.ihfft", call(shaped((2, 5), "iF"), st.sampled_from([None, 3, 8]), axis=axes(), norm=NORM), ulps=512)
row("fft.irfft", call(SIGNALS, st.sampled_from([None, 3, 8]), axis=axes(), norm=NORM), ulps=512)
row("fft.fft2 fft.ifft2 fft.fftn fft.ifftn", call(shaped((2, 3, 4), "iFC"), norm=NORM), ulps=512)
row("fft.rfft2 fft.rfftn", call(shaped((2, 3, 4), "iF"), norm=NORM), ulps=512)
row("fft.irfft2 fft.irfftn", call(shaped((2, 3, 4), "FC"), norm=NORM), ulps=512)
row("fft.fftfreq fft.rfftfreq", call(st.integers(1, 6), 0.5))
row("fft.fftshift fft.ifftshift", call(arrays("if", min_dims=1), axes=axes(None)))

# What is not drawn here: functions without a NumPy counterpart, of files, of text, or determined up to a choice only.
ELSEWHERE = {
    "test_array_api": "__array_namespace_info__ finfo from_dlpack astype",
    "test_compatibility": "around asanyarray asarray_chkfinite asfortranarray common_type isfortran min_scalar_type "
    "mintypecode real_if_close",
    "test_contraction": "matvec vecmat",
    "test_creation": "empty empty_like iinfo",
    "test_einsum": "einsum einsum_path",
    "test_extremes": "minmax top_k",
    "test_files": "load save savez savez_compressed",
    "test_functional": "apply_along_axis apply_over_axes frombuffer fromfunction fromiter fromstring iterable "
    "vectorize",
    "test_histograms": "histogram2d histogram_bin_edges histogramdd",
    "test_index_tricks": "ndenumerate ndindex",
    "test_indexing": "ix_ put_along_axis",
    "test_linalg_solving": "linalg.cholesky linalg.cross "
    "linalg.diagonal linalg.matmul linalg.matrix_transpose linalg.outer linalg.tensordot linalg.tensorinv "
    "linalg.tensorsolve linalg.trace linalg.vecdot",
    "test_linalg_spectral": "linalg.eig linalg.eigh linalg.eigvals linalg.lstsq linalg.svd",
    "test_places": "fill_diagonal mask_indices piecewise place put putmask",
    "test_polynomials": "poly polydiv polyfit roots",
    "test_printing": "array2string array_repr array_str base_repr binary_repr format_float_positional "
    "format_float_scientific get_printoptions printoptions set_printoptions",
    "test_reductions": "cummax cummin",
    "test_sets": "unique_values",
    "test_shape": "broadcast_shapes can_cast isdtype issubdtype promote_types result_type",
    "test_sorting": "argpartition",
    "test_ufuncs": "frompyfunc",
}

DATA_DEPENDENT = set(  # their shapes are, so they cannot be compiled without size=
    "unique unique_values unique_counts unique_inverse unique_all union1d intersect1d setdiff1d setxor1d nonzero "
    "argwhere flatnonzero extract trim_zeros bincount".split()
)


def public_functions() -> list[str]:
    """The names of all functions of funcgrad.numpy and its submodules."""
    found = []
    for prefix, module in (("", fnp), ("linalg.", fnp.linalg), ("fft.", fnp.fft)):
        values = {name: getattr(module, name) for name in module.__all__}
        found += [prefix + name for name, value in values.items() if callable(value) and not isinstance(value, type)]
    return found


def test_every_public_function_is_compared_with_numpy_somewhere() -> None:
    missing = set(public_functions()) - set(SURFACE)
    for file, names in ELSEWHERE.items():
        text = Path(__file__).with_name(f"{file}.py").read_text()
        named = {name for name in names.split() if name.rpartition(".")[2] in text}
        assert named == set(names.split()), f"{file} does not mention {set(names.split()) - named}"
        missing -= named
    assert not missing


@pytest.mark.parametrize("name", sorted(SURFACE))
@settings(max_examples=40)
@given(data=st.data())
def test_eager(name: str, data: st.DataObject) -> None:
    agree(name, data.draw(SURFACE[name]), **OPTIONS[name])


@pytest.mark.parametrize("name", sorted(set(SURFACE) - DATA_DEPENDENT))
@settings(max_examples=4)
@given(data=st.data())
def test_compiled(name: str, data: st.DataObject) -> None:
    agree(name, data.draw(SURFACE[name]), compiled=True, **OPTIONS[name])
