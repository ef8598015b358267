"""Arrays in NumPy's files, .npy and .npz: written whole or not at all, read without executing anything.

NumPy's files have no name for bfloat16 and the float8 family. Such an array is written as records of one field, whose
name is the dtype and whose values are its bits; NumPy reads it as `np.load(file)["bfloat16"].view("bfloat16")`.
"""

from __future__ import annotations

import io
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.dtypes import BY_NAME, canonical
from ..errors import ArgumentError, DTypeError, ImmutableError
from .conversion import asarray, known

__all__ = ["load", "save", "savez", "savez_compressed"]

# -- dtypes -----------------------------------------------------------------------------------------------------------


def _encoded(x: Any, wanted: str) -> np.ndarray:
    """A value as NumPy can write it."""
    host = known(x, wanted)
    return host if host.dtype.isbuiltin == 1 else host.view([(host.dtype.name, f"u{host.dtype.itemsize}")])


def _decoded(host: np.ndarray) -> Any:
    """The array that a file holds, in the memory that it was read into."""
    names = host.dtype.names
    if names is not None and len(names) == 1:
        dtype = BY_NAME.get(names[0])
        if dtype is not None and host.dtype[0] == np.dtype(f"u{dtype.itemsize}"):
            host = host[names[0]].view(dtype)
    elif host.dtype.kind == "V" and names is None and host.dtype not in BY_NAME.values():
        size = host.dtype.itemsize
        likely = "bfloat16" if size == 2 else "float8_e4m3fn"
        raise DTypeError(
            f"load: the file holds {size} raw bytes for each element and does not say what they mean. If NumPy wrote "
            f"bfloat16 or float8 numbers there, name their dtype: fnp.asarray(np.load(file).view({likely!r}))"
        )
    if host.dtype.kind in "biufcV" and canonical(host.dtype) == host.dtype and host.dtype.isnative:
        return Array(np.asarray(host))
    return asarray(host)


# -- writing ----------------------------------------------------------------------------------------------------------


def save(file: Any, arr: Any, allow_pickle: bool = False) -> None:
    """Write one array into a .npy file, which NumPy reads too.

    Args:
        file: a path, to which ".npy" is added if it is missing, or an open binary file. What is at the path is
            replaced when everything is written, so that a crash leaves the old file or the new one, never a half.
        arr: the array.
        allow_pickle: False; nothing is ever pickled.

    Example:
        >>> import os, tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = os.path.join(directory, "weights.npy")
        ...     fnp.save(path, fnp.array([1.0, 2.0], dtype="bfloat16"))
        ...     fnp.load(path)
        Array([1., 2.], dtype=bfloat16)
    """
    _refuse_pickle(allow_pickle)
    host = _encoded(arr, "save(file, x)")
    _write(file, ".npy", lambda stream: np.lib.format.write_array(stream, host, allow_pickle=False))


def savez(file: Any, *args: Any, allow_pickle: bool = False, **kwds: Any) -> None:
    """Write arrays into one .npz file: those given by name under it, the others as "arr_0", "arr_1" and so on.

    Args:
        file: a path, to which ".npz" is added if it is missing, or an open binary file; replaced as by `save`.
        allow_pickle: False; nothing is ever pickled.
    """
    _save_together(np.savez, file, args, allow_pickle, kwds)


def savez_compressed(file: Any, *args: Any, allow_pickle: bool = False, **kwds: Any) -> None:
    """`savez` with the arrays compressed."""
    _save_together(np.savez_compressed, file, args, allow_pickle, kwds)


def _save_together(
    write: Callable[..., None], file: Any, args: tuple[Any, ...], allow_pickle: bool, kwds: dict[str, Any]
) -> None:
    _refuse_pickle(allow_pickle)
    unnamed = {f"arr_{i}": x for i, x in enumerate(args)}
    if twice := sorted(unnamed.keys() & kwds.keys()):
        raise ArgumentError(
            f"savez: {twice[0]!r} is the name of an array that was given without one; choose another name"
        )
    arrays = {name: _encoded(x, f"savez(file, {name}=x)") for name, x in (unnamed | kwds).items()}
    _write(file, ".npz", lambda stream: write(stream, **arrays))


def _refuse_pickle(allow_pickle: bool) -> None:
    if allow_pickle:
        raise ArgumentError(
            "allow_pickle=True: arrays are numbers and need no pickling, which would run code on reading"
        )


def _write(file: Any, suffix: str, write: Callable[[Any], Any]) -> None:
    if hasattr(file, "write"):
        write(file)
        return
    path = os.fspath(file)
    path = path if path.endswith(suffix) else path + suffix
    path = os.path.realpath(path)
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):  # a pipe or device cannot be replaced
        whole = io.BytesIO()
        write(whole)
        with open(path, "wb") as stream:
            stream.write(whole.getbuffer())
        return
    unfinished = f"{path}.{secrets.token_hex(4)}.unfinished"
    try:
        with open(unfinished, "xb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            os.chmod(unfinished, stat.S_IMODE(mode))
        os.replace(unfinished, path)
    except BaseException:
        if os.path.exists(unfinished):
            os.remove(unfinished)
        raise


# -- reading ----------------------------------------------------------------------------------------------------------


class Archive(Mapping[str, Any]):
    """The arrays of a .npz file by name, each read when it is asked for; what `load` returns for such files.

    Use it in a `with` block, or call `close`.
    """

    def __init__(self, source: Any) -> None:
        self._source = source

    @property
    def files(self) -> list[str]:
        """The names."""
        return list(self._source.files)

    def __getitem__(self, name: str) -> Any:
        return _decoded(self._source[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        return f"Archive({', '.join(self.files)})"

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load(file: Any, mmap_mode: str | None = None, allow_pickle: bool = False) -> Any:
    """The array in a .npy file, or the `Archive` of arrays in a .npz file.

    Args:
        file: a path or an open binary file.
        mmap_mode: "r" (or "c") leaves a .npy file on disk and reads what is used of it; the caller promises not to
            change the file meanwhile. None reads it all.
        allow_pickle: False; files with Python objects are refused, since reading them would run their code.

    Raises:
        ArgumentError: the file is not one of NumPy's, or holds Python objects.
        FileNotFoundError: there is no such file.
    """
    _refuse_pickle(allow_pickle)
    if mmap_mode in ("r+", "w+", "write", "readwrite"):
        raise ImmutableError(f"mmap_mode={mmap_mode!r}: arrays are immutable; use mmap_mode='r'")
    if mmap_mode not in (None, "r", "c", "readonly", "copyonwrite"):
        raise ArgumentError(f"mmap_mode={mmap_mode!r}: expected None, 'r' or 'c'")
    try:
        found = np.load(file, mmap_mode, allow_pickle=False)  # type: ignore[arg-type]
    except ValueError as error:
        raise ArgumentError(
            f"load: {getattr(file, 'name', file)} holds no numeric arrays of NumPy's: {error}"
        ) from None
    return _decoded(found) if isinstance(found, np.ndarray) else Archive(found)
