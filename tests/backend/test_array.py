"""Arrays: values never change, both representations agree, NumPy's and Python's protocols hold."""

from __future__ import annotations

import copy
import pickle
import sys
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.backend.array import aligned_copy
from funcgrad.core import dtypes as dt
from funcgrad.core.types import ArrayType

SIZES = (3, 5000)  # below and above where memory of our own is aligned


def memory_of(count: int, offset: int, dtype: Any = np.float32) -> np.ndarray:
    """Writeable memory that begins `offset` bytes after a multiple of 64."""
    itemsize = np.dtype(dtype).itemsize
    raw = np.zeros(count * itemsize + 128, np.uint8)
    start = -raw.ctypes.data % 64 + offset
    view = raw[start : start + count * itemsize].view(dtype)
    assert view.ctypes.data % 64 == offset
    return view


# -- values never change -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_buffer", [False, True], ids=["host", "buffer"])
@pytest.mark.parametrize("offset", [0, 4], ids=["aligned", "misaligned"])
@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("make", [fnp.array, fnp.asarray, fg.device_put], ids=["array", "asarray", "device_put"])
def test_later_writes_to_the_source_do_not_reach_an_array(
    make: Any, count: int, offset: int, with_buffer: bool
) -> None:
    source = memory_of(count, offset)
    source[:] = 1
    x = make(source)
    if with_buffer:
        x.buffer()
    source[:] = 7
    np.testing.assert_array_equal(x, np.ones(count))
    np.testing.assert_array_equal(fg.jit(lambda x: x * 1)(x), np.ones(count))


@pytest.mark.parametrize("offset", [0, 4], ids=["aligned", "misaligned"])
@pytest.mark.parametrize("count", SIZES)
def test_arguments_of_compiled_functions_are_copied(count: int, offset: int) -> None:
    source = memory_of(count, offset)
    source[:] = 1
    kept = fg.jit(lambda x: (x, x + 1))(source)
    source[:] = 7
    np.testing.assert_array_equal(kept[0], np.ones(count))
    np.testing.assert_array_equal(kept[1], np.full(count, 2))


@pytest.mark.parametrize("make", [
    lambda: fnp.arange(6.0), lambda: fnp.zeros((2, 3)), lambda: fg.jit(lambda x: x + 1)(fnp.arange(6.0)),
    lambda: fnp.arange(6.0).reshape(2, 3).T, lambda: fnp.asarray(2.0), lambda: fnp.arange(6.0)[1:3],
])  # fmt: skip
def test_host_views_are_read_only_for_good(make: Any) -> None:
    x = make()
    before = np.array(x)
    for view in (np.asarray(x), x.__array__(), fg.device_get(x)):
        assert not view.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            view[...] = 9
        with pytest.raises(ValueError, match="WRITEABLE"):
            view.flags.writeable = True
    np.testing.assert_array_equal(x, before)


def test_copies_of_the_value_may_be_written() -> None:
    x = fnp.arange(3.0)
    for copied in (np.array(x), x.__array__(copy=True), np.asarray(x, np.float64)):
        copied[0] = 9
    np.testing.assert_array_equal(x, [0, 1, 2])


def test_views_that_share_memory_stay_equal_after_one_is_shown() -> None:
    x = fnp.arange(6.0)
    row = x[2:4]
    np.asarray(x)
    np.testing.assert_array_equal(row + 1, [3, 4])


def test_an_array_may_not_change_its_dtype_without_a_copy() -> None:
    with pytest.raises(ValueError, match="needs a copy"):
        fnp.ones(2).__array__(np.float64, copy=False)


# -- representations ---------------------------------------------------------------------------------------------------


def test_own_memory_reaches_the_engine_without_a_copy() -> None:
    x = fnp.asarray(np.arange(5000.0))
    assert x.host().ctypes.data % 64 == 0
    assert x.buffer().unsafe_buffer_pointer() == x.host().ctypes.data


def test_results_reach_the_host_without_a_copy() -> None:
    x = fg.jit(lambda x: x + 1)(fnp.asarray(np.arange(5000.0)))
    assert np.asarray(x).ctypes.data == x.buffer().unsafe_buffer_pointer()
    assert np.shares_memory(np.asarray(x), np.asarray(x))


def test_aligned_copies_are_copies() -> None:
    for count in SIZES:
        source = memory_of(count, 4)
        found = aligned_copy(source[::-1])
        assert found.flags.c_contiguous
        assert not np.shares_memory(found, source)


def test_splats_cost_no_memory_until_written_out() -> None:
    x = fnp.full((10_000, 10_000), 3.0)
    assert x.host().strides == (0, 0)
    assert x.splat() == 3.0
    assert fnp.arange(3).splat() is None
    small = fnp.zeros((2, 3), "bfloat16")
    np.testing.assert_array_equal(np.asarray(small.buffer()), np.zeros((2, 3)))


@pytest.mark.parametrize("dtype", dt.ALL, ids=str)
def test_every_dtype_survives_the_trip_to_the_engine_and_back(dtype: np.dtype) -> None:
    with np.errstate(invalid="ignore"):
        values = np.array([0, 1, 2, 4], np.float32).astype(dtype)
    x = fnp.asarray(values)
    assert x.dtype == dtype
    back = np.asarray(x.buffer())
    assert back.dtype == dtype
    assert back.tobytes() == values.tobytes()


def test_64_bit_values_are_whole_and_the_users_setting_is_unchanged() -> None:
    assert not jax.config.jax_enable_x64
    big, fine = 2**60 + 1, 1 + 2**-40
    found = fg.jit(lambda n, x: (n + 1, x * 1))(np.array([big]), np.array([fine]))
    assert int(found[0][0]) == big + 1
    assert float(found[1][0]) == fine
    assert fg.device_put(np.uint64(2**64 - 1)).item() == 2**64 - 1
    assert (np.array([fine]) * 1j == np.asarray(fg.jit(lambda z: z)(np.array([fine]) * 1j))).all()
    assert not jax.config.jax_enable_x64
    assert jnp.asarray(1.0).dtype == jnp.float32


# -- Python's and NumPy's protocols ------------------------------------------------------------------------------------


def test_properties() -> None:
    x = fnp.ones((2, 3), "float64")
    assert (x.shape, x.ndim, x.size, x.itemsize, x.nbytes) == ((2, 3), 2, 6, 8, 48)
    assert x.type is ArrayType((2, 3), np.dtype(np.float64))
    assert x.block_until_ready() is x


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float8_e5m2", "int64", "complex128", "bool"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (40, 50)])
def test_pickling(dtype: str, shape: tuple[int, ...]) -> None:
    for x in (fnp.ones(shape, dtype), fg.jit(lambda x: x)(fnp.ones(shape, dtype))):
        found = pickle.loads(pickle.dumps(x))
        assert (found.shape, found.dtype) == (x.shape, x.dtype)
        np.testing.assert_array_equal(found, x)


def test_copies_are_the_array_itself() -> None:
    x = fnp.arange(3)
    assert copy.copy(x) is x
    assert copy.deepcopy({"a": [x]})["a"][0] is x


def test_arrays_do_not_hash() -> None:
    with pytest.raises(TypeError, match="unhashable type: 'Array'"):
        {fnp.ones(1): 1}


def test_repr_and_str() -> None:
    assert repr(fnp.arange(3.0)) == "Array([0., 1., 2.], dtype=float32)"
    assert repr(fnp.asarray(2)) == "Array(2, dtype=int32)"
    assert repr(fnp.zeros((2, 0))) == "Array([], dtype=float32, shape=(2, 0))" or "shape=(2, 0)" in repr(
        fnp.zeros((2, 0))
    )
    assert repr(fnp.ones((2, 2), "bfloat16")) == "Array([[1., 1.],\n       [1., 1.]], dtype=bfloat16)"
    assert str(fnp.arange(3)) == "[0 1 2]"
    assert f"{fnp.asarray(2.5):.2f}" == "2.50"
    assert f"{fnp.arange(2)}" == "[0 1]"


def test_numpy_functions_take_arrays() -> None:
    x = fnp.arange(3.0)
    assert isinstance(np.sin(x), fg.Array)
    assert isinstance(np.ones(3) + x, fg.Array)
    np.testing.assert_array_equal(np.concatenate([x, x]), [0, 1, 2, 0, 1, 2])
    assert np.asarray(x, np.float64).dtype == np.float64


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python classes have the buffer protocol since 3.12")
def test_the_buffer_protocol() -> None:
    view = memoryview(fnp.arange(6, dtype="int32").reshape(2, 3))
    assert (view.shape, view.format, view.readonly) == ((2, 3), "i", True)
    assert view.tolist() == [[0, 1, 2], [3, 4, 5]]


# -- DLPack ------------------------------------------------------------------------------------------------------------


def test_dlpack_to_and_from_numpy() -> None:
    x = fnp.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(np.from_dlpack(x), x)
    source = np.arange(4.0)
    found = fnp.from_dlpack(source)
    assert found.dtype == np.float64
    source[:] = 7
    np.testing.assert_array_equal(found, np.arange(4.0))


def test_dlpack_to_and_from_jax() -> None:
    np.testing.assert_array_equal(jnp.from_dlpack(fnp.arange(3.0)), [0, 1, 2])
    np.testing.assert_array_equal(fnp.from_dlpack(jnp.arange(3)), [0, 1, 2])
    assert isinstance(fnp.asarray(jnp.arange(3)), fg.Array)


def test_dlpack_to_and_from_torch() -> None:
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(torch.from_dlpack(fnp.arange(3.0)).numpy(), [0, 1, 2])
    np.testing.assert_array_equal(fnp.from_dlpack(torch.arange(3)), [0, 1, 2])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64", "bool"])
def test_an_alias_leaves_the_users_array_writeable(dtype: str) -> None:
    mine = np.zeros((3, 4), np.dtype(getattr(ml_dtypes, dtype, dtype)))[:, ::2]
    x = fnp.asarray(mine, copy=False)
    view = np.asarray(x)
    assert mine.flags.writeable
    assert np.shares_memory(mine, view)
    with pytest.raises(ValueError, match="WRITEABLE"):
        view.flags.writeable = True
