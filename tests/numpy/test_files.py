"""Arrays in files: there and back, readable by NumPy, written whole or not at all, and nothing executed on reading."""

from __future__ import annotations

import io
import os
import pickle
import stat
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.core.dtypes import ALL
from funcgrad.errors import ArgumentError, ConcretizationError, DTypeError, ImmutableError
from funcgrad.numpy import files


@pytest.mark.parametrize("dtype", ALL, ids=str)
@pytest.mark.parametrize("shape", [(), (0, 2), (2, 3)])
def test_every_dtype_comes_back(tmp_path: Path, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    x = fnp.asarray(np.arange(1, 1 + np.prod(shape, dtype=int)).reshape(shape) % 2).astype(dtype)
    fnp.save(tmp_path / "x", x)
    fnp.savez(tmp_path / "y.npz", x)
    for found in (fnp.load(tmp_path / "x.npy"), fnp.load(tmp_path / "y.npz")["arr_0"]):
        assert (found.dtype, found.shape) == (dtype, shape)
        np.testing.assert_array_equal(
            np.asarray(found).view(np.uint8) if shape else found, np.asarray(x).view(np.uint8) if shape else x
        )


def test_numpy_reads_what_we_write_and_we_read_what_numpy_writes(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    fnp.save(path, fnp.arange(6).reshape(2, 3).T)
    np.testing.assert_array_equal(np.load(path), np.arange(6).reshape(2, 3).T)
    fnp.save(path, fnp.asarray([1.5, -2.0], fnp.bfloat16))
    np.testing.assert_array_equal(np.load(path)["bfloat16"].view(ml_dtypes.bfloat16), np.array([1.5, -2.0]))
    for theirs in (np.arange(3.0), np.asfortranarray(np.ones((2, 3))), np.arange(3, dtype=">i4"), np.float64(2.0)):
        np.save(path, theirs)
        ours = fnp.load(path)
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype.isnative
        np.testing.assert_array_equal(fg.jit(lambda x: x + 1)(ours), theirs + 1)


def test_splats_device_results_and_numpy_arrays_are_written(tmp_path: Path) -> None:
    for x in (fnp.zeros((3, 2)), fg.jit(lambda x: x * 2)(fnp.ones(3)), np.ones(2), [1, 2], 3.5):
        fnp.save(tmp_path / "x.npy", x)
        np.testing.assert_array_equal(fnp.load(tmp_path / "x.npy"), x)


@pytest.mark.parametrize("save", [fnp.savez, fnp.savez_compressed])
def test_archives(tmp_path: Path, save: Any) -> None:
    save(tmp_path / "model", fnp.arange(3), weights=fnp.ones((2, 2), fnp.bfloat16), bias=fnp.zeros(2))
    with fnp.load(tmp_path / "model.npz") as archive:
        assert sorted(archive) == sorted(archive.files) == ["arr_0", "bias", "weights"]
        assert len(archive) == 3
        assert "bias" in archive
        assert "other" not in archive
        assert archive["weights"].dtype == fnp.bfloat16
        assert archive["arr_0"].tolist() == [0, 1, 2]
        assert repr(archive).startswith("Archive(")
        with pytest.raises(KeyError):
            archive["other"]
    with np.load(tmp_path / "model.npz") as theirs:
        np.testing.assert_array_equal(theirs["bias"], np.zeros(2))


def test_open_files_serve_as_well() -> None:
    stream = io.BytesIO()
    fnp.save(stream, fnp.arange(3))
    fnp.save(stream, fnp.ones(2))
    stream.seek(0)
    assert (fnp.load(stream).tolist(), fnp.load(stream).tolist()) == ([0, 1, 2], [1, 1])


def test_a_mapped_file_is_read_when_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    fnp.save(path, fnp.arange(4.0))
    fnp.save(tmp_path / "b.npy", fnp.arange(4.0).astype(fnp.bfloat16))
    x = fnp.load(path, mmap_mode="r")
    np.testing.assert_array_equal(x * 2, [0, 2, 4, 6])
    np.testing.assert_array_equal(fg.jit(lambda x: x * 2)(x), [0, 2, 4, 6])
    assert fnp.load(tmp_path / "b.npy", mmap_mode="c").dtype == fnp.bfloat16
    with pytest.raises(ImmutableError, match="mmap_mode='r'"):
        fnp.load(path, mmap_mode="r+")


# -- whole or not at all ----------------------------------------------------------------------------------------------


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.npy"
    fnp.save(path, fnp.arange(3))

    def half(stream: Any, *_: Any, **__: Any) -> None:
        stream.write(b"half a file")
        raise OSError("disk full")

    monkeypatch.setattr(files.np.lib.format, "write_array", half)
    with pytest.raises(OSError, match="disk full"):
        fnp.save(path, fnp.ones(5))
    assert os.listdir(tmp_path) == ["x.npy"]
    assert fnp.load(path).tolist() == [0, 1, 2]


def test_a_file_keeps_its_mode_and_a_link_its_target(tmp_path: Path) -> None:
    path, link = tmp_path / "x.npy", tmp_path / "link.npy"
    fnp.save(path, fnp.arange(3))
    os.chmod(path, 0o640)
    os.symlink(path, link)
    fnp.save(link, fnp.arange(2))
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert fnp.load(path).tolist() == [0, 1]


def test_a_pipe_is_written_to_directly(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.npy"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        fnp.save(pipe, fnp.arange(3))
        assert fnp.load(io.BytesIO(os.read(reader, 1 << 16))).tolist() == [0, 1, 2]
    finally:
        os.close(reader)


# -- what is refused --------------------------------------------------------------------------------------------------


def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(ArgumentError, match="holds no numeric arrays"):
        fnp.load(path)
    path.write_bytes(pickle.dumps([1]))
    with pytest.raises(ArgumentError, match="holds no numeric arrays"):
        fnp.load(path)
    for call in (lambda: fnp.load(path, allow_pickle=True), lambda: fnp.save(path, fnp.ones(2), allow_pickle=True)):
        with pytest.raises(ArgumentError, match="allow_pickle=True"):
            call()


def test_files_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.array(["text"]))
    with pytest.raises(DTypeError, match="not numeric"):
        fnp.load(path)
    np.save(path, np.zeros(2, ml_dtypes.bfloat16).view("V2"))
    with pytest.raises(DTypeError, match=r"view\('bfloat16'\)"):
        fnp.load(path)
    np.save(path, np.zeros(2, [("bfloat16", "u2"), ("more", "f4")]))
    with pytest.raises(DTypeError):
        fnp.load(path)
    with pytest.raises(FileNotFoundError):
        fnp.load(tmp_path / "missing.npy")
    with pytest.raises(ArgumentError, match="mmap_mode='x'"):
        fnp.load(path, mmap_mode="x")


def test_values_that_are_not_known_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConcretizationError):
        fg.jit(lambda x: fnp.save(tmp_path / "x.npy", x))(fnp.ones(2))
    assert not os.listdir(tmp_path)


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="'arr_0'"):
        fnp.savez(tmp_path / "x", fnp.ones(1), arr_0=fnp.ones(1))
