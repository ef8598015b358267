"""What the Array API standard asks beyond NumPy's functions: inspection, exchange, and values in the corners."""

from __future__ import annotations

import cmath
from itertools import product
from math import inf, nan, pi
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, DeviceError, DTypeError

# -- inspection --------------------------------------------------------------------------------------------------------


def test_arrays_and_tracers_name_their_namespace() -> None:
    x = fnp.ones(2)
    assert x.__array_namespace__() is fnp
    assert x.__array_namespace__(api_version=fnp.__array_api_version__) is fnp

    @fg.jit
    def double(x: Any) -> Any:
        xp = x.__array_namespace__(api_version="2023.12")
        return xp.add(x, xp.zeros(x.shape, dtype=x.dtype, device=x.device)) * 2

    np.testing.assert_array_equal(double(x), [2, 2])


def test_the_default_dtypes_follow_the_settings() -> None:
    info = fnp.__array_namespace_info__()
    expected = {"real floating": "float32", "complex floating": "complex64", "integral": "int32", "indexing": "int32"}
    assert {kind: dtype.name for kind, dtype in info.default_dtypes().items()} == expected
    with fg.config(default_float="float64", default_int="int64"):
        wide = {"real floating": "float64", "complex floating": "complex128", "integral": "int64", "indexing": "int64"}
        assert {kind: dtype.name for kind, dtype in info.default_dtypes(device="cpu").items()} == wide
        assert fnp.argmax(fnp.ones(3)).dtype == wide["indexing"]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("bool", "bool"),
        ("signed integer", "int8 int16 int32 int64"),
        ("unsigned integer", "uint8 uint16 uint32 uint64"),
        ("real floating", "float32 float64"),
        ("complex floating", "complex64 complex128"),
        (("bool", "real floating"), "bool float32 float64"),
    ],
)
def test_dtypes_by_kind(kind: Any, names: str) -> None:
    found = fnp.__array_namespace_info__().dtypes(kind=kind)
    assert list(found) == names.split()
    assert all(getattr(fnp, name) == dtype for name, dtype in found.items())


def test_all_dtypes_of_the_standard_and_no_others() -> None:
    info = fnp.__array_namespace_info__()
    assert len(info.dtypes()) == 13
    assert set(info.dtypes(kind="numeric")) == set(info.dtypes()) - {"bool"}
    assert set(info.dtypes(kind="integral")) == set(info.dtypes(kind=("signed integer", "unsigned integer")))


def test_devices_and_capabilities() -> None:
    info = fnp.__array_namespace_info__()
    assert isinstance(info.devices(), tuple)
    assert info.default_device() in info.devices()
    assert fnp.ones(2).device == info.default_device()
    limit = info.capabilities().pop("max dimensions")
    assert fg.jit(lambda x: x + 1)(fnp.zeros((1,) * limit)).ndim == limit
    assert all(info.capabilities().values())


def test_inspection_refuses_what_is_not_there() -> None:
    info = fnp.__array_namespace_info__()
    with pytest.raises(DeviceError):
        info.dtypes(device="abacus")
    with pytest.raises(DeviceError):
        info.default_dtypes(device="abacus")
    with pytest.raises(DTypeError):
        info.dtypes(kind="odd")
    with pytest.raises(ArgumentError, match=r"2025\.12"):
        fnp.ones(2).__array_namespace__(api_version="1999.12")


def test_moving_to_a_device() -> None:
    x = fnp.arange(3.0)
    moved = x.to_device("cpu")
    assert moved.device == x.device
    np.testing.assert_array_equal(moved, x)
    np.testing.assert_array_equal(fg.jit(lambda x: x.to_device("cpu", stream=None) + 1)(x), x + 1)
    with pytest.raises(ArgumentError, match="stream"):
        x.to_device("cpu", stream=1)


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "float8_e4m3fn"])
def test_limits_of_floats_are_python_numbers(dtype: str) -> None:
    found = fnp.finfo(dtype)
    assert found.dtype == np.dtype(getattr(fnp, dtype))
    assert {type(v) for v in found[1:]} == {float, int}
    one = fnp.ones((), dtype)
    assert bool(one + found.eps > one)
    assert bool(one + found.eps / 4 == one)
    assert float(fnp.asarray(found.max, dtype)) == found.max == -found.min
    assert found.tiny == found.smallest_normal == 2.0**found.minexp
    assert found.bits == 8 * found.dtype.itemsize


def test_limits_of_complex_numbers_arrays_and_integers() -> None:
    assert fnp.finfo(fnp.complex128) == fnp.finfo(fnp.float64) == fnp.finfo(fnp.ones(2, "float64"))
    assert fnp.finfo(np.float32(1)) == fnp.finfo(float)
    for name in ("int8", "uint16", "int32", "uint64"):
        ours, theirs = fnp.iinfo(name), np.iinfo(name)
        assert ours == (np.dtype(name), theirs.bits, theirs.max, theirs.min)
        assert fnp.iinfo(fnp.zeros((), name)) == ours
    with pytest.raises(DTypeError, match="iinfo takes integer"):
        fnp.finfo(int)
    with pytest.raises(DTypeError, match="finfo takes floating"):
        fnp.iinfo(float)


# -- exchange ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [None, (0, 0), (0, 8), (1, 0), (2, 0)])
@pytest.mark.parametrize("copy", [None, True, False])
def test_capsules_of_every_version(version: Any, copy: bool | None) -> None:
    for dtype in ("bool", "int8", "float64", "complex64", "bfloat16"):
        for device in (None, (1, 0)):
            capsule = fnp.ones((2, 3), dtype).__dlpack__(max_version=version, copy=copy, dl_device=device)
            assert "dltensor" in repr(capsule)


def test_exported_memory_is_read_only_where_the_protocol_can_say_so() -> None:
    x = fnp.arange(3.0)
    assert not np.from_dlpack(x).flags.writeable
    assert np.shares_memory(np.from_dlpack(x), np.asarray(x))
    assert not np.shares_memory(np.from_dlpack(x, copy=True), np.asarray(x))


class Foreign:
    """An array of another library, which is ours underneath."""

    def __init__(self, x: fg.Array) -> None:
        self.x = x

    def __dlpack__(self, **options: Any) -> Any:
        return self.x.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.x.__dlpack_device__()


@pytest.mark.parametrize("copy", [None, True, False])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "float64", "complex128", "bfloat16"])
def test_importing_keeps_values_and_dtypes(dtype: str, copy: bool | None) -> None:
    x = fnp.asarray([[0, 1], [1, 1]], dtype)
    for source in (x, Foreign(x)):
        found = fnp.from_dlpack(source, copy=copy)
        assert found.type == x.type
        assert found.device == x.device
        np.testing.assert_array_equal(np.asarray(found), np.asarray(x))
    assert fnp.from_dlpack(Foreign(x), device="cpu").device == fg.devices("cpu")[0]


def test_importing_copies_unless_told_otherwise() -> None:
    source = np.arange(3.0)
    copied, alias = fnp.from_dlpack(source), fnp.from_dlpack(source, copy=False)
    source[0] = 7
    assert (float(copied[0]), float(alias[0])) == (0, 7)


# -- copies ------------------------------------------------------------------------------------------------------------


def test_a_copy_is_made_exactly_when_asked_for() -> None:
    x = fnp.arange(3)
    assert fnp.asarray(x) is x
    assert fnp.asarray(x, copy=False) is x
    assert fnp.asarray(x, copy=True) is not x
    for impossible in (lambda: fnp.asarray(x, "float32", copy=False), lambda: fnp.asarray(1.0, copy=False)):
        with pytest.raises(ArgumentError, match="copy=False"):
            impossible()


def test_several_results_are_a_tuple() -> None:
    assert type(fnp.broadcast_arrays(fnp.ones(2), 1)) is tuple
    assert type(fnp.meshgrid(fnp.ones(2), fnp.ones(3))) is tuple


# -- linspace ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", [True, False])
@pytest.mark.parametrize("num", [0, 1, 2, 7])
def test_linspace_starts_exactly_and_computes_in_the_dtype_asked_for(num: int, endpoint: bool) -> None:
    found = fnp.linspace(0.1, 1.7, num, endpoint, dtype=fnp.float64)
    np.testing.assert_array_max_ulp(np.asarray(found), np.linspace(0.1, 1.7, num, endpoint), 2)
    if num:
        assert float(fnp.linspace(1.0, 3.5e38, num, endpoint, dtype="float64")[0]) == 1
        assert float(fnp.linspace(-3e38, 3e38, 1, endpoint)[0]) == np.float32(-3e38)


# -- real corners ------------------------------------------------------------------------------------------------------

EDGES = [0.0, -0.0, 0.5, -0.5, 2.0, -2.0, 3.0, inf, -inf, nan]


def exactly(found: Any, expected: Any) -> np.ndarray:
    """Where numbers are equal, zeros of one sign, and NaN in one place."""
    found, expected = np.asarray(found), np.asarray(expected)
    zeros_agree = (expected != 0) | (np.signbit(found) == np.signbit(expected))
    return (np.isnan(found) & np.isnan(expected)) | ((found == expected) & zeros_agree)


@pytest.mark.parametrize("function", [fnp.floor_divide, fnp.remainder, fnp.copysign, fnp.maximum, fnp.hypot, fnp.atan2])
def test_compiled_functions_of_two_edges_agree_with_eager_ones(function: Any) -> None:
    pairs = [(x, y) for x, y in product(EDGES, EDGES) if function is not fnp.maximum or x != y]
    x, y = (fnp.asarray(np.array(column), "float64") for column in zip(*pairs, strict=True))
    eager, compiled = np.asarray(function(x, y)), np.asarray(fg.jit(function)(x, y))
    same = exactly(compiled, eager) | np.isclose(compiled, eager, rtol=4e-16, atol=0)
    assert same.all(), [(*pairs[i], eager[i], compiled[i]) for i in np.flatnonzero(~same)]


@pytest.mark.parametrize("wrap", [lambda f: f, fg.jit], ids=["eager", "jit"])
def test_zeros_have_the_sign_that_the_standard_gives_them(wrap: Any) -> None:
    x = fnp.asarray([0.0, -0.0, 3.0, -3.0, inf, -inf, nan])
    assert exactly(wrap(fnp.sign)(x), [0, 0, 1, -1, 1, -1, nan]).all()
    assert exactly(wrap(fnp.sign)(x.astype("bfloat16")).astype("float32"), [0, 0, 1, -1, 1, -1, nan]).all()
    assert exactly(wrap(fnp.floor_divide)(x[:2], -2.0), [-0.0, 0.0]).all()
    assert exactly(wrap(fnp.remainder)(x[:2], -2.0), [-0.0, -0.0]).all()
    assert exactly(wrap(fnp.remainder)(x[2:4], 3.0), [0.0, 0.0]).all()


# -- complex corners: the tables of the standard, which are those of C99's Annex G -----------------------------------

NAMES = (
    "acos acosh asin asinh atan atanh cos cosh exp exp2 expm1 log log10 log1p log2 sign sin sinh sqrt tan tanh".split()
)
PARTS = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, inf, -inf, nan]
GRID = [complex(a, b) for a, b in product(PARTS, PARTS)]

# (function, operand, result). Where a result's zero or infinity may have either sign, its size is compared.
TABLE: list[tuple[str, complex, complex]] = [
    ("acos", complex(0, nan), complex(pi / 2, nan)),
    ("acos", complex(inf, inf), complex(pi / 4, -inf)),
    ("acos", complex(nan, inf), complex(nan, -inf)),
    ("acos", complex(2, -0.0), complex(0, 1.3169578969248166)),
    ("acosh", complex(0, nan), complex(nan, pi / 2)),
    ("acosh", complex(-2, -0.0), complex(1.3169578969248166, -pi)),
    ("acosh", complex(nan, inf), complex(inf, nan)),
    ("asinh", complex(nan, 0), complex(nan, 0)),
    ("asinh", complex(nan, 1), complex(nan, nan)),
    ("asinh", complex(-0.0, 2), complex(-1.3169578969248166, pi / 2)),
    ("atanh", complex(0, nan), complex(0, nan)),
    ("atanh", complex(1, nan), complex(nan, nan)),
    ("atanh", complex(1, 0), complex(inf, 0)),
    ("atanh", complex(inf, nan), complex(0, nan)),
    ("atanh", complex(nan, 1), complex(nan, nan)),
    ("cosh", complex(0, inf), complex(nan, 0)),
    ("cosh", complex(inf, inf), complex(inf, nan)),
    ("cosh", complex(inf, 0), complex(inf, 0)),
    ("exp", complex(-inf, inf), complex(0, 0)),
    ("exp", complex(inf, nan), complex(inf, nan)),
    ("exp", complex(nan, 0), complex(nan, 0)),
    ("expm1", complex(inf, 0), complex(inf, 0)),
    ("expm1", complex(-inf, nan), complex(-1, 0)),
    ("expm1", complex(-0.0, 0), complex(0, 0)),
    ("expm1", complex(nan, 0), complex(nan, 0)),
    ("log", complex(-0.0, 0), complex(-inf, pi)),
    ("log", complex(inf, nan), complex(inf, nan)),
    ("log", complex(nan, inf), complex(inf, nan)),
    ("log1p", complex(-1, 0), complex(-inf, 0)),
    ("log1p", complex(nan, -inf), complex(inf, nan)),
    ("log2", complex(inf, nan), complex(inf, nan)),
    ("log10", complex(0, 0), complex(-inf, 0)),
    ("sign", complex(-0.0, -0.0), complex(0, 0)),
    ("sign", complex(inf, nan), complex(nan, nan)),
    ("sin", complex(nan, 0), complex(nan, 0)),
    ("sinh", complex(0, inf), complex(0, nan)),
    ("sinh", complex(inf, nan), complex(inf, nan)),
    ("sinh", complex(nan, 0), complex(nan, 0)),
    ("sqrt", complex(-inf, nan), complex(nan, inf)),
    ("sqrt", complex(inf, nan), complex(inf, nan)),
    ("sqrt", complex(nan, inf), complex(inf, inf)),
    ("sqrt", complex(-1, -0.0), complex(0, -1)),
    ("tanh", complex(0, inf), complex(0, nan)),
    ("tanh", complex(inf, 2), complex(1, 0)),
    ("tanh", complex(inf, nan), complex(1, 0)),
    ("tanh", complex(nan, 0), complex(nan, 0)),
]
EITHER_SIGN = {("sinh", -inf), ("sinh", inf), ("sin", inf), ("exp", -inf), ("exp2", -inf)}


def close(found: float, expected: float, tolerance: float) -> bool:
    if np.isnan(expected) or np.isinf(expected) or expected == 0:
        return bool(exactly(found, expected))
    return bool(abs(found - expected) <= tolerance * abs(expected))


def parts(values: Any) -> list[tuple[float, float]]:
    return [(float(z.real), float(z.imag)) for z in np.asarray(values)]


@pytest.fixture(scope="module", params=["complex64", "complex128"])
def grids(request: pytest.FixtureRequest) -> tuple[dict[str, Any], dict[str, Any], float]:
    """Every function on the whole grid, eager and compiled, and how far finite parts may differ."""

    def everything(z: Any) -> dict[str, Any]:
        return {name: getattr(fnp, name)(z) for name in NAMES}

    z = fnp.asarray(np.array(GRID), request.param)
    # The engine's functions of complex numbers are exact to some ulps of the whole number.
    return everything(z), fg.jit(everything)(z), 8 * fnp.finfo(request.param).eps


@pytest.mark.parametrize("name", NAMES)
def test_compiled_complex_functions_agree_with_eager_ones_in_every_corner(name: str, grids: Any) -> None:
    eager, compiled, tolerance = grids
    wrong = []
    for z, (x, y), (u, v) in zip(GRID, parts(eager[name]), parts(compiled[name]), strict=True):
        lost = not np.isfinite(z.real if name.startswith("sin") and name != "sinh" else z.imag)
        if lost and ((name, z.real) in EITHER_SIGN or (name, abs(z.imag)) in EITHER_SIGN):
            x, y, u, v = map(abs, (x, y, u, v))
        if not (close(u, x, tolerance) and close(v, y, tolerance)):
            wrong.append((z, (x, y), (u, v)))
    assert not wrong


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_corners_of_the_standard(row: tuple[str, complex, complex], grids: Any) -> None:
    name, z, expected = row
    place = next(i for i, other in enumerate(GRID) if exactly([other.real, other.imag], [z.real, z.imag]).all())
    for results in grids[:2]:
        x, y = parts(results[name])[place]
        if not np.isfinite(z.imag):  # the standard leaves some of these signs open
            x, y, expected = abs(x), abs(y), complex(abs(expected.real), abs(expected.imag))
        assert close(x, expected.real, grids[2])
        assert close(y, expected.imag, grids[2])


@pytest.mark.parametrize("name", [n for n in NAMES if hasattr(cmath, n) and n not in ("log2", "log10")])
def test_finite_complex_numbers_have_the_values_of_c(name: str, grids: Any) -> None:
    """On both sides of each branch cut; `cmath` is C's."""
    for z, (x, y) in zip(GRID, parts(grids[1][name]), strict=True):
        if cmath.isfinite(z):
            try:
                expected = getattr(cmath, name)(z)
            except ValueError:  # a pole
                continue
            assert close(x, expected.real, grids[2])
            assert close(y, expected.imag, grids[2])


def test_the_size_of_an_infinite_number_is_infinite() -> None:
    z = fnp.asarray([complex(inf, nan), complex(nan, -inf), complex(nan, 1), 3 + 4j])
    for size in (fnp.abs(z), fg.jit(fnp.abs)(z)):
        np.testing.assert_array_equal(size, np.float32([inf, inf, nan, 5]))


def test_complex_expm1_is_exact_near_zero() -> None:
    z = np.array([1e-10 + 1e-10j, 1e-12j, -1e-9 + 0j, 1e-3 - 2e-3j])
    expected = z + z**2 / 2 + z**3 / 6 + z**4 / 24 + z**5 / 120
    for found in (fnp.expm1(fnp.asarray(z)), fg.jit(fnp.expm1)(fnp.asarray(z))):
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-13, atol=0)
